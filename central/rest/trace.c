/* central/rest/trace.c - which trace a call belongs to: the one that its traceparent names, or one
 * of its own. W3C Trace Context, level 1. The command keeps it, the log lines of the call to the
 * station and of its answer name it, the API's answer returns it. */
#include "central/rest/call.h"
#include <sodium.h>
#include <stdio.h>

/* "00-" 32 hex digits "-" 16 hex digits "-" 2 hex digits; later versions may go on behind that. */
#define TRACE_AT   3
#define PARENT_AT  36
#define LENGTH_MIN 55

static bool hex(struct amp_text t, uint32_t from, uint32_t count)
{
    bool zero = true;

    for (uint32_t i = from; i < from + count; i++) {
        char c = t.at[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        zero = zero && c == '0';
    }
    return !zero;
}

static bool sound(struct amp_text t)
{
    return t.len >= LENGTH_MIN && (t.len == LENGTH_MIN || t.at[LENGTH_MIN] == '-') &&
           t.at[2] == '-' && t.at[PARENT_AT - 1] == '-' && t.at[52] == '-' &&
           memcmp(t.at, "ff", 2) != 0 && hex(t, TRACE_AT, 32) && hex(t, PARENT_AT, 16);
}

void rest_trace(struct rest_call *call)
{
    struct amp_text parent = amp_text_trim(amp_http_get(call->head, "traceparent"));
    unsigned char fresh[16];

    if (sound(parent)) {
        memcpy(call->trace, parent.at + TRACE_AT, 32);
        return;
    }
    randombytes_buf(fresh, sizeof fresh);
    sodium_bin2hex(call->trace, sizeof call->trace, fresh, sizeof fresh);
}

void rest_trace_header(const struct rest_call *call, char *out, size_t cap)
{
    unsigned char span[8];
    char text[17];

    randombytes_buf(span, sizeof span);
    sodium_bin2hex(text, sizeof text, span, sizeof span);
    snprintf(out, cap, "traceparent: 00-%s-%s-01\r\n", call->trace, text);
}
