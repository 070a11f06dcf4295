/* central/rest/profiles.c - charging-profile templates by name. A template is kept as it was given,
 * and read again when it is used. */
#include "central/rest/profiles.h"
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

static void shape(struct amp_json *w, const struct profile_fact *f)
{
    amp_json_open(w, '{');
    shape_text(w, "name", f->name);
    shape_text(w, "note", f->note);
    amp_json_key(w, "profile");
    amp_json_raw(w, f->body);
    shape_time(w, "changedAt", f->changed_ms);
    amp_json_close(w, '}');
}

void rest_list_profiles(struct rest_call *call)
{
    struct amp_json *w = rest_list(call, live_seq(call->c->live));
    const struct profile_fact *f;

    for (size_t i = 0; (f = world_profile_at(call->c->world, i)); i++)
        if (f->org == call->who.org)
            shape(w, f);
    rest_list_end(call, 0);
}

static const struct profile_fact *known(struct rest_call *call)
{
    return world_profile(call->c->world, call->who.org, rest_param(call, 0));
}

void rest_get_profile(struct rest_call *call)
{
    const struct profile_fact *f = known(call);
    struct amp_json *w;

    if (!f) {
        rest_absent(call, "charging profile", rest_param(call, 0));
        return;
    }
    w = rest_begin(call);
    shape(w, f);
    rest_send(call, 200);
}

static void changed(struct rest_call *call)
{
    if (rest_conn(call))
        rest_get_profile(call);
    else
        rest_drop(call);
}

static void bad(struct rest_call *call, const char *field, const char *why)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 422,
                                         .kind = "bad-value",
                                         .title = "This can't be a charging profile",
                                         .field = field,
                                         .cure = "Give what OCPP 1.6 allows." },
                 "%s: %s", field, why);
}

void rest_put_profile(struct rest_call *call)
{
    const struct profile_fact *old = known(call);
    struct amp_text name = rest_param(call, 0);
    struct api_put_profile q;
    struct profile_fact f;
    char field[64];
    const char *why;

    if (!rest_body(call, &q))
        return;
    why = profile_fault(&q, field);
    if (why || !name.len || amp_text_chars(name) > 64) {
        bad(call, why ? field : "name", why ? why : "a name has 1 to 64 characters");
        return;
    }
    f = (struct profile_fact){ .org = call->who.org,
                               .name = old ? old->name : name,
                               .note = q.note,
                               .body = amp_text_trim(call->body),
                               .changed_ms = rest_now(call) };
    if (old)
        shape(rest_was(call), old);
    shape(rest_is(call), &f);
    rest_audit(call, &(struct rest_change){ .action = old ? "change" : "create",
                                            .kind = "charging-profile",
                                            .thing = f.name });
    world_put_profile(call->c->world, &f);
    rest_after(call, changed);
}

static void deleted(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_profile(struct rest_call *call)
{
    const struct profile_fact *old = known(call);
    struct profile_fact f;

    if (!old) {
        rest_absent(call, "charging profile", rest_param(call, 0));
        return;
    }
    f = *old;
    f.deleted = true;
    shape(rest_was(call), old);
    rest_audit(call, &(struct rest_change){
                         .action = "delete", .kind = "charging-profile", .thing = f.name });
    world_put_profile(call->c->world, &f);
    rest_after(call, deleted);
}

bool rest_profile(struct rest_call *call, struct amp_text name, struct api_put_profile *out)
{
    const struct profile_fact *f = world_profile(call->c->world, call->who.org, name);
    struct amp_fault fault;

    if (!f) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "bad-value",
                                             .title = "There is no such charging profile",
                                             .field = "profile",
                                             .cure = "GET /api/v1/charging-profiles lists them." },
                     "profile: %.*s", AMP_FMT(name));
        return false;
    }
    /* behind the caller's own record in the same arena: both stay */
    if (amp_decode(api.messages[API_PUT_PROFILE].request, AMP_OCPP16, AMP_STRICT, f->body, out,
                   &call->c->arena, &fault, NULL) == 0)
        return true;
    rest_fault(call, fault.rc, &fault, "profile");
    return false;
}
