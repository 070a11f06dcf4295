/* central/counts.h - what is counted for /metrics: plain numbers of the loop thread, each with a
 * bounded set of labels, whatever strangers send. Every function takes NULL and does nothing then,
 * so that tests need none. */
#ifndef CENTRAL_COUNTS_H
#define CENTRAL_COUNTS_H

#include "ocpp/codec.h"
#include <stdint.h>

/* How long things took. Upper bounds in microseconds; the last bucket is everything above. */
#define COUNTS_BOUNDS 14
extern const uint32_t counts_bounds_us[COUNTS_BOUNDS];
struct histogram {
    uint64_t buckets[COUNTS_BOUNDS + 1], sum_us; /* buckets are not cumulative */
};
void histogram_add(struct histogram *h, uint64_t us);

/* Counted by texts, such as reasons; the last place is shared by what has none left. */
#define TALLY_MAX  48
#define TALLY_TEXT 64
struct tally {
    struct {
        char name[TALLY_TEXT];
        uint64_t count;
    } at[TALLY_MAX];
    unsigned used;
};
void tally_add(struct tally *t, const char *name, uint64_t more);

#define COUNTS_ACTIONS 64 /* messages of a version; the last place is for what is none */
enum count_type { COUNT_UNREADABLE, COUNT_CALL, COUNT_RESULT, COUNT_ERROR, COUNT_TYPES };
struct counts {
    /* OCPP frames: by action (enum ocpp16_id), direction (0 received, 1 sent), what they are */
    uint64_t messages[COUNTS_ACTIONS][2][COUNT_TYPES];
    uint64_t objected;                 /* received, and something was wrong with them */
    uint64_t repairs[AMP_REPAIRS];     /* messages with this kind of repair */
    uint64_t unknown_fields, late;     /* skipped; answers after their time */
    struct histogram answer, call;     /* our answers, until they leave; those of stations */
    uint64_t commands[16];             /* changes of commands, by the new state */
    struct tally refused;              /* handshakes and connections, by reason */
    uint64_t sessions_opened, sessions_closed;
    /* retention: by enum fact_kind */
    struct {
        uint64_t deleted, archived, failures;
    } retention[64];
};

struct counts *counts_new(void);
void counts_free(struct counts *c);
/* A frame was logged. `action`: enum ocpp16_id, or anything else for what is no message. */
void counts_message(struct counts *c, int action, bool sent, int frame_type);
void counts_refused(struct counts *c, const char *why);

#endif
