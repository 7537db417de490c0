/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest.c -- from streams and bodies to their doors, from doors to the store.
 *
 * One intake and its doors serve the whole life of an ingest; a door is made when
 * the first body asks for it.  What a stream is, is decided once, from its
 * first bytes; how it is cut follows from that.  A body that its door refuses is one
 * rejection, and the next one is taken.
 *
 * A batch that could not be appended stays in the intake: varve_ingest_flush may be tried again.
 */
#include "ingest/ingest.h"

#include <stdio.h>

#include "base/clock.h"
#include "ingest/otlp_json.h"
#include "ingest/prom_text.h"
#include "ingest/source.h"
#include "store/setting.h"

#define UNIT_MAX 256

struct ingest {
    struct store *store;
    struct report report;
    struct rules *rules;
    struct intake *intake;
    struct otlp_pb *protobuf;
    struct otlp_json *json;
    struct prom_text *text;
    uint64_t streams, bytes;
    char unit[UNIT_MAX]; /* of the metric that was asked about last */
};

/* ---- making one ------------------------------------------------------------ */

static enum varve_status append(void *context, struct write_batch *batch,
                                struct varve_appended *appended, struct varve_err *err)
{
    struct ingest *ingest = context;
    struct varve_appended now = {0};
    TRY(store_append(ingest->store, &batch->rows, &batch->events, &now, err));
    appended->points += now.points;
    appended->events += now.events;
    appended->duplicates += now.duplicates;
    appended->ambiguous += now.ambiguous;
    appended->baselines += now.baselines;
    appended->expired += now.expired;
    return VARVE_OK;
}

/* What the store's metric of that name is.  Its texts may go while others write, so they are
 * copied. */
static bool known(void *context, struct varve_str name, struct varve_metric *metric)
{
    struct ingest *ingest = context;
    struct store *store = ingest->store;
    if (!store_metric_kind(store, name, &metric->kind))
        return false;
    pthread_mutex_lock(&store->lock);
    const struct rowset *metrics = &store->metrics;
    uint32_t id =
        hash_table_get(&metrics->metric_table, hash128(name.data, name.size, metrics->texts.seed));
    struct varve_str unit =
        id == HASH_NONE ? STR("") : intern_text(&metrics->texts, metrics->metrics[id].unit);
    if (unit.size > sizeof ingest->unit)
        unit.size = 0;
    if (unit.size > 0)
        memcpy(ingest->unit, unit.data, unit.size);
    pthread_mutex_unlock(&store->lock);
    metric->unit = (struct varve_str){ingest->unit, unit.size};
    return true;
}

/* The secret is made only for a store whose rules hash something. */
static enum varve_status load_rules(struct ingest *ingest, struct varve_err *err)
{
    static const char word[] = "hash";
    uint8_t secret[RULES_SECRET] = {0};
    struct varve_str text = STR("");
    struct arena arena;
    arena_init(&arena, &ingest->store->mem, 4096);
    enum varve_status status = store_setting_get(ingest->store, STR("rules"), &arena, &text, err);
    if (status == VARVE_NOTFOUND) {
        text = STR("");
        status = VARVE_OK;
    }
    if (status == VARVE_OK && text.size > 0 && memmem(text.data, text.size, word, strlen(word)))
        status = store_secret(ingest->store, secret, err);
    if (status == VARVE_OK)
        status = rules_new(&ingest->store->mem, text, secret, &ingest->rules, err);
    arena_free(&arena);
    return status;
}

enum varve_status ingest_new(struct store *store, const struct varve_ingest_options *options,
                             struct ingest **made, struct varve_err *err)
{
    struct ingest *ingest = mem_zalloc(&store->mem, sizeof *ingest);
    enum varve_status status = VARVE_OK;
    if (!ingest)
        return fail_nomem(err, sizeof *ingest);
    ingest->store = store;
    TRYOUT(load_rules(ingest, err));
    struct intake_options wanted = {.mem = &store->mem,
                                    .seed = store->identity.seed,
                                    .rules = ingest->rules,
                                    .report = &ingest->report,
                                    .append = append,
                                    .known = known,
                                    .context = ingest,
                                    .batch_rows = options ? options->batch_rows : 0};
    TRYOUT(intake_new(&wanted, &ingest->intake, err));
    *made = ingest;
out:
    if (status != VARVE_OK)
        ingest_free(ingest);
    return status;
}

void ingest_free(struct ingest *ingest)
{
    if (!ingest)
        return;
    prom_text_free(ingest->text);
    otlp_json_free(ingest->json);
    otlp_pb_free(ingest->protobuf);
    intake_free(ingest->intake);
    rules_free(ingest->rules);
    mem_free(&ingest->store->mem, ingest, sizeof *ingest);
}

const struct store *ingest_store(const struct ingest *ingest)
{
    return ingest->store;
}

/* ---- doors ------------------------------------------------------------------ */

static enum varve_status
open_door(struct ingest *ingest, enum varve_input input, struct varve_err *err)
{
    struct mem *mem = &ingest->store->mem;
    if (input == VARVE_INPUT_OTLP)
        return ingest->protobuf ? VARVE_OK
                                : otlp_pb_new(mem, ingest->intake, &ingest->protobuf, err);
    if (input == VARVE_INPUT_OTLP_JSON)
        return ingest->json ? VARVE_OK : otlp_json_new(mem, ingest->intake, &ingest->json, err);
    return ingest->text ? VARVE_OK
                        : prom_text_new(mem, ingest->store->identity.seed, ingest->intake,
                                        &ingest->text, err);
}

static enum varve_status give_body(struct ingest *ingest, enum varve_input input,
                                   struct varve_str body, bool *refused, struct varve_err *err)
{
    *refused = false;
    if (input == VARVE_INPUT_OTLP)
        return otlp_pb_body(ingest->protobuf, OTLP_ANY, (const uint8_t *)body.data, body.size,
                            refused, err);
    return otlp_json_body(ingest->json, OTLP_ANY, body.data, body.size, refused, err);
}

/* Looks at the clock when bytes have come. */
static void tick(struct ingest *ingest, const struct source *source, uint64_t *seen)
{
    if (source->bytes != *seen)
        intake_tick(ingest->intake);
    *seen = source->bytes;
}

/* What happened to a stream as a whole: the first refusal is told, all are counted. */
struct outcome {
    enum varve_status status;
    struct varve_err *err;
};

static void refuse(struct ingest *ingest, struct outcome *outcome, const char *place,
                   uint64_t number, const struct varve_err *why)
{
    char where[200], message[420];
    snprintf(where, sizeof where, "%s, body %llu", place, (unsigned long long)number);
    snprintf(message, sizeof message, "%s%s%s", why->place, why->place[0] ? ": " : "",
             why->message);
    report_reject(&ingest->report, REJECT_BODY, 1, where, message);
    if (outcome->status == VARVE_OK)
        outcome->status =
            fail(outcome->err, why->status == VARVE_LIMIT ? VARVE_LIMIT : VARVE_INVALID, where,
                 "%s", message);
}

/* ---- streams ----------------------------------------------------------------- */

static bool is_refusal(enum varve_status status)
{
    return status == VARVE_INVALID || status == VARVE_LIMIT;
}

/* Bodies until the end of the stream.  Anything but VARVE_OK is final. */
static enum varve_status
take_bodies(struct ingest *ingest, enum varve_input input, struct source *source, const char *place,
            struct outcome *outcome, struct varve_err *err)
{
    enum source_framing framing = FRAME_BARE;
    uint64_t seen = 0;
    if (input == VARVE_INPUT_OTLP)
        TRY(source_framing(source, &framing, err));
    for (uint64_t number = 1;; number++) {
        struct varve_str body;
        struct varve_err why = {0};
        bool refused = false;
        enum varve_status status = input == VARVE_INPUT_OTLP
                                       ? source_body(source, framing, &body, &why)
                                       : source_json(source, &body, &why);
        if (status == VARVE_DONE)
            return VARVE_OK;
        tick(ingest, source, &seen);
        if (status == VARVE_OK) {
            intake_place(ingest->intake, place, "body", number);
            status = give_body(ingest, input, body, &refused, &why);
        } else if (is_refusal(status)) {
            why.status = status;
            refused = true;
            status = VARVE_OK;
        }
        if (status != VARVE_OK)
            return fail(err, status, why.place, "%s", why.message);
        if (refused)
            refuse(ingest, outcome, place, number, &why);
    }
}

static enum varve_status
take_lines(struct ingest *ingest, enum varve_input input, struct source *source, const char *place,
           int64_t time, struct varve_err *err)
{
    uint64_t seen = 0;
    prom_text_begin(ingest->text, input, place, time);
    for (;;) {
        struct varve_str line;
        struct varve_err why = {0};
        enum varve_status status = source_line(source, &line, &why);
        if (status == VARVE_DONE)
            return prom_text_end(ingest->text, err);
        tick(ingest, source, &seen);
        if (is_refusal(status))
            prom_text_lost(ingest->text, why.message);
        else if (status != VARVE_OK)
            return fail(err, status, why.place, "%s", why.message);
        else
            TRY(prom_text_line(ingest->text, line, err));
    }
}

/* What it is, when nobody said. */
static enum varve_status
find_input(struct source *source, const char *place, enum varve_input *input, struct varve_err *err)
{
    const char *hint = NULL;
    if (*input != VARVE_INPUT_ANY)
        return VARVE_OK;
    TRY(source_sniff(source, input, &hint, err));
    if (*input != VARVE_INPUT_ANY)
        return VARVE_OK;
    /* What is packed may be telemetry, and is not passed over in silence. */
    return fail(err, hint ? VARVE_INVALID : VARVE_NOTFOUND, place, "%s",
                hint ? hint
                     : "this is neither OTLP, as protobuf or JSON, nor lines of metrics; "
                       "if it is, say which with --format");
}

static bool is_empty(struct source *source)
{
    return source->ended && source_left(source) == 0;
}

enum varve_status
ingest_stream(struct ingest *ingest, enum varve_input input, const char *place, int64_t time,
              varve_read *read, void *context, struct varve_err *err)
{
    struct source source;
    struct outcome outcome = {VARVE_OK, err};
    const enum varve_input said = input;
    source_init(&source, &ingest->store->mem, read, context);
    enum varve_status status = source_need(&source, 1, err);
    if (status == VARVE_OK && !is_empty(&source))
        status = find_input(&source, place, &input, err);
    if (status == VARVE_OK && !is_empty(&source)) {
        status = open_door(ingest, input, err);
        if (status == VARVE_OK && input <= VARVE_INPUT_OTLP_JSON)
            status = take_bodies(ingest, input, &source, place, &outcome, err);
        else if (status == VARVE_OK)
            status = take_lines(ingest, said, &source, place, time, err);
    }
    if (status != VARVE_NOTFOUND) {
        ingest->streams++;
        ingest->bytes += source.bytes;
    }
    source_free(&source);
    return status == VARVE_OK ? outcome.status : status;
}

/* ---- bodies -------------------------------------------------------------------- */

static enum varve_status take_page(struct ingest *ingest, enum varve_input input, const char *place,
                                   struct varve_str page, struct varve_err *err)
{
    prom_text_begin(ingest->text, input, place, clock_now());
    while (page.size > 0) {
        const char *end = memchr(page.data, '\n', page.size);
        size_t size = end ? (size_t)(end - page.data) : page.size;
        struct varve_str line = {page.data,
                                 size > 0 && page.data[size - 1] == '\r' ? size - 1 : size};
        if (size > LIMIT_LINE)
            prom_text_lost(ingest->text, "the line is too long");
        else
            TRY(prom_text_line(ingest->text, line, err));
        size += end != NULL;
        page = (struct varve_str){page.data + size, page.size - size};
    }
    return prom_text_end(ingest->text, err);
}

enum varve_status ingest_body(struct ingest *ingest, enum varve_input input, const char *place,
                              const void *bytes, size_t size, struct varve_err *err)
{
    const enum varve_input said = input;
    struct varve_str body = {bytes, size};
    struct outcome outcome = {VARVE_OK, err};
    struct varve_err why = {0};
    const char *hint = NULL;
    bool refused = false;
    ingest->bytes += size;
    if (size == 0)
        return VARVE_OK;
    if (input == VARVE_INPUT_ANY)
        input = sniff_bytes(bytes, size, true, &hint);
    if (input == VARVE_INPUT_ANY || size > LIMIT_BODY) {
        enum varve_status kind = size > LIMIT_BODY ? VARVE_LIMIT : VARVE_INVALID;
        fail(&why, kind, "", "%s",
             size > LIMIT_BODY ? "the body is too long" : (hint ? hint : "it is no telemetry"));
        refuse(ingest, &outcome, place, 1, &why);
        return outcome.status;
    }
    TRY(open_door(ingest, input, err));
    intake_tick(ingest->intake);
    if (input > VARVE_INPUT_OTLP_JSON)
        return take_page(ingest, said, place, body, err);
    intake_place(ingest->intake, place, "body", 1);
    enum varve_status status = give_body(ingest, input, body, &refused, &why);
    if (status != VARVE_OK)
        return fail(err, status, why.place, "%s", why.message);
    if (refused)
        refuse(ingest, &outcome, place, 1, &why);
    return outcome.status;
}

/* ---- what came of it ------------------------------------------------------------- */

enum varve_status ingest_flush(struct ingest *ingest, struct varve_err *err)
{
    return intake_flush(ingest->intake, err);
}

void ingest_totals(const struct ingest *ingest, struct varve_ingested *totals)
{
    const struct intake_counts *counts = intake_counts(ingest->intake);
    *totals = (struct varve_ingested){.streams = ingest->streams,
                                      .bytes = ingest->bytes,
                                      .batches = counts->batches,
                                      .series = counts->series,
                                      .rejected = report_rejected(&ingest->report),
                                      .dropped = counts->dropped,
                                      .appended = counts->appended};
}

int ingest_visit_rejected(const struct ingest *ingest,
                          int (*visit)(void *, const struct varve_rejected *), void *context)
{
    for (int i = 0; i < REJECT_REASONS; i++) {
        const struct varve_rejected rejected = {reject_reason_text((enum reject_reason)i),
                                                ingest->report.counts[i], ingest->report.first[i]};
        int stop = rejected.count ? visit(context, &rejected) : 0;
        if (stop)
            return stop;
    }
    return 0;
}
