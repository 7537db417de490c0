/* SPDX-License-Identifier: Apache-2.0
 *
 * zone.c -- the public interface: local times.
 */
#include "base/zone.h"

#include <stdlib.h>

#include "base/str.h"

struct varve_zone {
    struct mem mem;
    struct arena arena;
    const struct zone *zone;
};

enum varve_status varve_zone_open(struct varve_str name, varve_zone **result, struct varve_err *err)
{
    varve_zone *zone = calloc(1, sizeof *zone);
    if (!zone)
        return fail_nomem(err, sizeof *zone);
    mem_init(&zone->mem, NULL, 0);
    arena_init(&zone->arena, &zone->mem, 1 << 12);
    if (str_equal(name, STR("local")))
        name = zone_system_name(&zone->arena);
    enum varve_status status = zone_open(name, &zone->arena, &zone->zone, err);
    if (status != VARVE_OK) {
        varve_zone_free(zone);
        return status;
    }
    *result = zone;
    return VARVE_OK;
}

void varve_zone_free(varve_zone *zone)
{
    if (zone)
        arena_free(&zone->arena);
    free(zone);
}

void varve_zone_local(const varve_zone *zone, int64_t instant, struct varve_local *local)
{
    struct zone_time t = zone_local(zone->zone, instant);
    *local = (struct varve_local){t.year,   t.month,      t.day,     t.hour,  t.minute,
                                  t.second, t.nanosecond, t.weekday, t.offset};
}
