/* central/rest/shapes.h - facts as the JSON of api.def: the same for answers and for live events.
 * What is unknown is left out. */
#ifndef CENTRAL_REST_SHAPES_H
#define CENTRAL_REST_SHAPES_H

#include "central/central.h"
#include "ocpp/json.h"

/* Members of an object; absent texts, zero times and negative ages write nothing. */
void shape_text(struct amp_json *w, const char *key, struct amp_text t);
void shape_time(struct amp_json *w, const char *key, int64_t ms);
void shape_int(struct amp_json *w, const char *key, int64_t v);

/* Identity of a charger by key; absent when there is none. */
struct amp_text shape_charger_id(const struct central *c, int64_t key);
/* "connected", "stale" or "offline". */
const char *shape_connection(int connection);
/* Command states as one word: "timed_out". `out` holds 16 bytes. */
const char *shape_command_state(int state, char out[16]);
/* "CALL", "CALLRESULT" ... */
const char *shape_frame_type(int type);
/* "zombie" for one of enum transaction_flag; NULL for what is none. */
const char *shape_transaction_flag(uint32_t bit);

/* Each writes one object. */
/* The charger with its connectors and what runs on them, as of now. */
void shape_charger(struct amp_json *w, const struct central *c, const struct charger *ch,
                   int64_t now_ms);
/* The same from the fact alone, for events. */
void shape_charger_fact(struct amp_json *w, const struct charger_fact *f, int64_t now_ms);
void shape_connector_fact(struct amp_json *w, const struct central *c,
                          const struct connector_fact *f, int64_t now_ms);
/* `last` may be NULL: the newest reading, as "numbers". */
void shape_transaction(struct amp_json *w, const struct central *c,
                       const struct transaction_fact *f, const struct reading_fact *last);
void shape_reading(struct amp_json *w, const struct central *c, const struct reading_fact *f);
/* All but its samples, without the braces. */
void shape_reading_members(struct amp_json *w, const struct central *c,
                           const struct reading_fact *f);
/* id 0: none. A payload longer than `payload_max` is replaced by its length. */
void shape_message(struct amp_json *w, const struct central *c, const struct message_fact *f,
                   int64_t id, size_t payload_max);
void shape_command(struct amp_json *w, const struct central *c, const struct command_fact *f);
void shape_reservation(struct amp_json *w, const struct central *c, const struct reservation_fact *f);
void shape_charger_list(struct amp_json *w, const struct central *c,
                        const struct charger_list_fact *f);
void shape_installed(struct amp_json *w, const struct central *c, const struct installed_fact *f);
void shape_tag(struct amp_json *w, const struct tag_fact *f);
void shape_user(struct amp_json *w, const struct user_fact *f);

#endif
