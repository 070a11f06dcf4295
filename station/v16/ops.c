/* station/v16/ops.c - the table of contents of OCPP 1.6. What is not here is answered NotSupported.
 */
#include "station/v16/v16.h"

/* The core's numbers are those of 1.6, so that nothing has to be looked up. */
_Static_assert((int)AMP_STOP_EMERGENCY == OCPP16_REASON_EMERGENCY_STOP &&
                   (int)AMP_STOP_LOCAL == OCPP16_REASON_LOCAL &&
                   (int)AMP_STOP_POWER_LOSS == OCPP16_REASON_POWER_LOSS &&
                   (int)AMP_STOP_DEAUTHORIZED == OCPP16_REASON_DE_AUTHORIZED,
               "enum amp_reason");
_Static_assert((int)AMP_ERROR_LOCK == OCPP16_CHARGE_POINT_ERROR_CODE_CONNECTOR_LOCK_FAILURE &&
                   (int)AMP_ERROR_NONE == OCPP16_CHARGE_POINT_ERROR_CODE_NO_ERROR &&
                   (int)AMP_ERROR_SIGNAL == OCPP16_CHARGE_POINT_ERROR_CODE_WEAK_SIGNAL,
               "enum amp_error");
_Static_assert((int)AMP_AVAILABLE == OCPP16_CHARGE_POINT_STATUS_AVAILABLE &&
                   (int)AMP_SUSPENDED_EVSE == OCPP16_CHARGE_POINT_STATUS_SUSPENDED_EVSE &&
                   (int)AMP_FAULTED == OCPP16_CHARGE_POINT_STATUS_FAULTED,
               "enum amp_status");
_Static_assert((int)AMP_AUTH_ACCEPTED == OCPP16_AUTHORIZATION_STATUS_ACCEPTED &&
                   (int)AMP_AUTH_CONCURRENT == OCPP16_AUTHORIZATION_STATUS_CONCURRENT_TX,
               "enum amp_auth_status");

static const struct amp_station_op *const ops[] = {
    &station16_authorize,
    &station16_boot_notification,
    &station16_cancel_reservation,
    &station16_certificate_signed,
    &station16_change_availability,
    &station16_change_configuration,
    &station16_clear_cache,
    &station16_clear_charging_profile,
    &station16_data_transfer,
    &station16_diagnostics_status_notification,
    &station16_extended_trigger_message,
    &station16_firmware_status_notification,
    &station16_get_composite_schedule,
    &station16_get_configuration,
    &station16_get_diagnostics,
    &station16_get_local_list_version,
    &station16_get_log,
    &station16_heartbeat,
    &station16_log_status_notification,
    &station16_delete_certificate,
    &station16_get_installed_certificate_ids,
    &station16_install_certificate,
    &station16_meter_values,
    &station16_remote_start_transaction,
    &station16_remote_stop_transaction,
    &station16_reserve_now,
    &station16_reset,
    &station16_send_local_list,
    &station16_set_charging_profile,
    &station16_signed_firmware_status_notification,
    &station16_signed_update_firmware,
    &station16_security_event_notification,
    &station16_sign_certificate,
    &station16_start_transaction,
    &station16_status_notification,
    &station16_stop_transaction,
    &station16_trigger_message,
    &station16_unlock_connector,
    &station16_update_firmware,
};

/* Profiles as SupportedFeatureProfiles names them: those of which a request is handled here, so
 * that it tells only what is there. */
static const struct {
    const char *of_message, *name;
    /* clang-format off */
} profiles[] = {
    { "core",          "Core" },
    { "firmware",      "FirmwareManagement" },
    { "locallist",     "LocalAuthListManagement" },
    { "reservation",   "Reservation" },
    { "smartcharging", "SmartCharging" },
    { "trigger",       "RemoteTrigger" },
};
/* clang-format on */

static bool offered(const struct amp_station *st, const struct amp_station_op *op)
{
    const char *profile = ocpp16.messages[op->id].profile;

    return op->on_call && (st->port->transfer || strcmp(profile, "firmware") != 0);
}

static void write_profiles(const struct amp_station *st, struct amp_buf *out)
{
    bool comma = false;

    for (unsigned p = 0; p < AMP_COUNT(profiles); p++)
        for (unsigned i = 0; i < AMP_COUNT(ops); i++) {
            const struct amp_message *m = &ocpp16.messages[ops[i]->id];

            if (!offered(st, ops[i]) || strcmp(m->profile, profiles[p].of_message) != 0)
                continue;
            if (comma)
                amp_buf_putc(out, ',');
            comma = true;
            amp_buf_puts(out, profiles[p].name);
            break;
        }
}

const struct amp_dialect amp_station16 = { "ocpp1.6", &ocpp16,        AMP_OCPP16,
                                           ops,       AMP_COUNT(ops), write_profiles };
