/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_day.c -- made-up developers, their sessions and what they spend.
 *
 * What matters for measuring: ids are random, labels of a session follow from its user, exports
 * are a minute and some hundred milliseconds apart, values are skewed as tokens are, and the
 * cost is what the tokens cost in nano-dollars.
 */
#include "sample_day.h"

#include <math.h>
#include <string.h>

#define MINUTE INT64_C(60000000000)
#define MILLISECOND INT64_C(1000000)
#define FIRST_DAY INT64_C(1791417600000000000)

enum { TYPES = 4, MODELS = 3 };

static const char *const types[TYPES] = {"input", "output", "cacheRead", "cacheCreation"};
static const double median[TYPES] = {40, 600, 36000, 4000};
static const double spread_of[TYPES] = {0.9, 1.1, 1.2, 1.2};

static const struct model {
    const char *name;
    int64_t price[TYPES]; /* nano-dollars a token */
} models[MODELS] = {
    {"claude-sonnet-4-5-20250929", {3000, 15000, 300, 3750}},
    {"claude-opus-4-5-20251101", {5000, 25000, 500, 6250}},
    {"claude-haiku-4-5-20251001", {1000, 5000, 100, 1250}},
};

struct sampler {
    struct rowset *rowset;
    struct prng *prng;
    const struct day_shape *shape;
    uint32_t tokens, cost;
    char organization[37];
};

static void demand(enum varve_status status)
{
    if (status != VARVE_OK)
        abort();
}

static struct varve_str text(const char *zero_terminated)
{
    return (struct varve_str){zero_terminated, strlen(zero_terminated)};
}

static void hex(struct prng *prng, char *digits, size_t size)
{
    for (size_t i = 0; i < size; i++)
        digits[i] = "0123456789abcdef"[prng_below(prng, 16)];
    digits[size] = 0;
}

static void uuid(struct prng *prng, char digits[37])
{
    hex(prng, digits, 36);
    digits[8] = digits[13] = digits[18] = digits[23] = '-';
    digits[14] = '4';
}

static double normal(struct prng *prng)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)prng_below(prng, 1 << 20) / (1 << 20);
    return sum;
}

static uint32_t
labels(struct sampler *s, uint32_t parent, const struct varve_label *label, size_t count)
{
    uint32_t set;
    demand(rowset_labels(s->rowset, parent, label, count, &set, NULL));
    return set;
}

static void add(struct sampler *s, uint32_t series, int64_t start, int64_t end, int64_t value)
{
    struct row row = {
        .series = series, .mode = ROW_DELTA, .start = start, .end = end, .value = value};
    demand(rowset_row(s->rowset, &row, NULL));
}

/* The series of one session and model. */
static void add_model(struct sampler *s, uint32_t session, const struct model *model,
                      const char *source, int64_t at)
{
    uint32_t series[TYPES + 1];
    struct varve_label label[] = {{STR("model"), text(model->name)},
                                  {STR("query_source"), text(source)}};
    uint32_t set = labels(s, session, label, 2);
    demand(rowset_series(s->rowset, s->cost, set, &series[TYPES], NULL));
    for (int t = 0; t < TYPES; t++) {
        struct varve_label type = {STR("type"), text(types[t])};
        demand(rowset_series(s->rowset, s->tokens, labels(s, set, &type, 1), &series[t], NULL));
    }
    for (unsigned i = 0; i < s->shape->points; i++) {
        int64_t end = at + MINUTE + (int64_t)(normal(s->prng) * 250) * MILLISECOND, cost = 0;
        for (int t = 0; t < TYPES; t++) {
            int64_t count = (int64_t)(median[t] * exp(spread_of[t] * normal(s->prng)));
            cost += count * model->price[t];
            add(s, series[t], at, end, count);
        }
        add(s, series[TYPES], at, end, cost);
        at = end;
    }
}

static void add_developer(struct sampler *s, unsigned number)
{
    static const char *const terminals[] = {"vscode", "iTerm.app", "tmux", "ghostty"};
    char id[65], account[37], mail[40], session[37];
    hex(s->prng, id, 64);
    uuid(s->prng, account);
    snprintf(mail, sizeof mail, "dev%03u.name%u@example.com", number,
             (unsigned)prng_below(s->prng, 1000));
    for (unsigned i = 0; i < s->shape->sessions; i++) {
        uuid(s->prng, session);
        struct varve_label label[] = {{STR("user.id"), text(id)},
                                      {STR("session.id"), text(session)},
                                      {STR("organization.id"), text(s->organization)},
                                      {STR("user.email"), text(mail)},
                                      {STR("user.account_uuid"), text(account)},
                                      {STR("terminal.type"), text(terminals[number % 4])}};
        uint32_t set = labels(s, 0, label, 6);
        uint64_t spread = (uint64_t)(s->shape->spread / MILLISECOND);
        int64_t at = FIRST_DAY + (int64_t)prng_below(s->prng, spread) * MILLISECOND;
        add_model(s, set, &models[prng_below(s->prng, 2)], "main", at);
        if (prng_below(s->prng, 10) < 3)
            add_model(s, set, &models[2], "auxiliary", at + MINUTE / 4);
    }
}

static int compare(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    return a->end != b->end ? (a->end < b->end ? -1 : 1)
                            : (a->series > b->series) - (a->series < b->series);
}

void sample_day(struct rowset *rowset, struct prng *prng, const struct day_shape *shape)
{
    struct sampler s = {.rowset = rowset, .prng = prng, .shape = shape};
    uuid(prng, s.organization);
    demand(rowset_metric(rowset, STR("claude_code.token.usage"), STR("tokens"), 1, 0, &s.tokens,
                         NULL));
    demand(rowset_metric(rowset, STR("claude_code.cost.usage"), STR("USD"), 1, 9, &s.cost, NULL));
    for (unsigned i = 0; i < shape->developers; i++)
        add_developer(&s, i);
    qsort(rowset->rows, rowset->row_count, sizeof *rowset->rows, compare);
}
