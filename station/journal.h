/* station/journal.h - what survives a power cut: an append-only log on the blocks of station/port.h, in two areas.
 *
 * One area is active. Records are appended to it; each carries a CRC32 over its head, its payload and the area's generation, so
 * that neither half a record nor one of an earlier life is ever believed. When the active area is full, the owners write what
 * still counts to the other area, and its head, with the next generation, is written last: that write is the switch. A cut before
 * it leaves the old area as it was, a cut after it finds the new one complete. Nothing is ever changed in place.
 *
 * The journal knows records, not their meaning: the owners do (table in owners.c). */
#ifndef AMP_JOURNAL_H
#define AMP_JOURNAL_H

#include "ocpp/err.h"
#include "ocpp/text.h"
#include "station/limits.h"

struct amp_station;

#define AMP_WRITE_SIZE_MAX 64 /* largest write unit of a device */
#define AMP_THIN_MAX       6  /* levels of thinning, see amp_owner.keep */

/* Numbers on the medium: never reuse one. */
enum amp_entry_type {
    AMP_ENTRY_BOOT = 1,   /* boot counter, was ever accepted */
    AMP_ENTRY_CLOCK = 2,  /* when a boot began, in Unix time */
    AMP_ENTRY_CONFIG = 3, /* one configuration key */
    AMP_ENTRY_AVAIL = 4,  /* availability of one connector */
    AMP_ENTRY_STATE = 5,  /* queue: head, counters, bindings */
    AMP_ENTRY_START = 6,  /* transaction began; is a message until acknowledged */
    AMP_ENTRY_METER = 7,  /* MeterValues of a transaction, a message */
    AMP_ENTRY_STOP = 8,   /* transaction ended, a message */
    AMP_ENTRY_SAMPLE = 9, /* reading kept for StopTransaction */
    AMP_ENTRY_DONE = 10,  /* the oldest message was acknowledged or given up */
    AMP_ENTRY_LIST = 11,  /* an update of the local list, or a part of one */
    AMP_ENTRY_CACHE = 12, /* what was said about tags; empty: forget all */
    AMP_ENTRY_RESERVATION = 13, /* one was made, or ended before its time */
    AMP_ENTRY_PROFILE = 20,      /* a charging profile was installed */
    AMP_ENTRY_PROFILE_GONE = 21, /* ids of charging profiles that are not installed any more */
    AMP_ENTRY_FIRMWARE = 30, /* how far a firmware update is */
    AMP_ENTRY_UPLOAD = 31,   /* an upload whose end is not heard yet */
    AMP_ENTRY_SECURITY = 40, /* credentials that worked last */
    AMP_ENTRY_EVENT = 41,    /* security event, kept as a rolling log */
    AMP_ENTRY_TOLD = 42,     /* security events up to this number are delivered */
    AMP_ENTRY_TYPES
};

struct amp_entry {
    uint8_t type;
    uint16_t len;
    uint32_t at; /* offset of the record in the active area */
    const uint8_t *data;
};

struct amp_journal {
    uint32_t area_size;  /* bytes of each of the two areas */
    uint32_t base;       /* device offset of the active area */
    uint32_t end;        /* where the next record goes, from base */
    uint32_t generation;
    bool dirty;          /* a write failed at `end`: nothing may be appended before compaction */
    bool counting;               /* amp_journal_copy only adds up */
    uint32_t target, target_end; /* the area being filled */
    uint32_t compactions;
    uint8_t buf[AMP_RECORD_MAX + 8 + AMP_WRITE_SIZE_MAX]; /* one record on its way in or out */
};

/* Who a record type belongs to. */
struct amp_owner {
    uint8_t type;
    void (*load)(struct amp_station *st, const struct amp_entry *e); /* at start, in order. NULL: nothing to do */
    /* Compaction: write what RAM knows with amp_journal_copy. NULL: records are copied instead, if `keep` wants them. */
    int (*save)(struct amp_station *st);
    /* Does this record still count? `thin` from 0 says how scarce room is: a level may drop every second record that the one below
     * kept, of those that may be dropped at all. */
    bool (*keep)(struct amp_station *st, const struct amp_entry *e, int thin);
    void (*moved)(struct amp_station *st); /* records have new offsets */
};
extern const struct amp_owner amp_owners[];
extern const unsigned amp_owner_count;

/* Find the active area and load every record. 0; AMP_E_RANGE: geometry; AMP_E_IO; AMP_E_CORRUPT: records but no valid head. */
int amp_journal_open(struct amp_station *st);

/* Append; durable on return. Compacts when needed. `spare` may use the room that is kept back for ending what runs: without it
 * AMP_E_FULL comes while that is left. AMP_E_IO. After an error nothing was stored as far as a restart without power cut knows. */
int amp_journal_put(struct amp_station *st, enum amp_entry_type type, const void *data, size_t len, bool spare) AMP_CHECKED;

/* During `save` only: one record into the new area. */
int amp_journal_copy(struct amp_station *st, enum amp_entry_type type, const void *data, size_t len) AMP_CHECKED;

/* Walk: the record at or behind *at (0: the first); *at moves behind it. e->data is valid until the next call of the journal.
 * False at the end. */
bool amp_journal_next(struct amp_station *st, uint32_t *at, struct amp_entry *e);

uint32_t amp_crc32(uint32_t crc, const void *data, size_t len);

#endif
