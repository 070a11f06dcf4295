/* central/datadir.h - the folder of one central system: made when it is missing, used by one
 * process at a time. */
#ifndef CENTRAL_DATADIR_H
#define CENTRAL_DATADIR_H

#include "ocpp/err.h"

/* Make `dir` with its parents and take its lock, which ends with the process at the latest. The
 * descriptor, or AMP_E_BUSY: another process has it; AMP_E_IO. *why (malloc'd) is a sentence that
 * names the folder and the cure. */
int datadir_open(const char *dir, char **why) AMP_CHECKED;
void datadir_close(int lock); /* negative: nothing to do */

/* "DIR/name", malloc'd. */
char *datadir_path(const char *dir, const char *name);

#endif
