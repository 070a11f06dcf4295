/* ocpp/frame_test.c - the array around the payload. What a receiver makes of whole frames is in
 * messages/cases/ too. */
#include "messages/ocpp16.h"
#include "messages/ocpp2.h"
#include "ocpp/check.h"
#include "ocpp/frame.h"

static unsigned char arena_block[16384];
static char out_block[4096];

/* clang-format off */
static const struct {
    const char *in;
    enum amp_version version;
    int rc;
    int kind;
    const char *id, *rest; /* NULL: absent; rest: payload or error code */
} frames[] = {
    { "[2,\"a\",\"Heartbeat\",{}]", AMP_OCPP16, 0, AMP_CALL, "a", "{}]" },
    { " [ 2 , \"a\" , \"Heartbeat\" , {} ] ", AMP_OCPP16, 0, AMP_CALL, "a", "{} ] " },
    { "[3,\"\\u0061\\\"\",{}]", AMP_OCPP16, 0, AMP_CALLRESULT, "a\"", "{}]" },
    { "[4,\"a\",\"InternalError\",\"d\",{\"x\":1}]", AMP_OCPP16, 0, AMP_CALLERROR, "a", "InternalError" },
    { "[4,\"a\",\"InternalError\"]", AMP_OCPP16, 0, AMP_CALLERROR, "a", "InternalError" },
    { "[4,\"a\",\"\",null,null]", AMP_OCPP16, 0, AMP_CALLERROR, "a", "" },
    { "[5,\"a\",\"InternalError\",\"\",{}]", AMP_OCPP21, 0, AMP_CALLRESULTERROR, "a", "InternalError" },
    { "[6,\"a\",\"NotifyPeriodicEventStream\",{}]", AMP_OCPP21, 0, AMP_SEND, "a", "{}]" },
    { "[6,\"a\",\"NotifyPeriodicEventStream\",{}]", AMP_OCPP201, AMP_E_KIND, 0, "a", NULL },
    { "[7,\"a\",\"X\",{}]", AMP_OCPP21, AMP_E_KIND, 0, "a", NULL },
    { "[1,5]", AMP_OCPP16, AMP_E_KIND, 0, NULL, NULL },
    { "\xef\xbb\xbf[3,\"a\",{}]", AMP_OCPP16, 0, AMP_CALLRESULT, "a", "{}]" },
    { "[]", AMP_OCPP16, AMP_E_FRAME, 0, NULL, NULL },
    { "{}", AMP_OCPP16, AMP_E_FRAME, 0, NULL, NULL },
    { "[\"2\",\"a\",\"X\",{}]", AMP_OCPP16, AMP_E_FRAME, 0, NULL, NULL },
    { "[2.0,\"a\",\"X\",{}]", AMP_OCPP16, AMP_E_FRAME, 0, NULL, NULL },
    { "[2]", AMP_OCPP16, AMP_E_FRAME, AMP_CALL, NULL, NULL },
    { "[2,5,\"X\",{}]", AMP_OCPP16, AMP_E_FRAME, AMP_CALL, NULL, NULL },
    { "[2,\"\",\"X\",{}]", AMP_OCPP16, 0, AMP_CALL, "", "{}]" }, /* E68 */
    { "[2,\"\",\"X\",{}]", AMP_OCPP201, AMP_E_FRAME, AMP_CALL, "", NULL },
    { "[3,\"\",{}]", AMP_OCPP16, AMP_E_FRAME, AMP_CALLRESULT, "", NULL },
    { "[2,\"1234567890123456789012345678901234567\",\"X\",{}]", AMP_OCPP16, 0, AMP_CALL,
      "1234567890123456789012345678901234567", "{}]" },
    { "[2,\"1234567890123456789012345678901234567\",\"X\",{}]", AMP_OCPP21, AMP_E_FRAME, AMP_CALL,
      "1234567890123456789012345678901234567", NULL },
    { "[2,\"123456789012345678901234567890123456\",\"X\",{}]", AMP_OCPP16, 0, AMP_CALL,
      "123456789012345678901234567890123456", "{}]" },
    { "[2,\"a\"]", AMP_OCPP16, AMP_E_FRAME, AMP_CALL, "a", NULL },
    { "[2,\"a\",5,{}]", AMP_OCPP16, AMP_E_FRAME, AMP_CALL, "a", NULL },
    { "[2,\"a\",\"X\"]", AMP_OCPP16, 0, AMP_CALL, "a", "{}]" }, /* E67 */
    { "[2,\"a\",\"X\"]", AMP_OCPP201, AMP_E_FRAME, AMP_CALL, "a", NULL },
    { "[3,\"a\"]", AMP_OCPP16, AMP_E_FRAME, AMP_CALLRESULT, "a", NULL },
    { "[4,\"a\",5]", AMP_OCPP16, AMP_E_FRAME, AMP_CALLERROR, "a", NULL },
    { "[4,\"a\",\"E\",\"d\",{},1]", AMP_OCPP16, AMP_E_FRAME, AMP_CALLERROR, "a", "E" },
    { "", AMP_OCPP16, AMP_E_FORMAT, 0, NULL, NULL },
    { "hello", AMP_OCPP16, AMP_E_FORMAT, 0, NULL, NULL },
    { "[2,\"a", AMP_OCPP16, AMP_E_FORMAT, AMP_CALL, NULL, NULL },
    { "[2,\"a\" \"X\",{}]", AMP_OCPP16, AMP_E_FORMAT, AMP_CALL, "a", NULL },
    { "[2,\"\xff\",\"X\",{}]", AMP_OCPP16, AMP_E_UTF8, AMP_CALL, NULL, NULL },
    { "[4,\"a\",\"E\",\"d\",{}", AMP_OCPP16, AMP_E_FORMAT, AMP_CALLERROR, "a", "E" },
    { "[4,\"a\",\"E\",\"d\",{}] x", AMP_OCPP16, AMP_E_FORMAT, AMP_CALLERROR, "a", "E" },
    { "[4,\"a\",\"E\",\"d\",]", AMP_OCPP16, AMP_E_FORMAT, AMP_CALLERROR, "a", "E" },
};
/* clang-format on */

static bool is(struct amp_text t, const char *want)
{
    return want ? t.at && amp_text_is(t, want) : !t.at;
}

static void test_read(void)
{
    for (size_t i = 0; i < AMP_COUNT(frames); i++) {
        struct amp_fault fault = { 0 };
        struct amp_frame f;
        struct amp_arena arena;
        int rc;

        amp_arena_init(&arena, arena_block, sizeof arena_block);
        rc = amp_frame_read_mode(amp_text_of(frames[i].in), frames[i].version, AMP_LENIENT,
                                 &arena, &f, &fault);
        CHECK(rc == frames[i].rc && (int)f.kind == frames[i].kind, "%s: %d %d", frames[i].in, rc,
              (int)f.kind);
        CHECK(rc == 0 || (fault.rc == rc && fault.why), "%s", frames[i].in);
        CHECK(is(f.id, frames[i].id), "%s: id '%.*s'", frames[i].in, AMP_FMT(f.id));
        CHECK(is(f.kind == AMP_CALLERROR || f.kind == AMP_CALLRESULTERROR ? f.code : f.payload,
                 frames[i].rest),
              "%s: '%.*s'", frames[i].in, AMP_FMT(f.payload));
    }
}

static void test_trailing_nul(void)
{
    static const char in[] = "[2,\"a\",\"Heartbeat\",{}]\0";
    struct amp_verdict v;
    struct amp_arena arena;

    amp_arena_init(&arena, arena_block, sizeof arena_block);
    amp_frame_judge(&ocpp16, AMP_OCPP16, AMP_LENIENT, AMP_UP, NULL,
                    (struct amp_text){ in, sizeof in }, &arena, &v);
    CHECK(v.kind == AMP_ACCEPT && v.message && v.message->id == OCPP16_HEARTBEAT, "%s",
          v.fault.why);
    CHECK(amp_text_is(v.frame.payload, "{}"), "'%.*s'", AMP_FMT(v.frame.payload));
}

static void test_write(void)
{
    const struct amp_message *m = &ocpp16.messages[OCPP16_HEARTBEAT];
    struct ocpp16_heartbeat request = { 0 };
    struct ocpp16_heartbeat_reply reply = { .current_time = 1000 };
    struct ocpp16_authorize broken = { .id_tag = AMP_NO_TEXT };
    struct amp_fault fault;
    struct amp_buf out;
    char long_text[1000];

    amp_buf_init(&out, out_block, sizeof out_block);
    CHECK(amp_frame_call(&out, AMP_OCPP16, AMP_TEXT("7\""), m, &request, &fault) == 0, "%s",
          fault.why);
    CHECK(amp_text_is(amp_buf_text(&out), "[2,\"7\\\"\",\"Heartbeat\",{}]"), "%.*s",
          AMP_FMT(amp_buf_text(&out)));
    amp_buf_reset(&out);
    CHECK(amp_frame_result(&out, AMP_OCPP16, AMP_TEXT("7"), m, &reply, &fault) == 0, "%s",
          fault.why);
    CHECK(amp_text_is(amp_buf_text(&out), "[3,\"7\",{\"currentTime\":\"1970-01-01T00:00:01Z\"}]"),
          "%.*s", AMP_FMT(amp_buf_text(&out)));
    amp_buf_reset(&out);
    amp_frame_error(&out, AMP_CALLERROR, AMP_NO_TEXT, "RpcFrameworkError", AMP_NO_TEXT);
    CHECK(amp_text_is(amp_buf_text(&out), "[4,\"-1\",\"RpcFrameworkError\",\"\",{}]"), "%.*s",
          AMP_FMT(amp_buf_text(&out)));
    amp_buf_reset(&out);
    for (size_t i = 0; i < sizeof long_text; i += 2)
        memcpy(long_text + i, "\xc3\xa9", 2);
    amp_frame_error(&out, AMP_CALLRESULTERROR, AMP_TEXT("x"), "E",
                    (struct amp_text){ long_text, sizeof long_text });
    CHECK(out.len == strlen("[5,\"x\",\"E\",\"\",{}]") + 2 * 255, "255 characters, not bytes: %zu",
          out.len);
    amp_buf_reset(&out);
    CHECK(amp_frame_call(&out, AMP_OCPP16, AMP_TEXT("7"), &ocpp16.messages[OCPP16_AUTHORIZE],
                         &broken, &fault) == AMP_E_MISSING &&
              !strcmp(fault.path, "idTag"),
          "a broken request is not sent");
    amp_buf_init(&out, out_block, 10);
    CHECK(amp_frame_call(&out, AMP_OCPP16, AMP_TEXT("7"), m, &request, NULL) == AMP_E_FULL, "full");
}

/* What the cases do not hold: OCPP 2.1, answers without a call of ours, and which fault comes
 * first. */
static const struct {
    const char *why, *in;
    enum amp_version version;
    enum amp_direction from;
    int pending; /* enum P_id, -1: none */
    enum amp_verdict_kind kind;
    int rc;
} verdicts[] = {
    { "2.1 SEND",
      "[6,\"a\",\"NotifyPeriodicEventStream\",{\"id\":1,\"pending\":0,\"basetime\":\"2024-06-01T08:"
      "30:00Z\",\"data\":"
      "[{\"t\":1,\"v\":\"x\"}]}]",
      AMP_OCPP21, AMP_UP, -1, AMP_ACCEPT, 0 },
    { "a SEND is never answered", "[6,\"a\",\"NotifyPeriodicEventStream\",{}]", AMP_OCPP21, AMP_UP,
      -1, AMP_DISCARD, AMP_E_MISSING },
    { "nor an unknown one", "[6,\"a\",\"X\",{}]", AMP_OCPP21, AMP_UP, -1, AMP_DISCARD,
      AMP_E_UNKNOWN },
    { "a call as SEND", "[6,\"a\",\"Heartbeat\",{}]", AMP_OCPP21, AMP_UP, -1, AMP_DISCARD,
      AMP_E_UNKNOWN },
    { "a SEND as call", "[2,\"a\",\"NotifyPeriodicEventStream\",{}]", AMP_OCPP21, AMP_UP, -1,
      AMP_ANSWER_ERROR, AMP_E_UNKNOWN },
    { "a message of 2.1 in 2.0.1", "[2,\"a\",\"GetTariffs\",{\"evseId\":1}]", AMP_OCPP201, AMP_DOWN,
      -1, AMP_ANSWER_ERROR, AMP_E_UNKNOWN },
    { "and in 2.1", "[2,\"a\",\"GetTariffs\",{\"evseId\":1}]", AMP_OCPP21, AMP_DOWN, -1, AMP_ACCEPT,
      0 },
    { "bad result in 1.6", "[3,\"a\",{}]", AMP_OCPP16, AMP_DOWN, OCPP16_HEARTBEAT, AMP_DISCARD,
      AMP_E_MISSING },
    { "bad result in 2.1", "[3,\"a\",{}]", AMP_OCPP21, AMP_DOWN, OCPP2_HEARTBEAT, AMP_ANSWER_ERROR,
      AMP_E_MISSING },
    { "error frames are never answered", "[4,\"a\",5]", AMP_OCPP21, AMP_UP, -1, AMP_DISCARD,
      AMP_E_FORMAT },
    { "unknown type in 2.1", "[9,\"a\",{}]", AMP_OCPP21, AMP_UP, -1, AMP_DISCARD, AMP_E_KIND },
    { "a result nobody waits for", "[3,\"a\",{\"x\":[1]}]", AMP_OCPP16, AMP_UP, -1, AMP_ACCEPT, 0 },
    { "not even JSON", "[3,\"a\",{\"x\":[1}]", AMP_OCPP16, AMP_UP, -1, AMP_DISCARD, AMP_E_FORMAT },
    { "broken JSON behind another fault",
      "[2,\"a\",\"UnlockConnector\",{\"connectorId\":-1,\"x\":}]", AMP_OCPP16, AMP_DOWN, -1,
      AMP_DISCARD, AMP_E_FRAME },
    { "broken UTF-8 behind another fault",
      "[2,\"a\",\"UnlockConnector\",{\"connectorId\":-1,\"x\":\"\xff\"}]", AMP_OCPP16, AMP_DOWN, -1,
      AMP_CLOSE, AMP_E_UTF8 },
    { "broken UTF-8 behind an unknown action", "[2,\"a\",\"X\",{\"x\":\"\xff\"}]", AMP_OCPP16,
      AMP_DOWN, -1, AMP_CLOSE, AMP_E_UTF8 },
    { "one element too many behind another fault",
      "[2,\"a\",\"UnlockConnector\",{\"connectorId\":-1},1]", AMP_OCPP16, AMP_DOWN, -1,
      AMP_ANSWER_ERROR, AMP_E_FRAME },
    { "both ways up", "[2,\"a\",\"DataTransfer\",{\"vendorId\":\"v\"}]", AMP_OCPP16, AMP_UP, -1,
      AMP_ACCEPT, 0 },
    { "both ways down", "[2,\"a\",\"DataTransfer\",{\"vendorId\":\"v\"}]", AMP_OCPP16, AMP_DOWN, -1,
      AMP_ACCEPT, 0 },
    { "unreadable in 2.0.1", "x", AMP_OCPP201, AMP_UP, -1, AMP_ANSWER_ERROR, AMP_E_FRAME },
};

static void test_judge(void)
{
    for (size_t i = 0; i < AMP_COUNT(verdicts); i++) {
        const struct amp_protocol *p = verdicts[i].version == AMP_OCPP16 ? &ocpp16 : &ocpp2;
        const struct amp_message *pending =
            verdicts[i].pending < 0 ? NULL : &p->messages[verdicts[i].pending];
        struct amp_arena arena;
        struct amp_verdict v;

        amp_arena_init(&arena, arena_block, sizeof arena_block);
        amp_frame_judge(p, verdicts[i].version, AMP_LENIENT, verdicts[i].from, pending,
                        amp_text_of(verdicts[i].in), &arena, &v);
        CHECK(v.kind == verdicts[i].kind && v.rc == verdicts[i].rc, "%s: %d %d %s", verdicts[i].why,
              (int)v.kind, v.rc, v.fault.why ? v.fault.why : "");
        CHECK(v.kind == AMP_ACCEPT || (!v.body && v.fault.why),
              "%s: a refused frame has a reason and no body", verdicts[i].why);
        CHECK((v.kind == AMP_CLOSE) == (v.close_code == 1007), "%s: %d", verdicts[i].why,
              v.close_code);
    }
}

/* An arena that is too small is our failure, and the peer hears so. */
static void test_full(void)
{
    static const char in[] =
        "[2,\"\\u0061\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
        "\"2024-06-01T08:30:00Z\",\"sampledValue\":[{\"value\":\"1\"}]}]}]";
    bool accepted = false;

    for (size_t cap = 0; cap < 1024; cap += 8) {
        struct amp_arena arena;
        struct amp_verdict v;

        amp_arena_init(&arena, arena_block, cap);
        amp_frame_judge(&ocpp16, AMP_OCPP16, AMP_LENIENT, AMP_UP, NULL, amp_text_of(in), &arena,
                        &v);
        accepted = v.kind == AMP_ACCEPT;
        CHECK(accepted || v.rc == AMP_E_FULL, "%zu: %d %d", cap, (int)v.kind, v.rc);
        CHECK(accepted || v.kind == (v.frame.id.at ? AMP_ANSWER_ERROR : AMP_DISCARD), "%zu: %d",
              cap, (int)v.kind);
    }
    CHECK(accepted, "1 kB is enough");
    CHECK(!strcmp(amp_err_code(AMP_E_FULL, AMP_OCPP16), "InternalError"), "the code for it");
}

int main(void)
{
    RUN(test_read);
    RUN(test_trailing_nul);
    RUN(test_write);
    RUN(test_judge);
    RUN(test_full);
    return check_end();
}
