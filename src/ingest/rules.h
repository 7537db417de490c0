/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h -- what a store keeps, drops or hashes, before anything is written.
 *
 *   rule = ("keep" | "drop" | "hash") "label" GLOB ["in" ["metric" | "table"] GLOB]
 *        | ("keep" | "drop") ("metric" | "table") GLOB
 *
 * A label is an attribute of a metric, an event or a span, by its OTLP name or in underscored form;
 * what stands after "in" is a metric or a table in any spelling.  In a GLOB `*` is any text, `?`
 * one character.  Rules stand one a line or between semicolons; `#` begins a comment that ends
 * with the line.  The first rule that matches decides; the rules of the store come before those
 * the program was made with (names_privacy_rules); what no rule matches is kept.
 *
 * A hashed value is "h:" and 32 hexadecimal digits of HMAC-SHA256 under a secret of the store:
 * equal values stay equal, and cannot be told without the secret.
 */
#ifndef INGEST_RULES_H
#define INGEST_RULES_H

#include "base/mem.h"
#include "base/str.h"

struct rules;

enum rule_verdict { RULE_KEEP, RULE_DROP, RULE_HASH };
enum rule_source { RULE_METRIC, RULE_TABLE };

#define RULES_SECRET 32
#define RULES_HASHED 34 /* characters of a hashed value */
#define RULES_MAX 65536 /* bytes of their text */

/* VARVE_INVALID names the line and what was expected; VARVE_LIMIT: more than RULES_MAX.  `secret`
 * has RULES_SECRET bytes and is copied. */
enum varve_status rules_new(struct mem *mem, struct varve_str text, const uint8_t *secret,
                            struct rules **rules, struct varve_err *err) VARVE_CHECKED;
void rules_free(struct rules *rules); /* NULL is fine */
/* Whether the text is rules at all. */
enum varve_status
rules_check(struct mem *mem, struct varve_str text, struct varve_err *err) VARVE_CHECKED;

enum rule_verdict rules_metric(const struct rules *rules, struct varve_str metric);
enum rule_verdict rules_table(const struct rules *rules, struct varve_str table);
enum rule_verdict rules_label(const struct rules *rules, enum rule_source kind,
                              struct varve_str source, struct varve_str label);
/* Whether two metrics can be told apart by the rules about labels: when no rule has an "in" that
 * could mean a metric, what was found of one metric's labels holds for all. */
bool rules_depend_on_source(const struct rules *rules);
void rules_hash(const struct rules *rules, struct varve_str value, char hashed[RULES_HASHED]);

#endif
