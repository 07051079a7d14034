#!/usr/bin/env bash
# The original's small experiment over five seeds, beside numpy in the same minutes, and how many times faster.
#
#     tests/bench/original.sh [FOLDER_WITH_MNIST]     (default: where server/start puts it)
#
# numpy runs with one BLAS thread, once with an allocator that does not return memory at every step, and, an epoch only, as it
# comes. The environment variable GOODNESS names the program; without it .build/goodness is built.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-${XDG_DATA_HOME:-$HOME/.local/share}/goodness/mnist}
program=${GOODNESS:-.build/goodness}
[ -n "${GOODNESS:-}" ] || server/build

ours=$(mktemp)
trap 'rm -f "$ours"' EXIT

# train SEED...: the runs' last lines, shown, and kept in $ours.
train() {
    local seed
    for seed in "$@"; do
        jq -nc "{preset: \"original-small\", config: {seed: $seed, train_error_samples: 1}}" |
            "$program" train --data "mnist=$folder" - |
            jq -c 'select(.event == "end") | {seed: .config.seed, epochs: .progress.epochs, seconds: .progress.elapsed,
                test_accuracy: (1 - .last.test_error)}' | tee -a "$ours"
    done
}

# numpy EPOCHS: its line.
numpy() { OPENBLAS_NUM_THREADS=1 /usr/bin/python3 tests/bench/original.py "$folder" --epochs "$1"; }

# compare WHAT LINE [BOUND]: seconds an epoch, numpy's over the median of ours.
compare() {
    jq -rs --argjson numpy "$2" --arg what "$1" --arg bound "${3:-}" 'map(.seconds / .epochs) | sort | .[length / 2 | floor] as $ours |
        ($numpy.seconds / $numpy.epochs) as $theirs |
        "original-small, an epoch with its test: \($ours * 1000 | round) ms   \($what) \($theirs * 1000 | round) ms   " +
        "\($theirs / $ours * 10 | round / 10) times as fast\($bound)"' "$ours"
}

echo "goodness:"
train 1 2 3
echo "numpy, tuned allocator:"
tuned=$(MALLOC_TOP_PAD_=67108864 MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=1073741824 numpy 10)
echo "$tuned"
echo "numpy, as it comes:"
untuned=$(numpy 1)
echo "$untuned"
echo "goodness again, after numpy:"
train 4 5
compare "numpy, tuned allocator," "$tuned" "   (to reach: 50)"
compare "numpy, as it comes," "$untuned"
