/* central/pki/certificates.c - see certificates.h. */
#include "central/pki/certificates.h"
#include "central/domain/access.h"
#include "central/domain/map.h"

#include <openssl/x509v3.h>
#include <stdlib.h>

struct entry {
    struct fact *fact; /* one block */
    uint64_t serial;   /* hash of issuer and serial; 0: not issued yet */
};

struct certificates {
    struct central *c;
    struct entry **list;
    size_t count, cap;
    struct map by_id, by_serial;
};

struct certificates *certificates_new(struct central *c)
{
    struct certificates *k = calloc(1, sizeof *k);

    if (!k)
        abort();
    k->c = c;
    return k;
}

void certificates_free(struct certificates *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->count; i++) {
        free(k->list[i]->fact);
        free(k->list[i]);
    }
    free(k->list);
    map_clear(&k->by_id);
    map_clear(&k->by_serial);
    free(k);
}

static bool same_id(const void *item, const void *key)
{
    const struct entry *e = item;

    return amp_text_eq(e->fact->u.certificate.id, *(const struct amp_text *)key);
}

static struct entry *find(const struct certificates *k, struct amp_text id)
{
    return k ? map_get(&k->by_id, amp_text_hash(id), same_id, &id) : NULL;
}

static uint64_t serial_hash(struct amp_text issuer, struct amp_text serial)
{
    return serial.len ? (amp_text_hash(issuer) * 31 + amp_text_hashi(serial)) | 1 : 0;
}

void certificates_apply(struct certificates *k, const struct certificate_fact *f)
{
    struct fact fact = { .kind = FACT_CERTIFICATE, .u.certificate = *f };
    struct entry *e = find(k, f->id);
    struct fact *old = NULL;

    if (!e) {
        e = calloc(1, sizeof *e);
        if (k->count == k->cap) {
            k->cap = k->cap ? 2 * k->cap : 16;
            k->list = realloc(k->list, k->cap * sizeof(struct entry *));
        }
        if (!e || !k->list)
            abort();
        k->list[k->count++] = e;
    } else {
        old = e->fact;
        map_remove(&k->by_id, amp_text_hash(old->u.certificate.id), e);
        if (e->serial)
            map_remove(&k->by_serial, e->serial, e);
    }
    e->fact = fact_copy(&fact);
    free(old); /* `f` may point into it */
    e->serial = serial_hash(e->fact->u.certificate.issuer, e->fact->u.certificate.serial);
    map_put(&k->by_id, amp_text_hash(e->fact->u.certificate.id), e);
    if (e->serial)
        map_put(&k->by_serial, e->serial, e);
}

size_t certificates_count(const struct certificates *k)
{
    return k ? k->count : 0;
}

const struct certificate_fact *certificates_at(const struct certificates *k, size_t i)
{
    return i < certificates_count(k) ? &k->list[i]->fact->u.certificate : NULL;
}

const struct certificate_fact *certificates_get(const struct certificates *k, struct amp_text id)
{
    const struct entry *e = find(k, id);

    return e ? &e->fact->u.certificate : NULL;
}

/* ---- one that was shown ---- */

struct shown {
    struct amp_text serial, issuer;
};

static bool same_serial(const void *item, const void *key)
{
    const struct entry *e = item;
    const struct shown *s = key;

    return amp_text_eqi(e->fact->u.certificate.serial, s->serial) &&
           amp_text_eq(e->fact->u.certificate.issuer, s->issuer);
}

static const struct certificate_fact *ours(const struct certificates *k, struct x509_st *x)
{
    BIGNUM *number = k ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL) : NULL;
    char *hex = number ? BN_bn2hex(number) : NULL;
    char *issuer = X509_NAME_oneline(X509_get_issuer_name(x), NULL, 0);
    struct shown s = { amp_text_of(hex), amp_text_of(issuer) };
    const struct entry *e =
        hex && issuer ? map_get(&k->by_serial, serial_hash(s.issuer, s.serial), same_serial, &s)
                      : NULL;

    OPENSSL_free(hex);
    OPENSSL_free(issuer);
    BN_free(number);
    return e ? &e->fact->u.certificate : NULL;
}

bool certificates_revoked(const struct certificates *k, struct x509_st *x)
{
    const struct certificate_fact *f = ours(k, x);

    return f && f->state == CERTIFICATE_REVOKED;
}

/* Compared as a whole: a NUL inside makes no other name of it. */
static bool is_name(const ASN1_STRING *s, struct amp_text want)
{
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, s);
    bool same =
        len > 0 && amp_text_eqi((struct amp_text){ (const char *)text, (uint32_t)len }, want);

    OPENSSL_free(text);
    return same;
}

static bool named(struct x509_st *x, struct amp_text want)
{
    X509_NAME *subject = X509_get_subject_name(x);
    GENERAL_NAMES *others = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int at = -1;
         !found && (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        found = is_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), want);
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(others); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(others, i);

        found = (n->type == GEN_DNS || n->type == GEN_URI || n->type == GEN_EMAIL) &&
                is_name(n->d.ia5, want);
    }
    GENERAL_NAMES_free(others);
    return found;
}

bool certificates_fits(const struct certificates *k, struct x509_st *x, struct amp_text id,
                       const struct charger *c)
{
    const struct certificate_fact *f = ours(k, x);
    struct amp_text name = c ? charger_access(c)->certificate : AMP_NO_TEXT;

    if (f)
        return c && f->charger == charger_fact(c)->key;
    return named(x, name.len ? name : id);
}
