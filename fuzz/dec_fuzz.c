/* Decimals: what is read is written and reads the same; scaling is right to half a unit; comparing
 * is an order. The input is one number, or two with a blank between. */
#include "ocpp/dec.h"
#include "ocpp/err.h"

#include <stdlib.h>

#define MUST(cond)   \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read(struct amp_text t, struct amp_dec *out)
{
    struct amp_dec strict;
    int rc = amp_dec_parse(t, true, out);

    if (amp_dec_parse(t, false, &strict) == 0)
        MUST(rc == 0 && strict.digits == out->digits && strict.exp == out->exp);
    MUST(rc == 0 || rc == AMP_E_TYPE || rc == AMP_E_VALUE);
    if (rc == AMP_E_VALUE)
        return amp_dec_parse_round(t, true, out) == 0;
    return rc == 0;
}

static void check(struct amp_dec d)
{
    char text[200];
    struct amp_buf b;
    struct amp_dec back;
    int64_t thousandths;

    amp_buf_init(&b, text, sizeof text);
    amp_dec_write(&b, d);
    MUST(!b.full && amp_dec_parse(amp_buf_text(&b), false, &back) == 0 &&
         amp_dec_cmp(d, back) == 0);
    if (amp_dec_scale(d, 3, &thousandths) == 0 && thousandths > INT64_MIN / 10 + 5 &&
        thousandths < INT64_MAX / 10 - 5) {
        MUST(amp_dec_cmp(amp_dec_of(thousandths * 10 + 5, 4), d) >= 0);
        MUST(amp_dec_cmp(amp_dec_of(thousandths * 10 - 5, 4), d) <= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *blank = size ? memchr(data, ' ', size) : NULL;
    size_t first = blank ? (size_t)(blank - data) : size;
    struct amp_dec a, b;

    if (!read((struct amp_text){ (const char *)data, (uint32_t)first }, &a))
        return 0;
    check(a);
    if (!blank ||
        !read((struct amp_text){ (const char *)blank + 1, (uint32_t)(size - first - 1) }, &b))
        return 0;
    check(b);
    MUST(amp_dec_cmp(a, b) == -amp_dec_cmp(b, a));
    MUST(amp_dec_cmp(a, a) == 0);
    return 0;
}
