/* central/domain/charger_list_answer.c - what a station answers about its list: that it took a
 * part, that it refused one, which version it has, or nothing. */
#include "central/domain/follow.h"
#include "central/domain/list_inside.h"
#include "central/domain/local_list.h"

#define AGAIN_MS    60000 /* after an answer that was lost */
#define REFUSED_MAX 2     /* full updates that were a version mismatch, in a row */

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
    const struct list *list = charger_list_wanted(w, f);
    bool all = list ? f->revision == list->fact->revision
                    : f->revision == OURS_AND_EMPTY || f->version == 0;

    if (!list && !all && f->state == CHARGER_LIST_IDLE)
        charger_list_put(w, c, f); /* something of somebody's is there, and nobody minds */
    else if (!charger_list_happens(w, c, f, all ? list ? LIST_HAS_IT : LIST_LEFT : LIST_LACKS_SOME,
                                   AMP_NO_TEXT, now_ms))
        charger_list_put(w, c, f);
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
        charger_list_happens(w, c, &f, LIST_LACKS_SOME, AMP_NO_TEXT, now_ms);
        return;
    }
    f.revision = l->target;
    charger_list_over(l);
    reckon(w, c, &f, now_ms);
}

static void refused(struct world *w, struct charger *c, struct amp_text word, int64_t now_ms)
{
    struct charger_list *l = c->list;
    struct charger_list_fact f = *l->fact;
    struct list *list = charger_list_wanted(w, &f);
    bool full = l->full && !l->going, mismatch = amp_text_is(word, "VersionMismatch");

    f.sent = 0;
    charger_list_over(l);
    if (amp_text_is(word, "NotSupported")) {
        f.version = -1;
        charger_list_happens(w, c, &f, LIST_UNSUPPORTED, word, now_ms);
        return;
    }
    if (mismatch)
        f.version = LIST_VERSION_UNKNOWN; /* it counts otherwise than we thought: ask */
    if (full && (!mismatch || ++l->refused >= REFUSED_MAX)) {
        l->failed = list ? list->fact->revision : OURS_AND_EMPTY;
        l->refused = 0;
        charger_list_happens(w, c, &f, LIST_FAILED, word, now_ms);
        return;
    }
    f.revision = 0; /* a differential update that did not work: B11, all of it */
    charger_list_happens(w, c, &f, LIST_LACKS_SOME, word, now_ms);
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
        charger_list_over(l);
        charger_list_happens(w, c, &f, LIST_UNSUPPORTED, k->answer, now_ms);
    } else if (k->state == COMMAND_ERROR && k->sent_ms) {
        f.sent = 0;
        f.revision = 0;
        l->failed = charger_list_wanted(w, &f) ? charger_list_wanted(w, &f)->fact->revision
                                               : OURS_AND_EMPTY;
        charger_list_over(l);
        charger_list_happens(w, c, &f, LIST_FAILED, k->answer, now_ms);
    } else {
        if (!f.sent)
            charger_list_over(l);
        charger_list_happens(w, c, &f, LIST_LOST, k->answer, now_ms);
    }
}

/* A SendLocalList of somebody else's: its contents are not known here. */
static void sent_by_others(struct world *w, const struct followed *f, int64_t version)
{
    struct charger_list_fact now = f->c->list ? *f->c->list->fact : charger_list_blank(f->c);

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
    struct charger_list_fact f = c->list ? *c->list->fact : charger_list_blank(c);
    struct charger_list *l = c->list;
    bool arrived = l && f.sent && version == f.sent && !l->more;

    if (l && f.state == CHARGER_LIST_SENDING)
        return; /* somebody asked in between: what is under way tells better */
    if (version < 0) {
        f.sent = 0;
        f.version = -1;
        f.revision = 0;
        if (!charger_list_happens(w, c, &f, LIST_UNSUPPORTED,
                                  AMP_TEXT("the station says version -1"), now_ms))
            charger_list_put(w, c, &f);
        return;
    }
    if (version != f.version) /* its answer was lost, but it arrived; or another's, or none */
        f.revision = arrived ? l->target : 0;
    if (l)
        charger_list_over(l);
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
        charger_list_happens(w, c, &f, LIST_CHANGED, AMP_NO_TEXT, c->fact->last_boot_ms);
}
