/* central/rest/feed.h - readers of the live feed and how they are fed. Inside central/rest only. */
#ifndef CENTRAL_REST_FEED_H
#define CENTRAL_REST_FEED_H

#include "central/rest/call.h"

#define LIVE_RING     4096 /* events kept for resume */
#define LIVE_FRAME_MS 250  /* at most one frame a reader in this time */
#define LIVE_JOIN_MS  20   /* what happens within this time after a silence leaves together */
#define LIVE_ALIVE_MS 15000
#define LIVE_MESSAGES                                                                             \
    100                   /* messages of the log in one frame; older ones are dropped and counted \
                           */
#define LIVE_PAYLOAD 8192 /* a longer payload is not shown live */
#define LIVE_READERS 2000

enum live_topic {
    TOPIC_CHARGERS,
    TOPIC_TRANSACTIONS,
    TOPIC_MESSAGES,
    TOPIC_COMMANDS,
    TOPIC_RESERVATIONS,
    TOPIC_LOAD,
    TOPIC_LISTS,
    TOPIC_PROFILES,
    TOPICS
};
enum live_kind {
    LIVE_CHARGER,
    LIVE_CONNECTOR,
    LIVE_CONNECTION,
    LIVE_TRANSACTION,
    LIVE_READING,
    LIVE_MESSAGE,
    LIVE_COMMAND,
    LIVE_RESERVATION,
    LIVE_GROUP,
    LIVE_LIMIT,
    LIVE_LIST,
    LIVE_PROFILE
};

struct live_event {
    int64_t seq, at_ms;
    int64_t org, charger;
    uint64_t key; /* of the thing it is about: a newer event of the same key replaces it; 0: never
                     replaced */
    enum live_topic topic;
    enum live_kind kind;
    struct fact *fact;
};

/* One browser or script. */
struct live_reader {
    struct rest_owned owned; /* first */
    struct live *live;
    struct live_reader *prev, *next;
    int64_t org, user;
    unsigned topics;  /* bits 1 << enum live_topic; 0: nothing subscribed yet */
    int64_t charger;  /* 0: all */
    int64_t seen;     /* seq of the newest event that it got or that was not for it */
    uint64_t sent_ms; /* uv_now of the last frame */
    bool stream;      /* Server-Sent Events */
};

const char *live_topic_name(enum live_topic t);
int live_topic_find(struct amp_text name); /* -1: none */

/* False: too many already. */
bool live_add(struct live *l, struct live_reader *r);
void live_remove(struct live_reader *r);
/* Start at `since`: 0 from now on. Sends a first frame at once: what was missed, resync, or nothing
 * new. */
void live_start(struct live_reader *r, int64_t since);
/* Feed everybody what is new. The timer does this. */
void live_flush(struct live *l);
/* A sign of life to everybody who got nothing for long. */
void live_alive(struct live *l);
/* Close what belongs to this person: logged out, blocked, another role. */
void live_drop_user(struct live *l, int64_t user);
unsigned live_readers(const struct live *l);
struct central *live_central(const struct live *l);

#endif
