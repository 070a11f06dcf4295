/* fleet/view.c - lines for people. */
#include "fleet/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *colour, *symbol;
    /* clang-format off */
} moods[VIEW_MOODS] = {
    [VIEW_PLAIN]  = { "\033[2m",  "·" },
    [VIEW_GOOD]   = { "\033[32m", "✓" },
    [VIEW_BAD]    = { "\033[31m", "✗" },
    [VIEW_PLUG]   = { "\033[36m", "⏚" },
    [VIEW_ENERGY] = { "\033[33m", "⚡" },
};
/* clang-format on */

void view_open(struct view *v, FILE *out)
{
    const char *off = getenv("NO_COLOR"), *term = getenv("TERM");

    v->out = out;
    v->rich = isatty(fileno(out)) && !(off && off[0]) && term && strcmp(term, "dumb") != 0;
    setvbuf(out, NULL, _IOLBF, 0); /* a line is there when it happened, in a pipe too */
}

static void begin(const struct view *v, uint64_t t_ms, enum view_mood mood)
{
    if (v->rich)
        fprintf(v->out, "\033[2mT+%3" PRIu64 " s\033[0m %s%s\033[0m ", t_ms / 1000,
                moods[mood].colour, moods[mood].symbol);
    else
        fprintf(v->out, "T+%3" PRIu64 " s  ", t_ms / 1000);
}

void view_event(const struct view *v, uint64_t t_ms, enum view_mood mood, const char *what,
                const char *format, ...)
{
    va_list ap;

    begin(v, t_ms, mood);
    if (v->rich)
        fprintf(v->out, "%s%-11s\033[0m ", moods[mood].colour, what);
    else
        fprintf(v->out, "%-11s ", what);
    va_start(ap, format);
    vfprintf(v->out, format, ap);
    va_end(ap);
    fputc('\n', v->out);
}

void view_status(const struct view *v, uint64_t t_ms, const struct view_status *s)
{
    begin(v, t_ms, s->power_w > 0 ? VIEW_ENERGY : VIEW_PLAIN);
    fprintf(v->out,
            "%sconnector %d%s %-13s %5.1f kW %5.1f A %6" PRId64 " Wh %3d %% %3d %s %4" PRIu32
            " s\n",
            v->rich ? "\033[1m" : "", s->connector, v->rich ? "\033[0m" : "", s->state,
            s->power_w / 1000.0, s->current_ma / 1000.0, s->energy_wh, (s->soc_permille + 5) / 10,
            (s->temperature_mc + 500) / 1000, v->rich ? "°C" : "C", s->seconds);
}

void view_session(const struct view *v, uint64_t t_ms, const struct view_session *s)
{
    begin(v, t_ms, VIEW_GOOD);
    fprintf(v->out,
            "%sconnector %d%s session over: %" PRId64 " Wh in %" PRIu32
            " s, battery %d %%, %.1f kW on average "
            "(tag %s, transaction %" PRId64 ", ended by %s)\n",
            v->rich ? "\033[1m" : "", s->connector, v->rich ? "\033[0m" : "", s->energy_wh,
            s->seconds, (s->soc_permille + 5) / 10, s->average_w / 1000.0, s->tag, s->transaction,
            s->reason);
}
