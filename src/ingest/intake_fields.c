/* SPDX-License-Identifier: Apache-2.0
 *
 * intake_fields.c -- the fields of an event: what the rules leave of them, each of its type.
 *
 * Fields are collected one by one; one of the same name replaces what came before, so the outer
 * ones are given first.  An attribute that the catalogue knows to be a number or a
 * truth value becomes one, whether it was sent as that or as text, since senders have changed their
 * minds about it; what does not read as one stays as it was.
 *
 * A field that cannot be kept is counted and left out; the event stays.
 */
#include "ingest/intake_private.h"

#include "ingest/decimal.h"

#include <math.h>

void intake_fields_begin(struct intake *intake)
{
    intake->field_count = intake->own_field_count = 0;
}

/* ---- types ---- */

static bool whole_number(double number, int64_t *whole)
{
    if (!(fabs(number) <= 0x1p53) || number != floor(number))
        return false;
    *whole = (int64_t)number;
    return true;
}

/* The integer that is all of the text, as long as it fits. */
static bool read_int(struct varve_str text, int64_t *number)
{
    size_t at = text.size > 0 && text.data[0] == '-';
    if (text.size == at || text.size > 20)
        return false;
    *number = 0;
    for (size_t i = at; i < text.size; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_sub_overflow(*number, digit, number))
            return false;
    }
    return at == 1 || !__builtin_sub_overflow(0, *number, number);
}

static bool read_float(struct varve_str text, double *number)
{
    struct decimal decimal;
    if (text.size == 0 || decimal_scan(text, &decimal) != text.size)
        return false;
    *number = decimal_double(&decimal, text);
    return isfinite(*number);
}

static struct varve_value as_int(struct varve_value value)
{
    int64_t whole;
    double number;
    if (value.type == VARVE_TEXT && read_int(value.as.s, &whole))
        return (struct varve_value){.type = VARVE_INT, .as.i = whole};
    if (value.type == VARVE_TEXT && read_float(value.as.s, &number))
        value = (struct varve_value){.type = VARVE_FLOAT, .as.f = number};
    if (value.type == VARVE_FLOAT && whole_number(value.as.f, &whole))
        return (struct varve_value){.type = VARVE_INT, .as.i = whole};
    return value;
}

static struct varve_value as_float(struct varve_value value)
{
    double number;
    if (value.type == VARVE_INT && value.as.i >= -(INT64_C(1) << 53) &&
        value.as.i <= INT64_C(1) << 53)
        return (struct varve_value){.type = VARVE_FLOAT, .as.f = (double)value.as.i};
    if (value.type == VARVE_TEXT && read_float(value.as.s, &number))
        return (struct varve_value){.type = VARVE_FLOAT, .as.f = number};
    return value;
}

static struct varve_value as_bool(struct varve_value value)
{
    bool is_true = value.type == VARVE_TEXT && str_equal(value.as.s, STR("true"));
    if (is_true || (value.type == VARVE_TEXT && str_equal(value.as.s, STR("false"))))
        return (struct varve_value){.type = VARVE_BOOL, .as.i = is_true};
    return value;
}

static enum varve_status
as_text(struct intake *intake, struct varve_value *value, struct varve_err *err)
{
    struct varve_str text = intake_value_text(intake, *value);
    if (!text.data && text.size > 0)
        return fail_nomem(err, text.size);
    *value = (struct varve_value){.type = VARVE_TEXT, .as.s = text};
    return VARVE_OK;
}

/* What the value is to be kept as. */
static enum varve_status settle(struct intake *intake, const struct fact *fact,
                                struct varve_value *value, struct varve_err *err)
{
    if (fact->verdict == RULE_HASH) {
        TRY(as_text(intake, value, err));
        value->as.s = intake_hashed(intake, value->as.s);
        return value->as.s.data || value->as.s.size == 0 ? VARVE_OK : fail_nomem(err, RULES_HASHED);
    }
    if (fact->type == NAME_INT)
        *value = as_int(*value);
    else if (fact->type == NAME_FLOAT)
        *value = as_float(*value);
    else if (fact->type == NAME_BOOL)
        *value = as_bool(*value);
    else if (fact->type == NAME_TEXT)
        return as_text(intake, value, err);
    return VARVE_OK;
}

/* ---- collecting ---- */

enum varve_status intake_field(struct intake *intake, uint32_t place, struct varve_str name,
                               struct varve_value value, struct varve_err *err)
{
    uint32_t number;
    if (value.type == VARVE_NULL)
        return VARVE_OK;
    if (name.size == 0 || name.size > EVENT_NAME_MAX) {
        intake_reject(intake, REJECT_FIELDS, 1,
                      name.size ? "the name of a field is too long" : "a field without a name");
        return VARVE_OK;
    }
    TRY(facts_find(&intake->facts, place, name, &number, err));
    struct fact *fact = &intake->facts.facts[number];
    if (fact->verdict == RULE_DROP)
        return VARVE_OK;
    bool is_large = value.type == VARVE_TEXT && value.as.s.size > EVENT_TEXT_MAX;
    bool is_new = fact->mark != intake->mark;
    if (is_large || (is_new && intake->field_count == LIMIT_FIELDS)) {
        intake_reject(intake, REJECT_FIELDS, 1,
                      is_large ? "the text of a field is too long"
                               : "an event with more fields than are kept");
        return VARVE_OK;
    }
    TRY(settle(intake, fact, &value, err));
    if (is_new) {
        fact->mark = intake->mark;
        fact->at = (uint32_t)intake->field_count++;
    }
    intake->own_field_count++;
    intake->fields[fact->at] = (struct varve_field){fact->name, value};
    return VARVE_OK;
}

enum varve_status intake_text_field(struct intake *intake, uint32_t place, const char *name,
                                    struct varve_str text, struct varve_err *err)
{
    struct varve_value value = {.type = VARVE_TEXT, .as.s = text};
    if (text.size == 0)
        return VARVE_OK;
    return intake_field(intake, place, (struct varve_str){name, strlen(name)}, value, err);
}

enum varve_status intake_held_fields(struct intake *intake, uint32_t place, struct varve_err *err)
{
    const struct held *held[] = {&intake->resource, &intake->scope};
    for (size_t h = 0; h < 2; h++)
        for (size_t i = 0; i < held[h]->count; i++)
            TRY(intake_field(intake, place, held[h]->fields[i].name, held[h]->fields[i].value,
                             err));
    intake->own_field_count = 0;
    return VARVE_OK;
}

/* ---- into the batch ---- */

/* Leaves out fields that are not UTF-8; how many there were. */
static size_t leave_out_bytes(struct intake *intake)
{
    size_t kept = 0, count = intake->field_count;
    for (size_t i = 0; i < count; i++) {
        const struct varve_field *field = &intake->fields[i];
        if (str_is_utf8(field->name) &&
            (field->value.type != VARVE_TEXT || str_is_utf8(field->value.as.s)))
            intake->fields[kept++] = *field;
    }
    intake->field_count = kept;
    return count - kept;
}

/* The batch has refused the event: with these fields, or at all. */
static enum reject_reason reason_of(struct varve_str table, int64_t time)
{
    if (!intake_is_time(time))
        return REJECT_TIME;
    if (!str_is_utf8(table))
        return REJECT_UTF8;
    return table.size == 0 || table.size > EVENT_NAME_MAX ? REJECT_NAME : REJECT_RECORD;
}

enum varve_status intake_fields_end(struct intake *intake, struct varve_str table, int64_t time,
                                    struct varve_err *err)
{
    struct varve_err why;
    enum varve_status status =
        batch_event(&intake->batch, table, time, intake->fields, intake->field_count, &why);
    if (status == VARVE_OK)
        return status;
    enum reject_reason reason = reason_of(table, time);
    if (!intake_is_final(status) && reason == REJECT_RECORD) {
        size_t left_out = leave_out_bytes(intake);
        intake_reject(intake, REJECT_UTF8, left_out, why.message);
        if (left_out > 0)
            status =
                batch_event(&intake->batch, table, time, intake->fields, intake->field_count, &why);
    }
    if (intake_is_final(status))
        return fail(err, status, why.place, "%s", why.message);
    if (status != VARVE_OK)
        intake_reject(intake, reason, 1, why.message);
    return VARVE_OK;
}
