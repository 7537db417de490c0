/* SPDX-License-Identifier: Apache-2.0
 *
 * write.c -- a generated world as files, and the truth about them.
 *
 * Metrics are a body an export; events are a body every five seconds that had
 * any, as the program batches them.  A few bodies are sent twice, as by a
 * sender that did not hear the answer: the second copy goes to another file
 * of the day.
 */
#include "write.h"

#include <stdlib.h>
#include <string.h>
#include "chance.h"
#include "encode.h"
#include "openmetrics.h"

#define LOG_WINDOW (5 * GEN_SECOND)
#define RETRY_PERMILLE 5

const char *const gen_format_names[3] = {"otlp", "otlp-json", "openmetrics"};
static const char *const extensions[3] = {"otlp", "jsonl", "openmetrics"};

struct writer {
    enum gen_format format;
    struct encoder encoder;
    struct output output;
    struct truth *truth;
    struct gen_world *world;
    struct exposition *exposition;
};

static bool
append(struct writer *w, enum output_kind kind, unsigned shard, int64_t day, struct body body)
{
    if (w->format == GEN_OTLP) {
        unsigned char length[10];
        size_t size = 0, value = body.size;
        for (; value >= 0x80; value >>= 7)
            length[size++] = (unsigned char)(value | 0x80);
        length[size++] = (unsigned char)value;
        if (!output_append(&w->output, kind, shard, day, length, size))
            return false;
    }
    return output_append(&w->output, kind, shard, day, body.data, body.size);
}

/* Writes a body, some of them twice. */
static bool send(struct writer *w, enum output_kind kind, const struct gen_export *e,
                 struct body body, uint64_t mark, size_t count)
{
    struct chance c = {chance_mix(e->process_seed, mark)};
    unsigned shard = (unsigned)(e->process % OUTPUT_SHARDS);
    int64_t day = e->time / GEN_DAY;
    if (!append(w, kind, shard, day, body))
        return false;
    if (!chance_permille(&c, RETRY_PERMILLE))
        return true;
    truth_repeat(w->truth, kind == OUTPUT_METRICS ? count : 0, kind == OUTPUT_LOGS ? count : 0);
    return append(w, kind, (shard + 1) % OUTPUT_SHARDS, day, body);
}

static bool write_events(struct writer *w, const struct gen_export *e)
{
    for (size_t first = 0, end; first < e->event_count; first = end) {
        int64_t window = e->events[first].time / LOG_WINDOW;
        for (end = first + 1; end < e->event_count;)
            if (e->events[end++].time / LOG_WINDOW != window) {
                end--;
                break;
            }
        struct body body = w->format == GEN_OTLP ? proto_logs(&w->encoder, e, first, end - first)
                                                 : json_logs(&w->encoder, e, first, end - first);
        uint64_t mark = (uint64_t)e->events[first].sequence ^ UINT64_C(0x1095);
        if (!send(w, OUTPUT_LOGS, e, body, mark, end - first))
            return false;
    }
    return true;
}

static bool write_export(struct writer *w, const struct gen_export *e)
{
    if (!truth_count(w->truth, e))
        return false;
    if (w->exposition)
        return exposition_add(w->exposition, e);
    if (e->point_count) {
        struct body body =
            w->format == GEN_OTLP ? proto_metrics(&w->encoder, e) : json_metrics(&w->encoder, e);
        if (!send(w, OUTPUT_METRICS, e, body, (uint64_t)e->time, e->point_count))
            return false;
    }
    return write_events(w, e);
}

static bool write_truth(struct writer *w)
{
    FILE *f = output_truth(&w->output);
    if (!f)
        return false;
    truth_write(w->truth, w->world, gen_format_names[w->format], w->output.files, f);
    return output_truth_done(&w->output, f);
}

static bool write_all(struct writer *w)
{
    const struct gen_export *e;
    while ((e = gen_world_next(w->world)))
        if (!write_export(w, e))
            return false;
    if (gen_world_failed(w->world))
        return false;
    if (w->exposition && !exposition_finish(w->exposition))
        return false;
    return output_finish(&w->output) && write_truth(w);
}

bool gen_write(const struct gen_options *options, enum gen_format format, const char *directory,
               bool force, struct gen_written *written)
{
    struct writer w = {.format = format};
    *written = (struct gen_written){0};
    bool good = output_prepare(&w.output, directory, extensions[format], force);
    if (good) {
        w.encoder.buffer = malloc(ENCODER_ROOM);
        w.encoder.cumulative = options->cumulative;
        w.truth = truth_new(options);
        w.world = gen_world_new(options);
        w.exposition = format == GEN_OPENMETRICS ? exposition_new(&w.output) : NULL;
        good = w.encoder.buffer && w.truth && w.world &&
               (w.exposition || format != GEN_OPENMETRICS) && write_all(&w);
    }
    if (good) {
        written->truth = truth_summary(w.truth);
        written->files = w.output.files;
        written->bytes = w.output.bytes;
    } else {
        strcpy(written->message, w.output.message[0] ? w.output.message : "out of memory");
        output_abandon(&w.output);
    }
    exposition_free(w.exposition);
    truth_free(w.truth);
    gen_world_free(w.world);
    free(w.encoder.buffer);
    return good;
}
