/* station/port.h - everything a station needs from its world, as tables of functions. A platform fills them in
 * (ports/posix, ports/mem, ports/template); the core calls them only from inside amp_station_* functions, on the
 * caller's thread, and none may block for long. A NULL function means: this platform has none.
 * The other way round - bytes, events, time - the world calls station.h. */
#ifndef AMP_PORT_H
#define AMP_PORT_H

#include "ocpp/err.h"
#include "ocpp/text.h"

enum amp_log_level { AMP_LOG_ERROR, AMP_LOG_WARN, AMP_LOG_INFO, AMP_LOG_DEBUG };

/* Where to connect, taken from the station's URL; the WebSocket upgrade is the core's business, TLS is the port's. */
struct amp_endpoint {
    bool tls;
    struct amp_text host;
    uint16_t port;
    bool certificate; /* prove who we are with the station's own certificate (security profile 3), */
    bool before;      /* but not with the newest: with the one before it, if there is one that is valid */
};

/* A certificate as messages name it: hashes and serial number in hex, without leading zeros in the serial number; of the issuer's
 * name (DER) and key (the bits alone), as RFC 6960 has them. */
enum amp_hash { AMP_SHA256 = 1, AMP_SHA384, AMP_SHA512 };
enum amp_root { AMP_ROOT_CENTRAL = 1, AMP_ROOT_MAKER };
struct amp_certificate_id {
    uint8_t algorithm; /* enum amp_hash */
    char name_hash[129], key_hash[129], serial[41];
};

/* Keys and certificates: where they lie and what computes with them. The private key never comes out. Texts are PEM. `unix_ms` 0: the
 * time is not known, so that validity cannot be looked at. `*why` is a constant text for people, set on every error. */
struct amp_pki {
    void *ctx;
    /* A new key pair, kept until a certificate for it is accepted or the next request; the signing request for it with the subject
     * CN = name, O = organization goes to `out`. Its length, or AMP_E_FULL, AMP_E_IO. */
    int (*request)(void *ctx, const char *name, const char *organization, char *out, size_t cap);
    /* The certificate for the last request, then the certificates above it: is it for that key and name, valid in time, signed up to
     * an installed root of the central system? Stored for use then. AMP_E_FORMAT, AMP_E_AUTH; AMP_E_IO: could not be stored. */
    int (*accept)(void *ctx, struct amp_text chain, const char *name, int64_t unix_ms, const char **why);
    /* The newest valid certificate of our own is refused by the central system, and the one before it is not: it is not used any more.
     * AMP_E_ABSENT: there is no other one, or it is not ours to drop, and it stays; AMP_E_IO. */
    int (*discard)(void *ctx, int64_t unix_ms);
    /* When the certificate that would be used now runs out, Unix ms; 0: there is none. */
    int64_t (*expiry)(void *ctx, int64_t unix_ms);
    /* Store a root, at most `max` certificates in all. `chained`: a root of the central system must be signed by the one before, of
     * which only the latest is kept beside it. AMP_E_FORMAT, AMP_E_AUTH: not a root to trust; AMP_E_FULL; AMP_E_IO. */
    int (*install)(void *ctx, enum amp_root use, struct amp_text pem, unsigned max, bool chained, int64_t unix_ms,
                   const char **why);
    /* Number `index` from 0 of this use, by SHA-256. AMP_E_ABSENT: no more. */
    int (*list)(void *ctx, enum amp_root use, unsigned index, struct amp_certificate_id *out);
    /* AMP_E_ABSENT; AMP_E_STATE: it proves the central system of this connection, or it is the station's own; AMP_E_IO. */
    int (*remove)(void *ctx, const struct amp_certificate_id *id);
};

/* Files: firmware comes down, logs go up, while the rest goes on. Optional: a platform without it has no FirmwareManagement. Each
 * function below that begins something returns at once: 0, or an error and nothing began. The end is told with
 * amp_station_transfer_done, never from inside the function. One errand of each kind at a time; all texts live during the call only. */
enum amp_errand { AMP_ERRAND_DOWNLOAD = 1, AMP_ERRAND_VERIFY, AMP_ERRAND_INSTALL, AMP_ERRAND_UPLOAD };
enum amp_source { AMP_SOURCE_DIAGNOSTICS = 1, AMP_SOURCE_SECURITY };

struct amp_upload {
    enum amp_source source;
    struct amp_text url;
    int64_t from_ms, to_ms; /* Unix time of the entries wanted; INT64_MIN, INT64_MAX: no bound */
};

struct amp_transfer {
    void *ctx;
    const char *protocols; /* SupportedFileTransferProtocols: "FTP,HTTP,HTTPS" */

    /* To the download slot; what stood there is lost. Done with 0 only when it would survive a power cut. AMP_E_SUPPORT: no such
     * scheme; AMP_E_FORMAT: no URL. */
    int (*download)(void *ctx, struct amp_text url);

    /* Signed firmware; NULL: this platform checks no signatures, and only then is plain UpdateFirmware served. trust checks that
     * the certificate (PEM) is valid and from the manufacturer, and keeps it and the signature (base64) durably for verify; it
     * answers itself: 0; AMP_E_AUTH: not valid, and what was kept before stays; AMP_E_STATE: revoked. verify begins to check the
     * download slot against what was kept; done with AMP_E_AUTH: not what the certificate's owner signed. */
    int (*trust)(void *ctx, struct amp_text certificate, struct amp_text signature);
    int (*verify)(void *ctx);

    /* Make the downloaded image the one that runs after the next restart. Asked again after a power cut, so an image that stands
     * ready already is no error. */
    int (*install)(void *ctx);
    int (*running)(void *ctx); /* after that restart: 0, or an error when the boot loader went back. NULL: it never does */

    /* The name under which the entries would be uploaded, not terminated: length (at most cap); 0: there are none. */
    int (*name)(void *ctx, enum amp_source source, int64_t from_ms, int64_t to_ms, char *out, size_t cap);
    int (*upload)(void *ctx, const struct amp_upload *what); /* done with AMP_E_AUTH: not allowed there */

    void (*cancel)(void *ctx, enum amp_errand errand); /* final: no amp_station_transfer_done follows. None under way: nothing */
};

struct amp_port {
    void *ctx;

    /* Cryptographic randomness: masks, ids, back-off. 0, or AMP_E_IO. */
    int (*random)(void *ctx, void *out, size_t len);

    /* Set the wall clock of the device (from currentTime). May be NULL: the core keeps an offset of its own anyway. */
    void (*set_clock)(void *ctx, int64_t unix_ms);

    /* Network: one connection at a time. open returns at once (0 or AMP_E_IO); the port later calls amp_station_connected or
     * amp_station_closed. send takes what it can and returns the number of bytes, 0 when it must wait (then the port calls
     * amp_station_writable), or AMP_E_IO. close is final; no amp_station_closed follows it. */
    int (*net_open)(void *ctx, const struct amp_endpoint *to);
    int (*net_send)(void *ctx, const void *data, size_t len);
    void (*net_close)(void *ctx);

    /* Storage: a block device, like flash. `block_size` bytes are erased at a time (to 0xFF); writes go to erased space, in
     * multiples of `write_size`, and are durable on return. At least two blocks. All return 0 or AMP_E_IO. */
    uint32_t block_size, block_count, write_size;
    int (*block_read)(void *ctx, uint32_t offset, void *out, size_t len);
    int (*block_write)(void *ctx, uint32_t offset, const void *data, size_t len);
    int (*block_erase)(void *ctx, uint32_t block);

    const struct amp_pki *pki; /* NULL: no certificates, no wss://; security profiles 0 and 1 only */

    /* Restart the device (Reset). 0: it will, and the station does nothing until it is initialised again. AMP_E_IO: not now; tried again
     * ResetRetries times, then ResetFailure is told. */
    int (*reboot)(void *ctx, bool hard);

    void (*log)(void *ctx, enum amp_log_level level, const char *text);

    const struct amp_transfer *transfer; /* NULL: none */
};

/* One look at a connector's meter. Integers, so that a year of sums stays exact. `has` says what this meter can tell. */
enum {
    AMP_HAS_POWER = 1, AMP_HAS_CURRENT = 2, AMP_HAS_VOLTAGE = 4, AMP_HAS_TEMPERATURE = 8, AMP_HAS_SOC = 16, AMP_HAS_OFFERED = 32,
    AMP_HAS_FREQUENCY = 64
};
struct amp_reading {
    uint32_t has;
    int64_t energy_wh;     /* import register since manufacture: never decreases, not reset per session */
    int32_t power_w;       /* total over phases */
    int32_t current_ma[3]; /* per phase; unused phases 0 */
    int32_t voltage_mv[3]; /* phase to neutral */
    int32_t temperature_mc; /* thousandths of °C */
    int32_t soc_permille;
    int32_t offered_ma;    /* what the pilot offers now, per phase */
    int32_t frequency_mhz; /* thousandths of Hz */
    uint8_t phases;        /* 1 or 3 */
};

/* The power electronics of one station. Every command may fail; a failure is reported, never ignored. Connectors count from 1. */
struct amp_hardware {
    void *ctx;
    int (*permit)(void *ctx, int connector, bool on);                /* contactor permission: energy may flow */
    int (*limit)(void *ctx, int connector, int32_t ma, int phases);  /* per phase; 0 pauses. NULL: fixed */
    int (*lock)(void *ctx, int connector, bool on);                  /* NULL: no lock (fixed cable) */
    int (*locked)(void *ctx, int connector);                         /* 1, 0 or an error: what the lock's contact says */
    int (*meter)(void *ctx, int connector, struct amp_reading *out);
    void (*indicate)(void *ctx, int connector, int status);          /* enum amp_status; lamps, display. May be NULL */
};

#endif
