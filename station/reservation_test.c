/* station/reservation_test.c - ReserveNow and CancelReservation, who may charge meanwhile, and the
 * power going at every write. station-1.6 72, 112, 136-141. */
#include "station/world_test.h"

#define ACCEPTED    "{\"status\":\"Accepted\"}"
#define REJECTED    "{\"status\":\"Rejected\"}"
#define OCCUPIED    "{\"status\":\"Occupied\"}"
#define FAULTED     "{\"status\":\"Faulted\"}"
#define UNAVAILABLE "{\"status\":\"Unavailable\"}"
#define HOUR        3600000

/* For `ms` from now. */
static const char *reserve(struct world *w, int connector, int id, const char *tag,
                           const char *parent, int64_t ms)
{
    char payload[300], at[40], group[80] = "";

    if (parent)
        snprintf(group, sizeof(group), ",\"parentIdTag\":\"%s\"", parent);
    snprintf(payload, sizeof(payload),
             "{\"connectorId\":%d,\"expiryDate\":\"%s\",\"idTag\":\"%s\",\"reservationId\":%d%s}",
             connector, amp_time_text(UNIX0 + (int64_t)w->now + ms, at), tag, id, group);
    return world_call(w, "ReserveNow", payload);
}

static const char *cancel(struct world *w, int id)
{
    char payload[60];

    snprintf(payload, sizeof(payload), "{\"reservationId\":%d}", id);
    return world_call(w, "CancelReservation", payload);
}

static void ready(struct world *w)
{
    world_open(w);
    world_run(w, 10);
    world_mark(w);
}

/* StartTransactions on file that carried this number. */
static unsigned starts(const struct world *w, int64_t id)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w->tx_count; i++)
        n += w->tx[i].reserved && w->tx[i].reservation == id;
    return n;
}

/* ---- answers ---- */

static void charging(struct world *w)
{
    world_plug(w, 1, true);
    world_tag(w, 1, "TAG9");
}

static void plugged(struct world *w)
{
    world_plug(w, 1, true);
}

static void faulted(struct world *w)
{
    CHECK(amp_station_fault(w->st, 1, AMP_ERROR_GROUND, AMP_NO_TEXT, w->now) == 0, "fault");
    world_settle(w);
}

static void all_faulted(struct world *w)
{
    CHECK(amp_station_fault(w->st, 0, AMP_ERROR_INTERNAL, AMP_NO_TEXT, w->now) == 0, "fault");
    world_settle(w);
}

static void closed(struct world *w)
{
    world_call(w, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}");
}

static void all_closed(struct world *w)
{
    world_call(w, "ChangeAvailability", "{\"connectorId\":0,\"type\":\"Inoperative\"}");
}

static void reserved(struct world *w)
{
    CHECK(!strcmp(reserve(w, 1, 99, "TAG9", NULL, HOUR), ACCEPTED), "%s", w->reply);
}

static void any_reserved(struct world *w)
{
    CHECK(!strcmp(reserve(w, 0, 98, "TAG9", NULL, HOUR), ACCEPTED), "%s", w->reply);
}

static void one_busy_any_reserved(struct world *w)
{
    world_plug(w, 2, true);
    any_reserved(w);
}

static void closing_soon(struct world *w)
{
    charging(w);
    closed(w);
}

static void both_busy(struct world *w)
{
    charging(w);
    world_plug(w, 2, true);
}

/* S136 */
static void test_answers(void)
{
    static const struct {
        const char *why;
        void (*before)(struct world *w);
        int connector, id;
        int64_t ms;
        const char *answer;
        /* clang-format off */
    } cases[] = {
        { "free",                       NULL,                  1, 1,  HOUR,  ACCEPTED },
        { "any",                        NULL,                  0, 1,  HOUR,  ACCEPTED },
        { "charging",                   charging,              1, 1,  HOUR,  OCCUPIED },
        { "the other one",              charging,              2, 1,  HOUR,  ACCEPTED },
        { "any, one is left",           charging,              0, 1,  HOUR,  ACCEPTED },
        { "any, none is left",          both_busy,             0, 1,  HOUR,  OCCUPIED },
        { "a car is there",             plugged,               1, 1,  HOUR,  OCCUPIED },
        { "faulted",                    faulted,               1, 1,  HOUR,  FAULTED },
        { "any, one is faulted",        faulted,               0, 1,  HOUR,  ACCEPTED },
        { "the station is",             all_faulted,           2, 1,  HOUR,  FAULTED },
        { "any, the station is",        all_faulted,           0, 1,  HOUR,  FAULTED },
        { "unavailable",                closed,                1, 1,  HOUR,  UNAVAILABLE },
        { "any, one is unavailable",    closed,                0, 1,  HOUR,  ACCEPTED },
        { "the station is",             all_closed,            2, 1,  HOUR,  UNAVAILABLE },
        { "any, the station is",        all_closed,            0, 1,  HOUR,  UNAVAILABLE },
        { "soon unavailable",           closing_soon,          1, 1,  HOUR,  UNAVAILABLE },
        { "reserved",                   reserved,              1, 1,  HOUR,  OCCUPIED },
        { "reserved, the same number",  reserved,              1, 99, HOUR,  ACCEPTED },
        { "reserved, to the other one", reserved,              2, 99, HOUR,  ACCEPTED },
        { "reserved, to any",           reserved,              0, 99, HOUR,  ACCEPTED },
        { "any was, any again",         any_reserved,          0, 1,  HOUR,  OCCUPIED },
        { "any was, the same number",   any_reserved,          1, 98, HOUR,  ACCEPTED },
        { "any was, one remains",       any_reserved,          1, 1,  HOUR,  ACCEPTED },
        { "any was, it is the last",    one_busy_any_reserved, 1, 1,  HOUR,  OCCUPIED },
        { "no such connector",          NULL,                  3, 1,  HOUR,  REJECTED },
        { "in the past",                NULL,                  1, 1,  -1000, REJECTED },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        ready(&w);
        if (cases[i].before)
            cases[i].before(&w);
        reserve(&w, cases[i].connector, cases[i].id, "TAG1", NULL, cases[i].ms);
        CHECK(!strcmp(w.reply, cases[i].answer), "%s: %s", cases[i].why, w.reply);
        if (!strcmp(cases[i].answer, ACCEPTED) && cases[i].connector)
            CHECK(world_status(&w, cases[i].connector) == AMP_RESERVED, "%s", cases[i].why);
        world_close(&w);
    }
}

/* S136, S138: the same number replaces: place, tag and time are the new ones */
static void test_replaced(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 1, 5, "TAG1", NULL, HOUR);
    world_mark(&w);
    CHECK(!strcmp(reserve(&w, 2, 5, "TAG2", NULL, 2 * HOUR), ACCEPTED), "%s", w.reply);
    CHECK_TRACE(&w, "ok:ReserveNow S1:Available S2:Reserved");
    world_power(&w);
    world_run(&w, HOUR + 5000);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE && world_status(&w, 2) == AMP_RESERVED, "stored");
    world_plug(&w, 2, true);
    world_tag(&w, 2, "TAG1");
    CHECK(w.started == 0, "not any more");
    world_tag(&w, 2, "TAG2");
    CHECK(w.started == 1 && w.tx_count == 1, "TAG2");
    /* with a time that is over it only ends */
    reserve(&w, 1, 6, "TAG1", NULL, HOUR);
    world_mark(&w);
    CHECK(!strcmp(reserve(&w, 1, 6, "TAG1", NULL, -1), REJECTED), "S141: %s", w.reply);
    CHECK_TRACE(&w, "ok:ReserveNow S1:Available");
    world_close(&w);
}

/* ---- who may ---- */

/* S137, S139, S72: others are refused without a question; the tag itself begins, and only then the
 * reservation is over */
static void test_own_tag(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 1, 7, "TAG1", NULL, HOUR);
    CHECK_TRACE(&w, "ok:ReserveNow S1:Reserved");
    world_plug(&w, 1, true); /* a car in front of it changes nothing */
    world_mark(&w);
    world_tag(&w, 1, "TAG2");
    CHECK_TRACE(&w, "");
    world_plug(&w, 1, false);
    world_tag(&w, 1, "tag1");
    CHECK_TRACE(&w, "S1:Preparing Auth:tag1");
    world_run(&w, 61000); /* nobody plugs in */
    CHECK_TRACE(&w, "S1:Preparing Auth:tag1 S1:Reserved");
    world_tag(&w, 1, "TAG1");
    world_tag(&w, 1, "TAG1"); /* shown twice: cancelled (63) */
    CHECK(world_status(&w, 1) == AMP_RESERVED, "kept");
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    world_plug(&w, 1, true);
    CHECK_TRACE(&w, "Start1 S1:SuspendedEV S1:Charging");
    world_tag(&w, 1, "TAG1");
    world_plug(&w, 1, false);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE, "used up");
    CHECK(!strcmp(cancel(&w, 7), REJECTED), "%s", w.reply);
    world_close(&w);
}

/* S72: the number travels with the start, also when it is delivered later, after a restart; only
 * with the start that it belongs to */
static void test_number_sent(void)
{
    for (int offline = 0; offline < 2; offline++) {
        struct world w;

        ready(&w);
        world_plug(&w, 2, true);
        world_tag(&w, 2, "TAG1");
        CHECK(w.started == 1 && starts(&w, -7) == 0, "not reserved: no number");
        reserve(&w, 1, -7, "TAG1", NULL, HOUR); /* any integer is a number */
        world_tag(&w, 2, "TAG1");
        world_plug(&w, 2, false);
        if (offline) {
            w.refuse = true;
            world_hang_up(&w);
        }
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
        CHECK(w.started == 2, "begins");
        if (offline) {
            CHECK(starts(&w, -7) == 0, "nobody heard it yet");
            w.refuse = false;
            world_power(&w);
            world_run(&w, 400000);
        }
        CHECK(w.tx_count == 2 && starts(&w, -7) == 1, "%u told with the number", starts(&w, -7));
        /* the number again, while the old start may still be in the journal */
        world_plug(&w, 1, false);
        CHECK(!strcmp(reserve(&w, 1, -7, "TAG3", NULL, HOUR), ACCEPTED), "%s", w.reply);
        for (int i = 0; i < 2000; i++)
            (void)amp_config_change(w.st, AMP_TEXT("ResetRetries"), AMP_TEXT("2"));
        world_power(&w);
        world_run(&w, 1000);
        CHECK(world_status(&w, 1) == AMP_RESERVED, "another reservation");
        world_close(&w);
    }
}

/* S137: the group: known on the station, asked for, or not the same */
static void test_group(void)
{
    static const struct {
        const char *why, *parent, *listed; /* what Authorize says; what the local list says */
        bool online, starts;
        const char *trace;
    } cases[] = {
        { "asked: the same", "FAM", NULL, true, true, "Auth:TAG2 S1:Preparing Start1 S1:Charging" },
        { "asked: without case", "fam", NULL, true, true,
          "Auth:TAG2 S1:Preparing Start1 S1:Charging" },
        { "asked: another", "OTHER", NULL, true, false, "Auth:TAG2" },
        { "asked: none", NULL, NULL, true, false, "Auth:TAG2" },
        { "listed: the same", "FAM", "FAM", true, true,
          "S1:Preparing Auth:TAG2 Start1 S1:Charging" },
        { "listed: another", "FAM", "OTHER", true, false, "" },
        { "off line, listed: the same", NULL, "FAM", false, true, "" },
        { "off line, listed: another", NULL, "OTHER", false, false, "" },
        { "off line, unknown", NULL, NULL, false, false, "" },
    };

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;
        char list[300];

        ready(&w);
        world_set(&w, "AllowOfflineTxForUnknownId", "true");
        snprintf(list, sizeof(list),
                 "{\"listVersion\":1,\"updateType\":\"Full\",\"localAuthorizationList\":[{"
                 "\"idTag\":\"TAG2\",\"idTagInfo\":{\"status\":\"Accepted\",\"parentIdTag\":"
                 "\"%s\"}}]}",
                 cases[i].listed ? cases[i].listed : "");
        if (cases[i].listed)
            world_call(&w, "SendLocalList", list);
        CHECK(!strcmp(reserve(&w, 1, 3, "TAG1", "FAM", HOUR), ACCEPTED), "%s", w.reply);
        if (!cases[i].online) {
            w.refuse = true;
            world_hang_up(&w);
        }
        w.parent = cases[i].parent;
        world_plug(&w, 1, true);
        world_mark(&w);
        world_tag(&w, 1, "TAG2");
        CHECK((w.started == 1) == cases[i].starts, "%s", cases[i].why);
        CHECK(!strcmp(w.trace, cases[i].trace), "%s: %s", cases[i].why, w.trace);
        CHECK(world_status(&w, 1) == (cases[i].starts ? AMP_CHARGING : AMP_RESERVED), "%s",
              cases[i].why);
        world_close(&w);
    }
}

/* The reader for all connectors finds the reserved one, and leads others elsewhere. */
static void test_common_reader(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 1, 4, "TAG1", NULL, HOUR);
    world_mark(&w);
    world_tag(&w, 0, "TAG2");
    CHECK_TRACE(&w, "S2:Preparing Auth:TAG2");
    world_plug(&w, 2, true);
    world_mark(&w);
    world_tag(&w, 0, "TAG3"); /* nothing is left for it */
    CHECK_TRACE(&w, "");
    world_tag(&w, 0, "TAG1");
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1");
    world_close(&w);
}

/* S112 */
static void test_remote(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 1, 4, "TAG1", "FAM", HOUR);
    reserve(&w, 2, 5, "TAG2", NULL, HOUR);
    CHECK(!strcmp(world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"X\",\"connectorId\":2}"),
                  REJECTED),
          "for somebody else: %s", w.reply);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"TAG2\"}");
    CHECK(!strcmp(w.reply, ACCEPTED) && world_status(&w, 2) == AMP_PREPARING, "finds its own: %s",
          w.reply);
    /* the group of this one has to be asked for, whatever AuthorizeRemoteTxRequests says */
    world_mark(&w);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"X\",\"connectorId\":1}");
    CHECK(!strcmp(w.reply, ACCEPTED), "%s", w.reply);
    CHECK_TRACE(&w, "ok:RemoteStartTransaction Auth:X");
    CHECK(world_status(&w, 1) == AMP_RESERVED, "another group");
    w.parent = "FAM";
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"Y\",\"connectorId\":1}");
    CHECK(world_status(&w, 1) == AMP_PREPARING, "the same group");
    world_plug(&w, 1, true);
    CHECK(w.started == 1, "begins");
    CHECK(!strcmp(cancel(&w, 4), REJECTED), "and ends the reservation: %s", w.reply);
    world_close(&w);
}

/* ---- ends ---- */

/* S138, S141 */
static void test_ends(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 1, 1, "TAG1", NULL, 600000);
    world_mark(&w);
    world_run(&w, 599000);
    CHECK(world_status(&w, 1) == AMP_RESERVED, "in time");
    world_run(&w, 2000);
    CHECK(strstr(w.trace, "S1:Available") && world_status(&w, 1) == AMP_AVAILABLE, "expired: %s",
          w.trace);
    CHECK(!strcmp(cancel(&w, 1), REJECTED), "%s", w.reply);

    reserve(&w, 1, 2, "TAG1", NULL, HOUR);
    world_mark(&w);
    CHECK(!strcmp(cancel(&w, 77), REJECTED), "unknown: %s", w.reply);
    CHECK(!strcmp(cancel(&w, 2), ACCEPTED), "%s", w.reply);
    CHECK_TRACE(&w, "ok:CancelReservation ok:CancelReservation S1:Available");

    reserve(&w, 1, 3, "TAG1", NULL, HOUR);
    faulted(&w);
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_NONE, AMP_NO_TEXT, w.now) == 0, "clear");
    world_settle(&w);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE && !strcmp(cancel(&w, 3), REJECTED), "fault");

    reserve(&w, 1, 4, "TAG1", NULL, HOUR);
    reserve(&w, 2, 5, "TAG2", NULL, HOUR);
    closed(&w);
    CHECK(world_status(&w, 1) == AMP_UNAVAILABLE && !strcmp(cancel(&w, 4), REJECTED), "closed");
    CHECK(world_status(&w, 2) == AMP_RESERVED, "the other one stays");
    all_faulted(&w);
    CHECK(!strcmp(cancel(&w, 5), REJECTED), "the station is faulted");
    world_power(&w);
    world_run(&w, 1000);
    CHECK(world_status(&w, 2) == AMP_AVAILABLE, "for good");
    world_close(&w);
}

/* A car that waits when the reservation ends is one that waits for its tag. */
static void test_car_waits(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 1, 1, "TAG1", NULL, 600000);
    world_plug(&w, 1, true);
    CHECK(world_status(&w, 1) == AMP_RESERVED, "in vain");
    world_run(&w, 601000);
    CHECK(world_status(&w, 1) == AMP_PREPARING, "now it may");
    world_tag(&w, 1, "TAG2");
    CHECK(w.started == 1, "begins");
    world_close(&w);
}

/* S141: persisted; what expired in the dark is over as soon as the time is known */
static void test_persisted(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 1, 1, "TAG1", "FAM", HOUR);
    reserve(&w, 2, 2, "TAG2", NULL, 2 * HOUR);
    world_power(&w);
    CHECK(world_status(&w, 1) == AMP_RESERVED && world_status(&w, 2) == AMP_RESERVED,
          "from the beginning");
    world_mark(&w);
    world_run(&w, 1000);
    CHECK_TRACE(&w, "Boot S0:Available S1:Reserved S2:Reserved");
    w.mem.cut = true;
    w.now += HOUR + 10;
    world_power(&w);
    CHECK(world_status(&w, 1) == AMP_RESERVED, "the time is not known yet");
    world_run(&w, 1000);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE && world_status(&w, 2) == AMP_RESERVED, "expired");
    /* a compaction keeps what holds */
    for (int i = 0; i < 2000; i++)
        (void)amp_config_change(w.st, AMP_TEXT("ResetRetries"), AMP_TEXT("2"));
    CHECK(w.st->journal.compactions > 0, "compacted");
    world_power(&w);
    world_run(&w, 1000);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE && world_status(&w, 2) == AMP_RESERVED, "kept");
    CHECK(!strcmp(cancel(&w, 2), ACCEPTED), "%s", w.reply);
    world_close(&w);
}

/* S138: a station that never learns the time again does not keep a connector for ever */
static void test_clock_lost(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 1, 1, "TAG1", NULL, HOUR);
    world_run(&w, 1000);
    w.refuse = true;
    world_power(&w);
    world_run(&w, HOUR - 5000);
    CHECK(world_status(&w, 1) == AMP_RESERVED, "as long as it was made for");
    world_run(&w, 10000);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE, "and no longer");
    world_close(&w);
}

/* ---- connector 0 ---- */

/* S140: one stays free for the tag, and says Reserved when it is the last */
static void test_any(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 0, 8, "TAG1", NULL, HOUR);
    CHECK_TRACE(&w, "ok:ReserveNow"); /* two are free: none is reserved */
    world_plug(&w, 1, true);
    CHECK_TRACE(&w, "ok:ReserveNow S1:Preparing S2:Reserved");
    world_tag(&w, 2, "TAG2");
    CHECK(world_status(&w, 2) == AMP_RESERVED, "the last one is kept");
    world_plug(&w, 1, false);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE && world_status(&w, 2) == AMP_AVAILABLE,
          "again two");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG2");
    CHECK(w.started == 1 && world_status(&w, 2) == AMP_RESERVED, "somebody else at the other one");
    world_mark(&w);
    world_tag(&w, 0, "TAG1");
    CHECK_TRACE(&w, "S2:Preparing Auth:TAG1");
    world_plug(&w, 2, true);
    CHECK(w.started == 2 && !strcmp(cancel(&w, 8), REJECTED), "used up: %s", w.reply);
    world_close(&w);
}

/* S140: the only connector is the last one */
static void test_any_of_one(void)
{
    struct world w;

    world_defaults(&w);
    w.config.connectors = 1;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    world_mark(&w);
    CHECK(!strcmp(reserve(&w, 0, 8, "TAG1", "FAM", HOUR), ACCEPTED), "%s", w.reply);
    CHECK_TRACE(&w, "ok:ReserveNow S1:Reserved");
    CHECK(!strcmp(reserve(&w, 1, 9, "TAG2", NULL, HOUR), OCCUPIED), "%s", w.reply);
    world_tag(&w, 1, "TAG2");
    CHECK(world_status(&w, 1) == AMP_RESERVED, "another group");
    w.parent = "FAM";
    world_tag(&w, 0, "TAG3");
    CHECK(world_status(&w, 1) == AMP_PREPARING, "the group");
    world_plug(&w, 1, true);
    CHECK(w.tx_count == 1 && starts(&w, 8) == 1, "told with the number");
    world_close(&w);
}

/* S140: a car that was plugged in waits while the other connector is lost; met at any connector */
static void test_any_last_one(void)
{
    struct world w;

    ready(&w);
    reserve(&w, 0, 8, "TAG1", NULL, HOUR);
    world_plug(&w, 2, true);
    CHECK(world_status(&w, 1) == AMP_RESERVED, "kept");
    faulted(&w); /* the free one is gone: the reservation holds as long as one works */
    world_tag(&w, 2, "TAG2");
    CHECK(w.started == 0, "the last one that works is kept");
    world_tag(&w, 2, "TAG1");
    CHECK(w.started == 1, "for TAG1");
    CHECK(!strcmp(cancel(&w, 8), REJECTED), "%s", w.reply);
    world_tag(&w, 2, "TAG1");
    world_plug(&w, 2, false);
    /* all gone: over */
    reserve(&w, 0, 9, "TAG1", NULL, HOUR);
    CHECK(world_status(&w, 2) == AMP_RESERVED, "%s", w.reply);
    CHECK(amp_station_fault(w.st, 2, AMP_ERROR_GROUND, AMP_NO_TEXT, w.now) == 0, "fault");
    world_settle(&w);
    CHECK(!strcmp(cancel(&w, 9), REJECTED), "%s", w.reply);
    world_close(&w);
}

/* S140: expiry of the one for any connector */
static void test_any_expires(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 2, true);
    reserve(&w, 0, 8, "TAG1", NULL, 600000);
    CHECK(world_status(&w, 1) == AMP_RESERVED, "kept");
    world_power(&w);
    world_run(&w, 1000);
    CHECK(world_status(&w, 1) == AMP_RESERVED, "after a restart too");
    world_run(&w, 600000);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE, "over");
    world_close(&w);
}

/* ---- power cuts ---- */

/* Two reservations, one that is met and one that is cancelled, off line and on line. */
static void story(struct world *w)
{
    world_run(w, 2000);
    reserve(w, 1, 11, "TAG1", NULL, HOUR);
    reserve(w, 2, 12, "TAG2", "FAM", HOUR);
    world_run(w, 1000);
    world_plug(w, 1, true);
    world_tag(w, 1, "TAG1");
    world_run(w, 70000);
    w->refuse = true;
    world_hang_up(w);
    world_tag(w, 1, "TAG1");
    world_plug(w, 1, false);
    w->refuse = false;
    world_run(w, 30000);
    cancel(w, 12);
    reserve(w, 0, 13, "TAG3", NULL, HOUR);
    world_run(w, 1000);
    world_plug(w, 2, true);
    world_tag(w, 2, "TAG3");
    world_run(w, 10000);
}

/* Whatever was cut: a reservation is met once at most, and one that was met does not hold. */
static void check_story(struct world *w, unsigned n, size_t torn)
{
    for (int id = 11; id <= 13; id++) {
        bool met = starts(w, id) > 0;

        CHECK(starts(w, id) <= 1, "%u/%zu: %d is met %u times", n, torn, id, starts(w, id));
        for (int i = 0; i <= 2; i++)
            CHECK(!met || !w->st->reserved[i].active || w->st->reserved[i].id != id,
                  "%u/%zu: %d was met and holds", n, torn, id);
    }
    for (int i = 1; i <= 2; i++)
        CHECK((world_status(w, i) == AMP_RESERVED) == amp_reservation_holds(w->st, i),
              "%u/%zu: connector %d says %d", n, torn, i, world_status(w, i));
    for (unsigned i = 0; i < w->tx_count; i++)
        CHECK(w->tx[i].stops >= 1 && !w->tx[i].unknown, "%u/%zu: left open", n, torn);
    CHECK(amp_station_queued(w->st) == 0, "%u/%zu: nothing waits", n, torn);
    for (unsigned i = 0; i < w->tx_count; i++) /* who came for a reservation told so */
        CHECK(w->tx[i].reserved || !strcmp(w->tx[i].tag, "TAG3"), "%u/%zu: %s", n, torn,
              w->tx[i].tag);
}

/* S141, S72, S79 */
static void test_power_cut_at_every_write(void)
{
    struct world w;
    unsigned writes, held = 0, cuts = 0;

    world_open(&w);
    mem_arm(&w.mem, 0, MEM_FINE, 0);
    story(&w);
    writes = w.mem.writes;
    CHECK(starts(&w, 11) == 1 && starts(&w, 12) == 0 && starts(&w, 13) == 1, "the story itself");
    world_close(&w);
    CHECK(writes > 12, "%u writes", writes);
    for (unsigned n = 1; n <= writes; n++)
        for (size_t torn = 0; torn <= 120; torn += 24) {
            world_open(&w);
            mem_arm(&w.mem, n, MEM_CUT, torn);
            story(&w);
            CHECK(w.mem.cut, "write %u of %u is reached", n, writes);
            w.car[1].plugged = w.car[2].plugged = false;
            w.refuse = false;
            world_power(&w);
            world_run(&w, 400000);
            check_story(&w, n, torn);
            for (int i = 0; i <= 2; i++)
                held += w.st->reserved[i].active;
            cuts++;
            world_run(&w, 2 * HOUR);
            for (int i = 1; i <= 2; i++)
                CHECK(world_status(&w, i) == AMP_AVAILABLE, "%u/%zu: ends in time", n, torn);
            world_close(&w);
        }
    CHECK(held > 20, "%u held after a cut", held);
    printf("  %u cuts, %u reservations held after them\n", cuts, held);
}

/* What could not be stored was not promised. */
static void test_failing_write(void)
{
    struct world w;

    ready(&w);
    mem_arm(&w.mem, 1, MEM_FAIL, 0);
    CHECK(!strcmp(reserve(&w, 1, 1, "TAG1", NULL, HOUR), REJECTED), "%s", w.reply);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE, "nothing changed");
    CHECK(!strcmp(reserve(&w, 1, 1, "TAG1", NULL, HOUR), ACCEPTED), "%s", w.reply);
    mem_arm(&w.mem, 1, MEM_FAIL, 0);
    CHECK(!strcmp(cancel(&w, 1), REJECTED), "%s", w.reply);
    CHECK(world_status(&w, 1) == AMP_RESERVED, "nothing changed");
    world_set(&w, "ResetRetries", "2"); /* the journal is sound again */
    mem_arm(&w.mem, 2, MEM_FAIL, 0);    /* after what is learnt of the tag */
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1"); /* the start cannot be stored: no transaction, no end of this */
    CHECK(w.started == 0 && w.st->reserved[1].active, "still reserved");
    world_close(&w);
}

int main(void)
{
    RUN(test_answers);
    RUN(test_replaced);
    RUN(test_own_tag);
    RUN(test_number_sent);
    RUN(test_group);
    RUN(test_common_reader);
    RUN(test_remote);
    RUN(test_ends);
    RUN(test_car_waits);
    RUN(test_persisted);
    RUN(test_clock_lost);
    RUN(test_any);
    RUN(test_any_of_one);
    RUN(test_any_last_one);
    RUN(test_any_expires);
    RUN(test_power_cut_at_every_write);
    RUN(test_failing_write);
    return check_end();
}
