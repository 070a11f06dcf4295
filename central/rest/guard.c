/* central/rest/guard.c - what is sound by the definitions and had better not be sent to this
 * charger all the same. Edge cases 79, 95. */
#include "central/domain/configuration.h"
#include "central/domain/operation.h"
#include "central/domain/quirk.h"
#include "central/rest/commands.h"
#include <stdio.h>

#include "messages/api.h"

/* E95: a second update would restart the one that runs. */
static bool updates(const struct charger *ch, const struct command_fact *f, struct rest_problem *p,
                    char detail[REST_DETAIL_MAX])
{
    const struct command_fact *k = world_updating(ch);

    if (!k || (!amp_text_is(f->action, "UpdateFirmware") &&
               !amp_text_is(f->action, "SignedUpdateFirmware")))
        return false;
    *p = (struct rest_problem){ .status = 409,
                                .kind = "update-running",
                                .title = "An update is under way",
                                .field = "id",
                                .cure = "Wait until it has ended; or ask with ?force=true." };
    snprintf(detail, REST_DETAIL_MAX, "Command %lld updates this charger (%.*s).",
             (long long)k->key, AMP_FMT(k->progress.len ? k->progress : AMP_TEXT("no word yet")));
    return true;
}

/* E95: modems cut long addresses. */
static bool too_long(const struct central *c, const struct traits *t,
                     const struct api_command_target *target, struct rest_problem *p,
                     char detail[REST_DETAIL_MAX])
{
    const struct amp_text urls[] = { target->location,
                                     target->log ? target->log->remote_location : AMP_NO_TEXT,
                                     target->firmware ? target->firmware->location : AMP_NO_TEXT };
    uint32_t max = (uint32_t)(t->url_max ? t->url_max : c->settings.url_max);

    for (size_t i = 0; i < AMP_COUNT(urls); i++) {
        if (!max || urls[i].len <= max)
            continue;
        *p = (struct rest_problem){ .status = 422,
                                    .kind = "url-too-long",
                                    .title = "The charger's modem takes no address of this length",
                                    .field = "location",
                                    .cure = "Give a shorter address, or raise urlMax of its quirks "
                                            "or the setting url-max." };
        snprintf(detail, REST_DETAIL_MAX, "The address has %u characters; %u are allowed.",
                 urls[i].len, max);
        return true;
    }
    return false;
}

/* E79: it dies of a key that it does not know. */
static bool kills(const struct charger *ch, const struct traits *t, const struct command_fact *f,
                  const struct api_command_target *target, struct rest_problem *p,
                  char detail[REST_DETAIL_MAX])
{
    if (!(t->flags & QUIRK_UNKNOWN_KEYS_KILL) || !amp_text_is(f->action, "GetConfiguration"))
        return false;
    for (uint32_t i = 0; i < target->key.len; i++) {
        const struct config_fact *known = charger_config(ch, target->key.at[i]);

        if (known && !known->absent)
            continue;
        *p = (struct rest_problem){ .status = 409,
                                    .kind = "unknown-key-kills",
                                    .title = "The charger may die of a key that it does not know",
                                    .field = "key",
                                    .cure = "Read all keys first, by a request without any." };
        snprintf(detail, REST_DETAIL_MAX,
                 "This charger's quirks say unknownKeysKill, and it never told a key \"%.*s\".",
                 AMP_FMT(target->key.at[i]));
        return true;
    }
    return false;
}

bool rest_guard(struct central *c, const struct charger *ch, const struct command_fact *f,
                bool force, struct rest_problem *p, char detail[REST_DETAIL_MAX])
{
    struct api_command_target target = { 0 };
    size_t mark = c->arena.used;
    struct traits t;
    bool refused;

    charger_traits(c->world, ch, &t);
    if (amp_decode(api.messages[API_COMMAND_TARGET].request, AMP_OCPP16, AMP_LENIENT, f->payload,
                   &target, &c->arena, NULL, NULL) < 0)
        memset(&target, 0, sizeof target);
    refused = (!force && updates(ch, f, p, detail)) || too_long(c, &t, &target, p, detail) ||
              kills(ch, &t, f, &target, p, detail);
    c->arena.used = mark;
    return refused;
}
