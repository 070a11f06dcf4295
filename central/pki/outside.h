/* central/pki/outside.h - an outside authority behind a command: the request goes to its standard
 * input, the certificate and those above it come from its standard output. Asynchronous, on the
 * loop. */
#ifndef CENTRAL_OUTSIDE_H
#define CENTRAL_OUTSIDE_H

#include "ocpp/text.h"
#include <uv.h>

/* `code` 0: `out` is the certificate. OUTSIDE_LATER: it will be given by the API. Else `why` is the
 * last line of what it said to standard error, or what is wrong. */
#define OUTSIDE_LATER 75 /* EX_TEMPFAIL of sysexits.h */
typedef void outside_done_fn(void *ctx, int code, struct amp_text out, const char *why);

struct outside;
/* Runs `command` by /bin/sh with AMPERSTAND_REQUEST and AMPERSTAND_CHARGER in its environment; at
 * most `seconds`. `done` comes later, once. NULL: it cannot be run, and nothing comes. */
struct outside *outside_ask(uv_loop_t *loop, const char *command, struct amp_text csr,
                            const char *request, const char *charger, unsigned seconds,
                            outside_done_fn *done, void *ctx);
/* Ends it without a call of `done`. */
void outside_cancel(struct outside *o);

#endif
