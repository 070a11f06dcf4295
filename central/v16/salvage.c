/* central/v16/salvage.c - a StopTransaction with a broken field is still the end of a session, and
 * the station will repeat it in vain and then drop it. So what can be missed is left out or
 * replaced, and the rest is booked. Edge cases 9, 14, 23; ocpp-facts B6. Structure that cannot be
 * trusted (no JSON, keys twice) and a lost register value are not repaired. */
#include "central/v16/inside.h"
#include "central/v16/slice.h"

static const struct {
    const char *field, *instead;
} spare[] = {
    { "transactionId", "-1" }, /* the domain then looks for the one that fits */
    { "timestamp",
      "\"1970-01-01T00:00:00Z\"" }, /* a clock that was never set: ours is taken, flagged */
    { "reason", NULL },
    { "idTag", NULL },
    { "transactionData", NULL },
};

/* Which row does the decoder blame? "transactionData[0].timestamp" is transactionData. */
static int row_of(const struct amp_fault *fault)
{
    size_t len = strcspn(fault->path, ".[");

    for (size_t i = 0; i < AMP_COUNT(spare); i++)
        if (strlen(spare[i].field) == len && !memcmp(spare[i].field, fault->path, len))
            return (int)i;
    return -1;
}

static void member(struct amp_buf *out, struct amp_text key, struct amp_text value)
{
    amp_buf_putc(out, out->len ? ',' : '{');
    amp_buf_putc(out, '"');
    amp_buf_text_put(out, key);
    amp_buf_puts(out, "\":");
    amp_buf_text_put(out, value);
}

struct amp_text v16_replaced(struct amp_text payload, struct amp_text field, const char *instead,
                             struct amp_arena *arena)
{
    struct amp_text key, value;
    size_t cap = payload.len + 64u;
    struct amp_buf out;
    uint32_t at = 0;

    amp_buf_init(&out, amp_arena_alloc(arena, cap), cap);
    if (!out.at)
        return AMP_NO_TEXT;
    while (v16_slice_next(payload, &at, &key, &value))
        if (!amp_text_eq(key, field))
            member(&out, key, value);
    if (instead)
        member(&out, field, amp_text_of(instead));
    amp_buf_putc(&out, '}');
    return out.full || out.at[0] != '{' ? AMP_NO_TEXT : amp_buf_text(&out);
}

bool v16_salvage_stop(struct amp_text payload, struct amp_arena *arena,
                      struct ocpp16_stop_transaction *out, struct amp_text *repaired)
{
    for (size_t i = 0; i <= AMP_COUNT(spare) && payload.at; i++) {
        struct amp_fault fault = { 0 };
        int rc = amp_decode(&ocpp16_stop_transaction_record, AMP_OCPP16, AMP_LENIENT, payload, out,
                            arena, &fault, NULL),
            row;

        if (rc == 0) {
            *repaired = payload;
            return i > 0;
        }
        row = rc == AMP_E_MISSING || rc == AMP_E_TYPE || rc == AMP_E_VALUE || rc == AMP_E_COUNT
                  ? row_of(&fault)
                  : -1;
        if (row < 0)
            return false;
        payload = v16_replaced(payload, amp_text_of(spare[row].field), spare[row].instead, arena);
    }
    return false;
}
