/* station/fault.c - errors of a connector or of the station: what makes it Faulted, and what is
 * only told. station-1.6 40, 41.
 *
 * Several may be there at a time. Told is the latest that makes the connector Faulted, or else the
 * latest at all; when it passes, the one before it. Only the latest keeps its text. */
#include "station/impl.h"

/* Errors that do not make charging unsafe are reported with the state that is, and charging goes on
 * (41). */
static bool warning(int error)
{
    return error == AMP_ERROR_EV_COMMUNICATION || error == AMP_ERROR_LOCAL_LIST ||
           error == AMP_ERROR_READER || error == AMP_ERROR_RESET || error == AMP_ERROR_SIGNAL ||
           error == AMP_ERROR_METER;
}

static int told(const struct amp_connector *c)
{
    for (unsigned i = c->error_count; i-- > 0;)
        if (!warning(c->errors[i]))
            return c->errors[i];
    return c->error_count ? c->errors[c->error_count - 1] : AMP_ERROR_NONE;
}

static bool forget(struct amp_connector *c, int error)
{
    uint8_t *at = memchr(c->errors, error, c->error_count);

    if (!at)
        return false;
    c->error_count--;
    memmove(at, at + 1, (size_t)(c->errors + c->error_count - at));
    return true;
}

static void remember(struct amp_connector *c, int error)
{
    (void)forget(c, error);
    if (c->error_count == AMP_ERRORS_MAX)
        (void)forget(c, c->errors[0]);
    c->errors[c->error_count++] = (uint8_t)error;
}

/* The list has changed: what follows from it. */
static void settle(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];
    bool fault;

    c->error = (uint8_t)told(c);
    fault = c->error != AMP_ERROR_NONE && !warning(c->error);
    if (fault && c->status != AMP_FAULTED) {
        (void)amp_connector_step(st, connector, AMP_EV_FAULT);
        if (connector)
            amp_connector_energy(st, connector);
    } else if (!fault && c->status == AMP_FAULTED) {
        (void)amp_connector_step(st, connector, AMP_EV_CLEAR);
        if (connector) {
            amp_connector_energy(st, connector);
            amp_tx_try_start(st, connector);
        }
    }
    amp_report_changed(st, connector);
}

void amp_connector_fault(struct amp_station *st, int connector, int error, struct amp_text info)
{
    struct amp_connector *c = &st->con[connector];

    if (error == AMP_ERROR_EV_COMMUNICATION && c->status != AMP_PREPARING &&
        c->status != AMP_SUSPENDED_EV && c->status != AMP_SUSPENDED_EVSE &&
        c->status != AMP_FINISHING)
        return; /* has no meaning in another state */
    if (error == AMP_ERROR_NONE)
        c->error_count = 0;
    else
        remember(c, error);
    if (told(c) == error)
        amp_text_copy(c->info, sizeof(c->info), info);
    settle(st, connector);
}

void amp_connector_fault_over(struct amp_station *st, int connector, int error)
{
    struct amp_connector *c = &st->con[connector];

    if (!forget(c, error))
        return;
    if (told(c) != c->error)
        c->info[0] = 0;
    settle(st, connector);
}
