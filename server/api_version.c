/* api_version.c - GET /api/v1/version: what this program is made of, and on what it runs. */
#include <gcrypt.h>
#include <microhttpd.h>
#include <openblas_config.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

#include "api.h"
#include "blas.h"
#include "machine.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* "OpenBLAS 0.3.21" out of the build's own macro, " OpenBLAS 0.3.21 ". */
static void blas_version(char *text, size_t size)
{
    const char *name = OPENBLAS_VERSION;

    name += strspn(name, " ");
    if (strncmp(name, "OpenBLAS ", 9) == 0)
        name += 9;
    snprintf(text, size, "%.*s", (int)strcspn(name, " "), name);
}

static bool add_libraries(cJSON *json)
{
    cJSON *libraries = cJSON_AddObjectToObject(json, "libraries");
    char openblas[64];

    blas_version(openblas, sizeof openblas);
    return libraries != NULL && cJSON_AddStringToObject(libraries, "libmicrohttpd", MHD_get_version()) != NULL &&
           cJSON_AddStringToObject(libraries, "cJSON", cJSON_Version()) != NULL &&
           cJSON_AddStringToObject(libraries, "openblas", openblas) != NULL &&
           cJSON_AddStringToObject(libraries, "sqlite", sqlite3_libversion()) != NULL &&
           cJSON_AddStringToObject(libraries, "libgcrypt", gcry_check_version(NULL)) != NULL &&
           cJSON_AddStringToObject(libraries, "libzip", zip_libzip_version()) != NULL &&
           cJSON_AddStringToObject(libraries, "zlib", zlibVersion()) != NULL;
}

static bool add_machine(cJSON *json)
{
    cJSON *blas = cJSON_AddObjectToObject(json, "blas"), *cpu = cJSON_AddObjectToObject(json, "cpu");
    char model[256];

    machine_processor(model, sizeof model);
    return blas != NULL && cpu != NULL && cJSON_AddStringToObject(blas, "library", "OpenBLAS") != NULL &&
           cJSON_AddStringToObject(blas, "kernel", ff_blas_kernel()) != NULL &&
           cJSON_AddStringToObject(cpu, "model", model) != NULL &&
           cJSON_AddNumberToObject(cpu, "cores", machine_processors()) != NULL;
}

void api_version(struct api *api, const struct request *request, struct response *response)
{
    cJSON *json;
    bool good;

    (void)api;
    if (!api_no_query(request, response))
        return;
    json = cJSON_CreateObject();
    good = cJSON_AddStringToObject(json, "program", "goodness") != NULL &&
           cJSON_AddStringToObject(json, "version", GOODNESS_VERSION) != NULL &&
           cJSON_AddStringToObject(json, "build", GOODNESS_BUILD_TYPE) != NULL &&
           cJSON_AddStringToObject(json, "compiler", COMPILER) != NULL && add_libraries(json) && add_machine(json);
    respond_json(response, 200, ff_json_whole(json, good));
    response_use_etag(response);
}
