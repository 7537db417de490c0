/* SPDX-License-Identifier: Apache-2.0
 *
 * test_vql_random.c -- random statements, answered by the store and by loops over lists.
 *
 * A grammar (vql_grammar.c) writes a statement's text and builds the tree that naive.c evaluates;
 * both answers have to be equal, cell by cell: integers, decimals and texts exactly, doubles to 12
 * digits.  Clauses come in any order.  Several threads have to give the bits that one gives.
 *
 *     VARVE_TEST_SEED    repeats the world with that seed (and those after it)
 *     VARVE_TEST_ROUNDS  that many worlds, of a hundred statements each
 */
#include <math.h>

#include "vql_grammar.h"

/* ---- other statements ------------------------------------------------------------- */

/* The range of who reads, and buckets over the time of what is read.  A query without a range of
 * its own takes that of who reads it; the rows of another are asked for their time. */
static void
say_reader_times(struct gen *g, const char *zone, const struct select *inner, struct select *outer)
{
    bool is_inherited = !g->has_own_range;
    char range[sizeof g->range];
    if (!is_inherited && (g->range[0] == '\0' || inner->width.kind == NO_BUCKETS || dice(g, 2)))
        return;
    g->select = outer;
    g->every[0] = '\0';
    if (!is_inherited) {
        choose_times(g, zone, false);
        outer->from_is_timed = true;
        if (g->range[0] == '\0') {
            outer->width.kind = NO_BUCKETS;
            outer->from_is_timed = false;
            return;
        }
    }
    snprintf(range, sizeof range, "%s", g->range);
    say(g, " %s %s", range, g->every);
}

/* What was said becomes a view. */
static void make_view(struct gen *g)
{
    snprintf(g->before, sizeof g->before, "CREATE OR REPLACE VIEW w AS %s", g->text);
    g->size = 0;
    g->text[0] = '\0';
}

/* WITH w AS (SELECT ...) SELECT ... FROM w, or the same with a view */
static void say_with(struct gen *g, const char *zone, struct rows *inner_rows, struct rows *rows)
{
    static struct select inner, outer;
    outer = (struct select){.from = inner_rows, .order_item = -1, .limit = -1, .item_count = 3};
    outer.width.zone = zone;
    g->has_own_range = dice(g, 3) > 0;
    g->select = &outer;
    if (!g->has_own_range)
        choose_range(g, zone, false);
    char range[sizeof g->range];
    snprintf(range, sizeof range, "%s", g->range);
    inner.since = outer.since;
    inner.until = outer.until;
    if (!g->has_own_range)
        g->range[0] = '\0';
    bool is_view = dice(g, 2);
    if (!is_view)
        say(g, "WITH w AS (");
    say_select(g, &inner, zone, true);
    if (is_view)
        make_view(g);
    say(g, is_view ? "" : ") ");
    say(g, "SELECT count(*) AS n, count(x0), max(x0) FROM w");
    if (!g->has_own_range)
        snprintf(g->range, sizeof g->range, "%s", range);
    say_reader_times(g, zone, &inner, &outer);
    naive_select(g->world, &inner, inner_rows);
    size_t value = inner_rows->columns - inner.item_count;
    for (size_t i = 0; i < 3; i++) {
        struct expr *e = outer.items[i].expr = new_expr(g, OF_ROWS);
        e->aggregate = i == 2 ? MAX : COUNT;
        e->column = i ? (int)value : -1;
    }
    if (inner.key_count && inner.keys[0] < FIELDS && dice(g, 2)) {
        outer.key_count = 1;
        outer.keys[0] = inner.width.kind != NO_BUCKETS;
        say(g, " BY %s", label_names[inner.keys[0]]);
    }
    naive_select(g->world, &outer, rows);
}

/* SELECT [DISTINCT] fields FROM api_call ... */
static void
say_list(struct gen *g, const char *zone, bool is_distinct, size_t columns, struct rows *rows)
{
    static struct select s;
    int shown[3];
    s = (struct select){.limit = -1};
    g->select = &s;
    *rows = (struct rows){.columns = columns};
    g->from_metric = dice(g, 3) == 0 ? (int)dice(g, METRICS) : -1;
    s.from = g->from_metric < 0 ? &g->world->events : &g->world->readings[g->from_metric];
    unsigned fields = g->from_metric < 0 ? FIELDS : FIELD_COST + 1;
    choose_range(g, zone, false);
    say(g, is_distinct ? "SELECT DISTINCT " : "SELECT ");
    for (size_t i = 0; i < columns; i++) {
        shown[i] = (int)((is_distinct ? 1 : 0) + dice(g, fields - 1));
        if (!is_distinct && i == 0)
            shown[i] = FIELD_TIME;
        say(g, "%s%s AS c%zu", i ? ", " : "", column_name(g, shown[i]), i);
    }
    say(g, " ");
    say_source(g);
    say(g, " %s ", g->range);
    say_where(g, (struct subject){.has_rows = true});
    for (size_t i = 0; i < s.from->count; i++) {
        const struct varve_cell *event = s.from->cells[i];
        if (event[0].as.i < s.since || event[0].as.i >= s.until ||
            condition_holds(&s.where, event) != 1)
            continue;
        struct varve_cell row[3];
        bool is_new = true;
        for (size_t c = 0; c < columns; c++)
            row[c] = event[shown[c]];
        for (size_t k = 0; is_distinct && is_new && k < rows->count; k++) {
            bool same = true;
            for (size_t c = 0; c < columns; c++)
                same &= compare_cells(rows->cells[k][c], row[c]) == 0;
            is_new = !same;
        }
        if (is_new)
            memcpy(rows_add(rows), row, columns * sizeof *row);
    }
}

/* SELECT expressions FROM api_call WHERE expression */
static void say_expressions(struct gen *g, const char *zone, struct rows *rows)
{
    static struct select s;
    const struct scalar *where = NULL, *shown[3];
    size_t columns = 1 + dice(g, 3);
    s = (struct select){.limit = -1, .width.zone = zone};
    g->select = &s;
    *rows = (struct rows){.columns = columns};
    choose_range(g, zone, false);
    for (size_t i = 0; i < columns; i++) {
        say(g, i ? ", " : "SELECT ");
        shown[i] = scalar(g, "NWTBID"[dice(g, 6)], 1 + dice(g, 4));
        say(g, " AS c%zu", i);
    }
    say(g, " FROM api_call %s", g->range);
    if (dice(g, 2)) {
        say(g, " WHERE ");
        where = scalar(g, 'B', 3);
    }
    for (size_t i = 0; i < g->world->events.count; i++) {
        const struct varve_cell *event = g->world->events.cells[i];
        if (event[0].as.i < s.since || event[0].as.i >= s.until)
            continue;
        struct varve_cell is = {.type = VARVE_CELL_BOOL, .as.i = 1};
        if (where)
            is = scalar_value(where, event, zone);
        if (is.type != VARVE_CELL_BOOL || !is.as.i)
            continue;
        struct varve_cell *row = rows_add(rows);
        for (size_t c = 0; c < columns; c++)
            row[c] = scalar_value(shown[c], event, zone);
    }
}

static bool has_row(const struct rows *rows, const struct varve_cell *row)
{
    for (size_t i = 0; i < rows->count; i++) {
        bool same = true;
        for (size_t c = 0; c < rows->columns; c++)
            same &= compare_cells(rows->cells[i][c], row[c]) == 0;
        if (same)
            return true;
    }
    return false;
}

/* Two lists of distinct rows, put together. */
static void say_sets(struct gen *g, const char *zone, struct rows *rows)
{
    static const char *const names[] = {" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT "};
    struct rows left, right;
    unsigned op = dice(g, 4);
    size_t columns = 1 + dice(g, 2);
    say_list(g, zone, true, columns, &left);
    say(g, "%s", names[op]);
    say_list(g, zone, true, columns, &right);
    *rows = (struct rows){.columns = columns};
    for (size_t i = 0; i < left.count; i++)
        if (op < 2 || has_row(&right, left.cells[i]) == (op == 3))
            memcpy(rows_add(rows), left.cells[i], sizeof *left.cells);
    for (size_t i = 0; op < 2 && i < right.count; i++)
        if (op == 1 || !has_row(&left, right.cells[i]))
            memcpy(rows_add(rows), right.cells[i], sizeof *right.cells);
    rows_free(&left);
    rows_free(&right);
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool same_cell(struct varve_cell a, struct varve_cell b)
{
    if (a.type != b.type)
        return false;
    if (a.type != VARVE_CELL_FLOAT)
        return compare_cells(a, b) == 0;
    if (isnan(a.as.f) || isnan(b.as.f))
        return isnan(a.as.f) && isnan(b.as.f);
    double most = fabs(a.as.f) > fabs(b.as.f) ? fabs(a.as.f) : fabs(b.as.f);
    return a.as.f == b.as.f || fabs(a.as.f - b.as.f) <= 1e-12 * (most > 1e-3 ? most : 1e-3);
}

static void print_row(const char *who, const struct rows *rows, size_t i)
{
    char text[VARVE_CELL_TEXT_MAX];
    print_error("  %s:", who);
    for (size_t c = 0; i < rows->count && c < rows->columns; c++) {
        varve_cell_print(&rows->cells[i][c], text);
        print_error(" %s(%d)", text, (int)rows->cells[i][c].type);
    }
    print_error("\n");
}

static void fetch(varve_result *result, struct rows *rows)
{
    const struct varve_cell *cells;
    size_t count;
    enum varve_status status;
    varve_result_columns(result, &rows->columns);
    assert_true(rows->columns <= CELLS_MOST);
    while ((status = varve_result_next(result, &cells, &count, &test_err)) == VARVE_OK)
        for (size_t i = 0; i < count; i++) {
            struct varve_cell *row = rows_add(rows);
            memcpy(row, cells + i * rows->columns, rows->columns * sizeof *row);
            for (size_t c = 0; c < rows->columns; c++)
                if (row[c].type == VARVE_CELL_TEXT) {
                    static char text[40000];
                    snprintf(text, sizeof text, "%.*s", (int)row[c].as.s.size, row[c].as.s.data);
                    row[c] = cell_text(intern(text));
                }
        }
    if (status != VARVE_DONE)
        fail_msg("%s", test_err.message);
}

/* L2: several threads give the same rows in the same order, bit for bit. */
static bool same_with_threads(struct small *small, const char *text,
                              const struct varve_run_options *options, const struct rows *want)
{
    static unsigned turn;
    struct varve_run_options several = *options;
    struct rows got = {.columns = 0};
    varve_result *result;
    several.threads = (const unsigned[]){2, 3, 8}[turn++ % 3];
    if (varve_run(small->db, varve_str(text), &several, &result, NULL, &test_err) != VARVE_OK) {
        print_error("%s\n  %u threads: %s\n", text, several.threads, test_err.message);
        return false;
    }
    fetch(result, &got);
    bool same = got.count == want->count && got.columns == want->columns;
    for (size_t i = 0; same && i < got.count; i++)
        for (size_t c = 0; c < got.columns; c++) {
            struct varve_cell a = got.cells[i][c], b = want->cells[i][c];
            same &= a.type == b.type &&
                    (a.type == VARVE_CELL_TEXT ? compare_cells(a, b) == 0
                                               : a.type == VARVE_CELL_NULL || a.as.i == b.as.i);
        }
    if (!same)
        print_error("%s\n  %u threads give other rows\n", text, several.threads);
    varve_result_free(result);
    rows_free(&got);
    return same;
}

/* in_order: rows come as they are; else both sides are sorted. */
static bool ask_and_compare(struct small *small, const char *text, const char *zone, int64_t now,
                            bool in_order, struct rows *want)
{
    struct varve_run_options options = {.now = now, .zone = varve_str(zone)};
    struct rows got = {.columns = 0};
    varve_result *result;
    if (varve_run(small->db, varve_str(text), &options, &result, NULL, &test_err) != VARVE_OK) {
        print_error("%s\n  %s\n", text, test_err.message);
        return false;
    }
    fetch(result, &got);
    bool same = same_with_threads(small, text, &options, &got);
    if (!in_order) {
        rows_sort(&got, 0, false);
        rows_sort(want, 0, false);
    }
    same &= got.count == want->count && got.columns == want->columns;
    size_t i = 0;
    for (bool equal = true; i < got.count && i < want->count; i += equal) {
        for (size_t c = 0; c < got.columns && c < want->columns; c++)
            equal &= same_cell(got.cells[i][c], want->cells[i][c]);
        if (!equal)
            break;
    }
    same &= i == want->count;
    if (!same) {
        print_error("%s\n  in %s at %lld: %zu rows, should be %zu; row %zu\n", text, zone,
                    (long long)now, got.count, want->count, i);
        print_row("should be", want, i);
        print_row("is       ", &got, i);
    }
    varve_result_free(result);
    rows_free(&got);
    return same;
}

static bool run_before(struct small *small, const struct gen *g, const char *zone)
{
    struct varve_run_options options = {.now = g->now, .zone = varve_str(zone)};
    varve_result *result;
    if (!g->before[0])
        return true;
    if (varve_run(small->db, varve_str(g->before), &options, &result, NULL, &test_err) !=
        VARVE_OK) {
        print_error("%s\n  %s\n", g->before, test_err.message);
        return false;
    }
    varve_result_free(result);
    return true;
}

static bool one_statement(struct small *small, struct prng *prng, const struct naive_world *world)
{
    static struct gen g;
    static struct select select;
    struct rows want = {.columns = 0}, inner = {.columns = 0};
    memset(&g, 0, sizeof g);
    g.prng = prng;
    g.world = world;
    g.has_own_range = true;
    g.now = world->since + (int64_t)prng_below(prng, (uint64_t)(world->until - world->since + DAY));
    g.now -= dice(&g, 3) ? 0 : g.now % HOUR;
    bool in_order = true;
    const char *zone = zones[dice(&g, 4)];
    unsigned what = dice(&g, 14);
    if (what == 0) {
        say_with(&g, zone, &inner, &want);
    } else if (what == 1) {
        say_list(&g, zone, false, 3, &want);
        in_order = g.from_metric < 0; /* points come several at a time */
    } else if (what == 2) {
        say_sets(&g, zone, &want);
        in_order = false;
    } else if (what == 3 || what == 4) {
        say_expressions(&g, zone, &want);
        in_order = false;
    } else {
        say_select(&g, &select, zone, false);
        naive_select(world, &select, &want);
    }
    bool same =
        run_before(small, &g, zone) && ask_and_compare(small, g.text, zone, g.now, in_order, &want);
    if (!same && g.before[0])
        print_error("  after %s\n", g.before);
    rows_free(&want);
    rows_free(&inner);
    rows_free(&g.computed);
    return same;
}

static void test_statements(void **state)
{
    (void)state;
    const char *rounds = getenv("VARVE_TEST_ROUNDS"), *seed = getenv("VARVE_TEST_SEED");
    check_scalars();
    uint64_t first = seed && *seed ? strtoull(seed, NULL, 0) : 20261030;
    unsigned count = rounds && *rounds ? (unsigned)strtoul(rounds, NULL, 0) : 25, wrong = 0;
    for (unsigned round = 0; round < count; round++) {
        struct prng prng = {first + round};
        struct small small;
        struct naive_world world;
        printf("# VARVE_TEST_SEED=%" PRIu64 "\n", prng.state);
        small_make(&small);
        naive_world_make(&world, &prng, &small);
        for (int i = 0; i < 100 && wrong < 8; i++)
            wrong += !one_statement(&small, &prng, &world);
        naive_world_free(&world);
        small_remove(&small);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_statements)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
