/* central/v16/admit.h - who a station is, and whether it may come in: passwords, certificates, the
 * security profile it comes by, limits. Inside central/v16. OCPP 1.6 security white paper, A00 to
 * A05; ocpp-facts S1 to S7; central-edge-cases 38-43, 65. */
#ifndef CENTRAL_V16_ADMIT_H
#define CENTRAL_V16_ADMIT_H

#include "central/limit.h"
#include "central/proxy.h"
#include "central/refusal.h"
#include "central/v16/inside.h"

#define ADMIT_WINDOW_MS 60000

/* What a station asks at its handshake. */
struct admission {
    struct amp_text id;
    const struct amp_http_head *head;
    const struct net_conn *conn;
    struct origin origin;
    struct charger *charger; /* NULL: unknown */
    /* what comes out */
    int profile; /* security profile, 0 to 3 */
    bool next;   /* it used the password that was given to it: the old one is none any more */
    struct amp_text keep; /* an unknown station's first password, to be kept; absent: none */
    int64_t wait_ms;      /* of REFUSAL_TRIES and REFUSAL_CONNECTIONS */
    char block[512];      /* what `keep` points into */
};

struct admit;
struct admit *admit_new(struct central *c);
void admit_free(struct admit *a);

/* REFUSAL_NONE: it may. Counts the try. */
enum refusal admit_ask(struct admit *a, struct admission *q);
/* It may, but waits for its node and asks again: that is one try. */
void admit_held(struct admit *a, const struct admission *q);
/* It is in: what was learned of it becomes facts. */
void admit_in(struct admit *a, const struct admission *q, struct charger *c, int64_t now_ms);

/* A message of this length came over a connection: REFUSAL_NONE, or why it has to end. */
enum refusal admit_message(struct admit *a, struct session *s, struct amp_text data,
                           int64_t now_ms);
/* A text that is no OCPP (E53). */
enum refusal admit_garbage(struct session *s, int64_t now_ms);

#endif
