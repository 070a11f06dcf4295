/* central/refusal.c - see refusal.h. */
#include "central/refusal.h"

#define NOT_YOU 401

/* clang-format off */
static const struct refusal_text texts[REFUSALS] = {
    [REFUSAL_NONE] = { "none", 0, "not refused", "nothing to do" },
    [REFUSAL_PATH] = { "path", 404, "the path must be /ocpp/ and the identity of the station",
        "Set the station's URL to ws(s)://HOST:PORT/ocpp; most stations append their identity themselves." },
    [REFUSAL_ESCAPE] = { "escape", 400, "the identity has a broken percent escape",
        "Write the identity into the URL with each odd character as %XX, once." },
    [REFUSAL_IDENTITY] = { "identity", 400,
        "no identity: a colon, a control character, a dot path or broken UTF-8 is in its place",
        "Give the station an identity of letters, digits and -_=+|@. only." },
    [REFUSAL_LONG_IDENTITY] = { "long-identity", 400, "the identity is longer than 128 bytes",
        "Give the station a shorter identity; 48 characters are the most that any version of OCPP allows." },
    [REFUSAL_NO_UPGRADE] = { "no-upgrade", 426, "this is the WebSocket address of a charging station",
        "Use ws:// or wss:// in the station's URL; if a proxy is in between, let it pass Upgrade and Connection." },
    [REFUSAL_NO_PROTOCOL] = { "no-protocol", 1002, "no subprotocol named",
        "Set the station to OCPP 1.6J, or start the server with --default-protocol." },
    [REFUSAL_OTHER_PROTOCOL] = { "other-protocol", 1002, "no common subprotocol",
        "Set the station to OCPP 1.6J (subprotocol ocpp1.6)." },
    [REFUSAL_HTTP] = { "no-http", 400, "this is no HTTP/1.1 request",
        "Look at what stands between: a proxy, a modem, or a program that speaks something else." },
    [REFUSAL_SLOW] = { "slow", 408, "the request did not arrive in time",
        "Look at the link of the station: it is slow, or it connects and says nothing." },
    [REFUSAL_HEADER] = { "bad-credentials", NOT_YOU, "the Authorization header cannot be read",
        "It must be Basic and the Base64 of identity:password; set the password at the station again." },
    [REFUSAL_UNKNOWN] = { "unknown", NOT_YOU, "the station is unknown, and unknown ones are refused",
        "Create the charger (POST /api/v1/chargers), or set --unknown-password to ignore or keep." },
    [REFUSAL_KNOCKING_FULL] = { "knocking-full", NOT_YOU, "too many unknown stations knock already",
        "Adopt or delete those that wait (GET /api/v1/knocking), or raise --max-knocking." },
    [REFUSAL_NO_PASSWORD] = { "no-password", NOT_YOU, "a password is demanded, and none was sent",
        "Set the password at the station (AuthorizationKey), or remove it here: DELETE /api/v1/chargers/{id}/password." },
    [REFUSAL_NONE_KNOWN] = { "none-known", NOT_YOU, "a password is demanded, and none is known here for this station",
        "Set it: PUT /api/v1/chargers/{id}/password; or lower leastProfile in PATCH /api/v1/chargers/{id}/security." },
    [REFUSAL_WRONG_PASSWORD] = { "wrong-password", NOT_YOU, "the password is wrong",
        "Set the same password here (PUT /api/v1/chargers/{id}/password) and at the station." },
    [REFUSAL_WRONG_USER] = { "wrong-user", NOT_YOU, "the user name is not the identity in the path",
        "Set the user name at the station, or allow it: anyUser in PATCH /api/v1/chargers/{id}/security." },
    [REFUSAL_PLAIN] = { "plain", NOT_YOU, "TLS is demanded, and it came without",
        "Set the station to wss://; behind a proxy that ends TLS, name the proxy in --trusted-proxies." },
    [REFUSAL_DOWNGRADE] = { "downgrade", NOT_YOU, "it came with a lower security profile than before",
        "Find out why the station went back; to allow it, set profile in PATCH /api/v1/chargers/{id}/security." },
    [REFUSAL_NO_CERTIFICATE] = { "no-certificate", NOT_YOU, "a certificate of the station is demanded, and none was shown",
        "Let the station ask for one (POST /api/v1/chargers/{id}/renew-certificate), or lower leastProfile." },
    [REFUSAL_CERTIFICATE_NAME] = { "certificate-name", NOT_YOU, "the certificate is that of another station",
        "Its name must be the identity, or certificateName in PATCH /api/v1/chargers/{id}/security." },
    [REFUSAL_CERTIFICATE_REVOKED] = { "certificate-revoked", NOT_YOU, "the certificate was revoked",
        "Give the station a new one; see GET /api/v1/certificates." },
    [REFUSAL_FULL] = { "full", 503, "no more connections: the limit is reached",
        "Raise --max-connections and the limit of open files (ulimit -n), or start another node." },
    [REFUSAL_TRIES] = { "tries", 429, "too many failed tries",
        "Mend the reason of the refusals before; then wait a minute." },
    [REFUSAL_CONNECTIONS] = { "connections", 429, "too many connections in this time",
        "The station reconnects in a loop, or many share one address: see --max-station-connects and --max-address-connects." },
    [REFUSAL_MESSAGES] = { "messages", 1008, "too many messages in this time",
        "Look at what the station repeats (GET /api/v1/messages); the limits are --max-station-messages and --max-address-messages." },
    [REFUSAL_BYTES] = { "bytes", 1008, "too many bytes in this time",
        "Look at what the station sends (GET /api/v1/messages); the limits are --max-station-kilobytes and --max-address-kilobytes." },
    [REFUSAL_TOO_LONG] = { "too-long", 1009, "a message is longer than the limit",
        "Raise maxMessage in PATCH /api/v1/chargers/{id}/security, or --max-message for all." },
    [REFUSAL_GARBAGE] = { "garbage", 1008, "too many texts that are no OCPP",
        "A modem or a serial console writes into the connection; look at the station's link." },
    [REFUSAL_TLS_ON_PLAIN] = { "tls-on-plain", 400, "TLS was spoken to the address without TLS",
        "Use the port of --tls-listen with wss://, or ws:// with this port." },
    [REFUSAL_PLAIN_ON_TLS] = { "plain-on-tls", 0, "plain HTTP was spoken to the address of TLS",
        "Use wss:// with this port, or the port of --listen with ws://." },
    [REFUSAL_TLS_VERSION] = { "tls-version", 0, "it speaks no version of TLS that is spoken here",
        "TLS 1.2 is the oldest; update the station's firmware." },
    [REFUSAL_TLS_CIPHER] = { "tls-cipher", 0, "no common cipher suite",
        "Old stations need --tls-plain-rsa and an RSA certificate (--tls-cert2) beside an ECDSA one." },
    [REFUSAL_TLS_DISTRUST] = { "tls-distrust", 0, "the station does not accept the certificate of this server",
        "Install the authority of --tls-cert at the station (POST /api/v1/chargers/{id}/install-certificate), and look "
        "at the name and the dates in the certificate and at the station's clock." },
    [REFUSAL_TLS_NO_CERTIFICATE] = { "tls-no-certificate", 0, "a client certificate is demanded at this address, and none was shown",
        "Use the port of --tls-listen for stations without a certificate." },
    [REFUSAL_TLS_CERTIFICATE] = { "tls-certificate", 0, "the station's certificate is not accepted",
        "It must lead to our authority or one in --tls-client-ca, be valid now and not be revoked; renew it." },
    [REFUSAL_TLS_SLOW] = { "tls-slow", 0, "the TLS handshake did not end in time",
        "Look at the link of the station: it is slow, or something in between swallows TLS." },
    [REFUSAL_TLS] = { "tls", 0, "the TLS handshake failed",
        "Look at the station's log; the reason says what OpenSSL objected to." },
};

/* What the words of central/net and of OpenSSL mean: the first that is a part of them. */
static const struct {
    const char *part;
    enum refusal refusal;
} words[] = {
    { "no more connections", REFUSAL_FULL },
    { "no file descriptors", REFUSAL_FULL },
    { "TLS was spoken", REFUSAL_TLS_ON_PLAIN },
    { "http request", REFUSAL_PLAIN_ON_TLS },
    { "https proxy request", REFUSAL_PLAIN_ON_TLS },
    { "unsupported protocol", REFUSAL_TLS_VERSION },
    { "version too low", REFUSAL_TLS_VERSION },
    { "wrong version number", REFUSAL_TLS_VERSION },
    { "no shared cipher", REFUSAL_TLS_CIPHER },
    { "no suitable signature algorithm", REFUSAL_TLS_CIPHER },
    { "did not return a certificate", REFUSAL_TLS_NO_CERTIFICATE },
    { "the station's certificate:", REFUSAL_TLS_CERTIFICATE },
    { "certificate verify failed", REFUSAL_TLS_CERTIFICATE },
    { "alert unknown ca", REFUSAL_TLS_DISTRUST },
    { "alert bad certificate", REFUSAL_TLS_DISTRUST },
    { "alert certificate", REFUSAL_TLS_DISTRUST },
    { "alert unsupported certificate", REFUSAL_TLS_DISTRUST },
    { "handshake did not end in time", REFUSAL_TLS_SLOW },
    { "did not arrive in time", REFUSAL_SLOW },
};
/* clang-format on */

const struct refusal_text *refusal_text(enum refusal r)
{
    return &texts[r];
}

const struct refusal_text *refusal_by_kind(struct amp_text kind)
{
    for (size_t i = 0; i < REFUSALS; i++)
        if (amp_text_is(kind, texts[i].kind))
            return &texts[i];
    return NULL;
}

enum refusal refusal_of_net(const char *why, int status, bool tls)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(why, words[i].part))
            return words[i].refusal;
    return tls || status == 0 ? REFUSAL_TLS : REFUSAL_HTTP;
}
