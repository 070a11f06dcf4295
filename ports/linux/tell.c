/* ports/linux/tell.c - what the station is told: plug and pilot, errors by the list of wallbox.h,
 * tags. */
#include "ports/linux/impl.h"

struct facts {
    bool plug_known, plugged, ready;
    int error;
    const char *why;
};

static int pilot_of(double value) /* 1 to 6, or 'A' to 'F' */
{
    int n = (int)value;

    return n >= 'A' && n <= 'F' ? n - 'A' + 1 : n;
}

static bool inputs_fresh(const struct wallbox *w, int c, uint64_t now)
{
    for (int s = WALLBOX_PILOT; s < WALLBOX_SLOTS; s++)
        if (wallbox_has(w, c, (enum wallbox_slot)s) && !wallbox_is_output((enum wallbox_slot)s) &&
            !wallbox_fresh(w, c, (enum wallbox_slot)s, now))
            return false;
    return true;
}

static bool disobeys(struct wallbox *w, int c, enum wallbox_slot slot)
{
    const struct wallbox_output *o = wallbox_output_of(w, c, slot);

    return wallbox_has(w, c, slot) && o->set && (o->failed || o->ignored > 1);
}

static bool welded(struct wallbox *w, int c, uint64_t now)
{
    const struct wallbox_output *o = wallbox_output_of(w, c, WALLBOX_PERMIT);
    const struct wallbox_value *v = &w->values[c][WALLBOX_CLOSED];

    return wallbox_has(w, c, WALLBOX_CLOSED) && wallbox_fresh(w, c, WALLBOX_CLOSED, now) &&
           v->value != 0 && o->set && o->wanted == 0 && v->at_ms > o->since_ms + WALLBOX_WELD_MS;
}

static bool bolt_wrong(struct wallbox *w, int c, uint64_t now)
{
    const struct wallbox_output *o = wallbox_output_of(w, c, WALLBOX_LOCK);
    const struct wallbox_value *v = &w->values[c][WALLBOX_LOCKED];

    return wallbox_has(w, c, WALLBOX_LOCKED) && o->set &&
           wallbox_fresh(w, c, WALLBOX_LOCKED, now) && (v->value != 0) != (o->wanted != 0) &&
           v->at_ms > o->since_ms + (uint64_t)w->map.bolt_ms;
}

/* The list of wallbox.h, from the top. */
static void judge(struct wallbox *w, int c, uint64_t now, struct facts *f)
{
    const struct wallbox_value *v = w->values[c];
    int pilot = wallbox_has(w, c, WALLBOX_PILOT) ? pilot_of(v[WALLBOX_PILOT].value) : 0;
    uint64_t seen = v[WALLBOX_PERMIT].at_ms;

    f->why = "";
    for (int i = 0; i < w->map.connector[c].faults; i++)
        if (v[WALLBOX_FAULT + i].value != 0) {
            f->error = w->map.connector[c].errors[i];
            return;
        }
    f->error = AMP_ERROR_NONE;
    if (pilot > 4)
        f->error = AMP_ERROR_OTHER, f->why = "control pilot E or F";
    else if (disobeys(w, c, WALLBOX_PERMIT) || (seen && now > seen + (uint64_t)w->map.stale_ms))
        f->error = AMP_ERROR_SWITCH, f->why = "the contactor's device does not obey";
    else if (disobeys(w, c, WALLBOX_LIMIT) || disobeys(w, c, WALLBOX_PHASES))
        f->error = AMP_ERROR_SWITCH, f->why = "the current limit is not taken";
    else if (welded(w, c, now))
        f->error = AMP_ERROR_SWITCH, f->why = "the contactor does not open";
    else if (disobeys(w, c, WALLBOX_LOCK) || bolt_wrong(w, c, now))
        f->error = AMP_ERROR_LOCK, f->why = "the bolt does not follow";
    else if (!inputs_fresh(w, c, now))
        f->error = AMP_ERROR_INTERNAL, f->why = "no answer from the inputs";
    else if (!wallbox_meter_fresh(w, c, now))
        f->error = AMP_ERROR_METER, f->why = "no answer from the meter";
}

/* Plug and pilot keep their last known state while nobody answers: silence is no unplugging. */
static void look(struct wallbox *w, int c, struct facts *f)
{
    const struct wallbox_value *v = w->values[c];
    bool by_pilot = wallbox_has(w, c, WALLBOX_PILOT);
    int pilot = pilot_of(v[WALLBOX_PILOT].value);

    f->plug_known = v[by_pilot ? WALLBOX_PILOT : WALLBOX_PLUG].at_ms && pilot < 5;
    f->plugged = by_pilot ? pilot >= 2 && pilot <= 4 : v[WALLBOX_PLUG].value != 0;
    f->ready = f->plugged && (by_pilot                           ? pilot >= 3
                              : wallbox_has(w, c, WALLBOX_READY) ? v[WALLBOX_READY].value != 0
                                                                 : true);
}

/* The connector exists; a refusal by the station's state is its own business. */
static bool say(int rc)
{
    (void)rc;
    return true;
}

/* An error that has passed is still told for a while. */
static bool held(const struct wallbox_told *t, int error)
{
    return error == AMP_ERROR_NONE && t->error != WALLBOX_UNKNOWN &&
           wallbox_now_ms() < t->raised_ms + t->hold_ms;
}

static bool tell(struct wallbox *w, struct amp_station *st, int c, const struct facts *f,
                 uint64_t now)
{
    struct wallbox_told *t = &w->told[c];
    bool news = false;

    if (f->error != t->error && !held(t, f->error)) {
        if (f->error == AMP_ERROR_NONE) {
            t->cleared_ms = t->error == WALLBOX_UNKNOWN ? 0 : wallbox_now_ms();
            t->error = AMP_ERROR_NONE;
        } else {
            wallbox_raised(w, t, f->error, wallbox_now_ms());
        }
        news = say(amp_station_fault(st, c, f->error, amp_text_of(f->why), now));
    }
    if (f->plug_known && (!t->plug_known || t->plugged != f->plugged)) {
        if (t->plug_known || f->plugged)
            news = say(amp_station_plug(st, c, f->plugged, now));
        t->plug_known = true;
        t->plugged = f->plugged;
        t->ready = false;
    }
    if (t->plugged && t->ready != f->ready) {
        t->ready = f->ready;
        news = say(amp_station_ev_ready(st, c, f->ready, now));
    }
    return news;
}

bool wallbox_step(struct wallbox *w, struct amp_station *st, uint64_t now)
{
    char tag[WALLBOX_TAG_CAP];
    bool news = false;

    for (int c = 1; c <= w->map.connectors; c++) {
        struct facts f;

        pthread_mutex_lock(&w->lock);
        judge(w, c, wallbox_now_ms(), &f);
        look(w, c, &f);
        pthread_mutex_unlock(&w->lock);
        news |= tell(w, st, c, &f, now);
    }
    while (wallbox_tags_next(&w->tags, tag))
        news |= say(amp_station_tag(st, 0, amp_text_of(tag), now));
    return news;
}

void wallbox_announce(struct wallbox *w)
{
    for (int c = 1; c <= w->map.connectors; c++)
        w->told[c] = (struct wallbox_told){ .error = WALLBOX_UNKNOWN };
}
