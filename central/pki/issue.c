/* central/pki/issue.c - see issue.h. */
#include "central/pki/issue.h"
#include "central/domain/access.h"
#include "central/domain/shared.h"
#include "central/log.h"
#include "central/pki/authority.h"
#include "central/pki/outside.h"
#include "central/v16/v16.h"
#include "ocpp/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COMMAND_S 120 /* that an outside authority may take */
#define DAY_MS    86400000ll
#define NAMES_MAX 512

/* One request that is being signed. */
struct job {
    struct job *next;
    struct issue *i; /* NULL: given up */
    uv_work_t work;
    struct outside *outside;     /* or it is asked there */
    struct authority *authority; /* held */
    char id[AUTHORITY_SERIAL];
    char *csr;
    char names[4][128];
    int64_t now_ms, days;
    char *organisation;
    struct authority_issue out;
};

struct issue {
    struct central *c;
    struct authority *authority;
    struct job *jobs;
    int64_t look_ms; /* when renewals are looked for again */
    bool resumed;
    bool serves; /* the server's certificate is ours to renew */
};

struct issue *issue_new(struct central *c)
{
    struct issue *i = calloc(1, sizeof *i);

    if (!i)
        abort();
    i->c = c;
    return i;
}

static void job_free(struct job *j)
{
    authority_issue_free(&j->out);
    free(j->csr);
    free(j->organisation);
    free(j);
}

void issue_free(struct issue *i)
{
    if (!i)
        return;
    for (struct job *j = i->jobs, *next; j; j = next) {
        next = j->next;
        if (j->outside) {
            outside_cancel(j->outside);
            job_free(j);
        } else {
            j->i = NULL; /* on_signed frees it */
        }
    }
    authority_close(i->authority);
    free(i);
}

/* ---- the authority ---- */

struct authority *issue_authority(struct issue *i, char **why)
{
    const struct settings *s = &i->c->settings;

    if (!i->authority)
        i->authority = authority_open(s->data, s->cpo_name, i->c->now_ms(), why);
    return i->authority;
}

/* How this server may be called: what the setting says, and what it calls itself. */
static void server_names(const struct settings *s, char out[NAMES_MAX])
{
    char host[128] = "";

    if (*s->tls_name) {
        snprintf(out, NAMES_MAX, "%s", s->tls_name);
        return;
    }
    (void)gethostname(host, sizeof host - 1);
    snprintf(out, NAMES_MAX, "%s%slocalhost, 127.0.0.1, ::1", host, *host ? ", " : "");
}

static char *path_of(const struct settings *s, const char *name)
{
    size_t len = strlen(s->data) + strlen(name) + 2;
    char *path = malloc(len);

    if (!path)
        abort();
    snprintf(path, len, "%s/%s", s->data, name);
    return path;
}

int issue_open(struct issue *i, char **cert, char **cert2, char **ca, char **why)
{
    const struct settings *s = &i->c->settings;
    char names[NAMES_MAX];
    int rc;

    if (!*s->tls_listen && !*s->tls_client_listen)
        return 0;
    if (!issue_authority(i, why))
        return AMP_E_IO;
    *ca = path_of(s, "ca.pem");
    if (*s->tls_cert)
        return 0;
    server_names(s, names);
    rc = authority_serve(i->authority, s->data, names, i->c->now_ms(), why);
    if (rc < 0)
        return rc;
    i->serves = true;
    *cert = path_of(s, "server-ecdsa.pem");
    *cert2 = path_of(s, "server-rsa.pem");
    return 0;
}

/* ---- facts ---- */

static void put(struct issue *i, const struct certificate_fact *f)
{
    struct fact fact = { .kind = FACT_CERTIFICATE, .u.certificate = *f };

    central_emit(i->c, &fact);
    certificates_apply(i->c->certificates, f);
}

static void fail(struct issue *i, const struct certificate_fact *f, const char *why)
{
    struct certificate_fact now = *f;

    now.state = CERTIFICATE_FAILED;
    now.reason = amp_text_of(why);
    LOG(i->c->log, LOG_WARN, "pki", "certificate not signed", LOG_TEXT("name", f->name),
        LOG_STR("why", why));
    put(i, &now);
}

/* E44: behind the answer to SignCertificate, because frames leave in the order in which they were
 * queued. Waits for the station if it is away, also between attempts, for as long as the certificate
 * is of use. */
static void deliver(struct issue *i, struct charger *c, const struct certificate_fact *f)
{
    char text[16384];
    struct amp_buf b;
    struct amp_json w;
    int64_t key;

    amp_buf_init(&b, text, sizeof text);
    amp_json_init(&w, &b);
    amp_json_open(&w, '{');
    amp_json_key(&w, "certificateChain");
    amp_json_text(&w, f->pem);
    amp_json_close(&w, '}');
    key = central_ask(i->c, c,
                      &(struct command_fact){ .connector = -1,
                                              .action = AMP_TEXT("CertificateSigned"),
                                              .payload = amp_buf_text(&b),
                                              .expires_ms = f->to_ms,
                                              .by = AMP_TEXT("system") },
                      true);
    if (key < 0)
        LOG(i->c->log, LOG_WARN, "pki", "certificate not sent",
            LOG_TEXT("charger", charger_fact(c)->id), LOG_STR("why", amp_err_text((int)key)));
}

static void issued(struct issue *i, const char *id, const struct authority_issue *out)
{
    const struct certificate_fact *f = certificates_get(i->c->certificates, amp_text_of(id));
    struct charger *c = f ? world_charger_by_key(i->c->world, f->charger) : NULL;
    struct certificate_fact now;

    if (!f || f->state != CERTIFICATE_ASKED)
        return; /* a newer request came, or somebody gave it up */
    now = *f;
    now.state = CERTIFICATE_ISSUED;
    now.serial = amp_text_of(out->serial);
    now.issuer = amp_text_of(out->issuer);
    now.name = amp_text_of(out->name);
    now.pem = amp_text_of(out->pem);
    now.issued_ms = i->c->now_ms();
    now.from_ms = out->from_ms;
    now.to_ms = out->to_ms;
    put(i, &now);
    LOG(i->c->log, LOG_INFO, "pki", "certificate issued", LOG_STR("name", out->name),
        LOG_STR("serial", out->serial));
    if (c && !charger_fact(c)->deleted_ms)
        deliver(i, c, &now);
}

/* ---- signing ---- */

static struct authority_order order_of(const struct job *j)
{
    struct authority_order o = { .csr = amp_text_of(j->csr),
                                 .organisation = j->organisation,
                                 .serial = j->id,
                                 .now_ms = j->now_ms,
                                 .days = j->days };

    for (size_t n = 0; n < AMP_COUNT(o.names); n++)
        o.names[n] = amp_text_of(j->names[n]);
    return o;
}

static void on_pool(uv_work_t *w)
{
    struct job *j = w->data;
    struct authority_order o = order_of(j);

    if (authority_sign(j->authority, &o, &j->out) < 0)
        authority_issue_free(&j->out); /* out.why says what is wrong */
}

static void unlink_job(struct job *j)
{
    struct job **at = &j->i->jobs;

    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
}

static void on_signed(uv_work_t *w, int status)
{
    struct job *j = w->data;
    const struct certificate_fact *f;

    (void)status;
    authority_close(j->authority);
    if (!j->i) { /* the server went down meanwhile */
        job_free(j);
        return;
    }
    unlink_job(j);
    f = certificates_get(j->i->c->certificates, amp_text_of(j->id));
    if (j->out.pem)
        issued(j->i, j->id, &j->out);
    else if (f)
        fail(j->i, f, j->out.why);
    job_free(j);
}

static void on_outside(void *ctx, int code, struct amp_text out, const char *why)
{
    struct job *j = ctx;
    struct issue *i = j->i;
    const struct certificate_fact *f = certificates_get(i->c->certificates, amp_text_of(j->id));

    unlink_job(j);
    if (code == OUTSIDE_LATER)
        LOG(i->c->log, LOG_INFO, "pki", "certificate comes later", LOG_STR("request", j->id));
    else if (code != 0 && f)
        fail(i, f, why);
    else if (authority_take(out, amp_text_of(j->csr), &j->out) < 0 && f)
        fail(i, f, j->out.why);
    else if (j->out.pem)
        issued(i, j->id, &j->out);
    job_free(j);
}

static void begin(struct issue *i, struct charger *c, const struct certificate_fact *f)
{
    const struct settings *s = &i->c->settings;
    struct job *j = calloc(1, sizeof *j);
    char charger[130], *why = NULL;

    if (!j)
        abort();
    j->i = i;
    j->csr = strndup(f->csr.at, f->csr.len);
    j->organisation = strdup(s->cpo_name);
    j->now_ms = i->c->now_ms();
    j->days = s->certificate_days;
    amp_text_copy(j->id, sizeof j->id, f->id);
    amp_text_copy(j->names[0], sizeof j->names[0], f->name);
    amp_text_copy(charger, sizeof charger, charger_fact(c)->id);
    j->next = i->jobs;
    i->jobs = j;
    if (*s->ca_command) {
        j->outside = outside_ask(i->c->loop, s->ca_command, f->csr, j->id, charger, COMMAND_S,
                                 on_outside, j);
        if (j->outside)
            return;
        why = strdup("the command of the authority cannot be run");
    } else if (issue_authority(i, &why)) {
        j->authority = authority_share(i->authority);
        j->work.data = j;
        if (uv_queue_work(i->c->loop, &j->work, on_pool, on_signed) == 0)
            return;
        authority_close(j->authority);
    }
    unlink_job(j);
    fail(i, f, why ? why : "it could not be signed");
    free(why);
    job_free(j);
}

/* ---- requests ---- */

/* A newer request of the same station takes the place of one that is not signed yet. */
static void supersede(struct issue *i, int64_t charger)
{
    struct certificates *k = i->c->certificates;

    for (size_t n = certificates_count(k); n-- > 0;) {
        const struct certificate_fact *f = certificates_at(k, n);

        if (f->charger == charger && f->state == CERTIFICATE_ASKED)
            fail(i, f, "the station asked again");
    }
}

int issue_request(struct issue *i, struct charger *c, struct amp_text csr, char why[ISSUE_WHY])
{
    const struct charger_fact *ch = charger_fact(c);
    struct authority_order o = { .csr = csr,
                                 .names = { ch->id, ch->serial, ch->box_serial,
                                            charger_access(c)->certificate },
                                 .organisation = i->c->settings.cpo_name };
    struct authority_issue out;
    char id[AUTHORITY_SERIAL];
    struct certificate_fact f;
    int rc = authority_check(&o, &out);

    if (rc < 0) {
        snprintf(why, ISSUE_WHY, "%s", out.why);
        LOG(i->c->log, LOG_WARN, "pki", "request for a certificate refused",
            LOG_TEXT("charger", ch->id), LOG_STR("why", out.why));
        return rc;
    }
    supersede(i, ch->key);
    authority_serial(id);
    f = (struct certificate_fact){ .id = amp_text_of(id),
                                   .org = ch->org,
                                   .charger = ch->key,
                                   .state = CERTIFICATE_ASKED,
                                   .name = amp_text_of(out.name),
                                   .csr = csr,
                                   .asked_ms = i->c->now_ms() };
    put(i, &f);
    begin(i, c, certificates_get(i->c->certificates, f.id));
    return 0;
}

int issue_give(struct issue *i, struct amp_text id, struct amp_text pem, char why[ISSUE_WHY])
{
    const struct certificate_fact *f = certificates_get(i->c->certificates, id);
    struct authority_issue out;
    char name[AUTHORITY_SERIAL];
    int rc;

    if (!f || f->state != CERTIFICATE_ASKED)
        return AMP_E_ABSENT;
    rc = authority_take(pem, f->csr, &out);
    if (rc < 0) {
        snprintf(why, ISSUE_WHY, "%s", out.why);
        return rc;
    }
    amp_text_copy(name, sizeof name, id);
    issued(i, name, &out);
    authority_issue_free(&out);
    return 0;
}

/* The newest of a charger that is of use. */
static const struct certificate_fact *newest(const struct issue *i, int64_t charger)
{
    struct certificates *k = i->c->certificates;

    for (size_t n = certificates_count(k); n-- > 0;) {
        const struct certificate_fact *f = certificates_at(k, n);

        if (f->charger == charger &&
            (f->state == CERTIFICATE_ISSUED || f->state == CERTIFICATE_INSTALLED))
            return f;
    }
    return NULL;
}

/* Does this payload hold the certificate? As our own writer wrote it. */
static bool holds(struct amp_text payload, struct amp_text pem)
{
    char text[16384];
    struct amp_buf quoted;

    amp_buf_init(&quoted, text, sizeof text);
    amp_json_quote(&quoted, pem);
    return !quoted.full && memmem(payload.at, payload.len, text, quoted.len);
}

/* Not simply the newest: one that is sent again may be older than what the station asked for since.
 */
void issue_answered(struct issue *i, struct charger *c, struct amp_text payload, bool accepted)
{
    struct certificates *k = i->c->certificates;
    const struct certificate_fact *f = NULL;
    struct certificate_fact now;

    for (size_t n = certificates_count(k); n-- > 0 && !f;) {
        const struct certificate_fact *at = certificates_at(k, n);

        if (at->charger == charger_fact(c)->key && at->state == CERTIFICATE_ISSUED &&
            holds(payload, at->pem))
            f = at;
    }

    if (!f)
        return;
    now = *f;
    now.state = accepted ? CERTIFICATE_INSTALLED : CERTIFICATE_REFUSED;
    put(i, &now);
}

void issue_heard(struct issue *i, const struct certificate_fact *f)
{
    struct charger *c = world_charger_by_key(i->c->world, f->charger);

    if (f->state == CERTIFICATE_REVOKED && c && charger_session(c) &&
        charger_access(c)->profile == 3)
        v16_drop(i->c->v16, c, 1008, "its certificate was revoked");
}

int issue_revoke(struct issue *i, struct amp_text id, struct amp_text reason)
{
    const struct certificate_fact *f = certificates_get(i->c->certificates, id);
    struct certificate_fact now;

    if (!f)
        return AMP_E_ABSENT;
    if (!f->serial.len || f->state == CERTIFICATE_REVOKED)
        return AMP_E_STATE;
    now = *f;
    now.state = CERTIFICATE_REVOKED;
    now.reason = reason;
    now.revoked_ms = i->c->now_ms();
    put(i, &now);
    issue_heard(i, certificates_get(i->c->certificates, id));
    return 0;
}

char *issue_crl(struct issue *i)
{
    struct certificates *k = i->c->certificates;
    size_t count = 0, all = certificates_count(k);
    struct authority_revoked *list = calloc(all + 1, sizeof *list);
    char(*serials)[65] = calloc(all + 1, sizeof *serials), *pem, *why = NULL;

    if (!list || !serials)
        abort();
    for (size_t n = 0; n < all; n++) {
        const struct certificate_fact *f = certificates_at(k, n);

        if (f->state != CERTIFICATE_REVOKED)
            continue;
        amp_text_copy(serials[count], sizeof serials[count], f->serial);
        list[count].serial = serials[count];
        list[count].at_ms = f->revoked_ms;
        count++;
    }
    pem =
        issue_authority(i, &why) ? authority_crl(i->authority, list, count, i->c->now_ms()) : NULL;
    free(why);
    free(list);
    free(serials);
    return pem;
}

/* ---- time ---- */

/* What a former process did not finish is asked for again. */
static void resume(struct issue *i)
{
    struct certificates *k = i->c->certificates;

    for (size_t n = 0; n < certificates_count(k); n++) {
        const struct certificate_fact *f = certificates_at(k, n);
        struct charger *c =
            f->state == CERTIFICATE_ASKED ? world_charger_by_key(i->c->world, f->charger) : NULL;

        if (c)
            begin(i, c, f);
    }
}

/* A certificate that ends soon: the station is asked to ask, once a day. */
static void renew(struct issue *i, int64_t now_ms)
{
    struct world *w = i->c->world;
    int64_t before_ms = i->c->settings.certificate_renew * DAY_MS;

    for (size_t n = 0; before_ms && n < world_charger_count(w); n++) {
        struct charger *c = world_charger_at(w, n);
        const struct certificate_fact *f = newest(i, charger_fact(c)->key);

        if (f && f->to_ms > now_ms && f->to_ms - now_ms < before_ms && charger_reachable(c))
            (void)central_ask(i->c, c,
                              &(struct command_fact){
                                  .connector = -1,
                                  .action = AMP_TEXT("ExtendedTriggerMessage"),
                                  .payload = AMP_TEXT(
                                      "{\"requestedMessage\":\"SignChargePointCertificate\"}"),
                                  .by = AMP_TEXT("system") },
                              false);
    }
}

static void serve_again(struct issue *i)
{
    char names[NAMES_MAX], *why = NULL;

    server_names(&i->c->settings, names);
    /* the network sees that the files are new */
    if (authority_serve(i->authority, i->c->settings.data, names, i->c->now_ms(), &why) < 0)
        LOG(i->c->log, LOG_ERROR, "pki", "the server's certificate was not renewed",
            LOG_STR("why", why));
    free(why);
}

void issue_tick(struct issue *i)
{
    int64_t now_ms = i->c->now_ms();

    if (!i->resumed) {
        i->resumed = true;
        resume(i);
    }
    if (now_ms < i->look_ms)
        return;
    if (i->look_ms && central_leads(i->c))
        renew(i, now_ms);
    if (i->look_ms && i->serves)
        serve_again(i);
    i->look_ms = now_ms + DAY_MS;
}
