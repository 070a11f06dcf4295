/* central/domain/command.c - what people ask of stations: queued, sent, answered, and whether it
 * had the effect that was meant. An accepted command is a promise only; the station's next messages
 * tell. central-edge-cases 54, 55; ocpp-facts B13. */
#include "central/domain/command_inside.h"
#include "central/domain/operation.h"
#include "central/domain/shared.h"
#include <stdio.h>

/* An answer text of a queued command that says, also to a later process, that it may wait. */
#define WAITS AMP_TEXT("waits for the station to connect")
#define AGAIN AMP_TEXT("not answered, will be sent again")

/* Legal changes; anything else is refused. A command that timed out may still have worked: a late
 * answer or the effect corrects it. */
static const struct {
    int from, to;
} moves[] = {
    { COMMAND_QUEUED, COMMAND_SENT },         { COMMAND_QUEUED, COMMAND_ERROR },
    { COMMAND_SENT, COMMAND_ACCEPTED },       { COMMAND_SENT, COMMAND_REJECTED },
    { COMMAND_SENT, COMMAND_ERROR },          { COMMAND_SENT, COMMAND_TIMED_OUT },
    { COMMAND_TIMED_OUT, COMMAND_ACCEPTED },  { COMMAND_TIMED_OUT, COMMAND_REJECTED },
    { COMMAND_TIMED_OUT, COMMAND_ERROR },     { COMMAND_TIMED_OUT, COMMAND_CONFIRMED },
    { COMMAND_ACCEPTED, COMMAND_CONFIRMED },  { COMMAND_ACCEPTED, COMMAND_NO_EFFECT },
    { COMMAND_NO_EFFECT, COMMAND_CONFIRMED },
};

bool command_legal(int from, int to)
{
    for (size_t i = 0; i < AMP_COUNT(moves); i++)
        if (moves[i].from == from && moves[i].to == to)
            return true;
    return false;
}

static bool unfinished(const struct command *k)
{
    return k->fact->state == COMMAND_QUEUED || k->fact->state == COMMAND_SENT || k->waiting;
}

static bool same_key(const void *item, const void *key)
{
    const struct command *k = item;

    return k->fact->key == *(const int64_t *)key;
}

struct command *command_find(const struct world *w, int64_t key)
{
    return map_get(&w->commands, map_hash_int(key), same_key, &key);
}

/* ---- keeping ---- */

/* Those that wait for an effect, or for their station but not for ever, stand in one list, by key,
 * so that a tick needs not look at every charger. */
static void set_waiting(struct world *w, struct command *k, bool waiting)
{
    if (k->waiting == waiting)
        return;
    k->waiting = waiting;
    if (waiting) {
        struct command *after = w->waiting_last;

        while (after && after->fact->key > k->fact->key)
            after = after->before;
        k->before = after;
        k->behind = after ? after->behind : w->waiting_first;
        *(k->before ? &k->before->behind : &w->waiting_first) = k;
        *(k->behind ? &k->behind->before : &w->waiting_last) = k;
        return;
    }
    *(k->before ? &k->before->behind : &w->waiting_first) = k->behind;
    *(k->behind ? &k->behind->before : &w->waiting_last) = k->before;
    k->before = k->behind = NULL;
}

void command_free(struct command *k)
{
    free(k->fact);
    free(k);
}

static void forget_finished(struct world *w, struct charger *c)
{
    size_t finished = 0;

    for (struct command *k = c->commands; k; k = k->next)
        finished += !unfinished(k);
    for (struct command **at = &c->commands; *at && finished > WORLD_RECENT_MAX;) {
        struct command *k = *at;

        if (unfinished(k)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        map_remove(&w->commands, map_hash_int(k->fact->key), k);
        command_free(k);
        finished--;
    }
}

static struct command *add(struct world *w, struct charger *c, const struct command_fact *f)
{
    struct command *k = must(calloc(1, sizeof *k)), **at = &c->commands;

    k->charger = c;
    k->fact = pack(FACT_COMMAND, f);
    while (*at && (*at)->fact->key < f->key)
        at = &(*at)->next;
    k->next = *at;
    *at = k;
    map_put(&w->commands, map_hash_int(f->key), k);
    key_note(w, &w->next_command, f->key);
    return k;
}

void command_after_state(struct world *w, struct command *k)
{
    set_waiting(w, k,
                k->fact->state == COMMAND_QUEUED
                    ? k->fact->expires_ms != 0
                    : k->fact->state == COMMAND_ACCEPTED && command_row(k)->effect > EFFECT_ANSWER);
}

void command_apply(struct world *w, const struct command_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->charger);
    struct command *k = command_find(w, f->key);

    if (!c)
        return;
    if (k)
        keep(FACT_COMMAND, &k->fact, f);
    else
        k = add(w, c, f);
    command_after_state(w, k);
    forget_finished(w, c);
}

/* The tag that a remote start names, as our own writer wrote it; absent where it is escaped. */
static struct amp_text named_tag(struct amp_text payload)
{
    static const char key[] = "\"idTag\":\"";
    const uint32_t n = sizeof key - 1;

    for (uint32_t i = 0; i + n < payload.len; i++) {
        const char *at = payload.at + i + n, *quote;

        if (memcmp(payload.at + i, key, n) != 0)
            continue;
        quote = memchr(at, '"', payload.len - i - n);
        if (!quote || memchr(at, '\\', (size_t)(quote - at)))
            break;
        return (struct amp_text){ at, (uint32_t)(quote - at) };
    }
    return AMP_NO_TEXT;
}

/* An accepted remote start: the transaction is expected, PENDING_START, until it comes. */
static void expect_start(struct world *w, struct command *k, int64_t now_ms)
{
    k->fact->transaction =
        transaction_ask(w, k->charger, k->fact->connector, named_tag(k->fact->payload), now_ms);
    tell(w, FACT_COMMAND, k->fact);
}

/* ---- changes ---- */

void command_set(struct world *w, struct command *k, int state, struct amp_text answer)
{
    struct command_fact f = *k->fact;

    f.state = state;
    if (answer.at)
        f.answer = answer;
    keep(FACT_COMMAND, &k->fact, &f);
    command_after_state(w, k);
    tell(w, FACT_COMMAND, k->fact);
}

static int64_t queue(struct world *w, struct charger *c, const struct command_fact *f, bool wait,
                     int64_t now_ms)
{
    struct command_fact fresh = *f;
    struct command *k;
    size_t queued = 0;
    bool offline = !charger_reachable(c) && !wait;

    if (!w->settled)
        world_settle(w, now_ms);
    for (k = c->commands; k; k = k->next)
        queued += k->fact->state == COMMAND_QUEUED;
    if (queued >= WORLD_QUEUE_MAX)
        return AMP_E_FULL;
    fresh.key = key_take(w, &w->next_command);
    fresh.org = c->fact->org;
    fresh.charger = c->fact->key;
    fresh.state = offline ? COMMAND_ERROR : COMMAND_QUEUED;
    fresh.answer = offline ? AMP_TEXT("station offline") : wait ? WAITS : AMP_NO_TEXT;
    fresh.correlation = fresh.progress = fresh.was = AMP_NO_TEXT;
    fresh.created_ms = now_ms;
    fresh.sent_ms = fresh.effect_ms = fresh.progress_ms = 0;
    fresh.answered_ms = offline ? now_ms : 0;
    fresh.expires_ms = wait ? f->expires_ms : 0;
    fresh.attempts = 0;
    k = add(w, c, &fresh);
    command_after_state(w, k);
    tell(w, FACT_COMMAND, k->fact);
    forget_finished(w, c);
    return fresh.key;
}

int64_t world_command(struct world *w, struct charger *c, const struct command_fact *f,
                      int64_t now_ms)
{
    return queue(w, c, f, false, now_ms);
}

int64_t world_command_wait(struct world *w, struct charger *c, const struct command_fact *f,
                           int64_t now_ms)
{
    return queue(w, c, f, true, now_ms);
}

const struct command_fact *world_command_get(struct world *w, int64_t key)
{
    const struct command *k = command_find(w, key);

    return k ? k->fact : NULL;
}

const struct command_fact *world_command_find(const struct charger *c, struct amp_text correlation)
{
    for (const struct command *k = c->commands; k; k = k->next)
        if (correlation.len && amp_text_eq(k->fact->correlation, correlation))
            return k->fact;
    return NULL;
}

/* Oldest first, also one that is sent again: behind a newer one it would undo what that has set. */
const struct command_fact *world_command_next(struct world *w, const struct charger *c)
{
    (void)w;
    for (const struct command *k = c->commands; k; k = k->next)
        if (k->fact->state == COMMAND_QUEUED)
            return k->fact;
    return NULL;
}

/* ---- sent again ---- */

/* Nobody knows whether it arrived. False: it may not be sent again, or was often enough. */
static bool queue_again(struct world *w, struct command *k, int64_t now_ms)
{
    if (k->fact->attempts >= COMMAND_ATTEMPTS_MAX || !command_may_resend(k->fact->action) ||
        command_mentions(k, AMP_TEXT("AuthorizationKey")) || /* kept nowhere, so sent once */
        (k->fact->expires_ms && k->fact->expires_ms <= now_ms))
        return false;
    if (!k->fact->expires_ms)
        k->fact->expires_ms = now_ms + COMMAND_RETRY_MS;
    command_set(w, k, COMMAND_QUEUED, AGAIN);
    return true;
}

/* May it stay queued without its station? */
static bool may_wait(const struct command *k)
{
    return k->fact->attempts > 0 || amp_text_eq(k->fact->answer, WAITS);
}

static void expire(struct world *w, struct command *k, int64_t now_ms)
{
    char text[64];

    k->fact->answered_ms = now_ms;
    if (!k->fact->attempts) {
        command_set(w, k, COMMAND_ERROR, AMP_TEXT("the station did not come in time"));
        return;
    }
    snprintf(text, sizeof text, "no answer to %d attempts, and the station is away",
             (int)k->fact->attempts);
    command_set(w, k, COMMAND_TIMED_OUT, amp_text_of(text));
}

int world_command_change(struct world *w, int64_t key, const struct command_change *ch,
                         int64_t now_ms)
{
    struct command *k = command_find(w, key);
    struct transaction *t;
    struct command_fact f;

    if (!k)
        return AMP_E_ABSENT;
    if (!command_legal(k->fact->state, ch->state))
        return AMP_E_STATE;
    if (ch->state == COMMAND_TIMED_OUT && queue_again(w, k, now_ms))
        return 0;
    f = *k->fact;
    f.state = ch->state;
    f.answer = ch->state == COMMAND_SENT ? AMP_NO_TEXT : ch->answer.at ? ch->answer : f.answer;
    if (ch->correlation.at)
        f.correlation = ch->correlation;
    if (ch->transaction)
        f.transaction = ch->transaction;
    if (ch->state == COMMAND_SENT) {
        f.sent_ms = now_ms;
        f.attempts++;
        if (command_row(k)->effect == EFFECT_FIRMWARE)
            f.was = k->charger->fact->firmware;
    } else if (ch->state == COMMAND_CONFIRMED)
        f.effect_ms = now_ms;
    else if (ch->state != COMMAND_NO_EFFECT)
        f.answered_ms = now_ms;
    if (f.state == COMMAND_ACCEPTED && command_row(k)->effect == EFFECT_ANSWER) {
        f.state = COMMAND_CONFIRMED; /* at once, so that nobody sees half of it */
        f.effect_ms = now_ms;
    }
    keep(FACT_COMMAND, &k->fact, &f);
    command_after_state(w, k);
    tell(w, FACT_COMMAND, k->fact);
    if (f.state == COMMAND_ACCEPTED) {
        t = command_row(k)->effect == EFFECT_STOP ? transaction_find(w, f.transaction) : NULL;
        if (t)
            transaction_event(w, t, TX_STOP_ACCEPTED, now_ms);
        if (command_row(k)->effect == EFFECT_START && !k->fact->effect_ms)
            expect_start(w, k, now_ms);
        command_effect_already(w, k, now_ms);
    } else if (f.state == COMMAND_TIMED_OUT && f.effect_ms) {
        command_effect(w, k, 0, f.effect_ms); /* the answer is lost, but it worked */
    }
    forget_finished(w, k->charger);
    return 0;
}

/* E54: nothing is left in the air when the socket dies. What was sent may have worked, what was not
 * sent did not. */
void command_offline(struct world *w, struct charger *c, int64_t now_ms)
{
    for (struct command *k = c->commands, *next; k; k = next) {
        next = k->next;
        if (k->fact->state == COMMAND_SENT) {
            if (queue_again(w, k, now_ms))
                continue;
            k->fact->answered_ms = now_ms;
            command_set(w, k, COMMAND_TIMED_OUT, AMP_TEXT("connection lost before the answer"));
        } else if (k->fact->state == COMMAND_QUEUED && !may_wait(k)) {
            k->fact->answered_ms = now_ms;
            command_set(w, k, COMMAND_ERROR, AMP_TEXT("station offline"));
        }
    }
    forget_finished(w, c);
}

void command_forget_all(struct world *w, struct charger *c)
{
    for (struct command *k = c->commands, *next; k; k = next) {
        next = k->next;
        set_waiting(w, k, false);
        map_remove(&w->commands, map_hash_int(k->fact->key), k);
        command_free(k);
    }
    c->commands = NULL;
}

void command_settle(struct world *w, struct charger *c, int64_t since_ms, int64_t now_ms)
{
    for (struct command *k = c->commands; k; k = k->next) {
        if (k->fact->state == COMMAND_SENT) {
            if (queue_again(w, k, now_ms))
                continue;
            k->fact->answered_ms = now_ms;
            command_set(w, k, COMMAND_TIMED_OUT,
                        AMP_TEXT("the central system restarted before the answer"));
        } else if (k->fact->state == COMMAND_QUEUED && k->fact->created_ms < since_ms &&
                   !may_wait(k)) {
            k->fact->answered_ms = now_ms;
            command_set(w, k, COMMAND_ERROR,
                        AMP_TEXT("the central system restarted before it was sent"));
        }
    }
    forget_finished(w, c);
}

/* Newest of the times from which an effect may be waited for. */
static int64_t patience_from(const struct command_fact *f)
{
    int64_t from = f->answered_ms > f->progress_ms ? f->answered_ms : f->progress_ms;

    return from > f->due_ms ? from : f->due_ms;
}

static void tick_command(struct world *w, struct command *k, int64_t now_ms)
{
    const struct effect_row *row = command_row(k);
    bool starts = row->effect == EFFECT_START, queued = k->fact->state == COMMAND_QUEUED;
    struct transaction *t =
        starts || row->effect == EFFECT_STOP ? transaction_find(w, k->fact->transaction) : NULL;

    if (queued) {
        if (now_ms < k->fact->expires_ms)
            return;
        expire(w, k, now_ms);
    } else {
        if (now_ms - patience_from(k->fact) < (int64_t)row->within_s * 1000 &&
            !command_progress_failed(k, now_ms))
            return;
        command_set(w, k, COMMAND_NO_EFFECT, AMP_NO_TEXT);
    }
    if (t && !queued)
        transaction_event(w, t, starts ? TX_GIVEN_UP : TX_STOP_FAILED, now_ms);
    forget_finished(w, k->charger);
}

void command_tick(struct world *w, int64_t now_ms)
{
    for (struct command *k = w->waiting_first, *next; k; k = next) {
        next = k->behind;
        if (!k->charger->far)
            tick_command(w, k, now_ms);
    }
}
