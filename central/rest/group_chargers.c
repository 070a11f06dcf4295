/* central/rest/group_chargers.c - which charger is in which group, and what its connectors are
 * given, and why. */
#include "central/rest/audit.h"
#include "central/rest/group_shapes.h"
#include "central/rest/groups.h"
#include "central/rest/routes.h"

#include "messages/api.h"

static bool refuse(struct rest_call *call, const char *field, const char *why, const char *cure)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 422,
                                         .kind = "bad-value",
                                         .title = "A charger can't be in a group like this",
                                         .field = field,
                                         .cure = cure },
                 "%s: %s.", field, why);
    return false;
}

/* Line phase of the connector's first conductor: R, S, T are L1, L2, L3. */
static int32_t first_phase(enum api_phase_rotation r)
{
    static const int32_t first[] = { 0, 0, 0, 1, 1, 2, 2 };

    return (size_t)r < AMP_COUNT(first) ? first[r] : 0;
}

static bool sound_member(struct rest_call *call, const struct load_member_fact *m)
{
    if (m->phases == 2)
        return refuse(call, "phases", "a connector has one phase or three", "Give 1 or 3.");
    if (m->base_da > 0 && m->base_da < LOAD_LEAST_DA)
        return refuse(call, "defaultA", "6 A is the least a car can be given",
                      "Give 0 (no charging without us), or 6 or more.");
    if (m->base_da > m->max_da)
        return refuse(call, "defaultA", "it is more than maxA", "Give at most maxA.");
    return true;
}

static void read_own(const struct api_group_connector *q, struct load_member_fact *m)
{
    m->connector = (int32_t)q->connector_id;
    if (q->has & API_HAS_GROUP_CONNECTOR_MAXA)
        m->max_da = rest_deci(q->maxa);
    if (q->has & API_HAS_GROUP_CONNECTOR_PHASES)
        m->phases = (int32_t)q->phases;
    if (q->rotation)
        m->rotation = first_phase(q->rotation);
    if (q->has & API_HAS_GROUP_CONNECTOR_PRIORITY)
        m->priority = (int32_t)q->priority;
    if (q->has & API_HAS_GROUP_CONNECTOR_DEFAULTA)
        m->base_da = rest_deci(q->defaulta);
}

static void read_member(const struct api_put_group_charger *q, const struct charger *ch,
                        struct load_member_fact *m)
{
    int32_t heard = (int32_t)charger_connectors(ch);

    m->connectors = heard < 1 ? 1 : heard > LOAD_CONNECTORS ? LOAD_CONNECTORS : heard;
    m->limit_da = m->base_da = LOAD_NONE;
    m->max_da = LOAD_MAX_DA;
    m->phases = 3;
    m->rotation = first_phase(q->rotation);
    m->watts = q->unit == API_RATE_UNIT_W;
    m->trust_phases = q->trust_phases;
    if (q->has & API_HAS_PUT_GROUP_CHARGER_CONNECTORS)
        m->connectors = (int32_t)q->connectors;
    if (q->has & API_HAS_PUT_GROUP_CHARGER_LIMITA)
        m->limit_da = rest_deci(q->limita);
    if (q->has & API_HAS_PUT_GROUP_CHARGER_MAXA)
        m->max_da = rest_deci(q->maxa);
    if (q->has & API_HAS_PUT_GROUP_CHARGER_PHASES)
        m->phases = (int32_t)q->phases;
    if (q->has & API_HAS_PUT_GROUP_CHARGER_PRIORITY)
        m->priority = (int32_t)q->priority;
    if (q->has & API_HAS_PUT_GROUP_CHARGER_DEFAULTA)
        m->base_da = rest_deci(q->defaulta);
}

/* All rows, the charger's first. 0: a problem was answered. */
static size_t read_rows(struct rest_call *call, const struct api_put_group_charger *q,
                        struct load_member_fact rows[LOAD_CONNECTORS + 1])
{
    size_t count = 1;

    if (!sound_member(call, &rows[0]))
        return 0;
    for (uint32_t i = 0; i < q->each.len; i++) {
        struct load_member_fact *m = &rows[count];

        *m = rows[0];
        read_own(&q->each.at[i], m);
        if (m->connector > rows[0].connectors) {
            refuse(call, "each.connectorId", "the charger has fewer connectors",
                   "Name connectors from 1 to `connectors`.");
            return 0;
        }
        for (size_t k = 1; k < count; k++)
            if (rows[k].connector == m->connector) {
                refuse(call, "each.connectorId", "it is named twice", "Name each connector once.");
                return 0;
            }
        if (!sound_member(call, m))
            return 0;
        count++;
    }
    return count;
}

/* After the commit: call->key is the charger. */
static void changed(struct rest_call *call)
{
    struct amp_json *w;
    struct load_member_fact m;

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    if (!loads_member(call->c->loads, call->key, 0, &m)) {
        rest_absent(call, "charger in this group", rest_param(call, 1));
        return;
    }
    w = rest_begin(call);
    shape_group_charger(w, call->c, call->key);
    rest_send(call, 200);
}

void rest_put_group_charger(struct rest_call *call)
{
    const struct load_group_fact *g = rest_group(call);
    struct charger *ch = g ? rest_charger(call, rest_param(call, 1)) : NULL;
    struct load_member_fact rows[LOAD_CONNECTORS + 1] = { { 0 } }, old;
    struct api_put_group_charger q;
    struct load_fault fault;
    size_t count;
    bool known;
    int rc;

    if (!ch || !rest_body(call, &q))
        return;
    call->key = charger_fact(ch)->key;
    rows[0] = (struct load_member_fact){ .charger = call->key, .org = g->org, .group = g->id };
    read_member(&q, ch, &rows[0]);
    count = read_rows(call, &q, rows);
    if (!count)
        return;
    known = loads_member(call->c->loads, call->key, 0, &old);
    if (known)
        shape_group_charger(rest_was(call), call->c, call->key);
    rc = loads_put_member(call->c->loads, rows, count, &fault);
    if (rc < 0) {
        rest_group_fault(call, rc, &fault);
        return;
    }
    shape_group_charger(rest_is(call), call->c, call->key);
    rest_audit(call, &(struct rest_change){ .action = known ? "change" : "create",
                                            .kind = "groupCharger",
                                            .thing = rest_param(call, 1),
                                            .charger = call->key });
    rest_after(call, changed);
}

static void gone(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_group_charger(struct rest_call *call)
{
    const struct load_group_fact *g = rest_group(call);
    struct charger *ch = g ? rest_charger(call, rest_param(call, 1)) : NULL;
    struct load_member_fact m;

    if (!ch)
        return;
    call->key = charger_fact(ch)->key;
    if (!loads_member(call->c->loads, call->key, 0, &m) || !amp_text_eqi(m.group, g->id)) {
        rest_absent(call, "charger in this group", rest_param(call, 1));
        return;
    }
    shape_group_charger(rest_was(call), call->c, call->key);
    loads_remove_member(call->c->loads, call->key);
    rest_audit(call, &(struct rest_change){ .action = "delete",
                                            .kind = "groupCharger",
                                            .thing = rest_param(call, 1),
                                            .charger = call->key });
    rest_after(call, gone);
}

static bool holds(struct amp_text t, const char *part)
{
    return t.len && memmem(t.at, t.len, part, strlen(part));
}

/* A ChargePointMaxProfile can only lower what is given, so it may come and go. */
bool rest_load_refuses(struct rest_call *call, const struct charger *ch,
                       const struct command_fact *f)
{
    bool profile = amp_text_is(f->action, "SetChargingProfile") ||
                   amp_text_is(f->action, "ClearChargingProfile");
    bool start = amp_text_is(f->action, "RemoteStartTransaction") &&
                 holds(f->payload, "\"chargingProfile\"");
    struct load_member_fact m;

    if (!(profile && !holds(f->payload, "\"ChargePointMaxProfile\"")) && !start)
        return false;
    if (!call->c->loads || !loads_member(call->c->loads, charger_fact(ch)->key, 0, &m))
        return false;
    rest_problem(call,
                 &(struct rest_problem){
                     .status = 409,
                     .kind = "managed",
                     .title = "Load management decides here",
                     .field = "action",
                     .cure = "Set limits of its group (PUT /api/v1/groups/{id}), take the charger "
                             "out of it, or use a ChargePointMaxProfile, which only lowers." },
                 "The charger \"%.*s\" is in the group \"%.*s\"; a profile of another hand could "
                 "pass its limit.",
                 AMP_FMT(charger_fact(ch)->id), AMP_FMT(m.group));
    return true;
}

void rest_get_connector_limit(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    struct amp_text number = rest_param(call, 1);
    int64_t connector = 0;
    struct load_view v;
    struct amp_json *w;

    if (!ch)
        return;
    if (amp_text_int(number, &connector) < 0 || connector < 1 || connector > LOAD_CONNECTORS ||
        !loads_view(call->c->loads, charger_fact(ch)->key, (int32_t)connector, &v)) {
        rest_absent(call, "connector under load management", number);
        return;
    }
    w = rest_begin(call);
    shape_connector_limit(w, call->c, charger_fact(ch)->key, (int32_t)connector, rest_now(call));
    rest_send(call, 200);
}
