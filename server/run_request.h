/* run_request.h - the JSON that asks for a run, or changes what is written about one.
 *
 * The form is that of POST /api/v1/runs and of the files that `goodness train` reads:
 *
 *     {"name"?, "notes"?, "tags"?, "preset"?, "config"?, "placement"?}
 *
 * All problems are found at once, each with its JSON pointer. Pure functions; any thread may call. */
#ifndef RUN_REQUEST_H
#define RUN_REQUEST_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "config.h"
#include "run.h"
#include "session.h"

/* What was asked for into `run` (overwritten whole): name ("" when none was given), notes, tags, preset, config
 * (the preset's with the request's fields over it), asked. Whether the configuration's fields fit each other and
 * the data set is left to ff_config_check, which needs the data set. Returns whether there was no problem. */
bool run_request_parse(const cJSON *body, struct run *run, struct ff_problems *problems);

/* `name`, `notes` and `tags` of the body, those that are there, over the run's; other members are not looked at. A
 * member that is wrong changes nothing. Returns whether there was no problem. */
bool run_request_labels(const cJSON *body, struct run *run, struct ff_problems *problems);

/* The body of a resume, {"epochs"?, "config"?, "placement"?}, for a run as it is: what it is to go on with, which
 * points into the body. Returns whether there was no problem. */
bool run_request_resumption(const cJSON *body, const struct run *run, struct session_resumption *resumption,
                            struct ff_problems *problems);

/* Live settings over a configuration: all that is wrong with them, and whether they fit the others. */
bool run_request_settings(const cJSON *settings, struct ff_config *config, struct ff_problems *problems);

/* Adds a problem for each member of `body` that is not in `names` (NULL at the end), with the nearest one. */
bool run_request_names(const cJSON *body, const char *pointer, const char *const *names,
                       struct ff_problems *problems);

#endif
