/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sha256.c -- the published vectors of SHA-256 (FIPS 180-4 and its examples) and
 * of HMAC (RFC 4231), and that the size of the pieces plays no part.
 */
#include "base/sha256.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static void check(const uint8_t digest[SHA256_SIZE], const char *expected)
{
    char hex[2 * SHA256_SIZE + 1];
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, expected);
}

static void check_sha(const char *message, const char *expected)
{
    struct sha256 sha;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&sha);
    sha256_add(&sha, message, strlen(message));
    sha256_end(&sha, digest);
    check(digest, expected);
}

static void test_published_digests(void **state)
{
    (void)state;
    check_sha("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_sha("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
              "klmnopqrlmnopqrsmnopqrstnopqrstu",
              "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void test_a_million_in_pieces(void **state)
{
    (void)state;
    char as[997];
    memset(as, 'a', sizeof as);
    struct sha256 sha;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&sha);
    for (size_t left = 1000000, n = 1; left > 0; left -= n) {
        n = n * 7 % sizeof as + 1;
        n = n < left ? n : left;
        sha256_add(&sha, as, n);
    }
    sha256_end(&sha, digest);
    check(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void check_hmac(const void *key, size_t key_size, const void *text, size_t text_size,
                       const char *expected)
{
    struct hmac_key ready;
    uint8_t digest[SHA256_SIZE];
    hmac_key_init(&ready, key, key_size);
    for (int again = 0; again < 2; again++) {
        hmac_sha256(&ready, text, text_size, digest);
        check(digest, expected);
    }
}

static void test_published_hmacs(void **state)
{
    (void)state;
    uint8_t key[131], text[50];
    memset(key, 0x0b, sizeof key);
    check_hmac(key, 20, "Hi There", 8,
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    check_hmac("Jefe", 4, "what do ya want for nothing?", 28,
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(text, 0xdd, sizeof text);
    check_hmac(key, 20, text, 50,
               "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    const char *large = "Test Using Larger Than Block-Size Key - Hash Key First";
    check_hmac(key, sizeof key, large, strlen(large),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_digests),
        cmocka_unit_test(test_a_million_in_pieces),
        cmocka_unit_test(test_published_hmacs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
