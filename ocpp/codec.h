/* ocpp/codec.h - one pass from JSON text to struct and back, driven by the tables that messages/
 * generates. No tree, no float, no heap: text fields are slices of the input, or of the arena where
 * an escape had to be resolved; lists and optional records come from the arena. The input must stay
 * as long as the struct is used.
 *
 * Generated per protocol P (ocpp16, ocpp2, api) from P.def into "messages/P.h":
 *   enum P_id { OCPP16_AUTHORIZE, ... OCPP16_COUNT }     index into P.messages
 *   struct ocpp16_boot_notification / ..._reply          one field a wire field, snake_case
 *   enum ocpp16_measurand { OCPP16_MEASURAND_... }       from 1; 0 is absent; the unknown value of
 *       an open enum is the last one, OCPP16_MEASURAND_OTHER_, which is never sent
 *   const struct amp_record ocpp16_meter_value_record    the table of each struct
 *   const struct amp_enum ocpp16_measurand_names         the wire names of each enum
 *   const struct amp_protocol ocpp16
 *
 * Presence: text absent is at == NULL, enum 0, list len 0, optional record NULL pointer; optional
 * numbers, booleans and times have a bit in the struct's first member `uint32_t has`:
 * OCPP16_HAS_METER_VALUES_TRANSACTION_ID (the 33rd and later in `has2`). A default is not filled
 * in: absent stays absent, the comment of the field names it.
 *
 * C types: int/nat/pos int64_t, dec and dec1 struct amp_dec, bool bool, time int64_t (Unix ms), all
 * texts and `any` struct amp_text, list struct { T *at; uint32_t len; }. What is an enum in 2.0.1
 * and free text in 2.1 is a text, what is an integer in 2.0.1 and a decimal in 2.1 a decimal; the
 * codec holds them to the version in use. */
#ifndef AMP_CODEC_H
#define AMP_CODEC_H

#include "ocpp/arena.h"
#include "ocpp/buf.h"
#include "ocpp/dec.h"
#include "ocpp/err.h"
#include "ocpp/text.h"

#define AMP_DEPTH_MAX 32

struct amp_record; /* the table of one struct; private, see codec_table.h */
struct amp_enum;   /* wire names of one enum */

enum amp_direction { AMP_UP = 1, AMP_DOWN = 2 }; /* station to central system; both is 3 */

struct amp_message {
    const char *name;    /* "BootNotification" */
    const char *file;    /* "boot_notification" */
    const char *profile; /* "core", "firmware", "smartcharging", ... */
    uint8_t id;          /* enum P_id */
    uint8_t direction;   /* enum amp_direction bits */
    uint8_t versions;    /* bit (1 << enum amp_version) */
    const struct amp_record *request;
    const struct amp_record *reply;    /* NULL: never answered (2.1 SEND) */
    uint16_t request_size, reply_size; /* sizeof the structs */
};

struct amp_protocol {
    const char *name;
    const struct amp_message *messages; /* in the order of enum P_id */
    unsigned count;
    const uint8_t *slots; /* hash table over the names; private */
    unsigned slot_mask;
};

/* How forgiving the decoder is. The network uses AMP_LENIENT, comparisons with the schemas
 * AMP_STRICT. */
enum amp_codec_mode { AMP_LENIENT = 0, AMP_STRICT = 1 };

/* What was repaired; names in amp_repair_name. */
enum amp_repair {
    AMP_REPAIR_EMPTY,  /* null or an empty text for an optional field: left out */
    AMP_REPAIR_NUMBER, /* a number in a text */
    AMP_REPAIR_TEXT,   /* a number where a text belongs */
    AMP_REPAIR_BOOL,   /* true or false in a text */
    AMP_REPAIR_TIME,   /* a time in another notation */
    AMP_REPAIR_WORD,   /* a word that the standard does not know, or with blanks around */
    AMP_REPAIR_LENGTH, /* a text over its limit */
    AMP_REPAIR_LIST,   /* one object for a list, or a list with too few elements */
    AMP_REPAIR_OBJECT, /* null or [] for {} */
    AMP_REPAIRS
};
const char *amp_repair_name(enum amp_repair kind); /* "empty", "number" ... */

struct amp_decode {          /* optional report of what was tolerated */
    uint16_t unknown_fields; /* skipped */
    uint16_t repairs;        /* values that were repaired */
    uint16_t kinds;          /* bits 1 << enum amp_repair: what happened at least once */
};

/* Exact, case-sensitive. NULL when unknown. */
const struct amp_message *amp_message_find(const struct amp_protocol *p, struct amp_text name);

/* Decode one JSON object (all of `json`, blanks around allowed) into `out`, the struct of `r`,
 * zeroed first. In lenient mode null and [] stand for {}. 0, or AMP_E_FORMAT, MISSING, COUNT, TYPE,
 * VALUE, DEPTH, UTF8, FULL (arena) with `fault` (may be NULL) filled; `out` is then undefined.
 * `report` may be NULL. */
int amp_decode(const struct amp_record *r, enum amp_version v, enum amp_codec_mode mode,
               struct amp_text json, void *out, struct amp_arena *arena, struct amp_fault *fault,
               struct amp_decode *report) AMP_CHECKED;

/* The same from the start of `*json`, which afterwards begins behind the object: for the frame
 * reader. */
int amp_decode_prefix(const struct amp_record *r, enum amp_version v, enum amp_codec_mode mode,
                      struct amp_text *json, void *out, struct amp_arena *arena,
                      struct amp_fault *fault, struct amp_decode *report) AMP_CHECKED;

/* Write `in` as compact JSON. Strict: refuses (AMP_E_VALUE, MISSING, COUNT) what breaks a limit of
 * version `v`. AMP_E_FULL when `out` is full. After an error what was appended to `out` is
 * meaningless. */
int amp_encode(const struct amp_record *r, enum amp_version v, const void *in, struct amp_buf *out,
               struct amp_fault *fault) AMP_CHECKED;

/* The same with a choice: AMP_LENIENT writes what is there, over any limit, an unknown enum value
 * as "?", and leaves out what is required but absent. For handing on what a peer sent, where
 * nothing may be refused any more. */
int amp_encode_mode(const struct amp_record *r, enum amp_version v, enum amp_codec_mode mode,
                    const void *in, struct amp_buf *out, struct amp_fault *fault) AMP_CHECKED;

/* For logs: like AMP_LENIENT, and secrets print as "***". `out` may get full. */
void amp_describe(const struct amp_record *r, enum amp_version v, const void *in,
                  struct amp_buf *out);

/* Wire name of enum value `value` (1..), "" for 0 or beyond; and back: 0 when unknown. */
const char *amp_enum_name(const struct amp_enum *e, int value);
int amp_enum_find(const struct amp_enum *e, struct amp_text name);

/* For people: why of `fault` (amp_err_text(rc) when it says nothing), with the words that would have
 * been allowed when they are few: "not one of the allowed values: Hard, Soft". */
void amp_fault_why(struct amp_buf *out, const struct amp_fault *fault, int rc);

#endif
