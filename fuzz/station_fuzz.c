/* fuzz/station_fuzz.c - a whole station against a central system that says anything, in any bytes,
 * while cars come and go, storage and sending fail, the power goes and time passes. The input is a
 * list of steps; the world of the station's tests is the judge: every frame of the station must
 * satisfy the strict definitions, and no message id may come twice. */
#include "ports/mem/transfer.h"
#include "station/world_test.h"

struct steps {
    const uint8_t *at;
    size_t left;
};

static unsigned next(struct steps *s)
{
    if (!s->left)
        return 0;
    s->left--;
    return *s->at++;
}

/* The following bytes as a piece of text: length first. */
static struct amp_text piece(struct steps *s)
{
    size_t len = next(s);
    struct amp_text t = { (const char *)s->at, 0 };

    if (len > 250)
        len = 250 + 8 * next(s);
    t.len = (uint32_t)(len < s->left ? len : s->left);
    s->at += t.len;
    s->left -= t.len;
    return t;
}

/* Calls that are sound, so that what lies behind the decoder is reached. */
static const struct {
    const char *action, *payload;
} calls[] = {
    { "RemoteStartTransaction", "{\"idTag\":\"R\"}" },
    { "RemoteStartTransaction", "{\"idTag\":\"R\",\"connectorId\":2}" },
    { "RemoteStopTransaction", "{\"transactionId\":1001}" },
    { "UnlockConnector", "{\"connectorId\":1}" },
    { "ChangeAvailability", "{\"connectorId\":0,\"type\":\"Inoperative\"}" },
    { "ChangeAvailability", "{\"connectorId\":0,\"type\":\"Operative\"}" },
    { "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}" },
    { "TriggerMessage", "{\"requestedMessage\":\"StatusNotification\"}" },
    { "TriggerMessage", "{\"requestedMessage\":\"MeterValues\"}" },
    { "TriggerMessage", "{\"requestedMessage\":\"BootNotification\"}" },
    { "SetChargingProfile",
      "{\"connectorId\":0,\"csChargingProfiles\":{\"chargingProfileId\":1,\"stackLevel\":0,"
      "\"chargingProfilePurpose\":\"ChargePointMaxProfile\",\"chargingProfileKind\":\"Absolute\","
      "\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"startSchedule\":\"2025-06-15T15:00:00Z\","
      "\"duration\":7200,\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":20},{"
      "\"startPeriod\":600,\"limit\":9},{\"startPeriod\":1200,\"limit\":40}]}}}" },
    { "SetChargingProfile",
      "{\"connectorId\":0,\"csChargingProfiles\":{\"chargingProfileId\":2,\"stackLevel\":1,"
      "\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Recurring\","
      "\"recurrencyKind\":\"Daily\",\"chargingSchedule\":{\"chargingRateUnit\":\"W\","
      "\"startSchedule\":\"2025-06-15T15:00:00Z\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,"
      "\"limit\":11000},{\"startPeriod\":300,\"limit\":0},{\"startPeriod\":900,\"limit\":7360}]}}"
      "}" },
    { "SetChargingProfile",
      "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":3,\"stackLevel\":1,"
      "\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Relative\","
      "\"validTo\":\"2025-06-15T17:00:00Z\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
      "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":32},{\"startPeriod\":60,\"limit\":"
      "5},{\"startPeriod\":120,\"limit\":16}]}}}" },
    { "SetChargingProfile",
      "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":4,\"stackLevel\":2,"
      "\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":\"Relative\","
      "\"transactionId\":1001,\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
      "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":8}]}}}" },
    { "RemoteStartTransaction",
      "{\"idTag\":\"R\",\"connectorId\":1,\"chargingProfile\":{\"chargingProfileId\":5,"
      "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxProfile\",\"chargingProfileKind\":"
      "\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{"
      "\"startPeriod\":0,\"limit\":7}]}}}" },
    { "ClearChargingProfile", "{}" },
    { "ClearChargingProfile", "{\"id\":2}" },
    { "GetCompositeSchedule", "{\"connectorId\":1,\"duration\":90000}" },
    { "GetCompositeSchedule",
      "{\"connectorId\":0,\"duration\":999999999,\"chargingRateUnit\":\"W\"}" },
    { "GetConfiguration", "{}" },
    { "SendLocalList",
      "{\"listVersion\":5,\"updateType\":\"Full\",\"localAuthorizationList\":[{\"idTag\":\"TAG1\","
      "\"idTagInfo\":{\"status\":\"Accepted\",\"parentIdTag\":\"FAM\"}},{\"idTag\":\"TAG2\","
      "\"idTagInfo\":{"
      "\"status\":\"Blocked\",\"expiryDate\":\"2025-06-15T16:00:00Z\"}}]}" },
    { "SendLocalList", "{\"listVersion\":9,\"updateType\":\"Differential\","
                       "\"localAuthorizationList\":[{\"idTag\":\"TAG1\"},"
                       "{\"idTag\":\"R\",\"idTagInfo\":{\"status\":\"Accepted\"}}]}" },
    { "ReserveNow", "{\"connectorId\":1,\"expiryDate\":\"2025-06-15T18:00:00Z\",\"idTag\":\"TAG1\","
                    "\"reservationId\":1}" },
    { "ReserveNow", "{\"connectorId\":0,\"expiryDate\":\"2025-06-16T18:00:00Z\",\"idTag\":\"TAG2\","
                    "\"parentIdTag\":"
                    "\"FAM\",\"reservationId\":2}" },
    { "CancelReservation", "{\"reservationId\":2}" },
    { "UpdateFirmware",
      "{\"location\":\"http://x/i\",\"retrieveDate\":\"2025-06-15T15:00:00Z\",\"retries\":1}" },
    { "SignedUpdateFirmware",
      "{\"requestId\":3,\"firmware\":{\"location\":\"http://x/i\",\"retrieveDateTime\":"
      "\"2025-06-15T15:00:00Z\",\"installDateTime\":\"2025-06-15T15:30:00Z\","
      "\"signingCertificate\":\"c\",\"signature\":\"s\"}}" },
    { "GetDiagnostics", "{\"location\":\"ftp://x/\"}" },
    { "GetLog",
      "{\"log\":{\"remoteLocation\":\"ftp://x/\"},\"logType\":\"SecurityLog\",\"requestId\":4}" },
    { "TriggerMessage", "{\"requestedMessage\":\"FirmwareStatusNotification\"}" },
    { "ExtendedTriggerMessage", "{\"requestedMessage\":\"LogStatusNotification\"}" },
    { "ClearCache", "{}" },
    { "Reset", "{\"type\":\"Soft\"}" },
    { "Reset", "{\"type\":\"Hard\"}" },
    { "ChangeConfiguration",
      "{\"key\":\"StopTransactionOnEVSideDisconnect\",\"value\":\"false\"}" },
    { "ChangeConfiguration", "{\"key\":\"StopTransactionOnInvalidId\",\"value\":\"false\"}" },
    { "ChangeConfiguration", "{\"key\":\"AllowOfflineTxForUnknownId\",\"value\":\"true\"}" },
    { "ChangeConfiguration", "{\"key\":\"StopTxnSampledData\",\"value\":\"SoC,Voltage\"}" },
    { "ChangeConfiguration", "{\"key\":\"ClockAlignedDataInterval\",\"value\":\"60\"}" },
    { "ChangeConfiguration", "{\"key\":\"MinimumStatusDuration\",\"value\":\"5\"}" },
};

/* An errand under way ends, well or badly. */
static void end_errand(struct world *w, struct mem_transfer *t, unsigned how)
{
    static const int ends[] = { 0, 0, AMP_E_IO, AMP_E_AUTH, AMP_E_SUPPORT };
    enum amp_errand e = AMP_ERRAND_DOWNLOAD + how % 4;

    if (!t->busy[e])
        return;
    t->busy[e] = false;
    amp_station_transfer_done(w->st, e, ends[how / 4 % AMP_COUNT(ends)], w->now);
}

static void turn_the_central_system(struct world *w, unsigned how)
{
    static const char *const actions[] = {
        NULL,        "StartTransaction", "StopTransaction",   "MeterValues",
        "Authorize", "BootNotification", "StatusNotification"
    };
    static const char *const statuses[] = { NULL, "Pending", "Rejected" };

    w->mute = actions[how % 7];
    w->error = actions[how / 7 % 7];
    w->boot_status = statuses[how % 3];
    w->tag_status = how & 64 ? "Blocked" : NULL;
    w->start_status = how & 128 ? "Invalid" : NULL;
}

static void step(struct world *w, struct mem_transfer *t, struct steps *s)
{
    unsigned what = next(s), c = 1 + (what >> 7);
    struct amp_text text;
    size_t i;

    switch (what % 16) {
    case 0: /* a text message */
        text = piece(s);
        if (w->up)
            world_send(w, AMP_WS_TEXT, text.at, text.len);
        break;
    case 1: /* raw bytes, also instead of the HTTP answer */
        text = piece(s);
        if (w->mem.open)
            amp_station_received(w->st, text.at, text.len, w->now);
        break;
    case 2:
        i = next(s) % AMP_COUNT(calls);
        world_call(w, calls[i].action, calls[i].payload);
        break;
    case 3:
        world_plug(w, (int)c, !w->car[c].plugged);
        break;
    case 4:
        world_tag(w, (int)(what >> 6) % 3, what & 16 ? "TAG1" : "TAG2");
        break;
    case 5:
        (void)amp_station_tag(w->st, (int)c, piece(s), w->now);
        break;
    case 6:
        world_run(w, 1000u * next(s));
        break;
    case 7:
        world_run(w, 100000u * (1 + next(s) % 16));
        break;
    case 8:
        (void)amp_station_fault(w->st, (int)(what >> 6) % 3, 1 + (int)next(s) % 16, piece(s),
                                w->now);
        break;
    case 9:
        (void)amp_station_fault(w->st, (int)(what >> 6) % 3, AMP_ERROR_NONE, AMP_NO_TEXT, w->now);
        break;
    case 10:
        w->refuse = what & 16;
        world_hang_up(w);
        break;
    case 11:
        turn_the_central_system(w, next(s));
        break;
    case 12: /* storage fails, or the power goes and comes back */
        mem_arm(&w->mem, 1 + next(s) % 8, what & 16 ? MEM_CUT : MEM_FAIL, what & 32 ? 20 : 0);
        break;
    case 13:
        w->mem.send_limit = next(s) % 32;
        w->mem.blocked = what & 16;
        break;
    case 14:
        w->car[c].lock_fails = what & 16;
        w->car[c].permit_fails = what & 32;
        w->car[c].meter_fails = what & 64;
        break;
    default:
        if (what & 16) {
            end_errand(w, t, next(s));
            break;
        }
        (void)amp_station_stop(w->st, (int)c, 1 + (int)next(s) % 11, w->now);
    }
    if (w->mem.cut || w->mem.rebooted) {
        memset(t->busy, 0, sizeof(t->busy));
        world_power(w);
    }
    world_settle(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    static struct mem_transfer transfer;
    struct steps s = { data, size };

    check_bad = 0;
    world_defaults(&w);
    mem_transfer_init(&transfer, size & 1);
    w.mem.port.transfer = &transfer.table;
    if (world_boot(&w) < 0)
        abort();
    w.any_books = true; /* with such a central system nobody's books are right */
    world_run(&w, 100);
    for (int i = 0; s.left && i < 200; i++)
        step(&w, &transfer, &s);
    world_close(&w);
    if (check_bad || transfer.twice)
        abort();
    return 0;
}
