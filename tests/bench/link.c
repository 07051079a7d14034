/* link.c - a cable between two network namespaces: what goes in at one end comes out at the other after a delay,
 * and no faster than a rate. What netem and tbf would do, where the kernel has them not.
 *
 *     bench_link NAMESPACE NAMESPACE MILLISECONDS GIGABITS      (0 gigabits: no limit)
 *
 * Each namespace has a TUN device `link0` already, which is up (ranks.sh makes them). Says "ready" when packets go
 * through, and on SIGTERM what it carried and how much of a processor that took. A cable has no use for a
 * processor, so this one runs before all other programs, and is right to some tens of microseconds. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "spin.h"

/* Bytes of the largest packet with its virtio header; packets held of a direction, after which they wait in the
 * device, and are lost beyond its queue. */
enum { PACKET_MAX = 65552, HELD_MAX = 1024 };

struct packet {
    uint64_t due; /* nanoseconds, as all here: when it comes out */
    size_t size;
    uint8_t bytes[PACKET_MAX];
};

/* One of the two directions. */
struct way {
    int from, to;           /* devices */
    struct packet *packets; /* [HELD_MAX] a ring */
    size_t oldest, count;
    uint64_t free_at; /* when the last packet will have gone in as a whole */
    uint64_t carried; /* bytes */
};

struct cable {
    struct way ways[2];
    uint64_t delay;
    double bytes_per_nanosecond; /* 0: no limit */
};

static volatile sig_atomic_t ended;

static void end(int signal)
{
    (void)signal;
    ended = 1;
}

/* --- making it ------------------------------------------------------------------------------------------------ */

/* The namespace's device. Checksums are left undone, as between the two ends of a veth. */
static int open_device(const char *name)
{
    struct ifreq request = {.ifr_name = "link0", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    char path[256];
    int space, device;

    snprintf(path, sizeof path, "/run/netns/%s", name);
    space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0)
        bench_fail(path, strerror(errno));
    close(space);
    device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0 || ioctl(device, TUNSETIFF, &request) != 0 || ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM) != 0)
        bench_fail("a TUN device", strerror(errno));
    return device;
}

static void make(struct cable *cable, char **arguments)
{
    int devices[] = {open_device(arguments[1]), open_device(arguments[2])};

    cable->delay = (uint64_t)(strtod(arguments[3], NULL) * 1e6);
    cable->bytes_per_nanosecond = strtod(arguments[4], NULL) / 8;
    for (int i = 0; i < 2; i++) {
        struct way *way = &cable->ways[i];

        *way = (struct way){.from = devices[i], .to = devices[1 - i]};
        way->packets = calloc(HELD_MAX, sizeof *way->packets);
        if (way->packets == NULL)
            bench_fail("the cable", "not enough memory");
    }
}

/* --- carrying ------------------------------------------------------------------------------------------------- */

/* When a packet that goes in now comes out. */
static uint64_t due(const struct cable *cable, struct way *way, size_t size, uint64_t now)
{
    if (way->free_at < now)
        way->free_at = now;
    if (cable->bytes_per_nanosecond > 0)
        way->free_at += (uint64_t)((double)size / cable->bytes_per_nanosecond);
    return way->free_at + cable->delay;
}

static void take_in(const struct cable *cable, struct way *way)
{
    while (way->count < HELD_MAX) {
        struct packet *packet = &way->packets[(way->oldest + way->count) % HELD_MAX];
        ssize_t size = read(way->from, packet->bytes, sizeof packet->bytes);

        if (size <= 0) {
            if (size < 0 && errno != EAGAIN && errno != EINTR)
                bench_fail("a TUN device", strerror(errno));
            return;
        }
        packet->size = (size_t)size;
        packet->due = due(cable, way, packet->size, ff_clock());
        way->count++;
    }
}

static void let_out(struct way *way)
{
    while (way->count > 0 && way->packets[way->oldest].due <= ff_clock()) {
        struct packet *packet = &way->packets[way->oldest];

        if (write(way->to, packet->bytes, packet->size) < 0 && errno != ENOMEM) /* lost, as on any cable */
            bench_fail("a TUN device", strerror(errno));
        way->carried += packet->size;
        way->oldest = (way->oldest + 1) % HELD_MAX;
        way->count--;
    }
}

/* Until a packet comes, or one is due. */
static void rest(const struct cable *cable, const sigset_t *open)
{
    struct pollfd devices[2];
    uint64_t next = UINT64_MAX, now = ff_clock();
    struct timespec time;

    for (int i = 0; i < 2; i++) {
        const struct way *way = &cable->ways[i];

        devices[i] = (struct pollfd){.fd = way->from, .events = way->count < HELD_MAX ? POLLIN : 0};
        if (way->count > 0 && way->packets[way->oldest].due < next)
            next = way->packets[way->oldest].due;
    }
    next = next > now ? next - now : 0;
    time = (struct timespec){(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
    ppoll(devices, 2, cable->ways[0].count + cable->ways[1].count > 0 ? &time : NULL, open);
}

static void carry(struct cable *cable, const sigset_t *open)
{
    while (!ended) {
        for (int i = 0; i < 2; i++) {
            take_in(cable, &cable->ways[i]);
            let_out(&cable->ways[i]);
        }
        rest(cable, open);
    }
}

static void tell(const struct cable *cable, double seconds)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("carried %.1f MB one way and %.1f the other, with %.1f%% of a processor\n",
           1e-6 * (double)cable->ways[0].carried, 1e-6 * (double)cable->ways[1].carried,
           100 *
               ((double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)) /
               seconds);
}

int main(int count, char **arguments)
{
    const struct sched_param first = {.sched_priority = 1};
    const struct sigaction action = {.sa_handler = end};
    struct cable cable;
    sigset_t closed, open;
    double begun;

    if (count != 5)
        bench_fail("usage", "bench_link NAMESPACE NAMESPACE MILLISECONDS GIGABITS");
    make(&cable, arguments);
    sigemptyset(&closed);
    sigaddset(&closed, SIGTERM); /* heard while it rests only */
    sigprocmask(SIG_BLOCK, &closed, &open);
    sigaction(SIGTERM, &action, NULL);
    if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
        bench_fail("to run before others", strerror(errno));
    puts("ready");
    fflush(stdout);
    begun = bench_now();
    carry(&cable, &open);
    tell(&cable, bench_now() - begun);
    return 0;
}
