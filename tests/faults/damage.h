/* SPDX-License-Identifier: Apache-2.0
 *
 * damage.h -- damages one file of a directory, by seed, and says how.
 *
 *     files_copy(db, copy);
 *     damage_make(copy, "lock", seed, DAMAGE_ANY, &damage);
 *     ... check the copy ...
 *     files_remove(copy);
 *
 * The file always differs afterwards.  What a damage hits may still be unused
 * space: it need not matter to the reader.
 */
#ifndef FAULTS_DAMAGE_H
#define FAULTS_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

enum damage_kind {
    DAMAGE_BITS,     /* 1 to 8 bits flipped anywhere */
    DAMAGE_ZERO,     /* a page of 4 KiB is zeros */
    DAMAGE_SWAP,     /* two pages have changed places */
    DAMAGE_TRUNCATE, /* the end is missing */
    DAMAGE_HEADER,   /* the first 16 bytes of a page are noise */
    DAMAGE_NOISE,    /* a run of 1 to 5000 bytes is noise */
    DAMAGE_KINDS,
    DAMAGE_ANY = DAMAGE_KINDS
};

struct damage {
    enum damage_kind kind;
    char file[160]; /* relative to the directory */
    uint64_t offset, size;
    char text[320]; /* "2026-10.mdb: page 7 zeroed" */
};

/* Files whose name contains `skip` (may be NULL) are left alone.  false: there is nothing to
 * damage. */
bool damage_make(const char *directory, const char *skip, uint64_t seed, enum damage_kind kind,
                 struct damage *damage);

#endif
