/* assets.h - the pages, compiled into the program from web/ (assets.cmake writes the table). Constants; any thread
 * may read. */
#ifndef ASSETS_H
#define ASSETS_H

#include <stddef.h>

struct asset {
    const char *path; /* "/lib/chart.js" */
    const char *type; /* "text/javascript; charset=utf-8" */
    const char *etag; /* SHA-256 of the content, without quotes */
    const unsigned char *data;
    size_t length;
    const unsigned char *gzipped; /* the same, compressed; NULL where that is not worth it */
    size_t gzipped_length;
};

/* The file at a path; "/" is index.html. NULL when there is none. */
const struct asset *asset_find(const char *path);

#endif
