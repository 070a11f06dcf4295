/* central/rest/openapi.c - GET /api/v1/openapi.json: OpenAPI 3.1, told from the route table and the
 * record tables of api.def, so that it cannot say anything else than what the router and the
 * decoder do. Built at the first request. */
#include "central/rest/openapi.h"
#include "central/rest/routes.h"
#include "ocpp/codec_table.h"
#include <stdio.h>

#include "messages/api.h"

/* Records have no names at run time. One that is missing here fails the test, and is written
 * inline. */
static const struct {
    const char *name;
    const struct amp_record *record;
} records[] = {
    { "Charger", &api_charger_record },
    { "Connector", &api_connector_record },
    { "Transaction", &api_transaction_record },
    { "Numbers", &api_numbers_record },
    { "Reading", &api_reading_record },
    { "Message", &api_message_record },
    { "Command", &api_command_record },
    { "Tag", &api_tag_record },
    { "User", &api_user_record },
    { "Person", &api_person_record },
    { "Reservation", &api_reservation_record },
    { "LocalList", &api_local_list_record },
    { "ChargerList", &api_charger_list_record },
    { "Profile", &api_profile_record },
    { "SchedulePeriod", &api_schedule_period_record },
    { "InstalledProfile", &api_installed_profile_record },
    { "Quirk", &api_quirk_record },
    { "Traits", &api_traits_record },
    { "Group", &api_group_record },
    { "GroupCharger", &api_group_charger_record },
    { "GroupConnector", &api_group_connector_record },
    { "GroupState", &api_group_state_record },
    { "PhaseAmps", &api_phase_amps_record },
    { "ConnectorLimit", &api_connector_limit_record },
    { "Health", &api_health_record },
    { "Problem", &api_problem_record },
    { "Audit", &api_audit_record },
    { "Value", &api_value_record },
    { "Attention", &api_attention_record },
    { "Power", &api_power_record },
    { "Security", &api_security_record },
    { "Password", &api_password_record },
    { "Knocking", &api_knocking_record },
    { "BootRule", &api_boot_rule_record },
    { "ConnectionEvent", &api_connection_event_record },
    { "Refusal", &api_refusal_record },
    { "ConfigurationKey", &api_configuration_key_record },
    { "Certificate", &api_certificate_record },
    { "Authority", &api_authority_record },
    { "CertificateHashData", &api_certificate_hash_data_record },
    { "File", &api_file_record },
    { "Batch", &api_batch_record },
    { "BatchFilter", &api_batch_filter_record },
    { "Subscription", &api_subscription_record },
    { "Event", &api_event_record },
};

static const struct {
    const char *name, *type, *help;
} parameters[] = {
    { "wait", "integer",
      "Hold the answer until the charger has answered, at most this many seconds (60)" },
    { "queue", "integer", "Let the command wait for an offline charger, so many seconds" },
    { "batch", "integer", "Only of this batch" },
    { "name", "string", "Of the file" },
    { "note", "string", "What the file is for" },
    { "force", "boolean", "Though an update runs already" },
    { "charger", "string", "Only of this charger" },
    { "station", "string", "Only of this identity, known or not" },
    { "state", "string", "Only in this state" },
    { "connector", "integer", "Only of this connector" },
    { "action", "string", "Only this action, such as BootNotification" },
    { "before", "integer", "The `next` of the page before" },
    { "limit", "integer", "Rows of a page, 1 to 1000" },
    { "tag", "string", "Only those that this tag started" },
    { "leave", "boolean", "Leave there what the charger has" },
    { "search", "string", "A part of the name or the note" },
    { "status", "string", "Only with this status" },
    { "parent", "string", "Only of this parent" },
    { "after", "string", "Behind this name: the `next` of the page before" },
    { "open", "boolean", "Only those that run, or only those that ended" },
    { "from", "string", "From this time on, RFC 3339" },
    { "to", "string", "Until this time" },
    { "direction", "string", "received or sent" },
    { "measurand", "string", "Only values of this measurand, such as Voltage, in base units" },
    { "phase", "string", "Only values of this phase, such as L1-N; none: only those without one" },
    { "values", "boolean", "With every value in base units, beside the samples as sent" },
    { "clock", "boolean", "false: without readings that were taken because of the clock" },
    { "step", "integer", "Seconds of a step, a multiple of 900 (900)" },
    { "who", "string", "Only by this login or API key" },
    { "kind", "string", "Only things of this kind: tag, charger, user, transaction" },
    { "thing", "string", "Only the one with this id" },
    { "type", "string", "CALL, CALLRESULT or CALLERROR" },
    { "text", "string", "Payload contains this text" },
    { "errors", "boolean", "Only what we or the station objected to" },
    { "messageId", "string", "Only with this message id: a call and its answer" },
    { "unanswered", "boolean", "Only calls that got no answer" },
    { "transaction", "integer", "Only of this session" },
    { "format", "string", "ndjson (default) or csv" },
    { "topics", "string",
      "Some of chargers,transactions,messages,commands,reservations,load,lists,profiles" },
    { "since", "integer", "Events behind this number; or send Last-Event-ID" },
};

static void member(struct amp_json *w, const char *key, const char *value)
{
    amp_json_key(w, key);
    amp_json_str(w, value);
}

static const char *record_name(const struct amp_record *r)
{
    for (size_t i = 0; i < AMP_COUNT(records); i++)
        if (records[i].record == r)
            return records[i].name;
    return NULL;
}

static void reference(struct amp_json *w, const char *name)
{
    char ref[96];

    snprintf(ref, sizeof ref, "#/components/schemas/%s", name);
    amp_json_open(w, '{');
    member(w, "$ref", ref);
    amp_json_close(w, '}');
}

/* ---- schemas ---- */

static void object_schema(struct amp_json *w, const struct amp_record *r);

static void integer_schema(struct amp_json *w, const struct amp_field *f)
{
    member(w, "type", "integer");
    member(w, "format", f->flags & AMP_F_WIDE ? "int64" : "int32");
    if (f->flags & AMP_F_LOW) {
        amp_json_key(w, "minimum");
        amp_json_int(w, f->low);
    }
    if (f->flags & AMP_F_HIGH) {
        amp_json_key(w, "maximum");
        amp_json_int(w, f->high);
    }
}

static void text_schema(struct amp_json *w, const struct amp_field *f)
{
    member(w, "type", "string");
    if (f->high < INT32_MAX) {
        amp_json_key(w, "maxLength");
        amp_json_int(w, f->high);
    }
    if (f->flags & AMP_F_SECRET)
        member(w, "format", "password");
}

static void enum_schema(struct amp_json *w, const struct amp_enum *e)
{
    member(w, "type", "string");
    amp_json_key(w, "enum");
    amp_json_open(w, '[');
    for (int i = 1; i <= e->count[0]; i++)
        amp_json_str(w, amp_enum_name(e, i));
    amp_json_close(w, ']');
}

/* One value of a field, without its list. */
static void value_schema(struct amp_json *w, const struct amp_record *r, const struct amp_field *f)
{
    const struct amp_record *inner = f->kind == AMP_K_RECORD ? r->home->records[f->ref] : NULL;

    if (inner && record_name(inner)) {
        reference(w, record_name(inner));
        return;
    }
    if (inner) {
        object_schema(w, inner);
        return;
    }
    amp_json_open(w, '{');
    switch ((enum amp_kind)f->kind) {
    case AMP_K_INT:
        integer_schema(w, f);
        break;
    case AMP_K_DEC:
        member(w, "type", "number");
        break;
    case AMP_K_BOOL:
        member(w, "type", "boolean");
        break;
    case AMP_K_TIME:
        member(w, "type", "string");
        member(w, "format", "date-time");
        break;
    case AMP_K_TEXT:
        text_schema(w, f);
        break;
    case AMP_K_ENUM:
        enum_schema(w, r->home->enums[f->ref]);
        break;
    case AMP_K_RECORD:
    case AMP_K_ANY:
    case AMP_K_CUSTOM:
        break;
    }
    amp_json_close(w, '}');
}

static void field_schema(struct amp_json *w, const struct amp_record *r, const struct amp_field *f)
{
    if (!(f->flags & AMP_F_LIST)) {
        value_schema(w, r, f);
        return;
    }
    amp_json_open(w, '{');
    member(w, "type", "array");
    if (f->list_min) {
        amp_json_key(w, "minItems");
        amp_json_int(w, f->list_min);
    }
    amp_json_key(w, "items");
    value_schema(w, r, f);
    amp_json_close(w, '}');
}

static void object_schema(struct amp_json *w, const struct amp_record *r)
{
    const struct amp_field *fields = r->fields[0];
    bool required = false;

    amp_json_open(w, '{');
    member(w, "type", "object");
    amp_json_key(w, "properties");
    amp_json_open(w, '{');
    for (int i = 0; i < r->count[0]; i++) {
        amp_json_key(w, r->home->names + fields[i].name);
        field_schema(w, r, &fields[i]);
        required = required || fields[i].flags & AMP_F_REQUIRED;
    }
    amp_json_close(w, '}');
    if (required) {
        amp_json_key(w, "required");
        amp_json_open(w, '[');
        for (int i = 0; i < r->count[0]; i++)
            if (fields[i].flags & AMP_F_REQUIRED)
                amp_json_str(w, r->home->names + fields[i].name);
        amp_json_close(w, ']');
    }
    amp_json_close(w, '}');
}

/* ---- operations ---- */

static void parameter(struct amp_json *w, const char *in, struct amp_text name, const char *type,
                      const char *help)
{
    amp_json_open(w, '{');
    amp_json_key(w, "name");
    amp_json_text(w, name);
    member(w, "in", in);
    if (!strcmp(in, "path")) {
        amp_json_key(w, "required");
        amp_json_bool(w, true);
    }
    if (help)
        member(w, "description", help);
    amp_json_key(w, "schema");
    amp_json_open(w, '{');
    member(w, "type", type);
    amp_json_close(w, '}');
    amp_json_close(w, '}');
}

static void put_parameters(struct amp_json *w, const struct rest_route *route)
{
    const char *at;

    amp_json_key(w, "parameters");
    amp_json_open(w, '[');
    for (at = strchr(route->pattern, '{'); at; at = strchr(at, '{')) {
        size_t n = strcspn(++at, "}");

        parameter(w, "path", (struct amp_text){ at, (uint32_t)n }, "string", NULL);
    }
    for (at = route->query; at && *at;) {
        size_t n = strcspn(at, " ");
        struct amp_text name = { at, (uint32_t)n };

        for (size_t i = 0; i < AMP_COUNT(parameters); i++)
            if (amp_text_is(name, parameters[i].name))
                parameter(w, "query", name, parameters[i].type, parameters[i].help);
        at += n + (at[n] == ' ');
    }
    amp_json_close(w, ']');
}

static void content(struct amp_json *w, const char *type)
{
    amp_json_key(w, "content");
    amp_json_open(w, '{');
    amp_json_key(w, type);
    amp_json_open(w, '{');
    amp_json_key(w, "schema");
}

static void content_end(struct amp_json *w)
{
    amp_json_close(w, '}');
    amp_json_close(w, '}');
}

static void put_body(struct amp_json *w, const struct rest_route *route)
{
    const struct amp_message *m = route->message < 0 ? NULL : &api.messages[route->message];

    if (rest_route_raw(route)) {
        amp_json_key(w, "requestBody");
        amp_json_open(w, '{');
        content(w, "application/octet-stream");
        amp_json_open(w, '{');
        member(w, "type", "string");
        member(w, "format", "binary");
        amp_json_close(w, '}');
        content_end(w);
        amp_json_close(w, '}');
    }
    if (!m || !m->request->count[0])
        return;
    amp_json_key(w, "requestBody");
    amp_json_open(w, '{');
    amp_json_key(w, "required");
    amp_json_bool(w, m->request->required[0] != 0);
    content(w, "application/json");
    object_schema(w, m->request);
    content_end(w);
    amp_json_close(w, '}');
}

static void put_response(struct amp_json *w, const struct rest_route *route, int status,
                         const char *text)
{
    char code[8];

    snprintf(code, sizeof code, "%d", status);
    amp_json_key(w, code);
    amp_json_open(w, '{');
    member(w, "description", text);
    if (route->answer || route->message >= 0) {
        content(w, "application/json");
        if (route->answer)
            reference(w, route->answer);
        else
            object_schema(w, api.messages[route->message].reply);
        content_end(w);
    }
    amp_json_close(w, '}');
}

static void put_responses(struct amp_json *w, const struct rest_route *route)
{
    amp_json_key(w, "responses");
    amp_json_open(w, '{');
    put_response(w, route, route->status, route->summary);
    if (route->status == 202)
        put_response(w, route, 200, "The same, answered by the charger already (with ?wait=)");
    amp_json_key(w, "default");
    amp_json_open(w, '{');
    member(w, "description", "What went wrong, and the cure");
    content(w, "application/problem+json");
    reference(w, "Problem");
    content_end(w);
    amp_json_close(w, '}');
    amp_json_close(w, '}');
}

static void operation_id(struct amp_json *w, const struct rest_route *route)
{
    char id[96];
    size_t n = 0;

    amp_json_key(w, "operationId");
    if (route->message >= 0) {
        amp_json_str(w, api.messages[route->message].name);
        return;
    }
    for (const char *p = route->method; *p && n + 1 < sizeof id; p++)
        id[n++] = (char)(*p | 0x20);
    for (const char *p = route->pattern; *p && n + 1 < sizeof id; p++)
        if ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9'))
            id[n++] = *p;
        else if (id[n - 1] != '_')
            id[n++] = '_';
    id[n] = '\0';
    amp_json_str(w, id);
}

static void put_operation(struct amp_json *w, const struct rest_route *route)
{
    char method[8] = "";

    for (size_t i = 0; i + 1 < sizeof method && route->method[i]; i++)
        method[i] = (char)(route->method[i] | 0x20);
    amp_json_key(w, method);
    amp_json_open(w, '{');
    operation_id(w, route);
    member(w, "summary", route->summary);
    if (route->role)
        member(w, "x-role", role_name(route->role));
    amp_json_key(w, "security");
    amp_json_open(w, '[');
    for (int i = 0; route->role && i < 2; i++) {
        amp_json_open(w, '{');
        amp_json_key(w, i ? "cookie" : "bearer");
        amp_json_open(w, '[');
        amp_json_close(w, ']');
        amp_json_close(w, '}');
    }
    amp_json_close(w, ']');
    put_parameters(w, route);
    put_body(w, route);
    put_responses(w, route);
    amp_json_close(w, '}');
}

/* Routes of one path stand together in the document, wherever they stand in the table. */
static void put_paths(struct amp_json *w)
{
    amp_json_key(w, "paths");
    amp_json_open(w, '{');
    for (size_t i = 0; i < rest_route_count; i++) {
        bool met = false;

        for (size_t k = 0; k < i; k++)
            met = met || !strcmp(rest_routes[k].pattern, rest_routes[i].pattern);
        if (met)
            continue;
        amp_json_key(w, rest_routes[i].pattern);
        amp_json_open(w, '{');
        for (size_t k = i; k < rest_route_count; k++)
            if (!strcmp(rest_routes[k].pattern, rest_routes[i].pattern))
                put_operation(w, &rest_routes[k]);
        amp_json_close(w, '}');
    }
    amp_json_close(w, '}');
}

static void put_components(struct amp_json *w)
{
    amp_json_key(w, "components");
    amp_json_open(w, '{');
    amp_json_key(w, "securitySchemes");
    amp_json_open(w, '{');
    amp_json_key(w, "bearer");
    amp_json_open(w, '{');
    member(w, "type", "http");
    member(w, "scheme", "bearer");
    amp_json_close(w, '}');
    amp_json_key(w, "cookie");
    amp_json_open(w, '{');
    member(w, "type", "apiKey");
    member(w, "in", "cookie");
    member(w, "name", PEOPLE_COOKIE);
    amp_json_close(w, '}');
    amp_json_close(w, '}');
    amp_json_key(w, "schemas");
    amp_json_open(w, '{');
    for (size_t i = 0; i < AMP_COUNT(records); i++) {
        amp_json_key(w, records[i].name);
        object_schema(w, records[i].record);
    }
    amp_json_close(w, '}');
    amp_json_close(w, '}');
}

void openapi_write(struct amp_buf *out)
{
    struct amp_json w;

    amp_json_init(&w, out);
    amp_json_open(&w, '{');
    member(&w, "openapi", "3.1.0");
    amp_json_key(&w, "info");
    amp_json_open(&w, '{');
    member(&w, "title", "Amperstand");
    member(&w, "version", AMP_VERSION);
    member(&w, "description",
           "The central system's API. Every path under /api/v1 is also served under /api. Errors "
           "are RFC 9457 problems that name "
           "the field and the cure. Lists carry `seq`, the number of the newest live event they "
           "know of.");
    amp_json_close(&w, '}');
    put_paths(&w);
    put_components(&w);
    amp_json_close(&w, '}');
}

void rest_openapi(struct rest_call *call)
{
    struct amp_buf *b = &call->rest->openapi;

    if (!b->len)
        openapi_write(b);
    rest_reply(call, 200, "application/json", "", b->at, b->len);
}
