/* ports/posix/device.c - struct amp_port on Linux, and the driver that the core asks for. */
#include "ports/posix/device.h"
#include "ocpp/time.h"
#include "ports/posix/logbook.h"
#include "ports/posix/transfer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

struct posix_device {
    struct posix_loop *loop;
    struct posix_device_options options;
    struct amp_port port;
    struct posix_link link;
    struct posix_blocks blocks;
    struct posix_logbook logbook;
    struct posix_transfer *transfer; /* NULL: none */
    char version[51];                /* of the image that runs, if one was ever installed */
    struct posix_pki *pki;           /* NULL: none */
    char certs[PATH_MAX];            /* its folder; empty: in memory */
    struct posix_timer timer;        /* next amp_station_poll, or the end of a restart */
    struct amp_station *station;
    void *memory;
    bool rebooting, hard;
    unsigned reboots;
    int failure;
};

static int take_random(void *ctx, void *out, size_t len)
{
    unsigned char *p = out;

    (void)ctx;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return AMP_E_IO;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static void write_log(void *ctx, enum amp_log_level level, const char *text)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    struct posix_device *d = ctx;
    char when[AMP_TIME_TEXT_MAX];
    struct timespec t;

    char line[256];

    if (level > d->options.log_level && (level > AMP_LOG_INFO || !d->logbook.file))
        return;
    clock_gettime(CLOCK_REALTIME, &t);
    amp_time_text((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000, when);
    snprintf(line, sizeof line, "%s %-5s %.*s: %s", when, names[level],
             AMP_FMT(d->options.config->identity), text);
    if (level <= AMP_LOG_INFO)
        posix_logbook_add(&d->logbook, line);
    if (level <= d->options.log_level)
        fprintf(stderr, "%s\n", line);
}

static int net_open(void *ctx, const struct amp_endpoint *to)
{
    struct posix_device *d = ctx;

    struct posix_tls_options rules = { .pki = d->pki,
                                       .certificate = to->certificate,
                                       .before = to->before,
                                       .unix_ms = posix_clock_unix_ms(&d->loop->clock) };

    if (!to->tls)
        return posix_link_open(&d->link, to->host, to->port);
    if (!d->pki) {
        write_log(d, AMP_LOG_ERROR, "wss:// needs certificates, which this device has not");
        return AMP_E_IO;
    }
    return posix_link_open_tls(&d->link, to->host, to->port, &rules);
}

static int net_send(void *ctx, const void *data, size_t len)
{
    struct posix_device *d = ctx;

    return posix_link_send(&d->link, data, len);
}

static void net_close(void *ctx)
{
    struct posix_device *d = ctx;

    posix_link_close(&d->link);
}

static int block_read(void *ctx, uint32_t offset, void *out, size_t len)
{
    struct posix_device *d = ctx;

    return posix_blocks_read(&d->blocks, offset, out, len);
}

static int block_write(void *ctx, uint32_t offset, const void *data, size_t len)
{
    struct posix_device *d = ctx;

    return posix_blocks_write(&d->blocks, offset, data, len);
}

static int block_erase(void *ctx, uint32_t block)
{
    struct posix_device *d = ctx;

    return posix_blocks_erase(&d->blocks, block);
}

/* Called by the core, which is still on the stack: only remembered here, done in settle. */
static int reboot(void *ctx, bool hard)
{
    struct posix_device *d = ctx;

    d->rebooting = true;
    d->hard = hard;
    return 0;
}

static uint64_t now_of(const struct posix_device *d)
{
    return posix_clock_now(&d->loop->clock);
}

/* After every call into the core: let it do what is due, and find out when it wants to be called
 * again. */
static void settle(struct posix_device *d)
{
    uint64_t now = now_of(d);

    if (d->station && !d->rebooting) {
        uint32_t wait = amp_station_poll(d->station, now);

        posix_timer_set(d->loop, &d->timer, now + wait);
    }
    if (d->station && d->rebooting) {
        posix_link_close(&d->link);
        if (d->transfer)
            posix_transfer_stop(d->transfer);
        d->station = NULL;
        for (int c = 1; d->hard && c <= d->options.config->connectors; c++)
            if (d->options.hardware->permit(d->options.hardware->ctx, c, false) < 0)
                write_log(d, AMP_LOG_ERROR, "a contactor did not open at the reset");
        posix_timer_set(d->loop, &d->timer, now + POSIX_BOOT_MS);
    }
}

static int start(struct posix_device *d, struct amp_fault *fault)
{
    struct amp_station_config config = *d->options.config;
    int rc;

    d->rebooting = false;
    if (config.unix_ms) /* known once, so it is known now: also after a restart */
        config.unix_ms = (uint64_t)posix_clock_unix_ms(&d->loop->clock);
    if (d->transfer && posix_transfer_version(d->transfer, d->version) == 0)
        config.firmware = amp_text_of(d->version);
    rc = amp_station_init(d->memory, amp_station_size(), &config, &d->port, d->options.hardware,
                          d->options.on_event, d->options.ctx, now_of(d), &d->station, fault);
    if (rc < 0) {
        d->station = NULL;
        return rc;
    }
    if (d->options.on_start)
        d->options.on_start(d->options.ctx, d);
    posix_timer_set(d->loop, &d->timer, now_of(d));
    return 0;
}

static void on_timer(void *ctx)
{
    struct posix_device *d = ctx;
    struct amp_fault fault;

    if (d->station) {
        settle(d);
        return;
    }
    d->reboots++;
    d->failure = start(d, &fault);
    if (d->failure < 0)
        write_log(d, AMP_LOG_ERROR, "the station could not be started again");
}

static void on_connected(void *ctx)
{
    struct posix_device *d = ctx;

    amp_station_connected(d->station, now_of(d));
    settle(d);
}

static void on_received(void *ctx, const void *data, size_t len)
{
    struct posix_device *d = ctx;

    amp_station_received(d->station, data, len, now_of(d));
    settle(d);
}

static void on_writable(void *ctx)
{
    struct posix_device *d = ctx;

    amp_station_writable(d->station, now_of(d));
    settle(d);
}

static void on_closed(void *ctx, const char *why)
{
    struct posix_device *d = ctx;

    write_log(d, AMP_LOG_DEBUG, why);
    if (d->link.secure && d->link.tls.failed)
        amp_station_tls_failed(d->station, d->link.tls.fault, amp_text_of(d->link.tls.why),
                               now_of(d));
    amp_station_closed(d->station, now_of(d));
    settle(d);
}

static void on_transfer(void *ctx, enum amp_errand errand, int rc)
{
    struct posix_device *d = ctx;

    if (!d->station)
        return;
    if (rc < 0)
        write_log(d, AMP_LOG_WARN, amp_err_text(rc));
    amp_station_transfer_done(d->station, errand, rc, now_of(d));
    settle(d);
}

static bool report(void *ctx, enum amp_source source, int64_t from_ms, int64_t to_ms, FILE *out)
{
    struct posix_device *d = ctx;

    return posix_logbook_report(&d->logbook, d->station, source, from_ms, to_ms, out);
}

static int open_files(struct posix_device *d)
{
    const struct posix_transfer_options o = {
        .data_dir = d->options.data_dir,
        .name = d->options.config->identity,
        .roots = d->options.maker_roots || !d->pki ? d->options.maker_roots : d->certs,
        .ca_file = d->options.ca_file,
        .done = on_transfer,
        .report = report,
        .ctx = d,
    };
    int rc = posix_logbook_open(&d->logbook, o.data_dir, o.name);

    return rc < 0 ? rc : posix_transfer_open(d->loop, &o, &d->transfer);
}

static const struct posix_link_events link_events = { on_connected, on_received, on_writable,
                                                      on_closed };

static int open_pki(struct posix_device *d)
{
    const struct posix_device_options *o = &d->options;
    char above[PATH_MAX];
    int rc = 0;

    if (o->data_dir) {
        if (snprintf(above, sizeof above, "%s/certs", o->data_dir) >= (int)sizeof above)
            return AMP_E_IO;
        rc = posix_data_path(d->certs, sizeof d->certs, above, o->config->identity, "");
    }
    if (rc == 0)
        rc = posix_pki_open(o->data_dir ? d->certs : NULL, &d->pki);
    if (rc == 0 && o->central_ca_file)
        rc = posix_pki_roots(d->pki, o->central_ca_file);
    if (rc == 0 && o->cert_file && o->key_file)
        rc = posix_pki_own(d->pki, o->cert_file, o->key_file);
    return rc;
}

int posix_device_open(struct posix_loop *l, const struct posix_device_options *o,
                      struct posix_device **out)
{
    uint32_t size = o->block_size ? o->block_size : POSIX_BLOCK_SIZE;
    uint32_t count = o->block_count ? o->block_count : POSIX_BLOCK_COUNT;
    struct posix_device *d = calloc(1, sizeof *d);
    int rc = AMP_E_IO;

    if (!d)
        return AMP_E_IO;
    d->loop = l;
    d->options = *o;
    d->timer.ctx = d;
    d->timer.fire = on_timer;
    d->memory =
        calloc(1, amp_station_size()); /* alignment 16, as malloc gives it on all that has epoll */
    if (!d->memory)
        goto fail;
    rc = o->data_dir ? posix_blocks_file(&d->blocks, o->data_dir, o->config->identity, size, count)
                     : posix_blocks_memory(&d->blocks, size, count);
    if (rc < 0)
        goto fail;
    if (o->certificates && (rc = open_pki(d)) < 0) {
        posix_blocks_close(&d->blocks);
        goto fail;
    }
    posix_link_init(&d->link, l, &link_events, d);
    d->port = (struct amp_port){
        .ctx = d,
        .random = take_random,
        .set_clock = NULL, /* the host's clock is not ours to set: the core keeps its own offset */
        .net_open = net_open,
        .net_send = net_send,
        .net_close = net_close,
        .block_size = size,
        .block_count = count,
        .write_size = POSIX_WRITE_SIZE,
        .block_read = block_read,
        .block_write = block_write,
        .block_erase = block_erase,
        .pki = d->pki ? posix_pki_table(d->pki) : NULL,
        .reboot = reboot,
        .log = write_log,
    };
    if (o->data_dir && o->files) {
        rc = open_files(d);
        if (rc < 0)
            goto fail_files;
        d->port.transfer = posix_transfer_table(d->transfer);
    }
    *out = d;
    return 0;
fail_files:
    posix_logbook_close(&d->logbook);
    posix_blocks_close(&d->blocks);
fail:
    posix_pki_close(d->pki);
    free(d->memory);
    free(d);
    return rc;
}

const struct amp_port *posix_device_port(struct posix_device *d)
{
    return &d->port;
}

void posix_device_hear(struct posix_device *d, const struct posix_link_events *events, void *ctx)
{
    posix_link_init(&d->link, d->loop, events, ctx);
}

int posix_device_start(struct posix_device *d, struct amp_fault *fault)
{
    if (d->station || d->rebooting)
        return AMP_E_STATE;
    return start(d, fault);
}

void posix_device_cut(struct posix_device *d)
{
    if (!d->station)
        return; /* without power already */
    (void)reboot(d, true);
    settle(d);
}

void posix_device_close(struct posix_device *d)
{
    posix_link_close(&d->link);
    posix_timer_clear(d->loop, &d->timer);
    if (d->transfer)
        posix_transfer_close(d->transfer);
    posix_logbook_close(&d->logbook);
    posix_blocks_close(&d->blocks);
    posix_pki_close(d->pki);
    free(d->memory);
    free(d);
}

struct amp_station *posix_device_station(struct posix_device *d)
{
    return d->rebooting ? NULL : d->station;
}

void posix_device_touch(struct posix_device *d)
{
    if (d->station)
        posix_timer_set(d->loop, &d->timer, now_of(d));
}

struct posix_loop *posix_device_loop(struct posix_device *d)
{
    return d->loop;
}

uint64_t posix_device_now(const struct posix_device *d)
{
    return now_of(d);
}

int posix_device_failure(const struct posix_device *d)
{
    return d->failure;
}

unsigned posix_device_reboots(const struct posix_device *d)
{
    return d->reboots;
}
