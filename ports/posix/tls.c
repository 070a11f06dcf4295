/* ports/posix/tls.c - see tls.h. */
#include "ports/posix/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/socket.h>

#define FORWARD_SECRET                                             \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
#define PLAIN_RSA ":AES128-GCM-SHA256:AES256-GCM-SHA384"
#define TLS13     "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"

/* ---- bytes: OpenSSL's own socket writes would raise SIGPIPE ---- */

static int socket_write(BIO *b, const char *data, int len)
{
    const struct posix_tls *t = BIO_get_data(b);
    ssize_t n;

    do
        n = send(t->fd, data, (size_t)len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    BIO_clear_retry_flags(b);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_write(b);
    return (int)n;
}

static int socket_read(BIO *b, char *out, int len)
{
    const struct posix_tls *t = BIO_get_data(b);
    ssize_t n;

    do
        n = recv(t->fd, out, (size_t)len, 0);
    while (n < 0 && errno == EINTR);
    BIO_clear_retry_flags(b);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_read(b);
    return (int)n;
}

static long socket_ctrl(BIO *b, int cmd, long larg, void *parg)
{
    (void)b;
    (void)larg;
    (void)parg;
    return cmd == BIO_CTRL_FLUSH;
}

static BIO *socket_bio(struct posix_tls *t)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");
    BIO *b = NULL;

    if (m && BIO_meth_set_write(m, socket_write) && BIO_meth_set_read(m, socket_read) &&
        BIO_meth_set_ctrl(m, socket_ctrl))
        b = BIO_new(m);
    if (!b) {
        BIO_meth_free(m);
        return NULL;
    }
    t->method = m;
    BIO_set_data(b, t);
    BIO_set_init(b, 1);
    return b;
}

/* ---- start ---- */

static int say(struct posix_tls *t, enum amp_tls_fault fault, const char *why, int rc)
{
    t->failed = true;
    t->fault = fault;
    snprintf(t->why, sizeof t->why, "%s", why);
    ERR_clear_error();
    return rc;
}

static int note_asked(SSL *ssl, void *arg)
{
    struct posix_tls *t = arg;

    (void)ssl;
    t->asked = true;
    return 1;
}

static int set_name(struct posix_tls *t, struct amp_text host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    unsigned char address[16];
    char name[256];

    if (host.len >= sizeof name)
        return AMP_E_IO;
    amp_text_copy(name, sizeof name, host);
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ? 0 : AMP_E_IO;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
                   SSL_set_tlsext_host_name(t->ssl, name) == 1
               ? 0
               : AMP_E_IO;
}

static int set_rules(struct posix_tls *t, const struct posix_tls_options *o)
{
    const char *suites = o->no_plain_rsa ? FORWARD_SECRET : FORWARD_SECRET PLAIN_RSA;

    SSL_CTX_set_options(t->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_cb(t->ctx, note_asked, t);
    return SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_max_proto_version(t->ctx, TLS1_3_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(t->ctx, suites) == 1 &&
                   SSL_CTX_set_ciphersuites(t->ctx, TLS13) == 1
               ? 0
               : AMP_E_IO;
}

int posix_tls_open(struct posix_tls *t, int fd, struct amp_text host,
                   const struct posix_tls_options *o)
{
    BIO *bio;
    int rc;

    memset(t, 0, sizeof *t);
    t->fd = fd;
    t->pki = o->pki;
    t->ctx = SSL_CTX_new(TLS_client_method());
    if (!t->ctx || set_rules(t, o) < 0)
        goto broken;
    rc = posix_pki_apply(o->pki, t->ctx, o->certificate, o->before, o->unix_ms);
    if (rc == AMP_E_ABSENT) {
        posix_tls_close(t);
        return say(t, AMP_TLS_OURS, "there is no valid one", rc);
    }
    t->ssl = rc == 0 ? SSL_new(t->ctx) : NULL;
    if (!t->ssl || set_name(t, host) < 0)
        goto broken;
    X509_VERIFY_PARAM_set_flags(SSL_get0_param(t->ssl), X509_V_FLAG_PARTIAL_CHAIN);
    if (o->unix_ms)
        X509_VERIFY_PARAM_set_time(SSL_get0_param(t->ssl), (time_t)(o->unix_ms / 1000));
    bio = socket_bio(t);
    if (!bio)
        goto broken;
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_connect_state(t->ssl);
    return 0;
broken:
    posix_tls_close(t);
    return say(t, AMP_TLS_OTHER, "TLS cannot be set up", AMP_E_IO);
}

void posix_tls_close(struct posix_tls *t)
{
    if (t->ssl && SSL_is_init_finished(t->ssl) && !t->failed)
        (void)SSL_shutdown(t->ssl);
    ERR_clear_error();
    SSL_free(t->ssl);
    SSL_CTX_free(t->ctx);
    BIO_meth_free(t->method);
    t->ssl = NULL;
    t->ctx = NULL;
    t->method = NULL;
}

/* ---- what went wrong ---- */

static const struct {
    int reason;
    enum amp_tls_fault fault;
    /* clang-format off */
} reasons[] = {
    { SSL_R_UNSUPPORTED_PROTOCOL,                AMP_TLS_VERSION },
    { SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,        AMP_TLS_VERSION },
    { SSL_R_VERSION_TOO_LOW,                     AMP_TLS_VERSION },
    { SSL_R_INAPPROPRIATE_FALLBACK,              AMP_TLS_VERSION },
    { SSL_R_NO_CIPHERS_AVAILABLE,                AMP_TLS_CIPHER },
    { SSL_R_WRONG_CIPHER_RETURNED,               AMP_TLS_CIPHER },
    { SSL_R_UNKNOWN_CIPHER_RETURNED,             AMP_TLS_CIPHER },
    { SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY,   AMP_TLS_CIPHER },
    { SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,       AMP_TLS_CIPHER },
    { SSL_R_TLSV1_ALERT_UNKNOWN_CA,              AMP_TLS_OURS },
    { SSL_R_TLSV1_ALERT_ACCESS_DENIED,           AMP_TLS_OURS },
    { SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,         AMP_TLS_OURS },
    { SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, AMP_TLS_OURS },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,     AMP_TLS_OURS },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,     AMP_TLS_OURS },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,     AMP_TLS_OURS },
    { SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,   AMP_TLS_OURS },
};
/* clang-format on */

static int explain(struct posix_tls *t)
{
    long verdict = SSL_get_verify_result(t->ssl);
    unsigned long error = ERR_peek_error();
    const char *text = error ? ERR_reason_error_string(error) : "closed by the peer";

    if (verdict != X509_V_OK)
        return say(t, AMP_TLS_CERTIFICATE, X509_verify_cert_error_string(verdict), AMP_E_AUTH);
    for (unsigned i = 0; ERR_GET_LIB(error) == ERR_LIB_SSL && i < AMP_COUNT(reasons); i++)
        if (reasons[i].reason == ERR_GET_REASON(error)) {
            enum amp_tls_fault fault = reasons[i].fault;

            /* before TLS 1.3 a missing certificate has no alert of its own */
            if (fault == AMP_TLS_CIPHER && t->asked)
                fault = AMP_TLS_OURS;
            return say(t, fault, text ? text : "refused", AMP_E_AUTH);
        }
    return say(t, AMP_TLS_OTHER, text ? text : "broken", AMP_E_IO);
}

int posix_tls_handshake(struct posix_tls *t)
{
    STACK_OF(X509) * chain;
    int n, error;

    ERR_clear_error();
    n = SSL_do_handshake(t->ssl);
    error = SSL_get_error(t->ssl, n);
    if (n != 1)
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : explain(t);
    chain = SSL_get0_verified_chain(t->ssl);
    if (SSL_get_verify_result(t->ssl) != X509_V_OK || sk_X509_num(chain) < 1)
        return explain(t);
    posix_pki_proved(t->pki, sk_X509_value(chain, sk_X509_num(chain) - 1));
    return 1;
}

bool posix_tls_wants_write(const struct posix_tls *t)
{
    return SSL_want_write(t->ssl);
}

static int outcome(struct posix_tls *t, int n)
{
    switch (SSL_get_error(t->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return AMP_E_STATE;
    default:
        if (ERR_peek_error() == 0) {
            t->failed = true; /* no good-bye on a socket that is gone */
            t->fault = AMP_TLS_OTHER;
            snprintf(t->why, sizeof t->why, "closed by the peer");
            return AMP_E_IO;
        }
        return explain(t);
    }
}

int posix_tls_read(struct posix_tls *t, void *out, size_t cap)
{
    int n;

    ERR_clear_error();
    n = SSL_read(t->ssl, out, cap < INT_MAX ? (int)cap : INT_MAX);
    return n > 0 ? n : outcome(t, n);
}

int posix_tls_write(struct posix_tls *t, const void *data, size_t len)
{
    int n;

    if (len == 0)
        return 0;
    ERR_clear_error();
    n = SSL_write(t->ssl, data, len < INT_MAX ? (int)len : INT_MAX);
    return n > 0 ? n : outcome(t, n);
}
