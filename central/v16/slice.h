/* central/v16/slice.h - pieces of a JSON text as they were sent, for what must be kept to the
 * letter. The text was decoded before, so it is sound: this only finds where values begin and end.
 */
#ifndef CENTRAL_V16_SLICE_H
#define CENTRAL_V16_SLICE_H

#include "ocpp/text.h"

/* Next member of an object; *at starts at 0. False at the end, and for anything but an object. */
bool v16_slice_next(struct amp_text object, uint32_t *at, struct amp_text *key,
                    struct amp_text *value);
/* Value of the member `key` (as spelled, without quotes); .at NULL if there is none. */
struct amp_text v16_slice_member(struct amp_text object, const char *key);
/* Next item of a list; anything else is a list of itself, as the decoder takes it. */
bool v16_slice_item(struct amp_text list, uint32_t *at, struct amp_text *item);

#endif
