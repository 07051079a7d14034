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
    printf '#include <goodness/%s>\nint main(void);\n' "$(basename "$header")" >"$work/header.c"
    cc "${strict[@]}" -fsyntax-only $(pkg-config --cflags goodness) "$work/header.c"
done

echo "--- other machines are refused in words, by a header and by CMake, but for those that will do"
machine=$work/prefix/include/goodness/machine.h
# A library is compiled to see what the machine is: for a program more would have to be there of it.
configure() { # configure TARGET
    rm -rf "$work/machine"
    cmake -G Ninja -S . -B "$work/machine" -DCMAKE_C_COMPILER=clang -DCMAKE_C_COMPILER_TARGET="$1" \
        -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY >"$work/said" 2>&1
}
refused() { # refused TARGET WORDS
    clang --target="$1" -fsyntax-only -x c "$machine" 2>"$work/said" && wrong "a header takes $1"
    grep -q "$2" "$work/said" || wrong "a header refuses $1 otherwise: $(cat "$work/said")"
    configure "$1" && wrong "CMake takes $1"
    tr -s '\n ' ' ' <"$work/said" | grep -q 'Goodness needs a little-endian machine of 64 bits' ||
        wrong "CMake refuses $1 otherwise: $(cat "$work/said")"
}
refused i686-linux-gnu '64 bits'
refused powerpc64-linux-gnu 'little-endian'
clang --target=aarch64-linux-gnu -fsyntax-only -x c "$machine" || wrong "a header refuses aarch64"
configure aarch64-linux-gnu || wrong "CMake refuses aarch64: $(cat "$work/said")"

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

echo "--- the program is where a system looks for it, and names its own place"
DESTDIR=$work/root cmake --install "$build" --prefix /usr >"$work/install.log"
root=$work/root/usr
for file in bin/goodness bin/goodness-get-mnist share/man/man1/goodness.1.gz share/man/man1/goodness-get-mnist.1.gz \
    share/bash-completion/completions/goodness share/icons/hicolor/scalable/apps/goodness.svg share/doc/goodness/copyright; do
    [ -s "$root/$file" ] || wrong "$file is not installed"
done
grep -qx 'ExecStart=/usr/bin/goodness serve' "$root/lib/systemd/user/goodness.service"
grep -qx 'Exec=/usr/libexec/goodness/open' "$root/share/applications/goodness.desktop"
grep -qx "ExecStart=$work/prefix/bin/goodness serve" "$work/prefix/lib/systemd/user/goodness.service"
[ -x "$root/libexec/goodness/open" ]
[ -e "$root/share/goodness/mnist/package-lock.json" ]
strays=$(cd "$work/root" && find . -type f ! -path './usr/*')
[ -z "$strays" ] || wrong "outside of the prefix: $strays"

echo "--- it says how to get MNIST with what is installed"
export HOME=$work/home XDG_DATA_HOME=$work/home/share
mkdir -p "$HOME"
says() { # says WORDS COMMAND…: on standard error
    local words=$1
    shift
    "$@" 2>"$work/said" >/dev/null || true
    grep -qF "$words" "$work/said" || wrong "$* says: $(cat "$work/said")"
}
if [ ! -e /usr/share/datasets/mnist ]; then
    says 'bring it with goodness-get-mnist' "$root/bin/goodness" train original-small
    says 'bring it with ./server/start' "$build/goodness" train original-small
fi
says 'npm is missing' env PATH="$work/nothing" /bin/sh "$root/bin/goodness-get-mnist"
mkdir -p "$XDG_DATA_HOME/goodness/mnist"
touch "$XDG_DATA_HOME/goodness/mnist/train-images-idx3-ubyte"
says 'is there already' "$root/bin/goodness-get-mnist"
says 'takes no argument' "$root/bin/goodness-get-mnist" there
rm -r "$XDG_DATA_HOME"

commands=$("$root/bin/goodness" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 5 ] || wrong "the help lists $commands"
options() { "$root/bin/goodness" "$1" --help | sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p'; }
presets=$("$root/bin/goodness" train --help | sed -n '/^Presets/,$s/^  \([a-z-]*\) .*/\1/p')
[ "$(wc -w <<<"$presets")" -ge 10 ] || wrong "the help lists the presets $presets"

echo "--- the manual page has every command, option and preset of the help"
page=$(zcat "$root/share/man/man1/goodness.1.gz")
for command in $commands; do
    section=$(sed -n "/^\.Ss goodness $command\$/,/^\.S[sh] /p" <<<"$page")
    grep -qx ".Cm $command" <<<"$page" || wrong "the synopsis lacks $command"
    for option in $(options "$command"); do
        grep -qE "^\.It Fl -${option#--}( Ar |\$)" <<<"$section" || wrong "$command $option is not in the manual page"
    done
done
for preset in $presets; do
    grep -qx ".It Cm $preset" <<<"$page" || wrong "the preset $preset is not in the manual page"
done

echo "--- completion offers what the help lists"
# completed WORD…: what is offered for the last word, divided by spaces.
completed() {
    bash -c '
        source "$1"
        compopt() { :; } # of a line that is not being typed
        COMP_WORDS=("${@:2}")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _goodness "$2"
        echo "${COMPREPLY[*]}"' bash "$root/share/bash-completion/completions/goodness" "$root/bin/goodness" "$@"
}
offers() { # offers WORDS WORD…
    local wanted=$1 got
    shift
    got=$(completed "$@")
    [ "$got" = "$(tr '\n' ' ' <<<"$wanted" | sed 's/ *$//')" ] || wrong "for \"$*\" completion offers \"$got\", not \"$wanted\""
}
offers "$commands --help --version" ''
offers 'serve' ser
for command in $commands; do
    offers "$(options "$command")" "$command" --
done
offers "$presets" train ''
offers "default $presets" serve --start ''
offers 'original-compare-shallow original-compare-medium original-compare-deep' serve --start original-c
offers 'quick quick-fashion' serve --start = quick
offers 'json' serve --port 0 --log-format j
offers 'train' evaluate file --split t''r
offers '' serve --port ''
offers 'mnist= fashion-mnist=' serve --data ''
mkdir -p "$XDG_DATA_HOME/goodness/mine"
offers 'mnist mine' evaluate --dataset m
