/* ports/linux/line.c - the thread of one bus: commands first, then everything in turn. */
#include "ports/linux/impl.h"

#include <time.h>

uint64_t wallbox_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + 1;
}

bool wallbox_wait(struct wallbox *w, pthread_cond_t *c, uint64_t until_ms)
{
    struct timespec t = { .tv_sec = (time_t)((until_ms - 1) / 1000),
                          .tv_nsec = (long)((until_ms - 1) % 1000 * 1000000) };

    return pthread_cond_timedwait(c, &w->lock, &t) == 0 || wallbox_now_ms() < until_ms;
}

/* ---- what is read at once ---- */

static const struct wallbox_point *point_of(const struct wallbox_line *l,
                                            const struct wallbox_item *i)
{
    return &l->owner->map.connector[i->connector].points[i->slot];
}

static bool before(const struct wallbox_point *a, const struct wallbox_point *b)
{
    return a->unit != b->unit     ? a->unit < b->unit
           : a->table != b->table ? a->table < b->table
                                  : a->address < b->address;
}

/* By unit, table and address: neighbours follow each other. */
static void collect(struct wallbox_line *l)
{
    for (int c = 1; c <= l->owner->map.connectors; c++)
        for (int s = 0; s < WALLBOX_SLOTS; s++) {
            struct wallbox_item item = { c, (enum wallbox_slot)s };
            const struct wallbox_point *p = point_of(l, &item);
            unsigned at = l->item_count;

            if (!p->used || p->bus != l->index)
                continue;
            while (at > 0 && before(p, point_of(l, &l->items[at - 1]))) {
                l->items[at] = l->items[at - 1];
                at--;
            }
            l->items[at] = item;
            l->item_count++;
        }
}

/* Only what lies side by side is read together: a device may refuse the gap between two of its
 * registers. Outputs are read alone, because a device may refuse to have them read. */
static bool joins(const struct wallbox_request *r, const struct wallbox_line *l, unsigned item)
{
    const struct wallbox_point *p = point_of(l, &l->items[item]);

    return p->unit == r->unit && (enum wallbox_table)p->table == r->table &&
           !wallbox_is_output(l->items[item].slot) && !wallbox_is_output(l->items[r->first].slot) &&
           p->address <= r->address + r->count &&
           p->address + (int)wallbox_words(p) - r->address <= WALLBOX_READ_MAX;
}

void wallbox_line_plan(struct wallbox_line *l)
{
    collect(l);
    for (unsigned i = 0; i < l->item_count; i++) {
        const struct wallbox_point *p = point_of(l, &l->items[i]);
        struct wallbox_request *r = l->request_count ? &l->requests[l->request_count - 1] : NULL;
        int end = p->address + (int)wallbox_words(p);

        if (!r || !joins(r, l, i)) {
            r = &l->requests[l->request_count++];
            *r = (struct wallbox_request){ p->unit, p->address, 0, (enum wallbox_table)p->table,
                                           i,       0 };
        }
        r->items++;
        if (end - r->address > r->count)
            r->count = end - r->address;
    }
    l->cursor = l->request_count;
}

/* ---- commands ---- */

static struct wallbox_output *output_of(struct wallbox *w, const struct wallbox_item *i)
{
    return &w->outputs[i->connector][i->slot - WALLBOX_PERMIT];
}

/* The next item whose output waits to be written, or NULL. */
static const struct wallbox_item *due(struct wallbox_line *l)
{
    for (unsigned i = 0; i < l->item_count; i++)
        if (wallbox_is_output(l->items[i].slot)) {
            const struct wallbox_output *o = output_of(l->owner, &l->items[i]);

            if (o->asked != o->tried)
                return &l->items[i];
        }
    return NULL;
}

static void write_one(struct wallbox_line *l, const struct wallbox_item *item)
{
    struct wallbox *w = l->owner;
    struct wallbox_output *o = output_of(w, item);
    const struct wallbox_point *p = point_of(l, item);
    unsigned number = o->asked;
    uint16_t raw;
    int rc = wallbox_encode(p, o->wanted, &raw);

    if (rc == 0) {
        pthread_mutex_unlock(&w->lock);
        rc = wallbox_bus_write(&l->bus, p->unit, (enum wallbox_table)p->table, p->address, raw);
        pthread_mutex_lock(&w->lock);
    }
    o->tried = number;
    o->failed = rc < 0;
    o->written_ms = wallbox_now_ms();
    l->up = wallbox_bus_is_open(&l->bus);
    pthread_cond_broadcast(&w->news);
}

/* Does the device still have what was written? Only a look that is newer than the writing counts.
 */
static bool kept(struct wallbox_line *l, const struct wallbox_item *item)
{
    const struct wallbox_output *o = output_of(l->owner, item);
    const struct wallbox_value *v = &l->owner->values[item->connector][item->slot];
    const struct wallbox_point *p = point_of(l, item);
    double written;
    uint16_t raw;

    if (v->at_ms <= o->written_ms || wallbox_encode(p, o->wanted, &raw) < 0 ||
        wallbox_decode(p, &raw, &written) < 0)
        return true;
    return item->slot == WALLBOX_LIMIT ? v->value <= written : v->value == written;
}

/* Once a round: write again what failed, and what the device has forgotten. */
static void repeat(struct wallbox_line *l, bool all)
{
    for (unsigned i = 0; i < l->item_count; i++) {
        struct wallbox_output *o;

        if (!wallbox_is_output(l->items[i].slot))
            continue;
        o = output_of(l->owner, &l->items[i]);
        if (!o->set || o->asked != o->tried)
            continue;
        if (kept(l, &l->items[i]))
            o->ignored = 0;
        else
            o->ignored++;
        if (all || o->failed || o->ignored)
            o->asked++;
    }
}

/* Nobody is there: whoever waits for a command hears it at once. */
static void fail_all(struct wallbox_line *l)
{
    for (unsigned i = 0; i < l->item_count; i++)
        if (wallbox_is_output(l->items[i].slot)) {
            struct wallbox_output *o = output_of(l->owner, &l->items[i]);

            o->failed |= o->asked != o->tried;
            o->tried = o->asked;
        }
}

/* ---- reading ---- */

static void read_next(struct wallbox_line *l)
{
    struct wallbox *w = l->owner;
    const struct wallbox_request *r = &l->requests[l->cursor++];
    uint16_t raw[WALLBOX_READ_MAX];
    int rc;

    pthread_mutex_unlock(&w->lock);
    rc = wallbox_bus_read(&l->bus, r->unit, r->table, r->address, r->count, raw);
    pthread_mutex_lock(&w->lock);
    l->up = wallbox_bus_is_open(&l->bus);
    for (unsigned i = r->first; rc == 0 && i < r->first + r->items; i++) {
        const struct wallbox_point *p = point_of(l, &l->items[i]);
        double value;

        if (wallbox_decode(p, raw + (p->address - r->address), &value) == 0)
            w->values[l->items[i].connector][l->items[i].slot] =
                (struct wallbox_value){ value, wallbox_now_ms() };
    }
    if (rc == AMP_E_TIMEOUT) /* a device that is gone costs one wait a round, not one a register */
        while (l->cursor < l->request_count && l->requests[l->cursor].unit == r->unit)
            l->cursor++;
    if (l->cursor == l->request_count)
        l->rounds++;
    pthread_cond_broadcast(&w->news);
}

static void begin_round(struct wallbox_line *l, uint64_t now)
{
    repeat(l, false);
    l->cursor = 0;
    l->next_round_ms = now + (uint64_t)l->owner->map.poll_ms;
}

/* ---- the thread ---- */

static void connect_bus(struct wallbox_line *l)
{
    struct wallbox *w = l->owner;
    int rc;

    fail_all(l);
    pthread_cond_broadcast(&w->news);
    pthread_mutex_unlock(&w->lock);
    rc = wallbox_bus_open(&l->bus, &w->map.buses[l->index], w->map.answer_ms);
    pthread_mutex_lock(&w->lock);
    if (rc == 0) {
        l->up = true;
        repeat(l, true);
        l->cursor = 0;
        l->next_round_ms = wallbox_now_ms() + (uint64_t)w->map.poll_ms;
        return;
    }
    fail_all(l);
    l->rounds++;
    pthread_cond_broadcast(&w->news);
    for (uint64_t until = wallbox_now_ms() + WALLBOX_RETRY_MS; !w->stop;)
        if (!wallbox_wait(w, &l->wake, until))
            return;
}

/* The end of the process: contactors open. */
static void open_contactors(struct wallbox_line *l)
{
    for (unsigned i = 0; i < l->item_count; i++)
        if (l->items[i].slot == WALLBOX_PERMIT) {
            output_of(l->owner, &l->items[i])->wanted = 0;
            write_one(l, &l->items[i]);
        }
}

void *wallbox_line_run(void *line)
{
    struct wallbox_line *l = line;
    struct wallbox *w = l->owner;
    const struct wallbox_item *item;

    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        uint64_t now = wallbox_now_ms();

        if (!l->up)
            connect_bus(l);
        else if ((item = due(l)) != NULL)
            write_one(l, item);
        else if (l->cursor < l->request_count)
            read_next(l);
        else if (now >= l->next_round_ms || now < l->hurry_until_ms)
            begin_round(l, now);
        else
            (void)wallbox_wait(w, &l->wake, l->next_round_ms);
    }
    open_contactors(l);
    pthread_mutex_unlock(&w->lock);
    wallbox_bus_close(&l->bus);
    return NULL;
}
