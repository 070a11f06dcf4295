/* central/rest/tags.c - who may charge. */
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"

#define TAG_MAX 20 /* ci20 of OCPP 1.6: a longer one could never be sent to a station */

void rest_list_tags(struct rest_call *call)
{
    struct world *world = call->c->world;
    struct amp_json *w = rest_list(call, live_seq(call->c->live));

    for (size_t i = 0; i < world_tag_count(world); i++) {
        const struct tag_fact *t = world_tag_at(world, i);

        if (t && t->org == call->who.org && !t->deleted)
            shape_tag(w, t);
    }
    rest_list_end(call, 0);
}

static const struct tag_fact *known(struct rest_call *call)
{
    const struct tag_fact *t = world_tag(call->c->world, call->who.org, rest_param(call, 0));

    return t && !t->deleted ? t : NULL;
}

static void answer(struct rest_call *call)
{
    const struct tag_fact *t = known(call);
    struct amp_json *w;

    if (!t) {
        rest_absent(call, "tag", rest_param(call, 0));
        return;
    }
    w = rest_begin(call);
    shape_tag(w, t);
    rest_send(call, 200);
}

void rest_get_tag(struct rest_call *call)
{
    answer(call);
}

static void changed(struct rest_call *call)
{
    if (rest_conn(call))
        answer(call);
    else
        rest_drop(call);
}

void rest_put_tag(struct rest_call *call)
{
    const struct tag_fact *old = known(call);
    struct amp_text tag = rest_param(call, 0);
    struct api_put_tag q;
    struct tag_fact t;

    if (!rest_body(call, &q))
        return;
    if (!tag.len || amp_text_chars(tag) > TAG_MAX) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "bad-value",
                                             .title = "This can't be a tag",
                                             .field = "tag",
                                             .cure = "Give 1 to 20 characters." },
                     "tag: %.*s", AMP_FMT(tag));
        return;
    }
    /* what the body leaves out stays; the first spelling stays too */
    t = (struct tag_fact){ .org = call->who.org,
                           .tag = old ? old->tag : tag,
                           .parent = q.parent.at ? q.parent
                                     : old       ? old->parent
                                                 : AMP_NO_TEXT,
                           .note = q.note.at ? q.note
                                   : old     ? old->note
                                             : AMP_NO_TEXT,
                           .status = q.status ? amp_text_of(amp_enum_name(&api_tag_status_names,
                                                                          (int)q.status))
                                     : old    ? old->status
                                              : AMP_TEXT("Accepted"),
                           .expiry_ms = q.has & API_HAS_PUT_TAG_EXPIRES_AT ? q.expires_at
                                        : old                              ? old->expiry_ms
                                                                           : 0 };
    if (old)
        shape_tag(rest_was(call), old);
    shape_tag(rest_is(call), &t);
    rest_audit(call, &(struct rest_change){
                         .action = old ? "change" : "create", .kind = "tag", .thing = t.tag });
    world_put_tag(call->c->world, &t);
    rest_after(call, changed);
}

static void deleted(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_tag(struct rest_call *call)
{
    const struct tag_fact *old = known(call);
    struct tag_fact t;

    if (!old) {
        rest_absent(call, "tag", rest_param(call, 0));
        return;
    }
    t = *old;
    t.deleted = true;
    shape_tag(rest_was(call), old);
    rest_audit(call, &(struct rest_change){ .action = "delete", .kind = "tag", .thing = t.tag });
    world_put_tag(call->c->world, &t);
    rest_after(call, deleted);
}
