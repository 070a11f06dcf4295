/* central/rest/profiles.h - templates for who sends them. Inside central/rest only. */
#ifndef CENTRAL_REST_PROFILES_H
#define CENTRAL_REST_PROFILES_H

#include "central/domain/profile.h"
#include "central/rest/profile_wire.h"

/* The template of that name, read into the arena behind what is there. False: a problem was
 * answered. */
bool rest_profile(struct rest_call *call, struct amp_text name, struct api_put_profile *out);
/* The problem of a profile_write that failed. */
void rest_profile_refused(struct rest_call *call, const char *field, const char *why,
                          const char *cure);

#endif
