/* central/rest/configuration.c - configuration keys of chargers: as they were told last, and
 * changing one. Reading them anew is POST …/get-configuration. */
#include "central/domain/configuration.h"
#include "central/rest/commands.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"

#define PAYLOAD_MAX 4096

static void shape_key(struct amp_json *w, const struct config_fact *f)
{
    amp_json_open(w, '{');
    shape_text(w, "key", f->name);
    shape_text(w, "value", f->value);
    amp_json_key(w, "readonly");
    amp_json_bool(w, f->readonly);
    amp_json_key(w, "known");
    amp_json_bool(w, !f->absent);
    if (f->reboot) {
        amp_json_key(w, "rebootRequired");
        amp_json_bool(w, true);
    }
    shape_time(w, "seenAt", f->seen_ms);
    shape_time(w, "changedAt", f->changed_ms);
    amp_json_close(w, '}');
}

void rest_list_configuration(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    const struct config_fact *f;
    struct amp_json *w;

    if (!ch)
        return;
    w = rest_list(call, live_seq(call->c->live));
    for (size_t i = 0; (f = charger_config_at(ch, i)); i++)
        shape_key(w, f);
    rest_list_end(call, 0);
}

void rest_get_configuration_key(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    const struct config_fact *f = ch ? charger_config(ch, rest_param(call, 1)) : NULL;
    struct amp_json *w;

    if (!ch)
        return;
    if (!f) {
        rest_absent(call, "configuration key", rest_param(call, 1));
        return;
    }
    w = rest_begin(call);
    shape_key(w, f);
    rest_send(call, 200);
}

void rest_put_configuration_key(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("ChangeConfiguration") };
    const struct config_fact *known = ch ? charger_config(ch, rest_param(call, 1)) : NULL;
    struct api_put_configuration_key q;
    char block[PAYLOAD_MAX];
    struct amp_buf out;
    struct amp_json w;

    if (!ch || !rest_body(call, &q))
        return;
    amp_buf_init(&out, block, sizeof block);
    amp_json_init(&w, &out);
    amp_json_open(&w, '{');
    shape_text(&w, "key", known ? known->name : rest_param(call, 1)); /* as the station spells it */
    shape_text(&w, "value", q.value);
    amp_json_close(&w, '}');
    f.payload = amp_buf_text(&out);
    if (out.full)
        rest_fault(call, AMP_E_VALUE, NULL, "value");
    else
        rest_command_ask(call, ch, &f, "value");
}
