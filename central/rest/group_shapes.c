/* central/rest/group_shapes.c - see group_shapes.h. */
#include "central/rest/group_shapes.h"
#include "messages/api.h"
#include <stdio.h>

static void put_amps(struct amp_json *w, const char *key, int64_t da)
{
    amp_json_key(w, key);
    amp_json_dec(w, da % 10 ? amp_dec_of(da, 1) : amp_dec_of(da / 10, 0));
}

static void put_given_amps(struct amp_json *w, const char *key, int32_t da)
{
    if (da != LOAD_NONE)
        put_amps(w, key, da);
}

static void put_given(struct amp_json *w, const char *key, int64_t v)
{
    if (v != LOAD_NONE)
        shape_int(w, key, v);
}

static void put_bool(struct amp_json *w, const char *key, bool v)
{
    amp_json_key(w, key);
    amp_json_bool(w, v);
}

static void put_str(struct amp_json *w, const char *key, const char *s)
{
    amp_json_key(w, key);
    amp_json_str(w, s);
}

static void put_phases(struct amp_json *w, const char *key, const int64_t da[], int bounds)
{
    static const char *const names[] = { "l1", "l2", "l3", "sumA" };

    amp_json_key(w, key);
    amp_json_open(w, '{');
    for (int b = 0; b < bounds; b++)
        if (da[b] != LOAD_OPEN)
            put_amps(w, names[b], da[b]);
    amp_json_close(w, '}');
}

static void put_bounds(struct amp_json *w, const char *key, const int32_t da[LOAD_BOUNDS])
{
    int64_t wide[LOAD_BOUNDS];

    for (int b = 0; b < LOAD_BOUNDS; b++)
        wide[b] = da[b];
    put_phases(w, key, wide, LOAD_BOUNDS);
}

/* ---- groups ---- */

static void put_signal(struct amp_json *w, const struct load_group_fact *g, int64_t now_ms)
{
    if (!g->signal_until_ms)
        return;
    amp_json_key(w, "signal");
    amp_json_open(w, '{');
    put_given_amps(w, "limitA", g->signal_da);
    put_given(w, "limitW", g->signal_w);
    shape_time(w, "validUntil", g->signal_until_ms);
    put_bool(w, "valid", g->signal_until_ms > now_ms);
    amp_json_close(w, '}');
}

static void put_load(struct amp_json *w, const struct load_group_fact *g, int64_t now_ms)
{
    int64_t da[] = { g->load_da[0], g->load_da[1], g->load_da[2] };

    if (!g->load_until_ms)
        return;
    amp_json_key(w, "load");
    amp_json_open(w, '{');
    put_phases(w, "currentA", da, LOAD_PHASES);
    shape_time(w, "validUntil", g->load_until_ms);
    put_bool(w, "valid", g->load_until_ms > now_ms);
    amp_json_close(w, '}');
}

void shape_group_members(struct amp_json *w, const struct central *c,
                         const struct load_group_fact *g, int64_t now_ms)
{
    shape_text(w, "id", g->id);
    shape_text(w, "name", g->name);
    shape_text(w, "parent", g->parent);
    put_str(w, "share", amp_enum_name(&api_share_rule_names, g->rule));
    shape_int(w, "voltage", g->volts);
    shape_int(w, "turnS", g->turn_s);
    put_given_amps(w, "limitA", g->limit_da);
    put_given(w, "limitW", g->limit_w);
    put_given_amps(w, "fallbackA", g->fallback_da);
    put_given(w, "fallbackW", g->fallback_w);
    if (g->reserve_da)
        put_amps(w, "reserveA", g->reserve_da);
    if (g->meter) {
        shape_text(w, "meter", shape_charger_id(c, g->meter));
        put_bool(w, "meterIncludesChargers", g->meter_all);
    }
    put_signal(w, g, now_ms);
    put_load(w, g, now_ms);
    shape_time(w, "createdAt", g->created_ms);
}

void shape_group(struct amp_json *w, const struct central *c, const struct load_group_fact *g,
                 int64_t now_ms)
{
    amp_json_open(w, '{');
    shape_group_members(w, c, g, now_ms);
    amp_json_close(w, '}');
}

static void put_state(struct amp_json *w, const struct load_sum *s)
{
    int64_t room[LOAD_BOUNDS];

    for (int b = 0; b < LOAD_BOUNDS; b++)
        room[b] = s->limit_da[b] == LOAD_OPEN
                      ? LOAD_OPEN
                      : (int64_t)s->limit_da[b] - s->other_da[b] - s->worst_da[b];
    amp_json_key(w, "state");
    amp_json_open(w, '{');
    put_str(w, "limitFrom", s->from);
    put_bounds(w, "limit", s->limit_da);
    put_bounds(w, "others", s->other_da);
    put_bounds(w, "allocated", s->planned_da);
    put_bounds(w, "mayDraw", s->worst_da);
    put_bounds(w, "measured", s->measured_da);
    put_phases(w, "headroom", room, LOAD_BOUNDS);
    shape_int(w, "connectors", s->connectors);
    shape_int(w, "wanting", s->wanting);
    shape_int(w, "waiting", s->waiting);
    shape_int(w, "offline", s->offline);
    shape_int(w, "withoutProfiles", s->unable);
    put_bool(w, "overLimit", s->over);
    amp_json_close(w, '}');
}

void shape_group_whole(struct amp_json *w, const struct central *c, const struct load_group_fact *g,
                       int64_t now_ms)
{
    struct load_sum sum;

    amp_json_open(w, '{');
    shape_group_members(w, c, g, now_ms);
    if (loads_sum(c->loads, g->org, g->id, now_ms, &sum))
        put_state(w, &sum);
    amp_json_key(w, "chargers");
    amp_json_open(w, '[');
    for (size_t i = 0; i < loads_member_count(c->loads); i++) {
        const struct load_member_fact *m = loads_member_at(c->loads, i);

        if (m && m->org == g->org && amp_text_eqi(m->group, g->id))
            shape_group_charger(w, c, m->charger);
    }
    amp_json_close(w, ']');
    amp_json_close(w, '}');
}

/* ---- chargers ---- */

static void put_member(struct amp_json *w, const struct load_member_fact *m)
{
    static const char *const rotations[] = { "RST", "STR", "TRS" };

    put_amps(w, "maxA", m->max_da);
    shape_int(w, "phases", m->phases);
    put_str(w, "rotation", rotations[m->rotation % LOAD_PHASES]);
    shape_int(w, "priority", m->priority);
    put_given_amps(w, "defaultA", m->base_da);
}

void shape_group_charger(struct amp_json *w, const struct central *c, int64_t charger)
{
    struct load_member_fact m, own;

    if (!loads_member(c->loads, charger, 0, &m))
        return;
    amp_json_open(w, '{');
    shape_text(w, "charger", shape_charger_id(c, charger));
    shape_text(w, "group", m.group);
    shape_int(w, "connectors", m.connectors);
    put_given_amps(w, "limitA", m.limit_da);
    put_member(w, &m);
    put_str(w, "unit", m.watts ? "W" : "A");
    if (m.trust_phases)
        put_bool(w, "trustPhases", true);
    amp_json_key(w, "each");
    amp_json_open(w, '[');
    for (int32_t i = 1; i <= m.connectors; i++) {
        if (!loads_member_own(c->loads, charger, i) || !loads_member(c->loads, charger, i, &own))
            continue;
        amp_json_open(w, '{');
        shape_int(w, "connectorId", i);
        put_member(w, &own);
        amp_json_close(w, '}');
    }
    amp_json_close(w, ']');
    amp_json_close(w, '}');
}

/* ---- connectors ---- */

static const char *reason_name(enum load_why why)
{
    static const char *const names[] = {
        [LOAD_WHY_IDLE] = "idle", [LOAD_WHY_FIXED] = "notControllable",
        [LOAD_WHY_OWN] = "own",   [LOAD_WHY_SHARED] = "shared",
        [LOAD_WHY_TURN] = "turn", [LOAD_WHY_RESTS] = "rest",
    };

    return why && (size_t)why < AMP_COUNT(names) ? names[why] : NULL;
}

bool shape_connector_limit(struct amp_json *w, const struct central *c, int64_t charger,
                           int32_t connector, int64_t now_ms)
{
    struct load_member_fact m;
    struct load_view v;
    char words[1024];
    struct amp_buf why;

    if (!loads_member(c->loads, charger, connector, &m) ||
        !loads_view(c->loads, charger, connector, &v))
        return false;
    amp_buf_init(&why, words, sizeof words);
    loads_explain(c->loads, charger, connector, now_ms, &why);
    amp_json_open(w, '{');
    shape_text(w, "charger", shape_charger_id(c, charger));
    shape_int(w, "connectorId", connector);
    shape_text(w, "group", m.group);
    put_bool(w, "wanting", v.wants);
    put_amps(w, "limitA", v.share_da);
    if (v.told_da != LOAD_NONE) {
        put_amps(w, "confirmedA", v.told_da);
        shape_time(w, "confirmedUntil", v.told_until_ms);
    }
    put_amps(w, "mayDrawA", v.worst_da);
    put_amps(w, "failSafeA", v.base_da);
    if (v.measured_da != LOAD_NONE) {
        put_amps(w, "measuredA", v.measured_da);
        shape_time(w, "measuredAt", v.measured_ms);
    }
    if (v.transaction)
        shape_int(w, "transactionId", v.transaction);
    if (reason_name(v.why))
        put_str(w, "reason", reason_name(v.why));
    amp_json_key(w, "why");
    amp_json_text(w, amp_buf_text(&why));
    amp_json_close(w, '}');
    return true;
}
