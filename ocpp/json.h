/* ocpp/json.h - JSON writing for REST, logs and live events, and a skipping reader. Message structs
 * go through codec.h. */
#ifndef AMP_JSON_H
#define AMP_JSON_H

#include "ocpp/buf.h"
#include "ocpp/dec.h"

/* Writer: commas by itself. Nesting up to 32.
 *   amp_json_open(&w, '{'); amp_json_key(&w, "id"); amp_json_text(&w, id); amp_json_close(&w, '}');
 * Overflow shows in out->full. */
struct amp_json {
    struct amp_buf *out;
    bool comma; /* the next value needs one in front */
};

void amp_json_init(struct amp_json *w, struct amp_buf *out);
void amp_json_open(struct amp_json *w, char bracket);
void amp_json_close(struct amp_json *w, char bracket);
void amp_json_key(struct amp_json *w, const char *key);
/* Absent is null; what is no UTF-8 becomes U+FFFD. */
void amp_json_text(struct amp_json *w, struct amp_text t);
void amp_json_str(struct amp_json *w, const char *s); /* NULL is null */
void amp_json_int(struct amp_json *w, int64_t v);
void amp_json_bool(struct amp_json *w, bool v);
void amp_json_null(struct amp_json *w);
void amp_json_dec(struct amp_json *w, struct amp_dec d);
void amp_json_time(struct amp_json *w, int64_t ms);          /* text; 0 is null */
void amp_json_raw(struct amp_json *w, struct amp_text json); /* sound JSON, inserted as it is */

/* The quoted, escaped form alone, without comma logic. */
void amp_json_quote(struct amp_buf *out, struct amp_text t);

/* Checks that `t` is exactly one sound JSON value (blanks around allowed) under the rules of the
 * decoder: UTF-8, unique keys, depth, no lone surrogates, no NUL. 0 or an error with `fault` filled
 * (may be NULL). */
int amp_json_check(struct amp_text t, struct amp_fault *fault);

#endif
