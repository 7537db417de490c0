/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_prom_text.c -- pages of text: what comes of them does not depend on what was read before,
 * and a line that is rejected leaves nothing behind.
 *
 *   byte 0   the format
 *
 * A page is read twice by one door, the second time with all its labels known, and once without
 * its bad lines: the intake must be told the same each time but for the rejections.
 */
#include "fuzz.h"

#include <string.h>

#include "../ingest/fake_intake.h"
#include "base/buf.h"
#include "ingest/prom_line.h"
#include "ingest/prom_text.h"

#define PAGE_TIME INT64_C(1700000000000000000)

static void give(struct prom_text *door, enum varve_input input, const uint8_t *data, size_t size,
                 bool only_good)
{
    prom_text_begin(door, input, "P", PAGE_TIME);
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const struct varve_str text = {(const char *)data + at,
                                       end ? (size_t)(end - data) - at : size - at};
        struct prom_line line;
        at += text.size + 1;
        prom_line_parse(&line, text);
        MUST(line.kind != PROM_BAD || (line.column >= 1 && line.column <= text.size + 1));
        if (line.kind != PROM_BAD || !only_good)
            MUST(prom_text_line(door, text, NULL) == VARVE_OK);
    }
    MUST(prom_text_end(door, NULL) == VARVE_OK);
}

/* What the intake was told, without places and rejections; free() it. */
static char *told(struct intake *intake)
{
    const char *lines = fake_intake_lines(intake);
    char *out = malloc(strlen(lines) + 1);
    size_t used = 0;
    MUST(out);
    for (const char *at = lines; *at;) {
        const size_t size = strcspn(at, "\n") + 1;
        if (strncmp(at, "place", 5) != 0 && strncmp(at, "reject", 6) != 0) {
            memcpy(out + used, at, size);
            used += size;
        }
        at += size;
    }
    out[used] = '\0';
    fake_intake_clear(intake);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum varve_input inputs[] = {VARVE_INPUT_ANY, VARVE_INPUT_OPENMETRICS,
                                              VARVE_INPUT_PROMETHEUS};
    const struct intake_options options = {.seed = 1};
    struct intake *intake;
    struct prom_text *door;
    struct mem mem;
    char *first, *again, *good;
    if (size == 0)
        return 0;
    const enum varve_input input = inputs[data[0] % 3];
    mem_init(&mem, NULL, 0);
    MUST(intake_new(&options, &intake, NULL) == VARVE_OK);
    MUST(prom_text_new(&mem, 7, intake, &door, NULL) == VARVE_OK);
    give(door, input, data + 1, size - 1, false);
    first = told(intake);
    give(door, input, data + 1, size - 1, false);
    again = told(intake);
    give(door, input, data + 1, size - 1, true);
    good = told(intake);
    MUST(strcmp(first, again) == 0);
    MUST(strcmp(first, good) == 0);
    free(first);
    free(again);
    free(good);
    prom_text_free(door);
    intake_free(intake);
    MUST(mem.used == 0);
    return 0;
}
