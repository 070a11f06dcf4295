/* ocpp/sha1.h - SHA-1, FIPS 180-4 §6.1. The WebSocket handshake asks for it; it guards nothing. */
#ifndef AMP_SHA1_H
#define AMP_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define AMP_SHA1_LEN 20

void amp_sha1(const void *data, size_t len, uint8_t out[AMP_SHA1_LEN]);

#endif
