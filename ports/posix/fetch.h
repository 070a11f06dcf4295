/* ports/posix/fetch.h - one file over HTTP, HTTPS or FTP, waiting until it is done: for a thread. */
#ifndef POSIX_FETCH_H
#define POSIX_FETCH_H

#include "ocpp/err.h"
#include "ocpp/text.h"
#include <stdatomic.h>
#include <stdio.h>

#define POSIX_FETCH_PROTOCOLS "FTP,HTTP,HTTPS"

struct posix_fetch {
    const char *url;
    const char *ca_file;          /* PEM of who may vouch for https servers; NULL: the system's */
    uint32_t connect_s, stall_s;  /* give up: no connection after, no byte for so long */
    uint64_t size_max;            /* of a download */
    const atomic_bool *canceled;  /* looked at about once a second */
};

/* 0; AMP_E_SUPPORT: another scheme; AMP_E_FORMAT: no URL. */
int posix_fetch_check(struct amp_text url) AMP_CHECKED;

/* 0; AMP_E_TIMEOUT; AMP_E_SIZE; AMP_E_AUTH: refused by the server; AMP_E_SUPPORT, AMP_E_FORMAT; AMP_E_IO: anything else. */
int posix_fetch_down(const struct posix_fetch *f, FILE *to) AMP_CHECKED;

/* To `name` in the folder f->url; a URL with a query is taken as it is. HTTP: PUT, and POST to f->url itself when the server knows
 * no PUT (405, 501). FTP: STOR, folders are made. */
int posix_fetch_up(const struct posix_fetch *f, const char *name, const char *data,
                   size_t len) AMP_CHECKED;

#endif
