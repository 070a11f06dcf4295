/* central/rest/command_wait.c - calls that wait for a charger's answer to their command (?wait=).
 */
#include "central/rest/commands.h"
#include "central/rest/shapes.h"
#include <stdlib.h>

struct parked {
    struct rest_call *next;
    uv_timer_t *timer;
};

static bool unanswered(const struct command_fact *f)
{
    return f->state == COMMAND_QUEUED || f->state == COMMAND_SENT;
}

void rest_command_answer(struct rest_call *call, const struct command_fact *f)
{
    bool asked_now = call->route->status == 202;
    struct amp_json *w;

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    w = rest_begin(call);
    if (call->shape)
        call->shape(call, w, f);
    else
        shape_command(w, call->c, f);
    rest_send(call, asked_now && unanswered(f) ? 202 : 200);
}

static void on_timer_closed(uv_handle_t *h)
{
    free(h);
}

/* Off the list of those who wait; the timer ends. */
static void unpark(struct rest_call *call)
{
    struct parked *p = call->state;
    struct rest_call **at = &call->rest->waiting;

    while (*at != call)
        at = &((struct parked *)(*at)->state)->next;
    *at = p->next;
    uv_close((uv_handle_t *)p->timer, on_timer_closed);
    call->unpark = NULL;
}

static void on_wait_over(uv_timer_t *t)
{
    struct rest_call *call = t->data;
    const struct command_fact *f = world_command_get(call->c->world, call->key);

    unpark(call);
    if (f)
        rest_command_answer(call, f);
    else
        rest_absent(call, "command", rest_param(call, 0));
}

static void park(struct rest_call *call)
{
    struct parked *p = malloc(sizeof *p);
    uv_timer_t *timer = malloc(sizeof *timer);

    if (!p || !timer)
        abort();
    uv_timer_init(call->c->loop, timer);
    timer->data = call;
    uv_timer_start(timer, on_wait_over, (uint64_t)call->wait_s * 1000, 0);
    *p = (struct parked){ call->rest->waiting, timer };
    call->state = p;
    call->rest->waiting = call;
    call->unpark = unpark;
}

void rest_command_changed(struct rest *r, const struct command_fact *f)
{
    if (unanswered(f))
        return;
    for (struct rest_call *call = r->waiting, *next; call; call = next) {
        next = ((struct parked *)call->state)->next;
        if (call->key != f->key)
            continue;
        unpark(call);
        rest_command_answer(call, f);
    }
}

void rest_command_answer_or_wait(struct rest_call *call, const struct command_fact *f)
{
    if (call->wait_s && unanswered(f) && rest_conn(call))
        park(call);
    else
        rest_command_answer(call, f);
}

bool rest_command_wait(struct rest_call *call)
{
    return rest_query_int(call, "wait", 0, REST_WAIT_MAX_S, &call->wait_s);
}
