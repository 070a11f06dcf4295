/* central/rest/build.c - see build.h. */
#include "central/rest/build.h"
#include "central/rest/shapes.h"
#include "central/rest/transfer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "messages/api.h"

#define URL_MAX 512

static bool refuse(struct build *b, const char *kind, const char *field, const char *cure,
                   const char *detail)
{
    b->problem = (struct rest_problem){ .status = 422,
                                        .kind = kind,
                                        .title = "The operation lacks something",
                                        .field = field,
                                        .cure = cure };
    snprintf(b->detail, sizeof b->detail, "%s", detail);
    return false;
}

static void url_of(const struct build *b, struct amp_text token, char out[URL_MAX])
{
    snprintf(out, URL_MAX, "%s/f/%.*s", b->base, AMP_FMT(token));
}

/* The address that a station loads from: the one that was given, or that of a file. */
static bool source(struct build *b, struct amp_text location, bool has_file, int64_t file,
                   char out[URL_MAX])
{
    const struct file_fact *f = has_file ? files_get(b->c->files, file) : NULL;

    if (location.at && !has_file) {
        snprintf(out, URL_MAX, "%.*s", AMP_FMT(location));
        return true;
    }
    if (!has_file || location.at)
        return refuse(b, "which-file", "file", "Give either location or file.",
                      "It is not said from where the charger loads.");
    if (!f || f->org != charger_fact(b->charger)->org || f->state != FILE_READY ||
        f->origin != FILE_UPLOADED)
        return refuse(b, "no-such-file", "file", "GET /api/v1/files lists what was uploaded.",
                      "There is no such file to load.");
    url_of(b, f->token, out);
    return true;
}

/* The address that a station brings something to: the one that was given, or one of our own, for
 * once.
 */
static void target(struct build *b, struct amp_text location, const char *name, char out[URL_MAX])
{
    struct fact new = { .kind = FACT_FILE };
    const struct charger_fact *ch = charger_fact(b->charger);

    if (location.at) {
        snprintf(out, URL_MAX, "%.*s", AMP_FMT(location));
        return;
    }
    new.u.file = (struct file_fact){ .org = ch->org,
                                     .origin = FILE_REPORTED,
                                     .state = FILE_EXPECTED,
                                     .name = amp_text_of(name),
                                     .by = b->f->by,
                                     .charger = ch->key,
                                     .created_ms = b->now_ms,
                                     .expires_ms = b->now_ms + BUILD_UPLOAD_MS };
    files_reserve(b->c->files, &new.u.file, b->token);
    url_of(b, new.u.file.token, out);
    b->upload = fact_copy(&new);
}

static int64_t number(bool given, int64_t n)
{
    return given ? n : (int64_t)randombytes_uniform(INT32_MAX - 1) + 1;
}

static struct amp_json begin(struct build *b)
{
    struct amp_json w;

    amp_buf_reset(&b->payload);
    amp_json_init(&w, &b->payload);
    amp_json_open(&w, '{');
    return w;
}

static bool finish(struct build *b, struct amp_json *w)
{
    amp_json_close(w, '}');
    b->f->payload = amp_buf_text(&b->payload);
    if (b->payload.full)
        return refuse(b, "too-large", "body", "Send less.", "The payload is too long.");
    return true;
}

static void put_int(struct amp_json *w, const char *key, bool given, int64_t n)
{
    if (given)
        shape_int(w, key, n);
}

/* An update for later is not late before its time. */
static void due(struct build *b, int64_t at_ms)
{
    b->f->due_ms = at_ms > b->now_ms ? at_ms : 0;
}

static bool update(struct build *b, const void *body)
{
    const struct api_update_firmware *q = body;
    int64_t when = q->has & API_HAS_UPDATE_FIRMWARE_RETRIEVE_DATE ? q->retrieve_date : b->now_ms;
    char url[URL_MAX];
    struct amp_json w;

    if (!source(b, q->location, q->has & API_HAS_UPDATE_FIRMWARE_FILE, q->file, url))
        return false;
    w = begin(b);
    shape_text(&w, "location", amp_text_of(url));
    shape_time(&w, "retrieveDate", when);
    put_int(&w, "retries", q->has & API_HAS_UPDATE_FIRMWARE_RETRIES, q->retries);
    put_int(&w, "retryInterval", q->has & API_HAS_UPDATE_FIRMWARE_RETRY_INTERVAL,
            q->retry_interval);
    b->f->expected = q->version;
    due(b, when);
    return finish(b, &w);
}

static bool signed_update(struct build *b, const void *body)
{
    const struct api_signed_update_firmware *q = body;
    bool later = q->has & API_HAS_SIGNED_UPDATE_FIRMWARE_INSTALL_DATE_TIME;
    int64_t when = q->has & API_HAS_SIGNED_UPDATE_FIRMWARE_RETRIEVE_DATE_TIME
                       ? q->retrieve_date_time
                       : b->now_ms;
    char url[URL_MAX];
    struct amp_json w;

    if (!source(b, q->location, q->has & API_HAS_SIGNED_UPDATE_FIRMWARE_FILE, q->file, url))
        return false;
    b->f->request = number(q->has & API_HAS_SIGNED_UPDATE_FIRMWARE_REQUEST_ID, q->request_id);
    w = begin(b);
    put_int(&w, "retries", q->has & API_HAS_SIGNED_UPDATE_FIRMWARE_RETRIES, q->retries);
    put_int(&w, "retryInterval", q->has & API_HAS_SIGNED_UPDATE_FIRMWARE_RETRY_INTERVAL,
            q->retry_interval);
    shape_int(&w, "requestId", b->f->request);
    amp_json_key(&w, "firmware");
    amp_json_open(&w, '{');
    shape_text(&w, "location", amp_text_of(url));
    shape_time(&w, "retrieveDateTime", when);
    if (later)
        shape_time(&w, "installDateTime", q->install_date_time);
    shape_text(&w, "signingCertificate", q->signing_certificate);
    shape_text(&w, "signature", q->signature);
    amp_json_close(&w, '}');
    b->f->expected = q->version;
    due(b, later && q->install_date_time > when ? q->install_date_time : when);
    return finish(b, &w);
}

static bool diagnostics(struct build *b, const void *body)
{
    const struct api_get_diagnostics *q = body;
    char url[URL_MAX];
    struct amp_json w;

    target(b, q->location, "diagnostics", url);
    w = begin(b);
    shape_text(&w, "location", amp_text_of(url));
    put_int(&w, "retries", q->has & API_HAS_GET_DIAGNOSTICS_RETRIES, q->retries);
    put_int(&w, "retryInterval", q->has & API_HAS_GET_DIAGNOSTICS_RETRY_INTERVAL,
            q->retry_interval);
    if (q->has & API_HAS_GET_DIAGNOSTICS_START_TIME)
        shape_time(&w, "startTime", q->start_time);
    if (q->has & API_HAS_GET_DIAGNOSTICS_STOP_TIME)
        shape_time(&w, "stopTime", q->stop_time);
    return finish(b, &w);
}

static bool get_log(struct build *b, const void *body)
{
    const struct api_get_log *q = body;
    bool security = q->log_type == API_LOG_TYPE_SECURITY_LOG;
    char url[URL_MAX];
    struct amp_json w;

    target(b, q->location, security ? "security log" : "diagnostics log", url);
    b->f->request = number(q->has & API_HAS_GET_LOG_REQUEST_ID, q->request_id);
    w = begin(b);
    amp_json_key(&w, "logType");
    amp_json_str(&w, security ? "SecurityLog" : "DiagnosticsLog");
    shape_int(&w, "requestId", b->f->request);
    put_int(&w, "retries", q->has & API_HAS_GET_LOG_RETRIES, q->retries);
    put_int(&w, "retryInterval", q->has & API_HAS_GET_LOG_RETRY_INTERVAL, q->retry_interval);
    amp_json_key(&w, "log");
    amp_json_open(&w, '{');
    shape_text(&w, "remoteLocation", amp_text_of(url));
    if (q->has & API_HAS_GET_LOG_OLDEST_TIMESTAMP)
        shape_time(&w, "oldestTimestamp", q->oldest_timestamp);
    if (q->has & API_HAS_GET_LOG_LATEST_TIMESTAMP)
        shape_time(&w, "latestTimestamp", q->latest_timestamp);
    amp_json_close(&w, '}');
    return finish(b, &w);
}

static const struct {
    int message;
    const char *action;
    bool (*write)(struct build *b, const void *body);
} rows[] = {
    { API_UPDATE_FIRMWARE, "UpdateFirmware", update },
    { API_SIGNED_UPDATE_FIRMWARE, "SignedUpdateFirmware", signed_update },
    { API_GET_DIAGNOSTICS, "GetDiagnostics", diagnostics },
    { API_GET_LOG, "GetLog", get_log },
};

int build_message(struct amp_text action)
{
    for (size_t i = 0; i < AMP_COUNT(rows); i++)
        if (amp_text_is(action, rows[i].action))
            return rows[i].message;
    return -1;
}

struct amp_text build_action(int message)
{
    for (size_t i = 0; i < AMP_COUNT(rows); i++)
        if (rows[i].message == message)
            return amp_text_of(rows[i].action);
    return AMP_NO_TEXT;
}

bool build_payload(struct build *b, const void *body)
{
    for (size_t i = 0; i < AMP_COUNT(rows); i++)
        if (amp_text_is(b->f->action, rows[i].action))
            return rows[i].write(b, body);
    return false;
}

void build_asked(struct central *c, struct fact *upload, int64_t command)
{
    if (!upload)
        return;
    upload->u.file.command = command;
    files_put(c->files, &upload->u.file);
}
