/* What an evaluation mistook for what: counts, the surest mistakes, and both as texts. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "confusion.h"

enum { IMAGES = 400, CLASSES = 5 };

static uint16_t truth[IMAGES], predicted[IMAGES];
static float confidence[IMAGES];

/* A third of the images are mistaken, several with the same confidence. */
static struct ff_evaluation evaluation(void)
{
    for (uint32_t i = 0; i < IMAGES; i++) {
        truth[i] = (uint16_t)(i % CLASSES);
        predicted[i] = (uint16_t)(i % 3 == 0 ? (i + 1 + i / 7 % 3) % CLASSES : i % CLASSES);
        confidence[i] = 1 / (1 + (float)(i * 37 % 11));
    }
    return (struct ff_evaluation){.epoch = 4,
                                  .step = 160,
                                  .split = FF_TRAIN_SPLIT,
                                  .first = 1000,
                                  .count = IMAGES,
                                  .classes = CLASSES,
                                  .truth = truth,
                                  .predicted = predicted,
                                  .confidence = confidence};
}

static void make(struct confusion *confusion)
{
    struct ff_evaluation seen = evaluation();
    struct ff_error error;

    assert_int_equal(confusion_make(confusion, &seen, &error), FF_OK);
}

static char *written(const struct confusion *confusion, void (*write)(struct text *, const struct confusion *))
{
    struct text text;
    size_t length;

    text_open(&text);
    write(&text, confusion);
    return text_close(&text, &length);
}

static void every_image_is_counted_by_its_labels(void **state)
{
    uint32_t cells[CLASSES][CLASSES] = {{0}}, wrong = 0;
    struct confusion confusion;

    (void)state;
    make(&confusion);
    for (uint32_t i = 0; i < IMAGES; i++) {
        cells[truth[i]][predicted[i]]++;
        wrong += truth[i] != predicted[i];
    }
    assert_memory_equal(confusion.cells, cells, sizeof cells);
    assert_int_equal(confusion.wrong, wrong);
    assert_int_equal(confusion.images, IMAGES);
    confusion_free(&confusion);
}

/* Before it in a list of mistakes. */
static bool precedes(const struct confusion_mistake *a, const struct confusion_mistake *b)
{
    return a->confidence > b->confidence || (a->confidence == b->confidence && a->sample < b->sample);
}

static void the_surest_mistakes_come_first_of_equals_in_order(void **state)
{
    struct confusion confusion;

    (void)state;
    make(&confusion);
    assert_int_equal(confusion.mistake_count, CONFUSION_MISTAKES_MAX);
    for (uint32_t i = 0; i < confusion.mistake_count; i++) {
        const struct confusion_mistake *mistake = &confusion.mistakes[i];
        uint32_t image = mistake->sample - 1000, before = 0;

        assert_true(truth[image] != predicted[image]);
        assert_int_equal(mistake->truth, truth[image]);
        assert_int_equal(mistake->label, predicted[image]);
        assert_true(mistake->confidence == confidence[image]);
        for (uint32_t other = 0; other < IMAGES; other++) {
            struct confusion_mistake its = {1000 + other, truth[other], predicted[other], confidence[other]};

            before += its.truth != its.label && precedes(&its, mistake);
        }
        assert_int_equal(before, i);
    }
    confusion_free(&confusion);
}

static void few_mistakes_are_all_there(void **state)
{
    struct ff_evaluation seen = evaluation();
    struct confusion confusion;
    struct ff_error error;

    (void)state;
    memcpy(predicted, truth, sizeof truth);
    predicted[7] = 0;
    assert_int_equal(confusion_make(&confusion, &seen, &error), FF_OK);
    assert_int_equal(confusion.wrong, 1);
    assert_int_equal(confusion.mistake_count, 1);
    assert_int_equal(confusion.mistakes[0].sample, 1007);
    confusion_free(&confusion);
}

static void what_the_store_keeps_reads_back(void **state)
{
    struct confusion confusion, read;
    struct ff_error error;
    char *cells, *mistakes;

    (void)state;
    make(&confusion);
    cells = written(&confusion, confusion_write_cells);
    mistakes = written(&confusion, confusion_write_mistakes);
    read = (struct confusion){.epoch = 4, .classes = CLASSES, .images = IMAGES, .wrong = confusion.wrong};
    assert_int_equal(confusion_read(&read, cells, mistakes, &error), FF_OK);
    assert_memory_equal(read.cells, confusion.cells, CLASSES * CLASSES * sizeof *read.cells);
    assert_int_equal(read.mistake_count, confusion.mistake_count);
    assert_memory_equal(read.mistakes, confusion.mistakes, sizeof read.mistakes);
    confusion_free(&read);
    confusion_free(&confusion);
    free(cells);
    free(mistakes);
}

static void texts_that_make_no_sense_are_passed_over(void **state)
{
    static const char *const cells[] = {"", "[", "7", "[[5,0,1],[-1,0,1],[0,0,401],[0],[\"a\",0,1],[0,1,null],{}]"};
    static const char *const mistakes[] = {"", "{}", "[7]",
                                           "[[1,5,0,0.5],[-1,0,1,0.5],[1,2],[5000000000,0,1,0.5]]"};
    struct ff_error error;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct confusion read = {.epoch = 1, .classes = CLASSES, .images = IMAGES};

        assert_int_equal(confusion_read(&read, cells[i], mistakes[i], &error), FF_OK);
        for (size_t cell = 0; cell < CLASSES * CLASSES; cell++)
            assert_int_equal(read.cells[cell], 0);
        assert_int_equal(read.mistake_count, 0);
        confusion_free(&read);
    }
}

static void it_is_answered_whole_or_as_none(void **state)
{
    static const uint16_t labels[] = {0, 1, 1}, given[] = {0, 1, 0};
    static const float sure[] = {0.5f, 0.75f, 0.625f};
    struct ff_evaluation seen = {.epoch = 2,
                                 .step = 8,
                                 .split = FF_TEST_SPLIT,
                                 .count = 3,
                                 .classes = 2,
                                 .truth = labels,
                                 .predicted = given,
                                 .confidence = sure};
    struct confusion confusion, none = {.split = FF_TEST_SPLIT};
    struct ff_error error;
    char *text;

    (void)state;
    assert_int_equal(confusion_make(&confusion, &seen, &error), FF_OK);
    text = written(&confusion, confusion_write);
    assert_string_equal(text, "{\"epoch\":2,\"step\":8,\"split\":\"test\",\"images\":3,\"wrong\":1,"
                              "\"error\":0.3333333333333333,\"matrix\":[[1,0],[1,1]],\"mistakes\":"
                              "[{\"sample\":2,\"split\":\"test\",\"truth\":1,\"label\":0,\"confidence\":0.625}]}");
    free(text);
    text = written(&none, confusion_write);
    assert_string_equal(text,
                        "{\"epoch\":null,\"step\":0,\"split\":\"test\",\"images\":0,\"wrong\":0,\"error\":null,"
                        "\"matrix\":[],\"mistakes\":[]}");
    free(text);
    confusion_free(&confusion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_image_is_counted_by_its_labels),
        cmocka_unit_test(the_surest_mistakes_come_first_of_equals_in_order),
        cmocka_unit_test(few_mistakes_are_all_there),
        cmocka_unit_test(what_the_store_keeps_reads_back),
        cmocka_unit_test(texts_that_make_no_sense_are_passed_over),
        cmocka_unit_test(it_is_answered_whole_or_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
