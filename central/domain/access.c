/* central/domain/access.c - see access.h. central-edge-cases 38-43, 61, 64. */
#include "central/domain/access.h"
#include "central/domain/inside.h"

/* ---- one charger ---- */

const struct access_fact *charger_access(const struct charger *c)
{
    return c->access ? c->access : &c->no_access;
}

void access_apply(struct world *w, const struct access_fact *a)
{
    struct charger *c = world_charger_by_key(w, a->charger);

    if (c)
        keep(FACT_ACCESS, &c->access, a);
}

void world_put_access(struct world *w, struct charger *c, const struct access_fact *a)
{
    struct access_fact now = *a;

    now.charger = c->fact->key;
    keep(FACT_ACCESS, &c->access, &now);
    tell(w, FACT_ACCESS, c->access);
}

void world_reached(struct world *w, struct charger *c, int profile)
{
    struct access_fact now = *charger_access(c);

    if (profile <= now.profile)
        return;
    now.profile = profile;
    world_put_access(w, c, &now);
}

void world_password_used(struct world *w, struct charger *c, int64_t now_ms)
{
    struct access_fact now = *charger_access(c);

    if (!now.next.len)
        return;
    now.password = now.next;
    now.next = AMP_NO_TEXT;
    now.password_ms = now_ms;
    world_put_access(w, c, &now);
}

void world_heartbeat(struct world *w, struct charger *c, int32_t heartbeat_s)
{
    if (c->fact->heartbeat_s == heartbeat_s)
        return;
    c->fact->heartbeat_s = heartbeat_s;
    tell(w, FACT_CHARGER, c->fact);
}

size_t world_pending(const struct world *w)
{
    size_t count = 0;

    if (w->config.accept_unknown)
        return 0; /* nobody knocks */
    for (size_t i = 0; i < w->charger_count; i++)
        count += w->chargers[i]->fact->registration == REGISTRATION_PENDING &&
                 !w->chargers[i]->fact->decided;
    return count;
}

/* ---- boot rules: a sorted list; there are few ---- */

static int compare(const struct boot_rule_fact *a, const struct boot_rule_fact *b)
{
    uint32_t len = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = len ? memcmp(a->name.at, b->name.at, len) : 0;

    if (a->org != b->org)
        return a->org < b->org ? -1 : 1;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return order ? order : a->name.len < b->name.len ? -1 : a->name.len > b->name.len;
}

static size_t find(const struct world *w, int64_t org, struct amp_text name)
{
    size_t i = 0;

    while (i < w->boot_rule_count &&
           (w->boot_rules[i]->org != org || !amp_text_eq(w->boot_rules[i]->name, name)))
        i++;
    return i;
}

void boot_rule_apply(struct world *w, const struct boot_rule_fact *r)
{
    struct boot_rule_fact *fresh = pack(FACT_BOOT_RULE, r);
    size_t i = find(w, r->org, r->name);

    if (i < w->boot_rule_count) {
        free(w->boot_rules[i]);
        w->boot_rule_count--;
        memmove(w->boot_rules + i, w->boot_rules + i + 1,
                (w->boot_rule_count - i) * sizeof w->boot_rules[0]);
    }
    if (fresh->deleted) {
        free(fresh);
        return;
    }
    w->boot_rules = grow_list(w->boot_rules, w->boot_rule_count, &w->boot_rule_cap);
    for (i = w->boot_rule_count++; i > 0 && compare(w->boot_rules[i - 1], fresh) > 0; i--)
        w->boot_rules[i] = w->boot_rules[i - 1];
    w->boot_rules[i] = fresh;
}

void world_put_boot_rule(struct world *w, const struct boot_rule_fact *r)
{
    tell(w, FACT_BOOT_RULE, r);
    boot_rule_apply(w, r);
}

const struct boot_rule_fact *world_boot_rule(const struct world *w, int64_t org,
                                             struct amp_text name)
{
    return world_boot_rule_at(w, find(w, org, name));
}

size_t world_boot_rule_count(const struct world *w)
{
    return w->boot_rule_count;
}

const struct boot_rule_fact *world_boot_rule_at(const struct world *w, size_t i)
{
    return i < w->boot_rule_count ? w->boot_rules[i] : NULL;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* The usual walk: on a mismatch the last star takes one character more. */
bool access_fits(struct amp_text pattern, struct amp_text text)
{
    uint32_t p = 0, t = 0, star = UINT32_MAX, mark = 0;

    if (!pattern.at)
        return true;
    while (t < text.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len &&
                   (pattern.at[p] == '?' || fold(pattern.at[p]) == fold(text.at[t]))) {
            p++;
            t++;
        } else if (star != UINT32_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

int world_boot_rules_say(const struct world *w, const struct charger_fact *f)
{
    for (size_t i = 0; i < w->boot_rule_count; i++) {
        const struct boot_rule_fact *r = w->boot_rules[i];

        if (r->org == f->org && (r->known || !f->decided) && access_fits(r->id, f->id) &&
            access_fits(r->vendor, f->vendor) && access_fits(r->model, f->model) &&
            access_fits(r->firmware, f->firmware) &&
            (access_fits(r->serial, f->serial) || access_fits(r->serial, f->box_serial)))
            return r->registration;
    }
    return 0;
}

/* ---- the end of a charger ---- */

/* Out of what is looked through, into those that only their key finds. */
void charger_bury(struct world *w, struct charger *c)
{
    size_t i = 0;

    if (c->buried)
        return;
    c->buried = true;
    map_remove(&w->by_id, amp_text_hashi(c->fact->id), c);
    while (i < w->charger_count && w->chargers[i] != c)
        i++;
    if (i < w->charger_count) {
        w->charger_count--;
        memmove(w->chargers + i, w->chargers + i + 1,
                (w->charger_count - i) * sizeof w->chargers[0]);
    }
    c->next_buried = w->buried;
    w->buried = c;
}

int world_delete_charger(struct world *w, struct charger *c, int64_t now_ms)
{
    for (const struct transaction *t = c->transactions; t; t = t->next)
        if (transaction_is_open(t->fact->state))
            return AMP_E_STATE;
    if (c->session)
        (void)world_disconnected(w, c, c->session, 1008, AMP_TEXT("the charger was deleted"),
                                 now_ms);
    command_offline(w, c, now_ms);
    world_put_access(w, c, &(struct access_fact){ 0 }); /* no secret outlives it */
    c->fact->deleted_ms = now_ms;
    tell(w, FACT_CHARGER, c->fact);
    charger_bury(w, c);
    return 0;
}
