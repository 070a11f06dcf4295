/* central/v16/follow.c - what follows from an answer to a call of ours beside the command's own
 * state: passwords, heartbeat intervals, certificates. */
#include "central/domain/access.h"
#include "central/pki/issue.h"
#include "central/v16/inside.h"
#include "central/v16/slice.h"

#define HEARTBEAT_MAX_S 86400

/* The station keeps another interval now, whoever asked it to. */
static void heartbeat(struct session *s, struct amp_text payload)
{
    struct amp_text value = v16_slice_member(payload, "value");
    int64_t seconds;

    if (value.len >= 2 && *value.at == '"')
        value = (struct amp_text){ value.at + 1, value.len - 2 };
    if (amp_text_is(v16_slice_member(payload, "key"), "\"HeartbeatInterval\"") &&
        amp_text_int(value, &seconds) == 0 && seconds > 0 && seconds <= HEARTBEAT_MAX_S)
        world_heartbeat(s->v->c->world, s->charger, (int32_t)seconds);
}

void v16_follow(struct session *s, int64_t key, bool answered, bool accepted)
{
    const struct command_fact *k = world_command_get(s->v->c->world, key);

    if (!k)
        return;
    if (v16_is_password(k->action, k->payload))
        v16_password_answered(s, answered, accepted);
    else if (accepted && amp_text_is(k->action, "ChangeConfiguration"))
        heartbeat(s, k->payload);
    else if (answered && amp_text_is(k->action, "CertificateSigned"))
        issue_answered(s->v->c->issue, s->charger, k->payload, accepted);
}
