/* central/pki/secret.c - see secret.h. Stored: "1$" salt "$" hash, in hex. */
#include "central/pki/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#define SALT 16
#define HASH 32
#define KEY  20 /* bytes that 40 digits stand for */

static void to_hex(const unsigned char *raw, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* False: not that many bytes in hex. */
static bool from_hex(struct amp_text t, unsigned char *out, size_t len)
{
    if (t.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = digit(t.at[2 * i]), low = digit(t.at[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

bool secret_is_key(struct amp_text t)
{
    unsigned char raw[KEY];

    return t.len >= 32 && t.len <= 2 * KEY && t.len % 2 == 0 && from_hex(t, raw, t.len / 2);
}

static void digest(const unsigned char salt[SALT], const void *data, size_t len,
                   unsigned char out[HASH])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(ctx, salt, SALT) != 1 || EVP_DigestUpdate(ctx, data, len) != 1 ||
        EVP_DigestFinal_ex(ctx, out, NULL) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
}

void secret_hash(struct amp_text password, char out[SECRET_STORED_MAX])
{
    unsigned char salt[SALT], hash[HASH], raw[KEY];
    const void *data = password.at ? password.at : "";
    size_t len = password.len;

    if (secret_is_key(password)) {
        len = password.len / 2;
        (void)from_hex(password, raw, len);
        data = raw;
    }
    if (RAND_bytes(salt, SALT) != 1)
        abort();
    digest(salt, data, len, hash);
    memcpy(out, "1$", 2);
    to_hex(salt, SALT, out + 2);
    out[2 + 2 * SALT] = '$';
    to_hex(hash, HASH, out + 3 + 2 * SALT);
    OPENSSL_cleanse(raw, sizeof raw);
}

bool secret_matches(struct amp_text stored, struct amp_text given)
{
    unsigned char salt[SALT] = { 0 }, want[HASH] = { 0 }, hash[HASH], raw[KEY] = { 0 };
    bool sound = stored.len == 3 + 2 * SALT + 2 * HASH &&
                 from_hex((struct amp_text){ stored.at + 2, 2 * SALT }, salt, SALT) &&
                 from_hex((struct amp_text){ stored.at + 3 + 2 * SALT, 2 * HASH }, want, HASH);
    bool key = secret_is_key(given);
    int same;

    digest(salt, given.at ? given.at : "", given.len, hash);
    same = CRYPTO_memcmp(hash, want, HASH) == 0;
    if (key)
        (void)from_hex(given, raw, given.len / 2);
    digest(salt, raw, key ? given.len / 2 : KEY, hash);
    same |= (CRYPTO_memcmp(hash, want, HASH) == 0) & key;
    OPENSSL_cleanse(raw, sizeof raw);
    return (same & sound) != 0;
}

void secret_generate(char out[SECRET_HEX + 1])
{
    unsigned char raw[SECRET_HEX / 2];

    if (RAND_bytes(raw, sizeof raw) != 1)
        abort();
    to_hex(raw, sizeof raw, out);
    OPENSSL_cleanse(raw, sizeof raw);
}
