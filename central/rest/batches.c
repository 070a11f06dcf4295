/* central/rest/batches.c - see batches.h. */
#include "central/rest/batches.h"
#include "central/log.h"
#include "central/v16/v16.h"

#include <stdlib.h>

#define COUNT_ROWS 1000
#define MINUTE_MS  60000
#define BEGIN_MAX  200 /* in one tick: nobody waits for a batch whose chargers are all offline */

/* A batch that this process drives. */
struct drive {
    int64_t batch;
    struct batches *owner; /* NULL: given up while the store was asked */
    int64_t *targets;      /* keys of chargers, rising */
    bool *done;            /* it has its command */
    size_t count, at;
    int64_t *flying; /* commands that are not over */
    size_t flying_count, flying_cap;
    int32_t good, bad, begun; /* begun: in this minute */
    int64_t minute_ms;
    bool asked, counted;
    int64_t before; /* cursor of the count */
};

struct entry {
    struct fact *fact;
    struct drive *drive; /* NULL: not by us */
};

struct batches {
    struct central *c;
    struct entry *list; /* by key */
    size_t count, cap;
    int64_t next;
};

struct batches *batches_new(struct central *c)
{
    struct batches *b = calloc(1, sizeof *b);

    if (!b)
        abort();
    b->c = c;
    b->next = 1;
    return b;
}

static void drive_free(struct drive *d)
{
    free(d->targets);
    free(d->done);
    free(d->flying);
    free(d);
}

/* The store may still answer it. */
static void drive_end(struct entry *e)
{
    if (!e->drive)
        return;
    if (e->drive->asked)
        e->drive->owner = NULL;
    else
        drive_free(e->drive);
    e->drive = NULL;
}

void batches_free(struct batches *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++) {
        drive_end(&b->list[i]);
        free(b->list[i].fact);
    }
    free(b->list);
    free(b);
}

static struct entry *find(const struct batches *b, int64_t key)
{
    for (size_t i = b->count; i-- > 0;)
        if (b->list[i].fact->u.batch.key == key)
            return &b->list[i];
    return NULL;
}

void batches_apply(struct batches *b, const struct batch_fact *f)
{
    struct fact new = { .kind = FACT_BATCH, .u.batch = *f };
    struct fact *copy = fact_copy(&new);
    struct entry *e = find(b, f->key);
    size_t at = b->count;

    if (e) {
        free(e->fact);
        e->fact = copy;
        return;
    }
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 8;
        b->list = realloc(b->list, b->cap * sizeof *b->list);
        if (!b->list)
            abort();
    }
    while (at > 0 && b->list[at - 1].fact->u.batch.key > f->key)
        at--;
    memmove(&b->list[at + 1], &b->list[at], (b->count - at) * sizeof *b->list);
    b->list[at] = (struct entry){ copy, NULL };
    b->count++;
}

void batches_set_key(struct batches *b, int64_t next)
{
    b->next = next;
}

const struct batch_fact *batches_get(const struct batches *b, int64_t key)
{
    const struct entry *e = find(b, key);

    return e ? &e->fact->u.batch : NULL;
}

const struct batch_fact *batches_at(const struct batches *b, size_t i)
{
    return i < b->count ? &b->list[i].fact->u.batch : NULL;
}

static void put(struct batches *b, const struct batch_fact *f)
{
    struct fact new = { .kind = FACT_BATCH, .u.batch = *f };
    struct fact *copy = fact_copy(&new); /* its texts may be those of the old one */

    batches_apply(b, &copy->u.batch);
    central_emit(b->c, copy);
    free(copy);
}

int64_t batches_create(struct batches *b, const struct batch_fact *f)
{
    struct batch_fact fresh = *f;

    fresh.key = b->next++;
    fresh.state = BATCH_RUNNING;
    fresh.created_ms = b->c->now_ms();
    fresh.ended_ms = 0;
    put(b, &fresh);
    return fresh.key;
}

/* ---- counting ---- */

static void fly(struct drive *d, int64_t command)
{
    if (d->flying_count == d->flying_cap) {
        d->flying_cap = d->flying_cap ? 2 * d->flying_cap : 16;
        d->flying = realloc(d->flying, d->flying_cap * sizeof *d->flying);
        if (!d->flying)
            abort();
    }
    d->flying[d->flying_count++] = command;
}

static bool over(const struct batch_fact *f, const struct command_fact *k)
{
    return k->state != COMMAND_QUEUED && k->state != COMMAND_SENT &&
           (k->state != COMMAND_ACCEPTED || !f->effect);
}

static void tally(struct drive *d, const struct command_fact *k)
{
    if (k->state == COMMAND_ACCEPTED || k->state == COMMAND_CONFIRMED)
        d->good++;
    else
        d->bad++;
}

static struct drive *drive_new(struct batches *b, const struct batch_fact *f)
{
    struct drive *d = calloc(1, sizeof *d);
    const char *at = f->targets.at, *end = at + f->targets.len;

    if (!d)
        abort();
    d->batch = f->key;
    d->owner = b;
    d->targets = calloc((size_t)f->total + 1, sizeof *d->targets);
    d->done = calloc((size_t)f->total + 1, sizeof *d->done);
    if (!d->targets || !d->done)
        abort();
    while (at < end && d->count < (size_t)f->total) {
        int64_t key = 0;

        for (; at < end && *at >= '0' && *at <= '9'; at++)
            key = key * 10 + (*at - '0');
        d->targets[d->count++] = key;
        at++; /* the comma */
    }
    return d;
}

static int by_key(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void saw(struct drive *d, const struct batch_fact *f, const struct command_fact *k)
{
    const struct command_fact *now = world_command_get(d->owner->c->world, k->key);

    const int64_t *at = bsearch(&k->charger, d->targets, d->count, sizeof *at, by_key);

    if (at)
        d->done[at - d->targets] = true;
    if (now && !over(f, now))
        fly(d, k->key);
    else
        tally(d, now ? now : k);
}

static void count_on(struct drive *d);

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    struct drive *d = ctx;
    const struct batch_fact *f = d->owner ? batches_get(d->owner, d->batch) : NULL;

    (void)ids;
    d->asked = false;
    if (!f) {
        drive_free(d);
        return;
    }
    if (rc < 0)
        return; /* the next tick asks again, from the same place */
    for (size_t i = 0; i < count; i++)
        saw(d, f, &rows[i].u.command);
    d->before = next;
    d->counted = next == 0;
    if (next)
        count_on(d);
}

static void count_on(struct drive *d)
{
    const struct batch_fact *f = batches_get(d->owner, d->batch);

    d->asked = true;
    store_ask(d->owner->c->store,
              &(struct store_ask){ .what = ASK_COMMANDS,
                                   .org = f->org,
                                   .connector = -1,
                                   .open = -1,
                                   .batch = f->key,
                                   .before = d->before,
                                   .limit = COUNT_ROWS },
              on_rows, d);
}

/* ---- driving ---- */

/* A cancelled one has an end to come: its commands are withdrawn and counted. */
static bool runs(const struct batch_fact *f)
{
    return f->state == BATCH_RUNNING || (f->state == BATCH_CANCELLED && !f->ended_ms);
}

static void land(struct drive *d, const struct batch_fact *f)
{
    struct world *w = d->owner->c->world;

    for (size_t i = 0; i < d->flying_count;) {
        const struct command_fact *k = world_command_get(w, d->flying[i]);

        if (k && !over(f, k)) {
            i++;
            continue;
        }
        if (k)
            tally(d, k);
        else
            d->bad++; /* long over, and nobody remembers how */
        d->flying[i] = d->flying[--d->flying_count];
    }
}

/* What was sent cannot be taken back. */
static void withdraw(struct batches *b, int64_t command)
{
    const struct command_fact *k = world_command_get(b->c->world, command);
    struct command_change gone = { .state = COMMAND_ERROR, .answer = AMP_TEXT("withdrawn") };

    if (k && k->state == COMMAND_QUEUED)
        (void)world_command_change(b->c->world, command, &gone, b->c->now_ms());
}

static void end(struct batches *b, struct entry *e, int state)
{
    struct drive *d = e->drive;
    struct batch_fact f = e->fact->u.batch;

    for (size_t i = 0; d && i < d->flying_count; i++)
        withdraw(b, d->flying[i]);
    if (d)
        land(d, &f);
    f.state = state;
    f.ended_ms = b->c->now_ms();
    f.good = d ? d->good : 0;
    f.bad = d ? d->bad : 0;
    f.targets = AMP_NO_TEXT;
    LOG(b->c->log, LOG_INFO, "batches", "ended", LOG_INT("batch", f.key), LOG_INT("total", f.total),
        LOG_INT("good", f.good), LOG_INT("bad", f.bad), LOG_TEXT("trace", f.trace));
    drive_end(e);
    put(b, &f);
}

/* One more charger. False: not now. */
static bool begin_next(struct batches *b, struct drive *d, const struct batch_fact *f,
                       int64_t now_ms)
{
    struct charger *ch;
    const struct command_fact *k;
    int64_t key;

    while (d->at < d->count && d->done[d->at])
        d->at++;
    if (d->at == d->count || d->flying_count >= (size_t)f->parallel)
        return false;
    if (now_ms - d->minute_ms >= MINUTE_MS) {
        d->minute_ms = now_ms;
        d->begun = 0;
    }
    if (f->rate && d->begun >= f->rate)
        return false;
    ch = world_charger_by_key(b->c->world, d->targets[d->at]);
    if (!ch || charger_fact(ch)->org != f->org) {
        d->bad++; /* it is gone */
        d->done[d->at] = true;
        return true;
    }
    key = batch_command(b->c, ch, f);
    if (key < 0)
        return false;
    d->done[d->at] = true;
    d->begun++;
    k = world_command_get(b->c->world, key);
    if (k && !over(f, k))
        fly(d, key);
    else if (k)
        tally(d, k);
    return true;
}

static bool failed_enough(const struct batch_fact *f, const struct drive *d)
{
    return f->stop_after && d->bad >= f->stop_after;
}

static void drive(struct batches *b, struct entry *e)
{
    const struct batch_fact *f = &e->fact->u.batch;
    struct drive *d = e->drive;
    int64_t now_ms = b->c->now_ms();

    if (!d)
        d = e->drive = drive_new(b, f);
    if (!d->counted) {
        if (!d->asked)
            count_on(d);
        return;
    }
    land(d, f);
    if (f->state == BATCH_CANCELLED) {
        end(b, e, BATCH_CANCELLED);
        return;
    }
    for (int i = 0; i < BEGIN_MAX && !failed_enough(f, d) && begin_next(b, d, f, now_ms); i++)
        ;
    if (failed_enough(f, d))
        end(b, e, BATCH_STOPPED);
    else if (d->at == d->count && !d->flying_count)
        end(b, e, BATCH_DONE);
}

void batches_tick(struct batches *b)
{
    bool leads = central_leads(b->c);

    for (size_t i = 0; i < b->count; i++) {
        struct entry *e = &b->list[i];

        if (!leads || !runs(&e->fact->u.batch))
            drive_end(e);
        else
            drive(b, e);
    }
}

int batches_cancel(struct batches *b, int64_t key)
{
    struct entry *e = find(b, key);
    struct batch_fact f;

    if (!e || e->fact->u.batch.state != BATCH_RUNNING)
        return AMP_E_STATE;
    f = e->fact->u.batch;
    f.state = BATCH_CANCELLED;
    put(b, &f);
    return 0;
}

void batches_count(const struct batches *b, const struct batch_fact *f, struct batch_count *out)
{
    const struct entry *e = find(b, f->key);
    const struct drive *d = e ? e->drive : NULL;

    *out = (struct batch_count){ .total = f->total };
    if (f->ended_ms) {
        out->good = f->good;
        out->bad = f->bad;
        out->counted = true;
    } else if (d && d->counted) {
        out->good = d->good;
        out->bad = d->bad;
        out->under_way = (int32_t)d->flying_count;
        out->counted = true;
    }
}
