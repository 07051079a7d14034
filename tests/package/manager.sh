# manager.sh - systemd as a person has it, in mounts and a control group of its own, and goodness.service under it.
#
#     unshare --mount bash tests/package/manager.sh FOLDER     (where the package is unpacked)
#     unshare --mount bash tests/package/manager.sh can        whether this can be done here
set -euo pipefail

group=/sys/fs/cgroup/goodness-test-$$
prepare() {
    mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/system /run/systemd/unit-root /run/person # as on a machine that systemd has booted
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir "$group"
}
clear_group() { find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true; }

if [ "$1" = can ]; then
    (prepare) 2>/dev/null || exit 1
    clear_group
    exit 0
fi

prepare
manager=
errors=$(mktemp)
cleanup() {
    # The whole group, which is this test's own: the manager, and what it has started.
    echo $$ >/sys/fs/cgroup/cgroup.procs
    echo 1 >"$group/cgroup.kill" 2>/dev/null || true
    wait 2>/dev/null
    clear_group
    rm -f "$errors"
}
trap cleanup EXIT
wrong() { echo "wrong: $*"; cat "$errors"; exit 1; }

# A person without an account: a number, a home that is not in /tmp, which the unit does not see.
number=64321
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/home /mnt/data
cp -r "$1/usr" /mnt/usr
mkdir -p /mnt/home/.config/systemd/user
sed 's,^ExecStart=/usr/bin/,ExecStart=/mnt/usr/bin/,' /mnt/usr/lib/systemd/user/goodness.service >/mnt/home/.config/systemd/user/goodness.service
mkdir /mnt/home/.config/systemd/user/goodness.service.d
printf '[Service]\nEnvironment=GOODNESS_PORT=0\n' >/mnt/home/.config/systemd/user/goodness.service.d/port.conf
chown -R $number /mnt/home /run/person "$group"
chmod 700 /run/person
as_person=(setpriv --reuid $number --regid $number --clear-groups
    env -i PATH="$PATH" HOME=/mnt/home LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=/run/person)
person() { "${as_person[@]}" "$@"; }

echo $$ >"$group/cgroup.procs"
"${as_person[@]}" /lib/systemd/systemd --user --log-target=console --unit=basic.target >"$errors" 2>&1 &
manager=$!
for _ in $(seq 600); do # it says that it is there by its socket, on which nobody can wait
    person systemctl --user is-system-running >/dev/null 2>&1 && break
    kill -0 $manager || wrong "the manager has ended"
    sleep 0.1
done

said=$(person systemd-analyze --user verify /mnt/home/.config/systemd/user/goodness.service 2>&1 | grep -v 'man goodness(1)') && wrong "$said"
person systemctl --user start goodness || { person systemctl --user status goodness --no-pager -l; wrong "it does not start"; }
status=$(person systemctl --user show --property=StatusText --value goodness)
[[ $status == "listening on http://127.0.0.1:"* ]] || wrong "its status is \"$status\""
echo "    $status"
curl -sf "${status#listening on }/readyz" >/dev/null || wrong "it is not ready"
person systemd-analyze --user security --no-pager goodness.service | tail -n 1
level=$(person systemd-analyze --user security --no-pager goodness.service | sed -n 's/.*goodness\.service: \([0-9]*\)\..*/\1/p')
[ "$level" -lt 3 ] || wrong "its exposure is $level"
person systemctl --user stop goodness
[ "$(person systemctl --user show --property=Result --value goodness)" = success ] || wrong "it did not end well"
[ -e /mnt/home/.config/goodness/goodness.db ] || [ -e /mnt/home/.local/state/goodness/goodness.db ] || wrong "its runs are not kept"
