/* central/v16/firmware_status_notification.c - FirmwareStatusNotification: progress of an update,
 * noted in the message log. OCPP 1.6 §4.5. */
#include "central/v16/ops.h"

const struct v16_op v16_firmware_status_notification = { .id = OCPP16_FIRMWARE_STATUS_NOTIFICATION,
                                                         .on_call = v16_noted };
