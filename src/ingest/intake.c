/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.c -- the life of an intake, and what surrounds records.
 *
 * Attributes of the resource and the scope are held as they came, since what becomes of them
 * differs between events and metrics.  When batches are appended is in intake_batch.c.
 *
 * Invariant: what the batch refuses is counted, and what is left in it is good; only a
 * status that is neither VARVE_INVALID nor VARVE_LIMIT leaves the intake unusable, except
 * VARVE_FULL of a flush, which may be tried again.
 */
#include "ingest/intake_private.h"

#include "store/number_text.h"

#include <stdio.h>

enum { HELD_CHUNK = 2048, SCRATCH_CHUNK = 8192 };

/* The batch takes times between the years 2000 and 2200; here is only told what was wrong with a
 * record that it has refused. */
bool intake_is_time(int64_t time)
{
    return time >= INT64_C(946684800000000000) && time < INT64_C(7258118400000000000);
}

/* ---- making ---- */

enum varve_status
intake_new(const struct intake_options *options, struct intake **intake, struct varve_err *err)
{
    struct mem *mem = options->mem;
    struct intake *made = mem_zalloc(mem, sizeof *made);
    if (!made)
        return fail_nomem(err, sizeof *made);
    made->options = *options;
    made->mem = mem;
    made->metric = METRIC_NONE;
    if (made->options.batch_rows == 0)
        made->options.batch_rows = LIMIT_BATCH_ROWS;
    facts_init(&made->facts, mem, options->rules, options->seed);
    seen_init(&made->seen, mem);
    arena_init(&made->resource.arena, mem, HELD_CHUNK);
    arena_init(&made->scope.arena, mem, HELD_CHUNK);
    arena_init(&made->scratch, mem, SCRATCH_CHUNK);
    arena_init(&made->metric_texts, mem, HELD_CHUNK);
    arena_init(&made->span_texts, mem, HELD_CHUNK);
    hash_table_init(&made->label_table, mem);
    hash_table_init(&made->around_table, mem);
    made->batch_number = 1;
    hash_table_init(&made->metric_table, mem);
    made->newest = INT64_MIN;
    made->used_before = atomic_load(&mem->used);
    enum varve_status status = rowset_init(&made->kept, mem, options->seed, err);
    if (status == VARVE_OK) {
        status = batch_init(&made->batch, mem, options->seed, err);
        if (status != VARVE_OK)
            rowset_free(&made->kept);
    }
    if (status != VARVE_OK)
        mem_free(mem, made, sizeof *made);
    else
        *intake = made;
    return status;
}

void intake_free(struct intake *intake)
{
    if (!intake)
        return;
    struct mem *mem = intake->mem;
    batch_free(&intake->batch);
    rowset_free(&intake->kept);
    facts_free(&intake->facts);
    seen_free(&intake->seen);
    arena_free(&intake->resource.arena);
    arena_free(&intake->scope.arena);
    arena_free(&intake->scratch);
    arena_free(&intake->metric_texts);
    arena_free(&intake->span_texts);
    hash_table_free(&intake->label_table);
    hash_table_free(&intake->around_table);
    intake_pairs_free(intake);
    mem_free(mem, intake->labels_known,
             intake->labels_known_capacity * sizeof *intake->labels_known);
    hash_table_free(&intake->metric_table);
    mem_free(mem, intake->sessions, intake->session_capacity);
    mem_free(mem, intake->metrics, intake->metric_capacity * sizeof *intake->metrics);
    mem_free(mem, intake, sizeof *intake);
}

const struct intake_counts *intake_counts(const struct intake *intake)
{
    return &intake->counts;
}

/* ---- refusals ---- */

static void copy_short(char *to, size_t capacity, const char *from)
{
    size_t size = from ? strnlen(from, capacity - 1) : 0;
    if (size > 0)
        memcpy(to, from, size);
    to[size] = '\0';
}

void intake_place(struct intake *intake, const char *place, const char *unit, uint64_t number)
{
    copy_short(intake->place, sizeof intake->place, place);
    copy_short(intake->unit, sizeof intake->unit, unit);
    intake->place_number = number;
}

void intake_reject(struct intake *intake, enum reject_reason reason, uint64_t count,
                   const char *message)
{
    struct report *report = intake->options.report;
    char place[sizeof intake->place + sizeof intake->unit + 32];
    const char *between = intake->place[0] && intake->unit[0] ? ", " : "";
    if (report->counts[reason] == 0) {
        int size = snprintf(place, sizeof place, "%s%s%s", intake->place, between, intake->unit);
        if (intake->unit[0])
            snprintf(place + size, sizeof place - (size_t)size, " %llu",
                     (unsigned long long)intake->place_number);
        report_reject(report, reason, count, place, message);
        return;
    }
    report_reject(report, reason, count, NULL, NULL);
}

/* ---- values ---- */

/* In scratch; data NULL: no memory.  What is text already is not copied. */
struct varve_str intake_value_text(struct intake *intake, struct varve_value value)
{
    if (value.type == VARVE_TEXT)
        return value.as.s;
    char text[NUMBER_TEXT];
    int64_t bits = value.as.i;
    if (value.type == VARVE_FLOAT)
        memcpy(&bits, &value.as.f, sizeof bits);
    size_t size = value.type == VARVE_NULL ? 0 : number_text(value.type, bits, text);
    return (struct varve_str){arena_copy(&intake->scratch, text, size), size};
}

/* In scratch; data NULL: no memory.  Nothing stays nothing. */
struct varve_str intake_hashed(struct intake *intake, struct varve_str text)
{
    char hashed[RULES_HASHED];
    if (text.size == 0)
        return text;
    rules_hash(intake->options.rules, text, hashed);
    return (struct varve_str){arena_copy(&intake->scratch, hashed, sizeof hashed), sizeof hashed};
}

void intake_mark(struct intake *intake)
{
    if (intake->facts.count > FACTS_MANY || intake->mark == UINT32_MAX) {
        facts_clear(&intake->facts);
        intake->base_is_made &= !rules_depend_on_source(intake->options.rules);
        intake->mark = 0;
    }
    intake->mark++;
    arena_clear(&intake->scratch);
}

/* ---- resources and scopes ---- */

static enum varve_status
hold_text(struct arena *arena, struct varve_str *text, struct varve_err *err)
{
    text->data = arena_copy(arena, text->data, text->size);
    return text->data ? VARVE_OK : fail_nomem(err, text->size);
}

static enum varve_status
hold_field(struct held *held, struct varve_field field, struct varve_err *err)
{
    TRY(hold_text(&held->arena, &field.name, err));
    if (field.value.type == VARVE_TEXT)
        TRY(hold_text(&held->arena, &field.value.as.s, err));
    held->fields[held->count++] = field;
    return VARVE_OK;
}

/* Forgets what was held, and makes room for that many. */
static enum varve_status hold(struct held *held, size_t count, struct varve_err *err)
{
    held->count = 0;
    held->fields = NULL;
    arena_clear(&held->arena);
    if (count == 0)
        return VARVE_OK;
    held->fields = arena_alloc(&held->arena, count * sizeof *held->fields);
    return held->fields ? VARVE_OK : fail_nomem(err, count * sizeof *held->fields);
}

static enum varve_status
hold_all(struct intake *intake, struct held *held, const struct varve_field *attributes,
         size_t count, struct varve_err *err)
{
    if (count > LIMIT_ATTRIBUTES) {
        intake_reject(intake, REJECT_LABELS, 1,
                      "a resource or scope has more attributes than are kept");
        intake->around_is_odd = true;
        count = LIMIT_ATTRIBUTES;
    }
    for (size_t i = 0; i < count; i++)
        if (attributes[i].value.type != VARVE_NULL)
            TRY(hold_field(held, attributes[i], err));
    return VARVE_OK;
}

void intake_forget_base(struct intake *intake)
{
    intake->around_is_named = false;
    intake->base_is_made = intake->base_was_told = false;
    intake->metric = METRIC_NONE;
}

enum varve_status intake_resource(struct intake *intake, const struct varve_field *attributes,
                                  size_t count, struct varve_err *err)
{
    intake_forget_base(intake);
    intake->around_is_odd = false;
    TRY(hold(&intake->scope, 0, err));
    TRY(hold(&intake->resource, count < LIMIT_ATTRIBUTES ? count : LIMIT_ATTRIBUTES, err));
    return hold_all(intake, &intake->resource, attributes, count, err);
}

enum varve_status
intake_scope(struct intake *intake, struct varve_str name, struct varve_str version,
             const struct varve_field *attributes, size_t count, struct varve_err *err)
{
    struct varve_str own = STR(OWN_SCOPE);
    bool is_own = name.size >= own.size && memcmp(name.data, own.data, own.size) == 0;
    const struct varve_field said[] = {
        {STR("otel.scope.name"), {.type = VARVE_TEXT, .as.s = name}},
        {STR("otel.scope.version"), {.type = VARVE_TEXT, .as.s = version}},
    };
    intake_forget_base(intake);
    TRY(hold(&intake->scope, (count < LIMIT_ATTRIBUTES ? count : LIMIT_ATTRIBUTES) + 2, err));
    for (size_t i = 0; i < 2; i++)
        if (!is_own && said[i].value.as.s.size > 0)
            TRY(hold_field(&intake->scope, said[i], err));
    return hold_all(intake, &intake->scope, attributes, count, err);
}
