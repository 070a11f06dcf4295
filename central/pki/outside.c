/* central/pki/outside.c - see outside.h. */
#include "central/pki/outside.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX 65536 /* bytes of a chain of certificates */

extern char **environ;

struct outside {
    uv_process_t process;
    uv_pipe_t in, out, err;
    uv_timer_t timer;
    uv_write_t write;
    unsigned handles, reading; /* open ones; streams whose end has not come */
    bool exited, told, late;
    int64_t status;
    int signal;
    outside_done_fn *done; /* NULL: cancelled */
    void *ctx;
    char *csr;
    size_t out_len, err_len;
    char buffer[4096], err_text[512], out_text[OUT_MAX];
};

static void on_closed(uv_handle_t *h)
{
    struct outside *o = h->data;

    if (--o->handles)
        return;
    free(o->csr);
    free(o);
}

static void close_all(struct outside *o)
{
    uv_handle_t *const all[] = { (uv_handle_t *)&o->process, (uv_handle_t *)&o->in,
                                 (uv_handle_t *)&o->out, (uv_handle_t *)&o->err,
                                 (uv_handle_t *)&o->timer };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!uv_is_closing(all[i]))
            uv_close(all[i], on_closed);
}

/* The last line of its complaint. */
static const char *complaint(struct outside *o)
{
    char *line;

    while (o->err_len && o->err_text[o->err_len - 1] <= ' ')
        o->err_len--;
    o->err_text[o->err_len] = 0;
    line = strrchr(o->err_text, '\n');
    return line ? line + 1 : o->err_text;
}

/* It has ended and all it said is here. */
static void settle(struct outside *o)
{
    char why[600];

    if (!o->exited || o->reading || o->told)
        return;
    o->told = true;
    uv_timer_stop(&o->timer);
    if (o->late)
        snprintf(why, sizeof why, "the command of the authority took too long");
    else if (o->signal)
        snprintf(why, sizeof why, "the command of the authority was ended by signal %d", o->signal);
    else if (*complaint(o))
        snprintf(why, sizeof why, "%s", complaint(o));
    else
        snprintf(why, sizeof why, "the command of the authority ended with %d", (int)o->status);
    if (o->done)
        o->done(o->ctx, o->late || o->signal ? -1 : (int)o->status,
                (struct amp_text){ o->out_text, (uint32_t)o->out_len }, why);
    close_all(o);
}

static void on_exit_status(uv_process_t *p, int64_t status, int number)
{
    struct outside *o = p->data;

    o->exited = true;
    o->status = status;
    o->signal = number;
    settle(o);
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *buf)
{
    struct outside *o = h->data;

    (void)want;
    *buf = uv_buf_init(o->buffer, sizeof o->buffer);
}

static void take(char *to, size_t *len, size_t cap, const char *from, size_t n)
{
    if (n > cap - *len)
        n = cap - *len;
    memcpy(to + *len, from, n);
    *len += n;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct outside *o = s->data;

    if (n < 0) {
        uv_read_stop(s);
        o->reading--;
        settle(o);
    } else if (s == (uv_stream_t *)&o->out) {
        take(o->out_text, &o->out_len, sizeof o->out_text, buf->base, (size_t)n);
    } else {
        take(o->err_text, &o->err_len, sizeof o->err_text - 1, buf->base, (size_t)n);
    }
}

static void on_late(uv_timer_t *t)
{
    struct outside *o = t->data;

    o->late = true;
    uv_process_kill(&o->process, SIGKILL);
}

static void on_written(uv_write_t *w, int status)
{
    struct outside *o = w->data;

    (void)status; /* one that reads nothing may know all the same */
    if (!uv_is_closing((uv_handle_t *)&o->in))
        uv_close((uv_handle_t *)&o->in, on_closed); /* the end of the request */
}

/* Ours, and two more. NULL-terminated, malloc'd in one piece with the two texts. */
static char **environment(const char *request, const char *charger)
{
    size_t count = 0, len = strlen(request) + strlen(charger) + 64;
    char **out, *text;

    while (environ[count])
        count++;
    out = malloc((count + 3) * sizeof *out + len);
    if (!out)
        abort();
    memcpy(out, environ, count * sizeof *out);
    text = (char *)(out + count + 3);
    out[count] = text;
    text += sprintf(text, "AMPERSTAND_REQUEST=%s", request) + 1;
    out[count + 1] = text;
    sprintf(text, "AMPERSTAND_CHARGER=%s", charger);
    out[count + 2] = NULL;
    return out;
}

struct outside *outside_ask(uv_loop_t *loop, const char *command, struct amp_text csr,
                            const char *request, const char *charger, unsigned seconds,
                            outside_done_fn *done, void *ctx)
{
    struct outside *o = calloc(1, sizeof *o);
    char *args[] = { (char *)"/bin/sh", (char *)"-c", (char *)(uintptr_t)command, NULL };
    char **env = environment(request, charger);
    uv_stdio_container_t stdio[3];
    uv_process_options_t options = { .exit_cb = on_exit_status,
                                     .file = args[0],
                                     .args = args,
                                     .env = env,
                                     .stdio_count = 3,
                                     .stdio = stdio };
    uv_buf_t buf;
    int rc;

    if (!o)
        abort();
    o->done = done;
    o->ctx = ctx;
    o->handles = 5;
    uv_pipe_init(loop, &o->in, 0);
    uv_pipe_init(loop, &o->out, 0);
    uv_pipe_init(loop, &o->err, 0);
    uv_timer_init(loop, &o->timer);
    o->process.data = o->in.data = o->out.data = o->err.data = o->timer.data = o->write.data = o;
    stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
    stdio[0].data.stream = (uv_stream_t *)&o->in;
    stdio[1].flags = stdio[2].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *)&o->out;
    stdio[2].data.stream = (uv_stream_t *)&o->err;
    rc = uv_spawn(loop, &o->process, &options);
    free(env);
    o->process.data = o;
    if (rc < 0) {
        o->told = true;
        close_all(o);
        return NULL;
    }
    o->csr = malloc(csr.len + 1);
    if (!o->csr)
        abort();
    memcpy(o->csr, csr.at, csr.len);
    buf = uv_buf_init(o->csr, csr.len);
    o->reading = 2;
    uv_read_start((uv_stream_t *)&o->out, on_alloc, on_read);
    uv_read_start((uv_stream_t *)&o->err, on_alloc, on_read);
    uv_write(&o->write, (uv_stream_t *)&o->in, &buf, 1, on_written);
    uv_timer_start(&o->timer, on_late, (uint64_t)seconds * 1000, 0);
    return o;
}

void outside_cancel(struct outside *o)
{
    o->done = NULL;
    if (!o->exited)
        uv_process_kill(&o->process, SIGKILL);
    close_all(o);
}
