/* central/rest/cells.h - one row of a history as a line of a file: NDJSON as the API shows it, CSV
 * (RFC 4180) for spreadsheets. Inside central/rest, and for the archive. */
#ifndef CENTRAL_REST_CELLS_H
#define CENTRAL_REST_CELLS_H

#include "central/central.h"

/* Can rows of this kind be written? */
bool cells_known(enum fact_kind kind);
/* The line of names, with its end. */
void cells_csv_head(enum fact_kind kind, struct amp_buf *out);
/* One row, with its end. A text that a spreadsheet would take for a formula gets an apostrophe. */
void cells_csv(const struct central *c, const struct fact *f, int64_t id, struct amp_buf *out);
/* One JSON object and a line feed. `org`: with the organisation's number, for the archive; a history
 * does not have it in its fact, so it is that of the charger now. */
void cells_ndjson(const struct central *c, const struct fact *f, int64_t id, bool org,
                  struct amp_buf *out);

#endif
