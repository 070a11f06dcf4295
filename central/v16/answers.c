/* central/v16/answers.c - what stations' replies to our calls mean, and what may be asked of whom.
 */
#include "central/v16/inside.h"
#include "central/v16/slice.h"

/* Words of a reply's `status` that mean: it will be done, or is done. "Scheduled" and
 * "RebootRequired" are successes (edge case 80), and a profile or list that is not there is as good
 * as cleared (edge case 91). */
static const struct {
    uint8_t id;
    const char *word;
} yes[] = {
    { OCPP16_CANCEL_RESERVATION, "Accepted" },
    { OCPP16_CERTIFICATE_SIGNED, "Accepted" },
    { OCPP16_CHANGE_AVAILABILITY, "Accepted" },
    { OCPP16_CHANGE_AVAILABILITY, "Scheduled" },
    { OCPP16_CHANGE_CONFIGURATION, "Accepted" },
    { OCPP16_CHANGE_CONFIGURATION, "RebootRequired" },
    { OCPP16_CLEAR_CACHE, "Accepted" },
    { OCPP16_CLEAR_CHARGING_PROFILE, "Accepted" },
    { OCPP16_CLEAR_CHARGING_PROFILE, "Unknown" },
    { OCPP16_DATA_TRANSFER, "Accepted" },
    { OCPP16_DELETE_CERTIFICATE, "Accepted" },
    { OCPP16_EXTENDED_TRIGGER_MESSAGE, "Accepted" },
    { OCPP16_GET_COMPOSITE_SCHEDULE, "Accepted" },
    { OCPP16_GET_INSTALLED_CERTIFICATE_IDS, "Accepted" },
    { OCPP16_GET_LOG, "Accepted" },
    { OCPP16_GET_LOG, "AcceptedCanceled" },
    { OCPP16_INSTALL_CERTIFICATE, "Accepted" },
    { OCPP16_REMOTE_START_TRANSACTION, "Accepted" },
    { OCPP16_REMOTE_STOP_TRANSACTION, "Accepted" },
    { OCPP16_RESERVE_NOW, "Accepted" },
    { OCPP16_RESET, "Accepted" },
    { OCPP16_SEND_LOCAL_LIST, "Accepted" },
    { OCPP16_SET_CHARGING_PROFILE, "Accepted" },
    { OCPP16_SIGNED_UPDATE_FIRMWARE, "Accepted" },
    { OCPP16_SIGNED_UPDATE_FIRMWARE, "AcceptedCanceled" },
    { OCPP16_TRIGGER_MESSAGE, "Accepted" },
    { OCPP16_UNLOCK_CONNECTOR, "Unlocked" },
};

bool v16_answer_accepts(const struct amp_message *m, struct amp_text reply)
{
    struct amp_text status = v16_slice_member(reply, "status");
    bool listed = false;

    if (status.len >= 2 && status.at[0] == '"')
        status = (struct amp_text){ status.at + 1, status.len - 2 };
    for (size_t i = 0; i < AMP_COUNT(yes); i++) {
        listed = listed || yes[i].id == m->id;
        if (yes[i].id == m->id && amp_text_is(status, yes[i].word))
            return true;
    }
    return !listed; /* GetConfiguration and others have no status: their reply is the thing itself
                     */
}

/* facts B2, edge case 61: a station that waits for acceptance may be asked, but not to charge; a
 * rejected one is left alone. */
int v16_may_ask(int registration, const struct amp_message *m, const char **why)
{
    bool charges =
        m->id == OCPP16_REMOTE_START_TRANSACTION || m->id == OCPP16_REMOTE_STOP_TRANSACTION;

    if (registration == REGISTRATION_ACCEPTED)
        return 0;
    *why = registration == REGISTRATION_REJECTED ? "the station is rejected"
                                                 : "the station is not accepted yet";
    return registration == REGISTRATION_PENDING && !charges ? 0 : AMP_E_STATE;
}
