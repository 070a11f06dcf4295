/* ocpp/err.c - the texts and wire names of ocpp/err.h. OCPP-J 1.6 §4.2.3; OCPP 2.0.1 part 4 §4.3.
 */
#include "ocpp/err.h"

struct entry {
    int rc;
    const char *text;
    const char *code16, *code2; /* NULL: InternalError */
};

static const struct entry entries[] = {
    { AMP_OK, "ok", NULL, NULL },
    { AMP_E_FORMAT, "the text is no sound JSON or has the wrong structure", "FormationViolation",
      "FormatViolation" },
    { AMP_E_MISSING, "a required field is absent", "OccurenceConstraintViolation",
      "OccurrenceConstraintViolation" },
    { AMP_E_COUNT, "a list is too short or too long", "OccurenceConstraintViolation",
      "OccurrenceConstraintViolation" },
    { AMP_E_TYPE, "a value has the wrong type", "TypeConstraintViolation",
      "TypeConstraintViolation" },
    { AMP_E_VALUE, "a value is not allowed", "PropertyConstraintViolation",
      "PropertyConstraintViolation" },
    { AMP_E_DEPTH, "nested too deep", "FormationViolation", "FormatViolation" },
    { AMP_E_UTF8, "the text is not UTF-8", "FormationViolation", "FormatViolation" },
    { AMP_E_FRAME, "the message is no OCPP-J frame", "FormationViolation", "RpcFrameworkError" },
    /* 1.6 has no code for it: such frames are not answered */
    { AMP_E_KIND, "unknown message type", "FormationViolation", "MessageTypeNotSupported" },
    { AMP_E_UNKNOWN, "unknown action", "NotImplemented", "NotImplemented" },
    { AMP_E_SUPPORT, "the action is not supported here", "NotSupported", "NotSupported" },
    { AMP_E_SECURITY, "not allowed now", "SecurityError", "SecurityError" },
    { AMP_E_PROTOCOL, "the rules of the protocol are broken", "ProtocolError", "ProtocolError" },
    { AMP_E_FULL, "no room", NULL, NULL },
    { AMP_E_RANGE, "no such number here", NULL, NULL },
    { AMP_E_STATE, "not possible in this state", NULL, NULL },
    { AMP_E_BUSY, "one is under way already", NULL, NULL },
    { AMP_E_IO, "storage or network failed", NULL, NULL },
    { AMP_E_ABSENT, "there is no such thing", NULL, NULL },
    { AMP_E_TIMEOUT, "no answer in time", NULL, NULL },
    { AMP_E_SIZE, "larger than allowed", NULL, NULL },
    { AMP_E_AUTH, "not authenticated", NULL, NULL },
    { AMP_E_CORRUPT, "stored data is damaged", NULL, NULL },
    { AMP_E_INTERNAL, "internal error", NULL, NULL },
};

static const struct entry *find(int rc)
{
    for (size_t i = 0; i < AMP_COUNT(entries); i++)
        if (entries[i].rc == rc)
            return &entries[i];
    return NULL;
}

const char *amp_err_text(int rc)
{
    const struct entry *e = find(rc);

    return e ? e->text : "unknown error";
}

const char *amp_err_code(int rc, enum amp_version v)
{
    const struct entry *e = find(rc);
    const char *code = e ? (v == AMP_OCPP16 ? e->code16 : e->code2) : NULL;

    return code ? code : "InternalError";
}
