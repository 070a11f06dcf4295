/* central/rest/stage_shapes.h - for tests: is an answer what api.def says it is? Strictly: no field
 * more, none of a wrong type. */
#ifndef CENTRAL_REST_STAGE_SHAPES_H
#define CENTRAL_REST_STAGE_SHAPES_H

#include "central/rest/stage.h"

#include "messages/api.h"

static inline void check_decoded(const char *why, const struct amp_record *type, const char *body)
{
    static char block[1 << 18];
    static uint64_t out[1024];
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    int rc;

    amp_arena_init(&arena, block, sizeof block);
    rc = amp_decode(type, AMP_OCPP16, AMP_STRICT, amp_text_of(body), out, &arena, &fault, NULL);
    CHECK(rc == 0, "%s: %s: %s: %s", why, fault.path, fault.why ? fault.why : "", body);
}

/* The thing that `Shapes` calls `name`. */
static inline void check_shape(const char *why, const char *name, const char *body)
{
    size_t size = strlen(body) + strlen(name) + 8;
    char *text = malloc(size);

    snprintf(text, size, "{\"%s\":%s}", name, body);
    check_decoded(why, api.messages[API_SHAPES].reply, text);
    free(text);
}

/* The answer of a list. */
static inline void check_list(const char *why, int message, const char *body)
{
    check_decoded(why, api.messages[message].reply, body);
}

#endif
