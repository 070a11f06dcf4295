/* central/central.h - the central system's pieces, held together: settings, network, store, world,
 * live feed. central.c wires them: facts that the world emits go to the store and, once durable, to
 * the live feed. */
#ifndef CENTRAL_H
#define CENTRAL_H

#include "central/domain/world.h"
#include "central/net/net.h"
#include "central/settings.h"
#include "central/store/store.h"
#include "ocpp/arena.h"

struct live;   /* central/rest/live.h: topics, sequence numbers, subscribers */
struct rest;   /* central/rest/rest.h: routes */
struct people; /* central/rest/people.h: accounts, logins, API keys */
struct files;   /* central/rest/files.h: what people and stations upload */
struct batches; /* central/rest/batches.h: commands for many chargers */
struct v16;    /* central/v16/v16.h: sessions of 1.6 stations */
struct redis;   /* central/redis.h */
struct cluster; /* central/cluster.h: this node among others */
struct log;    /* central/log.h */
struct loads;  /* central/domain/load.h: load management */
struct balance; /* central/balance.h: its driver */
struct retention; /* central/retention.h */
struct doctor; /* central/doctor.h: refused handshakes */
struct proxies;      /* central/proxy.h: whose words about an origin are believed */
struct certificates; /* central/pki/certificates.h */
struct issue;        /* central/pki/issue.h: certificates on their way */

struct central {
    uv_loop_t *loop;
    struct settings settings;
    struct net *net;
    struct store *store;
    struct world *world;
    struct live *live;
    struct rest *rest;
    struct people *people;
    struct files *files;
    struct batches *batches;
    struct v16 *v16;
    struct retention *retention;
    struct counts *counts;   /* central/counts.h: for /metrics; may be NULL */
    struct loads *loads;
    struct balance *balance;
    struct doctor *doctor;
    struct proxies *proxies;           /* NULL: nobody's */
    struct certificates *certificates; /* NULL: none are known */
    struct cluster *cluster; /* NULL: alone */
    struct redis *redis;     /* NULL: none */
    struct issue *issue;
    struct log *log;         /* may be NULL: every log function takes that */
    struct amp_arena arena;  /* decoding of one message; reset by whoever handles the next */
    int64_t (*now_ms)(void); /* Unix ms; tests turn it */
    int64_t started_ms;
    struct central_inside *inside; /* of central.c */
};

/* Open everything in order: data folder, store, world, people, live, load, v16, rest, net. `c` is
 * zeroed by the caller, who may set `log` (stays his) and `now_ms` (NULL: the system's clock);
 * `settings` are copied. 0; AMP_E_BUSY: another process uses the data folder; AMP_E_IO: data folder
 * or database; AMP_E_ABSENT: the address cannot be listened on. *why (malloc'd) is a sentence that
 * names the cure. After an error nothing is left but handles that the loop lets go of in its next
 * turn. */
int central_open(struct central *c, uv_loop_t *loop, const struct settings *settings,
                 char **why) AMP_CHECKED;
/* Clean shutdown: stop accepting, 1001 to stations, last commit. `done` comes afterwards, on the
 * loop. */
void central_stop(struct central *c, void (*done)(void *ctx), void *ctx);
/* After `done`: frees everything. Then turn the loop until it is empty. */
void central_close(struct central *c);

/* Read certificates again (SIGHUP). What is wrong with them is logged, and the old ones stay. */
void central_reload(struct central *c);

/* A request, from its beginning: whose it is, and on to him. */
void central_request(struct central *c, const struct net_request *r);
/* A fact that the database has: taken over by whom it concerns, at the start and, of other nodes, at
 * any time. Emits nothing. */
void central_apply(struct central *c, const struct fact *f);

/* A fact from any module: to the store, and to the live feed after the commit. */
void central_emit(struct central *c, const struct fact *f);

/* Ask a charger on the server's own account: f's action, payload, connector, transaction and by.
 * Checked against the definitions, queued, sent when the direction is free. `wait`: it may stay
 * queued until the charger comes; else an offline charger's command fails at once (look at its
 * state). The command's key; AMP_E_FULL: too many wait already; what v16_check says. */
int64_t central_ask(struct central *c, struct charger *ch, const struct command_fact *f, bool wait);
/* Is this the process that does what must be done once only: retention, load management, batches?
 * Always, as long as one process serves a database. */
bool central_leads(const struct central *c);

#endif
