/* station/config_test.c - the configuration keys over the wire. Numbers: station-1.6. */
#include "station/world_test.h"

static const char *change(struct world *w, const char *key, const char *value)
{
    static char status[32];
    char call[900];

    snprintf(call, sizeof(call), "{\"key\":\"%s\",\"value\":\"%s\"}", key, value);
    world_call(w, "ChangeConfiguration", call);
    return world_get(w->reply, "status", status, sizeof(status));
}

/* S94, S100, S103, S13 */
static void test_change(void)
{
    static const struct {
        const char *key, *value, *status;
    } cases[] = {
        { "HeartbeatInterval", "60", "Accepted" },
        { "heartbeatINTERVAL", " 61 ", "Accepted" },
        { "HeartbeatInterval", "-1", "Rejected" },
        { "HeartbeatInterval", "1.5", "Rejected" },
        { "HeartbeatInterval", "60s", "Rejected" },
        { "HeartbeatInterval", "99999999999999999999", "Rejected" },
        { "HeartbeatInterval", "", "Rejected" },
        { "LocalPreAuthorize", "TRUE", "Accepted" },
        { "LocalPreAuthorize", "1", "Rejected" },
        { "LocalPreAuthorize", "yes", "Rejected" },
        { "NumberOfConnectors", "3", "Rejected" },
        { "SupportedFeatureProfiles", "Core", "Rejected" },
        { "NoSuchKey", "1", "NotSupported" },
        { "MeterValuesSampledData", "SoC, Voltage", "Accepted" },
        { "MeterValuesSampledData", "SoC,Nonsense", "Rejected" },
        { "ConnectorPhaseRotation", "0.RST,1.RTS,2.Unknown", "Accepted" },
        { "ConnectorPhaseRotation", "3.RST", "Rejected" },
        { "ConnectorPhaseRotation", "1.ABC", "Rejected" },
        { "WebSocketPingInterval", "-5", "Rejected" },
        { "TransactionMessageAttempts", "0", "Rejected" },
        { "UnlockConnectorOnEVSideDisconnect", "false", "Accepted" },
        { "AuthorizationKey", "short", "Rejected" },
        { "AuthorizationKey", "zz112233445566778899aabbccddeeff00112233", "Rejected" },
    };
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    for (unsigned i = 0; i < AMP_COUNT(cases); i++)
        CHECK(!strcmp(change(&w, cases[i].key, cases[i].value), cases[i].status), "%s=%s: %s",
              cases[i].key, cases[i].value, w.reply);
    CHECK(w.st->set.sampled.count == 2, "S94: a refused list changes nothing");
    CHECK(w.st->set.heartbeat_s == 61, "%d", w.st->set.heartbeat_s);
    world_power(&w);
    CHECK(w.st->set.sampled.count == 2 && w.st->set.heartbeat_s == 61 && w.st->set.rotation[1] == 3,
          "S102");
    world_close(&w);
}

/* S103 */
static void test_fixed_cable(void)
{
    struct world w;
    char out[8];

    world_defaults(&w);
    w.hw.lock = NULL;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    CHECK(!strcmp(change(&w, "UnlockConnectorOnEVSideDisconnect", "true"), "Rejected"), "%s",
          w.reply);
    world_call(&w, "GetConfiguration", "{\"key\":[\"UnlockConnectorOnEVSideDisconnect\"]}");
    CHECK(!strcmp(world_get(w.reply, "value", out, sizeof(out)), "false"), "%s", w.reply);
    CHECK(!strcmp(world_get(w.reply, "readonly", out, sizeof(out)), "true"), "%s", w.reply);
    world_close(&w);
}

/* S98, S99, S101 */
static void test_get(void)
{
    struct world w;
    char out[64];

    world_open(&w);
    world_run(&w, 10);
    world_call(&w, "GetConfiguration",
               "{\"key\":[\"numberofconnectors\",\"Nope\",\"AuthorizationKey\"]}");
    CHECK(strstr(w.reply, "\"key\":\"NumberOfConnectors\"") && strstr(w.reply, "\"value\":\"2\"") &&
              strstr(w.reply, "\"readonly\":true"),
          "%s", w.reply);
    CHECK(strstr(w.reply, "\"unknownKey\":[\"Nope\",\"AuthorizationKey\"]") != NULL, "%s", w.reply);
    world_call(&w, "GetConfiguration", "{}");
    CHECK(strstr(w.reply, "\"key\":\"SupportedFeatureProfiles\",\"readonly\":true,"
                          "\"value\":\"Core,") != NULL &&
              strstr(w.reply, "LocalAuthListManagement,Reservation,SmartCharging") != NULL,
          "%s", w.reply);
    CHECK(strstr(w.reply, "\"key\":\"LocalPreAuthorize\",\"readonly\":false,\"value\":\"false\"") !=
              NULL,
          "%s", w.reply);
    CHECK(!strstr(w.reply, "AuthorizationKey\"") && !strstr(w.reply, "unknownKey"), "%s", w.reply);
    world_call(&w, "GetConfiguration", "{\"key\":[]}");
    CHECK(strstr(w.reply, "HeartbeatInterval") != NULL, "an empty list is all: %s", w.reply);
    CHECK(amp_station_setting(w.st, AMP_TEXT("NumberOfConnectors"), out, sizeof(out)) == 1,
          "setting");
    CHECK(amp_station_setting(w.st, AMP_TEXT("AuthorizationKey"), out, sizeof(out)) == AMP_E_ABSENT,
          "key");
    CHECK(amp_station_setting(w.st, AMP_TEXT("MeterValuesSampledData"), out, 3) == AMP_E_FULL,
          "room");
    world_close(&w);
}

/* S98: more keys than GetConfigurationMaxKeys are an error, and there is one answer only */
static void test_get_too_many(void)
{
    unsigned most = amp_config_count();

    for (unsigned n = most; n <= most + 1; n++) {
        char call[3000];
        size_t len = (size_t)snprintf(call, sizeof(call), "{\"key\":[");
        struct world w;

        world_open(&w);
        world_run(&w, 10);
        for (unsigned i = 0; i < n; i++)
            len += (size_t)snprintf(call + len, sizeof(call) - len, "%s\"K%u\"", i ? "," : "", i);
        snprintf(call + len, sizeof(call) - len, "]}");
        world_mark(&w);
        world_call(&w, "GetConfiguration", call);
        if (n == most)
            CHECK(strstr(w.reply, "\"K0\"") && strstr(w.reply, "unknownKey"), "%s", w.reply);
        else
            CHECK(!strcmp(w.reply, "!OccurenceConstraintViolation"), "%s", w.reply);
        CHECK_TRACE(&w, "ok:GetConfiguration");
        world_call(&w, "GetConfiguration", "{\"key\":[\"GetConfigurationMaxKeys\"]}");
        CHECK(world_int(w.reply, "value") == (int64_t)most, "%s", w.reply);
        world_close(&w);
    }
}

/* A value that each writable key takes and that is not its first one. */
static const char *another_value(const char *key, const char *is)
{
    static const struct {
        const char *key, *value;
        /* clang-format off */
    } special[] = {
        { "ConnectorPhaseRotation",  "0.RST,1.SRT,2.TSR" },
        { "CpoName",                 "Strom" },
        { "MeterValuesAlignedData",  "SoC" },
        { "MeterValuesSampledData",  "SoC" },
        { "StopTxnAlignedData",      "SoC" },
        { "StopTxnSampledData",      "SoC" },
        { "SecurityProfile",         NULL }, /* security_test.c */
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(special); i++)
        if (!strcmp(special[i].key, key))
            return special[i].value;
    return !strcmp(is, "true") ? "false" : !strcmp(is, "false") ? "true" : "7";
}

/* S102: whatever key was accepted: the value survives, and a cut while it is written leaves the old
 * one or the new one */
static void test_every_key_survives(void)
{
    unsigned tried = 0, fresh = 0, cuts = 0;

    for (unsigned row = 0; row < amp_config_count(); row++)
        for (unsigned n = 0; n <= 2; n++)
            for (size_t torn = 0; torn <= (n ? 40u : 0u); torn += 8) {
                char key[64], before[200], after[200];
                const char *value;
                struct world w;
                int len;

                world_open(&w);
                world_run(&w, 10);
                amp_text_copy(key, sizeof(key), amp_config_name(row));
                len = amp_station_setting(w.st, amp_text_of(key), before, sizeof(before) - 1);
                if (len >= 0 && !amp_config_readonly(w.st, row)) {
                    before[len] = 0;
                    value = another_value(key, before);
                    if (value) {
                        mem_arm(&w.mem, n, n ? MEM_CUT : MEM_FINE, torn);
                        change(&w, key, value);
                        CHECK(n || strstr(w.reply, "Accepted"), "%s=%s: %s", key, value, w.reply);
                        world_power(&w);
                        len = amp_station_setting(w.st, amp_text_of(key), after, sizeof(after) - 1);
                        after[len < 0 ? 0 : len] = 0;
                        CHECK(!strcmp(after, value) || (n && !strcmp(after, before)),
                              "%s, write %u/%zu: '%s' became '%s'", key, n, torn, before, after);
                        tried += n == 0;
                        cuts += n > 0;
                        fresh += n && !strcmp(after, value);
                    }
                }
                world_close(&w);
            }
    CHECK(tried >= 25 && fresh > 0 && fresh < cuts, "%u keys, %u of %u cuts left the new value",
          tried, fresh, cuts);
}

/* The longest answer there can be fits. */
static void test_get_with_long_lists(void)
{
    static const char *const keys[] = { "MeterValuesSampledData", "MeterValuesAlignedData",
                                        "StopTxnSampledData", "StopTxnAlignedData" };
    struct world w;

    world_defaults(&w);
    w.config.connectors = AMP_CONNECTORS_MAX;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    for (unsigned i = 0; i < AMP_COUNT(keys); i++)
        world_set(
            &w, keys[i],
            AMP_MEASURANDS_MAX < 15
                ? "Energy.Active.Import.Register,Current.Import.L1,SoC"
                : "Energy.Active.Import.Register,Energy.Active.Import.Interval,Power.Active.Import,"
                  "Current.Import,Current.Import.L1,Current.Import.L2,Current.Import.L3,Voltage,"
                  "Voltage.L1,Voltage.L2,Voltage.L3,Current.Offered,Frequency,Temperature,SoC");
    world_call(&w, "GetConfiguration", "{}");
    CHECK(w.reply[0] == '{' && strstr(w.reply, "WebSocketPingInterval"), "%.40s", w.reply);
    world_close(&w);
}

/* S101, S155, ocpp-facts S2, S4 */
static void test_authorization_key(void)
{
    struct world w;
    bool old = false;
    char out[8];

    world_defaults(&w);
    w.config.password = AMP_TEXT("sesame");
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    CHECK(!strcmp(change(&w, "AuthorizationKey", "c0ffee0000112233445566778899aabb"), "Accepted"),
          "%s", w.reply);
    world_run(&w, 8000);
    CHECK(w.requests == 2 &&
              strstr(w.request, "Authorization: Basic Q1AgMDAxOsD/7gAAESIzRFVmd4iZqrs="),
          "S155: the bytes, after a reconnect: %s", w.request);
    CHECK(w.secrets == 0, "never in an event");
    w.http_status = 401;
    world_hang_up(&w);
    for (int s = 0; s < 60 && !old; s++) {
        world_run(&w, 1000);
        old = strstr(w.request, "Q1AgMDAxOnNlc2FtZQ==") != NULL;
    }
    CHECK(old, "S4: the old one in turn: %s", w.request);
    w.http_status = 0;
    world_run(&w, 100000);
    CHECK(amp_station_link(w.st) == AMP_LINK_UP, "with either");
    world_call(&w, "GetConfiguration", "{\"key\":[\"AuthorizationKey\"]}");
    CHECK(!strstr(world_get(w.reply, "value", out, sizeof(out)), "c0"), "%s", w.reply);
    world_close(&w);
}

/* A wrong entry of the operator's list is named. */
static void test_presets(void)
{
    static const struct {
        const char *line, *value; /* NULL: refused */
        /* clang-format off */
    } cases[] = {
        { "HeartbeatInterval=12", "12" },
        { "HeartbeatInterval=x",  NULL },
        { "NoSuchKey=1",          NULL },
        { "HeartbeatInterval",    NULL },
        { "NumberOfConnectors=5", NULL },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;
        struct amp_fault fault;
        int rc;

        world_defaults(&w);
        w.config.settings = (const char *const[]){ cases[i].line, NULL };
        rc = amp_station_init(w.memory, amp_station_size(), &w.config, &w.mem.port, &w.hw, NULL,
                              NULL, 0, &w.st, &fault);
        CHECK((rc == 0) == (cases[i].value != NULL), "%s: %d", cases[i].line, rc);
        if (rc < 0)
            CHECK(rc == AMP_E_RANGE && !strcmp(fault.path, cases[i].line), "named: %s", fault.path);
        else
            CHECK(w.st->set.heartbeat_s == 12, "set");
        world_close(&w);
    }
}

static void test_bad_configuration(void)
{
    static const struct {
        const char *path, *url, *identity;
        int connectors;
    } cases[] = {
        { "url", "http://x/", "CP", 1 },
        { "url", "", "CP", 1 },
        { "identity", "ws://x/", "", 1 },
        { "identity", "ws://x/", "a:b", 1 },
        { "identity", "ws://x/", "0123456789012345678901234567890123456789012345678", 1 },
        { "connectors", "ws://x/", "CP", 0 },
        { "connectors", "ws://x/", "CP", AMP_CONNECTORS_MAX + 1 },
    };

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;
        struct amp_fault fault;

        world_defaults(&w);
        w.config.url = amp_text_of(cases[i].url);
        w.config.identity = amp_text_of(cases[i].identity);
        w.config.connectors = cases[i].connectors;
        CHECK(amp_station_init(w.memory, amp_station_size(), &w.config, &w.mem.port, &w.hw, NULL,
                               NULL, 0, &w.st, &fault) < 0 &&
                  !strcmp(fault.path, cases[i].path),
              "case %u: %s", i, fault.path);
        world_close(&w);
    }
}

int main(void)
{
    RUN(test_change);
    RUN(test_fixed_cable);
    RUN(test_get);
    RUN(test_get_too_many);
    RUN(test_every_key_survives);
    RUN(test_get_with_long_lists);
    RUN(test_authorization_key);
    RUN(test_presets);
    RUN(test_bad_configuration);
    return check_end();
}
