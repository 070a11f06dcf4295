/* central/v16/password.c - a new password on its way to a station. The command in the database and
 * the line in the log say "" in its place; the frame alone has it. central-edge-cases 39;
 * ocpp-facts S4, S5. */
#include "central/domain/access.h"
#include "central/pki/secret.h"
#include "central/v16/inside.h"
#include "central/v16/slice.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

struct secret {
    struct secret *next;
    int64_t charger;
    char text[SECRET_HEX + 1];
};

static struct secret **find(struct v16 *v, int64_t charger)
{
    struct secret **at = &v->secrets;

    while (*at && (*at)->charger != charger)
        at = &(*at)->next;
    return at;
}

static void forget(struct secret **at)
{
    struct secret *s = *at;

    if (!s)
        return;
    *at = s->next;
    OPENSSL_cleanse(s, sizeof *s);
    free(s);
}

void v16_password(struct v16 *v, struct charger *c, struct amp_text secret)
{
    struct secret *s = calloc(1, sizeof *s);

    if (!s)
        abort();
    forget(find(v, charger_fact(c)->key));
    s->charger = charger_fact(c)->key;
    amp_text_copy(s->text, sizeof s->text, secret);
    s->next = v->secrets;
    v->secrets = s;
}

void v16_passwords_free(struct v16 *v)
{
    while (v->secrets)
        forget(&v->secrets);
}

static struct amp_text unquoted(struct amp_text t)
{
    return t.len >= 2 && *t.at == '"' ? (struct amp_text){ t.at + 1, t.len - 2 } : t;
}

/* The value of a key's object that holds `at`, overwritten. Configuration objects are flat. */
static void mask(char *text, size_t len, char *at)
{
    char *open = at, *end = text + len, *value, *close;

    while (open > text && *open != '{')
        open--;
    close = memchr(at, '}', (size_t)(end - at));
    value = close ? memmem(open, (size_t)(close - open), "\"value\"", 7) : NULL;
    value = value ? memchr(value + 7, '"', (size_t)(close - value - 7)) : NULL;
    while (value && ++value < close && *value != '"')
        *value = '*';
}

/* S5: a station that tells its key tells it to nobody's database. The answer as it came, or a copy
 * in the arena. */
struct amp_text v16_without_password(struct v16 *v, struct amp_text data)
{
    static const char key[] = "uthorizationKey"; /* some write it with a small a */
    struct amp_text t = amp_text_trim(data);
    char *copy, *at;

    if (t.len < 2 || t.at[1] != '3' || !memmem(t.at, t.len, key, sizeof key - 1))
        return data;
    copy = amp_arena_alloc(&v->c->arena, data.len);
    if (!copy)
        return AMP_NO_TEXT;
    memcpy(copy, data.at, data.len);
    for (at = copy; (at = memmem(at, (size_t)(copy + data.len - at), key, sizeof key - 1)) != NULL;
         at++)
        mask(copy, data.len, at);
    return (struct amp_text){ copy, data.len };
}

bool v16_is_password(struct amp_text action, struct amp_text payload)
{
    return amp_text_is(action, "ChangeConfiguration") &&
           amp_text_eqi(amp_text_trim(unquoted(v16_slice_member(payload, "key"))),
                        AMP_TEXT("AuthorizationKey"));
}

bool v16_password_hidden(struct amp_text payload)
{
    return amp_text_is(v16_slice_member(payload, "value"), "\"\"");
}

struct amp_text v16_password_payload(struct session *s, char out[V16_PASSWORD_MAX])
{
    const struct secret *k = *find(s->v, charger_fact(s->charger)->key);

    if (!k)
        return AMP_NO_TEXT;
    snprintf(out, V16_PASSWORD_MAX, "{\"key\":\"AuthorizationKey\",\"value\":\"%s\"}", k->text);
    return amp_text_of(out);
}

/* Taken: the old one is good until the new one was used, so that a lost answer or a restart in the
 * wrong moment locks nobody out. Refused: the new one never was. No answer: nobody knows, so both.
 */
void v16_password_answered(struct session *s, bool answered, bool accepted)
{
    struct world *w = s->v->c->world;
    struct access_fact f = *charger_access(s->charger);

    forget(find(s->v, charger_fact(s->charger)->key));
    if (!answered || accepted || !f.next.len)
        return;
    f.next = AMP_NO_TEXT;
    world_put_access(w, s->charger, &f);
}
