/* central/secure_station_test.c - our own station and our own central system, from a password to a
 * certificate: every step of security profiles 1, 2 and 3 over real sockets, by the API on one side
 * and by OCPP on the other. */
#include "central/domain/access.h"
#include "central/v16/plant.h"
#include "ports/posix/device.h"

#include <sys/time.h>

#define SPEED 20000 /* thousandths: the station lives twenty times as fast */
#define KEY   "00112233445566778899aabbccddeeff00112233"

static struct posix_loop loop;
static struct posix_device *device;

static int64_t real_ms(void)
{
    struct timeval t;

    gettimeofday(&t, NULL);
    return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

/* Both sides, until `cond`. */
#define BOTH(cond, why)                                          \
    do {                                                         \
        uint64_t both_end = uv_hrtime() + GUARD_MS * 1000000ull; \
        while (!(cond) && uv_hrtime() < both_end) {              \
            plant.clock_ms = real_ms();                          \
            stage_run(&plant.stage);                             \
            (void)posix_run_once(&loop, 1);                      \
        }                                                        \
        CHECK(cond, "%s", why);                                  \
    } while (0)

static int nothing(void *ctx, int connector, bool on)
{
    (void)ctx, (void)connector, (void)on;
    return 0;
}

static int meter(void *ctx, int connector, struct amp_reading *out)
{
    (void)ctx, (void)connector;
    memset(out, 0, sizeof *out);
    return 0;
}

static struct charger *charger(void)
{
    return world_charger(plant.central.world, AMP_TEXT("CP001"));
}

static const struct access_fact *now(void)
{
    return charger_access(charger());
}

static int post(const char *path, const char *body)
{
    return plant_http("POST", path, body ? "Content-Type: application/json\r\n" : "", body);
}

/* ChangeConfiguration, until the station took it. */
static void configure(const char *key, const char *value)
{
    char body[128];
    int64_t id;

    snprintf(body, sizeof body, "{\"key\":\"%s\",\"value\":\"%s\"}", key, value);
    CHECK(post("/api/v1/chargers/CP001/change-configuration", body) == 202, "%s", plant.text);
    id = plant_number("id");
    BOTH(world_command_get(plant.central.world, id)->state >= COMMAND_ACCEPTED, key);
    CHECK(world_command_get(plant.central.world, id)->state == COMMAND_ACCEPTED ||
              world_command_get(plant.central.world, id)->state == COMMAND_CONFIRMED,
          "%s: %d", key, world_command_get(plant.central.world, id)->state);
}

static bool online(uint32_t generation)
{
    return charger_session(charger()) && charger_generation(charger()) > generation;
}

static int certificates(const char *state)
{
    char path[64];
    int n = 0;

    snprintf(path, sizeof path, "/api/v1/certificates?state=%s", state);
    CHECK(plant_http("GET", path, "", NULL) == 200, "%s", plant.text);
    for (const char *at = plant.text; (at = strstr(at, "\"askedAt\"")); at++)
        n++;
    return n;
}

static void test_climb(void)
{
    static const char *const settings[] = { "CpoName=Strom", "HeartbeatInterval=30", NULL };
    const struct amp_hardware hardware = { .permit = nothing, .meter = meter };
    char url[64], secure[64], dir[] = "/tmp/amp-climb-XXXXXX", path[128];
    struct amp_station_config config = { .identity = AMP_TEXT("CP001"),
                                         .password = AMP_TEXT("open sesame"),
                                         .vendor = AMP_TEXT("A"),
                                         .model = AMP_TEXT("B"),
                                         .serial = AMP_TEXT("SN-7"),
                                         .connectors = 1,
                                         .reconnect_first_s = 1,
                                         .reconnect_cap_s = 2,
                                         .settings = settings };
    struct posix_device_options o = {
        .config = &config, .hardware = &hardware, .certificates = true, .log_level = AMP_LOG_ERROR
    };
    struct amp_fault fault;
    uint32_t generation;

    plant_prepare();
    plant_set("tls-listen", "127.0.0.1:0");
    plant_set("cpo-name", "Strom");
    plant_set("unknown-password", "refuse");
    plant.clock_ms = real_ms();
    plant_start();
    CHECK(mkdtemp(dir) != NULL, "a folder");
    o.data_dir = dir;
    snprintf(url, sizeof url, "ws://%s/ocpp", net_address(plant.central.net));
    snprintf(secure, sizeof secure, "wss://%s/ocpp", net_tls_address(plant.central.net));
    config.url = amp_text_of(url);
    config.secure_url = amp_text_of(secure);
    CHECK(post("/api/v1/chargers", "{\"id\":\"CP001\"}") == 201, "%s", plant.text);
    CHECK(plant_http("PUT", "/api/v1/chargers/CP001/password", "Content-Type: application/json\r\n",
                     "{\"password\":\"open sesame\"}") == 200,
          "%s", plant.text);
    CHECK(posix_loop_open(&loop, SPEED, false) == 0, "loop");
    config.unix_ms = (uint64_t)posix_clock_unix_ms(&loop.clock);
    CHECK(posix_device_open(&loop, &o, &device) == 0, "device");
    CHECK(posix_device_start(device, &fault) == 0, "%s", fault.path);

    BOTH(charger_session(charger()) && charger_fact(charger())->last_boot_ms, "profile 1");
    CHECK(now()->profile == 1, "a password, no TLS: %d", now()->profile);

    /* a new password over OCPP; the station comes back with its bytes (E39) */
    generation = charger_generation(charger());
    CHECK(post("/api/v1/chargers/CP001/rotate-password", NULL) == 202, "%s", plant.text);
    BOTH(online(generation) && !now()->next.len, "the new password was used");

    /* our root, then TLS */
    CHECK(post("/api/v1/chargers/CP001/install-certificate",
               "{\"certificateType\":\"CentralSystemRootCertificate\"}") == 202,
          "%s", plant.text);
    generation = charger_generation(charger());
    configure("SecurityProfile", "2");
    BOTH(online(generation) && now()->profile == 2, "profile 2");

    /* a certificate of its own (E44), then without password */
    CHECK(post("/api/v1/chargers/CP001/renew-certificate", NULL) == 202, "%s", plant.text);
    BOTH(certificates("installed") == 1, "CertificateSigned was accepted");
    CHECK(strstr(plant.text, "\"name\":\"SN-7\""), "for its serial number: %s", plant.text);
    generation = charger_generation(charger());
    configure("SecurityProfile", "3");
    BOTH(online(generation) && now()->profile == 3, "profile 3");

    /* revoked: out, and the doctor knows why */
    CHECK(certificates("installed") == 1, "%s", plant.text);
    snprintf(path, sizeof path, "/api/v1/certificates/%.32s/revoke",
             strstr(plant.text, "\"items\":[{\"id\":\"") + 16);
    CHECK(post(path, "{}") == 200, "%s", plant.text);
    BOTH(!charger_session(charger()), "revoked");
    BOTH(plant_http("GET", "/api/v1/connections/refused?station=CP001&kind=certificate-revoked", "",
                    NULL) == 200 &&
             strstr(plant.text, "\"certificate\":\"SN-7\""),
         "and refused");
    posix_device_close(device);
    posix_loop_close(&loop);
    nftw(dir, plant_wipe, 16, FTW_DEPTH | FTW_PHYS);
    plant_end();
}

int main(void)
{
    RUN(test_climb);
    return check_end();
}
