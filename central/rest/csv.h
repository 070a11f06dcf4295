/* central/rest/csv.h - comma separated values, RFC 4180: what spreadsheets write and read. */
#ifndef CENTRAL_REST_CSV_H
#define CENTRAL_REST_CSV_H

#include "ocpp/arena.h"
#include "ocpp/buf.h"

#define CSV_FIELDS_MAX 16

/* One field, quoted where it has to be; absent is empty. `first`: no comma in front. */
void csv_put(struct amp_buf *out, bool first, struct amp_text field);
void csv_end(struct amp_buf *out); /* of the row */

struct csv {
    struct amp_text rest;    /* what was not read yet */
    struct amp_arena *arena; /* for fields with a quote in them */
    char separator;          /* a comma, or the semicolon or tab that the first row uses */
    uint32_t row;            /* of the fields, counted from 1 as a spreadsheet does */
    struct amp_text fields[CSV_FIELDS_MAX];
    unsigned count;
};

/* A byte order mark is skipped. */
void csv_open(struct csv *c, struct amp_text text, struct amp_arena *arena);
/* The next row that is not blank. 1; 0 at the end; AMP_E_FORMAT: a quote that nobody closes, or
 * text behind a closed one; AMP_E_COUNT: too many fields; AMP_E_FULL: arena. */
int csv_next(struct csv *c);

#endif
