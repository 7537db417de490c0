/* SPDX-License-Identifier: Apache-2.0
 *
 * parse_time.c -- points in time, periods and buckets: WHEN, DURING and EVERY.
 *
 * Nothing is computed here, because that takes a clock and a zone; but a date that
 * does not exist is refused where it stands, and what is left in the tree has one form
 * of each: 2026-10-03, or 2026-10-03T08:15:18 with a fraction and an offset if they were given.
 */
#include "lang/parse_private.h"

#include <stdio.h>

/* ---- dates ------------------------------------------------------------------------ */

static bool are_digits(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

/* In its one form; with 'Z' if it has none, and whether it had one. */
enum { DATE_BYTES = 48 };
struct date {
    char text[DATE_BYTES];
    size_t size;
    bool has_offset;
};

/* Copies hh:mm[:ss[.f]] and an offset; false: it has another form. */
static bool date_clock(struct varve_str s, struct date *date)
{
    size_t at = 5;
    if (s.size < 5 || !are_digits(s.data, 2) || s.data[2] != ':' || !are_digits(s.data + 3, 2))
        return false;
    if (s.size >= 8 && s.data[5] == ':' && are_digits(s.data + 6, 2)) {
        at = 8;
        if (s.size > 9 && s.data[8] == '.')
            for (at = 9; at < s.size && are_digits(s.data + at, 1);)
                at++;
    }
    const struct varve_str offset = {s.data + at, s.size - at};
    date->has_offset = offset.size > 0;
    const int size = snprintf(date->text + date->size, DATE_BYTES - date->size, "T%.*s%s%.*s",
                              (int)at, s.data, at == 5 ? ":00" : "", (int)offset.size, offset.data);
    if (size < 0 || (size_t)size >= DATE_BYTES - date->size - 1)
        return false;
    date->size += (size_t)size;
    if (date->text[date->size - 1] == 'z')
        date->text[date->size - 1] = 'Z';
    return true;
}

/* A date, with a time of day behind T or a blank; and its instant, in UTC if it has no offset. */
static bool read_date(struct varve_str s, struct date *date, int64_t *instant)
{
    *date = (struct date){.size = 0};
    if (s.size < 10 || s.size > DATE_BYTES - 8 || !are_digits(s.data, 4) || s.data[4] != '-')
        return false;
    memcpy(date->text, s.data, 10);
    date->size = 10;
    size_t size = 10;
    if (s.size > 10) {
        const char mark = s.data[10];
        if ((mark != 'T' && mark != 't' && mark != ' ') ||
            !date_clock((struct varve_str){s.data + 11, s.size - 11}, date))
            return false;
        size = date->size;
        if (!date->has_offset)
            date->text[size++] = 'Z';
    }
    return instant_parse(date->text, size, instant, NULL) == VARVE_OK;
}

static enum varve_status no_date(struct parser *parser)
{
    const struct varve_str text = parse_text(parser, parser->token);
    return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                     "%.*s is no date that there is; write 2026-10-03 or 2026-10-03T08:15:18Z",
                     STR_ARG(text));
}

enum varve_status parse_instant(struct parser *parser, int64_t *instant, bool *local)
{
    struct date date;
    if (!read_date(parse_text(parser, parser->token), &date, instant))
        return no_date(parser);
    *local = !date.has_offset;
    parse_next(parser);
    return VARVE_OK;
}

static enum varve_status
keep(struct parser *parser, const char *text, size_t size, struct varve_str *out)
{
    const char *copy = arena_copy(parser->arena, text, size);
    if (!copy)
        return VARVE_NOMEM;
    *out = (struct varve_str){copy, size};
    return VARVE_OK;
}

/* ---- when --------------------------------------------------------------------------- */

/* Unix seconds: digits, and a fraction of up to nine. */
static bool is_unix(struct varve_str s)
{
    int64_t instant;
    return s.size > 0 && are_digits(s.data, 1) && (s.size < 5 || s.data[4] != '-') &&
           instant_parse(s.data, s.size, &instant, NULL) == VARVE_OK;
}

/* SINCE 7 and SINCE 2026 mean days and a year, not seconds in January 1970; 0 is the beginning. */
static bool is_small(struct varve_str s)
{
    return s.size <= 4 && s.data[0] != '0';
}

/* A date in quotes or without, or a number. */
static enum varve_status when_time(struct parser *parser, struct when *when)
{
    struct varve_str text = parse_text(parser, parser->token);
    struct date date;
    int64_t instant;
    when->kind = WHEN_TIME;
    if (parser->token.kind == TOKEN_STRING)
        TRY(parse_token_name(parser, &text));
    if (is_unix(text) && !is_small(text))
        TRY(keep(parser, text.data, text.size, &when->text));
    else if (read_date(text, &date, &instant))
        TRY(keep(parser, date.text, date.size, &when->text));
    else if (parser->token.kind == TOKEN_DATE || parser->token.kind == TOKEN_STRING)
        return no_date(parser);
    else
        return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                         "'%.*s' is no time: a duration needs a unit (7d), a date has three parts "
                         "(2026-10-03), Unix seconds have 5 to 11 digits",
                         STR_ARG(text));
    parse_next(parser);
    return VARVE_OK;
}

static const enum word when_words[] = {WORD_NOW, WORD_START};
static const enum word unit_words[] = {WORD_HOUR,  WORD_DAY,     WORD_WEEK,
                                       WORD_MONTH, WORD_QUARTER, WORD_YEAR};

/* Takes one of the units from `first` on; UNIT_NONE: it is none of them. */
static enum calendar_unit take_unit(struct parser *parser, enum word first)
{
    if (parser->word < first || parser->word > WORD_YEAR)
        return UNIT_NONE;
    const enum calendar_unit unit =
        (enum calendar_unit)(UNIT_HOUR + (int)(parser->word - WORD_HOUR));
    parse_next(parser);
    return unit;
}

static enum varve_status when_start_of(struct parser *parser, struct when *when)
{
    when->kind = WHEN_START_OF;
    parse_next(parser);
    TRY(parse_need(parser, WORD_OF));
    when->unit = take_unit(parser, WORD_HOUR);
    if (when->unit == UNIT_NONE)
        return parse_expected_words(parser, "hour, day, week, month, quarter or year", unit_words,
                                    sizeof unit_words / sizeof *unit_words);
    return VARVE_OK;
}

/* today, yesterday, this week: they answer another question than SINCE asks. */
static enum varve_status no_period(struct parser *parser)
{
    const struct varve_str text = parse_text(parser, parser->token);
    return lang_fail(parser->error, VARVE_INVALID, parser->token.place,
                     "'%.*s' begins a period, and here a time is expected, such as 24h or start of "
                     "day; a range that is a period is DURING yesterday or DURING this week",
                     STR_ARG(text));
}

static enum varve_status when_base(struct parser *parser, struct when *when)
{
    switch (parser->token.kind) {
    case TOKEN_DURATION:
        when->kind = WHEN_AGO;
        TRY(parse_duration(parser, &when->nanos));
        (void)parse_take(parser, WORD_AGO);
        return VARVE_OK;
    case TOKEN_DATE:
    case TOKEN_STRING:
    case TOKEN_INT:
    case TOKEN_FLOAT:
        return when_time(parser, when);
    default:
        if (parser->word == WORD_START)
            return when_start_of(parser, when);
        if (parse_take(parser, WORD_NOW)) {
            when->kind = WHEN_NOW;
            return VARVE_OK;
        }
        if (parser->word == WORD_TODAY || parser->word == WORD_YESTERDAY ||
            parser->word == WORD_THIS || parser->word == WORD_LAST)
            return no_period(parser);
        return parse_expected_words(
            parser, "a time: 24h, now, start of day, 2026-10-03, '2026-10-03T08:15:18Z'",
            when_words, sizeof when_words / sizeof *when_words);
    }
}

/* + 2h - 5m ...; in an expression it goes on where something else is added. */
static enum varve_status when_shift(struct parser *parser, bool in_expr, int64_t *shift)
{
    while (parse_is_mark(parser, '+') || parse_is_mark(parser, '-')) {
        if (in_expr && parser->ahead.kind != TOKEN_DURATION)
            return VARVE_OK;
        const bool minus = parse_is_mark(parser, '-');
        int64_t nanos;
        parse_next(parser);
        const struct place place = parser->token.place;
        TRY(parse_duration(parser, &nanos));
        if (__builtin_add_overflow(*shift, minus ? -nanos : nanos, shift) || *shift == INT64_MIN)
            return lang_fail(parser->error, VARVE_INVALID, place,
                             "durations add up to more than 292 years");
    }
    return VARVE_OK;
}

static enum varve_status read_when(struct parser *parser, bool in_expr, const struct when **out)
{
    const uint32_t from = parser->token.place.from;
    struct when *when = parse_new(parser, sizeof *when);
    if (!when)
        return VARVE_NOMEM;
    TRY(when_base(parser, when));
    TRY(when_shift(parser, in_expr, &when->shift));
    when->place = parse_since(parser, from);
    *out = when;
    return VARVE_OK;
}

enum varve_status parse_when(struct parser *parser, const struct when **when)
{
    return read_when(parser, false, when);
}

enum varve_status parse_when_of_metric(struct parser *parser, const struct when **when)
{
    return read_when(parser, true, when);
}

/* ---- periods --------------------------------------------------------------------------- */

/* Whether it is 2026, 2026-10, 2026-Q3 or 2026-10-03. */
static bool is_period(struct varve_str s)
{
    struct date date;
    int64_t instant;
    char day[] = "2026-01-01";
    if ((s.size != 4 && s.size != 7 && s.size != 10) || !are_digits(s.data, 4))
        return false;
    memcpy(day, s.data, s.size);
    if (s.size == 7 && s.data[5] == 'Q') {
        if (s.data[6] < '1' || s.data[6] > '4')
            return false;
        memcpy(day + 5, "01", 2);
    }
    return read_date((struct varve_str){day, 10}, &date, &instant);
}

/* The text of a period without quotes: 2026-10 is three tokens, 2026-10-03 one. */
static struct varve_str bare_period(struct parser *parser)
{
    struct place place = parser->token.place;
    const char *text = parser->lexer.text;
    const bool joins = parser->token.kind == TOKEN_INT && parser->ahead.kind == TOKEN_MARK &&
                       parser->ahead.mark == '-' && parser->ahead.place.from == place.until;
    if (joins) {
        parse_next(parser);
        if (parser->ahead.place.from == parser->token.place.until &&
            parser->ahead.kind != TOKEN_END)
            parse_next(parser);
        place.until = parser->token.place.until;
    }
    return (struct varve_str){text + place.from, place.until - place.from};
}

static enum varve_status period_named(struct parser *parser, struct period *period)
{
    const uint32_t from = parser->token.place.from;
    char text[12];
    struct varve_str s;
    if (parser->token.kind == TOKEN_STRING)
        TRY(parse_token_name(parser, &s));
    else
        s = bare_period(parser);
    const size_t size = s.size < sizeof text ? s.size : sizeof text;
    memcpy(text, s.data, size);
    if (size == 7 && text[5] == 'q')
        text[5] = 'Q';
    if (size != s.size || !is_period((struct varve_str){text, size}))
        return lang_fail(
            parser->error, VARVE_INVALID, (struct place){from, parser->token.place.until},
            "'%.*s' is no period; write 2026, 2026-10, 2026-Q3 or 2026-10-03", STR_ARG(s));
    period->kind = PERIOD_NAMED;
    parse_next(parser);
    return keep(parser, text, size, &period->text);
}

static enum varve_status period_relative(struct parser *parser, struct period *period)
{
    static const enum word words[] = {WORD_TODAY, WORD_YESTERDAY, WORD_THIS, WORD_LAST};
    if (parse_take(parser, WORD_TODAY)) {
        period->kind = PERIOD_TODAY;
        return VARVE_OK;
    }
    if (parse_take(parser, WORD_YESTERDAY)) {
        period->kind = PERIOD_YESTERDAY;
        return VARVE_OK;
    }
    if (parser->word != WORD_THIS && parser->word != WORD_LAST)
        return parse_expected_words(
            parser, "a period: today, yesterday, this month, last week, '2026-10', '2026-Q3'",
            words, sizeof words / sizeof *words);
    period->kind = parser->word == WORD_THIS ? PERIOD_THIS : PERIOD_LAST;
    parse_next(parser);
    period->unit = take_unit(parser, WORD_WEEK);
    if (period->unit == UNIT_NONE)
        return parse_expected_words(parser, "week, month, quarter or year", unit_words + 2, 4);
    return VARVE_OK;
}

enum varve_status parse_period(struct parser *parser, struct period *period)
{
    const uint32_t from = parser->token.place.from;
    const enum token_kind kind = parser->token.kind;
    *period = (struct period){.kind = PERIOD_TODAY};
    if (kind == TOKEN_STRING || kind == TOKEN_INT || kind == TOKEN_DATE)
        TRY(period_named(parser, period));
    else
        TRY(period_relative(parser, period));
    period->place = parse_since(parser, from);
    return VARVE_OK;
}

/* ---- buckets ----------------------------------------------------------------------------- */

enum varve_status parse_every(struct parser *parser, struct every *every)
{
    static const enum word words[] = {WORD_HOUR,  WORD_DAY,     WORD_WEEK, WORD_MONTH,
                                      WORD_MONTH, WORD_QUARTER, WORD_YEAR, WORD_AUTO};
    every->kind = EVERY_CALENDAR;
    if (parser->token.kind == TOKEN_DURATION) {
        const struct place place = parser->token.place;
        every->kind = EVERY_DURATION;
        TRY(parse_duration(parser, &every->duration));
        if (every->duration == 0)
            return lang_fail(parser->error, VARVE_INVALID, place, "a bucket of no length");
    } else if (parse_take(parser, WORD_HOUR)) {
        every->kind = EVERY_DURATION;
        every->duration = 3600 * NS_PER_SECOND;
    } else if (parse_take(parser, WORD_AUTO)) {
        every->kind = EVERY_AUTO;
    } else if ((every->unit = take_unit(parser, WORD_DAY)) == UNIT_NONE) {
        return parse_expected_words(parser,
                                    "a bucket: 15m, 1h, day, week, month, quarter, year or auto",
                                    words, sizeof words / sizeof *words);
    }
    if (parse_take(parser, WORD_TZ))
        TRY(parse_string(parser, "the name of a time zone such as 'Europe/Paris'", &every->zone));
    return VARVE_OK;
}
