/* central/log.c - log lines: built on the stack, written by one write(), so that lines of threads
 * never mix. */
#include "central/log.h"
#include "ocpp/json.h"
#include "ocpp/time.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#define LINE_MAX_LEN  16384 /* LOG_FIELDS values, each byte escaped to six */
#define VALUE_MAX_LEN 300   /* bytes of a text that are written */
#define FIELDS_MAX    8     /* the rest of a longer list is dropped */
#define OFTEN_MAX \
    64 /* different messages that log_often counts; the last slot is shared by all others */

/* One message of log_often. */
struct often {
    const char *module, *message;
    enum log_level level;
    int64_t since_ms; /* begin of the window */
    uint32_t written; /* lines in the window */
    uint64_t held;    /* not written in the window */
    uint64_t total;
};

struct log {
    int fd;
    enum log_level level;
    bool json;
    int64_t (*now_ms)(void);
    uv_mutex_t lock; /* for often[] */
    struct often often[OFTEN_MAX];
    size_t often_count;
};

static const char *const level_names[LOG_LEVELS] = { "error", "warn", "info", "debug" };

static int64_t system_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct log *log_new(int fd, enum log_level level, bool json)
{
    struct log *l = calloc(1, sizeof *l);

    if (!l || uv_mutex_init(&l->lock) < 0)
        abort();
    l->fd = fd;
    l->level = level;
    l->json = json;
    l->now_ms = system_ms;
    return l;
}

bool log_level_of(const char *word, enum log_level *out)
{
    for (int i = 0; i < LOG_LEVELS; i++) {
        if (!strcmp(word, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_wants(const struct log *l, enum log_level level)
{
    return l && level <= l->level;
}

void log_set_clock(struct log *l, int64_t (*now_ms)(void))
{
    if (l)
        l->now_ms = now_ms ? now_ms : system_ms;
}

static struct amp_text cut(struct amp_text t)
{
    if (t.len > VALUE_MAX_LEN) {
        t.len = VALUE_MAX_LEN;
        while (t.len && ((unsigned char)t.at[t.len] & 0xC0) == 0x80)
            t.len--;
    }
    return t;
}

/* May the value stand without quotes, and still be read back as one word? */
static bool plain(struct amp_text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];

        if (c <= ' ' || c >= 127 || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return t.len > 0 && !(t.len == 1 && t.at[0] == '-');
}

static void put_text_field(struct amp_buf *b, const struct log_field *f)
{
    amp_buf_putc(b, ' ');
    amp_buf_puts(b, f->key);
    amp_buf_putc(b, '=');
    if (!f->is_text)
        amp_buf_int(b, f->number);
    else if (!f->text.at)
        amp_buf_putc(b, '-');
    else if (plain(f->text))
        amp_buf_text_put(b, cut(f->text));
    else
        amp_json_quote(b, cut(f->text));
}

static void put_json_field(struct amp_json *w, const struct log_field *f)
{
    amp_json_key(w, f->key);
    if (f->is_text)
        amp_json_text(w, cut(f->text));
    else
        amp_json_int(w, f->number);
}

/* 2024-06-01T08:30:00.123Z: always with milliseconds, so that the columns stand. */
static void time_text(int64_t ms, char out[AMP_TIME_TEXT_MAX])
{
    amp_time_text(ms, out);
    if (strlen(out) == 20)
        memcpy(out + 19, ".000Z", 6);
}

static void write_all(int fd, const char *at, size_t len)
{
    while (len) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nowhere left to complain */
        at += n;
        len -= (size_t)n;
    }
}

static void put_line(struct log *l, enum log_level level, const char *module, const char *message,
                     const struct log_field *fields, size_t count)
{
    char line[LINE_MAX_LEN], when[AMP_TIME_TEXT_MAX];
    struct amp_buf b;
    struct amp_json w;

    amp_buf_init(&b, line, sizeof line - 1);
    time_text(l->now_ms(), when);
    if (count > FIELDS_MAX)
        count = FIELDS_MAX;
    if (l->json) {
        amp_json_init(&w, &b);
        amp_json_open(&w, '{');
        amp_json_key(&w, "time"), amp_json_str(&w, when);
        amp_json_key(&w, "level"), amp_json_str(&w, level_names[level]);
        amp_json_key(&w, "module"), amp_json_str(&w, module);
        amp_json_key(&w, "message"), amp_json_str(&w, message);
        for (size_t i = 0; i < count; i++)
            put_json_field(&w, &fields[i]);
        amp_json_close(&w, '}');
    } else {
        amp_buf_puts(&b, when);
        amp_buf_puts(&b, " ");
        amp_buf_puts(&b, level_names[level]);
        amp_buf_puts(&b, " ");
        amp_buf_puts(&b, module);
        amp_buf_puts(&b, " ");
        amp_buf_puts(&b, message);
        for (size_t i = 0; i < count; i++)
            put_text_field(&b, &fields[i]);
    }
    line[b.len++] = '\n'; /* one byte was kept for it */
    write_all(l->fd, line, b.len);
}

void log_put(struct log *l, enum log_level level, const char *module, const char *message,
             const struct log_field *fields, size_t count)
{
    if (log_wants(l, level))
        put_line(l, level, module, message, fields, count);
}

void log_say(struct log *l, enum log_level level, const char *module, const char *message)
{
    log_put(l, level, module, message, NULL, 0);
}

static struct often *find(struct log *l, const char *module, const char *message)
{
    for (size_t i = 0; i < l->often_count; i++) {
        struct often *o = &l->often[i];

        if (!strcmp(o->message, message) && !strcmp(o->module, module))
            return o;
    }
    return NULL;
}

static struct often *find_or_add(struct log *l, enum log_level level, const char *module,
                                 const char *message)
{
    struct often *o = find(l, module, message);

    if (o)
        return o;
    if (l->often_count == OFTEN_MAX)
        return &l->often[OFTEN_MAX - 1];
    o = &l->often[l->often_count++];
    *o = (struct often){
        .module = module, .message = message, .level = level, .since_ms = l->now_ms()
    };
    return o;
}

/* The window is over: say what was held back in it, and begin another. */
static void roll(struct log *l, struct often *o, int64_t now)
{
    if (o->held && log_wants(l, o->level))
        put_line(l, o->level, o->module, o->message,
                 LOG_LIST(LOG_INT("held", o->held), LOG_INT("total", o->total)), 2);
    o->since_ms = now;
    o->written = 0;
    o->held = 0;
}

void log_often(struct log *l, enum log_level level, const char *module, const char *message,
               const struct log_field *fields, size_t count)
{
    struct log_field all[FIELDS_MAX];
    struct often *o;
    int64_t now;

    if (!l)
        return;
    if (count > FIELDS_MAX - 1)
        count = FIELDS_MAX - 1;
    for (size_t i = 0; i < count; i++)
        all[i] = fields[i];
    uv_mutex_lock(&l->lock);
    now = l->now_ms();
    o = find_or_add(l, level, module, message);
    if (now - o->since_ms >= LOG_OFTEN_MS || now < o->since_ms)
        roll(l, o, now);
    o->total++;
    all[count] = LOG_INT("total", o->total);
    if (o->written < LOG_OFTEN_MAX) {
        o->written++;
        if (log_wants(l, level))
            put_line(l, level, module, message, all, count + 1);
    } else {
        o->held++;
    }
    uv_mutex_unlock(&l->lock);
}

void log_tick(struct log *l)
{
    int64_t now;

    if (!l)
        return;
    uv_mutex_lock(&l->lock);
    now = l->now_ms();
    for (size_t i = 0; i < l->often_count; i++) {
        if (l->often[i].held && now - l->often[i].since_ms >= LOG_OFTEN_MS)
            roll(l, &l->often[i], now);
    }
    uv_mutex_unlock(&l->lock);
}

uint64_t log_total(struct log *l, const char *module, const char *message)
{
    struct often *o;
    uint64_t total;

    if (!l)
        return 0;
    uv_mutex_lock(&l->lock);
    o = find(l, module, message);
    total = o ? o->total : 0;
    uv_mutex_unlock(&l->lock);
    return total;
}

void log_free(struct log *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->often_count; i++)
        roll(l, &l->often[i], 0);
    uv_mutex_destroy(&l->lock);
    free(l);
}
