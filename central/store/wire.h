/* central/store/wire.h - facts as bytes, from one node to another: in the change feed and over
 * Redis. The columns of table.c in their order, integers as variable-length numbers, texts with
 * their length. Both ends have the same schema: who reads looks at wire_version first. */
#ifndef CENTRAL_STORE_WIRE_H
#define CENTRAL_STORE_WIRE_H

#include "central/domain/fact.h"
#include "ocpp/buf.h"

/* Number of the schema; facts of another one are not to be read. */
int wire_version(void);
/* Append one fact. `out` grows, or is full. */
void wire_put(struct amp_buf *out, const struct fact *f);
/* Take one fact from the start of `in`; its texts point into it. False: nothing left, or broken. */
bool wire_get(struct amp_text *in, struct fact *f);

/* What makes a fact the same thing as another of its kind: a hash of its key; 0 for a history,
 * and for what adds up. */
uint64_t wire_key(const struct fact *f);
/* The charger whose owner alone may say this; 0: anybody may, and the last one counts. */
int64_t wire_station(const struct fact *f);

#endif
