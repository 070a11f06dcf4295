/* central/net/wheel.c - deadlines of many connections for the price of one timer. A connection lies
 * in the slot of the second in which it must be looked at. Traffic moves no one: when the slot
 * comes, the connection itself says whether time is up, and goes back with a later date if it is
 * not. So 19,500 idle connections cost nothing in a tick that is not theirs. */
#include "central/net/conn.h"

uint64_t net_now(const struct net *n)
{
    return uv_now(n->loop) + n->skew_ms;
}

void wheel_take(struct net_conn *c)
{
    if (!c->link)
        return;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->next = NULL;
    c->link = NULL;
}

void wheel_put(struct net_conn *c, uint64_t at_ms)
{
    struct net *n = conn_net(c);
    uint64_t due = (at_ms + TICK_MS - 1) / TICK_MS;
    struct net_conn **slot;

    if (due <= n->tick)
        due = n->tick + 1;
    if (due >= n->tick + WHEEL_SLOTS)
        due = n->tick + WHEEL_SLOTS - 1;
    wheel_take(c);
    slot = &n->slots[due % WHEEL_SLOTS];
    c->next = *slot;
    c->link = slot;
    if (c->next)
        c->next->link = &c->next;
    *slot = c;
}

void wheel_turn(struct net *n)
{
    uint64_t now = net_now(n) / TICK_MS;

    if (now > n->tick + WHEEL_SLOTS) /* after a long pause one round sees them all */
        n->tick = now - WHEEL_SLOTS;
    while (n->tick < now) {
        struct net_conn *list;

        n->tick++;
        list = n->slots[n->tick % WHEEL_SLOTS];
        n->slots[n->tick % WHEEL_SLOTS] = NULL;
        if (list)
            list->link = &list; /* a handler may take others out of the list while we walk it */
        while (list) {
            struct net_conn *c = list;

            wheel_take(c);
            conn_due(c);
        }
    }
}

void net_turn_clock(struct net *n, uint64_t ms)
{
    n->skew_ms += ms;
    wheel_turn(n);
    net_flush(n);
}
