#!/usr/bin/env bash
# Follow a run as it trains: a line an epoch with every layer's gap, until the run has ended.
#
#     watch.sh [RUN]
#
# The stream is Server-Sent Events: lines "event: TYPE", "data: JSON", and an empty one after each event.
set -euo pipefail
url=${GOODNESS_URL:-http://127.0.0.1:7007}
run=${1:-latest}

curl -sSN --fail-with-body "$url/api/v1/runs/$run/events" | while IFS= read -r line; do
    case $line in
    "event: "*) type=${line#event: } ;;
    "data: "*)
        data=${line#data: }
        case $type in
        state) jq -r '"run \(.id) is \(.state)"' <<<"$data" ;;
        deleted) echo "run $run was deleted" ;;
        epoch) jq -r '"epoch \(.epoch): error \(.test_error // "not evaluated"), gaps \([.layers[].gap // 0 | . * 1000 | round / 1000] | join(" "))"' <<<"$data" ;;
        change) jq -r 'del(.run) | "changed: \(tojson)"' <<<"$data" ;;
        esac
        ;;
    esac
done
