/* central/settings.h - every setting of `amperstand serve`, in one table: name, kind, default,
 * meaning. Flags win over the file (key = value lines), the file over the environment
 * (AMPERSTAND_LISTEN for "listen"). `serve --print-config` prints them all. */
#ifndef CENTRAL_SETTINGS_H
#define CENTRAL_SETTINGS_H

#include "ocpp/err.h"
#include <stdbool.h>
#include <stdint.h>

struct settings {
    char *listen;            /* listen            127.0.0.1:8180 */
    char *data;              /* data              ./amperstand-data: embedded database, files */
    char *database;          /* database          "" is DATA/amperstand.db; or postgres://… */
    char *node_id;           /* node-id           "": alone; else our name among several nodes */
    char *node_address;      /* node-address      "": as listen; where the other nodes reach us */
    char *redis;             /* redis             "": none; or redis://… */
    char *log_level;         /* log-level         info: error, warn, info, debug */
    char *log_format;        /* log-format        text: text or json */
    char *admin_key;         /* AMPERSTAND_ADMIN_KEY only: an API key with all rights */
    int64_t heartbeat_s;     /* heartbeat         300 */
    int64_t stale_after_s;   /* stale-after       90 */
    int64_t silent_after_s;  /* silent-after      21600 */
    int64_t offline_after_s; /* offline-after     3600 */
    int64_t call_timeout_s;  /* call-timeout      30 */
    int64_t commit_ms;       /* commit-ms         5 */
    int64_t max_message;     /* max-message       1048576 bytes of one WebSocket message */
    int64_t max_connections; /* max-connections   19500 */
    int64_t ping_s;          /* ping              25 */
    int64_t url_max;         /* url-max           512 characters of an address that a station is given */
    int64_t file_max;        /* file-max          268435456 bytes of one file */
    char *public_url;        /* public-url        "" is http:// and the address that is listened on */
    /* accept-unknown, true: unknown chargers may boot; false: they knock and wait */
    bool accept_unknown;
    int64_t keep_messages_days, keep_readings_days, keep_status_days, /* keep-... 0: for ever */
        keep_connections_days, keep_audit_days, keep_commands_days;
    bool archive; /* archive: what is kept no longer goes to DATA/archive before */
    bool accept_unknown_tags; /* accept-unknown-tags  false */
    /* default-protocol, false: refuse; true: a missing subprotocol is taken as ocpp1.6 */
    bool default_protocol;
    /* who may come in */
    int64_t security_profile; /* security-profile  0: least one that is let in */
    char *unknown_password;   /* unknown-password  ignore: ignore, keep, require, refuse */
    char *trusted_proxies;    /* trusted-proxies   "": addresses and networks */
    int64_t max_knocking;     /* max-knocking      1000 */
    /* limits a minute, 0 none */
    int64_t max_station_connects;  /* max-station-connects   120 */
    int64_t max_station_messages;  /* max-station-messages   30000 */
    int64_t max_station_kilobytes; /* max-station-kilobytes  65536 */
    int64_t max_address_connects;  /* max-address-connects   0 */
    int64_t max_address_messages;  /* max-address-messages   0 */
    int64_t max_address_kilobytes; /* max-address-kilobytes  0 */
    /* certificates of stations */
    char *cpo_name, *ca_command;                 /* cpo-name, ca-command */
    int64_t certificate_days, certificate_renew; /* certificate-days 365, certificate-renew 30 */
    char *tls_name;                              /* tls-name: in a certificate of our own making */
    /* TLS: PEM files; beside the plain address */
    char *tls_listen;                     /* tls-listen: asks for clients' certificates */
    char *tls_client_listen;              /* tls-client-listen: demands them */
    char *tls_cert, *tls_key;             /* tls-cert, tls-key */
    char *tls_cert2, *tls_key2;           /* tls-cert2, tls-key2: the other kind of key */
    char *tls_client_ca, *tls_client_crl; /* tls-client-ca, tls-client-crl */
    bool tls_plain_rsa;                   /* tls-plain-rsa     true */
    bool tls_ask;                         /* tls-ask           true */
};

void settings_default(struct settings *s);
void settings_free(struct settings *s);
/* Deep copy; `to` is overwritten without being freed. */
void settings_copy(struct settings *to, const struct settings *from);
/* Set one by name. 0, AMP_E_ABSENT (no such name), AMP_E_VALUE; *why (malloc'd) names the setting,
 * the value and the cure. */
int settings_set(struct settings *s, const char *name, const char *value, const char *origin,
                 char **why);
/* Read a file of "name = value" lines, # comments. */
int settings_file(struct settings *s, const char *path, char **why);
int settings_environment(struct settings *s, char **why);
/* The table, for --help and --print-config. */
struct setting {
    const char *name, *kind, *fallback, *help;
};
const struct setting *settings_table(unsigned *count);
/* The environment's name of setting i, "AMPERSTAND_LOG_LEVEL" for "log-level". */
#define SETTINGS_ENV_MAX 48
void settings_env(unsigned i, char out[SETTINGS_ENV_MAX]);
/* Is it a secret: only from the environment, never printed? Is it true or false? */
bool settings_secret(unsigned i);
bool settings_boolean(unsigned i);
/* Current value as text into out. */
void settings_value(const struct settings *s, unsigned i, char *out, unsigned cap);

#endif
