/* central/v16/change_configuration.c - ChangeConfiguration: what a station took is kept.
 * OCPP 1.6 §5.4, edge case 80. */
#include "central/domain/configuration.h"
#include "central/v16/inside.h"
#include "central/v16/ops.h"

static void on_answer(const struct v16_answer *a)
{
    const struct ocpp16_change_configuration_reply *reply = a->body;
    struct amp_arena *arena = &a->central->arena;
    struct ocpp16_change_configuration asked;

    if (amp_decode(&ocpp16_change_configuration_record, AMP_OCPP16, AMP_LENIENT,
                   a->command->payload, &asked, arena, NULL, NULL) < 0)
        return;
    if (reply->status == OCPP16_CONFIGURATION_STATUS_NOT_SUPPORTED)
        world_config_absent(a->central->world, a->charger, asked.key, a->now_ms);
    else if (a->accepted)
        world_config_changed(a->central->world, a->charger, asked.key, asked.value,
                             reply->status == OCPP16_CONFIGURATION_STATUS_REBOOT_REQUIRED,
                             a->now_ms);
}

const struct v16_asked v16_change_configuration = { .id = OCPP16_CHANGE_CONFIGURATION,
                                                    .on_answer = on_answer };
