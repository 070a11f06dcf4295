/* station/smart_world_test.h - what tests of smart charging share: a world with pilots, and a
 * central system that sends profiles. */
#ifndef AMP_SMART_WORLD_TEST_H
#define AMP_SMART_WORLD_TEST_H

#include "station/world_test.h"

#define ACCEPTED    "{\"status\":\"Accepted\"}"
#define REJECTED    "{\"status\":\"Rejected\"}"
#define UNKNOWN     "{\"status\":\"Unknown\"}"
#define CONSTRAINT  "!PropertyConstraintViolation"
#define FLAT(limit) "[{\"startPeriod\":0,\"limit\":" limit "}]"
#define NOW         (UNIX0 + (int64_t)w->now)
#define HOUR        INT64_C(3600000)
#define NO_TIME     INT64_MIN

/* ---- the pilots of both connectors ---- */

static struct {
    int32_t ma[AMP_CONNECTORS_MAX + 1];
    int phases[AMP_CONNECTORS_MAX + 1];
    unsigned calls;
    bool fails;
    int64_t most; /* highest sum of what was offered with energy on */
} pilot;

static inline void note_sum(struct world *w)
{
    int64_t sum = 0;

    for (int c = 1; c <= w->config.connectors; c++)
        if (w->car[c].permitted)
            sum += pilot.ma[c];
    if (sum > pilot.most)
        pilot.most = sum;
}

static inline int set_pilot(void *ctx, int c, int32_t ma, int phases)
{
    if (pilot.fails)
        return AMP_E_IO;
    pilot.ma[c] = ma;
    pilot.phases[c] = phases;
    pilot.calls++;
    note_sum(ctx);
    return 0;
}

static inline int permit(void *ctx, int c, bool on)
{
    int rc = world_permit(ctx, c, on);

    note_sum(ctx);
    return rc;
}

static inline void open_with(struct world *w, const char *const *settings)
{
    memset(&pilot, 0, sizeof(pilot));
    world_defaults(w);
    w->hw.limit = set_pilot;
    w->hw.permit = permit;
    w->config.settings = settings;
    CHECK(world_boot(w) == 0, "start");
    world_run(w, 10);
    world_mark(w);
}

static inline void open_world(struct world *w)
{
    open_with(w, NULL);
}

static inline void charge(struct world *w, int c, const char *tag)
{
    world_plug(w, c, true);
    world_tag(w, c, tag);
    CHECK(world_status(w, c) == AMP_CHARGING, "charging");
}

/* ---- saying things ---- */

/* A profile; times in Unix ms or NO_TIME, `tx` 0: none, duration 0: none. */
struct said {
    int id, level;
    const char *purpose, *kind, *recurs, *unit, *periods;
    int64_t start, from, to, tx;
    unsigned duration;
};

static inline struct said say_default(int id, int level, const char *limit)
{
    return (struct said){ .id = id,
                          .level = level,
                          .purpose = "TxDefaultProfile",
                          .kind = "Relative",
                          .unit = "A",
                          .periods = limit,
                          .start = NO_TIME,
                          .from = NO_TIME,
                          .to = NO_TIME };
}

static inline void put_time(struct amp_buf *b, const char *name, int64_t ms)
{
    if (ms == NO_TIME)
        return;
    amp_buf_puts(b, ",\"");
    amp_buf_puts(b, name);
    amp_buf_puts(b, "\":\"");
    amp_time_write(b, ms);
    amp_buf_puts(b, "\"");
}

static inline void put_int(struct amp_buf *b, const char *name, int64_t v)
{
    amp_buf_puts(b, name);
    amp_buf_int(b, v);
}

static inline void put_profile(struct amp_buf *b, const struct said *p)
{
    put_int(b, "{\"chargingProfileId\":", p->id);
    put_int(b, ",\"stackLevel\":", p->level);
    if (p->tx)
        put_int(b, ",\"transactionId\":", p->tx);
    amp_buf_puts(b, ",\"chargingProfilePurpose\":\"");
    amp_buf_puts(b, p->purpose);
    amp_buf_puts(b, "\",\"chargingProfileKind\":\"");
    amp_buf_puts(b, p->kind);
    amp_buf_puts(b, "\"");
    if (p->recurs) {
        amp_buf_puts(b, ",\"recurrencyKind\":\"");
        amp_buf_puts(b, p->recurs);
        amp_buf_puts(b, "\"");
    }
    put_time(b, "validFrom", p->from);
    put_time(b, "validTo", p->to);
    amp_buf_puts(b, ",\"chargingSchedule\":{\"chargingRateUnit\":\"");
    amp_buf_puts(b, p->unit);
    amp_buf_puts(b, "\"");
    if (p->duration)
        put_int(b, ",\"duration\":", p->duration);
    put_time(b, "startSchedule", p->start);
    amp_buf_puts(b, ",\"chargingSchedulePeriod\":");
    amp_buf_puts(b, p->periods);
    amp_buf_puts(b, "}}");
}

static inline const char *set(struct world *w, int connector, const struct said *p)
{
    static char payload[7000], frame[7200];
    struct amp_buf b;

    amp_buf_init(&b, payload, sizeof(payload) - 1);
    put_int(&b, "{\"connectorId\":", connector);
    amp_buf_puts(&b, ",\"csChargingProfiles\":");
    put_profile(&b, p);
    amp_buf_puts(&b, "}");
    payload[b.len] = 0;
    w->asked = amp_message_find(&ocpp16, AMP_TEXT("SetChargingProfile"));
    w->reply[0] = 0;
    snprintf(frame, sizeof(frame), "[2,\"p%u\",\"SetChargingProfile\",%s]", ++w->call_no, payload);
    if (w->up)
        world_say(w, frame);
    world_settle(w);
    w->asked = NULL;
    return w->reply;
}

#define CHECK_SET(w, connector, p, expected, ...)              \
    do {                                                       \
        const char *reply_ = set(w, connector, p);             \
        CHECK(!strcmp(reply_, expected), __VA_ARGS__, reply_); \
    } while (0)

static inline const char *clear_all(struct world *w, const char *filter)
{
    return world_call(w, "ClearChargingProfile", filter);
}

#endif
