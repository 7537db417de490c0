/* SPDX-License-Identifier: Apache-2.0
 *
 * people.h -- the developers: who they are, where they sit, how they work.
 */
#ifndef GEN_PEOPLE_H
#define GEN_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

struct gen_developer {
    uint64_t seed;
    unsigned number;
    char id[65], email[64], account_uuid[37], account_id[32];
    const char *organization, *terminal, *arch, *os, *os_version;
    const char *team, *department, *cost_center; /* NULL: no custom resource attributes */
    const char *languages[2];
    int zone;             /* minutes east of UTC */
    unsigned eagerness;   /* sessions, in percent of the average */
    unsigned version_lag; /* days until an update is installed */
    bool api_key;         /* no account: nothing but user.id says who it is */
    bool hour_cache, hooks, fast, skills, mcp, agents;
};

void developer_make(struct gen_developer *d, uint64_t seed, unsigned number);
/* The sessions that begin on a day of the developer's calendar, given the average. */
unsigned developer_sessions(const struct gen_developer *d, int64_t local_day, unsigned average);
/* The instant at which session `k` of that day begins, to the millisecond. */
int64_t developer_start(const struct gen_developer *d, int64_t local_day, unsigned k);
/* The version of the program installed on a day, such as "2.1.295". */
void developer_version(const struct gen_developer *d, int64_t day, char text[12]);

#endif
