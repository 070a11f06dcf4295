/* central/rest/passwords.c - who may come in: passwords are Argon2id, checked and made on libuv's
 * pool, so that the loop never waits for one; tries are limited; accounts are created and changed.
 */
#include "central/rest/people_inside.h"
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define JOBS_MAX 32 /* waiting for the pool; more is an attack or a mistake */
/* Argon2id with 19 MiB and two passes: 12 ms here, and as the usual advice has it. */
#define HASH_OPS    2
#define HASH_MEMORY (19u * 1024 * 1024)

/* tries: of one login from one address, of one address, of one login from anywhere */
enum { TRY_PAIR = 5, TRY_ADDRESS = 30, TRY_LOGIN = 50 };
#define PAIR_MS  60000
#define OTHER_MS 300000

/* One password on its way through the pool. */
struct password_job {
    uv_work_t work;
    struct people *p; /* NULL: the server went down meanwhile */
    struct password_job *prev, *next;
    char hash[PEOPLE_HASH_MAX]; /* to verify against, or the result */
    char *password;
    size_t password_len;
    bool verify;
    int rc;
    void (*after)(struct password_job *j);
    struct fact *user; /* what shall be stored; NULL when logging in */
    int64_t user_key;
    uint64_t pair, address, login; /* keys of the limits */
    people_login_fn *login_done;
    people_put_fn *put_done;
    void *ctx;
};

int people_hash(struct amp_text password, char out[PEOPLE_HASH_MAX])
{
    if (sodium_init() < 0)
        return AMP_E_FULL;
    return crypto_pwhash_str_alg(out, password.at, password.len, HASH_OPS, HASH_MEMORY,
                                 crypto_pwhash_ALG_ARGON2ID13)
               ? AMP_E_FULL
               : 0;
}

/* Nobody's password. Verifying against it costs what a real one costs, so that a clock does not
 * tell which logins exist. */
static const char nobody[PEOPLE_HASH_MAX] = "$argon2id$v=19$m=19456,t=2,p=1$YW1wZXJzdGFuZC1ub2JvZA$"
                                            "qdKDzL0wUm8v1Hu3MEW0Zq9XrVt1oSm0bTn9H2hYk4E";

/* ---- the pool ---- */

static void on_work(uv_work_t *w)
{
    struct password_job *j = w->data;

    if (j->verify)
        j->rc = crypto_pwhash_str_verify(j->hash, j->password, j->password_len) ? AMP_E_AUTH : 0;
    else
        j->rc = people_hash((struct amp_text){ j->password, (uint32_t)j->password_len }, j->hash);
}

static void on_worked(uv_work_t *w, int status)
{
    struct password_job *j = w->data;

    if (status < 0)
        j->rc = AMP_E_STATE; /* cancelled */
    if (j->p) {
        *(j->prev ? &j->prev->next : &j->p->jobs) = j->next;
        if (j->next)
            j->next->prev = j->prev;
        j->p->job_count--;
    }
    j->after(j);
    sodium_memzero(j->password, j->password_len);
    free(j->password);
    free(j->user);
    free(j);
}

static struct password_job *job_new(struct people *p, struct amp_text password,
                                    void (*after)(struct password_job *), void *ctx)
{
    struct password_job *j = calloc(1, sizeof *j);

    if (!j)
        abort();
    j->password = malloc(password.len + 1u);
    if (!j->password)
        abort();
    if (password.len)
        memcpy(j->password, password.at, password.len);
    j->password_len = password.len;
    j->p = p;
    j->after = after;
    j->ctx = ctx;
    j->work.data = j;
    return j;
}

static void job_start(struct password_job *j)
{
    struct people *p = j->p;

    j->next = p->jobs;
    if (j->next)
        j->next->prev = j;
    p->jobs = j;
    p->job_count++;
    if (uv_queue_work(p->c->loop, &j->work, on_work, on_worked) < 0)
        abort(); /* fails for a missing function only */
}

void passwords_abandon(struct people *p)
{
    for (struct password_job *j = p->jobs; j; j = j->next) {
        j->p = NULL;
        uv_cancel((uv_req_t *)&j->work);
    }
}

/* ---- logging in ---- */

static void fail_login(people_login_fn *done, void *ctx, int rc, int64_t wait_ms)
{
    done(ctx, &(struct people_login){ .rc = rc, .retry_s = (int32_t)((wait_ms + 999) / 1000) });
}

static void grant(struct people *p, const struct user_fact *u, people_login_fn *done, void *ctx)
{
    int64_t now = p->c->now_ms();
    struct people_login result = { .who = { u->org, u->key, u->role, NULL } };
    char digest[65], name[65];

    people_prune(p, now);
    people_token(result.token);
    people_digest(amp_text_of(result.token), digest);
    amp_text_copy(name, sizeof name, u->login);
    result.who.name = name;
    people_emit(p, &(struct fact){ .kind = FACT_LOGIN,
                                   .u.login = { amp_text_of(digest), u->key, now,
                                                now + (int64_t)PEOPLE_SESSION_S * 1000 } });
    done(ctx, &result);
    sodium_memzero(&result, sizeof result);
}

static void after_login(struct password_job *j)
{
    const struct user_fact *u = j->p ? people_user(j->p, j->user_key) : NULL;

    if (!j->p || j->rc == AMP_E_STATE) {
        fail_login(j->login_done, j->ctx, AMP_E_STATE, 0);
    } else if (j->rc < 0 || !u || u->blocked) {
        fail_login(j->login_done, j->ctx, AMP_E_AUTH, 0);
    } else {
        limit_clear(&j->p->limits, j->pair);
        limit_give(&j->p->limits, j->address);
        limit_give(&j->p->limits, j->login);
        grant(j->p, u, j->login_done, j->ctx);
    }
}

/* Address without its port; the login folded, so that spelling does not widen the limit. */
static void limit_keys(struct password_job *j, struct amp_text login, const char *address)
{
    struct amp_text host = amp_text_of(address);

    j->address = amp_text_hash(host) | 1;
    j->login = amp_text_hashi(login) & ~UINT64_C(1);
    j->pair = (j->address * UINT64_C(0x9E3779B97F4A7C15)) ^ j->login;
}

void people_log_in(struct people *p, struct amp_text login, struct amp_text password,
                   const char *address, people_login_fn *done, void *ctx)
{
    const struct user_fact *u = people_named(p, login);
    struct password_job *j = job_new(p, password, after_login, ctx);
    int64_t now = p->c->now_ms(), wait = p->job_count >= JOBS_MAX ? 1000 : 0;

    assert(crypto_pwhash_str_needs_rehash(nobody, HASH_OPS, HASH_MEMORY) ==
           0); /* or it would fail at once */
    j->login_done = done;
    j->verify = true;
    j->user_key = u ? u->key : 0;
    amp_text_copy(j->hash, sizeof j->hash, u ? u->password : amp_text_of(nobody));
    limit_keys(j, login, address);
    if (!wait)
        wait = limit_take(&p->limits, j->pair, TRY_PAIR, PAIR_MS, now);
    if (!wait)
        wait = limit_take(&p->limits, j->address, TRY_ADDRESS, OTHER_MS, now);
    if (!wait)
        wait = limit_take(&p->limits, j->login, TRY_LOGIN, OTHER_MS, now);
    if (wait) {
        sodium_memzero(j->password, j->password_len);
        free(j->password);
        free(j);
        fail_login(done, ctx, AMP_E_BUSY, wait);
        return;
    }
    job_start(j);
}

/* ---- accounts ---- */

static struct fact *user_copy(const struct user_fact *u)
{
    return fact_copy(&(struct fact){ .kind = FACT_USER, .u.user = *u });
}

/* Takes over j->user with the new hash. */
static void store_user(struct password_job *j)
{
    struct user_fact *u = &j->user->u.user;

    if (j->hash[0])
        u->password = amp_text_of(j->hash);
    if (!u->key)
        u->key = j->p->c->cluster ? people_spare_key(j->p) : j->p->next_user;
    people_emit(j->p, j->user);
    j->user_key = u->key;
}

static void after_setup(struct password_job *j)
{
    if (!j->p || j->rc < 0 || people_any_user(j->p)) { /* two at once: the first wins */
        fail_login(j->login_done, j->ctx, AMP_E_STATE, 0);
        return;
    }
    store_user(j);
    j->p->setup[0] = '\0';
    grant(j->p, people_user(j->p, j->user_key), j->login_done, j->ctx);
}

void people_set_up(struct people *p, struct amp_text token, struct amp_text login,
                   struct amp_text password, struct amp_text name, people_login_fn *done, void *ctx)
{
    struct user_fact u = { .org = ORG_DEFAULT,
                           .login = login,
                           .name = name,
                           .role = ROLE_ADMIN,
                           .created_ms = p->c->now_ms() };
    struct password_job *j;

    if (!people_setup_valid(p, token) || p->job_count >= JOBS_MAX) {
        fail_login(done, ctx, AMP_E_STATE, 0);
        return;
    }
    j = job_new(p, password, after_setup, ctx);
    j->login_done = done;
    j->user = user_copy(&u);
    job_start(j);
}

/* Would `u` take the last unblocked administrator away? */
static bool last_admin_lost(const struct people *p, const struct user_fact *u)
{
    const struct user_fact *old = people_user(p, u->key);

    if (!old || old->role != ROLE_ADMIN || old->blocked || (u->role == ROLE_ADMIN && !u->blocked))
        return false;
    for (size_t i = 0; i < p->count; i++) {
        const struct user_fact *o = people_at(p, i);

        if (o->key != u->key && o->org == u->org && o->role == ROLE_ADMIN && !o->blocked)
            return false;
    }
    return true;
}

static void after_put(struct password_job *j)
{
    struct user_fact *u = &j->user->u.user;
    const struct user_fact *old;

    if (!j->p || j->rc < 0) {
        j->put_done(j->ctx, AMP_E_STATE, 0);
        return;
    }
    if (!u->key && people_login_taken(j->p, u->login)) {
        j->put_done(j->ctx, AMP_E_VALUE, 0); /* somebody was quicker */
        return;
    }
    if (last_admin_lost(j->p, u)) {
        j->put_done(j->ctx, AMP_E_RANGE, 0);
        return;
    }
    old = people_user(j->p, u->key);
    if (old && (u->blocked || u->role != old->role || j->hash[0]))
        people_end_logins(j->p, u->key);
    store_user(j);
    j->put_done(j->ctx, 0, j->user_key);
}

void people_put(struct people *p, const struct user_fact *f, struct amp_text password,
                people_put_fn *done, void *ctx)
{
    struct password_job *j = job_new(p, password, after_put, ctx);

    j->put_done = done;
    j->user = user_copy(f);
    if (password.at) {
        job_start(j);
        return;
    }
    after_put(j);
    free(j->password);
    free(j->user);
    free(j);
}
