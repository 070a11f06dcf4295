/* station/firmware_state.h - the states of an update: shared by firmware.c, which moves, and firmware_store.c, which keeps. */
#ifndef AMP_FIRMWARE_STATE_H
#define AMP_FIRMWARE_STATE_H

#include "station/impl.h"

enum state {
    IDLE,      /* numbers are stored: never change one */
    SCHEDULED, /* waits for retrieveDate */
    DOWNLOADING,
    PAUSED, /* between two attempts */
    VERIFYING,
    READY,   /* here and checked; waits for installDate */
    CLOSING, /* waits for transactions */
    INSTALLING,
    LEAVING, /* installed; tells what is to be told, then restarts */
    RESTARTING,
    OWED /* over; the end is not heard yet */
};

int amp_firmware_store(struct amp_station *st); /* now; as amp_journal_put */

#endif
