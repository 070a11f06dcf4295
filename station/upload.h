/* station/upload.h - logs on request: GetDiagnostics and GetLog, one at a time. OCPP 1.6 §5.9 and the security extension;
 * station-1.6 150, 151, 161. */
#ifndef AMP_UPLOAD_H
#define AMP_UPLOAD_H

#include "ocpp/text.h"
#include "station/limits.h"
#include "station/notice.h"

struct amp_entry;

/* In the order of LogStatusNotification (station/v16 asserts it). */
enum amp_upload_status {
    AMP_UP_BAD_MESSAGE = 1, AMP_UP_IDLE, AMP_UP_NOT_SUPPORTED, AMP_UP_DENIED, AMP_UP_UPLOADED, AMP_UP_FAILED, AMP_UP_UPLOADING
};

/* In the order of GetLog's answer. */
enum amp_upload_result { AMP_UP_ACCEPTED = 1, AMP_UP_REJECTED, AMP_UP_CANCELED };

struct amp_upload_request {
    bool is_log;   /* GetLog; else GetDiagnostics */
    int64_t id;    /* GetLog: requestId */
    uint8_t source; /* enum amp_source */
    struct amp_text location;
    int64_t from_ms, to_ms;   /* INT64_MIN, INT64_MAX: no bound */
    int64_t retries, retry_s; /* -1: not said */
};

struct amp_uploading {
    uint8_t state;  /* see upload.c */
    uint8_t source;
    bool is_log;
    bool asked, asked_log; /* a trigger wants to know the state */
    int64_t id, from_ms, to_ms;
    int32_t retries, retry_s, tries;
    uint64_t next_at;
    char location[AMP_LOCATION_MAX + 1];
    struct amp_notices notices;
};

/* `name` gets the file's name, empty when there is nothing to send (then nothing is begun). */
enum amp_upload_result amp_upload_begin(struct amp_station *st, const struct amp_upload_request *r, char *name, size_t cap);
void amp_upload_restart(struct amp_station *st); /* at start, when the journal was read */
void amp_upload_done(struct amp_station *st, int rc);
void amp_upload_poll(struct amp_station *st);
void amp_upload_trigger(struct amp_station *st, bool is_log);
bool amp_upload_due(struct amp_station *st); /* fills st->call */
void amp_upload_answered(struct amp_station *st);
void amp_upload_failed(struct amp_station *st, int rc);
void amp_upload_load(struct amp_station *st, const struct amp_entry *e);
int amp_upload_save(struct amp_station *st);

#endif
