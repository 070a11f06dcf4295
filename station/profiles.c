/* station/profiles.c - the installed profiles: which replace which, when they end, what survives a
 * power cut. station-1.6 118-120, 123, 128, 130-132, 134.
 *
 * A TxProfile lives no longer than its transaction, and no transaction lives through a power cut
 * (tx.c): so only the others are stored. One record holds one profile, one record names the ids
 * that are gone; loading replays them with the rules of installing. A set is what it is by its
 * members alone: their order has no meaning. */
#include "station/impl.h"

#define FIXED_LEN 48 /* a record without periods is not longer */
#define RETRY_MS  3600000

_Static_assert(AMP_RECORD_MAX >= FIXED_LEN + 8 * AMP_PERIODS_MAX, "a profile fits a record");
_Static_assert(AMP_PERIOD_POOL >= AMP_PERIODS_MAX && AMP_PERIODS_MAX <= 255, "pool of periods");

static bool stored(const struct amp_profile *p)
{
    return p->purpose != AMP_PURPOSE_TX;
}

/* ---- the set ---- */

void amp_profiles_remove(struct amp_profiles *set, unsigned index)
{
    struct amp_profile gone = set->at[index];
    unsigned behind = gone.first + gone.count;

    memmove(&set->period[gone.first], &set->period[behind],
            (set->used - behind) * sizeof(set->period[0]));
    set->used = (uint16_t)(set->used - gone.count);
    set->at[index] = set->at[--set->count];
    for (unsigned i = 0; i < set->count; i++)
        if (set->at[i].first >= behind)
            set->at[i].first = (uint16_t)(set->at[i].first - gone.count);
}

/* 120: replaced at once, whenever the new one begins (128). */
static bool replaces(const struct amp_profile *fresh, const struct amp_profile *old)
{
    return old->id == fresh->id || (old->purpose == fresh->purpose && old->level == fresh->level &&
                                    old->connector == fresh->connector);
}

int amp_profiles_install(struct amp_profiles *set, const struct amp_profile *p,
                         const struct amp_period *periods, unsigned count)
{
    unsigned profiles = 1, used = count;
    struct amp_profile *slot;

    for (unsigned i = 0; i < set->count; i++)
        if (!replaces(p, &set->at[i])) {
            profiles++;
            used += set->at[i].count;
        }
    if (count < 1 || count > AMP_PERIODS_MAX || profiles > AMP_PROFILES_MAX ||
        used > AMP_PERIOD_POOL)
        return AMP_E_FULL;
    for (unsigned i = set->count; i-- > 0;)
        if (replaces(p, &set->at[i]))
            amp_profiles_remove(set, i);
    slot = &set->at[set->count++];
    *slot = *p;
    slot->first = set->used;
    slot->count = (uint8_t)count;
    memcpy(&set->period[set->used], periods, count * sizeof(periods[0]));
    set->used = (uint16_t)(set->used + count);
    return 0;
}

/* ---- records ---- */

static void pack(struct amp_buf *out, const struct amp_profile *p, const struct amp_period *periods,
                 unsigned count)
{
    amp_pack_i32(out, p->id);
    amp_pack_u8(out, p->connector);
    amp_pack_u8(out, p->purpose);
    amp_pack_u8(out, p->kind);
    amp_pack_u8(out, p->level);
    amp_pack_u8(out, p->unit);
    amp_pack_u8(out, count);
    amp_pack_i64(out, p->start_ms);
    amp_pack_i64(out, p->from_ms);
    amp_pack_i64(out, p->to_ms);
    amp_pack_u32(out, p->duration_s);
    amp_pack_u32(out, p->recurs_s);
    for (unsigned i = 0; i < count; i++) {
        amp_pack_u32(out, periods[i].start_s);
        amp_pack_u32(out, periods[i].limit);
    }
}

static void load_profile(struct amp_station *st, struct amp_cut *in)
{
    struct amp_period periods[AMP_PERIODS_MAX];
    struct amp_profile p = { 0 };
    unsigned count;

    p.id = amp_cut_i32(in);
    p.connector = (uint8_t)amp_cut_u8(in);
    p.purpose = (uint8_t)amp_cut_u8(in);
    p.kind = (uint8_t)amp_cut_u8(in);
    p.level = (uint8_t)amp_cut_u8(in);
    p.unit = (uint8_t)amp_cut_u8(in);
    count = amp_cut_u8(in);
    p.start_ms = amp_cut_i64(in);
    p.from_ms = amp_cut_i64(in);
    p.to_ms = amp_cut_i64(in);
    p.duration_s = amp_cut_u32(in);
    p.recurs_s = amp_cut_u32(in);
    for (unsigned i = 0; i < count && i < AMP_PERIODS_MAX; i++) {
        periods[i].start_s = amp_cut_u32(in);
        periods[i].limit = amp_cut_u32(in);
    }
    if (in->bad || p.connector > st->connectors || (p.kind == AMP_KIND_RECURRING && !p.recurs_s))
        return; /* of a device with other sizes */
    if (amp_profiles_install(&st->smart.set, &p, periods, count) < 0)
        amp_log(st, AMP_LOG_ERROR, "a stored charging profile has no room any more");
}

static void load_gone(struct amp_station *st, struct amp_cut *in)
{
    while (in->left >= 4) {
        int32_t id = amp_cut_i32(in);

        for (unsigned i = st->smart.set.count; i-- > 0;)
            if (st->smart.set.at[i].id == id)
                amp_profiles_remove(&st->smart.set, i);
    }
}

void amp_profiles_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };

    if (e->type == AMP_ENTRY_PROFILE)
        load_profile(st, &in);
    else
        load_gone(st, &in);
}

int amp_profiles_save(struct amp_station *st)
{
    const struct amp_profiles *set = &st->smart.set;
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < set->count; i++) {
        uint8_t raw[AMP_RECORD_MAX];
        struct amp_buf out;

        if (!stored(&set->at[i]))
            continue;
        amp_buf_init(&out, raw, sizeof(raw));
        pack(&out, &set->at[i], &set->period[set->at[i].first], set->at[i].count);
        rc = amp_journal_copy(st, AMP_ENTRY_PROFILE, raw, out.len);
    }
    return rc;
}

/* Remove the profiles of the bits in `which`; those that are stored are first struck from the
 * journal. AMP_E_IO, AMP_E_FULL: nothing changed. */
static int remove_all(struct amp_station *st, uint32_t which)
{
    struct amp_profiles *set = &st->smart.set;
    uint8_t raw[AMP_PROFILES_MAX * 4];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    for (unsigned i = 0; i < set->count; i++)
        if (which >> i & 1 && stored(&set->at[i]))
            amp_pack_i32(&out, set->at[i].id);
    if (out.len) {
        int rc = amp_journal_put(st, AMP_ENTRY_PROFILE_GONE, raw, out.len, false);

        if (rc < 0)
            return rc;
    }
    for (unsigned i = set->count; i-- > 0;)
        if (which >> i & 1)
            amp_profiles_remove(set, i);
    return 0;
}
_Static_assert(AMP_PROFILES_MAX <= 32, "a bit for each profile");

/* Profiles may fill a quarter of the storage: the rest is for transactions. */
static bool storage_left(const struct amp_station *st, const struct amp_profile *p, unsigned count)
{
    const struct amp_profiles *set = &st->smart.set;
    size_t size = FIXED_LEN + 8 * count + 16;

    for (unsigned i = 0; i < set->count; i++)
        if (stored(&set->at[i]) && !replaces(p, &set->at[i]))
            size += FIXED_LEN + 8u * set->at[i].count + 16;
    return size <= st->journal.area_size / 4;
}

static bool room(const struct amp_station *st, const struct amp_profile_in *in)
{
    const struct amp_profiles *set = &st->smart.set;
    unsigned profiles = 1, used = in->count;

    for (unsigned i = 0; i < set->count; i++)
        if (!replaces(&in->p, &set->at[i])) {
            profiles++;
            used += set->at[i].count;
        }
    return profiles <= (unsigned)st->set.max_profiles && used <= AMP_PERIOD_POOL &&
           (!stored(&in->p) || storage_left(st, &in->p, in->count));
}

/* Stored, then true (130). */
static bool install(struct amp_station *st, const struct amp_profile_in *in)
{
    struct amp_profiles *set = &st->smart.set;
    uint8_t raw[AMP_RECORD_MAX];
    struct amp_buf out;
    uint32_t old = 0;
    int rc;

    amp_profiles_sweep(st);
    if (!room(st, in))
        return false;
    if (stored(&in->p)) {
        amp_buf_init(&out, raw, sizeof(raw));
        pack(&out, &in->p, in->periods, in->count);
        rc = amp_journal_put(st, AMP_ENTRY_PROFILE, raw, out.len, false);
    } else {
        for (unsigned i = 0; i < set->count; i++)
            old |= (uint32_t)replaces(&in->p, &set->at[i]) << i;
        rc = remove_all(st, old); /* a stored one may have its id */
    }
    if (rc == 0)
        rc = amp_profiles_install(set, &in->p, in->periods, in->count);
    if (rc < 0)
        amp_log(st, AMP_LOG_ERROR, "a charging profile could not be stored");
    return rc == 0;
}

/* ---- rules for what comes in ---- */

static bool sound_periods(const struct amp_station *st, const struct amp_profile_in *in)
{
    if (in->count < 1 || in->count > (unsigned)st->set.max_periods)
        return false; /* 134 */
    for (unsigned i = 0; i < in->count; i++) {
        if ((in->periods[i].limit & 3) == 0)
            return false;
        if (i == 0 ? in->periods[i].start_s != 0
                   : in->periods[i].start_s <= in->periods[i - 1].start_s)
            return false; /* 123 */
    }
    return true;
}

/* Completes the profile where a start is missing. 123, 124. */
static bool sound_start(struct amp_station *st, struct amp_profile_in *in)
{
    struct amp_profile *p = &in->p;

    if (p->kind == AMP_KIND_RECURRING)
        return p->recurs_s && in->has_start;
    if (p->kind == AMP_KIND_ABSOLUTE && !in->has_start) {
        if (!st->set.start_optional)
            return false;
        p->kind = AMP_KIND_RELATIVE;
    }
    if (p->kind == AMP_KIND_RELATIVE && p->purpose == AMP_PURPOSE_MAX) {
        /* the station has no start of charging: from now on */
        p->kind = AMP_KIND_ABSOLUTE;
        p->start_ms = (int64_t)st->now + st->clock_offset_ms;
    }
    return p->kind == AMP_KIND_ABSOLUTE || p->kind == AMP_KIND_RELATIVE;
}

static bool sound(struct amp_station *st, struct amp_profile_in *in)
{
    struct amp_profile *p = &in->p;

    if (in->level < 0 || in->level > st->set.max_level ||
        !(st->set.rate_units & 1 << (p->unit - 1)))
        return false; /* 134 */
    p->level = (uint8_t)in->level;
    if (st->clock_known && p->to_ms <= (int64_t)st->now + st->clock_offset_ms)
        return false; /* over already */
    return p->from_ms < p->to_ms && p->duration_s > 0 && sound_periods(st, in) &&
           sound_start(st, in);
}

/* 118, 119 */
static bool fits_purpose(struct amp_station *st, struct amp_profile_in *in)
{
    struct amp_profile *p = &in->p;
    int64_t id;

    switch (p->purpose) {
    case AMP_PURPOSE_MAX:
        return p->connector == 0;
    case AMP_PURPOSE_TX_DEFAULT:
        return true;
    case AMP_PURPOSE_TX:
        if (p->connector == 0 || !in->has_tx || st->con[p->connector].tx.stopping ||
            !amp_tx_id(st, p->connector, &id) || id != in->tx_id)
            return false;
        p->local = st->con[p->connector].tx.local;
        return true;
    default:
        return false;
    }
}

bool amp_profiles_set(struct amp_station *st, struct amp_profile_in *in)
{
    return fits_purpose(st, in) && sound(st, in) && install(st, in);
}

/* ---- profiles of transactions ---- */

bool amp_profiles_pend(struct amp_station *st, int connector, struct amp_profile_in *in)
{
    bool ok;

    in->p.connector = (uint8_t)connector;
    in->p.local = 0;
    ok = in->p.purpose == AMP_PURPOSE_TX && !in->has_tx && sound(st, in);
    if (ok)
        ok = install(st, in);
    return ok;
}

/* A remote start with a profile was accepted here, and what it began is not decided yet. */
static bool awaited(const struct amp_connector *c)
{
    return (c->claimed && c->claim_remote) || (c->auth.state != AMP_AUTH_IDLE && c->auth.remote);
}

void amp_profiles_begin(struct amp_station *st, int connector)
{
    const struct amp_connector *c = &st->con[connector];
    struct amp_profiles *set = &st->smart.set;

    for (unsigned i = set->count; i-- > 0;) {
        struct amp_profile *p = &set->at[i];

        if (p->purpose != AMP_PURPOSE_TX || p->connector != connector || p->local)
            continue;
        if (c->claim_remote)
            p->local = c->tx.local;
        else
            amp_profiles_remove(set, i);
    }
}

static bool over(struct amp_station *st, const struct amp_profile *p)
{
    const struct amp_connector *c = &st->con[p->connector];
    int64_t t = (int64_t)st->now + st->clock_offset_ms;

    if (p->purpose == AMP_PURPOSE_TX &&
        !(p->local ? c->tx.open && c->tx.local == p->local : awaited(c)))
        return true;
    if (!st->clock_known)
        return false;
    return p->to_ms <= t || (p->kind == AMP_KIND_ABSOLUTE && p->duration_s != AMP_OPEN_END &&
                             p->start_ms + (int64_t)p->duration_s * 1000 <= t);
}

/* 130. What cannot be struck from the journal now stays, without effect. */
void amp_profiles_sweep(struct amp_station *st)
{
    uint32_t which = 0;

    if (st->now < st->smart.sweep_at)
        return;
    for (unsigned i = 0; i < st->smart.set.count; i++)
        which |= (uint32_t)over(st, &st->smart.set.at[i]) << i;
    if (which && remove_all(st, which) < 0) {
        st->smart.sweep_at = st->now + RETRY_MS;
        amp_log(st, AMP_LOG_ERROR, "expired charging profiles could not be removed");
    }
}

/* ---- ClearChargingProfile (132) ---- */

static bool matches(const struct amp_profile *p, const struct amp_profile_filter *f)
{
    if (f->has_id)
        return p->id == f->id;
    return (f->connector < 0 || p->connector == f->connector) &&
           (f->level < 0 || p->level == f->level) && (!f->purpose || p->purpose == f->purpose);
}

int amp_profiles_clear(struct amp_station *st, const struct amp_profile_filter *f)
{
    uint32_t which = 0;

    amp_profiles_sweep(st);
    for (unsigned i = 0; i < st->smart.set.count; i++)
        which |= (uint32_t)matches(&st->smart.set.at[i], f) << i;
    return which ? remove_all(st, which) : AMP_E_ABSENT;
}
