/* SPDX-License-Identifier: Apache-2.0
 *
 * json_ours.c -- our reader's side of json_oracle.h.
 *
 * Every text is walked twice: passed over as one value, and taken apart to the last string and
 * number.  Both must agree about whether it is JSON, and every range that was handed out must be
 * readable again by itself.
 */
#include "json_oracle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "ingest/json.h"

#define MUST(condition)                                                             \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

void oracle_put(struct buf *line, const char *text)
{
    buf_put(line, text, strlen(text));
}

void oracle_put_string(struct buf *line, const char *bytes, size_t size)
{
    char length[32];
    snprintf(length, sizeof length, "%zu\"", size);
    oracle_put(line, length);
    buf_put(line, bytes, size);
}

void oracle_put_int(struct buf *line, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "i%" PRId64 " ", value);
    oracle_put(line, text);
}

void oracle_put_real(struct buf *line, double value)
{
    char text[32];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    snprintf(text, sizeof text, "r%016" PRIx64 " ", bits);
    oracle_put(line, text);
}

_Static_assert((int)ORACLE_DEPTH == (int)JSON_DEPTH, "json_oracle.h cannot include json.h");

/* `unreadable`: it is JSON, but some text or number in it cannot be had. */
struct walk {
    struct json json;
    struct mem mem;
    struct arena arena;
    struct buf *line;
    bool unreadable;
};

static void put_string(struct walk *walk, const struct json_value *value)
{
    struct varve_str text, bytes;
    if (json_text(value, &walk->arena, &text, NULL) != VARVE_OK) {
        walk->unreadable = true;
        return;
    }
    MUST(str_is_utf8(text) && json_is(value, text));
    MUST(json_bytes(value, &walk->arena, &bytes, NULL) == VARVE_OK && str_equal(text, bytes));
    MUST(value->wide || value->escaped || text.data == value->text);
    oracle_put_string(walk->line, text.data, text.size);
}

static void put_number(struct walk *walk, const struct json_value *value)
{
    bool whole = true;
    int64_t i;
    uint64_t u;
    double real;
    for (uint32_t n = 0; n < value->size; n++)
        whole &= !strchr(".eE", value->text[n]);
    if (json_int64(value, &i))
        MUST(i < 0 || (json_uint64(value, &u) && u == (uint64_t)i));
    if (whole) {
        if (json_int64(value, &i))
            oracle_put_int(walk->line, i);
        else
            walk->unreadable = true;
    } else if (json_double(value, &real)) {
        oracle_put_real(walk->line, real);
    } else {
        walk->unreadable = true;
    }
}

static void check_alone(const struct json_value *value)
{
    struct json json;
    struct json_value again;
    json_start(&json, value->text, value->size);
    MUST(json_value(&json, &again) && json_end(&json));
    MUST(again.type == value->type && again.size == value->size);
}

static void walk_value(struct walk *walk)
{
    struct json_value value, key;
    enum json_type type = json_peek(&walk->json);
    if (type == JSON_OBJECT) {
        oracle_put(walk->line, "{");
        (void)json_begin(&walk->json);
        while (json_member(&walk->json, &key)) {
            put_string(walk, &key);
            walk_value(walk);
        }
        oracle_put(walk->line, "}");
    } else if (type == JSON_ARRAY) {
        oracle_put(walk->line, "[");
        (void)json_begin(&walk->json);
        while (json_element(&walk->json))
            walk_value(walk);
        oracle_put(walk->line, "]");
    } else if (json_value(&walk->json, &value)) {
        MUST(value.type == type);
        if (type == JSON_STRING)
            put_string(walk, &value);
        else if (type == JSON_NUMBER)
            put_number(walk, &value);
        else
            oracle_put(walk->line, type == JSON_TRUE ? "t" : type == JSON_FALSE ? "f" : "n");
        if (type != JSON_STRING)
            check_alone(&value);
    }
}

enum oracle_answer oracle_ours(const char *text, size_t size, struct buf *line)
{
    struct walk walk = {.line = line};
    struct json json;
    struct json_value value;
    struct varve_err err, other;
    mem_init(&walk.mem, NULL, 0);
    arena_init(&walk.arena, &walk.mem, 1 << 12);
    json_start(&json, text, size);
    bool passed = json_value(&json, &value) && json_end(&json);
    json_start(&walk.json, text, size);
    walk_value(&walk);
    bool walked = json_end(&walk.json);
    MUST(passed == walked);
    if (passed && (value.type == JSON_ARRAY || value.type == JSON_OBJECT))
        check_alone(&value);
    if (!passed) {
        enum varve_status status = json_fail(&json, "", &err);
        MUST(status == json_fail(&walk.json, "", &other));
        MUST(status == VARVE_INVALID || status == VARVE_LIMIT);
        MUST(json.at >= json.start && json.at <= json.end && json.at == walk.json.at);
    }
    arena_free(&walk.arena);
    MUST(walk.mem.used == 0);
    return passed && !walk.unreadable ? ORACLE_ACCEPTS : ORACLE_REFUSES;
}
