/* station/v16/change_configuration.c - ChangeConfiguration. OCPP 1.6 §5.3; station-1.6 100. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    static const uint8_t status[] = {
        [AMP_CONFIG_ACCEPTED] = OCPP16_CONFIGURATION_STATUS_ACCEPTED,
        [AMP_CONFIG_REJECTED] = OCPP16_CONFIGURATION_STATUS_REJECTED,
        [AMP_CONFIG_REBOOT] = OCPP16_CONFIGURATION_STATUS_REBOOT_REQUIRED,
        [AMP_CONFIG_NOT_SUPPORTED] = OCPP16_CONFIGURATION_STATUS_NOT_SUPPORTED,
    };
    const struct ocpp16_change_configuration *in = request;
    struct ocpp16_change_configuration_reply *out = reply;

    out->status =
        (enum ocpp16_configuration_status)status[amp_config_change(st, in->key, in->value)];
    return 0;
}

const struct amp_station_op station16_change_configuration = { .id = OCPP16_CHANGE_CONFIGURATION,
                                                               .on_call = on_call };
