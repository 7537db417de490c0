/* SPDX-License-Identifier: Apache-2.0
 *
 * test_reading.c -- scans, filters, lists: what comes out, to the last field.
 *
 * Every question is asked three times: of the journal, of sealed days, and of
 * a store that has both.
 */
#include <stdio.h>

#include "small.h"

/* ---- labels ------------------------------------------------------------- */

static void test_label_sets(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    uint32_t base = small_labels(&s, VARVE_NO_LABELS, "user=ann,host=tower");
    uint32_t model = small_labels(&s, base, "model=opus");
    assert_int_equal(small_labels(&s, VARVE_NO_LABELS, "model=opus,host=tower,user=ann"), model);
    assert_int_equal(small_labels(&s, model, "model="), base); /* a label taken away again */
    assert_int_equal(small_labels(&s, base, "host=,user="), VARVE_NO_LABELS);
    assert_int_equal(small_labels(&s, base, ""), base);
    assert_int_equal(small_labels(&s, base, "nothing="), base);
    assert_int_equal(small_labels(&s, VARVE_NO_LABELS, "nothing="), VARVE_NO_LABELS);
    uint32_t other = small_labels(&s, model, "user=ben"); /* replaced */
    assert_int_not_equal(other, model);
    assert_int_equal(small_labels(&s, other, "user=ann"), model);
    small_remove(&s);
}

/* ---- a store to ask ------------------------------------------------------ */

enum stage { JOURNAL, SEALED, BOTH, STAGES };

/* Half of the points before the seal, half after it, or all on one side. */
static void fill(struct small *s, enum stage stage)
{
    small_make(s);
    small_delta(s, "tokens", "tokens", "user=ann,model=opus", T0 + HOUR, varve_int(1));
    small_delta(s, "tokens", "tokens", "user=ann,model=haiku", T0 + 2 * HOUR, varve_int(10));
    small_delta(s, "tokens", "tokens", "user=ben,model=opus", T0 + DAY, varve_int(100));
    small_delta(s, "cost", "USD", "user=ann", T0 + HOUR, varve_float(0.25));
    small_append(s);
    if (stage == BOTH)
        MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
    small_delta(s, "tokens", "tokens", "user=ben", T0 + DAY, varve_int(1000));
    small_delta(s, "tokens", "tokens", "", T0 + 40 * DAY, varve_int(10000));
    small_append(s);
    if (stage == SEALED)
        MUST(varve_seal(s->db, INT64_MAX, NULL, &test_err));
}

static int64_t filtered(struct small *s, const struct varve_filter *filters, size_t count)
{
    struct ask ask = {.source = "tokens",
                      .since = INT64_MIN,
                      .until = INT64_MAX,
                      .filters = filters,
                      .filter_count = count};
    struct group_answer *groups;
    struct row_answer *rows;
    int64_t sum = 0, by_rows = 0;
    MUST(varve_snapshot_open(s->db, &ask.snapshot, &test_err));
    if (ask_groups(&ask, &groups) > 0)
        sum = (int64_t)groups[0].sum.whole;
    size_t row_count = ask_rows(&ask, &rows);
    for (size_t i = 0; i < row_count; i++)
        by_rows += (int64_t)rows[i].value.whole;
    assert_int_equal(by_rows, sum);
    varve_snapshot_close(ask.snapshot);
    free(groups);
    free(rows);
    return sum;
}

static void test_filters(void **state)
{
    (void)state;
    const struct varve_str ann = varve_str("ann"), ben = varve_str("ben"), none = varve_str("");
    const struct varve_str both[] = {ben, ann}, ann_none[] = {none, ann};
    const struct varve_str opus = varve_str("opus"), nobody = varve_str("nobody");
    const struct varve_str user = varve_str("user"), model = varve_str("model");
    const struct varve_str colour = varve_str("colour");
    const struct {
        struct varve_filter filter;
        int64_t sum;
    } cases[] = {
        {{user, 0, &ann, 1}, 11},        {{user, 1, &ann, 1}, 11100},
        {{user, 0, both, 2}, 1111},      {{user, 1, both, 2}, 10000},
        {{user, 0, &none, 1}, 10000},    {{user, 1, &none, 1}, 1111},
        {{user, 0, ann_none, 2}, 10011}, {{user, 1, ann_none, 2}, 1100},
        {{user, 0, &nobody, 1}, 0},      {{user, 1, &nobody, 1}, 11111},
        {{user, 0, NULL, 0}, 0},         {{user, 1, NULL, 0}, 11111},
        {{model, 0, &opus, 1}, 101},     {{model, 0, &none, 1}, 11000},
        {{colour, 0, &opus, 1}, 0},      {{colour, 1, &opus, 1}, 11111},
        {{colour, 0, &none, 1}, 11111},  {{colour, 1, &none, 1}, 0},
    };
    for (int stage = 0; stage < STAGES; stage++) {
        struct small s;
        fill(&s, (enum stage)stage);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            assert_int_equal(filtered(&s, &cases[i].filter, 1), cases[i].sum);
        const struct varve_filter two[] = {cases[0].filter, cases[12].filter};
        assert_int_equal(filtered(&s, two, 2), 1); /* of ann and opus */
        assert_int_equal(filtered(&s, NULL, 0), 11111);
        small_remove(&s);
    }
}

static void test_ranges(void **state)
{
    (void)state;
    for (int stage = 0; stage < STAGES; stage++) {
        struct small s;
        fill(&s, (enum stage)stage);
        const int64_t end = T0 + HOUR;
        assert_int_equal(small_increase(&s, "tokens", end, end + 1), 1);
        assert_int_equal(small_increase(&s, "tokens", end + 1, end + 2), 0);
        assert_int_equal(small_increase(&s, "tokens", end - 1, end), 0);
        assert_int_equal(small_increase(&s, "tokens", end, end), 0);
        assert_int_equal(small_increase(&s, "tokens", INT64_MAX, INT64_MIN), 0);
        assert_int_equal(small_increase(&s, "tokens", T0, T0 + DAY), 11);
        assert_int_equal(small_increase(&s, "tokens", T0, T0 + DAY + 1), 1111);
        assert_int_equal(small_increase(&s, "tokens", INT64_MIN, INT64_MAX), 11111);
        assert_int_equal(small_increase(&s, "cost", T0, T0 + DAY), 250000000);
        small_remove(&s);
    }
}

/* ---- names --------------------------------------------------------------- */

static void test_did_you_mean(void **state)
{
    (void)state;
    struct small s;
    varve_snapshot *snap;
    varve_scan *scan = NULL;
    struct varve_query q = {.source = varve_str("tokens"), .until = INT64_MAX};
    small_make(&s);
    MUST(varve_snapshot_open(s.db, &snap, &test_err));
    REFUSED(VARVE_NOTFOUND, "the store is empty", varve_scan_open(snap, &q, &scan, &test_err));
    REFUSED(VARVE_NOTFOUND, "'tokens'", varve_visit_labels(snap, q.source, NULL, NULL, &test_err));
    REFUSED(VARVE_MISUSE, "query", varve_scan_open(snap, NULL, &scan, &test_err));
    varve_snapshot_close(snap);
    small_remove(&s);
    for (int stage = 0; stage < STAGES; stage++) {
        fill(&s, (enum stage)stage);
        struct varve_field field = {varve_str("ok"), varve_bool(1)};
        MUST(varve_batch_event(s.batch, varve_str("api_request"), T0, &field, 1, &test_err));
        small_append(&s);
        MUST(varve_snapshot_open(s.db, &snap, &test_err));
        q.source = varve_str("token");
        REFUSED(VARVE_NOTFOUND, "did you mean 'tokens'",
                varve_scan_open(snap, &q, &scan, &test_err));
        q.source = varve_str("Cost");
        REFUSED(VARVE_NOTFOUND, "did you mean 'cost'", varve_scan_open(snap, &q, &scan, &test_err));
        q.source = varve_str("api_requests");
        REFUSED(VARVE_NOTFOUND, "did you mean 'api_request'",
                varve_scan_open(snap, &q, &scan, &test_err));
        REFUSED(VARVE_NOTFOUND, "did you mean 'api_request'",
                varve_visit_labels(snap, q.source, NULL, NULL, &test_err));
        REFUSED(VARVE_NOTFOUND, "did you mean 'api_request'",
                varve_visit_columns(snap, q.source, NULL, NULL, &test_err));
        REFUSED(VARVE_NOTFOUND, "did you mean 'api_request'",
                varve_visit_values(snap, q.source, q.source, NULL, NULL, &test_err));
        assert_null(scan);
        varve_snapshot_close(snap);
        small_remove(&s);
    }
}

/* ---- lists --------------------------------------------------------------- */

struct listing {
    char text[1024];
    int stop_after;
};

static int add_line(struct listing *l, const char *line)
{
    size_t at = strlen(l->text);
    snprintf(l->text + at, sizeof l->text - at, "%s\n", line);
    return l->stop_after > 0 && --l->stop_after == 0;
}

static int see_metric(void *context, const struct varve_metric_info *info)
{
    char line[256];
    snprintf(line, sizeof line, "%.*s [%.*s] kind %d scale %d: %llu in %llu, %+lld %+lld",
             (int)info->metric.name.size, info->metric.name.data, (int)info->metric.unit.size,
             info->metric.unit.data, info->metric.kind, info->scale,
             (unsigned long long)info->points, (unsigned long long)info->series,
             (long long)((info->oldest - T0) / HOUR), (long long)((info->newest - T0) / HOUR));
    return add_line(context, line);
}

static int see_table(void *context, const struct varve_table_info *info)
{
    char line[256];
    snprintf(line, sizeof line, "%.*s: %llu, %+lld %+lld", (int)info->name.size, info->name.data,
             (unsigned long long)info->rows, (long long)((info->oldest - T0) / HOUR),
             (long long)((info->newest - T0) / HOUR));
    return add_line(context, line);
}

static int see_count(void *context, const struct varve_count_info *info)
{
    char line[256];
    snprintf(line, sizeof line, "%.*s: %llu", (int)info->text.size, info->text.data,
             (unsigned long long)info->count);
    return add_line(context, line);
}

#define LISTED(wanted, call)                 \
    do {                                     \
        l = (struct listing){"", 0};         \
        MUST(call);                          \
        assert_string_equal(l.text, wanted); \
    } while (0)

static void put_events(struct small *s)
{
    for (int i = 0; i < 6; i++) {
        struct varve_field fields[] = {
            {varve_str("model"), varve_text(varve_str(i % 3 ? "opus" : "haiku"))},
            {varve_str("tokens"), varve_int(i)},
            {varve_str("note"), i ? (struct varve_value){0} : varve_text(varve_str("first"))},
        };
        MUST(varve_batch_event(s->batch, varve_str("api_request"), T0 + i * 12 * HOUR, fields, 3,
                               &test_err));
    }
    MUST(varve_batch_event(s->batch, varve_str("empty"), T0, NULL, 0, &test_err));
    small_append(s);
}

static void test_lists(void **state)
{
    (void)state;
    for (int stage = 0; stage < STAGES; stage++) {
        struct small s;
        struct listing l;
        varve_snapshot *snap;
        const struct varve_str tokens = varve_str("tokens"), user = varve_str("user");
        const struct varve_str request = varve_str("api_request"), model = varve_str("model");
        fill(&s, (enum stage)stage);
        put_events(&s);
        if (stage == SEALED)
            MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
        MUST(varve_snapshot_open(s.db, &snap, &test_err));
        LISTED("cost [USD] kind 1 scale 9: 1 in 1, +1 +1\n"
               "tokens [tokens] kind 1 scale 0: 5 in 5, +1 +960\n",
               varve_visit_metrics(snap, see_metric, &l, &test_err));
        LISTED("api_request: 6, +0 +60\nempty: 1, +0 +0\n",
               varve_visit_tables(snap, see_table, &l, &test_err));
        LISTED("model: 2\nuser: 2\n", varve_visit_labels(snap, tokens, see_count, &l, &test_err));
        LISTED("ann: 2\nben: 2\n",
               varve_visit_values(snap, tokens, user, see_count, &l, &test_err));
        LISTED("opus: 2\nhaiku: 1\n",
               varve_visit_values(snap, tokens, model, see_count, &l, &test_err));
        LISTED("", varve_visit_values(snap, tokens, request, see_count, &l, &test_err));
        LISTED("model: 2\nnote: 1\n", varve_visit_labels(snap, request, see_count, &l, &test_err));
        LISTED("model: 6\nnote: 1\ntokens: 6\n",
               varve_visit_columns(snap, request, see_count, &l, &test_err));
        LISTED("", varve_visit_columns(snap, varve_str("empty"), see_count, &l, &test_err));
        LISTED("opus: 4\nhaiku: 2\n",
               varve_visit_values(snap, request, model, see_count, &l, &test_err));
        l = (struct listing){"", 1};
        MUST(varve_visit_metrics(snap, see_metric, &l, &test_err)); /* stopping is no error */
        assert_string_equal(l.text, "cost [USD] kind 1 scale 9: 1 in 1, +1 +1\n");
        l = (struct listing){"", 1};
        MUST(varve_visit_values(snap, tokens, model, see_count, &l, &test_err));
        assert_string_equal(l.text, "opus: 2\n");
        varve_snapshot_close(snap);
        small_remove(&s);
    }
}

/* ---- events -------------------------------------------------------------- */

/* What cells were is told where a column has them as something else, and only there. */
static void check_types(varve_snapshot *snapshot)
{
    const struct varve_str keys[] = {varve_str("mixed"), varve_str("number"), varve_str("t")};
    const struct varve_query query = {
        .source = varve_str("all"), .until = INT64_MAX, .columns = keys, .column_count = 3};
    struct varve_rows rows;
    varve_scan *scan;
    MUST(varve_scan_open(snapshot, &query, &scan, &test_err));
    MUST(varve_scan_rows(scan, &rows, &test_err));
    assert_int_equal(rows.rows, 3);
    assert_int_equal(rows.columns[0].type, VARVE_TEXT);
    assert_int_equal(rows.columns[1].type, VARVE_FLOAT);
    for (int c = 0; c < 2; c++) {
        assert_non_null(rows.columns[c].types);
        assert_int_equal(rows.columns[c].types[0], VARVE_INT);
        assert_int_equal(rows.columns[c].types[1], rows.columns[c].type);
        assert_int_equal(rows.columns[c].types[2], VARVE_NULL);
    }
    assert_null(rows.columns[2].types);
    varve_scan_close(scan);
}

/* The class of a column in one segment is the narrowest that holds all its cells. */
static void test_event_types(void **state)
{
    (void)state;
    static const char *const keys[] = {"b", "f", "i", "mixed", "none", "number", "t"};
    for (int sealed = 0; sealed < 2; sealed++) {
        struct small s;
        struct event_answer *events;
        struct ask ask = {NULL, "all", T0, T0 + DAY, NULL, 0, keys, 7, 0};
        small_make(&s);
        struct varve_field one[] = {{varve_str("i"), varve_int(INT64_MIN)},
                                    {varve_str("f"), varve_float(0x1.8p-3)},
                                    {varve_str("b"), varve_bool(1)},
                                    {varve_str("t"), varve_text(varve_str("größe"))},
                                    {varve_str("mixed"), varve_int(7)},
                                    {varve_str("number"), varve_int(7)}};
        struct varve_field two[] = {{varve_str("mixed"), varve_text(varve_str("seven"))},
                                    {varve_str("number"), varve_float(0.5)},
                                    {varve_str("t"), varve_text(varve_str(""))}};
        MUST(varve_batch_event(s.batch, varve_str("all"), T0, one, 6, &test_err));
        MUST(varve_batch_event(s.batch, varve_str("all"), T0 + 1, two, 3, &test_err));
        MUST(varve_batch_event(s.batch, varve_str("all"), T0 + 2, NULL, 0, &test_err));
        assert_int_equal(small_append(&s).events, 3);
        if (sealed)
            MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
        MUST(varve_snapshot_open(s.db, &ask.snapshot, &test_err));
        assert_int_equal(ask_events(&ask, &events), 3);
        assert_string_equal(events[0].text,
                            "b=b:1\nf=f:0x1.8p-3\ni=i:-9223372036854775808\nmixed=s:7\n"
                            "number=f:0x1.cp+2\nt=s:größe\n");
        assert_string_equal(events[1].text, "mixed=s:seven\nnumber=f:0x1p-1\nt=s:\n");
        assert_string_equal(events[2].text, "");
        check_types(ask.snapshot);
        free(events);
        varve_snapshot_close(ask.snapshot);
        small_remove(&s);
    }
}

static size_t count_events(struct small *s, const char *key, int negate, const char *value)
{
    const struct varve_str v = varve_str(value);
    const struct varve_filter filter = {varve_str(key), negate, &v, 1};
    struct ask ask = {NULL, "all", INT64_MIN, INT64_MAX, &filter, 1, NULL, 0, 0};
    struct event_answer *events;
    MUST(varve_snapshot_open(s->db, &ask.snapshot, &test_err));
    size_t count = ask_events(&ask, &events);
    varve_snapshot_close(ask.snapshot);
    free(events);
    return count;
}

static void test_event_filters(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++) {
        struct small s;
        small_make(&s);
        for (int i = 0; i < 3000; i++) { /* three batches of rows and a bit */
            struct varve_field fields[] = {
                {varve_str("i"), varve_int(i % 10)},
                {varve_str("f"), varve_float((i % 4) * 0.25)},
                {varve_str("b"), varve_bool(i % 3 == 0)},
                {varve_str("t"), i % 2 ? varve_text(varve_str("odd")) : (struct varve_value){0}}};
            MUST(varve_batch_event(s.batch, varve_str("all"), T0 + i, fields, 4, &test_err));
        }
        assert_int_equal(small_append(&s).events, 3000);
        if (sealed)
            MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
        assert_int_equal(count_events(&s, "i", 0, "7"), 300);
        assert_int_equal(count_events(&s, "i", 1, "7"), 2700);
        assert_int_equal(count_events(&s, "i", 0, "seven"), 0);
        assert_int_equal(count_events(&s, "i", 0, ""), 0);
        assert_int_equal(count_events(&s, "f", 0, "0.25"), 750);
        assert_int_equal(count_events(&s, "f", 0, "0.250"), 750);
        assert_int_equal(count_events(&s, "b", 0, "true"), 1000);
        assert_int_equal(count_events(&s, "b", 1, "true"), 2000);
        assert_int_equal(count_events(&s, "t", 0, "odd"), 1500);
        assert_int_equal(count_events(&s, "t", 0, ""), 1500);
        assert_int_equal(count_events(&s, "t", 1, ""), 1500);
        assert_int_equal(count_events(&s, "absent", 0, ""), 3000);
        assert_int_equal(count_events(&s, "absent", 0, "x"), 0);
        small_remove(&s);
    }
}

static void test_table_is_no_metric(void **state)
{
    (void)state;
    struct small s;
    varve_snapshot *snap;
    varve_scan *scan;
    struct varve_runs runs;
    struct varve_query q = {.source = varve_str("api_request"), .until = INT64_MAX};
    small_make(&s);
    put_events(&s);
    MUST(varve_snapshot_open(s.db, &snap, &test_err));
    MUST(varve_scan_open(snap, &q, &scan, &test_err));
    REFUSED(VARVE_MISUSE, "table of events", varve_scan_runs(scan, &runs, &test_err));
    varve_scan_close(scan);
    varve_snapshot_close(snap);
    small_remove(&s);
}

/* ---- what a scan touches -------------------------------------------------- */

static struct varve_scan_stats
touched(struct small *s, int64_t since, int64_t until, unsigned flags)
{
    varve_snapshot *snap;
    varve_scan *scan;
    struct varve_runs runs;
    struct varve_scan_stats stats;
    enum varve_status status;
    struct varve_query q = {
        .source = varve_str("tokens"), .since = since, .until = until, .flags = flags};
    MUST(varve_snapshot_open(s->db, &snap, &test_err));
    MUST(varve_scan_open(snap, &q, &scan, &test_err));
    while ((status = varve_scan_runs(scan, &runs, &test_err)) == VARVE_OK)
        ;
    assert_int_equal(status, VARVE_DONE);
    assert_int_equal(varve_scan_runs(scan, &runs, &test_err), VARVE_DONE); /* and it stays done */
    varve_scan_stats(scan, &stats);
    varve_scan_close(scan);
    varve_snapshot_close(snap);
    return stats;
}

static void test_scan_stats(void **state)
{
    (void)state;
    struct small s;
    small_make(&s);
    for (int day = 0; day < 3; day++)
        for (int i = 0; i < 3000; i++)
            small_delta(&s, "tokens", "", i % 2 ? "user=a" : "user=b",
                        T0 + day * DAY + i * 20 * SECOND, varve_int(i));
    small_append(&s);
    MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
    struct varve_scan_stats t = touched(&s, T0, T0 + 3 * DAY, 0);
    assert_true(t.segments == 3 && t.segments_skipped == 0);
    assert_true(t.runs == 6 && t.runs_from_headers == 6 && t.blocks_decoded == 0 && t.rows == 0);
    t = touched(&s, T0, T0 + DAY, 0); /* whole days: the others are not opened */
    assert_true(t.segments == 1 && t.segments_skipped == 2 && t.runs_from_headers == 2);
    t = touched(&s, T0 + HOUR, T0 + 2 * DAY, 0); /* of the first day a part is decoded */
    assert_true(t.segments == 2 && t.runs_from_headers == 2 && t.blocks_decoded > 0);
    assert_int_equal(t.rows, 3000 - 180);
    t = touched(&s, T0, T0 + 3 * DAY, VARVE_DECODE);
    assert_true(t.runs_from_headers == 0 && t.blocks_decoded >= 9);
    small_remove(&s);
}

/* Sums that do not fit 64 bits come in several runs, each of which does. */
static void test_huge_sums(void **state)
{
    (void)state;
    for (int sealed = 0; sealed < 2; sealed++)
        for (unsigned flags = 0; flags <= VARVE_DECODE; flags += VARVE_DECODE) {
            struct small s;
            struct group_answer *groups;
            small_make(&s);
            for (int i = 0; i < 5; i++)
                small_delta(&s, "huge", "", "", T0 + i, varve_int(INT64_MAX - i));
            small_append(&s);
            if (sealed)
                MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
            struct ask ask = {.source = "huge", .until = INT64_MAX, .flags = flags};
            MUST(varve_snapshot_open(s.db, &ask.snapshot, &test_err));
            for (int from = 0; from < 5; from++) {
                wide sum = 0;
                for (int i = from; i < 5; i++)
                    sum += INT64_MAX - i;
                ask.since = T0 + from;
                assert_int_equal(ask_groups(&ask, &groups), 1);
                assert_true(groups[0].sum.whole == sum);
                free(groups);
            }
            varve_snapshot_close(ask.snapshot);
            small_remove(&s);
        }
}

/* Codes belong to their segment; scans of one snapshot do not know each other. */
static void test_scans_side_by_side(void **state)
{
    (void)state;
    struct small s;
    varve_snapshot *snap;
    varve_scan *a, *b;
    struct varve_rows x, y;
    const struct varve_str user = varve_str("user");
    struct varve_query q = {.source = varve_str("tokens"),
                            .since = INT64_MIN,
                            .until = INT64_MAX,
                            .columns = &user,
                            .column_count = 1};
    fill(&s, SEALED);
    MUST(varve_snapshot_open(s.db, &snap, &test_err));
    MUST(varve_scan_open(snap, &q, &a, &test_err));
    MUST(varve_scan_open(snap, &q, &b, &test_err));
    uint32_t segment = 0, total = 0;
    while (varve_scan_rows(a, &x, &test_err) == VARVE_OK) {
        MUST(varve_scan_rows(b, &y, &test_err));
        assert_int_equal(x.rows, y.rows);
        assert_true(x.segment > segment);
        assert_int_equal(x.scale, 0);
        assert_int_equal(x.kind, VARVE_COUNTER);
        segment = x.segment;
        total += x.rows;
    }
    assert_int_equal(total, 5);
    varve_scan_close(a);
    varve_scan_close(b);
    MUST(varve_scan_open(snap, &q, &a, &test_err)); /* left half read */
    MUST(varve_scan_rows(a, &x, &test_err));
    varve_scan_close(a);
    varve_snapshot_close(snap);
    small_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_label_sets),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_did_you_mean),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_event_types),
        cmocka_unit_test(test_event_filters),
        cmocka_unit_test(test_table_is_no_metric),
        cmocka_unit_test(test_scan_stats),
        cmocka_unit_test(test_huge_sums),
        cmocka_unit_test(test_scans_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
