/* ports/posix/fetch.c - see fetch.h. libcurl does the work. */
#include "ports/posix/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

#define REDIRECTS_MAX 5

struct source {
    const char *data;
    size_t len, done;
};

static void start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort(); /* no memory */
}

int posix_fetch_check(struct amp_text url)
{
    static const char *const schemes[] = { "http://", "https://", "ftp://" };

    for (size_t i = 0; i < AMP_COUNT(schemes); i++) {
        uint32_t n = (uint32_t)strlen(schemes[i]);

        if (url.len > n && amp_text_eqi((struct amp_text){ url.at, n }, amp_text_of(schemes[i])))
            return 0;
    }
    for (uint32_t i = 0; i + 2 < url.len; i++)
        if (memcmp(url.at + i, "://", 3) == 0)
            return i > 0 ? AMP_E_SUPPORT : AMP_E_FORMAT;
    return AMP_E_FORMAT;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct posix_fetch *f = ctx;

    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(f->canceled);
}

struct sink {
    FILE *to;
    uint64_t left;
    bool too_large;
};

static size_t on_bytes(char *data, size_t size, size_t n, void *ctx)
{
    struct sink *s = ctx;

    n *= size;
    if (n > s->left) {
        s->too_large = true;
        return 0;
    }
    s->left -= n;
    return s->to ? fwrite(data, 1, n, s->to) : n;
}

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
    struct source *s = ctx;

    n *= size;
    if (n > s->len - s->done)
        n = s->len - s->done;
    memcpy(out, s->data + s->done, n);
    s->done += n;
    return n;
}

/* libcurl asks for it when an upload must begin again: after a redirect, or on a stale connection
 */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct source *s = ctx;

    if (origin != SEEK_SET || offset < 0 || (size_t)offset > s->len)
        return CURL_SEEKFUNC_FAIL;
    s->done = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static CURL *prepare(const struct posix_fetch *f, const char *url)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CURL *c;

    pthread_once(&once, start_curl);
    c = curl_easy_init();
    if (!c)
        return NULL;
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,ftp");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)f->connect_s);
    curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)f->stall_s);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)f->stall_s);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, (void *)(uintptr_t)f);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "amperstand/" AMP_VERSION);
    if (f->ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, f->ca_file);
    return c;
}

static int meaning(CURL *c, CURLcode code, const struct sink *s)
{
    long status = 0;

    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (s->too_large)
        return AMP_E_SIZE;
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return AMP_E_TIMEOUT;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return AMP_E_SUPPORT;
    case CURLE_URL_MALFORMAT:
        return AMP_E_FORMAT;
    case CURLE_FILESIZE_EXCEEDED:
        return AMP_E_SIZE;
    case CURLE_LOGIN_DENIED:
    case CURLE_REMOTE_ACCESS_DENIED:
        return AMP_E_AUTH;
    case CURLE_HTTP_RETURNED_ERROR:
        return status == 401 || status == 403 ? AMP_E_AUTH : AMP_E_IO;
    default:
        return AMP_E_IO;
    }
}

int posix_fetch_down(const struct posix_fetch *f, FILE *to)
{
    struct sink s = { to, f->size_max, false };
    CURL *c = prepare(f, f->url);
    int rc;

    if (!c)
        return AMP_E_IO;
    curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->size_max);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &s);
    rc = meaning(c, curl_easy_perform(c), &s);
    curl_easy_cleanup(c);
    return rc;
}

/* *unknown: the server has no such method. */
static int send_to(const struct posix_fetch *f, const char *url, struct source *from, bool post,
                   bool *unknown)
{
    struct sink s = { NULL, f->size_max, false };
    struct curl_slist *head = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    CURL *c = prepare(f, url);
    long status = 0;
    int rc = AMP_E_IO;

    if (c && head) {
        from->done = 0;
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, head);
        curl_easy_setopt(c, post ? CURLOPT_POST : CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(c, post ? CURLOPT_POSTFIELDSIZE_LARGE : CURLOPT_INFILESIZE_LARGE,
                         (curl_off_t)from->len);
        curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(c, CURLOPT_READDATA, from);
        curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(c, CURLOPT_SEEKDATA, from);
        curl_easy_setopt(c, CURLOPT_FTP_CREATE_MISSING_DIRS, (long)CURLFTP_CREATE_DIR);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes); /* what it says is of no interest */
        curl_easy_setopt(c, CURLOPT_WRITEDATA, &s);
        rc = meaning(c, curl_easy_perform(c), &s);
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    }
    *unknown = rc < 0 && (status == 405 || status == 501);
    curl_easy_cleanup(c);
    curl_slist_free_all(head);
    return rc;
}

int posix_fetch_up(const struct posix_fetch *f, const char *name, const char *data, size_t len)
{
    struct source from = { data, len, 0 };
    size_t n = strlen(f->url), cap = n + strlen(name) + 2;
    bool as_is = strchr(f->url, '?') != NULL, unknown = false;
    char *url = malloc(cap);
    int rc;

    if (!url)
        return AMP_E_IO;
    snprintf(url, cap, "%s%s%s", f->url, as_is || (n && f->url[n - 1] == '/') ? "" : "/",
             as_is ? "" : name);
    rc = send_to(f, url, &from, false, &unknown);
    if (unknown && amp_text_eqi((struct amp_text){ f->url, 4 }, AMP_TEXT("http")))
        rc = send_to(f, f->url, &from, true, &unknown);
    free(url);
    return rc;
}
