# varve_flags.m4 -- compiler flags, each tried before it is used.

# VARVE_APPEND_FLAGS(VARIABLE, FLAGS)
# Appends to VARIABLE those of FLAGS that the C compiler takes without a word.
AC_DEFUN([VARVE_APPEND_FLAGS], [
for varve_flag in $2; do
  AC_MSG_CHECKING([whether $CC takes $varve_flag])
  varve_saved_cflags=$CFLAGS
  CFLAGS="$CFLAGS -Werror $varve_flag"
  AC_COMPILE_IFELSE([AC_LANG_SOURCE([[int varve_probe; int main(void) { return varve_probe; }]])],
    [AC_MSG_RESULT([yes])
     $1="$$1 $varve_flag"],
    [AC_MSG_RESULT([no])])
  CFLAGS=$varve_saved_cflags
done
AC_SUBST([$1])
])

# VARVE_LINK_FLAGS(FLAGS, [IF-WORKS], [IF-NOT])
# Whether programs can be compiled and linked with FLAGS: a sanitizer needs its runtime library.
AC_DEFUN([VARVE_LINK_FLAGS], [
AC_MSG_CHECKING([whether $CC links with $1])
varve_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS $1"
AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
  [AC_MSG_RESULT([yes])
   CFLAGS=$varve_saved_cflags
   $2],
  [AC_MSG_RESULT([no])
   CFLAGS=$varve_saved_cflags
   $3])
])

# VARVE_CHECK_AVX2
# Sets varve_avx2 to yes when a file built with -mavx2 can stand beside one that is not and be
# chosen while running.
AC_DEFUN([VARVE_CHECK_AVX2], [
AC_MSG_CHECKING([whether $CC builds AVX2 kernels for $host_cpu])
varve_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS -mavx2"
AC_LINK_IFELSE([AC_LANG_SOURCE([[
#include <immintrin.h>
int main(void)
{
    if (!__builtin_cpu_supports("avx2"))
        return 1;
    __m256i v = _mm256_set1_epi32(1);
    return _mm256_extract_epi32(_mm256_add_epi32(v, v), 0);
}
]])], [varve_avx2=yes], [varve_avx2=no])
CFLAGS=$varve_saved_cflags
AC_MSG_RESULT([$varve_avx2])
])
