/* station/firmware.h - a firmware update from the request to the first boot of the new image. OCPP 1.6 §4.5, §5.19 and the security
 * extension; station-1.6 147-149, 151, 160. */
#ifndef AMP_FIRMWARE_H
#define AMP_FIRMWARE_H

#include "ocpp/text.h"
#include "station/limits.h"
#include "station/notice.h"

struct amp_entry;

/* In the order of SignedFirmwareStatusNotification (station/v16 asserts it); the plain message knows seven of them. */
enum amp_firmware_status {
    AMP_FW_DOWNLOADED = 1, AMP_FW_DOWNLOAD_FAILED, AMP_FW_DOWNLOADING, AMP_FW_DOWNLOAD_SCHEDULED, AMP_FW_DOWNLOAD_PAUSED, AMP_FW_IDLE,
    AMP_FW_INSTALLATION_FAILED, AMP_FW_INSTALLING, AMP_FW_INSTALLED, AMP_FW_INSTALL_REBOOTING, AMP_FW_INSTALL_SCHEDULED,
    AMP_FW_INSTALL_VERIFICATION_FAILED, AMP_FW_INVALID_SIGNATURE, AMP_FW_SIGNATURE_VERIFIED
};

/* In the order of SignedUpdateFirmware's answer. */
enum amp_firmware_result { AMP_FW_ACCEPTED = 1, AMP_FW_REJECTED, AMP_FW_CANCELED, AMP_FW_BAD_CERTIFICATE, AMP_FW_REVOKED };

struct amp_firmware_request {
    bool is_signed;
    int64_t id; /* signed only, as the next two */
    struct amp_text certificate, signature;
    struct amp_text location;
    int64_t retrieve_ms, install_ms; /* Unix time; INT64_MIN: at once */
    int64_t retries, retry_s;        /* -1: not said */
};

struct amp_firmware {
    uint8_t state;  /* see the table in firmware.c */
    bool is_signed;
    bool unstored;  /* installed, but the journal could not take it yet */
    bool asked, asked_signed; /* a trigger wants to know the state */
    uint8_t owed;   /* status that ended the update and was not heard yet */
    int64_t id, retrieve_ms, install_ms;
    int32_t retries, retry_s, tries;
    uint64_t next_at;
    char version[51]; /* what ran when the request came */
    char location[AMP_LOCATION_MAX + 1];
    struct amp_notices notices;
};

/* AMP_FW_REJECTED: it is being installed, this device has no place for it, or (signed) the certificate's owner may not. */
enum amp_firmware_result amp_firmware_begin(struct amp_station *st, const struct amp_firmware_request *r);
void amp_firmware_restart(struct amp_station *st); /* at start, when the journal was read */
void amp_firmware_done(struct amp_station *st, unsigned errand, int rc);
void amp_firmware_poll(struct amp_station *st);
void amp_firmware_trigger(struct amp_station *st, bool is_signed);
bool amp_firmware_due(struct amp_station *st); /* fills st->call */
void amp_firmware_answered(struct amp_station *st);
void amp_firmware_failed(struct amp_station *st, int rc);
void amp_firmware_load(struct amp_station *st, const struct amp_entry *e);
int amp_firmware_save(struct amp_station *st);
unsigned amp_firmware_plain(unsigned status); /* the plain message's nearest word for it */

#endif
