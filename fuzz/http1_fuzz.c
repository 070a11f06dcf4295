/* HTTP heads and all that a handshake is made of, on the same bytes: no read outside, one verdict
 * however they were cut, and what was decoded encodes to something that decodes to it again. */
#include "ocpp/http1.h"

#include <stdlib.h>

#define MUST(cond)   \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int (*parser)(struct amp_text in, struct amp_http_head *out);

/* Slices lie inside what they were cut from. */
static void inside(struct amp_text whole, struct amp_text part)
{
    MUST(!part.at || part.len == 0 ||
         (part.at >= whole.at && part.at + part.len <= whole.at + whole.len));
}

static void check_head(struct amp_text in, const struct amp_http_head *h)
{
    struct amp_text item, key;
    unsigned header = 0;
    uint32_t at = 0;
    char id[64];

    MUST(h->len <= in.len && h->len <= AMP_HTTP_HEAD_MAX && h->count <= AMP_HTTP_HEADERS_MAX);
    in.len = (uint32_t)h->len;
    inside(in, h->target);
    inside(in, h->reason);
    for (unsigned i = 0; i < h->count; i++) {
        MUST(h->headers[i].name.len > 0);
        inside(in, h->headers[i].name);
        inside(in, h->headers[i].value);
    }
    if (!amp_text_is(h->path, "/"))
        inside(in, h->path);
    inside(in, h->query);
    while (amp_http_list(h, "Sec-WebSocket-Protocol", &header, &at, &item)) {
        MUST(item.len > 0);
        inside(in, item);
    }
    if (h->method.at && amp_ws_asked(h, &key) == 0)
        MUST(key.len == AMP_WS_KEY_LEN);
    if (h->method.at) {
        int len = amp_ws_identity(h->path, AMP_TEXT("/ocpp"), id, sizeof(id));

        MUST(len < 0 || (len > 0 && len <= (int)sizeof(id) && !memchr(id, 0, (size_t)len)));
    }
}

/* The verdict on the whole, and on a beginning of it. */
static void heads(parser parse, struct amp_text in, uint32_t cut)
{
    struct amp_http_head h;
    int rc = parse(in, &h), early;

    MUST(rc == 0 || rc == 1 || rc == AMP_E_PROTOCOL || rc == AMP_E_SIZE);
    if (rc == 1)
        check_head(in, &h);
    early = parse((struct amp_text){ in.at, cut }, &h);
    MUST(early == 0 || early == rc);
}

static void codecs(struct amp_text in)
{
    size_t cap = (size_t)in.len * 3 + 64;
    char *plain = malloc(cap), *coded = malloc(cap), *back = malloc(cap);
    struct amp_text user, password;
    struct amp_buf out;
    int len = amp_base64_decode(in, plain, cap);

    if (len >= 0) {
        amp_buf_init(&out, coded, cap);
        amp_base64_encode(&out, plain, (size_t)len);
        MUST(amp_text_eq(amp_buf_text(&out), in)); /* one spelling */
    }
    if (amp_basic_decode(in, plain, cap, &user, &password) == 0) {
        amp_buf_init(&out, coded, cap);
        amp_basic_encode(&out, user, password);
        MUST(!memchr(user.at, ':', user.len));
        MUST(amp_basic_decode(amp_buf_text(&out), back, cap, &user, &password) == 0);
    }
    len = amp_percent_decode(in, plain, cap);
    MUST(len <= (int)in.len);
    amp_buf_init(&out, coded, cap);
    amp_percent_encode(&out, in);
    MUST(amp_percent_decode(amp_buf_text(&out), back, cap) == (int)in.len &&
         !memcmp(back, in.at, in.len));
    free(plain);
    free(coded);
    free(back);
}

/* A URL that was accepted makes a request that our own server understands. */
static void dial(struct amp_text in, struct amp_text identity)
{
    static const uint8_t key[16] = { 1, 2, 3 };
    struct amp_url url;
    struct amp_http_head h;
    struct amp_text found;
    struct amp_buf out;
    char block[AMP_HTTP_HEAD_MAX];

    if (amp_url_parse(in, &url) < 0)
        return;
    inside(in, url.host);
    inside(in, url.path);
    inside(in, url.query);
    MUST(url.host.len && url.port);
    amp_buf_init(&out, block, sizeof(block));
    amp_ws_request(&out, &url, identity, "ocpp1.6", identity, key);
    if (out.full)
        return;
    MUST(amp_http_request(amp_buf_text(&out), &h) == 1 && h.len == out.len);
    MUST(amp_ws_asked(&h, &found) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct amp_text in = { (const char *)data, (uint32_t)size };
    uint32_t cut = size ? data[size - 1] * (uint32_t)size / 256 : 0;
    uint8_t digest[AMP_SHA1_LEN];

    heads(amp_http_request, in, cut);
    heads(amp_http_response, in, cut);
    codecs(in);
    dial(in, (struct amp_text){ in.at, cut });
    amp_sha1(data, size, digest);
    return 0;
}
