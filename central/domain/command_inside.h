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
    EFFECT_STATUS,
    EFFECT_TRIGGERED,
    EFFECT_FIRMWARE,
    EFFECT_DIAGNOSTICS,
    EFFECT_LOG
};

struct effect_row {
    const char *action;
    enum effect_kind effect;
    int32_t within_s; /* after the answer, the newest progress, or when it was due: then it had none */
};

/* command.c */
struct command *command_find(const struct world *w, int64_t key);
bool command_legal(int from, int to);
/* Its state or effect changed: does it wait for an effect now? */
void command_after_state(struct world *w, struct command *k);

/* Another state, with the texts that are given; and it is told. */
void command_set(struct world *w, struct command *k, int state, struct amp_text answer);

/* command_progress.c */
void command_progress_boot(struct world *w, struct command *k, struct amp_text firmware,
                           int64_t now_ms);
/* Booted with the old firmware behind an installation, and the time for another boot is over? */
bool command_progress_failed(const struct command *k, int64_t now_ms);

/* command_effect.c */
bool command_may_show(const struct command *k, enum effect_kind e);
/* Does its payload hold this text as a JSON string? */
bool command_mentions(const struct command *k, struct amp_text text);
const struct effect_row *command_row(const struct command *k);
/* The effect was seen. Before the answer it is only noted: the answer decides, and then confirms at
 * once. */
void command_effect(struct world *w, struct command *k, int64_t transaction, int64_t now_ms);
/* What was so already will not be reported again: asked when a command is accepted. */
void command_effect_already(struct world *w, struct command *k, int64_t now_ms);

#endif
