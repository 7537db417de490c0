/* SPDX-License-Identifier: Apache-2.0
 *
 * editor.c -- lines typed on a terminal, with libedit.
 *
 * libedit reads characters through a routine of ours, which is where a signal or a new size of the
 * window is noticed without a race.  Ctrl-C is a key here: the terminal sends no signal while a
 * line is edited, and one that comes from elsewhere is turned into that key.  A paste arrives
 * between two marks (bracketed paste) and is put into the line as it is, newlines and all.
 */
#include "editor.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#ifdef HAVE_LIBEDIT
#include <histedit.h>
#endif

#include "session.h"
#include "wrapped.h"

enum { LISTED_MOST = 120, PASTE_MOST = 1 << 20, CTRL_C = 3 };

struct editor {
    struct editor_hooks hooks;
    struct recall entries;
    char *line; /* of plain reading */
    size_t capacity;
#ifdef HAVE_LIBEDIT
    EditLine *el; /* NULL: plain reading */
    History *history;
    const char *prompt;
    bool interrupted;
    int width;      /* of the window that the line was drawn in */
    size_t redrawn; /* characters of the line that were drawn in one go */
#endif
};

volatile sig_atomic_t editor_resized;

bool editor_offer(struct editor_words *words, struct varve_str word)
{
    for (size_t i = 0; i < words->count; i++)
        if (strlen(words->words[i]) == word.size &&
            memcmp(words->words[i], word.data, word.size) == 0)
            return true;
    if (words->count == words->capacity) {
        size_t capacity = 2 * words->capacity + 32;
        char **larger = realloc(words->words, capacity * sizeof *larger);
        if (!larger)
            return false;
        words->words = larger;
        words->capacity = capacity;
    }
    words->words[words->count] = strndup(word.data, word.size);
    return words->words[words->count] && ++words->count;
}

const struct recall *editor_history(const struct editor *editor)
{
    return &editor->entries;
}

/* ---- plain reading ----------------------------------------------------------------- */

static bool put_byte(struct editor *e, size_t at, char c)
{
    if (at == e->capacity) {
        char *larger = realloc(e->line, 2 * e->capacity + 256);
        if (!larger)
            return false;
        e->line = larger;
        e->capacity = 2 * e->capacity + 256;
    }
    e->line[at] = c;
    return true;
}

static enum editor_got read_plain(struct editor *e, const char *prompt, struct varve_str *line)
{
    size_t size = 0;
    char c;
    fputs(prompt, stdout);
    fflush(stdout);
    for (;;) {
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR && !session_interrupted)
            continue;
        if (n < 0 && errno == EINTR) {
            session_interrupted = 0;
            putchar('\n');
            *line = (struct varve_str){"", 0};
            return EDITOR_INTERRUPTED;
        }
        if (n <= 0 && size == 0)
            return EDITOR_END;
        if (n <= 0 || c == '\n')
            break;
        if (!put_byte(e, size++, c))
            return EDITOR_FAILED;
    }
    *line = (struct varve_str){e->line, size};
    return EDITOR_LINE;
}

#ifdef HAVE_LIBEDIT

static struct editor *editor_of(EditLine *el)
{
    struct editor *e = NULL;
    el_get(el, EL_CLIENTDATA, &e);
    return e;
}

static char *prompt_of(EditLine *el)
{
    static char prompt[64];
    snprintf(prompt, sizeof prompt, "%s", editor_of(el)->prompt);
    return prompt;
}

/* ---- another size of the window -------------------------------------------------------- */

static int window_width(void)
{
    struct winsize window;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

/* The line is drawn again in its place, unless the width is what it was: some terminals say more
 * than once that it has changed, and may be on the way to the next by then. */
static void draw_resized(EditLine *el)
{
    struct editor *e = editor_of(el);
    const LineInfoW *line = el_wline(el);
    int width = window_width();
    if (width == e->width) {
        el_resize(el);
        return;
    }
    int up = wrapped_rows(line->buffer, (size_t)(line->cursor - line->buffer),
                          (int)strlen(e->prompt), e->redrawn, e->width, width);
    e->width = width;
    e->redrawn = (size_t)(line->lastchar - line->buffer);
    el_resize(el);
    /* Row by row: some terminals keep a screen that is cleared as a whole among what has scrolled
     * away. */
    fputs("\033[J\r\033[K", stdout);
    for (int i = 0; i < up; i++)
        fputs("\033[A\033[K", stdout);
    fflush(stdout);
    el_set(el, EL_REFRESH);
}

/* ---- keys ----------------------------------------------------------------------------- */

/* Waits for a byte.  False: SIGINT came instead, or the input is at its end (*is_end). */
static bool wait_for_byte(EditLine *el, char *byte, bool *is_end)
{
    sigset_t mask, before;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGWINCH);
    sigprocmask(SIG_BLOCK, &mask, &before);
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = -1;
    while (ready < 0 && !session_interrupted) {
        if (editor_resized) {
            editor_resized = 0;
            draw_resized(el);
        }
        ready = ppoll(&input, 1, NULL, &before);
        if (ready < 0 && errno != EINTR)
            break;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (session_interrupted)
        return false;
    *is_end = ready < 0 || read(STDIN_FILENO, byte, 1) != 1;
    return !*is_end;
}

/* EL_GETCFN: 1 a character, 0 the end. */
static int next_character(EditLine *el, wchar_t *character)
{
    mbstate_t state = {0};
    char byte;
    bool is_end = false;
    while (wait_for_byte(el, &byte, &is_end)) {
        size_t n = mbrtowc(character, &byte, 1, &state);
        if (n == (size_t)-2)
            continue;
        if (n != (size_t)-1)
            return 1;
        state = (mbstate_t){0}; /* rubbish */
        *character = L'?';
        return 1;
    }
    session_interrupted = 0;
    *character = is_end ? L'\0' : CTRL_C;
    return !is_end;
}

static unsigned char key_interrupt(EditLine *el, int key)
{
    (void)key;
    struct editor *e = editor_of(el);
    e->interrupted = true;
    return CC_NEWLINE;
}

static bool ends_with(const wchar_t *text, size_t size, const wchar_t *end)
{
    size_t n = wcslen(end);
    return size >= n && wmemcmp(text + size - n, end, n) == 0;
}

/* Behind the mark that begins a paste: everything up to the mark that ends it. */
static unsigned char key_paste(EditLine *el, int key)
{
    static const wchar_t end[] = L"\033[201~";
    wchar_t *text = NULL, c;
    size_t size = 0, capacity = 0;
    (void)key;
    while (size < PASTE_MOST && next_character(el, &c) == 1 && c != CTRL_C) {
        if (size + 1 >= capacity) {
            capacity = 2 * capacity + 1024;
            wchar_t *larger = realloc(text, capacity * sizeof *text);
            if (!larger)
                break;
            text = larger;
        }
        text[size++] = c == L'\r' ? L'\n' : c;
        if (ends_with(text, size, end)) {
            size -= wcslen(end);
            break;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] >= 0x20 || text[i] == L'\n' || text[i] == L'\t')
            text[kept++] = text[i];
    /* The last newline is Enter, which the user presses. */
    while (kept > 0 && text[kept - 1] == L'\n')
        kept--;
    if (kept > 0) {
        text[kept] = L'\0';
        el_winsertstr(el, text);
    }
    free(text);
    return CC_REFRESH;
}

/* ---- completion -------------------------------------------------------------------------- */

static size_t common_prefix(const struct editor_words *words)
{
    size_t size = strlen(words->words[0]);
    for (size_t i = 1; i < words->count; i++) {
        size_t n = 0;
        while (n < size && words->words[i][n] == words->words[0][n])
            n++;
        size = n;
    }
    while (size > 0 && ((unsigned char)words->words[0][size] & 0xc0) == 0x80)
        size--;
    return size;
}

/* In columns below the line; libedit then draws the line anew behind them. */
static void list_words(EditLine *el, const struct editor_words *words)
{
    size_t widest = 1, shown = words->count < LISTED_MOST ? words->count : LISTED_MOST;
    int window = window_width();
    size_t width = window > 0 ? (size_t)window : 80;
    for (size_t i = 0; i < shown; i++)
        if (strlen(words->words[i]) > widest)
            widest = strlen(words->words[i]);
    size_t columns = width / (widest + 2);
    columns = columns > 0 ? columns : 1;
    size_t rows = (shown + columns - 1) / columns;
    fputs("\r\n\033[J", stdout);
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < shown; i += rows)
            printf("%-*s", i + rows < shown ? (int)widest + 2 : 0, words->words[i]);
        fputs("\r\n", stdout);
    }
    if (words->count + words->more > shown)
        printf("... and %zu more\r\n", words->count + words->more - shown);
    fflush(stdout);
    el_set(el, EL_REFRESH);
}

static void
replace_word(EditLine *el, size_t old_bytes, struct varve_str old, const char *word, size_t size)
{
    size_t characters = 0;
    for (size_t i = old.size - old_bytes; i < old.size; i++)
        characters += ((unsigned char)old.data[i] & 0xc0) != 0x80;
    char *copy = strndup(word, size);
    if (!copy)
        return;
    el_deletestr(el, (int)characters);
    el_insertstr(el, copy);
    free(copy);
}

static unsigned char key_complete(EditLine *el, int key)
{
    struct editor *e = editor_of(el);
    const LineInfo *info = el_line(el);
    struct editor_words words = {0};
    unsigned char answer = CC_REFRESH;
    (void)key;
    char *copy = strndup(info->buffer, (size_t)(info->cursor - info->buffer));
    if (!copy || !e->hooks.complete) {
        free(copy);
        return CC_ERROR;
    }
    struct varve_str line = varve_str(copy);
    words.from = line.size;
    e->hooks.complete(e->hooks.context, line, &words);
    size_t typed = line.size - words.from;
    size_t common = words.count > 0 ? common_prefix(&words) : 0;
    if (words.count == 0)
        answer = CC_REFRESH_BEEP;
    else if (words.count == 1 && words.more == 0)
        replace_word(el, typed, line, words.words[0], strlen(words.words[0]));
    else if (common > typed && words.more == 0)
        replace_word(el, typed, line, words.words[0], common);
    else {
        list_words(el, &words);
        answer = CC_NORM;
    }
    for (size_t i = 0; i < words.count; i++)
        free(words.words[i]);
    free(words.words);
    free(copy);
    return answer;
}

/* ---- opening and reading ------------------------------------------------------------------- */

static void bind_keys(EditLine *el)
{
    el_set(el, EL_EDITOR, "emacs");
    el_set(el, EL_ADDFN, "varve-complete", "the words that may stand here", key_complete);
    el_set(el, EL_ADDFN, "varve-paste", "text that is pasted", key_paste);
    el_set(el, EL_ADDFN, "varve-interrupt", "forget this statement", key_interrupt);
    el_set(el, EL_BIND, "\t", "varve-complete", NULL);
    el_set(el, EL_BIND, "\033[200~", "varve-paste", NULL);
    el_set(el, EL_BIND, "^C", "varve-interrupt", NULL);
    el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(el, EL_BIND, "\033[3~", "ed-delete-next-char", NULL);
    el_set(el, EL_BIND, "\033[1~", "ed-move-to-beg", NULL);
    el_set(el, EL_BIND, "\033[4~", "ed-move-to-end", NULL);
    el_set(el, EL_BIND, "\033[1;5D", "ed-prev-word", NULL);
    el_set(el, EL_BIND, "\033[1;5C", "em-next-word", NULL);
    /* Ctrl-C is a key, Ctrl-S does not stop the terminal. */
    el_set(el, EL_SETTY, "-d", "intr=", NULL);
    el_set(el, EL_SETTY, "-d", "-ixon", NULL);
    el_source(el, NULL); /* the user's ~/.editrc has the last word */
}

static void load_history(struct editor *e)
{
    HistEvent event;
    history(e->history, &event, H_SETSIZE, 5000);
    history(e->history, &event, H_SETUNIQUE, 1);
    for (size_t i = 0; i < e->entries.count; i++)
        history(e->history, &event, H_ENTER, e->entries.entries[i]);
    el_set(e->el, EL_HIST, history, e->history);
}

static void open_libedit(struct editor *e)
{
    const char *term = getenv("TERM");
    if (!term || !term[0] || strcmp(term, "dumb") == 0)
        return;
    e->history = history_init();
    e->el = e->history ? el_init("varve", stdin, stdout, stderr) : NULL;
    if (!e->el)
        return;
    el_set(e->el, EL_CLIENTDATA, e);
    el_set(e->el, EL_PROMPT, prompt_of);
    el_set(e->el, EL_SIGNAL, 0);
    bind_keys(e->el);
    el_set(e->el, EL_GETCFN, next_character);
    load_history(e);
}

static enum editor_got read_libedit(struct editor *e, const char *prompt, struct varve_str *line)
{
    int count = 0;
    e->prompt = prompt;
    e->interrupted = false;
    e->width = window_width();
    e->redrawn = 0;
    fputs("\033[?2004h", stdout);
    fflush(stdout);
    const char *text = el_gets(e->el, &count);
    fputs("\033[?2004l", stdout);
    fflush(stdout);
    if (e->interrupted)
        fputs("^C\n", stdout);
    bool is_line = text && count > 0;
    size_t size = is_line ? (size_t)count - (text[count - 1] == '\n') : 0;
    *line = (struct varve_str){is_line ? text : "", size};
    if (e->interrupted)
        return EDITOR_INTERRUPTED;
    return is_line ? EDITOR_LINE : EDITOR_END;
}

#endif

struct editor *editor_open(const struct editor_hooks *hooks)
{
    struct editor *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->hooks = *hooks;
    recall_load(&e->entries);
#ifdef HAVE_LIBEDIT
    open_libedit(e);
#endif
    return e;
}

void editor_close(struct editor *e)
{
    if (!e)
        return;
#ifdef HAVE_LIBEDIT
    if (e->el)
        el_end(e->el);
    if (e->history)
        history_end(e->history);
#endif
    recall_free(&e->entries);
    free(e->line);
    free(e);
}

enum editor_got editor_read(struct editor *e, const char *prompt, struct varve_str *line)
{
#ifdef HAVE_LIBEDIT
    if (e->el)
        return read_libedit(e, prompt, line);
#endif
    return read_plain(e, prompt, line);
}

void editor_remember(struct editor *e, struct varve_str entry)
{
    if (!recall_add(&e->entries, entry))
        return;
#ifdef HAVE_LIBEDIT
    HistEvent event;
    if (e->el)
        history(e->history, &event, H_ENTER, e->entries.entries[e->entries.count - 1]);
#endif
}
