/* central/v16/ops_test.c - the tables: who handles what, what answers mean, what may be asked, what
 * is saved of a broken stop. */
#include "central/v16/inside.h"
#include "central/v16/ops.h"
#include "ocpp/check.h"

static unsigned char block[1 << 16];

static void test_every_core_message_has_a_handler(void)
{
    unsigned handled = 0;

    for (unsigned i = 0; i < ocpp16.count; i++) {
        const struct amp_message *m = &ocpp16.messages[i];
        const struct v16_op *op = v16_op_find(m->id);

        handled += op != NULL;
        CHECK(!op || (m->direction & AMP_UP), "%s is no message of stations", m->name);
        CHECK(!op || (op->id == m->id && op->on_call), "%s", m->name);
        CHECK(op || strcmp(m->profile, "core") != 0 || !(m->direction & AMP_UP),
              "%s is not handled", m->name);
    }
    CHECK(handled == 14, "%u messages handled", handled);
    CHECK(v16_op_find(OCPP16_RESET) == NULL && v16_op_find(OCPP16_COUNT) == NULL, "nothing else");
}

static void test_answers(void)
{
    static const struct {
        unsigned id;
        const char *reply;
        bool accepts;
    } cases[] = {
        { OCPP16_REMOTE_START_TRANSACTION, "{\"status\":\"Accepted\"}", true },
        { OCPP16_REMOTE_START_TRANSACTION, "{\"status\":\"Rejected\"}", false },
        { OCPP16_REMOTE_STOP_TRANSACTION, "{ \"status\" : \"Accepted\" }", true },
        { OCPP16_UNLOCK_CONNECTOR, "{\"status\":\"Unlocked\"}", true },
        { OCPP16_UNLOCK_CONNECTOR, "{\"status\":\"UnlockFailed\"}", false },
        { OCPP16_UNLOCK_CONNECTOR, "{\"status\":\"NotSupported\"}", false },
        { OCPP16_CHANGE_AVAILABILITY, "{\"status\":\"Scheduled\"}", true },       /* E80 */
        { OCPP16_CHANGE_CONFIGURATION, "{\"status\":\"RebootRequired\"}", true }, /* E80 */
        { OCPP16_CHANGE_CONFIGURATION, "{\"status\":\"NotSupported\"}", false },
        { OCPP16_CLEAR_CHARGING_PROFILE, "{\"status\":\"Unknown\"}", true }, /* E91 */
        { OCPP16_TRIGGER_MESSAGE, "{\"status\":\"NotImplemented\"}", false },
        { OCPP16_GET_CONFIGURATION, "{\"configurationKey\":[]}", true },
        { OCPP16_GET_CONFIGURATION, "{}", true },
        { OCPP16_GET_COMPOSITE_SCHEDULE,
          "{\"x\":{\"status\":\"Accepted\"},\"status\":\"Rejected\"}", false },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++)
        CHECK(v16_answer_accepts(&ocpp16.messages[cases[i].id], amp_text_of(cases[i].reply)) ==
                  cases[i].accepts,
              "%s %s", ocpp16.messages[cases[i].id].name, cases[i].reply);
}

/* A reply with a status that no row calls a success would be rejected for ever: every such message
 * must have a row. */
static void test_every_status_has_a_success(void)
{
    static const char *const words[] = { "Accepted", "Unlocked" };

    for (unsigned i = 0; i < ocpp16.count; i++) {
        const struct amp_message *m = &ocpp16.messages[i];
        bool success = false;

        for (size_t k = 0; k < AMP_COUNT(words); k++) {
            char reply[64];

            snprintf(reply, sizeof reply, "{\"status\":\"%s\"}", words[k]);
            success = success || v16_answer_accepts(m, amp_text_of(reply));
        }
        CHECK(success || !(m->direction & AMP_DOWN), "%s can never be accepted", m->name);
    }
}

static void test_may_ask(void) /* E61 */
{
    static const struct {
        int registration;
        unsigned id;
        int rc;
    } cases[] = {
        { REGISTRATION_ACCEPTED, OCPP16_REMOTE_START_TRANSACTION, 0 },
        { REGISTRATION_PENDING, OCPP16_REMOTE_START_TRANSACTION, AMP_E_STATE },
        { REGISTRATION_PENDING, OCPP16_REMOTE_STOP_TRANSACTION, AMP_E_STATE },
        { REGISTRATION_PENDING, OCPP16_GET_CONFIGURATION, 0 },
        { REGISTRATION_REJECTED, OCPP16_GET_CONFIGURATION, AMP_E_STATE },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        const char *why = NULL;
        int rc = v16_may_ask(cases[i].registration, &ocpp16.messages[cases[i].id], &why);

        CHECK(rc == cases[i].rc && (rc == 0 || why), "case %zu: %d", i, rc);
    }
}

static void test_check(void)
{
    static const struct {
        const char *action, *payload;
        int rc;
        const char *path;
    } cases[] = {
        { "RemoteStartTransaction", "{\"idTag\":\"A\",\"connectorId\":1}", 0, "" },
        { "Reset", "{\"type\":\"Soft\"}", 0, "" },
        { "Reset", "{\"type\":\"Gently\"}", AMP_E_VALUE, "type" },
        { "Reset", "{}", AMP_E_MISSING, "type" },
        { "Reset", "{\"type\":\"Soft\"", AMP_E_FORMAT, "" },
        { "ClearCache", "", 0, "" },
        { "UnlockConnector", "{\"connectorId\":\"1\"}", AMP_E_TYPE, "connectorId" },
        { "RemoteStartTransaction", "{\"idTag\":\"123456789012345678901\"}", AMP_E_VALUE, "idTag" },
        { "GetConfiguration", "{\"key\":[\"A\",\"B\"]}", 0, "" },
        { "DataTransfer", "{\"vendorId\":\"x\"}", 0, "" },
        { "Heartbeat", "{}", AMP_E_SUPPORT, "" },
        { "Dance", "{}", AMP_E_UNKNOWN, "" },
    };
    static struct central c;
    struct v16 v = { .c = &c };

    amp_arena_init(&c.arena, block, sizeof block);
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_fault fault;
        int rc = v16_check(&v, amp_text_of(cases[i].action), amp_text_of(cases[i].payload), &fault);

        CHECK(rc == cases[i].rc && fault.rc == rc, "%s %s: %d", cases[i].action, cases[i].payload,
              rc);
        CHECK(!strcmp(fault.path, cases[i].path), "%s %s: blamed '%s'", cases[i].action,
              cases[i].payload, fault.path);
        CHECK(c.arena.used == 0, "the arena is as before");
    }
}

#define REST "\"meterStop\":500,\"timestamp\":\"2024-06-01T08:00:00Z\""
#define DATA                                                                                     \
    "\"transactionData\":[{\"timestamp\":\"2024-06-01T08:00:00Z\",\"sampledValue\":[{\"value\":" \
    "\"5\"}]}]"

static void test_salvage(void) /* E9, E14, E23 */
{
    static const struct {
        const char *why, *payload;
        bool saved;
        int64_t id;
        unsigned readings;
        bool reason;
    } cases[] = {
        { "E9: null id", "{\"transactionId\":null," REST "}", true, -1, 0, false },
        { "E9: no id", "{" REST "}", true, -1, 0, false },
        { "E23: bad reason, good data",
          "{\"transactionId\":7,\"reason\":\"Deauthorized\"," REST "," DATA "}", true, 7, 1,
          false },
        { "a tag that is too long",
          "{\"transactionId\":7,\"idTag\":\"123456789012345678901\",\"reason\":\"Local\"," REST "}",
          true, 7, 0, true },
        { "data that is broken",
          "{\"transactionId\":7,\"transactionData\":[{\"timestamp\":\"x\",\"sampledValue\":[]}]"
          "," REST "}",
          true, 7, 0, false },
        { "no time", "{\"transactionId\":7,\"meterStop\":500}", true, 7, 0, false },
        { "all of it at once",
          "{\"transactionId\":\"x\",\"reason\":1,\"idTag\":[],\"transactionData\":3,\"meterStop\":"
          "500,\"timestamp\":\"x\"}",
          true, -1, 0, false },
        { "no register value", "{\"transactionId\":7,\"timestamp\":\"2024-06-01T08:00:00Z\"}",
          false, 0, 0, false },
        { "keys twice", "{\"transactionId\":7,\"transactionId\":8," REST "}", false, 0, 0, false },
        { "no object", "[1]", false, 0, 0, false },
        { "nothing to repair", "{\"transactionId\":7," REST "}", false, 7, 0, false },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct ocpp16_stop_transaction stop;
        struct amp_text repaired;
        struct amp_arena arena;
        bool saved;

        amp_arena_init(&arena, block, sizeof block);
        saved = v16_salvage_stop(amp_text_of(cases[i].payload), &arena, &stop, &repaired);
        CHECK(saved == cases[i].saved, "%s: %s", cases[i].why, saved ? "saved" : "lost");
        if (!saved)
            continue;
        CHECK(stop.meter_stop == 500 && stop.transaction_id == cases[i].id, "%s: id %lld",
              cases[i].why, (long long)stop.transaction_id);
        CHECK(stop.transaction_data.len == cases[i].readings, "%s: %u readings", cases[i].why,
              (unsigned)stop.transaction_data.len);
        CHECK((stop.reason != 0) == cases[i].reason, "%s: reason %d", cases[i].why,
              (int)stop.reason);
    }
}

static void test_size(void)
{
    CHECK(sizeof(struct session) <= 320, "a session takes %zu bytes", sizeof(struct session));
}

int main(void)
{
    RUN(test_every_core_message_has_a_handler);
    RUN(test_answers);
    RUN(test_every_status_has_a_success);
    RUN(test_may_ask);
    RUN(test_check);
    RUN(test_salvage);
    RUN(test_size);
    printf("session: %zu bytes\n", sizeof(struct session));
    return check_end();
}
