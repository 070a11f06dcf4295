/* central/rest/health.c - for whoever watches the process: is it alive, can it do its work, and if
 * not, why. */
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include <stdio.h>

/* `reasons`: why not, up to a NULL; NULL: none. */
static void put_health(struct rest_call *call, const char *const *reasons)
{
    struct amp_json *w = rest_begin(call);

    amp_json_open(w, '{');
    amp_json_key(w, "status");
    amp_json_str(w, reasons ? "failing" : "ok");
    amp_json_key(w, "version");
    amp_json_str(w, AMP_VERSION);
    if (reasons) {
        amp_json_key(w, "reasons");
        amp_json_open(w, '[');
        for (; *reasons; reasons++)
            amp_json_str(w, *reasons);
        amp_json_close(w, ']');
    }
    amp_json_close(w, '}');
    rest_send(call, reasons ? 503 : 200);
}

void rest_healthz(struct rest_call *call)
{
    put_health(call, NULL);
}

static void durable(struct rest_call *call)
{
    if (rest_conn(call))
        put_health(call, NULL);
    else
        rest_drop(call);
}

/* A commit that works is the only proof that what stations report can be acknowledged. */
void rest_readyz(struct rest_call *call)
{
    struct store_stats s;
    char why[256];

    store_stats(call->c->store, &s);
    if (!s.failing) {
        rest_after(call, durable);
        return;
    }
    snprintf(why, sizeof why, "the database refuses: %s; %llu facts wait, nothing is acknowledged",
             s.error, (unsigned long long)s.pending);
    put_health(call, (const char *const[]){ why, NULL });
}
