/* central/redis_link.h - one connection to Redis on libuv's loop: connects, logs in, comes again.
 * hiredis' own adapter for libuv never hears of a connection that is refused, so the few lines of
 * an adapter are here. */
#ifndef CENTRAL_REDIS_LINK_H
#define CENTRAL_REDIS_LINK_H

#include <hiredis/async.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define REDIS_PENDING_MAX 20000 /* commands without an answer: more are dropped */

struct redis_address {
    char host[160], user[80], password[160];
    int port, database;
};
/* False: not such a URL. */
bool redis_address_of(const char *url, struct redis_address *out);

struct redis_resolve;
struct redis_link {
    uv_loop_t *loop;
    const struct redis_address *address;
    redisAsyncContext *context;    /* NULL: none */
    struct redis_resolve *resolve; /* under way; names are not looked up on the loop's time */
    bool connected, stopping;
    uint32_t pending;
    int64_t since_ms, pause_ms, next_ms; /* uv_now: when the attempt began; when the next may */
    void (*on_connected)(void *ctx);     /* after the login was sent */
    void *ctx;
};

/* Once a second: connects when it is time to, gives up what takes too long. */
void redis_link_tick(struct redis_link *l);
/* Queue a command whose answer nobody needs. False: it was dropped. */
bool redis_link_send(struct redis_link *l, int argc, const char **argv, const size_t *lens);
/* Queue one whose every answer comes to `each`. */
bool redis_link_ask(struct redis_link *l, redisCallbackFn *each, int argc, const char **argv,
                    const size_t *lens);
void redis_link_close(struct redis_link *l);

#endif
