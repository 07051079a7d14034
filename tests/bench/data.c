/* data.c - the synthetic data set that the other parts train on, as four IDX files.
 *
 *     data FOLDER      (which must exist) */
#include "bench.h"

int main(int count, char **arguments)
{
    if (count != 2)
        bench_fail("usage", "data FOLDER");
    bench_dataset_write(arguments[1]);
    return 0;
}
