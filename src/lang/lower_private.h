/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_private.h -- what the files that lower a statement share.
 *
 *   lower.c          the entry; nodes, memory, messages
 *   lower_time.c     instants, ranges, buckets
 *   lower_term.c     calls and their types; lower_unit.c their units
 *   lower_names.c    messages about names that nothing has
 *   lower_source.c   what is read: columns and labels
 *   lower_filter.c   matchers, and what of WHERE a scan can decide
 *   lower_bind.c     expressions; lower_group.c those about groups
 *   lower_measure.c  roll-ups and aggregates become slots
 *   lower_core.c     slots become nodes
 *   lower_items.c    items
 *   lower_rank.c     TOP and COMPARE TO
 *   lower_select.c   a SELECT of groups; lower_rows.c one of rows
 *   lower_query.c    WITH, views, UNION
 *   lower_show.c     SHOW and DESCRIBE
 *
 * A SELECT of groups is bound first and built then, because it may be built several times: TOP
 * ranks by it without buckets, COMPARE asks for another range.  Until it is built, columns have
 * symbolic numbers (enum symbol); lower_place_term() puts those of a layout in their place.
 */
#ifndef LANG_LOWER_PRIVATE_H
#define LANG_LOWER_PRIVATE_H

#include "lang/lower.h"
#include "lang/print.h"

#define LOWER_BUCKETS_MAX 2000000
#define LOWER_SLOTS_MAX 64    /* columns of measures in a SELECT */
#define LOWER_ITEMS_MAX 1000  /* in a SELECT; keys too */
#define LOWER_TERMS_MAX 40000 /* in a statement, once aliases are put in */
#define LOWER_NODES_MAX 4000
#define LOWER_PARTS_MAX 64 /* WITHs, and SELECTs of a UNION */
#define LOWER_VIEWS_MAX 8  /* views in views */

struct named_entry;
struct with_scope;

/* The view whose text is being lowered. */
struct view_frame {
    struct varve_str name;
    struct place place; /* of its name, in the text that names it */
    struct view_frame *parent;
};

struct lower {
    const struct schema *schema;
    const struct lower_options *options;
    struct arena *arena;
    struct plan *plan;
    struct lang_error *error;
    struct varve_err *err;
    const struct zone *zone;        /* of the session */
    struct varve_str zone_name;     /* never empty */
    const struct zone *select_zone; /* of the SELECT that is bound: the session's, or its own */
    struct varve_str select_zone_name;
    struct with_scope *withs;    /* the names that FROM sees, innermost first */
    struct view_frame *view;     /* NULL: in the statement itself */
    struct named_entry *entries; /* of WITHs and views, made already */
    uint32_t entry_count, entry_capacity, named_capacity, terms, nodes, depth;
};

/* ---- what is read ------------------------------------------------------------ */

enum from_kind { FROM_NONE, FROM_METRIC, FROM_TABLE, FROM_NAMED };

struct source {
    enum from_kind kind;
    struct place place;
    struct varve_str written;
    struct schema_source schema; /* METRIC, TABLE */
    uint32_t named;              /* NAMED: its number, and whose columns it has */
    const struct node *node;
    struct time_range span; /* holds the times in its rows; since > until: they have none */
    bool inherits;          /* all of it took the range that it was offered */
    bool depends;           /* some of it did */
};

/* The columns that expressions over a source have asked for, each once. */
struct columns {
    const struct source *source;
    struct column_ref *columns;
    struct column_info *infos;
    uint32_t count, capacity;
};

/* What a WHERE becomes for one source: conditions that a scan decides, and the rest. */
struct condition {
    struct label_filter *filters;
    uint32_t filter_count, filter_capacity;
    struct term *rest;
};

/* ---- a SELECT ------------------------------------------------------------------ */

/* Columns before they have a place: the bucket, keys, slots, items, COMPARE's three an item. */
enum symbol {
    SYMBOL_BUCKET = 0,
    SYMBOL_KEY = 1,
    SYMBOL_SLOT = 1 << 16,
    SYMBOL_ITEM = 1 << 17,
    SYMBOL_COMPARE = 1 << 18
};

struct key {
    const struct expr *expr; /* an alias is replaced by what it stands for */
    uint32_t aliases;        /* that it may use */
    struct varve_str name;
    struct column_info info; /* its name is that of the result's column */
    struct term *row_term;   /* over the rows of FROM */
};

/* A value measured once a group: a roll-up of metrics, or an aggregate over the rows of FROM. */
struct slot {
    bool is_measure, total;
    struct place place;
    struct column_info info;
    struct aggregate aggregate;
    struct metric_source *sources;
    uint32_t source_count;
    struct source *label_source; /* of the labels */
    struct columns labels;
    struct term *where, **keys;
    enum rollup function;
    int64_t window;
    bool has_at;
    int64_t at;
};

struct out_item {
    const struct item *ast;
    struct varve_str name;
    struct fill fill;
    struct term *term; /* symbolic; NULL until it is bound */
    bool is_key;       /* it is just the symbol `key` (a key, the bucket), which is there anyway */
    uint32_t key;
    bool is_filled; /* from neighbours in time */
    uint32_t level; /* filled after all items of lower levels */
};

struct span {
    struct time_range range;
    bool is_set, is_at;
    enum calendar_unit unit; /* of DURING */
    struct time_range period;
};

struct selecting {
    struct lower *lower;
    const struct select *ast;
    const struct zone *zone;
    struct varve_str zone_name;
    struct span span;
    struct bucket bucket;
    struct source from;
    struct columns rows; /* of FROM */
    struct condition where;
    struct key *keys;
    uint32_t key_count;
    struct slot *slots;
    uint32_t slot_count;
    struct out_item *items;
    uint32_t item_count;
    struct metric_source *seen; /* all metrics of the SELECT, for count(DISTINCT label) */
    uint32_t seen_count, seen_capacity;
    bool has_seen, has_compare;
    bool anchors[LOWER_SLOTS_MAX]; /* slots whose groups are there for total() */
    struct varve_str bucket_name;
    struct term *having, *rank;
    struct term **orders;
};

/* What a name means where an expression stands: one row of `columns`, or one group. */
struct scope {
    struct selecting *select;
    struct columns *columns;
    const char *clause; /* "WHERE", for messages */
    uint32_t aliases;   /* of so many items; before columns if alias_first */
    bool alias_first;
    bool total;   /* inside total(): no keys */
    bool is_done; /* items are columns already */
    bool has_no_bucket;
};

/* Where the columns of a built node are. */
struct layout {
    bool has_bucket;
    uint32_t *slots, *items, *compares;
};

/* One of the ways in which a SELECT is built. */
struct frame {
    struct time_range range;
    struct bucket bucket;
    struct keep keep;
    const bool *uses; /* which slots */
};

struct query_result {
    struct node *node;
    struct time_range span; /* of the times in its rows; since > until: it has none */
    struct time_range range;
    struct bucket bucket;
    struct varve_str zone;
    bool inherits, depends; /* as in struct source */
};

/* ---- lower.c ------------------------------------------------------------------- */

enum varve_status lower_fail(struct lower *l, enum varve_status status, struct place place,
                             const char *format, ...) VARVE_PRINTF(4, 5);
/* Zeroed; of count elements. */
enum varve_status
lower_alloc(struct lower *l, void *pointer, size_t count, size_t size) VARVE_CHECKED;
enum varve_status lower_grow(struct lower *l, void *pointer, uint32_t *capacity, uint32_t count,
                             size_t size) VARVE_CHECKED;
enum varve_status lower_join(struct lower *l, struct varve_str a, const char *b,
                             struct varve_str *joined) VARVE_CHECKED;
enum varve_status
lower_text(struct lower *l, const struct expr *expr, struct varve_str *text) VARVE_CHECKED;
enum varve_status lower_zone(struct lower *l, struct varve_str name, struct place place,
                             const struct zone **zone) VARVE_CHECKED;
struct place lower_place(const struct lower *l, struct place place);

/* A node with room for its columns; input NULL: none. */
enum varve_status
lower_node_new(struct lower *l, enum node_kind kind, struct place place, struct node *input,
               uint32_t columns, struct node **node) VARVE_CHECKED;
/* One with its input's columns and key. */
enum varve_status
lower_node_over(struct lower *l, enum node_kind kind, struct place place, struct node *input,
                uint32_t more, struct node **node) VARVE_CHECKED;
enum varve_status
lower_node_filter(struct lower *l, struct term *condition, struct node **node) VARVE_CHECKED;
/* Appends terms, with their names. */
enum varve_status
lower_node_compute(struct lower *l, struct term **terms, const struct varve_str *names,
                   uint32_t count, struct node **node) VARVE_CHECKED;
enum varve_status
lower_node_sort(struct lower *l, struct place place, uint32_t *by, bool *descending, uint32_t count,
                struct node **node) VARVE_CHECKED;
enum varve_status
lower_node_limit(struct lower *l, const struct select *ast, struct node **node) VARVE_CHECKED;

/* Gives columns whose name is taken another: a, a_2. */
enum varve_status lower_node_unique(struct lower *l, struct node *node) VARVE_CHECKED;

/* ---- lower_time.c ----------------------------------------------------------------- */

/* A date and time of day that name no zone; false: something else. */
bool lower_local_time(struct varve_str s, const struct zone *zone, int64_t *instant);
enum varve_status lower_when(struct lower *l, const struct zone *zone, const struct when *when,
                             int64_t *instant) VARVE_CHECKED;
enum varve_status lower_span(struct selecting *s, const struct time_range *inherited) VARVE_CHECKED;
enum varve_status lower_bucket(struct selecting *s) VARVE_CHECKED;
enum varve_status lower_earlier(const struct selecting *s, struct time_range *range) VARVE_CHECKED;
int64_t lower_bucket_start(const struct selecting *s, int64_t instant);

/* ---- lower_term.c ------------------------------------------------------------------ */

enum varve_status lower_term_const(struct lower *l, struct place place, struct value value,
                                   struct term **term) VARVE_CHECKED;
enum varve_status lower_term_column(struct lower *l, struct place place, uint32_t index,
                                    enum value_type type, struct term **term) VARVE_CHECKED;
/* The arguments are copied; counts and types are checked. */
enum varve_status
lower_term_call(struct lower *l, struct place place, enum function function, struct term **args,
                uint32_t count, struct term **term) VARVE_CHECKED;
enum varve_status
lower_term_call2(struct lower *l, struct place place, enum function function, struct term *a,
                 struct term *b, struct term **term) VARVE_CHECKED;
/* a AND b; NULL stands for true. */
enum varve_status
lower_term_and(struct lower *l, struct term *a, struct term *b, struct term **term) VARVE_CHECKED;
bool lower_term_equal(const struct term *a, const struct term *b);
struct varve_str lower_term_unit(const struct term *term, const struct column_info *columns);
/* A copy with symbols replaced by the columns of a layout. */
enum varve_status lower_place_term(struct lower *l, const struct term *term,
                                   const struct layout *layout, struct term **placed) VARVE_CHECKED;
uint32_t lower_place_symbol(uint32_t symbol, const struct layout *layout);
enum varve_status
lower_term_condition(struct lower *l, const struct term *term, const char *clause) VARVE_CHECKED;
enum value_type lower_type_common(enum value_type a, enum value_type b);
/* The pattern of =~, checked; does it match the empty text? */
enum varve_status lower_pattern(struct lower *l, struct varve_str pattern, struct place place,
                                bool *matches_empty) VARVE_CHECKED;

/* ---- lower_names.c ------------------------------------------------------------------ */

enum varve_status lower_unknown_source(struct lower *l, const char *what, struct varve_str name,
                                       struct place place) VARVE_CHECKED;
enum varve_status lower_unknown_column(struct lower *l, const struct source *source,
                                       struct varve_str name, struct place place) VARVE_CHECKED;
enum varve_status
lower_unknown_function(struct lower *l, struct varve_str name, struct place place) VARVE_CHECKED;
/* A name in a SELECT of groups that is neither alias nor key nor metric. */
enum varve_status lower_unknown_name(const struct scope *scope, struct varve_str name,
                                     struct place place) VARVE_CHECKED;

/* ---- lower_source.c ----------------------------------------------------------------- */

/* VARVE_NOTFOUND without a message. */
enum varve_status lower_find_source(struct lower *l, struct varve_str name,
                                    struct schema_source *source) VARVE_CHECKED;
enum varve_status lower_find_metric(struct lower *l, struct varve_str name, struct place place,
                                    struct schema_source *source) VARVE_CHECKED;
/* Whether it is one; a name that nothing has is no error. */
enum varve_status lower_is_metric(struct lower *l, struct varve_str name,
                                  struct schema_source *source, bool *is) VARVE_CHECKED;
enum varve_status
lower_find_label(struct lower *l, const struct source *source, struct varve_str name,
                 struct place place, struct column_ref *label, enum value_type *type) VARVE_CHECKED;
enum varve_status lower_columns_begin(struct lower *l, struct columns *columns,
                                      const struct source *source) VARVE_CHECKED;
/* VARVE_NOTFOUND without a message. */
enum varve_status
lower_columns_find(struct lower *l, struct columns *columns, struct varve_str name,
                   struct place place, uint32_t *index) VARVE_CHECKED;
const struct column_info *lower_columns_info(const struct columns *columns, uint32_t index);
const struct column_info *lower_columns_infos(const struct columns *columns);
enum varve_status lower_columns_all(struct lower *l, struct columns *columns, struct place place,
                                    uint32_t **indices, uint32_t *count) VARVE_CHECKED;
uint32_t lower_columns_count(const struct columns *columns);
enum value_type lower_metric_type(const struct schema_source *source);
/* Two spellings of one name: user_email and user.email. */
bool lower_name_alike(struct varve_str a, struct varve_str b);
/* The rows of FROM that WHERE leaves. */
enum varve_status
lower_build_rows(struct selecting *s, struct time_range range, struct node **node) VARVE_CHECKED;

/* ---- lower_filter.c ------------------------------------------------------------------ */

enum varve_status
lower_matchers(struct lower *l, const struct source *metric, const struct selector *selector,
               struct metric_source *source) VARVE_CHECKED;
/* Splits WHERE; conditions on labels of a metric or texts of a table become filters. */
enum varve_status lower_where(const struct scope *scope, const struct expr *where,
                              struct condition *condition) VARVE_CHECKED;
bool lower_filters_equal(const struct label_filter *a, uint32_t a_count,
                         const struct label_filter *b, uint32_t b_count);

/* ---- lower_bind.c -------------------------------------------------------------------- */

enum varve_status
lower_bind(const struct scope *scope, const struct expr *expr, struct term **term) VARVE_CHECKED;
/* A call of a function of one row. */
enum varve_status lower_bind_function(const struct scope *scope, const struct expr *expr,
                                      enum function function, struct term **term) VARVE_CHECKED;
/* Whether it says something about a group: a roll-up, an aggregate, a metric. */
bool lower_is_of_group(const struct expr *e);
/* what: "a roll-up", which cannot stand where only rows are spoken of. */
enum varve_status
lower_no_groups(const struct scope *scope, struct place place, const char *what) VARVE_CHECKED;
bool lower_expr_same(const struct expr *a, const struct expr *b);
/* The number of the last of the first `count` items with this alias, or UINT32_MAX. */
uint32_t lower_alias_find(const struct selecting *s, uint32_t count, struct varve_str name);
enum rollup lower_rollup_find(struct varve_str name);            /* ROLLUPS: none */
enum aggregate_kind lower_aggregate_find(struct varve_str name); /* AGGREGATES: none */
bool lower_name_is(struct varve_str name, const char *word);

/* ---- lower_group.c --------------------------------------------------------------------- */

/* In one group: names, calls that are no functions of a row, keys.  *term NULL: it is neither. */
enum varve_status lower_bind_grouped(const struct scope *scope, const struct expr *expr,
                                     struct term **term) VARVE_CHECKED;
/* What an item means where its alias stands. */
enum varve_status lower_bind_alias(const struct scope *scope, uint32_t item, struct place place,
                                   struct term **term) VARVE_CHECKED;

/* ---- lower_measure.c -------------------------------------------------------------------- */

/* A roll-up outside of an aggregate, or an aggregate. */
enum varve_status lower_bind_rollup(const struct scope *scope, const struct expr *expr,
                                    struct term **term) VARVE_CHECKED;
enum varve_status lower_bind_aggregate(const struct scope *scope, const struct expr *expr,
                                       struct term **term) VARVE_CHECKED;
enum varve_status lower_bind_metric(const struct scope *scope, const struct expr *expr,
                                    struct term **term) VARVE_CHECKED;
/* Whether a call is a roll-up of a metric; first(x) is none where FROM has x. */
enum varve_status
lower_is_rollup_call(const struct scope *scope, const struct expr *expr, bool *is) VARVE_CHECKED;

/* ---- lower_core.c ------------------------------------------------------------------------ */

enum varve_status
lower_slot_add(struct selecting *s, struct slot *slot, uint32_t *number) VARVE_CHECKED;
enum varve_status
lower_slot_term(const struct scope *scope, struct slot *slot, struct term **term) VARVE_CHECKED;
enum varve_status lower_build_core(struct selecting *s, const struct frame *frame,
                                   struct layout *layout, struct node **node) VARVE_CHECKED;

/* ---- lower_items.c ------------------------------------------------------------------------ */

enum varve_status lower_bind_items(struct selecting *s) VARVE_CHECKED;
/* FILL with a number: the number where the term is NULL. */
enum varve_status
lower_fill_number(struct lower *l, const struct out_item *item, struct term **term) VARVE_CHECKED;
enum varve_status lower_build_items(struct selecting *s, const struct frame *frame,
                                    struct layout *layout, struct node **node) VARVE_CHECKED;
enum varve_status
lower_item_name(struct lower *l, const struct item *item, struct varve_str *name) VARVE_CHECKED;
void lower_mark_slots(const struct term *term, bool *uses);

/* ---- lower_rank.c -------------------------------------------------------------------------- */

enum varve_status lower_build_top(struct selecting *s, struct keep *keep) VARVE_CHECKED;
/* Joins the ordinals; *column: where they are. */
enum varve_status lower_join_top(struct selecting *s, const struct keep *keep, struct node **node,
                                 uint32_t *column) VARVE_CHECKED;
enum varve_status lower_build_compare(struct selecting *s, const struct frame *frame,
                                      struct layout *layout, struct node **node) VARVE_CHECKED;

/* ---- lower_select.c, lower_rows.c, lower_query.c, lower_show.c ------------------------------- */

enum varve_status
lower_select(struct lower *l, const struct select *ast, const struct time_range *inherited,
             struct query_result *result) VARVE_CHECKED;
enum varve_status lower_rows(struct selecting *s, struct query_result *result) VARVE_CHECKED;
enum varve_status
lower_query(struct lower *l, const struct query *query, const struct time_range *inherited,
            struct query_result *result) VARVE_CHECKED;
/* What FROM names; offered is the range that a query without one of its own takes. */
enum varve_status lower_from(struct lower *l, const struct select *ast,
                             const struct time_range *offered, struct source *from) VARVE_CHECKED;
enum varve_status
lower_add_named(struct lower *l, struct node *node, uint32_t *number) VARVE_CHECKED;
enum varve_status lower_show(struct lower *l, const struct statement *statement) VARVE_CHECKED;

#endif
