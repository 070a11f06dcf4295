/* station/local_list.h - the local authorisation list: tags that the central system sent. OCPP 1.6 §3.5.2, 5.10, 5.15; station-1.6
 * 48, 49, 142-146.
 *
 * Nothing but SendLocalList changes it. An update is written to the journal as one or more records, of which the last makes it true:
 * after a power cut there is the list before or the list after, whole. */
#ifndef AMP_LOCAL_LIST_H
#define AMP_LOCAL_LIST_H

#include "station/journal.h"
#include "station/tags.h"

struct amp_list {
    struct amp_tags tags;
    int64_t version;
    uint32_t update, next_update; /* number of the update that made this list; of the next one */
    uint32_t writing;             /* the one whose records are being written; 0: none */
    uint32_t loading, loading_at; /* the one whose records are being read, and where its first one is */
    uint8_t bytes[AMP_LIST_BYTES];
};

enum amp_list_result { AMP_LIST_ACCEPTED = 1, AMP_LIST_FAILED, AMP_LIST_NOT_SUPPORTED, AMP_LIST_MISMATCH };

void amp_list_init(struct amp_station *st);
/* `packed`: entries of station/tags.h, one behind the other; status 0 deletes. Anything but ACCEPTED leaves the list as it was. */
enum amp_list_result amp_list_update(struct amp_station *st, bool full, int64_t version, const uint8_t *packed, size_t len);
int64_t amp_list_version(const struct amp_station *st);            /* 0: empty; -1: not in use */
unsigned amp_list_max(const struct amp_station *st);               /* entries that always fit: LocalAuthListMaxLength */
bool amp_list_has(const struct amp_station *st, struct amp_text tag); /* false also when the list is not in use */
void amp_list_switched(struct amp_station *st);                    /* LocalAuthListEnabled changed */

void amp_list_load(struct amp_station *st, const struct amp_entry *e);
int amp_list_save(struct amp_station *st);
bool amp_list_keep(struct amp_station *st, const struct amp_entry *e, int thin);

extern const struct amp_tag_source amp_list_source;

#endif
