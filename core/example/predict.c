/* predict.c - load what train.c kept, predict the first test image of PATH, and count what is wrong of all.
 *
 *     predict FILE PATH */
#include <stdio.h>
#include <stdlib.h>

#include <goodness/goodness.h>

/* Every layer's goodness of the first test image under its true label and under the one that is predicted. */
static void predict_first(struct ff_network *network, const struct ff_dataset *dataset)
{
    size_t size = ff_shape_size(dataset->shape);
    float *pixels = malloc(size * sizeof *pixels);
    uint16_t truth = dataset->test.labels[0];
    struct ff_answer answer;

    if (pixels == NULL)
        return;
    for (size_t i = 0; i < size; i++)
        pixels[i] = (float)dataset->test.pixels[i] / 255;
    ff_network_predict(network, pixels, &answer);
    printf("the first test image is a %u, predicted %u with probability %.3f\n", truth, answer.label,
           (double)answer.probabilities[answer.label]);
    for (uint32_t i = 0; i < answer.layers && !answer.unlabelled; i++)
        printf("layer %u: goodness %.3f as a %u, %.3f as a %u\n", i,
               (double)answer.goodness[i * answer.classes + truth], truth,
               (double)answer.goodness[i * answer.classes + answer.label], answer.label);
    free(pixels);
}

int main(int count, char **arguments)
{
    struct ff_error error = {0};
    struct ff_checkpoint *checkpoint = NULL;
    struct ff_dataset *dataset = NULL;
    struct ff_network *network = NULL;
    uint32_t wrong;
    int status = 1;

    if (count != 3) {
        fprintf(stderr, "usage: predict FILE PATH\n");
        return 2;
    }
    if (ff_blas_check(&error) == FF_OK && (checkpoint = ff_checkpoint_open(arguments[1], &error)) != NULL &&
        (network = ff_network_create(checkpoint, 1, &error)) != NULL &&
        (dataset = ff_dataset_load("images", arguments[2], &error)) != NULL &&
        ff_network_evaluate(network, dataset, FF_TEST_SPLIT, 0, 0, &wrong, &error) == FF_OK) {
        predict_first(network, dataset);
        printf("%u of %u test images are predicted wrongly\n", wrong, dataset->test.count);
        status = 0;
    } else {
        fprintf(stderr, "predict: %s\n", error.message);
    }
    ff_network_destroy(network);
    ff_dataset_destroy(dataset);
    ff_checkpoint_close(checkpoint);
    return status;
}
