/* central/domain/load_fact.h - the facts of load management, part of fact.h. Currents are deci-amperes (0.1 A) per
 * phase; -1 (LOAD_NONE) where a number was not given. */
#ifndef CENTRAL_LOAD_FACT_H
#define CENTRAL_LOAD_FACT_H

#include "ocpp/text.h"
#include <stdbool.h>

enum { LOAD_NONE = -1 };

/* Some chargers behind a common limit; groups form trees. */
struct load_group_fact {
    int64_t org;
    struct amp_text id, name, parent; /* parent: id of the group above; absent: the top */
    int32_t rule;                     /* enum load_rule; of a top group */
    int32_t volts;                    /* phase to neutral */
    int32_t limit_da, turn_s;
    int64_t limit_w;                  /* of all phases; LOAD_NONE */
    int32_t fallback_da;              /* while a signal is expected and none is valid; LOAD_NONE: no signal is expected */
    int64_t fallback_w;
    int32_t reserve_da;               /* least that is taken as drawn by others */
    int64_t meter;                    /* charger whose main meter (connector 0) measures here; 0: none */
    bool meter_all;                   /* meter and reported load contain what the chargers draw */
    /* what comes in from outside */
    int32_t signal_da;
    int64_t signal_w, signal_until_ms;
    int32_t load_da[3];
    int64_t load_until_ms;
    int64_t created_ms;
    bool deleted;
};

/* A charger in a group (connector 0), and what one of its connectors has of its own (1...). */
struct load_member_fact {
    int64_t charger;
    int32_t connector;
    int64_t org;
    struct amp_text group; /* its id */
    int32_t connectors; /* of connector 0: how many there are */
    int32_t limit_da;   /* of connector 0: the charger's own fuse */
    int32_t max_da, base_da, priority;
    int32_t phases;     /* 1 or 3 */
    int32_t rotation;   /* line phase of the connector's first: 0, 1, 2 */
    bool watts;         /* the station wants limits in W */
    bool trust_phases;  /* a car that was seen to use one phase goes on so until it leaves */
    bool deleted;
};

/* One charging profile of a connector: what is known of it. */
struct load_limit {
    int32_t da;             /* confirmed */
    int32_t maybe_da;       /* the highest that was sent since and not answered */
    int64_t until_ms;       /* of its lease; 0: for ever */
    int64_t maybe_until_ms; /* the latest */
};

/* What a connector was told. Durable before it is sent, so that the next process knows the worst case, too. */
struct load_point_fact {
    int64_t charger;
    int32_t connector;
    int64_t transaction; /* that `limit[LOAD_NOW]` is of; 0: none */
    struct load_limit limit[3];
    int64_t again_ms;    /* refused: not before */
    int32_t refused;     /* in a row */
    bool fresh;          /* the station started anew: what it keeps is told once more */
    bool unable;         /* it knows no charging profiles: counts with all it can */
};

#endif
