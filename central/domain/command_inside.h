/* central/domain/command_inside.h - what command.c (states, queue) and command_effect.c (what shows
 * that one worked) know of each other. */
#ifndef CENTRAL_DOMAIN_COMMAND_INSIDE_H
#define CENTRAL_DOMAIN_COMMAND_INSIDE_H

#include "central/domain/inside.h"

enum effect_kind {
    EFFECT_NONE,
    EFFECT_ANSWER,
    EFFECT_START,
    EFFECT_STOP,
    EFFECT_BOOT,
    EFFECT_STATUS
};

struct effect_row {
    const char *action;
    enum effect_kind effect;
    int32_t within_s; /* after the answer; then it had no effect */
};

/* command.c */
bool command_legal(int from, int to);
/* Its state or effect changed: does it wait for an effect now? */
void command_after_state(struct world *w, struct command *k);

/* command_effect.c */
const struct effect_row *command_row(const struct command *k);
/* The effect was seen. Before the answer it is only noted: the answer decides, and then confirms at
 * once. */
void command_effect(struct world *w, struct command *k, int64_t transaction, int64_t now_ms);
/* What was so already will not be reported again: asked when a command is accepted. */
void command_effect_already(struct world *w, struct command *k, int64_t now_ms);

#endif
