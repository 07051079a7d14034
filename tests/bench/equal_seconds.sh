#!/usr/bin/env bash
# Forward-Forward beside backpropagation: error against seconds, from the JSON Lines of `goodness train`.
#
#     tests/bench/equal_seconds.sh MNIST [SEEDS] [EPOCHS…]
#
# MNIST is the folder of the four files. Every preset of `quick`, `pairs` and `backprop` is trained once for each number of
# EPOCHS (of its own when none is given), for that is how long its schedule is then: an epoch in the middle of a longer run is
# not what a run of that length ends with. With SEEDS (3) seeds each, in turns, so that what else the machine does meets all.
# Seconds are those of training, evaluation and saving left out. One line a run, then a line for each preset and number of epochs:
# mean error over the seeds, the lowest and the highest, mean seconds.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -lt 1 ] || [ "$1" = --help ]; then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
    exit $(($# < 1 ? 2 : 0))
fi
folder=$1
seeds=${2:-3}
shift $(($# < 2 ? $# : 2))
program=${GOODNESS:-.build/goodness}
presets=(quick pairs backprop)
lengths=("$@")
[ ${#lengths[@]} -gt 0 ] || lengths=(own)
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# train PRESET EPOCHS SEED
train() {
    local run
    run=$(jq -nc --arg preset "$1" --arg epochs "$2" --argjson seed "$3" \
        '{preset: $preset, config: ({seed: $seed, evaluate_every: 1000000} + if $epochs == "own" then {} else {epochs: ($epochs | tonumber)} end)}')
    "$program" train --data "mnist=$folder" - <<<"$run" | tail -n 1 | jq -r '
        if .state != "finished" then error("\(.preset): \(.state), \(.reason)") else
        [.preset, .config.epochs, .config.seed, .last.test_error, (.progress.elapsed - .progress.evaluating | . * 100 | round / 100),
         .progress.samples_per_second, .placement.stages, .placement.threads] | @tsv end'
}

printf 'preset\tepochs\tseed\terror\tseconds\tsamples/s\tstages\tthreads\n'
for epochs in "${lengths[@]}"; do
    for seed in $(seq "$seeds"); do
        for preset in "${presets[@]}"; do
            train "$preset" "$epochs" "$seed" | tee -a "$found"
        done
    done
done

printf '\npreset\tepochs\tseeds\tmean error\tlowest\thighest\tmean seconds\n'
jq -rRs 'split("\n") | map(select(. != "") | split("\t") | {preset: .[0], epochs: (.[1] | tonumber), error: (.[3] | tonumber), seconds: (.[4] | tonumber)})
    | group_by([.preset, .epochs])
    | map({preset: .[0].preset, epochs: .[0].epochs, seeds: length, errors: map(.error), seconds: (map(.seconds) | add / length)})
    | sort_by([.preset, .seconds])[]
    | [.preset, .epochs, .seeds, (.errors | add / length * 1e5 | round / 1e5), (.errors | min), (.errors | max), (.seconds * 100 | round / 100)] | @tsv' "$found"
