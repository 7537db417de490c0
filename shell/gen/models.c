/* SPDX-License-Identifier: Apache-2.0
 *
 * models.c -- which models there were at a time, and what their tokens cost.
 *
 * Prices are the public list's, per million tokens, so a token costs a whole
 * number of nano-dollars: 10.00 dollars a million are 10,000 nano-dollars a
 * token.  A change of price is a second row of the same name with a later
 * date; the row that counts is the last one that has begun.  Writes to the
 * cache cost 1.25 times the input for five minutes and twice the input for an
 * hour; fast mode doubles everything.
 *
 * The one price that depends on the length of the prompt (haiku-5-5 above
 * 100,000 tokens) is avoided: nobody here sends it such prompts.
 */
#include "models.h"

#include <stddef.h>
#include <string.h>

#define DAY INT64_C(86400000000000)

struct model {
    const char *name;
    int64_t input, output, read; /* nano-dollars a token */
    int from, retired;           /* days since 1970; 0: always, 0: still there */
    uint16_t weight;             /* how many like it; 0: a change of price */
    bool small, fast;
    int64_t limit;
};

#define D(y, m, d) DAYS_##y##_##m##_##d
enum {
    DAYS_2025_09_29 = 20360,
    DAYS_2025_10_01 = 20362,
    DAYS_2026_02_05 = 20489,
    DAYS_2026_04_16 = 20559,
    DAYS_2026_05_01 = 20574,
    DAYS_2026_06_09 = 20613,
    DAYS_2026_07_24 = 20658,
    DAYS_2026_08_20 = 20685,
    DAYS_2026_09_01 = 20697,
    DAYS_2026_09_10 = 20706,
    DAYS_2026_10_07 = 20733,
    DAYS_2026_11_09 = 20766,
};

static const struct model models[] = {
    {"claude-sonnet-4-20250514", 3000, 15000, 300, 0, D(2026, 02, 05), 4, false, false, 0},
    {"claude-opus-4-1-20250805", 15000, 75000, 1500, 0, D(2026, 02, 05), 3, false, false, 0},
    {"claude-3-5-haiku-20241022", 800, 4000, 80, 0, D(2025, 10, 01), 1, true, false, 0},
    {"claude-sonnet-4-5-20250929", 3000, 15000, 300, D(2025, 09, 29), D(2026, 05, 01), 9, false,
     false, 0},
    {"claude-haiku-4-5-20251001", 1000, 5000, 100, D(2025, 10, 01), 0, 2, true, false, 0},
    {"claude-opus-4-6", 5000, 25000, 500, D(2026, 02, 05), D(2026, 09, 01), 9, false, false, 0},
    {"claude-sonnet-4-6", 3000, 15000, 300, D(2026, 02, 05), D(2026, 09, 10), 6, false, false, 0},
    {"claude-opus-4-8", 5000, 25000, 500, D(2026, 04, 16), 0, 3, false, true, 0},
    {"claude-sonnet-5", 2000, 10000, 200, D(2026, 05, 01), 0, 3, false, false, 0},
    {"claude-fable-5", 10000, 50000, 1000, D(2026, 06, 09), D(2026, 09, 10), 2, false, false, 0},
    {"claude-opus-5", 5000, 25000, 500, D(2026, 07, 24), 0, 5, false, true, 0},
    {"claude-sonnet-5-5", 2000, 10000, 200, D(2026, 08, 20), 0, 10, false, false, 0},
    {"claude-sonnet-5-5", 2000, 10000, 100, D(2026, 10, 07), 0, 0, false, false, 0},
    {"claude-fable-5-1", 10000, 50000, 250, D(2026, 09, 01), 0, 3, false, false, 0},
    {"claude-opus-5-5", 4000, 20000, 200, D(2026, 09, 10), 0, 14, false, true, 0},
    {"claude-haiku-5-5", 100, 500, 10, D(2026, 10, 07), 0, 6, true, false, 100000},
    {"claude-fable-5-2", 8000, 40000, 200, D(2026, 11, 09), 0, 4, false, true, 0},
};
#define MODELS (sizeof models / sizeof *models)

static bool there_at(const struct model *m, int64_t day)
{
    return m->weight && m->from <= day && (!m->retired || day < m->retired);
}

int model_choose(struct chance *c, enum model_use use, int64_t when)
{
    uint16_t weights[MODELS];
    int64_t day = when / DAY;
    for (size_t i = 0; i < MODELS; i++) {
        bool fits = models[i].small == (use == MODEL_SMALL) && there_at(&models[i], day);
        weights[i] = fits ? models[i].weight : 0;
    }
    return (int)chance_weighted(c, weights, MODELS);
}

const char *model_name(int model)
{
    return models[model].name;
}

unsigned models_count(void)
{
    return MODELS;
}

bool model_has_fast(int model)
{
    return models[model].fast;
}

int64_t model_prompt_limit(int model)
{
    return models[model].limit ? models[model].limit : 900000;
}

struct prices model_prices(int model, int64_t when, bool hour_cache, bool fast)
{
    const struct model *m = &models[model];
    for (size_t i = (size_t)model + 1; i < MODELS && strcmp(models[i].name, m->name) == 0; i++)
        if (models[i].from <= when / DAY)
            m = &models[i];
    int64_t times = fast ? 2 : 1;
    int64_t write = hour_cache ? m->input * 2 : m->input * 5 / 4;
    return (struct prices){{m->input * times, m->output * times, m->read * times, write * times}};
}
