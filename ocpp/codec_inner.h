/* ocpp/codec_inner.h - what the parts of the codec have in common: codec.c, the fast reader,
 * codec_odd.c, the patient one, codec_write.c and codec_words.c. Private. */
#ifndef AMP_CODEC_INNER_H
#define AMP_CODEC_INNER_H

#include "ocpp/codec_table.h"
#include "ocpp/json_scan.h"

struct amp_reader {
    const char *end;
    struct amp_arena *arena;
    struct amp_fault *fault; /* never NULL */
    struct amp_decode report;
    int depth;   /* objects and lists that are open */
    uint8_t set; /* which field list of a record: 1 for OCPP 2.1 */
    bool lax;
};

/* Always NULL, so that a reader can return it. */
const char *amp_read_fail(struct amp_reader *d, int rc, const char *why);
const char *amp_read_no_word(struct amp_reader *d, const struct amp_enum *e);

/* A value was repaired. */
static inline void amp_repaired(struct amp_reader *d, enum amp_repair kind)
{
    d->report.repairs++;
    d->report.kinds |= (uint16_t)(1u << kind);
}

/* Put `name` and, unless negative, [index] in front of the path: faults find their place on the way
 * out. */
void amp_fault_prepend(struct amp_fault *fault, const char *name, int64_t index);

/* Only A-Za-z0-9*-_=:+|@. */
bool amp_is_id(struct amp_text t);

/* customData: an object with vendorId. 0 or an error with `fault` filled. `json` is sound. */
int amp_check_custom(struct amp_text json, struct amp_fault *fault);

/* How a value that the fast reader does not take is to be treated. Both get `p` at the first byte
 * of the value and return the byte behind it. `home` is that of the record; `in_list` says that the
 * field is a list and this is one of its elements. *absent: the value says nothing (null, or an
 * empty text) and nothing was stored. */
const char *amp_read_odd(struct amp_reader *d, const char *p, const struct amp_field *f,
                         const struct amp_home *home, void *slot, bool in_list, bool *absent);

/* Value of a word, 0 if it is none. At least `len` bytes are readable behind `at`, and all up to
 * `end`. */
unsigned amp_word_find(const struct amp_enum *e, const char *at, uint32_t len, const char *end);

struct amp_list {
    void *at;
    uint32_t len;
};

/* Store an enum in as many bytes as the compiler gave it. */
static inline void amp_store_enum(void *slot, unsigned size, unsigned value)
{
    if (size == sizeof(uint32_t)) {
        uint32_t v = value;

        memcpy(slot, &v, sizeof v);
    } else if (size == sizeof(uint16_t)) {
        uint16_t v = (uint16_t)value;

        memcpy(slot, &v, sizeof v);
    } else {
        *(uint8_t *)slot = (uint8_t)value;
    }
}

static inline unsigned amp_load_enum(const void *slot, unsigned size)
{
    uint32_t v = 0;
    uint16_t w;

    if (size == sizeof v) {
        memcpy(&v, slot, sizeof v);
        return v;
    }
    if (size != sizeof w)
        return *(const uint8_t *)slot;
    memcpy(&w, slot, sizeof w);
    return w;
}

static inline void amp_store_text(void *slot, const char *at, uint32_t len)
{
    struct amp_text t = { at, len };

    memcpy(slot, &t, sizeof t);
}

#endif
