/* central/rest/transfer.h - files in and out of the API, streamed. Inside central/rest only. */
#ifndef CENTRAL_REST_TRANSFER_H
#define CENTRAL_REST_TRANSFER_H

#include "central/rest/call.h"

/* Take the body of this call as the bytes of file `key`. `done` comes when they are on disk, with
 * their SHA-256; on the way problems are answered and nothing stays. */
typedef void rest_received_fn(struct rest_call *call, uint64_t size, struct amp_text sha256);
void rest_receive(struct rest_call *call, int64_t key, rest_received_fn *done);

/* Answer with the bytes of a file, or with the range that was asked for. Ends the call. */
void rest_deliver(struct rest_call *call, const struct file_fact *f);

/* How stations reach this server: the setting, or how this request did; `head` may be NULL. */
#define REST_BASE_MAX 256
void rest_base_url(const struct central *c, const struct amp_http_head *head, bool secure,
                   char out[REST_BASE_MAX]);

#endif
