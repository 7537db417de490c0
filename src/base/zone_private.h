/* SPDX-License-Identifier: Apache-2.0
 *
 * zone_private.h -- what a zone is made of, for the files of this module.
 */
#ifndef BASE_ZONE_PRIVATE_H
#define BASE_ZONE_PRIVATE_H

#include "base/str.h"
#include "base/zone.h"

struct zone_type {
    int32_t offset; /* seconds east */
    struct varve_str abbreviation;
};

enum zone_change_form {
    CHANGE_JULIAN, /* Jn: day 1 to 365, never February 29th */
    CHANGE_DAY,    /* n: day 0 to 365 */
    CHANGE_WEEKDAY /* Mm.w.d: month, week (5: the last), weekday (0 Sunday) */
};
struct zone_change {
    enum zone_change_form form;
    int month, week, day;
    int32_t time; /* seconds after local midnight */
};

/* What comes after the last transition of the file. */
struct zone_rule {
    bool has_daylight;
    struct zone_type standard, daylight;
    struct zone_change on, off;
};

struct zone {
    const int64_t *at;      /* seconds, ascending */
    const uint8_t *type_of; /* from each of them on */
    uint32_t count;
    const struct zone_type *types; /* the first one holds before the first transition */
    uint32_t type_count;
    bool has_rule;
    struct zone_rule rule;
};

/* The rule of a TZif file's footer, such as "CET-1CEST,M3.5.0,M10.5.0/3". */
bool zone_rule_parse(struct varve_str text, struct zone_rule *rule);

const struct zone_type *type_at(const struct zone *zone, int64_t second);
/* The first transition after a second; INT64_MAX if there is none. */
int64_t next_transition(const struct zone *zone, int64_t second);
int64_t second_of_local(const struct zone *zone, int64_t local);
int64_t seconds_of(int64_t instant); /* floor */
int64_t instant_of(int64_t seconds); /* saturates */

#endif
