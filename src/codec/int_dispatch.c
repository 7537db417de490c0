/* SPDX-License-Identifier: Apache-2.0
 *
 * int_dispatch.c -- which build of the kernels runs, chosen once.
 *
 * The build defines VARVE_AVX2 where it links the AVX2 kernels.
 * Threads may race here: they all find the same answer, so the last store is
 * as good as the first.
 */
#include <stdatomic.h>

#include "codec/int_block.h"
#include "codec/int_kernels.h"

static _Atomic(const struct int_kernels *) chosen;

static const struct int_kernels *best(void)
{
#ifdef VARVE_AVX2
    if (int_kernels_avx2 && __builtin_cpu_supports("avx2"))
        return int_kernels_avx2;
#endif
    return &int_kernels_scalar;
}

const struct int_kernels *int_kernels(void)
{
    const struct int_kernels *kernels = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!kernels) {
        kernels = best();
        atomic_store_explicit(&chosen, kernels, memory_order_relaxed);
    }
    return kernels;
}

const char *int_block_kernel(void)
{
    return int_kernels()->name;
}

void int_block_use_scalar(int yes)
{
    atomic_store_explicit(&chosen, yes ? &int_kernels_scalar : best(), memory_order_relaxed);
}
