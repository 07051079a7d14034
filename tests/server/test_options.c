/* The command line and the environment: what is taken, and what is said of what is not. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

enum { ARGUMENTS_MAX = 160, TEXT_MAX = 8192 };

static struct options options;
static char out[TEXT_MAX], complaints[TEXT_MAX];
static char line[4096]; /* options point into it */

/* Parse a command line, divided at spaces; `out` and `complaints` hold what was printed. */
static int parse(const char *command_line)
{
    char *arguments[ARGUMENTS_MAX] = {NULL}, *rest = NULL;
    int count = 0, status;
    FILE *out_file = fmemopen(out, sizeof out, "w"),
         *complaints_file = fmemopen(complaints, sizeof complaints, "w");

    assert_non_null(out_file);
    assert_non_null(complaints_file);
    snprintf(line, sizeof line, "%s", command_line);
    for (char *part = strtok_r(line, " ", &rest); part != NULL; part = strtok_r(NULL, " ", &rest))
        arguments[count++] = part;
    memset(out, 0, sizeof out);
    memset(complaints, 0, sizeof complaints);
    status = options_parse(&options, count, arguments, out_file, complaints_file);
    fclose(out_file);
    fclose(complaints_file);
    return status;
}

static int clean_environment(void **state)
{
    (void)state;
    clearenv();
    setenv("HOME", "/home/somebody", 1);
    return 0;
}

static void serve_has_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness serve"), OPTIONS_GO);
    assert_int_equal(options.command, COMMAND_SERVE);
    assert_string_equal(options.listen, "127.0.0.1");
    assert_int_equal(options.port, 7007);
    assert_string_equal(options.state, "/home/somebody/.local/state/goodness");
    assert_int_equal(options.data.count, 0);
    assert_null(options.start);
    assert_int_equal(options.placement.stages, 0);
    assert_int_equal(options.placement.threads, 0);
    assert_int_equal(options.log_format, LOG_FORMAT_TEXT);
    assert_int_equal(options.log_level, LOG_LEVEL_INFO);
    assert_string_equal(complaints, "");
}

static void serve_takes_all_its_options(void **state)
{
    (void)state;
    assert_int_equal(
        parse("goodness serve --listen ::1 --port=0 --state /var/lib/goodness --data a=/a --data b=/b.npz "
              "--start hinton --stages 2 --threads 3 --allow-host lab.example --allow-host lab "
              "--log-format json --log-level debug"),
        OPTIONS_GO);
    assert_string_equal(options.listen, "::1");
    assert_int_equal(options.port, 0);
    assert_string_equal(options.state, "/var/lib/goodness");
    assert_int_equal(options.data.count, 2);
    assert_string_equal(options.data.values[0], "a=/a");
    assert_string_equal(options.data.values[1], "b=/b.npz");
    assert_null(options.data.values[2]);
    assert_string_equal(options.start, "hinton");
    assert_int_equal(options.placement.stages, 2);
    assert_int_equal(options.placement.threads, 3);
    assert_int_equal(options.allow_hosts.count, 2);
    assert_string_equal(options.allow_hosts.values[1], "lab");
    assert_int_equal(options.log_format, LOG_FORMAT_JSON);
    assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
}

static void start_default_is_the_first_preset(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness serve --start default"), OPTIONS_GO);
    assert_non_null(options.start);
    assert_string_not_equal(options.start, "default");
}

static void train_takes_runs_and_options_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness train a.json --text hinton - --data a=/a -- --odd.json"), OPTIONS_GO);
    assert_int_equal(options.command, COMMAND_TRAIN);
    assert_true(options.text);
    assert_int_equal(options.operands.count, 4);
    assert_string_equal(options.operands.values[0], "a.json");
    assert_string_equal(options.operands.values[1], "hinton");
    assert_string_equal(options.operands.values[2], "-");
    assert_string_equal(options.operands.values[3], "--odd.json");
    assert_int_equal(parse("goodness train hinton"), OPTIONS_GO);
    assert_false(options.text);
    assert_null(options.checkpoint);
    assert_null(options.resume);
}

static void a_run_can_be_kept_and_gone_on_with(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness train --checkpoint a hinton"), OPTIONS_GO);
    assert_string_equal(options.checkpoint, "a");
    assert_null(options.resume);
    assert_int_equal(parse("goodness train --resume=a --checkpoint=b more.json"), OPTIONS_GO);
    assert_string_equal(options.resume, "a");
    assert_string_equal(options.checkpoint, "b");
    assert_int_equal(options.operands.count, 1);
    assert_int_equal(parse("goodness train --resume a"), OPTIONS_GO); /* the file says what to train */
    assert_int_equal(options.operands.count, 0);
}

static void evaluate_takes_a_checkpoint_and_its_options(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness evaluate a"), OPTIONS_GO);
    assert_int_equal(options.command, COMMAND_EVALUATE);
    assert_string_equal(options.operands.values[0], "a");
    assert_null(options.dataset);
    assert_int_equal(options.split, FF_TEST_SPLIT);
    assert_int_equal(
        parse("goodness evaluate a --dataset mnist --split train --data mnist=/m --data b=/b --threads 2"),
        OPTIONS_GO);
    assert_string_equal(options.dataset, "mnist");
    assert_int_equal(options.split, FF_TRAIN_SPLIT);
    assert_int_equal(options.data.count, 2);
    assert_int_equal(options.placement.threads, 2);
}

static void evaluate_takes_another_predictor_by_the_settings_own_rules(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness evaluate a"), OPTIONS_GO);
    assert_false(options.prediction.has_predict);
    assert_false(options.prediction.has_predict_from);
    assert_int_equal(parse("goodness evaluate a --predict readout_and_goodness"), OPTIONS_GO);
    assert_true(options.prediction.has_predict);
    assert_false(options.prediction.has_predict_from);
    assert_int_equal(options.prediction.predict, FF_PREDICT_READOUT_AND_GOODNESS);
    assert_int_equal(parse("goodness evaluate --predict-from=3 a"), OPTIONS_GO);
    assert_false(options.prediction.has_predict);
    assert_true(options.prediction.has_predict_from);
    assert_int_equal(options.prediction.predict_from, 3);
}

static void check_looks_where_serve_keeps_its_runs(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness check"), OPTIONS_GO);
    assert_int_equal(options.command, COMMAND_CHECK);
    assert_string_equal(options.state, "/home/somebody/.local/state/goodness");
    assert_int_equal(parse("goodness check --state /var/lib/goodness"), OPTIONS_GO);
    assert_string_equal(options.state, "/var/lib/goodness");
}

static void every_option_comes_from_the_environment_too(void **state)
{
    (void)state;
    setenv("GOODNESS_LISTEN", "127.0.0.2", 1);
    setenv("GOODNESS_PORT", "8123", 1);
    setenv("GOODNESS_STATE", "/srv/state", 1);
    setenv("GOODNESS_DATA", "a=/a,b=/b", 1);
    setenv("GOODNESS_START", "original-small", 1);
    setenv("GOODNESS_STAGES", "1", 1);
    setenv("GOODNESS_THREADS", "4", 1);
    setenv("GOODNESS_ALLOW_HOST", "one,two,three", 1);
    setenv("GOODNESS_LOG_FORMAT", "json", 1);
    setenv("GOODNESS_LOG_LEVEL", "error", 1);
    setenv("GOODNESS_TEXT", "1", 1);
    setenv("GOODNESS_CHECKPOINT", "/c", 1);
    setenv("GOODNESS_RESUME", "/r", 1);
    setenv("GOODNESS_DATASET", "b", 1);
    setenv("GOODNESS_SPLIT", "train", 1);
    setenv("GOODNESS_PREDICT", "log_softmax", 1);
    setenv("GOODNESS_PREDICT_FROM", "2", 1);
    assert_int_equal(parse("goodness serve"), OPTIONS_GO);
    assert_string_equal(options.listen, "127.0.0.2");
    assert_int_equal(options.port, 8123);
    assert_string_equal(options.state, "/srv/state");
    assert_int_equal(options.data.count, 2);
    assert_string_equal(options.data.values[1], "b=/b");
    assert_string_equal(options.start, "original-small");
    assert_int_equal(options.placement.stages, 1);
    assert_int_equal(options.placement.threads, 4);
    assert_int_equal(options.allow_hosts.count, 3);
    assert_string_equal(options.allow_hosts.values[0], "one");
    assert_string_equal(options.allow_hosts.values[2], "three");
    assert_int_equal(options.log_format, LOG_FORMAT_JSON);
    assert_int_equal(options.log_level, LOG_LEVEL_ERROR);
    assert_int_equal(parse("goodness train hinton"), OPTIONS_GO);
    assert_true(options.text);
    assert_int_equal(options.data.count, 2);
    assert_string_equal(options.checkpoint, "/c");
    assert_string_equal(options.resume, "/r");
    assert_int_equal(parse("goodness train hinton mini"), 2); /* not passed over in silence */
    assert_int_equal(parse("goodness evaluate c"), OPTIONS_GO);
    assert_string_equal(options.dataset, "b");
    assert_int_equal(options.split, FF_TRAIN_SPLIT);
    assert_int_equal(options.prediction.predict, FF_PREDICT_LOG_SOFTMAX);
    assert_int_equal(options.prediction.predict_from, 2);
    assert_int_equal(parse("goodness check"), OPTIONS_GO);
    assert_string_equal(options.state, "/srv/state");
}

static void the_command_line_wins_over_the_environment(void **state)
{
    (void)state;
    setenv("GOODNESS_PORT", "not looked at", 1);
    setenv("GOODNESS_DATA", "a=/a,b=/b", 1);
    setenv("GOODNESS_LOG_LEVEL", "", 1); /* empty is as good as unset */
    assert_int_equal(parse("goodness serve --port 99 --data c=/c"), OPTIONS_GO);
    assert_int_equal(options.port, 99);
    assert_int_equal(options.data.count, 1);
    assert_string_equal(options.data.values[0], "c=/c");
    assert_int_equal(options.log_level, LOG_LEVEL_INFO);
}

static void the_state_folder_follows_xdg(void **state)
{
    (void)state;
    setenv("XDG_STATE_HOME", "/xdg", 1);
    assert_int_equal(parse("goodness serve"), OPTIONS_GO);
    assert_string_equal(options.state, "/xdg/goodness");
    setenv("XDG_STATE_HOME", "relative", 1);
    assert_int_equal(parse("goodness serve"), OPTIONS_GO);
    assert_string_equal(options.state, "/home/somebody/.local/state/goodness");
    unsetenv("HOME");
    assert_int_equal(parse("goodness serve"), 2);
    assert_non_null(strstr(complaints, "Name a folder with --state DIR"));
}

static const struct {
    const char *command_line;
    int status;
    const char *words;
} refusals[] = {
    {"goodness sevre", 2, "there is no command sevre; did you mean serve?"},
    {"goodness zzzzzzz", 2, "there is no command zzzzzzz; see goodness --help"},
    {"goodness --port 1", 2, "there is no command --port"},
    {"goodness serve --prot 1", 2, "there is no option --prot; did you mean --port?"},
    {"goodness serve --por 1", 2, "there is no option --por; did you mean --port?"},
    {"goodness serve --zzzzzzzzzz", 2, "there is no option --zzzzzzzzzz; see goodness serve --help"},
    {"goodness serve --text", 2, "there is no option --text"},
    {"goodness train --port 1 hinton", 2, "there is no option --port"},
    {"goodness serve -p 1", 2, "there is no option -p"},
    {"goodness serve extra", 2, "takes no argument, but got extra"},
    {"goodness version extra", 2, "takes no argument, but got extra"},
    {"goodness serve --port", 2, "--port needs a value: --port N"},
    {"goodness serve --port 65536", 2, "--port 65536 must be a whole number from 0 to 65535"},
    {"goodness serve --port -1", 2, "--port -1 must be a whole number"},
    {"goodness serve --port 80x", 2, "--port 80x must be a whole number"},
    {"goodness serve --port=", 2, "must be a whole number"},
    {"goodness serve --port 99999999999999999999", 2, "must be a whole number"},
    {"goodness serve --port 1 --port 2", 2, "--port is given twice"},
    {"goodness serve --state=", 2, "--state \"\" must be the path of a folder"},
    {"goodness serve --stages 33", 2, "--stages 33 must be a whole number from 0 to 32"},
    {"goodness serve --threads many", 2, "--threads many must be a whole number from 0 to 256"},
    {"goodness serve --log-level loud", 2, "--log-level loud must be debug, info, warning or error"},
    {"goodness serve --log-format xml", 2, "--log-format xml must be text or json"},
    {"goodness serve --allow-host http://x", 2, "must be the name of a host"},
    {"goodness serve --start hintn", 2, "--start hintn is not the name of a preset; did you mean \"hinton\"?"},
    {"goodness serve --listen everywhere", 2, "must be an IP address of this machine"},
    {"goodness serve --listen 0.0.0.0", 1, "name the file that holds it with --token-file FILE"},
    {"goodness serve --listen ::", 1, "takes a token"},
    {"goodness serve --listen 192.168.1.2", 1, "--listen 192.168.1.2 would let other machines in"},
    {"goodness serve --token-file=", 2, "must be the path of a file"},
    {"goodness train hinton --token-file /t", 2, "there is no option --token-file"},
    {"goodness train --checkpoint= hinton", 2, "--checkpoint \"\" must be the path of a file"},
    {"goodness train --resume= hinton", 2, "--resume \"\" must be the path of a file"},
    {"goodness train --checkpoint c hinton mini", 2, "--checkpoint is for one run, but 2 are named"},
    {"goodness train --resume c --checkpoint c a b c", 2, "--resume is for one run, but 3 are named"},
    {"goodness train --checkpoint c", 2, "what should be trained?"},
    {"goodness train --epochs 3 hinton", 2, "there is no option --epochs"},
    {"goodness serve --checkpoint c", 2, "there is no option --checkpoint"},
    {"goodness evaluate", 2, "what should be evaluated?"},
    {"goodness evaluate a b", 2, "takes one checkpoint, but also got b"},
    {"goodness evaluate a --split tests", 2, "--split tests must be test, train or validation"},
    {"goodness evaluate a --dataset=", 2, "--dataset \"\" must be the name of a data set"},
    {"goodness evaluate a --predict log_sofmax", 2,
     "--predict log_sofmax must be \"goodness\", \"log_softmax\", \"readout\" or \"readout_and_goodness\", got "
     "\"log_sofmax\"; did you mean \"log_softmax\"?"},
    {"goodness evaluate a --predict 1", 2, "got a number"},
    {"goodness evaluate a --predict=", 2, "--predict \"\" must be"},
    {"goodness evaluate a --predict-from 32", 2, "must be a whole number at least 0 and at most 31, got 32"},
    {"goodness evaluate a --predict-from -1", 2, "--predict-from -1 must be a whole number at least 0"},
    {"goodness evaluate a --predict-from 1.5", 2, "must be a whole number, got 1.5"},
    {"goodness evaluate a --predict-from first", 2, "must be a whole number, got a string"},
    {"goodness train hinton --predict goodness", 2, "there is no option --predict"},
    {"goodness evaluate a --stages 2", 2, "there is no option --stages"},
    {"goodness check a", 2, "takes no argument, but got a"},
    {"goodness check --port 1", 2, "there is no option --port"},
    {"goodness chek", 2, "there is no command chek; did you mean check?"},
    {"goodness train", 2, "what should be trained?"},
    {"goodness train --text", 2, "what should be trained?"},
    {"goodness train --text=1 hinton", 2, "--text takes no value"},
    {"goodness train - -", 2, "can be given only once"},
};

static void what_is_wrong_is_said_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *end;
        int status = parse(refusals[i].command_line);

        if (status != refusals[i].status || strstr(complaints, refusals[i].words) == NULL)
            fail_msg("%s: %d %s", refusals[i].command_line, status, complaints);
        end = strchr(complaints, '\n');
        assert_non_null(end);
        assert_string_equal(end, "\n");
        assert_string_equal(out, "");
    }
}

static void what_is_wrong_in_the_environment_names_the_variable(void **state)
{
    (void)state;
    setenv("GOODNESS_PORT", "x", 1);
    assert_int_equal(parse("goodness serve"), 2);
    assert_non_null(strstr(complaints, "GOODNESS_PORT (in the environment, \"x\") must be a whole number"));
    unsetenv("GOODNESS_PORT");
    setenv("GOODNESS_TOKEN_FILE", "/t", 1);
    assert_int_equal(parse("goodness serve --listen 0.0.0.0"), OPTIONS_GO);
    assert_string_equal(options.listen, "0.0.0.0");
    assert_string_equal(options.token_file, "/t");
    unsetenv("GOODNESS_TOKEN_FILE");
    setenv("GOODNESS_LISTEN", "0.0.0.0", 1);
    assert_int_equal(parse("goodness serve"), 1);
    assert_int_equal(parse("goodness serve --token-file /t"), OPTIONS_GO);
    unsetenv("GOODNESS_LISTEN");
    assert_int_equal(parse("goodness train hinton"), OPTIONS_GO);
    setenv("GOODNESS_TEXT", "maybe", 1);
    assert_int_equal(parse("goodness train hinton"), 2);
    assert_non_null(strstr(complaints, "GOODNESS_TEXT"));
}

static void a_list_has_an_end(void **state)
{
    char many[4096] = "goodness serve";
    size_t used = strlen(many);

    (void)state;
    for (int i = 0; i <= OPTIONS_LIST_MAX; i++)
        used += (size_t)snprintf(many + used, sizeof many - used, " --data d%d=/d", i);
    assert_int_equal(parse(many), 2);
    assert_non_null(strstr(complaints, "is given more than 64 times"));
}

static void help_is_printed_where_it_is_asked_for(void **state)
{
    static const struct {
        const char *command_line, *words;
    } cases[] = {
        {"goodness --help", "Usage: goodness COMMAND"},
        {"goodness -h", "serve"},
        {"goodness serve --help", "--log-format FORMAT"},
        {"goodness serve --port 1 -h", "--allow-host NAME"},
        {"goodness train --help", "Exit status: 0 all runs"},
        {"goodness train hinton --help", "--text"},
        {"goodness version --help", "Usage: goodness version"},
        {"goodness train --help", "--resume FILE"},
        {"goodness evaluate --help", "--split SPLIT"},
        {"goodness evaluate --help", "--predict PREDICTOR"},
        {"goodness evaluate --help", "--predict-from N"},
        {"goodness check --help", "--state DIR"},
        {"goodness --help", "  evaluate "},
        {"goodness --help", "  check "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].command_line), 0);
        assert_non_null(strstr(out, cases[i].words));
        assert_string_equal(complaints, "");
    }
    assert_int_equal(parse("goodness serve --help"), 0);
    assert_non_null(strstr(out, "--token-file FILE"));
    assert_null(strstr(out, "--text")); /* another command's */
}

static void without_a_command_the_help_is_a_complaint(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness"), 2);
    assert_non_null(strstr(complaints, "Usage: goodness COMMAND"));
    assert_string_equal(out, "");
}

static void version_is_a_command_and_an_option(void **state)
{
    (void)state;
    assert_int_equal(parse("goodness version"), OPTIONS_GO);
    assert_int_equal(options.command, COMMAND_VERSION);
    assert_int_equal(parse("goodness --version"), OPTIONS_GO);
    assert_int_equal(options.command, COMMAND_VERSION);
}

static void loopback_addresses_are_known(void **state)
{
    static const struct {
        const char *address;
        bool loopback;
    } cases[] = {{"127.0.0.1", true},  {"127.255.255.254", true},
                 {"::1", true},        {"128.0.0.1", false},
                 {"0.0.0.0", false},   {"10.0.0.1", false},
                 {"::", false},        {"::2", false},
                 {"localhost", false}, {"", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(options_is_loopback(cases[i].address), cases[i].loopback);
    assert_int_equal(parse("goodness serve --listen localhost"), OPTIONS_GO);
    assert_string_equal(options.listen, "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(serve_has_defaults, clean_environment),
        cmocka_unit_test_setup(serve_takes_all_its_options, clean_environment),
        cmocka_unit_test_setup(start_default_is_the_first_preset, clean_environment),
        cmocka_unit_test_setup(train_takes_runs_and_options_in_any_order, clean_environment),
        cmocka_unit_test_setup(a_run_can_be_kept_and_gone_on_with, clean_environment),
        cmocka_unit_test_setup(evaluate_takes_a_checkpoint_and_its_options, clean_environment),
        cmocka_unit_test_setup(evaluate_takes_another_predictor_by_the_settings_own_rules, clean_environment),
        cmocka_unit_test_setup(check_looks_where_serve_keeps_its_runs, clean_environment),
        cmocka_unit_test_setup(every_option_comes_from_the_environment_too, clean_environment),
        cmocka_unit_test_setup(the_command_line_wins_over_the_environment, clean_environment),
        cmocka_unit_test_setup(the_state_folder_follows_xdg, clean_environment),
        cmocka_unit_test_setup(what_is_wrong_is_said_in_one_line, clean_environment),
        cmocka_unit_test_setup(what_is_wrong_in_the_environment_names_the_variable, clean_environment),
        cmocka_unit_test_setup(a_list_has_an_end, clean_environment),
        cmocka_unit_test_setup(help_is_printed_where_it_is_asked_for, clean_environment),
        cmocka_unit_test_setup(without_a_command_the_help_is_a_complaint, clean_environment),
        cmocka_unit_test_setup(version_is_a_command_and_an_option, clean_environment),
        cmocka_unit_test_setup(loopback_addresses_are_known, clean_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
