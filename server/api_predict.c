/* api_predict.c - what a run's network makes of an image, asked while it trains, is paused, or rests. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "json.h"
#include "run_request.h"

/* What is kept of a request until its answer comes. */
struct waiting_prediction {
    struct session *session;
    struct session_request *request;
    int64_t truth; /* of a sample; -1: of an image nobody knows the label of */
};

/* The image of a request. */
struct question {
    float *pixels; /* [size] */
    size_t size;
    int64_t truth;
    bool best; /* asked of the best weights so far */
};

/* --- the body ------------------------------------------------------------------------------------------------- */

static void read_pixel(const cJSON *value, size_t index, struct question *question, struct ff_problems *problems)
{
    char pointer[48];

    snprintf(pointer, sizeof pointer, "/image/%zu", index);
    if (!cJSON_IsNumber(value))
        ff_problem_add(problems, pointer, "must be a number from 0 to 1, got %s", ff_json_kind(value));
    else if (!(value->valuedouble >= 0 && value->valuedouble <= 1))
        ff_problem_add(problems, pointer, "must be from 0 to 1, got %g", value->valuedouble);
    else if (index < question->size)
        question->pixels[index] = (float)value->valuedouble;
}

static void read_image(const cJSON *value, const struct ff_dataset *dataset, struct question *question,
                       struct ff_problems *problems)
{
    const struct ff_shape *shape = &dataset->shape;
    const cJSON *pixel;
    size_t count = 0;

    if (!cJSON_IsArray(value)) {
        ff_problem_add(problems, "/image", "must be an array of %zu numbers from 0 to 1, got %s", question->size,
                       ff_json_kind(value));
        return;
    }
    cJSON_ArrayForEach(pixel, value) read_pixel(pixel, count++, question, problems);
    if (count != question->size)
        ff_problem_add(problems, "/image",
                       "must have %zu numbers (%s has %u x %u x %u: channels, height, width), got %zu",
                       question->size, dataset->name, (unsigned)shape->channels, (unsigned)shape->height,
                       (unsigned)shape->width, count);
}

/* The split that is meant; false: a problem was added. */
static bool read_split(const cJSON *value, enum ff_split *split, struct ff_problems *problems)
{
    const char *name = cJSON_IsString(value) ? value->valuestring : "";

    *split = strcmp(name, "train") == 0 ? FF_TRAIN_SPLIT : FF_TEST_SPLIT;
    if (value == NULL || strcmp(name, "train") == 0 || strcmp(name, "test") == 0)
        return true;
    if (cJSON_IsString(value))
        ff_problem_add(problems, "/split", "must be \"test\" or \"train\", got \"%.80s\"", name);
    else
        ff_problem_add(problems, "/split", "must be \"test\" or \"train\", got %s", ff_json_kind(value));
    return false;
}

static void take_sample(const struct ff_images *images, uint32_t index, struct question *question)
{
    const uint8_t *pixels = images->pixels + (size_t)index * question->size;

    for (size_t i = 0; i < question->size; i++)
        question->pixels[i] = (float)pixels[i] / 255;
    question->truth = images->labels[index];
}

static void read_sample(const cJSON *value, const cJSON *split_value, const struct ff_dataset *dataset,
                        struct question *question, struct ff_problems *problems)
{
    enum ff_split split;
    bool split_is_known = read_split(split_value, &split, problems);
    const struct ff_images *images = ff_dataset_split(dataset, split);

    if (!cJSON_IsNumber(value))
        ff_problem_add(problems, "/sample", "must be a whole number, got %s", ff_json_kind(value));
    else if (!(value->valuedouble >= 0) || floor(value->valuedouble) != value->valuedouble)
        ff_problem_add(problems, "/sample", "must be a whole number from 0 on, got %.17g", value->valuedouble);
    else if (split_is_known && value->valuedouble >= images->count)
        ff_problem_add(problems, "/sample", "must be from 0 to %u, the %s images of %s, got %.17g",
                       (unsigned)images->count - 1, split == FF_TRAIN_SPLIT ? "train" : "test", dataset->name,
                       value->valuedouble);
    else if (split_is_known)
        take_sample(images, (uint32_t)value->valuedouble, question);
}

/* All that is wrong with the body into `problems`; the image into `question`. */
static void read_question(const cJSON *body, const struct ff_dataset *dataset, struct question *question,
                          struct ff_problems *problems)
{
    static const char *const names[] = {"image", "sample", "split", NULL};
    const cJSON *image = cJSON_GetObjectItemCaseSensitive(body, "image");
    const cJSON *sample = cJSON_GetObjectItemCaseSensitive(body, "sample");
    const cJSON *split = cJSON_GetObjectItemCaseSensitive(body, "split");

    run_request_names(body, "", names, problems);
    if ((image == NULL) == (sample == NULL))
        ff_problem_add(problems, "",
                       "must have either \"image\", %zu numbers from 0 to 1, or \"sample\", the number of an image "
                       "of the data set, and has %s",
                       question->size, image == NULL ? "neither" : "both");
    if (image != NULL && sample == NULL && split != NULL)
        ff_problem_add(problems, "/split", "goes with \"sample\" only: an image of one's own is in no split");
    if (image != NULL)
        read_image(image, dataset, question, problems);
    if (sample != NULL)
        read_sample(sample, split, dataset, question, problems);
}

/* --- asking --------------------------------------------------------------------------------------------------- */

static void release_waiting(void *kept)
{
    struct waiting_prediction *waiting = kept;

    session_drop(waiting->session, waiting->request);
    free(waiting);
}

static void ask(struct api *api, int64_t id, const struct question *question, struct response *response)
{
    struct waiting_prediction *waiting = malloc(sizeof *waiting);
    struct bell *bell = response_bell(response);
    struct session_question asked = {.about = SESSION_IMAGE,
                                     .best = question->best,
                                     .pixels = question->pixels,
                                     .pixel_count = question->size,
                                     .tell = api_ring,
                                     .self = bell};
    struct ff_error error;

    if (waiting == NULL || bell == NULL) {
        ff_fail_memory(&error, "a prediction");
    } else if (session_ask(api->session, id, &asked, &waiting->request, &error) == FF_OK) {
        waiting->session = api->session;
        waiting->truth = question->truth;
        response_keep(response, waiting, release_waiting);
        respond_later(response, API_PATIENCE_SECONDS);
        return;
    }
    http_bell_release(bell);
    free(waiting);
    respond_error(response, &error);
}

static void read_and_ask(struct api *api, const struct request *request, struct response *response, int64_t id,
                         bool best, const struct ff_dataset *dataset)
{
    struct question question = {.size = ff_shape_size(dataset->shape), .truth = -1, .best = best};
    struct ff_problems problems = {.count = 0};

    question.pixels = calloc(question.size, sizeof *question.pixels);
    if (question.pixels == NULL) {
        respond_json(response, 500, NULL);
        return;
    }
    read_question(request_json(request), dataset, &question, &problems);
    if (problems.count > 0)
        respond_problems(response, &problems);
    else
        ask(api, id, &question, response);
    free(question.pixels);
}

static void begin(struct api *api, const struct request *request, struct response *response)
{
    const struct ff_dataset *dataset;
    struct ff_error error;
    struct run run;
    bool best;

    if (!api_which(request, response, &best) || !api_run(api, request, response, &run))
        return;
    if (!best && session_check_asking(&run, &error) != FF_OK) {
        respond_error(response, &error);
        return;
    }
    if (!api_dataset(api, request, response, run.config.dataset, &dataset, &error))
        return;
    if (dataset == NULL) {
        respond_error(response, &error);
        return;
    }
    read_and_ask(api, request, response, run.id, best, dataset);
    catalog_release(api->catalog, dataset);
}

/* --- answering ------------------------------------------------------------------------------------------------ */

static void print_figures(struct text *text, const float *figures, uint32_t count)
{
    text_print(text, "[");
    for (uint32_t i = 0; i < count; i++) {
        text_print(text, i > 0 ? "," : "");
        text_figure(text, figures[i], "null");
    }
    text_print(text, "]");
}

static void respond_answer(struct response *response, const struct ff_answer *answer, int64_t truth)
{
    struct text text;

    text_open(&text);
    text_print(&text, "{\"label\":%u,", (unsigned)answer->label);
    if (truth >= 0)
        text_print(&text, "\"truth\":%d,", (int)truth);
    text_print(&text, "\"step\":%llu,\"probabilities\":", (unsigned long long)answer->step);
    print_figures(&text, answer->probabilities, answer->classes);
    uint32_t columns = answer->unlabelled ? 1 : answer->classes;
    text_print(&text, ",\"goodness\":[");
    for (uint32_t layer = 0; layer < answer->layers; layer++) {
        text_print(&text, layer > 0 ? "," : "");
        print_figures(&text, answer->goodness + (size_t)layer * columns, columns);
    }
    text_print(&text, "]}\n");
    api_respond_text(response, "application/json", &text);
}

static void look(const struct request *request, struct response *response, struct waiting_prediction *waiting)
{
    const struct ff_answer *answer;
    struct ff_error error;
    ff_status status = session_answer(waiting->session, waiting->request, &answer, &error);

    if (status == FF_OK)
        respond_answer(response, answer, waiting->truth);
    else if (status == FF_BUSY && !request_is_last_try(request))
        respond_later(response, API_PATIENCE_SECONDS);
    else
        respond_error(response, &error);
}

/* POST /api/v1/runs/{id}/predict?which=: called once to ask, and again when the answer is there. */
void api_predict(struct api *api, const struct request *request, struct response *response)
{
    struct waiting_prediction *waiting = request_kept(request);

    if (waiting != NULL)
        look(request, response, waiting);
    else
        begin(api, request, response);
}
