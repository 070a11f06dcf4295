/* central/rest/page.c - the web page, compiled in (web/embed.py): scripts and styles under names
 * that carry their hash, so that browsers keep them for ever, and one document that they ask for
 * anew. web-ui.md section 5, traps 2 and 3. */
#include "central/rest/routes.h"
#include "web/files.h"
#include <stdio.h>

static const struct web_file *find(struct amp_text path)
{
    for (size_t i = 0; i < web_file_count; i++)
        if (amp_text_is(path, web_files[i].path))
            return &web_files[i];
    return NULL;
}

static bool takes_gzip(const struct amp_http_head *head)
{
    unsigned header = 0;
    uint32_t at = 0;
    struct amp_text item;

    while (amp_http_list(head, "Accept-Encoding", &header, &at, &item))
        if (amp_text_eqi(item, AMP_TEXT("gzip"))) /* "gzip;q=0" and other finesse gets it plain */
            return true;
    return false;
}

static bool has_already(const struct amp_http_head *head, const char *etag)
{
    unsigned header = 0;
    uint32_t at = 0;
    struct amp_text item;

    while (amp_http_list(head, "If-None-Match", &header, &at, &item))
        if (amp_text_is(item, etag) || amp_text_is(item, "*"))
            return true;
    return false;
}

static void serve(struct rest_call *call, const struct web_file *f)
{
    bool gzip = f->gzip_len && takes_gzip(call->head);
    char headers[256];

    snprintf(headers, sizeof headers,
             "Cache-Control: %s\r\nETag: %s\r\nVary: Accept-Encoding\r\n%s",
             f->immutable ? "public, max-age=31536000, immutable" : "no-cache", f->etag,
             gzip ? "Content-Encoding: gzip\r\n" : "");
    if (has_already(call->head, f->etag))
        rest_reply(call, 304, f->type, headers, "", 0);
    else
        rest_reply(call, 200, f->type, headers, gzip ? f->gzip : f->data,
                   gzip ? f->gzip_len : f->len);
}

void rest_page(struct rest_call *call)
{
    serve(call, find(AMP_TEXT("/index.html"))); /* embed.py refuses to build without one */
}

void rest_asset(struct rest_call *call)
{
    const struct web_file *f = find(amp_text_of(call->path));

    if (f)
        serve(call, f);
    else /* never the document: a script that is HTML leaves a blank page */
        rest_absent(call, "file", amp_text_of(call->path));
}

/* The page asks for the password of the first administrator when it finds itself under this path.
 */
void rest_setup_page(struct rest_call *call)
{
    if (people_setup_valid(call->c->people, rest_param(call, 0)))
        rest_page(call);
    else
        rest_problem(call,
                     &(struct rest_problem){ .status = 410,
                                             .kind = "link-used",
                                             .title = "This link is used up",
                                             .cure =
                                                 "Log in at /; when nobody can, create an account "
                                                 "with \"amperstand admin user add\"." },
                     "The one-time link is not valid any more.");
}
