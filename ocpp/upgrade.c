/* ocpp/upgrade.c - the WebSocket handshake. RFC 6455 §4; ocpp-facts C1-C5; edge cases 35, 36,
 * 49-51. */
#include "ocpp/upgrade.h"
#include "ocpp/http1.h"

/* 16 bytes in Base64. The unused bits of the last digit are not looked at: a station that draws 22
 * random digits instead of 16 random bytes is accepted by every other server too. */
static bool key_ok(struct amp_text key)
{
    if (key.len != AMP_WS_KEY_LEN || key.at[22] != '=' || key.at[23] != '=')
        return false;
    for (int i = 0; i < 22; i++) {
        char c = key.at[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/'))
            return false;
    }
    return true;
}

int amp_ws_asked(const struct amp_http_head *h, struct amp_text *key)
{
    struct amp_text item;
    unsigned header = 0;
    uint32_t at = 0;

    if (!h->upgrade)
        return AMP_E_ABSENT;
    if (!amp_text_is(h->method, "GET") || h->minor < 1)
        return AMP_E_PROTOCOL;
    if (!amp_text_is(amp_http_get(h, "Sec-WebSocket-Version"), "13"))
        return AMP_E_SUPPORT;
    if (!amp_http_list(h, "Sec-WebSocket-Key", &header, &at, key) || !key_ok(*key) ||
        amp_http_list(h, "Sec-WebSocket-Key", &header, &at, &item))
        return AMP_E_PROTOCOL;
    return 0;
}

/* "/ws://10.0.0.1:8180/ocpp/CP1" is "/ocpp/CP1" from a station that was given a whole URL as its
 * path, and
 * "//ocpp/CP1" one whose URL ended in a slash. */
static struct amp_text without_detours(struct amp_text path)
{
    static const char *const schemes[] = { "/ws://", "/wss://" };

    for (size_t i = 0; i < AMP_COUNT(schemes); i++) {
        struct amp_text scheme = amp_text_of(schemes[i]);

        if (path.len > scheme.len &&
            amp_text_eqi((struct amp_text){ path.at, scheme.len }, scheme)) {
            path = (struct amp_text){ path.at + scheme.len, path.len - scheme.len };
            while (path.len && path.at[0] != '/')
                path = (struct amp_text){ path.at + 1, path.len - 1 };
        }
    }
    while (path.len > 1 && path.at[0] == '/' && path.at[1] == '/')
        path = (struct amp_text){ path.at + 1, path.len - 1 };
    return path;
}

/* Can these bytes name a station? ocpp-facts C1, C2. */
static bool names(struct amp_text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];

        if (c < ' ' || c == 127 || c == ':')
            return false;
    }
    return !amp_text_is(t, ".") && !amp_text_is(t, "..") && amp_text_utf8(t);
}

int amp_ws_identity(struct amp_text path, struct amp_text base, char *out, size_t cap)
{
    struct amp_text t = without_detours(path);
    uint32_t start;
    int len;

    if (t.len <= base.len || t.at[base.len] != '/' ||
        !amp_text_eq((struct amp_text){ t.at, base.len }, base))
        return AMP_E_ABSENT;
    while (t.len > base.len && t.at[t.len - 1] == '/')
        t.len--;
    if (t.len == base.len)
        return AMP_E_ABSENT;
    for (start = t.len; t.at[start - 1] != '/';)
        start--;
    len = amp_percent_decode((struct amp_text){ t.at + start, t.len - start }, out, cap);
    if (len < 0)
        return len;
    return names((struct amp_text){ out, (uint32_t)len }) ? len : AMP_E_VALUE;
}

void amp_ws_accept(struct amp_text key, char out[AMP_WS_ACCEPT_LEN + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 §1.3 */
    char text[AMP_WS_KEY_LEN + sizeof(guid) - 1];
    uint8_t hash[AMP_SHA1_LEN];
    uint32_t n = key.len < AMP_WS_KEY_LEN ? key.len : AMP_WS_KEY_LEN;
    struct amp_buf b;

    if (n)
        memcpy(text, key.at, n);
    memcpy(text + n, guid, sizeof(guid) - 1);
    amp_sha1(text, n + sizeof(guid) - 1, hash);
    amp_buf_init(&b, out, AMP_WS_ACCEPT_LEN);
    amp_base64_encode(&b, hash, sizeof(hash));
    out[AMP_WS_ACCEPT_LEN] = '\0';
}

void amp_ws_response(struct amp_buf *out, struct amp_text key, struct amp_text protocol)
{
    char accept[AMP_WS_ACCEPT_LEN + 1];

    amp_ws_accept(key, accept);
    amp_buf_puts(out,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: ");
    amp_buf_puts(out, accept);
    if (protocol.at) {
        amp_buf_puts(out, "\r\nSec-WebSocket-Protocol: ");
        amp_buf_text_put(out, protocol);
    }
    amp_buf_puts(out, "\r\n\r\n");
}

static bool printable(struct amp_text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        if ((unsigned char)t.at[i] < ' ' || t.at[i] == 127)
            return false;
    }
    return true;
}

/* The port is named where it is not the scheme's own (RFC 9110 §7.2). */
static void put_host(struct amp_buf *out, const struct amp_url *url)
{
    bool ipv6 = url->host.len && memchr(url->host.at, ':', url->host.len);

    amp_buf_puts(out, ipv6 ? "[" : "");
    amp_buf_text_put(out, url->host);
    amp_buf_puts(out, ipv6 ? "]" : "");
    if (url->port != (url->tls ? 443 : 80)) {
        amp_buf_putc(out, ':');
        amp_buf_int(out, url->port);
    }
}

void amp_ws_request(struct amp_buf *out, const struct amp_url *url, struct amp_text identity,
                    const char *protocols, struct amp_text auth, const uint8_t key16[16])
{
    struct amp_text path = url->path;

    if (!printable(auth) || !printable(amp_text_of(protocols))) {
        out->full = true;
        return;
    }
    if (path.len && path.at[path.len - 1] == '/')
        path.len--;
    amp_buf_puts(out, "GET ");
    amp_buf_text_put(out, path);
    amp_buf_putc(out, '/');
    amp_percent_encode(out, identity);
    if (url->query.at) {
        amp_buf_putc(out, '?');
        amp_buf_text_put(out, url->query);
    }
    amp_buf_puts(out, " HTTP/1.1\r\nHost: ");
    put_host(out, url);
    amp_buf_puts(out,
                 "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: ");
    amp_base64_encode(out, key16, 16);
    if (protocols) {
        amp_buf_puts(out, "\r\nSec-WebSocket-Protocol: ");
        amp_buf_puts(out, protocols);
    }
    if (auth.at) {
        amp_buf_puts(out, "\r\nAuthorization: ");
        amp_buf_text_put(out, auth);
    }
    amp_buf_puts(out, "\r\n\r\n");
}

int amp_ws_welcomed(const struct amp_http_head *h, const uint8_t key16[16],
                    struct amp_text *protocol)
{
    char key[AMP_WS_KEY_LEN], accept[AMP_WS_ACCEPT_LEN + 1];
    struct amp_buf b;

    amp_buf_init(&b, key, sizeof(key));
    amp_base64_encode(&b, key16, 16);
    amp_ws_accept(amp_buf_text(&b), accept);
    if (h->status != 101 || !h->upgrade ||
        !amp_text_is(amp_http_get(h, "Sec-WebSocket-Accept"), accept))
        return AMP_E_PROTOCOL;
    *protocol = amp_http_get(h, "Sec-WebSocket-Protocol");
    return 0;
}
