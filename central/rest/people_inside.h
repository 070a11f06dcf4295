/* central/rest/people_inside.h - what people.c (who is known, who asks) and passwords.c (who may
 * come in) share. For these two only. */
#ifndef CENTRAL_PEOPLE_INSIDE_H
#define CENTRAL_PEOPLE_INSIDE_H

#include "central/limit.h"
#include "central/rest/people.h"

#define LOGIN_BUCKETS 1024

struct login {
    struct login *next;
    char token[65]; /* digest */
    int64_t user, created_ms, expires_ms;
};

struct password_job;
struct people {
    struct central *c;
    struct fact **users; /* each a FACT_USER of its own */
    size_t count;
    struct fact **keys;
    size_t key_count;
    struct login *logins[LOGIN_BUCKETS];
    int64_t next_user, next_key;
    char admin[65]; /* digest of the administrator's key, empty: none */
    char setup[sizeof "/setup/" + PEOPLE_TOKEN_MAX];
    struct limit limits;
    struct password_job *jobs;
    unsigned job_count;
    char who_name[65]; /* of the newest answer of people_who: a text that ends in NUL */
};

void people_token(char out[PEOPLE_TOKEN_MAX]); /* random, for a URL or a cookie */
const struct user_fact *people_named(const struct people *p, struct amp_text login);
bool people_any_user(const struct people *p); /* unblocked */
/* From us: known at once, and on its way to the disk. */
void people_emit(struct people *p, const struct fact *f);
void people_prune(struct people *p, int64_t now_ms);    /* forget logins that ran out */
void people_end_logins(struct people *p, int64_t user); /* and close what is open under them */
void passwords_abandon(struct people *p); /* whoever waits is told when the pool is done */

#endif
