/* station/security.c - see security.h.
 *
 * Credentials that worked are stored before new ones are accepted, and forgotten only when the new
 * ones were seen to work: a lost answer, a typing error or a power cut at any moment locks nobody
 * out. A key is tried alternately after each 401; a profile after TRIES attempts that came to
 * nothing, for whatever reason. A certificate that is refused gives way to the one before it, in
 * turn, and is dropped when only that one works. */
#include "station/impl.h"

#define TRIES 3 /* attempts with one profile before the other gets its turn */

static void used(const struct amp_station *st, struct amp_credentials *out)
{
    const struct amp_security *s = &st->security;

    out->profile = st->set.security_profile;
    memcpy(out->key, st->set.key, sizeof(out->key));
    if (s->fallback && s->pending)
        *out = s->good;
    else if (s->fallback)
        out->key[0] = 0;
}

static bool same(const struct amp_credentials *a, const struct amp_credentials *b)
{
    return a->profile == b->profile && strcmp(a->key, b->key) == 0;
}

static void pack(const struct amp_station *st, struct amp_buf *out)
{
    amp_pack_i32(out, st->security.good.profile);
    amp_pack_str(out, st->security.good.key);
}

static int store_good(struct amp_station *st)
{
    uint8_t raw[64];
    struct amp_buf out;
    int rc;

    amp_buf_init(&out, raw, sizeof(raw));
    pack(st, &out);
    rc = amp_journal_put(st, AMP_ENTRY_SECURITY, raw, out.len, true);
    st->security.known |= rc == 0;
    return rc;
}

void amp_security_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };

    st->security.good.profile = amp_cut_i32(&in);
    amp_cut_str(&in, st->security.good.key, sizeof(st->security.good.key));
    st->security.known = !in.bad;
}

int amp_security_save(struct amp_station *st)
{
    uint8_t raw[64];
    struct amp_buf out;

    if (!st->security.known)
        return 0;
    amp_buf_init(&out, raw, sizeof(raw));
    pack(st, &out);
    return amp_journal_copy(st, AMP_ENTRY_SECURITY, raw, out.len);
}

/* ---- what there is to prove things with ---- */

static bool has_password(const struct amp_station *st)
{
    return st->set.key[0] || st->has_password;
}

static bool has_root(const struct amp_station *st)
{
    const struct amp_pki *p = st->port->pki;
    struct amp_certificate_id id;

    return p && p->list(p->ctx, AMP_ROOT_CENTRAL, 0, &id) == 0;
}

static bool has_certificate(const struct amp_station *st)
{
    const struct amp_pki *p = st->port->pki;

    return p && p->expiry(p->ctx, amp_station_unix_ms(st, st->now)) > 0;
}

/* The operator's URL and password say what is used before anybody sets a profile. */
void amp_security_init(struct amp_station *st)
{
    struct amp_security *s = &st->security;
    struct amp_credentials now;
    struct amp_url url;
    int32_t least = has_password(st) ? 1 : 0;

    if (amp_url_parse(amp_text_of(st->url), &url) == 0 && url.tls)
        least = has_certificate(st) && !has_password(st) ? 3 : 2;
    if (st->set.security_profile < least)
        st->set.security_profile = least;
    used(st, &now);
    if (!s->known)
        s->good = now;
    s->pending = !same(&s->good, &now);
    amp_events_raise(st, AMP_SEC_STARTUP, amp_text_of(st->firmware));
}

bool amp_security_allows(struct amp_station *st, int32_t profile, bool rising)
{
    bool ok = true;

    if (rising) { /* 154 */
        ok = profile > st->set.security_profile;
        if (profile == 1 || profile == 2)
            ok = ok && has_password(st);
        if (profile >= 2)
            ok = ok && has_root(st);
        if (profile == 3)
            ok = ok && has_certificate(st);
    }
    return ok && store_good(st) == 0;
}

void amp_security_changed(struct amp_station *st)
{
    struct amp_security *s = &st->security;
    struct amp_credentials now;

    s->fallback = s->before = false;
    s->failures = 0;
    used(st, &now);
    s->pending = !same(&s->good, &now);
    amp_events_raise(st, AMP_SEC_RECONFIGURED, AMP_TEXT("credentials"));
    amp_security_reconnect(st, "reconnecting with the new credentials");
}

void amp_security_renamed(struct amp_station *st)
{
    amp_events_raise(st, AMP_SEC_RECONFIGURED, AMP_TEXT("CpoName"));
}

void amp_security_reconnect(struct amp_station *st, const char *why)
{
    if (st->link.state == AMP_LINK_UP)
        st->security.reconnect = why;
}

/* ---- an attempt ---- */

void amp_security_endpoint(const struct amp_station *st, struct amp_url *url,
                           struct amp_endpoint *to)
{
    struct amp_credentials c;
    bool secure;

    used(st, &c);
    secure = c.profile >= 2;
    memset(url, 0, sizeof(*url));
    memset(to, 0, sizeof(*to));
    if (amp_url_parse(amp_text_of(secure && st->secure_url[0] ? st->secure_url : st->url), url) < 0)
        return; /* cannot be: checked at init */
    if (secure && !url->tls) {
        url->tls = true;
        url->port = url->port == 80 ? 443 : url->port;
    }
    *to = (struct amp_endpoint){ .tls = url->tls,
                                 .host = url->host,
                                 .port = url->port,
                                 .certificate = c.profile == 3,
                                 .before = c.profile == 3 && st->security.before };
}

static int nibble(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The AuthorizationKey as the bytes its hex stands for (155), else the operator's password as it
 * is. In profile 3 the certificate speaks. */
void amp_security_authorization(const struct amp_station *st, struct amp_buf *out)
{
    struct amp_credentials c;
    char bytes[AMP_KEY_HEX_MAX / 2];
    struct amp_text password = { bytes, 0 };

    used(st, &c);
    if (c.profile == 3)
        return;
    if (c.key[0]) {
        for (const char *key = c.key; key[0] && key[1]; key += 2)
            bytes[password.len++] = (char)(nibble(key[0]) << 4 | nibble(key[1]));
    } else if (st->has_password) {
        password = amp_text_of(st->password);
    } else {
        return;
    }
    amp_basic_encode(out, amp_text_of(st->identity), password);
}

static void take_turns(struct amp_station *st)
{
    struct amp_security *s = &st->security;

    if (!s->pending && !(st->set.key[0] && st->has_password))
        return; /* there is only one way */
    s->fallback = !s->fallback;
    s->failures = 0;
}

/* The certificate before the newest was shown and taken: the newest was refused, and not by chance.
 */
static void drop_newest(struct amp_station *st)
{
    const struct amp_pki *p = st->port->pki;

    st->security.before = false;
    if (p->discard(p->ctx, amp_station_unix_ms(st, st->now)) < 0)
        return; /* there is only one: it was this one */
    amp_log(st, AMP_LOG_WARN, "the new certificate is refused: back to the one before it");
    amp_events_raise(st, AMP_SEC_OWN_CERTIFICATE, AMP_TEXT("refused by the central system"));
    amp_certificates_dropped(st);
}

void amp_security_up(struct amp_station *st)
{
    struct amp_security *s = &st->security;

    if (s->before)
        drop_newest(st); /* nothing is pending: profile 3 it is */
    s->told = 0;
    s->failures = s->hung_up = 0;
    s->reconnect = NULL;
    if (!s->pending)
        return;
    s->pending = false;
    if (s->fallback) { /* the new ones do not work: as if they had never come */
        amp_log(st, AMP_LOG_WARN, "the new credentials do not work: back to the old ones");
        amp_config_credentials(st, s->good.profile, s->good.key);
        amp_events_raise(st, AMP_SEC_RECONFIGURED, AMP_TEXT("back to the old credentials"));
        s->fallback = false;
        return;
    }
    used(st, &s->good);
    /* not stored: the next start tries the old ones too, should the new ones fail then */
    if (store_good(st) < 0)
        amp_log(st, AMP_LOG_ERROR, "that the new credentials work could not be stored");
}

void amp_security_refused(struct amp_station *st)
{
    struct amp_credentials c;

    used(st, &c);
    amp_security_once(st, AMP_SEC_FAILED_AT_CENTRAL, AMP_NO_TEXT);
    st->security.hung_up = 0;
    if (c.profile == 3 && !st->security.pending)
        st->security.before = !st->security.before;
    take_turns(st);
}

/* In TLS 1.3 a refused certificate may show in nothing else: the alert is lost when the connection
 * is reset under the request. Several times in a row it is a refusal. */
void amp_security_hung_up(struct amp_station *st)
{
    struct amp_credentials c;

    used(st, &c);
    if (c.profile == 3 && ++st->security.hung_up >= TRIES)
        amp_security_refused(st);
}

void amp_security_failed(struct amp_station *st)
{
    struct amp_security *s = &st->security;

    if (!s->pending || s->good.profile == st->set.security_profile)
        return; /* a key is not the reason why nobody answers */
    if (++s->failures >= TRIES)
        take_turns(st);
}

/* ---- events of the connection ---- */

void amp_security_once(struct amp_station *st, unsigned event, struct amp_text info)
{
    uint32_t bit = (uint32_t)1 << event;

    if (st->security.told & bit)
        return;
    st->security.told |= bit;
    amp_events_raise(st, event, info);
}

void amp_station_tls_failed(struct amp_station *st, enum amp_tls_fault what, struct amp_text why,
                            uint64_t now)
{
    static const struct {
        uint8_t event;
        const char *text;
    } kinds[] = {
        [AMP_TLS_CERTIFICATE] = { AMP_SEC_CENTRAL_CERTIFICATE,
                                  "the central system's certificate: " },
        [AMP_TLS_VERSION] = { AMP_SEC_TLS_VERSION, "the central system's TLS version: " },
        [AMP_TLS_CIPHER] = { AMP_SEC_TLS_CIPHER, "the central system's cipher suites: " },
        [AMP_TLS_OURS] = { AMP_SEC_FAILED_AT_CENTRAL, "our certificate: " },
        [AMP_TLS_OTHER] = { 0, "TLS: " },
    };

    if ((unsigned)what >= AMP_COUNT(kinds))
        return;
    st->now = now > st->now ? now : st->now;
    if (st->dead)
        return;
    amp_log2(st, AMP_LOG_WARN, kinds[what].text, why);
    if (kinds[what].event)
        amp_security_once(st, kinds[what].event, amp_text_utf8(why) ? why : AMP_NO_TEXT);
    if (what == AMP_TLS_OURS)
        amp_security_refused(st);
}
