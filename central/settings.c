/* central/settings.c - the settings of `amperstand serve`: one table that flags, environment, file,
 * help and
 * --print-config all walk. */
#include "central/settings.h"
#include "ocpp/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define ENV_PREFIX   "AMPERSTAND_"
#define LINE_MAX_LEN 4096

enum kind { TEXT, WORD, NUMBER, BOOL };

/* What the public table does not say: where the value is and what it may be. */
struct place {
    enum kind kind;
    size_t offset;
    int64_t min, max;  /* NUMBER */
    const char *words; /* WORD: "a b c" */
    bool secret;       /* never printed, and only taken from the environment */
};

#define AT(field) offsetof(struct settings, field)

static const struct setting table[] = {
    { "listen", "HOST:PORT", "127.0.0.1:8180",
      "address for stations, browsers and programs; port 0 takes a free one" },
    { "data", "DIR", "./amperstand-data",
      "folder of the embedded database and files; created when it is missing" },
    { "database", "URL", "", "file or postgres://... to use instead of DIR/amperstand.db" },
    { "node-id", "NAME", "",
      "name of this process among several on one PostgreSQL; empty: it has the database for "
      "itself" },
    { "node-address", "HOST:PORT", "",
      "where the other nodes reach this one; empty: the address of listen" },
    { "redis", "URL", "",
      "redis://... for live events between nodes, presence and a stream of domain events" },
    { "log-level", "LEVEL", "info", "error, warn, info or debug" },
    { "log-format", "FORMAT", "text", "text or json" },
    { "admin-key", "KEY", "",
      "an API key with all rights, for scripts; only as AMPERSTAND_ADMIN_KEY" },
    { "heartbeat", "SECONDS", "300", "heartbeat interval that a station is given at boot" },
    { "stale-after", "SECONDS", "90", "a station is stale this long after a sign of life was due" },
    { "silent-after", "SECONDS", "21600",
      "a session that runs calls for attention when nothing was heard of it for so long" },
    { "offline-after", "SECONDS", "3600",
      "the same when its station has been offline for so long" },
    { "call-timeout", "SECONDS", "30", "how long a station may take to answer a call" },
    { "commit-ms", "MS", "5", "how long facts are gathered for one commit" },
    { "max-message", "BYTES", "1048576", "largest WebSocket message and HTTP body" },
    { "max-connections", "N", "19500", "open connections; more are refused with 503" },
    { "ping", "SECONDS", "25",
      "ping after this silence, 0 never; keep it below the time-outs of proxies" },
    { "url-max", "N", "512",
      "longest address that a station is given, 0 any; quirks say it by model" },
    { "file-max", "BYTES", "268435456", "largest file that people or stations may upload" },
    { "public-url", "URL", "",
      "how stations reach this server for files, such as http://10.0.0.1:8180" },
    { "accept-unknown", "BOOL", "true",
      "true: unknown stations may boot; false: they wait until somebody adopts them" },
    { "accept-unknown-tags", "BOOL", "false", "true: any card may charge; for demos" },
    { "default-protocol", "BOOL", "false",
      "true: a station that names no subprotocol is taken as ocpp1.6" },
    { "keep-messages", "DAYS", "0", "how long the message log is kept; 0: for ever" },
    { "keep-readings", "DAYS", "0", "how long meter readings are kept; 0: for ever" },
    { "keep-status", "DAYS", "0", "how long the history of connectors is kept; 0: for ever" },
    { "keep-connections", "DAYS", "0", "how long connections and refusals are kept; 0: for ever" },
    { "keep-audit", "DAYS", "0", "how long is kept what people changed; 0: for ever" },
    { "keep-commands", "DAYS", "0", "how long finished commands are kept; 0: for ever" },
    { "archive", "BOOL", "false",
      "true: what is kept no longer is written to DIR/archive before, as NDJSON.gz" },
    { "security-profile", "0..3", "0",
      "security profile that a station must have at least: 1 password, 2 with TLS, 3 certificate" },
    { "unknown-password", "WORD", "ignore",
      "ignore, keep, require or refuse: a password of an unknown station; keep makes it its own" },
    { "trusted-proxies", "LIST", "",
      "addresses and networks whose X-Forwarded-For and -Proto are believed: 10.0.0.0/8, ::1" },
    { "max-knocking", "N", "1000", "unknown stations that may wait for a decision" },
    { "max-station-connects", "N", "120",
      "connections that one station may begin in a minute; 0 any number" },
    { "max-station-messages", "N", "30000",
      "messages that one station may send in a minute; 0 any number" },
    { "max-station-kilobytes", "N", "65536",
      "kilobytes that one station may send in a minute; 0 any number" },
    { "max-address-connects", "N", "0",
      "connections of stations that one address may begin in a minute; 0 any number" },
    { "max-address-messages", "N", "0",
      "messages that the stations of one address may send in a minute; 0 any number" },
    { "max-address-kilobytes", "N", "0",
      "kilobytes that the stations of one address may send in a minute; 0 any number" },
    { "cpo-name", "NAME", "",
      "name of the operator: O of our authority, and of requests that are signed" },
    { "ca-command", "COMMAND", "",
      "signs requests instead of our authority: PEM from standard input to standard output" },
    { "certificate-days", "DAYS", "365", "validity of a station's certificate" },
    { "certificate-renew", "DAYS", "30",
      "a station is asked to renew its certificate so long before its end; 0 never" },
    { "tls-name", "LIST", "",
      "names and addresses in the certificate that is made when --tls-cert is not given" },
    { "tls-listen", "HOST:PORT", "", "address for TLS, beside the plain one" },
    { "tls-client-listen", "HOST:PORT", "",
      "another address for TLS, where nobody comes in without a client certificate" },
    { "tls-cert", "FILE", "",
      "PEM: certificate of this server and those above it; absent: made by our authority" },
    { "tls-key", "FILE", "", "PEM: its private key; absent: in the same file" },
    { "tls-cert2", "FILE", "",
      "PEM: a second certificate with the other kind of key (RSA and ECDSA)" },
    { "tls-key2", "FILE", "", "PEM: its private key; absent: in the same file" },
    { "tls-client-ca", "FILE", "", "PEM: authorities that stations' certificates may be from" },
    { "tls-client-crl", "FILE", "", "PEM: revocation lists of these authorities" },
    { "tls-plain-rsa", "BOOL", "true",
      "false: no RSA key exchange without forward secrecy, which old stations need" },
    { "tls-ask", "BOOL", "true", "false: tls-listen does not ask for client certificates" },
};

static const struct place places[] = {
    { TEXT, AT(listen), 0, 0, NULL, false },
    { TEXT, AT(data), 0, 0, NULL, false },
    { TEXT, AT(database), 0, 0, NULL, false },
    { TEXT, AT(node_id), 0, 0, NULL, false },
    { TEXT, AT(node_address), 0, 0, NULL, false },
    { TEXT, AT(redis), 0, 0, NULL, false },
    { WORD, AT(log_level), 0, 0, "error warn info debug", false },
    { WORD, AT(log_format), 0, 0, "text json", false },
    { TEXT, AT(admin_key), 0, 0, NULL, true },
    { NUMBER, AT(heartbeat_s), 1, 86400, NULL, false },
    { NUMBER, AT(stale_after_s), 5, 86400, NULL, false },
    { NUMBER, AT(silent_after_s), 60, 31536000, NULL, false },
    { NUMBER, AT(offline_after_s), 60, 31536000, NULL, false },
    { NUMBER, AT(call_timeout_s), 1, 3600, NULL, false },
    { NUMBER, AT(commit_ms), 0, 1000, NULL, false },
    { NUMBER, AT(max_message), 1024, 67108864, NULL, false },
    { NUMBER, AT(max_connections), 1, 1000000, NULL, false },
    { NUMBER, AT(ping_s), 0, 3600, NULL, false },
    { NUMBER, AT(url_max), 0, 2000, NULL, false },
    { NUMBER, AT(file_max), 1024, 1099511627776, NULL, false },
    { TEXT, AT(public_url), 0, 0, NULL, false },
    { BOOL, AT(accept_unknown), 0, 0, NULL, false },
    { BOOL, AT(accept_unknown_tags), 0, 0, NULL, false },
    { BOOL, AT(default_protocol), 0, 0, NULL, false },
    { NUMBER, AT(keep_messages_days), 0, 36500, NULL, false },
    { NUMBER, AT(keep_readings_days), 0, 36500, NULL, false },
    { NUMBER, AT(keep_status_days), 0, 36500, NULL, false },
    { NUMBER, AT(keep_connections_days), 0, 36500, NULL, false },
    { NUMBER, AT(keep_audit_days), 0, 36500, NULL, false },
    { NUMBER, AT(keep_commands_days), 0, 36500, NULL, false },
    { BOOL, AT(archive), 0, 0, NULL, false },
    { NUMBER, AT(security_profile), 0, 3, NULL, false },
    { WORD, AT(unknown_password), 0, 0, "ignore keep require refuse", false },
    { TEXT, AT(trusted_proxies), 0, 0, NULL, false },
    { NUMBER, AT(max_knocking), 1, 1000000, NULL, false },
    { NUMBER, AT(max_station_connects), 0, 1000000, NULL, false },
    { NUMBER, AT(max_station_messages), 0, 1000000000, NULL, false },
    { NUMBER, AT(max_station_kilobytes), 0, 1000000000, NULL, false },
    { NUMBER, AT(max_address_connects), 0, 1000000000, NULL, false },
    { NUMBER, AT(max_address_messages), 0, 1000000000, NULL, false },
    { NUMBER, AT(max_address_kilobytes), 0, 1000000000, NULL, false },
    { TEXT, AT(cpo_name), 0, 0, NULL, false },
    { TEXT, AT(ca_command), 0, 0, NULL, false },
    { NUMBER, AT(certificate_days), 1, 7300, NULL, false },
    { NUMBER, AT(certificate_renew), 0, 3650, NULL, false },
    { TEXT, AT(tls_name), 0, 0, NULL, false },
    { TEXT, AT(tls_listen), 0, 0, NULL, false },
    { TEXT, AT(tls_client_listen), 0, 0, NULL, false },
    { TEXT, AT(tls_cert), 0, 0, NULL, false },
    { TEXT, AT(tls_key), 0, 0, NULL, false },
    { TEXT, AT(tls_cert2), 0, 0, NULL, false },
    { TEXT, AT(tls_key2), 0, 0, NULL, false },
    { TEXT, AT(tls_client_ca), 0, 0, NULL, false },
    { TEXT, AT(tls_client_crl), 0, 0, NULL, false },
    { BOOL, AT(tls_plain_rsa), 0, 0, NULL, false },
    { BOOL, AT(tls_ask), 0, 0, NULL, false },
};
_Static_assert(AMP_COUNT(table) == AMP_COUNT(places), "each setting has a place");

static void *field(struct settings *s, size_t i)
{
    return (char *)s + places[i].offset;
}

static const void *field_of(const struct settings *s, size_t i)
{
    return (const char *)s + places[i].offset;
}

static int complain(int rc, char **why, const char *format, ...) AMP_PRINTF(3, 4);
static int complain(int rc, char **why, const char *format, ...)
{
    va_list ap;
    char text[1024];

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    *why = strdup(text);
    return rc;
}

static bool boolean(const char *s, bool *out)
{
    static const char *const yes[] = { "true", "yes", "on", "1" };
    static const char *const no[] = { "false", "no", "off", "0" };

    for (size_t i = 0; i < AMP_COUNT(yes); i++) {
        if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
            *out = !strcmp(s, yes[i]);
            return true;
        }
    }
    return false;
}

static bool listed(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = words; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        if (strcspn(p, " ") == n && !memcmp(p, word, n))
            return true;
    }
    return false;
}

static void keep(char **to, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        abort();
    free(*to);
    *to = copy;
}

static int set_number(int64_t *to, size_t i, const char *value, const char *origin, char **why)
{
    int64_t v;

    if (amp_text_int(amp_text_of(value), &v) < 0)
        return complain(AMP_E_VALUE, why, "%s: '%s' is no whole number; give %s, such as %s",
                        origin, value, table[i].kind, table[i].fallback);
    if (v < places[i].min || v > places[i].max)
        return complain(AMP_E_VALUE, why, "%s: %s is out of range; give %" PRId64 " to %" PRId64,
                        origin, value, places[i].min, places[i].max);
    *to = v;
    return 0;
}

static int set_at(struct settings *s, size_t i, const char *value, const char *origin, char **why)
{
    switch (places[i].kind) {
    case TEXT:
        keep(field(s, i), value);
        return 0;
    case WORD:
        if (!listed(places[i].words, value))
            return complain(AMP_E_VALUE, why, "%s: '%s' is unknown; give %s", origin, value,
                            table[i].help);
        keep(field(s, i), value);
        return 0;
    case NUMBER:
        return set_number(field(s, i), i, value, origin, why);
    case BOOL:
        if (!boolean(value, field(s, i)))
            return complain(AMP_E_VALUE, why, "%s: '%s' is neither true nor false", origin, value);
        return 0;
    }
    return AMP_E_INTERNAL;
}

/* `-` and `_` alike: both are natural in a file. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && (*a == *b || (*a == '-' && *b == '_')); a++, b++)
        ;
    return !*a && !*b;
}

void settings_default(struct settings *s)
{
    char *why = NULL;

    *s = (struct settings){ 0 };
    for (size_t i = 0; i < AMP_COUNT(table); i++) {
        if (set_at(s, i, table[i].fallback, table[i].name, &why) < 0)
            abort(); /* settings_test.c walks the table */
    }
}

void settings_free(struct settings *s)
{
    for (size_t i = 0; i < AMP_COUNT(table); i++) {
        if (places[i].kind == TEXT || places[i].kind == WORD) {
            char **p = field(s, i);

            free(*p);
            *p = NULL;
        }
    }
}

void settings_copy(struct settings *to, const struct settings *from)
{
    *to = *from;
    for (size_t i = 0; i < AMP_COUNT(table); i++) {
        if (places[i].kind == TEXT || places[i].kind == WORD) {
            char **p = field(to, i);
            const char *value = *p;

            *p = NULL;
            keep(p, value);
        }
    }
}

int settings_set(struct settings *s, const char *name, const char *value, const char *origin,
                 char **why)
{
    for (size_t i = 0; i < AMP_COUNT(table); i++) {
        if (!same_name(table[i].name, name))
            continue;
        if (places[i].secret)
            return complain(AMP_E_VALUE, why,
                            "%s: a secret; give it as AMPERSTAND_ADMIN_KEY in the environment, "
                            "where other users of "
                            "this machine do not see it",
                            origin);
        return set_at(s, i, value, origin, why);
    }
    return complain(AMP_E_ABSENT, why, "%s: no such setting", origin);
}

static char *trim(char *s)
{
    struct amp_text t = amp_text_trim(amp_text_of(s));

    s += t.at - s;
    s[t.len] = 0;
    return s;
}

/* `name = value`, quotes around the value allowed. */
static int read_line(struct settings *s, const char *path, int number, char *line, char **why)
{
    char origin[LINE_MAX_LEN], *equals, *name, *value;
    size_t len;

    line = trim(line);
    if (!*line || *line == '#')
        return 0;
    equals = strchr(line, '=');
    if (!equals)
        return complain(AMP_E_FORMAT, why, "%s:%d: '%s' is no 'name = value'", path, number, line);
    *equals = 0;
    name = trim(line);
    value = trim(equals + 1);
    len = strlen(value);
    if (len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value) {
        value[len - 1] = 0;
        value++;
    }
    snprintf(origin, sizeof origin, "%.900s:%d: %.100s", path, number, name);
    return settings_set(s, name, value, origin, why);
}

int settings_file(struct settings *s, const char *path, char **why)
{
    char line[LINE_MAX_LEN];
    FILE *f = fopen(path, "r");
    int rc = 0;

    if (!f)
        return complain(AMP_E_IO, why, "cannot read the settings file '%s': %s", path,
                        strerror(errno));
    for (int number = 1; rc == 0 && fgets(line, sizeof line, f); number++)
        rc = read_line(s, path, number, line, why);
    if (rc == 0 && ferror(f))
        rc = complain(AMP_E_IO, why, "cannot read the settings file '%s': %s", path,
                      strerror(errno));
    fclose(f);
    return rc;
}

void settings_env(unsigned i, char out[SETTINGS_ENV_MAX])
{
    size_t n = (size_t)snprintf(out, SETTINGS_ENV_MAX, ENV_PREFIX "%s", table[i].name);

    for (size_t k = 0; k < n && k < SETTINGS_ENV_MAX - 1; k++) {
        if (out[k] == '-')
            out[k] = '_';
        else if (out[k] >= 'a' && out[k] <= 'z')
            out[k] = (char)(out[k] - 'a' + 'A');
    }
}

bool settings_secret(unsigned i)
{
    return places[i].secret;
}

bool settings_boolean(unsigned i)
{
    return places[i].kind == BOOL;
}

int settings_environment(struct settings *s, char **why)
{
    for (unsigned i = 0; i < AMP_COUNT(table); i++) {
        char name[SETTINGS_ENV_MAX];
        const char *value;
        int rc;

        settings_env(i, name);
        value = getenv(name);
        if (!value || !*value)
            continue;
        rc = set_at(s, i, value, name, why);
        if (rc < 0)
            return rc;
    }
    return 0;
}

const struct setting *settings_table(unsigned *count)
{
    *count = AMP_COUNT(table);
    return table;
}

void settings_value(const struct settings *s, unsigned i, char *out, unsigned cap)
{
    const void *at = field_of(s, i);
    const char *text;

    switch (places[i].kind) {
    case NUMBER:
        snprintf(out, cap, "%" PRId64, *(const int64_t *)at);
        return;
    case BOOL:
        snprintf(out, cap, "%s", *(const bool *)at ? "true" : "false");
        return;
    case TEXT:
    case WORD:
        text = *(char *const *)at;
        if (places[i].secret)
            text = *text ? "(set, not shown)" : "";
        snprintf(out, cap, "%s", text);
        return;
    }
}
