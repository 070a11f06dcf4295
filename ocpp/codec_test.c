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

static int decode(const struct amp_record *r, enum amp_version v, const char *in, void *out,
                  struct amp_fault *fault, struct amp_decode *report)
{
    static struct amp_arena arena;

    amp_arena_init(&arena, arena_block, sizeof arena_block);
    return amp_decode(r, v, AMP_LENIENT, amp_text_of(in), out, &arena, fault, report);
}

/* What a struct says about what is there and what is not. */
static void test_presence(void)
{
    struct ocpp16_meter_values m;
    struct ocpp16_boot_notification b;
    struct ocpp16_stop_transaction s;
    struct amp_decode report;
    struct amp_fault fault;
    int rc = decode(&ocpp16_meter_values_record, AMP_OCPP16,
                    "{\"connectorId\":2,\"transactionId\":0,\"meterValue\":[{\"timestamp\":"
                    "\"1970-01-01T00:00:01Z\",\"sampledValue\":[{\"value\":\"7\",\"unit\":\"kWh\"},"
                    "{\"value\":8,\"measurand\":\"X\"}]}],\"extra\":1}",
                    &m, &fault, &report);
    const struct ocpp16_sampled_value *v = m.meter_value.at->sampled_value.at;

    CHECK(rc == 0, "%s %s", fault.path, fault.why);
    CHECK(m.connector_id == 2 && m.has & OCPP16_HAS_METER_VALUES_TRANSACTION_ID &&
              m.transaction_id == 0,
          "zero is there");
    CHECK(m.meter_value.len == 1 && m.meter_value.at->timestamp == 1000, "time");
    CHECK(m.meter_value.at->sampled_value.len == 2 && amp_text_is(v[0].value, "7"), "samples");
    CHECK(v[0].unit == OCPP16_UNIT_OF_MEASURE_KWH && v[0].measurand == 0 && v[0].phase == 0,
          "enums");
    CHECK(v[1].measurand == OCPP16_MEASURAND_OTHER_ && amp_text_is(v[1].value, "8"),
          "unknown measurand");
    CHECK(report.unknown_fields == 1 && report.repairs == 2, "%u %u", report.unknown_fields,
          report.repairs);
    CHECK(report.kinds == (1u << AMP_REPAIR_TEXT | 1u << AMP_REPAIR_WORD), "kinds %x", report.kinds);

    rc =
        decode(&ocpp16_meter_values_record, AMP_OCPP16,
               "{\"connectorId\":1,\"transactionId\":null,\"meterValue\":[]}", &m, &fault, &report);
    CHECK(rc == 0 && !(m.has & OCPP16_HAS_METER_VALUES_TRANSACTION_ID) && m.meter_value.len == 0,
          "null is absent");
    rc = decode(&ocpp16_boot_notification_record, AMP_OCPP16,
                "{\"chargePointVendor\":\"\",\"chargePointModel\":\"M\"}", &b, &fault, NULL);
    CHECK(rc == 0 && b.charge_point_vendor.at && b.charge_point_vendor.len == 0 && !b.iccid.at,
          "empty and absent");
    rc = decode(&ocpp16_stop_transaction_record, AMP_OCPP16,
                "{\"meterStop\":1,\"timestamp\":\"1970-01-01T00:00:01Z\",\"transactionId\":1,"
                "\"idTag\":\"\",\"reason\":\"\","
                "\"transactionData\":[]}",
                &s, &fault, NULL);
    CHECK(rc == 0 && !s.id_tag.at && s.reason == 0 && s.transaction_data.len == 0, "says nothing");
}

/* One file of definitions, two versions. */
static void test_versions(void)
{
    struct ocpp2_cleared_charging_limit c;
    struct ocpp2_reset r;
    struct ocpp2_charging_schedule_period p;
    struct ocpp2_ac_charging_parameters a;
    struct ocpp2_der_charging_parameters d;
    struct amp_decode report;
    struct amp_fault fault;
    struct amp_buf out;
    static const char last[] = "{\"evReactiveSusceptance\":1.5}";
    int rc;

    rc = decode(&ocpp2_cleared_charging_limit_record, AMP_OCPP21,
                "{\"chargingLimitSource\":\"Anything\"}", &c, &fault, NULL);
    CHECK(rc == 0 && amp_text_is(c.charging_limit_source, "Anything"), "free text in 2.1");
    rc = decode(&ocpp2_reset_record, AMP_OCPP21, "{\"type\":\"ImmediateAndResume\"}", &r, &fault,
                NULL);
    CHECK(rc == 0 && r.type == OCPP2_RESET_KIND_IMMEDIATE_AND_RESUME, "a value of 2.1");
    rc = decode(&ocpp2_charging_schedule_period_record, AMP_OCPP21,
                "{\"startPeriod\":0,\"setpoint\":-7.5}", &p, &fault, NULL);
    CHECK(rc == 0 && !(p.has & OCPP2_HAS_CHARGING_SCHEDULE_PERIOD_LIMIT) &&
              p.has & OCPP2_HAS_CHARGING_SCHEDULE_PERIOD_SETPOINT && p.setpoint.digits == -75,
          "the limit is optional from 2.1 on");
    rc = decode(&ocpp2_charging_schedule_period_record, AMP_OCPP201,
                "{\"startPeriod\":0,\"setpoint\":1}", &p, &fault, NULL);
    CHECK(rc == AMP_E_MISSING && !strcmp(fault.path, "limit"), "but not before: %d %s", rc,
          fault.path);
    rc = decode(&ocpp2_charging_schedule_period_record, AMP_OCPP201,
                "{\"startPeriod\":0,\"limit\":1,\"setpoint\":1}", &p, &fault, &report);
    CHECK(rc == 0 && report.unknown_fields == 1 &&
              !(p.has & OCPP2_HAS_CHARGING_SCHEDULE_PERIOD_SETPOINT),
          "a field of 2.1 is unknown before");
    rc = decode(&ocpp2_ac_charging_parameters_record, AMP_OCPP21,
                "{\"energyAmount\":1.5,\"evMinCurrent\":1,\"evMaxCurrent\":1,\"evMaxVoltage\":1}",
                &a, &fault, NULL);
    CHECK(rc == 0 && a.energy_amount.digits == 15 && a.energy_amount.exp == -1,
          "decimal from 2.1 on");
    rc = decode(&ocpp2_der_charging_parameters_record, AMP_OCPP21, last, &d, &fault, NULL);
    amp_buf_init(&out, out_block, sizeof out_block);
    CHECK(rc == 0 &&
              amp_encode(&ocpp2_der_charging_parameters_record, AMP_OCPP21, &d, &out, &fault) ==
                  0 &&
              amp_text_is(amp_buf_text(&out), last),
          "more than 32 optional numbers: %.*s", AMP_FMT(amp_buf_text(&out)));
    CHECK(d.has == 0 && d.has2 != 0, "the last ones have a word of their own");
}

static struct amp_text chars(size_t n)
{
    static char x[64];

    memset(x, 'x', sizeof x);
    return (struct amp_text){ x, (uint32_t)n };
}

static void fails(const char *why, const struct amp_record *r, enum amp_version v, const void *in,
                  int want, const char *path)
{
    struct amp_fault fault = { 0 };
    struct amp_buf out;
    int rc;

    amp_buf_init(&out, out_block, sizeof out_block);
    rc = amp_encode(r, v, in, &out, &fault);
    CHECK(rc == want && fault.rc == want && fault.why && !strcmp(fault.path, path), "%s: %d '%s'",
          why, rc, fault.path);
    amp_buf_init(&out, out_block, sizeof out_block);
    amp_describe(r, v, in, &out);
    CHECK(!out.full && out.len > 1 && out.at[out.len - 1] == '}', "%s: described as %.*s", why,
          AMP_FMT(amp_buf_text(&out)));
}

/* What breaks a limit is not sent; a log shows it all the same. */
static void test_strict_out(void)
{
    struct ocpp16_authorize a = { .id_tag = chars(21) };
    struct ocpp16_reset r = { .type = 0 };
    struct ocpp16_unlock_connector u = { .connector_id = -1 };
    struct ocpp16_remote_stop_transaction s = { .transaction_id = 1LL << 31 };
    struct ocpp16_charging_schedule_period p = { .limit = { 1012, -2 } };
    struct ocpp16_heartbeat_reply h = { .current_time = INT64_MAX };
    struct ocpp16_meter_values m = { .connector_id = 1 };
    struct amp_text keys[] = { AMP_TEXT("A"), AMP_NO_TEXT };
    struct ocpp16_get_configuration g = { .key = { keys, 2 } };
    struct ocpp16_sampled_value sample = { .value = AMP_TEXT("1"),
                                           .measurand = OCPP16_MEASURAND_OTHER_ };
    struct ocpp2_get_transaction_status t = { .transaction_id = AMP_TEXT("a b") };
    struct ocpp2_data_transfer d = { .vendor_id = AMP_TEXT("v"), .data = AMP_TEXT("{broken") };
    struct ocpp2_heartbeat c = { .custom_data = AMP_TEXT("{\"x\":1}") };
    struct ocpp2_reset i = { .type = OCPP2_RESET_KIND_IMMEDIATE_AND_RESUME };
    struct ocpp2_cleared_charging_limit l = { .charging_limit_source = AMP_TEXT("Anything") };
    struct ocpp16_charging_schedule_period late = { .start_period = 1 };
    struct ocpp16_charging_profile profile = {
        .charging_profile_purpose = OCPP16_CHARGING_PROFILE_PURPOSE_TX_PROFILE,
        .charging_profile_kind = OCPP16_CHARGING_PROFILE_KIND_RELATIVE,
        .charging_schedule = { .charging_rate_unit = OCPP16_CHARGING_RATE_UNIT_A,
                               .charging_schedule_period = { &late, 1 } },
    };

    fails("too long", &ocpp16_authorize_record, AMP_OCPP16, &a, AMP_E_VALUE, "idTag");
    a.id_tag = AMP_NO_TEXT;
    fails("no text", &ocpp16_authorize_record, AMP_OCPP16, &a, AMP_E_MISSING, "idTag");
    a.id_tag = AMP_TEXT("\xff");
    fails("not UTF-8", &ocpp16_authorize_record, AMP_OCPP16, &a, AMP_E_VALUE, "idTag");
    a.id_tag = (struct amp_text){ "a\0b", 3 };
    fails("NUL", &ocpp16_authorize_record, AMP_OCPP16, &a, AMP_E_VALUE, "idTag");
    fails("no word", &ocpp16_reset_record, AMP_OCPP16, &r, AMP_E_MISSING, "type");
    fails("below the least", &ocpp16_unlock_connector_record, AMP_OCPP16, &u, AMP_E_VALUE,
          "connectorId");
    fails("33 bits", &ocpp16_remote_stop_transaction_record, AMP_OCPP16, &s, AMP_E_VALUE,
          "transactionId");
    fails("hundredths", &ocpp16_charging_schedule_period_record, AMP_OCPP16, &p, AMP_E_VALUE,
          "limit");
    fails("year", &ocpp16_heartbeat_reply_record, AMP_OCPP16, &h, AMP_E_VALUE, "currentTime");
    fails("empty list", &ocpp16_meter_values_record, AMP_OCPP16, &m, AMP_E_COUNT, "meterValue");
    fails("a hole in a list", &ocpp16_get_configuration_record, AMP_OCPP16, &g, AMP_E_MISSING,
          "key[1]");
    fails("unknown word", &ocpp16_sampled_value_record, AMP_OCPP16, &sample, AMP_E_VALUE,
          "measurand");
    fails("no id", &ocpp2_get_transaction_status_record, AMP_OCPP201, &t, AMP_E_VALUE,
          "transactionId");
    fails("no JSON", &ocpp2_data_transfer_record, AMP_OCPP201, &d, AMP_E_VALUE, "data");
    fails("whose?", &ocpp2_heartbeat_record, AMP_OCPP201, &c, AMP_E_VALUE, "customData");
    fails("too new", &ocpp2_reset_record, AMP_OCPP201, &i, AMP_E_VALUE, "type");
    fails("too free", &ocpp2_cleared_charging_limit_record, AMP_OCPP201, &l, AMP_E_VALUE,
          "chargingLimitSource");
    fails("rule", &ocpp16_charging_profile_record, AMP_OCPP16, &profile, AMP_E_VALUE,
          "chargingSchedule.chargingSchedulePeriod[0].startPeriod");
}

static void test_secrets(void)
{
    struct ocpp2_apn apn = { .apn = AMP_TEXT("net"),
                             .apn_authentication = OCPP2_APN_AUTHENTICATION_CHAP,
                             .apn_password = AMP_TEXT("hunter2") };
    struct amp_buf out;

    amp_buf_init(&out, out_block, sizeof out_block);
    amp_describe(&ocpp2_apn_record, AMP_OCPP201, &apn, &out);
    CHECK(amp_text_is(amp_buf_text(&out),
                      "{\"apn\":\"net\",\"apnAuthentication\":\"CHAP\",\"apnPassword\":\"***\"}"),
          "%.*s", AMP_FMT(amp_buf_text(&out)));
    amp_buf_init(&out, out_block, sizeof out_block);
    CHECK(amp_encode(&ocpp2_apn_record, AMP_OCPP201, &apn, &out, NULL) == 0 &&
              amp_text_is(
                  amp_buf_text(&out),
                  "{\"apn\":\"net\",\"apnAuthentication\":\"CHAP\",\"apnPassword\":\"hunter2\"}"),
          "sent as it is");
}

/* Every size of arena and buffer: it fits, or it is an ordinary error. */
static void test_full(void)
{
    static const char in[] =
        "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2024-06-01T08:30:00Z\","
        "\"sampledValue\":"
        "[{\"value\":\"1\\u00e9\"},{\"value\":\"2\"},{\"value\":\"3\"},{\"value\":\"4\"},{"
        "\"value\":\"5\"}]},"
        "{\"timestamp\":\"2024-06-01T08:30:01Z\",\"sampledValue\":[{\"value\":\"6\"}]}]}";
    struct ocpp16_meter_values m;
    struct amp_fault fault;
    struct amp_arena arena;
    struct amp_buf out;
    size_t enough = 0, peak;

    for (size_t cap = 0; cap < 4096; cap += 8) {
        int rc;

        amp_arena_init(&arena, arena_block, cap);
        rc = amp_decode(&ocpp16_meter_values_record, AMP_OCPP16, AMP_LENIENT, amp_text_of(in), &m,
                        &arena, &fault, NULL);
        CHECK(rc == 0 || rc == AMP_E_FULL, "%zu: %d", cap, rc);
        CHECK(rc < 0 || m.meter_value.at[0].sampled_value.len == 5, "%zu", cap);
        CHECK(arena.used <= cap && arena.peak >= arena.used, "%zu", cap);
        if (rc == 0 && !enough)
            enough = cap;
    }
    peak = arena.peak;
    CHECK(enough && enough <= peak, "%zu of %zu", enough, peak);
    for (size_t cap = 0; cap <= strlen(in); cap++) {
        amp_buf_init(&out, out_block, cap);
        CHECK(amp_encode(&ocpp16_meter_values_record, AMP_OCPP16, &m, &out, &fault) ==
                  (cap < strlen(in) - 4 ? AMP_E_FULL : 0),
              "cap %zu", cap);
    }
}

/* Lists that have to move while they grow. */
static void test_long_lists(void)
{
    static char text[60000];
    static unsigned char block[200000];
    struct ocpp16_meter_values m;
    struct amp_fault fault;
    struct amp_arena arena;
    struct amp_buf b;
    bool good = true;

    amp_buf_init(&b, text, sizeof text);
    amp_buf_puts(&b, "{\"connectorId\":1,\"meterValue\":[");
    for (int i = 0; i < 500; i++) {
        amp_buf_puts(&b,
                     i ? ",{\"timestamp\":\"2024-06-01T08:30:00Z\",\"sampledValue\":[{\"value\":"
                       : "{\"timestamp\":\"2024-06-01T08:30:00Z\",\"sampledValue\":[{\"value\":");
        amp_buf_int(&b, i);
        amp_buf_puts(&b, "},{\"value\":\"x\"}]}");
    }
    amp_buf_puts(&b, "]}");
    amp_arena_init(&arena, block, sizeof block);
    CHECK(!b.full && amp_decode(&ocpp16_meter_values_record, AMP_OCPP16, AMP_LENIENT,
                                amp_buf_text(&b), &m, &arena, &fault, NULL) == 0,
          "%s %s", fault.path, fault.why);
    CHECK(m.meter_value.len == 500, "%u", m.meter_value.len);
    for (uint32_t i = 0; i < m.meter_value.len; i++) {
        int64_t v = -1;

        good &= m.meter_value.at[i].sampled_value.len == 2 &&
                amp_text_int(m.meter_value.at[i].sampled_value.at[0].value, &v) == 0 && v == i;
    }
    CHECK(good, "each in its place");
}

static void test_words(void)
{
    static const struct amp_protocol *const all[] = { &ocpp16, &ocpp2 };

    for (size_t i = 0; i < AMP_COUNT(all); i++)
        for (unsigned m = 0; m < all[i]->count; m++)
            CHECK(amp_message_find(all[i], amp_text_of(all[i]->messages[m].name)) ==
                          &all[i]->messages[m] &&
                      all[i]->messages[m].id == m,
                  "%s", all[i]->messages[m].name);
    CHECK(!amp_message_find(&ocpp16, AMP_TEXT("heartbeat")) &&
              !amp_message_find(&ocpp16, AMP_TEXT("")) && !amp_message_find(&ocpp16, AMP_NO_TEXT) &&
              !amp_message_find(&ocpp16, AMP_TEXT("GetVariables")),
          "exact");
    CHECK(ocpp16.count == 39 && ocpp2.count == 91, "%u %u", ocpp16.count, ocpp2.count);
    for (int v = 1; v < OCPP2_MEASURAND_OTHER_; v++)
        CHECK(amp_enum_find(&ocpp2_measurand_names,
                            amp_text_of(amp_enum_name(&ocpp2_measurand_names, v))) == v,
              "%d", v);
    CHECK(!strcmp(amp_enum_name(&ocpp16_measurand_names, OCPP16_MEASURAND_SOC), "SoC"), "name");
    CHECK(!strcmp(amp_enum_name(&ocpp16_measurand_names, 0), "") &&
              !strcmp(amp_enum_name(&ocpp16_measurand_names, OCPP16_MEASURAND_OTHER_), ""),
          "none");
    CHECK(amp_enum_find(&ocpp16_measurand_names, AMP_TEXT("Soc")) == 0 &&
              amp_enum_find(&ocpp16_measurand_names, AMP_TEXT("Energy.Active.Import.Registes")) ==
                  0 &&
              amp_enum_find(&ocpp16_measurand_names, AMP_NO_TEXT) == 0,
          "unknown");
}

/* A path longer than its room is cut, not overrun. */
static void test_long_path(void)
{
    struct amp_fault fault;
    struct ocpp2_notify_charging_limit n;
    int rc = decode(&ocpp2_notify_charging_limit_record, AMP_OCPP201,
                    "{\"chargingLimit\":{\"chargingLimitSource\":\"EMS\"},\"chargingSchedule\":[{"
                    "\"id\":1,\"chargingRateUnit\":\"A\","
                    "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":1}],\"salesTariff\":{"
                    "\"id\":1,\"salesTariffEntry\":"
                    "[{\"relativeTimeInterval\":{\"start\":1},\"consumptionCost\":[{\"startValue\":"
                    "1,\"cost\":[{\"costKind\":"
                    "\"CarbonDioxideEmission\",\"amount\":1,\"amountMultiplier\":\"x\"}]}]}]}}]}",
                    &n, &fault, NULL);

    CHECK(rc == AMP_E_TYPE && strlen(fault.path) <= AMP_PATH_MAX - 1, "%d", rc);
    CHECK(!strncmp(fault.path,
                   "chargingSchedule[0].salesTariff.salesTariffEntry[0].consumptionCost[0].cost[0]."
                   "amountMul",
                   80),
          "%s", fault.path);
}

int main(void)
{
    RUN(test_cases);
    RUN(test_presence);
    RUN(test_versions);
    RUN(test_strict_out);
    RUN(test_secrets);
    RUN(test_full);
    RUN(test_long_lists);
    RUN(test_words);
    RUN(test_long_path);
    return check_end();
}
