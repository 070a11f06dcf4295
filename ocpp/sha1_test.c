/* The examples of FIPS 180, and lengths around the edges of a block. */
#include "ocpp/check.h"
#include "ocpp/err.h"
#include "ocpp/sha1.h"

#include <stdlib.h>

static char *hex(const uint8_t digest[AMP_SHA1_LEN], char out[2 * AMP_SHA1_LEN + 1])
{
    for (int i = 0; i < AMP_SHA1_LEN; i++)
        snprintf(out + (size_t)(2 * i), 3, "%02x", digest[i]);
    return out;
}

static void test_fips(void)
{
    /* clang-format off */
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
        { "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
        { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
          "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          "a49b2446a02c645bf419f995b67091253a04a259" },
        { "0123456701234567012345670123456701234567012345670123456701234567",
          "e0c094e867ef46c350ef54a7f59dd60bed92ae83" },
    };
    /* clang-format on */
    uint8_t digest[AMP_SHA1_LEN];
    char text[2 * AMP_SHA1_LEN + 1];

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        amp_sha1(rows[i].in, strlen(rows[i].in), digest);
        CHECK(!strcmp(hex(digest, text), rows[i].out), "row %zu: %s", i, text);
    }
}

/* Every number of bytes in the last block: the digest of the digests of 0 to 200 letters, from
 * another implementation. */
static void test_lengths(void)
{
    uint8_t all[201 * AMP_SHA1_LEN], digest[AMP_SHA1_LEN];
    char letters[200], text[2 * AMP_SHA1_LEN + 1];

    memset(letters, 'a', sizeof(letters));
    for (size_t n = 0; n <= sizeof(letters); n++)
        amp_sha1(letters, n, all + n * AMP_SHA1_LEN);
    amp_sha1(all, sizeof(all), digest);
    CHECK(!strcmp(hex(digest, text), "f6f332e8f89c35ee3df74d34ef8fda777d9647b9"), "%s", text);
}

static void test_million(void)
{
    size_t len = 1000000;
    char *block = malloc(len), text[2 * AMP_SHA1_LEN + 1];
    uint8_t digest[AMP_SHA1_LEN];

    memset(block, 'a', len);
    amp_sha1(block, len, digest);
    CHECK(!strcmp(hex(digest, text), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"), "%s", text);
    free(block);
}

int main(void)
{
    RUN(test_fips);
    RUN(test_lengths);
    RUN(test_million);
    return check_end();
}
