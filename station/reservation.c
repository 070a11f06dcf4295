/* station/reservation.c - see reservation.h. st->reserved has one place a connector; [0] is the one
 * for the station. */
#include "station/impl.h"

enum { MADE, ENDED };

static bool tag_eq(const char *a, const char *b)
{
    return amp_text_eqi(amp_text_of(a), amp_text_of(b));
}

/* Monotonic. After a restart that has not learnt the time yet it may last as long again as it was
 * made for, but not for ever. */
static uint64_t ends_at(const struct amp_station *st, const struct amp_reservation *r)
{
    int64_t at = st->clock_known ? r->expiry_ms - st->clock_offset_ms
                                 : (int64_t)st->started_at + r->expiry_ms - r->made_ms;

    return at > 0 ? (uint64_t)at : 0;
}

static bool in_time(const struct amp_station *st, const struct amp_reservation *r)
{
    return st->now < ends_at(st, r);
}

/* The reservation at a place, when it still holds. */
static const struct amp_reservation *at(const struct amp_station *st, int place)
{
    const struct amp_reservation *r = &st->reserved[place];

    return r->active && in_time(st, r) ? r : NULL;
}

static bool matches(const struct amp_reservation *r, const char *tag, const char *parent)
{
    return tag_eq(r->tag, tag) || (r->parent[0] && parent && tag_eq(r->parent, parent));
}

/* ---- the reservation of the station: one connector stays free ---- */

/* Nobody is there and nobody else has reserved it. */
static bool is_free(const struct amp_station *st, int connector)
{
    const struct amp_connector *c = &st->con[connector];

    return (c->status == AMP_AVAILABLE || c->status == AMP_RESERVED) && !amp_closed(c) &&
           !at(st, connector);
}

/* Does some other connector than this one serve it: free, or taken by the very person already? */
static bool served(const struct amp_station *st, const struct amp_reservation *r, int except)
{
    for (int i = 1; i <= st->connectors; i++) {
        const struct amp_connector *c = &st->con[i];

        if (i != except &&
            (is_free(st, i) || (c->claimed && matches(r, c->claim, c->claim_parent))))
            return true;
    }
    return false;
}

bool amp_reservation_holds(const struct amp_station *st, int connector)
{
    const struct amp_reservation *any = at(st, 0);

    if (!connector)
        return false;
    if (at(st, connector))
        return true;
    return any && is_free(st, connector) && !served(st, any, connector);
}

/* ---- who may ---- */

static enum amp_reserved judge(const struct amp_reservation *r, const char *tag, const char *parent)
{
    if (matches(r, tag, parent))
        return AMP_RESERVED_MINE;
    return r->parent[0] && !parent ? AMP_RESERVED_ASK : AMP_RESERVED_OTHERS;
}

enum amp_reserved amp_reservation_for(const struct amp_station *st, int connector, const char *tag,
                                      const char *parent)
{
    const struct amp_reservation *here = at(st, connector), *any = at(st, 0);

    if (here)
        return judge(here, tag, parent);
    if (!any)
        return AMP_RESERVED_FREE;
    if (matches(any, tag, parent))
        return AMP_RESERVED_MINE;
    return served(st, any, connector) ? AMP_RESERVED_FREE : judge(any, tag, parent);
}

const struct amp_reservation *amp_reservation_met(const struct amp_station *st, int connector,
                                                  const char *tag, const char *parent)
{
    const struct amp_reservation *here = at(st, connector), *any = at(st, 0);

    if (here && matches(here, tag, parent))
        return here;
    return any && matches(any, tag, parent) ? any : NULL;
}

/* ---- states ---- */

static void show(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];
    bool held = amp_reservation_holds(st, connector);

    if (c->status == AMP_AVAILABLE && held)
        (void)amp_connector_step(st, connector, AMP_EV_RESERVE);
    if (c->status != AMP_RESERVED || held)
        return;
    (void)amp_connector_step(st, connector, AMP_EV_UNRESERVE);
    if (c->plugged) /* somebody waited here */
        (void)amp_connector_step(st, connector, AMP_EV_PLUG);
}

/* First what is let go, so that the reservation of the station finds it. */
static void show_all(struct amp_station *st)
{
    for (unsigned pass = 0; pass < 2; pass++)
        for (int i = 1; i <= st->connectors; i++)
            if (pass || st->con[i].status == AMP_RESERVED)
                show(st, i);
}

/* In time no record is needed: a restart sees it too. */
void amp_reservation_poll(struct amp_station *st)
{
    for (int i = 0; i <= st->connectors; i++) {
        struct amp_reservation *r = &st->reserved[i];

        if (!r->active)
            continue;
        if (!in_time(st, r))
            r->active = false;
        else
            (void)amp_due(st, ends_at(st, r));
    }
    show_all(st);
}

/* ---- the journal ---- */

static void pack(struct amp_buf *out, int place, const struct amp_reservation *r)
{
    amp_pack_u8(out, MADE);
    amp_pack_i64(out, r->id);
    amp_pack_u8(out, (unsigned)place);
    amp_pack_u32(out, r->since);
    amp_pack_i64(out, r->expiry_ms);
    amp_pack_i64(out, r->made_ms);
    amp_pack_str(out, r->tag);
    amp_pack_str(out, r->parent);
}

static struct amp_reservation *find(struct amp_station *st, int64_t id)
{
    for (int i = 0; i <= st->connectors; i++)
        if (st->reserved[i].active && st->reserved[i].id == id)
            return &st->reserved[i];
    return NULL;
}

static int store_end(struct amp_station *st, int64_t id)
{
    uint8_t raw[9];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    amp_pack_u8(&out, ENDED);
    amp_pack_i64(&out, id);
    return amp_journal_put(st, AMP_ENTRY_RESERVATION, raw, out.len, true);
}

void amp_reservation_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };
    unsigned kind = amp_cut_u8(&in), place;
    struct amp_reservation fresh = { .active = true, .id = amp_cut_i64(&in) }, *old;

    if (in.bad)
        return;
    old = find(st, fresh.id);
    if (old)
        old->active = false;
    if (kind != MADE)
        return;
    place = amp_cut_u8(&in);
    fresh.since = amp_cut_u32(&in);
    fresh.expiry_ms = amp_cut_i64(&in);
    fresh.made_ms = amp_cut_i64(&in);
    amp_cut_str(&in, fresh.tag, sizeof(fresh.tag));
    amp_cut_str(&in, fresh.parent, sizeof(fresh.parent));
    if (!in.bad && place <= (unsigned)st->connectors)
        st->reserved[place] = fresh;
}

int amp_reservation_save(struct amp_station *st)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i <= st->connectors; i++) {
        uint8_t raw[80];
        struct amp_buf out;

        if (!at(st, i))
            continue;
        amp_buf_init(&out, raw, sizeof(raw));
        pack(&out, i, &st->reserved[i]);
        rc = amp_journal_copy(st, AMP_ENTRY_RESERVATION, raw, out.len);
    }
    return rc;
}

/* ---- beginning and end ---- */

static bool out_of_order(const struct amp_station *st, int connector, int status)
{
    return st->con[0].status == status || st->con[connector].status == status ||
           (status == AMP_UNAVAILABLE &&
            (st->con[0].inoperative || st->con[connector].inoperative));
}

/* Any connector will do. */
static enum amp_reserve_result place_anywhere(const struct amp_station *st)
{
    bool faulted = true, closed = true;

    for (int i = 1; i <= st->connectors; i++) {
        bool f = out_of_order(st, i, AMP_FAULTED);

        if (!f && !out_of_order(st, i, AMP_UNAVAILABLE) && is_free(st, i))
            return AMP_RESERVE_ACCEPTED;
        faulted &= f;
        closed &= f || out_of_order(st, i, AMP_UNAVAILABLE);
    }
    return faulted ? AMP_RESERVE_FAULTED : closed ? AMP_RESERVE_UNAVAILABLE : AMP_RESERVE_OCCUPIED;
}

static enum amp_reserve_result place_at(const struct amp_station *st, int connector)
{
    const struct amp_reservation *any = at(st, 0);

    if (out_of_order(st, connector, AMP_FAULTED))
        return AMP_RESERVE_FAULTED;
    if (out_of_order(st, connector, AMP_UNAVAILABLE))
        return AMP_RESERVE_UNAVAILABLE;
    if (!is_free(st, connector) || (any && !served(st, any, connector)))
        return AMP_RESERVE_OCCUPIED;
    return AMP_RESERVE_ACCEPTED;
}

/* One record both ends the old one of the same number and makes the new one. */
static int store(struct amp_station *st, int place, const struct amp_reservation *fresh)
{
    uint8_t raw[80];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    pack(&out, place, fresh);
    return amp_journal_put(st, AMP_ENTRY_RESERVATION, raw, out.len, false);
}

enum amp_reserve_result amp_reservation_make(struct amp_station *st, int64_t connector,
                                             const struct amp_reservation *wanted)
{
    struct amp_reservation fresh = *wanted, *old = find(st, wanted->id);
    enum amp_reserve_result result;

    if (connector != 0 && !amp_is_connector(st, connector))
        return AMP_RESERVE_REJECTED;
    fresh.active = true;
    fresh.since = st->queue.next_local;
    fresh.made_ms = st->clock_known ? (int64_t)st->now + st->clock_offset_ms : 0;
    if (!in_time(st, &fresh)) { /* over at once, and with it the one that it replaces (141) */
        (void)amp_reservation_cancel(st, fresh.id);
        return AMP_RESERVE_REJECTED;
    }
    if (old)
        old->active = false; /* for the question whether there is a place */
    if (connector == 0 && at(st, 0))
        result = AMP_RESERVE_OCCUPIED;
    else
        result = connector ? place_at(st, (int)connector) : place_anywhere(st);
    if (old)
        old->active = true;
    if (result != AMP_RESERVE_ACCEPTED)
        return result;
    if (store(st, (int)connector, &fresh) < 0)
        return AMP_RESERVE_REJECTED;
    if (old)
        old->active = false;
    st->reserved[connector] = fresh;
    show_all(st);
    return AMP_RESERVE_ACCEPTED;
}

bool amp_reservation_cancel(struct amp_station *st, int64_t id)
{
    struct amp_reservation *r = find(st, id);

    if (!r || !in_time(st, r) || store_end(st, id) < 0)
        return false;
    r->active = false;
    show_all(st);
    return true;
}

/* The start's record says it; a number that was used again since is another reservation. */
void amp_reservation_used(struct amp_station *st, int64_t id, uint32_t local)
{
    struct amp_reservation *r = find(st, id);

    if (r && local >= r->since)
        r->active = false;
}

static void give_up(struct amp_station *st, int place)
{
    struct amp_reservation *r = &st->reserved[place];

    if (!r->active)
        return;
    r->active = false;
    if (store_end(st, r->id) < 0)
        amp_log(st, AMP_LOG_ERROR, "the end of a reservation could not be stored");
}

void amp_reservation_broken(struct amp_station *st, int connector)
{
    bool works = false;

    for (int i = 0; i <= st->connectors; i++) {
        if (i == connector || connector == 0)
            give_up(st, i);
        works |= i && st->con[i].status != AMP_FAULTED && st->con[i].status != AMP_UNAVAILABLE;
    }
    if (!works)
        give_up(st, 0);
}
