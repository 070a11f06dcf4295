/* central/rest/openapi.h - the description of the API as OpenAPI 3.1. */
#ifndef CENTRAL_REST_OPENAPI_H
#define CENTRAL_REST_OPENAPI_H

#include "ocpp/buf.h"

void openapi_write(struct amp_buf *out);

#endif
