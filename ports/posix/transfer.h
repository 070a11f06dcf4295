/* ports/posix/transfer.h - struct amp_transfer on Linux: libcurl and OpenSSL in threads of their own, files in DIR/firmware/, the end
 * of each errand on the loop's thread. A thread lives as long as its errand.
 *
 *   DIR/firmware/NAME.download   the image that was loaded, whole or not there
 *   DIR/firmware/NAME.image      the image that runs, or runs after the next restart
 *   DIR/firmware/NAME.signer, NAME.signature   what trust kept for verify */
#ifndef POSIX_TRANSFER_H
#define POSIX_TRANSFER_H

#include "ports/posix/loop.h"
#include "station/port.h"
#include <stdio.h>

struct posix_transfer;

struct posix_transfer_options {
    const char *data_dir;
    struct amp_text name;         /* of the station, for the files */
    const char *roots;            /* folder of the manufacturer's certificates, see image.h; NULL: signatures are not checked, and
                                     SignedUpdateFirmware is not supported; else it is, and UpdateFirmware is not */
    const char *ca_file;          /* who vouches for https servers; NULL: the system's list */
    uint32_t connect_s, stall_s;  /* 0: 30, 60 */
    uint64_t size_max;            /* of an image; 0: 256 MiB */
    void (*done)(void *ctx, enum amp_errand errand, int rc);
    /* Write the entries asked for. False: there are none. `out` NULL: only the question. On the loop's thread. */
    bool (*report)(void *ctx, enum amp_source source, int64_t from_ms, int64_t to_ms, FILE *out);
    void *ctx;
};

/* 0 or AMP_E_IO. The folder is made when it is needed first. data_dir, roots and ca_file must outlive it. */
int posix_transfer_open(struct posix_loop *l, const struct posix_transfer_options *o, struct posix_transfer **out) AMP_CHECKED;
const struct amp_transfer *posix_transfer_table(const struct posix_transfer *t);
int posix_transfer_version(const struct posix_transfer *t, char out[51]); /* of the image that runs: as posix_image_version */
void posix_transfer_stop(struct posix_transfer *t); /* cancel all: the device restarts */
void posix_transfer_close(struct posix_transfer *t);

#endif
