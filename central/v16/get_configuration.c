/* central/v16/get_configuration.c - GetConfiguration: what a station says about its keys is kept,
 * and one that ignores a request for all of them is asked by name. OCPP 1.6 §5.8, §9; edge cases
 * 78, 79. */
#include "central/domain/configuration.h"
#include "central/domain/quirk.h"
#include "central/v16/inside.h"
#include "central/v16/ops.h"
#include "central/v16/slice.h"
#include "ocpp/json.h"

#define KEYS_AT_ONCE 10 /* where the station tells no GetConfigurationMaxKeys */
#define PAYLOAD_MAX  2048

/* OCPP 1.6 §9 and the security extension. */
static const char *const standard[] = {
    "AllowOfflineTxForUnknownId",
    "AuthorizationCacheEnabled",
    "AuthorizeRemoteTxRequests",
    "BlinkRepeat",
    "ClockAlignedDataInterval",
    "ConnectionTimeOut",
    "ConnectorPhaseRotation",
    "ConnectorPhaseRotationMaxLength",
    "GetConfigurationMaxKeys",
    "HeartbeatInterval",
    "LightIntensity",
    "LocalAuthorizeOffline",
    "LocalPreAuthorize",
    "MaxEnergyOnInvalidId",
    "MeterValuesAlignedData",
    "MeterValuesAlignedDataMaxLength",
    "MeterValuesSampledData",
    "MeterValuesSampledDataMaxLength",
    "MeterValueSampleInterval",
    "MinimumStatusDuration",
    "NumberOfConnectors",
    "ResetRetries",
    "StopTransactionOnEVSideDisconnect",
    "StopTransactionOnInvalidId",
    "StopTxnAlignedData",
    "StopTxnAlignedDataMaxLength",
    "StopTxnSampledData",
    "StopTxnSampledDataMaxLength",
    "SupportedFeatureProfiles",
    "SupportedFeatureProfilesMaxLength",
    "TransactionMessageAttempts",
    "TransactionMessageRetryInterval",
    "UnlockConnectorOnEVSideDisconnect",
    "WebSocketPingInterval",
    "LocalAuthListEnabled",
    "LocalAuthListMaxLength",
    "SendLocalListMaxLength",
    "ReserveConnectorZeroSupported",
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ChargingScheduleMaxPeriods",
    "ConnectorSwitch3to1PhaseSupported",
    "MaxChargingProfilesInstalled",
    "CpoName",
    "SecurityProfile",
    "AdditionalRootCertificateCheck",
    "CertificateSignedMaxChainSize",
    "CertificateStoreMaxLength",
};

/* How many keys it takes in one request. */
static int64_t at_once(const struct charger *c)
{
    const struct config_fact *f = charger_config(c, AMP_TEXT("GetConfigurationMaxKeys"));
    int64_t n = 0;

    return f && amp_text_int(amp_text_trim(f->value), &n) == 0 && n > 0 && n < KEYS_AT_ONCE
               ? n
               : KEYS_AT_ONCE;
}

/* E79: some stations die of a key that they do not know. Those are asked for what they told. */
static bool may_ask_for(const struct charger *c, const struct traits *t, struct amp_text name)
{
    const struct config_fact *f = charger_config(c, name);

    return f ? !f->absent : !(t->flags & QUIRK_UNKNOWN_KEYS_KILL);
}

struct asking {
    const struct v16_answer *a;
    struct amp_buf out;
    struct amp_json w;
    int64_t keys, max;
    char block[PAYLOAD_MAX], by[64], trace[40];
};

static void begin(struct asking *q)
{
    amp_buf_init(&q->out, q->block, sizeof q->block);
    amp_json_init(&q->w, &q->out);
    amp_json_open(&q->w, '{');
    amp_json_key(&q->w, "key");
    amp_json_open(&q->w, '[');
    q->keys = 0;
}

static void put_question(struct asking *q)
{
    if (!q->keys)
        return;
    amp_json_close(&q->w, ']');
    amp_json_close(&q->w, '}');
    (void)central_ask(q->a->central, q->a->charger,
                      &(struct command_fact){ .connector = -1,
                                              .action = AMP_TEXT("GetConfiguration"),
                                              .payload = amp_buf_text(&q->out),
                                              .by = amp_text_of(q->by),
                                              .trace = amp_text_of(q->trace) },
                      false); /* a full queue, or none any more: whoever wants it asks again */
    begin(q);
}

static void ask_by_name(const struct v16_answer *a)
{
    struct asking q = { .a = a, .max = at_once(a->charger) };
    struct traits t;

    charger_traits(a->central->world, a->charger, &t);
    amp_text_copy(q.by, sizeof q.by, a->command->by);
    amp_text_copy(q.trace, sizeof q.trace, a->command->trace);
    begin(&q);
    for (size_t i = 0; i < AMP_COUNT(standard); i++) {
        if (!may_ask_for(a->charger, &t, amp_text_of(standard[i])))
            continue;
        amp_json_str(&q.w, standard[i]);
        if (++q.keys == q.max)
            put_question(&q);
    }
    put_question(&q);
}

static void on_answer(const struct v16_answer *a)
{
    const struct ocpp16_get_configuration_reply *reply = a->body;
    struct world *w = a->central->world;

    for (uint32_t i = 0; i < reply->configuration_key.len; i++) {
        const struct ocpp16_key_value *k = &reply->configuration_key.at[i];

        world_config_read(w, a->charger, k->key, k->value, k->readonly, a->now_ms);
    }
    for (uint32_t i = 0; i < reply->unknown_key.len; i++)
        world_config_absent(w, a->charger, reply->unknown_key.at[i], a->now_ms);
    if (!reply->configuration_key.len && !v16_slice_member(a->command->payload, "key").at)
        ask_by_name(a); /* E78: the request without keys was ignored */
}

const struct v16_asked v16_get_configuration = { .id = OCPP16_GET_CONFIGURATION,
                                                 .on_answer = on_answer };
