/* station/upload.c - see upload.h. The platform writes the file and sends it; here is when, how
 * often, and that the central system hears of the beginning once and of the end once, also when a
 * restart came between. */
#include "station/impl.h"

#define RETRIES 2 /* when the request leaves it to us */
#define RETRY_S 60

enum state { IDLE, ASKED, RUNNING, PAUSED, BROKEN /* by a restart: the end is not heard yet */ };

static void tell(struct amp_station *st, unsigned status)
{
    struct amp_uploading *u = &st->upload;

    amp_notice_push(&u->notices,
                    (struct amp_notice){ .job = u->is_log ? AMP_JOB_LOG : AMP_JOB_DIAGNOSTICS,
                                         .status = (uint8_t)status,
                                         .has_id = u->is_log,
                                         .last = status != AMP_UP_UPLOADING,
                                         .id = u->id });
}

/* ---- the journal: that an end is owed ---- */

static void pack(const struct amp_station *st, struct amp_buf *out)
{
    amp_pack_u8(out, st->upload.state != IDLE);
    amp_pack_u8(out, st->upload.is_log);
    amp_pack_i64(out, st->upload.id);
}

static void store(struct amp_station *st)
{
    uint8_t raw[16];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    pack(st, &out);
    if (amp_journal_put(st, AMP_ENTRY_UPLOAD, raw, out.len, false) < 0)
        amp_log(st, AMP_LOG_WARN, "that an upload is under way could not be stored");
}

int amp_upload_save(struct amp_station *st)
{
    uint8_t raw[16];
    struct amp_buf out;

    if (st->upload.state == IDLE)
        return 0;
    amp_buf_init(&out, raw, sizeof(raw));
    pack(st, &out);
    return amp_journal_copy(st, AMP_ENTRY_UPLOAD, raw, out.len);
}

void amp_upload_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };

    st->upload.state = amp_cut_u8(&in) ? BROKEN : IDLE;
    st->upload.is_log = amp_cut_u8(&in) != 0;
    st->upload.id = amp_cut_i64(&in);
    if (in.bad)
        st->upload.state = IDLE;
}

void amp_upload_restart(struct amp_station *st)
{
    if (st->upload.state == BROKEN)
        tell(st, AMP_UP_FAILED);
}

/* ---- the errand ---- */

static void end(struct amp_station *st, unsigned status)
{
    tell(st, status);
    st->upload.state = BROKEN; /* until it was heard */
}

/* What another attempt cannot mend ends at once. */
static void failed(struct amp_station *st, int rc)
{
    struct amp_uploading *u = &st->upload;

    if (rc == AMP_E_SUPPORT || rc == AMP_E_FORMAT) {
        end(st, !u->is_log            ? AMP_UP_FAILED
                : rc == AMP_E_SUPPORT ? AMP_UP_NOT_SUPPORTED
                                      : AMP_UP_BAD_MESSAGE);
    } else if (u->tries <= u->retries) {
        u->state = PAUSED;
        u->next_at = st->now + (uint64_t)u->retry_s * 1000;
    } else {
        end(st, u->is_log && rc == AMP_E_AUTH ? AMP_UP_DENIED : AMP_UP_FAILED);
    }
}

static void start(struct amp_station *st)
{
    struct amp_uploading *u = &st->upload;
    const struct amp_transfer *t = st->port->transfer;
    struct amp_upload what = { (enum amp_source)u->source, amp_text_of(u->location), u->from_ms,
                               u->to_ms };
    int rc;

    if (!u->tries++)
        tell(st, AMP_UP_UPLOADING);
    u->state = RUNNING;
    rc = t->upload(t->ctx, &what);
    if (rc < 0)
        failed(st, rc);
}

void amp_upload_done(struct amp_station *st, int rc)
{
    if (st->upload.state != RUNNING)
        return;
    if (rc < 0)
        failed(st, rc);
    else
        end(st, AMP_UP_UPLOADED);
}

void amp_upload_poll(struct amp_station *st)
{
    struct amp_uploading *u = &st->upload;

    if (u->state == ASKED || (u->state == PAUSED && amp_due(st, u->next_at)))
        start(st);
}

static int32_t at_most(int64_t given, int32_t standard, int32_t most)
{
    return given < 0 ? standard : given < most ? (int32_t)given : most;
}

static bool runs(const struct amp_uploading *u)
{
    return u->state == ASKED || u->state == RUNNING || u->state == PAUSED;
}

/* The new request takes the place of the one before. GetLog's answer says so; of all others the end
 * is told. */
static void replace(struct amp_station *st, bool said)
{
    struct amp_uploading *u = &st->upload;

    if (u->state == RUNNING)
        st->port->transfer->cancel(st->port->transfer->ctx, AMP_ERRAND_UPLOAD);
    if (runs(u) && !said)
        tell(st, AMP_UP_FAILED);
}

enum amp_upload_result amp_upload_begin(struct amp_station *st, const struct amp_upload_request *r,
                                        char *name, size_t cap)
{
    struct amp_uploading *u = &st->upload;
    const struct amp_transfer *t = st->port->transfer;
    bool canceled = runs(u);
    int n;

    name[0] = 0;
    if (!r->location.len || r->location.len > AMP_LOCATION_MAX ||
        memchr(r->location.at, 0, r->location.len))
        return AMP_UP_REJECTED;
    n = t->name(t->ctx, (enum amp_source)r->source, r->from_ms, r->to_ms, name, cap - 1);
    if (n <= 0)
        return AMP_UP_REJECTED; /* nothing to send */
    name[n] = 0;
    replace(st, r->is_log && u->is_log);
    u->state = ASKED; /* begins when the answer is written */
    u->source = r->source;
    u->is_log = r->is_log;
    u->id = r->id;
    u->from_ms = r->from_ms;
    u->to_ms = r->to_ms;
    u->tries = 0;
    u->retries = at_most(r->retries, RETRIES, 100);
    u->retry_s = at_most(r->retry_s, RETRY_S, 86400);
    amp_text_copy(u->location, sizeof(u->location), r->location);
    store(st);
    return canceled ? AMP_UP_CANCELED : AMP_UP_ACCEPTED;
}

/* ---- messages ---- */

void amp_upload_trigger(struct amp_station *st, bool of_log)
{
    if (of_log)
        st->upload.asked_log = true;
    else
        st->upload.asked = true;
}

/* Idle, unless one of its own kind is under way: only a trigger ever asks this (151, 161). */
static struct amp_notice now_at(const struct amp_station *st, bool of_log)
{
    const struct amp_uploading *u = &st->upload;
    bool busy = runs(u) && u->is_log == of_log;

    return (struct amp_notice){ .job = of_log ? AMP_JOB_LOG : AMP_JOB_DIAGNOSTICS,
                                .status = busy ? AMP_UP_UPLOADING : AMP_UP_IDLE,
                                .has_id = of_log && busy,
                                .id = u->id };
}

bool amp_upload_due(struct amp_station *st)
{
    struct amp_uploading *u = &st->upload;
    bool may = st->boot_state == AMP_BOOT_PENDING || st->boot_state == AMP_BOOT_ACCEPTED;

    if (may && (u->asked || u->asked_log)) {
        bool of_log = !u->asked;

        *(of_log ? &u->asked_log : &u->asked) = false;
        st->call.notice = now_at(st, of_log);
        st->call.job = st->call.notice.job;
        st->call.triggered = true;
        return true;
    }
    return amp_notice_due(st, &u->notices);
}

static void heard(struct amp_station *st, const struct amp_notice *n)
{
    struct amp_uploading *u = &st->upload;

    if (!n->last || u->state != BROKEN || u->notices.count)
        return;
    u->state = IDLE;
    store(st);
}

void amp_upload_answered(struct amp_station *st)
{
    struct amp_notice n;

    if (!st->call.triggered && amp_notice_done(&st->upload.notices, &n))
        heard(st, &n);
}

void amp_upload_failed(struct amp_station *st, int rc)
{
    struct amp_notice n;

    if (!st->call.triggered && amp_notice_failed(st, &st->upload.notices, rc, &n))
        heard(st, &n);
}
