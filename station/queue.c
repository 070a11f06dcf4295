/* station/queue.c - the messages of transactions, in the order in which they arose, kept in the
 * journal until they are answered or given up. station-1.6 66-69, 73-79, 92, 93; ocpp-facts B4, B5.
 *
 * The journal is the queue: START, METER and STOP records carry rising numbers, and `head` is the
 * oldest that is not done. They hold facts, not frames: a message is built when it is sent, with
 * the transaction id that is known by then. One record says both that something happened and that
 * it has to be told, so a power cut cannot come between the two. RAM holds the place of the head
 * alone. */
#include "station/impl.h"

_Static_assert(AMP_RECORD_MAX >= 12 + (AMP_CONNECTORS_MAX + 1) * 45, "the state fits a record");

static bool is_message(unsigned type)
{
    return type == AMP_ENTRY_START || type == AMP_ENTRY_METER || type == AMP_ENTRY_STOP;
}

static uint32_t seq_of(const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };

    return amp_cut_u32(&in);
}

/* Walk from `at`: the first waiting message is the head. */
static void find_head(struct amp_station *st, uint32_t at)
{
    struct amp_queue *q = &st->queue;
    struct amp_entry e;

    q->head_at = 0;
    while (amp_journal_next(st, &at, &e))
        if (is_message(e.type) && seq_of(&e) >= q->head) {
            q->head = seq_of(&e);
            q->head_at = e.at;
            return;
        }
    q->head = q->next;
}

/* ---- records ---- */

static void pack_head(struct amp_station *st, struct amp_buf *out, uint32_t seq, int connector)
{
    amp_pack_u32(out, seq);
    amp_pack_u32(out, st->con[connector].tx.local);
    amp_pack_u8(out, (unsigned)connector);
}

/* Store a message; it gets the next number. */
static int put_message(struct amp_station *st, enum amp_entry_type type, const struct amp_buf *raw,
                       bool spare)
{
    struct amp_queue *q = &st->queue;
    uint32_t at = st->journal.end, compactions = st->journal.compactions;
    int rc = raw->full ? AMP_E_FULL : amp_journal_put(st, type, raw->at, raw->len, spare);

    if (rc < 0)
        return rc;
    q->next++;
    q->count++;
    if (!q->head_at)
        find_head(st, compactions == st->journal.compactions ? at : 0);
    return 0;
}

static void remember(struct amp_station *st, int connector, uint32_t local, int64_t wh,
                     struct amp_when when)
{
    struct amp_view *v = &st->queue.view[connector];

    v->last_local = local;
    v->last_wh = wh;
    v->last_when = when;
}

int amp_queue_start(struct amp_station *st, int connector, const struct amp_reading *r)
{
    const struct amp_tx *tx = &st->con[connector].tx;
    uint8_t raw[160];
    struct amp_buf out;
    int rc;

    amp_buf_init(&out, raw, sizeof(raw));
    pack_head(st, &out, st->queue.next, connector);
    amp_pack_when(&out, tx->started);
    amp_pack_str(&out, tx->tag);
    amp_pack_str(&out, tx->parent);
    amp_reading_pack(&out, r);
    amp_pack_u8(&out, tx->reserved);
    amp_pack_i64(&out, tx->reservation);
    rc = put_message(st, AMP_ENTRY_START, &out, false);
    if (rc == 0) {
        st->queue.next_local++;
        remember(st, connector, tx->local, r->energy_wh, tx->started);
    }
    return rc;
}

int amp_queue_stop(struct amp_station *st, int connector)
{
    const struct amp_tx *tx = &st->con[connector].tx;
    uint8_t raw[160];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    pack_head(st, &out, st->queue.next, connector);
    amp_pack_when(&out, tx->stop_when);
    amp_pack_u8(&out, tx->stop_reason);
    amp_pack_u32(&out, tx->kept);
    amp_pack_str(&out, tx->stop_tag);
    amp_pack_u8(&out, st->set.stop_sampled.count);
    amp_buf_put(&out, st->set.stop_sampled.item, st->set.stop_sampled.count);
    amp_reading_pack(&out, &tx->stop_reading);
    return put_message(st, AMP_ENTRY_STOP, &out, true);
}

static int put_sample(struct amp_station *st, int connector, enum amp_entry_type type,
                      uint32_t index, const struct amp_sample *s)
{
    uint8_t raw[160];
    struct amp_buf out;
    int rc;

    amp_buf_init(&out, raw, sizeof(raw));
    pack_head(st, &out, type == AMP_ENTRY_METER ? st->queue.next : 0, connector);
    amp_pack_u32(&out, index);
    amp_sample_pack(&out, s);
    rc = type == AMP_ENTRY_METER ? put_message(st, type, &out, false)
         : out.full              ? AMP_E_FULL
                                 : amp_journal_put(st, type, raw, out.len, false);
    if (rc == 0)
        remember(st, connector, st->con[connector].tx.local, s->reading.energy_wh, s->when);
    return rc;
}

int amp_queue_meter(struct amp_station *st, int connector, const struct amp_sample *s)
{
    return put_sample(st, connector, AMP_ENTRY_METER, st->con[connector].tx.metered++, s);
}

int amp_queue_keep(struct amp_station *st, int connector, const struct amp_sample *s)
{
    return put_sample(st, connector, AMP_ENTRY_SAMPLE, st->con[connector].tx.kept++, s);
}

static void pack_state(const struct amp_station *st, struct amp_buf *out)
{
    const struct amp_queue *q = &st->queue;

    amp_pack_u32(out, q->head);
    amp_pack_u32(out, q->next);
    amp_pack_u32(out, q->next_local);
    for (int i = 1; i <= st->connectors; i++) {
        const struct amp_view *v = &q->view[i];

        amp_pack_u32(out, v->done);
        amp_pack_u32(out, v->local);
        amp_pack_u8(out, v->bound);
        amp_pack_i64(out, v->id);
        amp_pack_u32(out, v->last_local);
        amp_pack_i64(out, v->last_wh);
        amp_pack_when(out, v->last_when);
    }
}

int amp_queue_save(struct amp_station *st)
{
    uint8_t raw[AMP_RECORD_MAX];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    pack_state(st, &out);
    return amp_journal_copy(st, AMP_ENTRY_STATE, raw, out.len);
}

/* ---- start ---- */

static void load_state(struct amp_station *st, struct amp_cut *in)
{
    struct amp_queue *q = &st->queue;

    q->head = amp_cut_u32(in);
    q->next = amp_cut_u32(in);
    q->next_local = amp_cut_u32(in);
    for (int i = 1; i <= st->connectors && in->left; i++) {
        struct amp_view *v = &q->view[i];

        v->done = amp_cut_u32(in);
        v->local = amp_cut_u32(in);
        v->bound = amp_cut_u8(in) != 0;
        v->id = amp_cut_i64(in);
        v->last_local = amp_cut_u32(in);
        v->last_wh = amp_cut_i64(in);
        v->last_when = amp_cut_when(in);
    }
}

enum { DONE_BINDS = 1, DONE_ENDS = 2 };

static void load_done(struct amp_station *st, struct amp_cut *in)
{
    uint32_t seq = amp_cut_u32(in), local = amp_cut_u32(in);
    unsigned connector = amp_cut_u8(in), flags = amp_cut_u8(in);
    int64_t id = amp_cut_i64(in);

    if (in->bad || !amp_is_connector(st, connector))
        return;
    st->queue.head = seq + 1;
    if (flags & DONE_BINDS) {
        st->queue.view[connector].local = local;
        st->queue.view[connector].id = id;
        st->queue.view[connector].bound = true;
    }
    if (flags & DONE_ENDS)
        st->queue.view[connector].done = local;
}

static void load_start(struct amp_station *st, const struct amp_message_fact *f)
{
    struct amp_tx *tx = &st->con[f->connector].tx;

    if (f->reserved)
        amp_reservation_used(st, f->reservation, f->local);
    if (f->local >= st->queue.next_local)
        st->queue.next_local = f->local + 1;
    if (f->local <= st->queue.view[f->connector].done)
        return;
    memset(tx, 0, sizeof(*tx));
    tx->open = true;
    tx->local = f->local;
    tx->started = f->when;
    tx->start_wh = f->wh;
    memcpy(tx->tag, f->tag, sizeof(tx->tag));
    memcpy(tx->parent, f->parent, sizeof(tx->parent));
}

void amp_queue_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };
    struct amp_message_fact f;
    uint32_t index = 0;

    if (e->type == AMP_ENTRY_STATE) {
        load_state(st, &in);
        return;
    }
    if (e->type == AMP_ENTRY_DONE) {
        load_done(st, &in);
        return;
    }
    if (!amp_tx_record(st, e, &f, &index))
        return;
    if (f.seq >= st->queue.next)
        st->queue.next = f.seq + 1;
    if (f.type == AMP_ENTRY_START)
        load_start(st, &f);
    if (f.type == AMP_ENTRY_SAMPLE)
        st->con[f.connector].tx.kept = index + 1;
    if (f.type == AMP_ENTRY_STOP && st->con[f.connector].tx.local == f.local)
        st->con[f.connector].tx.open = false;
    else if (f.local >= st->queue.view[f.connector].last_local)
        remember(st, f.connector, f.local, f.wh, f.when);
    if (f.wh > st->con[f.connector].last_register_wh)
        st->con[f.connector].last_register_wh = f.wh;
}

void amp_queue_seek(struct amp_station *st)
{
    struct amp_queue *q = &st->queue;
    struct amp_entry e;
    uint32_t at = 0;

    find_head(st, 0);
    q->count = 0;
    while (amp_journal_next(st, &at, &e))
        if (is_message(e.type) && seq_of(&e) >= q->head)
            q->count++;
}

/* Which records a new area still needs. Periodic readings may be thinned, never a start, a stop or
 * the first reading (74). */
bool amp_queue_wants(struct amp_station *st, const struct amp_entry *e, int thin)
{
    struct amp_message_fact f;
    uint32_t index = 0;

    if (!amp_tx_record(st, e, &f, &index))
        return false;
    if (index & ((1u << thin) - 1))
        return false;
    if (f.type == AMP_ENTRY_SAMPLE)
        return f.local > st->queue.view[f.connector].done;
    return f.seq >= st->queue.head ||
           (f.type == AMP_ENTRY_START && f.local > st->queue.view[f.connector].done);
}

/* ---- delivery ---- */

static const uint8_t jobs[] = { [AMP_ENTRY_START] = AMP_JOB_START,
                                [AMP_ENTRY_METER] = AMP_JOB_TX_METER,
                                [AMP_ENTRY_STOP] = AMP_JOB_STOP };

bool amp_queue_due(struct amp_station *st)
{
    struct amp_queue *q = &st->queue;
    uint32_t at = q->head_at, index;
    struct amp_entry e;

    if (!amp_online(st) || !q->count || !amp_due(st, q->retry_at))
        return false;
    if (!amp_journal_next(st, &at, &e) || !amp_tx_record(st, &e, &st->call.fact, &index)) {
        amp_log(st, AMP_LOG_ERROR, "a stored message cannot be read");
        q->retry_at = st->now + 60000;
        (void)amp_due(st, q->retry_at);
        return false;
    }
    st->call.job = jobs[e.type];
    st->call.connector = st->call.fact.connector;
    return true;
}

int64_t amp_queue_id(const struct amp_station *st)
{
    const struct amp_message_fact *f = &st->call.fact;
    const struct amp_view *v = &st->queue.view[f->connector];

    return v->bound && v->local == f->local ? v->id : -1;
}

void amp_queue_done(struct amp_station *st, bool bind, int64_t id)
{
    struct amp_queue *q = &st->queue;
    const struct amp_message_fact *f = &st->call.fact;
    struct amp_view *v = &q->view[f->connector];
    unsigned flags = (bind ? DONE_BINDS : 0) | (f->type == AMP_ENTRY_STOP ? DONE_ENDS : 0);
    uint32_t from = q->head_at;
    uint8_t raw[18];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    amp_pack_u32(&out, f->seq);
    amp_pack_u32(&out, f->local);
    amp_pack_u8(&out, f->connector);
    amp_pack_u8(&out, flags);
    amp_pack_i64(&out, id);
    q->tries = 0;
    q->retry_at = 0;
    /* first in RAM: should the journal move now, it stores what is true already */
    q->head = f->seq + 1;
    if (bind) {
        v->local = f->local;
        v->id = id;
        v->bound = true;
    }
    if (flags & DONE_ENDS)
        v->done = f->local;
    q->count--;
    find_head(st, from);
    if (amp_journal_put(st, AMP_ENTRY_DONE, raw, out.len, true) < 0)
        amp_log(st, AMP_LOG_ERROR, "an answer could not be stored: a restart may send it again");
}

/* A lost connection is no attempt (76). Anything else is: wait longer each time, then go on without
 * (75). */
void amp_queue_failed(struct amp_station *st, int rc)
{
    struct amp_queue *q = &st->queue;
    const struct amp_message_fact *f = &st->call.fact;
    bool hopeless = rc == AMP_E_INTERNAL;

    if (rc == AMP_E_IO)
        return;
    q->tries++;
    q->backlog = q->next;
    if (q->tries < st->set.message_attempts && !hopeless) {
        q->retry_at = st->now + (uint64_t)st->set.message_retry_s * 1000 * q->tries;
        return;
    }
    amp_log(st, AMP_LOG_ERROR, "a transaction message is given up: no answer after all attempts");
    amp_queue_done(st, f->type == AMP_ENTRY_START, -1);
}
