/* central/domain/world_test.c - the property that all of this stands on: the last facts rebuild the
 * same world. Random histories run in one world, a second is built from what the first emitted;
 * both must look the same, and answer alike from then on. */
#include "central/domain/event.h"
#include "central/domain/repair.h"
#include "central/domain/scene.h"
#include <inttypes.h>

#define CHARGERS 3
#define STEPS    400

struct history {
    uint32_t random;
    int64_t now_ms;
    int64_t results; /* a running hash of what the calls returned */
    int session[CHARGERS];
};

static uint32_t draw(struct history *h, uint32_t n)
{
    h->random = h->random * 1664525u + 1013904223u;
    return (h->random >> 8) % n;
}

static void note(struct history *h, int64_t result)
{
    h->results = (int64_t)((uint64_t)h->results * 1099511628211u ^ (uint64_t)result);
}

static const char *const tags[] = { "GOOD", "good", "FRIEND", "BAD", "LONER", "STRANGER" };
static const char *const words[] = { "Available",     "Charging", "SuspendedEV",
                                     "SuspendedEVSE", "Faulted",  "Unavailable" };
static const char *const actions[] = { "RemoteStartTransaction", "RemoteStopTransaction", "Reset",
                                       "UnlockConnector", "ChangeAvailability" };

static void no_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c, (void)session;
}

static void command_step(struct history *h, struct world *w, struct charger *c)
{
    const struct command_fact *next = world_command_next(w, c);
    uint32_t action = draw(h, AMP_COUNT(actions));
    struct command_fact f = { .action = amp_text_of(actions[action]),
                              .payload = AMP_TEXT("{\"idTag\":\"GOOD\",\"type\":\"Inoperative\"}"),
                              .connector = (int32_t)draw(h, 3),
                              .transaction = draw(h, 30) };
    int64_t key;

    if (!next || draw(h, 2)) {
        note(h, draw(h, 2) ? world_command(w, c, &f, h->now_ms)
                           : world_command_wait(w, c, &f, h->now_ms));
        return;
    }
    key = next->key;
    if (!charger_session(c))
        return;
    note(h, world_command_change(w, key,
                                 &(struct command_change){ .state = COMMAND_SENT,
                                                           .correlation = AMP_TEXT("m") },
                                 h->now_ms));
    if (draw(h, 4))
        note(h, world_command_change(w, key,
                                     &(struct command_change){ .state = COMMAND_ACCEPTED +
                                                                        (int)draw(h, 4),
                                                               .answer = AMP_TEXT("{}") },
                                     h->now_ms));
}

static void repair_step(struct history *h, struct world *w)
{
    int64_t key = 1 + draw(h, 60), other = 1 + draw(h, 60);
    const struct transaction_fact *t = world_transaction(w, key);
    int64_t revision = t ? t->revision - (draw(h, 5) == 0) : 0;
    struct repair_correction r = { .has_start_wh = draw(h, 2),
                                   .start_wh = draw(h, 9),
                                   .has_stop_wh = draw(h, 2),
                                   .stop_wh = draw(h, 9) };

    switch (draw(h, 6)) {
    case 0:
        note(h, world_repair_close(w, key, revision, (int64_t)draw(h, 9) - 1, 0, h->now_ms));
        break;
    case 1:
        note(h, world_repair_correct(w, key, revision, &r, h->now_ms));
        break;
    case 2:
        note(h, world_repair_merge(w, key, revision, other, h->now_ms));
        break;
    case 3:
        note(h, world_repair_void(w, key, revision, h->now_ms));
        break;
    case 4:
        note(h, world_acknowledge(w, key, revision));
        break;
    default:
        note(h, world_billed(w, key, revision, draw(h, 2), h->now_ms));
    }
}

static void event_step(struct history *h, struct world *w, struct charger *c)
{
    static const enum event_kind kinds[] = { EVENT_STARTED, EVENT_UPDATED, EVENT_ENDED };
    static const char *const uids[] = { "a", "b", "t7", "x/9" };
    struct amp_text tag = amp_text_of(tags[draw(h, AMP_COUNT(tags))]);
    struct reading_fact r = { .at_ms = h->now_ms - draw(h, 5) * 1000,
                              .hash = draw(h, 200),
                              .samples = AMP_TEXT("[]"),
                              .has = draw(h, 4),
                              .energy_wh = draw(h, 9),
                              .power_w = draw(h, 9) };
    struct event_info e = { .uid = amp_text_of(uids[draw(h, AMP_COUNT(uids))]),
                            .kind = kinds[draw(h, AMP_COUNT(kinds))],
                            .seq = draw(h, 60),
                            .offline = draw(h, 2),
                            .connector = (int)draw(h, 3),
                            .tag = draw(h, 2) ? tag : AMP_NO_TEXT,
                            .has_meter = draw(h, 2),
                            .meter_wh = draw(h, 9),
                            .at_ms = h->now_ms - draw(h, 5) * 1000,
                            .readings = &r,
                            .count = draw(h, 2) };
    struct tag_answer a;

    note(h, world_event(w, c, &e, h->now_ms, &a));
}

/* One random step; times and meters come from small ranges, so that repetitions and disorder are
 * common. */
static void step(struct history *h, struct world *w)
{
    struct charger *c = world_charger_at(w, draw(h, CHARGERS));
    uint32_t which = draw(h, 18);
    int connector = (int)draw(h, 3);
    int64_t at_ms = draw(h, 40) ? h->now_ms - draw(h, 5) * 1000 : 5;
    struct amp_text tag = amp_text_of(tags[draw(h, AMP_COUNT(tags))]);
    struct tag_answer a = { 0 };
    int32_t interval_s = 0;

    h->now_ms += draw(h, 3) * 1000;
    switch (which) {
    case 0:
        world_connected(w, c, &h->session[draw(h, CHARGERS)], AMP_TEXT("ocpp1.6"),
                        AMP_TEXT("127.0.0.1:9"), h->now_ms);
        break;
    case 1:
        note(h, world_disconnected(w, c, &h->session[draw(h, CHARGERS)], 1006, AMP_TEXT("gone"),
                                   h->now_ms));
        break;
    case 2:
        note(h, world_boot(w, c, &(struct boot_info){ .vendor = tag, .model = tag }, &interval_s,
                           h->now_ms));
        break;
    case 3:
    case 4:
        world_status(w, c, connector,
                     &(struct connector_fact){ .status =
                                                   amp_text_of(words[draw(h, AMP_COUNT(words))]),
                                               .error = AMP_TEXT("NoError"),
                                               .at_ms = draw(h, 2) ? at_ms : 0,
                                               .seen_ms = h->now_ms });
        break;
    case 5:
    case 6:
        note(h, world_start(w, c,
                            &(struct start_info){ .connector = connector,
                                                  .tag = tag,
                                                  .meter_wh = draw(h, 3),
                                                  .at_ms = at_ms },
                            h->now_ms, &a));
        break;
    case 7:
    case 8:
        note(h, world_stop(w, c,
                           &(struct stop_info){ .transaction = (int64_t)draw(h, 60) - 2,
                                                .meter_wh = draw(h, 9),
                                                .at_ms = at_ms,
                                                .tag = draw(h, 2) ? tag : AMP_NO_TEXT },
                           h->now_ms, &a));
        break;
    case 9:
    case 10: {
        struct reading_fact r = { .transaction = (int64_t)draw(h, 60) - 2,
                                  .connector = connector,
                                  .at_ms = at_ms,
                                  .hash = draw(h, 200),
                                  .samples = AMP_TEXT("[]"),
                                  .has = draw(h, 4),
                                  .energy_wh = draw(h, 9),
                                  .power_w = draw(h, 9) };

        note(h, world_reading(w, c, &r, h->now_ms));
        break;
    }
    case 11:
        world_put_tag(w, &(struct tag_fact){ .org = ORG_DEFAULT,
                                             .tag = tag,
                                             .status = AMP_TEXT("Accepted"),
                                             .parent = AMP_TEXT("FAMILY"),
                                             .deleted = draw(h, 4) == 0 });
        break;
    case 12:
        command_step(h, w, c);
        break;
    case 13:
    case 14:
        repair_step(h, w);
        break;
    case 15:
    case 16:
        event_step(h, w, c);
        break;
    default:
        world_tick(w, h->now_ms, no_overdue, NULL);
    }
    note(h, a.status ? a.status[0] : 0);
}

/* The record that a fact replaces: what a database would have as its key. Histories have none. */
static bool same_record(const struct fact *a, const struct fact *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case FACT_CHARGER:
        return a->u.charger.key == b->u.charger.key;
    case FACT_CONNECTOR:
        return a->u.connector.charger == b->u.connector.charger &&
               a->u.connector.connector == b->u.connector.connector;
    case FACT_TRANSACTION:
        return a->u.transaction.key == b->u.transaction.key;
    case FACT_COMMAND:
        return a->u.command.key == b->u.command.key;
    case FACT_TAG:
        return a->u.tag.org == b->u.tag.org && amp_text_eqi(a->u.tag.tag, b->u.tag.tag);
    default:
        return false;
    }
}

/* Records come in the order in which they were made, as from a database that sorts by key. */
static bool is_first(const struct scene *from, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_record(from->facts[i], from->facts[at]))
            return false;
    return true;
}

static const struct fact *newest_of(const struct scene *from, size_t at)
{
    for (size_t i = from->count - 1; i > at; i--)
        if (same_record(from->facts[i], from->facts[at]))
            return from->facts[i];
    return from->facts[at];
}

static struct world *rebuild(const struct scene *from, const struct world_config *config,
                             struct scene *to)
{
    static const enum fact_kind order[] = { FACT_CHARGER, FACT_CONNECTOR, FACT_TRANSACTION,
                                            FACT_TAG,     FACT_COMMAND,   FACT_READING };

    *to = (struct scene){ 0 };
    to->w = world_new(config, scene_emit, to);
    for (size_t k = 0; k < AMP_COUNT(order); k++)
        for (size_t i = 0; i < from->count; i++)
            if (from->facts[i]->kind == order[k] && is_first(from, i))
                world_apply(to->w, newest_of(from, i));
    CHECK(to->count == 0, "a replay emits nothing");
    return to->w;
}

static void text(FILE *out, struct amp_text t)
{
    if (t.at)
        fprintf(out, " '%.*s'", AMP_FMT(t));
    else
        fputs(" -", out);
}

static void describe(FILE *out, const struct fact *f)
{
    const uint16_t *offsets;
    size_t n = fact_texts(f->kind, &offsets);

    fprintf(out, "%d", (int)f->kind);
    if (f->kind == FACT_CHARGER) {
        const struct charger_fact *c = &f->u.charger;
        fprintf(out, " %" PRId64 " %" PRId64 " %d %d %d", c->key, c->last_boot_ms, c->heartbeat_s,
                c->registration, c->connection);
    } else if (f->kind == FACT_CONNECTOR) {
        const struct connector_fact *c = &f->u.connector;
        fprintf(out, " %" PRId64 " %d %" PRId64 " %" PRId64, c->charger, c->connector, c->at_ms,
                c->seen_ms);
    } else if (f->kind == FACT_TRANSACTION) {
        const struct transaction_fact *t = &f->u.transaction;
        fprintf(out, " %" PRId64 " %" PRId64 " %d %d %u", t->key, t->charger, t->connector,
                t->state, (unsigned)t->flags);
        fprintf(out, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, t->start_ms, t->start_seen_ms,
                t->stop_ms, t->stop_seen_ms);
        fprintf(out, " %" PRId64 " %" PRId64 " %" PRId64, t->meter_start_wh, t->meter_stop_wh,
                t->last_wh);
        fprintf(out, " %" PRId64 " %" PRId64 " %" PRId64, t->last_ms, t->last_power_w,
                t->reservation);
        fprintf(out, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d", t->energy_wh,
                t->register_ms, t->offset_wh, t->before_wh, t->meter);
        fprintf(out, " %u %" PRIu64 " %" PRIu64, (unsigned)t->attention, t->start_hash,
                t->stop_hash);
        fprintf(out, " %" PRId64 " %" PRId64 " %" PRId64, t->heard_ms, t->revision, t->merged_into);
        fprintf(out, " %d %" PRId64 " %" PRId64, t->events, t->seq_last, t->tag_seq);
    } else if (f->kind == FACT_POWER) {
        const struct power_fact *p = &f->u.power;
        fprintf(out, " %" PRId64 " %" PRId64 " %" PRId64, p->charger, p->slot_ms, p->energy_wh);
    } else if (f->kind == FACT_READING) {
        const struct reading_fact *r = &f->u.reading;
        fprintf(out, " %" PRId64 " %" PRId64 " %d %" PRId64 " %" PRIu64, r->charger, r->transaction,
                r->connector, r->at_ms, r->hash);
    } else if (f->kind == FACT_COMMAND) {
        const struct command_fact *c = &f->u.command;
        fprintf(out, " %" PRId64 " %" PRId64 " %d %d %" PRId64, c->key, c->charger, c->state,
                c->connector, c->transaction);
        fprintf(out, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, c->created_ms, c->sent_ms,
                c->answered_ms, c->effect_ms);
    } else if (f->kind == FACT_TAG) {
        fprintf(out, " %" PRId64 " %d", f->u.tag.expiry_ms, f->u.tag.deleted);
    }
    for (size_t i = 0; i < n; i++) {
        struct amp_text t;

        memcpy(&t, (const char *)f + offsets[i], sizeof t);
        text(out, t);
    }
    fputc('\n', out);
}

static void describe_body(FILE *out, enum fact_kind kind, const void *body, size_t size)
{
    struct fact f = { .kind = kind };

    memcpy(&f.u, body, size);
    describe(out, &f);
}

/* All that can be asked of a world, as text. */
static char *portrait(struct world *w)
{
    const struct transaction_fact *open[64];
    size_t n = world_open_transactions(w, open, AMP_COUNT(open));
    char *at = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&at, &len);

    for (size_t i = 0; i < world_charger_count(w); i++) {
        struct charger *c = world_charger_at(w, i);

        describe_body(out, FACT_CHARGER, charger_fact(c), sizeof(struct charger_fact));
        for (int k = 0; k <= (int)charger_connectors(c); k++)
            if (charger_connector(c, k))
                describe_body(out, FACT_CONNECTOR, charger_connector(c, k),
                              sizeof(struct connector_fact));
    }
    for (size_t i = 0; i < n; i++)
        describe_body(out, FACT_TRANSACTION, open[i], sizeof(struct transaction_fact));
    for (int64_t key = 1; key < 2000; key++) {
        const struct transaction_fact *t = world_transaction(w, key);
        const struct command_fact *k = world_command_get(w, key);

        if (t)
            describe_body(out, FACT_TRANSACTION, t, sizeof *t);
        if (k)
            describe_body(out, FACT_COMMAND, k, sizeof *k);
    }
    for (size_t i = 0; i < AMP_COUNT(tags); i++)
        if (world_tag(w, ORG_DEFAULT, amp_text_of(tags[i])))
            describe_body(out, FACT_TAG, world_tag(w, ORG_DEFAULT, amp_text_of(tags[i])),
                          sizeof(struct tag_fact));
    fclose(out);
    return at;
}

/* What was emitted since the last scene_forget, without the facts that the last sign of life
 * brings. */
static char *emitted(const struct scene *s)
{
    char *at = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&at, &len);

    for (size_t i = 0; i < s->count; i++)
        if (s->facts[i]->kind != FACT_POWER || s->facts[i]->u.power.energy_wh)
            describe(out, s->facts[i]); /* a peak is told again by a new process: it counts once */
    fclose(out);
    return at;
}

static void check_same(char *a, char *b, const char *what, uint32_t seed)
{
    size_t i = 0;

    while (a[i] && a[i] == b[i])
        i++;
    while (i > 0 && a[i - 1] != '\n')
        i--;
    CHECK(!strcmp(a, b), "seed %u: %s differ:\n  %.*s\n  %.*s", (unsigned)seed, what,
          (int)strcspn(a + i, "\n"), a + i, (int)strcspn(b + i, "\n"), b + i);
    free(a);
    free(b);
}

static void one_history(uint32_t seed)
{
    struct world_config config = { .heartbeat_s = 300,
                                   .stale_after_s = 90,
                                   .accept_unknown = seed % 2,
                                   .one_at_a_time = seed % 3 == 0 };
    struct history h = { .random = seed, .now_ms = T0 }, h2;
    struct scene first = { 0 }, second;

    first.w = world_new(&config, scene_emit, &first);
    for (int i = 0; i < CHARGERS; i++) {
        char id[] = { 'C', (char)('1' + i), 0 };

        world_charger_meet(first.w, amp_text_of(id), T0);
    }
    for (int i = 0; i < STEPS; i++)
        step(&h, first.w);
    for (int i = 0; i < CHARGERS; i++)
        world_disconnected(first.w, world_charger_at(first.w, (size_t)i),
                           charger_session(world_charger_at(first.w, (size_t)i)), 1001, AMP_NO_TEXT,
                           h.now_ms);
    rebuild(&first, &config, &second);
    check_same(portrait(first.w), portrait(second.w), "the worlds", seed);
    scene_forget(&first);
    h.results = 0;
    h2 = h;
    for (int i = 0; i < STEPS; i++) {
        step(&h, first.w);
        step(&h2, second.w);
    }
    CHECK(h.results == h2.results, "seed %u: answers differ", (unsigned)seed);
    check_same(emitted(&first), emitted(&second), "the facts of the time after", seed);
    scene_close(&first);
    scene_close(&second);
}

static void test_rebuilt(void)
{
    for (uint32_t seed = 1; seed <= 200 && !check_bad; seed++)
        one_history(seed);
}

static void test_connected_when_it_ended(void)
{
    struct scene s, after;

    scene_open(&s, NULL);
    world_seen(s.w, s.c, T0 + 61000);
    rebuild(&s, &(struct world_config){ .heartbeat_s = 300 }, &after);
    CHECK(charger_fact(world_charger_at(after.w, 0))->connection == CONNECTION_DISCONNECTED,
          "nobody is connected to a new process");
    world_settle(after.w, T0 + 70000);
    CHECK(scene_count(&after, FACT_CHARGER) == 1 &&
              scene_last(&after, FACT_CONNECTION)->u.connection.event == CONNECTION_CLOSED,
          "and that is told");
    scene_forget(&after);
    world_tick(after.w, T0 + 71000, no_overdue, NULL);
    CHECK(after.count == 0, "once");
    scene_close(&s);
    scene_close(&after);
}

int main(void)
{
    RUN(test_rebuilt);
    RUN(test_connected_when_it_ended);
    return check_end();
}
