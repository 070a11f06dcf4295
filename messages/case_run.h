/* messages/case_run.h - one frame, and what a receiver must make of it: the common part of
 * cases_test.c, which runs the cases of this folder, and corpus-check, which runs a folder of
 * files. */
#ifndef AMP_CASE_RUN_H
#define AMP_CASE_RUN_H

#include "ocpp/frame.h"

struct case_row {
    enum amp_version version;
    struct amp_text direction; /* up, down */
    struct amp_text action;    /* for a result: of the call that it answers; "-" if none */
    struct amp_text verdict; /* accept, lenient, callerror, discard, close; a|b: either is right */
    struct amp_text code;    /* error or close code, a|b as well, the first is ours; "-" if none */
    struct amp_text frame;
};

/* Judge the row, and when it is accepted take its payload through decode, encode, decode. Returns
 * NULL if all is as it must be, or what differs (valid until the next call). *other counts answers
 * that are right, but not our choice. */
const char *case_run(const struct case_row *row, unsigned *other);

#endif
