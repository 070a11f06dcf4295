/* central/rest/people.c - who asks: cookies, API keys and the administrator's key; logging in on
 * the pool. What is stored can't be used to log in: passwords as Argon2id, cookies and keys as
 * SHA-256 of 32 random bytes. */
#include "central/rest/people.h"
#include "central/rest/feed.h"
#include "central/rest/limit.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define LOGIN_BUCKETS 1024
#define JOBS_MAX      32 /* waiting for the pool; more is an attack or a mistake */
/* Argon2id with 19 MiB and two passes: 12 ms here, and as the usual advice has it. */
#define HASH_OPS    2
#define HASH_MEMORY (19u * 1024 * 1024)

/* tries: of one login from one address, of one address, of one login from anywhere */
enum { TRY_PAIR = 5, TRY_ADDRESS = 30, TRY_LOGIN = 50 };
#define PAIR_MS  60000
#define OTHER_MS 300000

struct login {
    struct login *next;
    char token[65]; /* digest */
    int64_t user, created_ms, expires_ms;
};

struct job;
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
    struct job *jobs;
    unsigned job_count;
    char who_name[65]; /* of the newest answer of people_who: a text that ends in NUL */
};

/* One password on its way through the pool. */
struct job {
    uv_work_t work;
    struct people *p; /* NULL: the server went down meanwhile */
    struct job *prev, *next;
    char hash[PEOPLE_HASH_MAX]; /* to verify against, or the result */
    char *password;
    size_t password_len;
    bool verify;
    int rc;
    void (*after)(struct job *j);
    struct fact *user; /* what shall be stored; NULL when logging in */
    int64_t user_key;
    uint64_t pair, address, login; /* keys of the limits */
    people_login_fn *login_done;
    people_put_fn *put_done;
    void *ctx;
};

/* ---- secrets ---- */

void people_digest(struct amp_text secret, char out[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(digest, (const unsigned char *)secret.at, secret.len);
    sodium_bin2hex(out, 65, digest, sizeof digest);
}

static void token_new(char out[PEOPLE_TOKEN_MAX])
{
    unsigned char bytes[32];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(out, PEOPLE_TOKEN_MAX, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

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
static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$YW1wZXJzdGFuZC1ub2JvZA$"
                             "qdKDzL0wUm8v1Hu3MEW0Zq9XrVt1oSm0bTn9H2hYk4E";

/* ---- what is known ---- */

static struct fact **find_user(const struct people *p, int64_t key)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->users[i]->u.user.key == key)
            return &p->users[i];
    return NULL;
}

static const struct user_fact *user_named(const struct people *p, struct amp_text login)
{
    for (size_t i = 0; i < p->count; i++)
        if (amp_text_eqi(p->users[i]->u.user.login, login))
            return &p->users[i]->u.user;
    return NULL;
}

const struct user_fact *people_user(const struct people *p, int64_t key)
{
    struct fact **f = find_user(p, key);

    return f ? &(*f)->u.user : NULL;
}

size_t people_count(const struct people *p)
{
    return p->count;
}

const struct user_fact *people_at(const struct people *p, size_t i)
{
    return &p->users[i]->u.user;
}

bool people_login_taken(const struct people *p, struct amp_text login)
{
    return user_named(p, login) != NULL;
}

static struct login **find_login(const struct people *p, const char *token)
{
    uint64_t h = amp_text_hash(amp_text_of(token));
    struct login **at = (struct login **)(uintptr_t)&p->logins[h % LOGIN_BUCKETS];

    while (*at && strcmp((*at)->token, token) != 0)
        at = &(*at)->next;
    return at;
}

static void append(struct fact ***list, size_t *count, struct fact *f)
{
    struct fact **grown = realloc(*list, (*count + 1) * sizeof *grown);

    if (!grown)
        abort();
    grown[(*count)++] = f;
    *list = grown;
}

static void apply_login(struct people *p, const struct login_fact *f)
{
    char token[65];
    struct login **at, *l;

    amp_text_copy(token, sizeof token, f->token);
    at = find_login(p, token);
    l = *at;
    if (!f->expires_ms) {
        if (l) {
            *at = l->next;
            free(l);
        }
        return;
    }
    if (!l) {
        l = *at = calloc(1, sizeof *l);
        if (!l)
            abort();
        memcpy(l->token, token, sizeof token);
    }
    l->user = f->user;
    l->created_ms = f->created_ms;
    l->expires_ms = f->expires_ms;
}

static void apply_key(struct people *p, const struct fact *f)
{
    for (size_t i = 0; i < p->key_count; i++)
        if (p->keys[i]->u.api_key.key == f->u.api_key.key) {
            free(p->keys[i]);
            p->keys[i] = fact_copy(f);
            return;
        }
    append(&p->keys, &p->key_count, fact_copy(f));
    if (f->u.api_key.key >= p->next_key)
        p->next_key = f->u.api_key.key + 1;
}

void people_apply(struct people *p, const struct fact *f)
{
    struct fact **old;

    switch (f->kind) {
    case FACT_USER:
        old = find_user(p, f->u.user.key);
        if (old) {
            struct fact *copy = fact_copy(f); /* first: f may be made of the old one's texts */

            free(*old);
            *old = copy;
        } else {
            append(&p->users, &p->count, fact_copy(f));
        }
        if (f->u.user.key >= p->next_user)
            p->next_user = f->u.user.key + 1;
        break;
    case FACT_LOGIN:
        apply_login(p, &f->u.login);
        break;
    case FACT_API_KEY:
        apply_key(p, f);
        break;
    default: /* not ours */
        break;
    }
}

void people_set_keys(struct people *p, int64_t user, int64_t api_key)
{
    if (user > p->next_user)
        p->next_user = user;
    if (api_key > p->next_key)
        p->next_key = api_key;
}

/* From us: known at once, and on its way to the disk. */
static void emit(struct people *p, const struct fact *f)
{
    people_apply(p, f);
    central_emit(p->c, f);
}

static bool any_user(const struct people *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->users[i]->u.user.blocked)
            return true;
    return false;
}

bool people_any(const struct people *p)
{
    if (p->admin[0] || any_user(p))
        return true;
    for (size_t i = 0; i < p->key_count; i++)
        if (!p->keys[i]->u.api_key.revoked_ms)
            return true;
    return false;
}

const char *people_setup_path(struct people *p)
{
    if (!p->setup[0]) {
        char token[PEOPLE_TOKEN_MAX];

        token_new(token);
        snprintf(p->setup, sizeof p->setup, "/setup/%s", token);
    }
    return p->setup;
}

bool people_setup_valid(const struct people *p, struct amp_text token)
{
    const char *want = p->setup + sizeof "/setup/" - 1;

    return p->setup[0] && !any_user(p) && token.len == strlen(want) &&
           sodium_memcmp(token.at, want, token.len) == 0;
}

/* ---- who asks ---- */

bool people_same_origin(const struct amp_http_head *head)
{
    struct amp_text origin = amp_http_get(head, "Origin"), host = amp_http_get(head, "Host");
    const char *sep;

    if (!origin.at)
        return true;
    sep = origin.len > 3 ? memchr(origin.at, ':', origin.len) : NULL;
    if (!sep || (size_t)(origin.at + origin.len - sep) < 3 || memcmp(sep, "://", 3) != 0)
        return false; /* "null" too: a sandboxed frame is not our page */
    sep += 3;
    return host.at &&
           amp_text_eqi((struct amp_text){ sep, (uint32_t)(origin.at + origin.len - sep) }, host);
}

static bool cookie_of(const struct amp_http_head *head, char digest[65])
{
    static const char name[] = PEOPLE_COOKIE "=";
    struct amp_text all = amp_http_get(head, "Cookie");

    while (all.len) {
        const char *end = memchr(all.at, ';', all.len);
        uint32_t n = end ? (uint32_t)(end - all.at) : all.len;
        struct amp_text one = amp_text_trim((struct amp_text){ all.at, n });

        if (one.len > sizeof name - 1 && memcmp(one.at, name, sizeof name - 1) == 0) {
            people_digest((struct amp_text){ one.at + sizeof name - 1,
                                             one.len - (uint32_t)(sizeof name - 1) },
                          digest);
            return true;
        }
        all.at += n + (end ? 1 : 0);
        all.len -= n + (end ? 1 : 0);
    }
    return false;
}

static bool who_by_key(const struct people *p, struct amp_text key, struct person *out)
{
    char digest[65];

    people_digest(key, digest);
    if (p->admin[0] && sodium_memcmp(digest, p->admin, 64) == 0) {
        *out = (struct person){ ORG_DEFAULT, 0, ROLE_ADMIN, "administrator's key" };
        return true;
    }
    for (size_t i = 0; i < p->key_count; i++) {
        const struct api_key_fact *k = &p->keys[i]->u.api_key;

        if (!k->revoked_ms && k->hash.len == 64 && sodium_memcmp(digest, k->hash.at, 64) == 0) {
            *out = (struct person){ k->org, 0, k->role, "API key" };
            return true;
        }
    }
    return false;
}

static bool who_by_cookie(struct people *p, const char *digest, int64_t now_ms, struct person *out)
{
    const struct login *l = *find_login(p, digest);
    const struct user_fact *u = l && l->expires_ms > now_ms ? people_user(p, l->user) : NULL;

    if (!u || u->blocked)
        return false;
    amp_text_copy(p->who_name, sizeof p->who_name, u->login);
    *out = (struct person){ u->org, u->key, u->role, p->who_name };
    return true;
}

bool people_who(struct people *p, const struct amp_http_head *head, int64_t now_ms,
                struct person *out)
{
    struct amp_text auth = amp_http_get(head, "Authorization");
    char digest[65];
    bool reads = amp_text_is(head->method, "GET") || amp_text_is(head->method, "HEAD");

    if (auth.len > 7 && amp_text_eqi((struct amp_text){ auth.at, 7 }, AMP_TEXT("Bearer ")))
        return who_by_key(p, amp_text_trim((struct amp_text){ auth.at + 7, auth.len - 7 }), out);
    if (!cookie_of(head, digest) || (!reads && !people_same_origin(head)))
        return false;
    return who_by_cookie(p, digest, now_ms, out);
}

int64_t people_log_out(struct people *p, const struct amp_http_head *head, int64_t now_ms)
{
    char digest[65];
    struct login *l = cookie_of(head, digest) ? *find_login(p, digest) : NULL;
    int64_t user;

    (void)now_ms;
    if (!l)
        return 0;
    user = l->user;
    emit(p, &(struct fact){
                .kind = FACT_LOGIN, .u.login = {amp_text_of(digest), user, l->created_ms, 0}
    });
    return user;
}

/* ---- the pool ---- */

static void on_work(uv_work_t *w)
{
    struct job *j = w->data;

    if (j->verify)
        j->rc = crypto_pwhash_str_verify(j->hash, j->password, j->password_len) ? AMP_E_AUTH : 0;
    else
        j->rc = people_hash((struct amp_text){ j->password, (uint32_t)j->password_len }, j->hash);
}

static void on_worked(uv_work_t *w, int status)
{
    struct job *j = w->data;

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

static struct job *job_new(struct people *p, struct amp_text password, void (*after)(struct job *),
                           void *ctx)
{
    struct job *j = calloc(1, sizeof *j);

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

static void job_start(struct job *j)
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

/* ---- logging in ---- */

static void fail_login(people_login_fn *done, void *ctx, int rc, int64_t wait_ms)
{
    done(ctx, &(struct people_login){ .rc = rc, .retry_s = (int32_t)((wait_ms + 999) / 1000) });
}

/* Forget logins that ran out; done at each new one, so the table does not grow for ever. */
static void prune(struct people *p, int64_t now_ms)
{
    for (size_t i = 0; i < LOGIN_BUCKETS; i++)
        for (struct login **at = &p->logins[i]; *at;) {
            struct login *l = *at;

            if (l->expires_ms > now_ms) {
                at = &l->next;
            } else {
                *at = l->next;
                free(l);
            }
        }
}

static void grant(struct people *p, const struct user_fact *u, people_login_fn *done, void *ctx)
{
    int64_t now = p->c->now_ms();
    struct people_login result = {
        .who = {u->org, u->key, u->role, NULL}
    };
    char digest[65], name[65];

    prune(p, now);
    token_new(result.token);
    people_digest(amp_text_of(result.token), digest);
    amp_text_copy(name, sizeof name, u->login);
    result.who.name = name;
    emit(p, &(struct fact){
                .kind = FACT_LOGIN,
                .u.login = {amp_text_of(digest), u->key, now,
                            now + (int64_t)PEOPLE_SESSION_S * 1000}
    });
    done(ctx, &result);
    sodium_memzero(&result, sizeof result);
}

static void after_login(struct job *j)
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
static void limit_keys(struct job *j, struct amp_text login, const char *address)
{
    const char *colon = strrchr(address, ':');
    struct amp_text host = { address,
                             (uint32_t)(colon ? (size_t)(colon - address) : strlen(address)) };

    j->address = amp_text_hash(host) | 1;
    j->login = amp_text_hashi(login) & ~UINT64_C(1);
    j->pair = (j->address * UINT64_C(0x9E3779B97F4A7C15)) ^ j->login;
}

void people_log_in(struct people *p, struct amp_text login, struct amp_text password,
                   const char *address, people_login_fn *done, void *ctx)
{
    const struct user_fact *u = user_named(p, login);
    struct job *j = job_new(p, password, after_login, ctx);
    int64_t now = p->c->now_ms(), wait = p->job_count >= JOBS_MAX ? 1000 : 0;

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
static void store_user(struct job *j)
{
    struct user_fact *u = &j->user->u.user;

    if (j->hash[0])
        u->password = amp_text_of(j->hash);
    if (!u->key)
        u->key = j->p->next_user;
    emit(j->p, j->user);
    j->user_key = u->key;
}

static void after_setup(struct job *j)
{
    if (!j->p || j->rc < 0 || any_user(j->p)) { /* two at once: the first wins */
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
    struct job *j;

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

/* Everything that the account could do with its logins ends when it is blocked, loses its role or
 * gets a new password. */
static void end_logins(struct people *p, int64_t user)
{
    for (size_t i = 0; i < LOGIN_BUCKETS; i++)
        for (struct login *l = p->logins[i], *next; l; l = next) {
            next = l->next;
            if (l->user == user) {
                char token[65];

                memcpy(token, l->token, sizeof token); /* emit frees l */
                emit(p, &(struct fact){
                            .kind = FACT_LOGIN,
                            .u.login = {amp_text_of(token), user, l->created_ms, 0}
                });
            }
        }
    if (p->c->live)
        live_drop_user(p->c->live, user);
}

static void after_put(struct job *j)
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
        end_logins(j->p, u->key);
    store_user(j);
    j->put_done(j->ctx, 0, j->user_key);
}

void people_put(struct people *p, const struct user_fact *f, struct amp_text password,
                people_put_fn *done, void *ctx)
{
    struct job *j = job_new(p, password, after_put, ctx);

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

/* ---- life ---- */

struct people *people_new(struct central *c)
{
    struct people *p = calloc(1, sizeof *p);

    if (!p || sodium_init() < 0)
        abort();
    p->c = c;
    p->next_user = p->next_key = 1;
    if (c->settings.admin_key && c->settings.admin_key[0])
        people_digest(amp_text_of(c->settings.admin_key), p->admin);
    return p;
}

void people_free(struct people *p)
{
    if (!p)
        return;
    for (struct job *j = p->jobs; j; j = j->next) {
        j->p = NULL;
        uv_cancel((uv_req_t *)&j->work);
    }
    for (size_t i = 0; i < p->count; i++)
        free(p->users[i]);
    for (size_t i = 0; i < p->key_count; i++)
        free(p->keys[i]);
    for (size_t i = 0; i < LOGIN_BUCKETS; i++)
        for (struct login *l = p->logins[i], *next; l; l = next) {
            next = l->next;
            free(l);
        }
    free(p->users);
    free(p->keys);
    sodium_memzero(p->setup, sizeof p->setup);
    free(p);
}
