/* central/v16/diagnostics_status_notification.c - DiagnosticsStatusNotification: progress of an
 * upload, noted in the message log. OCPP 1.6 §4.4. */
#include "central/v16/ops.h"

const struct v16_op v16_diagnostics_status_notification = {
    .id = OCPP16_DIAGNOSTICS_STATUS_NOTIFICATION, .on_call = v16_noted
};
