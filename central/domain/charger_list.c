/* central/domain/charger_list.c - what each station has of a local list, and how it gets the rest.
 * Nothing is sent by whoever changes a list: what a station lacks is seen when it can be called
 * (world_sync), so it makes no difference whether it was there at the time. An update that the
 * station takes in parts is a full one of the first part and differential ones of the others. */
#include "central/domain/follow.h"
#include "central/domain/list_inside.h"
#include "central/domain/local_list.h"
#include "central/domain/quirk.h"
#include "ocpp/json.h"

#define PART_MAX       500 /* entries: a frame stays below 64 KB, whatever the station promises (E82) */
#define TAG_WIRE_MAX   20    /* ci20 of OCPP 1.6: longer ones can't be sent (E32) */
#define AGAIN_MS       60000 /* after an answer that was lost */
#define REFUSED_MAX    2     /* full updates that were a version mismatch, in a row */
#define OURS_AND_EMPTY (-1)  /* a revision: emptied because no list is to be there */

static const struct {
    int state;
    enum list_event event;
    int next;
} moves[] = {
    { CHARGER_LIST_IDLE, LIST_CHANGED, CHARGER_LIST_PENDING },
    { CHARGER_LIST_PENDING, LIST_ASKED, CHARGER_LIST_ASKING },
    { CHARGER_LIST_PENDING, LIST_SENT, CHARGER_LIST_SENDING },
    { CHARGER_LIST_PENDING, LIST_HAS_IT, CHARGER_LIST_SYNCED },
    { CHARGER_LIST_PENDING, LIST_FAILED, CHARGER_LIST_FAILED },
    { CHARGER_LIST_PENDING, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_PENDING, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_SENDING, LIST_HAS_IT, CHARGER_LIST_SYNCED },
    { CHARGER_LIST_SENDING, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_SENDING, LIST_LOST, CHARGER_LIST_PENDING },
    { CHARGER_LIST_SENDING, LIST_FAILED, CHARGER_LIST_FAILED },
    { CHARGER_LIST_SENDING, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_SENDING, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_ASKING, LIST_HAS_IT, CHARGER_LIST_SYNCED },
    { CHARGER_LIST_ASKING, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_ASKING, LIST_LOST, CHARGER_LIST_PENDING },
    { CHARGER_LIST_ASKING, LIST_FAILED, CHARGER_LIST_FAILED },
    { CHARGER_LIST_ASKING, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_ASKING, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_SYNCED, LIST_CHANGED, CHARGER_LIST_PENDING },
    { CHARGER_LIST_SYNCED, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_SYNCED, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_SYNCED, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_FAILED, LIST_CHANGED, CHARGER_LIST_PENDING },
    { CHARGER_LIST_FAILED, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_FAILED, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_FAILED, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_UNSUPPORTED, LIST_CHANGED, CHARGER_LIST_PENDING },
    { CHARGER_LIST_UNSUPPORTED, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_UNSUPPORTED, LIST_LEFT, CHARGER_LIST_IDLE },
};

int charger_list_next(int state, enum list_event e)
{
    for (size_t i = 0; i < AMP_COUNT(moves); i++)
        if (moves[i].state == state && moves[i].event == e)
            return moves[i].next;
    return 0;
}

/* ---- keeping ---- */

void charger_list_free(struct charger_list *l)
{
    if (!l)
        return;
    free(l->after);
    free(l->sent_to);
    free(l->fact);
    free(l);
}

void charger_list_apply(struct world *w, const struct charger_list_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->charger);

    if (!c)
        return;
    if (!c->list)
        c->list = must(calloc(1, sizeof *c->list));
    c->list->checked = 0;
    keep(FACT_CHARGER_LIST, &c->list->fact, f);
}

static void put(struct world *w, struct charger *c, const struct charger_list_fact *f)
{
    struct fact whole = { .kind = FACT_CHARGER_LIST, .u.charger_list = *f };
    struct fact *copy = fact_copy(&whole); /* texts of `f` may be those of the record itself */

    charger_list_apply(w, &copy->u.charger_list);
    tell(w, FACT_CHARGER_LIST, &copy->u.charger_list);
    free(copy);
    (void)c;
}

/* False: the event means nothing now, and nothing changed. */
static bool happens(struct world *w, struct charger *c, struct charger_list_fact *f,
                    enum list_event e, struct amp_text why, int64_t now_ms)
{
    int next = charger_list_next(f->state, e);

    if (!next)
        return false;
    f->state = next;
    f->why = why;
    f->changed_ms = now_ms;
    if (e != LIST_ASKED && e != LIST_SENT)
        f->command = 0;
    put(w, c, f);
    return true;
}

/* The update under way is given up, or done. */
static void update_over(struct charger_list *l)
{
    free(l->after);
    free(l->sent_to);
    l->after = l->sent_to = NULL;
    l->going = l->full = l->more = false;
}

static struct charger_list_fact blank(const struct charger *c)
{
    return (struct charger_list_fact){ .charger = c->fact->key,
                                       .org = c->fact->org,
                                       .version = LIST_VERSION_UNKNOWN,
                                       .state = CHARGER_LIST_IDLE };
}

static struct list *wanted(const struct world *w, const struct charger_list_fact *f)
{
    return f->list.len ? list_find(w, f->org, f->list) : NULL;
}

const struct charger_list_fact *charger_list(const struct charger *c)
{
    return c->list ? c->list->fact : NULL;
}

int charger_list_state(const struct world *w, const struct charger *c)
{
    const struct charger_list_fact *f = charger_list(c);
    const struct list *l = f ? wanted(w, f) : NULL;

    if (!f)
        return CHARGER_LIST_IDLE;
    return f->state == CHARGER_LIST_SYNCED && l && l->fact->revision != f->revision
               ? CHARGER_LIST_PENDING
               : f->state;
}

size_t world_list_users(const struct world *w, int64_t org, struct amp_text name)
{
    size_t n = 0;

    for (size_t i = 0; i < w->charger_count; i++) {
        const struct charger_list_fact *f = charger_list(w->chargers[i]);

        n += f && f->org == org && f->list.len && amp_text_eqi(f->list, name);
    }
    return n;
}

/* ---- what people want ---- */

void world_assign_list(struct world *w, struct charger *c, struct amp_text name, int32_t max,
                       bool leave, int64_t now_ms)
{
    struct charger_list_fact f = c->list ? *c->list->fact : blank(c);
    struct list *l = name.len ? list_find(w, f.org, name) : NULL;
    bool same = l && f.list.len && amp_text_eqi(f.list, name);

    if (c->list) {
        update_over(c->list);
        c->list->target = 0; /* what is under way leads nowhere */
    }
    f.list = l ? l->fact->name : AMP_NO_TEXT;
    f.max = max;
    if (!same)
        f.revision = 0; /* the contents are another list's */
    if (!l && (leave || f.version == 0 || f.version == -1))
        f.state = CHARGER_LIST_IDLE;
    else if (charger_list_next(f.state, LIST_CHANGED))
        f.state = charger_list_next(f.state, LIST_CHANGED);
    f.why = AMP_NO_TEXT;
    f.changed_ms = now_ms;
    put(w, c, &f);
}

void world_resend_list(struct world *w, struct charger *c, bool full, int64_t now_ms)
{
    struct charger_list_fact f;

    if (!c->list)
        return;
    f = *c->list->fact;
    if (full)
        f.revision = 0;
    if (f.version == -1)
        f.version = LIST_VERSION_UNKNOWN;
    c->list->failed = c->list->not_before_ms = 0;
    c->list->refused = 0;
    if (!happens(w, c, &f, LIST_CHANGED, AMP_NO_TEXT, now_ms))
        put(w, c, &f);
}

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
    return happens(w, c, &f, LIST_FAILED, amp_buf_text(&out), now_ms);
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
    struct list *list = wanted(w, &f);
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
        update_over(l);
        happens(w, c, &f, LIST_HAS_IT, AMP_NO_TEXT, now_ms);
    } else {
        if (list)
            list_seal(w, list);
        f.command = ask(w, c, "SendLocalList", amp_buf_text(&text), now_ms);
        f.sent = f.version + 1;
        if (f.command > 0)
            happens(w, c, &f, LIST_SENT, AMP_NO_TEXT, now_ms);
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
    list = wanted(w, &f);
    if ((f.state == CHARGER_LIST_SENDING || f.state == CHARGER_LIST_ASKING)) {
        if (!under_way(w, &f)) /* its answer was lost with a former process */
            happens(w, c, &f, LIST_LOST, AMP_NO_TEXT, now_ms);
        return;
    }
    if (list && ((f.state == CHARGER_LIST_SYNCED && list->fact->revision != f.revision) ||
                 (f.state == CHARGER_LIST_FAILED && list->fact->revision != l->failed)))
        happens(w, c, &f, LIST_CHANGED, AMP_NO_TEXT, now_ms);
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
            happens(w, c, &f, LIST_ASKED, AMP_NO_TEXT, now_ms);
        return;
    }
    send_part(w, c, now_ms);
}

/* ---- answers ---- */

static bool begins(struct amp_text t, const char *with)
{
    size_t n = strlen(with);

    return t.len >= n && !memcmp(t.at, with, n);
}

/* A call error that says that it has no local lists. */
static bool unsupported(const struct command_fact *k)
{
    return k->state == COMMAND_ERROR &&
           (begins(k->answer, "NotSupported") || begins(k->answer, "NotImplemented"));
}

/* The station has all or some of what it is to have: which? */
static void reckon(struct world *w, struct charger *c, struct charger_list_fact *f, int64_t now_ms)
{
    const struct list *list = wanted(w, f);
    bool all = list ? f->revision == list->fact->revision
                    : f->revision == OURS_AND_EMPTY || f->version == 0;

    if (!list && !all && f->state == CHARGER_LIST_IDLE)
        put(w, c, f); /* something of somebody's is there, and nobody minds */
    else if (!happens(w, c, f, all ? list ? LIST_HAS_IT : LIST_LEFT : LIST_LACKS_SOME, AMP_NO_TEXT,
                      now_ms))
        put(w, c, f);
}

static void took_part(struct world *w, struct charger *c, int64_t now_ms)
{
    struct charger_list *l = c->list;
    struct charger_list_fact f = *l->fact;

    f.version = f.sent;
    f.sent = 0;
    l->refused = 0;
    if (l->more) {
        l->going = true;
        free(l->after);
        l->after = l->sent_to;
        l->sent_to = NULL;
        happens(w, c, &f, LIST_LACKS_SOME, AMP_NO_TEXT, now_ms);
        return;
    }
    f.revision = l->target;
    update_over(l);
    reckon(w, c, &f, now_ms);
}

static void refused(struct world *w, struct charger *c, struct amp_text word, int64_t now_ms)
{
    struct charger_list *l = c->list;
    struct charger_list_fact f = *l->fact;
    struct list *list = wanted(w, &f);
    bool full = l->full && !l->going, mismatch = amp_text_is(word, "VersionMismatch");

    f.sent = 0;
    update_over(l);
    if (amp_text_is(word, "NotSupported")) {
        f.version = -1;
        happens(w, c, &f, LIST_UNSUPPORTED, word, now_ms);
        return;
    }
    if (mismatch)
        f.version = LIST_VERSION_UNKNOWN; /* it counts otherwise than we thought: ask */
    if (full && (!mismatch || ++l->refused >= REFUSED_MAX)) {
        l->failed = list ? list->fact->revision : OURS_AND_EMPTY;
        l->refused = 0;
        happens(w, c, &f, LIST_FAILED, word, now_ms);
        return;
    }
    f.revision = 0; /* a differential update that did not work: B11, all of it */
    happens(w, c, &f, LIST_LACKS_SOME, word, now_ms);
}

static void lost(struct world *w, struct charger *c, const struct command_fact *k, int64_t now_ms)
{
    struct charger_list *l = c->list;
    struct charger_list_fact f = *l->fact;

    if (k->state == COMMAND_ERROR && !k->sent_ms)
        f.sent = 0; /* it never left */
    else if (k->state == COMMAND_TIMED_OUT)
        l->not_before_ms = now_ms + AGAIN_MS;
    if (unsupported(k)) {
        f.sent = 0;
        f.version = -1;
        update_over(l);
        happens(w, c, &f, LIST_UNSUPPORTED, k->answer, now_ms);
    } else if (k->state == COMMAND_ERROR && k->sent_ms) {
        f.sent = 0;
        f.revision = 0;
        l->failed = wanted(w, &f) ? wanted(w, &f)->fact->revision : OURS_AND_EMPTY;
        update_over(l);
        happens(w, c, &f, LIST_FAILED, k->answer, now_ms);
    } else {
        if (!f.sent)
            update_over(l);
        happens(w, c, &f, LIST_LOST, k->answer, now_ms);
    }
}

/* A SendLocalList of somebody else's: its contents are not known here. */
static void sent_by_others(struct world *w, const struct followed *f, int64_t version)
{
    struct charger_list_fact now = f->c->list ? *f->c->list->fact : blank(f->c);

    if (f->k->state != COMMAND_CONFIRMED)
        return;
    now.version = version;
    now.revision = 0;
    reckon(w, f->c, &now, f->at_ms);
}

void list_sent(struct world *w, const struct followed *f)
{
    const struct asked_send_local_list *q = f->asked;
    const struct asked_send_local_list_reply *a = f->reply;
    struct charger_list *l = f->c->list;

    if (!l || l->fact->state != CHARGER_LIST_SENDING || l->fact->command != f->k->key) {
        sent_by_others(w, f, q->list_version);
        return;
    }
    switch (f->k->state) {
    case COMMAND_CONFIRMED:
        took_part(w, f->c, f->at_ms);
        break;
    case COMMAND_REJECTED:
        refused(w, f->c, a ? a->status : AMP_TEXT("Failed"), f->at_ms);
        break;
    case COMMAND_ERROR:
    case COMMAND_TIMED_OUT:
        lost(w, f->c, f->k, f->at_ms);
        break;
    default:
        break;
    }
}

/* The station says which version it has. */
static void has_version(struct world *w, struct charger *c, int64_t version, int64_t now_ms)
{
    struct charger_list_fact f = c->list ? *c->list->fact : blank(c);
    struct charger_list *l = c->list;
    bool arrived = l && f.sent && version == f.sent && !l->more;

    if (l && f.state == CHARGER_LIST_SENDING)
        return; /* somebody asked in between: what is under way tells better */
    if (version < 0) {
        f.sent = 0;
        f.version = -1;
        f.revision = 0;
        if (!happens(w, c, &f, LIST_UNSUPPORTED, AMP_TEXT("the station says version -1"), now_ms))
            put(w, c, &f);
        return;
    }
    if (version != f.version) /* its answer was lost, but it arrived; or another's, or none */
        f.revision = arrived ? l->target : 0;
    if (l)
        update_over(l);
    f.sent = 0;
    f.version = version;
    reckon(w, c, &f, now_ms);
}

void list_told(struct world *w, const struct followed *f)
{
    const struct asked_get_local_list_version_reply *a = f->reply;
    struct charger_list *l = f->c->list;
    bool ours = l && l->fact->state == CHARGER_LIST_ASKING && l->fact->command == f->k->key;

    if (f->k->state == COMMAND_CONFIRMED && a)
        has_version(w, f->c, a->list_version, f->at_ms);
    else if (ours && (f->k->state == COMMAND_ERROR || f->k->state == COMMAND_TIMED_OUT))
        lost(w, f->c, f->k, f->at_ms);
}

/* A list may be gone after a restart: ask. */
void list_saw_boot(struct world *w, struct charger *c)
{
    struct charger_list_fact f;

    if (!c->list || !c->list->fact->list.len || c->list->fact->state != CHARGER_LIST_SYNCED)
        return;
    f = *c->list->fact;
    f.sent = f.version > 0 ? f.version : 0;
    if (f.sent)
        happens(w, c, &f, LIST_CHANGED, AMP_NO_TEXT, c->fact->last_boot_ms);
}
