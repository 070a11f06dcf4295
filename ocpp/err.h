/* ocpp/err.h - every error of the tree, listed once, with its text and its name on the wire.
 * Functions return 0 (or a count) or one of these. OCPP-J 1.6 §4.2.3, OCPP 2.0.1 part 4 §4.3. */
#ifndef AMP_ERR_H
#define AMP_ERR_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define AMP_CHECKED      __attribute__((warn_unused_result))
#define AMP_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define AMP_CHECKED
#define AMP_PRINTF(f, a)
#endif
#define AMP_COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum amp_err {
    AMP_OK = 0,
    /* what the peer sent: each has an OCPP error code of its own */
    AMP_E_FORMAT = -1,    /* not JSON, no object, key twice, lone surrogate, broken structure */
    AMP_E_MISSING = -2,   /* a required field is absent or null */
    AMP_E_COUNT = -3,     /* a list is too short or too long */
    AMP_E_TYPE = -4,      /* wrong JSON type, or a text that is no time or number */
    AMP_E_VALUE = -5,     /* not in the enum, too long, out of range, NUL in a text */
    AMP_E_DEPTH = -6,     /* nested deeper than AMP_DEPTH_MAX */
    AMP_E_UTF8 = -7,      /* broken UTF-8: closes the WebSocket with 1007 */
    AMP_E_FRAME = -8,     /* JSON, but no OCPP-J frame */
    AMP_E_KIND = -9,      /* unknown message type number */
    AMP_E_UNKNOWN = -10,  /* unknown action */
    AMP_E_SUPPORT = -11,  /* known action, wrong direction or switched off */
    AMP_E_SECURITY = -12, /* not now: message before the station is accepted */
    AMP_E_PROTOCOL = -13, /* WebSocket or HTTP rules broken */
    /* our side and our callers */
    AMP_E_FULL = -20,    /* no room: buffer, arena, queue; nothing changed */
    AMP_E_RANGE = -21,   /* an argument that does not exist here (connector, index) */
    AMP_E_STATE = -22,   /* not possible in this state */
    AMP_E_BUSY = -23,    /* one is in flight already */
    AMP_E_IO = -24,      /* storage or socket failed */
    AMP_E_ABSENT = -25,  /* no such thing */
    AMP_E_TIMEOUT = -26, /* no answer in time */
    AMP_E_SIZE = -27,    /* larger than the limit for its kind */
    AMP_E_AUTH = -28,    /* who are you */
    AMP_E_CORRUPT = -29, /* stored data that fails its check */
    AMP_E_INTERNAL = -30 /* our mistake */
};

enum amp_version { AMP_OCPP16 = 0, AMP_OCPP201 = 1, AMP_OCPP21 = 2 };

#define AMP_PATH_MAX 96

/* What a decoder or an encoder objects to: the kind, and where. `path` reads like
 * "meterValue[0].timestamp"; `why` is a constant text such as "not a time". Of a word that is none of
 * the allowed ones, `words` has those, the first `count` of them: amp_fault_why (ocpp/codec.h). */
struct amp_enum;
struct amp_fault {
    int rc;
    char path[AMP_PATH_MAX];
    const char *why;
    const struct amp_enum *words; /* NULL: it is not about a word */
    unsigned count;
};

/* "a required field is absent": for people. Never NULL. */
const char *amp_err_text(int rc);

/* The OCPP error code for `rc` as `v` spells it ("OccurenceConstraintViolation" in 1.6). Errors of
 * our own side are InternalError. Never NULL. */
const char *amp_err_code(int rc, enum amp_version v);

#endif
