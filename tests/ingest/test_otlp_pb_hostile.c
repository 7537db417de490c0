/* SPDX-License-Identifier: Apache-2.0
 *
 * test_otlp_pb_hostile.c -- bodies that mean ill, are damaged, or come when memory is short.
 *
 * Whatever arrives, the door refuses it without a trace, or takes it, rejecting records; it
 * does not crash, leak, or take more memory than MOST_MEMORY, of which it may
 * hold only a little afterwards.
 */
#include "ingest/otlp_pb.h"

#include <string.h>

#include "../base/prng.h"
#include "../base/unit.h"
#include "../faults/alloc_fault.h"
#include "fake_intake.h"
#include "pb_samples.h"

#define MOST_MEMORY ((size_t)256 << 20)
#define MOST_KEPT ((size_t)8 << 20)

static const char *(*const samples[])(struct pb *) = {pb_sample_metrics, pb_sample_logs,
                                                      pb_sample_traces};

struct fixture {
    struct mem mem;
    struct intake *intake;
    struct otlp_pb *door;
};

static void begin(struct fixture *f)
{
    mem_init(&f->mem, NULL, 0);
    assert_int_equal(intake_new(NULL, &f->intake, NULL), VARVE_OK);
    assert_int_equal(otlp_pb_new(&f->mem, f->intake, &f->door, NULL), VARVE_OK);
}

static void end(struct fixture *f)
{
    otlp_pb_free(f->door);
    intake_free(f->intake);
    assert_int_equal(f->mem.used, 0);
}

/* Gives the bytes, in a block of just their size so that a sanitizer sees every step beyond, to the
 * door; answers whether it refused them. */
static bool give(struct fixture *f, const void *bytes, size_t size, struct varve_err *err)
{
    bool refused;
    uint8_t *copy = mem_alloc(&f->mem, size);
    if (size > 0)
        memcpy(copy, bytes, size);
    f->mem.peak = size;
    fake_intake_clear(f->intake);
    assert_int_equal(otlp_pb_body(f->door, OTLP_ANY, copy, size, &refused, err), VARVE_OK);
    mem_free(&f->mem, copy, size);
    if (refused)
        assert_string_equal(fake_intake_lines(f->intake), "");
    assert_true(f->mem.peak - size <= MOST_MEMORY);
    assert_true(f->mem.used <= MOST_KEPT);
    return refused;
}

/* ---- damage ---- */

static void cut_off_anywhere(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (size_t s = 0; s < sizeof samples / sizeof *samples; s++) {
        struct pb pb = {0};
        samples[s](&pb);
        size_t refusals = 0;
        for (size_t size = 0; size < pb.size; size++)
            refusals += give(&f, pb.data, size, NULL);
        /* All but the few that end between blocks. */
        assert_true(refusals > 0 && refusals + 40 >= pb.size);
        pb_free(&pb);
    }
    end(&f);
}

static void a_bit_flipped_anywhere(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (size_t s = 0; s < sizeof samples / sizeof *samples; s++) {
        struct pb pb = {0};
        samples[s](&pb);
        size_t refusals = 0;
        for (size_t bit = 0; bit < pb.size * 8; bit++) {
            pb.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            refusals += give(&f, pb.data, pb.size, NULL);
            pb.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_true(refusals > 100 && refusals < pb.size * 8);
        assert_false(give(&f, pb.data, pb.size, NULL));
        pb_free(&pb);
    }
    end(&f);
}

static void damaged_at_random(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct prng prng = prng_start(20260914);
    for (int round = 0; round < 3000; round++) {
        struct pb pb = {0};
        samples[round % 3](&pb);
        for (uint64_t n = prng_below(&prng, 8) + 1; n > 0; n--)
            pb.data[prng_below(&prng, pb.size)] = (uint8_t)prng_next(&prng);
        give(&f, pb.data, pb.size, NULL);
        pb_free(&pb);
    }
    end(&f);
}

/* ---- the nasty list ---- */

static void refused(const struct pb *pb, const char *message)
{
    struct fixture f;
    struct varve_err err = {0};
    begin(&f);
    assert_true(give(&f, pb->data, pb->size, &err));
    if (!strstr(err.message, message))
        fail_msg("\"%s\" says nothing of \"%s\"", err.message, message);
    end(&f);
}

static void two_million_empty_messages(void **state)
{
    (void)state;
    struct pb pb = {0};
    for (int i = 0; i < 2000000; i++)
        pb_raw(&pb, "\x0a\x00", 2);
    refused(&pb, "messages");
    pb_free(&pb);
}

static void a_sum_of_empty_points(struct pb *pb, int points)
{
    pb_sample_down(pb);
    pb_sample_sum(pb);
    for (int i = 0; i < points; i++)
        pb_raw(pb, "\x0a\x00", 2);
    pb_sample_up(pb);
}

/* A block of spans, of which only the first has something to tell that it is one. */
static void empty_spans(struct pb *pb, int spans)
{
    pb_sample_down(pb);
    pb_begin(pb, 2);
    pb_fixed64(pb, 7, 1);
    pb_end(pb);
    for (int i = 0; i < spans; i++)
        pb_raw(pb, "\x12\x00", 2);
    pb_sample_up(pb);
}

/* Fewer than the limit of messages, but more than fit into the memory for a block. */
static void a_million_empty_spans(void **state)
{
    (void)state;
    struct pb pb = {0};
    empty_spans(&pb, 999980);
    refused(&pb, "MiB");
    /* The same behind a good block: nothing of that may have been taken. */
    pb_clear(&pb);
    empty_spans(&pb, 1);
    empty_spans(&pb, 999980);
    refused(&pb, "MiB");
    pb_free(&pb);
}

/* A block that is large, but fits, behind another one is taken. */
static void large_blocks(void **state)
{
    (void)state;
    struct fixture f;
    struct pb pb = {0};
    begin(&f);
    a_sum_of_empty_points(&pb, 1);
    a_sum_of_empty_points(&pb, 600000);
    fake_intake_silent(f.intake, true);
    assert_false(give(&f, pb.data, pb.size, NULL));
    pb_free(&pb);
    end(&f);
}

static void unknown_fields_by_the_million(void **state)
{
    (void)state;
    struct pb pb = {0};
    pb_sample_down(&pb);
    pb_begin(&pb, 2);
    for (int i = 0; i < 5000000; i++)
        pb_raw(&pb, "\x78\x00", 2);
    pb_sample_up(&pb);
    refused(&pb, "MiB");
    pb_free(&pb);
}

static void numbers_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"\x0a\x80\x80\x80\x80\x04", 6},                          /* a length of 1 GiB */
        {"\x0a\x80", 2},                                          /* a length that is cut off */
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},     /* a negative length */
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* an over-long one */
        {"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* an over-long varint */
        {"\x10\x80\x80", 3},                                      /* a varint that is cut off */
        {"\x0b\x0c", 2},                                          /* a group */
        {"\x0c", 1},                                              /* the end of one */
        {"\x00\x00", 2},                                          /* field 0 */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 11},     /* a tag of 64 bits */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pb pb = {0};
        pb_raw(&pb, cases[i].bytes, cases[i].size);
        refused(&pb, "byte ");
        /* The same within a block, and within a metric. */
        pb_clear(&pb);
        pb_begin(&pb, 1);
        pb_raw(&pb, cases[i].bytes, cases[i].size);
        pb_end(&pb);
        refused(&pb, "byte ");
        pb_clear(&pb);
        pb_sample_down(&pb);
        pb_sample_sum(&pb);
        pb_raw(&pb, cases[i].bytes, cases[i].size);
        pb_sample_up(&pb);
        refused(&pb, "byte ");
        pb_free(&pb);
    }
}

/* Good points around one with an attribute nested 5,000 deep, and one of a million elements. */
static void deep_and_wide_values(void **state)
{
    (void)state;
    struct fixture f;
    struct pb pb = {0};
    begin(&f);
    pb_sample_down(&pb);
    pb_sample_sum(&pb);
    for (int i = 0; i < 5; i++) {
        pb_sample_begin_point(&pb, i);
        pb_begin(&pb, 7);
        pb_text(&pb, 1, "k");
        if (i == 1) {
            pb_nested(&pb, 2, 5000);
        } else if (i == 3) {
            pb_begin(&pb, 2);
            pb_begin(&pb, 5);
            for (int e = 0; e < 8000000; e++)
                pb_raw(&pb, "\x0a\x00", 2);
            pb_end(&pb);
            pb_end(&pb);
        }
        pb_end(&pb);
        pb_end(&pb);
    }
    pb_sample_up(&pb);
    assert_false(give(&f, pb.data, pb.size, NULL));
    assert_string_equal(fake_intake_lines(f.intake), "resource\n"
                                                     "scope \"\" \"\"\n"
                                                     "metric \"m\" \"\" sum delta monotonic\n"
                                                     "number {k=null} 1 2 int 0\n"
                                                     "reject DEPTH 1\n"
                                                     "number {k=null} 1 2 int 2\n"
                                                     "reject FIELDS 1\n"
                                                     "number {k=null} 1 2 int 4\n"
                                                     "pause\n");
    pb_free(&pb);
    end(&f);
}

/* A door that took a large body holds little of it afterwards, and the next bodies need none. */
static void memory_is_given_back(void **state)
{
    (void)state;
    struct fixture f;
    struct pb pb = {0}, small = {0};
    begin(&f);
    fake_intake_silent(f.intake, true);
    a_sum_of_empty_points(&pb, 300000);
    pb_sample_metrics(&small);
    for (int i = 0; i < 3; i++) {
        assert_false(give(&f, pb.data, pb.size, NULL));
        assert_false(give(&f, small.data, small.size, NULL));
        size_t used = f.mem.used;
        assert_false(give(&f, small.data, small.size, NULL));
        assert_int_equal(f.mem.used, used);
    }
    pb_free(&pb);
    pb_free(&small);
    end(&f);
}

/* ---- memory ---- */

static void take_all_samples(struct alloc_fault *fault, struct pb *bodies)
{
    struct fixture f;
    struct varve_err err = {0};
    mem_init(&f.mem, &fault->allocator, 0);
    assert_int_equal(intake_new(NULL, &f.intake, NULL), VARVE_OK);
    enum varve_status status = otlp_pb_new(&f.mem, f.intake, &f.door, &err);
    if (status == VARVE_OK) {
        for (size_t s = 0; s < 4; s++) {
            bool refused_it = true;
            uint64_t before = fault->failed;
            status =
                otlp_pb_body(f.door, OTLP_ANY, bodies[s].data, bodies[s].size, &refused_it, &err);
            assert_false(refused_it);
            /* What failed once may be done with less. */
            if (fault->failed == before || fault->mode == ALLOC_FAULT_ONCE)
                assert_true(status == VARVE_OK || fault->failed > before);
            else
                assert_int_equal(status, VARVE_NOMEM);
        }
        otlp_pb_free(f.door);
    } else {
        assert_int_equal(status, VARVE_NOMEM);
    }
    intake_free(f.intake);
}

static void every_allocation_fails(void **state)
{
    (void)state;
    struct pb bodies[4] = {{0}};
    for (size_t s = 0; s < 3; s++)
        samples[s](&bodies[s]);
    a_sum_of_empty_points(&bodies[3], 20000); /* several chunks */
    static const enum alloc_fault_mode modes[] = {ALLOC_FAULT_ONCE, ALLOC_FAULT_STICKY};
    for (size_t m = 0; m < 2; m++) {
        struct alloc_fault fault;
        unsigned rounds = 0;
        alloc_fault_init(&fault);
        for (alloc_fault_start(&fault, modes[m]); alloc_fault_next(&fault); rounds++) {
            take_all_samples(&fault, bodies);
            assert_true(alloc_fault_is_clean(&fault));
        }
        assert_true(rounds > 5);
    }
    for (size_t s = 0; s < 4; s++)
        pb_free(&bodies[s]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_off_anywhere),
        cmocka_unit_test(a_bit_flipped_anywhere),
        cmocka_unit_test(damaged_at_random),
        cmocka_unit_test(two_million_empty_messages),
        cmocka_unit_test(a_million_empty_spans),
        cmocka_unit_test(large_blocks),
        cmocka_unit_test(unknown_fields_by_the_million),
        cmocka_unit_test(numbers_that_lie),
        cmocka_unit_test(deep_and_wide_values),
        cmocka_unit_test(memory_is_given_back),
        cmocka_unit_test(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
