/* SPDX-License-Identifier: Apache-2.0
 *
 * sha256.c -- SHA-256 and HMAC, as the standards describe them.
 *
 * Bytes are gathered into blocks of 64, and each block stirs the state of eight
 * words in 64 rounds.  The last block says how many bits there were, so no
 * message is the beginning of another.
 *
 * HMAC hashes the message behind one form of the key and the result behind another.
 * Both forms fill a block exactly; a key keeps the two states after that block.
 *
 * Written for the few short values that rules hash; no attempt at speed beyond that.
 */
#include "base/sha256.h"

#include <string.h>

static const uint32_t round_words[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

static uint32_t load_big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_big(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

static void stir(uint32_t state[8], const uint8_t block[SHA256_BLOCK])
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = load_big(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) +
               (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t x = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + choice +
                     round_words[i] + w[i];
        uint32_t y = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + most;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += x;
        s[0] = x + y;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

void sha256_init(struct sha256 *sha)
{
    *sha = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                     0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        size_t filled = sha->bytes % SHA256_BLOCK, n = SHA256_BLOCK - filled;
        if (n > size)
            n = size;
        memcpy(sha->block + filled, from, n);
        sha->bytes += n;
        from += n;
        size -= n;
        if (filled + n == SHA256_BLOCK)
            stir(sha->state, sha->block);
    }
}

void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_SIZE])
{
    static const uint8_t padding[SHA256_BLOCK] = {0x80};
    uint64_t bits = sha->bytes * 8;
    uint8_t length[8];
    store_big(length, (uint32_t)(bits >> 32));
    store_big(length + 4, (uint32_t)bits);
    size_t filled = sha->bytes % SHA256_BLOCK;
    sha256_add(sha, padding, (filled < 56 ? 56 : 120) - filled);
    sha256_add(sha, length, sizeof length);
    for (int i = 0; i < 8; i++)
        store_big(digest + 4 * i, sha->state[i]);
}

/* The state after the block of the key with every byte changed by `mask`. */
static void begin_with(struct sha256 *sha, const uint8_t block[SHA256_BLOCK], uint8_t mask)
{
    uint8_t masked[SHA256_BLOCK];
    for (int i = 0; i < SHA256_BLOCK; i++)
        masked[i] = block[i] ^ mask;
    sha256_init(sha);
    sha256_add(sha, masked, sizeof masked);
}

void hmac_key_init(struct hmac_key *key, const void *secret, size_t size)
{
    uint8_t block[SHA256_BLOCK] = {0};
    if (size > SHA256_BLOCK) {
        struct sha256 sha;
        sha256_init(&sha);
        sha256_add(&sha, secret, size);
        sha256_end(&sha, block);
    } else if (size > 0) {
        memcpy(block, secret, size);
    }
    begin_with(&key->inner, block, 0x36);
    begin_with(&key->outer, block, 0x5c);
}

void hmac_sha256(const struct hmac_key *key, const void *bytes, size_t size,
                 uint8_t digest[SHA256_SIZE])
{
    struct sha256 sha = key->inner;
    uint8_t inner[SHA256_SIZE];
    sha256_add(&sha, bytes, size);
    sha256_end(&sha, inner);
    sha = key->outer;
    sha256_add(&sha, inner, sizeof inner);
    sha256_end(&sha, digest);
}
