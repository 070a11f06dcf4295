/* central/domain/installed.c - which charging profiles a station has, as far as it said so: see
 * profile.h. */
#include "central/domain/follow.h"
#include "central/domain/profile.h"
#include "ocpp/json.h"

#define AGAIN_MS 60000 /* after an answer that was lost */

static const struct {
    int state;
    enum installed_event event;
    int next;
} moves[] = {
    { INSTALLED_REQUESTED, INSTALLED_TAKES, INSTALLED_HERE },
    { INSTALLED_REQUESTED, INSTALLED_REFUSES, INSTALLED_GONE },
    { INSTALLED_REQUESTED, INSTALLED_LOSES, INSTALLED_STALE },
    { INSTALLED_REQUESTED, INSTALLED_ENDS, INSTALLED_GONE },
    { INSTALLED_HERE, INSTALLED_LOSES, INSTALLED_STALE },
    { INSTALLED_HERE, INSTALLED_RESTARTS, INSTALLED_STALE },
    { INSTALLED_HERE, INSTALLED_ENDS, INSTALLED_GONE },
    { INSTALLED_STALE, INSTALLED_TAKES, INSTALLED_HERE },
    { INSTALLED_STALE, INSTALLED_REFUSES, INSTALLED_GONE },
    { INSTALLED_STALE, INSTALLED_ENDS, INSTALLED_GONE },
};

int installed_next(int state, enum installed_event e)
{
    for (size_t i = 0; i < AMP_COUNT(moves); i++)
        if (moves[i].state == state && moves[i].event == e)
            return moves[i].next;
    return 0;
}

/* ---- keeping ---- */

static struct installed **slot(const struct charger *c, int64_t id)
{
    struct installed **at = (struct installed **)(uintptr_t)&c->installed;

    while (*at && (*at)->fact->id < id)
        at = &(*at)->next;
    return at;
}

static struct installed *find(const struct charger *c, int64_t id)
{
    struct installed *p = *slot(c, id);

    return p && p->fact->id == id ? p : NULL;
}

void installed_free(struct charger *c)
{
    for (struct installed *p = c->installed, *next; p; p = next) {
        next = p->next;
        free(p->fact);
        free(p);
    }
}

void installed_apply(struct world *w, const struct installed_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->charger);
    struct installed **at = c ? slot(c, f->id) : NULL, *p = at ? *at : NULL;
    bool here = p && p->fact->id == f->id;

    if (!c)
        return;
    if (f->state == INSTALLED_GONE) {
        if (here) {
            *at = p->next;
            free(p->fact);
            free(p);
        }
        return;
    }
    if (!here) {
        struct installed *fresh = must(calloc(1, sizeof *fresh));

        fresh->next = p;
        *at = p = fresh;
    }
    keep(FACT_INSTALLED, &p->fact, f);
}

static void put(struct world *w, const struct installed_fact *f)
{
    struct fact whole = { .kind = FACT_INSTALLED, .u.installed = *f };
    struct fact *copy = fact_copy(&whole); /* texts of `f` may be those of the record itself */

    installed_apply(w, &copy->u.installed);
    tell(w, FACT_INSTALLED, &copy->u.installed);
    free(copy);
}

/* Of `f`, a copy of the record with what is new already in it. */
static void happens(struct world *w, struct installed_fact *f, enum installed_event e,
                    struct amp_text why, int64_t now_ms)
{
    int next = installed_next(f->state, e);

    if (next)
        f->state = next;
    f->why = why;
    f->changed_ms = now_ms;
    put(w, f);
}

static void ends(struct world *w, struct installed *p, const char *why, int64_t now_ms)
{
    struct installed_fact f = *p->fact;

    f.pending = AMP_NO_TEXT;
    happens(w, &f, INSTALLED_ENDS, amp_text_of(why), now_ms);
}

const struct installed_fact *charger_profile(const struct charger *c, size_t i)
{
    const struct installed *p = c->installed;

    while (p && i-- > 0)
        p = p->next;
    return p ? p->fact : NULL;
}

const struct installed_fact *charger_profile_by_id(const struct charger *c, int64_t id)
{
    const struct installed *p = find(c, id);

    return p ? p->fact : NULL;
}

int64_t charger_profile_id(const struct charger *c, struct amp_text name, int32_t connector)
{
    int64_t top = PROFILE_ID_BASE;

    for (const struct installed *p = c->installed; p; p = p->next) {
        if (p->fact->name.len && amp_text_eqi(p->fact->name, name) &&
            p->fact->connector == connector)
            return p->fact->id;
        if (p->fact->id > top)
            top = p->fact->id;
    }
    return top < INT32_MAX ? top + 1 : PROFILE_ID_BASE;
}

void world_profile_hint(struct world *w, const struct profile_hint *hint)
{
    w->hint = hint;
}

/* ---- asked for ---- */

/* The profile inside a payload, as it was sent; a piece of it. */
static struct amp_text inside(struct amp_text payload)
{
    struct asked_profile_text t;
    struct amp_arena arena;
    char block[512];

    amp_arena_init(&arena, block, sizeof block);
    if (amp_decode(&asked_profile_text_record, AMP_OCPP16, AMP_LENIENT, payload, &t, &arena, NULL,
                   NULL) < 0)
        return AMP_NO_TEXT;
    return t.cs_charging_profiles.at ? t.cs_charging_profiles : t.charging_profile;
}

/* A record of what is asked for, or what it becomes. */
static void asked_for(struct world *w, const struct followed *f, const struct asked_profile *q,
                      int32_t connector)
{
    const struct installed *p = find(f->c, q->charging_profile_id);
    const struct profile_hint *hint =
        w->hint && w->hint->charger == f->k->charger && w->hint->id == q->charging_profile_id
            ? w->hint
            : NULL;
    struct installed_fact now =
        p ? *p->fact
          : (struct installed_fact){ .charger = f->c->fact->key,
                                     .id = q->charging_profile_id,
                                     .org = f->c->fact->org,
                                     .connector = connector,
                                     .state = INSTALLED_REQUESTED,
                                     .stack = (int32_t)q->stack_level,
                                     .purpose = q->charging_profile_purpose };

    if (hint) {
        now.name = hint->name;
        now.on_boot = hint->on_boot;
    }
    now.pending = inside(f->k->payload);
    now.command = f->k->key;
    now.why = AMP_NO_TEXT;
    now.changed_ms = f->at_ms;
    put(w, &now);
}

/* B12: what has the same purpose and stack level at this connector made room. */
static void replaces(struct world *w, struct charger *c, const struct installed_fact *f)
{
    for (struct installed *p = c->installed, *next; p; p = next) {
        next = p->next;
        if (p->fact->id != f->id && p->fact->connector == f->connector &&
            p->fact->stack == f->stack && amp_text_eq(p->fact->purpose, f->purpose) &&
            p->fact->state != INSTALLED_REQUESTED)
            ends(w, p, "replaced by another of its purpose and stack level", f->changed_ms);
    }
}

static void taken(struct world *w, const struct followed *f, const struct asked_profile *q,
                  int32_t connector, int64_t transaction)
{
    struct installed *p = find(f->c, q->charging_profile_id);
    struct installed_fact now;

    if (!p || p->fact->command != f->k->key)
        return;
    now = *p->fact;
    now.body = now.pending.at ? now.pending : now.body;
    now.pending = AMP_NO_TEXT;
    now.connector = connector;
    now.stack = (int32_t)q->stack_level;
    now.purpose = q->charging_profile_purpose;
    now.transaction = transaction;
    happens(w, &now, INSTALLED_TAKES, AMP_NO_TEXT, f->at_ms);
    replaces(w, f->c, find(f->c, q->charging_profile_id)->fact);
}

static void not_taken(struct world *w, const struct followed *f, int64_t id, enum installed_event e,
                      struct amp_text why)
{
    struct installed *p = find(f->c, id);
    struct installed_fact now;

    if (!p || p->fact->command != f->k->key || !p->fact->pending.at)
        return;
    now = *p->fact;
    if (e == INSTALLED_REFUSES)
        now.pending = AMP_NO_TEXT;
    happens(w, &now, e, why, f->at_ms);
}

void installed_asked(struct world *w, const struct followed *f)
{
    const struct asked_set_charging_profile *q = f->asked;
    const struct asked_set_charging_profile_reply *a = f->reply;
    const struct asked_profile *p = &q->cs_charging_profiles;

    switch (f->k->state) {
    case COMMAND_QUEUED:
        if (!f->k->attempts)
            asked_for(w, f, p, (int32_t)q->connector_id);
        break;
    case COMMAND_CONFIRMED:
        taken(w, f, p, (int32_t)q->connector_id,
              p->has & ASKED_HAS_PROFILE_TRANSACTION_ID ? p->transaction_id : 0);
        break;
    case COMMAND_REJECTED:
    case COMMAND_ERROR:
        not_taken(w, f, p->charging_profile_id, INSTALLED_REFUSES, a ? a->status : f->k->answer);
        break;
    case COMMAND_TIMED_OUT:
        not_taken(w, f, p->charging_profile_id, INSTALLED_LOSES, f->k->answer);
        break;
    default:
        break;
    }
}

/* E91: the profile of a remote start is there when its transaction is. */
void installed_started(struct world *w, const struct followed *f)
{
    const struct asked_remote_start_transaction *q = f->asked;
    const struct transaction *t = transaction_find(w, f->k->transaction);

    if (!q->charging_profile)
        return;
    switch (f->k->state) {
    case COMMAND_QUEUED:
        if (!f->k->attempts)
            asked_for(w, f, q->charging_profile, f->k->connector > 0 ? f->k->connector : 0);
        break;
    case COMMAND_CONFIRMED:
        if (t)
            taken(w, f, q->charging_profile, t->fact->connector, t->fact->key);
        break;
    case COMMAND_REJECTED:
    case COMMAND_ERROR:
    case COMMAND_NO_EFFECT:
        not_taken(w, f, q->charging_profile->charging_profile_id, INSTALLED_REFUSES,
                  AMP_TEXT("no transaction was started"));
        break;
    default:
        break;
    }
}

/* ---- what ends them ---- */

static bool matches(const struct installed_fact *p, const struct asked_clear_charging_profile *q)
{
    if (q->has & ASKED_HAS_CLEAR_CHARGING_PROFILE_ID)
        return p->id == q->id; /* B12: the others are ignored then */
    return (!(q->has & ASKED_HAS_CLEAR_CHARGING_PROFILE_CONNECTOR_ID) ||
            p->connector == q->connector_id) &&
           (!q->charging_profile_purpose.at ||
            amp_text_eq(p->purpose, q->charging_profile_purpose)) &&
           (!(q->has & ASKED_HAS_CLEAR_CHARGING_PROFILE_STACK_LEVEL) || p->stack == q->stack_level);
}

/* E91: Unknown is accepted, too: what is not there is cleared. */
void installed_cleared(struct world *w, const struct followed *f)
{
    for (struct installed *p = f->k->state == COMMAND_CONFIRMED ? f->c->installed : NULL, *next; p;
         p = next) {
        next = p->next;
        if (p->fact->state != INSTALLED_REQUESTED && matches(p->fact, f->asked))
            ends(w, p, "cleared", f->at_ms);
    }
}

void installed_saw_stop(struct world *w, struct charger *c, const struct transaction_fact *t)
{
    for (struct installed *p = c->installed, *next; p; p = next) {
        next = p->next;
        if (p->fact->transaction == t->key && p->fact->transaction)
            ends(w, p, "its transaction has ended", t->stop_seen_ms);
    }
}

/* They survive a restart, says B12. Who does not rely on that, said so when it was installed. */
void installed_saw_boot(struct world *w, struct charger *c)
{
    for (struct installed *p = c->installed, *next; p; p = next) {
        struct installed_fact f = *p->fact;

        next = p->next;
        if (f.on_boot != INSTALLED_BOOT_KEEP && f.state == INSTALLED_HERE)
            happens(w, &f, INSTALLED_RESTARTS, AMP_TEXT("the station restarted"),
                    c->fact->last_boot_ms);
    }
}

/* ---- sent again ---- */

static bool under_way(struct world *w, const struct installed_fact *f)
{
    const struct command_fact *k = world_command_get(w, f->command);

    return k && (k->state == COMMAND_QUEUED || k->state == COMMAND_SENT);
}

bool installed_sync(struct world *w, struct charger *c, int64_t now_ms)
{
    for (struct installed *p = c->installed; p; p = p->next) {
        const struct installed_fact *f = p->fact;
        struct amp_text body = f->pending.at ? f->pending : f->body;
        struct amp_buf text;
        struct amp_json out;
        char *block;

        if (f->state != INSTALLED_STALE || f->on_boot != INSTALLED_BOOT_AGAIN || !body.len ||
            now_ms < p->not_before_ms || under_way(w, f))
            continue;
        p->not_before_ms = now_ms + AGAIN_MS;
        block = must(malloc(body.len + 128));
        amp_buf_init(&text, block, body.len + 128);
        amp_json_init(&out, &text);
        amp_json_open(&out, '{');
        amp_json_key(&out, "connectorId");
        amp_json_int(&out, f->connector);
        amp_json_key(&out, "csChargingProfiles");
        amp_json_raw(&out, body);
        amp_json_close(&out, '}');
        world_command(w, c,
                      &(struct command_fact){ .connector = f->connector,
                                              .action = AMP_TEXT("SetChargingProfile"),
                                              .payload = amp_buf_text(&text),
                                              .by = AMP_TEXT("charging profile") },
                      now_ms);
        free(block);
        return true; /* one at a time */
    }
    return false;
}
