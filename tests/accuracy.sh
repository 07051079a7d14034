#!/usr/bin/env bash
# Presets trained to their end on real MNIST, a table, and the bounds that they must keep. Needs MNIST where server/start
# puts it (or its folder as the argument).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-${XDG_DATA_HOME:-$HOME/.local/share}/goodness/mnist}
program=${GOODNESS:-.build/goodness}
status=0

# train PRESET SEED MOST: the run's last error must not be above MOST.
train() {
    local end
    end=$(jq -nc "{preset: \"$1\", config: {seed: $2}}" | "$program" train --data "mnist=$folder" - | tail -n 1)
    jq -r --arg most "$3" '[.preset, .config.seed, .state, .last.test_error, .best.test_error, .progress.elapsed,
        .progress.samples_per_second, .last.digest[7:23]] | @tsv' <<<"$end"
    jq -e --argjson most "$3" '.state == "finished" and .last.test_error <= $most' <<<"$end" >/dev/null || {
        echo "  above $3"
        status=1
    }
}

printf 'preset\tseed\tstate\tlast\tbest\tseconds\tsamples/s\tdigest\n'
for seed in 1 2 3; do train pairs-plain "$seed" 0.03; done
for seed in 1 2 3 4 5; do train original-small "$seed" 0.40; done
exit $status
