/* central/rest/access.c - how a charger may come in: its password, the security profile that is
 * demanded of it, its certificate's name. The password itself is shown once, here, and kept nowhere
 * (central/pki/secret.h). OCPP 1.6 security white paper, A01 to A05. */
#include "central/domain/access.h"
#include "central/pki/secret.h"
#include "central/rest/audit.h"
#include "central/rest/commands.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"
#include <stdlib.h>

#define PASSWORD_MAX 64

static void put_bool(struct amp_json *w, const char *key, bool value)
{
    amp_json_key(w, key);
    amp_json_bool(w, value);
}

static void shape_security(struct amp_json *w, const struct charger *ch)
{
    const struct access_fact *f = charger_access(ch);

    amp_json_open(w, '{');
    shape_text(w, "charger", charger_fact(ch)->id);
    put_bool(w, "password", f->password.len != 0);
    shape_time(w, "passwordAt", f->password_ms);
    put_bool(w, "passwordWaits", f->next.len != 0);
    shape_int(w, "profile", f->profile);
    if (f->least)
        shape_int(w, "leastProfile", f->least - 1);
    put_bool(w, "anyUser", f->any_user);
    shape_text(w, "certificateName", f->certificate);
    if (f->max_message)
        shape_int(w, "maxMessage", f->max_message);
    amp_json_close(w, '}');
}

static void audit(struct rest_call *call, const struct charger *ch, const char *action)
{
    shape_security(rest_is(call), ch);
    rest_audit(call, &(struct rest_change){ .action = action,
                                            .kind = "security",
                                            .thing = charger_fact(ch)->id,
                                            .charger = charger_fact(ch)->key });
}

static void answer(struct rest_call *call)
{
    const struct charger *ch = world_charger_by_key(call->c->world, call->key);

    if (!rest_conn(call) || !ch) {
        rest_drop(call);
        return;
    }
    shape_security(rest_begin(call), ch);
    rest_send(call, 200);
}

void rest_get_security(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));

    if (!ch)
        return;
    shape_security(rest_begin(call), ch);
    rest_send(call, 200);
}

static bool refuse(struct rest_call *call, const char *field, const char *cure)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 422,
                                         .kind = "bad-value",
                                         .title = "This can't be",
                                         .field = field,
                                         .cure = cure },
                 "%s: out of range.", field);
    return false;
}

static bool sound(struct rest_call *call, const struct api_update_security *q)
{
    int64_t most = call->c->settings.max_message;

    if (q->has & API_HAS_UPDATE_SECURITY_LEAST_PROFILE &&
        (q->least_profile < -1 || q->least_profile > 3))
        return refuse(call, "leastProfile", "Give 0 to 3, or -1 for the rule of the server.");
    if (q->has & API_HAS_UPDATE_SECURITY_PROFILE && q->profile > 3)
        return refuse(call, "profile", "Give 0 to 3.");
    if (q->has & API_HAS_UPDATE_SECURITY_MAX_MESSAGE && q->max_message != 0 &&
        (q->max_message < 1024 || (most && q->max_message > most)))
        return refuse(call, "maxMessage",
                      "Give 1024 bytes to --max-message, or 0 for the rule of the server.");
    return true;
}

void rest_update_security(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    struct api_update_security q;
    struct access_fact f;

    if (!ch || !rest_body(call, &q) || !sound(call, &q))
        return;
    shape_security(rest_was(call), ch);
    f = *charger_access(ch);
    if (q.has & API_HAS_UPDATE_SECURITY_LEAST_PROFILE)
        f.least = (int32_t)q.least_profile + 1;
    if (q.has & API_HAS_UPDATE_SECURITY_PROFILE)
        f.profile = (int32_t)q.profile;
    if (q.has & API_HAS_UPDATE_SECURITY_ANY_USER)
        f.any_user = q.any_user;
    if (q.has & API_HAS_UPDATE_SECURITY_MAX_MESSAGE)
        f.max_message = (int32_t)q.max_message;
    if (q.certificate_name.at)
        f.certificate = q.certificate_name.len ? q.certificate_name : AMP_NO_TEXT;
    world_put_access(call->c->world, ch, &f);
    audit(call, ch, "change");
    call->key = charger_fact(ch)->key;
    rest_after(call, answer);
}

/* ---- the password ---- */

/* call->state has the generated one, or nothing. */
static void password_set(struct rest_call *call)
{
    const struct charger *ch = world_charger_by_key(call->c->world, call->key);
    struct amp_json *w;

    if (!rest_conn(call) || !ch) {
        rest_drop(call);
        return;
    }
    w = rest_begin(call);
    amp_json_open(w, '{');
    shape_text(w, "charger", charger_fact(ch)->id);
    if (call->state)
        shape_text(w, "password", amp_text_of(call->state));
    amp_json_close(w, '}');
    rest_send(call, 200);
}

static void set(struct rest_call *call, struct charger *ch, struct amp_text password)
{
    struct access_fact f = *charger_access(ch);
    char stored[SECRET_STORED_MAX];

    secret_hash(password, stored);
    shape_security(rest_was(call), ch);
    f.password = amp_text_of(stored);
    f.next = AMP_NO_TEXT;
    f.password_ms = rest_now(call);
    world_put_access(call->c->world, ch, &f);
    audit(call, ch, "password");
}

void rest_put_password(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    struct api_put_password q;

    if (!ch || !rest_body(call, &q))
        return;
    if (q.password.at && (q.password.len < SECRET_LEAST || q.password.len > PASSWORD_MAX)) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "bad-value",
                                             .title = "This can't be a password of a charger",
                                             .field = "password",
                                             .cure = "Give 8 to 64 bytes; 40 hexadecimal digits "
                                                     "are best. Left out, one is generated." },
                     "It has %u bytes.", (unsigned)q.password.len);
        return;
    }
    if (!q.password.at) {
        char *fresh = malloc(SECRET_HEX + 1);

        if (!fresh)
            abort();
        secret_generate(fresh);
        call->state = fresh;
        q.password = amp_text_of(fresh);
    }
    set(call, ch, q.password);
    call->key = charger_fact(ch)->key;
    rest_after(call, password_set);
}

static void removed(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_password(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    struct access_fact f;

    if (!ch)
        return;
    shape_security(rest_was(call), ch);
    f = *charger_access(ch);
    f.password = f.next = AMP_NO_TEXT;
    f.password_ms = 0;
    if (f.profile < 3) /* what it proved by the password */
        f.profile = 0;
    world_put_access(call->c->world, ch, &f);
    audit(call, ch, "password");
    rest_after(call, removed);
}

/* The new one goes out with the frame only (v16_password): neither the command nor the log has it.
 * Until the station uses it, the old one is good, too. */
void rest_rotate_password(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct access_fact f;
    char fresh[SECRET_HEX + 1], stored[SECRET_STORED_MAX];

    if (!ch)
        return;
    if (!charger_session(ch)) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "station-offline",
                                             .title = "Station offline",
                                             .field = "queue",
                                             .cure = "Ask again when it is connected: a password "
                                                     "does not wait on a disk." },
                     "The charger is not connected; nothing was queued.");
        return;
    }
    secret_generate(fresh);
    secret_hash(amp_text_of(fresh), stored);
    shape_security(rest_was(call), ch);
    f = *charger_access(ch);
    f.next = amp_text_of(stored);
    world_put_access(call->c->world, ch, &f);
    audit(call, ch, "rotate");
    v16_password(call->c->v16, ch, amp_text_of(fresh));
    rest_command_ask(call, ch,
                     &(struct command_fact){
                         .connector = -1,
                         .action = AMP_TEXT("ChangeConfiguration"),
                         .payload = AMP_TEXT("{\"key\":\"AuthorizationKey\",\"value\":\"\"}") },
                     "key");
}
