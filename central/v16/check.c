/* central/v16/check.c - is this a call that a central system may send, and is its payload right?
 * Asked before a command is queued, so that people hear of mistakes from us and not from a station.
 */
#include "central/v16/inside.h"

int v16_check(struct v16 *v, struct amp_text action, struct amp_text payload,
              struct amp_fault *fault)
{
    const struct amp_message *m = amp_message_find(&ocpp16, action);
    struct amp_arena *arena = &v->c->arena;
    size_t mark = arena->used; /* the caller's own request may live in it */
    void *body;

    *fault = (struct amp_fault){ 0 };
    if (!m)
        return fault->rc = AMP_E_UNKNOWN;
    if (!(m->direction & AMP_DOWN))
        return fault->rc = AMP_E_SUPPORT;
    body = amp_arena_alloc(arena, m->request_size);
    fault->rc = !body
                    ? AMP_E_FULL
                    : amp_decode(m->request, AMP_OCPP16, AMP_STRICT,
                                 payload.len ? payload : AMP_TEXT("{}"), body, arena, fault, NULL);
    if (fault->rc == 0)
        fault->rc = v16_profile_rules(m, body, fault);
    arena->used = mark;
    if (fault->rc == 0 && v16_is_password(action, payload) && !v16_password_hidden(payload))
        *fault =
            (struct amp_fault){ .rc = AMP_E_VALUE,
                                .path = "key",
                                .why = "a password is changed by rotate-password, which keeps both "
                                       "until the new one was used" };
    return fault->rc;
}
