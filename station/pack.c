/* station/pack.c - see pack.h. */
#include "station/pack.h"

static void put(struct amp_buf *out, uint64_t v, unsigned bytes)
{
    char raw[8];

    for (unsigned i = 0; i < bytes; i++)
        raw[i] = (char)(uint8_t)(v >> 8 * i);
    amp_buf_put(out, raw, bytes);
}

void amp_pack_u8(struct amp_buf *out, unsigned v)
{
    put(out, v, 1);
}

void amp_pack_u32(struct amp_buf *out, uint32_t v)
{
    put(out, v, 4);
}

void amp_pack_i32(struct amp_buf *out, int32_t v)
{
    put(out, (uint32_t)v, 4);
}

void amp_pack_i64(struct amp_buf *out, int64_t v)
{
    put(out, (uint64_t)v, 8);
}

void amp_pack_str(struct amp_buf *out, const char *s)
{
    size_t len = strlen(s);

    if (len > 255)
        len = 255;
    put(out, len, 1);
    amp_buf_put(out, s, len);
}

static uint64_t take(struct amp_cut *in, unsigned bytes)
{
    uint64_t v = 0;

    if (in->bad || in->left < bytes) {
        in->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)in->at[i] << 8 * i;
    in->at += bytes;
    in->left -= bytes;
    return v;
}

unsigned amp_cut_u8(struct amp_cut *in)
{
    return (unsigned)take(in, 1);
}

uint32_t amp_cut_u32(struct amp_cut *in)
{
    return (uint32_t)take(in, 4);
}

int32_t amp_cut_i32(struct amp_cut *in)
{
    return (int32_t)(uint32_t)take(in, 4);
}

int64_t amp_cut_i64(struct amp_cut *in)
{
    return (int64_t)take(in, 8);
}

void amp_cut_str(struct amp_cut *in, char *out, size_t cap)
{
    size_t len = amp_cut_u8(in), keep = len < cap ? len : cap - 1;

    out[0] = 0;
    if (in->bad || in->left < len) {
        in->bad = true;
        return;
    }
    memcpy(out, in->at, keep);
    out[keep] = 0;
    in->at += len;
    in->left -= len;
}
