#include "blas.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cblas.h>

enum { ROWS_MAX = 130, COLUMNS_MAX = 80, INNER_MAX = 200 };

/* Odd sizes, since libraries have other code for what does not fill a block, and for small matrices. */
static const struct {
    int rows, columns, inner;
} sizes[] = {{1, 1, 1}, {3, 5, 7}, {37, 53, 61}, {ROWS_MAX, COLUMNS_MAX, INNER_MAX}};

static const struct {
    CBLAS_TRANSPOSE a, b;
    const char *name;
} transpositions[] = {
    {CblasNoTrans, CblasNoTrans, "A B"},
    {CblasTrans, CblasNoTrans, "A' B"},
    {CblasNoTrans, CblasTrans, "A B'"},
};

struct matrices {
    float a[ROWS_MAX * INNER_MAX], b[INNER_MAX * COLUMNS_MAX], c[ROWS_MAX * COLUMNS_MAX];
};

/* Values of both signs without a pattern that a wrong index could hide in. */
static void fill(float *values, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        values[i] = (float)(seed >> 8) * 0x1p-23f - 1;
    }
}

static ff_status fail_product(const char *product, int row, int column, double got, double wanted,
                              struct ff_error *error)
{
    return ff_fail(
        error, FF_INVALID,
        "BLAS multiplies wrongly on this processor (kernel %s, %s: element %d, %d is %g, not %g); try another "
        "kernel, for example OPENBLAS_CORETYPE=Haswell in the environment, or another libopenblas",
        ff_blas_kernel(), product, row, column, got, wanted);
}

static ff_status check_product(struct matrices *m, size_t size, size_t transposition, struct ff_error *error)
{
    int rows = sizes[size].rows, columns = sizes[size].columns, inner = sizes[size].inner;
    int a_transposed = transpositions[transposition].a == CblasTrans;
    int b_transposed = transpositions[transposition].b == CblasTrans;

    cblas_sgemm(CblasRowMajor, transpositions[transposition].a, transpositions[transposition].b, rows, columns,
                inner, 1, m->a, a_transposed ? rows : inner, m->b, b_transposed ? inner : columns, 0, m->c,
                columns);
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            double wanted = 0, magnitude = 0, got = (double)m->c[i * columns + j];

            for (int k = 0; k < inner; k++) {
                double term = (double)m->a[a_transposed ? k * rows + i : i * inner + k] *
                              (double)m->b[b_transposed ? j * inner + k : k * columns + j];

                wanted += term;
                magnitude += fabs(term);
            }
            if (!(fabs(got - wanted) <= 1e-5 * magnitude + 1e-6)) /* NaN is refused too */
                return fail_product(transpositions[transposition].name, i, j, got, wanted, error);
        }
    }
    return FF_OK;
}

ff_status ff_blas_check(struct ff_error *error)
{
    struct matrices *matrices = malloc(sizeof *matrices);
    ff_status status = FF_OK;

    if (matrices == NULL)
        return ff_fail_memory(error, "the check of BLAS");
    openblas_set_num_threads(1);
    fill(matrices->a, sizeof matrices->a / sizeof *matrices->a, 1);
    fill(matrices->b, sizeof matrices->b / sizeof *matrices->b, 2);
    fill(matrices->c, sizeof matrices->c / sizeof *matrices->c, 3);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && status == FF_OK; i++)
        for (size_t j = 0; j < sizeof transpositions / sizeof transpositions[0] && status == FF_OK; j++)
            status = check_product(matrices, i, j, error);
    free(matrices);
    return status;
}

const char *ff_blas_kernel(void)
{
    return openblas_get_corename();
}
