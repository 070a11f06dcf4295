/* station/tags.c - see tags.h. */
#include "station/tags.h"

#define HEAD       2
#define EXPIRES    0x80
#define EXPIRY_LEN 4

size_t amp_tag_pack(uint8_t out[AMP_TAG_PACKED_MAX], struct amp_text tag,
                    const struct amp_tag_info *info)
{
    size_t parent = strlen(info->parent), n = HEAD;
    int64_t s = info->expiry_ms < 0 ? 0 : info->expiry_ms / 1000;

    if (tag.len == 0 || tag.len >= AMP_TAG_CAP)
        return 0;
    out[0] = (uint8_t)(tag.len << 3 | (info->status & 7u));
    out[1] = (uint8_t)(parent | (info->has_expiry ? EXPIRES : 0u));
    memcpy(out + n, tag.at, tag.len);
    n += tag.len;
    memcpy(out + n, info->parent, parent);
    n += parent;
    if (!info->has_expiry)
        return n;
    if (s > UINT32_MAX)
        s = UINT32_MAX; /* the year 2106 */
    for (unsigned i = 0; i < EXPIRY_LEN; i++)
        out[n++] = (uint8_t)(s >> 8 * i);
    return n;
}

static size_t tag_len(const uint8_t *at)
{
    return at[0] >> 3;
}

static size_t parent_len(const uint8_t *at)
{
    return at[1] & 31;
}

size_t amp_tag_size(const uint8_t *at, size_t left)
{
    size_t n;

    if (left < HEAD || tag_len(at) == 0 || tag_len(at) >= AMP_TAG_CAP ||
        parent_len(at) >= AMP_TAG_CAP)
        return 0;
    n = HEAD + tag_len(at) + parent_len(at) + (at[1] & EXPIRES ? EXPIRY_LEN : 0);
    return n <= left ? n : 0;
}

struct amp_text amp_tag_name(const uint8_t *at)
{
    return (struct amp_text){ (const char *)at + HEAD, (uint32_t)tag_len(at) };
}

void amp_tag_unpack(const uint8_t *at, struct amp_tag_info *info)
{
    const uint8_t *p = at + HEAD + tag_len(at);
    uint32_t s = 0;

    memset(info, 0, sizeof(*info));
    info->status = at[0] & 7;
    memcpy(info->parent, p, parent_len(at));
    p += parent_len(at);
    info->has_expiry = at[1] & EXPIRES;
    if (!info->has_expiry)
        return;
    for (unsigned i = 0; i < EXPIRY_LEN; i++)
        s |= (uint32_t)p[i] << 8 * i;
    info->expiry_ms = (int64_t)s * 1000;
}

int amp_tags_find(const struct amp_tags *t, struct amp_text tag)
{
    unsigned at = 0;

    while (at < t->used) {
        if (amp_text_eqi(amp_tag_name(t->at + at), tag))
            return (int)at;
        at += (unsigned)amp_tag_size(t->at + at, t->used - at);
    }
    return -1;
}

void amp_tags_remove(struct amp_tags *t, unsigned offset)
{
    size_t size = amp_tag_size(t->at + offset, t->used - offset);

    memmove(t->at + offset, t->at + offset + size, t->used - offset - size);
    t->used = (uint16_t)(t->used - size);
    t->count--;
}

int amp_tags_add(struct amp_tags *t, const uint8_t *entry, size_t size)
{
    if (t->used + size > t->cap)
        return AMP_E_FULL;
    memcpy(t->at + t->used, entry, size);
    t->used = (uint16_t)(t->used + size);
    t->count++;
    return 0;
}
