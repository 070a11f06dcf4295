/* central/rest/reservations.c - connectors kept for a tag. What becomes of one is decided by the
 * domain (central/domain/reservation.h); here a ReserveNow or a CancelReservation is asked for. */
#include "central/domain/quirk.h"
#include "central/domain/reservation.h"
#include "central/rest/commands.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include "ocpp/time.h"

#include "messages/api.h"

/* ---- looking ---- */

static void reservation_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                             size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    (void)ids;
    for (size_t i = 0; i < count; i++)
        shape_reservation(w, call->c, &rows[i].u.reservation);
    rest_list_end(call, next);
}

void rest_list_reservations(struct rest_call *call)
{
    struct store_ask ask = {
        .what = ASK_RESERVATIONS, .org = call->who.org, .connector = -1, .open = -1
    };
    int64_t limit = 100, connector = -1;

    if (!rest_query_charger(call, &ask.charger) ||
        !rest_query_int(call, "connector", 0, 10000, &connector) ||
        !rest_query_bool(call, "open", &ask.open) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &ask.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    ask.connector = (int32_t)connector;
    ask.limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, &ask, reservation_rows);
}

static void answer(struct rest_call *call, const struct reservation_fact *f)
{
    struct amp_json *w = rest_begin(call);

    shape_reservation(w, call->c, f);
    rest_send(call, 200);
}

static void one_row(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                    size_t count, int64_t next)
{
    (void)ids, (void)next;
    for (size_t i = 0; i < count; i++)
        if (rows[i].u.reservation.key == call->key) {
            answer(call, &rows[i].u.reservation);
            return;
        }
    rest_absent(call, "reservation", rest_param(call, 0));
}

void rest_get_reservation(struct rest_call *call)
{
    const struct reservation_fact *f;

    if (!rest_key(call, &call->key))
        return;
    f = world_reservation(call->c->world, call->key);
    if (f && f->org == call->who.org)
        answer(call, f);
    else
        rest_ask(call,
                 &(struct store_ask){ .what = ASK_RESERVATIONS,
                                      .org = call->who.org,
                                      .connector = -1,
                                      .open = -1,
                                      .before = call->key + 1,
                                      .limit = 1 },
                 one_row);
}

/* ---- asking ---- */

/* What a command about a reservation answers: the reservation. */
static void shape(struct rest_call *call, struct amp_json *w, const struct command_fact *k)
{
    const struct reservation_fact *f = world_reservation(call->c->world, call->subject);

    if (f)
        shape_reservation(w, call->c, f);
    else
        shape_command(w, call->c, k);
}

static void refuse(struct rest_call *call, int status, const char *field, const char *why,
                   const char *cure)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = status,
                                         .kind = "no-reservation",
                                         .title = "This can't be reserved",
                                         .field = field,
                                         .cure = cure },
                 "%s: %s", field, why);
}

/* False: a problem was answered. */
static bool sound(struct rest_call *call, const struct charger *ch, const struct api_reserve *q)
{
    const struct tag_fact *t = world_tag(call->c->world, call->who.org, q->id_tag);
    const char *why = charger_tag_fault(call->c->world, ch, q->id_tag);
    struct tag_answer a;
    struct traits traits;

    charger_traits(call->c->world, ch, &traits);
    if (q->connector_id == 0 && traits.no_zero) {
        refuse(call, 409, "connectorId", "this charger keeps no place on any of its connectors",
               "Name one of its connectors.");
        return false;
    }
    if (why) {
        refuse(call, 422, "idTag", why, "Give a tag that the charger can take.");
        return false;
    }
    if (q->expires_at <= rest_now(call)) {
        refuse(call, 422, "expiresAt", "is over already", "Give a time to come.");
        return false;
    }
    if (q->has & API_HAS_RESERVE_ID && !world_reservation_free(call->c->world, ch, q->id)) {
        refuse(call, 409, "id", "was used before",
               "Leave it out, or name an open reservation of this charger that is to be replaced.");
        return false;
    }
    world_authorize(call->c->world, call->who.org, q->id_tag, rest_now(call), &a);
    if (t && strcmp(a.status, "Accepted") != 0 && strcmp(a.status, "ConcurrentTx") != 0) {
        refuse(call, 409, "idTag", "may not charge", "Give a tag that may, or change this one.");
        return false;
    }
    return true;
}

void rest_reserve(struct rest_call *call)
{
    struct command_fact f = { .action = AMP_TEXT("ReserveNow") };
    struct api_reserve q;
    struct charger *ch;
    struct amp_buf out;
    struct amp_json w;
    char block[512];

    if (!rest_body(call, &q) || !(ch = rest_reachable_as(call, q.charger)) || !sound(call, ch, &q))
        return;
    call->subject = q.has & API_HAS_RESERVE_ID ? q.id : world_reservation_id(call->c->world);
    call->shape = shape;
    amp_buf_init(&out, block, sizeof block);
    amp_json_init(&w, &out);
    amp_json_open(&w, '{');
    shape_int(&w, "connectorId", q.connector_id);
    amp_json_key(&w, "expiryDate");
    amp_json_time(&w, q.expires_at);
    shape_text(&w, "idTag", q.id_tag);
    shape_text(&w, "parentIdTag", q.parent);
    shape_int(&w, "reservationId", call->subject);
    amp_json_close(&w, '}');
    f.payload = amp_buf_text(&out);
    f.connector = (int32_t)q.connector_id;
    rest_command_ask(call, ch, &f, "idTag");
}

void rest_cancel_reservation(struct rest_call *call)
{
    struct command_fact f = { .action = AMP_TEXT("CancelReservation") };
    const struct reservation_fact *r;
    struct charger *ch;
    struct amp_buf out;
    struct amp_json w;
    char block[64];

    if (!rest_key(call, &call->subject))
        return;
    r = world_reservation(call->c->world, call->subject);
    if (!r || r->org != call->who.org) {
        rest_absent(call, "reservation", rest_param(call, 0));
        return;
    }
    if (!reservation_is_open(r->state)) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "reservation-ended",
                                             .title = "The reservation has ended",
                                             .field = "id",
                                             .cure = "There is nothing to cancel." },
                     "Reservation %lld is %s.", (long long)r->key,
                     reservation_state_name(r->state));
        return;
    }
    ch = world_charger_by_key(call->c->world, r->charger);
    ch = ch ? rest_reachable_as(call, charger_fact(ch)->id) : NULL;
    if (!ch)
        return;
    call->shape = shape;
    amp_buf_init(&out, block, sizeof block);
    amp_json_init(&w, &out);
    amp_json_open(&w, '{');
    shape_int(&w, "reservationId", r->key);
    amp_json_close(&w, '}');
    f.payload = amp_buf_text(&out);
    f.connector = r->connector;
    rest_command_ask(call, ch, &f, "id");
}
