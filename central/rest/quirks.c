/* central/rest/quirks.c - what people know of a charger or a model that it does not tell itself.
 * central/domain/quirk.h says what follows. */
#include "central/domain/quirk.h"
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"

static void put_units(struct amp_json *w, int32_t units)
{
    if (!units)
        return;
    amp_json_key(w, "rateUnits");
    amp_json_open(w, '[');
    if (units & RATE_A)
        amp_json_str(w, "A");
    if (units & RATE_W)
        amp_json_str(w, "W");
    amp_json_close(w, ']');
}

/* The members that a quirk and the sum of them have in common. */
static void put_traits(struct amp_json *w, const struct traits *t)
{
    if (t->flags & QUIRK_TAG_SUFFIX) {
        amp_json_key(w, "stripTagSuffix");
        amp_json_bool(w, true);
    }
    if (t->flags & QUIRK_HEX_TAGS) {
        amp_json_key(w, "hexTags");
        amp_json_bool(w, true);
    }
    if (t->flags & QUIRK_UNKNOWN_KEYS_KILL) {
        amp_json_key(w, "unknownKeysKill");
        amp_json_bool(w, true);
    }
    if (t->phases)
        shape_int(w, "phases", t->phases);
    if (t->voltage_v)
        shape_int(w, "voltageV", t->voltage_v);
    put_units(w, t->rate_units);
    if (t->stack_max >= 0)
        shape_int(w, "maxStackLevel", t->stack_max);
    if (t->list_max)
        shape_int(w, "localListMax", t->list_max);
    if (t->list_total)
        shape_int(w, "localListTotal", t->list_total);
    if (t->periods_max)
        shape_int(w, "maxPeriods", t->periods_max);
    if (t->url_max)
        shape_int(w, "urlMax", t->url_max);
}

static void shape_quirk(struct amp_json *w, const struct central *c, const struct quirk_fact *f)
{
    struct traits t = { .flags = f->flags,
                        .phases = f->phases,
                        .voltage_v = f->voltage_v,
                        .rate_units = f->rate_units,
                        .stack_max = f->stack_max,
                        .list_max = f->list_max,
                        .url_max = f->url_max };

    amp_json_open(w, '{');
    shape_text(w, "name", f->name);
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    shape_text(w, "vendor", f->vendor);
    shape_text(w, "model", f->model);
    shape_text(w, "note", f->note);
    put_traits(w, &t);
    amp_json_close(w, '}');
}

void rest_list_quirks(struct rest_call *call)
{
    struct amp_json *w = rest_list(call, live_seq(call->c->live));
    const struct quirk_fact *q;

    for (size_t i = 0; (q = world_quirk_at(call->c->world, i)); i++)
        if (q->org == call->who.org)
            shape_quirk(w, call->c, q);
    rest_list_end(call, 0);
}

static const struct quirk_fact *known(struct rest_call *call)
{
    return world_quirk(call->c->world, call->who.org, rest_param(call, 0));
}

void rest_get_quirk(struct rest_call *call)
{
    const struct quirk_fact *q = known(call);
    struct amp_json *w;

    if (!q) {
        rest_absent(call, "quirk", rest_param(call, 0));
        return;
    }
    w = rest_begin(call);
    shape_quirk(w, call->c, q);
    rest_send(call, 200);
}

static void changed(struct rest_call *call)
{
    if (rest_conn(call))
        rest_get_quirk(call);
    else
        rest_drop(call);
}

static int32_t units_of(const struct api_put_quirk *q)
{
    int32_t units = 0;

    for (uint32_t i = 0; i < q->rate_units.len; i++)
        units |= q->rate_units.at[i] == API_RATE_UNIT_A ? RATE_A : RATE_W;
    return units;
}

void rest_put_quirk(struct rest_call *call)
{
    const struct quirk_fact *old = known(call);
    struct amp_text name = rest_param(call, 0);
    struct charger *ch = NULL;
    struct api_put_quirk q;
    struct quirk_fact f;

    if (!rest_body(call, &q))
        return;
    if (!name.len || amp_text_chars(name) > 64) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "bad-value",
                                             .title = "This can't be the name of a quirk",
                                             .field = "name",
                                             .cure = "Give 1 to 64 characters." },
                     "name: %.*s", AMP_FMT(name));
        return;
    }
    if (q.charger.at && !(ch = rest_charger(call, q.charger)))
        return;
    f = (struct quirk_fact){
        .org = call->who.org,
        .name = old ? old->name : name,
        .charger = ch ? charger_fact(ch)->key : 0,
        .vendor = q.vendor,
        .model = q.model,
        .note = q.note,
        .flags = (q.strip_tag_suffix ? (uint32_t)QUIRK_TAG_SUFFIX : 0) |
                 (q.hex_tags ? (uint32_t)QUIRK_HEX_TAGS : 0) |
                 (q.unknown_keys_kill ? (uint32_t)QUIRK_UNKNOWN_KEYS_KILL : 0),
        .phases = q.has & API_HAS_PUT_QUIRK_PHASES ? (int32_t)q.phases : 0,
        .voltage_v = q.has & API_HAS_PUT_QUIRK_VOLTAGEV ? (int32_t)q.voltagev : 0,
        .rate_units = units_of(&q),
        .stack_max = q.has & API_HAS_PUT_QUIRK_MAX_STACK_LEVEL ? (int32_t)q.max_stack_level : -1,
        .list_max = q.has & API_HAS_PUT_QUIRK_LOCAL_LIST_MAX ? (int32_t)q.local_list_max : 0,
        .url_max = q.has & API_HAS_PUT_QUIRK_URL_MAX ? (int32_t)q.url_max : 0,
    };
    if (old)
        shape_quirk(rest_was(call), call->c, old);
    shape_quirk(rest_is(call), call->c, &f);
    rest_audit(call, &(struct rest_change){ .action = old ? "change" : "create",
                                            .kind = "quirk",
                                            .thing = f.name,
                                            .charger = f.charger });
    world_put_quirk(call->c->world, &f);
    rest_after(call, changed);
}

static void deleted(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_quirk(struct rest_call *call)
{
    const struct quirk_fact *old = known(call);
    struct quirk_fact f;

    if (!old) {
        rest_absent(call, "quirk", rest_param(call, 0));
        return;
    }
    f = *old;
    f.deleted = true;
    shape_quirk(rest_was(call), call->c, old);
    rest_audit(call,
               &(struct rest_change){
                   .action = "delete", .kind = "quirk", .thing = f.name, .charger = f.charger });
    world_put_quirk(call->c->world, &f);
    rest_after(call, deleted);
}

void rest_get_traits(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    struct traits t;
    struct amp_json *w;

    if (!ch)
        return;
    charger_traits(call->c->world, ch, &t);
    w = rest_begin(call);
    amp_json_open(w, '{');
    put_traits(w, &t);
    amp_json_close(w, '}');
    rest_send(call, 200);
}
