/* central/rest/commands.c - commands to look at: the newest of all, one by its number. How they are
 * asked is the business of command_ask.c and operations.c. */
#include "central/rest/commands.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

static void command_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                         size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    (void)ids;
    for (size_t i = 0; i < count; i++)
        shape_command(w, call->c, &rows[i].u.command);
    rest_list_end(call, next);
}

void rest_list_commands(struct rest_call *call)
{
    struct store_ask q = {
        .what = ASK_COMMANDS, .org = call->who.org, .connector = -1, .open = -1
    };
    char action[64];
    int64_t limit = 100;

    if (!rest_query_int(call, "batch", 1, INT64_MAX, &q.batch))
        return;

    if (!rest_query_charger(call, &q.charger) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &q.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    if (rest_query(call, "action", action, sizeof action))
        q.action = amp_text_of(action);
    q.limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, &q, command_rows);
}

static void one_row(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                    size_t count, int64_t next)
{
    (void)ids, (void)next;
    for (size_t i = 0; i < count; i++)
        if (rows[i].u.command.key == call->key) {
            rest_command_answer(call, &rows[i].u.command);
            return;
        }
    rest_absent(call, "command", rest_param(call, 0));
}

void rest_get_command(struct rest_call *call)
{
    const struct command_fact *f;

    if (!rest_key(call, &call->key) || !rest_command_wait(call))
        return;
    f = world_command_get(call->c->world, call->key);
    if (f && f->org == call->who.org)
        rest_command_answer_or_wait(call, f);
    else /* the cursor of commands is their key */
        rest_ask(call,
                 &(struct store_ask){ .what = ASK_COMMANDS,
                                      .org = call->who.org,
                                      .connector = -1,
                                      .open = -1,
                                      .before = call->key + 1,
                                      .limit = 1 },
                 one_row);
}

static void cancelled(struct rest_call *call)
{
    const struct command_fact *f = world_command_get(call->c->world, call->key);

    if (f)
        rest_command_answer(call, f);
    else
        rest_absent(call, "command", rest_param(call, 0));
}

void rest_cancel_command(struct rest_call *call)
{
    const struct command_fact *f;
    struct command_change gone = { .state = COMMAND_ERROR, .answer = AMP_TEXT("withdrawn") };

    if (!rest_key(call, &call->key))
        return;
    f = world_command_get(call->c->world, call->key);
    if (!f || f->org != call->who.org) {
        rest_absent(call, "unfinished command", rest_param(call, 0));
        return;
    }
    if (f->state != COMMAND_QUEUED ||
        world_command_change(call->c->world, call->key, &gone, rest_now(call)) < 0) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "sent-already",
                                             .title = "The command is not queued any more",
                                             .cure = "Look at the command: what was sent cannot be "
                                                     "taken back." },
                     "Command %lld was sent, or has ended.", (long long)call->key);
        return;
    }
    rest_after(call, cancelled);
}
