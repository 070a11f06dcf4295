/* station/config.c - see config.h. */
#include "station/config_row.h"

#define AT(field) (uint16_t) offsetof(struct amp_settings, field)
#define DAY       86400

static void fixed_connectors(const struct amp_station *st, struct amp_buf *out)
{
    amp_buf_int(out, st->connectors);
}

static void fixed_rotations(const struct amp_station *st, struct amp_buf *out)
{
    amp_buf_int(out, st->connectors + 1);
}

static void fixed_measurands(const struct amp_station *st, struct amp_buf *out)
{
    (void)st;
    amp_buf_int(out, AMP_MEASURANDS_MAX);
}

static void fixed_samples(const struct amp_station *st, struct amp_buf *out)
{
    (void)st;
    amp_buf_int(out, AMP_STOP_SAMPLES_MAX);
}

static void fixed_keys(const struct amp_station *st, struct amp_buf *out)
{
    (void)st;
    amp_buf_int(out, amp_config_count());
}

static void fixed_protocols(const struct amp_station *st, struct amp_buf *out)
{
    if (st->port->transfer)
        amp_buf_puts(out, st->port->transfer->protocols);
}

static void fixed_profiles(const struct amp_station *st, struct amp_buf *out)
{
    st->dialect->profiles(st, out);
}

static void apply_ping(struct amp_station *st)
{
    st->link.ping_out = false;
    st->link.ping_at = st->now + (uint64_t)st->set.ping_s * 1000;
}

static void fixed_list(const struct amp_station *st, struct amp_buf *out)
{
    amp_buf_int(out, amp_list_max(st));
}

static void fixed_list_sent(const struct amp_station *st, struct amp_buf *out)
{
    (void)st;
    amp_buf_int(out, AMP_LIST_SEND_MAX);
}

static void fixed_true(const struct amp_station *st, struct amp_buf *out)
{
    (void)st;
    amp_buf_puts(out, "true");
}

static void fixed_chain(const struct amp_station *st, struct amp_buf *out)
{
    (void)st;
    amp_buf_int(out, AMP_CHAIN_MAX);
}

#define FLAG(name, field, initial)                           \
    {                                                        \
        name, BOOL, RW, AT(field), 0, 1, initial, NULL, NULL \
    }
#define NUMBER(name, field, min, max, initial, apply)            \
    {                                                            \
        name, INT, RW, AT(field), min, max, initial, apply, NULL \
    }
#define TEXT_OF(x) #x
#define MOST(x)    TEXT_OF(x)
/* Read-only on the wire: the maker of the device sets it. */
#define MADE(name, kind, field, min, max, initial)              \
    {                                                           \
        name, kind, R, AT(field), min, max, initial, NULL, NULL \
    }
#define WORDS(name, field, initial)                          \
    {                                                        \
        name, LIST, RW, AT(field), 0, 0, initial, NULL, NULL \
    }
#define TOLD(name, write)                          \
    {                                              \
        name, FIXED, R, 0, 0, 0, NULL, NULL, write \
    }

/* clang-format off */
static const struct amp_config_row rows[] = {
    {"AdditionalRootCertificateCheck", BOOL, R, AT(additional_root_check), 0, 1, "false", NULL, NULL},
    FLAG("AbsoluteScheduleStartOptional", start_optional, "false"), /* our own: station-1.6 123 */
    FLAG("AllowOfflineTxForUnknownId", allow_offline_unknown, "false"),
    {"AuthorizationKey", KEY, W, AT(key), 32, AMP_KEY_HEX_MAX, "", amp_security_changed, NULL},
    {"AuthorizationCacheEnabled", BOOL, RW, AT(cache_enabled), 0, 1, "true", amp_cache_switched, NULL},
    FLAG("AuthorizeRemoteTxRequests", authorize_remote, "false"),
    TOLD("CertificateSignedMaxChainSize", fixed_chain),
    {"CertificateStoreMaxLength", INT, R, AT(certificates_max), 1, 100, "10", NULL, NULL},
    MADE("ChargeProfileMaxStackLevel", INT, max_level, 0, 255, "10"),
    MADE("ChargingScheduleAllowedChargingRateUnit", UNITS, rate_units, 0, 0, "Current,Power"),
    MADE("ChargingScheduleMaxPeriods", INT, max_periods, 1, AMP_PERIODS_MAX, MOST(AMP_PERIODS_MAX)),
    NUMBER("ClockAlignedDataInterval", clock_aligned_s, 0, DAY, "0", amp_metering_retime),
    NUMBER("ConnectionTimeOut", connection_timeout_s, 0, DAY, "60", NULL),
    {"ConnectorPhaseRotation", ROTATION, RW, AT(rotation), 0, 0, "", NULL, NULL},
    TOLD("ConnectorPhaseRotationMaxLength", fixed_rotations),
    MADE("ConnectorSwitch3to1PhaseSupported", BOOL, switch_phases, 0, 1, "false"),
    {"CpoName", NAME, RW, AT(cpo_name), 0, AMP_CPO_NAME_MAX, "", amp_security_renamed, NULL},
    TOLD("GetConfigurationMaxKeys", fixed_keys),
    NUMBER("HeartbeatInterval", heartbeat_s, 0, 31 * DAY, "300", NULL), /* heartbeat.c looks at it each time */
    {"LocalAuthListEnabled", BOOL, RW, AT(list_enabled), 0, 1, "true", amp_list_switched, NULL},
    TOLD("LocalAuthListMaxLength", fixed_list),
    FLAG("LocalAuthorizeOffline", local_authorize_offline, "true"),
    FLAG("LocalPreAuthorize", local_pre_authorize, "false"),
    MADE("MaxChargingProfilesInstalled", INT, max_profiles, 1, AMP_PROFILES_MAX, MOST(AMP_PROFILES_MAX)),
    NUMBER("MaxEnergyOnInvalidId", max_energy_invalid_wh, 0, 1000000, "0", NULL),
    NUMBER("MessageTimeout", message_timeout_s, 1, 600, "30", NULL),
    WORDS("MeterValuesAlignedData", aligned, "Energy.Active.Import.Register"),
    TOLD("MeterValuesAlignedDataMaxLength", fixed_measurands),
    WORDS("MeterValuesSampledData", sampled, "Energy.Active.Import.Register,Power.Active.Import"),
    TOLD("MeterValuesSampledDataMaxLength", fixed_measurands),
    NUMBER("MeterValueSampleInterval", sample_s, 0, DAY, "60", amp_metering_retime),
    NUMBER("MinimumStatusDuration", minimum_status_s, 0, 3600, "0", NULL),
    MADE("NominalVoltage", INT, nominal_v, 100, 500, "230"), /* our own: phase to neutral, station-1.6 126 */
    TOLD("NumberOfConnectors", fixed_connectors),
    TOLD("ReserveConnectorZeroSupported", fixed_true),
    NUMBER("ResetRetries", reset_retries, 0, 100, "1", NULL),
    TOLD("SendLocalListMaxLength", fixed_list_sent),
    NUMBER("SecurityProfile", security_profile, 0, 3, "0", amp_security_changed),
    TOLD("StopTransactionMaxMeterValues", fixed_samples),
    FLAG("StopTransactionOnEVSideDisconnect", stop_on_ev_disconnect, "true"),
    FLAG("StopTransactionOnInvalidId", stop_on_invalid, "true"),
    WORDS("StopTxnAlignedData", stop_aligned, ""),
    TOLD("StopTxnAlignedDataMaxLength", fixed_measurands),
    WORDS("StopTxnSampledData", stop_sampled, ""),
    TOLD("StopTxnSampledDataMaxLength", fixed_measurands),
    TOLD("SupportedFeatureProfiles", fixed_profiles),
    TOLD("SupportedFileTransferProtocols", fixed_protocols),
    NUMBER("TransactionMessageAttempts", message_attempts, 1, 100, "3", NULL),
    NUMBER("TransactionMessageRetryInterval", message_retry_s, 0, DAY, "60", NULL),
    FLAG("UnlockConnectorOnEVSideDisconnect", unlock_on_ev_disconnect, "true"),
    NUMBER("WebSocketPingInterval", ping_s, 0, DAY, "60", apply_ping),
};
/* clang-format on */
_Static_assert(AMP_COUNT(rows) <= 64, "amp_settings.stored has a bit for each row");

/* ---- questions ---- */

unsigned amp_config_count(void)
{
    return AMP_COUNT(rows);
}

int amp_config_find(struct amp_text key)
{
    for (unsigned i = 0; i < AMP_COUNT(rows); i++)
        if (amp_text_eqi(key, amp_text_of(rows[i].name)))
            return (int)i;
    return -1;
}

struct amp_text amp_config_name(unsigned row)
{
    return amp_text_of(rows[row].name);
}

/* A fixed cable cannot be let go: UnlockConnectorOnEVSideDisconnect is false then and stays so
 * (103). */
static bool has_lock(const struct amp_station *st)
{
    return st->hw->lock != NULL;
}

static bool cable_key(unsigned row)
{
    return rows[row].offset == AT(unlock_on_ev_disconnect) && rows[row].kind == BOOL;
}

bool amp_config_readonly(const struct amp_station *st, unsigned row)
{
    return !(rows[row].access & W) || (cable_key(row) && !has_lock(st));
}

bool amp_config_readable(unsigned row)
{
    return rows[row].access & R;
}

void amp_config_value(const struct amp_station *st, unsigned row, struct amp_buf *out)
{
    if (rows[row].access & R)
        amp_config_write(st, &rows[row], out);
}

/* ---- changes ---- */

static int pack(struct amp_station *st, unsigned row, struct amp_buf *out)
{
    amp_pack_str(out, rows[row].name);
    amp_config_write(st, &rows[row], out);
    return out->full ? AMP_E_FULL : 0;
}

/* The new value goes to the journal first; only what is stored becomes true (102). */
static int store(struct amp_station *st, unsigned row, const struct amp_settings *fresh)
{
    struct amp_settings before = st->set;
    uint8_t raw[AMP_RECORD_MAX];
    struct amp_buf out;
    int rc;

    amp_buf_init(&out, raw, sizeof(raw));
    st->set = *fresh;
    rc = pack(st, row, &out);
    st->set = before;
    if (rc == 0)
        rc = amp_journal_put(st, AMP_ENTRY_CONFIG, raw, out.len, false);
    if (rc < 0)
        return rc;
    st->set = *fresh;
    st->set.stored |= (uint64_t)1 << row;
    if (rows[row].apply)
        rows[row].apply(st);
    return 0;
}

/* What this station proves itself with: changes need care (154, 155). */
static bool credential(int row)
{
    return rows[row].kind == KEY || rows[row].offset == AT(security_profile);
}

enum amp_config_result amp_config_change(struct amp_station *st, struct amp_text key,
                                         struct amp_text value)
{
    struct amp_settings fresh = st->set;
    int row = amp_config_find(key);

    if (row < 0)
        return AMP_CONFIG_NOT_SUPPORTED;
    if (amp_config_readonly(st, (unsigned)row) ||
        amp_config_parse(st, &rows[row], value, &fresh) < 0)
        return AMP_CONFIG_REJECTED;
    if (credential(row) && !amp_security_allows(st, fresh.security_profile, rows[row].kind != KEY))
        return AMP_CONFIG_REJECTED;
    if (store(st, (unsigned)row, &fresh) < 0) {
        amp_log2(st, AMP_LOG_ERROR, "a setting could not be stored: ", key);
        return AMP_CONFIG_REJECTED;
    }
    return AMP_CONFIG_ACCEPTED;
}

void amp_config_set(struct amp_station *st, struct amp_text key, int32_t value)
{
    struct amp_settings fresh = st->set;
    char text[12];
    struct amp_buf b;
    int row = amp_config_find(key);

    amp_buf_init(&b, text, sizeof(text));
    amp_buf_int(&b, value);
    if (row < 0 || amp_config_parse(st, &rows[row], amp_buf_text(&b), &fresh) < 0 ||
        memcmp(&fresh, &st->set, sizeof(fresh)) == 0)
        return;
    if (store(st, (unsigned)row, &fresh) < 0)
        st->set = fresh; /* true for now; the next start asks again */
}

void amp_config_credentials(struct amp_station *st, int32_t profile, const char *key)
{
    st->set.security_profile = profile;
    amp_text_copy(st->set.key, sizeof(st->set.key), amp_text_of(key));
    for (unsigned i = 0; i < AMP_COUNT(rows); i++) {
        uint8_t raw[AMP_RECORD_MAX];
        struct amp_buf out;

        if (!credential((int)i))
            continue;
        amp_buf_init(&out, raw, sizeof(raw));
        st->set.stored |= (uint64_t)1 << i;
        if (pack(st, i, &out) < 0 || amp_journal_put(st, AMP_ENTRY_CONFIG, raw, out.len, true) < 0)
            amp_log2(st, AMP_LOG_ERROR, "a setting could not be stored: ", amp_config_name(i));
    }
}

/* ---- start and compaction ---- */

static int preset(struct amp_station *st, struct amp_text line)
{
    uint32_t eq = 0;
    int row;

    while (eq < line.len && line.at[eq] != '=')
        eq++;
    if (eq == line.len)
        return AMP_E_FORMAT;
    row = amp_config_find(amp_text_trim((struct amp_text){ line.at, eq }));
    if (row < 0)
        return AMP_E_ABSENT;
    return amp_config_parse(st, &rows[row],
                            (struct amp_text){ line.at + eq + 1, line.len - eq - 1 }, &st->set);
}

int amp_config_init(struct amp_station *st, const char *const *list, struct amp_fault *fault)
{
    memset(&st->set, 0, sizeof(st->set));
    for (unsigned i = 0; i < AMP_COUNT(rows); i++)
        if (rows[i].initial && rows[i].kind != KEY &&
            amp_config_parse(st, &rows[i], amp_text_of(rows[i].initial), &st->set) < 0)
            return AMP_E_INTERNAL;
    for (; list && *list; list++) {
        int rc = preset(st, amp_text_of(*list));

        if (rc < 0) {
            amp_text_copy(fault->path, sizeof(fault->path), amp_text_of(*list));
            fault->why =
                rc == AMP_E_ABSENT ? "no such configuration key" : "not a value for this key";
            return AMP_E_RANGE;
        }
    }
    if (!has_lock(st))
        st->set.unlock_on_ev_disconnect = 0;
    return 0;
}

void amp_config_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };
    char name[64];
    int row;

    amp_cut_str(&in, name, sizeof(name));
    row = amp_config_find(amp_text_of(name));
    if (in.bad || row < 0)
        return; /* a key of another version of this program */
    if (rows[row].kind == KEY && in.left == 0)
        st->set.key[0] = 0; /* back to the operator's password */
    else if (amp_config_parse(st, &rows[row],
                              (struct amp_text){ (const char *)in.at, (uint32_t)in.left },
                              &st->set) == 0)
        st->set.stored |= (uint64_t)1 << row;
}

int amp_config_save(struct amp_station *st)
{
    for (unsigned i = 0; i < AMP_COUNT(rows); i++) {
        uint8_t raw[AMP_RECORD_MAX];
        struct amp_buf out;
        int rc;

        if (!(st->set.stored >> i & 1))
            continue;
        amp_buf_init(&out, raw, sizeof(raw));
        rc = pack(st, i, &out);
        if (rc == 0)
            rc = amp_journal_copy(st, AMP_ENTRY_CONFIG, raw, out.len);
        if (rc < 0)
            return rc;
    }
    return 0;
}
