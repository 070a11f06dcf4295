/* central/rest/sessions.c - logging in and out, and the one-time set-up of the first administrator.
 */
#include "central/rest/audit.h"
#include "central/rest/feed.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include <stdio.h>
#include <stdlib.h>

#include "messages/api.h"

/* What a login brought, until it is durable. */
struct granted {
    char token[PEOPLE_TOKEN_MAX];
    struct person who;
    char login[65];
};

static void put_cookie(struct rest_call *call, const char *token, int seconds, char out[256])
{
    snprintf(out, 256,
             "Set-Cookie: " PEOPLE_COOKIE
             "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s\r\n",
             token, seconds, call->secure ? "; Secure" : "");
}

static void put_person(struct rest_call *call, const struct person *who, const char *login)
{
    struct amp_json *w = rest_begin(call);

    amp_json_open(w, '{');
    amp_json_key(w, "login");
    amp_json_str(w, login);
    amp_json_key(w, "role");
    amp_json_str(w, role_name(who->role));
    if (who->user)
        shape_int(w, "user", who->user);
    shape_int(w, "org", who->org);
    amp_json_close(w, '}');
}

void rest_get_me(struct rest_call *call)
{
    put_person(call, &call->who, call->who.name);
    rest_send(call, 200);
}

/* Durable: the cookie may be handed out. */
static void logged_in(struct rest_call *call)
{
    struct granted *g = call->state;
    char cookie[256];

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    put_cookie(call, g->token, PEOPLE_SESSION_S, cookie);
    put_person(call, &g->who, g->login);
    rest_reply(call, call->route->status, "application/json", cookie, call->rest->out.at,
               call->rest->out.len);
}

static void audit_first(struct rest_call *call, int64_t user)
{
    const struct user_fact *u = people_user(call->c->people, user);
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)user);
    shape_user(rest_is(call), u);
    call->who = (struct person){ .org = u->org, .user = user, .name = call->who_name };
    amp_text_copy(call->who_name, sizeof call->who_name, u->login);
    rest_audit(call, &(struct rest_change){ .action = "create",
                                            .kind = "user",
                                            .thing = amp_text_of(id),
                                            .reason = AMP_TEXT("by the one-time link") });
}

static void on_login(void *ctx, const struct people_login *result)
{
    struct rest_call *call = ctx;
    struct granted *g;
    char retry[48];

    switch (result->rc) {
    case 0:
        break;
    case AMP_E_BUSY:
        snprintf(retry, sizeof retry, "Retry-After: %d\r\n", (int)result->retry_s);
        rest_problem(call,
                     &(struct rest_problem){ .status = 429,
                                             .kind = "too-many-tries",
                                             .title = "Too many tries",
                                             .cure = "Wait as long as Retry-After says.",
                                             .headers = retry },
                     "Logging in was tried too often; wait %d s.", (int)result->retry_s);
        return;
    case AMP_E_AUTH:
        rest_problem(call,
                     &(struct rest_problem){
                         .status = 401,
                         .kind = "wrong-login",
                         .title = "Login or password is wrong",
                         .cure = "Check both; an administrator can set a new password." },
                     "Nobody is known by this login and password.");
        return;
    default:
        rest_problem(call,
                     &(struct rest_problem){
                         .status = 410,
                         .kind = "link-used",
                         .title = "This link is used up",
                         .cure = "Log in, or restart the server for a new link when nobody can." },
                     "The one-time link is not valid any more.");
        return;
    }
    if (!call->rest) {
        rest_drop(call);
        return;
    }
    g = calloc(1, sizeof *g);
    if (!g)
        abort();
    memcpy(g->token, result->token, sizeof g->token);
    amp_text_copy(g->login, sizeof g->login, amp_text_of(result->who.name));
    g->who = result->who;
    g->who.name = NULL;
    call->state = g;
    if (call->route->message == API_SETUP)
        audit_first(call, g->who.user);
    rest_after(call, logged_in);
}

static bool foreign(struct rest_call *call)
{
    if (people_same_origin(call->head))
        return false;
    rest_problem(call,
                 &(struct rest_problem){ .status = 403,
                                         .kind = "foreign-origin",
                                         .title = "Not from this page",
                                         .field = "Origin",
                                         .cure = "Open the page of this server." },
                 "The request comes from a page of another site.");
    return true;
}

void rest_log_in(struct rest_call *call)
{
    struct api_login q;

    if (!foreign(call) && rest_body(call, &q))
        people_log_in(call->c->people, q.login, q.password, call->host, on_login, call);
}

static void logged_out(struct rest_call *call)
{
    char cookie[256];

    put_cookie(call, "", 0, cookie);
    rest_empty(call, 204, cookie);
}

void rest_log_out(struct rest_call *call)
{
    int64_t user;

    if (foreign(call))
        return;
    user = people_log_out(call->c->people, call->head, rest_now(call));
    if (user)
        live_drop_user(call->c->live,
                       user); /* sockets that are still entitled come back by themselves */
    rest_after(call, logged_out);
}

bool rest_sound_password(struct rest_call *call, struct amp_text password)
{
    if (password.len >= PEOPLE_PASSWORD_MIN && password.len <= PEOPLE_PASSWORD_MAX)
        return true;
    rest_problem(call,
                 &(struct rest_problem){ .status = 422,
                                         .kind = "weak-password",
                                         .title = "The password is too short",
                                         .field = "password",
                                         .cure =
                                             "Give at least 10 characters; a sentence is fine." },
                 "A password has %d to %d bytes.", PEOPLE_PASSWORD_MIN, PEOPLE_PASSWORD_MAX);
    return false;
}

bool rest_sound_login(struct rest_call *call, struct amp_text login)
{
    bool sound = login.len > 0 && login.len <= 64;

    for (uint32_t i = 0; sound && i < login.len; i++)
        sound = (unsigned char)login.at[i] > ' ' && login.at[i] != 0x7f;
    if (!sound)
        rest_problem(call,
                     &(struct rest_problem){
                         .status = 422,
                         .kind = "bad-value",
                         .title = "This can't be a login",
                         .field = "login",
                         .cure = "Give 1 to 64 bytes without blanks, such as an e-mail address." },
                     "login: %.*s", AMP_FMT(login));
    return sound;
}

void rest_set_up(struct rest_call *call)
{
    struct api_setup q;

    if (foreign(call) || !rest_body(call, &q) || !rest_sound_login(call, q.login) ||
        !rest_sound_password(call, q.password))
        return;
    people_set_up(call->c->people, rest_param(call, 0), q.login, q.password, q.name, on_login,
                  call);
}
