/* Which build of the kernels this processor runs. */
#include "kernels.h"

extern const struct ff_kernels ff_kernels_baseline;

#ifdef __x86_64__
extern const struct ff_kernels ff_kernels_avx2, ff_kernels_avx512;

const struct ff_kernels *const *ff_kernels_all(size_t *count)
{
    static const struct ff_kernels *const all[] = {&ff_kernels_baseline, &ff_kernels_avx2, &ff_kernels_avx512};

    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        *count = 1;
    else if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
             !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq"))
        *count = 2;
    else
        *count = 3;
    return all;
}
#else
const struct ff_kernels *const *ff_kernels_all(size_t *count)
{
    static const struct ff_kernels *const all[] = {&ff_kernels_baseline};

    *count = 1;
    return all;
}
#endif

const struct ff_kernels *ff_kernels(void)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    return all[count - 1];
}
