/* SPDX-License-Identifier: Apache-2.0
 *
 * zone.h -- time zones and calendars: local days, weeks, months of any zone of the tz database.
 *
 * A zone is read once from the system's compiled files (TZif) and is a table of
 * transitions with a rule for what comes after the last one.  "UTC" and "" need no file.  Local
 * midnights may not exist (a day then begins where the gap ends) and may come twice (it begins at
 * the first).
 *
 * Invariant: period_start(zone, unit, t) <= t < period_next(zone, unit, t), and the starts of one
 * unit cut all of time into pieces without gaps, for every zone and every instant.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/arena.h"
#include "base/clock.h"

struct zone;

/* Reads the zone into the arena.  VARVE_NOTFOUND: no such zone, or no tz database here (a message
 * says which); names that leave the database's directory are no zones. */
enum varve_status zone_open(struct varve_str name, struct arena *arena, const struct zone **zone,
                            struct varve_err *err) VARVE_CHECKED;
/* For tests and fuzzing: the bytes of a TZif file. */
enum varve_status zone_read(const uint8_t *bytes, size_t size, struct arena *arena,
                            const struct zone **zone, struct varve_err *err) VARVE_CHECKED;
const struct zone *zone_utc(void);
/* The name of the system's own zone: TZ, /etc/timezone or /etc/localtime; "UTC" if none says. */
struct varve_str zone_system_name(struct arena *arena);

/* Seconds east of Greenwich at an instant; *abbreviation (if not NULL): "CEST". */
int32_t zone_offset(const struct zone *zone, int64_t instant, struct varve_str *abbreviation);

/* Local date and time of day. */
struct zone_time {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second, nanosecond;
    int weekday; /* 1 Monday .. 7 Sunday */
    int32_t offset;
};
struct zone_time zone_local(const struct zone *zone, int64_t instant);
/* The instant of a local time; one that does not exist gives the end of the gap, one that comes
 * twice the first.  Fields out of range carry over (month 14 is February of the next year). */
int64_t zone_instant(const struct zone *zone, int year, int month, int day, int hour, int minute,
                     int second, int nanosecond);

enum calendar_unit {
    UNIT_NONE,
    UNIT_HOUR, /* of the zone's clock: where an offset is no whole hour, its own */
    UNIT_DAY,
    UNIT_WEEK, /* from Monday */
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    CALENDAR_UNITS
};
extern const char *const calendar_unit_names[CALENDAR_UNITS];

int64_t period_start(const struct zone *zone, enum calendar_unit unit, int64_t instant);
/* The start of the period behind the one that holds the instant. */
int64_t period_next(const struct zone *zone, enum calendar_unit unit, int64_t instant);
/* The same local time `count` periods later (or earlier); the last day of a shorter month. */
int64_t period_add(const struct zone *zone, enum calendar_unit unit, int64_t instant, int count);

#endif
