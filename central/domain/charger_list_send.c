/* central/domain/charger_list_send.c - how a station gets what it lacks of its list. Nothing is
 * sent by whoever changes a list: what a station lacks is seen when it can be called (world_sync),
 * so it makes no difference whether it was there at the time. An update that the station takes in
 * parts is a full one of the first part and differential ones of the others. */
#include "central/domain/list_inside.h"
#include "central/domain/local_list.h"
#include "central/domain/quirk.h"
#include "ocpp/json.h"

#define PART_MAX     500 /* entries: a frame stays below 64 KB, whatever the station promises (E82) */
#define TAG_WIRE_MAX 20 /* ci20 of OCPP 1.6: longer ones can't be sent (E32) */

/* ---- a part of a list as a payload ---- */

static bool grow(struct amp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 1024;

    while (cap < need)
        cap *= 2;
    b->at = must(realloc(b->at, cap));
    b->cap = cap;
    return true;
}

static bool fits(struct amp_text tag)
{
    return amp_text_chars(tag) <= TAG_WIRE_MAX;
}

/* What the station is to know about it: NULL, nothing: it goes, or never comes. */
static const struct tag_fact *known(const struct world *w, const struct list_entry_fact *e)
{
    return e->deleted || !fits(e->tag) ? NULL : world_tag(w, e->org, e->tag);
}

static void put_entry(struct amp_json *out, const struct list_entry_fact *e,
                      const struct tag_fact *t)
{
    static const char *const words[] = { "Accepted", "Blocked", "Expired" };
    const char *status = "Invalid";

    amp_json_open(out, '{');
    amp_json_key(out, "idTag");
    amp_json_text(out, t ? t->tag : e->tag);
    for (size_t i = 0; t && i < AMP_COUNT(words); i++)
        if (amp_text_is(t->status, words[i]))
            status = words[i];
    if (t) {
        amp_json_key(out, "idTagInfo");
        amp_json_open(out, '{');
        if (t->expiry_ms) {
            amp_json_key(out, "expiryDate");
            amp_json_time(out, t->expiry_ms);
        }
        if (t->parent.len && fits(t->parent)) {
            amp_json_key(out, "parentIdTag");
            amp_json_text(out, t->parent);
        }
        amp_json_key(out, "status");
        amp_json_str(out, status);
        amp_json_close(out, '}');
    }
    amp_json_close(out, '}');
}

static struct amp_text name_of(const char *name)
{
    return name ? amp_text_of(name) : AMP_TEXT("");
}

/* The entries behind l->after that the station lacks, at most `max`; notes in l where it ended and
 * whether more follow. Their number. */
static int put_entries(const struct world *w, struct charger_list *l, const struct list *list,
                       int32_t max, struct amp_json *out)
{
    const struct list_entry_fact *e = list_entry_after(list, name_of(l->after)), *last = NULL;
    int32_t n = 0;

    for (l->more = false; e; e = list_entry_after(list, e->tag)) {
        const struct tag_fact *t = known(w, e);

        if (l->full ? !t : e->revision <= l->fact->revision)
            continue;
        if (!t && !fits(e->tag))
            continue; /* was never there */
        if (n == max) {
            l->more = true;
            break;
        }
        put_entry(out, e, t);
        last = e;
        n++;
    }
    free(l->sent_to);
    l->sent_to =
        last ? amp_text_copy(must(malloc(last->tag.len + 1)), last->tag.len + 1, last->tag) : NULL;
    return n;
}

static size_t total(const struct world *w, const struct list *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->count; i++)
        n += known(w, list->entries[i]) != NULL;
    return n;
}

/* ---- sending ---- */

static int64_t ask(struct world *w, struct charger *c, const char *action, struct amp_text payload,
                   int64_t now_ms)
{
    return world_command(w, c,
                         &(struct command_fact){ .connector = -1,
                                                 .action = amp_text_of(action),
                                                 .payload = payload,
                                                 .by = AMP_TEXT("local list") },
                         now_ms);
}

static bool too_many(struct world *w, struct charger *c, const struct list *list,
                     const struct traits *t, int64_t now_ms)
{
    struct charger_list_fact f = *c->list->fact;
    size_t n = list && t->list_total ? total(w, list) : 0;
    struct amp_buf out;
    char why[96];

    if (n <= (size_t)t->list_total)
        return false;
    amp_buf_init(&out, why, sizeof why);
    amp_buf_puts(&out, "the list has ");
    amp_buf_int(&out, (int64_t)n);
    amp_buf_puts(&out, " entries that can be sent, the station takes ");
    amp_buf_int(&out, t->list_total);
    c->list->failed = list->fact->revision;
    return charger_list_happens(w, c, &f, LIST_FAILED, amp_buf_text(&out), now_ms);
}

/* How many entries go into one message. */
static int32_t part_of(const struct charger_list_fact *f, const struct traits *t)
{
    if (f->max)
        return f->max; /* a person said so */
    return !t->list_max ? LIST_CHUNK : t->list_max < PART_MAX ? t->list_max : PART_MAX;
}

static void send_part(struct world *w, struct charger *c, int64_t now_ms)
{
    struct charger_list *l = c->list;
    struct charger_list_fact f = *l->fact;
    struct list *list = charger_list_wanted(w, &f);
    struct amp_buf text = { .grow = grow };
    struct amp_json out;
    struct traits t;
    int n = 0;

    charger_traits(w, c, &t);
    if (!l->going) {
        l->full = f.revision <= 0;
        l->target = list ? list->fact->revision : OURS_AND_EMPTY;
        if (too_many(w, c, list, &t, now_ms))
            return;
    }
    amp_json_init(&out, &text);
    amp_json_open(&out, '{');
    amp_json_key(&out, "listVersion");
    amp_json_int(&out, f.version + 1);
    if (list) {
        amp_json_key(&out, "localAuthorizationList");
        amp_json_open(&out, '[');
        n = put_entries(w, l, list, part_of(&f, &t), &out);
        amp_json_close(&out, ']');
    }
    if (!n && l->full) { /* nothing at all: the field is left out */
        amp_buf_reset(&text);
        amp_json_init(&out, &text);
        amp_json_open(&out, '{');
        amp_json_key(&out, "listVersion");
        amp_json_int(&out, f.version + 1);
    }
    amp_json_key(&out, "updateType");
    amp_json_str(&out, l->full && !l->going ? "Full" : "Differential");
    amp_json_close(&out, '}');
    if (!n && !(l->full && !l->going)) { /* what changed concerns nothing that it has */
        f.revision = l->target;
        charger_list_over(l);
        charger_list_happens(w, c, &f, LIST_HAS_IT, AMP_NO_TEXT, now_ms);
    } else {
        if (list)
            list_seal(w, list);
        f.command = ask(w, c, "SendLocalList", amp_buf_text(&text), now_ms);
        f.sent = f.version + 1;
        if (f.command > 0)
            charger_list_happens(w, c, &f, LIST_SENT, AMP_NO_TEXT, now_ms);
    }
    free(text.at);
}

/* Is there an answer still to come to what it waits for? */
static bool under_way(struct world *w, const struct charger_list_fact *f)
{
    const struct command_fact *k = world_command_get(w, f->command);

    return k && (k->state == COMMAND_QUEUED || k->state == COMMAND_SENT);
}

void world_sync(struct world *w, struct charger *c, int64_t now_ms)
{
    struct charger_list *l = c->list;
    struct charger_list_fact f;
    struct list *list;

    if (!c->session || c->fact->registration != REGISTRATION_ACCEPTED)
        return;
    if (c->installed && installed_sync(w, c, now_ms))
        return;
    if (!l || l->checked == w->list_changes + 1)
        return;
    f = *l->fact;
    list = charger_list_wanted(w, &f);
    if ((f.state == CHARGER_LIST_SENDING || f.state == CHARGER_LIST_ASKING)) {
        if (!under_way(w, &f)) /* its answer was lost with a former process */
            charger_list_happens(w, c, &f, LIST_LOST, AMP_NO_TEXT, now_ms);
        return;
    }
    if (list && ((f.state == CHARGER_LIST_SYNCED && list->fact->revision != f.revision) ||
                 (f.state == CHARGER_LIST_FAILED && list->fact->revision != l->failed)))
        charger_list_happens(w, c, &f, LIST_CHANGED, AMP_NO_TEXT, now_ms);
    if (l->fact->state != CHARGER_LIST_PENDING) {
        l->checked = w->list_changes + 1;
        return;
    }
    if (now_ms < l->not_before_ms)
        return;
    f = *l->fact;
    if (f.version == LIST_VERSION_UNKNOWN || f.sent) {
        f.command = ask(w, c, "GetLocalListVersion", AMP_TEXT("{}"), now_ms);
        if (f.command > 0)
            charger_list_happens(w, c, &f, LIST_ASKED, AMP_NO_TEXT, now_ms);
        return;
    }
    send_part(w, c, now_ms);
}
