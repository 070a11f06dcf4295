/* central/rest/users.c - accounts of an organisation. */
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages/api.h"

void rest_list_users(struct rest_call *call)
{
    const struct people *p = call->c->people;
    struct amp_json *w = rest_list(call, live_seq(call->c->live));

    for (size_t i = 0; i < people_count(p); i++)
        if (people_at(p, i)->org == call->who.org)
            shape_user(w, people_at(p, i));
    rest_list_end(call, 0);
}

/* Durable: call->key is the account. */
static void changed(struct rest_call *call)
{
    struct amp_json *w;

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    w = rest_begin(call);
    shape_user(w, people_user(call->c->people, call->key));
    rest_send(call, call->route->status);
}

static void taken(struct rest_call *call)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 409,
                                         .kind = "exists",
                                         .title = "This login is taken",
                                         .field = "login",
                                         .cure = "Choose another one." },
                 "There is an account with this login.");
}

/* call->state: how the account was, as JSON; NULL: there was none. A new password shows as a word.
 */
static void audit(struct rest_call *call)
{
    char id[24];

    if (call->state)
        rest_was_text(call, amp_text_of(call->state));
    shape_user(rest_is(call), people_user(call->c->people, call->key));
    snprintf(id, sizeof id, "%lld", (long long)call->key);
    rest_audit(call, &(struct rest_change){ .action = call->state ? "change" : "create",
                                            .kind = "user",
                                            .thing = amp_text_of(id),
                                            .reason = call->seq ? AMP_TEXT("with a new password")
                                                                : AMP_NO_TEXT });
}

static void on_put(void *ctx, int rc, int64_t user)
{
    struct rest_call *call = ctx;

    if (rc == AMP_E_VALUE) {
        taken(call);
    } else if (rc == AMP_E_RANGE) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "last-admin",
                                             .title = "This is the last administrator",
                                             .cure = "Give somebody else the role first." },
                     "Nobody would be left who can manage accounts.");
    } else if (rc < 0 || !call->rest) {
        rest_fault(call, AMP_E_INTERNAL, NULL, "");
    } else {
        call->key = user;
        audit(call);
        rest_after(call, changed);
    }
}

static int role_of(int value)
{
    return value == API_ROLE_ADMIN      ? ROLE_ADMIN
           : value == API_ROLE_OPERATOR ? ROLE_OPERATOR
                                        : ROLE_USER;
}

void rest_create_user(struct rest_call *call)
{
    struct api_create_user q;
    struct user_fact u;
    int64_t key;

    if (!rest_body(call, &q) || !rest_sound_login(call, q.login) ||
        !rest_sound_password(call, q.password))
        return;
    if (people_login_taken(call->c->people, q.login)) {
        taken(call);
        return;
    }
    key = call->c->cluster ? people_spare_key(call->c->people) : 0;
    if (!rest_claim(call, FACT_USER, q.login, key, &key))
        return;
    u = (struct user_fact){ .key = key,
                            .org = call->who.org,
                            .login = q.login,
                            .name = q.name,
                            .role = role_of((int)q.role),
                            .created_ms = rest_now(call) };
    people_put(call->c->people, &u, q.password, on_put, call);
}

void rest_update_user(struct rest_call *call)
{
    const struct user_fact *old;
    struct api_update_user q;
    struct user_fact u;
    int64_t key;

    if (!rest_key(call, &key))
        return;
    old = people_user(call->c->people, key);
    if (!old || old->org != call->who.org) {
        rest_absent(call, "user", rest_param(call, 0));
        return;
    }
    if (!rest_body(call, &q) || (q.password.at && !rest_sound_password(call, q.password)))
        return;
    shape_user(rest_was(call), old);
    call->state = strndup(call->rest->was.at, call->rest->was.len);
    if (!call->state)
        abort();
    call->seq = q.password.at != NULL;
    u = *old;
    if (q.name.at)
        u.name = q.name;
    if (q.role)
        u.role = role_of((int)q.role);
    if (q.has & API_HAS_UPDATE_USER_BLOCKED)
        u.blocked = q.blocked;
    people_put(call->c->people, &u, q.password, on_put, call);
}
