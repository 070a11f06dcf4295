/* central/rest/metrics.c - /metrics in Prometheus' text format 0.0.4. Every label has a bounded set
 * of values: states, actions of the standard, reasons of ours. Never a station's name. */
#include "central/counts.h"
#include "central/domain/census.h"
#include "central/rest/feed.h"
#include "central/rest/routes.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- the format ---- */

struct writer {
    struct amp_buf *b;
    const char *prefix, *name;
};

static void family(struct writer *w, const char *name, const char *type, const char *help)
{
    w->name = name;
    w->prefix = strncmp(name, "process_", 8) ? "amperstand_" : "";
    for (int i = 0; i < 2; i++) {
        amp_buf_puts(w->b, i ? "# TYPE " : "# HELP ");
        amp_buf_puts(w->b, w->prefix);
        amp_buf_puts(w->b, name);
        amp_buf_putc(w->b, ' ');
        amp_buf_puts(w->b, i ? type : help);
        amp_buf_putc(w->b, '\n');
    }
}

static void put_label(struct amp_buf *b, const char *separator, const char *name, const char *value)
{
    amp_buf_puts(b, separator);
    amp_buf_puts(b, name);
    amp_buf_puts(b, "=\"");
    for (; *value; value++) {
        if (*value == '\n') {
            amp_buf_puts(b, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\')
            amp_buf_putc(b, '\\');
        amp_buf_putc(b, *value);
    }
    amp_buf_putc(b, '"');
}

/* One sample; `labels` are name, value pairs up to a NULL. */
static void sample_text(struct writer *w, const char *suffix, const char *const *labels,
                        const char *value)
{
    amp_buf_puts(w->b, w->prefix);
    amp_buf_puts(w->b, w->name);
    amp_buf_puts(w->b, suffix);
    for (size_t i = 0; labels && labels[i]; i += 2)
        put_label(w->b, i ? "," : "{", labels[i], labels[i + 1]);
    amp_buf_puts(w->b, labels && labels[0] ? "} " : " ");
    amp_buf_puts(w->b, value);
    amp_buf_putc(w->b, '\n');
}

static void sample(struct writer *w, const char *const *labels, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    sample_text(w, "", labels, text);
}

static void one(struct writer *w, const char *name, const char *type, const char *help,
                uint64_t value)
{
    family(w, name, type, help);
    sample(w, NULL, value);
}

#define LABELS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Microseconds as seconds. */
static const char *seconds(uint64_t us, char out[32])
{
    snprintf(out, 32, "%llu.%06llu", (unsigned long long)(us / 1000000),
             (unsigned long long)(us % 1000000));
    return out;
}

static void histogram(struct writer *w, const char *name, const char *help,
                      const struct histogram *h)
{
    uint64_t total = 0;
    char bound[32], text[32];

    family(w, name, "histogram", help);
    for (size_t i = 0; i <= COUNTS_BOUNDS; i++) {
        total += h->buckets[i];
        snprintf(text, sizeof text, "%llu", (unsigned long long)total);
        sample_text(w, "_bucket",
                    LABELS("le", i < COUNTS_BOUNDS ? seconds(counts_bounds_us[i], bound) : "+Inf"),
                    text);
    }
    sample_text(w, "_sum", NULL, seconds(h->sum_us, bound));
    sample_text(w, "_count", NULL, text);
}

/* ---- what there is ---- */

static void by_state(struct writer *w, const char *label, const uint64_t *by, int first, int last,
                     const char *(*name)(int))
{
    for (int i = first; i <= last; i++)
        sample(w, LABELS(label, name(i)), by[i]);
}

static void put_world(struct writer *w, const struct world *world)
{
    struct census n;

    world_census(world, &n);
    family(w, "chargers", "gauge", "Chargers known, by the state of their connection");
    by_state(w, "connection", n.connections, CONNECTION_NEVER, CONNECTION_DISCONNECTED,
             connection_state_name);
    family(w, "chargers_registered", "gauge", "Chargers known, by what was decided about them");
    by_state(w, "registration", n.registrations, REGISTRATION_PENDING, REGISTRATION_REJECTED,
             registration_name);
    family(w, "transactions", "gauge", "Charging sessions that have not ended, by state");
    by_state(w, "state", n.transactions, TX_PENDING_START, TX_PENDING_STOP, transaction_state_name);
    family(w, "commands_open", "gauge", "Commands to chargers that are not finished, by state");
    by_state(w, "state", n.commands, COMMAND_QUEUED, COMMAND_ACCEPTED, command_state_name);
}

static void put_messages(struct writer *w, const struct counts *c)
{
    static const char *const types[] = { "unreadable", "call", "result", "error" };
    static const char *const directions[] = { "received", "sent" };

    family(w, "messages_total", "counter",
           "OCPP messages, by action, direction and what they are: a call, its result or an error");
    for (int a = 0; a < COUNTS_ACTIONS; a++)
        for (int d = 0; d < 2; d++)
            for (int t = 0; t < COUNT_TYPES; t++)
                if (c->messages[a][d][t])
                    sample(w,
                           LABELS("action", v16_action_name(a), "direction", directions[d], "type",
                                  types[t]),
                           c->messages[a][d][t]);
    one(w, "messages_refused_total", "counter", "Messages received that we objected to",
        c->objected);
    one(w, "messages_late_total", "counter", "Answers that came too late, or to no call of ours",
        c->late);
    family(w, "messages_repaired_total", "counter",
           "Messages received with values that were tolerated, by kind");
    for (int i = 0; i < AMP_REPAIRS; i++)
        sample(w, LABELS("kind", amp_repair_name((enum amp_repair)i)), c->repairs[i]);
    one(w, "unknown_fields_total", "counter", "Fields received that no definition knows",
        c->unknown_fields);
    histogram(w, "answer_seconds",
              "From a station's call until the answer leaves, behind its commit", &c->answer);
    histogram(w, "call_seconds", "From our call until a station's answer", &c->call);
    family(w, "commands_total", "counter", "Changes of commands to chargers, by the new state");
    for (int i = COMMAND_QUEUED; i <= COMMAND_NO_EFFECT; i++)
        sample(w, LABELS("state", command_state_name(i)), c->commands[i]);
    family(w, "refused_total", "counter", "Handshakes and connections refused, by reason");
    for (unsigned i = 0; i < c->refused.used; i++)
        sample(w, LABELS("reason", c->refused.at[i].name), c->refused.at[i].count);
}

static void put_net(struct writer *w, const struct net *net, const struct v16 *v16)
{
    struct net_stats n;
    struct v16_stats v;

    net_stats(net, &n);
    v16_stats(v16, &v);
    one(w, "connections_open", "gauge", "Open sockets", n.open);
    one(w, "websockets_open", "gauge", "Open WebSockets, stations and browsers", n.websockets);
    one(w, "stations_open", "gauge", "Open WebSockets of stations", v.sessions);
    one(w, "connections_accepted_total", "counter", "Sockets accepted", n.accepted);
    one(w, "connections_refused_total", "counter",
        "Sockets refused before a request was understood", n.refused);
    one(w, "websockets_broken_total", "counter", "WebSockets closed for breaking a rule", n.broken);
    one(w, "websockets_lost_total", "counter", "WebSockets that ended without a close frame",
        n.lost);
    one(w, "received_bytes_total", "counter", "Bytes read from sockets", n.rx_bytes);
    one(w, "sent_bytes_total", "counter", "Bytes written to sockets", n.tx_bytes);
    one(w, "received_messages_total", "counter", "WebSocket messages received", n.rx_messages);
    one(w, "sent_messages_total", "counter", "WebSocket messages sent", n.tx_messages);
    one(w, "network_buffer_bytes", "gauge", "Private buffers of connections", n.buffers);
    one(w, "outbox_messages", "gauge", "Messages to stations that wait for their commit",
        v.waiting);
    one(w, "outbox_bytes", "gauge", "The bytes of these", v.waiting_bytes);
    one(w, "unsent_messages_total", "counter",
        "Messages that were not sent because the store failed", v.unsent);
}

static void put_store(struct writer *w, const struct store *store)
{
    struct store_stats s;

    store_stats(store, &s);
    one(w, "store_facts_total", "counter", "Facts committed", s.facts);
    one(w, "store_commits_total", "counter", "Group commits", s.commits);
    one(w, "store_failures_total", "counter", "Commits that failed", s.failures);
    one(w, "store_failing", "gauge", "1 while the database refuses", s.failing);
    one(w, "store_pending", "gauge", "Facts that wait for a commit", s.pending);
    one(w, "store_dropped_total", "counter", "Rows of histories lost while the database refused",
        s.dropped);
    histogram(w, "store_commit_seconds", "Duration of a group commit", &s.commit);
}

_Static_assert(FACT_KINDS <= AMP_COUNT(((struct counts *)0)->retention), "one place a kind");

static const char *history_name(int kind)
{
    static const char *const names[FACT_KINDS] = {
        [FACT_STATUS] = "status",    [FACT_READING] = "readings",       [FACT_MESSAGE] = "messages",
        [FACT_COMMAND] = "commands", [FACT_CONNECTION] = "connections", [FACT_AUDIT] = "audit",
        [FACT_REFUSAL] = "refusals",
    };

    return kind < FACT_KINDS ? names[kind] : NULL;
}

static void put_retention(struct writer *w, const struct counts *c)
{
    static const struct {
        const char *name, *help;
    } families[] = {
        { "retention_deleted_rows_total", "Rows deleted because they were older than is kept" },
        { "retention_archived_rows_total", "Rows written to archive files before" },
        { "retention_failures_total", "Attempts that failed: nothing was deleted" },
    };

    for (size_t i = 0; i < AMP_COUNT(families); i++) {
        family(w, families[i].name, "counter", families[i].help);
        for (int kind = 0; kind < FACT_KINDS; kind++)
            if (history_name(kind))
                sample(w, LABELS("history", history_name(kind)),
                       i == 0   ? c->retention[kind].deleted
                       : i == 1 ? c->retention[kind].archived
                                : c->retention[kind].failures);
    }
}

/* ---- the process ---- */

static uint64_t open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t n = 0;

    if (!dir)
        return 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n > 3 ? n - 3 : 0; /* . and .. and the folder itself */
}

static uint64_t resident_bytes(void)
{
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f && fscanf(f, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put_process(struct writer *w, const struct central *c)
{
    struct rusage usage;
    struct rlimit files = { 0 };
    struct statvfs disk;
    char text[32];

    getrusage(RUSAGE_SELF, &usage);
    getrlimit(RLIMIT_NOFILE, &files);
    family(w, "process_cpu_seconds_total", "counter", "CPU time, user and system");
    sample_text(w, "", NULL,
                seconds((uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                            (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
                        text));
    one(w, "process_resident_memory_bytes", "gauge", "Memory that is resident", resident_bytes());
    one(w, "process_open_fds", "gauge", "Open files and sockets", open_files());
    one(w, "process_max_fds", "gauge", "How many there may be", files.rlim_cur);
    one(w, "process_start_time_seconds", "gauge", "Unix time of the start",
        (uint64_t)(c->started_ms / 1000));
    if (c->settings.data && statvfs(c->settings.data, &disk) == 0)
        one(w, "data_free_bytes", "gauge", "Room left on the disk of the data folder",
            (uint64_t)disk.f_bavail * disk.f_frsize);
    family(w, "info", "gauge", "Always 1; the version is a label");
    sample(w, LABELS("version", AMP_VERSION), 1);
}

void rest_metrics(struct rest_call *call)
{
    static const struct counts none;
    struct central *c = call->c;
    struct rest *r = call->rest;
    struct writer w = { .b = &r->out };

    amp_buf_reset(w.b);
    put_world(&w, c->world);
    put_messages(&w, c->counts ? c->counts : &none);
    put_net(&w, c->net, c->v16);
    put_store(&w, c->store);
    put_retention(&w, c->counts ? c->counts : &none);
    one(&w, "live_readers", "gauge", "Browsers and scripts on the live feed",
        live_readers(c->live));
    one(&w, "exports_open", "gauge", "Histories being sent as files", r->exports);
    one(&w, "http_requests_total", "counter", "API requests", r->requests);
    one(&w, "http_problems_total", "counter", "API requests answered with a problem", r->problems);
    one(&w, "http_denied_total", "counter", "API requests without the right to ask", r->denied);
    put_process(&w, c);
    rest_reply(call, 200, "text/plain; version=0.0.4; charset=utf-8", "", w.b->at, w.b->len);
}
