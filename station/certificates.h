/* station/certificates.h - the station's own certificate and the roots it trusts: when a new one is asked for, and what the central
 * system may change. The computing is done by amp_pki (station/port.h). OCPP 1.6 security white paper, A02-A03, M03-M05; ocpp-facts S10,
 * S12-S14; station-1.6 157, 158. */
#ifndef AMP_CERTIFICATES_H
#define AMP_CERTIFICATES_H

#include "ocpp/text.h"
#include "station/port.h"

struct amp_certificates {
    bool wanted;       /* a signing request shall go out */
    bool triggered;    /* the central system asked for it: also while it has not accepted us */
    uint8_t tries;
    uint64_t check_at; /* next look at the expiry */
    uint64_t retry_at;
};

struct amp_station;

bool amp_certificates_due(struct amp_station *st);
int amp_certificates_request(struct amp_station *st, struct amp_text *csr); /* a new key pair; text in st->arena */
void amp_certificates_answered(struct amp_station *st, bool accepted);
void amp_certificates_failed(struct amp_station *st, int rc);

/* The newest one was dropped, see security.c: another is asked for tomorrow at the earliest, when age is still a reason. */
void amp_certificates_dropped(struct amp_station *st);

/* CertificateSigned: accepted? AMP_E_SUPPORT: this station has no certificates; so for the others. */
int amp_certificates_signed(struct amp_station *st, struct amp_text chain, bool *accepted);

enum amp_install_result { AMP_INSTALL_ACCEPTED = 1, AMP_INSTALL_FAILED, AMP_INSTALL_REJECTED };
int amp_certificates_install(struct amp_station *st, enum amp_root use, struct amp_text pem, enum amp_install_result *out);

enum amp_delete_result { AMP_DELETE_ACCEPTED = 1, AMP_DELETE_FAILED, AMP_DELETE_NOT_FOUND };
int amp_certificates_delete(struct amp_station *st, const struct amp_certificate_id *id, enum amp_delete_result *out);

#endif
