#!/usr/bin/env bash
# The README's first command, its curl lines (as written but for the port), and those that keep a run: from nothing to a
# trained run, and one that was left and gone on with.
set -euo pipefail
cd "$(dirname "$0")/.."

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

# start TIMES…: run server/start and wait for its line; $port is where it listens.
start() {
    mkfifo "$work/out"
    ./server/start --port 0 --state "$work/state" >"$work/out" 2>"$work/err" &
    server=$!
    if ! read -r -t 300 line <"$work/out"; then
        cat "$work/err"
        echo "server/start did not say where it listens"
        exit 1
    fi
    rm "$work/out"
    port=${line##*:}
    [ "$line" = "listening on http://127.0.0.1:$port" ] || { echo "unexpected line: $line"; exit 1; }
}

stop() {
    kill -TERM "$server"
    wait "$server" || { echo "the server ended with status $?"; cat "$work/err"; exit 1; }
    server=
}

api() { curl -s "http://127.0.0.1:$port$1" "${@:2}"; }

echo "--- the first start trains at once"
start
for _ in $(seq 300); do
    points=$(api "/api/v1/runs/latest/metrics" | jq '.steps | length')
    [ "$points" -gt 0 ] && break
    api "/api/v1/runs/latest?wait=1" >/dev/null
done
[ "$points" -gt 0 ] || { echo "no point was drawn"; cat "$work/err"; exit 1; }
[ "$(api /api/v1/runs/latest | jq -r .preset)" = pairs-plain ]

echo "--- every curl line of the README"
lines=0
while IFS= read -r line; do
    lines=$((lines + 1))
    echo "\$ $line"
    bash -c "${line//127.0.0.1:7007/127.0.0.1:$port}" >"$work/answer" || { echo "failed:"; cat "$work/answer"; exit 1; }
    head -c 300 "$work/answer"
    echo
    [ -s "$work/answer" ] || { echo "no answer"; exit 1; }
done < <(grep '^curl ' README.md)
[ "$lines" -ge 10 ] || { echo "only $lines curl lines in README.md"; exit 1; }

echo "--- it ends cleanly, and the second start shows what was there"
before=$(api /api/v1/runs | jq '.runs | length')
stop
start
[ "$(api /api/v1/runs | jq '.runs | length')" = "$before" ]
[ "$(api '/api/v1/runs?state=running' | jq '.runs | length')" = 0 ]
stop

echo "--- every line of the README that keeps a run, or looks at what is kept"
lines=0
while IFS= read -r line; do
    lines=$((lines + 1))
    line=${line//log\/state/$work\/state}
    echo "\$ $line"
    bash -c "${line//run.safetensors/$work/run.safetensors}" >"$work/answer" || { echo "failed:"; tail -n 3 "$work/answer"; exit 1; }
    tail -n 1 "$work/answer" | head -c 300
    echo
done < <(grep -E '^    \.build/goodness (train .*safetensors|evaluate|check)' README.md)
[ "$lines" -ge 4 ] || { echo "only $lines such lines in README.md"; exit 1; }
[ -s "$work/run.safetensors" ]
