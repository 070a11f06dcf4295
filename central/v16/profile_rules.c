/* central/v16/profile_rules.c - what the definitions can't say about charging profiles, because it
 * is about the message around them: told before anything is sent, whichever way it was asked for.
 * OCPP 1.6 §5.11, §5.16 and errata; edge case 91. */
#include "central/v16/inside.h"

static int wrong(struct amp_fault *fault, const char *path, const char *why)
{
    *fault = (struct amp_fault){ .rc = AMP_E_VALUE, .path = "", .why = why };
    amp_text_copy(fault->path, sizeof fault->path, amp_text_of(path));
    return AMP_E_VALUE;
}

static int in_start(const struct ocpp16_remote_start_transaction *q, struct amp_fault *fault)
{
    const struct ocpp16_charging_profile *p = q->charging_profile;

    if (p && p->charging_profile_purpose != OCPP16_CHARGING_PROFILE_PURPOSE_TX_PROFILE)
        return wrong(fault, "chargingProfile.chargingProfilePurpose",
                     "a remote start takes a TxProfile only");
    if (p && p->has & OCPP16_HAS_CHARGING_PROFILE_TRANSACTION_ID)
        return wrong(fault, "chargingProfile.transactionId",
                     "the transaction is still to come, so it can't be named");
    return 0;
}

static int alone(const struct ocpp16_set_charging_profile *q, struct amp_fault *fault)
{
    const struct ocpp16_charging_profile *p = &q->cs_charging_profiles;
    bool tx = p->charging_profile_purpose == OCPP16_CHARGING_PROFILE_PURPOSE_TX_PROFILE;

    if (p->charging_profile_purpose == OCPP16_CHARGING_PROFILE_PURPOSE_CHARGE_POINT_MAX_PROFILE &&
        q->connector_id != 0)
        return wrong(fault, "connectorId", "a ChargePointMaxProfile is for connector 0");
    if (tx && q->connector_id == 0)
        return wrong(fault, "connectorId", "a TxProfile is for a connector, not for 0");
    if (!tx && p->has & OCPP16_HAS_CHARGING_PROFILE_TRANSACTION_ID)
        return wrong(fault, "csChargingProfiles.transactionId", "only a TxProfile has one");
    return 0;
}

int v16_profile_rules(const struct amp_message *m, const void *body, struct amp_fault *fault)
{
    return m->id == OCPP16_REMOTE_START_TRANSACTION ? in_start(body, fault)
           : m->id == OCPP16_SET_CHARGING_PROFILE   ? alone(body, fault)
                                                    : 0;
}
