/* central/rest/here.c - several nodes: may this one answer, or has another one to? Questions are
 * answered by every node, and a command is a row that its charger's node takes up; but what changes
 * a charger is decided by the node that owns it. */
#include "central/cluster.h"
#include "central/forward.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#define CHARGER     "/api/v1/chargers/{id}"
#define TRANSACTION "/api/v1/transactions/{id}"

static struct net_request request_of(const struct rest_call *call)
{
    return (struct net_request){ .conn = rest_conn(call), .head = call->head, .body = call->body };
}

bool rest_admit(struct rest_call *call, struct amp_text identity)
{
    struct central *c = call->c;
    struct net_request r = request_of(call);

    if (!c->cluster || cluster_admit(c->cluster, &r, identity))
        return true;
    rest_drop(call);
    return false;
}

bool rest_claim(struct rest_call *call, enum fact_kind kind, struct amp_text name, int64_t key,
                int64_t *out)
{
    struct central *c = call->c;
    struct net_request r = request_of(call);

    *out = 0;
    if (!c->cluster || cluster_claim(c->cluster, &r, kind, name, key, out))
        return true;
    rest_drop(call);
    return false;
}

/* The charger that a change is about. */
static struct charger *subject(struct rest_call *call)
{
    struct world *w = call->c->world;
    const struct transaction_fact *t;
    int64_t key;

    if (!strncmp(call->route->pattern, CHARGER, sizeof CHARGER - 1) ||
        call->route->handle == rest_adopt)
        return world_charger(w, rest_param(call, 0));
    if (strncmp(call->route->pattern, TRANSACTION, sizeof TRANSACTION - 1) != 0 ||
        amp_text_int(rest_param(call, 0), &key) < 0)
        return NULL;
    t = world_transaction(w, key);
    return t ? world_charger_by_key(w, t->charger) : NULL;
}

bool rest_here(struct rest_call *call)
{
    struct central *c = call->c;
    bool asks = !strcmp(call->route->method, "GET");
    /* a command is a row, whoever writes it; but a new password is nowhere but in the memory of the
     * node that sends it */
    bool command = call->route->answer && !strcmp(call->route->answer, "Command") &&
                   call->route->handle != rest_rotate_password;
    struct charger *ch = c->cluster && !asks && !command ? subject(call) : NULL;
    struct net_request r = request_of(call);
    struct node_info where;

    if (!ch || charger_fact(ch)->org != call->who.org || !call->body.at)
        return true; /* a body that comes in pieces can't be kept */
    if (!cluster_elsewhere(c->cluster, ch, &where))
        return rest_admit(call, charger_fact(ch)->id);
    if (amp_http_get(call->head, FORWARD_MARK).at) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 503,
                                             .kind = "moving",
                                             .title = "The charger is just changing nodes",
                                             .cure = "Try again.",
                                             .headers = "Retry-After: 1\r\n" },
                     "The charger \"%.*s\" is at the node %s now.", AMP_FMT(charger_fact(ch)->id),
                     where.id);
        return false;
    }
    cluster_forward(c->cluster, &r, &where);
    rest_drop(call);
    return false;
}
