/* SPDX-License-Identifier: Apache-2.0
 *
 * reserve.h -- a little room put aside for the day the disk is full.
 *
 * Making room needs room: forgetting old days and trimming the journal are
 * commits, and a commit writes new pages before it frees old ones.  So a
 * store keeps a file of allocated, unused blocks.  Appends never touch it and
 * are refused when the disk is full; housekeeping gives it up when it needs to,
 * and puts it back when there is room again.
 */
#ifndef STORE_RESERVE_H
#define STORE_RESERVE_H

#include "base/err.h"

#define RESERVE_BYTES (256 << 10)

/* Makes the file if it is not there; answers 1 when it is.  No room for it is no failure. */
int reserve_keep(const char *directory);
/* Gives the room back; answers 1 if there was any. */
int reserve_give_up(const char *directory);

#endif
