/* api_checkpoint.c - a run's newest checkpoint, or that of its best epoch, as the file it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"

/* A name for the file as it is: each one that takes its place is another file, written later. */
static void name_file(const struct stat *file, char etag[HTTP_ETAG_MAX])
{
    snprintf(etag, HTTP_ETAG_MAX, "\"%llx-%llx-%llx\"", (unsigned long long)file->st_ino,
             (unsigned long long)file->st_mtim.tv_sec * 1000000000u + (unsigned long long)file->st_mtim.tv_nsec,
             (unsigned long long)file->st_size);
}

/* GET /api/v1/runs/{id}/checkpoint?which=. Whoever reads has this file to its end, though there be a newer one
 * meanwhile.
 */
void api_checkpoint(struct api *api, const struct request *request, struct response *response)
{
    char path[STORE_CHECKPOINT_PATH_MAX], etag[HTTP_ETAG_MAX], disposition[96];
    struct stat information;
    struct run run;
    bool best;

    if (!api_which(request, response, &best) || !api_run(api, request, response, &run))
        return;
    if (best)
        store_best_path(api->store, run.id, path);
    else
        store_checkpoint_path(api->store, run.id, path);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) {
        respond_problem(
            response, 404,
            best ? "run %lld has no best weights yet: they are kept at the end of an epoch that was judged"
                 : "run %lld has no checkpoint yet: one is written at the end of an epoch, at a pause and at the "
                   "end",
            (long long)run.id);
        return;
    }
    if (file < 0 || fstat(file, &information) != 0) {
        respond_problem(response, 503, "the checkpoint of run %lld cannot be read: %s", (long long)run.id,
                        strerror(errno));
        if (file >= 0)
            close(file);
        return;
    }
    name_file(&information, etag);
    respond_file(response, "application/octet-stream", file, (uint64_t)information.st_size, etag);
    snprintf(disposition, sizeof disposition, "attachment; filename=\"goodness-run-%lld%s.safetensors\"",
             (long long)run.id, best ? "-best" : "");
    response_header(response, "Content-Disposition", disposition);
}
