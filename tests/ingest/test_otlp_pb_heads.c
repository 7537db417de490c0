/* SPDX-License-Identifier: Apache-2.0
 *
 * test_otlp_pb_heads.c -- what the points of a request have in common is looked at once, and that
 * changes nothing: random points, most of which begin as the one before, are given in one body and
 * each in a body and to a door of its own; the intake must hear the same of every point.  Points
 * are spread over metrics, and data of metrics over pieces, which are joined elsewhere than in the
 * body.
 */
#include <stdio.h>
#include <string.h>
#include "../base/prng.h"
#include "../base/unit.h"
#include "base/buf.h"
#include "fake_intake.h"
#include "ingest/otlp_pb.h"
#include "pb_samples.h"

enum { ROUNDS = 300, POINTS = 12, MOST = 10 };

struct door {
    struct mem mem;
    struct intake *intake;
    struct otlp_pb *pb;
};

static void door_open(struct door *door)
{
    struct intake_options none = {.mem = &door->mem};
    mem_init(&door->mem, NULL, 0);
    assert_int_equal(intake_new(&none, &door->intake, NULL), VARVE_OK);
    assert_int_equal(otlp_pb_new(&door->mem, door->intake, &door->pb, NULL), VARVE_OK);
}

static void door_close(struct door *door)
{
    otlp_pb_free(door->pb);
    intake_free(door->intake);
}

/* The lines about points that the intake heard. */
static void heard(struct door *door, const struct pb *body, struct buf *lines)
{
    bool refused;
    fake_intake_clear(door->intake);
    assert_int_equal(otlp_pb_body(door->pb, OTLP_METRICS, body->data, body->size, &refused, NULL),
                     VARVE_OK);
    assert_false(refused);
    for (const char *line = fake_intake_lines(door->intake); *line;) {
        size_t size = strcspn(line, "\n") + 1;
        if (strncmp(line, "number", 6) == 0 || strncmp(line, "reject", 6) == 0)
            buf_put(lines, line, size);
        line += size;
    }
}

/* An attribute as short or as long as they come, and the same one for the same number. */
static void put_attribute(struct pb *pb, uint64_t which)
{
    char key[16], value[400];
    size_t size = which % 7 == 0 ? 120 + which % 200 : which % 3 * 16 + which % 5;
    snprintf(key, sizeof key, "k%u", (unsigned)which);
    memset(value, 'a' + (int)(which % 26), size);
    value[size] = '\0';
    pb_attribute(pb, 7, key, pb_a_text(value));
}

/* What stands between attributes now and then. */
static void put_other(struct pb *pb, struct prng *prng)
{
    switch (prng_below(prng, 12)) {
    case 0:
        pb_fixed64(pb, 3, prng_below(prng, 9) + 1);
        break;
    case 1:
        pb_varint(pb, 8, 0);
        break;
    case 2:
        pb_text(pb, 13, "unknown");
        break;
    default:
        break;
    }
}

/* A point whose attributes begin with some of those of the one before. */
static void put_point(struct pb *pb, struct prng *prng, uint64_t attributes[MOST], size_t *count)
{
    size_t kept = prng_below(prng, *count + 1), wanted = prng_below(prng, MOST + 1);
    bool is_mixed = prng_below(prng, 8) == 0;
    if (prng_below(prng, 3) == 0)
        wanted = kept = *count; /* the very same */
    for (size_t i = kept; i < wanted; i++)
        attributes[i] = prng_below(prng, 40);
    *count = wanted;
    pb_sample_begin_point(pb, (int64_t)prng_below(prng, 1000));
    for (size_t i = 0; i < wanted; i++) {
        put_attribute(pb, attributes[i]);
        if (is_mixed)
            put_other(pb, prng);
    }
    pb_end(pb);
}

static void put_body(struct pb *body, const struct pb *point)
{
    pb_clear(body);
    pb_sample_down(body);
    pb_sample_sum(body);
    pb_raw(body, point->data, point->size);
    pb_sample_up(body);
}

/* Goes on in the metric at hand, in a new piece of its data, or in another metric. */
static void put_into_metric(struct pb *all, struct prng *prng)
{
    uint64_t which = all->depth <= 2 ? 0 : prng_below(prng, 6);
    if (which > 1)
        return;
    while (all->depth > (which == 0 ? 2 : 3))
        pb_end(all);
    if (which == 0)
        pb_sample_sum(all);
    else
        pb_begin(all, 7);
}

/* Of two long texts the first lines that differ. */
static void check_same(const char *ours, const char *theirs)
{
    size_t line = 0;
    for (size_t i = 0; ours[i] || theirs[i]; i++) {
        if (ours[i] != theirs[i])
            fail_msg("together: %.*s\nalone:    %.*s", (int)strcspn(ours + line, "\n"), ours + line,
                     (int)strcspn(theirs + line, "\n"), theirs + line);
        if (ours[i] == '\n')
            line = i + 1;
    }
}

static void points_share_heads(void **state)
{
    (void)state;
    struct prng prng = prng_start(1);
    struct door together, alone;
    struct mem mem;
    mem_init(&mem, NULL, 0);
    door_open(&together);
    door_open(&alone);
    for (int round = 0; round < ROUNDS; round++) {
        struct pb all = {0}, point = {0}, body = {0};
        struct buf ours, theirs;
        uint64_t attributes[MOST];
        size_t count = 0;
        buf_init(&ours, &mem, 1 << 24);
        buf_init(&theirs, &mem, 1 << 24);
        pb_sample_down(&all);
        for (int i = 0; i < POINTS; i++) {
            pb_clear(&point);
            put_point(&point, &prng, attributes, &count);
            put_into_metric(&all, &prng);
            pb_raw(&all, point.data, point.size);
            put_body(&body, &point);
            heard(&alone, &body, &theirs);
        }
        pb_sample_up(&all);
        heard(&together, &all, &ours);
        buf_put8(&ours, 0);
        buf_put8(&theirs, 0);
        assert_int_equal(buf_status(&ours, NULL), VARVE_OK);
        assert_int_equal(buf_status(&theirs, NULL), VARVE_OK);
        assert_true(ours.size > 200);
        check_same((const char *)ours.data, (const char *)theirs.data);
        buf_free(&ours);
        buf_free(&theirs);
        pb_free(&all);
        pb_free(&point);
        pb_free(&body);
    }
    assert_true(fake_intake_found(together.intake) > 0);
    door_close(&alone);
    door_close(&together);
    assert_int_equal(together.mem.used, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(points_share_heads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
