#!/usr/bin/env bash
# Every command line of every README.md (commands.awk finds them), as written but for the port: from nothing to a trained run,
# one that was left and gone on with, a daemon with a token. way_of says how each is run; a line that has no way is an error.
set -euo pipefail
cd "$(dirname "$0")/.."

checkout=$PWD
work=$(mktemp -d)
server=
cleanup() {
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT

# A refused request must not pass for an answer.
printf 'fail-with-body\n' >"$work/.curlrc"
export CURL_HOME=$work

# What a reader has before them: the program where server/start builds it, runs in log/state.
mkdir -p "$work/here/log" "$work/bin"
ln -s "$checkout/.build" "$work/here/.build"
ln -s "$checkout/.build/goodness" "$work/bin/goodness"
PATH=$work/bin:$PATH
state=$work/here/log/state

# way_of LINE: how a command is tested.
#   start    it is what this script begins with
#   daemon   asks the daemon that was started
#   rest     is run to its end when the daemon has ended
#   begun    trains long or serves forever: until its first line, then ended by SIGTERM
#   token    asks the daemon with a token, by the name it was given
#   suites   is, or is part of, what runs this; or another suite runs the same
way_of() {
    case $1 in
    ./server/start) echo start ;;
    "curl "*127.0.0.1:7007*) echo daemon ;;
    "curl "*lab.example:7007*) echo token ;;
    "goodness serve "* | ".build/goodness train pairs-plain") echo begun ;;
    ".build/goodness "* | "(umask 077; "*) echo rest ;;
    "./tests/run"*) echo suites ;;
    "cc "*"--static goodness)" | "cmake --install "*) echo suites ;; # install
    "server/install/package" | "apt-get install ./"* | "apt-get remove "* | "systemctl --user "*) echo suites ;; # package
    esac
}

# lines WAY…: the command lines that are tested so, with the place of each: PLACE TAB LINE.
commands=$work/commands
git ls-files '*README.md' | xargs awk -f tests/commands.awk | while IFS=$'\t' read -r file number line; do
    printf '%s\t%s:%s\t%s\n' "$(way_of "$line")" "$file" "$number" "$line"
done >"$commands"
lines() { for way in "$@"; do sed -n "s/^$way\t//p" "$commands"; done; }

if [ -n "$(lines '')" ]; then
    echo "tests/start.sh does not know how to test these lines; way_of there says it of each:"
    lines ''
    exit 1
fi
[ "$(wc -l <"$commands")" -ge 20 ] || { echo "only $(wc -l <"$commands") command lines are found"; exit 1; }

# serve COMMAND…: run it beside this until it says where it listens; $port is that.
serve() {
    mkfifo "$work/out"
    "$@" >"$work/out" 2>"$work/err" &
    server=$!
    if ! read -r -t 300 line <"$work/out"; then
        cat "$work/err"
        echo "$* did not say where it listens"
        exit 1
    fi
    rm "$work/out"
    port=${line##*:}
    [[ $line == "listening on http://"*":$port" ]] || { echo "unexpected line: $line"; exit 1; }
}

stop() {
    kill -TERM "$server"
    wait "$server" || { echo "the server ended with status $?"; cat "$work/err"; exit 1; }
    server=
}

# run_line PLACE LINE: in the folder of a reader; its answer is kept.
run_line() {
    echo "$1 \$ $2"
    (cd "$work/here" && bash -c "$2") >"$work/answer" || { echo "failed:"; tail -n 3 "$work/answer"; exit 1; }
    tail -n 1 "$work/answer" | cut -c 1-300
}

answered() { [ -s "$work/answer" ] || { echo "no answer"; exit 1; }; }

api() { curl -s "http://127.0.0.1:$port$1" "${@:2}"; }

echo "--- the first start trains at once"
[ -n "$(lines start)" ]
serve ./server/start --port 0 --state "$state"
for _ in $(seq 300); do
    points=$(api "/api/v1/runs/latest/metrics" | jq '.steps | length')
    [ "$points" -gt 0 ] && break
    api "/api/v1/runs/latest?wait=1" >/dev/null
done
[ "$points" -gt 0 ] || { echo "no point was drawn"; cat "$work/err"; exit 1; }
[ "$(api /api/v1/runs/latest | jq -r .preset)" = pairs-plain ]

echo "--- every line that asks it"
while IFS=$'\t' read -r place line; do
    run_line "$place" "${line//127.0.0.1:7007/127.0.0.1:$port}"
    answered
done < <(lines daemon)

echo "--- it ends cleanly, and the second start shows what was there"
before=$(api /api/v1/runs | jq '.runs | length')
stop
serve ./server/start --port 0 --state "$state"
[ "$(api /api/v1/runs | jq '.runs | length')" = "$before" ]
[ "$(api '/api/v1/runs?state=running' | jq '.runs | length')" = 0 ]
stop
grep '^server/build:' "$work/err" && { echo "something was built, or said of it, though all was there"; exit 1; }

echo "--- it says where it will be"
for port in --port=65536 "--port 65536"; do
    ./server/start $port --listen ::1 2>"$work/err" && { echo "it serves at a port that there is not"; exit 1; }
    grep -F 'open http://[::1]:65536 ' "$work/err" || { cat "$work/err"; echo "$port is not told"; exit 1; }
done

echo "--- every line that needs no daemon, run to its end"
while IFS=$'\t' read -r place line; do
    run_line "$place" "$line"
done < <(lines rest)
[ -s "$work/here/run.safetensors" ]

echo "--- every line that goes on for long, begun and ended"
while IFS=$'\t' read -r place line; do
    echo "$place \$ $line"
    cd "$work/here"
    case $line in
    "goodness serve "*)
        # On this machine alone, and by the name under which the lines that ask it know it.
        line=${line//0.0.0.0/127.0.0.1}
        serve $line --port 0 --state "$work/token-state" --allow-host lab.example
        while IFS=$'\t' read -r place line; do
            line=${line/#curl /curl --resolve "lab.example:$port:127.0.0.1" }
            run_line "$place" "${line//lab.example:7007/lab.example:$port}"
            answered
        done < <(lines token)
        stop
        ;;
    *)
        mkfifo "$work/out"
        $line >"$work/out" 2>"$work/err" &
        server=$!
        exec 4<"$work/out"
        read -r -t 300 first <&4 || { cat "$work/err"; echo "it said nothing"; exit 1; }
        echo "${first:0:300}"
        kill -TERM "$server"
        cat <&4 >/dev/null
        status=0
        wait "$server" || status=$?
        [ $status -eq 1 ] || { echo "left by SIGTERM it ended with status $status, not 1"; exit 1; }
        server=
        exec 4<&-
        rm "$work/out"
        ;;
    esac
    cd "$checkout"
done < <(lines begun)

echo "--- told elsewhere"
lines suites
