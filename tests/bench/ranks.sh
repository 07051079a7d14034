#!/usr/bin/env bash
# Two ranks, each on a processor and in a network namespace of its own, joined by a link of limited speed and with a delay
# (link.c): what they train beside what scale.c predicts for two machines with such a link. Needs root.
#
#     tests/bench/ranks.sh PROGRAM FOLDER [LAYERS UNITS BATCH [GIGABITS:MILLISECONDS]...]
#
# PROGRAM is built with Open MPI, FOLDER has bench_scale and bench_link of the same build. 0 gigabits: no limit. By default
# 784-4x2000 in batches of 200, without a limit and at 1 and 0.1 Gbit/s, each with 0, 1 and 10 ms. scale.c predicts before
# and after, because machines and hours differ: its mean counts. The link runs on rank 0's processor, whose stage is the
# lighter one.
set -euo pipefail
program=$(realpath "$1")
tools=$(realpath "$2")
shift 2
[ $# -ge 3 ] || set -- 4 2000 200
layers=$1 units=$2 batch=$3
shift 3
[ $# -gt 0 ] || set -- 0:0 0:1 0:10 1:0 1:1 1:10 0.1:0 0.1:1 0.1:10

folder=$(mktemp -d)
name=goodness$$
link=
end() {
    [ -z "$link" ] || kill "$link" 2>/dev/null || true
    ip netns del "$name-1" 2>/dev/null || true
    ip netns del "$name-2" 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT

# The two machines: an end of the link, an address, a host name and a processor each. Packets are large, so that they cost
# little.
for machine in 1 2; do
    ip netns add "$name-$machine"
    ip -n "$name-$machine" link set lo up
    ip -n "$name-$machine" tuntap add dev link0 mode tun
    ip -n "$name-$machine" address add "10.99.0.$machine/24" dev link0
    ip -n "$name-$machine" link set link0 mtu 65000 up
done

# What Open MPI takes for ssh: HOST COMMAND…, on the machine whose address that is.
cat >"$folder/on" <<END
#!/usr/bin/env bash
machine=\${1##*.}
shift
exec ip netns exec "$name-\$machine" taskset -c "\$((machine - 1))" unshare --uts sh -c "hostname machine\$machine; \$*"
END
chmod +x "$folder/on"
mkfifo "$folder/told"

# predict NAME LINK…: samples a second of two machines, a line for each link, into NAME.
predict() {
    local name=$1
    shift
    "$tools/bench_scale" "$layers" "$units" "$batch" "$@" | tee "$folder/scale" | awk '$1 == 2 && NF > 6 { print $2 }' >"$folder/$name"
}

# Between two points, the first well after the start.
rate() {
    jq -s --argjson batch "$batch" '[.[] | select(.event == "points") | range(.steps | length) as $i | [.steps[$i], .elapsed[$i]]
        | select(.[0] >= 16)] | (.[-1][0] - .[0][0]) * $batch / (.[-1][1] - .[0][1]) | round' "$1"
}

# train RATE: two ranks over the link as it is, for some six seconds at that rate.
train() {
    local images=$(($1 * 6 / batch * batch + 20 * batch))
    jq -n --argjson layers "$layers" --argjson units "$units" --argjson batch "$batch" --argjson images $((images < 60000 ? images : 60000)) \
        '{placement: {stages: 2, threads: 1}, config: {dataset: "fashion-mnist", layers: [range($layers) | $units],
            negatives: "random", batch_size: $batch, train_limit: $images, epochs: 1, evaluate_samples: 100}}' >"$folder/run.json"
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$folder/on" 10.99.0.1 \
        mpirun.openmpi --host 10.99.0.1,10.99.0.2 --mca plm_rsh_agent "$folder/on" --bind-to none --mca pml ob1 --mca btl tcp,self \
        --mca btl_tcp_if_include 10.99.0.0/24 --mca oob_tcp_if_include 10.99.0.0/24 \
        "$program" train "$folder/run.json" >"$folder/lines" 2>"$folder/errors" || { cat "$folder/errors" >&2; return 1; }
}

predict before "$@"
mapfile -t expected <"$folder/before"
for ((i = 1; i <= $#; i++)); do
    IFS=: read -r gigabits delay <<<"${!i}"
    taskset -c 0 "$tools/bench_link" "$name-1" "$name-2" "${delay:-0}" "$gigabits" >"$folder/told" &
    link=$!
    exec {told}<"$folder/told"
    read -r _ <&"$told" # it is ready
    train "${expected[i - 1]}"
    kill "$link"
    read -r carried <&"$told"
    wait "$link"
    link=
    exec {told}<&-
    echo "${!i} $(rate "$folder/lines") $(jq -s '.[-1].placement.bytes_per_sample' "$folder/lines") ${carried##* with }" >>"$folder/measured"
done
predict after "$@"

cat "$folder/scale"
printf '\ntwo ranks\n  Gbit/s:ms  samples/s  predicted before, after  ratio  bytes a sample  the link itself\n'
paste -d ' ' "$folder/measured" "$folder/before" "$folder/after" | while read -r which found bytes part _ _ _ before after; do
    printf '%11s  %9s  %9s %14s  %5s  %14s  %s of a processor\n' "$which" "$found" "$before" "$after" \
        "$(jq -n "$found * 2 / ($before + $after) * 100 | round / 100")" "$bytes" "$part"
done
