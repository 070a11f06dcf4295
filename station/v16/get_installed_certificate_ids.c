/* station/v16/get_installed_certificate_ids.c - GetInstalledCertificateIds. Security white paper
 * M03; station-1.6 158. */
#include "station/v16/v16.h"

static int fill(struct amp_station *st, const struct amp_certificate_id *id,
                struct ocpp16_certificate_hash_data *out)
{
    out->hash_algorithm = (enum ocpp16_hash_algorithm)id->algorithm;
    out->issuer_name_hash = amp_arena_text(&st->arena, amp_text_of(id->name_hash));
    out->issuer_key_hash = amp_arena_text(&st->arena, amp_text_of(id->key_hash));
    out->serial_number = amp_arena_text(&st->arena, amp_text_of(id->serial));
    return out->issuer_name_hash.at && out->issuer_key_hash.at && out->serial_number.at
               ? 0
               : AMP_E_FULL;
}

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_get_installed_certificate_ids *in = request;
    struct ocpp16_get_installed_certificate_ids_reply *out = reply;
    const struct amp_pki *p = st->port->pki;
    struct amp_certificate_id id;
    unsigned n = 0;
    enum amp_root use =
        in->certificate_type == OCPP16_CERTIFICATE_USE_CENTRAL_SYSTEM_ROOT_CERTIFICATE
            ? AMP_ROOT_CENTRAL
            : AMP_ROOT_MAKER;

    if (!p)
        return AMP_E_SUPPORT;
    while (p->list(p->ctx, use, n, &id) == 0)
        n++;
    out->status = n ? OCPP16_GET_INSTALLED_CERTIFICATE_STATUS_ACCEPTED
                    : OCPP16_GET_INSTALLED_CERTIFICATE_STATUS_NOT_FOUND;
    if (!n)
        return 0;
    out->certificate_hash_data.at =
        amp_arena_alloc(&st->arena, n * sizeof(out->certificate_hash_data.at[0]));
    if (!out->certificate_hash_data.at)
        return AMP_E_FULL;
    for (unsigned i = 0; i < n && p->list(p->ctx, use, i, &id) == 0; i++) {
        int rc = fill(st, &id, &out->certificate_hash_data.at[i]);

        if (rc < 0)
            return rc;
        out->certificate_hash_data.len++;
    }
    return 0;
}

const struct amp_station_op station16_get_installed_certificate_ids = {
    .id = OCPP16_GET_INSTALLED_CERTIFICATE_IDS, .on_call = on_call
};
