/* SPDX-License-Identifier: Apache-2.0
 *
 * regex.c -- patterns: the simple ones by comparing bytes, the others by PCRE2.
 *
 * PCRE2 takes more than RE2 does and means some things differently, so a pattern is first
 * rewritten: what RE2 refuses is refused with its place, and \s and \v are spelled out.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/regex.h"

#include <pcre2.h>

#include "base/buf.h"
#include "base/str.h"

enum {
    PATTERN_MOST = 1 << 16,
    REPEAT_MOST = 1000,
    MATCH_LIMIT = 1000000,
    DEPTH_LIMIT = 10000,
    HEAP_LIMIT = 20 << 10, /* kibibytes */
    JIT_STACK = 512 << 10
};

enum regex_form { FORM_LITERALS, FORM_PREFIX, FORM_PCRE2 };

struct regex {
    struct mem *mem;
    char *pattern;
    size_t size;
    enum regex_form form;
    bool dot_all;
    size_t prefix; /* PREFIX: so many bytes, then .* or .+ */
    size_t least;  /* PREFIX: characters behind it */
    pcre2_general_context *general;
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
    pcre2_code *code;
};

/* ---- what is refused, what is rewritten ------------------------------------------- */

struct rewriter {
    struct varve_str pattern;
    size_t at;
    bool in_class;
    struct buf out;
    struct varve_err *err;
};

static enum varve_status refuse(const struct rewriter *r, const char *what)
{
    return fail(r->err, VARVE_INVALID, "pattern", "'%.*s' at byte %zu: %s", STR_ARG(r->pattern),
                r->at + 1, what);
}

static int peek(const struct rewriter *r, size_t ahead)
{
    return r->at + ahead < r->pattern.size ? (unsigned char)r->pattern.data[r->at + ahead] : -1;
}

static void copy(struct rewriter *r, size_t n)
{
    buf_put(&r->out, r->pattern.data + r->at, n);
    r->at += n;
}

static void replace(struct rewriter *r, size_t n, const char *by)
{
    buf_put(&r->out, by, strlen(by));
    r->at += n;
}

/* \Q...\E is taken over as it is. */
static void copy_quoted(struct rewriter *r)
{
    while (r->at < r->pattern.size && !(peek(r, 0) == '\\' && peek(r, 1) == 'E'))
        copy(r, 1);
    copy(r, r->at < r->pattern.size ? 2 : 0);
}

static enum varve_status escape(struct rewriter *r)
{
    int c = peek(r, 1);
    if (c < 0)
        return refuse(r, "nothing follows the backslash");
    if (c >= '1' && c <= '9')
        return refuse(r, "back-references are not supported");
    if (c == 's' || c == 'S') {
        const char *inside = c == 's' ? "\\t\\n\\f\\r " : NULL;
        if (r->in_class && !inside)
            return refuse(r, "\\S in a class is not supported");
        replace(r, 2, r->in_class ? inside : c == 's' ? "[\\t\\n\\f\\r ]" : "[^\\t\\n\\f\\r ]");
    } else if (c == 'v') {
        replace(r, 2, "\\x0b");
    } else if (c == 'Q') {
        copy_quoted(r);
    } else if (((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) &&
               !strchr("abdfnrtxzABDEPQSWpw", c)) {
        return refuse(r, "this escape is not supported");
    } else {
        copy(r, 2);
    }
    return VARVE_OK;
}

static enum varve_status group(struct rewriter *r)
{
    if (peek(r, 1) == '*')
        return refuse(r, "verbs are not supported");
    if (peek(r, 1) != '?') {
        copy(r, 1);
        return VARVE_OK;
    }
    size_t n = 2;
    if (peek(r, n) == 'P' && peek(r, n + 1) == '<') {
        copy(r, 4);
        return VARVE_OK;
    }
    while (peek(r, n) > 0 && strchr("imsU-", peek(r, n)))
        n++;
    if (peek(r, n) != ':' && (peek(r, n) != ')' || n == 2))
        return refuse(r, "look-around and other extensions are not supported");
    copy(r, n + 1);
    return VARVE_OK;
}

/* {n}, {n,} or {n,m}: its size, else 0; *most the larger number. */
static size_t repetition(const struct rewriter *r, int *most)
{
    size_t n = 1;
    int value = 0, digits = 0;
    *most = 0;
    for (;; n++) {
        int c = peek(r, n);
        if (c >= '0' && c <= '9') {
            value = value > REPEAT_MOST ? value : value * 10 + (c - '0');
            digits++;
        } else if ((c == ',' && digits > 0 && *most == 0) || c == '}') {
            *most = value > *most ? value : *most;
            if (c == '}')
                return digits > 0 ? n + 1 : 0;
            value = 0;
        } else {
            return 0;
        }
    }
}

static enum varve_status quantifier(struct rewriter *r, size_t n)
{
    copy(r, n);
    int c = peek(r, 0), most;
    if (c == '?') {
        copy(r, 1);
        c = peek(r, 0);
    }
    if (c == '+' || c == '*' || c == '?' || (c == '{' && repetition(r, &most) > 0))
        return refuse(r, "a repetition cannot be repeated");
    return VARVE_OK;
}

static enum varve_status open_class(struct rewriter *r)
{
    r->in_class = true;
    copy(r, 1);
    if (peek(r, 0) == '^')
        copy(r, 1);
    if (peek(r, 0) == ']')
        replace(r, 1, "\\]");
    return VARVE_OK;
}

/* Inside of [...]; a name such as [:alpha:] is taken over whole. */
static enum varve_status class_member(struct rewriter *r)
{
    int c = peek(r, 0);
    if (c == '\\')
        return escape(r);
    if (c == '[' && peek(r, 1) == ':') {
        size_t n = 2;
        while (peek(r, n) >= 0 && peek(r, n) != ':')
            n++;
        if (peek(r, n + 1) == ']') {
            copy(r, n + 2);
            return VARVE_OK;
        }
    }
    r->in_class = c != ']';
    if (c == '[')
        replace(r, 1, "\\[");
    else
        copy(r, 1);
    return VARVE_OK;
}

static enum varve_status rewrite(struct rewriter *r)
{
    while (r->at < r->pattern.size) {
        int c = peek(r, 0), most = 0;
        size_t n = c == '{' && !r->in_class ? repetition(r, &most) : 1;
        if (most > REPEAT_MOST)
            return refuse(r, "more than 1000 repetitions");
        if (r->in_class)
            TRY(class_member(r));
        else if (c == '\\')
            TRY(escape(r));
        else if (c == '(')
            TRY(group(r));
        else if (c == '[')
            TRY(open_class(r));
        else if (c == '*' || c == '+' || c == '?' || (c == '{' && n > 0))
            TRY(quantifier(r, n));
        else
            copy(r, 1);
    }
    return buf_status(&r->out, r->err);
}

/* ---- PCRE2 ------------------------------------------------------------------------ */

/* mem wants to know sizes again: they stand before the memory. */
enum { SIZE_AT = 16 };

static void *give(size_t size, void *mem)
{
    char *p = size < SIZE_MAX - SIZE_AT ? mem_alloc(mem, size + SIZE_AT) : NULL;
    if (!p)
        return NULL;
    memcpy(p, &size, sizeof size);
    return p + SIZE_AT;
}

static void take_back(void *pointer, void *mem)
{
    if (!pointer)
        return;
    char *p = (char *)pointer - SIZE_AT;
    size_t size;
    memcpy(&size, p, sizeof size);
    mem_free(mem, p, size + SIZE_AT);
}

static enum varve_status
compile(struct regex *regex, const struct buf *pattern, struct varve_err *err)
{
    int problem = 0;
    PCRE2_SIZE at = 0;
    regex->general = pcre2_general_context_create(give, take_back, regex->mem);
    pcre2_compile_context *context =
        regex->general ? pcre2_compile_context_create(regex->general) : NULL;
    if (!context)
        return fail_nomem(err, pattern->size);
    pcre2_set_parens_nest_limit(context, 200);
    uint32_t options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_NEVER_BACKSLASH_C | (regex->dot_all ? PCRE2_DOTALL : 0);
    regex->code = pcre2_compile(pattern->data ? pattern->data : (const uint8_t *)"", pattern->size,
                                options, &problem, &at, context);
    pcre2_compile_context_free(context);
    if (!regex->code) {
        PCRE2_UCHAR text[160] = "";
        pcre2_get_error_message(problem, text, sizeof text);
        return problem == PCRE2_ERROR_NOMEMORY || problem == 121 /* no memory while compiling */
                   ? fail_nomem(err, pattern->size)
                   : fail(err, VARVE_INVALID, "pattern", "'%.*s': %s",
                          STR_ARG(((struct varve_str){regex->pattern, regex->size})),
                          (const char *)text);
    }
    regex->data = pcre2_match_data_create(1, regex->general);
    regex->context = pcre2_match_context_create(regex->general);
    if (!regex->data || !regex->context)
        return fail_nomem(err, pattern->size);
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_depth_limit(regex->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT);
    /* Without the just-in-time compiler it is slower, that is all. */
    if (pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0) {
        regex->stack = pcre2_jit_stack_create(32 << 10, JIT_STACK, regex->general);
        if (!regex->stack)
            return fail_nomem(err, JIT_STACK);
        pcre2_jit_stack_assign(regex->context, NULL, regex->stack);
    }
    return VARVE_OK;
}

static enum varve_status use_pcre2(struct regex *regex, struct varve_err *err)
{
    struct rewriter r = {.pattern = {regex->pattern, regex->size}, .err = err};
    buf_init(&r.out, regex->mem, 4 * PATTERN_MOST + 64);
    enum varve_status status = rewrite(&r);
    if (status == VARVE_OK)
        status = compile(regex, &r.out, err);
    buf_free(&r.out);
    return status;
}

/* ---- the simple ones ---------------------------------------------------------------- */

static void classify(struct regex *regex)
{
    static const char special[] = "\\.+*?()[]{}^$";
    size_t n = 0;
    while (n < regex->size && !strchr(special, regex->pattern[n]) && regex->pattern[n])
        n++;
    regex->form = FORM_LITERALS;
    if (n == regex->size)
        return;
    regex->form = FORM_PCRE2;
    if (n + 2 == regex->size && regex->pattern[n] == '.' && !memchr(regex->pattern, '|', n) &&
        (regex->pattern[n + 1] == '*' || regex->pattern[n + 1] == '+')) {
        regex->form = FORM_PREFIX;
        regex->prefix = n;
        regex->least = regex->pattern[n + 1] == '+';
    }
}

static bool match_literals(const struct regex *regex, struct varve_str text)
{
    const char *p = regex->pattern, *end = p + regex->size;
    for (;;) {
        const char *bar = memchr(p, '|', (size_t)(end - p));
        size_t n = (size_t)((bar ? bar : end) - p);
        if (n == text.size && (n == 0 || memcmp(p, text.data, n) == 0))
            return true;
        if (!bar)
            return false;
        p = bar + 1;
    }
}

static bool match_prefix(const struct regex *regex, struct varve_str text)
{
    size_t n = regex->prefix;
    if (text.size < n + regex->least || (n > 0 && memcmp(text.data, regex->pattern, n) != 0))
        return false;
    return regex->dot_all || text.size == n || !memchr(text.data + n, '\n', text.size - n);
}

/* ---- the interface ------------------------------------------------------------------- */

enum varve_status regex_new(struct mem *mem, struct varve_str pattern, bool dot_all,
                            struct regex **result, struct varve_err *err)
{
    if (pattern.size > PATTERN_MOST)
        return fail(err, VARVE_LIMIT, "pattern", "it is longer than %d bytes", PATTERN_MOST);
    if (!str_is_utf8(pattern))
        return fail(err, VARVE_INVALID, "pattern", "it is not UTF-8");
    struct regex *regex = mem_zalloc(mem, sizeof *regex);
    if (!regex)
        return fail_nomem(err, sizeof *regex);
    *regex = (struct regex){.mem = mem, .size = pattern.size, .dot_all = dot_all};
    regex->pattern = mem_alloc(mem, pattern.size + 1);
    enum varve_status status = VARVE_OK;
    if (!regex->pattern) {
        status = fail_nomem(err, pattern.size);
        goto out;
    }
    if (pattern.size > 0)
        memcpy(regex->pattern, pattern.data, pattern.size);
    regex->pattern[pattern.size] = 0;
    classify(regex);
    if (regex->form == FORM_PCRE2)
        TRYOUT(use_pcre2(regex, err));
    *result = regex;
    return VARVE_OK;
out:
    regex_free(regex);
    return status;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    pcre2_match_data_free(regex->data);
    pcre2_match_context_free(regex->context);
    pcre2_jit_stack_free(regex->stack);
    pcre2_general_context_free(regex->general);
    if (regex->pattern)
        mem_free(regex->mem, regex->pattern, regex->size + 1);
    mem_free(regex->mem, regex, sizeof *regex);
}

enum varve_status
regex_match(struct regex *regex, struct varve_str text, bool *matches, struct varve_err *err)
{
    if (regex->form != FORM_PCRE2) {
        *matches =
            regex->form == FORM_LITERALS ? match_literals(regex, text) : match_prefix(regex, text);
        return VARVE_OK;
    }
    const char *data = text.size ? text.data : "";
    int n =
        pcre2_match(regex->code, (PCRE2_SPTR)data, text.size, 0, 0, regex->data, regex->context);
    *matches = n >= 0;
    if (n >= 0 || n == PCRE2_ERROR_NOMATCH)
        return VARVE_OK;
    if (n == PCRE2_ERROR_NOMEMORY)
        return fail_nomem(err, text.size);
    if (n <= PCRE2_ERROR_UTF8_ERR1 && n >= PCRE2_ERROR_UTF8_ERR21)
        return VARVE_OK; /* no text, so no pattern matches it */
    return fail(err, VARVE_LIMIT, "pattern", "'%.*s' takes too long on '%.*s'; make it simpler",
                STR_ARG(((struct varve_str){regex->pattern, regex->size})), STR_ARG(text));
}
