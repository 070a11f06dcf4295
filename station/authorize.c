/* station/authorize.c - may this tag charge here? station-1.6 49-63, 81, 113.
 *
 * Who is asked: sources on the station first (local list, cache: amp_tag_sources), the central
 * system when it listens, and when it does not, the rules for off-line use. Whether it listens is
 * known from the link at once, never by waiting for a timeout (56). */
#include "station/impl.h"

/* The local list stands before the cache (49). */
const struct amp_tag_source *const amp_tag_sources[] = { &amp_list_source, &amp_cache_source,
                                                         NULL };

static bool tag_eq(const char *a, const char *b)
{
    return amp_text_eqi(amp_text_of(a), amp_text_of(b)); /* CiString (9) */
}

bool amp_auth_expired(const struct amp_station *st, const struct amp_tag_info *info)
{
    return info->has_expiry && st->clock_known &&
           (int64_t)st->now + st->clock_offset_ms >= info->expiry_ms;
}

static bool valid(const struct amp_station *st, const struct amp_tag_info *info)
{
    return info->status == AMP_AUTH_ACCEPTED && !amp_auth_expired(st, info);
}

static void lookup(struct amp_station *st, const char *tag, struct amp_tag_info *out)
{
    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; st->tag_sources[i]; i++)
        if (st->tag_sources[i]->lookup(st, tag, out))
            return;
}

enum amp_reserved amp_auth_reserved(struct amp_station *st, int connector, const char *tag)
{
    struct amp_tag_info known;

    lookup(st, tag, &known);
    return amp_reservation_for(st, connector, tag, known.status ? known.parent : NULL);
}

unsigned amp_auth_rank(struct amp_station *st, int connector, const char *tag)
{
    switch (amp_auth_reserved(st, connector, tag)) {
    case AMP_RESERVED_MINE:
        return st->reserved[connector].active ? 0 : 1;
    case AMP_RESERVED_FREE:
        return 1;
    case AMP_RESERVED_ASK:
        return 2;
    default:
        return AMP_RANK_NEVER;
    }
}

void amp_auth_learn(struct amp_station *st, const char *tag, const struct amp_tag_info *info)
{
    for (unsigned i = 0; st->tag_sources[i]; i++)
        if (st->tag_sources[i]->learn)
            st->tag_sources[i]->learn(st, tag, info);
}

int amp_auth_clear(struct amp_station *st)
{
    for (unsigned i = 0; st->tag_sources[i]; i++)
        if (st->tag_sources[i]->clear)
            return st->tag_sources[i]->clear(st);
    return AMP_E_ABSENT;
}

static void refuse(struct amp_station *st, int connector, const char *tag)
{
    amp_emit(st, AMP_EVENT_AUTHORIZED, connector, 0, 0, amp_text_of(tag));
    st->con[connector].auth.state = AMP_AUTH_IDLE;
    (void)amp_connector_step(st, connector, AMP_EV_CANCEL);
}

/* The answer is here. A tag that wants to stop somebody's transaction must be of the same group
 * (60). */
static void settle(struct amp_station *st, int connector, bool accepted, const char *parent)
{
    struct amp_connector *c = &st->con[connector];
    struct amp_auth auth = c->auth;

    if (auth.stops)
        accepted = accepted && parent[0] && c->tx.open && tag_eq(parent, c->tx.parent);
    else /* what the group is was perhaps not known before (137) */
        accepted =
            accepted && amp_reservation_for(st, connector, auth.tag, parent) <= AMP_RESERVED_MINE;
    if (!accepted) {
        refuse(st, connector, auth.tag);
        return;
    }
    c->auth.state = AMP_AUTH_IDLE;
    amp_emit(st, AMP_EVENT_AUTHORIZED, connector, 1, 0, amp_text_of(auth.tag));
    if (auth.stops)
        (void)amp_tx_stop(st, connector, AMP_STOP_LOCAL, auth.tag);
    else
        amp_connector_claim(st, connector, auth.tag, parent, auth.remote);
}

static void settle_offline(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];
    struct amp_tag_info known;
    bool yes;

    lookup(st, c->auth.tag, &known);
    if (known.status)
        yes = valid(st, &known) &&
              st->set.local_authorize_offline; /* 54; present but not valid: 55 */
    else
        yes = st->set.allow_offline_unknown && !c->auth.stops;
    settle(st, connector, yes, known.parent);
}

void amp_auth_begin(struct amp_station *st, int connector, const char *tag, bool stops, bool remote)
{
    struct amp_connector *c = &st->con[connector];
    enum amp_reserved reserved = amp_auth_reserved(st, connector, tag);
    struct amp_tag_info known;

    c->auth = (struct amp_auth){ .state = AMP_AUTH_WANTED, .stops = stops, .remote = remote };
    amp_text_copy(c->auth.tag, AMP_TAG_CAP, amp_text_of(tag));
    if (!stops && reserved == AMP_RESERVED_OTHERS) {
        refuse(st, connector, tag);
        return;
    }
    if (!stops && c->status != AMP_PREPARING && reserved != AMP_RESERVED_ASK)
        (void)amp_connector_step(st, connector, AMP_EV_CLAIM); /* somebody is here (33) */
    if (!amp_online(st)) {
        settle_offline(st, connector);
        return;
    }
    lookup(st, tag, &known);
    if (st->set.local_pre_authorize && valid(st, &known)) /* 51; otherwise it is asked, 52, 53 */
        settle(st, connector, true, known.parent);
}

void amp_auth_claim(struct amp_station *st, int connector, const char *tag)
{
    struct amp_tag_info known;

    lookup(st, tag, &known); /* its group, if that is known here */
    amp_connector_claim(st, connector, tag, known.parent, true);
}

bool amp_auth_due(struct amp_station *st)
{
    if (!amp_online(st))
        return false;
    for (int i = 1; i <= st->connectors; i++)
        if (st->con[i].auth.state == AMP_AUTH_WANTED) {
            st->con[i].auth.state = AMP_AUTH_SENT;
            st->call.connector = (uint8_t)i;
            memcpy(st->call.tag, st->con[i].auth.tag, AMP_TAG_CAP);
            return true;
        }
    return false;
}

void amp_auth_answered(struct amp_station *st, const struct amp_tag_info *info)
{
    struct amp_connector *c = &st->con[st->call.connector];
    bool yes = valid(st, info) || (info->status == AMP_AUTH_CONCURRENT && c->auth.stops);

    amp_auth_learn(st, st->call.tag, info);
    if (c->auth.state == AMP_AUTH_SENT && tag_eq(c->auth.tag, st->call.tag))
        settle(st, st->call.connector, yes, info->parent);
}

/* An answer that cannot be had is no answer: the rules for off-line use. */
void amp_auth_failed(struct amp_station *st, int rc)
{
    (void)rc;
    if (st->con[st->call.connector].auth.state == AMP_AUTH_SENT)
        settle_offline(st, st->call.connector);
}

void amp_auth_offline(struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++)
        if (st->con[i].auth.state != AMP_AUTH_IDLE)
            settle_offline(st, i);
}

/* ---- a tag is shown ---- */

enum place { WAITS, FREE, KEPT, PLACES };

static bool is_place(const struct amp_connector *c, enum place what)
{
    if (c->claimed || c->auth.state != AMP_AUTH_IDLE)
        return false;
    return what == WAITS  ? c->status == AMP_PREPARING && c->plugged
           : what == FREE ? c->status == AMP_AVAILABLE
                          : c->status == AMP_RESERVED;
}

/* Connector 0: the reader serves all. The own transaction first, then a held cable or an own claim,
 * then the own reservation, a car that waits for a tag, a free connector, and last what is kept for
 * a group that has to be asked for. */
static int choose(struct amp_station *st, const char *tag)
{
    for (int i = 1; i <= st->connectors; i++) {
        const struct amp_connector *c = &st->con[i];

        if ((c->tx.open && tag_eq(c->tx.tag, tag)) ||
            (c->held_tag[0] && tag_eq(c->held_tag, tag)) || (c->claimed && tag_eq(c->claim, tag)))
            return i;
    }
    for (unsigned rank = 0; rank < AMP_RANK_NEVER; rank++)
        for (enum place p = WAITS; p < PLACES; p++)
            for (int i = 1; i <= st->connectors; i++)
                if (is_place(&st->con[i], p) && amp_auth_rank(st, i, tag) == rank)
                    return i;
    for (int i = 1; i <= st->connectors; i++)
        if (st->con[i].status == AMP_FINISHING || (st->con[i].tx.open && st->con[i].tx.parent[0]))
            return i;
    return 0;
}

/* In a transaction: the same tag stops, without asking; one of the same group may. */
static void shown_in_tx(struct amp_station *st, int connector, const char *tag)
{
    struct amp_connector *c = &st->con[connector];

    if (tag_eq(c->tx.tag, tag))
        (void)amp_tx_stop(st, connector, AMP_STOP_LOCAL, tag);
    else if (c->tx.parent[0] && c->auth.state == AMP_AUTH_IDLE)
        amp_auth_begin(st, connector, tag, true, false);
    else
        amp_emit(st, AMP_EVENT_AUTHORIZED, connector, 0, 0, amp_text_of(tag));
}

static bool may_begin(const struct amp_station *st, const struct amp_connector *c)
{
    bool known = st->boot_state == AMP_BOOT_ACCEPTED || st->ever_accepted;

    return (known || st->charge_before_accepted) && !st->reset.reason && !c->claimed &&
           c->auth.state == AMP_AUTH_IDLE && !amp_closed(c) &&
           (c->status == AMP_AVAILABLE || c->status == AMP_PREPARING ||
            c->status == AMP_FINISHING || c->status == AMP_RESERVED);
}

/* 1 to 20 characters that a message can carry. */
static bool readable(struct amp_text tag)
{
    for (uint32_t i = 0; i < tag.len; i++)
        if ((unsigned char)tag.at[i] < ' ')
            return false;
    return tag.len > 0 && tag.len < AMP_TAG_CAP && amp_text_utf8(tag);
}

void amp_auth_tag(struct amp_station *st, int connector, struct amp_text shown)
{
    char tag[AMP_TAG_CAP] = { 0 };
    struct amp_connector *c;

    if (!readable(shown)) {
        amp_emit(st, AMP_EVENT_AUTHORIZED, connector, 0, 0, shown);
        return; /* a cut tag would be another one (61) */
    }
    memcpy(tag, shown.at, shown.len);
    if (!connector)
        connector = choose(st, tag);
    c = &st->con[connector];
    if (connector && c->tx.open) {
        shown_in_tx(st, connector, tag);
    } else if (connector && c->held_tag[0]) {
        if (tag_eq(c->held_tag, tag) && amp_connector_lock(st, connector, false) == 0)
            amp_connector_released(st, connector); /* 70 */
    } else if (connector && !c->plugged && c->claimed && tag_eq(c->claim, tag)) {
        amp_connector_unclaim(st, connector, false); /* 63 */
    } else if (connector && !c->plugged && c->auth.state != AMP_AUTH_IDLE &&
               tag_eq(c->auth.tag, tag)) {
        c->auth.state = AMP_AUTH_IDLE;
        amp_connector_unclaim(st, connector, false);
    } else if (connector && may_begin(st, c)) {
        amp_auth_begin(st, connector, tag, false, false);
    } else {
        amp_emit(st, AMP_EVENT_AUTHORIZED, connector, 0, 0, amp_text_of(tag));
    }
}
