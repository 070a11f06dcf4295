/* central/rest/local_lists.c - lists of tags that stations keep for when they are offline: what is
 * in a list, and which charger is to have which. How it gets there is the domain's business
 * (central/domain/local_list.h). */
#include "central/domain/local_list.h"
#include "central/rest/audit.h"
#include "central/rest/commands.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include <stdio.h>
#include <stdlib.h>

#include "messages/api.h"

#define NAME_MAX_CHARS 64

static void shape_list(struct amp_json *w, const struct central *c, const struct list_fact *f)
{
    const struct list_entry_fact *e;
    struct amp_text after = AMP_TEXT("");
    int64_t entries = 0, sendable = 0;

    while ((e = world_list_next(c->world, f->org, f->name, after))) {
        entries++;
        sendable += amp_text_chars(e->tag) <= 20 && world_tag(c->world, f->org, e->tag);
        after = e->tag;
    }
    amp_json_open(w, '{');
    shape_text(w, "name", f->name);
    shape_text(w, "note", f->note);
    shape_int(w, "revision", f->revision);
    shape_int(w, "entries", entries);
    shape_int(w, "sendable", sendable);
    shape_int(w, "chargers", (int64_t)world_list_users(c->world, f->org, f->name));
    shape_time(w, "createdAt", f->created_ms);
    amp_json_close(w, '}');
}

/* ---- lists ---- */

void rest_list_local_lists(struct rest_call *call)
{
    struct amp_json *w = rest_list(call, live_seq(call->c->live));
    const struct list_fact *f;

    for (size_t i = 0; (f = world_list_at(call->c->world, i)); i++)
        if (f->org == call->who.org)
            shape_list(w, call->c, f);
    rest_list_end(call, 0);
}

/* The list of the path; NULL: a problem was answered. */
static const struct list_fact *known(struct rest_call *call)
{
    const struct list_fact *f = world_list(call->c->world, call->who.org, rest_param(call, 0));

    if (!f)
        rest_absent(call, "local list", rest_param(call, 0));
    return f;
}

void rest_get_local_list(struct rest_call *call)
{
    const struct list_fact *f = known(call);
    struct amp_json *w;

    if (!f)
        return;
    w = rest_begin(call);
    shape_list(w, call->c, f);
    rest_send(call, 200);
}

static void changed(struct rest_call *call)
{
    if (rest_conn(call))
        rest_get_local_list(call);
    else
        rest_drop(call);
}

/* False: a problem was answered. */
static bool sound(struct rest_call *call, const char *field, struct amp_text text)
{
    if (text.len && amp_text_chars(text) <= NAME_MAX_CHARS)
        return true;
    rest_problem(call,
                 &(struct rest_problem){ .status = 422,
                                         .kind = "bad-value",
                                         .title = "This can't be a name",
                                         .field = field,
                                         .cure = "Give 1 to 64 characters." },
                 "%s: %.*s", field, AMP_FMT(text));
    return false;
}

/* All of a list of names; false: a problem was answered. */
static bool sound_tags(struct rest_call *call, const char *field, const struct amp_text *at,
                       uint32_t len)
{
    char where[64];

    for (uint32_t i = 0; i < len; i++) {
        snprintf(where, sizeof where, "%s[%u]", field, (unsigned)i);
        if (!sound(call, where, at[i]))
            return false;
    }
    return true;
}

static void audit(struct rest_call *call, const char *action, struct amp_text name)
{
    rest_audit(call,
               &(struct rest_change){ .action = action, .kind = "local-list", .thing = name });
}

void rest_put_local_list(struct rest_call *call)
{
    struct world *world = call->c->world;
    const struct list_fact *old = world_list(world, call->who.org, rest_param(call, 0));
    struct amp_text name = rest_param(call, 0);
    bool fresh = !old;
    struct api_put_local_list q;

    if (!rest_body(call, &q) || !sound(call, "name", name))
        return;
    if (old)
        shape_list(rest_was(call), call->c, old);
    world_put_list(world,
                   &(struct list_fact){ .org = call->who.org,
                                        .name = name,
                                        .note = q.note.at ? q.note
                                                : old     ? old->note
                                                          : AMP_NO_TEXT },
                   rest_now(call));
    old = world_list(world, call->who.org, name);
    shape_list(rest_is(call), call->c, old);
    audit(call, fresh ? "create" : "change", old->name);
    rest_after(call, changed);
}

static void deleted(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_local_list(struct rest_call *call)
{
    const struct list_fact *f = known(call);
    struct list_fact gone;
    size_t users;

    if (!f)
        return;
    users = world_list_users(call->c->world, f->org, f->name);
    if (users) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "in-use",
                                             .title = "Chargers are to have this list",
                                             .field = "name",
                                             .cure = "Take it from them first: DELETE "
                                                     "/api/v1/chargers/{id}/local-list." },
                     "%d chargers are to have it.", (int)users);
        return;
    }
    gone = *f;
    gone.deleted = true;
    shape_list(rest_was(call), call->c, f);
    audit(call, "delete", f->name);
    world_put_list(call->c->world, &gone, rest_now(call));
    rest_after(call, deleted);
}

/* ---- what is in one ---- */

void rest_list_local_list_tags(struct rest_call *call)
{
    const struct list_fact *f = known(call);
    char after[REST_PARAM_MAX * 2] = "";
    const struct list_entry_fact *e;
    struct amp_text last = AMP_NO_TEXT, from;
    int64_t limit = REST_LIMIT_MAX;
    struct amp_json *w;

    if (!f || !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    rest_query(call, "after", after, sizeof after);
    w = rest_list(call, live_seq(call->c->live));
    from = amp_text_of(after);
    for (; (e = world_list_next(call->c->world, f->org, f->name, from)); from = e->tag) {
        const struct tag_fact *t = world_tag(call->c->world, f->org, e->tag);

        if (limit-- == 0)
            break;
        if (t) {
            shape_tag(w, t);
        } else { /* nothing is sent about it */
            amp_json_open(w, '{');
            shape_text(w, "tag", e->tag);
            shape_text(w, "status", AMP_TEXT("Invalid"));
            shape_text(w, "note", AMP_TEXT("there is no such tag"));
            amp_json_close(w, '}');
        }
        last = e->tag;
    }
    rest_list_end_text(call, limit < 0 ? last : AMP_NO_TEXT);
}

struct count {
    int64_t added, removed, unchanged;
};

static void counted(struct rest_call *call)
{
    const struct count *n = call->state;
    struct amp_json *w;

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    w = rest_begin(call);
    amp_json_open(w, '{');
    shape_int(w, "added", n->added);
    shape_int(w, "removed", n->removed);
    shape_int(w, "unchanged", n->unchanged);
    amp_json_close(w, '}');
    rest_send(call, 200);
}

/* Without case, for sorting and finding. */
static int by_name(const void *a, const void *b)
{
    const struct amp_text *x = a, *y = b;

    for (uint32_t i = 0; i < x->len && i < y->len; i++) {
        int p = (unsigned char)x->at[i], q = (unsigned char)y->at[i];

        p += p >= 'A' && p <= 'Z' ? 32 : 0;
        q += q >= 'A' && q <= 'Z' ? 32 : 0;
        if (p != q)
            return p - q;
    }
    return x->len < y->len ? -1 : x->len > y->len;
}

/* Only those that are named stay. `set` is put in order. */
static int64_t remove_others(struct world *w, int64_t org, struct amp_text name,
                             struct amp_text *set, uint32_t len)
{
    char after[NAME_MAX_CHARS * 4 + 1] = ""; /* entries are replaced as they go */
    const struct list_entry_fact *e;
    int64_t removed = 0;

    qsort(set, len, sizeof *set, by_name);
    while ((e = world_list_next(w, org, name, amp_text_of(after)))) {
        amp_text_copy(after, sizeof after, e->tag);
        if (!bsearch(&e->tag, set, len, sizeof *set, by_name))
            removed += world_list_drop(w, org, name, amp_text_of(after));
    }
    return removed;
}

void rest_change_local_list(struct rest_call *call)
{
    struct world *w = call->c->world;
    const struct list_fact *f = known(call);
    struct api_change_local_list q;
    struct amp_text name;
    struct count *n;

    if (!f || !rest_body(call, &q) || !sound_tags(call, "set", q.set.at, q.set.len) ||
        !sound_tags(call, "add", q.add.at, q.add.len) ||
        !sound_tags(call, "remove", q.remove.at, q.remove.len))
        return;
    n = call->state = calloc(1, sizeof *n);
    if (!n)
        abort();
    shape_list(rest_was(call), call->c, f);
    name = rest_param(call, 0); /* the fact is replaced as its revision counts */
    if (q.set.len)
        n->removed = remove_others(w, call->who.org, name, q.set.at, q.set.len);
    for (uint32_t i = 0; i < q.set.len; i++)
        *(world_list_add(w, call->who.org, name, q.set.at[i]) ? &n->added : &n->unchanged) += 1;
    for (uint32_t i = 0; i < q.add.len; i++)
        *(world_list_add(w, call->who.org, name, q.add.at[i]) ? &n->added : &n->unchanged) += 1;
    for (uint32_t i = 0; i < q.remove.len; i++)
        *(world_list_drop(w, call->who.org, name, q.remove.at[i]) ? &n->removed : &n->unchanged) +=
            1;
    f = world_list(w, call->who.org, name);
    shape_list(rest_is(call), call->c, f);
    audit(call, "change", f->name);
    rest_after(call, counted);
}
