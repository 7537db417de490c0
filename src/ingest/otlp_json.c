/* SPDX-License-Identifier: Apache-2.0
 *
 * otlp_json.c -- OTLP in JSON: a body becomes a plan, and the plan is carried out.
 *
 * otlp_json_plan.c reads the whole body before the intake hears of it, so what is refused has left
 * no trace, and the order of members does not matter.  A body says itself which signals
 * it holds, by the names of its lists, and all are taken: metrics, logs, then traces.
 *
 * What is JSON but not OTLP, a number where a list should be, costs the smallest record it is in.
 */
#include "ingest/otlp_json_private.h"

#include <sys/random.h>

enum { PLAN_CHUNK = 64 << 10, SCRATCH_CHUNK = 4 << 10, MOST_TEXT = 16 << 20 };

enum varve_status otlp_json_new(struct mem *mem, struct intake *intake, struct otlp_json **door,
                                struct varve_err *err)
{
    struct otlp_json *made = mem_zalloc(mem, sizeof *made);
    if (!made)
        return fail_nomem(err, sizeof *made);
    made->mem = mem;
    made->intake = intake;
    /* Without a seed the hashes are as good, but to somebody who means ill. */
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
        seed = 0;
    json_memo_init(&made->memo, mem, seed);
    arena_init(&made->plan, mem, PLAN_CHUNK);
    arena_init(&made->scratch, mem, SCRATCH_CHUNK);
    buf_init(&made->text, mem, MOST_TEXT);
    *door = made;
    return VARVE_OK;
}

void otlp_json_free(struct otlp_json *door)
{
    if (!door)
        return;
    arena_free(&door->plan);
    arena_free(&door->scratch);
    buf_free(&door->text);
    json_memo_free(&door->memo);
    mem_free(door->mem, door, sizeof *door);
}

enum varve_status
otlp_json_judge(struct otlp_json *door, enum varve_status status, uint64_t count, bool *usable)
{
    *usable = status == VARVE_OK;
    if (status != VARVE_INVALID)
        return status;
    if (count > 0)
        intake_reject(door->intake, door->reason, count, door->message);
    return VARVE_OK;
}

/* ---- resources and scopes ---------------------------------------------------- */

enum { OWNER_ATTRIBUTES, OWNER_NAME, OWNER_VERSION, OWNER_SLOTS };

static const struct otlp_field owner_fields[] = {
    OTLP_VALUE("name", OWNER_NAME),
    OTLP_VALUE("version", OWNER_VERSION),
    OTLP_PAIRS("attributes", OWNER_ATTRIBUTES),
};
static const struct otlp_message owner_message = OTLP_MESSAGE(owner_fields, OWNER_SLOTS);

/* A resource or a scope: its attributes, and what it is called. */
static enum varve_status
read_owner(struct otlp_json *door, const struct otlp_node *node, unsigned slot,
           struct json_value *members, struct varve_err *err)
{
    const struct json_value *owner = &node->slots[slot];
    memset(members, 0, OWNER_SLOTS * sizeof *members);
    otlp_json_fresh(door);
    if (node->wrong)
        return otlp_json_malformed(door, REJECT_RECORD, node->wrong);
    if (owner->type != JSON_NONE && !otlp_json_members(owner, &owner_message, members))
        return otlp_json_malformed(door, REJECT_RECORD, "a resource or scope that is no object");
    return otlp_json_attributes(door, &members[OWNER_ATTRIBUTES], LIMIT_ATTRIBUTES, err);
}

static enum varve_status
read_scope(struct otlp_json *door, const struct otlp_node *scope, struct varve_str *name,
           struct varve_str *version, struct varve_err *err)
{
    struct json_value members[OWNER_SLOTS];
    TRY(read_owner(door, scope, SCOPE_SLOT, members, err));
    TRY(otlp_json_string(door, &members[OWNER_NAME], name, err));
    return otlp_json_string(door, &members[OWNER_VERSION], version, err);
}

/* What is different from signal to signal. */
struct signal {
    uint64_t (*count)(const struct otlp_node *); /* NULL: one */
    enum varve_status (*take)(struct otlp_json *, const struct otlp_node *, struct varve_err *);
};

static const struct signal metrics = {otlp_json_points, otlp_json_metric};
static const struct signal logs = {NULL, otlp_json_record};
static const struct signal traces = {otlp_json_span_records, otlp_json_span};

static uint64_t records_of_scope(const struct otlp_node *scope, const struct signal *signal)
{
    uint64_t records = 0;
    for (const struct otlp_node *n = scope->child; n; n = n->next)
        records += signal->count ? signal->count(n) : 1;
    return records;
}

/* What is rejected with a resource or scope; something wrong that holds nothing counts too. */
static uint64_t records_of_resource(const struct otlp_node *resource, const struct signal *signal)
{
    uint64_t records = 0;
    for (const struct otlp_node *scope = resource->child; scope; scope = scope->next)
        records += records_of_scope(scope, signal);
    return records || !resource->wrong ? records : 1;
}

/* A resource on its way in. */
struct around {
    const struct otlp_node *resource;
    const struct signal *signal;
    bool is_given; /* the intake has it at hand */
    bool is_bad;   /* it could not be used, and all its records were rejected */
};

static enum varve_status
give_resource(struct otlp_json *door, struct around *around, struct varve_err *err)
{
    struct json_value members[OWNER_SLOTS];
    bool usable;
    if (around->is_given)
        return VARVE_OK;
    enum varve_status status = read_owner(door, around->resource, RESOURCE_SLOT, members, err);
    uint64_t records =
        status == VARVE_INVALID ? records_of_resource(around->resource, around->signal) : 0;
    TRY(otlp_json_judge(door, status, records, &usable));
    around->is_given = usable;
    around->is_bad = !usable;
    return usable ? intake_resource(door->intake, door->fields, door->field_count, err) : VARVE_OK;
}

static bool is_object_or_nothing(const struct json_value *value)
{
    return value->type == JSON_OBJECT || value->type == JSON_NONE;
}

/* What the intake knows resource and scope by, if they are of metrics and of the right types. */
static bool name_of(struct otlp_json *door, const struct around *around,
                    const struct otlp_node *scope, struct h128 *name)
{
    const struct otlp_node *resource = around->resource;
    const struct json_value *inner = &scope->slots[SCOPE_SLOT];
    if (around->signal != &metrics || resource->wrong || scope->wrong ||
        !is_object_or_nothing(&resource->slots[RESOURCE_SLOT]) || !is_object_or_nothing(inner))
        return false;
    *name = h128_pair(resource->hash,
                      json_memo_hash(&door->memo, &(struct json_memo_mark){.size = 0}, inner));
    return true;
}

/* Tells the intake what surrounds the records of a scope, unless it knows. */
static enum varve_status
surround(struct otlp_json *door, struct around *around, const struct otlp_node *scope, bool *usable,
         struct varve_err *err)
{
    struct varve_str name, version;
    struct h128 hash;
    const bool has_name = name_of(door, around, scope, &hash);
    *usable = has_name && intake_find_around(door->intake, hash);
    if (*usable) {
        around->is_given = false;
        return VARVE_OK;
    }
    TRY(give_resource(door, around, err));
    if (around->is_bad)
        return VARVE_OK;
    enum varve_status status = read_scope(door, scope, &name, &version, err);
    uint64_t records = status == VARVE_INVALID ? records_of_scope(scope, around->signal) : 0;
    TRY(otlp_json_judge(door, status, records || !scope->wrong ? records : 1, usable));
    if (!*usable)
        return VARVE_OK;
    TRY(intake_scope(door->intake, name, version, door->fields, door->field_count, err));
    if (has_name)
        intake_name_around(door->intake, hash);
    return VARVE_OK;
}

static enum varve_status take_resource(struct otlp_json *door, const struct otlp_node *resource,
                                       const struct signal *signal, struct varve_err *err)
{
    struct around around = {.resource = resource, .signal = signal};
    bool usable;
    for (const struct otlp_node *s = resource->child; s && !around.is_bad; s = s->next) {
        TRY(surround(door, &around, s, &usable, err));
        for (const struct otlp_node *record = s->child; usable && record; record = record->next)
            TRY(signal->take(door, record, err));
    }
    /* A resource that surrounds nothing is judged like others. */
    return resource->child ? VARVE_OK : give_resource(door, &around, err);
}

static enum varve_status take_resources(struct otlp_json *door, const struct otlp_node *list,
                                        const struct signal *signal, struct varve_err *err)
{
    for (const struct otlp_node *resource = list; resource; resource = resource->next) {
        TRY(take_resource(door, resource, signal, err));
        TRY(intake_pause(door->intake, err));
    }
    return VARVE_OK;
}

enum varve_status otlp_json_body(struct otlp_json *door, enum otlp_signal signal, const char *text,
                                 size_t size, bool *refused, struct varve_err *err)
{
    struct otlp_requests *requests;
    (void)signal; /* the names of the lists tell */
    enum varve_status status = otlp_json_plan(door, text, size, &requests, err);
    *refused = status == VARVE_INVALID || status == VARVE_LIMIT;
    for (; status == VARVE_OK && requests; requests = requests->next) {
        status = take_resources(door, requests->metrics, &metrics, err);
        if (status == VARVE_OK)
            status = take_resources(door, requests->logs, &logs, err);
        if (status == VARVE_OK)
            status = take_resources(door, requests->traces, &traces, err);
    }
    arena_clear(&door->plan);
    otlp_json_fresh(door);
    return *refused ? VARVE_OK : status;
}
