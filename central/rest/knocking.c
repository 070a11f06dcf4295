/* central/rest/knocking.c - unknown chargers: those that wait for a decision, with all that they
 * sent, and rules that decide for people. */
#include "central/domain/access.h"
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"

static bool knocks(const struct charger *ch)
{
    return charger_fact(ch)->registration == REGISTRATION_PENDING;
}

void rest_list_knocking(struct rest_call *call)
{
    struct central *c = call->c;
    struct amp_json *w = rest_list(call, live_seq(c->live));

    for (size_t i = 0; i < world_charger_count(c->world); i++) {
        const struct charger *ch = world_charger_at(c->world, i);

        if (knocks(ch) && charger_fact(ch)->org == call->who.org)
            shape_charger(w, c, ch, rest_now(call));
    }
    rest_list_end(call, 0);
}

static struct charger *one(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));

    if (ch && !knocks(ch)) {
        rest_absent(call, "knocking charger", rest_param(call, 0));
        return NULL;
    }
    return ch;
}

static void sent(struct rest_call *call, const struct fact *rows, const int64_t *ids, size_t count,
                 int64_t next)
{
    const struct charger *ch = world_charger_by_key(call->c->world, call->key);
    struct amp_json *w = rest_begin(call);

    amp_json_open(w, '{');
    amp_json_key(w, "charger");
    shape_charger(w, call->c, ch, rest_now(call));
    amp_json_key(w, "messages");
    amp_json_open(w, '[');
    for (size_t i = 0; i < count; i++)
        shape_message(w, call->c, &rows[i].u.message, ids[i], SIZE_MAX);
    amp_json_close(w, ']');
    if (next)
        shape_int(w, "next", next);
    amp_json_close(w, '}');
    rest_send(call, 200);
}

void rest_get_knocking(struct rest_call *call)
{
    struct store_ask ask = { .what = ASK_MESSAGES,
                             .org = call->who.org,
                             .connector = -1,
                             .open = -1,
                             .direction = MESSAGE_RECEIVED };
    struct charger *ch = one(call);
    int64_t limit = 100;

    if (!ch || !rest_query_int(call, "before", 1, INT64_MAX, &ask.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    ask.limit = (int32_t)limit;
    ask.charger = call->key = charger_fact(ch)->key;
    rest_ask(call, &ask, sent);
}

/* It may be a minute until it boots again by itself: it is asked to. */
static void adopted(struct rest_call *call)
{
    struct charger *ch = world_charger_by_key(call->c->world, call->key);

    if (ch)
        v16_kick(call->c->v16, ch);
    if (!ch || !rest_conn(call)) {
        rest_drop(call);
        return;
    }
    shape_charger(rest_begin(call), call->c, ch, rest_now(call));
    rest_send(call, 200);
}

void rest_adopt(struct rest_call *call)
{
    struct charger *ch = one(call);
    struct api_adopt q;

    if (!ch || !rest_body(call, &q))
        return;
    shape_charger_fact(rest_was(call), charger_fact(ch), rest_now(call));
    (void)world_adopt(call->c->world, ch, REGISTRATION_ACCEPTED, rest_now(call));
    shape_charger_fact(rest_is(call), charger_fact(ch), rest_now(call));
    rest_audit(call, &(struct rest_change){ .action = "adopt",
                                            .kind = "charger",
                                            .thing = charger_fact(ch)->id,
                                            .charger = charger_fact(ch)->key });
    if (charger_session(ch))
        (void)world_command(call->c->world, ch,
                            &(struct command_fact){
                                .connector = -1,
                                .action = AMP_TEXT("TriggerMessage"),
                                .payload = AMP_TEXT("{\"requestedMessage\":\"BootNotification\"}"),
                                .by = amp_text_of(call->who.name) },
                            rest_now(call));
    call->key = charger_fact(ch)->key;
    rest_after(call, adopted);
}

/* ---- rules ---- */

static void shape_boot_rule(struct amp_json *w, const struct boot_rule_fact *f)
{
    amp_json_open(w, '{');
    shape_text(w, "name", f->name);
    shape_int(w, "place", f->place);
    amp_json_key(w, "registration");
    amp_json_str(w, registration_name(f->registration));
    shape_text(w, "id", f->id);
    shape_text(w, "vendor", f->vendor);
    shape_text(w, "model", f->model);
    shape_text(w, "serial", f->serial);
    shape_text(w, "firmware", f->firmware);
    amp_json_key(w, "known");
    amp_json_bool(w, f->known);
    amp_json_close(w, '}');
}

void rest_list_boot_rules(struct rest_call *call)
{
    struct world *world = call->c->world;
    struct amp_json *w = rest_list(call, live_seq(call->c->live));

    for (size_t i = 0; i < world_boot_rule_count(world); i++)
        if (world_boot_rule_at(world, i)->org == call->who.org)
            shape_boot_rule(w, world_boot_rule_at(world, i));
    rest_list_end(call, 0);
}

static void audit_rule(struct rest_call *call, const char *action)
{
    rest_audit(call, &(struct rest_change){
                         .action = action, .kind = "boot-rule", .thing = rest_param(call, 0) });
}

static void rule_put(struct rest_call *call)
{
    const struct boot_rule_fact *f =
        world_boot_rule(call->c->world, call->who.org, rest_param(call, 0));

    if (!f || !rest_conn(call)) {
        rest_drop(call);
        return;
    }
    shape_boot_rule(rest_begin(call), f);
    rest_send(call, 200);
}

void rest_put_boot_rule(struct rest_call *call)
{
    static const int32_t registrations[] = {
        [API_REGISTRATION_PENDING] = REGISTRATION_PENDING,
        [API_REGISTRATION_ACCEPTED] = REGISTRATION_ACCEPTED,
        [API_REGISTRATION_REJECTED] = REGISTRATION_REJECTED,
    };
    const struct boot_rule_fact *old =
        world_boot_rule(call->c->world, call->who.org, rest_param(call, 0));
    struct api_put_boot_rule q;
    struct boot_rule_fact f;

    if (!rest_body(call, &q))
        return;
    f = (struct boot_rule_fact){ .org = call->who.org,
                                 .name = rest_param(call, 0),
                                 .place = (int32_t)(q.place < INT32_MAX ? q.place : INT32_MAX),
                                 .registration = registrations[q.registration],
                                 .id = q.id,
                                 .vendor = q.vendor,
                                 .model = q.model,
                                 .serial = q.serial,
                                 .firmware = q.firmware,
                                 .known = q.known };
    if (old)
        shape_boot_rule(rest_was(call), old);
    world_put_boot_rule(call->c->world, &f);
    shape_boot_rule(rest_is(call), &f);
    audit_rule(call, old ? "change" : "create");
    rest_after(call, rule_put);
}

static void rule_deleted(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_boot_rule(struct rest_call *call)
{
    const struct boot_rule_fact *old =
        world_boot_rule(call->c->world, call->who.org, rest_param(call, 0));
    struct boot_rule_fact f;

    if (!old) {
        rest_absent(call, "boot rule", rest_param(call, 0));
        return;
    }
    shape_boot_rule(rest_was(call), old);
    f = (struct boot_rule_fact){ .org = old->org, .name = rest_param(call, 0), .deleted = true };
    world_put_boot_rule(call->c->world, &f);
    audit_rule(call, "delete");
    rest_after(call, rule_deleted);
}
