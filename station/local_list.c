/* station/local_list.c - see local_list.h. */
#include "station/impl.h"

_Static_assert(AMP_LIST_BYTES <= UINT16_MAX, "struct amp_tags counts so far");

/* A record: u8 flags, u32 number of the update, i64 version, entries. */
#define HEAD 13
enum { FULL = 1, LAST = 2 };

_Static_assert(AMP_RECORD_MAX >= HEAD + AMP_TAG_PACKED_MAX, "an entry fits a record");

void amp_list_init(struct amp_station *st)
{
    st->list.tags = (struct amp_tags){ st->list.bytes, AMP_LIST_BYTES, 0, 0 };
    st->list.next_update = 1;
}

/* Never more than a quarter of the journal's area, so that an update, which needs the room twice,
 * leaves half of it to transactions. */
unsigned amp_list_max(const struct amp_station *st)
{
    unsigned stored = st->journal.area_size / 4 / AMP_TAG_PACKED_MAX;

    return stored < AMP_LIST_MAX ? stored : AMP_LIST_MAX;
}

int64_t amp_list_version(const struct amp_station *st)
{
    if (!st->set.list_enabled)
        return -1;
    return st->list.tags.count ? st->list.version : 0;
}

/* ---- the journal ---- */

/* Cut into records at the bounds of entries; the last one makes it true. */
static int write_update(struct amp_station *st, uint32_t update, unsigned flags, int64_t version,
                        const uint8_t *packed, size_t len, bool copy)
{
    size_t done = 0;
    int rc;

    do {
        uint8_t raw[AMP_RECORD_MAX];
        size_t end = done, size;
        struct amp_buf out;

        while (end < len && (size = amp_tag_size(packed + end, len - end)) != 0 &&
               end + size - done <= AMP_RECORD_MAX - HEAD)
            end += size;
        amp_buf_init(&out, raw, sizeof(raw));
        amp_pack_u8(&out, flags | (end == len ? LAST : 0u));
        amp_pack_u32(&out, update);
        amp_pack_i64(&out, version);
        amp_buf_put(&out, packed + done, end - done);
        rc = copy ? amp_journal_copy(st, AMP_ENTRY_LIST, raw, out.len)
                  : amp_journal_put(st, AMP_ENTRY_LIST, raw, out.len, false);
        done = end;
    } while (rc == 0 && done < len);
    return rc;
}

int amp_list_save(struct amp_station *st)
{
    const struct amp_list *l = &st->list;

    return l->update ? write_update(st, l->update, FULL, l->version, l->bytes, l->tags.used, true)
                     : 0;
}

static uint32_t update_of(const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };

    (void)amp_cut_u8(&in);
    return amp_cut_u32(&in);
}

/* What stands is saved from RAM; of an update under way the records are carried over. */
bool amp_list_keep(struct amp_station *st, const struct amp_entry *e, int thin)
{
    (void)thin;
    return st->list.writing && update_of(e) == st->list.writing;
}

/* ---- what is known ---- */

static void apply(struct amp_station *st, const uint8_t *packed, size_t len)
{
    size_t size;

    for (; (size = amp_tag_size(packed, len)) != 0; packed += size, len -= size) {
        int at = amp_tags_find(&st->list.tags, amp_tag_name(packed));
        struct amp_tag_info info;

        if (at >= 0)
            amp_tags_remove(&st->list.tags, (unsigned)at);
        amp_tag_unpack(packed, &info);
        if (info.status && amp_tags_add(&st->list.tags, packed, size) < 0)
            amp_log(st, AMP_LOG_ERROR, "the stored local list is longer than this station's");
    }
}

static void begin(struct amp_station *st, uint32_t update, unsigned flags, int64_t version)
{
    st->list.update = update;
    st->list.version = version;
    if (flags & FULL)
        st->list.tags.used = st->list.tags.count = 0;
}

void amp_list_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };
    struct amp_list *l = &st->list;
    unsigned flags = amp_cut_u8(&in);
    uint32_t update = amp_cut_u32(&in), at, last = e->at;
    int64_t version = amp_cut_i64(&in);
    struct amp_entry part;

    if (in.bad)
        return;
    if (update != l->loading) {
        l->loading = update;
        l->loading_at = e->at;
    }
    if (update >= l->next_update)
        l->next_update = update + 1;
    if (!(flags & LAST))
        return; /* not true before the last one is read */
    begin(st, update, flags, version);
    at = l->loading_at;
    while (at <= last && amp_journal_next(st, &at, &part))
        if (part.type == AMP_ENTRY_LIST && update_of(&part) == update && part.len >= HEAD)
            apply(st, part.data + HEAD, part.len - HEAD);
    amp_cache_purge(st);
}

/* ---- SendLocalList ---- */

/* Is this a sound change, and does what comes of it fit? */
static bool sound(const struct amp_station *st, bool full, const uint8_t *packed, size_t len)
{
    const struct amp_tags *t = &st->list.tags;
    unsigned count = full ? 0 : t->count, sent = 0;
    size_t used = full ? 0 : t->used, size, at = 0;

    for (; at < len; at += size) {
        struct amp_tags before = { (uint8_t *)packed, (uint16_t)at, (uint16_t)at, 0 };
        struct amp_tag_info info;
        int known = full ? -1 : amp_tags_find(t, amp_tag_name(packed + at));

        size = amp_tag_size(packed + at, len - at);
        if (!size || ++sent > AMP_LIST_SEND_MAX ||
            amp_tags_find(&before, amp_tag_name(packed + at)) >= 0)
            return false; /* damaged, too many, or twice the same tag */
        amp_tag_unpack(packed + at, &info);
        if (!info.status && full)
            return false; /* nothing to delete from */
        if (known >= 0) {
            used -= amp_tag_size(t->at + known, t->used - (size_t)known);
            count--;
        }
        if (info.status) {
            used += size;
            count++;
        }
    }
    return count <= amp_list_max(st) && used <= t->cap;
}

enum amp_list_result amp_list_update(struct amp_station *st, bool full, int64_t version,
                                     const uint8_t *packed, size_t len)
{
    struct amp_list *l = &st->list;
    int rc;

    if (!st->set.list_enabled)
        return AMP_LIST_NOT_SUPPORTED;
    if (version < 1)
        return AMP_LIST_FAILED; /* 0 and -1 have a meaning of their own (142) */
    if (!full && version <= amp_list_version(st))
        return AMP_LIST_MISMATCH;
    if (!sound(st, full, packed, len))
        return AMP_LIST_FAILED;
    l->writing = l->next_update++;
    rc = write_update(st, l->writing, full ? FULL : 0, version, packed, len, false);
    if (rc == 0) {
        begin(st, l->writing, full ? FULL : 0, version);
        apply(st, packed, len);
    }
    l->writing = 0;
    if (rc < 0) {
        amp_log(st, AMP_LOG_ERROR, "the local list could not be stored");
        return AMP_LIST_FAILED;
    }
    amp_cache_purge(st);
    amp_connector_fault_over(st, 0, AMP_ERROR_LOCAL_LIST); /* the central system has seen to it */
    return AMP_LIST_ACCEPTED;
}

void amp_list_switched(struct amp_station *st)
{
    amp_cache_purge(st);
}

/* ---- questions ---- */

bool amp_list_has(const struct amp_station *st, struct amp_text tag)
{
    return st->set.list_enabled && amp_tags_find(&st->list.tags, tag) >= 0;
}

static bool lookup(struct amp_station *st, const char *tag, struct amp_tag_info *out)
{
    int at = st->set.list_enabled ? amp_tags_find(&st->list.tags, amp_text_of(tag)) : -1;

    if (at >= 0)
        amp_tag_unpack(st->list.bytes + at, out);
    return at >= 0;
}

/* A tag that is busy elsewhere is a good tag (§3.5.2). */
static bool good(const struct amp_station *st, const struct amp_tag_info *info)
{
    return (info->status == AMP_AUTH_ACCEPTED || info->status == AMP_AUTH_CONCURRENT) &&
           !amp_auth_expired(st, info);
}

/* The list is not changed by answers; that it is wrong is told (48, 145). */
static void learn(struct amp_station *st, const char *tag, const struct amp_tag_info *info)
{
    struct amp_tag_info listed;

    if (lookup(st, tag, &listed) && good(st, &listed) != good(st, info))
        amp_connector_fault(st, 0, AMP_ERROR_LOCAL_LIST, amp_text_of(tag));
}

const struct amp_tag_source amp_list_source = { lookup, learn, NULL };
