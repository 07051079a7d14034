/* catalog.h - which data sets there are, where they are looked for, and those in memory.
 *
 * Known by name: mnist and fashion-mnist; others through `--data NAME=DIR|FILE.npz`. What --data names is taken
 * from there and from nowhere else. The known ones are otherwise looked for, in this order, in
 * $XDG_DATA_HOME/goodness/NAME
 * (default ~/.local/share), ~/.keras/datasets/NAME.npz (fashion-mnist: the folder fashion-mnist),
 * /usr/share/datasets/NAME.
 *
 * A data set is read when first used and kept while used, the last one longer; any thread may call. Who must not
 * wait for that asks (catalog_ask), and a thread of the catalog's own reads. No network is ever touched. */
#ifndef CATALOG_H
#define CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "dataset.h"
#include "error.h"

struct catalog;

struct catalog_entry {
    char name[FF_DATASET_NAME_MAX];
    bool present;
    bool unread;            /* present, but as it is now nobody has read it, so that it may be damaged */
    char path[1024];        /* where it was found; "" when absent */
    char problem[512];      /* why it could not be read as it is now; "" when it could, or is unread */
    const char *title;      /* "MNIST handwritten digits"; "" for an added one */
    const char *how_to_get; /* the command that brings it; NULL for an added one */
};

struct catalog *catalog_create(struct ff_error *error);
/* With these --data options, NULL at the end. */
struct catalog *catalog_create_with(const char *const *options, struct ff_error *error);
void catalog_destroy(struct catalog *catalog);

/* One --data option, "NAME=PATH"; the files must be there. FF_INVALID with what is wrong. Before any thread uses
 * the catalog. */
ff_status catalog_add(struct catalog *catalog, const char *option, struct ff_error *error);

/* All entries, in order: known ones, then added ones. *entries is the caller's to free. */
ff_status catalog_list(struct catalog *catalog, struct catalog_entry **entries, size_t *count,
                       struct ff_error *error);

/* The data set in memory, until catalog_release; read first, while the caller waits, where it is not. NULL and
 * `error`: FF_NOT_FOUND says the command that brings it (or the nearest name), FF_DAMAGED what is wrong with which
 * file. */
const struct ff_dataset *catalog_acquire(struct catalog *catalog, const char *name, struct ff_error *error);
void catalog_release(struct catalog *catalog, const struct ff_dataset *dataset); /* NULL is fine */

/* Called once, without a lock, by any thread; it must not wait, nor call the catalog. */
typedef void catalog_tell(void *self);

/* The same without waiting. FF_BUSY: it is being read now, and `tell` will be called when that has ended, well or
 * not; then ask again. With any other answer `tell` is not called. What could not be read is not tried again while
 * its files stay as they are. */
const struct ff_dataset *catalog_ask(struct catalog *catalog, const char *name, catalog_tell *tell, void *self,
                                     struct ff_error *error);

/* Read all that is unread, one after the other, keeping none of it. FF_OK: nothing is; FF_BUSY, and `tell`: as
 * above. */
ff_status catalog_check(struct catalog *catalog, catalog_tell *tell, void *self, struct ff_error *error);

#endif
