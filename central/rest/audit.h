/* central/rest/audit.h - "a person changed X": kept for good, beside the change and durable with it.
 * A handler that changes something writes how it was and how it is, as the API shows it, and then
 *
 *   shape_tag(rest_was(call), old);            left out: there was none
 *   ... the change ...
 *   shape_tag(rest_is(call), fresh);           left out: it is gone
 *   rest_audit(call, &(struct rest_change){ .action = "change", .kind = "tag", .thing = tag });
 *   rest_after(call, changed);
 *
 * all in one go: nothing may come between that turns the loop. */
#ifndef CENTRAL_REST_AUDIT_H
#define CENTRAL_REST_AUDIT_H

#include "central/rest/call.h"

struct rest_change {
    const char *action;     /* one word: "create", "change", "delete", "adopt" ... */
    const char *kind;       /* "charger", "tag", "user", "transaction" ... */
    struct amp_text thing;  /* which one: the id that its path has */
    int64_t charger;        /* that it is about; 0: none */
    struct amp_text reason; /* in the words of who asked; absent: none */
};

/* Where to write one JSON value: how it was, how it is. Each begins afresh. */
struct amp_json *rest_was(struct rest_call *call);
struct amp_json *rest_is(struct rest_call *call);
/* For what was written long before the change, as a text. */
void rest_was_text(struct rest_call *call, struct amp_text json);
/* Keep it, with who asks and when. What was written is used up. */
void rest_audit(struct rest_call *call, const struct rest_change *change);
/* The same for what nobody asked for just now: who is "system". before and after may be absent. */
void rest_audit_system(struct central *c, int64_t org, const struct rest_change *change,
                       struct amp_text before, struct amp_text after);

/* GET /audit */
void rest_list_audit(struct rest_call *call);

#endif
