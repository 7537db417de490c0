/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ingest.c -- the doors from outside: streams and bodies in, sums out.
 */
#include <stdio.h>

#include "../faults/alloc_fault.h"
#include "../faults/full_disk.h"
#include "replay.h"

#define TOKENS "claude_code.token.usage"
#define TEXT(literal) (literal), sizeof(literal) - 1

/* A request in JSON with one delta of `value` at T0 + minute. */
#define JSON_ROOM 640
static size_t put_json(char out[JSON_ROOM], int minute, int session, int value)
{
    return (size_t)snprintf(
        out, JSON_ROOM,
        "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"%s\",\"unit\":"
        "\"tokens\",\"sum\":{\"aggregationTemporality\":1,\"isMonotonic\":true,\"dataPoints\":[{"
        "\"startTimeUnixNano\":\"%lld\",\"timeUnixNano\":\"%lld\",\"asInt\":\"%d\",\"attributes\":"
        "[{\"key\":\"session.id\",\"value\":{\"stringValue\":\"s%d\"}}]}]}}]}]}]}\n",
        TOKENS, (long long)(T0 + (minute - 1) * 60 * SECOND),
        (long long)(T0 + minute * 60 * SECOND), value, session);
}

static int64_t tokens(struct small *small)
{
    return small_increase(small, TOKENS, INT64_MIN, INT64_MAX);
}

static varve_ingest *ingest_of(struct small *small)
{
    varve_ingest *ingest;
    MUST(varve_ingest_new(small->db, NULL, &ingest, &test_err));
    return ingest;
}

static struct varve_ingested totals_of(const varve_ingest *ingest)
{
    struct varve_ingested totals;
    varve_ingest_totals(ingest, &totals);
    return totals;
}

struct reasons {
    char text[600];
};

static int note(void *context, const struct varve_rejected *rejected)
{
    struct reasons *reasons = context;
    const size_t used = strlen(reasons->text);
    snprintf(reasons->text + used, sizeof reasons->text - used, "%s %d: %s\n", rejected->reason,
             (int)rejected->count, rejected->first);
    return 0;
}

/* ---- streams ------------------------------------------------------------------- */

static void test_bad_between_good(void **state)
{
    char stream[4 * JSON_ROOM];
    struct small s;
    struct feed feed;
    struct reasons reasons = {""};
    size_t n = put_json(stream, 1, 0, 5);
    (void)state;
    n += (size_t)snprintf(stream + n, sizeof stream - n, "{\"resourceMetrics\":[{]}\n");
    n += put_json(stream + n, 2, 0, 6);
    n += (size_t)snprintf(stream + n, sizeof stream - n, "not json at all\n");
    n += put_json(stream + n, 3, 0, 7);
    for (size_t piece = 0; piece < 2; piece++) {
        small_make(&s);
        varve_ingest *ingest = ingest_of(&s);
        feed = feed_over(stream, n, piece);
        REFUSED(VARVE_INVALID, "F, body 2",
                varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", 0, feed_read, &feed, &test_err));
        MUST(varve_ingest_flush(ingest, &test_err));
        assert_int_equal(tokens(&s), 18);
        const struct varve_ingested totals = totals_of(ingest);
        assert_int_equal(totals.streams, 1);
        assert_int_equal(totals.bytes, n);
        assert_int_equal(totals.rejected, 2);
        assert_int_equal(totals.appended.points, 3);
        reasons.text[0] = '\0';
        varve_visit_rejected(ingest, note, &reasons);
        assert_non_null(strstr(reasons.text, "unreadable body 2: F, body 2: "));
        varve_ingest_free(ingest);
        small_remove(&s);
    }
}

/* Bodies behind each other, behind their lengths, and a body that was cut off. */
static void test_framings(void **state)
{
    const struct reading readings[] = {
        {"89c8bdde-913f-407f-8959-51fffb5cc27c", T0, T0 + 60 * SECOND, 5, VARVE_DELTA},
        {"89c8bdde-913f-407f-8959-51fffb5cc27c", T0, T0 + 120 * SECOND, 6, VARVE_DELTA},
    };
    size_t sizes[2];
    char *bodies[2], stream[4096];
    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct replay replay = {TOKENS, "", "tokens", &readings[i], 1};
        bodies[i] = replay_body(&replay, REPLAY_PROTOBUF, &sizes[i]);
        assert_true(sizes[i] > 128 && sizes[i] < 1000);
    }
    for (int framing = 0; framing < 3; framing++) {
        for (size_t cut = 0; cut < 2; cut++) {
            struct small s;
            size_t n = 0;
            for (int i = 0; i < 2; i++) {
                const unsigned char be[] = {0, 0, (unsigned char)(sizes[i] >> 8),
                                            (unsigned char)sizes[i]};
                const unsigned char varint[] = {(unsigned char)(sizes[i] | 128),
                                                (unsigned char)(sizes[i] >> 7)};
                const size_t header = framing == 0 ? 0 : framing == 1 ? 2 : 4;
                memcpy(stream + n, framing == 1 ? varint : be, header);
                memcpy(stream + n + header, bodies[i], sizes[i]);
                n += header + sizes[i];
            }
            small_make(&s);
            varve_ingest *ingest = ingest_of(&s);
            struct feed feed = feed_over(stream, n - cut, 1);
            const enum varve_status status =
                varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", 0, feed_read, &feed, &test_err);
            assert_int_equal(status, cut ? VARVE_INVALID : VARVE_OK);
            MUST(varve_ingest_flush(ingest, &test_err));
            assert_int_equal(tokens(&s), cut ? 5 : 11);
            assert_int_equal(totals_of(ingest).rejected, cut);
            varve_ingest_free(ingest);
            small_remove(&s);
        }
    }
    free(bodies[0]);
    free(bodies[1]);
}

static void test_nothing_known(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {{TEXT("{\"totals\":{\"cost\":1}}"), "JSON"},
                 {TEXT("a,b\n1,2\n"), "neither OTLP"},
                 {TEXT("\x7f\x45\x4c\x46\1\2\3"), "neither OTLP"}};
    struct small s;
    (void)state;
    small_make(&s);
    varve_ingest *ingest = ingest_of(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct feed feed = feed_over(cases[i].bytes, cases[i].size, 0);
        REFUSED(VARVE_NOTFOUND, cases[i].words,
                varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", 0, feed_read, &feed, &test_err));
    }
    assert_int_equal(totals_of(ingest).streams + totals_of(ingest).bytes, 0);
    assert_int_equal(totals_of(ingest).rejected, 0);
    /* one that is empty is nothing to complain about */
    struct feed feed = feed_over("", 0, 0);
    MUST(varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", 0, feed_read, &feed, &test_err));
    assert_int_equal(totals_of(ingest).streams, 1);
    /* what is packed may well be telemetry, and is not passed over */
    feed = feed_over(TEXT("\x1f\x8b\x08\0\0\0\0"), 0);
    REFUSED(VARVE_INVALID, "zcat",
            varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", 0, feed_read, &feed, &test_err));
    assert_int_equal(totals_of(ingest).streams, 2);
    varve_ingest_free(ingest);
    small_remove(&s);
}

static void test_text(void **state)
{
    static const char page[] = "# TYPE claude_code_token_usage_tokens counter\n"
                               "claude_code_token_usage_tokens_total{session_id=\"a\"} 7\n"
                               "claude_code_token_usage_tokens_total{session_id=} 7\n"
                               "claude_code_token_usage_tokens_total{session_id=\"b\"} 8\n"
                               "other_thing{a=\"b\"} 1.5\n";
    struct reasons reasons = {""};
    struct small s;
    (void)state;
    small_make(&s);
    varve_ingest *ingest = ingest_of(&s);
    for (int turn = 0; turn < 2; turn++) {
        struct feed feed = feed_over(TEXT(page), 3);
        MUST(varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", T0, feed_read, &feed, &test_err));
        MUST(varve_ingest_flush(ingest, &test_err));
    }
    assert_int_equal(tokens(&s), 15);
    assert_int_equal(totals_of(ingest).appended.points, 3);
    assert_int_equal(totals_of(ingest).appended.duplicates, 3);
    assert_int_equal(totals_of(ingest).series, 3);
    varve_visit_rejected(ingest, note, &reasons);
    assert_string_equal(reasons.text, "malformed line 2: F, line 3: column 49: expected a value in "
                                      "quotes, found '} 7'\n");
    varve_ingest_free(ingest);
    small_remove(&s);
}

/* Milliseconds or seconds: as said, else as large as they are. */
static void test_times_of_text(void **state)
{
    static const struct {
        enum varve_input input;
        const char *time;
        bool taken;
    } cases[] = {{VARVE_INPUT_ANY, "1789344060", true},
                 {VARVE_INPUT_ANY, "1789344060000", true},
                 {VARVE_INPUT_OPENMETRICS, "1789344060.0", true},
                 {VARVE_INPUT_PROMETHEUS, "1789344060000", true},
                 {VARVE_INPUT_PROMETHEUS, "1789344060", false},
                 {VARVE_INPUT_OPENMETRICS, "1789344060000", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int whole = 0; whole < 2; whole++) {
            struct small s;
            char page[200];
            const int n = snprintf(page, sizeof page,
                                   "claude_code_token_usage_total"
                                   "{session_id=\"a\"} 7 %s\n",
                                   cases[i].time);
            small_make(&s);
            varve_ingest *ingest = ingest_of(&s);
            struct feed feed = feed_over(page, (size_t)n, 0);
            if (whole)
                MUST(varve_ingest_body(ingest, cases[i].input, "B", page, (size_t)n, &test_err));
            else
                MUST(varve_ingest_stream(ingest, cases[i].input, "F", 0, feed_read, &feed,
                                         &test_err));
            MUST(varve_ingest_flush(ingest, &test_err));
            assert_int_equal(small_increase(&s, TOKENS, T0, T0 + HOUR), cases[i].taken ? 7 : 0);
            assert_int_equal(totals_of(ingest).rejected, !cases[i].taken);
            varve_ingest_free(ingest);
            small_remove(&s);
        }
    }
}

/* ---- bodies, misuse ---------------------------------------------------------------- */

static void test_bodies(void **state)
{
    char body[JSON_ROOM];
    struct small s;
    size_t n = put_json(body, 1, 0, 5);
    (void)state;
    small_make(&s);
    varve_ingest *ingest = ingest_of(&s);
    MUST(varve_ingest_body(ingest, VARVE_INPUT_OTLP_JSON, "B", body, n, &test_err));
    MUST(varve_ingest_body(ingest, VARVE_INPUT_ANY, "B", body, n, &test_err));
    MUST(varve_ingest_body(ingest, VARVE_INPUT_OTLP, "B", "", 0, &test_err));
    REFUSED(VARVE_INVALID, "B",
            varve_ingest_body(ingest, VARVE_INPUT_OTLP_JSON, "B", body, n / 2, &test_err));
    REFUSED(VARVE_INVALID, "B",
            varve_ingest_body(ingest, VARVE_INPUT_OTLP, "B", body, n, &test_err));
    REFUSED(VARVE_INVALID, "no telemetry",
            varve_ingest_body(ingest, VARVE_INPUT_ANY, "B", "what?", 5, &test_err));
    n = put_json(body, 2, 0, 6);
    MUST(varve_ingest_body(ingest, VARVE_INPUT_ANY, "B", body, n, &test_err));
    MUST(varve_ingest_flush(ingest, &test_err));
    assert_int_equal(tokens(&s), 11);
    assert_int_equal(totals_of(ingest).rejected, 3);
    assert_int_equal(totals_of(ingest).appended.points, 2);
    assert_int_equal(totals_of(ingest).appended.duplicates, 1);
    varve_ingest_free(ingest);
    small_remove(&s);
}

static void test_misuse(void **state)
{
    struct small s;
    varve_ingest *ingest;
    (void)state;
    REFUSED(VARVE_MISUSE, "NULL", varve_ingest_new(NULL, NULL, &ingest, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_ingest_body(NULL, VARVE_INPUT_ANY, "B", "", 0, &test_err));
    REFUSED(VARVE_MISUSE, "NULL", varve_ingest_flush(NULL, &test_err));
    varve_ingest_free(NULL);
    small_make(&s);
    ingest = ingest_of(&s);
    REFUSED(VARVE_MISUSE, "no kind of input",
            varve_ingest_body(ingest, (enum varve_input)77, "B", "", 0, &test_err));
    REFUSED(VARVE_MISUSE, "nothing to read",
            varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", 0, NULL, NULL, &test_err));
    struct feed feed = feed_over("x 1\n", 4, 0);
    feed.failure = EIO;
    REFUSED(VARVE_IO, "reading failed",
            varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", T0, feed_read, &feed, &test_err));
    varve_ingest_free(ingest);
    assert_string_equal(varve_input_name(VARVE_INPUT_OTLP_JSON), "otlp-json");
    assert_null(varve_input_name((enum varve_input)77));
    small_remove(&s);
}

static void test_names(void **state)
{
    (void)state;
    struct varve_str name = varve_metric_name(varve_str("claude_code_cost_usage_USD_total"));
    assert_int_equal(name.size, strlen("claude_code.cost.usage"));
    assert_memory_equal(name.data, "claude_code.cost.usage", name.size);
    name = varve_metric_name(varve_str("no such thing"));
    assert_memory_equal(name.data, "no such thing", name.size);
    name = varve_label_name(varve_str("user_email"));
    assert_memory_equal(name.data, "user.email", name.size);
}

/* ---- a full disk --------------------------------------------------------------------- */

#define ASK(condition)                                                     \
    do {                                                                   \
        if (!(condition)) {                                                \
            snprintf(text, GUARD_TEXT, "%s: %s", #condition, err.message); \
            return 1;                                                      \
        }                                                                  \
    } while (0)

/* In a process of its own, where nothing of cmocka is known. */
static int fill_and_flush(void *context, const char *directory, char text[GUARD_TEXT])
{
    const struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL};
    char path[4200], body[JSON_ROOM];
    struct varve_err err = {0};
    struct varve_ingested totals;
    varve_ingest *ingest;
    varve *db;
    (void)context;
    snprintf(path, sizeof path, "%s/db", directory);
    ASK(varve_open(path, &options, &db, &err) == VARVE_OK);
    ASK(varve_ingest_new(db, NULL, &ingest, &err) == VARVE_OK);
    for (int i = 0; i < 20000; i++) {
        const size_t n = put_json(body, i + 1, i, 1);
        ASK(varve_ingest_body(ingest, VARVE_INPUT_ANY, "B", body, n, &err) == VARVE_OK);
    }
    full_disk_fill(directory, 0);
    ASK(varve_ingest_flush(ingest, &err) == VARVE_FULL);
    ASK(varve_ingest_flush(ingest, &err) == VARVE_FULL);
    full_disk_release(directory);
    ASK(varve_ingest_flush(ingest, &err) == VARVE_OK);
    varve_ingest_totals(ingest, &totals);
    ASK(totals.appended.points == 20000 && totals.batches == 1);
    varve_ingest_free(ingest);
    varve_close(db);
    return 0;
}

static void test_full_disk(void **state)
{
    char text[GUARD_TEXT] = "";
    const int outcome = full_disk_run(FULL_DISK_TMPFS, 32 << 20, fill_and_flush, NULL, text);
    (void)state;
    if (outcome == FULL_DISK_SKIPPED)
        skip();
    if (outcome != 0)
        fail_msg("%d: %s", outcome, text);
}

/* ---- memory ---------------------------------------------------------------------------- */

/* Bodies or lines without end, made as they are read. */
struct spring {
    enum varve_input input;
    int left, made;
    char piece[JSON_ROOM];
    size_t from, until;
};

static ptrdiff_t read_spring(void *context, void *buffer, size_t size)
{
    struct spring *spring = context;
    if (spring->from == spring->until) {
        if (spring->left-- <= 0)
            return 0;
        const int i = spring->made++;
        spring->from = 0;
        if (spring->input == VARVE_INPUT_OTLP_JSON)
            spring->until = put_json(spring->piece, 1 + i / 100 * 30, i % 100, 1 + i % 3);
        else
            spring->until = (size_t)snprintf(
                spring->piece, sizeof spring->piece,
                "claude_code_token_usage_tokens_total{session_id=\"s%d\"} %d %lld\n", i % 100,
                i / 100 + 1, (long long)(T0 / SECOND + i / 100 * 1800));
    }
    const size_t n = spring->until - spring->from < size ? spring->until - spring->from : size;
    memcpy(buffer, spring->piece + spring->from, n);
    spring->from += n;
    return (ptrdiff_t)n;
}

static uint64_t peak_of(enum varve_input input, int count)
{
    const struct varve_options options = {.flags = VARVE_CREATE, .seal_rows = 10000};
    const struct varve_ingest_options small_batches = {.batch_rows = 5000};
    char path[FILES_PATH];
    struct spring spring = {.input = input, .left = count};
    struct varve_stats stats;
    struct varve_ingested totals;
    varve_ingest *ingest;
    varve *db;
    files_temp(path, "varve-ingest");
    MUST(varve_open(path, &options, &db, &test_err));
    MUST(varve_ingest_new(db, &small_batches, &ingest, &test_err));
    MUST(varve_ingest_stream(ingest, input, "F", 0, read_spring, &spring, &test_err));
    MUST(varve_ingest_flush(ingest, &test_err));
    varve_ingest_totals(ingest, &totals);
    assert_int_equal(totals.appended.points, count);
    assert_true(totals.batches > 1);
    varve_ingest_free(ingest);
    MUST(varve_stats(db, &stats, &test_err));
    varve_close(db);
    files_remove(path);
    return stats.memory_peak;
}

/* Text waits for its start times, 64 Ki samples at most, so there have to be more of them.  How far
 * the head had grown when it was last sealed makes a megabyte of difference; what is kept of each
 * point would make twelve and more. */
static void test_memory_is_flat(void **state)
{
    static const struct {
        enum varve_input input;
        int some;
    } cases[] = {{VARVE_INPUT_OTLP_JSON, 40000}, {VARVE_INPUT_OPENMETRICS, 140000}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint64_t some = peak_of(cases[i].input, cases[i].some);
        const uint64_t many = peak_of(cases[i].input, 10 * cases[i].some);
        if ((double)many >= 1.3 * (double)some + 1e6)
            fail_msg("input %d: %.1f MB, and with ten times as much %.1f MB", (int)cases[i].input,
                     (double)some / 1e6, (double)many / 1e6);
    }
}

/* One body with every request for memory failing in turn: it is taken, or VARVE_NOMEM is said; and
 * when it is sent again to the store as it is then, it counts once. */
static void try_without_memory(enum replay_form form)
{
    const struct reading readings[] = {{"s", T0, T0 + 60 * SECOND, 5, VARVE_CUMULATIVE},
                                       {"t", T0, T0 + 60 * SECOND, 6, VARVE_CUMULATIVE}};
    const struct replay replay = {TOKENS, "claude_code_token_usage", "tokens", readings, 2};
    struct alloc_fault fault;
    size_t size;
    char *body = replay_body(&replay, form, &size);
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        const struct varve_options options = {.flags = VARVE_CREATE | VARVE_NO_AUTOSEAL,
                                              .allocator = fault.allocator};
        struct feed feed = feed_over(body, size, 0);
        struct small s = {.db = NULL};
        varve_ingest *ingest = NULL;
        varve *db = NULL;
        files_temp(s.path, "varve-ingest");
        enum varve_status status = varve_open(s.path, &options, &db, &test_err);
        if (status == VARVE_OK)
            status = varve_ingest_new(db, NULL, &ingest, &test_err);
        if (status == VARVE_OK)
            status =
                varve_ingest_stream(ingest, VARVE_INPUT_ANY, "F", 0, feed_read, &feed, &test_err);
        if (status == VARVE_OK)
            status = varve_ingest_flush(ingest, &test_err);
        varve_ingest_free(ingest);
        varve_close(db);
        assert_true(status == VARVE_OK || (status == VARVE_NOMEM && fault.failed));
        assert_true(alloc_fault_is_clean(&fault));
        small_open(&s, VARVE_CREATE);
        assert_true(tokens(&s) == 11 || (status != VARVE_OK && tokens(&s) == 0));
        replay_into(s.db, VARVE_INPUT_ANY, body, size, 0);
        assert_int_equal(tokens(&s), 11);
        small_remove(&s);
    }
    free(body);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (int form = 0; form < REPLAY_FORMS; form++)
        try_without_memory((enum replay_form)form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_between_good), cmocka_unit_test(test_framings),
        cmocka_unit_test(test_nothing_known),    cmocka_unit_test(test_text),
        cmocka_unit_test(test_times_of_text),    cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_misuse),           cmocka_unit_test(test_names),
        cmocka_unit_test(test_full_disk),        cmocka_unit_test(test_memory_is_flat),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
