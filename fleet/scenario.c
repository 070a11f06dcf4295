/* fleet/scenario.c - read a story from text. */
#include "fleet/scenario.h"
#include "fleet/vehicle.h"
#include "messages/ocpp16.h"

#include <stdlib.h>

#define LATEST_S 1000000

enum takes { NOTHING, CONNECTOR, CONNECTOR_AND_WORD };

static const struct {
    const char *name;
    enum takes takes;
    /* clang-format off */
} actions[] = {
    [SCENARIO_NETWORK] = { "network", NOTHING },
    [SCENARIO_CLOCK]   = { "clock",   NOTHING },
    [SCENARIO_START]   = { "start",   NOTHING },
    [SCENARIO_ARRIVE]  = { "arrive",  CONNECTOR_AND_WORD },
    [SCENARIO_TAG]     = { "tag",     CONNECTOR_AND_WORD },
    [SCENARIO_STOP]    = { "stop",    CONNECTOR },
    [SCENARIO_LEAVE]   = { "leave",   CONNECTOR },
    [SCENARIO_FAULT]   = { "fault",   CONNECTOR_AND_WORD },
    [SCENARIO_STICK]   = { "stick",   CONNECTOR },
    [SCENARIO_UNSTICK] = { "unstick", CONNECTOR },
    [SCENARIO_DONE]    = { "done",    NOTHING },
};
/* clang-format on */

const char *scenario_name(enum scenario_action a)
{
    return actions[a].name;
}

int scenario_fault_code(const char *word)
{
    return amp_enum_find(&ocpp16_charge_point_error_code_names, amp_text_of(word));
}

/* The next word of the line; empty at its end. */
static struct amp_text next_word(struct amp_text *line)
{
    uint32_t from = 0, to;

    while (from < line->len &&
           (line->at[from] == ' ' || line->at[from] == '\t' || line->at[from] == '\r'))
        from++;
    for (to = from;
         to < line->len && line->at[to] != ' ' && line->at[to] != '\t' && line->at[to] != '\r';)
        to++;
    struct amp_text word = { line->at + from, to - from };

    *line = (struct amp_text){ line->at + to, line->len - to };
    return word;
}

/* "10" or "10.5" seconds. */
static bool seconds(struct amp_text t, uint32_t *ms)
{
    uint64_t whole = 0, part = 0, scale = 0;

    for (uint32_t i = 0; i < t.len; i++) {
        if (t.at[i] == '.' && !scale && i > 0) {
            scale = 1000;
        } else if (t.at[i] < '0' || t.at[i] > '9' || whole > LATEST_S || scale == 1) {
            return false;
        } else if (scale) {
            scale /= 10;
            part += (uint64_t)(t.at[i] - '0') * scale;
        } else {
            whole = whole * 10 + (uint64_t)(t.at[i] - '0');
        }
    }
    *ms = (uint32_t)(whole * 1000 + part);
    return t.len > 0 && whole <= LATEST_S;
}

static const char *check_word(const struct scenario_step *s)
{
    if (s->action == SCENARIO_ARRIVE && !vehicle_find(s->word))
        return "no such kind of vehicle";
    if (s->action == SCENARIO_FAULT && !scenario_fault_code(s->word))
        return "no such error code";
    if (s->action == SCENARIO_TAG && strlen(s->word) > 20)
        return "a tag has at most 20 characters";
    return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *parse_line(struct amp_text line, int connectors, struct scenario_step *out)
{
    struct amp_text time = next_word(&line), name = next_word(&line), word;
    int64_t connector;
    size_t a = 0;

    memset(out, 0, sizeof *out);
    if (!seconds(time, &out->at_ms))
        return "begins with no time in seconds";
    while (a < AMP_COUNT(actions) && !amp_text_is(name, actions[a].name))
        a++;
    if (a == AMP_COUNT(actions))
        return "no such action";
    out->action = (enum scenario_action)a;
    if (actions[a].takes != NOTHING) {
        if (amp_text_int(next_word(&line), &connector) < 0 || connector < 1 ||
            connector > connectors)
            return "no such connector";
        out->connector = (int)connector;
    }
    if (actions[a].takes == CONNECTOR_AND_WORD) {
        word = next_word(&line);
        if (word.len == 0 || word.len >= sizeof out->word)
            return "a word is missing, or too long";
        amp_text_copy(out->word, sizeof out->word, word);
    }
    if (next_word(&line).len)
        return "more words than this action takes";
    return check_word(out);
}

int scenario_parse(struct amp_text text, int connectors, struct scenario_step *room,
                   struct scenario *out, unsigned *line, const char **why)
{
    unsigned count = 0;

    *why = NULL;
    for (*line = 1; text.len && !*why; ++*line) {
        const char *end = memchr(text.at, '\n', text.len);
        struct amp_text one = { text.at, end ? (uint32_t)(end - text.at) : text.len };
        const char *comment = memchr(one.at, '#', one.len);

        text.at += one.len + (end ? 1 : 0);
        text.len -= one.len + (end ? 1 : 0);
        if (comment)
            one.len = (uint32_t)(comment - one.at);
        one = amp_text_trim(one);
        if (!one.len)
            continue;
        if (count == SCENARIO_STEPS_MAX) {
            *why = "more steps than a story may have";
        } else {
            *why = parse_line(one, connectors, &room[count]);
            if (!*why && count > 0 && room[count].at_ms < room[count - 1].at_ms)
                *why = "is earlier than the step before";
        }
        if (*why)
            return AMP_E_FORMAT;
        count++;
    }
    *out = (struct scenario){ room, count };
    if (count)
        return 0;
    *why = "tells nothing";
    return AMP_E_FORMAT;
}
