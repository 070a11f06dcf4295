/* station/smart.h - smart charging: how much each connector may take, now and later. OCPP 1.6 §3.13, §5.16 with errata;
 * station-1.6 118-135. Knows no message version: station/v16 does.
 *
 * Three parts. smart.c is pure: profiles and a picture of the station in, limits and the moment of the next change out; it is
 * asked for the present by the output and for the future by GetCompositeSchedule, so that both tell the same. profiles.c keeps the
 * profiles: which replace which, what survives a power cut. offer.c makes the present true on the hardware.
 *
 * Rules where the specification leaves room:
 * - A TxDefaultProfile of a connector takes the place of the one of connector 0 with the same stack level, valid now or not.
 * - When no TxProfile is valid at a moment, the TxDefaultProfiles count.
 * - A limit in W is total power: per phase W / (nominal voltage x phases), phases being those of the period (3 when missing), or
 *   those in use if they are more and cannot be switched off. More phases than there are do not raise the limit per phase.
 * - ChargePointMaxProfile is shared by the connectors whose car is plugged in a transaction. A car that does not want energy keeps
 *   the least a pilot can offer (6 A), so that it can ask again; the others get equal shares, and what one cannot use (own
 *   profiles, hardware) goes to the rest. If there are not 6 A for each, the last that came wait; those that want nothing first.
 *   All phases are taken as shared: the station's rotation of phases is not made use of.
 * - minChargingRate is a wish and is not looked at.
 * - A limit below 6 A (below the fixed current where the hardware cannot limit) pauses.
 * - While the time is not known, profiles that depend on it count with the lowest of all their limits. */
#ifndef AMP_SMART_H
#define AMP_SMART_H

#include "station/limits.h"
#include "station/port.h"

struct amp_station;
struct amp_entry;

/* In the order of OCPP 1.6 (station/v16 asserts it). */
enum amp_purpose { AMP_PURPOSE_MAX = 1, AMP_PURPOSE_TX_DEFAULT, AMP_PURPOSE_TX };
enum amp_kind { AMP_KIND_ABSOLUTE = 1, AMP_KIND_RECURRING, AMP_KIND_RELATIVE };
enum amp_rate_unit { AMP_UNIT_A = 1, AMP_UNIT_W };

#define AMP_EVER      INT64_MAX            /* no end; no limit */
#define AMP_OPEN_END  UINT32_MAX           /* duration_s */
#define AMP_TENTHS_MAX ((UINT32_MAX >> 2)) /* largest limit that is kept: 107 MW; more is as good */
#define AMP_LEAST_MA  6000                 /* IEC 61851-1: nothing less can be offered */

struct amp_period {
    uint32_t start_s;
    uint32_t limit; /* tenths of A per phase or of W in all, << 2 | phases 1..3 */
};

struct amp_profile {
    int64_t start_ms;       /* startSchedule, Unix; of no meaning for Relative */
    int64_t from_ms, to_ms; /* valid from <= t < to; INT64_MIN, AMP_EVER */
    int32_t id;
    uint32_t duration_s;    /* AMP_OPEN_END */
    uint32_t local;         /* TxProfile: of this transaction (struct amp_tx); 0: of the one that a remote start will begin */
    uint32_t recurs_s;      /* Recurring: a day or a week */
    uint16_t first;         /* its periods in the pool, rising; the first starts at 0 */
    uint8_t count;
    uint8_t connector, purpose, kind, level, unit;
};

/* All that are installed. Order means nothing. */
struct amp_profiles {
    uint16_t count, used; /* profiles, periods */
    struct amp_profile at[AMP_PROFILES_MAX];
    struct amp_period period[AMP_PERIOD_POOL];
};

/* ---- smart.c: pure ---- */

/* What limits depend on besides profiles: a picture of the station. */
struct amp_site {
    const struct amp_profiles *set;
    int connectors;
    bool clock;       /* times are Unix ms; else of this boot, and dates are not known */
    bool switches;    /* a connector of three phases can charge with fewer, also during a transaction */
    int32_t volts;    /* phase to neutral, nominal */
    struct {
        int32_t max_ma, least_ma; /* hardware, per phase; below least_ma nothing flows */
        uint8_t phases;
        bool in_tx, active;       /* active: takes part in the sharing */
        bool wants;
        uint32_t local;           /* the older, the smaller */
        int64_t start_ms;
    } con[AMP_CONNECTORS_MAX + 1];
};

/* Limits that hold at t and up to until_ms, if the picture stays as it is. */
struct amp_limits {
    int64_t until_ms;                        /* > t; AMP_EVER */
    int64_t ua[AMP_CONNECTORS_MAX + 1];      /* microampere per phase; [0]: the station */
    int64_t uw[AMP_CONNECTORS_MAX + 1];      /* microwatt, all phases */
    uint8_t phases[AMP_CONNECTORS_MAX + 1];
};
void amp_smart_evaluate(const struct amp_site *s, int64_t t, struct amp_limits *out);

/* Tenths of the unit; never more than the limit, up to the rounding of a limit that was given in the other unit. */
int64_t amp_smart_tenths(const struct amp_limits *l, int connector, enum amp_rate_unit unit);

struct amp_slice {
    int64_t tenths;
    uint32_t start_s;
    uint8_t phases;
};

/* The limits of a connector (0: the station) from t at whole seconds for duration_s, equal neighbours merged. Returns the number of
 * slices, at least 1; *covered_s is shorter than duration_s if `cap` slices tell no more. */
unsigned amp_smart_composite(const struct amp_site *s, int connector, int64_t t, uint32_t duration_s, enum amp_rate_unit unit,
                             struct amp_slice *out, unsigned cap, uint32_t *covered_s);

/* ---- profiles.c ---- */

/* A profile on its way in; `p.first` and `p.count` are not used yet. */
struct amp_profile_in {
    struct amp_profile p;
    bool has_start, has_tx;
    int64_t level, tx_id;
    unsigned count;
    const struct amp_period *periods;
};

/* Into the set, in place of what it replaces (same id; same purpose, level and connector). 0; AMP_E_FULL: nothing changed. */
int amp_profiles_install(struct amp_profiles *set, const struct amp_profile *p, const struct amp_period *periods, unsigned count);
void amp_profiles_remove(struct amp_profiles *set, unsigned index);

/* SetChargingProfile; `p.connector` must exist. True: stored and installed. False: rejected, nothing changed. */
bool amp_profiles_set(struct amp_station *st, struct amp_profile_in *in);
/* The profile of a remote start for a connector that was chosen: waits for the transaction. */
bool amp_profiles_pend(struct amp_station *st, int connector, struct amp_profile_in *in);
void amp_profiles_begin(struct amp_station *st, int connector); /* the transaction that it waited for */
void amp_profiles_sweep(struct amp_station *st);                /* away with what is over */

/* ClearChargingProfile: fields that are not -1 (0: purpose) must match. 0; AMP_E_ABSENT: none does; AMP_E_IO, AMP_E_FULL:
 * not stored, nothing changed. */
struct amp_profile_filter {
    bool has_id;
    int64_t id, connector, level;
    int purpose;
};
int amp_profiles_clear(struct amp_station *st, const struct amp_profile_filter *f);

void amp_profiles_load(struct amp_station *st, const struct amp_entry *e);
int amp_profiles_save(struct amp_station *st);

/* ---- offer.c ---- */

struct amp_smart {
    struct amp_profiles set;
    uint64_t sweep_at;                      /* after a failure of the storage */
    int32_t ma[AMP_CONNECTORS_MAX + 1];     /* last given to the hardware; -1: nothing */
    uint8_t phases[AMP_CONNECTORS_MAX + 1];
};
void amp_offer_init(struct amp_station *st);
/* The limits now, 0 where they pause. Returns a bit for each connector that began or ceased to pause: its energy is the caller's
 * business, who first applies less, then switches off, and then the other way round, so that the sum never passes the limit. */
unsigned amp_offer_look(struct amp_station *st, struct amp_limits *out);
void amp_offer_apply(struct amp_station *st, const struct amp_limits *l, bool more);
void amp_offer_poll(struct amp_station *st);
int32_t amp_offer_ma(const struct amp_station *st, int connector); /* Current.Offered */
/* The picture for questions about `connector`: one that is idle is taken as if a car came now. Returns t. */
int64_t amp_offer_site(struct amp_station *st, int connector, struct amp_site *out);

#endif
