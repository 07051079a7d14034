#!/usr/bin/env bash
# Draw an image of the test set and say what a run's network makes of it; works while the run trains, too.
#
#     predict.sh [RUN [IMAGE]]
#
# The image is sent as one's own would be: numbers from 0 to 1, row by row.
set -euo pipefail
url=${GOODNESS_URL:-http://127.0.0.1:7007}
run=${1:-latest}
image=${2:-0}

dataset=$(curl -sS --fail-with-body "$url/api/v1/runs/$run" | jq -r .config.dataset)
sample=$(curl -sS --fail-with-body "$url/api/v1/datasets/$dataset/samples/test/$image") || { echo "$sample" >&2; exit 1; }

jq -r '.width as $width | .image as $image | range(0; .height) | (. * $width) as $row | $image[$row:$row + $width]
    | map(. as $pixel | " .:-=+*#%@"[($pixel * 9 | round):($pixel * 9 | round) + 1] * 2) | join("")' <<<"$sample"

answer=$(jq -c '{image}' <<<"$sample" | curl -sS --fail-with-body --json @- "$url/api/v1/runs/$run/predict") || { echo "$answer" >&2; exit 1; }
jq -r --argjson truth "$(jq .label <<<"$sample")" '"\(.label), and it is \($truth); sure to \(.probabilities | max * 100 | round) %, after \(.step) steps",
    (.goodness | to_entries[] | "layer \(.key): goodness of each label \(.value | map(. * 100 | round / 100) | join(" "))")' <<<"$answer"
