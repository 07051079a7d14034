#!/usr/bin/env bash
# The original's small experiment over five seeds, beside numpy in the same minutes.
#
#     tests/bench/original.sh [FOLDER_WITH_MNIST]     (default: where server/start puts it)
#
# numpy runs with one BLAS thread, once as it comes and once with an allocator that does not return memory at every step.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-${XDG_DATA_HOME:-$HOME/.local/share}/goodness/mnist}
server/build

echo "goodness:"
for seed in 1 2 3 4 5; do
    jq -nc "{preset: \"original-small\", config: {seed: $seed}}" |
        .build/goodness train --data "mnist=$folder" - |
        jq -c 'select(.event == "end") | {seed: .config.seed, epochs: .progress.epochs, seconds: .progress.elapsed,
            test_accuracy: (1 - .last.test_error)}'
done
export OPENBLAS_NUM_THREADS=1
echo "numpy, tuned allocator:"
MALLOC_TOP_PAD_=67108864 MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=1073741824 \
    /usr/bin/python3 tests/bench/original.py "$folder"
echo "numpy, as it comes:"
/usr/bin/python3 tests/bench/original.py "$folder" --epochs 1
