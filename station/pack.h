/* station/pack.h - numbers and short texts to bytes and back, little end first: how journal records are written. */
#ifndef AMP_PACK_H
#define AMP_PACK_H

#include "ocpp/buf.h"

/* Writers append to a buffer; overflow shows in out->full. */
void amp_pack_u8(struct amp_buf *out, unsigned v);
void amp_pack_u32(struct amp_buf *out, uint32_t v);
void amp_pack_i32(struct amp_buf *out, int32_t v);
void amp_pack_i64(struct amp_buf *out, int64_t v);
void amp_pack_str(struct amp_buf *out, const char *s); /* at most 255 bytes, length first */

/* Readers take from the front. After the first one that finds too little, `bad` stays set and all give 0. */
struct amp_cut {
    const uint8_t *at;
    size_t left;
    bool bad;
};
unsigned amp_cut_u8(struct amp_cut *in);
uint32_t amp_cut_u32(struct amp_cut *in);
int32_t amp_cut_i32(struct amp_cut *in);
int64_t amp_cut_i64(struct amp_cut *in);
void amp_cut_str(struct amp_cut *in, char *out, size_t cap); /* cut to cap - 1 bytes */

#endif
