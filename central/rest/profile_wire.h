/* central/rest/profile_wire.h - a charging-profile template, its rules, and what becomes of it on
 * the way to a charger. OCPP 1.6 §3.13, §7.8 and its errata; edge cases 91, 92. Inside central/rest
 * only. */
#ifndef CENTRAL_REST_PROFILE_WIRE_H
#define CENTRAL_REST_PROFILE_WIRE_H

#include "central/rest/call.h"

#include "messages/api.h"

/* What is wrong with the template, and in which field; NULL: nothing. `field` holds 64 bytes. */
const char *profile_fault(const struct api_put_profile *p, char field[64]);

/* Where it goes, and as what. */
struct profile_use {
    int64_t id, transaction; /* transaction 0: none is named */
    int32_t connector;
    int64_t stack;              /* -1: the template's */
    enum api_profile_kind kind; /* 0: the template's */
    int64_t start_ms;           /* 0: the template's, or a minute ago */
    bool in_start;              /* inside a RemoteStartTransaction */
    int64_t now_ms;
};

/* Write the profile as JSON. False: it does not fit this charger; *field, *why and *cure say it. */
bool profile_write(struct amp_json *w, const struct api_put_profile *p, const struct world *world,
                   const struct charger *ch, const struct profile_use *use, const char **field,
                   const char **why, const char **cure);

#endif
