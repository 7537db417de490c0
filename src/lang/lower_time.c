/* SPDX-License-Identifier: Apache-2.0
 *
 * lower_time.c -- points in time, ranges and buckets of a SELECT.
 *
 * Everything is an instant once this is done: the clock is read once a statement, and calendars
 * are those of the SELECT's zone (EVERY ... TZ, else the session's).  Ranges are half-open.  A
 * calendar period that is not over ends now, so that a month that has just begun does not draw
 * empty days to its end.
 */
#include "lang/lower_private.h"

#define HOUR (3600 * NS_PER_SECOND)
#define WEEK (7 * NS_PER_DAY)

/* ---- instants ----------------------------------------------------------------- */

static enum varve_status out_of_time(struct lower *l, struct place place)
{
    return lower_fail(l, VARVE_LIMIT, place, "times reach from 1678 to 2261");
}

/* Digits into *value; how many there were must be `count`. */
static bool digits(struct varve_str s, size_t *at, size_t count, int *value)
{
    *value = 0;
    for (size_t i = 0; i < count; i++, (*at)++) {
        if (*at >= s.size || s.data[*at] < '0' || s.data[*at] > '9')
            return false;
        *value = *value * 10 + (s.data[*at] - '0');
    }
    return true;
}

static bool mark(struct varve_str s, size_t *at, char a, char b)
{
    if (*at >= s.size || (s.data[*at] != a && s.data[*at] != b))
        return false;
    ++*at;
    return true;
}

bool lower_local_time(struct varve_str s, const struct zone *zone, int64_t *instant)
{
    int year, month, day, hour = 0, minute = 0, second = 0, nano = 0;
    size_t at = 0;
    if (!digits(s, &at, 4, &year) || !mark(s, &at, '-', '-') || !digits(s, &at, 2, &month) ||
        !mark(s, &at, '-', '-') || !digits(s, &at, 2, &day))
        return false;
    if (at < s.size) {
        if (!mark(s, &at, 'T', ' ') || !digits(s, &at, 2, &hour) || !mark(s, &at, ':', ':') ||
            !digits(s, &at, 2, &minute))
            return false;
        if (mark(s, &at, ':', ':') && !digits(s, &at, 2, &second))
            return false;
        if (mark(s, &at, '.', '.'))
            for (int i = 0, unit = 100000000; i < 9 && at < s.size; i++, unit /= 10) {
                int digit;
                if (!digits(s, &at, 1, &digit))
                    return false;
                nano += digit * unit;
            }
    }
    if (at != s.size || year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    int32_t first = day_of_civil(year, month, 1);
    if (day > day_of_civil(year + month / 12, month % 12 + 1, 1) - first)
        return false;
    *instant = zone_instant(zone, year, month, day, hour, minute, second, nano);
    return true;
}

static enum varve_status
time_text(struct lower *l, const struct zone *zone, const struct when *when, int64_t *instant)
{
    if (lower_local_time(when->text, zone, instant) ||
        instant_parse(when->text.data, when->text.size, instant, NULL) == VARVE_OK)
        return VARVE_OK;
    return lower_fail(l, VARVE_INVALID, when->place,
                      "'%.*s' is no time: expected 2026-10-03, 2026-10-03T08:15:00Z or Unix "
                      "seconds",
                      STR_ARG(when->text));
}

enum varve_status
lower_when(struct lower *l, const struct zone *zone, const struct when *when, int64_t *instant)
{
    int64_t at = l->options->now;
    bool over = false;
    switch (when->kind) {
    case WHEN_NOW:
        break;
    case WHEN_AGO:
        over = __builtin_sub_overflow(at, when->nanos, &at);
        break;
    case WHEN_TIME:
        TRY(time_text(l, zone, when, &at));
        break;
    case WHEN_START_OF:
        at = period_start(zone, when->unit, at);
        break;
    }
    if (over || __builtin_add_overflow(at, when->shift, &at))
        return out_of_time(l, when->place);
    *instant = at;
    return VARVE_OK;
}

/* ---- ranges ------------------------------------------------------------------- */

static enum varve_status
named_period(struct lower *l, const struct zone *zone, const struct period *period,
             enum calendar_unit *unit, int64_t *instant)
{
    struct varve_str s = period->text;
    int year, month = 1, day = 1;
    size_t at = 0;
    bool good = digits(s, &at, 4, &year) && year >= 1678 && year <= 2261;
    *unit = UNIT_YEAR;
    if (good && at < s.size) {
        good = mark(s, &at, '-', '-');
        bool quarter = good && mark(s, &at, 'Q', 'q');
        good = good && digits(s, &at, quarter ? 1 : 2, &month) && month >= 1 &&
               month <= (quarter ? 4 : 12);
        *unit = quarter ? UNIT_QUARTER : UNIT_MONTH;
        month = quarter ? 3 * month - 2 : month;
    }
    if (good && at < s.size) {
        good = *unit == UNIT_MONTH && lower_local_time(s, zone, instant) && s.size == 10 &&
               digits((struct varve_str){s.data + 8, 2}, &(size_t){0}, 2, &day);
        *unit = UNIT_DAY;
    }
    if (!good)
        return lower_fail(l, VARVE_INVALID, period->place,
                          "'%.*s' is no period: expected '2026', '2026-10', '2026-Q3' or "
                          "'2026-10-03'",
                          STR_ARG(s));
    *instant = zone_instant(zone, year, month, day, 0, 0, 0, 0);
    return VARVE_OK;
}

static enum varve_status
during(struct lower *l, const struct zone *zone, const struct period *period, struct span *span)
{
    int64_t now = l->options->now, at = now;
    span->unit = period->unit;
    if (period->kind == PERIOD_TODAY || period->kind == PERIOD_YESTERDAY)
        span->unit = UNIT_DAY;
    if (period->kind == PERIOD_NAMED)
        TRY(named_period(l, zone, period, &span->unit, &at));
    int64_t start = period_start(zone, span->unit, at);
    if (period->kind == PERIOD_YESTERDAY || period->kind == PERIOD_LAST) {
        if (start == INT64_MIN)
            return out_of_time(l, period->place);
        start = period_start(zone, span->unit, start - 1);
    }
    int64_t end = period_next(zone, span->unit, start);
    span->period = (struct time_range){start, end};
    span->range = (struct time_range){start, start <= now && now < end ? now : end};
    return VARVE_OK;
}

static enum varve_status since(struct selecting *s, const struct range *range)
{
    struct lower *l = s->lower;
    struct time_range *out = &s->span.range;
    out->until = l->options->now;
    TRY(lower_when(l, s->zone, range->since, &out->since));
    if (range->kind == RANGE_AT) {
        out->until = out->since;
        s->span.is_at = true;
        return VARVE_OK;
    }
    if (range->until)
        TRY(lower_when(l, s->zone, range->until, &out->until));
    if (out->since < out->until)
        return VARVE_OK;
    return lower_fail(l, VARVE_INVALID, range->place, "the range is empty: it begins %s it ends",
                      out->since == out->until ? "when" : "after");
}

enum varve_status lower_span(struct selecting *s, const struct time_range *inherited)
{
    struct lower *l = s->lower;
    const struct range *range = &s->ast->range;
    int64_t length = l->options->since > 0 ? l->options->since : NS_PER_DAY;
    s->span.is_set = true;
    switch (range->kind) {
    case RANGE_DURING:
        return during(l, s->zone, &range->during, &s->span);
    case RANGE_SINCE:
    case RANGE_BETWEEN:
    case RANGE_AT:
        return since(s, range);
    case RANGE_UNSET:
        break;
    }
    s->span.is_set = false;
    s->span.range.until = l->options->now;
    if (inherited)
        s->span.range = *inherited;
    else if (__builtin_sub_overflow(l->options->now, length, &s->span.range.since))
        return out_of_time(l, s->ast->place);
    return VARVE_OK;
}

/* The range that COMPARE TO sets against that of the SELECT. */
enum varve_status lower_earlier(const struct selecting *s, struct time_range *earlier)
{
    struct lower *l = s->lower;
    const struct compare *compare = &s->ast->compare;
    struct time_range range = s->span.range;
    int64_t length = compare->ago;
    if (compare->kind == COMPARE_PREVIOUS && s->span.unit != UNIT_NONE) {
        int64_t start = s->span.period.since;
        if (start == INT64_MIN)
            return out_of_time(l, compare->place);
        earlier->since = period_start(s->zone, s->span.unit, start - 1);
        earlier->until = start;
        if (range.until < s->span.period.until)
            earlier->until = period_add(s->zone, s->span.unit, range.until, -1);
        if (earlier->until > start)
            earlier->until = start;
        return VARVE_OK;
    }
    if (compare->kind == COMPARE_PREVIOUS) {
        if (s->span.is_at)
            return lower_fail(l, VARVE_INVALID, compare->place,
                              "AT has no length, so there is no previous: say COMPARE TO 1d AGO");
        if (__builtin_sub_overflow(range.until, range.since, &length))
            return out_of_time(l, compare->place);
    } else if (length <= 0)
        return lower_fail(l, VARVE_INVALID, compare->place, "COMPARE TO needs a time before");
    if (compare->kind == COMPARE_AGO && length % NS_PER_DAY == 0 && length / NS_PER_DAY < 100000) {
        int days = (int)(length / NS_PER_DAY);
        earlier->since = period_add(s->zone, UNIT_DAY, range.since, -days);
        earlier->until = period_add(s->zone, UNIT_DAY, range.until, -days);
        return VARVE_OK;
    }
    if (__builtin_sub_overflow(range.since, length, &earlier->since) ||
        __builtin_sub_overflow(range.until, length, &earlier->until))
        return out_of_time(l, compare->place);
    return VARVE_OK;
}

/* ---- buckets ------------------------------------------------------------------ */

static void calendar(struct selecting *s, enum calendar_unit unit)
{
    s->bucket.kind = BUCKET_CALENDAR;
    s->bucket.unit = unit;
    s->bucket.zone = s->zone_name;
}

static enum varve_status fixed(struct selecting *s, int64_t width)
{
    struct lower *l = s->lower;
    struct place place = s->ast->every.place;
    if (width <= 0)
        return lower_fail(l, VARVE_INVALID, place, "a bucket needs a width above zero");
    if (width == NS_PER_DAY || width == WEEK) {
        calendar(s, width == WEEK ? UNIT_WEEK : UNIT_DAY);
        return VARVE_OK;
    }
    if (width > NS_PER_DAY)
        return lower_fail(l, VARVE_INVALID, place,
                          "buckets of more than a day are those of the calendar: EVERY day, week, "
                          "month, quarter or year");
    s->bucket.kind = BUCKET_FIXED;
    s->bucket.width = width;
    uint64_t length = (uint64_t)s->span.range.until - (uint64_t)s->span.range.since;
    if (length / (uint64_t)width >= LOWER_BUCKETS_MAX)
        return lower_fail(l, VARVE_LIMIT, place,
                          "the range has over %d buckets of this width: make them wider, or the "
                          "range shorter",
                          LOWER_BUCKETS_MAX);
    return VARVE_OK;
}

/* The nice width whose number of buckets comes closest to a hundred. */
static enum varve_status automatic(struct selecting *s)
{
    static const int seconds[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                  600, 900, 1800, 3600, 7200, 10800, 21600, 43200};
    static const struct {
        int days;
        enum calendar_unit unit;
    } units[] = {
        {1, UNIT_DAY}, {7, UNIT_WEEK}, {30, UNIT_MONTH}, {91, UNIT_QUARTER}, {365, UNIT_YEAR}};
    int64_t length;
    if (__builtin_sub_overflow(s->span.range.until, s->span.range.since, &length))
        length = INT64_MAX;
    /* Up to the geometric middle of two widths, the smaller one is closer. */
    double want = (double)length / 100;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        double width = (double)seconds[i] * 1e9;
        double next = i + 1 < sizeof seconds / sizeof *seconds ? (double)seconds[i + 1] * 1e9
                                                               : (double)NS_PER_DAY;
        if (want * want <= width * next)
            return fixed(s, seconds[i] * NS_PER_SECOND);
    }
    for (size_t i = 0; i + 1 < sizeof units / sizeof *units; i++) {
        double width = units[i].days * (double)NS_PER_DAY;
        if (want * want <= width * units[i + 1].days * (double)NS_PER_DAY) {
            calendar(s, units[i].unit);
            return VARVE_OK;
        }
    }
    calendar(s, UNIT_YEAR);
    return VARVE_OK;
}

enum varve_status lower_bucket(struct selecting *s)
{
    const struct every *every = &s->ast->every;
    if (every->kind == EVERY_UNSET)
        return VARVE_OK;
    if (s->span.is_at)
        return lower_fail(s->lower, VARVE_INVALID, every->place,
                          "AT is one instant: EVERY needs SINCE, BETWEEN or DURING");
    if (every->kind == EVERY_AUTO)
        return automatic(s);
    if (every->kind == EVERY_DURATION)
        return fixed(s, every->duration);
    if (every->unit == UNIT_HOUR)
        return fixed(s, HOUR);
    calendar(s, every->unit);
    return VARVE_OK;
}

int64_t lower_bucket_start(const struct selecting *s, int64_t instant)
{
    if (s->bucket.kind == BUCKET_CALENDAR)
        return period_start(s->zone, s->bucket.unit, instant);
    if (s->bucket.kind != BUCKET_FIXED)
        return instant;
    int64_t rest = instant % s->bucket.width, start;
    rest += rest < 0 ? s->bucket.width : 0;
    return __builtin_sub_overflow(instant, rest, &start) ? INT64_MIN : start;
}
