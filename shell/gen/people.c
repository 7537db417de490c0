/* SPDX-License-Identifier: Apache-2.0
 *
 * people.c -- the developers: who they are, where they sit, how they work.
 *
 * Everything about a developer follows from (seed, number), and everything
 * about a day of theirs from (developer, day), so a day can be made without
 * those before it.  Averages hold over many developers and days: some hold
 * half as many sessions as others, some days are off, weekends are thin.
 */
#include "people.h"

#include <stdio.h>
#include <string.h>
#include "chance.h"

#define SECOND INT64_C(1000000000)
#define COUNT(array) ((unsigned)(sizeof(array) / sizeof *(array)))

static const char organization[] = "6f1e1f9c-52a5-4a43-8a34-0c1f6a9b3f10";

static const char *const first_names[] = {
    "ada",  "alan",  "barbara", "dennis", "edsger", "emmy",     "frances", "grace", "hedy",
    "john", "karen", "ken",     "leslie", "linus",  "margaret", "niklaus", "radia", "tony"};

static const char *const terminals[] = {"vscode", "iTerm.app",    "tmux",          "ghostty",
                                        "cursor", "WarpTerminal", "xterm-256color"};

static const struct {
    const char *arch, *os, *version;
} machines[] = {
    {"arm64", "darwin", "25.3.0"},      {"amd64", "linux", "6.8.0-110-generic"},
    {"arm64", "darwin", "25.1.0"},      {"amd64", "linux", "6.6.87.2-microsoft-standard-WSL2"},
    {"amd64", "windows", "10.0.26100"},
};

static const struct {
    const char *team, *department, *cost_center;
    const char *languages[2];
    int zone;
} teams[] = {
    {"platform", "engineering", "cc-1100", {"Go", "YAML"}, -420},
    {"checkout", "engineering", "cc-1200", {"TypeScript", "CSS"}, 120},
    {"search", "engineering", "cc-1210", {"Rust", "Markdown"}, 60},
    {"data", "analytics", "cc-2100", {"Python", "SQL"}, 330},
    {"mobile", "engineering", "cc-1300", {"Kotlin", "Swift"}, -240},
    {"security", "it", "cc-3100", {"Python", "unknown"}, 120},
    {"storage", "engineering", "cc-1400", {"C", "Markdown"}, 540},
};

/* How likely a session begins in each hour of the developer's clock: lunch is at twelve. */
static const uint16_t hours[24] = {0, 0,  0,  0,  0,  0,  1, 4, 10, 17, 18, 15,
                                   6, 10, 16, 17, 15, 11, 6, 4, 3,  2,  1,  0};

void developer_make(struct gen_developer *d, uint64_t seed, unsigned number)
{
    struct chance c = {chance_mix(seed, 0xd1ce00000000 + number)};
    unsigned team = chance_below(&c, COUNT(teams)), machine = chance_below(&c, COUNT(machines));
    *d = (struct gen_developer){.number = number, .seed = chance_next(&c)};
    chance_hex(&c, d->id, 64);
    chance_uuid(&c, d->account_uuid);
    memcpy(d->account_id, "user_01", 7);
    chance_id(&c, d->account_id + 7, 22);
    d->api_key = chance_permille(&c, 80);
    if (!d->api_key)
        snprintf(d->email, sizeof d->email, "%s.%u@example.com",
                 first_names[chance_below(&c, COUNT(first_names))], number + 1);
    d->organization = organization;
    d->terminal = chance_permille(&c, 50) ? NULL : terminals[chance_below(&c, COUNT(terminals))];
    d->arch = machines[machine].arch;
    d->os = machines[machine].os;
    d->os_version = machines[machine].version;
    if (chance_permille(&c, 700)) {
        d->team = teams[team].team;
        d->department = teams[team].department;
        d->cost_center = teams[team].cost_center;
    }
    memcpy(d->languages, teams[team].languages, sizeof d->languages);
    d->zone = teams[team].zone;
    d->eagerness = 50 + chance_below(&c, 101);
    d->version_lag = chance_below(&c, 8);
    d->hour_cache = !d->api_key && chance_permille(&c, 800);
    d->hooks = chance_permille(&c, 300);
    d->fast = chance_permille(&c, 150);
    d->skills = chance_permille(&c, 350);
    d->mcp = chance_permille(&c, 350);
    d->agents = chance_permille(&c, 500);
}

unsigned developer_sessions(const struct gen_developer *d, int64_t local_day, unsigned average)
{
    struct chance c = {chance_mix(d->seed, (uint64_t)local_day)};
    bool weekend = (local_day + 4) % 7 == 0 || (local_day + 4) % 7 == 6; /* day 0 was a Thursday */
    if (!chance_permille(&c, weekend ? 80 : 920))
        return 0;
    /* Twice a uniform number averages one; what is left of a session happens by chance. */
    uint64_t thousandths = (uint64_t)average * d->eagerness * 10;
    if (!weekend)
        thousandths = thousandths * 1000 / 920;
    else
        thousandths /= 3;
    thousandths = (thousandths * 500 + thousandths * chance_below(&c, 1001)) / 1000;
    return (unsigned)((thousandths + chance_below(&c, 1000)) / 1000);
}

int64_t developer_start(const struct gen_developer *d, int64_t local_day, unsigned k)
{
    struct chance c = {chance_mix(d->seed ^ 0x5e5510, (uint64_t)local_day * 4096 + k)};
    int64_t second = chance_weighted(&c, hours, 24) * INT64_C(3600) + chance_below(&c, 3600);
    int64_t utc = local_day * 86400 + second - d->zone * 60;
    return utc * SECOND + chance_below(&c, 1000) * INT64_C(1000000);
}

void developer_version(const struct gen_developer *d, int64_t day, char text[12])
{
    const int64_t known_day = 20758, known_patch = 295; /* 2026-11-01 */
    int64_t patch = known_patch + (day - d->version_lag - known_day) * 9 / 10;
    patch = patch < 222 ? 222 : patch > 99999 ? 99999 : patch;
    snprintf(text, 12, "2.1.%d", (int)patch);
}
