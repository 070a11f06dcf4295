/* ocpp/sha1.c - SHA-1 of one piece of memory. FIPS 180-4 §6.1. */
#include "ocpp/sha1.h"

#include <string.h>

static uint32_t rotl(uint32_t v, int n)
{
    return v << n | v >> (32 - n);
}

/* One block of 64 bytes. The schedule is a ring of its last 16 words: 64 bytes of stack on a small
 * target. */
static void block(uint32_t state[5], const uint8_t *p)
{
    static const uint32_t constants[4] = { 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6 };
    uint32_t w[16], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (int t = 0; t < 80; t++) {
        uint32_t f, next;

        if (t < 16)
            w[t] = (uint32_t)p[4 * t] << 24 | (uint32_t)p[4 * t + 1] << 16 |
                   (uint32_t)p[4 * t + 2] << 8 | p[4 * t + 3];
        else
            w[t & 15] = rotl(w[(t - 3) & 15] ^ w[(t - 8) & 15] ^ w[(t - 14) & 15] ^ w[t & 15], 1);
        f = t < 20              ? (b & c) | (~b & d)
            : t < 40 || t >= 60 ? b ^ c ^ d
                                : (b & c) | (b & d) | (c & d);
        next = rotl(a, 5) + f + e + constants[t / 20] + w[t & 15];
        e = d;
        d = c;
        c = rotl(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void amp_sha1(const void *data, size_t len, uint8_t out[AMP_SHA1_LEN])
{
    uint32_t state[5] = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0 };
    const uint8_t *p = data;
    uint8_t last[128] = {
        0
    }; /* what is left, 0x80, zeros, the length in bits: one or two blocks */
    size_t rest = len % 64, tail = rest < 56 ? 64 : 128;

    for (size_t n = len / 64; n; n--, p += 64)
        block(state, p);
    if (rest)
        memcpy(last, p, rest);
    last[rest] = 0x80;
    for (size_t i = 0; i < 8; i++)
        last[tail - 1 - i] = (uint8_t)((uint64_t)len << 3 >> 8 * i);
    block(state, last);
    if (tail == 128)
        block(state, last + 64);
    for (int i = 0; i < AMP_SHA1_LEN; i++)
        out[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}
