#!/usr/bin/env bash
# Train a run, wait until it has ended, and print its error.
#
#     train.sh ['{"preset": "quick", "config": {"seed": 7}}']
#
# The exit status is 1 when the run did not finish, or was refused; then the daemon's own words are printed.
set -euo pipefail
url=${GOODNESS_URL:-http://127.0.0.1:7007}

run=$(curl -sS --fail-with-body --json "${1:-{\}}" "$url/api/v1/runs") || { echo "$run" >&2; exit 1; }
id=$(jq .id <<<"$run")
echo "run $id: $(jq -r .name <<<"$run")"

# One request waits for at most five minutes; a run may take longer.
until jq -e '.ended != null' <<<"$run" >/dev/null; do
    run=$(curl -sS --fail-with-body "$url/api/v1/runs/$id?wait=300")
    jq -r '"\(.state), epoch \(.progress.epoch) of \(.progress.epochs)"' <<<"$run"
done

jq -r 'if .last.test_error then "test error \(.last.test_error * 100) %, \(.progress.elapsed) s" else .reason // "no epoch was evaluated" end' <<<"$run"
[ "$(jq -r .state <<<"$run")" = finished ]
