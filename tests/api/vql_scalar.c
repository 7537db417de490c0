/* SPDX-License-Identifier: Apache-2.0
 *
 * vql_scalar.c -- random expressions over the fields of an event, as text and as a tree.
 *
 * Every function of the language has a row here that says what it takes and gives: N a number, W a
 * whole one, T a text, B a condition, I an instant, D a duration, = what is wanted, * anything, ?
 * two of one sort; P, L, U, F, G, S a pattern, one of LIKE, a unit, a format, a number of digits, a
 * short text.  The last letter holds for all that follow.
 */
#include <time.h>

#include "vql_grammar.h"

static const struct {
    enum function function;
    const char *gives, *takes;
    int least, most;
} functions[] = {
    {FUNCTION_OR, "B", "B", 2, 2},
    {FUNCTION_AND, "B", "B", 2, 2},
    {FUNCTION_NOT, "B", "B", 1, 1},
    {FUNCTION_EQ, "B", "?", 2, 2},
    {FUNCTION_NE, "B", "?", 2, 2},
    {FUNCTION_LT, "B", "?", 2, 2},
    {FUNCTION_LE, "B", "?", 2, 2},
    {FUNCTION_GT, "B", "?", 2, 2},
    {FUNCTION_GE, "B", "?", 2, 2},
    {FUNCTION_MATCH, "B", "TP", 2, 2},
    {FUNCTION_NOMATCH, "B", "TP", 2, 2},
    {FUNCTION_LIKE, "B", "TL", 2, 2},
    {FUNCTION_NOTLIKE, "B", "TL", 2, 2},
    {FUNCTION_CONCAT, "T", "T", 2, 2},
    {FUNCTION_ADD, "NW", "=", 2, 2},
    {FUNCTION_ADD, "I", "ID", 2, 2},
    {FUNCTION_ADD, "I", "DI", 2, 2},
    {FUNCTION_ADD, "D", "D", 2, 2},
    {FUNCTION_SUB, "NW", "=", 2, 2},
    {FUNCTION_SUB, "I", "ID", 2, 2},
    {FUNCTION_SUB, "D", "I", 2, 2},
    {FUNCTION_SUB, "D", "D", 2, 2},
    {FUNCTION_MUL, "NW", "=", 2, 2},
    {FUNCTION_MUL, "D", "DN", 2, 2},
    {FUNCTION_MUL, "D", "ND", 2, 2},
    {FUNCTION_DIV, "N", "N", 2, 2},
    {FUNCTION_DIV, "N", "D", 2, 2},
    {FUNCTION_DIV, "D", "DN", 2, 2},
    {FUNCTION_MOD, "NW", "=", 2, 2},
    {FUNCTION_NEG, "NWD", "=", 1, 1},
    {FUNCTION_ISNULL, "B", "*", 1, 1},
    {FUNCTION_NOTNULL, "B", "*", 1, 1},
    {FUNCTION_IN, "B", "?", 2, 4},
    {FUNCTION_IF, "NWTBID", "B=", 3, 3},
    {FUNCTION_COALESCE, "NWTBID", "=", 1, 3},
    {FUNCTION_NULLIF, "NWTBID", "=", 2, 2},
    {FUNCTION_LEAST, "NWTID", "=", 1, 3},
    {FUNCTION_GREATEST, "NWTID", "=", 1, 3},
    {FUNCTION_ABS, "NWD", "=", 1, 1},
    {FUNCTION_ROUND, "N", "NG", 1, 2},
    {FUNCTION_FLOOR, "N", "N", 1, 1},
    {FUNCTION_CEIL, "N", "N", 1, 1},
    {FUNCTION_SQRT, "N", "N", 1, 1},
    {FUNCTION_EXP, "N", "N", 1, 1},
    {FUNCTION_LN, "N", "N", 1, 1},
    {FUNCTION_LOG10, "N", "N", 1, 1},
    {FUNCTION_LOG2, "N", "N", 1, 1},
    {FUNCTION_POW, "N", "NG", 2, 2},
    {FUNCTION_SIGN, "W", "N", 1, 1},
    {FUNCTION_SIGN, "W", "D", 1, 1},
    {FUNCTION_LOWER, "T", "T", 1, 1},
    {FUNCTION_UPPER, "T", "T", 1, 1},
    {FUNCTION_LENGTH, "W", "T", 1, 1},
    {FUNCTION_SUBSTR, "T", "TG", 2, 3},
    {FUNCTION_REPLACE, "T", "TSS", 3, 3},
    {FUNCTION_TRIM, "T", "T", 1, 1},
    {FUNCTION_SPLIT, "T", "TSG", 3, 3},
    {FUNCTION_STARTS, "B", "TS", 2, 2},
    {FUNCTION_ENDS, "B", "TS", 2, 2},
    {FUNCTION_CONTAINS, "B", "TS", 2, 2},
    {FUNCTION_INT, "W", "*", 1, 1},
    {FUNCTION_FLOAT, "N", "*", 1, 1},
    {FUNCTION_TEXT, "T", "*", 1, 1},
    {FUNCTION_BOOL, "B", "*", 1, 1},
    {FUNCTION_TRUNC, "I", "UI", 2, 2},
    {FUNCTION_HOUR, "W", "I", 1, 1},
    {FUNCTION_MINUTE, "W", "I", 1, 1},
    {FUNCTION_WEEKDAY, "W", "I", 1, 1},
    {FUNCTION_DAY, "W", "I", 1, 1},
    {FUNCTION_MONTH, "W", "I", 1, 1},
    {FUNCTION_YEAR, "W", "I", 1, 1},
    {FUNCTION_SECONDS, "N", "I", 1, 1},
    {FUNCTION_SECONDS, "N", "D", 1, 1},
    {FUNCTION_FORMAT, "T", "IF", 2, 2},
};
enum { ROWS = sizeof functions / sizeof *functions };

static const char *const texts[] = {"",          "opus",   "a",    "o'x",   "\xc3\x9cn\xc3\xaf",
                                    " x ",       "12",     "-3.5", "@",     "true",
                                    "Haiku-4-5", "a,b,,c", "a@b@", "opus-4"};
static const char *const shorts[] = {"a", "@", "", "o", "-", ".o", "\xc3\xaf", ","};
static const char *const patterns[] = {"opus.*", ".*a.*",          "[a-c].+",
                                       "",       "haiku|sonnet-4", ".+@.\\.org"};
static const char *const likes[] = {"%a%", "opus__", "_ob%", "%", "", "%-4%", "__n_", "%o%g"};
static const char *const units[] = {"hour", "day", "week", "month", "quarter", "year"};
static const char *const formats[] = {"%Y-%m-%d", "%H:%M:%S.%f", "%j/%u %a %b", "%F %T %z",
                                      "%e%%%y",   "%A %B",       "no",          "%q%d%Z"};

#define ONE_OF_THESE(list) (list)[dice(g, sizeof(list) / sizeof *(list))]

void check_scalars(void)
{
    for (int f = 0; f < FUNCTIONS; f++) {
        int i = 0;
        while (i < ROWS && (int)functions[i].function != f)
            i++;
        if (i == ROWS)
            fail_msg("%s() is not tested", function_table[f].name);
    }
}

static struct scalar *new_scalar(struct gen *g, enum scalar_kind kind)
{
    assert_true(g->scalar_count < sizeof g->scalars / sizeof *g->scalars);
    struct scalar *s = &g->scalars[g->scalar_count++];
    *s = (struct scalar){.kind = kind};
    return s;
}

static struct scalar *text(struct gen *g, const char *what)
{
    struct scalar *s = new_scalar(g, CONSTANT);
    s->constant = cell_text(intern(what));
    say(g, "'");
    for (; *what; what++)
        say(g, *what == '\'' ? "''" : "%c", *what);
    say(g, "'");
    return s;
}

static struct scalar *constant(struct gen *g, enum varve_cell_type type, int64_t i)
{
    struct scalar *s = new_scalar(g, CONSTANT);
    s->constant = (struct varve_cell){.type = type, .as.i = i};
    return s;
}

static struct scalar *whole(struct gen *g)
{
    static const int64_t numbers[] = {0,        1, 2, 3, 7, 10, 60, 1000003, 4611686018427387904,
                                      INT64_MAX};
    int64_t i = numbers[dice(g, g->is_tame ? 7 : 10)];
    say(g, "%lld", (long long)i);
    return constant(g, VARVE_CELL_INT, i);
}

static struct scalar *float_constant(struct gen *g)
{
    static const double numbers[] = {0.5, 2.5, 0.125, -1.5, 1e3, 12345.675, 1e-3, 1e18};
    struct scalar *s = new_scalar(g, CONSTANT);
    s->constant.type = VARVE_CELL_FLOAT;
    s->constant.as.f = numbers[dice(g, g->is_tame ? 5 : 8)];
    say(g,
        s->constant.as.f < 0      ? "(%.9g)"
        : s->constant.as.f == 1e3 ? "1e3"
                                  : "%.9g",
        s->constant.as.f);
    return s;
}

static struct scalar *duration(struct gen *g)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } all[] = {{"90m", 5400}, {"1h30m", 5400}, {"3s", 3}, {"1d", 86400}, {"1w2d", 777600}};
    unsigned i = dice(g, 5);
    say(g, "%s", all[i].text);
    return constant(g, VARVE_CELL_DURATION, all[i].seconds * SECOND);
}

static struct scalar *column(struct gen *g, int field)
{
    struct scalar *s = new_scalar(g, COLUMN);
    s->column = field;
    say(g, "%s", field_names[field]);
    return s;
}

/* A date, or a date and a time of day, in the statement's zone. */
static struct scalar *local_time(struct gen *g)
{
    const char *zone = g->select->width.zone;
    uint64_t length = (uint64_t)(g->world->until - g->world->since);
    struct tm tm;
    local_fields(zone, g->world->since + (int64_t)prng_below(g->prng, length), &tm);
    say(g, "%d-%02d-%02d", 1900 + tm.tm_year, 1 + tm.tm_mon, tm.tm_mday);
    tm.tm_sec = 0;
    if (dice(g, 2))
        say(g, "T%02d:%02d", tm.tm_hour, tm.tm_min);
    else
        tm.tm_hour = tm.tm_min = 0;
    return constant(g, VARVE_CELL_TIME, local_instant(zone, tm));
}

static struct scalar *leaf(struct gen *g, char want)
{
    bool is_column = dice(g, 3) > 0;
    switch (want) {
    case 'N':
        if (is_column)
            return column(g, dice(g, 2) ? FIELD_COST : FIELD_MS);
        return dice(g, 2) ? float_constant(g) : whole(g);
    case 'W':
        return is_column ? column(g, FIELD_MS) : whole(g);
    case 'T':
        if (is_column)
            return column(g, FIELD_USER + (int)dice(g, 3));
        return text(g, ONE_OF_THESE(texts));
    case 'B':
        if (is_column)
            return column(g, FIELD_OK);
        is_column = dice(g, 2);
        say(g, is_column ? "TRUE" : "FALSE");
        return constant(g, VARVE_CELL_BOOL, is_column);
    case 'I':
        return is_column ? column(g, FIELD_TIME) : local_time(g);
    default:
        return duration(g);
    }
}

/* What is written there and not computed; NULL: no such letter. */
static struct scalar *literal(struct gen *g, char letter)
{
    int64_t digits = (int64_t)dice(g, 7) - 2;
    switch (letter) {
    case 'P':
        return text(g, ONE_OF_THESE(patterns));
    case 'L':
        return text(g, ONE_OF_THESE(likes));
    case 'U':
        return text(g, ONE_OF_THESE(units));
    case 'F':
        return text(g, ONE_OF_THESE(formats));
    case 'S':
        return text(g, ONE_OF_THESE(shorts));
    case 'G':
        say(g, "%lld", (long long)digits);
        return constant(g, VARVE_CELL_INT, digits);
    default:
        return NULL;
    }
}

static struct scalar *argument(struct gen *g, char letter, char want, unsigned depth)
{
    struct scalar *s = literal(g, letter);
    if (s)
        return s;
    if (dice(g, 25) == 0 && letter != '?') {
        say(g, "NULL");
        return constant(g, VARVE_CELL_NULL, 0);
    }
    return scalar(g, letter == '=' || letter == '?' || letter == '*' ? want : letter, depth);
}

static struct scalar *call(struct gen *g, int row, char want, unsigned depth)
{
    enum function f = functions[row].function;
    struct scalar *s = new_scalar(g, CALL);
    const char *takes = functions[row].takes, *name = function_table[f].name;
    bool is_operator = f < FUNCTION_IF, is_prefix = f == FUNCTION_NEG || f == FUNCTION_NOT;
    s->function = f;
    s->count = functions[row].least +
               (int)dice(g, (unsigned)(functions[row].most - functions[row].least + 1));
    s->negated = f == FUNCTION_IN && dice(g, 2);
    if (*takes == '?')
        want = "NWTBID"[dice(g, 6)];
    if (*takes == '*')
        want = "NWTBID"[dice(g, 6)];
    say(g, is_operator ? "(" : "%s(", name);
    if (is_prefix)
        say(g, "%s ", name);
    for (int i = 0; i < s->count; i++) {
        if (i && f == FUNCTION_IN && i == 1)
            say(g, s->negated ? " NOT IN (" : " IN (");
        else if (i)
            say(g, is_operator && f != FUNCTION_IN ? " %s " : ", ", name);
        s->args[i] = argument(g, *takes, want, depth - 1);
        takes += takes[1] != 0;
    }
    if (f == FUNCTION_ISNULL || f == FUNCTION_NOTNULL)
        say(g, " %s", name);
    say(g, f == FUNCTION_IN ? "))" : ")");
    return s;
}

/* CASE and BETWEEN, which are no functions. */
static struct scalar *choice(struct gen *g, char want, unsigned depth)
{
    struct scalar *s = new_scalar(g, dice(g, 2) ? CASE_WHEN : CASE_OF);
    char of = "NWTID"[dice(g, 5)];
    if (want == 'B' && dice(g, 2)) {
        s->kind = BETWEEN_TWO;
        s->count = 3;
        s->negated = dice(g, 2);
        say(g, "(");
        s->args[0] = scalar(g, of, depth - 1);
        say(g, s->negated ? " NOT BETWEEN " : " BETWEEN ");
        s->args[1] = scalar(g, of, depth - 1);
        say(g, " AND ");
        s->args[2] = scalar(g, of, depth - 1);
        say(g, ")");
    } else if (s->kind == CASE_WHEN) {
        s->count = 5;
        for (int i = 0; i < 5; i++) {
            say(g, i == 0 ? "CASE WHEN " : i == 4 ? " ELSE " : i == 2 ? " WHEN " : " THEN ");
            s->args[i] = scalar(g, i == 0 || i == 2 ? 'B' : want, depth - 1);
        }
        say(g, " END");
    } else {
        s->count = 3;
        for (int i = 0; i < 3; i++) {
            say(g, i == 0 ? "CASE " : i == 1 ? " WHEN " : " THEN ");
            s->args[i] = scalar(g, i < 2 ? of : want, depth - 1);
        }
        say(g, " END");
    }
    return s;
}

struct scalar *scalar(struct gen *g, char want, unsigned depth)
{
    if (depth == 0 || dice(g, 5) == 0)
        return leaf(g, want);
    if (dice(g, 12) == 0)
        return choice(g, want, depth);
    for (;;) {
        int row = (int)dice(g, ROWS);
        bool is_wild = functions[row].function == FUNCTION_EXP ||
                       functions[row].function == FUNCTION_POW ||
                       functions[row].function == FUNCTION_MUL;
        if (strchr(functions[row].gives, want) && !(g->is_tame && is_wild))
            return call(g, row, want, depth);
    }
}
