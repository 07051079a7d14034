#!/usr/bin/env bash
# Presets trained to their end on real images: a table, and the bounds that they must keep.
#
#     tests/accuracy.sh [--data NAME=FOLDER]... [--program FILE] [PRESET[:SEED,SEED…]]...
#
# Without a preset: all of them, the quick ones with several seeds. The data sets are looked for where server/start and Debian
# put them, unless --data says where. One line a run: its error after every epoch that was judged, and in the table's columns
# the last and the lowest error, seconds (evaluation left out), samples a second, and the beginning of the weights' digest.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${GOODNESS:-.build/goodness}
data=()
asked=()
while [ $# -gt 0 ]; do
    case $1 in
    --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --data) data+=(--data "$2"); shift ;;
    --program) program=$2; shift ;;
    -*) echo "tests/accuracy.sh: there is no option $1; see --help" >&2; exit 2 ;;
    *) asked+=("$1") ;;
    esac
    shift
done
[ ${#asked[@]} -gt 0 ] || asked=("pairs-plain:1,2,3" "quick:1,2,3" "backprop:1,2,3" "original-small:1,2,3,4,5" original-base
    original-compare-shallow original-compare-medium original-compare-deep quick-fashion class-groups-fashion pairs unsupervised
    pairs-fashion conv conv-fashion hinton)

# The last error that a preset must not exceed, with room for another processor's rounding.
bound() {
    case $1 in
    pairs-plain) echo 0.03 ;;
    pairs) echo 0.012 ;;
    quick) echo 0.018 ;;
    backprop) echo 0.016 ;;
    conv) echo 0.007 ;;
    unsupervised) echo 0.025 ;;
    pairs-fashion) echo 0.115 ;;
    class-groups-fashion) echo 0.12 ;;
    quick-fashion) echo 0.135 ;;
    conv-fashion) echo 0.09 ;;
    hinton) echo 0.06 ;;
    original-base) echo 0.30 ;;
    original-*) echo 0.45 ;;
    *) echo "tests/accuracy.sh: $1 has no bound yet" >&2; return 1 ;;
    esac
}

# train PRESET SEED: a line of the table; fails when the run did, or its last error is above the bound.
train() {
    local lines
    lines=$(jq -nc --arg preset "$1" --argjson seed "$2" '{preset: $preset, config: {seed: $seed}}' |
        "$program" train ${data[@]+"${data[@]}"} - | grep -E '^\{"event":"(epoch|end)"')
    jq -rs --argjson bound "$(bound "$1")" '(.[-1]) as $last | [.[] | select(.event == "epoch" and .test_error != null)] as $epochs |
        [$last.preset, $last.config.seed, $last.state, $last.last.test_error, $last.best.test_error,
         ($last.progress.elapsed - $last.progress.evaluating | . * 10 | round / 10), $last.progress.samples_per_second,
         $last.last.digest[7:23], ([$epochs[].test_error | . * 1e6 | round / 1e6 | tostring] | join(" ")),
         (if $last.state == "finished" and $last.last.test_error <= $bound then "" else "above \($bound)" end)] | @tsv' <<<"$lines"
}

status=0
printf 'preset\tseed\tstate\tlast\tbest\tseconds\tsamples/s\tdigest\terror by epoch\n'
for preset in "${asked[@]}"; do
    seeds=1
    case $preset in *:*) seeds=${preset#*:} ;; esac
    for seed in ${seeds//,/ }; do
        line=$(train "${preset%%:*}" "$seed") || { status=1; continue; }
        printf '%s\n' "$line"
        case $line in *"above "*) status=1 ;; esac
    done
done
exit $status
