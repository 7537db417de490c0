/* SPDX-License-Identifier: Apache-2.0
 *
 * catalogue.c -- records of main.mdb: identity, state, sealed days, names of metrics and tables.
 *
 * Every record is a fixed row of little-endian numbers behind the checksum
 * that env keeps for all values.  The sum of records (I2) is the wrapping sum of
 * one hash a record over key and value, so a record can be taken out of it
 * again without looking at the others.
 */
#include "store/catalogue.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/setting.h"

#define MAGIC "varve\0\1\n"
#define MAGIC_SIZE 8
#define IDENTITY_SIZE (MAGIC_SIZE + 4 + 16 + 8 + 8)
#define STATE_SIZE (11 * 8)
#define DAY_SIZE (4 + 8 * 8)
#define RECORD_SEED 0x7661727665u
#define METRIC_TEXT 256 /* bytes of a name or unit, at most */

static struct env_key key_of(char letter)
{
    struct env_key key = {.size = 1};
    key.bytes[0] = (uint8_t)letter;
    return key;
}

static struct env_key day_key(int32_t day, uint32_t table)
{
    struct env_key key = {.size = 9};
    key.bytes[0] = 'C';
    store64be(key.bytes + 1, (uint64_t)((uint32_t)day ^ 0x80000000u) << 32 | table);
    return key;
}

static struct env_key name_key(char letter, uint32_t number)
{
    struct env_key key = {.size = 9};
    key.bytes[0] = (uint8_t)letter;
    store64be(key.bytes + 1, number);
    return key;
}

static uint64_t record_hash(const struct env_key *key, const void *bytes, size_t size)
{
    return hash64(bytes, size, hash64(key->bytes, key->size, RECORD_SEED));
}

/* ---- identity and state ------------------------------------------------ */

enum varve_status identity_get(struct txn *txn, struct identity *identity, struct varve_err *err)
{
    struct env_key key = key_of('A');
    struct env_value value;
    enum varve_status status = txn_get(txn, &key, true, &value, err);
    if (status == VARVE_NOTFOUND)
        return fail(err, VARVE_CORRUPT, "main.mdb",
                    "no identity record: this is not a varve store, or damaged");
    TRY(status);
    struct reader r = reader_over(value.data, value.size);
    const uint8_t *magic = read_bytes(&r, MAGIC_SIZE);
    if (!magic || memcmp(magic, MAGIC, MAGIC_SIZE) != 0)
        return fail(err, VARVE_CORRUPT, "main.mdb",
                    "the identity record does not begin with \"varve\"");
    identity->format = read32(&r);
    if (!r.bad && identity->format > VARVE_FORMAT)
        return fail(err, VARVE_VERSION, "main.mdb",
                    "the store has format %u, this library knows up to %d: use a newer varve",
                    identity->format, VARVE_FORMAT);
    const uint8_t *id = read_bytes(&r, sizeof identity->id);
    if (id)
        memcpy(identity->id, id, sizeof identity->id);
    identity->seed = read64(&r);
    identity->created = (int64_t)read64(&r);
    if (r.bad || identity->format == 0)
        return fail(err, VARVE_CORRUPT, "main.mdb", "the identity record is %zu bytes, not %d",
                    value.size, IDENTITY_SIZE);
    return VARVE_OK;
}

enum varve_status
identity_put(struct txn *txn, const struct identity *identity, struct varve_err *err)
{
    uint8_t bytes[IDENTITY_SIZE];
    memcpy(bytes, MAGIC, MAGIC_SIZE);
    store32(bytes + 8, identity->format);
    memcpy(bytes + 12, identity->id, 16);
    store64(bytes + 28, identity->seed);
    store64(bytes + 36, (uint64_t)identity->created);
    struct env_key key = key_of('A');
    return txn_put(txn, &key, bytes, sizeof bytes, err);
}

void state_key(struct env_key *key)
{
    *key = key_of('Z');
}

uint64_t state_record_txnid(const uint8_t *bytes, size_t size)
{
    return size == ENV_SUM_SIZE + STATE_SIZE ? load64(bytes + ENV_SUM_SIZE) : 0;
}

enum varve_status state_get_any(struct txn *txn, struct state *state, struct varve_err *err)
{
    struct env_key key = key_of('Z');
    struct env_value value;
    enum varve_status status = txn_get(txn, &key, true, &value, err);
    if (status == VARVE_NOTFOUND)
        return fail(err, VARVE_CORRUPT, "main.mdb", "no state record: restore from a backup");
    TRY(status);
    struct reader r = reader_over(value.data, value.size);
    state->txnid = read64(&r);
    state->first_seq = read64(&r);
    state->next_seq = read64(&r);
    state->entries = read64(&r);
    state->epoch = read64(&r);
    state->records = read64(&r);
    state->records_sum = read64(&r);
    state->tables = read64(&r);
    state->ambiguous = read64(&r);
    state->baselines = read64(&r);
    state->floor = (int64_t)read64(&r);
    if (r.bad || reader_left(&r) != 0 || state->first_seq > state->next_seq)
        return fail(err, VARVE_CORRUPT, "main.mdb",
                    "the state record is not one: restore from a backup");
    return VARVE_OK;
}

enum varve_status state_get(struct txn *txn, struct state *state, struct varve_err *err)
{
    TRY(state_get_any(txn, state, err));
    uint64_t newest = txn_id(txn) - txn_writes(txn);
    if (state->txnid != newest)
        return fail(
            err, VARVE_CORRUPT, "main.mdb",
            "the newest commit is %llu but the state was written by %llu: a meta page is damaged",
            (unsigned long long)newest, (unsigned long long)state->txnid);
    return VARVE_OK;
}

enum varve_status state_put(struct txn *txn, struct state *state, struct varve_err *err)
{
    state->txnid = txn_id(txn);
    const uint64_t fields[] = {state->txnid,       state->first_seq,      state->next_seq,
                               state->entries,     state->epoch,          state->records,
                               state->records_sum, state->tables,         state->ambiguous,
                               state->baselines,   (uint64_t)state->floor};
    _Static_assert(sizeof fields == STATE_SIZE, "the state record has eleven numbers");
    uint8_t bytes[STATE_SIZE];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        store64(bytes + 8 * i, fields[i]);
    struct env_key key = key_of('Z');
    return txn_put(txn, &key, bytes, sizeof bytes, err);
}

/* ---- sealed days and tables -------------------------------------------- */

static void day_encode(const struct day_record *d, uint8_t bytes[DAY_SIZE])
{
    store32(bytes, d->file_generation);
    const uint64_t fields[] = {d->generation,      d->watermark,     d->rows,
                               d->points,          d->series,        d->bytes,
                               (uint64_t)d->first, (uint64_t)d->last};
    for (size_t i = 0; i < 8; i++)
        store64(bytes + 4 + 8 * i, fields[i]);
}

static bool day_decode(const struct env_key *key, struct env_value value, struct day_record *d)
{
    if (key->size != 9 || value.size != DAY_SIZE)
        return false;
    uint64_t place = load64be(key->bytes + 1);
    d->day = (int32_t)((uint32_t)(place >> 32) ^ 0x80000000u);
    d->table = (uint32_t)place;
    d->file_generation = load32(value.data);
    d->generation = load64(value.data + 4);
    d->watermark = load64(value.data + 12);
    d->rows = load64(value.data + 20);
    d->points = load64(value.data + 28);
    d->series = load64(value.data + 36);
    d->bytes = load64(value.data + 44);
    d->first = (int64_t)load64(value.data + 52);
    d->last = (int64_t)load64(value.data + 60);
    return true;
}

static void forget_day(struct state *state, const struct day_record *old)
{
    uint8_t bytes[DAY_SIZE];
    struct env_key key = day_key(old->day, old->table);
    day_encode(old, bytes);
    state->records--;
    state->records_sum -= record_hash(&key, bytes, sizeof bytes);
}

enum varve_status catalogue_put(struct txn *txn, struct state *state, const struct day_record *old,
                                const struct day_record *record, struct varve_err *err)
{
    uint8_t bytes[DAY_SIZE];
    struct env_key key = day_key(record->day, record->table);
    day_encode(record, bytes);
    TRY(txn_put(txn, &key, bytes, sizeof bytes, err));
    if (old)
        forget_day(state, old);
    state->records++;
    state->records_sum += record_hash(&key, bytes, sizeof bytes);
    return VARVE_OK;
}

enum varve_status catalogue_remove(struct txn *txn, struct state *state,
                                   const struct day_record *old, struct varve_err *err)
{
    struct env_key key = day_key(old->day, old->table);
    enum varve_status status = txn_delete(txn, &key, err);
    if (status == VARVE_NOTFOUND)
        return fail(err, VARVE_CORRUPT, "main.mdb", "the catalogue record of a day is missing");
    TRY(status);
    forget_day(state, old);
    return VARVE_OK;
}

enum varve_status table_put(struct txn *txn, struct state *state, uint32_t number,
                            struct varve_str name, struct varve_err *err)
{
    struct env_key key = name_key('T', number);
    TRY(txn_put(txn, &key, name.data, name.size, err));
    state->records++;
    state->records_sum += record_hash(&key, name.data, name.size);
    if (number > state->tables)
        state->tables = number;
    return VARVE_OK;
}

/* kind (1) | scale (1) | size of the unit (2) | unit | name */
#define METRIC_HEAD 4
#define METRIC_SIZE (METRIC_HEAD + 2 * METRIC_TEXT)

static size_t
metric_encode(const struct metric_record *metric, struct varve_str unit, uint8_t bytes[METRIC_SIZE])
{
    bytes[0] = metric->kind;
    bytes[1] = metric->scale;
    store16(bytes + 2, (uint16_t)unit.size);
    if (unit.size > 0)
        memcpy(bytes + METRIC_HEAD, unit.data, unit.size);
    memcpy(bytes + METRIC_HEAD + unit.size, metric->name.data, metric->name.size);
    return METRIC_HEAD + unit.size + metric->name.size;
}

static bool metric_decode(struct env_value value, struct metric_record *metric)
{
    const char *texts = (const char *)value.data + METRIC_HEAD;
    if (value.size < METRIC_HEAD || value.size > METRIC_SIZE)
        return false;
    size_t unit = load16(value.data + 2), both = value.size - METRIC_HEAD;
    metric->kind = value.data[0];
    metric->scale = value.data[1];
    metric->unit = (struct varve_str){texts, unit};
    if (unit >= both || metric->kind < VARVE_COUNTER || metric->kind > VARVE_UPDOWN ||
        (metric->scale != 0 && metric->scale != 9))
        return false;
    metric->name = (struct varve_str){texts + unit, both - unit};
    return str_is_utf8(metric->unit) && str_is_utf8(metric->name);
}

enum varve_status metric_put(struct txn *txn, struct state *state, uint32_t number,
                             const struct metric_record *metric, const struct varve_str *old_unit,
                             struct varve_err *err)
{
    uint8_t bytes[METRIC_SIZE];
    struct env_key key = name_key('M', number);
    if (metric->name.size > METRIC_TEXT || metric->unit.size > METRIC_TEXT)
        return fail(err, VARVE_LIMIT, "append", "a metric's name or unit is over %d bytes",
                    METRIC_TEXT);
    if (old_unit) {
        size_t size = metric_encode(metric, *old_unit, bytes);
        state->records--;
        state->records_sum -= record_hash(&key, bytes, size);
    }
    size_t size = metric_encode(metric, metric->unit, bytes);
    TRY(txn_put(txn, &key, bytes, size, err));
    state->records++;
    state->records_sum += record_hash(&key, bytes, size);
    return VARVE_OK;
}

enum varve_status record_replace(struct txn *txn, struct state *state, const struct env_key *key,
                                 const void *bytes, size_t size, struct varve_err *err)
{
    struct env_value old;
    enum varve_status status = txn_get(txn, key, true, &old, err);
    if (status == VARVE_OK) {
        state->records--;
        state->records_sum -= record_hash(key, old.data, old.size);
        if (size == 0)
            return txn_delete(txn, key, err);
    } else if (status != VARVE_NOTFOUND) {
        return status;
    }
    if (size == 0)
        return VARVE_OK;
    TRY(txn_put(txn, key, bytes, size, err));
    state->records++;
    state->records_sum += record_hash(key, bytes, size);
    return VARVE_OK;
}

/* ---- one epoch in memory ----------------------------------------------- */

static enum varve_status load_day(struct catalogue *c, const struct env_key *key,
                                  struct env_value value, struct varve_err *err)
{
    TRY(mem_grow(c->mem, (void **)&c->days, &c->capacity, c->count + 1, sizeof *c->days, err));
    if (!day_decode(key, value, &c->days[c->count]))
        return fail(err, VARVE_CORRUPT, "main.mdb",
                    "a catalogue record is not one: restore from a backup");
    c->count++;
    return VARVE_OK;
}

struct loading {
    uint64_t records, sum;
};

static enum varve_status
load_record(struct catalogue *c, const struct catalogue_names *names, const struct env_key *key,
            struct env_value value, struct varve_err *err)
{
    struct metric_record metric;
    if (key->bytes[0] == 'K' || key->bytes[0] == 'S')
        return setting_sound(key, value) ? VARVE_OK
                                         : fail(err, VARVE_CORRUPT, "main.mdb",
                                                "a setting's record is not one: restore from a "
                                                "backup");
    uint32_t number = key->size == 9 ? (uint32_t)load64be(key->bytes + 1) : 0;
    if (key->bytes[0] == 'C')
        return load_day(c, key, value, err);
    if (!names)
        return VARVE_OK;
    if (key->bytes[0] == 'T')
        return names->table(names->context, number,
                            (struct varve_str){(const char *)value.data, value.size}, err);
    if (!metric_decode(value, &metric))
        return fail(err, VARVE_CORRUPT, "main.mdb",
                    "a metric's record is not one: restore from a backup");
    return names->metric(names->context, number, &metric, err);
}

static enum varve_status
load_all(struct txn *txn, char letter, struct catalogue *c, struct loading *seen,
         const struct catalogue_names *names, struct varve_err *err)
{
    struct env_key key = key_of(letter);
    struct env_value value;
    struct walk *walk;
    TRY(walk_begin(txn, &key, 1, &walk, err));
    enum varve_status status;
    while ((status = walk_next(walk, true, &key, &value, err)) == VARVE_OK) {
        seen->records++;
        seen->sum += record_hash(&key, value.data, value.size);
        status = load_record(c, names, &key, value, err);
        if (status != VARVE_OK)
            break;
    }
    walk_end(walk);
    return status == VARVE_DONE ? VARVE_OK : status;
}

enum varve_status catalogue_load(struct txn *txn, const struct state *state, struct mem *mem,
                                 const struct catalogue_names *names, struct catalogue **catalogue,
                                 struct varve_err *err)
{
    struct catalogue *c = mem_zalloc(mem, sizeof *c);
    if (!c)
        return fail_nomem(err, sizeof *c);
    enum varve_status status;
    struct loading seen = {0, 0};
    atomic_init(&c->references, 1);
    c->mem = mem;
    c->epoch = state->epoch;
    for (const char *letter = "CKMST"; *letter; letter++)
        TRYOUT(load_all(txn, *letter, c, &seen, names, err));
    if (seen.records != state->records || seen.sum != state->records_sum) {
        status = fail(err, VARVE_CORRUPT, "main.mdb",
                      "the catalogue has %llu records where the state says %llu, or others: "
                      "restore from a backup",
                      (unsigned long long)seen.records, (unsigned long long)state->records);
        goto out;
    }
    *catalogue = c;
    return VARVE_OK;
out:
    catalogue_drop(c);
    return status;
}

struct catalogue *catalogue_hold(struct catalogue *catalogue)
{
    atomic_fetch_add(&catalogue->references, 1);
    return catalogue;
}

void catalogue_drop(struct catalogue *catalogue)
{
    if (!catalogue || atomic_fetch_sub(&catalogue->references, 1) != 1)
        return;
    mem_free(catalogue->mem, catalogue->days, catalogue->capacity * sizeof *catalogue->days);
    mem_free(catalogue->mem, catalogue, sizeof *catalogue);
}

static size_t lower_bound(const struct catalogue *c, int32_t day, uint32_t table)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct day_record *d = &c->days[middle];
        if (d->day < day || (d->day == day && d->table < table))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct day_record *
catalogue_find(const struct catalogue *catalogue, int32_t day, uint32_t table)
{
    size_t at = lower_bound(catalogue, day, table);
    if (at == catalogue->count || catalogue->days[at].day != day ||
        catalogue->days[at].table != table)
        return NULL;
    return &catalogue->days[at];
}

size_t catalogue_from(const struct catalogue *catalogue, int32_t day)
{
    return lower_bound(catalogue, day, 0);
}

static uint64_t
place_seed(uint64_t store_seed, char what, int32_t day, uint32_t table, uint64_t number)
{
    uint8_t bytes[17];
    bytes[0] = (uint8_t)what;
    store32(bytes + 1, (uint32_t)day);
    store32(bytes + 5, table);
    store64(bytes + 9, number);
    return hash64(bytes, sizeof bytes, store_seed);
}

uint64_t segment_seed(uint64_t store_seed, int32_t day, uint32_t table, uint64_t generation)
{
    return place_seed(store_seed, 'S', day, table, generation);
}

uint64_t part_seed(uint64_t store_seed, int32_t day, uint32_t table, uint64_t seq)
{
    return place_seed(store_seed, 'J', day, table, seq);
}
