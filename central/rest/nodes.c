/* central/rest/nodes.c - the processes that serve this database: who is there, who leads, how many
 * stations each has. One that is alone is the only item. */
#include "central/cluster.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"
#include <stdio.h>

#define NODES_MAX 256

static void put_bool(struct amp_json *w, const char *key, bool value)
{
    amp_json_key(w, key);
    amp_json_bool(w, value);
}

static void put(struct amp_json *w, const struct node_info *i, bool self, size_t stations)
{
    amp_json_open(w, '{');
    shape_int(w, "number", i->number);
    shape_text(w, "id", amp_text_of(i->id));
    shape_text(w, "address", amp_text_of(i->address));
    shape_time(w, "startedAt", i->started_ms);
    shape_time(w, "seenAt", i->seen_ms);
    put_bool(w, "alive", i->alive);
    put_bool(w, "leads", i->leads);
    put_bool(w, "self", self);
    shape_int(w, "stations", (int64_t)stations);
    amp_json_close(w, '}');
}

static size_t connected(struct central *c)
{
    size_t n = 0;

    for (size_t i = 0; i < world_charger_count(c->world); i++)
        n += charger_session(world_charger_at(c->world, i)) != NULL;
    return n;
}

void rest_list_nodes(struct rest_call *call)
{
    struct central *c = call->c;
    struct node_info list[NODES_MAX] = { { 1, "", "", c->started_ms, rest_now(call), true, true } };
    struct amp_json *w;
    size_t n = 1;

    if (c->cluster)
        n = nodes_list(cluster_nodes(c->cluster), list, NODES_MAX);
    else
        snprintf(list[0].address, sizeof list[0].address, "%s", c->settings.listen);
    w = rest_list(call, live_seq(c->live));
    for (size_t i = 0; i < n && i < NODES_MAX; i++)
        put(w, &list[i], !c->cluster || list[i].number == nodes_self(cluster_nodes(c->cluster)),
            c->cluster ? cluster_stations(c->cluster, list[i].number) : connected(c));
    rest_list_end(call, 0);
}
