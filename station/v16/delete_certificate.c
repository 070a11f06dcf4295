/* station/v16/delete_certificate.c - DeleteCertificate. Security white paper M04; station-1.6 158.
 */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    static const uint8_t status[] = {
        [AMP_DELETE_ACCEPTED] = OCPP16_DELETE_CERTIFICATE_STATUS_ACCEPTED,
        [AMP_DELETE_FAILED] = OCPP16_DELETE_CERTIFICATE_STATUS_FAILED,
        [AMP_DELETE_NOT_FOUND] = OCPP16_DELETE_CERTIFICATE_STATUS_NOT_FOUND,
    };
    const struct ocpp16_delete_certificate *in = request;
    struct ocpp16_delete_certificate_reply *out = reply;
    const struct ocpp16_certificate_hash_data *hash = &in->certificate_hash_data;
    enum amp_delete_result result = AMP_DELETE_FAILED;
    struct amp_certificate_id id = { .algorithm = (uint8_t)hash->hash_algorithm };
    int rc;

    amp_text_copy(id.name_hash, sizeof(id.name_hash), hash->issuer_name_hash);
    amp_text_copy(id.key_hash, sizeof(id.key_hash), hash->issuer_key_hash);
    amp_text_copy(id.serial, sizeof(id.serial), hash->serial_number);
    rc = amp_certificates_delete(st, &id, &result);
    out->status = (enum ocpp16_delete_certificate_status)status[result];
    return rc;
}

const struct amp_station_op station16_delete_certificate = { .id = OCPP16_DELETE_CERTIFICATE,
                                                             .on_call = on_call };
