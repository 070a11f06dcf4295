/* central/domain/world.h - the present, in memory: chargers, connectors, running transactions,
 * tags, commands. Owned by the loop thread. It decides; every change leaves as a fact through
 * `emit`, and the same facts rebuild it at the start (world_apply). Knows no SQL, no socket and no
 * message version. */
#ifndef CENTRAL_WORLD_H
#define CENTRAL_WORLD_H

#include "central/domain/fact.h"

/* Higher connector numbers are kept in the history but not in memory: a wire number must not size
 * an array. */
#define WORLD_CONNECTORS_MAX 128
/* Closed transactions that stay in memory, a charger: late readings and repeated starts and stops
 * find them there. The replay at the start must bring those that ended last (stop_seen_ms), with
 * the hashes of their readings, or what a station repeats across a restart is stored twice. */
#define WORLD_CLOSED_KEPT 4
/* Commands that may wait for one charger, and finished ones that stay for whoever asks what became
 * of them. */
#define WORLD_QUEUE_MAX  64
#define WORLD_RECENT_MAX 16

struct world;
struct charger;     /* one station that we know, online or not */
struct transaction; /* one that is not closed yet, or was not long ago */

struct world_config {
    int32_t heartbeat_s;      /* handed out at boot (300) */
    int32_t stale_after_s;    /* no sign of life this long after one was due: stale (90) */
    bool accept_unknown;      /* unknown chargers are in at once, else they knock: PENDING */
    bool accept_unknown_tags; /* demo: any tag may charge */
    bool one_at_a_time;       /* a tag that charges elsewhere is answered ConcurrentTx (off) */
    int32_t silent_after_s, offline_after_s; /* attention.h; 0: its defaults */
};

typedef void world_emit_fn(void *ctx, const struct fact *f);

struct world *world_new(const struct world_config *config, world_emit_fn *emit, void *ctx);
void world_free(struct world *w);
const struct world_config *world_config(const struct world *w);

/* Take over a fact from the store at the start; emits nothing. Chargers first. Nobody is connected
 * in a rebuilt world. Of several readings of a transaction the oldest comes first. */
void world_apply(struct world *w, const struct fact *f);
void world_set_keys(struct world *w, int64_t charger, int64_t transaction, int64_t command);
/* After the last world_apply: put right what the end of the former process left open, and emit
 * that. Commands that were sent become timed out, queued ones that were not to wait fail,
 * connections that were open are closed. The first tick, connection or command does it, too. */
void world_settle(struct world *w, int64_t now_ms);

/* ---- chargers ---- */
/* Find by identity, without case. NULL if unknown. */
struct charger *world_charger(struct world *w, struct amp_text id);
struct charger *world_charger_by_key(struct world *w, int64_t key);
/* Find or create (registration by policy). */
struct charger *world_charger_meet(struct world *w, struct amp_text id, int64_t now_ms);
size_t world_charger_count(const struct world *w);
struct charger *world_charger_at(struct world *w, size_t i); /* stable order: by first meeting */
/* Texts live until the next change of this charger. */
const struct charger_fact *charger_fact(const struct charger *c);
/* The live connection's session object, NULL offline; and the number of connections so far, which
 * tells an old one from the present one. */
void *charger_session(const struct charger *c);
uint32_t charger_generation(const struct charger *c);

/* Connection life. A new session replaces the old one at once (newest wins): the old pointer is
 * returned for its owner to close; a late world_disconnected of a session that is no longer current
 * changes nothing (returns false). */
void *world_connected(struct world *w, struct charger *c, void *session, struct amp_text protocol,
                      struct amp_text address, int64_t now_ms);
bool world_disconnected(struct world *w, struct charger *c, void *session, int code,
                        struct amp_text why, int64_t now_ms);
/* Any message is a sign of life; restores STALE. Emitted at most once a minute: on disk
 * last_seen_ms may lag so much. */
void world_seen(struct world *w, struct charger *c, int64_t now_ms);
/* Once a second: marks those stale that are overdue. `overdue` is called, once, for sessions that
 * must be closed (stale for a further interval); it may call world_disconnected. Accepted commands
 * whose effect stayed away become "no effect". */
void world_tick(struct world *w, int64_t now_ms,
                void (*overdue)(void *ctx, struct charger *c, void *session), void *ctx);

struct boot_info {
    struct amp_text vendor, model, serial, box_serial, firmware, iccid, imsi, meter_type,
        meter_serial;
};
/* enum registration; *interval_s is what to hand out. */
int world_boot(struct world *w, struct charger *c, const struct boot_info *b, int32_t *interval_s,
               int64_t now_ms);
/* A person decides. 0, or AMP_E_VALUE: no such registration. */
int world_adopt(struct world *w, struct charger *c, int registration, int64_t now_ms);

/* ---- connectors ---- */
/* s->at_ms 0: the station named no time, s->seen_ms (our clock) stands in. Charging and Suspended…
 * move the running transaction between RUNNING and SUSPENDED; no status ends one. Connector 0 is
 * the station and touches no other. */
void world_status(struct world *w, struct charger *c, int connector,
                  const struct connector_fact *s);
size_t charger_connectors(const struct charger *c); /* highest connector number heard of */
/* NULL: never heard of. */
const struct connector_fact *charger_connector(const struct charger *c, int connector);

/* ---- tags ---- */
struct tag_answer {
    const char *status;     /* a 1.6 word; NULL when no tag was named */
    int64_t expiry_ms;      /* 0: never */
    struct amp_text parent; /* lives until the next change of the tag */
};
void world_authorize(struct world *w, int64_t org, struct amp_text tag, int64_t now_ms,
                     struct tag_answer *out);
/* Insert or replace; with t->deleted: remove. */
void world_put_tag(struct world *w, const struct tag_fact *t);
/* NULL: unknown or deleted. */
const struct tag_fact *world_tag(const struct world *w, int64_t org, struct amp_text tag);
size_t world_tag_count(const struct world *w);
/* In the order of organisations and names, without case. */
const struct tag_fact *world_tag_at(struct world *w, size_t i);
/* The place of the first one of this organisation, or a later one, behind the name `after` (empty:
 * from its first). */
size_t world_tag_after(struct world *w, int64_t org, struct amp_text after);

/* ---- transactions: always answered, always kept; odd ones are flagged. Edge cases 1-28 ----
 * What people and billing do to them: repair.h; what they should look at: attention.h. */
struct start_info {
    int connector;
    struct amp_text tag;
    int64_t meter_wh, at_ms, reservation;
    bool no_meter; /* it names no register: the first reading does. Only where events come (event.h) */
};
/* Returns the transaction's key (the id for the wire). A repetition by content returns the first
 * one's. */
int64_t world_start(struct world *w, struct charger *c, const struct start_info *s, int64_t now_ms,
                    struct tag_answer *out);
/* transaction: as sent; what was null or absent on the wire is -1. */
struct stop_info {
    int64_t transaction;
    int64_t meter_wh, at_ms;
    struct amp_text tag, reason;
};
/* Returns the key of the record that the stop belongs to: its readings go there. 0: a repetition,
 * everything of it is stored already. A second one that says something else is flagged, no more. An id below 1 means the only open transaction of
 * this charger that fits; an id that we do not know, or that is another charger's, becomes a closed
 * record of its own with TX_FLAG_ADOPTED (and TX_FLAG_FOREIGN_STOP). */
int64_t world_stop(struct world *w, struct charger *c, const struct stop_info *s, int64_t now_ms,
                   struct tag_answer *out);
/* One reading. r->transaction as sent, 0 if none; afterwards the key that it belongs to, or 0.
 * r->charger is filled in. Dropped as a repetition when its hash is known for this transaction
 * (returns false). */
bool world_reading(struct world *w, struct charger *c, struct reading_fact *r, int64_t now_ms);
/* Open ones, and those that closed not long ago; else NULL. */
const struct transaction_fact *world_transaction(struct world *w, int64_t key);
/* The one that runs on a connector, or NULL. */
const struct transaction_fact *charger_transaction(const struct charger *c, int connector);
/* All that run, oldest first: not those that a remote start asked for. Their number, also when `cap` is smaller. */
size_t world_open_transactions(struct world *w, const struct transaction_fact **out, size_t cap);

/* ---- commands ---- */
/* Queue f's action, payload, connector, transaction, by, request, batch, due_ms, expected and trace.
 * Returns the key, or AMP_E_FULL. For a charger that is offline the command fails at once ("station
 * offline"): look at its state. With _wait it stays queued until the station comes, but not longer
 * than f's expires_ms (0: for ever). What may be sent twice without harm and was not answered is
 * sent again, at most COMMAND_ATTEMPTS_MAX times in all: operation.h. */
int64_t world_command(struct world *w, struct charger *c, const struct command_fact *f,
                      int64_t now_ms);
int64_t world_command_wait(struct world *w, struct charger *c, const struct command_fact *f,
                           int64_t now_ms);
/* Unfinished and recent ones, by key or by message id; else NULL. */
const struct command_fact *world_command_get(struct world *w, int64_t key);
const struct command_fact *world_command_find(const struct charger *c, struct amp_text correlation);
struct command_change { /* absent, 0: as it was */
    int state;
    struct amp_text answer, correlation;
    int64_t transaction;
};
/* AMP_E_ABSENT: no such command, or long finished; AMP_E_STATE: not a legal change, nothing
 * happened. ACCEPTED may end as CONFIRMED at once: when the answer is the effect, or the effect was
 * seen before the answer. */
int world_command_change(struct world *w, int64_t key, const struct command_change *ch,
                         int64_t now_ms);
/* Oldest queued command of a charger, or NULL: what to send next. */
const struct command_fact *world_command_next(struct world *w, const struct charger *c);

#endif
