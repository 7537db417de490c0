/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_otlp_json.c -- the door for OTLP in JSON on any bytes.
 *
 * A body that is refused has made no call of the intake and says why; one that is not is JSON.
 * A body means the same each time, also when it comes after others, and inside of an array; and
 * what a door remembers of a body does not change what it makes of another.
 */
#include "../ingest/fake_intake.h"
#include "fuzz.h"
#include "ingest/json.h"
#include "ingest/otlp_json.h"

/* Lines of a body, for the caller to free; NULL: refused. */
static char *lines_of(struct otlp_json *door, struct intake *intake, const char *text, size_t size)
{
    bool refused;
    struct varve_err err = {.message = ""};
    fake_intake_clear(intake);
    MUST(otlp_json_body(door, OTLP_ANY, text, size, &refused, &err) == VARVE_OK);
    if (refused) {
        MUST(fake_intake_lines(intake)[0] == '\0' && err.message[0] != '\0');
        MUST(err.status == VARVE_INVALID || err.status == VARVE_LIMIT);
        return NULL;
    }
    char *lines = strdup(fake_intake_lines(intake));
    MUST(lines != NULL);
    return lines;
}

static void check_json(const char *text, size_t size)
{
    struct json json;
    struct json_value value;
    json_start(&json, text, size);
    if (json_peek(&json) == JSON_NONE && json.at == json.end)
        return;
    MUST(json_value(&json, &value) && json_end(&json));
    MUST(value.type == JSON_OBJECT || value.type == JSON_ARRAY);
}

static void check_in_array(struct otlp_json *door, struct intake *intake, const char *text,
                           size_t size, const char *lines)
{
    struct json json;
    char *list = malloc(size + 2), *again;
    MUST(list != NULL);
    list[0] = '[';
    memcpy(list + 1, text, size);
    list[size + 1] = ']';
    json_start(&json, text, size);
    if (json_peek(&json) == JSON_OBJECT) {
        again = lines_of(door, intake, list, size + 2);
        /* One level deeper it may be too deep. */
        MUST(!again || strcmp(lines, again) == 0);
        free(again);
    }
    free(list);
}

/* With a byte changed the text means the same to a door that has met it as it was, and to one that
 * has met nothing. */
static void check_changed(struct mem *mem, struct otlp_json *door, struct intake *intake,
                          const char *text, size_t size)
{
    static const char bytes[] = "\"\\{}[],: 1";
    struct otlp_json *fresh;
    char *changed = malloc(size);
    uint32_t at = 0;
    MUST(changed != NULL);
    memcpy(changed, text, size);
    for (size_t i = 0; i < size; i++)
        at = at * 31 + (unsigned char)text[i];
    changed[at % size] = bytes[at / size % (sizeof bytes - 1)];
    MUST(otlp_json_new(mem, intake, &fresh, NULL) == VARVE_OK);
    char *lines = lines_of(door, intake, changed, size);
    char *expected = lines_of(fresh, intake, changed, size);
    MUST(!lines == !expected && (!lines || strcmp(lines, expected) == 0));
    free(lines);
    free(expected);
    otlp_json_free(fresh);
    free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mem mem;
    struct intake *intake;
    struct otlp_json *door;
    const char *text = (const char *)data;
    if (size > 1 << 16)
        return 0;
    mem_init(&mem, NULL, 0);
    MUST(intake_new(NULL, &intake, NULL) == VARVE_OK);
    MUST(otlp_json_new(&mem, intake, &door, NULL) == VARVE_OK);
    char *lines = lines_of(door, intake, text, size);
    char *again = lines_of(door, intake, text, size);
    MUST(!lines == !again && (!lines || strcmp(lines, again) == 0));
    if (lines) {
        check_json(text, size);
        check_in_array(door, intake, text, size, lines);
        if (size > 0)
            check_changed(&mem, door, intake, text, size);
    }
    free(lines);
    free(again);
    otlp_json_free(door);
    intake_free(intake);
    MUST(mem.used == 0);
    return 0;
}
