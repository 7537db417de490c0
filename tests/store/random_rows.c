/* SPDX-License-Identifier: Apache-2.0
 *
 * random_rows.c -- rows that nobody would send and somebody will, and what must become of them.
 *
 * Series come in sessions: those of a session share most labels and, mostly, the times
 * of their rows.  Each series has a flavour that says of what mode and what numbers its rows are.
 */
#include "random_rows.h"

#include "base/fsum.h"

#include <stdarg.h>
#include <string.h>

#define ABORT_UNLESS(condition) \
    do {                        \
        if (!(condition))       \
            abort();            \
    } while (0)

__extension__ typedef __int128 wide;

enum { KEYS = 7, TIMES = 40, ROOM = 80 };

struct session {
    uint32_t set;
    int64_t start[TIMES], end[TIMES];
    uint32_t times;
};

static const uint64_t odd_doubles[] = {
    0x0000000000000000, 0x8000000000000000, 0x7ff0000000000000, 0xfff0000000000000,
    0x7ff8000000000000, 0x7ff8000000000001, 0x0000000000000001, 0x7fefffffffffffff,
    0x3ff0000000000000, 0xbff0000000000000, 0x4340000000000000, 0x3cb0000000000000,
};
static const int64_t edges[] = {INT64_MIN, INT64_MAX, INT64_MAX - 1, INT64_MIN + 1, -1, 0, 1};

static struct varve_str VARVE_PRINTF(2, 3) text_of(char *room, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(room, ROOM, format, arguments);
    va_end(arguments);
    return (struct varve_str){room, (size_t)size};
}

static struct varve_str text(const char *zero_terminated)
{
    return (struct varve_str){zero_terminated, strlen(zero_terminated)};
}

static uint32_t
labels(struct rowset *rowset, uint32_t parent, const struct varve_label *label, size_t count)
{
    uint32_t set;
    ABORT_UNLESS(rowset_labels(rowset, parent, label, count, &set, NULL) == VARVE_OK);
    return set;
}

/* Labels of a session: some the same for all, some that follow from the user, some missing. */
static uint32_t
session_labels(struct rowset *rowset, struct prng *prng, uint64_t number, uint64_t users)
{
    char room[KEYS][ROOM];
    struct varve_label label[KEYS];
    uint64_t user = prng_below(prng, users);
    size_t n = 0;
    label[n++] = (struct varve_label){STR("org"), STR("the only one")};
    label[n++] = (struct varve_label){
        STR("session.id"), text_of(room[1], "00000000-0000-4000-8000-%012" PRIx64, number)};
    label[n++] = (struct varve_label){STR("user.id"), text_of(room[2], "%032" PRIx64, user)};
    label[n++] =
        (struct varve_label){STR("user.email"), text_of(room[3], "u%" PRIu64 "@x.io", user)};
    if (user % 3)
        label[n++] = (struct varve_label){STR("team"), text_of(room[4], "t%" PRIu64, user % 5)};
    if (prng_below(prng, 4) == 0)
        label[n++] = (struct varve_label){STR("größe"), text_of(room[5], "%" PRIu64, number % 7)};
    return labels(rowset, 0, label, n);
}

/* Ends that ascend, most of them a minute apart; starts that join up, mostly. */
static void session_times(struct session *session, struct prng *prng)
{
    int64_t at = INT64_C(1760000000000000000) + (int64_t)prng_below(prng, 86400) * 1000000000;
    session->times = 1 + (uint32_t)prng_below(prng, TIMES);
    for (uint32_t i = 0; i < session->times; i++) {
        session->start[i] = prng_below(prng, 8) ? at : at + (int64_t)prng_below(prng, 1000);
        at += prng_below(prng, 20) ? 60000000000 + (int64_t)prng_below(prng, 999) * 1000000 : 0;
        session->end[i] = at;
    }
}

static int64_t random_int(struct prng *prng)
{
    switch (prng_below(prng, 12)) {
    case 0:
        return edges[prng_below(prng, sizeof edges / sizeof *edges)];
    case 1:
        return (int64_t)prng_next(prng);
    case 2:
        return 0;
    default:
        return (int64_t)prng_below(prng, UINT64_C(1) << prng_below(prng, 30));
    }
}

static int64_t random_double(struct prng *prng)
{
    double v = (double)prng_below(prng, 100000) / 100;
    int64_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (prng_below(prng, 10) == 0)
        bits = (int64_t)odd_doubles[prng_below(prng, sizeof odd_doubles / sizeof *odd_doubles)];
    return bits;
}

static void add(struct rowset *rowset, struct row row)
{
    ABORT_UNLESS(rowset_row(rowset, &row, NULL) == VARVE_OK);
}

/* A row, and what may come with it: itself again, another at the same time, an adjustment. */
static void add_rows(struct rowset *rowset, struct prng *prng, struct row row)
{
    add(rowset, row);
    if (prng_below(prng, 30) == 0)
        add(rowset, row);
    uint64_t more = prng_below(prng, 6);
    if (row.mode == ROW_CUMULATIVE && more < 2) {
        row.mode = more ? ROW_ADJUST : ROW_CUMULATIVE;
        row.value = row.is_float ? random_double(prng) : random_int(prng);
        add(rowset, row);
    }
}

static void random_series(struct rowset *rowset, struct prng *prng, uint32_t series,
                          const struct session *session)
{
    uint8_t mode = (uint8_t)prng_below(prng, ROW_MODES);
    uint64_t numbers = prng_below(prng, 4), starts = prng_below(prng, 6);
    bool tame = prng_below(prng, 4) != 0;
    for (uint32_t i = 0; i < session->times; i++) {
        struct row row = {.series = series, .mode = mode, .end = session->end[i]};
        row.is_float = numbers == 0 || (numbers == 1 && prng_below(prng, 2));
        row.start = starts == 0                               ? 0
                    : starts == 1 && prng_below(prng, 3) == 0 ? 0
                    : mode == ROW_DELTA                       ? session->start[i]
                                                              : session->start[i % starts];
        if (mode == ROW_GAUGE)
            row.start = 0;
        row.value = row.is_float ? random_double(prng)
                    : tame       ? (int64_t)prng_below(prng, 5000)
                                 : random_int(prng);
        if (prng_below(prng, 200) == 0)
            row.end = edges[prng_below(prng, sizeof edges / sizeof *edges)];
        add_rows(rowset, prng, row);
    }
}

void shuffle_rows(struct rowset *rowset, struct prng *prng)
{
    for (size_t i = rowset->row_count; i > 1; i--) {
        size_t j = (size_t)prng_below(prng, i);
        struct row row = rowset->rows[i - 1];
        rowset->rows[i - 1] = rowset->rows[j];
        rowset->rows[j] = row;
    }
}

void random_rows(struct rowset *rowset, struct prng *prng, size_t most)
{
    static const char *const names[] = {"claude_code.token.usage", "claude_code.cost.usage", "a",
                                        "zz.größe"};
    static const char *const types[] = {"input", "output", "cacheRead", "cacheCreation"};
    uint64_t users = 1 + prng_below(prng, 12), metrics = 1 + prng_below(prng, 4), number = 0;
    bool own_times = prng_below(prng, 2) != 0;
    size_t until = rowset->row_count + 1 + (size_t)prng_below(prng, most);
    while (rowset->row_count < until) {
        struct session session;
        session.set = session_labels(rowset, prng, number++, users);
        session_times(&session, prng);
        for (uint64_t s = 1 + prng_below(prng, 6); s > 0; s--) {
            uint32_t metric, set, series;
            uint64_t m = prng_below(prng, metrics);
            struct varve_label type = {STR("type"), text(types[prng_below(prng, 4)])};
            set = labels(rowset, prng_below(prng, 20) ? session.set : 0, &type, m != 1);
            ABORT_UNLESS(rowset_metric(rowset, text(names[m]), text(m ? "" : "tokens"), 1,
                                       m == 1 ? 9 : 0, &metric, NULL) == VARVE_OK);
            ABORT_UNLESS(rowset_series(rowset, metric, set, &series, NULL) == VARVE_OK);
            if (own_times)
                session_times(&session, prng);
            random_series(rowset, prng, series, &session);
        }
    }
    shuffle_rows(rowset, prng);
}

/* ---- what must come out ---- */

static const struct rowset *sorting;

/* Adjustments stand right behind the readings. */
static int place_of(enum row_mode mode)
{
    static const int place[ROW_MODES] = {
        [ROW_DELTA] = 0, [ROW_CUMULATIVE] = 1, [ROW_ADJUST] = 2, [ROW_GAUGE] = 3, [ROW_BASE] = 4};
    return place[mode];
}

static int compare(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    struct h128 g = sorting->series[a->series].hash, h = sorting->series[b->series].hash;
    if (g.hi != h.hi || g.lo != h.lo)
        return g.hi != h.hi ? (g.hi < h.hi ? -1 : 1) : (g.lo < h.lo ? -1 : 1);
    if (a->is_float != b->is_float)
        return a->is_float - b->is_float;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    if (a->mode != b->mode)
        return place_of(a->mode) - place_of(b->mode);
    return a->value < b->value ? -1 : a->value > b->value;
}

/* Whether n rows add up exactly to one of their number type, and to which. */
static bool exact_sum(const struct row *rows, size_t n, int64_t *value)
{
    struct fsum sum;
    wide ints = 0;
    double high, low;
    fsum_clear(&sum);
    for (size_t i = 0; i < n; i++) {
        double v;
        memcpy(&v, &rows[i].value, sizeof v);
        if (rows[i].is_float)
            fsum_add(&sum, v);
        else
            ints += rows[i].value;
    }
    if (!rows[0].is_float) {
        *value = (int64_t)ints;
        return ints >= INT64_MIN && ints <= INT64_MAX;
    }
    int exact = fsum_split(&sum, &high, &low);
    memcpy(value, &high, sizeof high);
    return exact && low == 0 && high - high == 0;
}

static bool same_point(const struct row *a, const struct row *b)
{
    return a->series == b->series && a->is_float == b->is_float && a->start == b->start &&
           a->end == b->end && (b->mode == ROW_CUMULATIVE || b->mode == ROW_ADJUST);
}

/* How many rows from here on are readings of one point and adjustments to it. */
static size_t point_rows(const struct row *rows, size_t count)
{
    size_t n = 1;
    if (rows[0].mode != ROW_CUMULATIVE)
        return 1;
    while (n < count && same_point(&rows[0], &rows[n]))
        n++;
    return n;
}

void settle_rows(struct rowset *rowset)
{
    sorting = rowset;
    for (size_t i = 0; i < rowset->row_count; i++)
        if (rowset->rows[i].mode == ROW_GAUGE)
            rowset->rows[i].start = 0;
    if (rowset->row_count > 0)
        qsort(rowset->rows, rowset->row_count, sizeof *rowset->rows, compare);
    size_t to = 0;
    for (size_t i = 0, n; i < rowset->row_count; i += n) {
        struct row *rows = &rowset->rows[i];
        int64_t value;
        n = point_rows(rows, rowset->row_count - i);
        if (n > 1 && exact_sum(rows, n, &value)) {
            rows[0].value = value;
            rowset->rows[to++] = rows[0];
        } else {
            for (size_t k = 0; k < n; k++)
                rowset->rows[to++] = rows[k];
        }
    }
    rowset->row_count = to;
}

static bool equal_labels(const struct rowset *a, const struct rowset *b, uint32_t x, uint32_t y)
{
    const struct label_set *s = &a->sets[x], *t = &b->sets[y];
    if (s->count != t->count || !h128_equal(s->hash, t->hash))
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        if (!str_equal(intern_text(&a->texts, s->pairs[i].key),
                       intern_text(&b->texts, t->pairs[i].key)) ||
            !str_equal(intern_text(&a->texts, s->pairs[i].value),
                       intern_text(&b->texts, t->pairs[i].value)))
            return false;
    return true;
}

static bool equal_series(const struct rowset *a, const struct rowset *b, uint32_t x, uint32_t y)
{
    const struct rowset_series *s = &a->series[x], *t = &b->series[y];
    const struct rowset_metric *m = &a->metrics[s->metric], *n = &b->metrics[t->metric];
    return h128_equal(s->hash, t->hash) && m->kind == n->kind && m->scale == n->scale &&
           str_equal(intern_text(&a->texts, m->name), intern_text(&b->texts, n->name)) &&
           str_equal(intern_text(&a->texts, m->unit), intern_text(&b->texts, n->unit)) &&
           equal_labels(a, b, s->set, t->set);
}

bool same_rows(const struct rowset *a, const struct rowset *b)
{
    if (a->row_count != b->row_count)
        return false;
    for (size_t i = 0; i < a->row_count; i++) {
        const struct row *x = &a->rows[i], *y = &b->rows[i];
        if (x->mode != y->mode || x->is_float != y->is_float || x->start != y->start ||
            x->end != y->end || x->value != y->value || !equal_series(a, b, x->series, y->series))
            return false;
    }
    return true;
}
