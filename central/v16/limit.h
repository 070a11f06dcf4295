/* central/v16/limit.h - what load management says, as OCPP 1.6 says it: charging profiles. */
#ifndef CENTRAL_V16_LIMIT_H
#define CENTRAL_V16_LIMIT_H

#include "central/domain/load.h"

/* Ids of our profiles: from here on, four a connector, so that nobody else's are met. */
#define V16_LIMIT_IDS 1000000000

/* Action and payload of a SetChargingProfile or ClearChargingProfile. The payload lies in `out`. 0, or AMP_E_FULL. */
int v16_limit(const struct load_say *say, int volts, int64_t now_ms, struct amp_text *action, struct amp_buf *out) AMP_CHECKED;

#endif
