/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_events.c -- made-up developers at work.
 *
 * What matters for measuring is that values repeat, drift and jump as real ones do:
 * ids are random, the cached prefix grows through a session, most requests of a
 * prompt follow each other within seconds, the cost is computed in binary
 * floating point from tokens and list prices, so its last digits are noise.
 */
#include "sample_events.h"

#include <math.h>
#include <string.h>

struct person {
    char id[65], email[32], account[37], organization[37];
    const char *terminal;
};

struct session {
    const struct person *person;
    char id[37], prompt[37];
    int64_t now; /* milliseconds */
    int64_t cached, sequence;
    const char *model;
};

static const struct price {
    const char *model;
    double input, output, read, write;
} prices[] = {
    {"claude-opus-4-6", 5, 25, 0.5, 6.25},
    {"claude-sonnet-4-6", 3, 15, 0.3, 3.75},
    {"claude-haiku-4-5-20251001", 1, 5, 0.1, 2},
};

static void
random_text(struct prng *prng, const char *alphabet, size_t letters, char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text[i] = alphabet[prng_below(prng, letters)];
    text[size] = 0;
}

static void uuid(struct prng *prng, char text[37])
{
    random_text(prng, "0123456789abcdef", 16, text, 36);
    text[8] = text[13] = text[18] = text[23] = '-';
    text[14] = '4';
}

/* About exp(normal) * median, heavy to the right. */
static int64_t skewed(struct prng *prng, double median, double spread)
{
    double normal = -6;
    for (int i = 0; i < 12; i++)
        normal += (double)prng_below(prng, 1 << 20) / (1 << 20);
    return (int64_t)(median * exp(spread * normal));
}

static struct varve_field text_field(const char *name, const char *text)
{
    return (struct varve_field){{name, strlen(name)},
                                {.type = VARVE_TEXT, .as.s = {text, strlen(text)}}};
}

static struct varve_field int_field(const char *name, int64_t value)
{
    return (struct varve_field){{name, strlen(name)}, {.type = VARVE_INT, .as.i = value}};
}

static void add_request(struct eventset *set, struct prng *prng, struct session *session)
{
    const struct price *price = &prices[prng_below(prng, 10) == 0 ? 2 : session->model != NULL];
    int64_t input = 1 + skewed(prng, 8, 1.2), output = 1 + skewed(prng, 220, 1.1);
    int64_t read = session->cached, written = skewed(prng, 900, 1.3);
    double cost = (double)input / 1e6 * price->input + (double)output / 1e6 * price->output +
                  (double)read / 1e6 * price->read + (double)written / 1e6 * price->write;
    int64_t duration = 600 + output * 14 + skewed(prng, 900, 0.7);
    char request[40] = "req_011";
    random_text(prng, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 62,
                request + 7, 24);
    const struct person *person = session->person;
    struct varve_field fields[SAMPLE_FIELDS] = {
        text_field("user.id", person->id),
        text_field("session.id", session->id),
        text_field("organization.id", person->organization),
        text_field("user.email", person->email),
        text_field("user.account_uuid", person->account),
        text_field("terminal.type", person->terminal),
        text_field("event.name", "api_request"),
        int_field("event.sequence", session->sequence),
        text_field("prompt.id", session->prompt),
        text_field("model", price->model),
        int_field("input_tokens", input),
        int_field("output_tokens", output),
        int_field("cache_read_tokens", read),
        int_field("cache_creation_tokens", written),
        {STR("cost_usd"), {.type = VARVE_FLOAT, .as.f = cost}},
        int_field("cost_usd_micros", (int64_t)floor(cost * 1e6 + 0.5)),
        int_field("duration_ms", duration),
        int_field("ttft_ms", 300 + skewed(prng, 500, 0.6)),
        text_field("request_id", request),
        text_field("query_source",
                   price == &prices[2] ? "generate_session_title" : "repl_main_thread"),
        text_field("speed", "normal"),
    };
    session->now += duration;
    enum varve_status status =
        eventset_add(set, STR("api_request"), session->now * 1000000, fields, SAMPLE_FIELDS, NULL);
    if (status != VARVE_OK)
        abort();
    session->cached = read + written < 180000 ? read + written : 20000;
    session->sequence += 1 + (int64_t)prng_below(prng, 5);
}

void sample_api_requests(struct eventset *set, struct prng *prng, size_t n)
{
    static const char *const terminals[] = {"iTerm.app", "vscode", "cursor", "xterm-256color"};
    struct person people[40];
    for (size_t i = 0; i < 40; i++) {
        random_text(prng, "0123456789abcdef", 16, people[i].id, 64);
        snprintf(people[i].email, sizeof people[i].email, "dev%02zu@example.com", i);
        uuid(prng, people[i].account);
        strcpy(people[i].organization, "6b2f4f0e-3d57-4b7e-9d5a-27f0c1f1a6b8");
        people[i].terminal = terminals[prng_below(prng, 4)];
    }
    size_t target = set->count + n;
    while (set->count < target) {
        struct session session = {.person = &people[prng_below(prng, 40)]};
        session.model = prng_below(prng, 2) ? "" : NULL;
        session.now = 1791417600000 + (int64_t)prng_below(prng, 10 * 3600000);
        session.cached = 15000;
        uuid(prng, session.id);
        for (uint64_t prompts = 1 + prng_below(prng, 14); prompts > 0; prompts--) {
            uuid(prng, session.prompt);
            session.now += skewed(prng, 45000, 1);
            for (uint64_t i = 1 + prng_below(prng, 14); i > 0 && set->count < target; i--) {
                add_request(set, prng, &session);
                session.now += skewed(prng, 300, 1.2);
            }
        }
    }
}
