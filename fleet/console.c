/* fleet/console.c - reads lines, does what they say, and waits where they say so without holding up
 * the loop. */
#include "fleet/console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define WORDS_MAX 4
#define ROUND_MS  100 /* how often a line that waits is looked at */

/* Of a line. AGAIN: not through, call it again; nothing was printed yet. */
enum outcome { THROUGH, AGAIN };

struct console {
    struct posix_loop *loop;
    struct console_options options;
    struct posix_watch watch;
    struct posix_timer timer;
    bool plain; /* a file, that is always readable and nothing for epoll */
    bool ended, pending, skipping, over;
    char input[4 * CONSOLE_LINE_MAX], line[CONSOLE_LINE_MAX];
    size_t input_len;
    const char *words[WORDS_MAX];
    int count, connector;
    uint64_t since; /* when the present line, or the end, was first looked at */
    unsigned failures;
};

struct command {
    const char *name, *usage, *about;
    int least, most; /* words behind the name */
    bool connector;  /* the first is one, */
    bool whole;      /* or 0 or * for the whole station */
    bool running;    /* needs a station that runs: waits while it restarts */
    enum outcome (*run)(struct console *c);
};

static struct amp_station *station(const struct console *c)
{
    return posix_device_station(c->options.device);
}

static uint64_t now_of(const struct console *c)
{
    return posix_clock_now(&c->loop->clock);
}

static uint64_t waited(const struct console *c)
{
    return posix_clock_now(&c->loop->clock) - c->since;
}

static AMP_PRINTF(2, 3) enum outcome complain(struct console *c, const char *format, ...)
{
    va_list list;

    c->failures++;
    fprintf(c->options.err, "console: ");
    va_start(list, format);
    vfprintf(c->options.err, format, list);
    va_end(list);
    fputc('\n', c->options.err);
    return THROUGH;
}

/* Decimal from 0 to max; -1: none. */
static int64_t number(const char *word, int64_t max)
{
    int64_t n;

    return amp_text_int(amp_text_of(word), &n) == 0 && n >= 0 && n <= max ? n : -1;
}

/* --- the commands */

static enum outcome plug(struct console *c)
{
    if (!c->options.solo)
        return complain(c, "plug: the hardware is real; plug a car into it");
    if (solo_arrive(c->options.solo, c->connector) == AMP_E_STATE)
        return complain(c, "plug: connector %d has a car; unplug %d first", c->connector,
                        c->connector);
    return THROUGH;
}

static enum outcome unplug(struct console *c)
{
    if (!c->options.solo)
        return complain(c, "unplug: the hardware is real; unplug the car");
    if (solo_leave(c->options.solo, c->connector) == AMP_E_STATE)
        return complain(c, "unplug: connector %d has no car; plug %d first", c->connector,
                        c->connector);
    return THROUGH;
}

static enum outcome tag(struct console *c)
{
    const char *word = c->words[1];
    int rc;

    if (strlen(word) > 20)
        return complain(c, "tag: '%s' is too long; a tag has at most 20 characters", word);
    if (amp_station_boot(station(c)) != AMP_BOOT_ACCEPTED && waited(c) < CONSOLE_READY_MS)
        return AGAIN;
    rc = amp_station_tag(station(c), c->connector, amp_text_of(word), now_of(c));
    posix_device_touch(c->options.device);
    return rc < 0 ? complain(c, "tag: '%s': %s", word, amp_err_text(rc)) : THROUGH;
}

static enum outcome fault(struct console *c)
{
    int code = scenario_fault_code(c->words[1]), rc;

    if (!code)
        return complain(c, "fault: '%s' is no error code; GroundFailure is one, NoError clears it",
                        c->words[1]);
    rc = amp_station_fault(station(c), c->connector, code, AMP_NO_TEXT, now_of(c));
    posix_device_touch(c->options.device);
    return rc < 0 ? complain(c, "fault: %s", amp_err_text(rc)) : THROUGH;
}

static enum outcome repair(struct console *c)
{
    int code = scenario_fault_code(c->words[1]);
    int rc = code ? amp_station_fault_over(station(c), c->connector, code, now_of(c)) : AMP_E_VALUE;

    posix_device_touch(c->options.device);
    return rc < 0 ? complain(c, "repair: '%s' is no error code; GroundFailure is one", c->words[1])
                  : THROUGH;
}

static enum outcome stop(struct console *c)
{
    int rc = amp_station_stop(station(c), c->connector, AMP_STOP_LOCAL, now_of(c));

    posix_device_touch(c->options.device);
    if (rc < 0)
        return complain(c, "stop: connector %d has no transaction; status shows what is there",
                        c->connector);
    return THROUGH;
}

static enum outcome cut(struct console *c)
{
    if (c->options.solo)
        solo_cut(c->options.solo);
    else
        posix_device_cut(c->options.device);
    return THROUGH;
}

static void show(struct console *c, int connector)
{
    struct amp_connector_info i;
    FILE *out = c->options.out;

    if (amp_station_connector(station(c), connector, &i) < 0)
        return;
    fprintf(out, "  connector %d: %s%s%s%s", connector, solo_status_name(i.status),
            i.plugged ? ", plugged in" : "", i.locked ? ", locked" : "",
            i.energy_on ? ", energy on" : "");
    if (i.in_transaction)
        fprintf(out, ", transaction %" PRId64 " of %s", i.transaction_id, i.tag);
    if (i.in_transaction && c->options.solo)
        fprintf(out, ", %" PRId64 " Wh",
                solo_energy_wh(c->options.solo, connector) - i.meter_start_wh);
    fputc('\n', out);
}

static enum outcome status(struct console *c)
{
    static const char *const links[] = { "offline", "connecting", "connecting", "connected",
                                         "given up" };
    static const char *const boots[] = { "not accepted yet", "pending", "rejected", "accepted" };
    struct amp_station *st = station(c);

    if (!st) {
        fprintf(c->options.out, "  the station is not running: it starts, or restarts\n");
        return THROUGH;
    }
    fprintf(c->options.out, "  %s, %s, %u transaction messages to deliver\n",
            links[amp_station_link(st)], boots[amp_station_boot(st)], amp_station_queued(st));
    for (int i = 1; i <= c->options.connectors; i++)
        show(c, i);
    return THROUGH;
}

static enum outcome wait_for(struct console *c)
{
    int64_t s = number(c->words[0], 100000000);

    if (s < 0)
        return complain(c, "wait: '%s' is no number of seconds; write wait 10", c->words[0]);
    return waited(c) < (uint64_t)s * 1000 ? AGAIN : THROUGH;
}

static int status_of(const char *name)
{
    for (int i = AMP_AVAILABLE; i <= AMP_FAULTED; i++)
        if (!strcmp(name, solo_status_name((enum amp_status)i)))
            return i;
    return 0;
}

static enum outcome expect(struct console *c)
{
    struct amp_station *st = station(c);
    int wanted = status_of(c->words[1]);
    int64_t s = c->count > 2 ? number(c->words[2], 100000000) : CONSOLE_EXPECT_S;
    struct amp_connector_info i = { .status = 0 };

    if (!wanted)
        return complain(c,
                        "expect: '%s' is no status; Available, Preparing, Charging, "
                        "SuspendedEVSE, SuspendedEV, Finishing, Reserved, Unavailable or Faulted",
                        c->words[1]);
    if (s < 0)
        return complain(c, "expect: '%s' is no number of seconds; write expect 1 Charging 10",
                        c->words[2]);
    if (st && amp_station_connector(st, c->connector, &i) < 0)
        return complain(c, "expect: there is no connector %d", c->connector);
    if ((int)i.status == wanted)
        return THROUGH;
    if (waited(c) < (uint64_t)s * 1000)
        return AGAIN;
    return complain(c, "expect: connector %d is %s, and not %s after %" PRId64 " s", c->connector,
                    st ? solo_status_name(i.status) : "restarting", c->words[1], s);
}

static enum outcome quit(struct console *c)
{
    c->over = true;
    posix_stop(c->loop);
    return THROUGH;
}

static enum outcome help(struct console *c);

static const struct command commands[] = {
    { "plug", "N", "a car is plugged in", 1, 1, true, false, true, plug },
    { "unplug", "N", "it is unplugged and leaves", 1, 1, true, false, true, unplug },
    { "tag", "N|* TAG", "a card is shown; *: to the station as a whole", 2, 2, true, true, true,
      tag },
    { "fault", "N|* CODE", "something breaks: GroundFailure; NoError: all is well", 2, 2, true,
      true, true, fault },
    { "repair", "N|* CODE", "that error has passed; others stay", 2, 2, true, true, true, repair },
    { "stop", "N", "the stop button", 1, 1, true, false, true, stop },
    { "cut", "", "the power fails; it restarts from its journal", 0, 0, false, false, true, cut },
    { "status", "", "what the station is doing", 0, 0, false, false, false, status },
    { "wait", "SECONDS", "let time pass", 1, 1, false, false, false, wait_for },
    { "expect", "N STATUS [SECONDS]", "wait (30) for it; exit code 1 when it does not come", 2, 3,
      true, false, false, expect },
    { "quit", "", "end at once", 0, 0, false, false, false, quit },
    { "help", "", "this", 0, 0, false, false, false, help },
};

static enum outcome help(struct console *c)
{
    for (size_t i = 0; i < AMP_COUNT(commands); i++)
        fprintf(c->options.out, "  %-6s %-20s %s\n", commands[i].name, commands[i].usage,
                commands[i].about);
    return THROUGH;
}

/* --- lines */

/* The words of c->line behind its name, which is returned: NULL when the line is empty. */
static const char *split(struct console *c)
{
    char *rest, *name = strtok_r(c->line, " \t\r", &rest), *word;

    for (c->count = 0; name && (word = strtok_r(NULL, " \t\r", &rest)); c->count++)
        if (c->count < WORDS_MAX)
            c->words[c->count] = word;
    return name;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < AMP_COUNT(commands); i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static const struct command *known(struct console *c, const char *name)
{
    const struct command *k = find(name);
    int64_t n;

    if (!k) {
        complain(c, "'%s' is no command; help lists them", name);
        return NULL;
    }
    if (c->count < k->least || c->count > k->most) {
        complain(c, "%s: %s; write %s %s", name,
                 c->count < k->least ? "something is missing" : "too many words", name, k->usage);
        return NULL;
    }
    if (!k->connector)
        return k;
    n = k->whole && !strcmp(c->words[0], "*") ? 0 : number(c->words[0], c->options.connectors);
    if (n < 0 || (n == 0 && !k->whole)) {
        complain(c, "%s: '%s' is no connector; 1 to %d", name, c->words[0], c->options.connectors);
        return NULL;
    }
    c->connector = (int)n;
    return k;
}

/* The line, as it was read, is split anew each time it is looked at. */
static enum outcome perform(struct console *c)
{
    char kept[CONSOLE_LINE_MAX];
    const struct command *k;
    const char *name;
    enum outcome o = THROUGH;

    memcpy(kept, c->line, sizeof kept);
    c->line[strcspn(c->line, "#")] = 0;
    name = split(c);
    k = name ? known(c, name) : NULL;
    if (k && k->running && !station(c))
        o = waited(c) < CONSOLE_READY_MS ? AGAIN
                                         : complain(c, "%s: the station does not run", name);
    else if (k)
        o = k->run(c);
    if (o == AGAIN)
        memcpy(c->line, kept, sizeof kept);
    return o;
}

/* What is there, without waiting. False: nothing at the moment. */
static bool read_more(struct console *c)
{
    ssize_t n;

    if (c->ended)
        return false;
    n = read(c->options.fd, c->input + c->input_len, sizeof c->input - c->input_len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        c->ended = true;
        if (c->input_len) /* the last line may lack its end */
            c->input[c->input_len++] = '\n';
        return true;
    }
    c->input_len += (size_t)n;
    return true;
}

/* The next complete line into c->line. */
static bool take_line(struct console *c)
{
    char *end = memchr(c->input, '\n', c->input_len);
    size_t n = end ? (size_t)(end - c->input) : c->input_len;
    bool fits = n < sizeof c->line && !c->skipping;

    if (!end && n < sizeof c->input - 1) /* one byte is kept for the end of the last line */
        return false;
    c->skipping = !end;
    if (fits)
        memcpy(c->line, c->input, n);
    c->line[fits ? n : 0] = 0;
    if (!fits && end)
        complain(c, "a line is too long; at most %d characters", CONSOLE_LINE_MAX - 1);
    n += end != NULL;
    memmove(c->input, c->input + n, c->input_len - n);
    c->input_len -= n;
    return true;
}

static void prompt(struct console *c)
{
    if (c->options.prompt && !c->over && !c->ended)
        fputs("> ", c->options.out);
    fflush(c->options.out);
}

/* Nothing follows: end when all is delivered, or cannot be in time. */
static void wind_up(struct console *c)
{
    struct amp_station *st = station(c);

    if (!c->pending) {
        c->pending = true;
        c->since = posix_clock_now(&c->loop->clock);
    }
    if ((st && amp_station_queued(st) == 0) || waited(c) >= SOLO_FLUSH_MS)
        quit(c);
}

/* All lines that can go on. */
static void pump(struct console *c)
{
    while (!c->over) {
        if (!c->pending || c->line[0] == 0) {
            if (!take_line(c)) {
                if (c->plain && read_more(c))
                    continue;
                break;
            }
            c->since = posix_clock_now(&c->loop->clock);
        }
        c->pending = perform(c) == AGAIN;
        if (c->pending)
            break;
        c->line[0] = 0;
        prompt(c);
    }
    if (!c->over && c->ended && !c->line[0] && !c->options.stay)
        wind_up(c);
    if (!c->over && (c->pending || (c->ended && !c->options.stay)))
        posix_timer_set(c->loop, &c->timer, posix_clock_now(&c->loop->clock) + ROUND_MS);
}

/* Input is taken only when it can be used: a closed pipe would wake the loop again and again. */
static void listen_or_not(struct console *c)
{
    bool wanted = !c->plain && !c->pending && !c->ended && !c->over;

    if (wanted == (c->watch.fd >= 0))
        return;
    if (!wanted)
        posix_watch_remove(c->loop, &c->watch);
    else if (posix_watch_add(c->loop, &c->watch, c->options.fd, EPOLLIN) < 0)
        c->ended = true; /* the next round ends */
}

static void on_readable(void *ctx, uint32_t events)
{
    struct console *c = ctx;

    (void)events;
    if (read_more(c))
        pump(c);
    listen_or_not(c);
}

static void on_timer(void *ctx)
{
    struct console *c = ctx;

    pump(c);
    listen_or_not(c);
}

int console_open(struct posix_loop *l, const struct console_options *o, struct console **out)
{
    struct console *c = calloc(1, sizeof *c);

    if (!c)
        return AMP_E_IO;
    c->loop = l;
    c->options = *o;
    c->watch = (struct posix_watch){ .fd = -1, .ready = on_readable, .ctx = c };
    c->timer.fire = on_timer;
    c->timer.ctx = c;
    if (posix_watch_add(l, &c->watch, o->fd, EPOLLIN) < 0) {
        if (errno != EPERM) {
            free(c);
            return AMP_E_IO;
        }
        c->watch.fd = -1;
        c->plain = true;
    }
    if (o->prompt)
        fprintf(o->out, "help lists the commands.\n");
    prompt(c);
    posix_timer_set(l, &c->timer, posix_clock_now(&l->clock));
    *out = c;
    return 0;
}

unsigned console_failures(const struct console *c)
{
    return c->failures;
}

void console_close(struct console *c)
{
    if (c->watch.fd >= 0)
        posix_watch_remove(c->loop, &c->watch);
    posix_timer_clear(c->loop, &c->timer);
    free(c);
}
