/* central/v16/log_status_notification.c - LogStatusNotification: progress of an upload, noted in
 * the message log. OCPP 1.6 security extension. */
#include "central/v16/ops.h"

const struct v16_op v16_log_status_notification = { .id = OCPP16_LOG_STATUS_NOTIFICATION,
                                                    .on_call = v16_noted };
