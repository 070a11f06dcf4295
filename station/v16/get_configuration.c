/* station/v16/get_configuration.c - GetConfiguration. OCPP 1.6 §5.8; station-1.6 98, 99. All keys
 * fit one reply, so that GetConfigurationMaxKeys is their number; write-only keys are as good as
 * unknown to a reader. */
#include "station/v16/v16.h"

static int add(struct amp_station *st, struct ocpp16_get_configuration_reply *out, unsigned row)
{
    struct ocpp16_key_value *kv = &out->configuration_key.at[out->configuration_key.len];
    char text[500];
    struct amp_buf b;

    amp_buf_init(&b, text, sizeof(text));
    amp_config_value(st, row, &b);
    kv->key = amp_config_name(row);
    kv->readonly = amp_config_readonly(st, row);
    kv->value = amp_arena_text(&st->arena, amp_buf_text(&b));
    if (!kv->value.at || b.full)
        return AMP_E_FULL;
    out->configuration_key.len++;
    return 0;
}

static int add_named(struct amp_station *st, const struct ocpp16_get_configuration *in,
                     struct ocpp16_get_configuration_reply *out)
{
    for (uint32_t i = 0; i < in->key.len; i++) {
        int row = amp_config_find(in->key.at[i]);
        int rc = 0;

        if (row >= 0 && amp_config_readable((unsigned)row))
            rc = add(st, out, (unsigned)row);
        else
            out->unknown_key.at[out->unknown_key.len++] = in->key.at[i];
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_get_configuration *in = request;
    struct ocpp16_get_configuration_reply *out = reply;
    uint32_t n = in->key.len ? in->key.len : amp_config_count();
    int rc = 0;

    if (n > amp_config_count())
        return AMP_E_COUNT; /* more than GetConfigurationMaxKeys */
    out->configuration_key.at =
        amp_arena_alloc(&st->arena, n * sizeof(out->configuration_key.at[0]));
    out->unknown_key.at = amp_arena_alloc(&st->arena, in->key.len * sizeof(out->unknown_key.at[0]));
    if (!out->configuration_key.at || !out->unknown_key.at)
        return AMP_E_FULL;
    if (in->key.len)
        return add_named(st, in, out);
    for (unsigned row = 0; rc == 0 && row < n; row++)
        if (amp_config_readable(row))
            rc = add(st, out, row);
    return rc;
}

const struct amp_station_op station16_get_configuration = { .id = OCPP16_GET_CONFIGURATION,
                                                            .on_call = on_call };
