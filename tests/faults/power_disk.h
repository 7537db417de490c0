/* SPDX-License-Identifier: Apache-2.0
 *
 * power_disk.h -- a disk that remembers what is sure and what is not: the model of power_replay.
 *
 * Feed it the entries of a log in order; at any moment write out one of the states it could be
 * found in.
 */
#ifndef FAULTS_POWER_DISK_H
#define FAULTS_POWER_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "power_record.h"

struct power_disk;

struct power_disk *power_disk_new(bool ignore_syncs, bool names_with_file);
void power_disk_free(struct power_disk *disk);
/* The entry must stay in memory as long as the disk.  NULL, or what makes no sense. */
const char *power_disk_do(struct power_disk *disk, const struct power_entry *entry);
/* The call that was under way: what it did is open until power_disk_forget, whatever it promised.
 */
const char *power_disk_begin(struct power_disk *disk, const struct power_entry *entry);
void power_disk_forget(struct power_disk *disk);
/* Makes `directory` (not there yet) hold a state chosen by the seed. */
void power_disk_crash(const struct power_disk *disk, uint64_t seed, const char *directory);

#endif
