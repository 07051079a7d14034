#include "options_table.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "preset.h"

int option_say(char sentence[OPTION_SENTENCE_MAX], int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, OPTION_SENTENCE_MAX, format, arguments);
    va_end(arguments);
    return status;
}

/* Reading values */

static int parse_number(const char *value, unsigned long low, unsigned long high, unsigned long *number,
                        char sentence[OPTION_SENTENCE_MAX])
{
    char *end;

    errno = 0;
    *number = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || *number < low || *number > high)
        return option_say(sentence, OPTION_WRONG, "must be a whole number from %lu to %lu", low, high);
    return 0;
}

bool options_is_loopback(const char *address)
{
    struct in_addr four;
    struct in6_addr six;

    if (inet_pton(AF_INET, address, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static int parse_listen(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    struct in6_addr any;

    if (strcmp(value, "localhost") == 0)
        value = "127.0.0.1";
    if (inet_pton(AF_INET, value, &any) != 1 && inet_pton(AF_INET6, value, &any) != 1)
        return option_say(sentence, OPTION_WRONG,
                          "must be an IP address of this machine, such as 127.0.0.1 or ::1");
    snprintf(options->listen, sizeof options->listen, "%s", value);
    return 0;
}

static int parse_port(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    unsigned long number;
    int status = parse_number(value, 0, UINT16_MAX, &number, sentence);

    options->port = (uint16_t)number;
    return status;
}

static int parse_state(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    if (value[0] == '\0' || strlen(value) >= sizeof options->state)
        return option_say(sentence, OPTION_WRONG, "must be the path of a folder, of at most %d bytes",
                          OPTIONS_PATH_MAX - 1);
    snprintf(options->state, sizeof options->state, "%s", value);
    return 0;
}

int option_append(struct options_list *list, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    if (list->count == OPTIONS_LIST_MAX)
        return option_say(sentence, OPTION_WRONG, "is given more than %d times", OPTIONS_LIST_MAX);
    list->values[list->count++] = value;
    list->values[list->count] = NULL;
    return 0;
}

static int parse_data(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    return option_append(&options->data, value, sentence);
}

static int parse_allow_host(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    if (value[0] == '\0' || value[strcspn(value, " /@?#,")] != '\0')
        return option_say(sentence, OPTION_WRONG, "must be the name of a host, such as lab.example");
    return option_append(&options->allow_hosts, value, sentence);
}

static int parse_start(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    size_t count;

    options->start = strcmp(value, "default") == 0 ? ff_presets(&count)[0].name : value;
    if (ff_preset_find(options->start) != NULL)
        return 0;
    const char *nearest = ff_preset_nearest(value);
    return option_say(sentence, OPTION_WRONG, "is not the name of a preset; did you mean \"%s\"?",
                      nearest == NULL ? "default" : nearest);
}

static int parse_stages(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    unsigned long number;
    int status = parse_number(value, 0, FF_LAYERS_MAX, &number, sentence);

    options->placement.stages = (uint32_t)number;
    return status;
}

static int parse_threads(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    unsigned long number;
    int status = parse_number(value, 0, OPTIONS_THREADS_MAX, &number, sentence);

    options->placement.threads = (uint32_t)number;
    return status;
}

static int parse_log_format(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
        return option_say(sentence, OPTION_WRONG, "must be text or json");
    options->log_format = value[0] == 'j' ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
    return 0;
}

static int parse_log_level(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    for (enum log_level level = LOG_LEVEL_DEBUG; level < LOG_LEVELS; level++) {
        if (strcmp(value, log_level_name(level)) == 0) {
            options->log_level = level;
            return 0;
        }
    }
    return option_say(sentence, OPTION_WRONG, "must be debug, info, warning or error");
}

static int parse_text(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    bool yes = value == NULL || strcmp(value, "1") == 0 || strcmp(value, "true") == 0;

    if (!yes && strcmp(value, "0") != 0 && strcmp(value, "false") != 0)
        return option_say(sentence, OPTION_WRONG, "must be 1 or 0");
    options->text = yes;
    return 0;
}

/* The path of a file, whether it is there or not. */
static int read_file_name(const char *value, const char **name, char sentence[OPTION_SENTENCE_MAX])
{
    if (value[0] == '\0')
        return option_say(sentence, OPTION_WRONG, "must be the path of a file");
    *name = value;
    return 0;
}

static int parse_checkpoint(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    return read_file_name(value, &options->checkpoint, sentence);
}

static int parse_resume(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    return read_file_name(value, &options->resume, sentence);
}

static int parse_token_file(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    return read_file_name(value, &options->token_file, sentence);
}

static int parse_dataset(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    if (value[0] == '\0')
        return option_say(sentence, OPTION_WRONG, "must be the name of a data set");
    options->dataset = value;
    return 0;
}

static int parse_split(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    if (strcmp(value, "test") != 0 && strcmp(value, "train") != 0 && strcmp(value, "validation") != 0)
        return option_say(sentence, OPTION_WRONG, "must be test, train or validation");
    options->split = strcmp(value, "test") == 0 ? FF_TEST_SPLIT : FF_TRAIN_SPLIT;
    options->held_out = strcmp(value, "validation") == 0;
    return 0;
}

/* A setting of a run, read by the rules of the settings' table into a configuration that is else the default. */
static int read_setting(const char *name, const char *value, struct ff_config *config,
                        char sentence[OPTION_SENTENCE_MAX])
{
    struct ff_problems problems = {0};
    cJSON *settings = cJSON_CreateObject();
    char *end;
    double number = strtod(value, &end);
    bool is_number = end != value && *end == '\0';

    ff_config_defaults(config);
    if (!ff_json_put(settings, name, is_number ? cJSON_CreateNumber(number) : cJSON_CreateString(value))) {
        cJSON_Delete(settings);
        return option_say(sentence, OPTION_REFUSED, "could not be read: memory is short");
    }
    ff_config_apply(config, settings, "", &problems);
    cJSON_Delete(settings);
    return problems.count == 0 ? 0 : option_say(sentence, OPTION_WRONG, "%s", problems.problem[0].detail);
}

static int parse_predict(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    struct ff_config config;
    int status = read_setting("predict", value, &config, sentence);

    options->prediction.has_predict = true;
    options->prediction.predict = config.predict;
    return status;
}

static int parse_predict_from(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX])
{
    struct ff_config config;
    int status = read_setting("predict_from", value, &config, sentence);

    options->prediction.has_predict_from = true;
    options->prediction.predict_from = config.predict_from;
    return status;
}

/* The table */

const struct option_row option_rows[] = {
    {"listen", "ADDRESS", COMMAND_SERVE, false, parse_listen,
     "where to listen (127.0.0.1, which takes ::1 too); another than a loopback address takes --token-file"},
    {"port", "N", COMMAND_SERVE, false, parse_port, "port to listen on; 0 takes a free one (7007)"},
    {"state", "DIR", COMMAND_SERVE | COMMAND_CHECK, false, parse_state,
     "folder that keeps the runs ($XDG_STATE_HOME/goodness, or ~/.local/state/goodness)"},
    {"data", "NAME=PATH", COMMAND_SERVE | COMMAND_TRAIN | COMMAND_EVALUATE, true, parse_data,
     "a data set: a folder of four IDX files, or an .npz file; may be repeated"},
    {"start", "PRESET", COMMAND_SERVE, false, parse_start,
     "start a run of this preset (or \"default\") when there are none yet"},
    {"stages", "N", COMMAND_SERVE | COMMAND_TRAIN, false, parse_stages,
     "parts that the layers are divided into; changes the speed, never the result (0: chosen)"},
    {"threads", "N", COMMAND_SERVE | COMMAND_TRAIN | COMMAND_EVALUATE, false, parse_threads,
     "threads of each stage; changes the speed, never the result (0: chosen)"},
    {"text", NULL, COMMAND_TRAIN, false, parse_text, "print a log for people instead of JSON Lines"},
    {"checkpoint", "FILE", COMMAND_TRAIN, false, parse_checkpoint,
     "keep the run in this file: at the end, when it is stopped, and now and then at epochs' ends"},
    {"resume", "FILE", COMMAND_TRAIN, false, parse_resume,
     "go on with the run that is kept in this file, as if it had never been left"},
    {"dataset", "NAME", COMMAND_EVALUATE, false, parse_dataset,
     "the data set to evaluate on, all of its images (the run's own, as the run saw it)"},
    {"split", "SPLIT", COMMAND_EVALUATE, false, parse_split,
     "test, train, or validation, the images that the run held out (test)"},
    {"predict", "PREDICTOR", COMMAND_EVALUATE, false, parse_predict,
     "what is summed: goodness, log_softmax, readout or readout_and_goodness (as the run did)"},
    {"predict-from", "N", COMMAND_EVALUATE, false, parse_predict_from,
     "the first layer whose goodness counts, from 0 (as the run had it)"},
    {"allow-host", "NAME", COMMAND_SERVE, true, parse_allow_host,
     "a further name that requests may call this machine by; may be repeated"},
    {"log-format", "FORMAT", COMMAND_SERVE, false, parse_log_format, "text or json (text)"},
    {"log-level", "LEVEL", COMMAND_SERVE, false, parse_log_level, "debug, info, warning or error (info)"},
    {"token-file", "FILE", COMMAND_SERVE, false, parse_token_file,
     "ask every request for the token in this file, which nobody else may read (chmod 600)"},
};
