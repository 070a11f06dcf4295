/* station/auth_cache.c - see auth_cache.h. In the journal: a record holds one or more entries; an
 * empty one forgets all. */
#include "station/impl.h"

_Static_assert(AMP_CACHE_BYTES <= UINT16_MAX, "struct amp_tags counts so far");

void amp_cache_init(struct amp_station *st)
{
    st->cache.tags = (struct amp_tags){ st->cache.bytes, AMP_CACHE_BYTES, 0, 0 };
}

/* Never more than an eighth of the journal's area. */
static size_t room(const struct amp_station *st)
{
    size_t stored = st->journal.area_size / 8;

    return stored < AMP_CACHE_BYTES ? stored : AMP_CACHE_BYTES;
}

/* Who has to go first: the oldest that is not valid, else the oldest (58). */
static unsigned victim(const struct amp_station *st)
{
    const struct amp_tags *t = &st->cache.tags;
    unsigned at = 0;

    while (at < t->used) {
        struct amp_tag_info info;

        amp_tag_unpack(t->at + at, &info);
        if (info.status != AMP_AUTH_ACCEPTED || amp_auth_expired(st, &info))
            return at;
        at += (unsigned)amp_tag_size(t->at + at, t->used - at);
    }
    return 0;
}

static void forget(struct amp_station *st, struct amp_text tag)
{
    int at = amp_tags_find(&st->cache.tags, tag);

    if (at >= 0)
        amp_tags_remove(&st->cache.tags, (unsigned)at);
}

static void put(struct amp_station *st, const uint8_t *entry, size_t size)
{
    struct amp_tags *t = &st->cache.tags;

    forget(st, amp_tag_name(entry));
    while (t->used && t->used + size > room(st))
        amp_tags_remove(t, victim(st));
    if (size <= room(st) && amp_tags_add(t, entry, size) < 0)
        amp_log(st, AMP_LOG_ERROR, "the cache of tags has no room"); /* room() is never above cap */
}

static bool lookup(struct amp_station *st, const char *tag, struct amp_tag_info *out)
{
    int at = st->set.cache_enabled ? amp_tags_find(&st->cache.tags, amp_text_of(tag)) : -1;

    if (at < 0)
        return false;
    amp_tag_unpack(st->cache.bytes + at, out);
    if (out->status == AMP_AUTH_ACCEPTED && amp_auth_expired(st, out))
        out->status = AMP_AUTH_EXPIRED; /* 58 */
    return true;
}

static void learn(struct amp_station *st, const char *tag, const struct amp_tag_info *info)
{
    struct amp_tags *t = &st->cache.tags;
    uint8_t entry[AMP_TAG_PACKED_MAX];
    size_t size = amp_tag_pack(entry, amp_text_of(tag), info);
    int at = amp_tags_find(t, amp_text_of(tag));
    bool same;

    if (!st->set.cache_enabled || !size || amp_list_has(st, amp_text_of(tag)))
        return;
    same = at >= 0 && amp_tag_size(t->at + at, t->used - (size_t)at) == size &&
           memcmp(t->at + at, entry, size) == 0;
    if (!same && amp_journal_put(st, AMP_ENTRY_CACHE, entry, size, false) < 0)
        amp_log(st, AMP_LOG_WARN, "what is known of a tag could not be stored");
    put(st, entry, size); /* it is the newest now */
}

/* Nothing but the tags: transactions are somebody else's (59). */
static int wipe(struct amp_station *st)
{
    struct amp_tags *t = &st->cache.tags;

    if (t->used && amp_journal_put(st, AMP_ENTRY_CACHE, "", 0, false) < 0)
        return AMP_E_IO;
    t->used = t->count = 0;
    return 0;
}

static int clear(struct amp_station *st)
{
    return st->set.cache_enabled ? wipe(st) : AMP_E_ABSENT;
}

void amp_cache_switched(struct amp_station *st)
{
    if (!st->set.cache_enabled && wipe(st) < 0)
        amp_log(st, AMP_LOG_ERROR, "the cache of tags could not be cleared");
}

void amp_cache_purge(struct amp_station *st)
{
    struct amp_tags *t = &st->cache.tags;
    unsigned at = 0;

    while (at < t->used)
        if (amp_list_has(st, amp_tag_name(t->at + at)))
            amp_tags_remove(t, at);
        else
            at += (unsigned)amp_tag_size(t->at + at, t->used - at);
}

void amp_cache_load(struct amp_station *st, const struct amp_entry *e)
{
    const uint8_t *p = e->data;
    size_t left = e->len, size;

    if (!left)
        st->cache.tags.used = st->cache.tags.count = 0;
    for (; (size = amp_tag_size(p, left)) != 0; p += size, left -= size)
        put(st, p, size);
}

int amp_cache_save(struct amp_station *st)
{
    const struct amp_tags *t = &st->cache.tags;
    size_t done = 0;
    int rc = 0;

    while (rc == 0 && done < t->used) {
        size_t end = done, size;

        while ((size = amp_tag_size(t->at + end, t->used - end)) != 0 &&
               end + size - done <= AMP_RECORD_MAX)
            end += size;
        rc = amp_journal_copy(st, AMP_ENTRY_CACHE, t->at + done, end - done);
        done = end;
    }
    return rc;
}

const struct amp_tag_source amp_cache_source = { lookup, learn, clear };
