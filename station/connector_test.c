/* station/connector_test.c - every state with every event, against the table of OCPP 1.6 §4.9
 * written down a second time. */
#include "station/world_test.h"

/* Moves that the specification knows: from A Available .. I Faulted, to 1 Available .. 9 Faulted.
 */
static const char *const spec[] = { "",       "2345789", "134569", "145689", "135689",
                                    "134689", "1289",    "1289",   "123459", "12345678" };
/* states here in the order of enum amp_status, which has SuspendedEVSE before SuspendedEV; the
 * specification's letters have not */
static const char letters[] = " ABCEDFGHI";
static const char digits[] = " 123546789";

/* Which events can ever move a state. */
static const struct {
    int state;
    unsigned events;
} possible[] = {
    { AMP_AVAILABLE, 1u << AMP_EV_PLUG | 1u << AMP_EV_CLAIM | 1u << AMP_EV_RESERVE |
                         1u << AMP_EV_CLOSE | 1u << AMP_EV_FAULT },
    { AMP_PREPARING, 1u << AMP_EV_UNPLUG | 1u << AMP_EV_CANCEL | 1u << AMP_EV_EXPIRE |
                         1u << AMP_EV_ENERGY | 1u << AMP_EV_PAUSE_EV | 1u << AMP_EV_PAUSE_EVSE |
                         1u << AMP_EV_FAULT },
    { AMP_CHARGING,
      1u << AMP_EV_TX_END | 1u << AMP_EV_PAUSE_EV | 1u << AMP_EV_PAUSE_EVSE | 1u << AMP_EV_FAULT },
    { AMP_SUSPENDED_EVSE,
      1u << AMP_EV_TX_END | 1u << AMP_EV_PAUSE_EV | 1u << AMP_EV_ENERGY | 1u << AMP_EV_FAULT },
    { AMP_SUSPENDED_EV,
      1u << AMP_EV_TX_END | 1u << AMP_EV_PAUSE_EVSE | 1u << AMP_EV_ENERGY | 1u << AMP_EV_FAULT },
    { AMP_FINISHING, 1u << AMP_EV_UNPLUG | 1u << AMP_EV_PLUG | 1u << AMP_EV_CLAIM |
                         1u << AMP_EV_CLOSE | 1u << AMP_EV_FAULT },
    { AMP_RESERVED,
      1u << AMP_EV_UNRESERVE | 1u << AMP_EV_CLAIM | 1u << AMP_EV_CLOSE | 1u << AMP_EV_FAULT },
    { AMP_UNAVAILABLE, 1u << AMP_EV_OPEN | 1u << AMP_EV_FAULT },
    { AMP_FAULTED, 1u << AMP_EV_CLEAR },
};

static struct amp_connector facts(unsigned bits)
{
    struct amp_connector c = { 0 };

    c.plugged = bits & 1;
    c.claimed = bits >> 1 & 1;
    c.cable_held = bits >> 2 & 1;
    c.wants = bits >> 3 & 1;
    c.tx.open = bits >> 4 & 1;
    c.tx.blocked = bits >> 5 & 1;
    c.inoperative = bits >> 6 & 1;
    c.over = bits >> 7 & 1;
    c.auth.state = bits >> 8 & 1;
    return c;
}

/* S32 */
static void test_every_state_with_every_event(void)
{
    unsigned moved = 0, rows = 0;
    bool used[128] = { false };

    for (int state = AMP_AVAILABLE; state <= AMP_FAULTED; state++)
        for (int ev = 0; ev < AMP_EVENTS; ev++) {
            bool ever = false;

            for (unsigned bits = 0; bits < 512; bits++) {
                struct amp_connector c = facts(bits);
                int next, row = amp_connector_find(state, (enum amp_move_event)ev, &c);
                const char *name;

                if (row < 0)
                    continue;
                name = amp_connector_move(row, &next);
                ever = used[row] = true;
                moved++;
                CHECK(name[0] == letters[state] && name[1] == digits[next] && !name[2],
                      "%d with %d is called %s", state, ev, name);
                CHECK(next != state && strchr(spec[letters[state] - 'A' + 1], name[1]) != NULL,
                      "%s is no move of the specification", name);
            }
            CHECK(ever == (possible[state - 1].events >> ev & 1), "state %d, event %d", state, ev);
        }
    for (unsigned i = 0; i < AMP_COUNT(used); i++)
        rows += used[i];
    CHECK(moved > 0 && rows >= 50, "%u moves, %u rows", moved, rows);
}

/* S40: what became of the connector meanwhile decides where a fault ends */
static void test_end_of_a_fault(void)
{
    static const struct {
        const char *why;
        unsigned bits;
        int next;
        /* clang-format off */
    } cases[] = {
        { "nothing there",                0,               AMP_AVAILABLE },
        { "a plug",                       1,               AMP_PREPARING },
        { "a tag",                        2,               AMP_PREPARING },
        { "a session is over, plug in",   1 | 128,         AMP_FINISHING },
        { "session over, cable locked",   4 | 128,         AMP_FINISHING },
        { "charging",                     1 | 8 | 16,      AMP_CHARGING },
        { "the car pauses",               1 | 16,          AMP_SUSPENDED_EV },
        { "we pause",                     1 | 8 | 16 | 32, AMP_SUSPENDED_EVSE },
        { "both: we win",                 1 | 16 | 32,     AMP_SUSPENDED_EVSE },
        { "switched off",                 64,              AMP_UNAVAILABLE },
        { "charging, to be switched off", 1 | 8 | 16 | 64, AMP_CHARGING },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_connector c = facts(cases[i].bits);
        int next = 0, row = amp_connector_find(AMP_FAULTED, AMP_EV_CLEAR, &c);

        CHECK(row >= 0 && amp_connector_move(row, &next) && next == cases[i].next, "%s: %d",
              cases[i].why, next);
    }
}

/* S32: the station itself has three states */
static void test_connector_zero(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 100);
    for (int ev = 0; ev < AMP_EVENTS; ev++) {
        (void)amp_connector_step(w.st, 0, (enum amp_move_event)ev);
        CHECK(w.st->con[0].status == AMP_AVAILABLE || w.st->con[0].status == AMP_UNAVAILABLE ||
                  w.st->con[0].status == AMP_FAULTED,
              "event %d: %d", ev, w.st->con[0].status);
    }
    world_close(&w);
}

int main(void)
{
    RUN(test_every_state_with_every_event);
    RUN(test_end_of_a_fault);
    RUN(test_connector_zero);
    return check_end();
}
