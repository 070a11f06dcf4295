/* central/rest/charger_profiles.c - charging profiles on their way to chargers and there: a
 * template is applied, what is installed is listed and cleared, a remote start takes one along. */
#include "central/domain/quirk.h"
#include "central/rest/commands.h"
#include "central/rest/profiles.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include <stdlib.h>

void rest_profile_refused(struct rest_call *call, const char *field, const char *why,
                          const char *cure)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 409,
                                         .kind = "no-fit",
                                         .title = "The profile does not fit there",
                                         .field = field,
                                         .cure = cure },
                 "%s: %s", field, why);
}

/* ---- what is installed ---- */

void rest_list_installed(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    int64_t connector = -1;
    const struct installed_fact *f;
    struct amp_json *w;

    if (!ch || !rest_query_int(call, "connector", 0, 10000, &connector))
        return;
    w = rest_list(call, live_seq(call->c->live));
    for (size_t i = 0; (f = charger_profile(ch, i)); i++)
        if (connector < 0 || f->connector == connector)
            shape_installed(w, call->c, f);
    rest_list_end(call, 0);
}

/* What a command about a profile answers: the profile, or what the command says of it when it is
 * there no more. */
static void shape(struct rest_call *call, struct amp_json *w, const struct command_fact *k)
{
    const struct charger *ch = world_charger_by_key(call->c->world, k->charger);
    const struct installed_fact *f = ch ? charger_profile_by_id(ch, call->subject) : NULL;
    struct installed_fact gone = { .charger = k->charger,
                                   .id = call->subject,
                                   .connector = k->connector,
                                   .state = INSTALLED_GONE,
                                   .command = k->key,
                                   .why = k->answer };

    shape_installed(w, call->c, f ? f : &gone);
}

/* ---- applying ---- */

static const struct transaction_fact *running(const struct charger *ch,
                                              const struct api_apply_profile *q)
{
    return q->connector_id > 0 ? charger_transaction(ch, (int)q->connector_id) : NULL;
}

static struct profile_use use_of(struct rest_call *call, const struct charger *ch,
                                 const struct api_apply_profile *q, const struct api_put_profile *p)
{
    const struct transaction_fact *t = running(ch, q);
    struct profile_use use = { .connector = (int32_t)q->connector_id,
                               .id = charger_profile_id(ch, q->profile, (int32_t)q->connector_id),
                               .stack =
                                   q->has & API_HAS_APPLY_PROFILE_STACK_LEVEL ? q->stack_level : -1,
                               .kind = q->kind,
                               .start_ms = q->has & API_HAS_APPLY_PROFILE_START ? q->start : 0,
                               .now_ms = rest_now(call) };

    if (p->purpose == API_PROFILE_PURPOSE_TX_PROFILE && t)
        use.transaction = t->key;
    if (use.kind == API_PROFILE_KIND_ABSOLUTE && !use.start_ms && t &&
        p->kind == API_PROFILE_KIND_RELATIVE)
        use.start_ms = t->start_ms; /* E92: what was to begin with the session */
    return use;
}

/* ask() with a hint: which template this is. */
static void ask(struct rest_call *call, struct charger *ch, struct command_fact *f,
                struct amp_text name, int32_t on_boot)
{
    struct world *world = call->c->world;
    struct profile_hint hint = { charger_fact(ch)->key, call->subject, name, on_boot };

    world_profile_hint(world, &hint);
    rest_command_ask(call, ch, f, "profile");
    world_profile_hint(world, NULL);
}

static int32_t on_boot(const struct api_apply_profile *q)
{
    return q->after_boot == API_AFTER_BOOT_AGAIN   ? INSTALLED_BOOT_AGAIN
           : q->after_boot == API_AFTER_BOOT_STALE ? INSTALLED_BOOT_STALE
                                                   : INSTALLED_BOOT_KEEP;
}

void rest_apply_profile(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct command_fact f = { .action = AMP_TEXT("SetChargingProfile") };
    const char *field, *why, *cure;
    struct api_apply_profile q;
    struct api_put_profile p;
    struct profile_use use;
    struct amp_buf out;
    struct amp_json w;

    if (!ch || !rest_body(call, &q) || !rest_profile(call, q.profile, &p))
        return;
    use = use_of(call, ch, &q, &p);
    rest_buf_init(&out);
    amp_json_init(&w, &out);
    amp_json_open(&w, '{');
    shape_int(&w, "connectorId", q.connector_id);
    amp_json_key(&w, "csChargingProfiles");
    if (!profile_write(&w, &p, call->c->world, ch, &use, &field, &why, &cure)) {
        rest_profile_refused(call, field, why, cure);
    } else if (p.purpose == API_PROFILE_PURPOSE_TX_PROFILE && on_boot(&q)) {
        rest_profile_refused(call, "afterBoot", "a TxProfile is for a session, and not for later",
                             "Leave it out.");
    } else {
        amp_json_close(&w, '}');
        f.payload = amp_buf_text(&out);
        f.connector = (int32_t)q.connector_id;
        f.transaction = use.transaction;
        call->subject = use.id;
        call->shape = shape;
        ask(call, ch, &f, world_profile(call->c->world, call->who.org, q.profile)->name,
            on_boot(&q));
    }
    free(out.at);
}

/* E91: a profile inside a remote start is a TxProfile, and names no transaction. */
void rest_remote_start(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("RemoteStartTransaction") };
    const char *field, *why, *cure;
    struct api_remote_start q;
    struct api_put_profile p;
    struct amp_buf out;
    struct amp_json w;
    bool fits = true;

    if (!ch || !rest_body(call, &q) || (q.profile.at && !rest_profile(call, q.profile, &p)))
        return;
    why = charger_tag_fault(call->c->world, ch, q.id_tag);
    if (why) { /* E32, E34 */
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "bad-value",
                                             .title = "This charger can't take the tag",
                                             .field = "idTag",
                                             .cure = "Give a tag that it takes." },
                     "idTag: %s", why);
        return;
    }
    rest_buf_init(&out);
    amp_json_init(&w, &out);
    amp_json_open(&w, '{');
    if (q.has & API_HAS_REMOTE_START_CONNECTOR_ID) {
        shape_int(&w, "connectorId", q.connector_id);
        f.connector = (int32_t)q.connector_id;
    }
    shape_text(&w, "idTag", q.id_tag);
    if (q.profile.at) {
        call->subject = charger_profile_id(ch, q.profile, f.connector > 0 ? f.connector : 0);
        amp_json_key(&w, "chargingProfile");
        fits = profile_write(&w, &p, call->c->world, ch,
                             &(struct profile_use){ .connector = f.connector,
                                                    .id = call->subject,
                                                    .stack = -1,
                                                    .in_start = true,
                                                    .now_ms = rest_now(call) },
                             &field, &why, &cure);
    }
    amp_json_close(&w, '}');
    f.payload = amp_buf_text(&out);
    if (!fits)
        rest_profile_refused(call, field, why, cure);
    else if (q.profile.at)
        ask(call, ch, &f, world_profile(call->c->world, call->who.org, q.profile)->name,
            INSTALLED_BOOT_KEEP);
    else
        rest_command_ask(call, ch, &f, "idTag");
    free(out.at);
}

/* ---- clearing ---- */

void rest_clear_installed(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("ClearChargingProfile") };
    char block[64];
    struct amp_buf out;
    struct amp_json w;
    int64_t id;

    if (!ch)
        return;
    if (amp_text_int(rest_param(call, 1), &id) < 0 || !charger_profile_by_id(ch, id)) {
        rest_absent(call, "installed charging profile", rest_param(call, 1));
        return;
    }
    amp_buf_init(&out, block, sizeof block);
    amp_json_init(&w, &out);
    amp_json_open(&w, '{');
    shape_int(&w, "id", id);
    amp_json_close(&w, '}');
    f.payload = amp_buf_text(&out);
    f.connector = charger_profile_by_id(ch, id)->connector;
    rest_command_ask(call, ch, &f, "id");
}
