/* station/v16/v16.h - what the files of the 1.6 dialect share. One file a message, named by its snake_case name; each exports one
 * entry, listed in ops.c. They translate between the structs of messages/ocpp16.h and station/impl.h; behaviour lives there. */
#ifndef AMP_STATION_V16_H
#define AMP_STATION_V16_H

#include "messages/ocpp16.h"
#include "station/impl.h"

#define JOB(name) (uint16_t)(1u << AMP_JOB_##name)

extern const struct amp_station_op station16_boot_notification, station16_heartbeat, station16_status_notification,
    station16_authorize, station16_start_transaction, station16_meter_values, station16_stop_transaction, station16_data_transfer,
    station16_remote_start_transaction, station16_remote_stop_transaction, station16_unlock_connector, station16_reset,
    station16_cancel_reservation, station16_get_local_list_version, station16_reserve_now, station16_send_local_list,
    station16_change_availability, station16_change_configuration, station16_get_configuration, station16_clear_cache,
    station16_trigger_message, station16_set_charging_profile, station16_clear_charging_profile, station16_get_composite_schedule,
    station16_extended_trigger_message, station16_update_firmware, station16_signed_update_firmware,
    station16_firmware_status_notification, station16_signed_firmware_status_notification, station16_get_diagnostics,
    station16_diagnostics_status_notification, station16_get_log, station16_log_status_notification,
    station16_certificate_signed, station16_delete_certificate,
    station16_get_installed_certificate_ids, station16_install_certificate, station16_security_event_notification,
    station16_sign_certificate;

/* One reading as MeterValue, at most `room` values of it; memory from st->arena. 0; AMP_E_FULL. A reading of which nothing is to be
 * told leaves sampled_value empty. */
int station16_meter_value(struct amp_station *st, const struct amp_sample *s, unsigned room, struct ocpp16_meter_value *out);

/* `out` with periods from st->arena; its connector is not set. 0; AMP_E_FULL. A number of periods beyond AMP_PERIODS_MAX stays in
 * out->count: the core refuses it. */
int station16_profile(struct amp_station *st, const struct ocpp16_charging_profile *in, struct amp_profile_in *out);

void station16_tag_info(const struct ocpp16_id_tag_info *in, struct amp_tag_info *out);

/* A text that is left out when it is empty (27). */
static inline struct amp_text station16_text(const char *s)
{
    return s[0] ? amp_text_of(s) : AMP_NO_TEXT;
}

#endif
