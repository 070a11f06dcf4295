/* central/v16/security_event_notification.c - SecurityEventNotification: what a station reports
 * about its security, noted in the message log. OCPP 1.6 security extension. */
#include "central/v16/ops.h"

const struct v16_op v16_security_event_notification = { .id = OCPP16_SECURITY_EVENT_NOTIFICATION,
                                                        .on_call = v16_noted };
