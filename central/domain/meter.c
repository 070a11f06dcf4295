/* central/domain/meter.c - see meter.h. */
#include "central/domain/meter.h"

/* Registers that roll over count to one of these. */
static const int64_t wraps_wh[] = { 1000000,    10000000,   100000000,  1000000000,
                                    2147483648, 4294967296, 10000000000 };

void meter_begin(struct meter *m, int64_t start_wh, int64_t at_ms)
{
    *m = (struct meter){ .last_wh = start_wh, .last_ms = at_ms, .offset_wh = -start_wh };
}

/* What can have flowed in this time at most. */
static int64_t room_wh(int64_t ms)
{
    return METER_SLACK_WH + (ms > 0 ? ms / 3600 * (METER_MAX_W / 1000) : 0);
}

static void raise_to(struct meter *m, int64_t energy_wh)
{
    if (energy_wh > m->energy_wh)
        m->energy_wh = energy_wh;
}

/* Go on from here with what was counted, plus `more`; until the next value says otherwise. */
static void begin_again(struct meter *m, int64_t register_wh, int64_t more)
{
    m->before_wh = m->offset_wh;
    m->unsure = true;
    m->energy_wh += more;
    m->offset_wh = m->energy_wh - register_wh;
}

static int64_t rolled_over(int64_t last_wh, int64_t register_wh, int64_t room)
{
    for (size_t i = 0; i < AMP_COUNT(wraps_wh); i++) {
        int64_t wrap = wraps_wh[i];

        if (last_wh <= wrap && last_wh >= wrap - wrap / 100 && wrap - last_wh + register_wh <= room)
            return wrap;
    }
    return 0;
}

static uint32_t fell(struct meter *m, int64_t register_wh, int64_t room)
{
    int64_t wrap = register_wh >= 0 ? rolled_over(m->last_wh, register_wh, room) : 0;

    if (wrap) {
        m->offset_wh += wrap;
        raise_to(m, register_wh + m->offset_wh);
        return TX_FLAG_ROLL_OVER;
    }
    if (register_wh >= 0 && register_wh <= m->last_wh / 10 && register_wh <= room) {
        begin_again(m, register_wh, register_wh);
        return TX_FLAG_METER_RESET;
    }
    return m->last_wh - register_wh > METER_BACK_WH ? TX_FLAG_METER_BACK : 0;
}

uint32_t meter_follow(struct meter *m, int64_t register_wh, int64_t at_ms)
{
    int64_t room = room_wh(at_ms - m->last_ms), back = register_wh + m->before_wh - m->energy_wh;
    bool fits_before = m->unsure && back >= -METER_BACK_WH && back <= room;
    uint32_t odd = 0;

    m->unsure = false;
    if (fits_before) { /* one lie between two truths */
        m->offset_wh = m->before_wh;
        raise_to(m, register_wh + m->offset_wh);
    } else if (register_wh < m->last_wh) {
        odd = fell(m, register_wh, room);
    } else if (register_wh - m->last_wh > room) {
        begin_again(m, register_wh, 0);
        odd = TX_FLAG_METER_JUMP;
    } else {
        raise_to(m, register_wh + m->offset_wh);
    }
    m->last_wh = register_wh;
    m->last_ms = at_ms > m->last_ms ? at_ms : m->last_ms;
    return odd;
}

uint32_t meter_end(struct meter *m, int64_t start_wh, int64_t stop_wh, int64_t stop_ms,
                   uint32_t flags)
{
    const uint32_t breaks = TX_FLAG_METER_RESET | TX_FLAG_METER_JUMP | TX_FLAG_ROLL_OVER;
    int64_t before = m->energy_wh, plain = stop_wh - start_wh, room = room_wh(stop_ms - m->last_ms);
    uint32_t odd = meter_follow(m, stop_wh, stop_ms);

    if (plain < 0)
        return odd || (flags & breaks) ? odd : TX_FLAG_METER_BACK;
    if (!((flags | odd) & breaks)) {
        m->energy_wh = plain; /* also when the last reading was a little more */
    } else if (plain >= before && plain - before <= room && plain <= m->energy_wh) {
        m->energy_wh = plain; /* the readings were of another register than start and stop */
        odd &= ~breaks;
    }
    m->offset_wh = m->energy_wh - stop_wh;
    return odd;
}
