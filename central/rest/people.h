/* central/rest/people.h - accounts, logins and API keys: who asks, and what they may do. DESIGN.md
 * decision 11. Passwords are Argon2id (libsodium), hashed on the pool; cookies and API keys are
 * random and stored as SHA-256. */
#ifndef CENTRAL_PEOPLE_H
#define CENTRAL_PEOPLE_H

#include "central/central.h"

#define PEOPLE_COOKIE       "amp_session"
#define PEOPLE_TOKEN_MAX    44  /* a cookie's value and its terminator */
#define PEOPLE_HASH_MAX     128 /* libsodium's Argon2id text */
#define PEOPLE_PASSWORD_MIN 10
#define PEOPLE_PASSWORD_MAX 1024
#define PEOPLE_SESSION_S    (7 * 24 * 3600)

struct people *people_new(struct central *c);
void people_free(struct people *p);
void people_apply(
    struct people *p,
    const struct fact *f); /* FACT_USER, FACT_LOGIN, FACT_API_KEY from the store at the start */
void people_set_keys(struct people *p, int64_t user, int64_t api_key);
/* A key for an account that may turn out to be known at another node: used or not, it is gone. */
int64_t people_spare_key(struct people *p);
bool people_any(const struct people *p); /* is there anybody who could log in? */
/* A one-time path ("/setup/…") that creates the first administrator; valid until used or the
 * process ends. */
const char *people_setup_path(struct people *p);

struct person {
    int64_t org, user;
    int role;
    const char *name;
}; /* user 0: an API key; name lives until the next question */
/* Who sent this request: session cookie (SameSite; state-changing requests need a matching Origin
 * or none), Bearer key. False: nobody. */
bool people_who(struct people *p, const struct amp_http_head *head, int64_t now_ms,
                struct person *out);
/* No Origin, or the one that this server is addressed by. */
bool people_same_origin(const struct amp_http_head *head);

/* ---- logging in and out ---- */
struct people_login {
    int rc; /* 0; AMP_E_AUTH; AMP_E_BUSY: too many tries, wait retry_s; AMP_E_STATE: the setup link
               is used up, or shutdown */
    int32_t retry_s;
    struct person who;
    char token[PEOPLE_TOKEN_MAX];
};
/* `done` comes later, on the loop thread, once; also when the server goes down. The texts are
 * copied. The new login is emitted, not yet durable. Takes the same time for unknown logins. */
typedef void people_login_fn(void *ctx, const struct people_login *result);
void people_log_in(struct people *p, struct amp_text login, struct amp_text password,
                   const char *address, people_login_fn *done, void *ctx);
/* The first administrator, by the one-time token of people_setup_path; is logged in at once. */
void people_set_up(struct people *p, struct amp_text token, struct amp_text login,
                   struct amp_text password, struct amp_text name, people_login_fn *done,
                   void *ctx);
bool people_setup_valid(const struct people *p, struct amp_text token);
/* Ends the login whose cookie came with this request. The user's key, or 0: no such login. */
int64_t people_log_out(struct people *p, const struct amp_http_head *head, int64_t now_ms);

/* ---- accounts ---- */
size_t people_count(const struct people *p);
const struct user_fact *people_at(const struct people *p, size_t i);
const struct user_fact *people_user(const struct people *p, int64_t key); /* NULL: none */
bool people_login_taken(const struct people *p, struct amp_text login);
/* Create (key 0) or change; `password` absent keeps the old one. Hashed on the pool, then emitted.
 * user 0 and rc: AMP_E_STATE as above; AMP_E_RANGE: it would leave nobody with ADMIN. */
typedef void people_put_fn(void *ctx, int rc, int64_t user);
void people_put(struct people *p, const struct user_fact *f, struct amp_text password,
                people_put_fn *done, void *ctx);

/* Argon2id text of a password, for the command line. Takes some 15 ms and 19 MiB. 0, AMP_E_FULL. */
int people_hash(struct amp_text password, char out[PEOPLE_HASH_MAX]) AMP_CHECKED;
/* Hex SHA-256, as keys and cookies are stored. */
void people_digest(struct amp_text secret, char out[65]);

#endif
