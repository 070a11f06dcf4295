/* central/domain/fact_resource.h - the facts of what operations refer to: quirks, reservations,
 * local lists, charging profiles. Part of fact.h, which says what a fact is. */
#ifndef CENTRAL_FACT_RESOURCE_H
#define CENTRAL_FACT_RESOURCE_H

#include "ocpp/text.h"

enum quirk_flag { /* bits */
    QUIRK_TAG_SUFFIX = 1,                   /* sends TAG_something for TAG (E33) */
    QUIRK_HEX_TAGS = 2                      /* takes only hexadecimal tags (E34) */
};
enum rate_unit { RATE_A = 1, RATE_W = 2 };  /* bits */
struct quirk_fact {                         /* what a charger or a model does not tell about itself */
    int64_t org;
    struct amp_text name;                   /* compared without case */
    int64_t charger;                        /* this one only; 0: by vendor and model */
    struct amp_text vendor, model;          /* how they begin, without case; absent: any */
    struct amp_text note;
    uint32_t flags;                         /* enum quirk_flag */
    int32_t phases, voltage_v;              /* how it is wired; 0: not said */
    int32_t rate_units;                     /* enum rate_unit; 0: not said */
    int32_t stack_max;                      /* highest stack level; -1: not said */
    int32_t list_max;                       /* entries of one SendLocalList; 0: not said */
    bool deleted;
};

#endif
