/* ocpp/url.c - ws:// and wss:// URLs. RFC 6455 §3: no fragment; RFC 3986 §3.2. */
#include "ocpp/url.h"

#define IPV6_TEXT_MAX 45 /* characters of the longest form, with an IPv4 tail */

static struct amp_text behind(struct amp_text t, uint32_t n)
{
    return (struct amp_text){ t.at + n, t.len - n };
}

static bool skip(struct amp_text *t, const char *prefix)
{
    uint32_t n = (uint32_t)strlen(prefix);

    if (t->len < n || !amp_text_eqi((struct amp_text){ t->at, n }, amp_text_of(prefix)))
        return false;
    *t = behind(*t, n);
    return true;
}

static uint32_t find(struct amp_text t, const char *set)
{
    uint32_t i = 0;

    while (i < t.len &&
           !strchr(set, t.at[i])) /* the caller has refused NUL, which strchr would find */
        i++;
    return i;
}

static bool of(struct amp_text t, bool (*ok)(char c))
{
    for (uint32_t i = 0; i < t.len; i++) {
        if (!ok(t.at[i]))
            return false;
    }
    return t.len > 0;
}

static bool visible(char c)
{
    return c > ' ' && c < 127;
}

static bool hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool in_name(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
}

static bool in_ipv6(char c)
{
    return hex_digit(c) || c == ':' || c == '.';
}

static int read_port(struct amp_text t, uint16_t *port)
{
    uint32_t v = 0;

    if (t.len > 5)
        return AMP_E_FORMAT;
    for (uint32_t i = 0; i < t.len; i++) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return AMP_E_FORMAT;
        v = v * 10 + (uint32_t)(t.at[i] - '0');
    }
    if (v == 0 || v > UINT16_MAX)
        return AMP_E_FORMAT;
    *port = (uint16_t)v;
    return 0;
}

/* host, [ipv6], either with :port. '@' is in neither set, so user names end here. */
static int read_authority(struct amp_text t, struct amp_url *out)
{
    uint32_t end;

    if (t.len && t.at[0] == '[') {
        t = behind(t, 1);
        end = find(t, "]");
        out->host = (struct amp_text){ t.at, end };
        if (end == t.len || end < 2 || end > IPV6_TEXT_MAX || !of(out->host, in_ipv6) ||
            !memchr(t.at, ':', end))
            return AMP_E_FORMAT;
        t = behind(t, end + 1);
    } else {
        end = find(t, ":");
        out->host = (struct amp_text){ t.at, end };
        if (!of(out->host, in_name))
            return AMP_E_FORMAT;
        t = behind(t, end);
    }
    if (t.len == 0)
        return 0;
    return t.at[0] == ':' ? read_port(behind(t, 1), &out->port) : AMP_E_FORMAT;
}

int amp_url_parse(struct amp_text url, struct amp_url *out)
{
    uint32_t end;
    int rc;

    if (!of(url, visible) || memchr(url.at, '#', url.len))
        return AMP_E_FORMAT;
    if (skip(&url, "ws://"))
        *out = (struct amp_url){ .tls = false, .port = 80 };
    else if (skip(&url, "wss://"))
        *out = (struct amp_url){ .tls = true, .port = 443 };
    else
        return AMP_E_FORMAT;
    end = find(url, "/?");
    rc = read_authority((struct amp_text){ url.at, end }, out);
    if (rc < 0)
        return rc;
    url = behind(url, end);
    end = find(url, "?");
    out->path = (struct amp_text){ url.at, end };
    if (end < url.len)
        out->query = behind(url, end + 1);
    return 0;
}
