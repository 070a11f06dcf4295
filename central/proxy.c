/* central/proxy.c - see proxy.h. */
#include "central/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define LIST_MAX 64

/* All as IPv6: IPv4 is mapped, its mask moved by 96. */
struct range {
    uint8_t base[16];
    unsigned bits;
};

struct proxies {
    size_t count;
    struct range ranges[LIST_MAX];
};

static bool parse(const char *text, uint8_t out[16], bool *v4)
{
    *v4 = false;
    if (inet_pton(AF_INET6, text, out) == 1)
        return true;
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    *v4 = true;
    return inet_pton(AF_INET, text, out + 12) == 1;
}

static bool parse_range(struct amp_text t, struct range *out)
{
    char text[64], *slash;
    int64_t bits = -1;
    bool v4;

    if (t.len >= sizeof text)
        return false;
    amp_text_copy(text, sizeof text, t);
    slash = strchr(text, '/');
    if (slash) {
        *slash++ = 0;
        if (amp_text_int(amp_text_of(slash), &bits) < 0 || bits < 0)
            return false;
    }
    if (!parse(text, out->base, &v4) || bits > (v4 ? 32 : 128))
        return false;
    out->bits = (unsigned)(bits < 0 ? 128 : v4 ? bits + 96 : bits);
    return true;
}

static bool within(const struct range *r, const uint8_t at[16])
{
    unsigned bytes = r->bits / 8, rest = r->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    return memcmp(r->base, at, bytes) == 0 && (!rest || ((r->base[bytes] ^ at[bytes]) & mask) == 0);
}

static bool trusted(const struct proxies *p, const char *host)
{
    uint8_t at[16];
    bool v4;

    if (!p || !parse(host, at, &v4))
        return false;
    for (size_t i = 0; i < p->count; i++)
        if (within(&p->ranges[i], at))
            return true;
    return false;
}

struct proxies *proxies_new(const char *list, char **why)
{
    struct proxies *p = calloc(1, sizeof *p);
    char text[256];

    if (!p)
        abort();
    while (*list) {
        size_t len = strcspn(list, ",");
        struct amp_text item = amp_text_trim((struct amp_text){ list, (uint32_t)len });

        list += len + (list[len] == ',');
        if (!item.len)
            continue;
        if (p->count < LIST_MAX && parse_range(item, &p->ranges[p->count])) {
            p->count++;
            continue;
        }
        snprintf(text, sizeof text,
                 "trusted-proxies: '%.*s' is no address; give addresses or networks such as "
                 "10.0.0.0/8, ::1, at most %d",
                 (int)(item.len < 64 ? item.len : 64), item.at, LIST_MAX);
        *why = strdup(text);
        free(p);
        return NULL;
    }
    return p;
}

void proxies_free(struct proxies *p)
{
    free(p);
}

/* "192.0.2.7:5123", "[::1]:80", "192.0.2.7", "::1", "\"[::1]:80\"": the address alone. */
static void host_of(struct amp_text t, char out[ORIGIN_MAX])
{
    const char *colon;

    while (t.len && *t.at == '"') {
        t.at++;
        t.len--;
    }
    if (t.len && *t.at == '[') {
        const char *end = memchr(t.at, ']', t.len);

        t = (struct amp_text){ t.at + 1, end ? (uint32_t)(end - t.at - 1) : t.len - 1 };
    } else if ((colon = t.len ? memchr(t.at, ':', t.len) : NULL) != NULL &&
               !memchr(colon + 1, ':', t.len - (uint32_t)(colon + 1 - t.at))) {
        t.len = (uint32_t)(colon - t.at);
    }
    amp_text_copy(out, ORIGIN_MAX, t);
}

/* The item `back` places from the end of a list over all headers of that name; absent: none. */
static struct amp_text from_end(const struct amp_http_head *head, const char *name, unsigned back)
{
    struct amp_text item, found = AMP_NO_TEXT;
    unsigned header = 0, count = 0, at_item = 0;
    uint32_t at = 0;

    while (amp_http_list(head, name, &header, &at, &item))
        count++;
    header = 0;
    at = 0;
    while (back < count && amp_http_list(head, name, &header, &at, &item))
        if (at_item++ == count - 1 - back)
            found = item;
    return found;
}

void proxy_origin(const struct proxies *p, const char *peer, bool secure,
                  const struct amp_http_head *head, struct origin *out)
{
    struct amp_text item;

    snprintf(out->address, sizeof out->address, "%s", peer);
    host_of(amp_text_of(peer), out->host);
    out->secure = secure;
    out->proxied = false;
    if (!trusted(p, out->host))
        return;
    item = from_end(head, "X-Forwarded-Proto", 0);
    if (item.at)
        out->secure = amp_text_eqi(item, AMP_TEXT("https")) || amp_text_eqi(item, AMP_TEXT("wss"));
    for (unsigned back = 0; trusted(p, out->host); back++) {
        item = from_end(head, "X-Forwarded-For", back);
        if (!item.at)
            return;
        out->proxied = true;
        host_of(item, out->host);
        snprintf(out->address, sizeof out->address, "%s", out->host);
    }
}
