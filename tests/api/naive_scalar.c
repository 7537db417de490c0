/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_scalar.c -- what an expression over the columns of a row is worth: a case a function.
 *
 * Exact numbers are added in 128 bits, texts are taken apart character by character, patterns are
 * those of the C library.
 */
#include "naive_scalar.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "small.h"

typedef struct varve_cell cell;

static const cell null = {.type = VARVE_CELL_NULL};

static cell of(enum varve_cell_type type, int64_t i)
{
    return (cell){.type = type, .as.i = i};
}

static cell of_truth(int truth)
{
    return truth < 0 ? null : of(VARVE_CELL_BOOL, truth);
}

static cell of_float(double f)
{
    return (cell){.type = VARVE_CELL_FLOAT, .as.f = f};
}

static cell of_text(const char *text)
{
    return cell_text(intern(text));
}

/* ---- numbers ------------------------------------------------------------------------- */

static bool fits(wide x)
{
    return x >= INT64_MIN && x <= INT64_MAX;
}

static cell of_wide(enum varve_cell_type type, wide x)
{
    if (fits(x))
        return of(type, (int64_t)x);
    return type == VARVE_CELL_INT ? of_float((double)x) : null;
}

static cell of_nanos(double d)
{
    double nanos = round(d);
    return nanos >= -0x1p63 && nanos < 0x1p63 ? of(VARVE_CELL_DURATION, (int64_t)nanos) : null;
}

static double number(cell c)
{
    if (c.type == VARVE_CELL_FLOAT)
        return c.as.f;
    if (c.type == VARVE_CELL_TIME || c.type == VARVE_CELL_DURATION)
        return (double)((long double)c.as.i / 1e9L);
    return (double)c.as.i;
}

static cell add(cell a, cell b, int sign)
{
    bool times = a.type == VARVE_CELL_TIME, other = b.type == VARVE_CELL_TIME;
    if (a.type == VARVE_CELL_FLOAT || b.type == VARVE_CELL_FLOAT)
        return of_float(number(a) + sign * number(b));
    enum varve_cell_type type = a.type;
    if (times || other)
        type = times && other ? VARVE_CELL_DURATION : VARVE_CELL_TIME;
    return of_wide(type, (wide)a.as.i + (wide)sign * b.as.i);
}

static cell multiply(cell a, cell b)
{
    if (b.type == VARVE_CELL_DURATION)
        return multiply(b, a);
    if (a.type == VARVE_CELL_DURATION && b.type == VARVE_CELL_FLOAT)
        return of_nanos((double)a.as.i * b.as.f);
    if (a.type == VARVE_CELL_FLOAT || b.type == VARVE_CELL_FLOAT)
        return of_float(number(a) * number(b));
    return of_wide(a.type, (wide)a.as.i * b.as.i);
}

static cell divide(cell a, cell b)
{
    if (b.type == VARVE_CELL_FLOAT ? b.as.f == 0 : b.as.i == 0)
        return null;
    if (a.type == VARVE_CELL_DURATION && b.type != VARVE_CELL_DURATION)
        return of_nanos((double)a.as.i / number(b));
    if (a.type == VARVE_CELL_DURATION)
        return of_float((double)a.as.i / (double)b.as.i);
    return of_float(number(a) / number(b));
}

static cell rest(cell a, cell b)
{
    if (b.type == VARVE_CELL_FLOAT ? b.as.f == 0 : b.as.i == 0)
        return null;
    if (a.type == VARVE_CELL_FLOAT || b.type == VARVE_CELL_FLOAT)
        return of_float(fmod(number(a), number(b)));
    return of(a.type, (int64_t)((wide)a.as.i % b.as.i));
}

static cell rounded(cell a, int64_t digits)
{
    wide unit = 1;
    double scale = pow(10, (double)llabs(digits));
    if (a.type == VARVE_CELL_FLOAT) {
        double x = digits < 0 ? a.as.f / scale : a.as.f * scale;
        if (fabs(x) >= 0x1p52 || isnan(x))
            return a;
        return of_float(digits < 0 ? round(x) * scale : round(x) / scale);
    }
    for (; digits < 0; digits++)
        unit *= 10;
    wide half = unit / 2, x = a.as.i;
    return of_wide(a.type, (x < 0 ? -((-x + half) / unit) : (x + half) / unit) * unit);
}

static cell of_one(enum function f, cell a)
{
    double x = number(a);
    bool is_float = a.type == VARVE_CELL_FLOAT;
    switch (f) {
    case FUNCTION_NEG:
        return is_float ? of_float(-x) : of_wide(a.type, -(wide)a.as.i);
    case FUNCTION_ABS:
        return is_float ? of_float(fabs(x)) : a.as.i < 0 ? of_wide(a.type, -(wide)a.as.i) : a;
    case FUNCTION_SIGN:
        if (is_float && isnan(x))
            return null;
        return of(VARVE_CELL_INT, is_float ? (x > 0) - (x < 0) : (a.as.i > 0) - (a.as.i < 0));
    case FUNCTION_FLOOR:
        return is_float ? of_float(floor(x)) : a;
    case FUNCTION_CEIL:
        return is_float ? of_float(ceil(x)) : a;
    case FUNCTION_SQRT:
        return x >= 0 ? of_float(sqrt(x)) : null;
    case FUNCTION_EXP:
        return isnan(x) ? null : of_float(exp(x));
    case FUNCTION_LN:
        return x > 0 ? of_float(log(x)) : null;
    case FUNCTION_LOG10:
        return x > 0 ? of_float(log10(x)) : null;
    default:
        return x > 0 ? of_float(log2(x)) : null;
    }
}

static int truth(cell c)
{
    if (c.type == VARVE_CELL_NULL || c.type == VARVE_CELL_TIME || c.type == VARVE_CELL_DURATION)
        return -1;
    if (c.type == VARVE_CELL_TEXT) {
        const char *t = c.as.s.data;
        bool yes = strcasecmp(t, "true") == 0 || strcmp(t, "1") == 0;
        bool no = strcasecmp(t, "false") == 0 || strcmp(t, "0") == 0;
        return yes ? 1 : no ? 0 : -1;
    }
    return c.type == VARVE_CELL_FLOAT ? isnan(c.as.f) ? -1 : c.as.f != 0 : c.as.i != 0;
}

static cell to_int(cell a)
{
    char *end;
    double x = number(a);
    if (a.type == VARVE_CELL_TEXT) {
        const char *text = a.as.s.data;
        long long whole = strtoll(text, &end, 10);
        if (*text && !*end)
            return of(VARVE_CELL_INT, whole);
        x = strtod(text, &end);
        if (!*text || *end)
            return null;
    } else if (a.type != VARVE_CELL_FLOAT) {
        bool nanos = a.type == VARVE_CELL_TIME || a.type == VARVE_CELL_DURATION;
        return of(VARVE_CELL_INT, nanos ? a.as.i / SECOND : a.as.i);
    }
    return x >= -0x1p63 && x < 0x1p63 ? of(VARVE_CELL_INT, (int64_t)x) : null;
}

static cell to_float(cell a)
{
    char *end;
    if (a.type != VARVE_CELL_TEXT)
        return of_float(number(a));
    double x = strtod(a.as.s.data, &end);
    return *a.as.s.data && !*end ? of_float(x) : null;
}

/* ---- comparing ------------------------------------------------------------------------ */

/* NaN is equal to itself and above all others. */
static int compare(cell a, cell b)
{
    bool x = a.type == VARVE_CELL_FLOAT && isnan(a.as.f);
    bool y = b.type == VARVE_CELL_FLOAT && isnan(b.as.f);
    return x || y ? x - y : compare_cells(a, b);
}

static cell extreme(const cell *args, int count, int sign)
{
    cell best = null;
    for (int i = 0; i < count; i++)
        if (args[i].type && (!best.type || sign * compare(args[i], best) > 0))
            best = args[i];
    return best;
}

static int is_in(const cell *args, int count)
{
    int found = 0;
    for (int i = 1; i < count; i++) {
        if (args[i].type && args[0].type && compare(args[0], args[i]) == 0)
            return 1;
        found = args[i].type ? found : -1;
    }
    return args[0].type ? found : -1;
}

/* ---- texts ----------------------------------------------------------------------------- */

static size_t character(const char *at) /* bytes of it */
{
    size_t n = 1;
    while ((at[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static bool is_like(const char *text, const char *pattern)
{
    if (!*pattern)
        return !*text;
    if (*pattern == '%')
        return is_like(text, pattern + 1) || (*text && is_like(text + character(text), pattern));
    if (!*text)
        return false;
    if (*pattern == '_')
        return is_like(text + character(text), pattern + 1);
    return *text == *pattern && is_like(text + 1, pattern + 1);
}

static bool matches(const char *text, const char *pattern)
{
    char whole[400];
    regex_t regex;
    snprintf(whole, sizeof whole, "^(%s)$", pattern);
    assert_int_equal(regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB), 0);
    bool is = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return is;
}

/* The n-th character is part of it if from <= n < until. */
static cell part(const char *text, int64_t from, wide until)
{
    char out[4000];
    size_t size = 0;
    int64_t n = 1;
    for (; *text; text += character(text), n++)
        if (n >= from && n < until) {
            memcpy(out + size, text, character(text));
            size += character(text);
        }
    out[size] = '\0';
    return of_text(out);
}

static cell replaced(const char *text, const char *what, const char *by)
{
    char out[8000];
    size_t size = 0;
    while (*text) {
        if (*what && strncmp(text, what, strlen(what)) == 0) {
            size += (size_t)snprintf(out + size, sizeof out - size, "%s", by);
            text += strlen(what);
        } else {
            out[size++] = *text++;
        }
        assert_true(size < sizeof out - 100);
    }
    out[size] = '\0';
    return of_text(out);
}

static cell split(const char *text, const char *separator, int64_t n)
{
    char out[4000];
    const char *end;
    for (int64_t i = 1;; i++) {
        end = *separator ? strstr(text, separator) : NULL;
        if (i == n)
            break;
        if (!end || n < 1)
            return null;
        text = end + strlen(separator);
    }
    snprintf(out, sizeof out, "%.*s", end ? (int)(end - text) : (int)strlen(text), text);
    return of_text(out);
}

static cell recased(const char *text, bool up)
{
    char out[4000];
    snprintf(out, sizeof out, "%s", text);
    for (char *at = out; *at; at++) {
        if (up && *at >= 'a' && *at <= 'z')
            *at = (char)(*at - 32);
        if (!up && *at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 32);
    }
    return of_text(out);
}

static cell trimmed(const char *text)
{
    char out[4000];
    while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
        text++;
    snprintf(out, sizeof out, "%s", text);
    for (size_t n = strlen(out); n && (out[n - 1] == ' ' || out[n - 1] == '\n'); n--)
        out[n - 1] = '\0';
    return of_text(out);
}

static cell to_text(cell a)
{
    char out[VARVE_CELL_TEXT_MAX];
    if (a.type == VARVE_CELL_TEXT)
        return a;
    varve_cell_print(&a, out);
    return of_text(out);
}

static cell of_texts(enum function f, const cell *args, int count)
{
    const char *a = args[0].as.s.data, *b = count > 1 ? args[1].as.s.data : "";
    char out[8000];
    size_t n = strlen(a);
    switch (f) {
    case FUNCTION_CONCAT:
        snprintf(out, sizeof out, "%s%s", a, b);
        return of_text(out);
    case FUNCTION_MATCH:
    case FUNCTION_NOMATCH:
        return of_truth(matches(a, b) == (f == FUNCTION_MATCH));
    case FUNCTION_LIKE:
    case FUNCTION_NOTLIKE:
        return of_truth(is_like(a, b) == (f == FUNCTION_LIKE));
    case FUNCTION_LOWER:
    case FUNCTION_UPPER:
        return recased(a, f == FUNCTION_UPPER);
    case FUNCTION_LENGTH:
        n = 0;
        for (const char *at = a; *at; at += character(at))
            n++;
        return of(VARVE_CELL_INT, (int64_t)n);
    case FUNCTION_REPLACE:
        return replaced(a, b, args[2].as.s.data);
    case FUNCTION_TRIM:
        return trimmed(a);
    case FUNCTION_STARTS:
        return of_truth(strncmp(a, b, strlen(b)) == 0);
    case FUNCTION_ENDS:
        return of_truth(n >= strlen(b) && strcmp(a + n - strlen(b), b) == 0);
    default:
        return of_truth(strstr(a, b) != NULL);
    }
}

/* ---- times ------------------------------------------------------------------------------- */

static size_t one_piece(char letter, const struct tm *tm, int64_t nanos, char *out, size_t size)
{
    switch (letter) {
#define PIECE(l, text) \
    case l:            \
        return strftime(out, size, text, tm)
        PIECE('Y', "%Y");
        PIECE('m', "%m");
        PIECE('d', "%d");
        PIECE('e', "%e");
        PIECE('H', "%H");
        PIECE('M', "%M");
        PIECE('S', "%S");
        PIECE('j', "%j");
        PIECE('u', "%u");
        PIECE('A', "%A");
        PIECE('a', "%a");
        PIECE('B', "%B");
        PIECE('b', "%b");
        PIECE('F', "%F");
        PIECE('T', "%T");
        PIECE('z', "%z");
        PIECE('Z', "%Z");
        PIECE('%', "%%");
#undef PIECE
    case 'y':
        return (size_t)snprintf(out, size, "%02d", tm->tm_year % 100);
    case 'f':
        return (size_t)snprintf(out, size, "%09lld", (long long)nanos);
    default:
        return (size_t)snprintf(out, size, "%%%c", letter);
    }
}

static cell formatted(int64_t instant, const char *format, const char *zone)
{
    char out[1000];
    size_t size = 0;
    struct tm tm;
    local_fields(zone, instant, &tm);
    for (; *format; format++) {
        if (*format == '%' && format[1])
            size += one_piece(*++format, &tm, instant % SECOND, out + size, sizeof out - size);
        else
            out[size++] = *format;
    }
    out[size] = '\0';
    return of_text(out);
}

static cell of_time(enum function f, const cell *args, const char *zone)
{
    static const char *const units[] = {"", "hour", "day", "week", "month", "quarter", "year"};
    struct tm tm;
    unsigned unit = 1;
    int64_t next;
    local_fields(zone, args[0].as.i, &tm);
    switch (f) {
    case FUNCTION_TRUNC:
        while (strcmp(units[unit], args[0].as.s.data) != 0)
            unit++;
        return of(VARVE_CELL_TIME, unit_start(zone, unit, args[1].as.i, &next));
    case FUNCTION_HOUR:
        return of(VARVE_CELL_INT, tm.tm_hour);
    case FUNCTION_MINUTE:
        return of(VARVE_CELL_INT, tm.tm_min);
    case FUNCTION_WEEKDAY:
        return of(VARVE_CELL_INT, (tm.tm_wday + 6) % 7 + 1);
    case FUNCTION_DAY:
        return of(VARVE_CELL_INT, tm.tm_mday);
    case FUNCTION_MONTH:
        return of(VARVE_CELL_INT, tm.tm_mon + 1);
    case FUNCTION_YEAR:
        return of(VARVE_CELL_INT, tm.tm_year + 1900);
    default:
        return formatted(args[0].as.i, args[1].as.s.data, zone);
    }
}

/* ---- calls --------------------------------------------------------------------------------- */

/* Those that may be something although an argument is not known; false: f is none of them. */
static bool of_unknown(enum function f, const cell *args, int count, cell *result)
{
    int a = truth(args[0]), b = count > 1 ? truth(args[1]) : 0;
    switch (f) {
    case FUNCTION_OR:
        *result = of_truth(a == 1 || b == 1 ? 1 : a < 0 || b < 0 ? -1 : 0);
        return true;
    case FUNCTION_AND:
        *result = of_truth(a == 0 || b == 0 ? 0 : a < 0 || b < 0 ? -1 : 1);
        return true;
    case FUNCTION_NOT:
        *result = of_truth(a < 0 ? -1 : !a);
        return true;
    case FUNCTION_ISNULL:
    case FUNCTION_NOTNULL:
        *result = of_truth((args[0].type == VARVE_CELL_NULL) == (f == FUNCTION_ISNULL));
        return true;
    case FUNCTION_IN:
        *result = of_truth(is_in(args, count));
        return true;
    case FUNCTION_IF:
        *result = a == 1 ? args[1] : args[2];
        return true;
    case FUNCTION_COALESCE:
        *result = args[0];
        for (int i = 1; i < count && !result->type; i++)
            *result = args[i];
        return true;
    case FUNCTION_NULLIF:
        *result = args[0].type && args[1].type && compare(args[0], args[1]) == 0 ? null : args[0];
        return true;
    case FUNCTION_LEAST:
    case FUNCTION_GREATEST:
        *result = extreme(args, count, f == FUNCTION_LEAST ? -1 : 1);
        return true;
    default:
        return false;
    }
}

static cell of_numbers(enum function f, const cell *args, int count)
{
    double power;
    switch (f) {
    case FUNCTION_ADD:
    case FUNCTION_SUB:
        return add(args[0], args[1], f == FUNCTION_ADD ? 1 : -1);
    case FUNCTION_MUL:
        return multiply(args[0], args[1]);
    case FUNCTION_DIV:
        return divide(args[0], args[1]);
    case FUNCTION_MOD:
        return rest(args[0], args[1]);
    case FUNCTION_ROUND:
        return rounded(args[0], count > 1 ? args[1].as.i : 0);
    case FUNCTION_POW:
        power = pow(number(args[0]), number(args[1]));
        return isnan(power) ? null : of_float(power);
    default:
        return of_one(f, args[0]);
    }
}

static cell called(enum function f, const cell *args, int count, const char *zone)
{
    cell result;
    if (of_unknown(f, args, count, &result))
        return result;
    for (int i = 0; i < count; i++)
        if (!args[i].type)
            return null;
    int c = f >= FUNCTION_EQ && f <= FUNCTION_GE ? compare(args[0], args[1]) : 0;
    switch (f) {
    case FUNCTION_EQ:
        return of_truth(c == 0);
    case FUNCTION_NE:
        return of_truth(c != 0);
    case FUNCTION_LT:
        return of_truth(c < 0);
    case FUNCTION_LE:
        return of_truth(c <= 0);
    case FUNCTION_GT:
        return of_truth(c > 0);
    case FUNCTION_GE:
        return of_truth(c >= 0);
    case FUNCTION_SUBSTR:
        return part(args[0].as.s.data, args[1].as.i,
                    count > 2 ? (wide)args[1].as.i + (args[2].as.i > 0 ? args[2].as.i : 0)
                              : (wide)INT64_MAX);
    case FUNCTION_SPLIT:
        return split(args[0].as.s.data, args[1].as.s.data, args[2].as.i);
    case FUNCTION_INT:
        return to_int(args[0]);
    case FUNCTION_FLOAT:
    case FUNCTION_SECONDS:
        return to_float(args[0]);
    case FUNCTION_TEXT:
        return to_text(args[0]);
    case FUNCTION_BOOL:
        return of_truth(truth(args[0]));
    default:
        break;
    }
    if (f >= FUNCTION_TRUNC)
        return of_time(f, args, zone);
    if ((f >= FUNCTION_MATCH && f <= FUNCTION_CONCAT) ||
        (f >= FUNCTION_LOWER && f <= FUNCTION_CONTAINS))
        return of_texts(f, args, count);
    return of_numbers(f, args, count);
}

cell scalar_value(const struct scalar *s, const cell *columns, const char *zone)
{
    cell args[5];
    int t = 0;
    if (s->kind == CONSTANT)
        return s->constant;
    if (s->kind == COLUMN)
        return columns[s->column];
    for (int i = 0; i < s->count; i++)
        args[i] = scalar_value(s->args[i], columns, zone);
    switch (s->kind) {
    case CASE_WHEN: /* condition, value, condition, value, else */
        return truth(args[0]) == 1 ? args[1] : truth(args[2]) == 1 ? args[3] : args[4];
    case CASE_OF: /* operand, value, then; without an ELSE */
        return args[0].type && args[1].type && compare(args[0], args[1]) == 0 ? args[2] : null;
    case BETWEEN_TWO:
        if (args[0].type && args[1].type)
            t = compare(args[0], args[1]) >= 0 ? 1 : 0;
        else
            t = -1;
        if (t != 0 && (!args[0].type || !args[2].type))
            t = -1;
        else if (t != 0 && compare(args[0], args[2]) > 0)
            t = 0;
        return of_truth(t < 0 ? -1 : s->negated ? !t : t);
    default:
        break;
    }
    cell result = called(s->function, args, s->count, zone);
    if (s->negated && result.type)
        result.as.i = !result.as.i;
    return result;
}
