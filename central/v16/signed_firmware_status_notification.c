/* central/v16/signed_firmware_status_notification.c - SignedFirmwareStatusNotification: progress of
 * a signed update, noted in the message log. OCPP 1.6 security extension. */
#include "central/v16/ops.h"

const struct v16_op v16_signed_firmware_status_notification = {
    .id = OCPP16_SIGNED_FIRMWARE_STATUS_NOTIFICATION, .on_call = v16_noted
};
