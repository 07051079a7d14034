#!/usr/bin/env bash
# Train architectures one after the other and print them side by side, as the numpy original does.
#
#     compare.sh [PRESET]...
#
# Without names: the original's three. CONFIG='{"epochs": 2}' goes over each of them.
set -euo pipefail
url=${GOODNESS_URL:-http://127.0.0.1:7007}
config=${CONFIG:-{\}}

presets=("$@")
[ $# -gt 0 ] || presets=(original-compare-shallow original-compare-medium original-compare-deep)

# The runs wait for each other in the daemon's queue.
ids=()
for preset in "${presets[@]}"; do
    body=$(jq -n --arg preset "$preset" --argjson config "$config" '{preset: $preset, name: $preset, config: $config}')
    run=$(curl -sS --fail-with-body --json "$body" "$url/api/v1/runs") || { echo "$run" >&2; exit 1; }
    ids+=("$(jq .id <<<"$run")")
done

# The last one has ended when all have.
until curl -sS --fail-with-body "$url/api/v1/runs/${ids[-1]}?wait=300" | jq -e '.ended != null' >/dev/null; do :; done

runs=$(IFS=,; echo "${ids[*]}")
curl -sS --fail-with-body "$url/api/v1/compare?runs=$runs&format=text"
