/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest.c -- the public interface: the doors, and what names mean.
 *
 * A varve_ingest is the ingest floor's struct ingest under a public name.
 */
#include "ingest/ingest.h"
#include "api/api.h"
#include "base/names.h"

static struct ingest *ingest_of(varve_ingest *ingest)
{
    return (struct ingest *)(void *)ingest;
}

static const struct ingest *ingest_const(const varve_ingest *ingest)
{
    return (const struct ingest *)(const void *)ingest;
}

const char *varve_input_name(enum varve_input input)
{
    static const char *const names[] = {"any", "otlp", "otlp-json", "openmetrics", "prometheus"};
    return input >= 0 && (size_t)input < sizeof names / sizeof *names ? names[input] : NULL;
}

enum varve_status varve_ingest_new(varve *db, const struct varve_ingest_options *options,
                                   varve_ingest **ingest, struct varve_err *err)
{
    struct ingest *made;
    TRY(api_check(store_of(db), "varve_ingest_new", err));
    TRY(ingest_new(store_of(db), options, &made, err));
    *ingest = (varve_ingest *)(void *)made;
    return VARVE_OK;
}

void varve_ingest_free(varve_ingest *ingest)
{
    ingest_free(ingest_of(ingest));
}

static enum varve_status
check(const varve_ingest *ingest, enum varve_input input, const char *call, struct varve_err *err)
{
    if (!ingest)
        return fail(err, VARVE_MISUSE, call, "the ingest is NULL");
    if (!varve_input_name(input))
        return fail(err, VARVE_MISUSE, call, "%d is no kind of input", (int)input);
    return api_check(ingest_store(ingest_const(ingest)), call, err);
}

enum varve_status varve_ingest_body(varve_ingest *ingest, enum varve_input input, const char *place,
                                    const void *bytes, size_t size, struct varve_err *err)
{
    TRY(check(ingest, input, "varve_ingest_body", err));
    return ingest_body(ingest_of(ingest), input, place ? place : "body", bytes, size, err);
}

enum varve_status
varve_ingest_stream(varve_ingest *ingest, enum varve_input input, const char *place, int64_t time,
                    varve_read *read, void *context, struct varve_err *err)
{
    TRY(check(ingest, input, "varve_ingest_stream", err));
    if (!read)
        return fail(err, VARVE_MISUSE, "varve_ingest_stream", "there is nothing to read with");
    return ingest_stream(ingest_of(ingest), input, place ? place : "stream", time, read, context,
                         err);
}

enum varve_status varve_ingest_flush(varve_ingest *ingest, struct varve_err *err)
{
    TRY(check(ingest, VARVE_INPUT_ANY, "varve_ingest_flush", err));
    return ingest_flush(ingest_of(ingest), err);
}

void varve_ingest_totals(const varve_ingest *ingest, struct varve_ingested *totals)
{
    ingest_totals(ingest_const(ingest), totals);
}

void varve_visit_rejected(const varve_ingest *ingest,
                          int (*visit)(void *, const struct varve_rejected *), void *context)
{
    ingest_visit_rejected(ingest_const(ingest), visit, context);
}

struct varve_str varve_metric_name(struct varve_str spelling)
{
    const struct name_metric *known = names_metric(spelling);
    return known ? known->name : spelling;
}

struct varve_str varve_label_name(struct varve_str spelling)
{
    return names_label(spelling);
}
