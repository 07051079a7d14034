#!/usr/bin/env bash
# Train once with each value of a setting, and say which was the best.
#
#     sweep.sh learning_rate 0.001 0.002 0.004
#     PRESET=quick CONFIG='{"epochs": 2}' sweep.sh activation relu tanh
#
# A value is JSON where it can be (0.001, true, [500, 500]), else text.
set -euo pipefail
url=${GOODNESS_URL:-http://127.0.0.1:7007}
config=${CONFIG:-{\}}
if [ $# -lt 2 ]; then
    echo "usage: sweep.sh SETTING VALUE..." >&2
    exit 2
fi
setting=$1
shift

# All of them wait in the daemon's queue; they bear a tag, so that they are found again.
tag="sweep $setting $(date +%s)"
for value in "$@"; do
    body=$(jq -n --arg setting "$setting" --arg value "$value" --argjson config "$config" --arg preset "${PRESET:-}" --arg tag "$tag" '
        ($value | try fromjson catch $value) as $given
        | {name: "\($setting) \($value)", tags: [$tag[:40]], config: ($config + {($setting): $given})}
        + if $preset == "" then {} else {preset: $preset} end')
    answer=$(curl -sS --fail-with-body --json "$body" "$url/api/v1/runs") || { echo "$answer" >&2; exit 1; }
done

id=$(jq .id <<<"$answer") # the last one: when it has ended, all have
until curl -sS --fail-with-body "$url/api/v1/runs/$id?wait=300" | jq -e '.ended != null' >/dev/null; do :; done

runs=$(curl -sS --fail-with-body -G --data-urlencode "tag=${tag:0:40}" -d limit=500 "$url/api/v1/runs")
jq -r '.runs | reverse[] | "\(.name): error \(.best.test_error // "not evaluated"), \(.state)"' <<<"$runs"
jq -r '[.runs[] | select(.best.test_error)] | if . == [] then "none was evaluated" else min_by(.best.test_error)
    | "best: \(.name), error \(.best.test_error), run \(.id)" end' <<<"$runs"
