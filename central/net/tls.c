/* central/net/tls.c - see tls.h. */
#include "central/net/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* S9: what the white paper demands, and ECDHE-RSA, because plain RSA keeps no secrets later on. */
#define FORWARD_SECRET                                             \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
#define PLAIN_RSA    ":AES128-GCM-SHA256:AES256-GCM-SHA384"
#define TLS13        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"

#define TICKET_S     (24 * 3600) /* a session may be taken up again this long */
#define TICKET_KEY_S (12 * 3600) /* then tickets get a new key; the one before is still read */
#define FILES_MAX    8

/* Keys of the tickets: ours and not OpenSSL's, so that a reload of certificates does not make all
 * stations shake hands in full. */
struct ticket_key {
    unsigned char name[16], secret[32], mac[32];
};

/* What a file looked like when it was read. */
struct seen {
    char *path;
    struct timespec at;
    off_t size;
    ino_t inode;
};

struct tls {
    SSL_CTX *ctx;
    struct net_tls_config config; /* paths are those of `files` */
    struct seen files[FILES_MAX];
    size_t file_count;
    struct ticket_key keys[2]; /* [0] is new */
    uint64_t key_s;
    bool plain_rsa;
};

/* ---- tickets ---- */

static uint64_t monotonic_s(void)
{
    return uv_hrtime() / 1000000000ull;
}

static void new_key(struct tls *t)
{
    t->keys[1] = t->keys[0];
    if (RAND_bytes((unsigned char *)&t->keys[0], sizeof t->keys[0]) != 1)
        abort();
    t->key_s = monotonic_s();
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal)
{
    struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const struct ticket_key *k = &t->keys[0];
    OSSL_PARAM params[3];

    if (seal) {
        if (monotonic_s() - t->key_s > TICKET_KEY_S)
            new_key(t);
        memcpy(name, k->name, sizeof k->name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return -1;
    } else if (memcmp(name, k->name, sizeof k->name) != 0) {
        k = &t->keys[1];
        if (memcmp(name, k->name, sizeof k->name) != 0)
            return 0; /* a full handshake */
    }
    params[0] =
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)k->mac, sizeof k->mac);
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
    params[2] = OSSL_PARAM_construct_end();
    if (EVP_MAC_CTX_set_params(mac, params) != 1 ||
        EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->secret, iv, seal) != 1)
        return -1;
    return k == &t->keys[0] ? 1 : 2; /* 2: and give a new ticket */
}

/* ---- files ---- */

static int complain(char **why, const char *what, const char *path, const char *cure)
{
    char text[1024];
    unsigned long first = ERR_peek_error(), error = ERR_peek_last_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    if (ERR_SYSTEM_ERROR(first)) /* what OpenSSL adds to it is "system lib" */
        reason = strerror(ERR_GET_REASON(first));
    snprintf(text, sizeof text, "%s '%.600s': %s; %s", what, path,
             reason            ? reason
             : errno == ENOENT ? "there is no such file"
                               : "it cannot be used",
             cure);
    *why = strdup(text);
    ERR_clear_error();
    return AMP_E_VALUE;
}

static void look(struct seen *f)
{
    struct stat st;

    f->size = -1;
    if (stat(f->path, &st) < 0)
        return;
    f->at = st.st_mtim;
    f->size = st.st_size;
    f->inode = st.st_ino;
}

bool tls_stale(struct tls *t)
{
    bool stale = false;

    for (size_t i = 0; i < t->file_count; i++) {
        struct seen now = t->files[i], *old = &t->files[i];

        look(&now);
        stale = stale || now.size != old->size || now.inode != old->inode ||
                now.at.tv_sec != old->at.tv_sec || now.at.tv_nsec != old->at.tv_nsec;
    }
    return stale;
}

/* A copy of the path that is watched from now on; NULL for none. */
static const char *watch_file(struct tls *t, const char *path)
{
    if (!path || !*path || t->file_count == FILES_MAX)
        return NULL;
    t->files[t->file_count].path = strdup(path);
    return t->files[t->file_count++].path;
}

/* Nobody is asked for a pass phrase. */
static int no_phrase(char *buf, int size, int rwflag, void *u)
{
    (void)buf, (void)size, (void)rwflag, (void)u;
    return -1;
}

static int use_pair(SSL_CTX *ctx, const char *cert, const char *key, char **why)
{
    errno = 0;
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return complain(why, "the certificate", cert,
                        "give a PEM file with the server's certificate and those above it");
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return complain(why, "the private key", key,
                        "give the PEM file of the certificate's key, without a pass phrase");
    if (SSL_CTX_check_private_key(ctx) != 1)
        return complain(why, "the private key", key, "it is not that of the certificate");
    return 0;
}

/* A revocation list speaks for its own issuer only: others without one are not refused for that. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct net_conn *c = ssl ? SSL_get_app_data(ssl) : NULL;
    X509 *leaf = X509_STORE_CTX_get0_cert(store);

    if (c && leaf)
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName,
                                        conn_net(c)->tls_name, sizeof conn_net(c)->tls_name);
    if (!ok && X509_STORE_CTX_get_error(store) == X509_V_ERR_UNABLE_TO_GET_CRL) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    return ok;
}

static int use_roots(SSL_CTX *ctx, const struct net_tls_config *config, char **why)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);

    for (size_t i = 0; i < AMP_COUNT(config->client_ca); i++) {
        const char *path = config->client_ca[i];

        if (!path)
            continue;
        errno = 0;
        if (X509_STORE_load_file(store, path) != 1 ||
            SSL_add_file_cert_subjects_to_stack(SSL_CTX_get_client_CA_list(ctx), path) != 1)
            return complain(why, "the authorities in", path,
                            "give a PEM file with the certificates that stations' certificates "
                            "lead to");
    }
    if (config->client_crl) {
        errno = 0;
        if (X509_load_crl_file(X509_STORE_add_lookup(store, X509_LOOKUP_file()), config->client_crl,
                               X509_FILETYPE_PEM) < 1)
            return complain(why, "the revocation list", config->client_crl,
                            "give a PEM file of the authority");
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
    return 0;
}

/* Sessions that were verified against other roots are not taken up again. */
static void name_sessions(SSL_CTX *ctx)
{
    const STACK_OF(X509_NAME) *names = SSL_CTX_get_client_CA_list(ctx);
    unsigned char id[8];
    uint64_t sum = 14695981039346656037ull;

    for (int i = 0; i < sk_X509_NAME_num(names); i++)
        sum = (sum ^ X509_NAME_hash_ex(sk_X509_NAME_value(names, i), NULL, NULL, NULL)) *
              1099511628211ull;
    memcpy(id, &sum, sizeof id);
    SSL_CTX_set_session_id_context(ctx, id, sizeof id);
}

static int make(struct tls *t, SSL_CTX **out, char **why)
{
    const struct net_tls_config *config = &t->config;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int rc = 0;

    if (!ctx)
        abort();
    ERR_clear_error();
    SSL_CTX_set_app_data(ctx, t);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_set_cipher_list(ctx, t->config.no_plain_rsa ? FORWARD_SECRET
                                                            : FORWARD_SECRET PLAIN_RSA) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, TLS13) != 1)
        abort(); /* our own list */
    SSL_CTX_set_default_passwd_cb(ctx, no_phrase);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets: the station keeps it */
    SSL_CTX_set_timeout(ctx, TICKET_S);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
    SSL_CTX_set_client_CA_list(ctx, sk_X509_NAME_new_null());
    for (size_t i = 0; rc == 0 && i < AMP_COUNT(config->cert); i++)
        if (config->cert[i])
            rc = use_pair(ctx, config->cert[i], config->key[i], why);
    if (rc == 0)
        rc = use_roots(ctx, config, why);
    if (rc == 0)
        name_sessions(ctx);
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    *out = ctx;
    return 0;
}

int tls_reload(struct tls *t, char **why)
{
    SSL_CTX *fresh;
    int rc;

    for (size_t i = 0; i < t->file_count; i++)
        look(&t->files[i]);
    rc = make(t, &fresh, why);
    if (rc < 0)
        return rc;
    SSL_CTX_free(t->ctx); /* connections hold on to theirs */
    t->ctx = fresh;
    return 0;
}

struct tls *tls_new(const struct net_tls_config *config, char **why)
{
    struct tls *t = calloc(1, sizeof *t);
    struct sigaction pipe;

    if (!t)
        abort();
    for (size_t i = 0; i < AMP_COUNT(config->cert); i++) {
        t->config.cert[i] = watch_file(t, config->cert[i]);
        t->config.key[i] =
            watch_file(t, config->key[i] && *config->key[i] ? config->key[i] : config->cert[i]);
    }
    for (size_t i = 0; i < AMP_COUNT(config->client_ca); i++)
        t->config.client_ca[i] = watch_file(t, config->client_ca[i]);
    t->config.client_crl = watch_file(t, config->client_crl);
    t->config.no_plain_rsa = config->no_plain_rsa;
    t->config.no_client = config->no_client;
    new_key(t);
    new_key(t);
    if (tls_reload(t, why) < 0) {
        tls_free(t);
        return NULL;
    }
    /* OpenSSL writes to sockets with write(): a station that is gone must not end the process */
    if (sigaction(SIGPIPE, NULL, &pipe) == 0 && pipe.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
    return t;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    for (size_t i = 0; i < t->file_count; i++)
        free(t->files[i].path);
    OPENSSL_cleanse(t->keys, sizeof t->keys);
    free(t);
}

/* ---- a connection ---- */

bool tls_begin(struct tls *t, struct net_conn *c, bool must)
{
    c->ssl = SSL_new(t->ctx);
    if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1) {
        ERR_clear_error();
        return false;
    }
    SSL_set_app_data(c->ssl, c);
    if (must || !t->config.no_client)
        SSL_set_verify(c->ssl, SSL_VERIFY_PEER | (must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       on_verify);
    SSL_set_accept_state(c->ssl);
    return true;
}

void tls_end(struct net_conn *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
}

void tls_refuse(struct net_conn *c, const char *why)
{
    struct net *n = conn_net(c);

    n->stats.refused++;
    n->stats.tls_refused++;
    tls_end(c); /* from here on its bytes are only thrown away */
    conn_linger(c);
    if (n->handler.on_refused)
        n->handler.on_refused(n->handler.ctx, &(struct net_refusal){ .address = c->peer,
                                                                     .why = why,
                                                                     .name = n->tls_name,
                                                                     .tls = true });
}

static void explain(struct net_conn *c, char *out, size_t cap)
{
    long verdict = SSL_get_verify_result(c->ssl);
    unsigned long error = ERR_peek_error();
    const char *text = error ? ERR_reason_error_string(error) : NULL;

    if (verdict != X509_V_OK)
        snprintf(out, cap, "TLS: the station's certificate: %s",
                 X509_verify_cert_error_string(verdict));
    else
        snprintf(out, cap, "TLS: %s", text ? text : "the peer ended inside the handshake");
    ERR_clear_error();
}

void tls_handshake(struct net_conn *c)
{
    struct net *n = conn_net(c);
    char why[160];
    int rc, error;

    ERR_clear_error();
    n->tls_name[0] = 0;
    rc = SSL_accept(c->ssl);
    error = SSL_get_error(c->ssl, rc);
    c->rx_ms = net_now(n);
    if (rc == 1) {
        n->stats.tls_handshakes++;
        n->stats.tls_resumed += SSL_session_reused(c->ssl) ? 1 : 0;
        conn_set_state(c, CONN_HTTP);
    } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        explain(c, why, sizeof why);
        tls_refuse(c, why);
    }
}

/* The outcome of a read or write that moved nothing. */
static ssize_t nothing(struct net_conn *c, int rc)
{
    int error = SSL_get_error(c->ssl, rc), os = errno;

    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN
            : error == SSL_ERROR_SYSCALL && os                            ? os
            : error == SSL_ERROR_SYSCALL                                  ? ECONNRESET
                                                                          : EPROTO;
    return -1;
}

ssize_t tls_read(struct net_conn *c, void *out, size_t cap)
{
    int rc;

    ERR_clear_error();
    errno = 0;
    rc = SSL_read(c->ssl, out, cap < INT_MAX ? (int)cap : INT_MAX);
    return rc > 0 ? rc : nothing(c, rc);
}

ssize_t tls_write(struct net_conn *c, const void *data, size_t len)
{
    ssize_t none;
    int rc;

    ERR_clear_error();
    errno = 0;
    rc = SSL_write(c->ssl, data, len < INT_MAX ? (int)len : INT_MAX);
    if (rc > 0)
        return rc;
    none = nothing(c, rc);
    if (none == 0)
        errno = EPIPE;
    return -1;
}

bool tls_pending(const struct net_conn *c)
{
    return SSL_has_pending(c->ssl) == 1;
}

bool tls_wants_write(const struct net_conn *c)
{
    return SSL_want_write(c->ssl);
}

void tls_bye(struct net_conn *c)
{
    ERR_clear_error();
    (void)SSL_shutdown(c->ssl);
    ERR_clear_error();
}

bool net_secure(const struct net_conn *c)
{
    return c->secure;
}

struct x509_st *net_certificate(const struct net_conn *c)
{
    return c->ssl ? SSL_get0_peer_certificate(c->ssl) : NULL;
}
