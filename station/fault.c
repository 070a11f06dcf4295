/* station/fault.c - errors of a connector or of the station: what makes it Faulted, and what is only
 * told. station-1.6 40, 41. */
#include "station/impl.h"

/* Errors that do not make charging unsafe are reported with the state that is, and charging goes on
 * (41). */
static bool warning(int error)
{
    return error == AMP_ERROR_EV_COMMUNICATION || error == AMP_ERROR_LOCAL_LIST ||
           error == AMP_ERROR_READER || error == AMP_ERROR_RESET || error == AMP_ERROR_SIGNAL ||
           error == AMP_ERROR_METER;
}

void amp_connector_fault(struct amp_station *st, int connector, int error, struct amp_text info)
{
    struct amp_connector *c = &st->con[connector];
    bool fault = error != AMP_ERROR_NONE && !warning(error);

    if (error == AMP_ERROR_EV_COMMUNICATION && c->status != AMP_PREPARING &&
        c->status != AMP_SUSPENDED_EV && c->status != AMP_SUSPENDED_EVSE &&
        c->status != AMP_FINISHING)
        return; /* has no meaning in another state */
    if (!fault && error != AMP_ERROR_NONE && c->status == AMP_FAULTED)
        return; /* a warning does not hide a fault */
    c->error = (uint8_t)error;
    amp_text_copy(c->info, sizeof(c->info), info);
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
