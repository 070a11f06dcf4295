/* central/store/shape.h - readings in fewer bytes. The samples of a meter say the same each minute but
 * for a few values: the rest is kept once, as a shape, and a reading keeps the values. What comes back
 * is what was put, to the letter: nothing is understood, only cut out and put in again.
 *
 *   [{"value":"1234","unit":"Wh"},{"value":"230.1","measurand":"Voltage"}]
 *   shape   [{"value":"~","unit":"Wh"},{"value":"~","measurand":"Voltage"}]     ~ is a byte that JSON has not
 *   kept    ~KEY~1234~230.1
 *
 * A shape is taken up when it comes for the second time, so that a station that never repeats itself
 * fills no dictionary; and of at most so many. Its key is made of its content, so that several
 * processes need not agree. */
#ifndef CENTRAL_STORE_SHAPE_H
#define CENTRAL_STORE_SHAPE_H

#include "central/domain/fact.h"
#include "ocpp/buf.h"

#define SHAPES_MAX      8192
#define SHAPE_BYTES_MAX 8192 /* longer ones are kept as they are */

struct shapes; /* may be used by several threads */
struct shapes *shapes_new(void);
void shapes_free(struct shapes *s);

/* Samples to what is to be kept; it lives until the next call, and only one thread calls. Where
 * nothing is gained that is the samples. `fresh`: a shape that must be stored before the reading;
 * its kind is 0 if none; lives as long. */
struct amp_text shapes_pack(struct shapes *s, struct amp_text samples, struct fact *fresh);

/* What was kept back to samples, appended to `out`. 0; AMP_E_ABSENT: shape *key is not known here:
 * look it up, shapes_learn, and again; AMP_E_CORRUPT: no text of ours. */
int shapes_unpack(struct shapes *s, struct amp_text kept, struct amp_buf *out, int64_t *key);
void shapes_learn(struct shapes *s, const struct shape_fact *f);
/* Is there anything to unpack? */
bool shapes_packed(struct amp_text kept);

#endif
