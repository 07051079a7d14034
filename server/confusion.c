#include "confusion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* --- making --------------------------------------------------------------------------------------------------- */

static ff_status make_cells(struct confusion *confusion, struct ff_error *error)
{
    confusion->cells = calloc((size_t)confusion->classes * confusion->classes + 1, sizeof *confusion->cells);
    return confusion->cells != NULL ? FF_OK : ff_fail_memory(error, "a confusion matrix");
}

/* Into its place among the surest, if it has one there. Mistakes come in the order of the data set. */
static void add_mistake(struct confusion *confusion, struct confusion_mistake mistake)
{
    uint32_t at = confusion->mistake_count;

    if (at == CONFUSION_MISTAKES_MAX && !(mistake.confidence > confusion->mistakes[--at].confidence))
        return;
    for (; at > 0 && mistake.confidence > confusion->mistakes[at - 1].confidence; at--)
        confusion->mistakes[at] = confusion->mistakes[at - 1];
    confusion->mistakes[at] = mistake;
    confusion->mistake_count += confusion->mistake_count < CONFUSION_MISTAKES_MAX;
}

ff_status confusion_make(struct confusion *confusion, const struct ff_evaluation *evaluation,
                         struct ff_error *error)
{
    *confusion = (struct confusion){.epoch = evaluation->epoch,
                                    .step = evaluation->step,
                                    .split = evaluation->split,
                                    .classes = evaluation->classes,
                                    .images = evaluation->count};
    if (make_cells(confusion, error) != FF_OK)
        return error->status;
    for (uint32_t i = 0; i < evaluation->count; i++) {
        uint32_t truth = evaluation->truth[i], label = evaluation->predicted[i];

        confusion->cells[truth * confusion->classes + label]++;
        if (truth == label)
            continue;
        confusion->wrong++;
        add_mistake(confusion,
                    (struct confusion_mistake){evaluation->first + i, truth, label, evaluation->confidence[i]});
    }
    return FF_OK;
}

void confusion_free(struct confusion *confusion)
{
    free(confusion->cells);
    confusion->cells = NULL;
}

/* --- as the store keeps it ------------------------------------------------------------------------------------ */

void confusion_write_cells(struct text *text, const struct confusion *confusion)
{
    const char *between = "";

    text_print(text, "[");
    for (uint32_t truth = 0; truth < confusion->classes; truth++) {
        for (uint32_t label = 0; label < confusion->classes; label++) {
            uint32_t images = confusion->cells[truth * confusion->classes + label];

            if (images == 0)
                continue;
            text_print(text, "%s[%u,%u,%u]", between, (unsigned)truth, (unsigned)label, (unsigned)images);
            between = ",";
        }
    }
    text_print(text, "]");
}

void confusion_write_mistakes(struct text *text, const struct confusion *confusion)
{
    text_print(text, "[");
    for (uint32_t i = 0; i < confusion->mistake_count; i++) {
        const struct confusion_mistake *mistake = &confusion->mistakes[i];

        text_print(text, "%s[%u,%u,%u,", i > 0 ? "," : "", (unsigned)mistake->sample, (unsigned)mistake->truth,
                   (unsigned)mistake->label);
        text_figure(text, mistake->confidence, "null");
        text_print(text, "]");
    }
    text_print(text, "]");
}

/* An array's first numbers; false when it has not as many. */
static bool read_numbers(const cJSON *array, double *numbers, int count)
{
    const cJSON *item = cJSON_IsArray(array) ? array->child : NULL;

    for (int i = 0; i < count; i++, item = item->next) {
        if (item == NULL)
            return false;
        numbers[i] = cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
    }
    return true;
}

static bool is_label(const struct confusion *confusion, double number)
{
    return number >= 0 && number < confusion->classes;
}

static void read_cell(struct confusion *confusion, const cJSON *array)
{
    double numbers[3];

    if (read_numbers(array, numbers, 3) && is_label(confusion, numbers[0]) && is_label(confusion, numbers[1]) &&
        numbers[2] >= 0 && numbers[2] <= confusion->images)
        confusion->cells[(uint32_t)numbers[0] * confusion->classes + (uint32_t)numbers[1]] = (uint32_t)numbers[2];
}

static void read_mistake(struct confusion *confusion, const cJSON *array)
{
    double numbers[4];

    if (read_numbers(array, numbers, 4) && numbers[0] >= 0 && numbers[0] <= UINT32_MAX &&
        is_label(confusion, numbers[1]) && is_label(confusion, numbers[2]) &&
        confusion->mistake_count < CONFUSION_MISTAKES_MAX)
        confusion->mistakes[confusion->mistake_count++] = (struct confusion_mistake){
            (uint32_t)numbers[0], (uint32_t)numbers[1], (uint32_t)numbers[2], (float)numbers[3]};
}

ff_status confusion_read(struct confusion *confusion, const char *cells, const char *mistakes,
                         struct ff_error *error)
{
    bool starved = false;
    cJSON *cell_list = json_parse_kept(cells, &starved), *mistake_list = json_parse_kept(mistakes, &starved);
    const cJSON *item;

    if (starved) {
        ff_fail_memory(error, "an evaluation's matrix");
    } else if (make_cells(confusion, error) == FF_OK) {
        cJSON_ArrayForEach(item, cell_list) read_cell(confusion, item);
        cJSON_ArrayForEach(item, mistake_list) read_mistake(confusion, item);
    }
    cJSON_Delete(cell_list);
    cJSON_Delete(mistake_list);
    return confusion->cells != NULL ? FF_OK : error->status;
}

/* --- as it is answered ---------------------------------------------------------------------------------------- */

static const char *split_name(const struct confusion *confusion)
{
    return confusion->split == FF_TRAIN_SPLIT ? "train" : "test";
}

static void write_matrix(struct text *text, const struct confusion *confusion)
{
    text_print(text, ",\"matrix\":[");
    for (uint32_t truth = 0; truth < confusion->classes; truth++) {
        text_print(text, truth > 0 ? ",[" : "[");
        for (uint32_t label = 0; label < confusion->classes; label++)
            text_print(text, "%s%u", label > 0 ? "," : "",
                       (unsigned)confusion->cells[truth * confusion->classes + label]);
        text_print(text, "]");
    }
    text_print(text, "]");
}

static void write_mistakes(struct text *text, const struct confusion *confusion)
{
    text_print(text, ",\"mistakes\":[");
    for (uint32_t i = 0; i < confusion->mistake_count; i++) {
        const struct confusion_mistake *mistake = &confusion->mistakes[i];

        text_print(
            text, "%s{\"sample\":%u,\"split\":\"%s\",\"truth\":%u,\"label\":%u,\"confidence\":", i > 0 ? "," : "",
            (unsigned)mistake->sample, split_name(confusion), (unsigned)mistake->truth, (unsigned)mistake->label);
        text_figure(text, mistake->confidence, "null");
        text_print(text, "}");
    }
    text_print(text, "]");
}

void confusion_write(struct text *text, const struct confusion *confusion)
{
    if (confusion->epoch > 0)
        text_print(text, "{\"epoch\":%u", (unsigned)confusion->epoch);
    else
        text_print(text, "{\"epoch\":null");
    text_print(text, ",\"step\":%llu,\"split\":\"%s\",\"images\":%u,\"wrong\":%u,\"error\":",
               (unsigned long long)confusion->step, split_name(confusion), (unsigned)confusion->images,
               (unsigned)confusion->wrong);
    text_number(text, confusion->images > 0 ? (double)confusion->wrong / confusion->images : (double)NAN, "null");
    write_matrix(text, confusion);
    write_mistakes(text, confusion);
    text_print(text, "}");
}
