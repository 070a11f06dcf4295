/* ports/mem/transfer.c - see transfer.h. */
#include "ports/mem/transfer.h"

static int begin(struct mem_transfer *t, enum amp_errand errand)
{
    if (t->refuse[errand] < 0)
        return t->refuse[errand];
    t->twice |= t->busy[errand];
    t->busy[errand] = true;
    t->begun[errand]++;
    return 0;
}

static int download(void *ctx, struct amp_text url)
{
    struct mem_transfer *t = ctx;

    amp_text_copy(t->url, sizeof(t->url), url);
    return begin(t, AMP_ERRAND_DOWNLOAD);
}

static int trust(void *ctx, struct amp_text certificate, struct amp_text signature)
{
    struct mem_transfer *t = ctx;

    if (t->trusted < 0)
        return t->trusted;
    amp_text_copy(t->certificate, sizeof(t->certificate), certificate);
    amp_text_copy(t->signature, sizeof(t->signature), signature);
    return 0;
}

static int verify(void *ctx)
{
    return begin(ctx, AMP_ERRAND_VERIFY);
}

static int install(void *ctx)
{
    return begin(ctx, AMP_ERRAND_INSTALL);
}

static int running(void *ctx)
{
    return ((struct mem_transfer *)ctx)->runs;
}

static int name(void *ctx, enum amp_source source, int64_t from_ms, int64_t to_ms, char *out,
                size_t cap)
{
    struct mem_transfer *t = ctx;
    size_t len = t->file ? strlen(t->file) : 0;

    t->source = source;
    t->from_ms = from_ms;
    t->to_ms = to_ms;
    if (len > cap)
        return AMP_E_FULL;
    if (len)
        memcpy(out, t->file, len);
    return (int)len;
}

static int upload(void *ctx, const struct amp_upload *what)
{
    struct mem_transfer *t = ctx;

    amp_text_copy(t->url, sizeof(t->url), what->url);
    t->source = what->source;
    t->from_ms = what->from_ms;
    t->to_ms = what->to_ms;
    return begin(t, AMP_ERRAND_UPLOAD);
}

static void cancel(void *ctx, enum amp_errand errand)
{
    struct mem_transfer *t = ctx;

    t->canceled[errand] += t->busy[errand];
    t->busy[errand] = false;
}

void mem_transfer_init(struct mem_transfer *t, bool with_signatures)
{
    memset(t, 0, sizeof(*t));
    t->file = "station.log";
    t->table = (struct amp_transfer){
        .ctx = t,
        .protocols = "FTP,HTTP,HTTPS",
        .download = download,
        .trust = with_signatures ? trust : NULL,
        .verify = with_signatures ? verify : NULL,
        .install = install,
        .running = running,
        .name = name,
        .upload = upload,
        .cancel = cancel,
    };
}
