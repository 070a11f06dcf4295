/* fleet/crowd.h - many simulated stations in one process, each charging again and again, for load
 * and for demos.
 *
 * One station's day, every duration drawn from its own seeded generator: idle, a car comes, a tag
 * after a second or two, charging, stopped by tag or button, the car leaves, idle again. Same seed,
 * same days. What the server answered is counted, and written to a ledger on request
 * (fleet/ledger.h). */
#ifndef FLEET_CROWD_H
#define FLEET_CROWD_H

#include "fleet/ledger.h"
#include "ports/posix/device.h"
#include <stdio.h>

#define CROWD_BLOCK_SIZE  16384 /* of each simulated flash chip: small, as there are thousands */
#define CROWD_BLOCK_COUNT 4
#define CROWD_PATIENCE_S  60 /* a driver whose session does not start leaves */
#define CROWD_DRAIN_S     30 /* at the end: what is waited for unacknowledged messages */

struct crowd_options {
    const char *url, *password, *prefix, *tag_prefix; /* names: CP001, tags: FLEET001 */
    unsigned count;
    uint32_t seed;
    int64_t charge_s[2], idle_s[2]; /* least and most */
    int64_t reconnect_s[2];         /* first wait, longest wait */
    unsigned rate;                  /* stations that start in a second */
    unsigned duration_s, report_s;  /* of device time; duration 0: until stopped */
    const char *const *settings;
    const char *ledger_path, *data_dir; /* may be NULL */
    enum amp_log_level log_level;
    FILE *out;
};

struct crowd_result {
    unsigned up, accepted, queued; /* at the end */
    bool ever_up, ledger_failed;
    uint64_t sessions, refused; /* ended; tags or cars that got no session */
    struct ledger_stats stats;
};

struct crowd;

/* Makes all stations; they start one after another. Stops the loop after duration_s and the
 * draining. 0, or AMP_E_IO and the errors of posix_device_open; AMP_E_FULL: too many files are
 * open. */
int crowd_open(struct posix_loop *l, const struct crowd_options *o, struct crowd **out) AMP_CHECKED;

/* One line of totals, `name=value` pairs, to o->out: `word` comes first ("fleet", "total"). */
void crowd_report(struct crowd *w, const char *word);
void crowd_result(struct crowd *w, struct crowd_result *out);
void crowd_close(struct crowd *w);

#endif
