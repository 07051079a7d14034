#include "options.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "options_table.h"
#include "preset.h"

static const struct command_row {
    const char *name;
    enum command command;
    const char *operands, *summary, *details;
} commands[] = {
    {"serve", COMMAND_SERVE, "", "train in the background, and show it in a browser",
     "Prints \"listening on http://127.0.0.1:PORT\" on standard output once it is ready, and\n"
     "nothing else; messages go to standard error. SIGTERM and SIGINT end it cleanly within\n"
     "five seconds, a second one at once.\n\n"
     "Built with MPI, mpirun -n N goodness serve has stages of its runs on N processes; the first\n"
     "is the daemon, and ends the others.\n\n"
     "Exit status: 0 ended by a signal, 1 could not run, 2 wrong option.\n"},
    {"train", COMMAND_TRAIN, " [RUN.json|PRESET|-]...", "train without a server, one run after the other",
     "RUN.json has the form of POST /api/v1/runs, - is standard input:\n"
     "  {\"preset\": \"hinton\", \"config\": {\"epochs\": 5}}\n\n"
     "Prints JSON Lines on standard output: start, points, epoch, end. Where standard error is\n"
     "a terminal, progress is shown there.\n\n"
     "A run kept with --checkpoint FILE goes on with --resume FILE, on any --stages and\n"
     "--threads, with the same results to the last bit as if it had never been left; add\n"
     "--checkpoint FILE again to keep it further. It has the settings that it began with; a RUN\n"
     "given beside may only ask for more epochs. Both options are for one run.\n\n"
     "The weights of the epoch with the lowest test error are kept beside FILE, under its name\n"
     "with .best before .safetensors: goodness evaluate takes them, and --resume goes on from them.\n\n"
     "Built with MPI, mpirun -n N goodness train ... has a stage on each of N processes, with the\n"
     "same results.\n\n"
     "Exit status: 0 all runs finished; 1 one failed, was stopped by a signal, could not start,\n"
     "or could not be kept; 2 wrong option.\n"},
    {"evaluate", COMMAND_EVALUATE, " CHECKPOINT", "count what a trained network predicts wrongly",
     "CHECKPOINT is a file that goodness train --checkpoint wrote, or that was fetched from\n"
     "/api/v1/runs/{id}/checkpoint. Prints one line of JSON on standard output; its \"error\" is\n"
     "the share of images predicted wrongly, from 0 to 1. Without --dataset the images are those\n"
     "of the run: its test images, or those it was trained on (--split train)"
     " or held out (--split validation).\n\n"
     "--predict and --predict-from are the run's settings of these names: what the same weights\n"
     "reach when something else is summed to predict.\n\n"
     "Exit status: 0; 1 could not be done; 2 wrong option.\n"},
    {"check", COMMAND_CHECK, "", "say whether all that a state folder keeps is consistent",
     "Reads the folder of a daemon that has ended, and changes nothing: the database, every run's\n"
     "points and epochs, and the checkpoints. Prints a line on standard output for each finding,\n"
     "and one at the end that counts.\n\n"
     "Exit status: 0 all is consistent; 1 there are findings, or it could not be read; 2 wrong\n"
     "option.\n"},
    {"version", COMMAND_VERSION, "", "say what this program is made of", ""},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* GOODNESS_ALLOW_HOST for allow-host. */
static void environment_name(const struct option_row *row, char name[64])
{
    size_t used = (size_t)snprintf(name, 64, "GOODNESS_%s", row->name);

    for (size_t i = 0; i < used; i++)
        name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
}

/* Help */

static void print_program_help(FILE *out)
{
    fprintf(out, "Usage: goodness COMMAND [OPTION]...\n\n"
                 "Trains Forward-Forward networks and shows, live, how each layer's goodness on positive data\n"
                 "parts from its goodness on negative data.\n\nCommands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n\"goodness COMMAND --help\" tells more about each.\n");
}

static void print_presets(FILE *out)
{
    size_t count;
    const struct ff_preset *presets = ff_presets(&count);

    fprintf(out, "\nPresets (the first is the default):\n");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-24s %s\n", presets[i].name, presets[i].title);
}

static void print_command_help(const struct command_row *command, FILE *out)
{
    fprintf(out, "Usage: goodness %s [OPTION]...%s\n\n%c%s.\n", command->name, command->operands,
            toupper((unsigned char)command->summary[0]), command->summary + 1);
    fprintf(out, "\nOptions:\n");
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        char left[40];

        if (!(option_rows[i].commands & command->command))
            continue;
        snprintf(left, sizeof left, "--%s%s%s", option_rows[i].name, option_rows[i].argument == NULL ? "" : " ",
                 option_rows[i].argument == NULL ? "" : option_rows[i].argument);
        fprintf(out, "  %-20s %s\n", left, option_rows[i].help);
    }
    fprintf(out, "  %-20s %s\n", "--help", "this text");
    if (command->command != COMMAND_VERSION)
        fprintf(out, "\nEvery option can come from the environment too: --data from GOODNESS_DATA, and so on;\n"
                     "repeated ones are divided by commas. The command line wins.\n");
    if (command->details[0] != '\0')
        fprintf(out, "\n%s", command->details);
    if (command->command & (COMMAND_SERVE | COMMAND_TRAIN))
        print_presets(out);
}

/* Parsing */

struct parser {
    struct options *options;
    const struct command_row *command;
    FILE *out, *complaints;
    bool seen[OPTION_ROWS]; /* on the command line */
};

__attribute__((format(printf, 3, 4))) static int complain(const struct parser *parser, int status,
                                                          const char *format, ...)
{
    va_list arguments;

    fprintf(parser->complaints, "goodness %s: ", parser->command->name);
    va_start(arguments, format);
    vfprintf(parser->complaints, format, arguments);
    va_end(arguments);
    fputc('\n', parser->complaints);
    return status;
}

static int complain_unknown(const struct parser *parser, const char *name)
{
    const char *names[OPTION_ROWS + 2], *nearest;
    size_t count = 0;

    for (size_t i = 0; i < OPTION_ROWS; i++)
        if (option_rows[i].commands & parser->command->command)
            names[count++] = option_rows[i].name;
    names[count++] = "help";
    names[count] = NULL;
    nearest = ff_nearest_name(name, names);
    if (nearest == NULL)
        return complain(parser, OPTION_WRONG, "there is no option --%s; see goodness %s --help", name,
                        parser->command->name);
    return complain(parser, OPTION_WRONG, "there is no option --%s; did you mean --%s?", name, nearest);
}

static const struct option_row *find_row(const struct parser *parser, const char *name, size_t length)
{
    for (size_t i = 0; i < OPTION_ROWS; i++)
        if (option_rows[i].commands & parser->command->command && strlen(option_rows[i].name) == length &&
            strncmp(option_rows[i].name, name, length) == 0)
            return &option_rows[i];
    return NULL;
}

/* One option at arguments[*place]; moves *place to its last word. */
static int parse_option(struct parser *parser, int count, char *const *arguments, int *place)
{
    const char *name = arguments[*place] + 2, *equals = strchr(name, '='),
               *value = equals == NULL ? NULL : equals + 1;
    size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
    const struct option_row *row = find_row(parser, name, length);
    char sentence[OPTION_SENTENCE_MAX], copy[64];

    if (row == NULL) {
        snprintf(copy, sizeof copy, "%.*s", length > 60 ? 60 : (int)length, name);
        return complain_unknown(parser, copy);
    }
    if (row->argument == NULL && value != NULL)
        return complain(parser, OPTION_WRONG, "--%s takes no value", row->name);
    if (row->argument != NULL && value == NULL) {
        if (*place + 1 >= count)
            return complain(parser, OPTION_WRONG, "--%s needs a value: --%s %s", row->name, row->name,
                            row->argument);
        value = arguments[++*place];
    }
    if (parser->seen[row - option_rows] && !row->list && row->argument != NULL)
        return complain(parser, OPTION_WRONG, "--%s is given twice", row->name);
    parser->seen[row - option_rows] = true;

    int status = row->parse(parser->options, value, sentence);
    if (status == 0)
        return OPTIONS_GO;
    if (value == NULL)
        return complain(parser, status, "--%s %s", row->name, sentence);
    return complain(parser, status, "--%s %s %s", row->name, value[0] != '\0' ? value : "\"\"", sentence);
}

static int parse_arguments(struct parser *parser, int count, char *const *arguments)
{
    bool only_operands = false;

    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        int status = OPTIONS_GO;
        char sentence[OPTION_SENTENCE_MAX];

        if (!only_operands && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)) {
            print_command_help(parser->command, parser->out);
            return 0;
        }
        if (!only_operands && strcmp(argument, "--") == 0)
            only_operands = true;
        else if (!only_operands && strncmp(argument, "--", 2) == 0)
            status = parse_option(parser, count, arguments, &i);
        else if (!only_operands && argument[0] == '-' && argument[1] != '\0')
            status = complain(parser, OPTION_WRONG, "there is no option %s; see goodness %s --help", argument,
                              parser->command->name);
        else if (parser->command->operands[0] == '\0')
            status = complain(parser, OPTION_WRONG, "takes no argument, but got %s", argument);
        else if (option_append(&parser->options->operands, argument, sentence) != 0)
            status = complain(parser, OPTION_WRONG, "takes at most %d arguments", OPTIONS_LIST_MAX);
        if (status != OPTIONS_GO)
            return status;
    }
    return OPTIONS_GO;
}

/* The parts of a list in the environment, copied into the options so that they can be divided. */
static int parse_environment_list(struct parser *parser, const struct option_row *row, const char *value,
                                  char sentence[OPTION_SENTENCE_MAX])
{
    struct options *options = parser->options;
    size_t length = strlen(value);
    char *copy = options->environment + options->environment_used, *rest = NULL;
    int status = 0;

    if (length >= sizeof options->environment - options->environment_used)
        return option_say(sentence, OPTION_WRONG, "is too long");
    memcpy(copy, value, length + 1);
    options->environment_used += length + 1;
    for (char *part = strtok_r(copy, ",", &rest); part != NULL && status == 0; part = strtok_r(NULL, ",", &rest))
        status = row->parse(options, part, sentence);
    return status;
}

static int parse_environment(struct parser *parser)
{
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        char name[64], sentence[OPTION_SENTENCE_MAX];
        const char *value;
        int status;

        environment_name(&option_rows[i], name);
        value = getenv(name);
        if (!(option_rows[i].commands & parser->command->command) || parser->seen[i] || value == NULL ||
            value[0] == '\0')
            continue;
        status = option_rows[i].list ? parse_environment_list(parser, &option_rows[i], value, sentence)
                                     : option_rows[i].parse(parser->options, value, sentence);
        if (status != 0)
            return complain(parser, status, "%s (in the environment, \"%.200s\") %s", name, value, sentence);
    }
    return OPTIONS_GO;
}

/* $XDG_STATE_HOME counts only when it is an absolute path. */
static int default_state(struct parser *parser)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *state = parser->options->state;
    int length = -1;

    if (base != NULL && base[0] == '/')
        length = snprintf(state, OPTIONS_PATH_MAX, "%s/goodness", base);
    else if (home != NULL && home[0] == '/')
        length = snprintf(state, OPTIONS_PATH_MAX, "%s/.local/state/goodness", home);
    if (length < 0 || length >= OPTIONS_PATH_MAX)
        return complain(parser, OPTION_WRONG, "where should the runs be kept? Name a folder with --state DIR");
    return OPTIONS_GO;
}

static int check_train(struct parser *parser)
{
    const struct options *options = parser->options;
    size_t count = options->operands.count, stdin_count = 0;

    if (count == 0 && options->resume == NULL)
        return complain(parser, OPTION_WRONG,
                        "what should be trained? Name a RUN.json, a preset, or - for standard input");
    if (count > 1 && (options->checkpoint != NULL || options->resume != NULL))
        return complain(parser, OPTION_WRONG, "--%s is for one run, but %zu are named",
                        options->resume != NULL ? "resume" : "checkpoint", count);
    for (size_t i = 0; i < count; i++)
        stdin_count += strcmp(options->operands.values[i], "-") == 0;
    if (stdin_count > 1)
        return complain(parser, OPTION_WRONG, "- (standard input) can be given only once");
    return OPTIONS_GO;
}

static int check_serve(struct parser *parser)
{
    const struct options *options = parser->options;

    if (options->token_file == NULL && !options_is_loopback(options->listen))
        return complain(parser, OPTION_REFUSED,
                        "--listen %s would let other machines in, which takes a token: name the file that holds it "
                        "with --token-file FILE, or listen on 127.0.0.1 or ::1",
                        options->listen);
    return options->state[0] == '\0' ? default_state(parser) : OPTIONS_GO;
}

static int check_whole(struct parser *parser)
{
    const struct options_list *operands = &parser->options->operands;

    switch (parser->command->command) {
    case COMMAND_SERVE:
        return check_serve(parser);
    case COMMAND_CHECK:
        return parser->options->state[0] == '\0' ? default_state(parser) : OPTIONS_GO;
    case COMMAND_TRAIN:
        return check_train(parser);
    case COMMAND_EVALUATE:
        if (operands->count == 0)
            return complain(parser, OPTION_WRONG,
                            "what should be evaluated? Name a file that goodness train --checkpoint wrote");
        if (operands->count > 1)
            return complain(parser, OPTION_WRONG, "takes one checkpoint, but also got %s", operands->values[1]);
        return OPTIONS_GO;
    case COMMAND_VERSION:
        break;
    }
    return OPTIONS_GO;
}

static int complain_command(const char *name, FILE *complaints)
{
    const char *names[COMMANDS + 1], *nearest;

    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    names[COMMANDS] = NULL;
    nearest = ff_nearest_name(name, names);
    if (nearest == NULL)
        fprintf(complaints, "goodness: there is no command %s; see goodness --help\n", name);
    else
        fprintf(complaints, "goodness: there is no command %s; did you mean %s?\n", name, nearest);
    return OPTION_WRONG;
}

static const struct command_row *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int options_parse(struct options *options, int count, char *const *arguments, FILE *out, FILE *complaints)
{
    struct parser parser = {.options = options, .out = out, .complaints = complaints};
    int status;

    memset(options, 0, sizeof *options);
    options->port = 7007;
    options->log_level = LOG_LEVEL_INFO;
    options->split = FF_TEST_SPLIT;
    snprintf(options->listen, sizeof options->listen, "127.0.0.1");
    if (count < 2) {
        print_program_help(complaints);
        return OPTION_WRONG;
    }
    if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0 ||
        strcmp(arguments[1], "help") == 0) {
        print_program_help(out);
        return 0;
    }
    parser.command = find_command(strcmp(arguments[1], "--version") == 0 ? "version" : arguments[1]);
    if (parser.command == NULL)
        return complain_command(arguments[1], complaints);
    options->command = parser.command->command;
    status = parse_arguments(&parser, count - 2, arguments + 2);
    if (status == OPTIONS_GO)
        status = parse_environment(&parser);
    return status == OPTIONS_GO ? check_whole(&parser) : status;
}
