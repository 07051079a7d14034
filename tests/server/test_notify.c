/* The datagrams that a service manager gets. */
#include "cmocka_all.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

/* A socket with this name, in NOTIFY_SOCKET's way of writing it: an @ for the abstract space. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(file >= 0);
    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(
        bind(file, (const struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
        0);
    setenv("NOTIFY_SOCKET", name, 1);
    return file;
}

/* What has been told, which a local datagram is at once; "" when nothing was. */
static const char *told(int file)
{
    static char text[1024];
    ssize_t length = recv(file, text, sizeof text - 1, 0);

    text[length < 0 ? 0 : length] = '\0';
    return text;
}

static void hears_of_both_ends(const char *name)
{
    int file = listen_at(name);

    notify_ready("listening on http://127.0.0.1:7007");
    assert_string_equal(told(file), "READY=1\nSTATUS=listening on http://127.0.0.1:7007");
    notify_stopping();
    assert_string_equal(told(file), "STOPPING=1\nSTATUS=keeping the run");
    assert_string_equal(told(file), "");
    close(file);
}

static void a_manager_hears_when_requests_are_answered_and_when_it_ends(void **state)
{
    char path[64], name[64];

    (void)state;
    snprintf(path, sizeof path, "/tmp/goodness-notify-%d", (int)getpid());
    snprintf(name, sizeof name, "@goodness-notify-%d", (int)getpid());
    hears_of_both_ends(path);
    unlink(path);
    hears_of_both_ends(name);
}

static void without_one_nothing_happens(void **state)
{
    char name[64], longest[200];
    int file;

    (void)state;
    snprintf(name, sizeof name, "@goodness-nobody-%d", (int)getpid());
    file = listen_at(name);
    unsetenv("NOTIFY_SOCKET");
    notify_ready("here");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    longest[0] = '/';
    setenv("NOTIFY_SOCKET", longest, 1); /* longer than an address may be */
    notify_ready("here");
    setenv("NOTIFY_SOCKET", name + 1, 1); /* neither a path nor abstract */
    notify_ready("here");
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    notify_ready("here");
    assert_string_equal(told(file), "");
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manager_hears_when_requests_are_answered_and_when_it_ends),
        cmocka_unit_test(without_one_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
