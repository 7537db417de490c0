/* SPDX-License-Identifier: Apache-2.0
 *
 * args.c -- takes the command line apart by one table of options.
 *
 * Written by hand because an unknown option should name the nearest one there
 * is, and because options may stand on both sides of the command, which a
 * getopt that knows the command only later cannot tell apart.  "--" ends the
 * options; a lone "-" is a word.
 */
#include "args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

struct option {
    enum arg_number number;
    char letter; /* 0: none */
    bool takes_value;
    const char *name;
};

static const struct option options[] = {
#define X(symbol, letter, takes_value, name) {ARG_NUMBER_##symbol, letter, takes_value, name},
    ARG_MAP(X)
#undef X
};
#define OPTIONS (sizeof options / sizeof options[0])

const char *args_option_name(uint64_t option)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (UINT64_C(1) << options[i].number == option)
            return options[i].name;
    return "";
}

/* `--name`, `--name=value`, `-d`, `-dvalue`; *value is what is attached, or NULL. */
static const struct option *find_option(const char *text, const char **value)
{
    *value = NULL;
    if (text[1] != '-') {
        for (size_t i = 0; i < OPTIONS; i++)
            if (options[i].letter == text[1]) {
                *value = text[2] ? text + 2 : NULL;
                return &options[i];
            }
        return NULL;
    }
    size_t size = strcspn(text, "=");
    for (size_t i = 0; i < OPTIONS; i++)
        if (strlen(options[i].name) == size && memcmp(options[i].name, text, size) == 0) {
            *value = text[size] == '=' ? text + size + 1 : NULL;
            return &options[i];
        }
    return NULL;
}

static bool unknown_option(const char *text)
{
    const char *names[OPTIONS];
    for (size_t i = 0; i < OPTIONS; i++)
        names[i] = options[i].name;
    const char *nearest = text_nearest(text, names, OPTIONS);
    if (nearest)
        fprintf(stderr, "error: unknown option '%s' (did you mean '%s'?)\n", text, nearest);
    else
        fprintf(stderr, "error: unknown option '%s'; see 'varve help'\n", text);
    return false;
}

static bool set_value(struct args *args, const struct option *option, const char *value)
{
    if (value[0] == '\0') {
        fprintf(stderr, "error: %s needs a value that is not empty\n", option->name);
        return false;
    }
    args->values[option->number] = value;
    if (option->number == ARG_NUMBER_METRIC)
        args->metrics[args->metric_count++] = value;
    if (option->number == ARG_NUMBER_COMMAND || option->number == ARG_NUMBER_FILE) {
        args->is_file[args->statement_count] = option->number == ARG_NUMBER_FILE;
        args->statements[args->statement_count++] = value;
    }
    return true;
}

/* Reads the option at argv[*at], and its value, which may be the next word. */
static bool take_option(struct args *args, int argc, char **argv, int *at)
{
    const char *value;
    const struct option *option = find_option(argv[*at], &value);
    if (!option)
        return unknown_option(argv[*at]);
    args->seen |= UINT64_C(1) << option->number;
    if (!option->takes_value) {
        if (!value)
            return true;
        fprintf(stderr, "error: %s takes no value\n", option->name);
        return false;
    }
    if (!value && *at + 1 == argc) {
        fprintf(stderr, "error: %s needs a value\n", option->name);
        return false;
    }
    return set_value(args, option, value ? value : argv[++*at]);
}

bool args_parse(struct args *args, int argc, char **argv)
{
    *args = (struct args){0};
    bool only_words = false;
    /* No more of either than there are arguments. */
    args->words = malloc((size_t)(argc + 1) * sizeof *args->words);
    args->metrics = malloc((size_t)(argc + 1) * sizeof *args->metrics);
    args->statements = malloc((size_t)(argc + 1) * sizeof *args->statements);
    args->is_file = malloc((size_t)(argc + 1) * sizeof *args->is_file);
    if (!args->words || !args->metrics || !args->statements || !args->is_file) {
        fprintf(stderr, "error: out of memory\n");
        return false;
    }
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        bool is_option = !only_words && argv[i][0] == '-' && argv[i][1] != '\0';
        /* "-7d" is a time, not an option. */
        if (is_option && argv[i][1] >= '0' && argv[i][1] <= '9')
            is_option = false;
        if (!is_option)
            args->words[args->count++] = argv[i];
        else if (!take_option(args, argc, argv, &i))
            return false;
    }
    return true;
}

void args_free(struct args *args)
{
    free(args->words);
    free(args->metrics);
    free(args->statements);
    free(args->is_file);
}
