/* ocpp/codec_test.c - the decoder, the encoder and their rules, one by one. Whole frames are in
 * frame_test.c and in messages/cases_test.c. */
#include "messages/ocpp16.h"
#include "messages/ocpp2.h"
#include "ocpp/check.h"
#include "ocpp/codec.h"

#define SAME ((const char *)1) /* written again as it came */

static unsigned char arena_block[65536], body[4096];
static char out_block[65536];

/* clang-format off */
static const struct {
    const char *why;
    const struct amp_record *record;
    const char *in;
    int lenient, strict; /* results */
    const char *path;    /* of the fault; or, when accepted, what is written again */
} cases[] = {
    /* soundness of the text */
    { "plain", &ocpp16_authorize_record, "{\"idTag\":\"A1\"}", 0, 0, SAME },
    { "blanks", &ocpp16_authorize_record,
      " {\t\"idTag\" :\r\n \"A1\" } ", 0, 0, "{\"idTag\":\"A1\"}" },
    { "empty", &ocpp16_heartbeat_record, "{ }", 0, 0, "{}" },
    { "key with an escape", &ocpp16_authorize_record,
      "{\"\\u0069dTag\":\"A1\"}", 0, 0, "{\"idTag\":\"A1\"}" },
    { "cut", &ocpp16_authorize_record, "{\"idTag\":\"A1\"", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "cut in a key", &ocpp16_authorize_record, "{\"idT", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "cut in a text", &ocpp16_authorize_record,
      "{\"idTag\":\"A", AMP_E_FORMAT, AMP_E_FORMAT, "idTag" },
    { "no value", &ocpp16_authorize_record, "{\"idTag\":}", AMP_E_FORMAT, AMP_E_FORMAT, "idTag" },
    { "comma at the end", &ocpp16_authorize_record,
      "{\"idTag\":\"A1\",}", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "two objects", &ocpp16_heartbeat_record, "{}{}", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "a key twice", &ocpp16_authorize_record,
      "{\"idTag\":\"A1\",\"idTag\":\"A1\"}", AMP_E_FORMAT, AMP_E_FORMAT, "idTag" },
    { "twice, once escaped", &ocpp16_authorize_record,
      "{\"idTag\":\"A\",\"\\u0069dTag\":\"B\"}", AMP_E_FORMAT, AMP_E_FORMAT, "idTag" },
    { "NaN", &ocpp16_unlock_connector_record,
      "{\"connectorId\":NaN}", AMP_E_FORMAT, AMP_E_FORMAT, "connectorId" },
    { "no object", &ocpp16_authorize_record, "\"A1\"", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "nothing", &ocpp16_authorize_record, "", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "null for {}", &ocpp16_heartbeat_record, "null", 0, AMP_E_FORMAT, "{}" },
    { "[] for {}", &ocpp16_heartbeat_record, "[ ]", 0, AMP_E_FORMAT, "{}" },
    { "null with fields missing", &ocpp16_authorize_record,
      "null", AMP_E_MISSING, AMP_E_FORMAT, "idTag" },
    { "not UTF-8", &ocpp16_authorize_record,
      "{\"idTag\":\"\xff\"}", AMP_E_UTF8, AMP_E_UTF8, "idTag" },
    { "lone surrogate", &ocpp16_authorize_record,
      "{\"idTag\":\"\\ud800\"}", AMP_E_FORMAT, AMP_E_FORMAT, "idTag" },
    { "NUL", &ocpp16_authorize_record,
      "{\"idTag\":\"A\\u0000\"}", AMP_E_VALUE, AMP_E_VALUE, "idTag" },
    /* unknown fields */
    { "skipped", &ocpp16_heartbeat_record,
      "{\"x\":{\"a\":[1,{}]},\"y\":null}", 0, AMP_E_FORMAT, "{}" },
    { "a broken one", &ocpp16_heartbeat_record,
      "{\"x\":{\"a\":}}", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "twice", &ocpp16_heartbeat_record, "{\"x\":1,\"x\":1}", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "twice inside", &ocpp16_heartbeat_record,
      "{\"x\":{\"y\":1,\"y\":1}}", AMP_E_FORMAT, AMP_E_FORMAT, "" },
    { "not UTF-8 inside", &ocpp16_heartbeat_record,
      "{\"x\":\"\xff\"}", AMP_E_UTF8, AMP_E_FORMAT, "" },
    /* texts */
    { "20 characters of two bytes", &ocpp16_authorize_record,
      "{\"idTag\":"
      "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}",
      0, 0, SAME },
    { "21 characters", &ocpp16_authorize_record,
      "{\"idTag\":\"123456789012345678901\"}", AMP_E_VALUE, AMP_E_VALUE, "idTag" },
    { "20 characters and an escape", &ocpp16_authorize_record,
      "{\"idTag\":\"1234567890123456789\\u00e9\"}",
      0, 0, "{\"idTag\":\"1234567890123456789\xc3\xa9\"}" },
    { "number as text", &ocpp16_authorize_record,
      "{\"idTag\":12.50}", 0, AMP_E_TYPE, "{\"idTag\":\"12.50\"}" },
    { "true as text", &ocpp16_authorize_record,
      "{\"idTag\":true}", AMP_E_TYPE, AMP_E_TYPE, "idTag" },
    { "list as text", &ocpp16_authorize_record,
      "{\"idTag\":[\"A\"]}", AMP_E_TYPE, AMP_E_TYPE, "idTag" },
    { "null, required", &ocpp16_authorize_record,
      "{\"idTag\":null}", AMP_E_MISSING, AMP_E_MISSING, "idTag" },
    { "descriptive and long", &ocpp16_boot_notification_record,
      "{\"chargePointModel\":\"123456789012345678901\",\"chargePointVendor\":\"V\"}",
      0, AMP_E_VALUE, SAME },
    { "an empty name is absent", &ocpp16_data_transfer_record,
      "{\"vendorId\":\"v\",\"messageId\":\"\"}", 0, 0, "{\"vendorId\":\"v\"}" },
    { "an empty text is a text", &ocpp16_data_transfer_record,
      "{\"vendorId\":\"v\",\"data\":\"\"}", 0, 0, SAME },
    { "characters of an id", &ocpp2_get_transaction_status_record,
      "{\"transactionId\":\"aZ09*-_=:+|@.\"}", 0, 0, SAME },
    { "no character of an id", &ocpp2_get_transaction_status_record,
      "{\"transactionId\":\"a b\"}", AMP_E_VALUE, AMP_E_VALUE, "transactionId" },
    { "words of an older version", &ocpp2_cleared_charging_limit_record,
      "{\"chargingLimitSource\":\"EMS\"}", 0, 0, SAME },
    { "none of the words", &ocpp2_cleared_charging_limit_record,
      "{\"chargingLimitSource\":\"XX\"}", AMP_E_VALUE, AMP_E_VALUE, "chargingLimitSource" },
    /* integers */
    { "zero", &ocpp16_unlock_connector_record, "{\"connectorId\":0}", 0, 0, SAME },
    { "below the least", &ocpp16_unlock_connector_record,
      "{\"connectorId\":-1}", AMP_E_VALUE, AMP_E_VALUE, "connectorId" },
    { "as text", &ocpp16_unlock_connector_record,
      "{\"connectorId\":\" 1 \"}", 0, AMP_E_TYPE, "{\"connectorId\":1}" },
    { "as a word", &ocpp16_unlock_connector_record,
      "{\"connectorId\":\"one\"}", AMP_E_TYPE, AMP_E_TYPE, "connectorId" },
    { "as hex", &ocpp16_unlock_connector_record,
      "{\"connectorId\":\"0x1\"}", AMP_E_TYPE, AMP_E_TYPE, "connectorId" },
    { "7.0", &ocpp16_unlock_connector_record,
      "{\"connectorId\":7.0}", 0, AMP_E_TYPE, "{\"connectorId\":7}" },
    { "1.2e3", &ocpp16_unlock_connector_record,
      "{\"connectorId\":1.2e3}", 0, AMP_E_TYPE, "{\"connectorId\":1200}" },
    { "7.5", &ocpp16_unlock_connector_record,
      "{\"connectorId\":7.5}", AMP_E_TYPE, AMP_E_TYPE, "connectorId" },
    { "64 bits", &ocpp16_remote_stop_transaction_record,
      "{\"transactionId\":9223372036854775807}", 0, 0, SAME },
    { "64 bits, negative", &ocpp16_remote_stop_transaction_record,
      "{\"transactionId\":-9223372036854775808}", 0, 0, SAME },
    { "65 bits", &ocpp16_remote_stop_transaction_record,
      "{\"transactionId\":9223372036854775808}", AMP_E_VALUE, AMP_E_VALUE, "transactionId" },
    { "65 bits as text", &ocpp16_remote_stop_transaction_record,
      "{\"transactionId\":\"9223372036854775808\"}", AMP_E_VALUE, AMP_E_TYPE, "transactionId" },
    { "1e400", &ocpp16_remote_stop_transaction_record,
      "{\"transactionId\":1e400}", AMP_E_VALUE, AMP_E_VALUE, "transactionId" },
    { "octal", &ocpp16_remote_stop_transaction_record,
      "{\"transactionId\":010}", AMP_E_FORMAT, AMP_E_FORMAT, "transactionId" },
    { "minus alone", &ocpp16_remote_stop_transaction_record,
      "{\"transactionId\":-}", AMP_E_FORMAT, AMP_E_FORMAT, "transactionId" },
    { "bool as integer", &ocpp16_remote_stop_transaction_record,
      "{\"transactionId\":true}", AMP_E_TYPE, AMP_E_TYPE, "transactionId" },
    { "empty and optional", &ocpp16_clear_charging_profile_record,
      "{\"id\":\"\",\"stackLevel\":null}", 0, AMP_E_TYPE, "{}" },
    /* enums */
    { "known", &ocpp16_reset_record, "{\"type\":\"Hard\"}", 0, 0, SAME },
    { "wrong case", &ocpp16_reset_record, "{\"type\":\"hard\"}", AMP_E_VALUE, AMP_E_VALUE, "type" },
    { "with a blank", &ocpp16_reset_record,
      "{\"type\":\"Hard \"}", AMP_E_VALUE, AMP_E_VALUE, "type" },
    { "empty", &ocpp16_reset_record, "{\"type\":\"\"}", AMP_E_VALUE, AMP_E_VALUE, "type" },
    { "a number", &ocpp16_reset_record, "{\"type\":1}", AMP_E_TYPE, AMP_E_TYPE, "type" },
    { "escaped", &ocpp16_reset_record, "{\"type\":\"H\\u0061rd\"}", 0, 0, "{\"type\":\"Hard\"}" },
    { "of 2.1 only", &ocpp2_reset_record,
      "{\"type\":\"ImmediateAndResume\"}", AMP_E_VALUE, AMP_E_VALUE, "type" },
    /* booleans */
    { "bool as text", &ocpp2_notify_report_record,
      "{\"requestId\":1,\"generatedAt\":\"2024-06-01T08:30:00Z\",\"seqNo\":0,\"tbc\":\"true\"}",
      0, AMP_E_TYPE, "{\"requestId\":1,\"generatedAt\":\"2024-06-01T08:30:00Z\",\"seqNo\":0,\"tbc\":true}" },
    { "bool as number", &ocpp2_notify_report_record,
      "{\"requestId\":1,\"generatedAt\":\"2024-06-01T08:30:00Z\",\"tbc\":1,\"seqNo\":0}",
      AMP_E_TYPE, AMP_E_TYPE, "tbc" },
    { "cut literal", &ocpp2_notify_report_record,
      "{\"requestId\":1,\"generatedAt\":\"2024-06-01T08:30:00Z\",\"tbc\":tru,\"seqNo\":0}",
      AMP_E_FORMAT, AMP_E_FORMAT, "tbc" },
    /* times */
    { "offset", &ocpp16_heartbeat_reply_record,
      "{\"currentTime\":\"2024-06-01T10:30:00.5+02:00\"}",
      0, 0, "{\"currentTime\":\"2024-06-01T08:30:00.500Z\"}" },
    { "no zone", &ocpp16_heartbeat_reply_record,
      "{\"currentTime\":\"2024-06-01 08:30\"}",
      0, AMP_E_TYPE, "{\"currentTime\":\"2024-06-01T08:30:00Z\"}" },
    { "no time", &ocpp16_heartbeat_reply_record,
      "{\"currentTime\":\"now\"}", AMP_E_TYPE, AMP_E_TYPE, "currentTime" },
    { "time as number", &ocpp16_heartbeat_reply_record,
      "{\"currentTime\":1717230600}", AMP_E_TYPE, AMP_E_TYPE, "currentTime" },
    { "29 February", &ocpp16_heartbeat_reply_record,
      "{\"currentTime\":\"2023-02-29T08:30:00Z\"}", AMP_E_TYPE, AMP_E_TYPE, "currentTime" },
    { "year 1, required", &ocpp16_heartbeat_reply_record,
      "{\"currentTime\":\"0001-01-01T00:00:00Z\"}", 0, 0, SAME },
    { "year 1, optional", &ocpp16_authorize_reply_record,
      "{\"idTagInfo\":{\"status\":\"Accepted\",\"expiryDate\":\"0001-01-01T00:00:00Z\"}}",
      0, 0, "{\"idTagInfo\":{\"status\":\"Accepted\"}}" },
    /* records and lists */
    { "wrong type of a record", &ocpp16_authorize_reply_record,
      "{\"idTagInfo\":[]}", AMP_E_TYPE, AMP_E_TYPE, "idTagInfo" },
    { "in a record", &ocpp16_authorize_reply_record,
      "{\"idTagInfo\":{\"status\":\"Maybe\"}}", AMP_E_VALUE, AMP_E_VALUE, "idTagInfo.status" },
    { "missing in a record", &ocpp16_authorize_reply_record,
      "{\"idTagInfo\":{}}", AMP_E_MISSING, AMP_E_MISSING, "idTagInfo.status" },
    { "one object for a list", &ocpp16_meter_values_record,
      "{\"connectorId\":1,\"meterValue\":{\"timestamp\":\"2024-06-01T08:30:00Z\",\"sampledValue\":{"
      "\"value\":\"1\"}}}",
      0, AMP_E_TYPE, "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2024-06-01T08:30:00Z\",\"sampledValue\":"
      "[{\"value\":\"1\"}]}]}" },
    { "in the second of a list", &ocpp16_meter_values_record,
      "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2024-06-01T08:30:00Z\",\"sampledValue\":"
      "[{\"value\":\"1\"},"
      "{\"value\":[]}]}]}",
      AMP_E_TYPE, AMP_E_TYPE, "meterValue[0].sampledValue[1].value" },
    { "an empty list that may be one", &ocpp16_meter_values_record,
      "{\"connectorId\":1,\"meterValue\":[]}", 0, AMP_E_COUNT, SAME },
    { "an empty list that may not", &ocpp2_get_variables_record,
      "{\"getVariableData\":[]}", AMP_E_COUNT, AMP_E_COUNT, "getVariableData" },
    { "text for a list", &ocpp16_get_configuration_record,
      "{\"key\":\"A\"}", AMP_E_TYPE, AMP_E_TYPE, "key" },
    { "list of texts", &ocpp16_get_configuration_record,
      "{\"key\":[\"A\",\"B\\n\",\"\"]}", 0, 0, SAME },
    { "null in a list", &ocpp16_get_configuration_record,
      "{\"key\":[null]}", AMP_E_TYPE, AMP_E_TYPE, "key[0]" },
    { "comma in a list", &ocpp16_get_configuration_record,
      "{\"key\":[\"A\",]}", AMP_E_FORMAT, AMP_E_FORMAT, "key[1]" },
    { "unclosed list", &ocpp16_get_configuration_record,
      "{\"key\":[\"A\"}", AMP_E_FORMAT, AMP_E_FORMAT, "key" },
    { "open enum, trimmed and unknown", &ocpp16_meter_values_record,
      "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2024-06-01T08:30:00Z\",\"sampledValue\":"
      "[{\"value\":\"1\",\"measurand\":\"Current.Import\\n\",\"unit\":\"Hz\",\"phase\":\"\"}]}]}",
      0, AMP_E_VALUE, "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2024-06-01T08:30:00Z\",\"sampledValue\":"
      "[{\"value\":\"1\",\"measurand\":\"Current.Import\",\"unit\":\"?\"}]}]}" },
    /* decimals */
    { "tenths", &ocpp16_charging_schedule_period_record,
      "{\"startPeriod\":0,\"limit\":10.1}", 0, 0, SAME },
    { "16.00 is 16", &ocpp16_charging_schedule_period_record,
      "{\"startPeriod\":0,\"limit\":16.00}", 0, 0, "{\"startPeriod\":0,\"limit\":16}" },
    { "hundredths", &ocpp16_charging_schedule_period_record,
      "{\"startPeriod\":0,\"limit\":10.12}", AMP_E_VALUE, AMP_E_VALUE, "limit" },
    { "negative", &ocpp16_charging_schedule_period_record,
      "{\"startPeriod\":0,\"limit\":-6}", AMP_E_VALUE, AMP_E_VALUE, "limit" },
    { "decimal as text", &ocpp16_charging_schedule_period_record,
      "{\"startPeriod\":0,\"limit\":\"16,5\"}",
      0, AMP_E_TYPE, "{\"startPeriod\":0,\"limit\":16.5}" },
    { "decimal as word", &ocpp16_charging_schedule_period_record,
      "{\"startPeriod\":0,\"limit\":\"max\"}", AMP_E_TYPE, AMP_E_TYPE, "limit" },
    { "free decimal", &ocpp2_sampled_value_record, "{\"value\":-0.00123}", 0, 0, SAME },
    { "exponent", &ocpp2_sampled_value_record, "{\"value\":1.5E3}", 0, 0, "{\"value\":1500}" },
    { "too many digits", &ocpp2_sampled_value_record,
      "{\"value\":1234567890.1234567891}", 0, 0,
      "{\"value\":1234567890.12345679}" },
    { "too large", &ocpp2_sampled_value_record, "{\"value\":1e400}", AMP_E_VALUE, AMP_E_VALUE, "value" },
    { "whole in the older version", &ocpp2_ac_charging_parameters_record,
      "{\"energyAmount\":1.5,\"evMinCurrent\":1,\"evMaxCurrent\":1,\"evMaxVoltage\":1}",
      AMP_E_TYPE, AMP_E_TYPE, "energyAmount" },
    /* customData and any */
    { "customData", &ocpp2_heartbeat_record,
      "{\"customData\":{\"vendorId\":\"x\",\"a\":[{\"b\":null}]}}", 0, 0, SAME },
    { "whose?", &ocpp2_heartbeat_record,
      "{\"customData\":{\"a\":1}}", AMP_E_MISSING, AMP_E_MISSING, "customData.vendorId" },
    { "no object", &ocpp2_heartbeat_record,
      "{\"customData\":\"x\"}", AMP_E_TYPE, AMP_E_TYPE, "customData" },
    { "null", &ocpp2_heartbeat_record, "{\"customData\":null}", 0, AMP_E_TYPE, "{}" },
    { "any", &ocpp2_data_transfer_record, "{\"vendorId\":\"v\",\"data\":[1 ,\"a\\u0062\",{}]}", 0, 0, SAME },
    { "null is any value", &ocpp2_data_transfer_record, "{\"vendorId\":\"v\",\"data\":null}", 0, 0, SAME },
    { "vendorId is a number", &ocpp2_heartbeat_record, "{\"customData\":{\"vendorId\":1}}", AMP_E_TYPE,
      AMP_E_TYPE, "customData.vendorId" },
    { "any, broken", &ocpp2_data_transfer_record,
      "{\"data\":[1,],\"vendorId\":\"v\"}", AMP_E_FORMAT, AMP_E_FORMAT, "data" },
    /* rules over several fields */
    { "first period", &ocpp16_charging_profile_record,
      "{\"chargingProfileId\":1,\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\","
      "\"chargingProfileKind\":"
      "\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{"
      "\"startPeriod\":1,"
      "\"limit\":6}]}}",
      AMP_E_VALUE, AMP_E_VALUE, "chargingSchedule.chargingSchedulePeriod[0].startPeriod" },
};
/* clang-format on */

static void run_case(size_t i, enum amp_codec_mode mode)
{
    int want = mode == AMP_STRICT ? cases[i].strict : cases[i].lenient, rc;
    size_t len = strlen(cases[i].in);
    char exact[1024]; /* the text ends where the array does, for the sanitizer */
    struct amp_text in = { exact + sizeof exact - len, (uint32_t)len };
    struct amp_fault fault = { 0 };
    struct amp_arena arena;
    struct amp_buf out;

    memcpy(exact + sizeof exact - len, cases[i].in, len);
    amp_arena_init(&arena, arena_block, sizeof arena_block);
    amp_buf_init(&out, out_block, sizeof out_block);
    rc = amp_decode(cases[i].record, AMP_OCPP201, mode, in, body, &arena, &fault, NULL);
    CHECK(rc == want, "%s, mode %d: %d %s %s", cases[i].why, mode, rc, fault.path,
          fault.why ? fault.why : "");
    if (rc < 0 && rc == want && want == cases[i].lenient)
        CHECK(fault.rc == rc && fault.why && !strcmp(fault.path, cases[i].path),
              "%s: blamed '%s' (%s)", cases[i].why, fault.path, fault.why);
    if (rc < 0)
        return;
    rc = amp_encode_mode(cases[i].record, AMP_OCPP201, AMP_LENIENT, body, &out, &fault);
    CHECK(rc == 0, "%s: written again: %d", cases[i].why, rc);
    if (cases[i].path == SAME || mode == AMP_LENIENT)
        CHECK(amp_text_is(amp_buf_text(&out), cases[i].path == SAME ? cases[i].in : cases[i].path),
              "%s: %.*s", cases[i].why, AMP_FMT(amp_buf_text(&out)));
}

static void test_cases(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        run_case(i, AMP_LENIENT);
        run_case(i, AMP_STRICT);
    }
}

int main(void)
{
    RUN(test_cases);
    return check_end();
}
