/* central/v16/doors.h - for tests: stations that come to the whole central system with passwords
 * and certificates, plain and by TLS. */
#ifndef CENTRAL_V16_DOORS_H
#define CENTRAL_V16_DOORS_H

#include "central/domain/access.h"
#include "central/net/tls_stage.h"
#include "central/v16/plant.h"
#include "ocpp/base64.h"

struct door {
    const char *id, *user;    /* user NULL: the identity */
    struct amp_text password; /* absent: no credentials */
    const char *headers;      /* more lines, or NULL */
    bool tls;
    const struct ca_cert *own;
};

static struct ca_cert door_root; /* of the server's certificate and of stations' */

/* The server's certificate, and whose are accepted; between plant_prepare and plant_start. */
static inline void door_certificates(void)
{
    struct ca_cert server;
    char path[96];

    door_root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });
    server = ca_make(&(struct ca_wish){ .name = "localhost", .by = &door_root });
    snprintf(path, sizeof path, "%s/server.pem", plant.dir);
    tls_write_pair(path, &server);
    plant_set("tls-cert", path);
    snprintf(path, sizeof path, "%s/root.pem", plant.dir);
    ca_write(path, &door_root, false);
    plant_set("tls-client-ca", path);
    plant_set("tls-listen", "127.0.0.1:0");
    ca_free(&server);
}

static inline size_t door_request(const struct door *d, char *out, size_t cap)
{
    char credentials[512] = "";
    struct amp_buf b;

    if (d->password.at) {
        amp_buf_init(&b, credentials, sizeof credentials - 1);
        amp_buf_puts(&b, "Authorization: ");
        amp_basic_encode(&b, amp_text_of(d->user ? d->user : d->id), d->password);
        amp_buf_puts(&b, "\r\n");
        credentials[b.len] = 0;
    }
    return (size_t)
        snprintf(out, cap,
                 "GET /ocpp/%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Protocol: ocpp1.6\r\n%s%s\r\n",
                 d->id, credentials, d->headers ? d->headers : "");
}

/* What it is answered: the head; "" when TLS refused it. The connection is *p; with fd alone when
 * it is plain. */
static inline const char *door_knock(const struct door *d, struct tls_peer *p)
{
    char request[2048];
    size_t len = door_request(d, request, sizeof request);

    *p = (struct tls_peer){ NULL, -1 };
    if (!d->tls) {
        p->fd = peer_open(&plant.stage);
        peer_send(&plant.stage, p->fd, request, len);
        return peer_answer(&plant.stage, p->fd, false);
    }
    if (!tls_connect(&plant.stage, &(struct tls_wish){ .own = d->own }, p))
        return "";
    tls_send(&plant.stage, p, request, len);
    return tls_answer(&plant.stage, p);
}

static inline void door_close(struct tls_peer *p)
{
    if (p->ssl)
        tls_close(p);
    else
        close(p->fd);
}

/* Status, 0 when TLS refused it; the connection is closed. */
static inline int door_try(const struct door *d)
{
    struct tls_peer p;
    const char *answer = door_knock(d, &p);
    int status = strncmp(answer, "HTTP/1.1 ", 9) ? 0 : atoi(answer + 9);

    door_close(&p);
    stage_run(&plant.stage);
    return status;
}

static inline void door_stored(void *ctx, int rc)
{
    CHECK(rc == 0, "stored");
    *(bool *)ctx = true;
}

/* All that was told is in the database. */
static inline void door_settle(void)
{
    bool done = false;

    store_after(plant.central.store, door_stored, &done);
    UNTIL(&plant.stage, done);
}

/* The newest refusal, as the doctor tells it; plant.text. */
static inline const char *door_refusal(const char *query)
{
    char path[128];

    door_settle();
    snprintf(path, sizeof path, "/api/v1/connections/refused%s", query);
    CHECK(plant_http("GET", path, "", NULL) == 200, "%s", plant.text);
    return plant.text;
}

static inline struct charger *door_charger(const char *id)
{
    return world_charger(plant.central.world, amp_text_of(id));
}

#endif
