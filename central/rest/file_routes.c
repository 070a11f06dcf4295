/* central/rest/file_routes.c - files as resources. People upload and download by /api/v1/files;
 * stations by /f/TOKEN, a short address (modems cut long ones: E95) that nobody guesses. What a
 * station may bring was asked for by a command, and it may bring it once. */
#include "central/domain/operation.h"
#include "central/rest/audit.h"
#include "central/rest/files.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include "central/rest/transfer.h"

#include <stdio.h>

#include "messages/api.h"

static const char *const states[] = { [FILE_EXPECTED] = "expected", [FILE_READY] = "ready" };

void rest_base_url(const struct central *c, const struct amp_http_head *head, bool secure,
                   char out[REST_BASE_MAX])
{
    const char *set = c->settings.public_url;
    struct amp_text host = head ? amp_http_get(head, "Host") : AMP_NO_TEXT;
    size_t len;

    if (set && *set)
        snprintf(out, REST_BASE_MAX, "%s", set);
    else if (host.len && host.len < 200)
        snprintf(out, REST_BASE_MAX, "http%s://%.*s", secure ? "s" : "", AMP_FMT(host));
    else
        snprintf(out, REST_BASE_MAX, "http://%s", c->net ? net_address(c->net) : "localhost");
    len = strlen(out);
    if (len && out[len - 1] == '/')
        out[len - 1] = '\0';
}

static void path_of(const struct file_fact *f, char out[64])
{
    snprintf(out, 64, "/f/%.*s", AMP_FMT(f->token));
}

static void shape_file(struct amp_json *w, const struct central *c, const struct file_fact *f)
{
    char path[64];

    path_of(f, path);
    amp_json_open(w, '{');
    shape_int(w, "id", f->key);
    shape_text(w, "name", f->name);
    amp_json_key(w, "state");
    amp_json_str(w, states[f->state]);
    amp_json_key(w, "origin");
    amp_json_str(w, f->origin == FILE_UPLOADED ? "uploaded" : "reported");
    shape_int(w, "size", f->size);
    shape_text(w, "type", f->type);
    shape_text(w, "sha256", f->sha256);
    shape_text(w, "note", f->note);
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    if (f->command)
        shape_int(w, "command", f->command);
    shape_text(w, "by", f->by);
    amp_json_key(w, "path");
    amp_json_str(w, path);
    shape_time(w, "createdAt", f->created_ms);
    shape_time(w, "storedAt", f->stored_ms);
    if (f->state == FILE_EXPECTED)
        shape_time(w, "expiresAt", f->expires_ms);
    amp_json_close(w, '}');
}

/* ---- people ---- */

static void answer(struct rest_call *call)
{
    const struct file_fact *f = files_get(call->c->files, call->key);

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    if (!f) {
        rest_absent(call, "file", rest_param(call, 0));
        return;
    }
    shape_file(rest_begin(call), call->c, f);
    rest_send(call, call->route->status);
}

void rest_list_files(struct rest_call *call)
{
    int64_t charger = 0, limit = 100, before = INT64_MAX, next = 0, count = 0;
    const struct file_fact *f;
    struct amp_json *w;
    size_t i = 0;

    if (!rest_query_charger(call, &charger) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    while (files_at(call->c->files, i))
        i++;
    w = rest_list(call, live_seq(call->c->live));
    while (i-- > 0) {
        f = files_at(call->c->files, i);
        if (f->key >= before || f->org != call->who.org || (charger && f->charger != charger))
            continue;
        if (count == limit)
            break;
        shape_file(w, call->c, f);
        next = f->key;
        count++;
    }
    rest_list_end(call, count == limit && i != SIZE_MAX ? next : 0);
}

/* The file of the path; NULL: a problem was answered. */
static const struct file_fact *meant(struct rest_call *call)
{
    const struct file_fact *f;

    if (!rest_key(call, &call->key))
        return NULL;
    f = files_get(call->c->files, call->key);
    if (f && f->org == call->who.org)
        return f;
    rest_absent(call, "file", rest_param(call, 0));
    return NULL;
}

void rest_get_file(struct rest_call *call)
{
    if (meant(call))
        answer(call);
}

static void not_there(struct rest_call *call, const struct file_fact *f)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 409,
                                         .kind = "not-there-yet",
                                         .title = "The file has not come yet",
                                         .cure = "Look at the command that asked for it." },
                 "Command %lld asked for file %lld.", (long long)f->command, (long long)f->key);
}

void rest_get_file_content(struct rest_call *call)
{
    const struct file_fact *f = meant(call);

    if (f && f->state == FILE_READY)
        rest_deliver(call, f);
    else if (f)
        not_there(call, f);
}

static void deleted(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

void rest_delete_file(struct rest_call *call)
{
    const struct file_fact *f = meant(call);
    struct file_fact gone;

    if (!f)
        return;
    gone = *f;
    gone.state = FILE_DELETED;
    shape_file(rest_was(call), call->c, f);
    rest_audit(call, &(struct rest_change){ .action = "delete",
                                            .kind = "file",
                                            .thing = rest_param(call, 0),
                                            .charger = f->charger });
    files_put(call->c->files, &gone);
    rest_after(call, deleted);
}

static void uploaded(struct rest_call *call, uint64_t size, struct amp_text sha256)
{
    struct file_fact f = call->file->u.file;
    char id[24];

    f.size = (int64_t)size;
    f.sha256 = sha256;
    f.stored_ms = rest_now(call);
    f.state = FILE_READY;
    snprintf(id, sizeof id, "%lld", (long long)f.key);
    shape_file(rest_is(call), call->c, &f);
    rest_audit(call, &(struct rest_change){
                         .action = "create", .kind = "file", .thing = amp_text_of(id) });
    files_put(call->c->files, &f);
    rest_after(call, answer);
}

void rest_upload_file(struct rest_call *call)
{
    struct fact new = { .kind = FACT_FILE };
    struct file_fact *f = &new.u.file;
    char name[256], note[256] = "", token[FILES_TOKEN_MAX];

    if (!rest_query(call, "name", name, sizeof name) || !*name) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 400,
                                             .kind = "bad-parameter",
                                             .title = "The file needs a name",
                                             .field = "name",
                                             .cure = "Give it as ?name=…, at most 250 bytes." },
                     "No name was given.");
        return;
    }
    rest_query(call, "note", note, sizeof note);
    *f = (struct file_fact){ .org = call->who.org,
                             .origin = FILE_UPLOADED,
                             .state = FILE_EXPECTED,
                             .name = amp_text_of(name),
                             .type = amp_http_get(call->head, "Content-Type"),
                             .note = *note ? amp_text_of(note) : AMP_NO_TEXT,
                             .by = amp_text_of(call->who.name),
                             .created_ms = rest_now(call) };
    files_reserve(call->c->files, f, token);
    call->key = f->key;
    call->file = fact_copy(&new);
    rest_receive(call, f->key, uploaded);
}

/* ---- stations ---- */

static void no_such(struct rest_call *call)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 404,
                                         .kind = "not-found",
                                         .title = "Not found",
                                         .cure = "Use the address of the command." },
                 "Nothing is served here.");
}

void rest_fetch_file(struct rest_call *call)
{
    const struct file_fact *f = files_by_token(call->c->files, rest_param(call, 0));

    if (f && f->origin == FILE_UPLOADED && f->state == FILE_READY)
        rest_deliver(call, f);
    else
        no_such(call);
}

static void thanked(struct rest_call *call)
{
    rest_empty(call, 201, "");
}

static void brought(struct rest_call *call, uint64_t size, struct amp_text sha256)
{
    const struct file_fact *old = files_get(call->c->files, call->key);
    struct file_fact f;

    if (!old || old->state != FILE_EXPECTED) { /* deleted meanwhile */
        no_such(call);
        return;
    }
    f = *old;
    f.size = (int64_t)size;
    f.sha256 = sha256;
    f.state = FILE_READY;
    f.stored_ms = rest_now(call);
    f.type = call->file->u.file.type;
    if (rest_param(call, 1).len)
        f.name = rest_param(call, 1);
    files_put(call->c->files, &f);
    world_command_effect(call->c->world, f.command, rest_now(call));
    rest_after(call, thanked);
}

void rest_bring_file(struct rest_call *call)
{
    const struct file_fact *f = files_by_token(call->c->files, rest_param(call, 0));
    struct fact with = { .kind = FACT_FILE };

    if (!f || f->origin != FILE_REPORTED) {
        no_such(call);
        return;
    }
    if (f->state != FILE_EXPECTED || f->expires_ms <= rest_now(call)) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 410,
                                             .kind = "used",
                                             .title = "This address takes nothing any more",
                                             .cure = "Wait for another command." },
                     "The file was brought already, or its time is over.");
        return;
    }
    with.u.file.type = amp_http_get(call->head, "Content-Type");
    call->key = f->key;
    call->file = fact_copy(&with);
    rest_receive(call, f->key, brought);
}
