/* central/net/tls_stage.h - for tests: OpenSSL clients against the server of stage.h, in the same
 * thread, and the certificates that both show. */
#ifndef CENTRAL_NET_TLS_STAGE_H
#define CENTRAL_NET_TLS_STAGE_H

#include "central/net/stage.h"
#include "ports/posix/ca_test.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

struct tls_wish {
    const struct ca_cert *trust; /* root that the server's certificate must lead to; NULL: any */
    const struct ca_cert *own;   /* certificate to show, or NULL */
    const char *ciphers;         /* of TLS 1.2, then only that is spoken; or NULL */
    SSL_SESSION *resume;
    const char *address; /* NULL: net_tls_address */
    int version;         /* the only one; 0: 1.2 and 1.3 */
};

struct tls_peer {
    SSL *ssl;
    int fd;
};

static inline int tls_port(const char *address)
{
    return atoi(strrchr(address, ':') + 1);
}

static inline SSL *tls_client(const struct tls_wish *w)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl;

    SSL_CTX_set_security_level(ctx, 1);
    if (w->trust) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), w->trust->x);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    }
    if (w->own) {
        SSL_CTX_use_certificate(ctx, w->own->x);
        SSL_CTX_use_PrivateKey(ctx, w->own->key);
    }
    if (w->ciphers) {
        CHECK(SSL_CTX_set_cipher_list(ctx, w->ciphers) == 1, "%s", w->ciphers);
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    }
    if (w->version) {
        SSL_CTX_set_min_proto_version(ctx, w->version);
        SSL_CTX_set_max_proto_version(ctx, w->version);
    }
    ssl = SSL_new(ctx);
    if (w->resume)
        SSL_set_session(ssl, w->resume);
    SSL_CTX_free(ctx);
    return ssl;
}

/* Shake hands; false: refused, and ERR_ has why. */
static inline bool tls_connect(struct stage *s, const struct tls_wish *w, struct tls_peer *p)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    uint64_t end = uv_hrtime() + GUARD_MS * 1000000ull;
    int rc = -1, error = SSL_ERROR_WANT_READ;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)tls_port(w->address ? w->address : net_tls_address(s->net)));
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(p->fd >= 0 && connect(p->fd, (struct sockaddr *)&a, sizeof a) == 0, "connect: %s",
          strerror(errno));
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    p->ssl = tls_client(w);
    SSL_set_fd(p->ssl, p->fd);
    ERR_clear_error();
    while (rc != 1 && (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) &&
           uv_hrtime() < end) {
        stage_run(s);
        rc = SSL_connect(p->ssl);
        error = SSL_get_error(p->ssl, rc);
    }
    return rc == 1;
}

static inline void tls_close(struct tls_peer *p)
{
    SSL_free(p->ssl);
    close(p->fd);
    ERR_clear_error();
}

static inline bool tls_send(struct stage *s, struct tls_peer *p, const void *data, size_t len)
{
    const char *at = data;

    while (len) {
        int n = SSL_write(p->ssl, at, (int)len);

        if (n <= 0 && SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_WRITE)
            return false;
        if (n > 0)
            at += n, len -= (size_t)n;
        stage_run(s);
    }
    return true;
}

/* At least `want` bytes, or to the end. */
static inline size_t tls_receive(struct stage *s, struct tls_peer *p, void *out, size_t cap,
                                 size_t want, bool *ended)
{
    uint64_t end = uv_hrtime() + GUARD_MS * 1000000ull;
    size_t len = 0;

    if (ended)
        *ended = false;
    while (len < want && len < cap && uv_hrtime() < end) {
        int n = SSL_read(p->ssl, (char *)out + len, (int)(cap - len));

        if (n > 0) {
            len += (size_t)n;
        } else if (SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_READ) {
            if (ended)
                *ended = true;
            break;
        } else {
            stage_run(s);
        }
    }
    return len;
}

/* The head of an answer, terminated. */
static inline const char *tls_answer(struct stage *s, struct tls_peer *p)
{
    static char text[8192];
    size_t len = 0;
    bool ended = false;

    text[0] = 0;
    while (!ended && len < sizeof text - 1 && !strstr(text, "\r\n\r\n")) {
        len += tls_receive(s, p, text + len, 1, 1, &ended);
        text[len] = 0;
    }
    return text;
}

/* One frame of the server: its first byte, payload terminated. -1: the end. */
static inline int tls_frame(struct stage *s, struct tls_peer *p, char *out, size_t cap, size_t *len)
{
    uint8_t head[10];
    size_t n;

    if (tls_receive(s, p, head, 2, 2, NULL) < 2)
        return -1;
    n = head[1] & 127;
    if (n == 126) {
        tls_receive(s, p, head + 2, 2, 2, NULL);
        n = (size_t)head[2] << 8 | head[3];
    } else if (n == 127) {
        tls_receive(s, p, head + 2, 8, 8, NULL);
        n = (size_t)head[6] << 24 | (size_t)head[7] << 16 | (size_t)head[8] << 8 | head[9];
    }
    CHECK(n < cap, "frame of %zu bytes", n);
    if (n >= cap || tls_receive(s, p, out, n, n, NULL) < n)
        return -1;
    out[n] = 0;
    if (len)
        *len = n;
    return head[0];
}

/* A private key and a certificate in one PEM file. */
static inline void tls_write_pair(const char *path, const struct ca_cert *c)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL, "%s", path);
    if (!f)
        return;
    PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL);
    PEM_write_X509(f, c->x);
    fclose(f);
}

#endif
