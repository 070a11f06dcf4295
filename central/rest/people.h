/* central/rest/people.h - accounts, logins and API keys: who asks, and what they may do. DESIGN.md decision 11.
 * Passwords are Argon2id (libsodium), hashed on the pool; cookies and API keys are random and stored as SHA-256. */
#ifndef CENTRAL_PEOPLE_H
#define CENTRAL_PEOPLE_H

#include "central/central.h"

struct people *people_new(struct central *c);
void people_free(struct people *p);
void people_apply(struct people *p, const struct fact *f); /* FACT_USER, FACT_LOGIN, FACT_API_KEY from the store at the start */
void people_set_keys(struct people *p, int64_t user, int64_t api_key);
bool people_any(const struct people *p); /* is there anybody who could log in? */
/* A one-time path ("/setup/…") that creates the first administrator; valid until used or the process ends. */
const char *people_setup_path(struct people *p);

struct person { int64_t org, user; int role; const char *name; }; /* user 0: an API key */
/* Who sent this request: session cookie (SameSite; state-changing requests need a matching Origin or none), Bearer key. False: nobody. */
bool people_who(struct people *p, const struct amp_http_head *head, int64_t now_ms, struct person *out);

#endif
