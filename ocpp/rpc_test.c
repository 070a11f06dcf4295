/* A conversation on a clock that is turned: what comes in while nothing, or one call of ours, is in
 * flight. */
#include "messages/ocpp16.h"
#include "messages/ocpp2.h"
#include "ocpp/check.h"
#include "ocpp/rpc.h"

#define PREFIX  0x0123456789abcdefu
#define TIMEOUT 30000u
#define FIRST   "0123456789abcdef-1" /* the first id of a conversation */

/* One end with all the memory that it needs. */
struct end {
    struct amp_rpc rpc;
    struct amp_arena arena;
    struct amp_buf out;
    struct amp_rpc_event ev;
    unsigned char block[8192];
    char bytes[2048];
};

static void begin(struct end *e, enum amp_version v, enum amp_direction peer)
{
    amp_arena_init(&e->arena, e->block, sizeof(e->block));
    amp_buf_init(&e->out, e->bytes, sizeof(e->bytes));
    amp_rpc_init(&e->rpc, v == AMP_OCPP16 ? &ocpp16 : &ocpp2, v, peer, PREFIX);
}

/* Start the call that both sides of this test use: Heartbeat by a station, ClearCache by a central
 * system. */
static int call(struct end *e, uint32_t cookie, uint64_t now_ms)
{
    unsigned up =
        e->rpc.protocol == &ocpp16 ? (unsigned)OCPP16_HEARTBEAT : (unsigned)OCPP2_HEARTBEAT;
    unsigned down =
        e->rpc.protocol == &ocpp16 ? (unsigned)OCPP16_CLEAR_CACHE : (unsigned)OCPP2_CLEAR_CACHE;
    uint64_t request[8] = { 0 };

    amp_buf_reset(&e->out);
    return amp_rpc_call(&e->rpc, &e->rpc.protocol->messages[e->rpc.peer == AMP_UP ? down : up],
                        request, cookie, now_ms, TIMEOUT, &e->out, NULL, NULL);
}

static enum amp_rpc_event_kind receive(struct end *e, const char *text)
{
    amp_arena_reset(&e->arena);
    amp_buf_reset(&e->out);
    amp_rpc_receive(&e->rpc, amp_text_of(text), &e->arena, &e->out, &e->ev);
    return e->ev.kind;
}

static bool wrote(const struct end *e, const char *text)
{
    return amp_text_is(amp_buf_text(&e->out), text);
}

static bool starts(const struct end *e, const char *text)
{
    return e->out.len >= strlen(text) && !memcmp(e->out.at, text, strlen(text));
}

/* ---- ids and calls ---- */

static void test_call(void)
{
    struct end e;
    struct ocpp16_boot_notification boot = { .charge_point_vendor = AMP_TEXT("V"),
                                             .charge_point_model = AMP_TEXT("M") };
    struct amp_text id;
    struct amp_fault fault;

    begin(&e, AMP_OCPP16, AMP_DOWN);
    CHECK(amp_rpc_call(&e.rpc, &ocpp16.messages[OCPP16_BOOT_NOTIFICATION], &boot, 7, 1000, TIMEOUT,
                       &e.out, &id, &fault) == 0,
          "boot");
    CHECK(starts(&e, "[2,\"" FIRST "\",\"BootNotification\",{\"chargePoint"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));
    CHECK(amp_text_is(id, FIRST) && !strcmp(e.rpc.open_id, FIRST), "id %.*s", AMP_FMT(id));
    CHECK(e.rpc.open == &ocpp16.messages[OCPP16_BOOT_NOTIFICATION] && e.rpc.deadline_ms == 31000,
          "remembered");
    CHECK(call(&e, 8, 1000) == AMP_E_BUSY && e.out.len == 0, "one at a time");
    CHECK(e.rpc.cookie == 7 && !strcmp(e.rpc.open_id, FIRST), "the first stays");
    CHECK(receive(&e, "[3,\"" FIRST
                      "\",{\"status\":\"Accepted\",\"currentTime\":\"2024-06-01T08:30:00Z\","
                      "\"interval\":300}]") == AMP_RPC_RESULT,
          "result");
    CHECK(e.ev.cookie == 7 && e.ev.message == &ocpp16.messages[OCPP16_BOOT_NOTIFICATION], "whose");
    CHECK(((const struct ocpp16_boot_notification_reply *)e.ev.body)->interval == 300, "body");
    CHECK(!e.rpc.open && call(&e, 8, 2000) == 0, "the next may go");
    CHECK(wrote(&e, "[2,\"0123456789abcdef-2\",\"Heartbeat\",{}]"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));
    CHECK(e.rpc.stats.calls_out == 2 && e.rpc.stats.results_in == 1, "counted");
}

/* Nothing is in flight after a call that could not be written, `out` is as before, and its number
 * is not given again. */
static void test_call_fails(void)
{
    struct end e;
    struct ocpp16_boot_notification boot = { .charge_point_vendor = AMP_TEXT("V") };
    struct amp_fault fault;
    int rc;

    begin(&e, AMP_OCPP16, AMP_DOWN);
    amp_buf_puts(&e.out, "before");
    rc = amp_rpc_call(&e.rpc, &ocpp16.messages[OCPP16_BOOT_NOTIFICATION], &boot, 0, 0, TIMEOUT,
                      &e.out, NULL, &fault);
    CHECK(rc == AMP_E_MISSING && !strcmp(fault.path, "chargePointModel"), "%d '%s'", rc,
          fault.path);
    CHECK(wrote(&e, "before") && !e.out.full && !e.rpc.open && !e.rpc.stats.calls_out, "as before");

    boot.charge_point_model = AMP_TEXT("M");
    for (size_t cap = 6; cap < 91; cap++) {
        e.out.cap = cap;
        rc = amp_rpc_call(&e.rpc, &ocpp16.messages[OCPP16_BOOT_NOTIFICATION], &boot, 0, 0, TIMEOUT,
                          &e.out, NULL, &fault);
        CHECK(rc == AMP_E_FULL, "%zu bytes: %d", cap, rc);
        CHECK(wrote(&e, "before") && !e.out.full && !e.rpc.open, "%zu bytes", cap);
    }
    e.out.cap = sizeof(e.bytes);
    CHECK(call(&e, 0, 0) == 0 && !strcmp(e.rpc.open_id, "0123456789abcdef-57"), "%s",
          e.rpc.open_id);
}

static void test_not_ours(void)
{
    /* clang-format off */
    static const struct {
        const char *why;
        const struct amp_protocol *protocol;
        enum amp_version version;
        enum amp_direction peer;
        unsigned id;
        int rc;
    } rows[] = {
        { "a station does not reset", &ocpp16, AMP_OCPP16, AMP_DOWN, OCPP16_RESET, AMP_E_SUPPORT },
        { "a central system does not boot", &ocpp16, AMP_OCPP16, AMP_UP, OCPP16_BOOT_NOTIFICATION,
          AMP_E_SUPPORT },
        { "both may transfer data: up", &ocpp16, AMP_OCPP16, AMP_DOWN, OCPP16_DATA_TRANSFER, 0 },
        { "down", &ocpp16, AMP_OCPP16, AMP_UP, OCPP16_DATA_TRANSFER, 0 },
        { "not in 2.0.1", &ocpp2, AMP_OCPP201, AMP_DOWN, OCPP2_BATTERY_SWAP, AMP_E_SUPPORT },
        { "in 2.1", &ocpp2, AMP_OCPP21, AMP_DOWN, OCPP2_BATTERY_SWAP, 0 },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        struct end e;
        int rc;

        begin(&e, rows[i].version, rows[i].peer);
        rc = amp_rpc_call_raw(&e.rpc, &rows[i].protocol->messages[rows[i].id], AMP_TEXT("{}"), 0, 0,
                              TIMEOUT, &e.out, NULL);
        CHECK(rc == rows[i].rc && !e.rpc.open == (rc < 0), "%s: %d", rows[i].why, rc);
    }
}

static void test_call_raw(void)
{
    struct end e;
    struct amp_text id;
    const struct amp_message *m = &ocpp16.messages[OCPP16_REMOTE_START_TRANSACTION];

    begin(&e, AMP_OCPP16, AMP_UP);
    CHECK(amp_rpc_call_raw(&e.rpc, m, AMP_TEXT("{\"idTag\":\"A\"}"), 5, 0, TIMEOUT, &e.out, &id) ==
              0,
          "raw");
    CHECK(wrote(&e, "[2,\"" FIRST "\",\"RemoteStartTransaction\",{\"idTag\":\"A\"}]"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));
    CHECK(amp_text_is(id, FIRST), "id");
    CHECK(amp_rpc_call_raw(&e.rpc, m, AMP_NO_TEXT, 6, 0, TIMEOUT, &e.out, &id) == AMP_E_BUSY,
          "busy");
    CHECK(receive(&e, "[3,\"" FIRST "\",{\"status\":\"Rejected\"}]") == AMP_RPC_RESULT &&
              e.ev.cookie == 5,
          "result");
    CHECK(((const struct ocpp16_remote_start_transaction_reply *)e.ev.body)->status ==
              OCPP16_GENERIC_STATUS_REJECTED,
          "body");
    amp_buf_reset(&e.out);
    e.out.cap = 39;
    CHECK(amp_rpc_call_raw(&e.rpc, &ocpp16.messages[OCPP16_CLEAR_CACHE], AMP_NO_TEXT, 0, 0, TIMEOUT,
                           &e.out, NULL) == AMP_E_FULL,
          "one byte short");
    CHECK(e.out.len == 0 && !e.out.full && !e.rpc.open, "as before");
    e.out.cap = 40;
    CHECK(amp_rpc_call_raw(&e.rpc, &ocpp16.messages[OCPP16_CLEAR_CACHE], AMP_NO_TEXT, 0, 0, TIMEOUT,
                           &e.out, NULL) == 0,
          "fits");
    CHECK(wrote(&e, "[2,\"0123456789abcdef-3\",\"ClearCache\",{}]"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));
}

/* F3, F4: never longer than 36, never the same, also at the end of the numbers. */
static void test_ids(void)
{
    static const uint64_t starts[] = { 0, 14, 254, 0xFFFFFFFEu, 0xFFFFFFFFFFFFFFF0u };
    struct end e;

    for (size_t i = 0; i < AMP_COUNT(starts); i++) {
        char last[AMP_ID_MAX + 1] = "";

        begin(&e, AMP_OCPP16, AMP_DOWN);
        e.rpc.sequence = starts[i];
        for (int n = 0; n < 5; n++) {
            CHECK(call(&e, 0, 0) == 0, "call");
            CHECK(strlen(e.rpc.open_id) <= AMP_ID_MAX && strcmp(e.rpc.open_id, last) != 0, "%s",
                  e.rpc.open_id);
            strcpy(last, e.rpc.open_id);
            CHECK(amp_rpc_abort(&e.rpc, &e.ev), "abort");
        }
    }
    CHECK(!strcmp(e.rpc.open_id, "0123456789abcdef-fffffffffffffff5"), "%s", e.rpc.open_id);
}

/* ---- what comes in ---- */

enum { IDLE, WAITING }; /* no call of ours, or the one with the id FIRST */

#define V16  AMP_OCPP16
#define V201 AMP_OCPP201
#define V21  AMP_OCPP21
#define UTC  "{\"currentTime\":\"2024-06-01T08:30:00Z\"}"

/* The peer is a central system: we are a station that calls Heartbeat. */
/* clang-format off */
static const struct {
    const char *why;
    enum amp_version version;
    int state;
    const char *in;
    enum amp_rpc_event_kind kind;
    int rc;
    bool late, open;  /* open: our call is still in flight afterwards */
    const char *code; /* of the error frame in `reply`, "" if there must be none */
    const char *id;   /* in that frame */
} cases[] = {
    { "call", V16, IDLE, "[2,\"a\",\"ClearCache\",{}]", AMP_RPC_CALL, 0, false, false, "", "" },
    { "call while ours is in flight (F5)", V16, WAITING, "[2,\"a\",\"ClearCache\",{}]",
      AMP_RPC_CALL, 0, false, true, "", "" },
    { "call with the id of ours", V16, WAITING, "[2,\"" FIRST "\",\"ClearCache\",{}]", AMP_RPC_CALL,
      0, false, true, "", "" },
    { "bad call with the id of ours", V16, WAITING, "[2,\"" FIRST "\",\"Reset\",{}]",
      AMP_RPC_REFUSED, AMP_E_MISSING, false, true, "OccurenceConstraintViolation", FIRST },
    { "unknown action", V16, WAITING, "[2,\"a\",\"Explode\",{}]", AMP_RPC_REFUSED, AMP_E_UNKNOWN,
      false, true, "NotImplemented", "a" },
    { "wrong direction", V16, IDLE, "[2,\"a\",\"Heartbeat\",{}]", AMP_RPC_REFUSED, AMP_E_SUPPORT,
      false, false, "NotSupported", "a" },
    { "missing field, 1.6 spelling", V16, IDLE, "[2,\"a\",\"Reset\",{}]", AMP_RPC_REFUSED,
      AMP_E_MISSING, false, false, "OccurenceConstraintViolation", "a" },
    { "missing field, 2.x spelling", V201, IDLE, "[2,\"a\",\"Reset\",{}]", AMP_RPC_REFUSED,
      AMP_E_MISSING, false, false, "OccurrenceConstraintViolation", "a" },
    { "id that needs escapes", V16, IDLE, "[2,\"\\u0061\\\"\\n\",\"Reset\",{\"type\":1}]",
      AMP_RPC_REFUSED, AMP_E_TYPE, false, false, "TypeConstraintViolation", "a\\\"\\n" },

    { "result", V16, WAITING, "[3,\"" FIRST "\"," UTC "]", AMP_RPC_RESULT, 0, false, false, "",
      "" },
    { "result with an escaped id (F3)", V16, WAITING, "[3,\"0123456789abcdef\\u002d1\"," UTC "]",
      AMP_RPC_RESULT, 0, false, false, "", "" },
    { "result in odd layout", V16, WAITING, " [ 3 ,\n\"" FIRST "\" , " UTC " ] ", AMP_RPC_RESULT, 0,
      false, false, "", "" },
    { "result when nothing was asked", V16, IDLE, "[3,\"" FIRST "\"," UTC "]", AMP_RPC_DROPPED,
      AMP_E_ABSENT, true, false, "", "" },
    { "result of another", V16, WAITING, "[3,\"x\"," UTC "]", AMP_RPC_DROPPED, AMP_E_ABSENT, true,
      true, "", "" },
    { "id in other letters", V16, WAITING, "[3,\"0123456789ABCDEF-1\"," UTC "]", AMP_RPC_DROPPED,
      AMP_E_ABSENT, true, true, "", "" },
    { "beginning of our id", V16, WAITING, "[3,\"0123456789abcdef-\"," UTC "]", AMP_RPC_DROPPED,
      AMP_E_ABSENT, true, true, "", "" },
    { "more than our id", V16, WAITING, "[3,\"" FIRST "1\"," UTC "]", AMP_RPC_DROPPED, AMP_E_ABSENT,
      true, true, "", "" },
    { "our id and a blank", V16, WAITING, "[3,\"" FIRST " \"," UTC "]", AMP_RPC_DROPPED,
      AMP_E_ABSENT, true, true, "", "" },
    { "result of another call is not read with our table", V16, WAITING,
      "[3,\"x\",{\"status\":\"Accepted\"}]", AMP_RPC_DROPPED, AMP_E_ABSENT, true, true, "", "" },
    { "unusable result fails at once (F14)", V16, WAITING, "[3,\"" FIRST "\",{}]", AMP_RPC_FAILED,
      AMP_E_MISSING, false, false, "", "" },
    { "result with a bad time", V16, WAITING, "[3,\"" FIRST "\",{\"currentTime\":\"now\"}]",
      AMP_RPC_FAILED, AMP_E_TYPE, false, false, "", "" },
    { "result without payload", V16, WAITING, "[3,\"" FIRST "\"]", AMP_RPC_FAILED, AMP_E_FORMAT,
      false, false, "", "" },
    { "unusable result in 2.0.1", V201, WAITING, "[3,\"" FIRST "\",{}]", AMP_RPC_FAILED,
      AMP_E_MISSING, false, false, "", "" },
    { "unusable result in 2.1 is answered", V21, WAITING, "[3,\"" FIRST "\",{}]", AMP_RPC_FAILED,
      AMP_E_MISSING, false, false, "OccurrenceConstraintViolation", FIRST },
    { "unusable result of another in 2.1", V21, WAITING, "[3,\"x\",{}]", AMP_RPC_DROPPED,
      AMP_E_ABSENT, true, true, "", "" },

    { "error", V16, WAITING, "[4,\"" FIRST "\",\"NotImplemented\",\"\",{}]", AMP_RPC_FAILED,
      AMP_E_UNKNOWN, false, false, "", "" },
    { "error, spelling of 1.6", V16, WAITING, "[4,\"" FIRST "\",\"FormationViolation\",\"\",{}]",
      AMP_RPC_FAILED, AMP_E_FORMAT, false, false, "", "" },
    { "spelling of 2.x", V16, WAITING, "[4,\"" FIRST "\",\"FormatViolation\",\"\",{}]",
      AMP_RPC_FAILED, AMP_E_FORMAT, false, false, "", "" },
    { "GenericError", V16, WAITING, "[4,\"" FIRST "\",\"GenericError\",\"no\",{}]", AMP_RPC_FAILED,
      AMP_E_INTERNAL, false, false, "", "" },
    { "unknown code", V16, WAITING, "[4,\"" FIRST "\",\"Whatever\",\"\",{}]", AMP_RPC_FAILED,
      AMP_E_INTERNAL, false, false, "", "" },
    { "error without description", V16, WAITING, "[4,\"" FIRST "\",\"SecurityError\"]",
      AMP_RPC_FAILED, AMP_E_SECURITY, false, false, "", "" },
    { "error to another", V16, WAITING, "[4,\"x\",\"NotImplemented\",\"\",{}]", AMP_RPC_DROPPED,
      AMP_E_ABSENT, true, true, "", "" },
    { "error when nothing was asked", V16, IDLE, "[4,\"x\",\"NotImplemented\",\"\",{}]",
      AMP_RPC_DROPPED, AMP_E_ABSENT, true, false, "", "" },

    { "no JSON", V16, WAITING, "NO CARRIER", AMP_RPC_DROPPED, AMP_E_FRAME, false, true, "", "" },
    { "no JSON in 2.0.1 (F11)", V201, IDLE, "NO CARRIER", AMP_RPC_REFUSED, AMP_E_FRAME, false,
      false, "RpcFrameworkError", "-1" },
    { "empty text (edge case 52)", V16, IDLE, "", AMP_RPC_DROPPED, AMP_E_FRAME, false, false, "",
      "" },
    { "call cut off", V16, WAITING, "[2,\"a\",\"Reset\",{\"ty", AMP_RPC_DROPPED, AMP_E_FRAME, false,
      true, "", "" },
    { "result cut off", V16, WAITING, "[3,\"" FIRST "\",{\"cur", AMP_RPC_FAILED, AMP_E_FORMAT,
      false, false, "", "" },
    { "unsound result of another", V16, WAITING, "[3,\"x\",{\"a\":1,\"a\":2}]", AMP_RPC_DROPPED,
      AMP_E_FORMAT, true, true, "", "" },
    { "unsound result of another in 2.1", V21, WAITING, "[3,\"x\",{\"a\":1,\"a\":2}]",
      AMP_RPC_DROPPED, AMP_E_FORMAT, true, true, "", "" },
    { "call without payload", V16, WAITING, "[2,\"a\",\"Reset\"]", AMP_RPC_REFUSED, AMP_E_MISSING,
      false, true, "OccurenceConstraintViolation", "a" },
    { "unknown type in 1.6 (F10)", V16, WAITING, "[5,\"a\",{}]", AMP_RPC_DROPPED, AMP_E_KIND, false,
      true, "", "" },
    { "unknown type in 2.0.1", V201, WAITING, "[6,\"a\",{}]", AMP_RPC_REFUSED, AMP_E_KIND, false,
      true, "MessageTypeNotSupported", "a" },
    { "unknown type in 2.1", V21, WAITING, "[7,\"a\",{}]", AMP_RPC_DROPPED, AMP_E_KIND, false, true,
      "", "" },
    { "broken UTF-8", V16, WAITING, "[2,\"a\",\"Reset\",{\"type\":\"\xFF\"}]", AMP_RPC_CLOSE,
      AMP_E_UTF8, false, true, "", "" },
    { "error to our result (2.1)", V21, WAITING, "[5,\"a\",\"FormatViolation\",\"\",{}]",
      AMP_RPC_DROPPED, AMP_E_FORMAT, false, true, "", "" },
    { "error to a result with the id of ours", V21, WAITING,
      "[5,\"" FIRST "\",\"FormatViolation\",\"\",{}]", AMP_RPC_DROPPED, AMP_E_FORMAT, false, true,
      "", "" },
};
/* clang-format on */

/* [4,"id","code","text that says why",{}], or [5,...] to a result */
static bool is_error(struct amp_text frame, const char *id, const char *code, bool to_result)
{
    char start[128];
    size_t n;

    if (!*code)
        return frame.len == 0;
    n = (size_t)snprintf(start, sizeof(start), "[%d,\"%s\",\"%s\",\"", to_result ? 5 : 4, id, code);
    return frame.len > n + 5 && !memcmp(frame.at, start, n) &&
           !memcmp(frame.at + frame.len - 5, "\",{}]", 5);
}

static void test_receive(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct end e;
        const char *why = cases[i].why;

        begin(&e, cases[i].version, AMP_DOWN);
        if (cases[i].state == WAITING)
            CHECK(call(&e, 99, 0) == 0, "%s: call", why);
        receive(&e, cases[i].in);
        CHECK(e.ev.kind == cases[i].kind, "%s: kind %d", why, e.ev.kind);
        CHECK(e.ev.rc == cases[i].rc, "%s: rc %d", why, e.ev.rc);
        CHECK(e.ev.late == cases[i].late, "%s: late %d", why, e.ev.late);
        CHECK(!e.rpc.open == !cases[i].open, "%s: open", why);
        CHECK(is_error(amp_buf_text(&e.out), cases[i].id, cases[i].code,
                       cases[i].kind == AMP_RPC_FAILED),
              "%s: %.*s", why, AMP_FMT(amp_buf_text(&e.out)));
        CHECK((e.ev.kind == AMP_RPC_CLOSE) == (e.ev.close_code == 1007), "%s: close %d", why,
              e.ev.close_code);
        if (e.ev.kind == AMP_RPC_RESULT || e.ev.kind == AMP_RPC_FAILED)
            CHECK(e.ev.cookie == 99 && e.ev.message && !strcmp(e.ev.message->name, "Heartbeat"),
                  "%s: whose", why);
    }
}

/* The peer learns where and why. */
static void test_description(void)
{
    struct end e;
    char frame[256];

    begin(&e, AMP_OCPP16, AMP_DOWN);
    receive(&e, "[2,\"a\",\"Reset\",{\"type\":1}]");
    CHECK(!strcmp(e.ev.verdict.fault.path, "type") && e.ev.verdict.fault.why, "fault");
    snprintf(frame, sizeof(frame), "[4,\"a\",\"TypeConstraintViolation\",\"type: %s\",{}]",
             e.ev.verdict.fault.why);
    CHECK(wrote(&e, frame), "%.*s", AMP_FMT(amp_buf_text(&e.out)));
    receive(&e, "[2,\"a\",\"Reset\",{\"type\":\"hard\"}]"); /* few words: all of them are named */
    CHECK(wrote(&e,
                "[4,\"a\",\"PropertyConstraintViolation\",\"type: not one of the allowed values: "
                "Hard, Soft\",{}]"),
          "%.*s", AMP_FMT(amp_buf_text(&e.out)));
    receive(&e, "[2,\"a\",\"Explode\",{}]");
    CHECK(wrote(&e, "[4,\"a\",\"NotImplemented\",\"unknown action\",{}]"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));
}

/* Each incoming text is counted in one place. */
static void test_stats(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct end e;
        const struct amp_rpc_stats *s = &e.rpc.stats;
        bool error;

        begin(&e, cases[i].version, AMP_DOWN);
        if (cases[i].state == WAITING)
            CHECK(call(&e, 0, 0) == 0, "call");
        receive(&e, cases[i].in);
        error = e.ev.kind == AMP_RPC_FAILED && e.ev.verdict.frame.code.at;
        CHECK(s->calls_in == (e.ev.kind == AMP_RPC_CALL), "%s: calls", cases[i].why);
        CHECK(s->results_in == (e.ev.kind == AMP_RPC_RESULT), "%s: results", cases[i].why);
        CHECK(s->errors_in == error, "%s: errors", cases[i].why);
        CHECK(s->late == cases[i].late, "%s: late", cases[i].why);
        CHECK(s->refused == (e.ev.kind == AMP_RPC_REFUSED), "%s: refused", cases[i].why);
        CHECK(s->calls_in + s->results_in + s->errors_in + s->late + s->refused + s->discarded == 1,
              "%s: sum", cases[i].why);
    }
}

static void test_twice(void)
{
    struct end e;

    begin(&e, AMP_OCPP16, AMP_DOWN);
    CHECK(call(&e, 1, 0) == 0, "call");
    CHECK(receive(&e, "[3,\"" FIRST "\"," UTC "]") == AMP_RPC_RESULT, "once");
    CHECK(receive(&e, "[3,\"" FIRST "\"," UTC "]") == AMP_RPC_DROPPED && e.ev.late, "twice");
    CHECK(call(&e, 2, 0) == 0, "the next call");
    CHECK(receive(&e, "[3,\"" FIRST "\"," UTC "]") == AMP_RPC_DROPPED && e.ev.late && e.rpc.open,
          "three times");
    CHECK(receive(&e, "[3,\"0123456789abcdef-2\"," UTC "]") == AMP_RPC_RESULT && e.ev.cookie == 2,
          "its own");
    CHECK(e.rpc.stats.late == 2 && e.rpc.stats.results_in == 2, "counted");
}

static void test_repaired(void)
{
    struct end e;

    begin(&e, AMP_OCPP16, AMP_DOWN);
    CHECK(receive(&e, "[2,\"a\",\"UnlockConnector\",{\"connectorId\":1}]") == AMP_RPC_CALL,
          "sound");
    CHECK(e.rpc.stats.repaired == 0, "nothing to repair");
    CHECK(receive(&e, "[2,\"a\",\"UnlockConnector\",{\"connectorId\":\"1\"}]") == AMP_RPC_CALL,
          "number as text");
    CHECK(((const struct ocpp16_unlock_connector *)e.ev.body)->connector_id == 1, "body");
    CHECK(e.rpc.stats.repaired == 1, "%u", (unsigned)e.rpc.stats.repaired);
    CHECK(receive(&e, "[2,\"a\",\"ReserveNow\",{\"connectorId\":\"1\",\"reservationId\":\"2\","
                      "\"idTag\":\"A\",\"expiryDate\":\"2024-06-01T08:30:00Z\"}]") == AMP_RPC_CALL,
          "two repairs");
    CHECK(e.rpc.stats.repaired == 2, "messages are counted: %u", (unsigned)e.rpc.stats.repaired);
}

/* An answer that is looked at before it is read must not cost arena twice. */
static void test_arena(void)
{
    struct end e;
    size_t used;

    begin(&e, AMP_OCPP16, AMP_DOWN);
    receive(&e, "[2,\"\\u0061\",\"ClearCache\",{}]");
    used = e.arena.used;
    CHECK(call(&e, 0, 0) == 0, "call");
    receive(&e, "[2,\"\\u0061\",\"ClearCache\",{}]");
    CHECK(e.arena.used == used, "%zu instead of %zu", e.arena.used, used);
    amp_arena_init(&e.arena, e.block, 0);
    CHECK(receive(&e, "[3,\"" FIRST "\"," UTC "]") == AMP_RPC_FAILED && e.ev.rc == AMP_E_FULL,
          "no arena: %d", e.ev.rc);
    CHECK(!e.rpc.open, "over");
}

static void test_reply_full(void)
{
    struct end e;

    begin(&e, AMP_OCPP16, AMP_DOWN);
    e.out.cap = 20;
    CHECK(receive(&e, "[2,\"a\",\"Explode\",{}]") == AMP_RPC_REFUSED && e.out.full &&
              e.out.len == 0,
          "%zu", e.out.len);
}

/* ---- ends without an answer ---- */

static void test_timeout(void)
{
    struct end e;

    begin(&e, AMP_OCPP16, AMP_DOWN);
    CHECK(!amp_rpc_expire(&e.rpc, UINT64_MAX, &e.ev), "nothing in flight");
    CHECK(call(&e, 3, 1000) == 0, "call");
    CHECK(!amp_rpc_expire(&e.rpc, 1000 + TIMEOUT - 1, &e.ev), "one ms early");
    CHECK(amp_rpc_expire(&e.rpc, 1000 + TIMEOUT, &e.ev), "on time");
    CHECK(e.ev.kind == AMP_RPC_FAILED && e.ev.rc == AMP_E_TIMEOUT && e.ev.cookie == 3, "%d",
          e.ev.rc);
    CHECK(e.ev.message == &ocpp16.messages[OCPP16_HEARTBEAT] && !e.ev.verdict.frame.code.at,
          "whose");
    CHECK(!amp_rpc_expire(&e.rpc, UINT64_MAX, &e.ev), "once");
    CHECK(receive(&e, "[3,\"" FIRST "\"," UTC "]") == AMP_RPC_DROPPED && e.ev.late,
          "late (edge case 55)");
    CHECK(amp_text_is(e.ev.verdict.frame.id, FIRST), "a log can say which");
    CHECK(call(&e, 4, 90000) == 0 && strcmp(e.rpc.open_id, FIRST) != 0, "a new call has a new id");
    CHECK(e.rpc.stats.timeouts == 1 && e.rpc.stats.late == 1, "counted");
}

static void test_abort(void)
{
    struct end e;

    begin(&e, AMP_OCPP16, AMP_DOWN);
    CHECK(!amp_rpc_abort(&e.rpc, &e.ev), "nothing in flight");
    CHECK(call(&e, 3, 0) == 0, "call");
    CHECK(amp_rpc_abort(&e.rpc, &e.ev) && e.ev.kind == AMP_RPC_FAILED, "failed");
    CHECK(e.ev.rc == AMP_E_IO && e.ev.cookie == 3 && e.ev.message, "%d", e.ev.rc);
    CHECK(!amp_rpc_abort(&e.rpc, &e.ev) && !amp_rpc_expire(&e.rpc, UINT64_MAX, &e.ev), "over");
}

/* ---- our answers ---- */

static void test_result(void)
{
    struct end e;
    struct ocpp16_unlock_connector_reply reply = { .status = OCPP16_UNLOCK_STATUS_UNLOCKED };
    const struct amp_message *m = &ocpp16.messages[OCPP16_UNLOCK_CONNECTOR];

    begin(&e, AMP_OCPP16, AMP_DOWN);
    CHECK(amp_rpc_result(&e.rpc, AMP_TEXT("a\"b"), m, &reply, &e.out) == 0, "result");
    CHECK(wrote(&e, "[3,\"a\\\"b\",{\"status\":\"Unlocked\"}]"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));

    reply.status = 0;
    amp_buf_reset(&e.out);
    amp_buf_puts(&e.out, "before ");
    CHECK(amp_rpc_result(&e.rpc, AMP_TEXT("a"), m, &reply, &e.out) == AMP_E_MISSING,
          "breaks the definition");
    CHECK(wrote(&e, "before [4,\"a\",\"InternalError\",\"\",{}]"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));

    for (size_t cap = 0; cap < 29; cap++) {
        amp_buf_init(&e.out, e.bytes, cap);
        CHECK(amp_rpc_result(&e.rpc, AMP_TEXT("a"), m, &reply, &e.out) < 0 && e.out.full &&
                  e.out.len == 0,
              "%zu", cap);
    }
    amp_buf_init(&e.out, e.bytes, 29);
    CHECK(amp_rpc_result(&e.rpc, AMP_TEXT("a"), m, &reply, &e.out) < 0 && !e.out.full &&
              e.out.len == 29,
          "%zu", e.out.len);
}

static void test_error(void)
{
    struct end e;

    begin(&e, AMP_OCPP16, AMP_UP);
    amp_rpc_error(&e.rpc, AMP_TEXT("a"), AMP_E_COUNT, AMP_TEXT("say \"why\""), &e.out);
    CHECK(wrote(&e, "[4,\"a\",\"OccurenceConstraintViolation\",\"say \\\"why\\\"\",{}]"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));
    begin(&e, AMP_OCPP201, AMP_UP);
    amp_rpc_error(&e.rpc, AMP_TEXT("a"), AMP_E_FULL, AMP_NO_TEXT, &e.out);
    CHECK(wrote(&e, "[4,\"a\",\"InternalError\",\"\",{}]"), "%.*s", AMP_FMT(amp_buf_text(&e.out)));
    amp_buf_init(&e.out, e.bytes, 28);
    amp_rpc_error(&e.rpc, AMP_TEXT("a"), AMP_E_FULL, AMP_NO_TEXT, &e.out);
    CHECK(e.out.full && e.out.len == 0, "full");
}

/* ---- SEND of 2.1 ---- */

static void test_send(void)
{
    static const char text[] = "{\"id\":1,\"pending\":0,\"basetime\":\"2024-06-01T08:30:00Z\","
                               "\"data\":[{\"t\":0,\"v\":\"1\"}]}";
    const struct amp_message *m = &ocpp2.messages[OCPP2_NOTIFY_PERIODIC_EVENT_STREAM];
    struct end e;
    struct amp_text id;
    char frame[512];

    begin(&e, AMP_OCPP21, AMP_DOWN);
    CHECK(call(&e, 1, 0) == 0, "a call is in flight");
    amp_buf_reset(&e.out);
    CHECK(amp_rpc_call_raw(&e.rpc, m, AMP_TEXT(text), 2, 0, TIMEOUT, &e.out, &id) == 0,
          "may be sent at any time (F2)");
    CHECK(amp_text_is(id, "0123456789abcdef-2"), "id %.*s", AMP_FMT(id));
    CHECK(!strcmp(e.rpc.open_id, FIRST) && e.rpc.cookie == 1, "the call stays open");
    CHECK(starts(&e, "[6,\"0123456789abcdef-2\",\"NotifyPeriodicEventStream\",{"), "%.*s",
          AMP_FMT(amp_buf_text(&e.out)));

    snprintf(frame, sizeof(frame), "%.*s", AMP_FMT(amp_buf_text(&e.out)));
    begin(&e, AMP_OCPP21, AMP_UP);
    CHECK(receive(&e, frame) == AMP_RPC_SEND && e.ev.message == m && e.ev.body, "%d", e.ev.kind);
    CHECK(e.out.len == 0 && e.rpc.stats.calls_in == 1, "never answered");
    frame[1] = '2';
    CHECK(receive(&e, frame) != AMP_RPC_SEND, "as a call it is none");
}

int main(void)
{
    RUN(test_call);
    RUN(test_call_fails);
    RUN(test_not_ours);
    RUN(test_call_raw);
    RUN(test_ids);
    RUN(test_receive);
    RUN(test_description);
    RUN(test_stats);
    RUN(test_twice);
    RUN(test_repaired);
    RUN(test_arena);
    RUN(test_reply_full);
    RUN(test_timeout);
    RUN(test_abort);
    RUN(test_result);
    RUN(test_error);
    RUN(test_send);
    return check_end();
}
