/* central/rest/tags.c - who may charge. OCPP 1.6 §3.8; edge cases 31 to 33.
 * The state of a parent does not touch its children: to OCPP 1.6 a parentIdTag is the name of a
 * group and nothing more, it need not be a tag itself, and the status belongs to the tag alone. A
 * station judges its local list in the same way, so online and offline agree. Who wants to block a
 * family changes its members: ?parent= lists them, PUT /tags changes many at once. */
#include "central/rest/tags.h"
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"

/* ---- what a tag may be ---- */

/* E33: odd characters are somebody's card all the same; what cannot be printed is nobody's. */
static bool sound(struct amp_text t, uint32_t least)
{
    if (amp_text_chars(t) < least || amp_text_chars(t) > TAG_MAX)
        return false;
    for (uint32_t i = 0; i < t.len; i++)
        if ((unsigned char)t.at[i] < ' ' || t.at[i] == 0x7f)
            return false;
    return true;
}

const char *tag_fault(const struct tag_change *t, const char **field)
{
    *field = "tag";
    if (!sound(t->tag, 1))
        return "a tag has 1 to 64 characters that can be printed";
    *field = "parent";
    if (!sound(t->parent, 0))
        return "a parent has at most 64 characters that can be printed";
    *field = "status";
    if (t->status.at && !amp_enum_find(&api_tag_status_names, t->status))
        return "is none of Accepted, Blocked, Expired, Invalid, ConcurrentTx";
    *field = "note";
    if (amp_text_chars(t->note) > 200)
        return "a note has at most 200 characters";
    return NULL;
}

/* ---- changing ---- */

static struct amp_text either(struct amp_text fresh, struct amp_text old)
{
    return !fresh.at ? old : fresh.len ? fresh : AMP_NO_TEXT;
}

static bool equal(const struct tag_fact *a, const struct tag_fact *b)
{
    return amp_text_eq(a->status, b->status) && amp_text_eq(a->parent, b->parent) &&
           amp_text_eq(a->note, b->note) && a->expiry_ms == b->expiry_ms;
}

enum tag_result tag_make(struct rest_call *call, const struct tag_change *t)
{
    static const struct tag_fact none;
    const struct tag_fact *old = world_tag(call->c->world, call->who.org, t->tag);
    const struct tag_fact *was = old ? old : &none;
    struct tag_fact f = {
        .org = call->who.org,
        .tag = old ? old->tag : t->tag, /* the first spelling stays: E31 */
        .parent = either(t->parent, was->parent),
        .note = either(t->note, was->note),
        .status = t->status.at ? t->status
                  : old        ? old->status
                               : AMP_TEXT("Accepted"),
        .expiry_ms = t->expiry_ms < 0 ? 0
                     : t->expiry_ms   ? t->expiry_ms
                                      : was->expiry_ms,
    };

    if (old && equal(old, &f))
        return TAG_SAME;
    if (old)
        shape_tag(rest_was(call), old);
    shape_tag(rest_is(call), &f);
    rest_audit(call, &(struct rest_change){
                         .action = old ? "change" : "create", .kind = "tag", .thing = f.tag });
    world_put_tag(call->c->world, &f);
    return old ? TAG_CHANGED : TAG_CREATED;
}

/* ---- one ---- */

static const struct tag_fact *known(struct rest_call *call)
{
    return world_tag(call->c->world, call->who.org, rest_param(call, 0));
}

void rest_get_tag(struct rest_call *call)
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

static void changed(struct rest_call *call)
{
    if (rest_conn(call))
        rest_get_tag(call);
    else
        rest_drop(call);
}

void rest_put_tag(struct rest_call *call)
{
    struct tag_change t = { .tag = rest_param(call, 0) };
    struct api_put_tag q;
    const char *field, *why;

    if (!rest_body(call, &q))
        return;
    t.parent = q.parent;
    t.note = q.note;
    t.status =
        q.status ? amp_text_of(amp_enum_name(&api_tag_status_names, (int)q.status)) : AMP_NO_TEXT;
    t.expiry_ms = q.has & API_HAS_PUT_TAG_EXPIRES_AT ? q.expires_at : 0;
    if (q.never_expires)
        t.expiry_ms = -1;
    why = tag_fault(&t, &field);
    if (why) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "bad-value",
                                             .title = "This can't be a tag",
                                             .field = field,
                                             .cure = "Give what the API description allows." },
                     "%s: %s", field, why);
        return;
    }
    tag_make(call, &t);
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

/* ---- many ---- */

static bool contains(struct amp_text t, struct amp_text part)
{
    for (uint32_t i = 0; i + part.len <= t.len; i++)
        if (amp_text_eqi((struct amp_text){ t.at + i, part.len }, part))
            return true;
    return !part.len;
}

bool tag_shown(const struct tag_filter *f, const struct tag_fact *t)
{
    return t->org == f->org && (!f->status.len || amp_text_eqi(t->status, f->status)) &&
           (!f->parent.len || amp_text_eqi(t->parent, f->parent)) &&
           (contains(t->tag, f->search) || contains(t->note, f->search));
}

static struct amp_text query_text(struct rest_call *call, const char *name,
                                  char out[REST_PARAM_MAX])
{
    return rest_query(call, name, out, REST_PARAM_MAX) ? amp_text_of(out) : AMP_NO_TEXT;
}

bool tag_filter_of(struct rest_call *call, struct tag_filter *f)
{
    *f = (struct tag_filter){ .org = call->who.org };
    f->search = query_text(call, "search", f->texts[0]);
    f->status = query_text(call, "status", f->texts[1]);
    f->parent = query_text(call, "parent", f->texts[2]);
    if (!f->status.len || amp_enum_find(&api_tag_status_names, f->status))
        return true;
    rest_problem(call,
                 &(struct rest_problem){ .status = 400,
                                         .kind = "bad-parameter",
                                         .title = "A query parameter makes no sense",
                                         .field = "status",
                                         .cure = "Give Accepted, Blocked, Expired, Invalid or "
                                                 "ConcurrentTx." },
                 "status=%s", f->texts[1]);
    return false;
}

void rest_list_tags(struct rest_call *call)
{
    struct world *world = call->c->world;
    char after[REST_PARAM_MAX * 2] = "";
    struct amp_text last = AMP_NO_TEXT;
    struct tag_filter filter;
    int64_t limit = REST_LIMIT_MAX;
    const struct tag_fact *t;
    struct amp_json *w;

    if (!tag_filter_of(call, &filter) || !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    rest_query(call, "after", after, sizeof after);
    w = rest_list(call, live_seq(call->c->live));
    for (size_t i = world_tag_after(world, call->who.org, amp_text_of(after));
         (t = world_tag_at(world, i)) && t->org == call->who.org; i++) {
        if (!tag_shown(&filter, t))
            continue;
        if (limit-- == 0)
            break;
        shape_tag(w, t);
        last = t->tag;
    }
    rest_list_end_text(call, limit < 0 ? last : AMP_NO_TEXT);
}
