/* central/store/postgres_feed.h - the thread of nodes.h from inside: postgres_feed.c has the thread
 * and its queues, postgres_peers.c what is asked of the database. */
#ifndef CENTRAL_STORE_POSTGRES_FEED_H
#define CENTRAL_STORE_POSTGRES_FEED_H

#include "central/store/nodes.h"
#include "central/store/postgres.h"

/* What somebody on the loop thread wants. */
enum job_what { JOB_TAKE, JOB_READ, JOB_CLAIM, JOB_TRANSACTIONS };
struct job {
    struct job *next;
    enum job_what what;
    union {
        nodes_taken_fn *taken;
        nodes_number_fn *number;
    } done;
    void *ctx;
    struct amp_text name; /* identity or name, in small letters, behind the struct */
    int64_t key, epoch;   /* in: proposed; out: as it is */
    int64_t only;         /* TAKE: only if this is the epoch; below 0: in any case */
    enum fact_kind kind;
    int rc;
    struct fact **facts;
    size_t count, cap;
};

/* What the loop thread is to hear, in order. */
enum event_what { EVENT_CHANGED, EVENT_TAKEN, EVENT_ORPHAN, EVENT_CUT_OFF, EVENT_JOB };
struct event {
    struct event *next;
    enum event_what what;
    int64_t charger, node, epoch;
    struct fact *fact;
    struct job *job;
    struct amp_text identity; /* behind the struct */
};

struct mark {
    int64_t node, batch;
};

struct feed_bell {
    uv_async_t async;
    struct store_nodes *nodes;
};

struct store_nodes {
    int64_t self;
    char *url;
    struct nodes_handler handler;
    struct feed_bell *bell;
    size_t owed; /* loop thread: jobs */
    bool running;
    uv_thread_t thread;
    int poke; /* eventfd: something to do */

    /* the thread's own */
    struct pg_link link;
    struct mark *marks; /* of each node the newest batch that was read */
    size_t mark_count;
    struct pg_array arrays[4];
    uint64_t read_ns, lease_ns, owners_ns, trim_ns; /* when last done; 0: never */
    bool wanted;                                    /* changes are there, somebody said */
    bool lost_all;                                  /* cut off: told once */

    uv_mutex_t lock; /* for all below */
    bool stop, tell; /* tell: a batch of ours is in */
    struct job *first, **end;
    struct event *events, **events_end;
    struct node_info *list;
    size_t list_count;
    uint64_t lead_until_ns;
    struct event *owners; /* as of the opening */
};

/* feed.c, for peers.c: from the thread */
void feed_event(struct store_nodes *n, const struct event *e);

/* peers.c: 0, or AMP_E_IO; each with a live link */
int peers_begin(struct store_nodes *n);                  /* at the opening: marks and owners */
int peers_take(struct store_nodes *n, struct job *jobs); /* TAKE and READ, one name each */
int peers_claim(struct store_nodes *n, struct job *job);
int peers_transactions(struct store_nodes *n, struct job *job);
int peers_changes(struct store_nodes *n);
int peers_owners(struct store_nodes *n);
int peers_lease(struct store_nodes *n);
int peers_trim(struct store_nodes *n);
void peers_notified(struct store_nodes *n, const char *payload);
void peers_leave(struct store_nodes *n);

#endif
