/* central/rest/groups.c - groups of chargers under common limits. */
#include "central/rest/groups.h"
#include "central/rest/audit.h"
#include "central/rest/group_shapes.h"

#include "messages/api.h"

void rest_list_groups(struct rest_call *call)
{
    struct amp_json *w = rest_list(call, live_seq(call->c->live));
    const struct load_group_fact *g;

    for (size_t i = 0; (g = loads_group_at(call->c->loads, i)); i++)
        if (g->org == call->who.org)
            shape_group(w, call->c, g, rest_now(call));
    rest_list_end(call, 0);
}

const struct load_group_fact *rest_group(struct rest_call *call)
{
    const struct load_group_fact *g =
        loads_group(call->c->loads, call->who.org, rest_param(call, 0));

    if (!g)
        rest_absent(call, "group", rest_param(call, 0));
    return g;
}

void rest_get_group(struct rest_call *call)
{
    const struct load_group_fact *g = rest_group(call);
    struct amp_json *w;

    if (!g)
        return;
    w = rest_begin(call);
    shape_group_whole(w, call->c, g, rest_now(call));
    rest_send(call, 200);
}

void rest_group_changed(struct rest_call *call)
{
    if (rest_conn(call))
        rest_get_group(call);
    else
        rest_drop(call);
}

int32_t rest_deci(struct amp_dec d)
{
    int64_t da = 0;

    return amp_dec_scale(d, 1, &da) == 0 && da >= 0 && da < LOAD_OPEN ? (int32_t)da : 0;
}

void rest_group_fault(struct rest_call *call, int rc, const struct load_fault *f)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = rc == AMP_E_STATE ? 409 : 422,
                                         .kind = rc == AMP_E_STATE ? "in-use" : "bad-value",
                                         .title = "Load management can't be so",
                                         .field = f->field,
                                         .cure = f->cure },
                 "%s: %s.", f->field, f->why);
}

static bool refuse(struct rest_call *call, const char *field, const char *why, const char *cure)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 422,
                                         .kind = "bad-value",
                                         .title = "This can't be a group",
                                         .field = field,
                                         .cure = cure },
                 "%s: %s.", field, why);
    return false;
}

static bool sound_id(struct amp_text id)
{
    if (!id.len || id.len > 48)
        return false;
    for (uint32_t i = 0; i < id.len; i++)
        if ((unsigned char)id.at[i] <= ' ' || id.at[i] == 0x7f || id.at[i] == '/')
            return false;
    return true;
}

static bool sound(struct rest_call *call, const struct api_put_group *q)
{
    if (!sound_id(rest_param(call, 0)))
        return refuse(call, "id", "this is no id",
                      "Give 1 to 48 characters without blanks and slashes.");
    if (q->parent.len && q->share)
        return refuse(call, "share", "only the group at the top says how is shared",
                      "Leave it out here, and set it there.");
    if ((q->has & API_HAS_PUT_GROUP_LIMITW && q->limitw < 0) ||
        (q->has & API_HAS_PUT_GROUP_FALLBACKW && q->fallbackw < 0))
        return refuse(call, q->limitw < 0 ? "limitW" : "fallbackW", "a limit is not negative",
                      "Give watts from 0 on.");
    return true;
}

/* The body is the whole of what people set; what came in from outside stays. */
static bool read_group(struct rest_call *call, const struct api_put_group *q,
                       const struct load_group_fact *old, struct load_group_fact *g)
{
    const struct charger *meter = q->meter.len ? rest_charger(call, q->meter) : NULL;

    if (q->meter.len && !meter)
        return false;
    loads_group_defaults(g);
    if (old) {
        g->signal_da = old->signal_da;
        g->signal_w = old->signal_w;
        g->signal_until_ms = old->signal_until_ms;
        memcpy(g->load_da, old->load_da, sizeof g->load_da);
        g->load_until_ms = old->load_until_ms;
    }
    g->org = call->who.org;
    g->id = old ? old->id : rest_param(call, 0);
    g->name = q->name;
    g->parent = q->parent;
    g->created_ms = old ? old->created_ms : rest_now(call);
    g->meter = meter ? charger_fact(meter)->key : 0;
    g->meter_all = q->meter_includes_chargers;
    if (q->share)
        g->rule = (int32_t)q->share; /* API_SHARE_RULE_… is in the order of enum load_rule */
    if (q->has & API_HAS_PUT_GROUP_VOLTAGE)
        g->volts = (int32_t)q->voltage;
    if (q->has & API_HAS_PUT_GROUP_TURNS)
        g->turn_s = (int32_t)q->turns;
    if (q->has & API_HAS_PUT_GROUP_LIMITA)
        g->limit_da = rest_deci(q->limita);
    if (q->has & API_HAS_PUT_GROUP_LIMITW)
        g->limit_w = q->limitw;
    if (q->has & API_HAS_PUT_GROUP_FALLBACKA)
        g->fallback_da = rest_deci(q->fallbacka);
    if (q->has & API_HAS_PUT_GROUP_FALLBACKW)
        g->fallback_w = q->fallbackw;
    if (q->has & API_HAS_PUT_GROUP_RESERVEA)
        g->reserve_da = rest_deci(q->reservea);
    return true;
}
_Static_assert((int)API_SHARE_RULE_EQUAL == (int)LOAD_EQUAL &&
                   (int)API_SHARE_RULE_PRIORITY == (int)LOAD_PRIORITY &&
                   (int)API_SHARE_RULE_FIRST_COME == (int)LOAD_FIRST_COME,
               "the rules are in one order");

void rest_put_group(struct rest_call *call)
{
    const struct load_group_fact *old =
        loads_group(call->c->loads, call->who.org, rest_param(call, 0));
    struct api_put_group q;
    struct load_group_fact g;
    struct load_fault fault;
    bool known = old != NULL;
    int rc;

    if (!rest_body(call, &q) || !sound(call, &q) || !read_group(call, &q, old, &g))
        return;
    if (old)
        shape_group(rest_was(call), call->c, old, rest_now(call));
    shape_group(rest_is(call), call->c, &g, rest_now(call));
    rc = loads_put_group(call->c->loads, &g, &fault);
    if (rc < 0) {
        rest_group_fault(call, rc, &fault);
        return;
    }
    rest_audit(call, &(struct rest_change){ .action = known ? "change" : "create",
                                            .kind = "group",
                                            .thing = rest_param(call, 0) });
    rest_after(call, rest_group_changed);
}

static void deleted(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_group(struct rest_call *call)
{
    const struct load_group_fact *old = rest_group(call);
    struct load_group_fact g;
    struct load_fault fault;
    int rc;

    if (!old)
        return;
    g = *old;
    g.deleted = true;
    shape_group(rest_was(call), call->c, old, rest_now(call));
    rc = loads_put_group(call->c->loads, &g, &fault);
    if (rc < 0) {
        rest_group_fault(call, rc, &fault);
        return;
    }
    rest_audit(call, &(struct rest_change){
                         .action = "delete", .kind = "group", .thing = rest_param(call, 0) });
    rest_after(call, deleted);
}
