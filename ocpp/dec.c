/* ocpp/dec.c - see ocpp/dec.h. */
#include "ocpp/dec.h"

#define DIGITS_MAX 18    /* any number of 18 digits fits 64 bits with room for a carry */
#define EXP_MAX    10000 /* an exponent is counted up to here: far beyond int8 is far enough */

struct sum {
    uint64_t digits;
    int count; /* significant digits in `digits` */
    int exp;
    bool full;  /* what follows is beyond DIGITS_MAX and left out, */
    bool exact; /* and is all zeros so far */
    bool up;    /* the first digit left out is 5 or more */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void add_digit(struct sum *s, char c, bool fraction)
{
    if (s->count == DIGITS_MAX || s->full) {
        s->up = s->full ? s->up : c >= '5';
        s->full = true;
        s->exact &= c == '0';
        s->exp += !fraction && s->exp < EXP_MAX;
        return;
    }
    s->digits = s->digits * 10 + (unsigned)(c - '0');
    s->count += s->digits != 0;
    s->exp -= fraction && s->exp > -EXP_MAX;
}

/* The exponent behind 'e'; false if it has no digits. */
static bool read_exp(const char **p, const char *end, int *out)
{
    bool minus = false;
    int e = 0;

    if (*p < end && (**p == '-' || **p == '+'))
        minus = *(*p)++ == '-';
    if (*p == end || !is_digit(**p))
        return false;
    for (; *p < end && is_digit(**p); (*p)++)
        if (e < EXP_MAX)
            e = e * 10 + (**p - '0');
    *out = minus ? -e : e;
    return true;
}

static int finish(struct sum *s, bool minus, struct amp_dec *out)
{
    int exp = s->exp;

    s->digits += s->up;
    if (s->digits ==
        1000000000000000000) { /* one digit more: what we write we must be able to read */
        s->digits /= 10;
        exp++;
    }
    if (exp < INT8_MIN || exp > INT8_MAX) {
        if (s->digits)
            return AMP_E_VALUE;
        exp = 0;
    }
    out->digits = minus ? -(int64_t)s->digits : (int64_t)s->digits;
    out->exp = (int8_t)exp;
    return 0;
}

static int parse(struct amp_text t, bool lax, bool round, struct amp_dec *out)
{
    struct sum s = { .exact = true };
    bool minus = false;
    const char *p, *end;
    int exp = 0;

    *out = (struct amp_dec){ 0, 0 };
    if (lax)
        t = amp_text_trim(t);
    p = t.at;
    end = t.len ? p + t.len : p;
    if (p < end && (*p == '-' || (lax && *p == '+')))
        minus = *p++ == '-';
    if (p == end || !is_digit(*p))
        return AMP_E_TYPE;
    if (*p == '0' && end - p > 1 && is_digit(p[1]))
        return AMP_E_TYPE; /* JSON has no leading zeros: 010 is eight to some readers */
    for (; p < end && is_digit(*p); p++)
        add_digit(&s, *p, false);
    if (p < end && (*p == '.' || (lax && *p == ','))) {
        if (++p == end || !is_digit(*p))
            return AMP_E_TYPE;
        for (; p < end && is_digit(*p); p++)
            add_digit(&s, *p, true);
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (!read_exp(&p, end, &exp))
            return AMP_E_TYPE;
    }
    if (p != end)
        return AMP_E_TYPE;
    if (!s.exact && !round)
        return AMP_E_VALUE;
    s.exp += exp;
    return finish(&s, minus, out);
}

int amp_dec_parse(struct amp_text t, bool lax, struct amp_dec *out)
{
    return parse(t, lax, false, out);
}

int amp_dec_parse_round(struct amp_text t, bool lax, struct amp_dec *out)
{
    return parse(t, lax, true, out);
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* Without zeros at the end. */
static struct amp_dec strip(struct amp_dec d)
{
    if (d.digits == 0)
        return (struct amp_dec){ 0, 0 };
    while (d.digits % 10 == 0 && d.exp < INT8_MAX)
        d.digits /= 10, d.exp++;
    return d;
}

static int digits_of(uint64_t v, char text[20])
{
    int n = 0, i;
    uint64_t rest = v;

    do
        n++;
    while (rest /= 10);
    for (i = n; i > 0; v /= 10)
        text[--i] = (char)('0' + v % 10);
    return n;
}

static void put_zeros(struct amp_buf *b, int n)
{
    while (n-- > 0)
        amp_buf_putc(b, '0');
}

void amp_dec_write(struct amp_buf *b, struct amp_dec d)
{
    char text[20];
    int n, point;

    d = strip(d);
    n = digits_of(magnitude(d.digits), text);
    point = n + d.exp; /* digits in front of the decimal point */
    if (d.digits < 0)
        amp_buf_putc(b, '-');
    if (d.exp >= 0) {
        amp_buf_put(b, text, (size_t)n);
        put_zeros(b, d.exp);
    } else if (point > 0) {
        amp_buf_put(b, text, (size_t)point);
        amp_buf_putc(b, '.');
        amp_buf_put(b, text + point, (size_t)(n - point));
    } else {
        amp_buf_puts(b, "0.");
        put_zeros(b, -point);
        amp_buf_put(b, text, (size_t)n);
    }
}

int amp_dec_scale(struct amp_dec d, int places, int64_t *out)
{
    uint64_t v = magnitude(d.digits), max = (uint64_t)INT64_MAX + (d.digits < 0);
    int e = d.exp + places;

    *out = 0;
    for (; e > 0 && v; e--) {
        if (v > max / 10)
            return AMP_E_VALUE;
        v *= 10;
    }
    if (e < 0) {
        unsigned last = 0;

        for (; e < 0 && (v || last); e++) {
            last = (unsigned)(v % 10);
            v /= 10;
        }
        v += last >= 5;
    }
    *out = d.digits < 0 ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}

struct amp_dec amp_dec_of(int64_t value, int places)
{
    return (struct amp_dec){ value, (int8_t)-places };
}

int amp_dec_cmp(struct amp_dec a, struct amp_dec b)
{
    char ta[20], tb[20];
    int na, nb, sign, c;

    if ((a.digits > 0) - (a.digits < 0) != (b.digits > 0) - (b.digits < 0))
        return a.digits < b.digits ? -1 : 1;
    if (a.digits == 0)
        return 0;
    a = strip(a);
    b = strip(b);
    sign = a.digits < 0 ? -1 : 1;
    na = digits_of(magnitude(a.digits), ta);
    nb = digits_of(magnitude(b.digits), tb);
    if (na + a.exp != nb + b.exp)
        return na + a.exp < nb + b.exp ? -sign : sign;
    c = memcmp(ta, tb, (size_t)(na < nb ? na : nb));
    if (c == 0)
        c = na - nb; /* stripped: the longer one has something but zeros behind */
    return c == 0 ? 0 : c < 0 ? -sign : sign;
}
