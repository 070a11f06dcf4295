/* central/rest/router.c - patterns against paths, segment by segment. RFC 9110 §9, RFC 3986 §3.3.
 */
#include "central/rest/router.h"
#include <stdio.h>

/* Cut the first segment off a path that begins with '/'. */
static struct amp_text segment(struct amp_text *path)
{
    struct amp_text s;
    uint32_t n = 1;

    while (n < path->len && path->at[n] != '/')
        n++;
    s = (struct amp_text){ path->at + 1, n - 1 };
    path->at += n;
    path->len -= n;
    return s;
}

static bool begins(struct amp_text t, const char *with)
{
    size_t n = strlen(with);

    return t.len >= n && memcmp(t.at, with, n) == 0;
}

/* 1: fits; 0: not; or a negative error of a parameter that can't be decoded. */
static int fits(const char *pattern, struct amp_text path,
                char params[REST_PARAMS_MAX][REST_PARAM_MAX])
{
    struct amp_text p = amp_text_of(pattern);
    unsigned n = 0;

    while (p.len && path.len) {
        struct amp_text want = segment(&p), got = segment(&path);
        int len;

        if (!want.len || want.at[0] != '{') {
            if (!amp_text_eq(want, got))
                return 0;
            continue;
        }
        if (!got.len)
            return 0;
        if (n == REST_PARAMS_MAX)
            return AMP_E_RANGE;
        len = amp_percent_decode(got, params[n], REST_PARAM_MAX - 1);
        if (len < 0)
            return AMP_E_FORMAT;
        if (memchr(params[n], '\0', (size_t)len))
            return AMP_E_FORMAT; /* an encoded NUL would cut the name */
        params[n][len] = '\0';
        if (!amp_text_utf8(amp_text_of(params[n])))
            return AMP_E_FORMAT;
        n++;
    }
    return p.len == 0 && path.len == 0;
}

static void allow_add(char allow[64], const char *method)
{
    size_t used = strlen(allow);

    if (!strstr(allow, method))
        snprintf(allow + used, 64 - used, "%s%s", used ? ", " : "", method);
}

int rest_match(const struct rest_route *routes, size_t count, struct amp_text method,
               struct amp_text path, const struct rest_route **out,
               char params[REST_PARAMS_MAX][REST_PARAM_MAX], char allow[64])
{
    char alias[AMP_HTTP_HEAD_MAX];
    int rc = AMP_E_ABSENT;

    allow[0] = '\0';
    memset(params, 0, (size_t)REST_PARAMS_MAX * REST_PARAM_MAX);
    if (path.len > 1 && path.at[path.len - 1] == '/')
        path.len--; /* a trailing slash is no other resource */
    if (begins(path, "/api/") &&
        !begins(path, "/api/v1/")) { /* the paths before there were versions */
        int n = snprintf(alias, sizeof alias, "/api/v1/%.*s", (int)path.len - 5, path.at + 5);

        if (n < 0 || (size_t)n >= sizeof alias)
            return AMP_E_FORMAT;
        path = amp_text_of(alias);
    }
    if (amp_text_is(method, "HEAD"))
        method = AMP_TEXT("GET");
    for (size_t i = 0; i < count; i++) {
        int fit = fits(routes[i].pattern, path, params);

        if (fit < 0)
            return fit;
        if (!fit)
            continue;
        if (amp_text_is(method, routes[i].method)) {
            *out = &routes[i];
            return 0;
        }
        rc = AMP_E_SUPPORT;
        allow_add(allow, routes[i].method);
    }
    return rc;
}

bool rest_query_next(struct amp_text *query, struct amp_text *name, struct amp_text *value)
{
    while (query->len) {
        const char *end = memchr(query->at, '&', query->len), *eq;
        uint32_t n = end ? (uint32_t)(end - query->at) : query->len;
        struct amp_text part = { query->at, n };

        query->at += n + (end ? 1 : 0);
        query->len -= n + (end ? 1 : 0);
        if (!part.len)
            continue;
        eq = memchr(part.at, '=', part.len);
        *name = (struct amp_text){ part.at, eq ? (uint32_t)(eq - part.at) : part.len };
        *value =
            eq ? (struct amp_text){ eq + 1, part.len - name->len - 1 } : (struct amp_text){ "", 0 };
        return true;
    }
    return false;
}

int rest_query_decode(struct amp_text in, char *out, size_t cap)
{
    int n = amp_percent_decode(in, out, cap - 1);
    uint32_t at = 0;

    if (n < 0)
        return n;
    out[n] = '\0';
    if (memchr(out, '\0', (size_t)n) || !amp_text_utf8((struct amp_text){ out, (uint32_t)n }))
        return AMP_E_FORMAT;
    /* '+' means a blank, but an encoded one (%2B) means itself: walk the source beside the result
     */
    for (int i = 0; i < n; i++) {
        if (in.at[at] == '%') {
            at += 3;
        } else {
            if (in.at[at] == '+')
                out[i] = ' ';
            at++;
        }
    }
    return n;
}

bool rest_listed(const char *names, struct amp_text name)
{
    while (names && *names) {
        size_t n = strcspn(names, " ");

        if (n == name.len && memcmp(names, name.at, n) == 0)
            return true;
        names += n + (names[n] == ' ');
    }
    return false;
}
