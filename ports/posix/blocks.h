/* ports/posix/blocks.h - a flash chip, played by a file or by memory. What a station stores looks
 * the same as on a device. */
#ifndef POSIX_BLOCKS_H
#define POSIX_BLOCKS_H

#include "ocpp/err.h"
#include "ocpp/text.h"

#define POSIX_BLOCK_SIZE  65536
#define POSIX_BLOCK_COUNT 64
#define POSIX_WRITE_SIZE  8 /* as the double word of many microcontrollers */

struct posix_blocks {
    int fd;             /* -1: memory */
    unsigned char *ram; /* inverted, so that erased pages are zero pages and cost nothing */
    uint32_t size, count;
};

/* Memory: lost with the process; programming can only clear bits, as on the chip. 0 or AMP_E_IO. */
int posix_blocks_memory(struct posix_blocks *b, uint32_t size, uint32_t count) AMP_CHECKED;

/* DIR/NAME.flash (name percent-encoded), mode 0600, made when absent, as is DIR with 0700. Locked:
 * AMP_E_BUSY when another process has it. AMP_E_CORRUPT: it is larger than size × count; AMP_E_IO
 * with errno. */
int posix_blocks_file(struct posix_blocks *b, const char *dir, struct amp_text name, uint32_t size,
                      uint32_t count) AMP_CHECKED;

void posix_blocks_close(struct posix_blocks *b);

/* As struct amp_port wants them: writes are durable (fdatasync) on return. */
int posix_blocks_read(struct posix_blocks *b, uint32_t offset, void *out, size_t len) AMP_CHECKED;
int posix_blocks_write(struct posix_blocks *b, uint32_t offset, const void *data,
                       size_t len) AMP_CHECKED;
int posix_blocks_erase(struct posix_blocks *b, uint32_t block) AMP_CHECKED;

/* "DIR/NAME.suffix" with NAME percent-encoded. AMP_E_FULL when it does not fit. */
int posix_data_path(char *out, size_t cap, const char *dir, struct amp_text name,
                    const char *suffix) AMP_CHECKED;

#endif
