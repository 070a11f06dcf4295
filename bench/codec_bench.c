/* bench/codec_bench.c - decoding with full validation beside the bare parse of jansson and cJSON,
 * on the same messages in one run. Rounds are interleaved and only ratios are worth reading: the
 * machine may be shared. Allocations are counted by wrapping malloc. */
#include "messages/ocpp16.h"
#include "ocpp/frame.h"

#include <cjson/cJSON.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 15
#define LOOPS  20000

/* clang-format off */
#define SAMPLE(value, measurand, unit)                                                             \
    "{\"value\":\"" value "\",\"context\":\"Sample.Periodic\",\"format\":\"Raw\",\"measurand\":\"" \
    measurand "\",\"location\":\"Outlet\",\"unit\":\"" unit "\"}"

static const struct {
    const char *name;
    enum ocpp16_id id;
    const char *json;
} messages[] = {
    { "BootNotification", OCPP16_BOOT_NOTIFICATION,
      "{\"chargePointVendor\":\"Amperstand\",\"chargePointModel\":\"Duo 22\","
      "\"chargePointSerialNumber\":\"AMP-2026-000123\",\"chargeBoxSerialNumber\":\"BOX-000123\","
      "\"firmwareVersion\":\"1.4.2-rc1\",\"iccid\":\"8949020000123456789\","
      "\"imsi\":\"262021234567890\",\"meterType\":\"SDM630 Modbus V2\","
      "\"meterSerialNumber\":\"M-99887766\"}" },
    { "StatusNotification", OCPP16_STATUS_NOTIFICATION,
      "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Charging\",\"info\":\"all well\","
      "\"timestamp\":\"2026-11-21T10:15:30.123Z\",\"vendorId\":\"com.example\","
      "\"vendorErrorCode\":\"0\"}" },
    { "StartTransaction", OCPP16_START_TRANSACTION,
      "{\"connectorId\":1,\"idTag\":\"DEADBEEF12345678\",\"meterStart\":1234567,"
      "\"timestamp\":\"2026-11-21T10:15:30Z\",\"reservationId\":17}" },
    { "MeterValues (8 samples)", OCPP16_METER_VALUES,
      "{\"connectorId\":1,\"transactionId\":4711,\"meterValue\":[{\"timestamp\":"
      "\"2026-11-21T10:15:30Z\",\"sampledValue\":["
      SAMPLE("1234567", "Energy.Active.Import.Register", "Wh") ","
      SAMPLE("21987.5", "Power.Active.Import", "W") "," SAMPLE("95.7", "Current.Import", "A") ","
      SAMPLE("230.1", "Voltage", "V") "," SAMPLE("41.5", "Temperature", "Celsius") ","
      SAMPLE("55", "SoC", "Percent") "," SAMPLE("50.01", "Frequency", "Hertz") ","
      SAMPLE("32.0", "Current.Offered", "A") "]}]}" },
};
/* clang-format on */

static unsigned long allocations;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    allocations++;
    return __real_malloc(n);
}

static void *counting_malloc(size_t n)
{
    return malloc(n);
}

enum contestant { OURS, CJSON, JANSSON, CONTESTANTS };
static const char *const names[] = { "amperstand, validated", "cJSON, bare parse",
                                     "jansson, bare parse" };

static union {
    struct ocpp16_boot_notification boot;
    struct ocpp16_status_notification status;
    struct ocpp16_start_transaction start;
    struct ocpp16_meter_values values;
} body;

static void once(enum contestant who, size_t m, struct amp_arena *arena, size_t len)
{
    struct amp_fault fault;
    cJSON *tree;
    json_t *root;
    int rc;

    switch (who) {
    case OURS:
        amp_arena_reset(arena);
        rc = amp_decode(ocpp16.messages[messages[m].id].request, AMP_OCPP16, AMP_LENIENT,
                        (struct amp_text){ messages[m].json, (uint32_t)len }, &body, arena, &fault,
                        NULL);
        if (rc < 0) {
            fprintf(stderr, "%s: %s at '%s'\n", messages[m].name, amp_err_text(rc), fault.path);
            exit(1);
        }
        break;
    case CJSON:
        tree = cJSON_ParseWithLength(messages[m].json, len);
        cJSON_Delete(tree);
        break;
    default:
        root = json_loadb(messages[m].json, len, 0, NULL);
        json_decref(root);
    }
}

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void measure(size_t m, struct amp_arena *arena)
{
    static double ns[CONTESTANTS][ROUNDS];
    double median[CONTESTANTS];
    unsigned long allocs[CONTESTANTS];
    size_t len = strlen(messages[m].json);

    for (int round = 0; round < ROUNDS; round++)
        for (enum contestant who = OURS; who < CONTESTANTS; who++) {
            double start = cpu_ns();

            for (int i = 0; i < LOOPS; i++)
                once(who, m, arena, len);
            ns[who][round] = (cpu_ns() - start) / LOOPS;
        }
    printf("%s, %zu bytes\n", messages[m].name, len);
    for (enum contestant who = OURS; who < CONTESTANTS; who++) {
        qsort(ns[who], ROUNDS, sizeof ns[who][0], by_size);
        median[who] = ns[who][ROUNDS / 2];
        allocations = 0;
        once(who, m, arena, len);
        allocs[who] = allocations;
        printf("  %-24s %8.0f ns [%.0f-%.0f]  %4.2f x ours  %3lu allocations\n", names[who],
               median[who], ns[who][0], ns[who][ROUNDS - 1], median[who] / median[OURS],
               allocs[who]);
    }
}

int main(void)
{
    static unsigned char block[1 << 16];
    struct amp_arena arena;
    cJSON_Hooks hooks = { counting_malloc, free };

    cJSON_InitHooks(&hooks);
    json_set_alloc_funcs(counting_malloc, free);
    amp_arena_init(&arena, block, sizeof block);
    for (size_t m = 0; m < AMP_COUNT(messages); m++)
        measure(m, &arena);
    return 0;
}
