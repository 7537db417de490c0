/* SPDX-License-Identifier: Apache-2.0
 *
 * varve.h -- the public interface of libvarve, and its manual.
 *
 * varve is an embedded store for the telemetry of Claude Code: counters that
 * live for the length of a session, gauges, and events.  It keeps the
 * increments of counters, not their readings, so a total is a sum, sums are
 * exact to the last token and the last nano-dollar, and they do not depend on
 * the order in which anything arrived.
 *
 * WHAT TO KNOW FIRST
 *
 *  1. A store is a directory.  Never put it on a network file system.
 *  2. A process opens a store once; a second varve_open() of the same
 *     directory in one process is refused (VARVE_BUSY).  Several processes may
 *     have it open together, each reading and writing.
 *  3. A handle may be used by several threads.  A batch, a snapshot, a scan
 *     and a result belong to one thread at a time.
 *  4. After fork() the child must not use a handle it inherited; every call
 *     in it answers VARVE_MISUSE.  Open the store anew in the child.
 *  5. A snapshot keeps the files it reads alive on disk until it is closed.
 *     It does not hold back writers or make the store grow page by page.
 *  6. An append that returned VARVE_OK survives kill -9 and power loss.  One
 *     that returned an error may be sent again as it was: what had arrived
 *     is recognised and not counted twice.
 *  7. The library never prints, never exits, never aborts and installs no
 *     signal handlers.  It starts no threads, unless a statement is run with
 *     more than one in its options; those take no signals, call nothing of
 *     the caller's but its allocator, and have ended when the call returns.
 *
 * CONVENTIONS
 *
 * Functions that can fail return enum varve_status and fill the struct
 * varve_err they are given (which may be NULL).  Results come through
 * pointers, which are left alone on failure.  Strings are struct varve_str:
 * bytes and a length, valid UTF-8, no terminating zero needed.  Pointers that
 * the library hands out belong to the library; how long they live is said at
 * each call.  Times are nanoseconds since 1970-01-01T00:00:00Z.  Ranges are
 * half-open: since <= t < until.
 */
#ifndef VARVE_H
#define VARVE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VARVE_API __attribute__((visibility("default")))
#define VARVE_CHECKED __attribute__((warn_unused_result))
#define VARVE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define VARVE_API
#define VARVE_CHECKED
#define VARVE_PRINTF(fmt, args)
#endif

/* ---- version ---------------------------------------------------------- */

#define VARVE_VERSION_MAJOR 0
#define VARVE_VERSION_MINOR 1
#define VARVE_VERSION_PATCH 0
#define VARVE_VERSION_TEXT "0.1.0"

/* The format of stores this library writes.  It reads this one and every
 * older one it names in docs/format.md, and refuses newer ones politely. */
#define VARVE_FORMAT 2

/* The version of the library linked at run time, such as "0.1.0". */
VARVE_API const char *varve_version(void);

/* ---- errors ----------------------------------------------------------- */

/* One line an outcome: name, number, what it means.  The numbers are part of
 * the interface and are never reused. */
#define VARVE_STATUS_MAP(X)                                           \
    X(OK, 0, "done")                                                  \
    X(DONE, 1, "there is no more")                                    \
    X(NOMEM, 2, "out of memory")                                      \
    X(IO, 3, "the operating system reported an I/O error")            \
    X(FULL, 4, "the disk or the store is full")                       \
    X(CORRUPT, 5, "damaged bytes were found")                         \
    X(NOTFOUND, 6, "no such thing")                                   \
    X(INVALID, 7, "the input is not valid")                           \
    X(LIMIT, 8, "a limit was reached")                                \
    X(BUSY, 9, "somebody else holds it")                              \
    X(READONLY, 10, "the store is open for reading only")             \
    X(VERSION, 11, "the store's format is not known to this library") \
    X(MISUSE, 12, "the interface was used against its rules")         \
    X(INTERRUPTED, 13, "the caller asked to stop")                    \
    X(INCOMPLETE, 14, "the statement goes on")

enum varve_status {
#define X(name, number, text) VARVE_##name = number,
    VARVE_STATUS_MAP(X)
#undef X
};

/* What went wrong and where.  Plain memory of the caller; reporting an error
 * allocates nothing.  `place` names a file, a record, a line; `message` says
 * what was found, what was expected and, where there is one, the remedy. */
struct varve_err {
    enum varve_status status;
    int sys; /* errno, or 0 */
    char place[120];
    char message[280];
};

/* The symbol of a status, such as "VARVE_CORRUPT"; never NULL. */
VARVE_API const char *varve_status_name(enum varve_status status);
/* One line of English for a status; never NULL. */
VARVE_API const char *varve_status_text(enum varve_status status);

/* ---- memory ----------------------------------------------------------- */

/* One function does it all: (NULL, 0, n) allocates, (p, n, 0) frees and
 * returns NULL, else it resizes; NULL means no memory and leaves p as it was.
 * It is called by every thread that uses the handle, and by those that a
 * statement starts.  LMDB and zstd use malloc for their own small state
 * whatever is set here. */
struct varve_allocator {
    void *(*resize)(void *context, void *pointer, size_t old_size, size_t new_size);
    void *context;
};

/* ---- strings and labels ----------------------------------------------- */

struct varve_str {
    const char *data;
    size_t size;
};

/* A string literal or any zero-terminated string as a varve_str. */
VARVE_API struct varve_str varve_str(const char *text);

struct varve_label {
    struct varve_str key;
    struct varve_str value;
};

/* ---- opening and closing ---------------------------------------------- */

typedef struct varve varve;

enum varve_open_flags {
    VARVE_CREATE = 1,     /* make the directory and the store where missing */
    VARVE_RDONLY = 2,     /* never write; a store on read-only media opens too */
    VARVE_NO_AUTOSEAL = 4 /* seal only when varve_seal() is called */
};

struct varve_options {
    unsigned flags;
    struct varve_allocator allocator; /* resize == NULL: the C library's */
    uint64_t seal_rows;               /* journal rows that make an append seal, or up to four times
                                         as many where most are of a day that may still grow, or of
                                         one that holds much already; 0: default */
    uint64_t max_memory;              /* bytes this handle may hold at once; 0: no limit */
};

/* Opens the store in directory `path`.  options may be NULL (read-write, no
 * creation).  The store's structure is checked before any of it is trusted.
 * VARVE_NOTFOUND: no store there.  VARVE_VERSION: a newer format.
 * VARVE_CORRUPT: `place` names the file and page; see varve_verify().
 * VARVE_BUSY: already open in this process. */
VARVE_API VARVE_CHECKED enum varve_status
varve_open(const char *path, const struct varve_options *options, varve **db,
           struct varve_err *err);

/* Closes the handle.  Snapshots and batches must be gone before. NULL is fine. */
VARVE_API void varve_close(varve *db);

/* ---- writing ---------------------------------------------------------- */

enum varve_kind {
    VARVE_COUNTER = 1,   /* only ever grows; stored as increments */
    VARVE_GAUGE = 2,     /* a reading at a time */
    VARVE_HISTOGRAM = 3, /* a counter whose label `le` bounds its buckets */
    VARVE_UPDOWN = 4     /* changes that may be negative; delta only, a cumulative one is a gauge */
};

enum varve_temporality {
    VARVE_DELTA = 1,     /* the value is what was added in (start, end] */
    VARVE_CUMULATIVE = 2 /* the value is what was added since start */
};

/* What a metric is.  The first description of a name is kept; later ones may
 * add a unit where there was none and must agree in kind.
 *
 * A metric whose unit is a currency (USD, EUR, ...), and a counter in seconds
 * ("s"), is held as an integer number of 1e-9 of that unit: `scale` 9.  All
 * other values that are whole numbers are held as integers, the rest as
 * doubles, bit for bit. */
struct varve_metric {
    struct varve_str name; /* the OTLP name, such as claude_code.cost.usage */
    struct varve_str unit; /* as OTLP has it; may be empty */
    enum varve_kind kind;
};

/* A value on its way in: a double or an integer, as the sender had it. */
enum varve_type { VARVE_NULL = 0, VARVE_INT = 1, VARVE_FLOAT = 2, VARVE_BOOL = 3, VARVE_TEXT = 4 };

struct varve_value {
    enum varve_type type;
    union {
        int64_t i;          /* VARVE_INT, VARVE_BOOL */
        double f;           /* VARVE_FLOAT */
        struct varve_str s; /* VARVE_TEXT */
    } as;
};

VARVE_API struct varve_value varve_int(int64_t value);
VARVE_API struct varve_value varve_float(double value);
VARVE_API struct varve_value varve_bool(int value);
VARVE_API struct varve_value varve_text(struct varve_str value);

/* A batch is filled, appended as one act, and may then be cleared and filled
 * again.  Everything given to it is copied.  The names it hands out (metrics,
 * label sets) are small numbers valid in this batch until it is cleared. */
typedef struct varve_batch varve_batch;

VARVE_API VARVE_CHECKED enum varve_status
varve_batch_new(varve *db, varve_batch **batch, struct varve_err *err);
VARVE_API void varve_batch_clear(varve_batch *batch);
VARVE_API void varve_batch_free(varve_batch *batch);

VARVE_API VARVE_CHECKED enum varve_status
varve_batch_metric(varve_batch *batch, const struct varve_metric *metric, uint32_t *id,
                   struct varve_err *err);

/* The set of no labels, the parent of all others. */
#define VARVE_NO_LABELS 0u

/* A set of labels: those of `parent` and the given ones, which replace the
 * parent's of the same key.  A label with an empty value is no label.  Sets
 * that are equal get the same number however they were built: make one for
 * what all points of a process share and derive the rest from it. */
VARVE_API VARVE_CHECKED enum varve_status
varve_batch_labels(varve_batch *batch, uint32_t parent, const struct varve_label *labels,
                   size_t count, uint32_t *set, struct varve_err *err);

/* The start of a cumulative counter that is not known, but that began at zero with its series:
 * its first reading counts in full, and a fall is a reset.  Series that live and die with a session
 * are such. */
#define VARVE_FROM_ZERO INT64_C(1)

/* One point of a counter.  start is the start of the interval (delta) or of
 * the process's count (cumulative); 0 where the sender gave none.  Values must be finite and,
 * for counters, not negative; VARVE_INVALID names the reason and the batch
 * stays as it was, so one bad point never costs the good ones beside it.
 *
 * With a known start, cumulative readings of one (series, start) never fall:
 * a smaller one is a late or second writer's and adds nothing.  Without one
 * the first reading is a baseline and a fall is a reset. */
VARVE_API VARVE_CHECKED enum varve_status
varve_batch_counter(varve_batch *batch, uint32_t metric, uint32_t set,
                    enum varve_temporality temporality, int64_t start, int64_t end,
                    struct varve_value value, struct varve_err *err);

VARVE_API VARVE_CHECKED enum varve_status
varve_batch_gauge(varve_batch *batch, uint32_t metric, uint32_t set, int64_t time,
                  struct varve_value value, struct varve_err *err);

/* One event: a row of the table `table`, made if it is new.  Fields whose
 * value is VARVE_NULL are left out; a name given twice is VARVE_INVALID. */
struct varve_field {
    struct varve_str name;
    struct varve_value value;
};

VARVE_API VARVE_CHECKED enum varve_status
varve_batch_event(varve_batch *batch, struct varve_str table, int64_t time,
                  const struct varve_field *fields, size_t count, struct varve_err *err);

/* What an append did, in points and events. */
struct varve_appended {
    uint64_t points;     /* new */
    uint64_t events;     /* new */
    uint64_t duplicates; /* seen before: the same (series, start, end, value), the same event */
    uint64_t ambiguous;  /* cumulative readings below what their (series, start) had reached */
    uint64_t baselines;  /* first readings without a start: kept as a base, not counted */
    uint64_t expired;    /* older than what varve_retain has forgotten; not taken again */
};

/* Makes the batch part of the store: all of it or, on error, none.  Returns
 * when it is on disk.  Appends of several threads share one synced commit.
 * Many rows of a day of which the store has none are sealed at once, unless it
 * is open with VARVE_NO_AUTOSEAL.
 * VARVE_FULL: nothing was written; try again when there is room.  The batch
 * is not cleared. */
VARVE_API VARVE_CHECKED enum varve_status
varve_append(varve *db, varve_batch *batch, struct varve_appended *appended, struct varve_err *err);

/* ---- reading ---------------------------------------------------------- */

/* One committed state of the store, whatever is written meanwhile. */
typedef struct varve_snapshot varve_snapshot;

VARVE_API VARVE_CHECKED enum varve_status
varve_snapshot_open(varve *db, varve_snapshot **snapshot, struct varve_err *err);
VARVE_API void varve_snapshot_close(varve_snapshot *snapshot);

/* Lists.  Every visit function calls back once an item; the callback returns
 * 0 to go on, anything else to stop, which is not an error.  Strings live for
 * the length of the callback. */
struct varve_metric_info {
    struct varve_metric metric;
    int scale;               /* values are integers of 10^-scale units; 0 for plain numbers */
    uint64_t points, series; /* series is an upper bound over days */
    int64_t oldest, newest;
};
struct varve_table_info {
    struct varve_str name;
    uint64_t rows;
    int64_t oldest, newest;
};
struct varve_count_info {
    struct varve_str text;
    uint64_t count; /* labels: distinct values; values: points or events */
};

VARVE_API VARVE_CHECKED enum varve_status
varve_visit_metrics(varve_snapshot *snapshot,
                    int (*visit)(void *, const struct varve_metric_info *), void *context,
                    struct varve_err *err);
VARVE_API VARVE_CHECKED enum varve_status
varve_visit_tables(varve_snapshot *snapshot, int (*visit)(void *, const struct varve_table_info *),
                   void *context, struct varve_err *err);
/* The label keys of a metric, or the text columns of a table. */
VARVE_API VARVE_CHECKED enum varve_status
varve_visit_labels(varve_snapshot *snapshot, struct varve_str metric_or_table,
                   int (*visit)(void *, const struct varve_count_info *), void *context,
                   struct varve_err *err);
/* All columns of a table, whatever their type, by name, and how many events have each. */
VARVE_API VARVE_CHECKED enum varve_status
varve_visit_columns(varve_snapshot *snapshot, struct varve_str table,
                    int (*visit)(void *, const struct varve_count_info *), void *context,
                    struct varve_err *err);
/* The values of one label and how many points or events carry each. */
VARVE_API VARVE_CHECKED enum varve_status
varve_visit_values(varve_snapshot *snapshot, struct varve_str metric_or_table,
                   struct varve_str label, int (*visit)(void *, const struct varve_count_info *),
                   void *context, struct varve_err *err);

/* A filter keeps the runs (or events) whose label has one of the values, or
 * none of them.  The empty string stands for a label that is not there. */
struct varve_filter {
    struct varve_str key;
    int negate;
    const struct varve_str *values;
    size_t count;
};

/* What to read.  `labels` of a metric, `columns` of a table: only these are
 * decoded.  Pointers must stay valid until the scan is closed. */
struct varve_query {
    struct varve_str source; /* a metric's or a table's name */
    int64_t since, until;
    const struct varve_filter *filters;
    size_t filter_count;
    const struct varve_str *columns;
    size_t column_count;
    unsigned flags;
};

enum varve_query_flags {
    VARVE_DECODE = 1,   /* add up values even where a header has the answer: for checking */
    VARVE_BASELINES = 2 /* varve_scan_rows: with the readings that counters without a start began
                           with, which are no increments */
};

#define VARVE_BATCH_ROWS 1024

/* The distinct texts of one column in one segment; code 0 is "not there"
 * and has the empty string.  Codes differ from segment to segment: map them
 * once when `segment` of a batch changes, not once a row. */
struct varve_dictionary {
    const struct varve_str *texts;
    uint32_t count;
};

/* A label of a run, or a column of events, for the rows at hand.  Which array is
 * set follows from type: VARVE_TEXT codes + dictionary, VARVE_INT and
 * VARVE_BOOL ints, VARVE_FLOAT floats, VARVE_NULL none (no row has it).
 * present: one bit a row, bit i of word i/64; NULL when every row has it.
 * types: what each cell was when it came in (enum varve_type, one entry a row), in a column of
 * events where some differ from type; NULL where none does.  A number seen as text
 * reads back to itself. */
struct varve_column {
    enum varve_type type;
    const uint32_t *codes;
    const struct varve_dictionary *dictionary;
    const int64_t *ints;
    const double *floats;
    const uint64_t *present;
    const uint8_t *types;
};

/* How the values of a run are meant. */
enum varve_form {
    VARVE_FORM_DELTA = 0,      /* added in (start, end] */
    VARVE_FORM_CUMULATIVE = 1, /* added by end to the counter that began at start */
    VARVE_FORM_GAUGE = 2,      /* read at end */
    VARVE_FORM_ADJUSTMENT = 3, /* taken from a cumulative row of the same start and end */
    VARVE_FORM_BASELINE = 4    /* what a counter without a start had reached at end */
};

/* Up to 1024 rows of one segment, column by column.  All pointers live until
 * the next call on the scan.
 *
 * Metrics: the rows are in runs, one run a series; run r has the rows
 * run_start[r] .. run_start[r+1].  columns are the labels asked for, one entry
 * a run.  start/end/ints or floats have one entry a row; ints are increments
 * in units of 10^-scale.  A series may come in several runs, of several
 * segments, and the rows of a run may be adjustments (points == 0 for it): late
 * readings of a cumulative counter move part of an increment to an earlier time.
 *
 * Tables: one entry a row everywhere; runs == 0; end is the time. */
struct varve_rows {
    uint32_t segment; /* grows when dictionaries change */
    uint32_t rows, runs;
    int scale;
    enum varve_kind kind;
    const uint32_t *run_start; /* runs + 1 entries */
    const uint8_t *run_form;   /* runs entries, enum varve_form */
    const int64_t *start, *end;
    const int64_t *ints;  /* NULL where the rows are floats */
    const double *floats; /* NULL where the rows are ints */
    const struct varve_column *columns;
};

typedef struct varve_scan varve_scan;

/* VARVE_NOTFOUND names the nearest metric or table there is. */
VARVE_API VARVE_CHECKED enum varve_status
varve_scan_open(varve_snapshot *snapshot, const struct varve_query *query, varve_scan **scan,
                struct varve_err *err);
VARVE_API void varve_scan_close(varve_scan *scan);

/* The next rows; VARVE_DONE when there are none. */
VARVE_API VARVE_CHECKED enum varve_status
varve_scan_rows(varve_scan *scan, struct varve_rows *rows, struct varve_err *err);

/* Up to 1024 runs with their sums over the range, instead of rows.  A run that
 * lies in the range as a whole is answered from its header, and nothing of it
 * is decoded.  Gauges have min, max, first and last in mind: read rows. */
struct varve_runs {
    uint32_t segment;
    uint32_t runs;
    int scale;
    enum varve_kind kind;
    const uint32_t *points;      /* rows in the range; adjustments do not count */
    const int64_t *first, *last; /* end times of the first and last of them */
    const int64_t *sums;         /* ints; NULL where the runs are floats */
    const double *float_sums;    /* the exact sum rounded, and */
    const double *float_rests;   /* what rounding left over: add both up to stay exact */
    const struct varve_column *columns;
};

/* Metrics only.  The next runs; VARVE_DONE when there are none. */
VARVE_API VARVE_CHECKED enum varve_status
varve_scan_runs(varve_scan *scan, struct varve_runs *runs, struct varve_err *err);

/* What a scan has touched so far, for EXPLAIN and for benchmarks. */
struct varve_scan_stats {
    uint64_t segments, segments_skipped;
    uint64_t runs, runs_from_headers, runs_skipped;
    uint64_t blocks_decoded, rows;
};
VARVE_API void varve_scan_stats(const varve_scan *scan, struct varve_scan_stats *stats);

/* ---- the doors ---------------------------------------------------------- */

/* What Claude Code and its collectors emit, taken as it is. */
enum varve_input {
    VARVE_INPUT_ANY = 0,         /* found from the content */
    VARVE_INPUT_OTLP = 1,        /* protobuf request bodies: metrics, logs or traces */
    VARVE_INPUT_OTLP_JSON = 2,   /* the same in OTLP's JSON form */
    VARVE_INPUT_OPENMETRICS = 3, /* text; seconds */
    VARVE_INPUT_PROMETHEUS = 4   /* text; milliseconds */
};
/* "otlp-json"; NULL for a number that is none. */
VARVE_API const char *varve_input_name(enum varve_input input);

/* An ingest collects what it is given in batches and appends them when they are large, when the day
 * that they are of is over, when more comes after ten seconds, and when it is told to flush: a
 * whole day of points is sealed without a detour through the journal.  What comes last waits for a
 * flush.  It belongs to one thread at a time.  What cannot be used is counted with a reason and
 * never costs the good records beside it. */
typedef struct varve_ingest varve_ingest;

struct varve_ingest_options {
    uint64_t batch_rows; /* points and events collected at most before they are appended; 0: a
                            million increments and gauges, a tenth of that of all else */
};

/* options may be NULL. */
VARVE_API VARVE_CHECKED enum varve_status
varve_ingest_new(varve *db, const struct varve_ingest_options *options, varve_ingest **ingest,
                 struct varve_err *err);
/* What was not flushed is lost.  NULL is fine. */
VARVE_API void varve_ingest_free(varve_ingest *ingest);

/* One body: an OTLP request, or a page of text, whose samples without timestamps are of now.  place
 * names it in messages.
 * VARVE_INVALID, VARVE_LIMIT: it cannot be read, and nothing of it was taken; counted as one
 * rejection.  The ingest can go on after these two, and after no other failure. */
VARVE_API VARVE_CHECKED enum varve_status
varve_ingest_body(varve_ingest *ingest, enum varve_input input, const char *place,
                  const void *bytes, size_t size, struct varve_err *err);

/* Fills the buffer: how many bytes were read, 0 at the end, -1 with errno set.  EINTR: it is called
 * again.  ECANCELED: the stream is given up with VARVE_INTERRUPTED. */
typedef ptrdiff_t varve_read(void *context, void *buffer, size_t size);

/* A stream of any length: bodies behind each other or behind their lengths (as varints, or in four
 * bytes, big-endian), JSON values, lines of text.  An empty one is fine.  place names it in
 * messages.  time: of samples of text that bear none; timestamps are seconds or milliseconds as
 * `input` says, else as large as they are.  VARVE_INVALID, VARVE_LIMIT: some or all of it could not
 * be read; what could was taken, and *err tells of the first body that could not.  Lines of text
 * that cannot be read are only counted.  VARVE_NOTFOUND: it is nothing that a door takes; nothing
 * was counted.  What is packed (gzip, zstd, ...) is VARVE_INVALID, with the remedy. */
VARVE_API VARVE_CHECKED enum varve_status
varve_ingest_stream(varve_ingest *ingest, enum varve_input input, const char *place, int64_t time,
                    varve_read *read, void *context, struct varve_err *err);

/* Appends what has been collected: after VARVE_OK everything taken so far is on disk.  After
 * VARVE_FULL it may be called again. */
VARVE_API VARVE_CHECKED enum varve_status
varve_ingest_flush(varve_ingest *ingest, struct varve_err *err);

struct varve_ingested {
    uint64_t streams, bytes;
    uint64_t batches;  /* appended */
    uint64_t series;   /* distinct ones in them */
    uint64_t rejected; /* records refused */
    uint64_t dropped;  /* points and events that the store's rules keep out */
    struct varve_appended appended;
};
VARVE_API void varve_ingest_totals(const varve_ingest *ingest, struct varve_ingested *totals);

struct varve_rejected {
    const char *reason; /* such as "exponential histogram" */
    uint64_t count;
    const char *first; /* where and why, of the first one */
};
/* Calls back once for each reason that has a count; stops when the callback does not return 0. */
VARVE_API void
varve_visit_rejected(const varve_ingest *ingest,
                     int (*visit)(void *, const struct varve_rejected *), void *context);

/* ---- settings ------------------------------------------------------------- */

/* Settings are small texts kept in the store under a name.  The program's own:
 *
 *   rules   what the doors keep, drop and hash before anything is written; the first that matches
 *           decides, then come the built-in ones, which drop prompts, tool input and bodies
 *
 * Others are the user's, for queries to refer to.  A value of size 0 removes the setting.
 * VARVE_INVALID: a bad name, or rules that do not parse. */
VARVE_API VARVE_CHECKED enum varve_status
varve_set(varve *db, struct varve_str name, struct varve_str value, struct varve_err *err);
/* All that are set, by name; the callback returns 0 to go on. */
VARVE_API VARVE_CHECKED enum varve_status
varve_visit_settings(varve *db, int (*visit)(void *, struct varve_str name, struct varve_str value),
                     void *context, struct varve_err *err);

/* What any spelling of a metric means: its OTLP name, or the name itself if it is not known. */
VARVE_API struct varve_str varve_metric_name(struct varve_str spelling);
/* The same for a label: user_email is user.email. */
VARVE_API struct varve_str varve_label_name(struct varve_str spelling);

/* ---- statements ------------------------------------------------------------ */

/* Statements in VQL, the language of docs/query-language.md.  A statement reads one snapshot, or
 * changes something (SET, CREATE, DROP, DELETE) and says what. */

/* Bytes of the statement's text; size 0: no place in it. */
struct varve_spot {
    size_t offset, size;
};

/* How far the reading is, for people: a segment is the rows of a day, or those of it that came
 * later.  What is read more than once counts each time. */
struct varve_progress {
    uint64_t segments, planned; /* gone through, and of how many; planned 0: that is not known */
    uint64_t rows;              /* looked at one by one */
};

struct varve_run_options {
    int64_t now;           /* the time that `now` means; 0: the clock's */
    struct varve_str zone; /* of calendars, such as Europe/Berlin; empty: UTC */
    int64_t timeout;       /* nanoseconds after which it fails; 0: none */
    uint64_t max_rows;     /* more rows than this are VARVE_LIMIT, never a cut answer; 0: any */
    uint64_t max_memory;   /* bytes; 0: any */
    /* Asked now and then; not 0: the statement ends with VARVE_INTERRUPTED. NULL: never. */
    int (*stop)(void *context);
    void *stop_context;
    /* Told now and then, by the thread that waits for the answer, how far the reading is. NULL:
     * nobody wants to know. */
    void (*progress)(void *context, const struct varve_progress *progress);
    void *progress_context;
    /* At most so many threads read at once, that of the caller among them; 0 and 1: no others are
     * started.  The answer is the same, bit for bit; memory may be a few times as much.  stop and
     * progress are called by the caller's thread alone. */
    unsigned threads;
};

enum varve_cell_type {
    VARVE_CELL_NULL = 0,
    VARVE_CELL_BOOL = 1,
    VARVE_CELL_INT = 2,
    VARVE_CELL_NANO = 3, /* an exact decimal: integer of 1e-9 */
    VARVE_CELL_FLOAT = 4,
    VARVE_CELL_TIME = 5,     /* nanoseconds since 1970 */
    VARVE_CELL_DURATION = 6, /* nanoseconds */
    VARVE_CELL_TEXT = 7
};

struct varve_cell {
    enum varve_cell_type type;
    union {
        int64_t i; /* BOOL, INT, NANO, TIME, DURATION */
        double f;
        struct varve_str s;
    } as;
};

/* The exact text of a cell that is no TEXT: "NULL", "true", "12", "0.25", the shortest decimal that
 * reads back to a double, RFC 3339 with at least milliseconds, "1h30m".  Answers its length. */
#define VARVE_CELL_TEXT_MAX 48
VARVE_API size_t varve_cell_print(const struct varve_cell *cell, char text[VARVE_CELL_TEXT_MAX]);

struct varve_column_info {
    struct varve_str name;
    struct varve_str unit;     /* as OTLP has it: "USD", "s"; may be empty */
    enum varve_cell_type type; /* NULL: it varies, or is known only when it is there */
    int is_key;                /* 1: the bucket's time or a BY key */
};

typedef struct varve_result varve_result;

/* Begins to run one statement; a semicolon behind it is fine.  options and spot may be NULL.  On
 * failure *spot says where in the text, if it is there. VARVE_INVALID, VARVE_NOTFOUND: the
 * statement is wrong, err->message says how and knows the nearest name.  VARVE_INCOMPLETE: it goes
 * on, a shell asks for more. */
VARVE_API VARVE_CHECKED enum varve_status
varve_run(varve *db, struct varve_str text, const struct varve_run_options *options,
          varve_result **result, struct varve_spot *spot, struct varve_err *err);
/* The columns, which live as long as the result; a statement that only changes something has none.
 * */
VARVE_API const struct varve_column_info *
varve_result_columns(const varve_result *result, size_t *count);
/* The next rows, cell by cell and row by row, good until the next call; VARVE_DONE when there are
 * no more. */
VARVE_API VARVE_CHECKED enum varve_status
varve_result_next(varve_result *result, const struct varve_cell **cells, size_t *rows,
                  struct varve_err *err);

/* About a result; the counts grow while rows are fetched.  Texts live as long as the result. */
struct varve_result_info {
    int has_range;
    int64_t since, until;
    struct varve_str bucket; /* "1h", "day"; empty: none */
    struct varve_str zone;
    struct varve_str note; /* what a change did, or why there is nothing; may be empty */
    uint64_t rows;         /* fetched so far */
    uint64_t points;       /* rows of the store that were looked at one by one */
    uint64_t runs, runs_from_headers;
    uint64_t segments;
    int64_t nanoseconds; /* of work */
};
VARVE_API void varve_result_info(varve_result *result, struct varve_result_info *info);
VARVE_API void varve_result_free(varve_result *result); /* NULL is fine */

/* Where the statement that begins at `from` ends, behind its semicolon; text.size if there is none,
 * and then *complete is 0.  Semicolons in texts and comments do not count. */
VARVE_API size_t varve_statement_end(struct varve_str text, size_t from, int *complete);
/* Whether the text begins like VQL (else it is PromQL). */
VARVE_API int varve_statement_is_vql(struct varve_str text);
/* Local times of a zone of the system's tz database; "" and "UTC" need none, "local" is the
 * system's own zone.  VARVE_NOTFOUND: there is no such zone. */
typedef struct varve_zone varve_zone;
struct varve_local {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second, nanosecond;
    int weekday; /* 1 Monday .. 7 Sunday */
    int offset;  /* seconds east of Greenwich */
};
VARVE_API VARVE_CHECKED enum varve_status
varve_zone_open(struct varve_str name, varve_zone **zone, struct varve_err *err);
VARVE_API void varve_zone_free(varve_zone *zone); /* NULL is fine */
VARVE_API void varve_zone_local(const varve_zone *zone, int64_t instant, struct varve_local *local);

/* What may stand at an offset of an unfinished statement. */
enum varve_completion {
    VARVE_COMPLETE_KEYWORD,
    VARVE_COMPLETE_FUNCTION,
    VARVE_COMPLETE_METRIC,
    VARVE_COMPLETE_TABLE,
    VARVE_COMPLETE_LABEL,
    VARVE_COMPLETE_VALUE
};
/* Calls back for every word that begins with what stands before the offset; *from is where that
 * begins. The callback returns 0 to go on.  db may be NULL: words of the language alone, and the
 * metrics it knows. */
VARVE_API VARVE_CHECKED enum varve_status
varve_complete(varve *db, struct varve_str text, size_t offset, size_t *from,
               int (*visit)(void *, enum varve_completion kind, struct varve_str word),
               void *context, struct varve_err *err);

/* ---- keeping house ---------------------------------------------------- */

/* Moves journal rows of days that ended before `until` into sealed columns;
 * INT64_MAX: all of them.  Readers and writers go on meanwhile.  VARVE_BUSY:
 * another process is at it. */
struct varve_sealed {
    uint64_t days, rows, bytes;
};
VARVE_API VARVE_CHECKED enum varve_status
varve_seal(varve *db, int64_t until, struct varve_sealed *sealed, struct varve_err *err);

/* Seals everything, rewrites month files that hold replaced generations and
 * shrinks main.mdb when no other process has the store open. */
struct varve_compacted {
    uint64_t bytes_before, bytes_after;
    int main_skipped; /* 1: somebody else had the store open */
};
VARVE_API VARVE_CHECKED enum varve_status
varve_compact(varve *db, struct varve_compacted *compacted, struct varve_err *err);

/* Forgets the days that ended before `before`; a month's file goes when its
 * last day does.  Days are dropped whole. */
struct varve_retained {
    uint64_t days, rows, files;
};
VARVE_API VARVE_CHECKED enum varve_status
varve_retain(varve *db, int64_t before, struct varve_retained *retained, struct varve_err *err);

/* Takes rows out for good: those of a user who is to be forgotten.  Days that hold such rows are
 * built anew without them; the old bytes stay in the files until varve_compact() has been called,
 * and in backups.  What is sent again later is taken as new.  It waits some seconds for a process
 * that seals or compacts. */
struct varve_erasure {
    struct varve_str source;            /* a metric or a table; empty: all of them */
    int64_t since, until;               /* of end times; INT64_MIN and INT64_MAX: all */
    const struct varve_filter *filters; /* all have to hold; at least one */
    size_t filter_count;
};
struct varve_erased {
    uint64_t points, events;
    uint64_t days; /* (day, table) pairs that were changed */
};
VARVE_API VARVE_CHECKED enum varve_status
varve_erase(varve *db, const struct varve_erasure *what, struct varve_erased *erased,
            struct varve_err *err);

/* Copies the store as it is at this moment into the new directory `path`,
 * while others read and write. */
VARVE_API VARVE_CHECKED enum varve_status
varve_backup(varve *db, const char *path, struct varve_err *err);

struct varve_stats {
    uint64_t points, events, series, bytes, journal_rows;
    uint64_t days, segments, files;
    uint64_t ambiguous, baselines; /* since the store was made */
    int64_t oldest, newest;        /* INT64_MAX and INT64_MIN in an empty store */
    uint64_t memory, memory_peak;  /* bytes this handle holds and held */
    int format;
};
/* series counts (metric, labels, day) triples; bytes is what all files of the
 * store take up on disk. */
VARVE_API VARVE_CHECKED enum varve_status
varve_stats(varve *db, struct varve_stats *stats, struct varve_err *err);

/* Reads every byte that matters and names all damage: one call of `report` a
 * finding.  It works in a child process, so that damage which kills LMDB kills
 * only the child and is reported too.  The store must not be open in this process.
 * VARVE_OK: sound.  VARVE_CORRUPT: at least one finding. */
struct varve_verified {
    uint64_t files, values, bytes, rows, findings;
};
VARVE_API VARVE_CHECKED enum varve_status
varve_verify(const char *path, void (*report)(void *, const struct varve_err *), void *context,
             struct varve_verified *verified, struct varve_err *err);

#ifdef __cplusplus
}
#endif
#endif
