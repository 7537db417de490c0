/* SPDX-License-Identifier: Apache-2.0
 *
 * replay.c -- readings of counters as the bodies in which they arrive.
 */
#include "replay.h"

#include <stdio.h>

#include "../ingest/pb_make.h"

#define TEXT_OF_READING 1024

/* ---- bodies ----------------------------------------------------------------- */

static void put_point(struct pb *pb, const struct reading *r)
{
    pb_begin(pb, 1);
    pb_fixed64(pb, 2, (uint64_t)r->start);
    pb_fixed64(pb, 3, (uint64_t)r->end);
    pb_double(pb, 4, r->value);
    pb_attribute(pb, 7, "session.id", pb_a_text(r->session));
    pb_end(pb);
}

static char *protobuf_body(const struct replay *replay, size_t *size)
{
    struct pb pb = {0};
    pb_begin(&pb, 1);
    pb_begin(&pb, 1);
    pb_attribute(&pb, 1, "service.name", pb_a_text("claude-code"));
    pb_end(&pb);
    pb_begin(&pb, 2);
    for (size_t i = 0; i < replay->count; i++) {
        pb_begin(&pb, 2);
        pb_text(&pb, 1, replay->metric);
        pb_text(&pb, 3, replay->unit);
        pb_begin(&pb, 7);
        put_point(&pb, &replay->readings[i]);
        pb_varint(&pb, 2, replay->readings[i].temporality);
        pb_varint(&pb, 3, 1);
        pb_end(&pb);
        pb_end(&pb);
    }
    pb_end(&pb);
    pb_end(&pb);
    *size = pb.size;
    return (char *)pb.data;
}

static char *json_body(const struct replay *replay, size_t *size)
{
    const size_t room = (replay->count + 1) * TEXT_OF_READING;
    char *out = malloc(room);
    assert_non_null(out);
    size_t n = (size_t)snprintf(out, room,
                                "{\"resourceMetrics\":[{\"resource\":{\"attributes\":["
                                "{\"key\":\"service.name\",\"value\":{\"stringValue\":"
                                "\"claude-code\"}}]},\"scopeMetrics\":[{\"metrics\":[");
    for (size_t i = 0; i < replay->count; i++) {
        const struct reading *r = &replay->readings[i];
        n += (size_t)snprintf(
            out + n, room - n,
            "%s{\"name\":\"%s\",\"unit\":\"%s\",\"sum\":{\"isMonotonic\":true,"
            "\"aggregationTemporality\":%d,\"dataPoints\":[{\"startTimeUnixNano\":\"%lld\","
            "\"timeUnixNano\":\"%lld\",\"asDouble\":%.17g,\"attributes\":[{\"key\":"
            "\"session.id\",\"value\":{\"stringValue\":\"%s\"}}]}]}}",
            i ? "," : "", replay->metric, replay->unit, (int)r->temporality, (long long)r->start,
            (long long)r->end, r->value, r->session);
    }
    *size = n + (size_t)snprintf(out + n, room - n, "]}]}]}\n");
    return out;
}

static size_t
put_line(char *out, size_t room, const struct replay *replay, const struct reading *r, bool created)
{
    char value[64];
    snprintf(value, sizeof value, "%.17g", r->value);
    if (created)
        snprintf(value, sizeof value, "%lld.%09lld", (long long)(r->start / SECOND),
                 (long long)(r->start % SECOND));
    return (size_t)snprintf(out, room,
                            "%s_%s{job=\"claude-code\",session_id=\"%s\"} %s %lld.%09lld\n",
                            replay->text_name, created ? "created" : "total", r->session, value,
                            (long long)(r->end / SECOND), (long long)(r->end % SECOND));
}

static char *text_body(const struct replay *replay, size_t *size)
{
    const size_t room = (replay->count + 1) * TEXT_OF_READING;
    char *out = malloc(room);
    assert_non_null(out);
    size_t n = (size_t)snprintf(out, room, "# TYPE %s counter\n", replay->text_name);
    for (size_t i = 0; i < replay->count; i++) {
        const struct reading *r = &replay->readings[i];
        if (r->temporality == VARVE_DELTA) {
            free(out);
            return NULL;
        }
        n += put_line(out + n, room - n, replay, r, false);
        if (r->start)
            n += put_line(out + n, room - n, replay, r, true);
    }
    *size = n + (size_t)snprintf(out + n, room - n, "# EOF\n");
    return out;
}

char *replay_body(const struct replay *replay, enum replay_form form, size_t *size)
{
    if (form == REPLAY_PROTOBUF)
        return protobuf_body(replay, size);
    return form == REPLAY_JSON ? json_body(replay, size) : text_body(replay, size);
}

enum varve_input replay_input(enum replay_form form)
{
    static const enum varve_input inputs[] = {VARVE_INPUT_OTLP, VARVE_INPUT_OTLP_JSON,
                                              VARVE_INPUT_OPENMETRICS};
    return inputs[form];
}

/* ---- into a store ------------------------------------------------------------- */

struct varve_ingested
replay_into(varve *db, enum varve_input input, const void *bytes, size_t size, size_t piece)
{
    struct feed feed = feed_over(bytes, size, piece);
    struct varve_ingested totals;
    varve_ingest *ingest;
    MUST(varve_ingest_new(db, NULL, &ingest, &test_err));
    MUST(varve_ingest_stream(ingest, input, "replay", T0, feed_read, &feed, &test_err));
    MUST(varve_ingest_flush(ingest, &test_err));
    varve_ingest_totals(ingest, &totals);
    varve_ingest_free(ingest);
    return totals;
}

static void check_total(struct small *small, const struct replay *replay, int64_t total,
                        enum replay_form form, const char *when)
{
    const int64_t found = small_increase(small, replay->metric, INT64_MIN, INT64_MAX);
    if (found != total)
        fail_msg("form %d, %s: %lld, not %lld", (int)form, when, (long long)found,
                 (long long)total);
}

void replay_check(const struct replay *replay, int64_t total)
{
    for (int form = 0; form < REPLAY_FORMS; form++) {
        struct small s;
        size_t size;
        char *body = replay_body(replay, (enum replay_form)form, &size);
        if (!body)
            continue;
        small_make(&s);
        struct varve_ingested first =
            replay_into(s.db, replay_input((enum replay_form)form), body, size, 0);
        assert_int_equal(first.rejected, 0);
        assert_int_equal(first.dropped, 0);
        check_total(&s, replay, total, (enum replay_form)form, "at first");
        struct varve_ingested again = replay_into(s.db, VARVE_INPUT_ANY, body, size, 1);
        assert_int_equal(again.appended.points, 0);
        assert_int_equal(again.rejected, 0);
        check_total(&s, replay, total, (enum replay_form)form, "again");
        MUST(varve_seal(s.db, INT64_MAX, NULL, &test_err));
        replay_into(s.db, replay_input((enum replay_form)form), body, size, 7);
        check_total(&s, replay, total, (enum replay_form)form, "sealed");
        free(body);
        small_close(&s);
        small_verify(&s);
        files_remove(s.path);
    }
}
