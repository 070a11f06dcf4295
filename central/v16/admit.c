/* central/v16/admit.c - see admit.h. Whatever the reason, as much is computed for an unknown
 * station as for a known one (E42). */
#include "central/v16/admit.h"
#include "central/domain/access.h"
#include "central/pki/certificates.h"
#include "central/pki/secret.h"
#include "ocpp/base64.h"

#include <stdlib.h>

#define TRIES_STATION   10    /* failed ones a minute, one identity from one address */
#define TRIES_ADDRESS   300   /* and all of one address: many stations may be behind one */
#define RATE_WINDOW_MS  10000 /* messages and bytes are looked at in slices of the minute */
#define RATE_SLICES     6
#define GARBAGE_AN_HOUR 50
#define GARBAGE_SPAN_MS 3600000

struct admit {
    struct central *c;
    struct limit tries, connects, addresses, rested;
    struct limit messages, bytes; /* of one address */
};

struct admit *admit_new(struct central *c)
{
    struct admit *a = calloc(1, sizeof *a);

    if (!a)
        abort();
    a->c = c;
    return a;
}

void admit_free(struct admit *a)
{
    free(a);
}

/* ---- who is it ---- */

struct proof {
    struct amp_text user, password; /* absent: none were sent */
    bool readable, old, next;       /* the password is that one */
    enum { CERT_NONE, CERT_OURS, CERT_FOREIGN, CERT_REVOKED } certificate;
};

static void prove(struct admit *a, struct admission *q, const struct access_fact *known,
                  struct proof *out)
{
    struct x509_st *x = net_certificate(q->conn);
    int rc = amp_basic_decode(amp_http_get(q->head, "Authorization"), q->block, sizeof q->block,
                              &out->user, &out->password);

    out->readable = rc == 0 || rc == AMP_E_ABSENT;
    if (rc < 0)
        out->user = out->password = AMP_NO_TEXT;
    out->old = secret_matches(known->password, out->password);
    out->next = secret_matches(known->next, out->password);
    if (!x)
        out->certificate = CERT_NONE;
    else if (certificates_revoked(a->c->certificates, x))
        out->certificate = CERT_REVOKED;
    else
        out->certificate =
            certificates_fits(a->c->certificates, x, q->id, q->charger) ? CERT_OURS : CERT_FOREIGN;
}

/* A station that nobody knows: its first password may become its password (S1 of nobody's list:
 * trust on first use), its certificate speaks for itself. */
static enum refusal stranger(struct admit *a, struct admission *q, const struct proof *p)
{
    const char *policy = a->c->settings.unknown_password;
    bool keeps = !strcmp(policy, "keep") || !strcmp(policy, "require");

    if (!strcmp(policy, "refuse"))
        return REFUSAL_UNKNOWN;
    if (!strcmp(policy, "require") && !p->password.len && p->certificate != CERT_OURS)
        return REFUSAL_NO_PASSWORD;
    if ((int64_t)world_pending(a->c->world) >= a->c->settings.max_knocking)
        return REFUSAL_KNOCKING_FULL;
    if (keeps && p->password.len >= SECRET_LEAST) {
        q->keep = p->password;
        q->profile = q->origin.secure ? 2 : 1;
    }
    return REFUSAL_NONE;
}

/* The password's own rules. */
static enum refusal password(struct admission *q, const struct access_fact *known,
                             const struct proof *p)
{
    if (!known->password.len && !known->next.len)
        return REFUSAL_NONE;
    if (!p->password.at)
        return REFUSAL_NO_PASSWORD;
    if (!p->old && !p->next)
        return REFUSAL_WRONG_PASSWORD;
    if (!known->any_user && !amp_text_eqi(p->user, q->id)) /* E40 */
        return REFUSAL_WRONG_USER;
    q->profile = q->origin.secure ? 2 : 1;
    q->next = p->next;
    return REFUSAL_NONE;
}

/* Is the profile high enough? E41, E43. */
static enum refusal profile(const struct admit *a, const struct admission *q,
                            const struct access_fact *known, const struct proof *p)
{
    int least = known->least ? known->least - 1 : (int)a->c->settings.security_profile;

    if (q->profile < known->profile)
        return REFUSAL_DOWNGRADE;
    if (q->profile >= least)
        return REFUSAL_NONE;
    if (least >= 2 && !q->origin.secure)
        return REFUSAL_PLAIN;
    if (least == 3)
        return REFUSAL_NO_CERTIFICATE;
    return p->password.at && (known->password.len || known->next.len) ? REFUSAL_WRONG_PASSWORD
           : p->password.at                                           ? REFUSAL_NONE_KNOWN
                                                                      : REFUSAL_NO_PASSWORD;
}

static enum refusal judge(struct admit *a, struct admission *q)
{
    static const struct access_fact nothing;
    const struct access_fact *known = q->charger ? charger_access(q->charger) : &nothing;
    struct proof p;
    enum refusal r = REFUSAL_NONE;

    q->profile = 0;
    q->next = false;
    q->keep = AMP_NO_TEXT;
    prove(a, q, known, &p);
    if (!p.readable)
        return REFUSAL_HEADER;
    if (p.certificate == CERT_REVOKED)
        return REFUSAL_CERTIFICATE_REVOKED;
    if (p.certificate == CERT_FOREIGN)
        return REFUSAL_CERTIFICATE_NAME;
    if (!q->charger)
        r = stranger(a, q, &p);
    else if (p.certificate == CERT_NONE)
        r = password(q, known, &p);
    if (p.certificate == CERT_OURS)
        q->profile = 3;
    return r == REFUSAL_NONE ? profile(a, q, known, &p) : r;
}

/* ---- how often ---- */

static uint64_t both(struct amp_text id, const char *host)
{
    return amp_text_hashi(id) * 31 + amp_text_hash(amp_text_of(host));
}

/* Takes from all; the longest wait. Limits of 0 are none. */
static int64_t too_often(struct admit *a, const struct admission *q, int64_t now_ms)
{
    const struct settings *s = &a->c->settings;
    uint64_t station = amp_text_hashi(q->id), host = amp_text_hash(amp_text_of(q->origin.host));
    int64_t wait_ms = 0;

    if (s->max_station_connects)
        wait_ms = limit_take(&a->connects, station, (uint32_t)s->max_station_connects,
                             ADMIT_WINDOW_MS, now_ms);
    if (!wait_ms && s->max_address_connects)
        wait_ms = limit_take(&a->addresses, host, (uint32_t)s->max_address_connects,
                             ADMIT_WINDOW_MS, now_ms);
    if (!wait_ms)
        wait_ms = limit_left(&a->rested, station, now_ms);
    if (!wait_ms)
        wait_ms = limit_left(&a->rested, host, now_ms);
    return wait_ms;
}

enum refusal admit_ask(struct admit *a, struct admission *q)
{
    int64_t now_ms = a->c->now_ms();
    uint64_t one = both(q->id, q->origin.host), all = amp_text_hash(amp_text_of(q->origin.host));
    enum refusal r;

    q->charger = world_charger(a->c->world, q->id);
    q->wait_ms = too_often(a, q, now_ms);
    if (q->wait_ms)
        return REFUSAL_CONNECTIONS;
    q->wait_ms = limit_take(&a->tries, one, TRIES_STATION, ADMIT_WINDOW_MS, now_ms);
    if (!q->wait_ms) {
        q->wait_ms = limit_take(&a->tries, all, TRIES_ADDRESS, ADMIT_WINDOW_MS, now_ms);
        if (q->wait_ms)
            limit_give(&a->tries, one);
    }
    if (q->wait_ms)
        return REFUSAL_TRIES;
    r = judge(a, q);
    if (r == REFUSAL_NONE) {
        limit_give(&a->tries, one);
        limit_give(&a->tries, all);
    }
    return r;
}

void admit_held(struct admit *a, const struct admission *q)
{
    const struct settings *s = &a->c->settings;

    if (s->max_station_connects)
        limit_give(&a->connects, amp_text_hashi(q->id));
    if (s->max_address_connects)
        limit_give(&a->addresses, amp_text_hash(amp_text_of(q->origin.host)));
}

void admit_in(struct admit *a, const struct admission *q, struct charger *c, int64_t now_ms)
{
    struct world *w = a->c->world;

    if (q->keep.len) {
        struct access_fact f = *charger_access(c);
        char stored[SECRET_STORED_MAX];

        secret_hash(q->keep, stored);
        f.password = amp_text_of(stored);
        f.password_ms = now_ms;
        world_put_access(w, c, &f);
    }
    if (q->next)
        world_password_used(w, c, now_ms);
    world_reached(w, c, q->profile);
}

/* ---- inside ---- */

/* Ends the connection, and keeps the station, or all of the address, out for the rest of the slice.
 */
static enum refusal rest(struct admit *a, uint64_t whom, enum refusal r, int64_t now_ms)
{
    (void)limit_take(&a->rested, whom, 1, RATE_WINDOW_MS, now_ms);
    return r;
}

/* The same limits for all that come from one address. */
static enum refusal of_address(struct admit *a, const struct session *s, uint32_t len,
                               int64_t now_ms)
{
    const struct settings *set = &a->c->settings;
    int64_t messages = (set->max_address_messages + RATE_SLICES - 1) / RATE_SLICES;
    int64_t bytes = set->max_address_kilobytes * 1024 / RATE_SLICES;

    if (messages &&
        limit_take(&a->messages, s->host, (uint32_t)(messages < UINT32_MAX ? messages : UINT32_MAX),
                   RATE_WINDOW_MS, now_ms))
        return rest(a, s->host, REFUSAL_MESSAGES, now_ms);
    if (bytes && limit_take_many(&a->bytes, s->host, len,
                                 (uint32_t)(bytes < UINT32_MAX ? bytes : UINT32_MAX),
                                 RATE_WINDOW_MS, now_ms))
        return rest(a, s->host, REFUSAL_BYTES, now_ms);
    return REFUSAL_NONE;
}

enum refusal admit_message(struct admit *a, struct session *s, struct amp_text data, int64_t now_ms)
{
    const struct settings *set = &a->c->settings;

    if (now_ms - s->rate_ms >= RATE_WINDOW_MS || now_ms < s->rate_ms) {
        s->rate_ms = now_ms;
        s->messages = 0;
        s->bytes = 0;
    }
    s->messages++;
    s->bytes += data.len;
    if (set->max_station_messages &&
        s->messages > (set->max_station_messages + RATE_SLICES - 1) / RATE_SLICES)
        return rest(a, amp_text_hashi(charger_fact(s->charger)->id), REFUSAL_MESSAGES, now_ms);
    if (set->max_station_kilobytes &&
        s->bytes > (uint64_t)set->max_station_kilobytes * 1024 / RATE_SLICES)
        return rest(a, amp_text_hashi(charger_fact(s->charger)->id), REFUSAL_BYTES, now_ms);
    return of_address(a, s, data.len, now_ms);
}

enum refusal admit_garbage(struct session *s, int64_t now_ms)
{
    if (now_ms - s->garbage_ms >= GARBAGE_SPAN_MS) {
        s->garbage_ms = now_ms;
        s->garbage = 0;
    }
    return ++s->garbage > GARBAGE_AN_HOUR ? REFUSAL_GARBAGE : REFUSAL_NONE;
}
