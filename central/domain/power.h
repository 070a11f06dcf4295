/* central/domain/power.h - energy and power over time, a quarter of an hour each: of every charger,
 * and of the whole organisation as charger 0. Each change leaves as a FACT_POWER that says what is
 * added, so that late readings, several processes and corrections all add up. */
#ifndef CENTRAL_POWER_H
#define CENTRAL_POWER_H

#include "central/domain/fact.h"

struct world;
struct charger;
struct transaction;

/* A charger delivered `wh` evenly between two moments (of corrections: took back, when below 0). */
void power_energy(struct world *w, const struct charger *c, int64_t wh, int64_t from_ms,
                  int64_t to_ms);
/* The power of a running transaction is now this; at_ms is the reading's time. What is late does not
 * count for the highest power of the organisation: nobody knows what the others drew then. */
void power_level(struct world *w, struct transaction *t, int64_t power_w, int64_t at_ms,
                 int64_t now_ms);
/* An open transaction comes or goes: its power counts, or no longer. */
void power_joins(struct world *w, const struct transaction *t);
void power_leaves(struct world *w, const struct transaction *t);
/* Sum of the newest powers of an organisation. */
int64_t power_now(const struct world *w, int64_t org);

#endif
