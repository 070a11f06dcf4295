/* messages/json_same.h - do two JSON texts say the same? For tests: slow and simple. */
#ifndef AMP_JSON_SAME_H
#define AMP_JSON_SAME_H

#include "ocpp/text.h"

/* Objects without regard to order, numbers and times by value, [] like absent. Both texts are sound
 * JSON. */
bool json_same(struct amp_text a, struct amp_text b);

#endif
