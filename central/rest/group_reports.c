/* central/rest/group_reports.c - what comes to a group from outside: a limit by a signal
 * (photovoltaics, the grid), and what others draw there. */
#include "central/rest/audit.h"
#include "central/rest/group_shapes.h"
#include "central/rest/groups.h"

#include "messages/api.h"

#define LOAD_FOR_S 60

static void refuse(struct rest_call *call, const char *field, const char *why, const char *cure)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 422,
                                         .kind = "bad-value",
                                         .title = "This report can't be used",
                                         .field = field,
                                         .cure = cure },
                 "%s: %s.", field, why);
}

/* Signals come often: they are in the group's own history of facts, and only the withdrawal is an
 * audit's business. */
void rest_put_group_limit(struct rest_call *call)
{
    const struct load_group_fact *old = rest_group(call);
    struct api_put_group_limit q;
    struct load_group_fact g;
    int64_t now;

    if (!old || !rest_body(call, &q))
        return;
    now = rest_now(call);
    if (!(q.has & (API_HAS_PUT_GROUP_LIMIT_LIMITA | API_HAS_PUT_GROUP_LIMIT_LIMITW))) {
        refuse(call, "limitA", "neither limitA nor limitW was given", "Give one of them, or both.");
        return;
    }
    if (!(q.has & (API_HAS_PUT_GROUP_LIMIT_VALID_FORS | API_HAS_PUT_GROUP_LIMIT_VALID_UNTIL))) {
        refuse(call, "validForS", "a signal has an end, so that a silent source is noticed",
               "Give validForS or validUntil.");
        return;
    }
    if (q.has & API_HAS_PUT_GROUP_LIMIT_LIMITW && q.limitw < 0) {
        refuse(call, "limitW", "a limit is not negative", "Give watts from 0 on.");
        return;
    }
    g = *old;
    g.signal_da = q.has & API_HAS_PUT_GROUP_LIMIT_LIMITA ? rest_deci(q.limita) : LOAD_NONE;
    g.signal_w = q.has & API_HAS_PUT_GROUP_LIMIT_LIMITW ? q.limitw : LOAD_NONE;
    g.signal_until_ms =
        q.has & API_HAS_PUT_GROUP_LIMIT_VALID_UNTIL ? q.valid_until : now + q.valid_fors * 1000;
    if (g.signal_until_ms <= now) {
        refuse(call, "validUntil", "it is over already", "Give a time in the future.");
        return;
    }
    loads_put_reported(call->c->loads, &g);
    rest_after(call, rest_group_changed);
}

void rest_delete_group_limit(struct rest_call *call)
{
    const struct load_group_fact *old = rest_group(call);
    struct load_group_fact g;

    if (!old)
        return;
    g = *old;
    g.signal_da = LOAD_NONE;
    g.signal_w = LOAD_NONE;
    g.signal_until_ms = 0;
    shape_group(rest_was(call), call->c, old, rest_now(call));
    shape_group(rest_is(call), call->c, &g, rest_now(call));
    rest_audit(call, &(struct rest_change){
                         .action = "withdraw", .kind = "group", .thing = rest_param(call, 0) });
    loads_put_reported(call->c->loads, &g);
    rest_after(call, rest_group_changed);
}

void rest_put_group_load(struct rest_call *call)
{
    const struct load_group_fact *g = rest_group(call);
    struct api_put_group_load q;
    int32_t da[LOAD_PHASES];
    int64_t now, for_s = LOAD_FOR_S;

    if (!g || !rest_body(call, &q))
        return;
    now = rest_now(call);
    if (q.currenta.len == 2 || (!q.currenta.len && !(q.has & API_HAS_PUT_GROUP_LOAD_POWERW))) {
        refuse(call, "currentA", "one number for all phases or three were expected",
               "Give [A] or [L1, L2, L3]; or powerW.");
        return;
    }
    for (uint32_t p = 0; p < LOAD_PHASES; p++)
        da[p] = q.currenta.len ? rest_deci(q.currenta.at[q.currenta.len == 1 ? 0 : p])
                : q.powerw > 0 ? (int32_t)((q.powerw > 1000000000 ? 1000000000 : q.powerw) * 10 /
                                           ((int64_t)g->volts * LOAD_PHASES)) +
                                     1
                               : 0;
    if (q.has & API_HAS_PUT_GROUP_LOAD_VALID_FORS)
        for_s = q.valid_fors;
    loads_report(call->c->loads, g, da, q.includes_chargers, now + for_s * 1000, now);
    rest_after(call, rest_group_changed);
}
