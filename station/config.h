/* station/config.h - the configuration keys of OCPP 1.6, as a table. ocpp-facts 5; station-1.6 94-104.
 * Behaviour reads struct amp_settings, never texts. A stored value wins over the operator's list, that over the default. */
#ifndef AMP_CONFIG_H
#define AMP_CONFIG_H

#include "station/metering.h"

#define AMP_KEY_HEX_MAX  40 /* AuthorizationKey: hex digits */
#define AMP_CPO_NAME_MAX 64 /* as long as an organization in a certificate may be */

/* One field per key that can change. bool keys are int32_t 0/1. */
struct amp_settings {
    int32_t allow_offline_unknown, authorize_remote, clock_aligned_s, connection_timeout_s, heartbeat_s, local_authorize_offline,
        local_pre_authorize, max_energy_invalid_wh, message_timeout_s, sample_s, minimum_status_s, reset_retries,
        stop_on_ev_disconnect, stop_on_invalid, message_attempts, message_retry_s, unlock_on_ev_disconnect, ping_s, cache_enabled, list_enabled,
        max_level, rate_units, max_periods, switch_phases, max_profiles, nominal_v, start_optional, security_profile,
        additional_root_check, certificates_max;
    struct amp_measurands aligned, sampled, stop_aligned, stop_sampled;
    uint8_t rotation[AMP_CONNECTORS_MAX + 1]; /* ConnectorPhaseRotation, index into its words */
    char key[AMP_KEY_HEX_MAX + 1];            /* AuthorizationKey; empty: the operator's password */
    char cpo_name[AMP_CPO_NAME_MAX + 1];
    uint64_t stored;                          /* bit per row of the table: differs from what the device came with */
};

enum amp_config_result { AMP_CONFIG_ACCEPTED = 1, AMP_CONFIG_REJECTED, AMP_CONFIG_REBOOT, AMP_CONFIG_NOT_SUPPORTED };

int amp_config_init(struct amp_station *st, const char *const *list, struct amp_fault *fault); /* defaults, then the operator's list */
enum amp_config_result amp_config_change(struct amp_station *st, struct amp_text key, struct amp_text value);

/* The station's own change (HeartbeatInterval from the boot answer): stored when it differs. */
void amp_config_set(struct amp_station *st, struct amp_text key, int32_t value);

/* Back to credentials that are known to work: an empty key is the operator's password. Stored if the journal can. */
void amp_config_credentials(struct amp_station *st, int32_t profile, const char *key);

/* Rows for GetConfiguration: index from 0 to count; -1 when unknown. Write-only keys are not found by amp_config_value. */
unsigned amp_config_count(void);
int amp_config_find(struct amp_text key);
struct amp_text amp_config_name(unsigned row);
bool amp_config_readonly(const struct amp_station *st, unsigned row);
bool amp_config_readable(unsigned row);
void amp_config_value(const struct amp_station *st, unsigned row, struct amp_buf *out);

struct amp_entry;
void amp_config_load(struct amp_station *st, const struct amp_entry *e);
int amp_config_save(struct amp_station *st);

#endif
