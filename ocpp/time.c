/* ocpp/time.c - see ocpp/time.h. RFC 3339, and what stations send instead of it (ocpp-facts B17).
 */
#include "ocpp/time.h"
#include "ocpp/json_scan.h"

#define DAY_MS      86400000
#define YEAR0_MS    (-62167219200000) /* 0000-01-01T00:00:00Z */
#define YEAR9999_MS 253402300799999   /* 9999-12-31T23:59:59.999Z */

struct reader {
    const char *p, *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `n` digits. */
static bool number(struct reader *r, int n, int *out)
{
    int v = 0;

    if (r->end - r->p < n)
        return false;
    for (; n > 0; n--, r->p++) {
        if (!is_digit(*r->p))
            return false;
        v = v * 10 + (*r->p - '0');
    }
    *out = v;
    return true;
}

static bool skip(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && leap(year));
}

/* Days since 1970-01-01. The year is counted from March so that the leap day is its last one, and
 * from 400 years earlier so that nothing is negative. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    unsigned y = year + 400 - (month <= 2), m = month > 2 ? month - 3 : month + 9;

    return (int64_t)(365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day) - 865566;
}

/* Digits behind the point: the first three count, the others are cut. */
static bool fraction(struct reader *r, int *ms)
{
    int unit = 100;

    *ms = 0;
    if (r->p == r->end || !is_digit(*r->p))
        return false;
    for (; r->p < r->end && is_digit(*r->p); r->p++, unit /= 10)
        *ms += (*r->p - '0') * unit;
    return true;
}

static bool zone(struct reader *r, bool lax, int *minutes)
{
    int hh, mm = 0;
    bool minus, colon;

    *minutes = 0;
    if (r->p == r->end)
        return lax; /* none: UTC */
    if (skip(r, 'Z') || skip(r, 'z'))
        return true;
    if (*r->p != '+' && *r->p != '-')
        return false;
    minus = *r->p++ == '-';
    if (!number(r, 2, &hh) || hh > 23)
        return false;
    colon = skip(r, ':');
    if (!colon && !lax)
        return false;
    if ((colon || r->p < r->end) && (!number(r, 2, &mm) || mm > 59))
        return false;
    *minutes = minus ? -(hh * 60 + mm) : hh * 60 + mm;
    return true;
}

/* Byte i of `w` counted from its lowest. */
static unsigned at(uint64_t w, int i)
{
    return (unsigned)(w >> (8 * i)) & 0xff;
}

#define WORD(a, b, c, d, e, f, g, h)                                                  \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 | \
     (uint64_t)(e) << 32 | (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)
#define DIGIT 0x76 /* carries into bit 7 what is more than 9 */
#define SIGN  0x7f /* carries into bit 7 what is more than 0 */

/* The difference between 8 bytes and their shape ('0' where a digit belongs): digits as numbers, 0
 * for the signs between. False if a byte does not fit; `carry` has DIGIT or SIGN for each. */
static inline bool match8(const char *p, uint64_t shape, uint64_t carry, uint64_t *out)
{
    uint64_t x = amp_load8(p) ^ shape;

    *out = x;
    return ((x | (x + carry)) & AMP_BYTES(0x80)) == 0;
}

/* The two spellings that nearly all stations use: 2024-06-01T08:30:00Z, and with three digits
 * behind a point. Anything else is left to the slow reader. */
static bool usual(const char *p, uint32_t len, int64_t *out_ms)
{
    unsigned year, month, day, hour, minute, second, ms = 0;
    uint64_t a, b, c;

    if (!match8(p, WORD('0', '0', '0', '0', '-', '0', '0', '-'),
                WORD(DIGIT, DIGIT, DIGIT, DIGIT, SIGN, DIGIT, DIGIT, SIGN), &a) ||
        !match8(p + 8, WORD('0', '0', 'T', '0', '0', ':', '0', '0'),
                WORD(DIGIT, DIGIT, SIGN, DIGIT, DIGIT, SIGN, DIGIT, DIGIT), &b))
        return false;
    if (len == 20) {
        if (!match8(p + 12, WORD('0', ':', '0', '0', ':', '0', '0', 'Z'),
                    WORD(DIGIT, SIGN, DIGIT, DIGIT, SIGN, DIGIT, DIGIT, SIGN), &c))
            return false;
        second = at(c, 5) * 10 + at(c, 6);
    } else {
        if (!match8(p + 16, WORD(':', '0', '0', '.', '0', '0', '0', 'Z'),
                    WORD(SIGN, DIGIT, DIGIT, SIGN, DIGIT, DIGIT, DIGIT, SIGN), &c))
            return false;
        second = at(c, 1) * 10 + at(c, 2);
        ms = at(c, 4) * 100 + at(c, 5) * 10 + at(c, 6);
    }
    year = at(a, 0) * 1000 + at(a, 1) * 100 + at(a, 2) * 10 + at(a, 3);
    month = at(a, 5) * 10 + at(a, 6);
    day = at(b, 0) * 10 + at(b, 1);
    hour = at(b, 3) * 10 + at(b, 4);
    minute = at(b, 6) * 10 + at(b, 7);
    if (month - 1 > 11 || day - 1 > 27 || hour > 23 || minute > 59 || second > 59)
        return false; /* or a day beyond the 28th, for which the calendar is asked */
    *out_ms = days_of(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    return true;
}

int amp_time_parse(struct amp_text t, bool lax, int64_t *out_ms)
{
    struct reader r;
    int year, month, day, hour, minute, second = 0, ms = 0, offset;

    *out_ms = 0;
    if ((t.len == 20 || t.len == 24) && usual(t.at, t.len, out_ms))
        return 0;
    if (lax)
        t = amp_text_trim(t);
    if (t.len == 0)
        return AMP_E_TYPE;
    r = (struct reader){ t.at, t.at + t.len };
    if (!number(&r, 4, &year) || !skip(&r, '-') || !number(&r, 2, &month) || !skip(&r, '-') ||
        !number(&r, 2, &day))
        return AMP_E_TYPE;
    if (!skip(&r, 'T') && !skip(&r, 't') && !(lax && skip(&r, ' ')))
        return AMP_E_TYPE;
    if (!number(&r, 2, &hour) || !skip(&r, ':') || !number(&r, 2, &minute))
        return AMP_E_TYPE;
    if (skip(&r, ':')) {
        if (!number(&r, 2, &second))
            return AMP_E_TYPE;
        if ((skip(&r, '.') || (lax && skip(&r, ','))) && !fraction(&r, &ms))
            return AMP_E_TYPE;
    } else if (!lax) {
        return AMP_E_TYPE;
    }
    if (!zone(&r, lax, &offset) || r.p != r.end)
        return AMP_E_TYPE;
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 ||
        minute > 59 || second > 60)
        return AMP_E_TYPE;
    *out_ms = days_of((unsigned)year, (unsigned)month, (unsigned)day) * DAY_MS +
              ((int64_t)(hour * 60 + minute - offset) * 60 + second) * 1000 + ms;
    return 0;
}

static char *put(char *p, int value, int width)
{
    for (int i = width; i > 0; value /= 10)
        p[--i] = (char)('0' + value % 10);
    return p + width;
}

char *amp_time_text(int64_t ms, char out[AMP_TIME_TEXT_MAX])
{
    int64_t days, era, doe, yoe, doy, m;
    int rest;
    char *p = out;

    if (ms < YEAR0_MS)
        ms = YEAR0_MS; /* the text has four digits for the year */
    if (ms > YEAR9999_MS)
        ms = YEAR9999_MS;
    days = ms / DAY_MS - (ms % DAY_MS < 0);
    rest = (int)(ms - days * DAY_MS);
    days += 719468; /* from 0000-03-01 */
    era = (days >= 0 ? days : days - 146096) / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    m = (5 * doy + 2) / 153;
    p = put(p, (int)(yoe + era * 400 + (m >= 10)), 4);
    *p++ = '-';
    p = put(p, (int)(m < 10 ? m + 3 : m - 9), 2);
    *p++ = '-';
    p = put(p, (int)(doy - (153 * m + 2) / 5 + 1), 2);
    *p++ = 'T';
    p = put(p, rest / 3600000, 2);
    *p++ = ':';
    p = put(p, rest / 60000 % 60, 2);
    *p++ = ':';
    p = put(p, rest / 1000 % 60, 2);
    if (rest % 1000) {
        *p++ = '.';
        p = put(p, rest % 1000, 3);
    }
    *p++ = 'Z';
    *p = '\0';
    return out;
}

void amp_time_write(struct amp_buf *b, int64_t ms)
{
    char text[AMP_TIME_TEXT_MAX];

    amp_buf_puts(b, amp_time_text(ms, text));
}
