/* central/domain/world.h - the present, in memory: chargers, connectors, running transactions, tags, commands. Owned by the
 * loop thread. It decides; every change leaves as a fact through `emit`, and the same facts rebuild it at the start
 * (world_apply). Knows no SQL, no socket and no message version. */
#ifndef CENTRAL_WORLD_H
#define CENTRAL_WORLD_H

#include "central/domain/fact.h"

struct world;
struct charger;      /* one station that we know, online or not */
struct transaction;  /* one that is not closed yet */

struct world_config {
    int32_t heartbeat_s;       /* handed out at boot (300) */
    int32_t stale_after_s;     /* no sign of life this long after one was due: stale, then offline (90) */
    bool accept_unknown;       /* unknown chargers are accepted at once, else REGISTRATION_PENDING ("knocking") */
    bool accept_unknown_tags;  /* demo: any tag may charge */
};

typedef void world_emit_fn(void *ctx, const struct fact *f);

struct world *world_new(const struct world_config *config, world_emit_fn *emit, void *ctx);
void world_free(struct world *w);
const struct world_config *world_config(const struct world *w);

/* Take over a fact from the store at the start; emits nothing. */
void world_apply(struct world *w, const struct fact *f);
void world_set_keys(struct world *w, int64_t charger, int64_t transaction, int64_t command);

/* ---- chargers ---- */
/* Find by identity, without case. NULL if unknown. */
struct charger *world_charger(struct world *w, struct amp_text id);
struct charger *world_charger_by_key(struct world *w, int64_t key);
/* Find or create (registration by policy). */
struct charger *world_charger_meet(struct world *w, struct amp_text id, int64_t now_ms);
size_t world_charger_count(const struct world *w);
struct charger *world_charger_at(struct world *w, size_t i);      /* stable order: by first meeting */
const struct charger_fact *charger_fact(const struct charger *c); /* texts live until the next change of this charger */
void *charger_session(const struct charger *c);                   /* the live connection's session object, NULL offline */

/* Connection life. A new session replaces the old one at once (newest wins): the old pointer is returned for its owner to close;
 * a late world_disconnected of a session that is no longer current changes nothing (returns false). */
void *world_connected(struct world *w, struct charger *c, void *session, struct amp_text protocol, struct amp_text address, int64_t now_ms);
bool world_disconnected(struct world *w, struct charger *c, void *session, int code, struct amp_text why, int64_t now_ms);
/* Any message is a sign of life; restores STALE. */
void world_seen(struct world *w, struct charger *c, int64_t now_ms);
/* Once a second: marks those stale that are overdue. `overdue` is called for sessions that must be closed (stale for a further interval). */
void world_tick(struct world *w, int64_t now_ms, void (*overdue)(void *ctx, struct charger *c, void *session), void *ctx);

struct boot_info { struct amp_text vendor, model, serial, box_serial, firmware, iccid, imsi, meter_type, meter_serial; };
/* enum registration; *interval_s is what to hand out. */
int world_boot(struct world *w, struct charger *c, const struct boot_info *b, int32_t *interval_s, int64_t now_ms);
int world_adopt(struct world *w, struct charger *c, int registration, int64_t now_ms); /* a person decides */

/* ---- connectors ---- */
void world_status(struct world *w, struct charger *c, int connector, const struct connector_fact *s);
size_t charger_connectors(const struct charger *c);  /* highest connector number heard of */
const struct connector_fact *charger_connector(const struct charger *c, int connector); /* NULL: never heard of */

/* ---- tags ---- */
struct tag_answer { const char *status; int64_t expiry_ms; struct amp_text parent; }; /* status is a 1.6 word */
void world_authorize(struct world *w, int64_t org, struct amp_text tag, int64_t now_ms, struct tag_answer *out);
void world_put_tag(struct world *w, const struct tag_fact *t);
const struct tag_fact *world_tag(const struct world *w, int64_t org, struct amp_text tag);
size_t world_tag_count(const struct world *w);
const struct tag_fact *world_tag_at(const struct world *w, size_t i);

/* ---- transactions: always answered, always kept; odd ones are flagged. central-edge-cases 1-30 ---- */
struct start_info { int connector; struct amp_text tag; int64_t meter_wh, at_ms, reservation; };
/* Returns the transaction's key (the id for the wire). A repetition by content returns the first one's. */
int64_t world_start(struct world *w, struct charger *c, const struct start_info *s, int64_t now_ms, struct tag_answer *out);
struct stop_info { int64_t transaction; int64_t meter_wh, at_ms; struct amp_text tag, reason; };
void world_stop(struct world *w, struct charger *c, const struct stop_info *s, int64_t now_ms, struct tag_answer *out);
/* One reading; dropped as a repetition when its hash is known for this transaction (returns false). r->charger is filled in. */
bool world_reading(struct world *w, struct charger *c, struct reading_fact *r, int64_t now_ms);
const struct transaction_fact *world_transaction(struct world *w, int64_t key); /* open ones, and recently closed ones; else NULL */
const struct transaction_fact *charger_transaction(const struct charger *c, int connector); /* the open one, or NULL */
size_t world_open_transactions(struct world *w, const struct transaction_fact **out, size_t cap);

/* ---- commands ---- */
int64_t world_command(struct world *w, struct charger *c, const struct command_fact *f, int64_t now_ms); /* queued; returns the key */
const struct command_fact *world_command_get(struct world *w, int64_t key); /* unfinished and recent ones */
struct command_change { int state; struct amp_text answer, correlation; int64_t transaction; };
int world_command_change(struct world *w, int64_t key, const struct command_change *ch, int64_t now_ms); /* AMP_E_ABSENT, AMP_E_STATE */
/* Oldest queued command of a charger, or NULL: what to send next. */
const struct command_fact *world_command_next(struct world *w, const struct charger *c);

#endif
