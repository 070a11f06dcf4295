/* central/domain/inside.h - what the files of this folder share and nobody else sees: the structs
 * behind world.h, and how a change is kept and emitted. A record is one block: the struct of fact.h
 * with its texts behind it. */
#ifndef CENTRAL_DOMAIN_INSIDE_H
#define CENTRAL_DOMAIN_INSIDE_H

#include "central/domain/map.h"
#include "central/domain/world.h"
#include <stdlib.h>

#define HASHES_KEPT 16

struct transaction {
    struct transaction *next;            /* of the same charger, newest first, closed ones too */
    struct transaction *before, *behind; /* all open ones, oldest first */
    struct charger *charger;
    struct transaction_fact *fact;
    uint64_t hashes[HASHES_KEPT]; /* of the newest readings, a ring */
    uint32_t hash_count;
    unsigned pinned; /* a repair is under way: not to be forgotten */
};

struct command {
    struct command *next;            /* of the same charger, oldest first */
    struct command *before, *behind; /* those that wait for their effect */
    struct charger *charger;
    struct command_fact *fact;
    bool waiting; /* in the list of those that wait for their effect */
};

struct tag {
    struct tag_fact *fact;
    size_t at; /* its place in the list */
};

struct reservation {
    struct reservation *behind; /* of all, by key */
    struct reservation *next;   /* open ones of the same charger, newest first */
    struct charger *charger;
    struct reservation_fact *fact;
    bool open;
};

struct installed {
    struct installed *next; /* of the same charger, by id */
    struct installed_fact *fact;
    int64_t not_before_ms; /* sent again */
};

struct charger {
    struct charger_fact *fact;
    struct connector_fact **connectors; /* by number, NULL where nothing was heard of */
    struct transaction *transactions;
    struct command *commands;
    struct access_fact *access;   /* NULL: nobody decided anything */
    struct access_fact no_access; /* what that means */
    struct charger *next_buried;
    struct reservation *reservations;
    struct charger_list *list; /* NULL: nobody cares what it has */
    struct installed *installed;
    void *session;
    struct config_fact **config; /* what its keys are, by name without case */
    uint32_t config_count, config_cap;
    uint32_t connector_count; /* length of connectors */
    uint32_t generation;
    int64_t alive_ms;   /* last sign of life of this connection */
    int64_t told_ms;    /* last_seen_ms of the newest fact */
    int64_t boot_ms;    /* of the newest boot that was followed */
    bool overdue;       /* its session was handed out for closing */
    bool buried;        /* deleted: in w->buried, and found by its key only */
    bool was_connected; /* the replayed fact said so: world_settle closes it */
    bool far;           /* another process owns it: see shared.h */
    int64_t peak_slot_ms, peak_w; /* the highest power that was told of this slot */
};

struct list;
struct charger_list;
struct profile_hint;

struct world {
    struct world_config config;
    world_emit_fn *emit;
    void *ctx;
    struct map by_id, by_key, transactions, commands, tags;
    struct charger **chargers;
    size_t charger_count, charger_cap;
    struct map reservations;
    struct reservation *reservation_first, *reservation_last;
    size_t reservation_ended;
    int64_t next_reservation;
    int64_t reservation_due_ms; /* before that none expires */
    struct profile_fact **profiles; /* few */
    size_t profile_count, profile_cap;
    const struct profile_hint *hint; /* see profile.h; NULL: none */
    struct list **lists; /* few */
    size_t list_count, list_cap;
    uint64_t list_changes; /* so that who owes nothing sees that nothing changed */
    struct quirk_fact **quirks; /* few: looked through one by one */
    size_t quirk_count, quirk_cap;
    struct charger *buried;
    struct boot_rule_fact **boot_rules; /* in the order in which they are asked */
    size_t boot_rule_count, boot_rule_cap;
    struct tag **tag_list;
    size_t tag_count, tag_cap;
    bool tags_sorted; /* by organisation and name */
    struct transaction *open_first, *open_last;
    struct org_power *powers; /* power.c */
    size_t power_count;
    int64_t looked_ms; /* the last look for silent transactions */
    void (*billing)(void *ctx, const struct transaction_fact *t);
    void *billing_ctx;
    struct command *waiting_first, *waiting_last;
    int64_t next_charger, next_transaction, next_command;
    bool settled;
    bool shared; /* one of several worlds over one database: see shared.h */
    int64_t top_transaction;             /* highest key heard of, whoever gave it out */
    int64_t end_transaction;             /* behind the reserved ones; shared worlds only */
    struct expected *expected;      /* keys of chargers that are not met yet: see shared.h */
    int64_t spare_first, spare_end;      /* the next reserved ones; spare_end 0: none */
};

/* The heap gives, or the process ends. */
static inline void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

/* pack.c: a malloc'd copy of `body` (the struct of `kind` in fact.h) with its texts behind it. */
void *pack(enum fact_kind kind, const void *body);
/* Emit `body` as a fact of `kind`. */
void tell(struct world *w, enum fact_kind kind, const void *body);
/* Replace the record at `*kept` by a packed copy of `body`; texts of `body` may point into the old
 * one. */
void keep(enum fact_kind kind, void *kept, const void *body);

/* Growth of a pointer list. */
void *grow_list(void *list, size_t count, size_t *cap);

/* Keys. A world that is alone counts on from what it hears of; one of several takes from what was
 * reserved for it, and others' keys move nothing. */
static inline void key_note(const struct world *w, int64_t *next, int64_t key)
{
    if (!w->shared && key >= *next)
        *next = key + 1;
}

static inline int64_t key_take(const struct world *w, int64_t *next)
{
    return w->shared ? (*next)++ : *next;
}

/* shared.c: the same for transactions, whose keys are few, and for a charger that is met. */
int64_t transaction_key_take(struct world *w);
int64_t charger_key_take(struct world *w, struct amp_text id);
void shared_free(struct world *w);

/* charger.c */
struct charger *charger_add(struct world *w, const struct charger_fact *f);
void charger_apply(struct world *w, const struct charger_fact *f);
void charger_settle(struct world *w, struct charger *c, int64_t now_ms);
void charger_free(struct charger *c);

/* access.c */
void access_apply(struct world *w, const struct access_fact *a);
void boot_rule_apply(struct world *w, const struct boot_rule_fact *r);
void charger_bury(struct world *w, struct charger *c);

/* connector.c */
void connector_apply(struct world *w, const struct connector_fact *f);

/* tag.c */
void tag_apply(struct world *w, const struct tag_fact *t);
void tag_free(struct tag *t);
/* Of names, without case, byte by byte: below, 0, above. */
int text_order(struct amp_text a, struct amp_text b);
/* world_authorize for a start on this connector: what runs there already does not count as another
 * transaction. */
void tag_authorize(const struct world *w, int64_t org, struct amp_text tag, const struct charger *c,
                   int connector, int64_t now_ms, struct tag_answer *out);
bool tag_same_parent(const struct world *w, int64_t org, struct amp_text a, struct amp_text b);

/* configuration.c */
void config_apply(struct world *w, const struct config_fact *f);
void config_saw_boot(struct world *w, struct charger *c);
void config_free(struct charger *c);
/* reservation.c */
void reservation_apply(struct world *w, const struct reservation_fact *f);
void reservation_free(struct reservation *r);
void reservation_tick(struct world *w, int64_t now_ms);

/* profile.c, installed.c */
void profile_apply(struct world *w, const struct profile_fact *f);
void installed_apply(struct world *w, const struct installed_fact *f);
void installed_free(struct charger *c);
/* True: something was queued. */
bool installed_sync(struct world *w, struct charger *c, int64_t now_ms);

/* local_list.c, charger_list.c */
void list_apply(struct world *w, const struct list_fact *f);
void list_apply_entry(struct world *w, const struct list_entry_fact *f);
void list_free(struct list *l);
void charger_list_apply(struct world *w, const struct charger_list_fact *f);
void charger_list_free(struct charger_list *l);

/* quirk.c */
void quirk_apply(struct world *w, const struct quirk_fact *f);

/* transaction.c, start.c, stop.c, reading.c, attention.c */
void transaction_apply(struct world *w, const struct transaction_fact *f);
void transaction_apply_reading(struct world *w, const struct reading_fact *r);
void transaction_free(struct transaction *t);
/* Forget all of a charger's, the open ones too; emits nothing. */
void transaction_forget_all(struct world *w, struct charger *c);
struct transaction *transaction_open_at(const struct charger *c, int connector);
bool transaction_is_open(int state); /* not closed: expected, too */
bool transaction_runs(int state);    /* begun and not closed */
/* Does this tag charge anywhere, but on this connector, with consent? */
bool transaction_elsewhere(const struct world *w, int64_t org, struct amp_text tag,
                           const struct charger *c, int connector);
/* What happens to a transaction: transaction.c's table says what becomes of it. */
enum transaction_event {
    TX_STARTS = 1,    /* StartTransaction, or readings of one that we never heard of */
    TX_FAULTS,        /* its connector cannot charge, before it began */
    TX_GIVEN_UP,      /* a remote start was accepted and none came in time */
    TX_FLOWS,         /* Charging */
    TX_PAUSES,        /* SuspendedEV, SuspendedEVSE */
    TX_STOP_ACCEPTED, /* a remote stop was accepted */
    TX_STOP_FAILED,   /* ... and nothing stopped in time */
    TX_STOPS,         /* StopTransaction, a new start in its place, or a person */
    TX_EMPTY,         /* ended: it was refused, and nothing flowed */
    TX_BILLED,        /* billing reports */
    TX_BILL_FAILS,
    TX_CORRECTED, /* a person changed what the bill says */
    TX_VOIDED,    /* a person: this is no session, or another one */
    TX_EVENTS
};
void transaction_event(struct world *w, struct transaction *t, enum transaction_event e,
                       int64_t now_ms);
/* A remote start was accepted: it is expected. The key of its record. */
int64_t transaction_ask(struct world *w, struct charger *c, int connector, struct amp_text tag,
                        int64_t now_ms);
/* The connector (0: the station) cannot charge: what was expected on it has failed. */
void transaction_faulted(struct world *w, struct charger *c, int connector, int64_t now_ms);
/* Once a minute: flags those that are silent for too long. */
void transaction_tick(struct world *w, int64_t now_ms);
struct transaction *transaction_find(const struct world *w, int64_t key);

/* command.c */
void command_apply(struct world *w, const struct command_fact *f);
/* Queued ones that were created before `since_ms` fail. */
void command_settle(struct world *w, struct charger *c, int64_t since_ms, int64_t now_ms);
void command_free(struct command *k);
void command_forget_all(struct world *w, struct charger *c);
void command_offline(struct world *w, struct charger *c, int64_t now_ms);
void command_tick(struct world *w, int64_t now_ms);
/* Something that may be the effect of a command was seen. */
/* `firmware`: that it booted with. */
void command_saw_boot(struct world *w, struct charger *c, struct amp_text firmware, int64_t now_ms);
void command_saw_start(struct world *w, struct charger *c, const struct transaction_fact *t,
                       int64_t now_ms);
void command_saw_stop(struct world *w, struct charger *c, int64_t transaction, int64_t now_ms);
void command_saw_status(struct world *w, struct charger *c, int connector, int64_t now_ms);

#endif
