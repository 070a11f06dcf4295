/* cli/admin.h - what `amperstand admin` does in files of its own. */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

/* ca show: fingerprint and certificate of the authority in this folder, to stdout. An exit code. */
int admin_ca_show(const char *data);

#endif
