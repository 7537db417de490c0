/* SPDX-License-Identifier: Apache-2.0
 *
 * test_plain.c -- JSON text of values: escapes, numbers that read back to the same bits,
 * base64 and hexadecimal (RFC 4648's vectors), and what happens without memory.
 */
#include "ingest/plain.h"

#include "../base/unit.h"
#include "../faults/alloc_fault.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct mem mem;
static struct buf buf;

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, 0);
    buf_init(&buf, &mem, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_free(&buf);
    return mem.used != 0;
}

static void check(const char *expected)
{
    assert_int_equal(buf_status(&buf, NULL), VARVE_OK);
    buf_put8(&buf, 0);
    assert_string_equal((const char *)buf.data, expected);
    buf_clear(&buf);
}

static void check_text(const char *text, size_t size, const char *expected)
{
    plain_text(&buf, (struct varve_str){text, size});
    check(expected);
}

static void test_texts(void **state)
{
    (void)state;
    check_text("", 0, "\"\"");
    check_text("plain / text", 12, "\"plain / text\"");
    check_text("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
    check_text("\n\r\t\b\f\x01\x1f\x7f", 8, "\"\\n\\r\\t\\b\\f\\u0001\\u001f\x7f\"");
    check_text("a\0b", 3, "\"a\\u0000b\"");
    check_text("\xc3\xa9\xf0\x9f\x98\x80", 6, "\"\xc3\xa9\xf0\x9f\x98\x80\"");
}

static void check_value(struct varve_value value, const char *expected)
{
    plain_value(&buf, value);
    check(expected);
}

static struct varve_value of_float(double f)
{
    return (struct varve_value){.type = VARVE_FLOAT, .as.f = f};
}

static void test_values(void **state)
{
    (void)state;
    check_value((struct varve_value){.type = VARVE_NULL}, "null");
    check_value((struct varve_value){.type = VARVE_BOOL, .as.i = 1}, "true");
    check_value((struct varve_value){.type = VARVE_BOOL, .as.i = 0}, "false");
    check_value((struct varve_value){.type = VARVE_INT, .as.i = INT64_MIN}, "-9223372036854775808");
    check_value((struct varve_value){.type = VARVE_TEXT, .as.s = STR("a\"")}, "\"a\\\"\"");
    check_value(of_float(0.1), "0.1");
    check_value(of_float(9), "9");
    check_value(of_float(-1.5e300), "-1.5e+300");
    check_value(of_float(0.018472600000000002), "0.018472600000000002");
    check_value(of_float((double)NAN), "\"NaN\"");
    check_value(of_float((double)INFINITY), "\"Infinity\"");
    check_value(of_float(-(double)INFINITY), "\"-Infinity\"");
}

static void test_doubles_read_back(void **state)
{
    (void)state;
    uint64_t seed = 20261121;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = seed = seed * 6364136223846793005u + 1442695040888963407u;
        double f, back;
        bits ^= bits >> 29;
        memcpy(&f, &bits, sizeof f);
        if (!isfinite(f))
            continue;
        plain_value(&buf, of_float(f));
        buf_put8(&buf, 0);
        back = strtod((const char *)buf.data, NULL);
        if (memcmp(&back, &f, sizeof f) != 0)
            fail_msg("%.17g became %s", f, (const char *)buf.data);
        buf_clear(&buf);
    }
}

static void test_bytes(void **state)
{
    (void)state;
    static const char *const base64[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                         "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t i = 0; i < 7; i++) {
        plain_base64(&buf, (const uint8_t *)"foobar", i);
        check(base64[i]);
    }
    plain_base64(&buf, (const uint8_t *)"\xfb\xff\xfe", 3);
    check("+//+");
    plain_hex(&buf, (const uint8_t *)"\x00\x9f\xa0\xff", 4);
    check("009fa0ff");
}

static void test_no_memory(void **state)
{
    (void)state;
    struct alloc_fault fault;
    struct mem failing;
    struct buf out;
    alloc_fault_init(&fault);
    for (alloc_fault_start(&fault, ALLOC_FAULT_ONCE); alloc_fault_next(&fault);) {
        mem_init(&failing, &fault.allocator, 0);
        buf_init(&out, &failing, 1000);
        for (int i = 0; i < 20; i++)
            plain_text(&out, STR("some\ttext"));
        enum varve_status status = buf_status(&out, NULL);
        assert_true(status == VARVE_OK ? out.size == 20 * 12 : status == VARVE_NOMEM);
        buf_free(&out);
        assert_true(alloc_fault_is_clean(&fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_doubles_read_back),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
