/* central/rest/people.c - who is known and who asks: accounts, cookies, API keys, the
 * administrator's key. What is stored can't be used to log in: cookies and keys are SHA-256 of 32
 * random bytes. */
#include "central/rest/feed.h"
#include "central/rest/people_inside.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- secrets ---- */

void people_digest(struct amp_text secret, char out[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(digest, (const unsigned char *)secret.at, secret.len);
    sodium_bin2hex(out, 65, digest, sizeof digest);
}

void people_token(char out[PEOPLE_TOKEN_MAX])
{
    unsigned char bytes[32];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(out, PEOPLE_TOKEN_MAX, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* ---- what is known ---- */

static struct fact **find_user(const struct people *p, int64_t key)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->users[i]->u.user.key == key)
            return &p->users[i];
    return NULL;
}

const struct user_fact *people_named(const struct people *p, struct amp_text login)
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
    return people_named(p, login) != NULL;
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
    if (!p->c->cluster && f->u.api_key.key >= p->next_key)
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
        if (!p->c->cluster && f->u.user.key >= p->next_user)
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

int64_t people_spare_key(struct people *p)
{
    return p->next_user++;
}

/* From us: known at once, and on its way to the disk. */
void people_emit(struct people *p, const struct fact *f)
{
    people_apply(p, f);
    central_emit(p->c, f);
}

bool people_any_user(const struct people *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->users[i]->u.user.blocked)
            return true;
    return false;
}

bool people_any(const struct people *p)
{
    if (p->admin[0] || people_any_user(p))
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

        people_token(token);
        snprintf(p->setup, sizeof p->setup, "/setup/%s", token);
    }
    return p->setup;
}

bool people_setup_valid(const struct people *p, struct amp_text token)
{
    const char *want = p->setup + sizeof "/setup/" - 1;

    return p->setup[0] && !people_any_user(p) && token.len == strlen(want) &&
           sodium_memcmp(token.at, want, token.len) == 0;
}

/* Forget logins that ran out; done at each new one, so the table does not grow for ever. */
void people_prune(struct people *p, int64_t now_ms)
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

/* Everything that the account could do with its logins ends when it is blocked, loses its role or
 * gets a new password. */
void people_end_logins(struct people *p, int64_t user)
{
    for (size_t i = 0; i < LOGIN_BUCKETS; i++)
        for (struct login *l = p->logins[i], *next; l; l = next) {
            next = l->next;
            if (l->user == user) {
                char token[65];

                memcpy(token, l->token, sizeof token); /* emit frees l */
                people_emit(p, &(struct fact){
                                   .kind = FACT_LOGIN,
                                   .u.login = { amp_text_of(token), user, l->created_ms, 0 } });
            }
        }
    if (p->c->live)
        live_drop_user(p->c->live, user);
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

static bool who_by_key(struct people *p, struct amp_text key, struct person *out)
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
            snprintf(p->who_name, sizeof p->who_name, "API key %.*s", AMP_FMT(k->name));
            *out = (struct person){ k->org, 0, k->role, p->who_name };
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
    people_emit(p, &(struct fact){ .kind = FACT_LOGIN,
                                   .u.login = { amp_text_of(digest), user, l->created_ms, 0 } });
    return user;
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
    passwords_abandon(p);
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
