/* station/tags.h - tags and what is known of them, packed: how the local list and the cache keep them, in RAM and in the journal.
 *
 * An entry is u8 length of the tag << 3 | status, u8 length of the parent | 0x80 with expiry, the tag, the parent, u32 expiry in Unix
 * seconds: 10 bytes for a card of four bytes written as hex, AMP_TAG_PACKED_MAX at most. Status 0 is an entry to be deleted. */
#ifndef AMP_TAGS_H
#define AMP_TAGS_H

#include "ocpp/err.h"
#include "ocpp/text.h"
#include "station/limits.h"

#define AMP_TAG_CAP (20 + 1)

struct amp_tag_info {
    uint8_t status; /* enum amp_auth_status; 0: unknown tag */
    char parent[AMP_TAG_CAP];
    bool has_expiry;
    int64_t expiry_ms;
};

/* Entries in memory that the owner has; the oldest stands first. */
struct amp_tags {
    uint8_t *at;
    uint16_t cap, used, count;
};

/* Bytes written; 0: no tag, or one that is too long. An expiry is rounded down to seconds. */
size_t amp_tag_pack(uint8_t out[AMP_TAG_PACKED_MAX], struct amp_text tag, const struct amp_tag_info *info);
/* Bytes of the entry at `at`; 0: there is no whole one in `left` bytes. */
size_t amp_tag_size(const uint8_t *at, size_t left);
struct amp_text amp_tag_name(const uint8_t *at);
void amp_tag_unpack(const uint8_t *at, struct amp_tag_info *info);

int amp_tags_find(const struct amp_tags *t, struct amp_text tag); /* offset, or -1; tags compare without case */
void amp_tags_remove(struct amp_tags *t, unsigned offset);
int amp_tags_add(struct amp_tags *t, const uint8_t *entry, size_t size) AMP_CHECKED; /* as the newest; AMP_E_FULL */

#endif
