/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fixtures.c -- bodies of the OpenTelemetry SDK, as Claude Code sends them, through the doors.
 *
 * Takes a directory that make-bodies.mjs has written; without an argument, the one that is kept
 * with the tests.  The protobuf bodies and the JSON bodies each go into a store of their own, which
 * must give the answers in expected.json: what was recorded, not what was read from the bodies.
 * Each store is then given everything in the other form, and must have it all already.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../api/ask.h"
#include "../base/unit.h"
#include "../faults/files.h"
#include "answers.h"

static char directory[FILES_PATH];
static json_t *expected;

static int load(void **state)
{
    char path[FILES_PATH + 32];
    json_error_t error;
    (void)state;
    snprintf(path, sizeof path, "%s/expected.json", directory);
    expected = json_load_file(path, JSON_DISABLE_EOF_CHECK, &error);
    if (!expected)
        print_error("%s: line %d: %s\n", path, error.line, error.text);
    return expected ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(expected);
    return 0;
}

/* ---- stores ------------------------------------------------------------ */

enum { PROTOBUF = 1, JSON = 2, BACKWARDS = 4, UNTOLD = 8 };

struct taken {
    struct varve_ingested totals;
    json_t *rejected; /* counts by reason */
    int bodies;
};

static int note_rejected(void *context, const struct varve_rejected *rejected)
{
    json_t *all = context;
    assert_int_equal(
        json_object_set_new(all, rejected->reason, json_integer((json_int_t)rejected->count)), 0);
    return 0;
}

/* A body, if it is of a wanted form. */
static int take_body(varve_ingest *ingest, const char *name, unsigned how)
{
    const char *end = strrchr(name, '.');
    bool json = strcmp(end, ".json") == 0;
    char path[FILES_PATH + 256];
    size_t size;
    if (!(how & (json ? JSON : PROTOBUF)))
        return 0;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    uint8_t *bytes = files_read(path, &size);
    enum varve_input input = json ? VARVE_INPUT_OTLP_JSON : VARVE_INPUT_OTLP;
    if (how & UNTOLD)
        input = VARVE_INPUT_ANY;
    MUST(varve_ingest_body(ingest, input, name, bytes, size, &test_err));
    free(bytes);
    return 1;
}

static struct taken take(varve *db, unsigned how)
{
    struct taken taken = {.rejected = json_object()};
    const json_t *files = json_object_get(expected, "files");
    size_t count = json_array_size(files);
    varve_ingest *ingest;
    MUST(varve_ingest_new(db, NULL, &ingest, &test_err));
    for (size_t i = 0; i < count; i++) {
        size_t at = how & BACKWARDS ? count - 1 - i : i;
        taken.bodies += take_body(ingest, json_string_value(json_array_get(files, at)), how);
    }
    MUST(varve_ingest_flush(ingest, &test_err));
    varve_ingest_totals(ingest, &taken.totals);
    varve_visit_rejected(ingest, note_rejected, taken.rejected);
    varve_ingest_free(ingest);
    assert_true(taken.bodies > 0);
    return taken;
}

static void rejected_as_expected(struct taken *taken)
{
    const json_t *wanted = json_object_get(expected, "rejected");
    if (!json_equal(wanted, taken->rejected))
        fail_msg("rejected: %s, should be %s", json_dumps(taken->rejected, JSON_COMPACT),
                 json_dumps(wanted, JSON_COMPACT));
    json_decref(taken->rejected);
}

static void answers(varve *db)
{
    varve_snapshot *snapshot;
    MUST(varve_snapshot_open(db, &snapshot, &test_err));
    answers_counters(snapshot, expected);
    answers_gauges(snapshot, expected);
    answers_histograms(snapshot, expected);
    answers_events(snapshot, expected);
    answers_secrets(snapshot, expected);
    varve_snapshot_close(snapshot);
}

/* Everything once more, of which nothing is new. */
static void nothing_new(varve *db, unsigned how)
{
    struct taken taken = take(db, how);
    assert_int_equal(taken.totals.appended.points, 0);
    assert_int_equal(taken.totals.appended.events, 0);
    assert_true(taken.totals.appended.duplicates > 0);
    rejected_as_expected(&taken);
}

/* None of the bytes that were marked is in any file. */
static void no_canaries(const char *path)
{
    struct files_list list = files_list(path);
    for (size_t i = 0; i < list.count; i++) {
        char file[2 * FILES_PATH];
        size_t size;
        snprintf(file, sizeof file, "%s/%s", path, list.names[i]);
        uint8_t *bytes = files_read(file, &size);
        if (memmem(bytes, size, "canary", 6))
            fail_msg("%s has a text that should not be kept", list.names[i]);
        free(bytes);
    }
    files_list_free(&list);
}

static void one_form(unsigned form, unsigned other)
{
    char path[FILES_PATH];
    struct varve_options options = {.flags = VARVE_CREATE};
    struct varve_sealed sealed;
    varve *db;
    files_temp(path, "varve-sdk");
    MUST(varve_open(path, &options, &db, &test_err));
    struct taken taken = take(db, form);
    assert_true(taken.totals.appended.points > 0);
    assert_true(taken.totals.appended.events > 0);
    rejected_as_expected(&taken);
    answers(db);
    nothing_new(db, form | UNTOLD);
    nothing_new(db, other);
    answers(db);
    MUST(varve_seal(db, INT64_MAX, &sealed, &test_err));
    nothing_new(db, other | BACKWARDS);
    answers(db);
    varve_close(db);
    no_canaries(path);
    files_remove(path);
}

static void protobuf_bodies(void **state)
{
    (void)state;
    one_form(PROTOBUF, JSON);
}

static void json_bodies(void **state)
{
    (void)state;
    one_form(JSON, PROTOBUF);
}

/* The last body first: what was cumulative comes with its end before its beginning. */
static void backwards(void **state)
{
    (void)state;
    one_form(PROTOBUF | BACKWARDS, JSON);
}

int main(int argc, char **argv)
{
    const char *source = getenv("VARVE_SRC");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protobuf_bodies),
        cmocka_unit_test(json_bodies),
        cmocka_unit_test(backwards),
    };
    if (argc > 1)
        snprintf(directory, sizeof directory, "%s", argv[1]);
    else
        snprintf(directory, sizeof directory, "%s/tests/sdk/fixtures", source ? source : ".");
    return cmocka_run_group_tests(tests, load, unload);
}
