/* fleet/csms/csms.c - see csms.h. */
#include "fleet/csms/csms.h"
#include "messages/ocpp16.h"
#include "ocpp/frame.h"
#include "ocpp/http1.h"
#include "ocpp/time.h"
#include "ocpp/ws.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_MAX 16384

struct peer {
    struct peer *next;
    struct csms *csms;
    struct posix_watch watch;
    struct amp_ws ws;
    bool upgraded;
    char station[48];
    uint8_t in[BUFFER_MAX];
    size_t len, done;
};

struct csms {
    struct posix_loop *loop;
    struct posix_watch listener;
    struct peer *peers;
    struct csms_seen seen;
    const char *refused;
    uint32_t calls;
    struct amp_arena arena;
    unsigned char block[BUFFER_MAX];
};

static void hang_up(struct peer *p)
{
    if (p->watch.fd < 0)
        return;
    int fd = p->watch.fd;

    posix_watch_remove(p->csms->loop, &p->watch);
    close(fd); /* freed with the csms: events of this round may still point here */
}

/* Little is sent and the peers read at once: a socket that does not take it is given up. */
static void put(struct peer *p, struct amp_buf *b)
{
    if (p->watch.fd >= 0 &&
        (b->full || send(p->watch.fd, b->at, b->len, MSG_NOSIGNAL) != (ssize_t)b->len))
        hang_up(p);
}

static void put_frame(struct peer *p, const char *text)
{
    char room[1024];
    struct amp_buf b;

    amp_buf_init(&b, room, sizeof room);
    amp_ws_write(&p->ws, &b, AMP_WS_TEXT, text, strlen(text), 0);
    put(p, &b);
}

static bool refused(const struct csms *c, struct amp_text tag)
{
    size_t n = c->refused ? strlen(c->refused) : 0;

    return c->refused && tag.len >= n && !memcmp(tag.at, c->refused, n);
}

static int read_body(struct csms *c, struct amp_frame *f, int id, void *body)
{
    return amp_frame_payload(f, ocpp16.messages[id].request, AMP_OCPP16, AMP_LENIENT, body,
                             &c->arena, NULL, NULL);
}

static int on_start(struct peer *p, struct amp_frame *f, char *reply, size_t cap)
{
    struct csms *c = p->csms;
    struct ocpp16_start_transaction m;
    struct csms_transaction *t;
    unsigned n = 0;

    if (read_body(c, f, OCPP16_START_TRANSACTION, &m) < 0)
        return -1;
    while (n < c->seen.count && !(c->seen.transactions[n].connector == m.connector_id &&
                                  c->seen.transactions[n].started_at == m.timestamp &&
                                  !strcmp(c->seen.transactions[n].station, p->station)))
        n++;
    if (n == CSMS_TRANSACTIONS_MAX)
        return -1;
    t = &c->seen.transactions[n];
    c->seen.count += n == c->seen.count;
    t->starts++;
    snprintf(t->station, sizeof t->station, "%s", p->station);
    amp_text_copy(t->tag, sizeof t->tag, m.id_tag);
    t->connector = m.connector_id;
    t->meter_start = t->last_energy = m.meter_start;
    t->started_at = m.timestamp;
    snprintf(reply, cap, "{\"transactionId\":%u,\"idTagInfo\":{\"status\":\"%s\"}}", n + 1,
             refused(c, m.id_tag) ? "Invalid" : "Accepted");
    return 0;
}

static int on_stop(struct peer *p, struct amp_frame *f, char *reply, size_t cap)
{
    struct csms *c = p->csms;
    struct ocpp16_stop_transaction m;

    if (read_body(c, f, OCPP16_STOP_TRANSACTION, &m) < 0)
        return -1;
    if (m.transaction_id >= 1 && m.transaction_id <= c->seen.count) {
        struct csms_transaction *t = &c->seen.transactions[m.transaction_id - 1];

        t->stops++;
        t->meter_stop = m.meter_stop;
        t->stopped_at = m.timestamp;
        t->falls = t->falls || m.meter_stop < t->last_energy;
        snprintf(t->reason, sizeof t->reason, "%s",
                 amp_enum_name(&ocpp16_reason_names, (int)m.reason));
    }
    snprintf(reply, cap, "{}");
    return 0;
}

static int on_meter(struct peer *p, struct amp_frame *f, char *reply, size_t cap)
{
    struct csms *c = p->csms;
    struct ocpp16_meter_values m;
    struct csms_transaction *t;
    int64_t energy;

    if (read_body(c, f, OCPP16_METER_VALUES, &m) < 0)
        return -1;
    c->seen.meters++;
    snprintf(reply, cap, "{}");
    if (!(m.has & OCPP16_HAS_METER_VALUES_TRANSACTION_ID) || m.transaction_id < 1 ||
        m.transaction_id > c->seen.count)
        return 0;
    t = &c->seen.transactions[m.transaction_id - 1];
    t->meters++;
    for (uint32_t i = 0; i < m.meter_value.len; i++) {
        for (uint32_t k = 0; k < m.meter_value.at[i].sampled_value.len; k++) {
            const struct ocpp16_sampled_value *s = &m.meter_value.at[i].sampled_value.at[k];
            unsigned which = s->measurand ? (unsigned)s->measurand
                                          : OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER;

            t->measurands |= 1u << which;
            if (which != OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER ||
                amp_text_int(s->value, &energy) < 0)
                continue;
            t->falls = t->falls || energy < t->last_energy;
            t->last_energy = energy;
        }
    }
    return 0;
}

static int on_authorize(struct peer *p, struct amp_frame *f, char *reply, size_t cap)
{
    struct ocpp16_authorize m;

    if (read_body(p->csms, f, OCPP16_AUTHORIZE, &m) < 0)
        return -1;
    p->csms->seen.authorizes++;
    snprintf(reply, cap, "{\"idTagInfo\":{\"status\":\"%s\"}}",
             refused(p->csms, m.id_tag) ? "Invalid" : "Accepted");
    return 0;
}

static int on_boot(struct peer *p, struct amp_frame *f, char *reply, size_t cap)
{
    char now[AMP_TIME_TEXT_MAX];

    (void)f;
    p->csms->seen.boots++;
    snprintf(reply, cap, "{\"status\":\"Accepted\",\"currentTime\":\"%s\",\"interval\":300}",
             amp_time_text(posix_clock_unix_ms(&p->csms->loop->clock), now));
    return 0;
}

static int on_heartbeat(struct peer *p, struct amp_frame *f, char *reply, size_t cap)
{
    char now[AMP_TIME_TEXT_MAX];

    (void)f;
    p->csms->seen.heartbeats++;
    snprintf(reply, cap, "{\"currentTime\":\"%s\"}",
             amp_time_text(posix_clock_unix_ms(&p->csms->loop->clock), now));
    return 0;
}

static int on_status(struct peer *p, struct amp_frame *f, char *reply, size_t cap)
{
    (void)f;
    p->csms->seen.statuses++;
    snprintf(reply, cap, "{}");
    return 0;
}

static const struct {
    const char *action;
    int (*handle)(struct peer *p, struct amp_frame *f, char *reply, size_t cap);
    /* clang-format off */
} handlers[] = {
    { "BootNotification",   on_boot },
    { "Heartbeat",          on_heartbeat },
    { "Authorize",          on_authorize },
    { "StartTransaction",   on_start },
    { "StopTransaction",    on_stop },
    { "MeterValues",        on_meter },
    { "StatusNotification", on_status },
};
/* clang-format on */

static void on_text(struct peer *p, struct amp_text text)
{
    struct csms *c = p->csms;
    struct amp_frame f;
    char reply[256] = "{}", frame[512];
    size_t i = 0;

    amp_arena_reset(&c->arena);
    if (amp_frame_read(text, AMP_OCPP16, &c->arena, &f, NULL) < 0) {
        c->seen.unknown++;
        return;
    }
    if (f.kind != AMP_CALL) {
        c->seen.answers++;
        if (f.kind == AMP_CALLRESULT && amp_frame_skip(&f, NULL) == 0)
            amp_text_copy(c->seen.last_answer, sizeof c->seen.last_answer, f.payload);
        return;
    }
    while (i < AMP_COUNT(handlers) && !amp_text_is(f.action, handlers[i].action))
        i++;
    if (i == AMP_COUNT(handlers) || handlers[i].handle(p, &f, reply, sizeof reply) < 0) {
        c->seen.unknown++;
        snprintf(frame, sizeof frame, "[4,\"%.*s\",\"NotImplemented\",\"\",{}]", AMP_FMT(f.id));
    } else {
        snprintf(frame, sizeof frame, "[3,\"%.*s\",%s]", AMP_FMT(f.id), reply);
    }
    put_frame(p, frame);
}

/* 1: upgraded; 0: more bytes are needed; negative: hang up. */
static int upgrade(struct peer *p)
{
    struct amp_http_head head;
    struct amp_text name;
    char room[512];
    struct amp_buf b;
    int n = amp_http_request((struct amp_text){ (const char *)p->in, (uint32_t)p->len }, &head);

    if (n <= 0)
        return n;
    name = head.path;
    for (uint32_t i = 0; i < head.path.len; i++)
        if (head.path.at[i] == '/')
            name = (struct amp_text){ head.path.at + i + 1, head.path.len - i - 1 };
    n = amp_percent_decode(name, p->station, sizeof p->station - 1);
    if (n < 0 || !head.upgrade)
        return AMP_E_PROTOCOL;
    p->station[n] = 0;
    amp_buf_init(&b, room, sizeof room);
    amp_ws_response(&b, amp_http_get(&head, "Sec-WebSocket-Key"), AMP_TEXT("ocpp1.6"));
    put(p, &b);
    amp_ws_init(&p->ws, AMP_WS_SERVER, BUFFER_MAX - AMP_WS_HEAD_MAX);
    p->len -= head.len;
    memmove(p->in, p->in + head.len, p->len);
    p->upgraded = true;
    p->csms->seen.connections++;
    return 1;
}

static void on_frames(struct peer *p)
{
    struct amp_ws_event ev;
    char room[256];
    struct amp_buf b;

    for (;;) {
        amp_ws_next(&p->ws, p->in, &p->len, &p->done, &ev);
        if (ev.kind == AMP_WS_MORE)
            return;
        if (ev.kind == AMP_WS_MESSAGE) {
            on_text(p, (struct amp_text){ (const char *)ev.data, (uint32_t)ev.len });
        } else if (ev.kind == AMP_WS_PINGED) {
            amp_buf_init(&b, room, sizeof room);
            amp_ws_write(&p->ws, &b, AMP_WS_PONG, ev.data, ev.len, 0);
            put(p, &b);
        } else if (ev.kind != AMP_WS_PONGED) {
            hang_up(p);
        }
        if (p->watch.fd < 0)
            return;
    }
}

static void on_readable(void *ctx, uint32_t events)
{
    struct peer *p = ctx;
    ssize_t n = recv(p->watch.fd, p->in + p->len, sizeof p->in - p->len, MSG_DONTWAIT);

    (void)events;
    if (n <= 0) {
        hang_up(p);
        return;
    }
    p->len += (size_t)n;
    if (!p->upgraded && upgrade(p) < 0)
        hang_up(p);
    if (p->upgraded && p->watch.fd >= 0)
        on_frames(p);
}

static void on_accept(void *ctx, uint32_t events)
{
    static const int on = 1;
    struct csms *c = ctx;
    struct peer *p;
    int fd = accept4(c->listener.fd, NULL, NULL, SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p = calloc(1, sizeof *p);
    if (!p) {
        close(fd);
        return;
    }
    p->csms = c;
    p->watch = (struct posix_watch){ .fd = -1, .ready = on_readable, .ctx = p };
    p->next = c->peers;
    c->peers = p;
    if (posix_watch_add(c->loop, &p->watch, fd, EPOLLIN) < 0)
        close(fd);
}

int csms_open(struct posix_loop *l, uint16_t *port, struct csms **out)
{
    static const int on = 1;
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons(*port) };
    socklen_t len = sizeof at;
    struct csms *c = calloc(1, sizeof *c);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (!c || fd < 0)
        goto fail;
    c->loop = l;
    amp_arena_init(&c->arena, c->block, sizeof c->block);
    c->listener = (struct posix_watch){ .fd = -1, .ready = on_accept, .ctx = c };
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0 ||
        posix_watch_add(l, &c->listener, fd, EPOLLIN) < 0)
        goto fail;
    *port = ntohs(at.sin_port);
    *out = c;
    return 0;
fail:
    if (fd >= 0)
        close(fd);
    free(c);
    return AMP_E_IO;
}

const struct csms_seen *csms_seen(const struct csms *c)
{
    return &c->seen;
}

void csms_refuse(struct csms *c, const char *tag_prefix)
{
    c->refused = tag_prefix;
}

int csms_call(struct csms *c, const char *station, const char *action, const char *payload)
{
    char frame[1024];

    for (struct peer *p = c->peers; p; p = p->next) {
        if (p->watch.fd < 0 || !p->upgraded || strcmp(p->station, station) != 0)
            continue;
        snprintf(frame, sizeof frame, "[2,\"c%u\",\"%s\",%s]", ++c->calls, action, payload);
        put_frame(p, frame);
        return 0;
    }
    return AMP_E_ABSENT;
}

void csms_drop(struct csms *c)
{
    for (struct peer *p = c->peers; p; p = p->next)
        hang_up(p);
}

void csms_close(struct csms *c)
{
    int fd = c->listener.fd;

    csms_drop(c);
    posix_watch_remove(c->loop, &c->listener);
    close(fd);
    while (c->peers) {
        struct peer *next = c->peers->next;

        free(c->peers);
        c->peers = next;
    }
    free(c);
}
