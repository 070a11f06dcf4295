/* central/v16/asked.c - the table of contents of answers: what stations say to calls of ours that
 * is kept, or acted upon. */
#include "central/v16/ops.h"

extern const struct v16_asked v16_change_configuration, v16_get_configuration;

static const struct v16_asked *const asked[] = {
    &v16_change_configuration,
    &v16_get_configuration,
};

const struct v16_asked *v16_asked_find(unsigned id)
{
    for (size_t i = 0; i < AMP_COUNT(asked); i++)
        if (asked[i]->id == id)
            return asked[i];
    return NULL;
}
