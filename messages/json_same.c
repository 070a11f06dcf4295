/* messages/json_same.c - see messages/json_same.h. */
#include "messages/json_same.h"
#include "ocpp/codec.h"
#include "ocpp/json_scan.h"
#include "ocpp/time.h"

/* The value at `p`, which is followed by something else up to `end`. */
static struct amp_text value_at(const char *p, const char *end)
{
    struct amp_scan_err err;
    const char *q = amp_scan_value(p, end, AMP_DEPTH_MAX, AMP_SCAN_SYNTAX, &err);

    return (struct amp_text){ p, q ? (uint32_t)(q - p) : 0 };
}

/* From one element or member to the next. *key is empty in a list. False at the end. */
static bool step(const char **p, const char *end, bool object, struct amp_text *key,
                 struct amp_text *value)
{
    *p = amp_scan_blanks(*p, end);
    if (**p == ',')
        *p = amp_scan_blanks(*p + 1, end);
    if (**p == '}' || **p == ']')
        return false;
    *key = (struct amp_text){ *p, 0 };
    if (object) {
        *key = value_at(*p, end);
        *p = amp_scan_blanks(*p + key->len, end) + 1;
        *p = amp_scan_blanks(*p, end);
    }
    *value = value_at(*p, end);
    *p += value->len;
    return true;
}

static bool empty_list(struct amp_text t)
{
    return t.len >= 2 && t.at[0] == '[' && *amp_scan_blanks(t.at + 1, t.at + t.len) == ']';
}

static struct amp_text plain(struct amp_text quoted, char *room, size_t cap)
{
    struct amp_text raw = { quoted.at + 1, quoted.len - 2 };

    return raw.len <= cap ? (struct amp_text){ room, amp_scan_unescape(raw, room) } : raw;
}

static bool same_string(struct amp_text a, struct amp_text b)
{
    static char room[2][200000];
    int64_t ta, tb;

    a = plain(a, room[0], sizeof room[0]);
    b = plain(b, room[1], sizeof room[1]);
    if (amp_text_eq(a, b))
        return true;
    return amp_time_parse(a, false, &ta) == 0 && amp_time_parse(b, false, &tb) == 0 && ta == tb;
}

static bool find_member(struct amp_text object, struct amp_text key, struct amp_text *value)
{
    const char *p = object.at + 1;
    struct amp_text k;

    while (step(&p, object.at + object.len, true, &k, value))
        if (same_string(k, key))
            return true;
    return false;
}

/* Every member of `a` is in `b`. */
static bool contained(struct amp_text a, struct amp_text b)
{
    const char *p = a.at + 1;
    struct amp_text key, one, other;

    while (step(&p, a.at + a.len, true, &key, &one)) {
        if (!find_member(b, key, &other)) {
            if (!empty_list(one))
                return false;
        } else if (!json_same(one, other)) {
            return false;
        }
    }
    return true;
}

static bool same_list(struct amp_text a, struct amp_text b)
{
    const char *p = a.at + 1, *q = b.at + 1;
    struct amp_text key, one, other;

    for (;;) {
        bool more = step(&p, a.at + a.len, false, &key, &one);

        if (more != step(&q, b.at + b.len, false, &key, &other))
            return false;
        if (!more)
            return true;
        if (!json_same(one, other))
            return false;
    }
}

bool json_same(struct amp_text a, struct amp_text b)
{
    struct amp_dec da, db;

    a = amp_text_trim(a);
    b = amp_text_trim(b);
    if (!a.len || !b.len)
        return a.len == b.len;
    if (a.at[0] == '{')
        return b.at[0] == '{' && contained(a, b) && contained(b, a);
    if (a.at[0] == '[')
        return b.at[0] == '[' && same_list(a, b);
    if (a.at[0] == '"')
        return b.at[0] == '"' && same_string(a, b);
    if (amp_dec_parse_round(a, false, &da) == 0 && amp_dec_parse_round(b, false, &db) == 0)
        return amp_dec_cmp(da, db) == 0;
    return amp_text_eq(a, b);
}
