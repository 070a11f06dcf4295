/* central/v16/files_test.c - files through the API and from stations, over real sockets and on a
 * real disk: firmware on its way out, diagnostics on their way in. */
#include "central/domain/operation.h"
#include "central/rest/files.h"
#include "central/v16/plant.h"

#include <dirent.h>
#include <sodium.h>

enum { BIG = 700000 };
static char big[BIG];

static void fill(void)
{
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 13 + i / 257);
}

static const char *sha256(const void *data, size_t len)
{
    static char hex[65];
    unsigned char sum[32];

    crypto_hash_sha256(sum, data, len);
    sodium_bin2hex(hex, sizeof hex, sum, sizeof sum);
    return hex;
}

/* A request with a body of any bytes; the whole answer is in *out with its length. */
static char answer[BIG + 4096];
static size_t answer_len;

static int request(const char *method, const char *path, const char *headers, const void *body,
                   size_t len)
{
    char head[1024];
    bool ended = false;
    size_t n;
    int fd = peer_open(&plant.stage);

    snprintf(
        head, sizeof head,
        "%s %s HTTP/1.1\r\nHost: plant.test\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
        method, path, len, headers);
    peer_say(&plant.stage, fd, head);
    if (len)
        peer_send(&plant.stage, fd, body, len);
    answer_len = 0;
    while (!ended && (n = peer_read(&plant.stage, fd, answer + answer_len,
                                    sizeof answer - 1 - answer_len, 1, &ended)) > 0)
        answer_len += n;
    answer[answer_len] = '\0';
    close(fd);
    return strncmp(answer, "HTTP/1.1 ", 9) ? 0 : atoi(answer + 9);
}

#define AS_KEY "Authorization: Bearer " PLANT_KEY "\r\n"

static const char *body_of(size_t *len)
{
    char *at = strstr(answer, "\r\n\r\n");

    *len = at ? answer_len - (size_t)(at + 4 - answer) : 0;
    return at ? at + 4 : answer;
}

/* The text behind "name":" in the newest answer. Static. */
static const char *text_of(const char *name)
{
    static char out[256];
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\"%s\":\"", name);
    at = strstr(answer, key);
    snprintf(out, sizeof out, "%.*s", at ? (int)strcspn(at + strlen(key), "\"") : 0,
             at ? at + strlen(key) : "");
    return out;
}

static int files_on_disk(void)
{
    char path[128];
    int n = 0;
    DIR *dir;

    snprintf(path, sizeof path, "%s/files", plant.dir);
    dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));)
        n += e->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return n;
}

/* ---- firmware ---- */

static void test_firmware(void)
{
    char path[256], location[512];
    const char *bytes;
    size_t len;
    int fd;

    plant_begin();
    CHECK(request("POST", "/api/v1/files?name=f.bin", "", "x", 1) == 401, "who is that? %s",
          answer);
    CHECK(request("POST", "/api/v1/files", AS_KEY, "x", 1) == 400, "no name: %s", answer);
    CHECK(request("POST", "/api/v1/files?name=box%201.1.bin&note=June",
                  AS_KEY "Content-Type: application/x-firmware\r\n", big, BIG) == 201,
          "%s", answer);
    CHECK(!strcmp(text_of("sha256"), sha256(big, BIG)) && strstr(answer, "\"size\":700000") &&
              strstr(answer, "\"state\":\"ready\",\"origin\":\"uploaded\"") &&
              strstr(answer, "\"note\":\"June\"") && strstr(answer, "application/x-firmware"),
          "%s", answer);
    snprintf(path, sizeof path, "%s", text_of("path"));
    CHECK(strlen(path) == 25 && files_on_disk() == 1, "E95: a short address: %s", path);

    fd = plant_station("CP1", "One", "1.0");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/update-firmware", "",
                     "{\"file\":1,\"retries\":3,\"version\":\"1.1\"}") == 202,
          "%s", plant.text);
    snprintf(location, sizeof location,
             "{\"location\":\"http://plant.test%s\",\"retrieveDate\":\"2024-06-01T08:00:00Z\","
             "\"retries\":3}",
             path);
    plant_answer(fd, "UpdateFirmware", location, "{}");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/update-firmware?force=true", "",
                     "{\"file\":2}") == 422 &&
              strstr(plant.text, "no-such-file"),
          "%s", plant.text);
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/update-firmware?force=true", "", "{}") == 422 &&
              strstr(plant.text, "\"field\":\"file\""),
          "%s", plant.text);

    CHECK(request("GET", path, "", NULL, 0) == 200, "the station loads: %.300s", answer);
    bytes = body_of(&len);
    CHECK(len == BIG && !memcmp(bytes, big, BIG) && strstr(answer, "Content-Length: 700000\r\n"),
          "all of it: %zu", len);
    snprintf(location, sizeof location, "%s/box.bin", path);
    CHECK(request("GET", location, "Range: bytes=699990-\r\n", NULL, 0) == 206 &&
              strstr(answer, "Content-Range: bytes 699990-699999/700000\r\n"),
          "goes on where it was: %.300s", answer);
    bytes = body_of(&len);
    CHECK(len == 10 && !memcmp(bytes, big + 699990, 10), "the rest: %zu", len);
    CHECK(request("GET", path, "Range: bytes=0-4\r\n", NULL, 0) == 206 && (body_of(&len), len == 5),
          "a part: %.300s", answer);
    CHECK(request("GET", path, "Range: bytes=-3\r\n", NULL, 0) == 206 && (body_of(&len), len == 3),
          "an end: %.300s", answer);
    CHECK(request("GET", path, "Range: bytes=700000-\r\n", NULL, 0) == 416, "%.300s", answer);
    CHECK(request("GET", path, "Range: bytes=0-1\r\nIf-Range: \"old\"\r\n", NULL, 0) == 200,
          "another file than before is sent whole: %.300s", answer);
    CHECK(request("GET", path, "Range: lines=1\r\n", NULL, 0) == 200, "%.300s", answer);
    CHECK(request("HEAD", path, "", NULL, 0) == 200 && (body_of(&len), len == 0) &&
              strstr(answer, "Content-Length: 700000\r\n"),
          "%.300s", answer);
    CHECK(request("GET", "/f/AAAAAAAAAAAAAAAAAAAAAA", "", NULL, 0) == 404, "guessed");
    CHECK(request("PUT", path, "", "x", 1) == 404, "nobody writes there");

    plant_stop();
    plant_start();
    CHECK(request("GET", path, "", NULL, 0) == 200 && (bytes = body_of(&len), len == BIG) &&
              !memcmp(bytes, big, BIG),
          "kept: %.300s", answer);
    CHECK(request("DELETE", "/api/v1/files/1", AS_KEY, NULL, 0) == 204, "%s", answer);
    CHECK(request("GET", path, "", NULL, 0) == 404 && files_on_disk() == 0, "gone");
    CHECK(request("POST", "/api/v1/files?name=x", AS_KEY, "", 0) == 201 &&
              strstr(answer, "\"id\":2,") && strstr(answer, "\"size\":0"),
          "an empty one, with a number of its own: %s", answer);
    close(fd);
    plant_end();
}

/* ---- diagnostics and logs ---- */

/* Where the newest call wants it, as a path. */
static void wanted(char out[256])
{
    const char *at = strstr(plant.text, "http://plant.test/f/");

    CHECK(at, "an address in %s", plant.text);
    snprintf(out, 256, "%.*s", at ? (int)strcspn(at + 17, "\"") : 0, at ? at + 17 : "");
}

static void test_diagnostics(void)
{
    char *bytes;
    char path[256], named[300], line[64];
    const struct command_fact *k;
    int64_t key;
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/get-diagnostics", "", "{\"retries\":1}") == 202,
          "%s", plant.text);
    key = plant_number("id");
    plant_reply(fd, "GetDiagnostics", "\"retries\":1", "{\"fileName\":\"d.zip\"}");
    wanted(path);
    plant_say(fd, "DiagnosticsStatusNotification", "{\"status\":\"Uploading\"}");
    CHECK(request("GET", "/api/v1/files", AS_KEY, NULL, 0) == 200 &&
              strstr(answer, "\"state\":\"expected\",\"origin\":\"reported\"") &&
              strstr(answer, "\"charger\":\"CP1\""),
          "%s", answer);
    CHECK(request("GET", "/api/v1/files/1/content", AS_KEY, NULL, 0) == 409, "%s", answer);
    CHECK(request("GET", path, "", NULL, 0) == 404, "nobody reads there");
    snprintf(named, sizeof named, "%s/d%%201.zip", path);
    CHECK(request("PUT", named, "Content-Type: application/zip\r\n", big, BIG) == 201, "%s",
          answer);
    k = world_command_get(plant.central.world, key);
    CHECK(k && k->state == COMMAND_CONFIRMED, "its file came: that is the effect");
    CHECK(request("PUT", named, "", "again", 5) == 410 && strstr(answer, "\"used\"") == NULL,
          "once: %s", answer);
    CHECK(request("GET", "/api/v1/files?charger=CP1", AS_KEY, NULL, 0) == 200 &&
              strstr(answer, "\"name\":\"d 1.zip\",\"state\":\"ready\"") &&
              !strcmp(text_of("sha256"), sha256(big, BIG)) &&
              strstr(answer, "\"type\":\"application/zip\""),
          "%s", answer);
    snprintf(line, sizeof line, "\"command\":%lld", (long long)key);
    CHECK(strstr(answer, line), "by its command: %s", answer);
    CHECK(request("GET", "/api/v1/files/1/content", AS_KEY, NULL, 0) == 200 &&
              strstr(answer, "filename=\"d 1.zip\""),
          "%.600s", answer);
    bytes = files_path(plant.central.files, 1, false);
    CHECK(unlink(bytes) == 0, "%s", bytes);
    free(bytes);
    CHECK(request("GET", "/api/v1/files/1/content", AS_KEY, NULL, 0) == 410 &&
              strstr(answer, "bytes-missing") && strstr(answer, "backup"),
          "somebody took its bytes away: %s", answer);

    CHECK(plant_http("POST", "/api/v1/chargers/CP1/get-log", "", "{\"logType\":\"SecurityLog\"}") ==
              202,
          "%s", plant.text);
    key = plant_number("id");
    CHECK(plant_number("requestId") > 0, "a number of ours: %s", plant.text);
    plant_reply(fd, "GetLog", "\"remoteLocation\":\"http://plant.test/f/",
                "{\"status\":\"Accepted\"}");
    wanted(path);
    plant_say(fd, "Heartbeat", "{}");
    plant.clock_ms += 86400000;
    CHECK(request("POST", path, "", "late", 4) == 410, "a day later: %s", answer);
    close(fd);
    plant_end();
}

static void test_rejected_keeps_nothing(void)
{
    plant_begin();
    close(plant_station("CP1", "One", "1.0"));
    UNTIL(&plant.stage, !charger_session(world_charger(plant.central.world, AMP_TEXT("CP1"))));
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/get-diagnostics", "", "{}") == 409, "%s",
          plant.text);
    CHECK(!files_at(plant.central.files, 0), "nothing is expected");
    plant_end();
}

/* ---- limits and accidents ---- */

static void test_limits(void)
{
    static const char chunked[] = "POST /api/v1/files?name=x HTTP/1.1\r\nHost: x\r\n" AS_KEY
                                  "Transfer-Encoding: chunked\r\n\r\n401\r\n";
    int fd;

    plant_prepare();
    plant_set("file-max", "1024");
    plant_start();
    CHECK(request("POST", "/api/v1/files?name=x", AS_KEY, big, 1025) == 413 &&
              strstr(answer, "file-max"),
          "said before it comes: %s", answer);
    CHECK(request("POST", "/api/v1/files?name=x", AS_KEY, big, 1024) == 201, "the limit: %s",
          answer);
    fd = peer_open(&plant.stage);
    peer_say(&plant.stage, fd, chunked);
    peer_send(&plant.stage, fd, big, 1025);
    CHECK(!strncmp(peer_answer(&plant.stage, fd, false), "HTTP/1.1 413 ", 13),
          "seen while it comes");
    close(fd);
    CHECK(files_on_disk() == 1, "nothing stays of them: %d", files_on_disk());
    plant_end();
}

static void test_interrupted(void)
{
    char head[512], path[256];
    int fd, up;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/get-diagnostics", "", "{}") == 202, "%s",
          plant.text);
    plant_reply(fd, "GetDiagnostics", "location", "{}");
    wanted(path);
    plant_say(fd, "Heartbeat", "{}");
    snprintf(head, sizeof head, "PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
             path);
    up = peer_open(&plant.stage);
    peer_say(&plant.stage, up, head);
    peer_send(&plant.stage, up, big, 50000);
    UNTIL(&plant.stage, files_on_disk() == 1);
    CHECK(request("PUT", path, "", "x", 1) == 409, "one at a time: %s", answer);
    close(up);
    UNTIL(&plant.stage, files_on_disk() == 0);
    CHECK(request("PUT", path, "", big, 100000) == 201, "the next attempt: %s", answer);
    snprintf(head, sizeof head, "%s/files/000009.part", plant.dir);
    close(open(head, O_CREAT | O_WRONLY, 0600));
    snprintf(head, sizeof head, "%s/files/000010", plant.dir);
    close(open(head, O_CREAT | O_WRONLY, 0600));
    close(fd);
    plant_stop();
    plant_start();
    CHECK(files_on_disk() == 1, "what belongs to nothing goes at the start");
    plant_end();
}

int main(void)
{
    fill();
    RUN(test_firmware);
    RUN(test_diagnostics);
    RUN(test_rejected_keeps_nothing);
    RUN(test_limits);
    RUN(test_interrupted);
    return check_end();
}
