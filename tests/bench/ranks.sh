#!/usr/bin/env bash
# Two ranks, each on a processor and in a network namespace of its own, joined by a link of limited speed: what they
# train beside what scale.c predicts for two machines with such a link. Needs root, and tc's tbf in the kernel.
#
#     tests/bench/ranks.sh PROGRAM BENCH_SCALE [GIGABITS]...
#
# PROGRAM is built with Open MPI, BENCH_SCALE is of the same build. By default at 0.1 and 1 Gbit/s.
set -euo pipefail
program=$(realpath "$1")
scale=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- 0.1 1

folder=$(mktemp -d)
name=goodness$$
end() {
    ip netns del "$name-1" 2>/dev/null || true
    ip netns del "$name-2" 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT

# The two machines: an address, a host name and a processor each.
for machine in 1 2; do
    ip netns add "$name-$machine"
    ip -n "$name-$machine" link set lo up
done
ip -n "$name-1" link add link0 type veth peer name link0 netns "$name-2"
for machine in 1 2; do
    ip -n "$name-$machine" address add "10.99.0.$machine/24" dev link0
    ip -n "$name-$machine" link set link0 up
done

# What Open MPI takes for ssh: HOST COMMAND…, on the machine whose address that is.
cat >"$folder/on" <<END
#!/usr/bin/env bash
machine=\${1##*.}
shift
exec ip netns exec "$name-\$machine" taskset -c "\$((machine - 1))" unshare --uts sh -c "hostname machine\$machine; \$*"
END
chmod +x "$folder/on"

cat >"$folder/run.json" <<END
{"placement": {"stages": 2, "threads": 1}, "config": {"dataset": "fashion-mnist", "layers": [2000, 2000, 2000, 2000],
 "negatives": "random", "batch_size": 200, "train_limit": 9000, "epochs": 1, "evaluate_samples": 100}}
END

# Between two points, the first well after the start.
rate() {
    jq -s '[.[] | select(.event == "points") | range(.steps | length) as $i | [.steps[$i], .elapsed[$i]] | select(.[0] >= 16)]
        | (.[-1][0] - .[0][0]) * 200 / (.[-1][1] - .[0][1]) | round' "$1"
}

# train WHAT: two ranks over the link as it is.
train() {
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$folder/on" 10.99.0.1 \
        mpirun.openmpi --host 10.99.0.1,10.99.0.2 --mca plm_rsh_agent "$folder/on" --bind-to none --mca pml ob1 --mca btl tcp,self \
        --mca btl_tcp_if_include 10.99.0.0/24 --mca oob_tcp_if_include 10.99.0.0/24 \
        "$program" train "$folder/run.json" >"$folder/lines" 2>"$folder/errors" || { cat "$folder/errors" >&2; return 1; }
    echo "$1: $(rate "$folder/lines") samples/s on two ranks, $(jq -s '.[-1].placement.bytes_per_sample' "$folder/lines") bytes a sample"
}

train "no limit"
for gigabits in "$@"; do
    for machine in 1 2; do
        tc -n "$name-$machine" qdisc replace dev link0 root tbf rate "${gigabits}gbit" burst 256kb latency 50ms
    done
    train "$gigabits Gbit/s"
done
"$scale" 4 2000 200 "$@"
