/* SPDX-License-Identifier: Apache-2.0
 *
 * facts.h -- what has been found out about names, remembered.
 *
 * The attributes of records repeat: the same few names, in the same few tables.  What
 * the catalogue and the rules say of a name in a place is asked once and kept here.
 */
#ifndef INGEST_FACTS_H
#define INGEST_FACTS_H

#include "base/arena.h"
#include "base/names.h"
#include "ingest/rules.h"

enum {
    FACTS_NAME_MAX = 256, /* bytes; longer names are no names */
    FACTS_MANY = 1 << 14, /* so many that it is time to forget them */
};

/* Where a name stands.  Metrics and tables have names, too; the number of the fact about one is the
 * place of its labels or attributes, plus FACTS_PLACES. */
enum { FACTS_METRICS, FACTS_TABLES, FACTS_ANY_METRIC, FACTS_PLACES };

struct fact {
    struct varve_str name;
    uint64_t hash;
    uint32_t place;
    uint32_t meaning;  /* the number of the fact about the label's OTLP name: mostly its own */
    uint8_t verdict;   /* enum rule_verdict */
    uint8_t type;      /* enum name_type, of attributes in tables */
    bool is_table;     /* a place of attributes of a table, not of labels of a metric */
    uint32_t mark, at; /* free to use by who is putting a record together */
};

struct facts {
    struct mem *mem;
    const struct rules *rules;
    uint64_t seed;
    struct arena arena;
    struct fact *facts;
    uint32_t *slots; /* number of a fact + 1; 0: free */
    size_t count, capacity, slot_count;
};

void facts_init(struct facts *facts, struct mem *mem, const struct rules *rules, uint64_t seed);
void facts_free(struct facts *facts);
void facts_clear(struct facts *facts);
/* The number of the fact about a name of 1 to FACTS_NAME_MAX bytes.  Numbers are good until
 * facts_clear. */
enum varve_status facts_find(struct facts *facts, uint32_t place, struct varve_str name,
                             uint32_t *number, struct varve_err *err) VARVE_CHECKED;

#endif
