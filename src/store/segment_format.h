/* SPDX-License-Identifier: Apache-2.0
 *
 * segment_format.h -- the sections of a metric segment.
 *
 *   META           counts; per metric kind, scale, points, series, runs; per key what it is
 *   WORDS          names and units of metrics, keys, and the values of keys with few
 *   DICT     [k]   distinct values of key k, where they are not in WORDS
 *   CODES    [k]   root: per run, 0 = no such label, else 1 + index into the dictionary;
 *                  derived: the same per code of the key it follows from, left out: the same code;
 *                  constant: left out, all 1
 *   RUN_TIME       per run: its timeline
 *   TIME_CLASS     per timeline: mode and whether starts are known, see segment_class
 *   TIME_ROWS      per timeline: rows - 1
 *   TIME_FIRST     per timeline: first end - the first of the blob
 *   TIME_SPAN      per timeline: last end - first end
 *   TIME_START     per timeline: first end - first start (0 where starts are unknown)
 *   TIME_STEP      per row but the first of each timeline: end - previous end
 *   TIME_GAP       the same of DELTA timelines with starts: start - previous end (0: contiguous)
 *   SUM      [m]   per int run of metric m: its sum
 *   INTS     [m]   values of the int runs
 *   FSUM_HI  [m], FSUM_LO [m]   per float run: its exact sum as two doubles; NaN in HI: none
 *   FLOATS   [m]   values of the float runs
 *
 * A column that is all zeros is left out, except the values themselves: they
 * bound how many rows a blob of a given size may have.  Sums are left out where
 * runs are so short that adding up the values is no work.
 */
#ifndef STORE_SEGMENT_FORMAT_H
#define STORE_SEGMENT_FORMAT_H

#include "store/rowset.h"

enum segment_section {
    SEGMENT_META = 1,
    SEGMENT_WORDS = 2,
    SEGMENT_DICT = 3,
    SEGMENT_CODES = 4,
    SEGMENT_RUN_TIME = 5,
    SEGMENT_TIME_CLASS = 6,
    SEGMENT_TIME_ROWS = 7,
    SEGMENT_TIME_FIRST = 8,
    SEGMENT_TIME_SPAN = 9,
    SEGMENT_TIME_START = 10,
    SEGMENT_TIME_STEP = 11,
    SEGMENT_TIME_GAP = 12,
    SEGMENT_SUM = 13,
    SEGMENT_INTS = 14,
    SEGMENT_FSUM_HI = 15,
    SEGMENT_FSUM_LO = 16,
    SEGMENT_FLOATS = 17
};

/* What a key is, in META: a number below SEGMENT_DERIVED, or SEGMENT_DERIVED + the index of the
 * key, a later one, that it follows from: a root, or a derived key that follows from a root. */
enum { SEGMENT_CONSTANT = 0, SEGMENT_ROOT = 1, SEGMENT_DERIVED = 2 };

/* Sums are kept where a metric has this many rows a run, on average. */
enum { SEGMENT_SUM_ROWS = 8 };

/* The class of rows that may share a run: number type, mode, and whether their start is unknown. */
enum { CLASS_NO_START = 1, CLASS_FLOAT = 16 };

static inline uint8_t segment_class(enum row_mode mode, bool is_float, bool no_start)
{
    return (uint8_t)((is_float ? CLASS_FLOAT : 0) | mode << 1 |
                     (mode != ROW_GAUGE && no_start ? CLASS_NO_START : 0));
}

static inline enum row_mode segment_class_mode(uint8_t class)
{
    return (enum row_mode)(class >> 1 & 7);
}

/* Rows of this class have a start each. */
static inline bool segment_class_gaps(uint8_t class)
{
    return (class & ~CLASS_FLOAT) == ROW_DELTA << 1;
}

/* Rows of these modes have one start for the whole run. */
static inline bool segment_mode_grouped(enum row_mode mode)
{
    return mode == ROW_CUMULATIVE || mode == ROW_ADJUST || mode == ROW_BASE;
}

#endif
