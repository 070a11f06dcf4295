/* central/v16/security_test.c - security profiles 0 to 3 on one server, over real sockets and real
 * TLS. The numbers are those of the list of edge cases. */
#include "central/v16/doors.h"

#define KEY   "00112233445566778899aabbccddeeff00112233"
#define KEY_B "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\x00\x11\x22\x33"

static int set_password(const char *id, const char *password)
{
    char path[96], body[160];

    snprintf(path, sizeof path, "/api/v1/chargers/%s/password", id);
    snprintf(body, sizeof body, "{\"password\":\"%s\"}", password);
    return plant_http("PUT", path, "Content-Type: application/json\r\n", body);
}

static int change(const char *id, const char *what, const char *body)
{
    char path[96];

    snprintf(path, sizeof path, "/api/v1/chargers/%s%s", id, what);
    return plant_http("PATCH", path, "Content-Type: application/json\r\n", body);
}

/* E38, E39, E40, E42: who gets in with which credentials; the rest hear the same words. */
static void test_basic(void)
{
    const struct {
        const char *why;
        struct door door;
        int status;
        const char *kind;
    } cases[] = {
        { "E39: the hex text", { .id = "CP1", .password = AMP_TEXT(KEY) }, 101, NULL },
        { "E39: the bytes, a NUL among them",
          { .id = "CP1", .password = AMP_TEXT(KEY_B) },
          101,
          NULL },
        { "E38: a colon in the password",
          { .id = "CP2", .password = AMP_TEXT("one:two:three") },
          101,
          NULL },
        { "none", { .id = "CP1" }, 401, "no-password" },
        { "E42: wrong", { .id = "CP1", .password = AMP_TEXT("nonsense") }, 401, "wrong-password" },
        { "E38: the part in front of the colon",
          { .id = "CP2", .password = AMP_TEXT("one") },
          401,
          "wrong-password" },
        { "E40: another user",
          { .id = "CP1", .user = "CP9", .password = AMP_TEXT(KEY) },
          401,
          "wrong-user" },
        { "the same in other letters",
          { .id = "CP1", .user = "cp1", .password = AMP_TEXT(KEY) },
          101,
          NULL },
        { "E40: let pass for this one",
          { .id = "CP3", .user = "admin", .password = AMP_TEXT("long enough") },
          101,
          NULL },
        { "E42: unknown", { .id = "CP8", .password = AMP_TEXT("whatever1") }, 401, "unknown" },
        { "E42: unknown, without", { .id = "CP7" }, 401, "unknown" },
        { "not Base64",
          { .id = "CP6", .headers = "Authorization: Basic ?\r\n" },
          401,
          "bad-credentials" },
    };
    char refused[512] = "";

    plant_prepare();
    plant_set("unknown-password", "refuse");
    plant_start();
    for (int i = 1; i <= 3; i++) {
        char body[32];

        snprintf(body, sizeof body, "{\"id\":\"CP%d\"}", i);
        CHECK(plant_http("POST", "/api/v1/chargers", "Content-Type: application/json\r\n", body) ==
                  201,
              "%s", plant.text);
    }
    CHECK(set_password("CP1", KEY) == 200 && !strstr(plant.text, KEY), "not repeated: %s",
          plant.text);
    CHECK(set_password("CP2", "one:two:three") == 200, "%s", plant.text);
    CHECK(set_password("CP3", "long enough") == 200, "%s", plant.text);
    CHECK(set_password("CP3", "short") == 422, "%s", plant.text);
    CHECK(change("CP3", "/security", "{\"anyUser\":true}") == 200, "%s", plant.text);
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct tls_peer p;
        const char *answer = door_knock(&cases[i].door, &p);

        CHECK(atoi(answer + 9) == cases[i].status, "%s: %s", cases[i].why, answer);
        if (cases[i].status == 401) { /* E42: nothing tells who is known */
            const char *said = strstr(answer, "WWW-Authenticate");

            CHECK(said != NULL, "%s: %s", cases[i].why, answer);
            if (!*refused && said)
                snprintf(refused, sizeof refused, "%s", said);
            CHECK(said && !strcmp(said, refused), "%s: the same words: %s", cases[i].why, answer);
        }
        door_close(&p);
        if (cases[i].kind) {
            char part[64];

            door_refusal("?limit=1");
            snprintf(part, sizeof part, "\"kind\":\"%s\"", cases[i].kind);
            CHECK(strstr(plant.text, part) && strstr(plant.text, "\"fix\":\""), "%s: %s",
                  cases[i].why, plant.text);
        }
    }
    CHECK(!strstr(plant_log(), KEY) && !strstr(plant_log(), "one:two"), "no password in the log");
    plant_end();
}

/* E42: whoever guesses is slowed down; the station itself gets in from elsewhere. */
static void test_guessing(void)
{
    struct door wrong = { .id = "CP1", .password = AMP_TEXT("nonsense") };
    struct tls_peer p;
    int status = 0, tries = 0;

    plant_prepare();
    plant_set("trusted-proxies", "127.0.0.1");
    plant_start();
    CHECK(plant_http("POST", "/api/v1/chargers", "Content-Type: application/json\r\n",
                     "{\"id\":\"CP1\"}") == 201,
          "%s", plant.text);
    set_password("CP1", KEY);
    while (tries < 100 && (status = door_try(&wrong)) == 401)
        tries++;
    CHECK(status == 429 && tries == 10, "after %d tries: %d", tries, status);
    CHECK(strstr(door_knock(&wrong, &p), "Retry-After: 61\r\n"), "when to come again");
    door_close(&p);
    CHECK(door_try(&(struct door){ .id = "CP1",
                                   .password = AMP_TEXT(KEY),
                                   .headers = "X-Forwarded-For: 192.0.2.9\r\n" }) == 101,
          "from another address");
    CHECK(door_try(&(struct door){ .id = "CP1", .password = AMP_TEXT(KEY) }) == 429,
          "not even with the right one");
    plant.clock_ms += 60001;
    CHECK(door_try(&(struct door){ .id = "CP1", .password = AMP_TEXT(KEY) }) == 101,
          "a minute later");
    plant_end();
}

/* E41, E43, E65: each profile, who demands it, and that nobody comes back on a lower one. */
static void test_profiles(void)
{
    struct ca_cert own, foreign, other;
    struct door plain = { .id = "CP1" }, basic = { .id = "CP1", .password = AMP_TEXT(KEY) },
                tls = { .id = "CP1", .password = AMP_TEXT(KEY), .tls = true },
                open = { .id = "CP1", .tls = true },
                proxied = { .id = "CP1",
                            .password = AMP_TEXT(KEY),
                            .headers = "X-Forwarded-Proto: https\r\n" },
                cert = { .id = "CP1", .tls = true, .own = &own },
                wrong = { .id = "CP1", .tls = true, .own = &foreign },
                serial = { .id = "CP1", .tls = true, .own = &other };

    plant_prepare();
    door_certificates();
    own = ca_make(&(struct ca_wish){ .name = "CP1", .by = &door_root });
    foreign = ca_make(&(struct ca_wish){ .name = "CP2", .by = &door_root });
    other = ca_make(&(struct ca_wish){ .name = "x", .san = "DNS:SN-7", .by = &door_root });
    plant_start();
    CHECK(door_try(&plain) == 101 && door_try(&open) == 101, "profile 0");
    CHECK(set_password("CP1", KEY) == 200, "%s", plant.text);
    CHECK(door_try(&plain) == 401 && door_try(&open) == 401, "a password is demanded now");
    CHECK(door_try(&basic) == 101 && charger_access(door_charger("CP1"))->profile == 1,
          "profile 1");
    CHECK(door_try(&proxied) == 101 && charger_access(door_charger("CP1"))->profile == 1,
          "E65: a stranger's header is not believed");
    CHECK(change("CP1", "/security", "{\"leastProfile\":2}") == 200, "%s", plant.text);
    CHECK(door_try(&basic) == 401 && strstr(door_refusal("?limit=1"), "\"kind\":\"plain\""),
          "E41: %s", plant.text);
    CHECK(door_try(&proxied) == 401, "E41, E65");
    CHECK(door_try(&tls) == 101 && charger_access(door_charger("CP1"))->profile == 2, "profile 2");
    CHECK(change("CP1", "/security", "{\"leastProfile\":0}") == 200, "%s", plant.text);
    CHECK(door_try(&basic) == 401 && strstr(door_refusal("?limit=1"), "\"kind\":\"downgrade\""),
          "E43: %s", plant.text);
    CHECK(door_try(&wrong) == 401 &&
              strstr(door_refusal("?limit=1"), "\"kind\":\"certificate-name\"") &&
              strstr(plant.text, "\"certificate\":\"CP2\""),
          "of another station: %s", plant.text);
    CHECK(door_try(&cert) == 101 && charger_access(door_charger("CP1"))->profile == 3,
          "profile 3, no password");
    CHECK(door_try(&tls) == 401, "E43: and not without it any more");
    CHECK(door_try(&serial) == 401, "another name");
    CHECK(change("CP1", "/security", "{\"certificateName\":\"SN-7\"}") == 200, "%s", plant.text);
    CHECK(door_try(&serial) == 101 && door_try(&cert) == 401, "S11: mapped by hand");
    plant_stop();
    plant_set("trusted-proxies", "10.0.0.0/8,127.0.0.1");
    plant_start();
    CHECK(door_try(&tls) == 401, "E43: also after a restart");
    CHECK(change("CP1", "/security", "{\"profile\":1,\"leastProfile\":2}") == 200, "%s",
          plant.text);
    CHECK(door_try(&proxied) == 101 && charger_access(door_charger("CP1"))->profile == 2,
          "E41, E65: TLS ended at a trusted proxy");
    ca_free(&own), ca_free(&foreign), ca_free(&other), ca_free(&door_root);
    plant_end();
}

/* What is done with strangers, by setting. */
static void test_strangers(void)
{
    static const struct {
        const char *policy, *least, *accept;
        bool password;
        int status, again; /* again: with another password */
    } cases[] = {
        { "ignore", "0", "true", false, 101, 101 },  { "ignore", "0", "true", true, 101, 101 },
        { "ignore", "1", "true", true, 401, 401 },   { "keep", "0", "true", false, 101, 101 },
        { "keep", "0", "true", true, 101, 401 },     { "keep", "1", "true", true, 101, 401 },
        { "keep", "1", "true", false, 401, 101 },    { "require", "0", "true", false, 401, 101 },
        { "require", "0", "false", true, 101, 401 }, { "refuse", "0", "true", true, 401, 401 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct door d = { .id = "NEW" }, e = { .id = "NEW", .password = AMP_TEXT("the other one") };

        plant_prepare();
        plant_set("unknown-password", cases[i].policy);
        plant_set("security-profile", cases[i].least);
        plant_set("accept-unknown", cases[i].accept);
        plant_start();
        if (cases[i].password)
            d.password = AMP_TEXT("the first one");
        CHECK(door_try(&d) == cases[i].status, "case %zu", i);
        CHECK(strcmp(cases[i].policy, "keep") || !cases[i].password || cases[i].status != 101 ||
                  charger_access(door_charger("NEW"))->password.len,
              "case %zu: kept", i);
        CHECK(door_try(&e) == cases[i].again, "case %zu: again", i);
        plant_end();
    }
}

/* S4, S5: a new password over OCPP. Both are good until the new one was used; neither database nor
 * log nor the API has it. */
static void test_rotation(void)
{
    struct door old = { .id = "CP1", .password = AMP_TEXT(KEY) };
    struct tls_peer p;
    char fresh[64] = "", id[64] = "", message[256], text[4096];
    const char *at;

    plant_begin();
    CHECK(plant_http("POST", "/api/v1/chargers", "Content-Type: application/json\r\n",
                     "{\"id\":\"CP1\"}") == 201,
          "%s", plant.text);
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/rotate-password", "", NULL) == 409, "offline");
    set_password("CP1", KEY);
    for (int refuses = 1; refuses >= 0; refuses--) {
        CHECK(!strncmp(door_knock(&old, &p), "HTTP/1.1 101 ", 13), "the old one");
        plant_say(p.fd, "BootNotification",
                  "{\"chargePointVendor\":\"A\",\"chargePointModel\":\"B\"}");
        CHECK(plant_http("POST", "/api/v1/chargers/CP1/rotate-password", "", NULL) == 202 &&
                  strstr(plant.text, "\"value\":\"\""),
              "%s", plant.text);
        CHECK(peer_next(&plant.stage, p.fd, text, sizeof text, NULL) == 0x81, "a call");
        at = strstr(text, "\"value\":\"");
        CHECK(sscanf(text, "[2,\"%63[^\"]\"", id) == 1 && strstr(text, "AuthorizationKey") && at,
              "%s", text);
        snprintf(fresh, sizeof fresh, "%.40s", at ? at + 9 : "");
        CHECK(strlen(fresh) == 40 && strcmp(fresh, KEY) != 0, "a new one: %s", text);
        snprintf(message, sizeof message, "[3,\"%s\",{\"status\":\"%s\"}]", id,
                 refuses ? "Rejected" : "Accepted");
        peer_text(&plant.stage, p.fd, message);
        plant_say(p.fd, "Heartbeat", "{}");
        door_close(&p);
        if (refuses)
            CHECK(door_try(&(struct door){ .id = "CP1", .password = amp_text_of(fresh) }) == 401,
                  "refused: it never was one");
    }
    CHECK(plant_http("GET", "/api/v1/chargers/CP1/security", "", NULL) == 200 &&
              strstr(plant.text, "\"passwordWaits\":true"),
          "%s", plant.text);
    plant_stop(); /* an answer may be lost, a server may end: still both */
    plant_start();
    CHECK(door_try(&old) == 101, "the old one, as long as the new one was not used");
    CHECK(door_try(&(struct door){ .id = "CP1", .password = amp_text_of(fresh) }) == 101,
          "the new one");
    CHECK(door_try(&old) == 401, "and now no more");
    CHECK(plant_http("GET", "/api/v1/messages?text=AuthorizationKey", "", NULL) == 200 &&
              strstr(plant.text, "AuthorizationKey") && !strstr(plant.text, fresh),
          "the log has the call, not the key: %s", plant.text);
    CHECK(plant_http("GET", "/api/v1/commands", "", NULL) == 200 && !strstr(plant.text, fresh),
          "neither has the command");
    CHECK(!strstr(plant_log(), fresh), "nor the lines");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/commands?queue=60",
                     "Content-Type: application/json\r\n",
                     "{\"action\":\"ChangeConfiguration\",\"payload\":{\"key\":"
                     "\"authorizationkey\",\"value\":\"" KEY "\"}}") != 202 &&
              strstr(plant.text, "rotate-password"),
          "by that way alone: %s", plant.text);
    plant_end();
}

/* S5: a station that answers with its key. */
static void test_leak(void)
{
    char id[64] = "", answer[512];
    int fd;

    plant_begin();
    fd = plant_station("CP1", "M", "1");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/get-configuration",
                     "Content-Type: application/json\r\n", "{}") == 202,
          "%s", plant.text);
    plant_hear(fd);
    CHECK(sscanf(plant.text, "[2,\"%63[^\"]\"", id) == 1, "%s", plant.text);
    snprintf(answer, sizeof answer,
             "[3,\"%s\",{\"configurationKey\":[{\"key\":\"HeartbeatInterval\",\"readonly\":false,"
             "\"value\":\"300\"},{\"value\":\"" KEY "\",\"readonly\":false,\"key\":"
             "\"authorizationKey\"}]}]",
             id);
    peer_text(&plant.stage, fd, answer);
    plant_say(fd, "Heartbeat", "{}");
    door_settle();
    CHECK(plant_http("GET", "/api/v1/messages?action=GetConfiguration", "", NULL) == 200 &&
              strstr(plant.text, "authorizationKey") && strstr(plant.text, "\"300\"") &&
              !strstr(plant.text, KEY),
          "the log: %s", plant.text);
    CHECK(plant_http("GET", "/api/v1/commands", "", NULL) == 200 && !strstr(plant.text, KEY),
          "the command: %s", plant.text);
    close(fd);
    plant_end();
}

/* Generated, shown once; removed. */
static void test_generated(void)
{
    char password[64] = "";
    const char *at;

    plant_begin();
    CHECK(plant_http("POST", "/api/v1/chargers", "Content-Type: application/json\r\n",
                     "{\"id\":\"CP1\"}") == 201,
          "%s", plant.text);
    CHECK(plant_http("PUT", "/api/v1/chargers/CP1/password", "", NULL) == 200, "%s", plant.text);
    at = strstr(plant.text, "\"password\":\"");
    snprintf(password, sizeof password, "%.40s", at ? at + 12 : "");
    CHECK(door_try(&(struct door){ .id = "CP1", .password = amp_text_of(password) }) == 101,
          "it is that one: '%s'", password);
    CHECK(plant_http("GET", "/api/v1/chargers/CP1/security", "", NULL) == 200 &&
              !strstr(plant.text, password),
          "not shown again: %s", plant.text);
    CHECK(plant_http("GET", "/api/v1/audit?kind=security", "", NULL) == 200 &&
              strstr(plant.text, "\"action\":\"password\"") && !strstr(plant.text, password),
          "who did it is known: %s", plant.text);
    CHECK(door_try(&(struct door){ .id = "CP1" }) == 401, "demanded");
    CHECK(plant_http("DELETE", "/api/v1/chargers/CP1/password", "", NULL) == 204, "%s", plant.text);
    CHECK(door_try(&(struct door){ .id = "CP1" }) == 101, "not any more");
    plant_end();
}

int main(void)
{
    RUN(test_basic);
    RUN(test_guessing);
    RUN(test_profiles);
    RUN(test_strangers);
    RUN(test_rotation);
    RUN(test_leak);
    RUN(test_generated);
    return check_end();
}
