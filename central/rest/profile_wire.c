/* central/rest/profile_wire.c - see profile_wire.h. */
#include "central/rest/profile_wire.h"
#include "central/domain/quirk.h"
#include "central/rest/shapes.h"
#include <stdio.h>

#define DAY_S        86400
#define START_AGO_MS 60000 /* a station whose clock is behind ours begins at once, too */

/* ---- rules of the standard ---- */

static const char *say(char field[64], const char *name, const char *why)
{
    snprintf(field, 64, "%s", name);
    return why;
}

static const char *periods_fault(const struct api_put_profile *p, char field[64])
{
    for (uint32_t i = 0; i < p->periods.len; i++) {
        const struct api_schedule_period *at = &p->periods.at[i];

        snprintf(field, 64, "periods[%u].startPeriod", (unsigned)i);
        if (i == 0 && at->start_period != 0)
            return "the first period begins at 0";
        if (i > 0 && at->start_period <= p->periods.at[i - 1].start_period)
            return "a period begins behind the one before";
        if (p->has & API_HAS_PUT_PROFILE_DURATION && at->start_period >= p->duration)
            return "the period begins when the schedule has ended";
    }
    return NULL;
}

const char *profile_fault(const struct api_put_profile *p, char field[64])
{
    bool recurring = p->kind == API_PROFILE_KIND_RECURRING,
         relative = p->kind == API_PROFILE_KIND_RELATIVE,
         starts = p->has & API_HAS_PUT_PROFILE_START,
         tx = p->purpose == API_PROFILE_PURPOSE_TX_PROFILE;
    int64_t round = p->recurrency == API_RECURRENCY_DAILY ? DAY_S : 7 * DAY_S;

    if (recurring && !p->recurrency)
        return say(field, "recurrency", "what recurs, does so Daily or Weekly");
    if (!recurring && p->recurrency)
        return say(field, "recurrency", "belongs to the kind Recurring only");
    if (recurring && !starts)
        return say(field, "start", "what recurs, counts from a time");
    if (relative && starts)
        return say(field, "start", "what is Relative begins with the session");
    if (relative && p->purpose == API_PROFILE_PURPOSE_CHARGE_POINT_MAX_PROFILE)
        return say(field, "kind",
                   "a ChargePointMaxProfile belongs to no session, so it can't be Relative");
    if (tx && p->has & (API_HAS_PUT_PROFILE_VALID_FROM | API_HAS_PUT_PROFILE_VALID_TO))
        return say(field, p->has & API_HAS_PUT_PROFILE_VALID_FROM ? "validFrom" : "validTo",
                   "a TxProfile is valid for its session");
    if (p->has & API_HAS_PUT_PROFILE_VALID_FROM && p->has & API_HAS_PUT_PROFILE_VALID_TO &&
        p->valid_from >= p->valid_to)
        return say(field, "validTo", "comes before validFrom");
    if (recurring && p->has & API_HAS_PUT_PROFILE_DURATION && p->duration > round)
        return say(field, "duration", "is longer than what recurs");
    return periods_fault(p, field);
}

/* ---- units ---- */

struct units {
    enum api_rate_unit from, to;
    int64_t volts, phases; /* declared */
};

/* A limit in tenths, in the unit that the charger takes. A × V × phases is W; back it is rounded
 * down, so that a limit is never passed (E92). */
static int64_t tenths(const struct units *u, struct amp_dec limit, int64_t phases)
{
    int64_t n = 0;

    (void)amp_dec_scale(limit, 1, &n); /* at most one decimal, says the template's definition */
    if (u->from == u->to)
        return n;
    phases = phases ? phases : u->phases;
    return u->to == API_RATE_UNIT_W ? n * u->volts * phases : n / (u->volts * phases);
}

static void put_tenths(struct amp_json *w, const char *key, int64_t n)
{
    amp_json_key(w, key);
    if (n % 10 == 0)
        amp_json_int(w, n / 10);
    else
        amp_json_dec(w, amp_dec_of(n, 1));
}

/* False: it can't be converted. */
static bool units_of(const struct api_put_profile *p, const struct traits *t, struct units *u)
{
    int32_t wanted = p->unit == API_RATE_UNIT_A ? RATE_A : RATE_W;

    *u = (struct units){ p->unit, p->unit, t->voltage_v, t->phases };
    if (!t->rate_units || t->rate_units & wanted)
        return true;
    u->to = t->rate_units & RATE_A ? API_RATE_UNIT_A : API_RATE_UNIT_W;
    return u->volts > 0 && u->phases > 0;
}

/* ---- fitting ---- */

static bool refuse(const char **field, const char **why, const char **cure, const char *f,
                   const char *y, const char *c)
{
    *field = f;
    *why = y;
    *cure = c;
    return false;
}

static bool fits(const struct api_put_profile *p, const struct profile_use *use,
                 const struct traits *t, int64_t stack, const char **field, const char **why,
                 const char **cure)
{
    bool tx = p->purpose == API_PROFILE_PURPOSE_TX_PROFILE;

    if (use->in_start && !tx) /* E91 */
        return refuse(field, why, cure, "profile", "a remote start takes a TxProfile only",
                      "Name a template with the purpose TxProfile.");
    if (p->purpose == API_PROFILE_PURPOSE_CHARGE_POINT_MAX_PROFILE && use->connector)
        return refuse(field, why, cure, "connectorId",
                      "a ChargePointMaxProfile is for the whole station", "Give connectorId 0.");
    if (tx && !use->in_start && (use->connector < 1 || !use->transaction))
        return refuse(field, why, cure, "connectorId", "a TxProfile is for a session that runs",
                      "Name a connector on which a session runs, or use a TxDefaultProfile.");
    if (!tx && use->transaction)
        return refuse(field, why, cure, "transactionId", "only a TxProfile is for one session",
                      "Leave it out, or use a TxProfile.");
    if (t->stack_max >= 0 && stack > t->stack_max)
        return refuse(field, why, cure, "stackLevel", "is above the highest level of this charger",
                      "Give a stackLevel that it takes: GET /api/v1/chargers/{id}/quirks.");
    if (t->periods_max && p->periods.len > (uint32_t)t->periods_max)
        return refuse(field, why, cure, "profile", "has more periods than this charger takes",
                      "Use a template with fewer periods.");
    if (p->has & API_HAS_PUT_PROFILE_VALID_TO && p->valid_to <= use->now_ms)
        return refuse(field, why, cure, "validTo", "is over already", "Change the template.");
    return true;
}

static const char *word(const struct amp_enum *names, int value)
{
    return amp_enum_name(names, value);
}

static void put_schedule(struct amp_json *w, const struct api_put_profile *p, const struct units *u,
                         int64_t start_ms)
{
    amp_json_key(w, "chargingSchedule");
    amp_json_open(w, '{');
    if (p->has & API_HAS_PUT_PROFILE_DURATION)
        shape_int(w, "duration", p->duration);
    shape_time(w, "startSchedule", start_ms);
    amp_json_key(w, "chargingRateUnit");
    amp_json_str(w, word(&api_rate_unit_names, (int)u->to));
    amp_json_key(w, "chargingSchedulePeriod");
    amp_json_open(w, '[');
    for (uint32_t i = 0; i < p->periods.len; i++) {
        const struct api_schedule_period *at = &p->periods.at[i];
        bool phases = at->has & API_HAS_SCHEDULE_PERIOD_NUMBER_PHASES;

        amp_json_open(w, '{');
        shape_int(w, "startPeriod", at->start_period);
        put_tenths(w, "limit", tenths(u, at->limit, phases ? at->number_phases : 0));
        if (phases)
            shape_int(w, "numberPhases", at->number_phases);
        amp_json_close(w, '}');
    }
    amp_json_close(w, ']');
    if (p->has & API_HAS_PUT_PROFILE_MIN_RATE)
        put_tenths(w, "minChargingRate", tenths(u, p->min_rate, 0));
    amp_json_close(w, '}');
}

/* In whole seconds: some stations read no more. */
static int64_t a_minute_ago(int64_t now_ms)
{
    return (now_ms - START_AGO_MS) / 1000 * 1000;
}

bool profile_write(struct amp_json *w, const struct api_put_profile *p, const struct world *world,
                   const struct charger *ch, const struct profile_use *use, const char **field,
                   const char **why, const char **cure)
{
    enum api_profile_kind kind = use->kind ? use->kind : p->kind;
    int64_t stack = use->stack >= 0 ? use->stack : p->stack_level;
    int64_t start_ms = use->start_ms                        ? use->start_ms
                       : p->has & API_HAS_PUT_PROFILE_START ? p->start
                                                            : a_minute_ago(use->now_ms);
    struct traits t;
    struct units u;

    charger_traits(world, ch, &t);
    if (!fits(p, use, &t, stack, field, why, cure))
        return false;
    if (!units_of(p, &t, &u))
        return refuse(
            field, why, cure, "profile",
            "this charger takes the other unit only, and its phases and voltage are not known",
            "Declare them: PUT /api/v1/quirks/{name} with charger, phases and voltageV.");
    if (kind == API_PROFILE_KIND_RELATIVE && p->kind == API_PROFILE_KIND_RECURRING)
        return refuse(field, why, cure, "kind", "what recurs can't be Relative", "Leave it out.");
    if (kind == API_PROFILE_KIND_ABSOLUTE && p->has & API_HAS_PUT_PROFILE_DURATION &&
        start_ms + p->duration * 1000 <= use->now_ms)
        return refuse(field, why, cure, "start", "the schedule has ended before now",
                      "Give a later start.");
    amp_json_open(w, '{');
    shape_int(w, "chargingProfileId", use->id);
    if (use->transaction && !use->in_start)
        shape_int(w, "transactionId", use->transaction);
    shape_int(w, "stackLevel", stack);
    amp_json_key(w, "chargingProfilePurpose");
    amp_json_str(w, word(&api_profile_purpose_names, (int)p->purpose));
    amp_json_key(w, "chargingProfileKind");
    amp_json_str(w, word(&api_profile_kind_names, (int)kind));
    if (kind == API_PROFILE_KIND_RECURRING) {
        amp_json_key(w, "recurrencyKind");
        amp_json_str(w, word(&api_recurrency_names, (int)p->recurrency));
    }
    if (p->has & API_HAS_PUT_PROFILE_VALID_FROM)
        shape_time(w, "validFrom", p->valid_from);
    if (p->has & API_HAS_PUT_PROFILE_VALID_TO)
        shape_time(w, "validTo", p->valid_to);
    put_schedule(w, p, &u, kind == API_PROFILE_KIND_RELATIVE ? 0 : start_ms);
    amp_json_close(w, '}');
    return true;
}
