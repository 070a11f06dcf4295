/* central/rest/problem.c - what went wrong, for people and programs. RFC 9457. Says the field and
 * the cure, carries the request's id, and tells nothing about our inside. */
#include "central/rest/call.h"
#include <stdio.h>

void rest_problem(struct rest_call *call, const struct rest_problem *p, const char *detail, ...)
{
    struct rest *r = call->rest;
    char text[512], type[96];
    struct amp_json w;
    va_list args;

    if (!r || !call->owned.conn) {
        rest_drop(call);
        return;
    }
    r->problems++;
    va_start(args, detail);
    vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    snprintf(type, sizeof type, "urn:amperstand:problem:%s", p->kind);
    amp_buf_reset(&r->out);
    amp_json_init(&w, &r->out);
    amp_json_open(&w, '{');
    amp_json_key(&w, "type");
    amp_json_str(&w, type);
    amp_json_key(&w, "title");
    amp_json_str(&w, p->title);
    amp_json_key(&w, "status");
    amp_json_int(&w, p->status);
    amp_json_key(&w, "detail");
    amp_json_str(&w, text);
    if (p->field) {
        amp_json_key(&w, "field");
        amp_json_str(&w, p->field);
    }
    if (p->cure) {
        amp_json_key(&w, "cure");
        amp_json_str(&w, p->cure);
    }
    amp_json_key(&w, "instance");
    amp_json_str(&w, call->path);
    amp_json_key(&w, "id");
    amp_json_str(&w, call->id);
    amp_json_close(&w, '}');
    rest_reply(call, p->status, "application/problem+json", p->headers ? p->headers : "", r->out.at,
               r->out.len);
}

/* The cure for each way in which a body can be wrong. */
static const struct {
    int rc, status;
    const char *kind, *title, *cure;
} faults[] = {
    /* clang-format off */
    { AMP_E_FORMAT, 400, "not-json", "This is not the JSON that is expected",
      "Send one JSON object with the fields of the API description." },
    { AMP_E_UTF8, 400, "not-utf8", "The text is not UTF-8",
      "Encode the request as UTF-8." },
    { AMP_E_DEPTH, 400, "too-deep", "The JSON is nested too deeply",
      "Send the fields of the API description." },
    { AMP_E_MISSING, 422, "missing-field", "A field is missing",
      "Add the field." },
    { AMP_E_COUNT, 422, "bad-count", "A list is too short or too long",
      "Change the number of its elements." },
    { AMP_E_TYPE, 422, "bad-type", "A field has the wrong type",
      "Give the type of the API description." },
    { AMP_E_VALUE, 422, "bad-value", "A field has a value that is not allowed",
      "Give one of the allowed values." },
    { AMP_E_FULL, 413, "too-large", "The request is too large",
      "Send less at once." },
    { AMP_E_UNKNOWN, 422, "unknown-action", "No such action",
      "Use an action of the station's OCPP version." },
    { AMP_E_SUPPORT, 422, "wrong-direction", "A central system does not send this action",
      "Use an action that stations answer." },
    /* clang-format on */
};

void rest_fault(struct rest_call *call, int rc, const struct amp_fault *fault, const char *what)
{
    for (size_t i = 0; i < AMP_COUNT(faults); i++)
        if (faults[i].rc == rc) {
            const char *path = fault && fault->path[0] ? fault->path : what;
            char why[256] = "";
            struct amp_buf b;

            amp_buf_init(&b, why, sizeof why - 1);
            amp_fault_why(&b, fault, rc);

            rest_problem(call,
                         &(struct rest_problem){ .status = faults[i].status,
                                                 .kind = faults[i].kind,
                                                 .title = faults[i].title,
                                                 .field = path,
                                                 .cure = faults[i].cure },
                         "%s: %s", path, why);
            return;
        }
    rest_problem(call,
                 &(struct rest_problem){ .status = 500,
                                         .kind = "internal",
                                         .title = "This should not have happened",
                                         .cure = "Report the id to whoever runs this server." },
                 "The request could not be handled.");
}

void rest_absent(struct rest_call *call, const char *what, struct amp_text name)
{
    rest_problem(call,
                 &(struct rest_problem){
                     .status = 404,
                     .kind = "not-found",
                     .title = "Not found",
                     .cure = "Look at the list of the collection for what exists." },
                 "There is no %s \"%.*s\".", what, AMP_FMT(name));
}
