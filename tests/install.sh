#!/usr/bin/env bash
# What `cmake --install` leaves: the program with all that belongs to it, and the library, against which the example programs
# are built both ways (CMake, pkg-config) and run.
#
#     tests/install.sh [BUILD FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${1:-.build-tests}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wrong() { echo "wrong: $*"; exit 1; }

# images FOLDER: a small data set; every class has a bright bar of its own, and some labels are wrong.
images() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import sys
import numpy

def split(count):
    labels = numpy.arange(count, dtype=numpy.uint8) % 4
    images = numpy.random.default_rng(1).integers(0, 40, (count, 8, 8), dtype=numpy.uint8)
    for image, label in zip(images, labels):
        image[2 * label:2 * label + 2] = 215
    labels[::7] = (labels[::7] + 1) % 4  # so that not all can be predicted
    return images, labels

train, test = split(400), split(100)
numpy.savez(sys.argv[1], x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1])
PYTHON
}

echo "--- the library is where a program outside looks for it"
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
mkdir "$work/example"
cp "$work"/prefix/share/doc/goodness/example/* "$work/example"
strict=(-std=c11 -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wpedantic -Werror)

echo "--- every header stands alone"
for header in "$work"/prefix/include/goodness/*.h; do
    printf '#include <goodness/%s>\n' "$(basename "$header")" >"$work/header.c"
    cc "${strict[@]}" -fsyntax-only $(pkg-config --cflags goodness) "$work/header.c"
done

echo "--- nothing but the library's own names is in it"
others=$(nm --defined-only --extern-only --format=posix "$work/prefix/lib/libgoodness.a" | grep -E ' [A-Z] ' | grep -v '^ff_') &&
    wrong "names that a program could have too: $others"

echo "--- the example with pkg-config"
for program in train predict; do
    cc "${strict[@]}" -O1 "$work/example/$program.c" -o "$work/$program" $(pkg-config --cflags --libs --static goodness)
done
images "$work/bars.npz"
"$work/train" "$work/bars.npz" "$work/bars.safetensors" | tee "$work/told"
[ "$(grep -c '^epoch 2 layer' "$work/told")" = 2 ] || wrong "two layers tell their goodness"
"$work/predict" "$work/bars.safetensors" "$work/bars.npz" | tee "$work/predicted"
error=$(sed -n 's/^epoch 2: error //p' "$work/told")
missed=$(sed -n 's/ of 100 test images are predicted wrongly$//p' "$work/predicted")
[ "$(printf '%.4f' "${missed}e-2")" = "$error" ] || wrong "trained to $error, but $missed of 100 are predicted wrongly"

echo "--- the example with CMake"
cmake -G Ninja -S "$work/example" -B "$work/built" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; exit 1; }
cmake --build "$work/built" >"$work/cmake.log" 2>&1 || { cat "$work/cmake.log"; exit 1; }
"$work/built/train" "$work/bars.npz" "$work/again.safetensors" | cmp - "$work/told"
"$work/built/predict" "$work/again.safetensors" "$work/bars.npz" | cmp - "$work/predicted"

echo "--- the example says what is wrong"
"$work/train" /nowhere "$work/none" 2>"$work/said" && wrong "no images are trained on"
grep -q /nowhere "$work/said"
[ ! -e "$work/none" ]
