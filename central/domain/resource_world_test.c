/* central/domain/resource_world_test.c - reservations, charging profiles and local lists under
 * random histories: their last facts rebuild the same, applied twice change nothing, and the
 * rebuilt world goes on in the same way. (An update of a local list that is under way is begun
 * again after a restart, so lists are compared as they stand.) */
#include "central/domain/local_list.h"
#include "central/domain/profile.h"
#include "central/domain/reservation.h"
#include "central/domain/scene.h"
#include <inttypes.h>

#define CHARGERS 2
#define STEPS    300

struct history {
    uint32_t random;
    int64_t now_ms;
    bool lists; /* may lists change? */
};

static uint32_t draw(struct history *h, uint32_t n)
{
    h->random = h->random * 1664525u + 1013904223u;
    return (h->random >> 8) % n;
}

static const char *const tags[] = { "GOOD", "FRIEND", "BAD", "LONER" };
static const char *const words[] = { "Available", "Reserved", "Faulted", "Unavailable" };

static void command(struct history *h, struct world *w, struct charger *c)
{
    static const char *const actions[] = { "ReserveNow", "CancelReservation", "SetChargingProfile",
                                           "ClearChargingProfile", "RemoteStartTransaction" };
    char payload[640];
    const char *action = actions[draw(h, AMP_COUNT(actions))], *tag = tags[draw(h, 4)];
    unsigned id = 1 + draw(h, 12), connector = draw(h, 3), stack = draw(h, 2),
             minutes = draw(h, 10);

    /* each finds its own fields */
    snprintf(payload, sizeof payload,
             "{\"connectorId\":%u,\"idTag\":\"%s\",\"reservationId\":%u,\"expiryDate\":"
             "\"2024-06-01T08:0%u:00Z\",\"csChargingProfiles\":{\"chargingProfileId\":%u,"
             "\"stackLevel\":%u,"
             "\"chargingProfilePurpose\":\"TxDefaultProfile\"},\"chargingProfile\":{"
             "\"chargingProfileId\":%u,"
             "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\"},\"stackLevel\":%u}",
             connector, tag, id, minutes, id, stack, 20 + id, stack);
    world_command(w, c,
                  &(struct command_fact){ .connector = (int32_t)connector,
                                          .action = amp_text_of(action),
                                          .payload = amp_text_of(payload) },
                  h->now_ms);
}

static void answer(struct history *h, struct world *w, struct charger *c)
{
    static const struct {
        int state;
        const char *text;
    } answers[] = { { COMMAND_ACCEPTED, "{\"status\":\"Accepted\",\"listVersion\":3}" },
                    { COMMAND_ACCEPTED, "{\"status\":\"Accepted\",\"listVersion\":0}" },
                    { COMMAND_REJECTED, "{\"status\":\"VersionMismatch\"}" },
                    { COMMAND_ERROR, "InternalError" },
                    { COMMAND_TIMED_OUT, "no answer in time" } };
    const struct command_fact *k = world_command_next(w, c);
    int64_t key = k ? k->key : 0;
    uint32_t which = draw(h, 9);

    if (!k)
        return;
    world_command_change(w, key,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("m") },
                         h->now_ms);
    which = which < AMP_COUNT(answers) ? which : 0;
    world_command_change(w, key,
                         &(struct command_change){ .state = answers[which].state,
                                                   .answer = amp_text_of(answers[which].text) },
                         h->now_ms);
}

static void no_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c, (void)session;
}

static void list_step(struct history *h, struct world *w, struct charger *c)
{
    const char *tag = tags[draw(h, 4)];
    uint32_t which = draw(h, 5);

    if (which == 0)
        world_list_add(w, ORG_DEFAULT, AMP_TEXT("L"), amp_text_of(tag));
    else if (which == 1)
        world_list_drop(w, ORG_DEFAULT, AMP_TEXT("L"), amp_text_of(tag));
    else if (which == 2)
        world_put_tag(w, &(struct tag_fact){ .org = ORG_DEFAULT,
                                             .tag = amp_text_of(tag),
                                             .status = AMP_TEXT("Accepted"),
                                             .note = amp_text_of(tags[draw(h, 4)]),
                                             .deleted = draw(h, 4) == 0 });
    else if (which == 3)
        world_assign_list(w, c, draw(h, 3) ? AMP_TEXT("L") : AMP_NO_TEXT, 1, false, h->now_ms);
    else
        world_sync(w, c, h->now_ms);
}

static void step(struct history *h, struct world *w)
{
    struct charger *c = world_charger_at(w, draw(h, CHARGERS));
    uint32_t which = draw(h, h->lists ? 12 : 9), connector = draw(h, 3);
    struct amp_text tag = amp_text_of(tags[draw(h, 4)]);
    struct tag_answer a;
    int32_t interval_s;

    h->now_ms += draw(h, 3) * 1000;
    switch (which) {
    case 0:
    case 1:
        command(h, w, c);
        break;
    case 2:
    case 3:
    case 4:
        answer(h, w, c);
        break;
    case 5:
        world_status(w, c, (int)connector,
                     &(struct connector_fact){ .status = amp_text_of(words[draw(h, 4)]),
                                               .error = AMP_TEXT("NoError"),
                                               .seen_ms = h->now_ms });
        break;
    case 6:
        world_start(w, c,
                    &(struct start_info){ .connector = 1 + (int)draw(h, 2),
                                          .tag = tag,
                                          .meter_wh = h->now_ms,
                                          .at_ms = h->now_ms,
                                          .reservation = draw(h, 12) },
                    h->now_ms, &a);
        break;
    case 7:
        world_stop(w, c,
                   &(struct stop_info){
                       .transaction = draw(h, 30), .meter_wh = h->now_ms, .at_ms = h->now_ms },
                   h->now_ms, &a);
        break;
    case 8:
        if (draw(h, 4) == 0)
            world_boot(w, c, &(struct boot_info){ .vendor = tag }, &interval_s, h->now_ms);
        else
            world_tick(w, h->now_ms, no_overdue, NULL);
        break;
    default:
        list_step(h, w, c);
    }
}

/* ---- looking ---- */

static void put(FILE *out, struct amp_text t)
{
    fprintf(out, " '%.*s'", AMP_FMT(t));
}

static void put_reservation(FILE *out, const struct reservation_fact *f)
{
    fprintf(out, "r %" PRId64 " %" PRId64 " %d %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
            f->key, f->charger, f->connector, f->state, f->expiry_ms, f->command, f->cancel,
            f->transaction);
    put(out, f->tag), put(out, f->why), fputc('\n', out);
}

static void put_installed(FILE *out, const struct installed_fact *f)
{
    fprintf(out, "p %" PRId64 " %" PRId64 " %d %d %d %" PRId64 " %" PRId64, f->charger, f->id,
            f->connector, f->state, f->stack, f->transaction, f->command);
    put(out, f->body), put(out, f->pending), put(out, f->why), fputc('\n', out);
}

static char *portrait(struct world *w)
{
    const struct list_entry_fact *e;
    char *at = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&at, &len);

    for (int64_t id = 1; id <= 60; id++)
        if (world_reservation(w, id))
            put_reservation(out, world_reservation(w, id));
    for (size_t i = 0; i < CHARGERS; i++) {
        struct charger *c = world_charger_at(w, i);
        const struct charger_list_fact *l = charger_list(c);

        for (size_t k = 0; charger_reservation(c, k); k++)
            fprintf(out, "open %" PRId64 "\n", charger_reservation(c, k)->key);
        for (size_t k = 0; charger_profile(c, k); k++)
            put_installed(out, charger_profile(c, k));
        if (l)
            fprintf(out, "l %d %d %" PRId64 " %" PRId64 " %" PRId64 "\n", l->state,
                    charger_list_state(w, c), l->version, l->revision, l->sent);
    }
    for (e = world_list_next(w, ORG_DEFAULT, AMP_TEXT("L"), AMP_TEXT("")); e;
         e = world_list_next(w, ORG_DEFAULT, AMP_TEXT("L"), e->tag)) {
        fprintf(out, "e %" PRId64, e->revision);
        put(out, e->tag), fputc('\n', out);
    }
    fclose(out);
    return at;
}

static char *emitted(const struct scene *s)
{
    char *at = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&at, &len);

    for (size_t i = 0; i < s->count; i++)
        if (s->facts[i]->kind == FACT_RESERVATION)
            put_reservation(out, &s->facts[i]->u.reservation);
        else if (s->facts[i]->kind == FACT_INSTALLED)
            put_installed(out, &s->facts[i]->u.installed);
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
    free(a), free(b);
}

/* Kinds in the order of the store's replay; all facts of a kind, old ones first, twice. */
static void rebuild(const struct scene *from, const struct world_config *config, struct scene *to)
{
    static const enum fact_kind order[] = { FACT_CHARGER,  FACT_CONNECTOR,  FACT_TRANSACTION,
                                            FACT_TAG,      FACT_COMMAND,    FACT_RESERVATION,
                                            FACT_LIST,     FACT_LIST_ENTRY, FACT_CHARGER_LIST,
                                            FACT_INSTALLED };

    *to = (struct scene){ 0 };
    to->w = world_new(config, scene_emit, to);
    for (size_t k = 0; k < AMP_COUNT(order); k++)
        for (int twice = 0; twice < 2; twice++)
            for (size_t i = 0; i < from->count; i++)
                if (from->facts[i]->kind == order[k])
                    world_apply(to->w, from->facts[i]);
    CHECK(to->count == 0, "a replay emits nothing");
}

static void one_history(uint32_t seed, bool lists)
{
    static const struct world_config config = { .heartbeat_s = 3000000,
                                                .stale_after_s = 90,
                                                .accept_unknown = true };
    struct history h = { .random = seed, .now_ms = T0, .lists = lists }, h2;
    struct scene first = { 0 }, second;
    int sessions[CHARGERS];

    first.w = world_new(&config, scene_emit, &first);
    for (size_t i = 0; i < CHARGERS; i++) {
        char id[] = { 'C', (char)('1' + i), 0 };
        struct charger *c = world_charger_meet(first.w, amp_text_of(id), T0);

        world_connected(first.w, c, &sessions[i], AMP_TEXT("ocpp1.6"), AMP_TEXT("x"), T0);
    }
    for (size_t i = 0; i < AMP_COUNT(tags); i++)
        scene_tag(&first, tags[i], i == 2 ? "Blocked" : "Accepted", "FAMILY");
    world_put_list(first.w, &(struct list_fact){ .org = ORG_DEFAULT, .name = AMP_TEXT("L") }, T0);
    for (int i = 0; i < STEPS; i++)
        step(&h, first.w);
    for (size_t i = 0; i < CHARGERS; i++)
        world_disconnected(first.w, world_charger_at(first.w, i), &sessions[i], 1001, AMP_NO_TEXT,
                           h.now_ms);
    rebuild(&first, &config, &second);
    check_same(portrait(first.w), portrait(second.w), "the worlds", seed);
    scene_forget(&first);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < CHARGERS; i++) {
            struct world *w = k ? second.w : first.w;

            world_connected(w, world_charger_at(w, i), &sessions[i], AMP_TEXT("ocpp1.6"),
                            AMP_TEXT("x"), h.now_ms);
        }
    scene_forget(&first), scene_forget(&second);
    h2 = h;
    for (int i = 0; i < STEPS && !lists; i++) {
        step(&h, first.w);
        step(&h2, second.w);
    }
    check_same(emitted(&first), emitted(&second), "the facts of the time after", seed);
    scene_close(&first);
    scene_close(&second);
}

static void test_rebuilt(void)
{
    for (uint32_t seed = 1; seed <= 100 && !check_bad; seed++)
        one_history(seed, false);
}

static void test_lists_rebuilt(void)
{
    for (uint32_t seed = 1; seed <= 100 && !check_bad; seed++)
        one_history(seed, true);
}

int main(void)
{
    RUN(test_rebuilt);
    RUN(test_lists_rebuilt);
    return check_end();
}
