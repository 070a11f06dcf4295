/* central/doctor.c - see doctor.h. */
#include "central/doctor.h"
#include "central/central.h"
#include "central/counts.h"
#include "central/log.h"

#include <stdlib.h>

#define PLACES    512   /* kinds, identities and addresses that are told apart at a time */
#define WAYS      8     /* places that one of them may take */
#define PERIOD_MS 60000 /* what repeats is told so often */
#define TEXT_MAX  160

struct place {
    uint64_t hash; /* 0: free */
    int64_t told_ms;
    uint32_t since; /* refusals that no fact has told of */
    enum refusal refusal;
    int64_t org, charger;
    int code;
    char id[TEXT_MAX], name[64], address[64], detail[TEXT_MAX];
};

struct doctor {
    struct central *c;
    uint64_t totals[REFUSALS];
    struct place places[PLACES];
    struct place others[REFUSALS]; /* where there was no place: only how often */
};

struct doctor *doctor_new(struct central *c)
{
    struct doctor *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    d->c = c;
    return d;
}

void doctor_free(struct doctor *d)
{
    free(d);
}

uint64_t doctor_total(const struct doctor *d, enum refusal r)
{
    return d->totals[r];
}

static void tell(struct doctor *d, struct place *p, int64_t now_ms)
{
    const struct refusal_text *t = refusal_text(p->refusal);
    struct fact f = { .kind = FACT_REFUSAL };

    f.u.refusal = (struct refusal_fact){
        .org = p->org ? p->org : ORG_DEFAULT,
        .charger = p->charger,
        .at_ms = now_ms,
        .code = p->code,
        .count = (int32_t)p->since,
        .kind = amp_text_of(t->kind),
        .id = *p->id ? amp_text_of(p->id) : AMP_NO_TEXT,
        .address = *p->address ? amp_text_of(p->address) : AMP_NO_TEXT,
        .name = *p->name ? amp_text_of(p->name) : AMP_NO_TEXT,
        .reason = amp_text_of(*p->detail ? p->detail : t->why),
    };
    p->since = 0;
    p->told_ms = now_ms;
    central_emit(d->c, &f);
}

static uint64_t hash_of(enum refusal r, const struct doctor_case *k)
{
    const char *colon = strrchr(k->address, ':');
    struct amp_text host = { k->address, (uint32_t)(colon ? (size_t)(colon - k->address)
                                                          : strlen(k->address)) };
    uint64_t h = amp_text_hashi(k->id) * 31 + amp_text_hash(host);

    return (h * REFUSALS + (uint64_t)r) * 2 + 1;
}

/* Its place, a free one, or one whose time is over; NULL: all around it are busy. */
static struct place *place_of(struct doctor *d, uint64_t hash, int64_t now_ms)
{
    struct place *set = &d->places[hash / 2 % (PLACES / WAYS) * WAYS], *found = NULL;

    for (int i = 0; i < WAYS; i++) {
        if (set[i].hash == hash)
            return &set[i];
        if (!set[i].hash || (now_ms - set[i].told_ms >= PERIOD_MS && !set[i].since))
            found = &set[i];
    }
    if (found)
        found->hash = 0;
    return found;
}

void doctor_refused(struct doctor *d, enum refusal r, const struct doctor_case *k)
{
    const struct refusal_text *t = refusal_text(r);
    int64_t now_ms = d->c->now_ms();
    uint64_t hash = hash_of(r, k);
    struct place *p = place_of(d, hash, now_ms);

    d->totals[r]++;
    counts_refused(d->c->counts, t->kind);
    LOG_OFTEN(d->c->log, LOG_WARN, "net", "connection refused", LOG_STR("kind", t->kind),
              LOG_TEXT("id", k->id), LOG_STR("peer", k->address),
              LOG_STR("why", k->detail ? k->detail : t->why));
    if (!p) {
        p = &d->others[r];
        p->refusal = r;
        p->code = k->code ? k->code : t->code;
        p->since++;
        if (!p->told_ms)
            p->told_ms = now_ms;
        return;
    }
    if (!p->hash) {
        *p = (struct place){ .hash = hash, .refusal = r, .told_ms = now_ms - PERIOD_MS };
        amp_text_copy(p->id, sizeof p->id, k->id);
    }
    p->org = k->org;
    p->charger = k->charger;
    p->code = k->code ? k->code : t->code;
    amp_text_copy(p->name, sizeof p->name, k->name);
    amp_text_copy(p->address, sizeof p->address, amp_text_of(k->address));
    amp_text_copy(p->detail, sizeof p->detail, amp_text_of(k->detail));
    p->since++;
    if (now_ms - p->told_ms >= PERIOD_MS)
        tell(d, p, now_ms);
}

static void look(struct doctor *d, struct place *p, int64_t now_ms)
{
    if (p->since && now_ms - p->told_ms >= PERIOD_MS)
        tell(d, p, now_ms);
}

void doctor_tick(struct doctor *d)
{
    int64_t now_ms = d->c->now_ms();

    for (size_t i = 0; i < PLACES; i++)
        look(d, &d->places[i], now_ms);
    for (size_t i = 0; i < REFUSALS; i++)
        look(d, &d->others[i], now_ms);
}
