/* central/balance.c - see balance.h. */
#include "central/balance.h"
#include "central/log.h"
#include "central/v16/limit.h"
#include <stdlib.h>

#define BY AMP_TEXT("load management")

struct balance {
    struct central *c;
    uv_timer_t *timer; /* closed by itself: outlives us by a turn of the loop */
    bool timing;
    char payload[1024];
};

static void on_fact(void *ctx, const struct fact *f)
{
    central_emit(ctx, f);
}

static int volts_of(const struct balance *b, const struct load_say *say)
{
    const struct load_group_fact *g =
        say->member ? loads_group(b->c->loads, say->member->org, say->member->group) : NULL;

    return g ? g->volts : LOAD_VOLTS;
}

static int64_t on_say(void *ctx, const struct load_say *say)
{
    struct balance *b = ctx;
    struct command_fact f = { .connector = say->clear ? -1 : say->connector,
                              .transaction = say->sent->slot == LOAD_NOW ? say->transaction : 0,
                              .by = BY };
    struct amp_buf out;
    int rc;

    amp_buf_init(&out, b->payload, sizeof b->payload);
    rc = v16_limit(say, volts_of(b, say), b->c->now_ms(), &f.action, &out);
    if (rc < 0)
        return rc;
    f.payload = amp_buf_text(&out);
    if (say->member) /* a farewell waits until its station comes */
        f.expires_ms = b->c->now_ms() + LOAD_SAY_MS;
    return central_ask(b->c, say->charger, &f, true);
}

static void plan(struct balance *b)
{
    if (!central_leads(b->c)) {
        loads_stand_by(b->c->loads);
        return;
    }
    loads_plan(b->c->loads, b->c->now_ms(), on_say, b);
}

static void on_timer(uv_timer_t *t)
{
    struct balance *b = t->data;

    b->timing = false;
    if (loads_changed(b->c->loads))
        plan(b);
}

void balance_touch(struct balance *b)
{
    if (b->timing || !loads_changed(b->c->loads))
        return;
    b->timing = true;
    uv_timer_start(b->timer, on_timer, BALANCE_JOIN_MS, 0);
}

void balance_saw(struct balance *b, const struct fact *f)
{
    loads_saw(b->c->loads, f, b->c->now_ms());
    balance_touch(b);
}

void balance_tick(struct balance *b)
{
    plan(b);
}

struct balance *balance_new(struct central *c)
{
    struct balance *b = calloc(1, sizeof *b);

    if (!b)
        abort();
    b->c = c;
    b->timer = malloc(sizeof *b->timer);
    if (!b->timer)
        abort();
    uv_timer_init(c->loop, b->timer);
    b->timer->data = b;
    c->loads = loads_new(c->world, on_fact, c);
    return b;
}

static void on_timer_closed(uv_handle_t *h)
{
    free(h);
}

void balance_free(struct balance *b)
{
    if (!b)
        return;
    uv_close((uv_handle_t *)b->timer, on_timer_closed);
    loads_free(b->c->loads);
    b->c->loads = NULL;
    free(b);
}
