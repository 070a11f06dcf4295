/* central/store/migrate.c - see migrate.h. A text that was released is never edited: a change is a
 * new one at the end. */
#include "central/store/migrate.h"
#include "ocpp/err.h"

static const char *const migrations[] = {
    /* 1: the present, one row a thing; and the books of the histories, whose partitions are made as
       they fill */
    "CREATE TABLE charger ("
    "key $key, org BIGINT, id TEXT, vendor TEXT, model TEXT, serial TEXT, box_serial TEXT, "
    "firmware TEXT, iccid TEXT, imsi TEXT, meter_type TEXT, meter_serial TEXT, "
    "protocol TEXT, address TEXT, created_ms BIGINT, last_seen_ms BIGINT, "
    "last_boot_ms BIGINT, heartbeat_s INTEGER, registration INTEGER, connection INTEGER);"
    "CREATE TABLE connector ("
    "charger BIGINT, connector INTEGER, status TEXT, error TEXT, info TEXT, vendor_id TEXT, "
    "vendor_error TEXT, at_ms BIGINT, seen_ms BIGINT, PRIMARY KEY (charger, connector));"
    "CREATE TABLE charging_transaction ("
    "key $key, org BIGINT, charger BIGINT, connector INTEGER, state INTEGER, flags BIGINT, "
    "uid TEXT, tag TEXT, stop_tag TEXT, reason TEXT, start_ms BIGINT, start_seen_ms BIGINT, "
    "stop_ms BIGINT, stop_seen_ms BIGINT, meter_start_wh BIGINT, meter_stop_wh BIGINT, "
    "last_wh BIGINT, last_ms BIGINT, last_power_w BIGINT, reservation BIGINT);"
    "CREATE TABLE command ("
    "key $key, org BIGINT, charger BIGINT, state INTEGER, connector INTEGER, "
    "transaction_key BIGINT, action TEXT, payload TEXT, answer TEXT, correlation TEXT, "
    "asked_by TEXT, created_ms BIGINT, sent_ms BIGINT, answered_ms BIGINT, effect_ms BIGINT);"
    "CREATE TABLE tag ("
    "org BIGINT, tag TEXT, parent TEXT, note TEXT, status TEXT, expiry_ms BIGINT, "
    "deleted INTEGER, folded TEXT, PRIMARY KEY (org, folded));"
    "CREATE TABLE person ("
    "key $key, org BIGINT, login TEXT, name TEXT, password TEXT, role INTEGER, "
    "blocked INTEGER, created_ms BIGINT);"
    "CREATE TABLE login ("
    "token TEXT PRIMARY KEY, person BIGINT, created_ms BIGINT, expires_ms BIGINT);"
    "CREATE TABLE api_key ("
    "key $key, org BIGINT, hash TEXT, name TEXT, role INTEGER, created_ms BIGINT, "
    "revoked_ms BIGINT);"
    "CREATE INDEX charging_transaction_charger ON charging_transaction (charger, key);"
    "CREATE INDEX charging_transaction_open ON charging_transaction (key) WHERE state < 5;"
    "CREATE INDEX command_charger ON command (charger, key);"
    "CREATE INDEX command_open ON command (key) WHERE state <= 3;"
    "CREATE TABLE high_water (name TEXT PRIMARY KEY, value BIGINT);"
    "CREATE TABLE history_partition (kind INTEGER, number BIGINT, first_id BIGINT, end_id BIGINT, "
    "indexed_to BIGINT, from_ms BIGINT, to_ms BIGINT, PRIMARY KEY (kind, number));",
    /* 2: the audit. Histories make their tables by themselves: here, or with their first row */
    "SELECT 1;",
    /* load management */
    "CREATE TABLE load_group ("
    "org BIGINT, id TEXT, name TEXT, parent TEXT, rule INTEGER, volts INTEGER, limit_da INTEGER, "
    "turn_s INTEGER, limit_w BIGINT, fallback_da INTEGER, fallback_w BIGINT, reserve_da INTEGER, "
    "meter BIGINT, meter_all INTEGER, signal_da INTEGER, signal_w BIGINT, signal_until_ms BIGINT, "
    "load_da_1 INTEGER, load_da_2 INTEGER, load_da_3 INTEGER, load_until_ms BIGINT, "
    "created_ms BIGINT, deleted INTEGER, folded TEXT, PRIMARY KEY (org, folded));"
    "CREATE TABLE load_member ("
    "charger BIGINT, connector INTEGER, org BIGINT, group_id TEXT, connectors INTEGER, "
    "limit_da INTEGER, max_da INTEGER, base_da INTEGER, priority INTEGER, phases INTEGER, "
    "rotation INTEGER, watts INTEGER, deleted INTEGER, PRIMARY KEY (charger, connector));"
    "CREATE TABLE load_point ("
    "charger BIGINT, connector INTEGER, transaction_key BIGINT, "
    "base_da INTEGER, base_maybe_da INTEGER, base_until_ms BIGINT, base_maybe_until_ms BIGINT, "
    "idle_da INTEGER, idle_maybe_da INTEGER, idle_until_ms BIGINT, idle_maybe_until_ms BIGINT, "
    "now_da INTEGER, now_maybe_da INTEGER, now_until_ms BIGINT, now_maybe_until_ms BIGINT, "
    "again_ms BIGINT, refused INTEGER, fresh INTEGER, unable INTEGER, "
    "PRIMARY KEY (charger, connector));",
    /* quirks of chargers */
    "CREATE TABLE quirk ("
    "org BIGINT, name TEXT, charger BIGINT, vendor TEXT, model TEXT, note TEXT, flags BIGINT, "
    "phases INTEGER, voltage_v INTEGER, rate_units INTEGER, stack_max INTEGER, list_max INTEGER, "
    "deleted INTEGER, folded TEXT, PRIMARY KEY (org, folded));",
    /* how far a command is, how often it was sent, until when it may wait, what it belongs to */
    "ALTER TABLE command ADD COLUMN expires_ms BIGINT DEFAULT 0;"
    "ALTER TABLE command ADD COLUMN due_ms BIGINT DEFAULT 0;"
    "ALTER TABLE command ADD COLUMN progress_ms BIGINT DEFAULT 0;"
    "ALTER TABLE command ADD COLUMN request BIGINT DEFAULT 0;"
    "ALTER TABLE command ADD COLUMN batch BIGINT DEFAULT 0;"
    "ALTER TABLE command ADD COLUMN attempts INTEGER DEFAULT 0;"
    "ALTER TABLE command ADD COLUMN progress TEXT;"
    "ALTER TABLE command ADD COLUMN was TEXT;"
    "ALTER TABLE command ADD COLUMN expected TEXT;"
    "ALTER TABLE command ADD COLUMN trace TEXT;"
    "CREATE INDEX command_batch ON command (batch, key) WHERE batch <> 0;",
    /* reservations, local lists, charging profiles */
    "CREATE TABLE reservation ("
    "key $key, org BIGINT, charger BIGINT, connector INTEGER, state INTEGER, tag TEXT, "
    "parent TEXT, asked_by TEXT, why TEXT, expiry_ms BIGINT, created_ms BIGINT, "
    "changed_ms BIGINT, command BIGINT, cancel BIGINT, transaction_key BIGINT);"
    "CREATE TABLE auth_list ("
    "org BIGINT, name TEXT, note TEXT, revision BIGINT, sealed BIGINT, created_ms BIGINT, "
    "deleted INTEGER, folded TEXT, PRIMARY KEY (org, folded));"
    "CREATE TABLE auth_list_entry ("
    "org BIGINT, list TEXT, tag TEXT, revision BIGINT, deleted INTEGER, folded TEXT, "
    "PRIMARY KEY (org, list, folded));"
    "CREATE TABLE charger_list ("
    "charger BIGINT, org BIGINT, list TEXT, version BIGINT, revision BIGINT, sent BIGINT, "
    "command BIGINT, state INTEGER, entries_max INTEGER, why TEXT, changed_ms BIGINT, "
    "PRIMARY KEY (charger));"
    "CREATE TABLE profile ("
    "org BIGINT, name TEXT, note TEXT, body TEXT, changed_ms BIGINT, deleted INTEGER, "
    "folded TEXT, PRIMARY KEY (org, folded));"
    "CREATE TABLE installed_profile ("
    "charger BIGINT, id BIGINT, org BIGINT, connector INTEGER, state INTEGER, stack "
    "INTEGER, on_boot INTEGER, name TEXT, purpose TEXT, body TEXT, pending TEXT, why "
    "TEXT, transaction_key BIGINT, command BIGINT, changed_ms BIGINT, PRIMARY KEY "
    "(charger, id));"
    "CREATE INDEX reservation_charger ON reservation (charger, key);",
    /* who may come in, and by what. Refused handshakes are a history, see the audit */
    "ALTER TABLE charger ADD COLUMN deleted_ms BIGINT DEFAULT 0;"
    "ALTER TABLE charger ADD COLUMN decided INTEGER DEFAULT 0;"
    "CREATE TABLE charger_access ("
    "charger BIGINT PRIMARY KEY, password TEXT, next_password TEXT, certificate TEXT, "
    "password_ms BIGINT, profile INTEGER, least INTEGER, heartbeat_s INTEGER, "
    "max_message INTEGER, any_user INTEGER);"
    "CREATE TABLE boot_rule ("
    "org BIGINT, name TEXT, place INTEGER, registration INTEGER, identity TEXT, vendor TEXT, "
    "model TEXT, serial TEXT, firmware TEXT, known INTEGER, deleted INTEGER, "
    "PRIMARY KEY (org, name));"
    "CREATE TABLE certificate ("
    "id TEXT PRIMARY KEY, org BIGINT, charger BIGINT, state INTEGER, serial TEXT, issuer TEXT, "
    "name TEXT, csr TEXT, pem TEXT, reason TEXT, asked_ms BIGINT, issued_ms BIGINT, "
    "from_ms BIGINT, to_ms BIGINT, revoked_ms BIGINT);",
    /* configuration keys of stations, files, batches of commands */
    "CREATE TABLE configuration ("
    "charger BIGINT, name TEXT, value TEXT, readonly INTEGER, absent INTEGER, "
    "reboot INTEGER, deleted INTEGER, seen_ms BIGINT, changed_ms BIGINT, folded TEXT, "
    "PRIMARY KEY (charger, folded));"
    "CREATE TABLE stored_file ("
    "key $key, org BIGINT, origin INTEGER, state INTEGER, size BIGINT, name TEXT, type TEXT, "
    "note TEXT, sha256 TEXT, token TEXT, asked_by TEXT, charger BIGINT, command BIGINT, "
    "created_ms BIGINT, stored_ms BIGINT, expires_ms BIGINT);"
    "CREATE TABLE batch ("
    "key $key, org BIGINT, state INTEGER, action TEXT, payload TEXT, note TEXT, "
    "asked_by TEXT, trace TEXT, targets TEXT, parallel INTEGER, rate INTEGER, "
    "stop_after INTEGER, queue_s INTEGER, effect INTEGER, created_ms BIGINT, "
    "ended_ms BIGINT, total INTEGER, good INTEGER, bad INTEGER);",
    /* the meter of a session, what waits for a person, repairs; power over time */
    "ALTER TABLE charging_transaction ADD COLUMN energy_wh BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN register_ms BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN offset_wh BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN before_wh BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN meter INTEGER DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN attention BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN start_hash BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN stop_hash BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN heard_ms BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN revision BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN merged_into BIGINT DEFAULT 0;"
    "UPDATE charging_transaction SET offset_wh = -meter_start_wh, register_ms = last_ms, "
    "heard_ms = start_seen_ms, "
    "energy_wh = CASE WHEN last_wh > meter_start_wh THEN last_wh - meter_start_wh ELSE 0 END;"
    "CREATE INDEX charging_transaction_attention ON charging_transaction (key) "
    "WHERE attention <> 0 OR state = 7;"
    "CREATE TABLE power ("
    "org BIGINT, charger BIGINT, slot_ms BIGINT, energy_wh BIGINT, max_w BIGINT, "
    "PRIMARY KEY (org, charger, slot_ms))$clustered;",
    /* how long an address a station takes */
    "ALTER TABLE quirk ADD COLUMN url_max INTEGER DEFAULT 0;",
    /* what the samples of many readings have in common */
    "CREATE TABLE sample_shape (key $key, text TEXT);",
    /* load management: cars with one phase at a connector with three */
    "ALTER TABLE load_member ADD COLUMN trust_phases INTEGER NOT NULL DEFAULT 0;",
    /* transactions of numbered events */
    "ALTER TABLE charging_transaction ADD COLUMN events INTEGER DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN seq_last BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN tag_seq BIGINT DEFAULT 0;"
    "ALTER TABLE charging_transaction ADD COLUMN missing TEXT;",
};

int migrate_count(void)
{
    return (int)AMP_COUNT(migrations);
}

const char *migrate_text(int version)
{
    return migrations[version - 1];
}
