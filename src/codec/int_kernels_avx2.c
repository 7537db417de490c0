/* SPDX-License-Identifier: Apache-2.0
 *
 * int_kernels_avx2.c -- the loops of int_kernels.c once more, for AVX2.
 *
 * The build gives this one file -mavx2 where the compiler knows it.  Without
 * the flag there is nothing but a NULL here.  No function of this file may be
 * called before the processor was asked: it exports data only.
 */
#include "codec/int_kernels.h"

#if defined(__AVX2__)

#define KERNELS int_kernels_avx2_table
#define KERNELS_NAME "avx2"
#include "codec/int_kernels.c" /* NOLINT(bugprone-suspicious-include): the point of this file */

const struct int_kernels *const int_kernels_avx2 = &int_kernels_avx2_table;

#else

const struct int_kernels *const int_kernels_avx2 = NULL;

#endif
