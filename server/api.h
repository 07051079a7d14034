/* api.h - what the resources' handlers share, and the one table of routes.
 *
 * Handlers live in api_*.c, a file a resource. They run on the HTTP pool's threads, several at once; all they share
 * is here, and each of its parts may be called by any thread. */
#ifndef API_H
#define API_H

#include <stdatomic.h>

#include "answers.h"
#include "catalog.h"
#include "http.h"
#include "hub.h"
#include "session.h"
#include "store.h"
#include "text.h"
#include "token.h"

/* That a request waits for what somebody else is to do: read a data set, answer for a network. */
enum { API_PATIENCE_SECONDS = 30 };

struct api {
    struct session *session;
    struct store *store;
    struct hub *hub;
    struct catalog *catalog;
    struct answers *answers; /* NULL: none are kept */
    struct token *token;     /* NULL: none is asked for */
    atomic_bool closing;     /* set once, when the daemon ends */
};

/* All routes of the program (api.c). */
const struct http_route *api_routes(size_t *count);

/* {id}: a number, "latest" or "current", as the run's number; false: 404 answered already. */
bool api_run_id(struct api *api, const struct request *request, struct response *response, int64_t *id);

/* The run with that number, or the one that {id} means; false: answered already. */
bool api_find_run(struct api *api, struct response *response, int64_t id, struct run *run);
bool api_run(struct api *api, const struct request *request, struct response *response, struct run *run);

/* Refuse every query parameter, for resources that have none; false: answered already. */
bool api_no_query(const struct request *request, struct response *response);

/* The query's `which`: *best tells whether the best weights so far are meant, not the newest; false: 400 answered
 * already. */
bool api_which(const struct request *request, struct response *response, bool *best);
/* The query's `format`: *csv tells which; false: 400 answered already. */
bool api_format(const struct request *request, struct response *response, bool *csv);

/* Answer a GET about a run (0: about all) as it was answered before, if nothing has changed since; false: `key` is
 * for api_remember, after a new answer was made. Only for what depends on the run and the request's target alone.
 */
bool api_recall(struct api *api, const struct request *request, struct response *response, int64_t run,
                struct answers_key *key);
/* The same for what is read from the run's rows. Not of a live run, whose rows reach the store after its state has
 * told of them. */
bool api_recall_rows(struct api *api, const struct request *request, struct response *response, int64_t run,
                     struct answers_key *key);
/* The same for what never changes while the daemon lives. */
bool api_recall_constant(struct api *api, const struct request *request, struct response *response,
                         struct answers_key *key);
void api_remember(struct api *api, struct response *response, const struct answers_key *key);

/* For what is told when something came that a request waits for: rings its bell (of response_bell), and gives it
 * back. */
void api_ring(void *bell);

/* A data set for a handler, which must not wait while it is read. True: *dataset, the handler's to release, or NULL
 * and `error`. False: answered already, or the handler is called again when it has been read. */
bool api_dataset(struct api *api, const struct request *request, struct response *response, const char *name,
                 const struct ff_dataset **dataset, struct ff_error *error);

/* A text that was written, as the answer, 200; closes it. */
void api_respond_text(struct response *response, const char *type, struct text *text);

/* A fresh representation of a run, as the answer. */
void api_respond_run(struct response *response, unsigned status, const struct run *run);

/* What the run has done so far is in the store when this returns. */
void api_catch_up(struct api *api, int64_t id);

/* api_runs.c */
http_handler api_post_run, api_list_runs, api_get_run, api_delete_run;
http_handler api_pause_run, api_resume_run, api_stop_run;
/* api_patch.c, api_predict.c, api_weights.c, api_checkpoint.c, api_timeline.c */
http_handler api_patch_run, api_predict, api_weights, api_checkpoint, api_timeline;
/* api_metrics.c, api_epochs.c, api_histograms.c, api_confusion.c, api_events.c, api_log.c */
http_handler api_metrics, api_epochs, api_histograms, api_confusion, api_run_events, api_all_events, api_log;
/* api_compare.c, api_datasets.c, api_presets.c, api_config.c */
http_handler api_compare, api_datasets, api_sample, api_presets, api_config;
/* api_version.c, api_openapi.c, api_health.c, api_prometheus.c, api_pages.c */
http_handler api_version, api_openapi, api_alive, api_ready, api_prometheus, api_page;
bool api_page_exists(const char *path);
bool api_page_is_open(const char *path); /* of the sign-in page */
/* api_login.c */
http_handler api_login_state, api_login, api_logout;

#endif
