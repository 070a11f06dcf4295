/* central/v16/ops.h - what stations may call: one file a message, each exporting one entry, all
 * named in ops.c. */
#ifndef CENTRAL_V16_OPS_H
#define CENTRAL_V16_OPS_H

#include "central/domain/world.h"
#include "messages/ocpp16.h"

struct central;
struct issue;

struct v16_call {
    struct world *world;
    struct charger *charger;
    struct amp_arena *arena; /* for what a reply points to; reset after the answer was written */
    struct amp_text payload; /* as sent */
    const void *body;        /* decoded: struct ocpp16_… of the message */
    struct issue *issue;     /* whoever signs; issue_request of central/pki/issue.h */
    int (*sign)(struct issue *i, struct charger *c, struct amp_text csr, char *why);
    int64_t now_ms;
};

struct v16_op {
    uint8_t id; /* enum ocpp16_id */
    /* Fill `reply`, zeroed before: struct ocpp16_…_reply. 0, or an error that is answered as
     * CALLERROR. */
    int (*on_call)(const struct v16_call *call, void *reply);
};

/* NULL: known to the standard, not to us (NotSupported). */
const struct v16_op *v16_op_find(unsigned id);

/* What a station answered to a call of ours, beyond yes or no: handlers of that are named in asked.c.
 */
struct v16_answer {
    struct central *central;
    struct charger *charger;
    const struct command_fact *command; /* until a handler asks for another one */
    const void *body;                   /* decoded: struct ocpp16_…_reply of the message */
    bool accepted;
    int64_t now_ms;
};

struct v16_asked {
    uint8_t id; /* enum ocpp16_id */
    void (*on_answer)(const struct v16_answer *a);
};

/* NULL: nothing else is to be done about its answers. */
const struct v16_asked *v16_asked_find(unsigned id);

/* ---- what several of them need ---- */
/* A connector number off the wire, where 64 bits may arrive. */
int v16_connector(int64_t wire);
/* idTagInfo of an answer. A parent that 1.6 cannot carry (over 20 characters) is left out: cut, it
 * would be another tag. */
void v16_tag_info(struct ocpp16_id_tag_info *out, const struct tag_answer *a);
/* Store the readings of a meterValue or transactionData list; `raw` is that list as sent. */
struct v16_readings {
    int connector;
    int64_t transaction; /* as sent; 0: none */
    const struct ocpp16_meter_value *at;
    uint32_t len;
    struct amp_text raw;
};
void v16_readings(const struct v16_call *call, const struct v16_readings *list);

/* Reply of a message that is only noted: the message log has it. */
int v16_noted(const struct v16_call *call, void *reply);

#endif
