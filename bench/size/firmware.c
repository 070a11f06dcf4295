/* bench/size/firmware.c - the smallest program with everything of a station in it: what
 * `script/bench size` links, so that what nobody calls does not count. It runs nowhere: the
 * platform is ports/template. */
#include "ports/template/template.h"
#include "station/impl.h"

/* What the world would hand in next, and its time: unknown to the compiler. */
extern volatile uint8_t size_inbox[64];
volatile uint8_t size_inbox[64];
extern volatile uint32_t size_clock;
volatile uint32_t size_clock;

static struct amp_station memory __attribute__((aligned(16)));

static int request(void *ctx, const char *name, const char *organization, char *out, size_t cap)
{
    (void)ctx, (void)name, (void)organization, (void)out, (void)cap;
    return AMP_E_IO;
}

static int64_t expiry(void *ctx, int64_t unix_ms)
{
    (void)ctx, (void)unix_ms;
    return 0;
}

static void hand_in(struct amp_station *st, unsigned what, uint64_t now)
{
    struct amp_text text = { (const char *)(uintptr_t)size_inbox, sizeof(size_inbox) };

    switch (what) {
    case 0:
        amp_station_connected(st, now);
        break;
    case 1:
        amp_station_received(st, text.at, text.len, now);
        break;
    case 2:
        amp_station_writable(st, now);
        break;
    case 3:
        amp_station_closed(st, now);
        break;
    case 4:
        amp_station_tls_failed(st, AMP_TLS_OURS, text, now);
        break;
    case 5:
        amp_station_transfer_done(st, AMP_ERRAND_DOWNLOAD, 0, now);
        break;
    case 6:
        (void)amp_station_plug(st, 1, true, now);
        break;
    case 7:
        (void)amp_station_ev_ready(st, 1, true, now);
        break;
    case 8:
        (void)amp_station_tag(st, 1, text, now);
        break;
    case 9:
        (void)amp_station_fault(st, 1, AMP_ERROR_GROUND, text, now);
        break;
    case 10:
        (void)amp_station_fault_over(st, 1, AMP_ERROR_GROUND, now);
        break;
    default:
        (void)amp_station_stop(st, 1, AMP_STOP_LOCAL, now);
    }
}

int main(void)
{
    static const struct amp_pki pki = { .request = request, .expiry = expiry };
    static const struct amp_transfer transfer = { .protocols = "HTTPS" };
    static const struct amp_hardware hardware;
    static struct template_port port;
    const struct amp_station_config config = { .url = AMP_TEXT("wss://central.test/ocpp"),
                                               .identity = AMP_TEXT("CP001"),
                                               .vendor = AMP_TEXT("V"),
                                               .model = AMP_TEXT("M"),
                                               .connectors = 1 };

    template_init(&port);
    port.port.pki = &pki;
    port.port.transfer = &transfer;
    if (amp_station_init(&memory, sizeof(memory), &config, &port.port, &hardware, NULL, NULL, 0,
                         &port.station, NULL) < 0)
        return 1;
    for (;;) {
        hand_in(port.station, size_inbox[0], size_clock);
        (void)template_turn(&port, size_clock);
    }
}
