/* SPDX-License-Identifier: Apache-2.0
 *
 * truth.c -- what the totals of a generated world are, counted while it is written.
 *
 * Only integers are added: tokens, counts, nano-dollars, nano-seconds.  They
 * are what was drawn, not what can be read from the files, so an error of the
 * encoders or of a reader shows.  A point belongs to the UTC day of its end
 * time, an event to that of its own.
 *
 * The keys of the file are an interface: they may be added to.
 */
#include "truth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "encode.h"
#include "tally.h"

#define SAMPLES 40

struct day {
    int64_t totals[GEN_METRICS];
    uint64_t points, events, users, sessions;
};

struct sample {
    char id[37];
    int64_t totals[GEN_METRICS];
};

struct truth {
    struct gen_options options;
    int64_t first;
    uint64_t points, events, repeated_points, repeated_events;
    uint64_t exports, series, series_days, sessions, processes;
    int64_t totals[GEN_METRICS];
    struct day *days;
    int64_t (*users)[GEN_METRICS]; /* by developer */
    int64_t *user_days;            /* the last day each was counted on */
    int64_t *day_models[2];        /* cost and tokens, by day and model */
    struct tally labels, models_types, tables, fields;
    struct sample samples[SAMPLES];
    int sample_count;
};

void truth_free(struct truth *t)
{
    if (!t)
        return;
    free(t->days);
    free(t->users);
    free(t->user_days);
    free(t->day_models[0]);
    free(t->day_models[1]);
    tally_free(&t->labels);
    tally_free(&t->models_types);
    tally_free(&t->tables);
    tally_free(&t->fields);
    free(t);
}

struct truth *truth_new(const struct gen_options *options)
{
    struct truth *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    size_t cells = (size_t)options->days * gen_model_count();
    t->options = *options;
    t->first = options->end - options->days * GEN_DAY;
    t->days = calloc(options->days, sizeof *t->days);
    t->users = calloc(options->developers, sizeof *t->users);
    t->user_days = calloc(options->developers, sizeof *t->user_days);
    for (int i = 0; i < 2; i++)
        t->day_models[i] = calloc(cells, sizeof *t->day_models[i]);
    if (!t->days || !t->users || !t->user_days || !t->day_models[0] || !t->day_models[1]) {
        truth_free(t);
        return NULL;
    }
    return t;
}

/* ---- counting ------------------------------------------------------------- */

static void count_series(struct truth *t, const struct gen_point *p, int64_t day)
{
    struct gen_session *s = p->session;
    uint64_t bit = UINT64_C(1) << p->slot;
    if (!s->seen) {
        t->sessions++;
        if (t->sample_count < SAMPLES) {
            s->sample = t->sample_count++;
            memcpy(t->samples[s->sample].id, s->id, sizeof s->id);
        }
    }
    if (s->today != day) {
        s->today = day;
        s->seen_today = 0;
    }
    t->series += !(s->seen & bit);
    t->series_days += !(s->seen_today & bit);
    s->seen |= bit;
    s->seen_today |= bit;
}

static void count_active(struct truth *t, struct gen_session *s, int64_t day)
{
    unsigned user = gen_developer_number(s);
    if (s->counted == day)
        return;
    s->counted = day;
    t->days[day].sessions++;
    if (t->user_days[user] == day + 1)
        return;
    t->user_days[user] = day + 1;
    t->days[day].users++;
}

static bool count_point(struct truth *t, const struct gen_point *p, int64_t day)
{
    struct gen_label own[GEN_OWN_LABELS];
    int model = gen_point_model(p);
    count_series(t, p, day);
    if (!p->exact)
        return true;
    count_active(t, p->session, day);
    t->totals[p->metric] += p->exact;
    t->days[day].totals[p->metric] += p->exact;
    t->users[gen_developer_number(p->session)][p->metric] += p->exact;
    if (p->session->sample >= 0)
        t->samples[p->session->sample].totals[p->metric] += p->exact;
    if (p->metric == GEN_COST || p->metric == GEN_TOKENS)
        t->day_models[p->metric == GEN_TOKENS][day * gen_model_count() + (unsigned)model] +=
            p->exact;
    size_t count = gen_point_labels(p, own);
    for (size_t i = 0; i < count; i++)
        if (!tally_add(&t->labels, p->metric, own[i].key, own[i].value, p->exact))
            return false;
    return p->metric != GEN_TOKENS ||
           tally_add(&t->models_types, 0, gen_model_name((unsigned)model), own[count - 1].value,
                     p->exact);
}

static bool count_event(struct truth *t, const struct gen_event *e)
{
    t->days[(e->time - t->first) / GEN_DAY].events++;
    if (!tally_add(&t->tables, 0, e->name, "", 1))
        return false;
    for (unsigned i = 0; i < e->count; i++) {
        const struct gen_field *f = &e->fields[i];
        if (f->type != GEN_INT && f->type != GEN_NUMBER_TEXT && f->type != GEN_MONEY)
            continue;
        if (!tally_add(&t->fields, f->type == GEN_MONEY, e->name, f->key, f->i))
            return false;
    }
    return true;
}

bool truth_count(struct truth *t, const struct gen_export *e)
{
    int64_t day = (e->time - t->first) / GEN_DAY;
    t->exports += e->point_count > 0;
    t->processes += e->last;
    t->points += e->point_count;
    t->events += e->event_count;
    t->days[day].points += e->point_count;
    for (size_t i = 0; i < e->point_count; i++)
        if (!count_point(t, &e->points[i], day))
            return false;
    for (size_t i = 0; i < e->event_count; i++)
        if (!count_event(t, &e->events[i]))
            return false;
    return true;
}

void truth_repeat(struct truth *t, uint64_t points, uint64_t events)
{
    t->repeated_points += points;
    t->repeated_events += events;
}

struct truth_summary truth_summary(const struct truth *t)
{
    return (struct truth_summary){t->points, t->events, t->repeated_points + t->repeated_events,
                                  t->series, t->sessions};
}

/* ---- writing ---------------------------------------------------------------- */

/* Objects are written key by key; a comma goes before every key but the first. */
struct writer {
    FILE *to;
    bool first;
};

static void key(struct writer *w, const char *name)
{
    fprintf(w->to, "%s\"%s\":", w->first ? "" : ",", name);
    w->first = false;
}

static void open_object(struct writer *w, const char *name)
{
    key(w, name);
    fputc('{', w->to);
    w->first = true;
}

static void close_object(struct writer *w)
{
    fputc('}', w->to);
    w->first = false;
}

static void number(struct writer *w, const char *name, int64_t value)
{
    key(w, name);
    fprintf(w->to, "%" PRId64, value);
}

static void string(struct writer *w, const char *name, const char *value)
{
    key(w, name);
    fprintf(w->to, "\"%s\"", value);
}

static void line(struct writer *w)
{
    fputs(w->first ? "\n" : ",\n", w->to);
    w->first = true;
}

static const char *date(int64_t time, char text[32])
{
    event_timestamp(time, text);
    text[10] = '\0';
    return text;
}

static const char *instant(int64_t time, char text[32])
{
    event_timestamp(time, text);
    memcpy(text + 19, "Z", 2);
    return text;
}

/* A total with its unit, where that is not 1. */
static void total(struct writer *w, unsigned metric, int64_t value)
{
    static const char *const units[GEN_METRICS] = {
        [GEN_COST] = "nano_usd", [GEN_ACTIVE] = "nano_seconds"};
    if (!units[metric]) {
        number(w, gen_metrics[metric].name, value);
        return;
    }
    open_object(w, gen_metrics[metric].name);
    number(w, units[metric], value);
    close_object(w);
}

static void totals(struct writer *w, const char *name, const int64_t values[GEN_METRICS])
{
    open_object(w, name);
    for (unsigned m = 0; m < GEN_METRICS; m++)
        total(w, m, values[m]);
    close_object(w);
}

static void write_head(struct writer *w, const struct truth *t, const char *format, uint64_t files)
{
    char text[32];
    const struct gen_options *o = &t->options;
    number(w, "generator", 1);
    key(w, "complete");
    fputs("true", w->to);
    key(w, "seed");
    fprintf(w->to, "%" PRIu64, o->seed);
    number(w, "days", o->days);
    number(w, "developers", o->developers);
    number(w, "sessions_a_day", o->sessions);
    number(w, "points_a_session", o->points);
    string(w, "first", instant(t->first, text));
    string(w, "end", instant(o->end, text));
    string(w, "temporality", o->cumulative ? "cumulative" : "delta");
    string(w, "format", format);
    line(w);
    number(w, "points", (int64_t)t->points);
    number(w, "events", (int64_t)t->events);
    number(w, "duplicates", (int64_t)(t->repeated_points + t->repeated_events));
    number(w, "duplicate_points", (int64_t)t->repeated_points);
    number(w, "duplicate_events", (int64_t)t->repeated_events);
    number(w, "series", (int64_t)t->series);
    number(w, "series_days", (int64_t)t->series_days);
    number(w, "sessions", (int64_t)t->sessions);
    number(w, "processes", (int64_t)t->processes);
    number(w, "exports", (int64_t)t->exports);
    number(w, "files", (int64_t)files);
    line(w);
    totals(w, "totals", t->totals);
}

/* The developers' sums of a metric under a name of theirs; those of one name are added up. */
static void write_people(struct writer *w, const struct truth *t, const struct gen_world *world,
                         unsigned metric, const char *label,
                         const char *(*name_of)(const struct gen_world *, unsigned))
{
    unsigned developers = t->options.developers;
    open_object(w, label);
    for (unsigned i = 0; i < developers; i++) {
        const char *name = name_of(world, i);
        int64_t sum = 0;
        unsigned j = 0;
        /* Mail addresses are distinct; only the few teams, and "", need the search. */
        bool alone = name_of == gen_developer_email && name[0];
        while (!alone && j < i && strcmp(name_of(world, j), name) != 0)
            j++;
        if (!alone && j < i)
            continue;
        for (j = i; j < (alone ? i + 1 : developers); j++)
            if (j == i || strcmp(name_of(world, j), name) == 0)
                sum += t->users[j][metric];
        if (sum)
            number(w, name, sum);
    }
    close_object(w);
}

static void write_labels(struct writer *w, const struct truth *t, unsigned metric)
{
    const char *open = NULL;
    for (size_t i = 0; i < t->labels.count; i++) {
        const struct tally_entry *e = &t->labels.entries[i];
        if (e->number != metric)
            continue;
        if (!open || strcmp(open, e->a) != 0) {
            if (open)
                close_object(w);
            open_object(w, e->a);
            open = e->a;
        }
        number(w, e->b, e->sum);
    }
    if (open)
        close_object(w);
}

static void write_breakdowns(struct writer *w, const struct truth *t, const struct gen_world *world)
{
    char text[32];
    open_object(w, "by");
    for (unsigned m = 0; m < GEN_METRICS; m++) {
        line(w);
        open_object(w, gen_metrics[m].name);
        write_labels(w, t, m);
        write_people(w, t, world, m, "user.email", gen_developer_email);
        write_people(w, t, world, m, "team.id", gen_developer_team);
        open_object(w, "day");
        for (unsigned d = 0; d < t->options.days; d++)
            number(w, date(t->first + d * GEN_DAY, text), t->days[d].totals[m]);
        close_object(w);
        close_object(w);
    }
    close_object(w);
}

static void write_day_models(struct writer *w, const struct truth *t)
{
    char text[32];
    open_object(w, "by_day_and_model");
    for (unsigned m = 0; m < 2; m++) {
        line(w);
        open_object(w, gen_metrics[m ? GEN_TOKENS : GEN_COST].name);
        for (unsigned d = 0; d < t->options.days; d++) {
            open_object(w, date(t->first + d * GEN_DAY, text));
            for (unsigned i = 0; i < gen_model_count(); i++) {
                int64_t sum = t->day_models[m][d * gen_model_count() + i];
                if (sum)
                    number(w, gen_model_name(i), sum);
            }
            close_object(w);
        }
        close_object(w);
    }
    close_object(w);
}

static void write_days(struct writer *w, const struct truth *t)
{
    char text[32];
    open_object(w, "days_active");
    for (unsigned d = 0; d < t->options.days; d++) {
        const struct day *day = &t->days[d];
        open_object(w, date(t->first + d * GEN_DAY, text));
        number(w, "users", (int64_t)day->users);
        number(w, "sessions", (int64_t)day->sessions);
        number(w, "points", (int64_t)day->points);
        number(w, "events", (int64_t)day->events);
        close_object(w);
    }
    close_object(w);
}

static void write_tables(struct writer *w, const struct truth *t)
{
    open_object(w, "tables");
    for (size_t i = 0; i < t->tables.count; i++) {
        const char *table = t->tables.entries[i].a;
        line(w);
        open_object(w, table);
        number(w, "count", t->tables.entries[i].sum);
        open_object(w, "sums");
        for (size_t j = 0; j < t->fields.count; j++) {
            const struct tally_entry *f = &t->fields.entries[j];
            if (strcmp(f->a, table) != 0)
                continue;
            if (f->number == 0) {
                number(w, f->b, f->sum);
                continue;
            }
            open_object(w, f->b);
            number(w, "nano_usd", f->sum);
            close_object(w);
        }
        close_object(w);
        close_object(w);
    }
    close_object(w);
}

static void write_rest(struct writer *w, const struct truth *t)
{
    open_object(w, "tokens_by_model_and_type");
    const char *open = NULL;
    for (size_t i = 0; i < t->models_types.count; i++) {
        const struct tally_entry *e = &t->models_types.entries[i];
        if (!open || strcmp(open, e->a) != 0) {
            if (open)
                close_object(w);
            open_object(w, open = e->a);
        }
        number(w, e->b, e->sum);
    }
    if (open)
        close_object(w);
    close_object(w);
    line(w);
    open_object(w, "some_sessions");
    for (int i = 0; i < t->sample_count; i++)
        totals(w, t->samples[i].id, t->samples[i].totals);
    close_object(w);
    line(w);
}

bool truth_write(const struct truth *t, const struct gen_world *world, const char *format,
                 uint64_t files, FILE *to)
{
    struct truth sorted = *t; /* tallies are sorted in place; t itself is not read after */
    struct writer w = {to, true};
    tally_sort(&sorted.labels);
    tally_sort(&sorted.models_types);
    tally_sort(&sorted.tables);
    tally_sort(&sorted.fields);
    fputc('{', to);
    write_head(&w, &sorted, format, files);
    line(&w);
    write_breakdowns(&w, &sorted, world);
    line(&w);
    write_day_models(&w, &sorted);
    line(&w);
    write_days(&w, &sorted);
    line(&w);
    write_rest(&w, &sorted);
    string(&w, "money",
           "breakdowns of cost are in nano-dollars, those of active time in nano-seconds");
    string(&w, "day",
           "a point counts for the UTC day of its end time, an event for that of its time");
    string(&w, "events_and_metrics",
           "over all api_request events, cost_usd rounded to nano-dollars each adds up to "
           "claude_code.cost.usage, and input_tokens, output_tokens, cache_read_tokens and "
           "cache_creation_tokens to the four types of claude_code.token.usage; cost_usd_micros is "
           "rounded to micro-dollars each and adds up to what `tables` says");
    line(&w);
    write_tables(&w, &sorted);
    fputs("}\n", to);
    return !ferror(to);
}
