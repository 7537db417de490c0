/* SPDX-License-Identifier: Apache-2.0
 *
 * sha256.h -- SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104).
 *
 * For values that must not be guessed from their hash; everything else uses the
 * faster hash.h.  Nothing here allocates or fails.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64 };

struct sha256 {
    uint32_t state[8];
    uint64_t bytes; /* taken so far */
    uint8_t block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t size);
void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_SIZE]);

/* A key made ready: each message costs two blocks less than with hmac from the start. */
struct hmac_key {
    struct sha256 inner, outer;
};

void hmac_key_init(struct hmac_key *key, const void *secret, size_t size);
void hmac_sha256(const struct hmac_key *key, const void *bytes, size_t size,
                 uint8_t digest[SHA256_SIZE]);

#endif
