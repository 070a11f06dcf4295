/* central/rest/live_readers.c - what each reader of the ring gets of it, and when: web-ui.md
 * section 2: batching on the server decides what a page costs. */
#include "central/rest/feed.h"
#include "central/rest/group_shapes.h"
#include "central/rest/live_inside.h"
#include "central/rest/shapes.h"

static const char *const topics[] = { "chargers",     "transactions", "messages", "commands",
                                      "reservations", "load",         "lists",    "profiles" };
static const char *const kinds[] = { "charger", "connector", "connection", "transaction",
                                     "reading", "message",   "command",    "reservation",
                                     "group",   "limit",     "list",       "profile" };

const char *live_topic_name(enum live_topic t)
{
    return topics[t];
}

int live_topic_find(struct amp_text name)
{
    for (int i = 0; i < TOPICS; i++)
        if (amp_text_is(name, topics[i]))
            return i;
    return -1;
}

static void put_connection(struct amp_json *w, const struct central *c,
                           const struct connection_fact *f)
{
    static const char *const events[] = { "", "opened", "stale", "closed", "refused" };
    struct amp_text known = shape_charger_id(c, f->charger);

    amp_json_open(w, '{');
    shape_text(w, "charger", known.at ? known : f->id);
    amp_json_key(w, "event");
    amp_json_str(w, f->event > 0 && (size_t)f->event < AMP_COUNT(events) ? events[f->event] : "");
    if (f->code)
        shape_int(w, "code", f->code);
    shape_text(w, "address", f->address);
    shape_text(w, "reason", f->reason);
    amp_json_close(w, '}');
}

static void put_event(struct amp_json *w, const struct central *c, const struct live_event *e)
{
    const struct fact *f = e->fact;
    int64_t now = c->now_ms();

    amp_json_open(w, '{');
    shape_int(w, "seq", e->seq);
    amp_json_key(w, "topic");
    amp_json_str(w, topics[e->topic]);
    amp_json_key(w, "kind");
    amp_json_str(w, kinds[e->kind]);
    amp_json_key(w, "at");
    amp_json_time(w, e->at_ms);
    amp_json_key(w, "data");
    switch (e->kind) {
    case LIVE_CHARGER:
        shape_charger_fact(w, &f->u.charger, now);
        break;
    case LIVE_CONNECTOR:
        shape_connector_fact(w, c, &f->u.connector, now);
        break;
    case LIVE_CONNECTION:
        put_connection(w, c, &f->u.connection);
        break;
    case LIVE_TRANSACTION:
        shape_transaction(w, c, &f->u.transaction, NULL);
        break;
    case LIVE_READING:
        shape_reading(w, c, &f->u.reading);
        break;
    case LIVE_MESSAGE:
        shape_message(w, c, &f->u.message, 0, LIVE_PAYLOAD);
        break;
    case LIVE_COMMAND:
        shape_command(w, c, &f->u.command);
        break;
    case LIVE_RESERVATION:
        shape_reservation(w, c, &f->u.reservation);
        break;
    case LIVE_GROUP:
        shape_group(w, c, &f->u.load_group, now);
        break;
    case LIVE_LIMIT:
        if (!shape_connector_limit(w, c, f->u.load_point.charger, f->u.load_point.connector, now))
            amp_json_raw(w, AMP_TEXT("{}")); /* it has left its group meanwhile */
        break;
    case LIVE_LIST:
        shape_charger_list(w, c, &f->u.charger_list);
        break;
    case LIVE_PROFILE:
        shape_installed(w, c, &f->u.installed);
        break;
    }
    amp_json_close(w, '}');
}

static bool wants(const struct live_reader *r, const struct live_event *e)
{
    return (r->topics & 1u << e->topic) && r->org == e->org &&
           (!r->charger || r->charger == e->charger);
}

/* First time that this key is met in this turn? */
static bool first_of(struct live *l, uint64_t key)
{
    size_t i = key % SEEN;

    while (l->seen_turn[i] == l->turn) {
        if (l->seen_key[i] == key)
            return false;
        i = (i + 1) % SEEN;
    }
    l->seen_turn[i] = l->turn;
    l->seen_key[i] = key;
    return true;
}

/* Mark in keep[] what `r` gets of (seen, seq]: walking back from the newest, the first of a key is
 * its last value. Streams get everything. Returns the number; *dropped counts messages beyond the
 * batch. */
static unsigned choose(struct live *l, const struct live_reader *r, unsigned *dropped)
{
    unsigned kept = 0, messages = 0;

    *dropped = 0;
    if (++l->turn == 0) { /* the stamps went round: old ones could look new */
        memset(l->seen_turn, 0, sizeof l->seen_turn);
        l->turn = 1;
    }
    for (int64_t seq = l->seq; seq > r->seen; seq--) {
        const struct live_event *e = &l->ring[seq % LIVE_RING];
        bool keep = wants(r, e) && (r->stream || !e->key || first_of(l, e->key));

        if (keep && !r->stream && e->topic == TOPIC_MESSAGES && ++messages > LIVE_MESSAGES) {
            keep = false;
            ++*dropped;
        }
        l->keep[seq % LIVE_RING] = keep;
        kept += keep;
    }
    return kept;
}

static void send_frame(struct live *l, struct live_reader *r, int64_t from, bool resync,
                       unsigned dropped)
{
    struct amp_json w;

    amp_buf_reset(&l->out);
    amp_json_init(&w, &l->out);
    amp_json_open(&w, '{');
    shape_int(&w, "seq", l->seq);
    amp_json_key(&w, "at");
    amp_json_time(&w, l->c->now_ms());
    if (resync) {
        amp_json_key(&w, "resync");
        amp_json_bool(&w, true);
    } else {
        amp_json_key(&w, "events");
        amp_json_open(&w, '[');
        for (int64_t seq = from + 1; seq <= l->seq; seq++)
            if (l->keep[seq % LIVE_RING])
                put_event(&w, l->c, &l->ring[seq % LIVE_RING]);
        amp_json_close(&w, ']');
    }
    if (dropped)
        shape_int(&w, "dropped", dropped);
    amp_json_close(&w, '}');
    net_send(r->owned.conn, AMP_WS_TEXT, l->out.at, l->out.len);
}

static void stream_event(struct live *l, int64_t seq, const char *name)
{
    amp_buf_puts(&l->out, "id: ");
    amp_buf_int(&l->out, seq);
    amp_buf_puts(&l->out, "\nevent: ");
    amp_buf_puts(&l->out, name);
    amp_buf_puts(&l->out, "\ndata: ");
}

static void send_stream(struct live *l, struct live_reader *r, int64_t from, bool resync)
{
    struct amp_json w;

    amp_buf_reset(&l->out);
    if (resync) {
        stream_event(l, l->seq, "resync");
        amp_buf_puts(&l->out, "{}\n\n");
    } else {
        for (int64_t seq = from + 1; seq <= l->seq; seq++) {
            if (!l->keep[seq % LIVE_RING])
                continue;
            stream_event(l, seq, topics[l->ring[seq % LIVE_RING].topic]);
            amp_json_init(&w, &l->out);
            put_event(&w, l->c, &l->ring[seq % LIVE_RING]);
            amp_buf_puts(&l->out, "\n\n");
        }
    }
    if (!l->out.len)
        amp_buf_puts(&l->out, ":\n\n"); /* a comment: a sign of life */
    net_stream_put(r->owned.conn, l->out.at, l->out.len);
}

/* The newest LIVE_RING events of this process are there; numbers of an earlier process are all
 * below `base`. */
static bool lost(const struct live *l, int64_t since)
{
    int64_t oldest = l->seq - l->base > LIVE_RING ? l->seq - LIVE_RING : l->base;

    return since < oldest || since > l->seq;
}

/* `always`: also when there is nothing new. A send may end the connection and free `r`: it comes
 * last. */
static void feed(struct live *l, struct live_reader *r, bool always)
{
    int64_t from = r->seen;
    unsigned dropped = 0, kept;
    bool resync = lost(l, from);

    if (!r->topics)
        return;
    kept = resync ? 0 : choose(l, r, &dropped);
    r->seen = l->seq;
    if (!kept && !dropped && !resync && !always)
        return;
    r->sent_ms = uv_now(l->c->loop);
    if (r->stream)
        send_stream(l, r, from, resync);
    else
        send_frame(l, r, from, resync, dropped);
}

void live_flush(struct live *l)
{
    l->flushed_ms = uv_now(l->c->loop);
    for (struct live_reader *r = l->readers, *next; r; r = next) {
        next = r->next; /* a send may end the connection */
        feed(l, r, false);
    }
}

void live_alive(struct live *l)
{
    uint64_t now = uv_now(l->c->loop);

    for (struct live_reader *r = l->readers, *next; r; r = next) {
        next = r->next;
        if (now - r->sent_ms >= LIVE_ALIVE_MS / 2)
            feed(l, r, true);
    }
}

static void on_alive(uv_timer_t *t)
{
    live_alive(t->data);
}

bool live_add(struct live *l, struct live_reader *r)
{
    if (l->count >= LIVE_READERS)
        return false;
    if (!l->readers)
        uv_timer_start(l->alive, on_alive, LIVE_ALIVE_MS / 2, LIVE_ALIVE_MS / 2);
    r->live = l;
    r->prev = NULL;
    r->next = l->readers;
    if (r->next)
        r->next->prev = r;
    l->readers = r;
    l->count++;
    return true;
}

void live_remove(struct live_reader *r)
{
    struct live *l = r->live;

    if (r->prev)
        r->prev->next = r->next;
    else
        l->readers = r->next;
    if (r->next)
        r->next->prev = r->prev;
    if (--l->count == 0) {
        uv_timer_stop(l->flush);
        uv_timer_stop(l->alive);
        l->flushing = false;
    }
}

void live_start(struct live_reader *r, int64_t since)
{
    r->seen = since ? since : r->live->seq;
    feed(r->live, r, true);
}

void live_drop_user(struct live *l, int64_t user)
{
    for (struct live_reader *r = l->readers, *next; r; r = next) {
        next = r->next;
        if (r->user != user)
            continue;
        if (r->stream)
            net_stream_end(r->owned.conn);
        else
            net_close(r->owned.conn, 4001, "logged out");
    }
}

unsigned live_readers(const struct live *l)
{
    return l->count;
}

struct central *live_central(const struct live *l)
{
    return l->c;
}
