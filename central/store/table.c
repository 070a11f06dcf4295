/* central/store/table.c - the table of each kind of fact and its columns; see table.h. The
 * statements made of that are in table_statement.c. */
#include "central/store/table.h"

#define NAMED(name, kind, field, type, use)                                              \
    {                                                                                    \
        name, (uint16_t)offsetof(struct fact, u.kind.field), COLUMN_##type, COLUMN_##use \
    }
#define PLAIN(kind, field, type) NAMED(#field, kind, field, type, PLAIN)
#define FIXED(kind, field, type) NAMED(#field, kind, field, type, FIXED)
#define KEY(kind, field, type)   NAMED(#field, kind, field, type, KEY)

static const struct column charger_columns[] = {
    KEY(charger, key, INT64),
    PLAIN(charger, org, INT64),
    PLAIN(charger, id, TEXT),
    PLAIN(charger, vendor, TEXT),
    PLAIN(charger, model, TEXT),
    PLAIN(charger, serial, TEXT),
    PLAIN(charger, box_serial, TEXT),
    PLAIN(charger, firmware, TEXT),
    PLAIN(charger, iccid, TEXT),
    PLAIN(charger, imsi, TEXT),
    PLAIN(charger, meter_type, TEXT),
    PLAIN(charger, meter_serial, TEXT),
    PLAIN(charger, protocol, TEXT),
    PLAIN(charger, address, TEXT),
    PLAIN(charger, created_ms, INT64),
    PLAIN(charger, last_seen_ms, INT64),
    PLAIN(charger, last_boot_ms, INT64),
    PLAIN(charger, heartbeat_s, INT32),
    PLAIN(charger, registration, INT32),
    PLAIN(charger, connection, INT32),
    PLAIN(charger, deleted_ms, INT64),
    PLAIN(charger, decided, BOOL),
};
static const struct column connector_columns[] = {
    KEY(connector, charger, INT64),       KEY(connector, connector, INT32),
    PLAIN(connector, status, TEXT),       PLAIN(connector, error, TEXT),
    PLAIN(connector, info, TEXT),         PLAIN(connector, vendor_id, TEXT),
    PLAIN(connector, vendor_error, TEXT), PLAIN(connector, at_ms, INT64),
    PLAIN(connector, seen_ms, INT64),
};
static const struct column status_columns[] = {
    PLAIN(status, charger, INT64), PLAIN(status, connector, INT32), PLAIN(status, status, TEXT),
    PLAIN(status, error, TEXT),    PLAIN(status, info, TEXT),       PLAIN(status, at_ms, INT64),
    PLAIN(status, seen_ms, INT64),
};
static const struct column transaction_columns[] = {
    KEY(transaction, key, INT64),
    FIXED(transaction, org, INT64),
    FIXED(transaction, charger, INT64),
    PLAIN(transaction, connector, INT32),
    PLAIN(transaction, state, INT32),
    PLAIN(transaction, flags, UINT32),
    PLAIN(transaction, uid, TEXT),
    PLAIN(transaction, tag, TEXT),
    PLAIN(transaction, stop_tag, TEXT),
    PLAIN(transaction, reason, TEXT),
    PLAIN(transaction, start_ms, INT64),
    PLAIN(transaction, start_seen_ms, INT64),
    PLAIN(transaction, stop_ms, INT64),
    PLAIN(transaction, stop_seen_ms, INT64),
    PLAIN(transaction, meter_start_wh, INT64),
    PLAIN(transaction, meter_stop_wh, INT64),
    PLAIN(transaction, last_wh, INT64),
    PLAIN(transaction, last_ms, INT64),
    PLAIN(transaction, last_power_w, INT64),
    PLAIN(transaction, reservation, INT64),
    PLAIN(transaction, energy_wh, INT64),
    PLAIN(transaction, register_ms, INT64),
    PLAIN(transaction, offset_wh, INT64),
    PLAIN(transaction, before_wh, INT64),
    PLAIN(transaction, meter, INT32),
    PLAIN(transaction, attention, UINT32),
    PLAIN(transaction, start_hash, INT64),
    PLAIN(transaction, stop_hash, INT64),
    PLAIN(transaction, heard_ms, INT64),
    PLAIN(transaction, revision, INT64),
    PLAIN(transaction, merged_into, INT64),
    PLAIN(transaction, events, INT32),
    PLAIN(transaction, seq_last, INT64),
    PLAIN(transaction, tag_seq, INT64),
    PLAIN(transaction, missing, TEXT),
};
static const struct column power_columns[] = {
    KEY(power, org, INT64),
    KEY(power, charger, INT64),
    KEY(power, slot_ms, INT64),
    NAMED("energy_wh", power, energy_wh, INT64, SUM),
    NAMED("max_w", power, max_w, INT64, MAX),
};
static const struct column reading_columns[] = {
    PLAIN(reading, charger, INT64),
    NAMED("transaction_key", reading, transaction, INT64, PLAIN),
    PLAIN(reading, connector, INT32),
    PLAIN(reading, at_ms, INT64),
    PLAIN(reading, seen_ms, INT64),
    PLAIN(reading, hash, INT64),
    PLAIN(reading, samples, TEXT),
    PLAIN(reading, has, UINT32),
    PLAIN(reading, energy_wh, INT64),
    PLAIN(reading, power_w, INT64),
    PLAIN(reading, current_ma, INT64),
    PLAIN(reading, voltage_mv, INT64),
    PLAIN(reading, soc_permille, INT64),
    PLAIN(reading, temperature_mc, INT64),
};
static const struct column message_columns[] = {
    PLAIN(message, at_ms, INT64),      PLAIN(message, charger, INT64),
    PLAIN(message, direction, INT32),  PLAIN(message, type, INT32),
    PLAIN(message, action, TEXT),      PLAIN(message, payload, TEXT),
    PLAIN(message, correlation, TEXT), PLAIN(message, error, TEXT),
    PLAIN(message, latency_ms, INT32), PLAIN(message, repairs, INT32),
};
static const struct column command_columns[] = {
    KEY(command, key, INT64),
    FIXED(command, org, INT64),
    FIXED(command, charger, INT64),
    PLAIN(command, state, INT32),
    PLAIN(command, connector, INT32),
    NAMED("transaction_key", command, transaction, INT64, PLAIN),
    PLAIN(command, action, TEXT),
    PLAIN(command, payload, TEXT),
    PLAIN(command, answer, TEXT),
    PLAIN(command, correlation, TEXT),
    NAMED("asked_by", command, by, TEXT, PLAIN),
    PLAIN(command, created_ms, INT64),
    PLAIN(command, sent_ms, INT64),
    PLAIN(command, answered_ms, INT64),
    PLAIN(command, effect_ms, INT64),
    PLAIN(command, expires_ms, INT64),
    PLAIN(command, due_ms, INT64),
    PLAIN(command, progress_ms, INT64),
    PLAIN(command, request, INT64),
    FIXED(command, batch, INT64),
    PLAIN(command, attempts, INT32),
    PLAIN(command, progress, TEXT),
    PLAIN(command, was, TEXT),
    PLAIN(command, expected, TEXT),
    PLAIN(command, trace, TEXT),
};
static const struct column tag_columns[] = {
    KEY(tag, org, INT64),      PLAIN(tag, tag, TEXT),    PLAIN(tag, parent, TEXT),
    PLAIN(tag, note, TEXT),    PLAIN(tag, status, TEXT), PLAIN(tag, expiry_ms, INT64),
    PLAIN(tag, deleted, BOOL),
};
static const struct column user_columns[] = {
    KEY(user, key, INT64),      PLAIN(user, org, INT64),        PLAIN(user, login, TEXT),
    PLAIN(user, name, TEXT),    PLAIN(user, password, TEXT),    PLAIN(user, role, INT32),
    PLAIN(user, blocked, BOOL), PLAIN(user, created_ms, INT64),
};
static const struct column login_columns[] = {
    KEY(login, token, TEXT),
    NAMED("person", login, user, INT64, PLAIN),
    PLAIN(login, created_ms, INT64),
    PLAIN(login, expires_ms, INT64),
};
static const struct column api_key_columns[] = {
    KEY(api_key, key, INT64),          PLAIN(api_key, org, INT64),
    PLAIN(api_key, hash, TEXT),        PLAIN(api_key, name, TEXT),
    PLAIN(api_key, role, INT32),       PLAIN(api_key, created_ms, INT64),
    PLAIN(api_key, revoked_ms, INT64),
};
static const struct column connection_columns[] = {
    PLAIN(connection, charger, INT64),
    PLAIN(connection, at_ms, INT64),
    PLAIN(connection, event, INT32),
    PLAIN(connection, code, INT32),
    NAMED("identity", connection, id, TEXT, PLAIN),
    PLAIN(connection, address, TEXT),
    PLAIN(connection, reason, TEXT),
};

static const struct column audit_columns[] = {
    PLAIN(audit, org, INT64),
    PLAIN(audit, charger, INT64),
    PLAIN(audit, at_ms, INT64),
    NAMED("person", audit, user, INT64, PLAIN),
    PLAIN(audit, who, TEXT),
    PLAIN(audit, action, TEXT),
    PLAIN(audit, kind, TEXT),
    PLAIN(audit, thing, TEXT),
    NAMED("was", audit, before, TEXT, PLAIN),
    NAMED("became", audit, after, TEXT, PLAIN),
    PLAIN(audit, reason, TEXT),
};
static const struct column quirk_columns[] = {
    KEY(quirk, org, INT64),          PLAIN(quirk, name, TEXT),       PLAIN(quirk, charger, INT64),
    PLAIN(quirk, vendor, TEXT),      PLAIN(quirk, model, TEXT),      PLAIN(quirk, note, TEXT),
    PLAIN(quirk, flags, UINT32),     PLAIN(quirk, phases, INT32),    PLAIN(quirk, voltage_v, INT32),
    PLAIN(quirk, rate_units, INT32), PLAIN(quirk, stack_max, INT32), PLAIN(quirk, list_max, INT32),
    PLAIN(quirk, url_max, INT32),    PLAIN(quirk, deleted, BOOL),
};

static const struct column load_group_columns[] = {
    KEY(load_group, org, INT64),
    PLAIN(load_group, id, TEXT),
    PLAIN(load_group, name, TEXT),
    PLAIN(load_group, parent, TEXT),
    PLAIN(load_group, rule, INT32),
    PLAIN(load_group, volts, INT32),
    PLAIN(load_group, limit_da, INT32),
    PLAIN(load_group, turn_s, INT32),
    PLAIN(load_group, limit_w, INT64),
    PLAIN(load_group, fallback_da, INT32),
    PLAIN(load_group, fallback_w, INT64),
    PLAIN(load_group, reserve_da, INT32),
    PLAIN(load_group, meter, INT64),
    PLAIN(load_group, meter_all, BOOL),
    PLAIN(load_group, signal_da, INT32),
    PLAIN(load_group, signal_w, INT64),
    PLAIN(load_group, signal_until_ms, INT64),
    NAMED("load_da_1", load_group, load_da[0], INT32, PLAIN),
    NAMED("load_da_2", load_group, load_da[1], INT32, PLAIN),
    NAMED("load_da_3", load_group, load_da[2], INT32, PLAIN),
    PLAIN(load_group, load_until_ms, INT64),
    PLAIN(load_group, created_ms, INT64),
    PLAIN(load_group, deleted, BOOL),
};
static const struct column load_member_columns[] = {
    KEY(load_member, charger, INT64),       KEY(load_member, connector, INT32),
    PLAIN(load_member, org, INT64),         NAMED("group_id", load_member, group, TEXT, PLAIN),
    PLAIN(load_member, connectors, INT32),  PLAIN(load_member, limit_da, INT32),
    PLAIN(load_member, max_da, INT32),      PLAIN(load_member, base_da, INT32),
    PLAIN(load_member, priority, INT32),    PLAIN(load_member, phases, INT32),
    PLAIN(load_member, rotation, INT32),    PLAIN(load_member, watts, BOOL),
    PLAIN(load_member, trust_phases, BOOL), PLAIN(load_member, deleted, BOOL),
};
/* A limit of a connector: what is confirmed, and what may be. */
#define LIMIT(name, i)                                                        \
    NAMED(name "_da", load_point, limit[i].da, INT32, PLAIN),                 \
        NAMED(name "_maybe_da", load_point, limit[i].maybe_da, INT32, PLAIN), \
        NAMED(name "_until_ms", load_point, limit[i].until_ms, INT64, PLAIN), \
        NAMED(name "_maybe_until_ms", load_point, limit[i].maybe_until_ms, INT64, PLAIN)
static const struct column load_point_columns[] = {
    KEY(load_point, charger, INT64),
    KEY(load_point, connector, INT32),
    NAMED("transaction_key", load_point, transaction, INT64, PLAIN),
    LIMIT("base", 0),
    LIMIT("idle", 1),
    LIMIT("now", 2),
    PLAIN(load_point, again_ms, INT64),
    PLAIN(load_point, refused, INT32),
    PLAIN(load_point, fresh, BOOL),
    PLAIN(load_point, unable, BOOL),
};
#undef LIMIT
static const struct column reservation_columns[] = {
    KEY(reservation, key, INT64),
    FIXED(reservation, org, INT64),
    FIXED(reservation, charger, INT64),
    PLAIN(reservation, connector, INT32),
    PLAIN(reservation, state, INT32),
    PLAIN(reservation, tag, TEXT),
    PLAIN(reservation, parent, TEXT),
    NAMED("asked_by", reservation, by, TEXT, PLAIN),
    PLAIN(reservation, why, TEXT),
    PLAIN(reservation, expiry_ms, INT64),
    PLAIN(reservation, created_ms, INT64),
    PLAIN(reservation, changed_ms, INT64),
    PLAIN(reservation, command, INT64),
    PLAIN(reservation, cancel, INT64),
    NAMED("transaction_key", reservation, transaction, INT64, PLAIN),
};
static const struct column list_columns[] = {
    KEY(list, org, INT64),        PLAIN(list, name, TEXT),    PLAIN(list, note, TEXT),
    PLAIN(list, revision, INT64), PLAIN(list, sealed, INT64), PLAIN(list, created_ms, INT64),
    PLAIN(list, deleted, BOOL),
};
static const struct column list_entry_columns[] = {
    KEY(list_entry, org, INT64),      KEY(list_entry, list, TEXT),
    PLAIN(list_entry, tag, TEXT),     PLAIN(list_entry, revision, INT64),
    PLAIN(list_entry, deleted, BOOL),
};
static const struct column charger_list_columns[] = {
    KEY(charger_list, charger, INT64),
    PLAIN(charger_list, org, INT64),
    PLAIN(charger_list, list, TEXT),
    PLAIN(charger_list, version, INT64),
    PLAIN(charger_list, revision, INT64),
    PLAIN(charger_list, sent, INT64),
    PLAIN(charger_list, command, INT64),
    PLAIN(charger_list, state, INT32),
    NAMED("entries_max", charger_list, max, INT32, PLAIN),
    PLAIN(charger_list, why, TEXT),
    PLAIN(charger_list, changed_ms, INT64),
};
static const struct column profile_columns[] = {
    KEY(profile, org, INT64),   PLAIN(profile, name, TEXT),        PLAIN(profile, note, TEXT),
    PLAIN(profile, body, TEXT), PLAIN(profile, changed_ms, INT64), PLAIN(profile, deleted, BOOL),
};
static const struct column installed_columns[] = {
    KEY(installed, charger, INT64),
    KEY(installed, id, INT64),
    PLAIN(installed, org, INT64),
    PLAIN(installed, connector, INT32),
    PLAIN(installed, state, INT32),
    PLAIN(installed, stack, INT32),
    PLAIN(installed, on_boot, INT32),
    PLAIN(installed, name, TEXT),
    PLAIN(installed, purpose, TEXT),
    PLAIN(installed, body, TEXT),
    PLAIN(installed, pending, TEXT),
    PLAIN(installed, why, TEXT),
    NAMED("transaction_key", installed, transaction, INT64, PLAIN),
    PLAIN(installed, command, INT64),
    PLAIN(installed, changed_ms, INT64),
};

static const struct column access_columns[] = {
    KEY(access, charger, INT64),
    PLAIN(access, password, TEXT),
    NAMED("next_password", access, next, TEXT, PLAIN),
    PLAIN(access, certificate, TEXT),
    PLAIN(access, password_ms, INT64),
    PLAIN(access, profile, INT32),
    PLAIN(access, least, INT32),
    PLAIN(access, heartbeat_s, INT32),
    PLAIN(access, max_message, INT32),
    PLAIN(access, any_user, BOOL),
};
static const struct column boot_rule_columns[] = {
    KEY(boot_rule, org, INT64),
    KEY(boot_rule, name, TEXT),
    PLAIN(boot_rule, place, INT32),
    PLAIN(boot_rule, registration, INT32),
    NAMED("identity", boot_rule, id, TEXT, PLAIN),
    PLAIN(boot_rule, vendor, TEXT),
    PLAIN(boot_rule, model, TEXT),
    PLAIN(boot_rule, serial, TEXT),
    PLAIN(boot_rule, firmware, TEXT),
    PLAIN(boot_rule, known, BOOL),
    PLAIN(boot_rule, deleted, BOOL),
};
static const struct column certificate_columns[] = {
    KEY(certificate, id, TEXT),
    PLAIN(certificate, org, INT64),
    PLAIN(certificate, charger, INT64),
    PLAIN(certificate, state, INT32),
    PLAIN(certificate, serial, TEXT),
    PLAIN(certificate, issuer, TEXT),
    PLAIN(certificate, name, TEXT),
    PLAIN(certificate, csr, TEXT),
    PLAIN(certificate, pem, TEXT),
    PLAIN(certificate, reason, TEXT),
    PLAIN(certificate, asked_ms, INT64),
    PLAIN(certificate, issued_ms, INT64),
    PLAIN(certificate, from_ms, INT64),
    PLAIN(certificate, to_ms, INT64),
    PLAIN(certificate, revoked_ms, INT64),
};
static const struct column refusal_columns[] = {
    PLAIN(refusal, org, INT64),
    PLAIN(refusal, charger, INT64),
    PLAIN(refusal, at_ms, INT64),
    PLAIN(refusal, code, INT32),
    NAMED("times", refusal, count, INT32, PLAIN),
    PLAIN(refusal, kind, TEXT),
    NAMED("identity", refusal, id, TEXT, PLAIN),
    PLAIN(refusal, address, TEXT),
    NAMED("shown", refusal, name, TEXT, PLAIN),
    PLAIN(refusal, reason, TEXT),
};
static const struct column config_columns[] = {
    KEY(config, charger, INT64),   PLAIN(config, name, TEXT),     PLAIN(config, value, TEXT),
    PLAIN(config, readonly, BOOL), PLAIN(config, absent, BOOL),   PLAIN(config, reboot, BOOL),
    PLAIN(config, deleted, BOOL),  PLAIN(config, seen_ms, INT64), PLAIN(config, changed_ms, INT64),
};
static const struct column file_columns[] = {
    KEY(file, key, INT64),
    FIXED(file, org, INT64),
    PLAIN(file, origin, INT32),
    PLAIN(file, state, INT32),
    PLAIN(file, size, INT64),
    PLAIN(file, name, TEXT),
    PLAIN(file, type, TEXT),
    PLAIN(file, note, TEXT),
    PLAIN(file, sha256, TEXT),
    PLAIN(file, token, TEXT),
    NAMED("asked_by", file, by, TEXT, PLAIN),
    PLAIN(file, charger, INT64),
    PLAIN(file, command, INT64),
    PLAIN(file, created_ms, INT64),
    PLAIN(file, stored_ms, INT64),
    PLAIN(file, expires_ms, INT64),
};
static const struct column batch_columns[] = {
    KEY(batch, key, INT64),
    FIXED(batch, org, INT64),
    PLAIN(batch, state, INT32),
    PLAIN(batch, action, TEXT),
    PLAIN(batch, payload, TEXT),
    PLAIN(batch, note, TEXT),
    NAMED("asked_by", batch, by, TEXT, PLAIN),
    PLAIN(batch, trace, TEXT),
    PLAIN(batch, targets, TEXT),
    PLAIN(batch, parallel, INT32),
    PLAIN(batch, rate, INT32),
    PLAIN(batch, stop_after, INT32),
    PLAIN(batch, queue_s, INT32),
    PLAIN(batch, effect, BOOL),
    PLAIN(batch, created_ms, INT64),
    PLAIN(batch, ended_ms, INT64),
    PLAIN(batch, total, INT32),
    PLAIN(batch, good, INT32),
    PLAIN(batch, bad, INT32),
};

static const struct column shape_columns[] = {
    KEY(shape, key, INT64),
    FIXED(shape, text, TEXT),
};

#define COLUMNS(list) .columns = list, .count = AMP_COUNT(list)
/* clang-format off */
static const struct table tables[FACT_KINDS] = {
    [FACT_CHARGER] = { .name = "charger", COLUMNS(charger_columns), .counter = "charger" },
    [FACT_CONNECTOR] = { .name = "connector", COLUMNS(connector_columns) },
    [FACT_STATUS] = { .name = "status", COLUMNS(status_columns), .time = "seen_ms", .by = "charger" },
    [FACT_TRANSACTION] = { .name = "charging_transaction", COLUMNS(transaction_columns),
                           .time = "start_ms", .counter = "transaction" },
    [FACT_READING] = { .name = "reading", COLUMNS(reading_columns), .time = "seen_ms",
                       .by = "transaction_key" },
    [FACT_MESSAGE] = { .name = "message", COLUMNS(message_columns), .time = "at_ms", .by = "charger" },
    [FACT_COMMAND] = { .name = "command", COLUMNS(command_columns), .time = "created_ms",
                       .counter = "command" },
    [FACT_TAG] = { .name = "tag", COLUMNS(tag_columns), .folded = "tag" },
    [FACT_USER] = { .name = "person", COLUMNS(user_columns), .counter = "user" },
    [FACT_LOGIN] = { .name = "login", COLUMNS(login_columns) },
    [FACT_API_KEY] = { .name = "api_key", COLUMNS(api_key_columns), .counter = "api_key" },
    [FACT_CONNECTION] = { .name = "connection", COLUMNS(connection_columns), .time = "at_ms",
                          .by = "charger" },
    [FACT_AUDIT] = { .name = "audit", COLUMNS(audit_columns), .time = "at_ms", .by = "charger",
                     .owned = true },
    [FACT_POWER] = { .name = "power", COLUMNS(power_columns), .time = "slot_ms", .summed = true },
    [FACT_SHAPE] = { .name = "sample_shape", COLUMNS(shape_columns) },
    [FACT_LOAD_GROUP] = { .name = "load_group", COLUMNS(load_group_columns), .folded = "id" },
    [FACT_LOAD_MEMBER] = { .name = "load_member", COLUMNS(load_member_columns) },
    [FACT_LOAD_POINT] = { .name = "load_point", COLUMNS(load_point_columns) },
    [FACT_QUIRK] = { .name = "quirk", COLUMNS(quirk_columns), .folded = "name" },
    [FACT_RESERVATION] = { .name = "reservation", COLUMNS(reservation_columns), .time = "created_ms",
                           .counter = "reservation" },
    [FACT_LIST] = { .name = "auth_list", COLUMNS(list_columns), .folded = "name" },
    [FACT_LIST_ENTRY] = { .name = "auth_list_entry", COLUMNS(list_entry_columns), .folded = "tag" },
    [FACT_CHARGER_LIST] = { .name = "charger_list", COLUMNS(charger_list_columns) },
    [FACT_PROFILE] = { .name = "profile", COLUMNS(profile_columns), .folded = "name" },
    [FACT_INSTALLED] = { .name = "installed_profile", COLUMNS(installed_columns) },
    [FACT_ACCESS] = { .name = "charger_access", COLUMNS(access_columns) },
    [FACT_BOOT_RULE] = { .name = "boot_rule", COLUMNS(boot_rule_columns) },
    [FACT_CERTIFICATE] = { .name = "certificate", COLUMNS(certificate_columns) },
    [FACT_REFUSAL] = { .name = "refusal", COLUMNS(refusal_columns), .time = "at_ms", .by = "charger",
                       .owned = true },
    [FACT_CONFIG] = { .name = "configuration", COLUMNS(config_columns), .folded = "name" },
    [FACT_FILE] = { .name = "stored_file", COLUMNS(file_columns), .counter = "file" },
    [FACT_BATCH] = { .name = "batch", COLUMNS(batch_columns), .counter = "batch" },
};
/* clang-format on */

const struct table *table_of(enum fact_kind kind)
{
    unsigned k = (unsigned)kind;

    return k < FACT_KINDS && tables[k].name ? &tables[k] : NULL;
}
