/* Times: strict is part of lax, blanks change nothing, and what is written reads the same. */
#include "ocpp/err.h"
#include "ocpp/time.h"

#include <stdlib.h>

#define MUST(cond)   \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct amp_text t = { (const char *)data, (uint32_t)size };
    char padded[64], text[AMP_TIME_TEXT_MAX];
    int64_t strict, lax, other;
    int rc = amp_time_parse(t, false, &strict);

    MUST(rc == 0 || rc == AMP_E_TYPE);
    if (rc == 0)
        MUST(amp_time_parse(t, true, &lax) == 0 && lax == strict);
    rc = amp_time_parse(t, true, &lax);
    MUST(rc == 0 || rc == AMP_E_TYPE);
    if (size < sizeof padded) {
        /* a blank more takes the slow way: both ways must agree */
        memcpy(padded, data, size);
        padded[size] = ' ';
        MUST(amp_time_parse((struct amp_text){ padded, (uint32_t)size + 1 }, true, &other) == rc &&
             other == lax);
    }
    if (rc < 0)
        return 0;
    amp_time_text(lax, text);
    MUST(amp_time_parse(amp_text_of(text), false, &other) == 0);
    MUST(other == lax || lax < -62167219200000 || lax > 253402300799999);
    return 0;
}
