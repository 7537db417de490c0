/* SPDX-License-Identifier: Apache-2.0
 *
 * prom_line.h -- one line of OpenMetrics or Prometheus' text format.
 *
 * What a line says, as pieces of the line itself.  Labels stay the text between the braces until
 * somebody asks for them with prom_labels: lines repeat them, and texts that have been read once
 * need not be read again.
 */
#ifndef INGEST_PROM_LINE_H
#define INGEST_PROM_LINE_H

#include "base/mem.h"
#include "ingest/decimal.h"

enum prom_kind {
    PROM_BLANK, /* nothing, or a comment without a meaning */
    PROM_TYPE,  /* name and text, the type */
    PROM_UNIT,  /* name and text */
    PROM_HELP,  /* name and text */
    PROM_EOF,
    PROM_SAMPLE,
    PROM_BAD
};

struct prom_line {
    enum prom_kind kind;
    struct varve_str name;        /* as it stands, without the quotes of a quoted one */
    bool escaped;                 /* the name has escapes */
    bool braces;                  /* there are labels, or a quoted name within the braces */
    struct varve_str text;        /* of a comment; of a sample what stands between the braces */
    struct varve_str value, time; /* time may be empty */
    size_t column;                /* of a bad line, from 1 */
    const char *expected;
};

/* A sample whose labels need not be looked at is read by prom_line_quick: up to the last closing
 * brace of the line it takes all for labels.  False: it is no such line, ask
 * prom_line_parse.  True: right if line->text is known to be labels. */
bool prom_line_quick(struct prom_line *line, struct varve_str text);
void prom_line_parse(struct prom_line *line, struct varve_str text);

/* The labels of line->text that prom_line_parse has accepted.  Values with escapes are written
 * to `scratch`, which has room for the whole text.  The quoted name is left out.  VARVE_LIMIT:
 * more than `most`. */
struct prom_labels {
    struct varve_str text;
    size_t at;
    char *scratch;
};
struct prom_label {
    struct varve_str key, value;
};
/* The next label; false at the end. */
bool prom_label_next(struct prom_labels *labels, struct prom_label *label);
/* A quoted text without its escapes; out has room for text.size bytes. */
struct varve_str prom_unescape(struct varve_str text, char *out);

/* A value: false if it is none. */
bool prom_value(struct varve_str text, double *value);

#endif
