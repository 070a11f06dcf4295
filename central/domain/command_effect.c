/* central/domain/command_effect.c - how commands show that they worked: the station's own later
 * messages. ocpp-facts B13. */
#include "central/domain/command_inside.h"
#include "ocpp/json.h"

/* How a command shows that it worked, and how long that may take. What is not listed ends with its
 * answer as accepted. */
static const struct effect_row effects[] = {
    { "RemoteStartTransaction", EFFECT_START,
      180 }, /* the vehicle may be plugged in later: ConnectionTimeOut */
    { "RemoteStopTransaction", EFFECT_STOP, 120 },
    { "Reset", EFFECT_BOOT, 600 },
    /* "Scheduled" comes after the transaction: later than this, and then confirmed all the same */
    { "ChangeAvailability", EFFECT_STATUS, 300 },
    { "TriggerMessage", EFFECT_TRIGGERED, 60 },
    { "ExtendedTriggerMessage", EFFECT_TRIGGERED, 60 },
    { "UpdateFirmware", EFFECT_FIRMWARE, 3600 },
    { "SignedUpdateFirmware", EFFECT_FIRMWARE, 3600 },
    { "GetDiagnostics", EFFECT_DIAGNOSTICS, 1800 },
    { "GetLog", EFFECT_LOG, 1800 },
    { "UnlockConnector", EFFECT_ANSWER, 0 },
    { "GetConfiguration", EFFECT_ANSWER, 0 },
    { "ChangeConfiguration", EFFECT_ANSWER, 0 },
    { "ClearCache", EFFECT_ANSWER, 0 },
    { "DataTransfer", EFFECT_ANSWER, 0 },
    { "GetCompositeSchedule", EFFECT_ANSWER, 0 },
    { "SetChargingProfile", EFFECT_ANSWER, 0 },
    { "ClearChargingProfile", EFFECT_ANSWER, 0 },
    { "ReserveNow", EFFECT_ANSWER, 0 },
    { "CancelReservation", EFFECT_ANSWER, 0 },
    { "SendLocalList", EFFECT_ANSWER, 0 },
    { "GetLocalListVersion", EFFECT_ANSWER, 0 },
    { "InstallCertificate", EFFECT_ANSWER, 0 },
    { "DeleteCertificate", EFFECT_ANSWER, 0 },
    { "GetInstalledCertificateIds", EFFECT_ANSWER, 0 },
    { "CertificateSigned", EFFECT_ANSWER, 0 },
};

const struct effect_row *command_row(const struct command *k)
{
    static const struct effect_row none = { "", EFFECT_NONE, 0 };

    for (size_t i = 0; i < AMP_COUNT(effects); i++)
        if (amp_text_is(k->fact->action, effects[i].action))
            return &effects[i];
    return &none;
}

/* ---- effects ---- */

/* Does the payload hold this text as a JSON string? Without case, as tags compare. It finds what
 * our own writer wrote; the domain knows no message, and a tag that nobody confirmed shows as "no
 * effect", never as a wrong confirmation. */
bool command_mentions(const struct command *k, struct amp_text text)
{
    struct amp_text payload = k->fact->payload;
    char block[160];
    struct amp_buf quoted;

    amp_buf_init(&quoted, block, sizeof block);
    amp_json_quote(&quoted, text);
    if (quoted.full)
        return false;
    for (uint32_t i = 0; i + quoted.len <= payload.len; i++)
        if (amp_text_eqi((struct amp_text){ payload.at + i, (uint32_t)quoted.len },
                         amp_buf_text(&quoted)))
            return true;
    return false;
}

bool command_may_show(const struct command *k, enum effect_kind e)
{
    int state = k->fact->state;

    return command_row(k)->effect == e && k->fact->sent_ms > 0 && !k->fact->effect_ms &&
           (state == COMMAND_SENT || command_legal(state, COMMAND_CONFIRMED));
}

/* The effect was seen. Before the answer it is only noted: the answer decides, and then confirms at
 * once. */
void command_effect(struct world *w, struct command *k, int64_t transaction, int64_t now_ms)
{
    k->fact->effect_ms = now_ms;
    if (transaction)
        k->fact->transaction = transaction;
    if (k->fact->state != COMMAND_SENT)
        k->fact->state = COMMAND_CONFIRMED;
    command_after_state(w, k);
    tell(w, FACT_COMMAND, k->fact);
}

void command_saw_boot(struct world *w, struct charger *c, struct amp_text firmware, int64_t now_ms)
{
    for (struct command *k = c->commands; k; k = k->next)
        if (command_may_show(k, EFFECT_BOOT))
            command_effect(w, k, 0, now_ms);
        else if (command_may_show(k, EFFECT_FIRMWARE))
            command_progress_boot(w, k, firmware, now_ms);
}

/* The oldest remote start that fits: one start is the effect of one command. */
void command_saw_start(struct world *w, struct charger *c, const struct transaction_fact *t,
                       int64_t now_ms)
{
    for (struct command *k = c->commands; k; k = k->next)
        if (command_may_show(k, EFFECT_START) &&
            (k->fact->connector < 1 || k->fact->connector == t->connector) &&
            command_mentions(k, t->tag)) {
            command_effect(w, k, t->key, now_ms);
            return;
        }
}

void command_saw_stop(struct world *w, struct charger *c, int64_t transaction, int64_t now_ms)
{
    for (struct command *k = c->commands; k; k = k->next)
        if (command_may_show(k, EFFECT_STOP) && k->fact->transaction == transaction)
            command_effect(w, k, transaction, now_ms);
}

static bool available_as_asked(const struct command *k, const struct connector_fact *now)
{
    bool out = now && amp_text_is(now->status, "Unavailable");

    return now && (command_mentions(k, AMP_TEXT("Inoperative")) ? out : !out);
}

void command_saw_status(struct world *w, struct charger *c, int connector, int64_t now_ms)
{
    for (struct command *k = c->commands; k; k = k->next)
        if (command_may_show(k, EFFECT_STATUS) &&
            (k->fact->connector < 1 || k->fact->connector == connector) &&
            available_as_asked(k, charger_connector(c, connector)))
            command_effect(w, k, 0, now_ms);
}

/* What was so already will not be reported again: asked when a command is accepted. */
void command_effect_already(struct world *w, struct command *k, int64_t now_ms)
{
    const struct transaction *t = transaction_find(w, k->fact->transaction);
    const struct connector_fact *now =
        charger_connector(k->charger, k->fact->connector < 0 ? 0 : k->fact->connector);

    if (k->fact->effect_ms)
        command_effect(w, k, 0, k->fact->effect_ms);
    else if (command_row(k)->effect == EFFECT_STOP && t && !transaction_is_open(t->fact->state))
        command_effect(w, k, 0, now_ms);
    else if (command_row(k)->effect == EFFECT_STATUS && available_as_asked(k, now))
        command_effect(w, k, 0, now_ms);
}
