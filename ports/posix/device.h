/* ports/posix/device.h - one station on this machine: the core, its memory, its socket, its
 * storage, its restarts. One process may have thousands on one loop. */
#ifndef POSIX_DEVICE_H
#define POSIX_DEVICE_H

#include "ports/posix/blocks.h"
#include "ports/posix/link.h"
#include "ports/posix/loop.h"
#include "station/station.h"

#define POSIX_BOOT_MS 1000 /* of device time between a Reset and the start of the core */

struct posix_device;

struct posix_device_options {
    const struct amp_station_config *config; /* it and its texts must outlive the device; unix_ms
                                                not 0: brought up to date at each start */
    const struct amp_hardware *hardware;
    amp_event_fn *on_event;                              /* may be NULL, as the next */
    void (*on_start)(void *ctx, struct posix_device *d); /* the core is there, also after a reboot:
                                                            tell it what is plugged in */
    void *ctx;                                           /* of both */
    const char *data_dir;             /* NULL: storage in memory, lost with the process */
    bool files;                       /* with data_dir: a logbook, firmware and uploads (transfer.h) */
    const char *maker_roots;          /* folder of who may sign firmware, see image.h; NULL: with `certificates`
                                         those that are installed there, else nobody, and it comes unsigned */
    const char *ca_file;              /* who vouches for https servers; NULL: the system's list */
    bool certificates; /* keys and certificates of its own, in data_dir/certs/IDENTITY; without it wss:// is not possible, nor is the
                          security extension */
    const char *central_ca_file, *cert_file, *key_file; /* PEM; may be NULL; beside those, see pki.h */
    uint32_t block_size, block_count; /* 0: POSIX_BLOCK_SIZE, POSIX_BLOCK_COUNT */
    enum amp_log_level log_level;     /* what goes to stderr: this and worse */
};

/* Makes the device and its storage; the core is not started. 0, or as posix_blocks_file; AMP_E_FORMAT: a PEM file is not what it
 * should be. */
int posix_device_open(struct posix_loop *l, const struct posix_device_options *o,
                      struct posix_device **out) AMP_CHECKED;

/* The functions that the core is given; and, before it is started, what its socket tells goes to `events` instead of to the core: for
 * ports/test, which wants a platform without a station. Valid as long as the device. */
const struct amp_port *posix_device_port(struct posix_device *d);
void posix_device_hear(struct posix_device *d, const struct posix_link_events *events, void *ctx);

/* Start the core: errors as amp_station_init. AMP_E_STATE: it runs already. */
int posix_device_start(struct posix_device *d, struct amp_fault *fault) AMP_CHECKED;

/* The power fails and comes back: the core ends where it is and nothing more is written or sent;
 * contactors open; it starts from its storage after POSIX_BOOT_MS. Not from inside a callback. */
void posix_device_cut(struct posix_device *d);

/* Ends the core as a power cut does and frees the device. Not from inside one of its callbacks. */
void posix_device_close(struct posix_device *d);

/* NULL while it is not started, or restarts. After handing something in, call posix_device_touch.
 */
struct amp_station *posix_device_station(struct posix_device *d);
void posix_device_touch(struct posix_device *d);

struct posix_loop *posix_device_loop(struct posix_device *d);
uint64_t posix_device_now(const struct posix_device *d);

/* 0, or why the core could not be started again after a reboot. */
int posix_device_failure(const struct posix_device *d);

unsigned posix_device_reboots(const struct posix_device *d);

#endif
