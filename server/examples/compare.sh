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

printf '%-28s %-20s %12s %10s %10s\n' name layers parameters accuracy seconds
for id in "${ids[@]}"; do
    until run=$(curl -sS --fail-with-body "$url/api/v1/runs/$id?wait=300") && jq -e '.ended != null' <<<"$run" >/dev/null; do :; done
    jq -r '[.name, (.config.layers | map(tostring) | join("-")), .parameters, (if .last.test_error then 1 - .last.test_error else null end), .progress.elapsed]
        | map(. // "-") | @tsv' <<<"$run" |
        while IFS=$'\t' read -r name layers parameters accuracy seconds; do
            printf '%-28s %-20s %12s %10.4s %10.2f\n' "$name" "$layers" "$parameters" "$accuracy" "$seconds"
        done
done
