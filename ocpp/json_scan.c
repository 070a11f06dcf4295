/* ocpp/json_scan.c - see ocpp/json_scan.h. */
#include "ocpp/json_scan.h"
#include "ocpp/codec.h"

static const char *fail(struct amp_scan_err *err, int rc, const char *why)
{
    *err = (struct amp_scan_err){ rc, why };
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* -1 if `c` is no hexadecimal digit. */
static int hex(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static long hex4(const char *p, const char *end)
{
    long v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int d = hex(p[i]);

        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* What \u stands for, with `p` behind the u; *next is behind it. A surrogate without its other half
 * is returned as it is; -1: no four digits. */
static long unicode_escape(const char *p, const char *end, const char **next)
{
    long v = hex4(p, end), low;

    *next = p + 4;
    if (v < 0xd800 || v > 0xdbff || end - *next < 6 || p[4] != '\\' || p[5] != 'u')
        return v;
    low = hex4(p + 6, end);
    if (low < 0xdc00 || low > 0xdfff)
        return v;
    *next = p + 10;
    return 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
}

/* `p` is behind a backslash. */
static const char *scan_escape(const char *p, const char *end, enum amp_scan_rules rules,
                               struct amp_scan_err *err)
{
    const char *next;
    long v;

    if (p == end)
        return fail(err, AMP_E_FORMAT, "text is cut off");
    if (*p != 'u') {
        if (*p == '\0' || !strchr("\"\\/bfnrt", *p))
            return fail(err, AMP_E_FORMAT, "unknown escape");
        return p + 1;
    }
    v = unicode_escape(p + 1, end, &next);
    if (v < 0)
        return fail(err, AMP_E_FORMAT, "unknown escape");
    if (rules == AMP_SCAN_SOUND && v >= 0xd800 && v <= 0xdfff)
        return fail(err, AMP_E_FORMAT, "half a surrogate pair");
    if (rules == AMP_SCAN_SOUND && v == 0)
        return fail(err, AMP_E_VALUE, "NUL in a text");
    return next;
}

/* One character beyond ASCII. Unicode 15 table 3-7. */
static const char *scan_utf8(const char *p, const char *end)
{
    uint32_t n = (unsigned char)*p < 0xe0 ? 2 : (unsigned char)*p < 0xf0 ? 3 : 4;

    if (end - p < (ptrdiff_t)n || !amp_text_utf8((struct amp_text){ p, n }))
        return NULL;
    return p + n;
}

const char *amp_scan_string(const char *p, const char *end, enum amp_scan_rules rules,
                            struct amp_scan_text *out, struct amp_scan_err *err)
{
    const char *start = p, *plain;
    uint32_t chars = 0;

    out->escaped = false;
    for (;;) {
        plain = p;
        p = amp_scan_plain(p, end);
        chars += (uint32_t)(p - plain);
        if (p == end)
            return fail(err, AMP_E_FORMAT, "text is cut off");
        if (*p == '"')
            break;
        if (*p == '\\') {
            out->escaped = true;
            p = scan_escape(p + 1, end, rules, err);
            if (!p)
                return NULL;
        } else if ((unsigned char)*p < 0x20) {
            return fail(err, AMP_E_FORMAT, "control character in a text");
        } else {
            p = scan_utf8(p, end);
            if (!p)
                return fail(err, AMP_E_UTF8, "not UTF-8");
        }
        chars++;
    }
    out->raw = (struct amp_text){ start, (uint32_t)(p - start) };
    out->chars = chars;
    return p + 1;
}

static uint32_t put_utf8(long v, char *dst)
{
    if (v < 0x80) {
        dst[0] = (char)v;
        return 1;
    }
    if (v < 0x800) {
        dst[0] = (char)(0xc0 | v >> 6);
        dst[1] = (char)(0x80 | (v & 0x3f));
        return 2;
    }
    if (v < 0x10000) {
        dst[0] = (char)(0xe0 | v >> 12);
        dst[1] = (char)(0x80 | (v >> 6 & 0x3f));
        dst[2] = (char)(0x80 | (v & 0x3f));
        return 3;
    }
    dst[0] = (char)(0xf0 | v >> 18);
    dst[1] = (char)(0x80 | (v >> 12 & 0x3f));
    dst[2] = (char)(0x80 | (v >> 6 & 0x3f));
    dst[3] = (char)(0x80 | (v & 0x3f));
    return 4;
}

/* One escape or one byte to dst (4 bytes); *p moves behind it. */
static uint32_t unescape_step(const char **p, const char *end, char *dst)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *s = *p, *at;

    if (*s != '\\') {
        *dst = *s;
        *p = s + 1;
        return 1;
    }
    if (s[1] == 'u')
        return put_utf8(unicode_escape(s + 2, end, p), dst);
    at = strchr(from, s[1]);
    *dst = at ? to[at - from] : s[1];
    *p = s + 2;
    return 1;
}

uint32_t amp_scan_unescape(struct amp_text raw, char *dst)
{
    const char *p = raw.at, *end = raw.at + raw.len;
    uint32_t n = 0;

    while (p < end) {
        char piece[4];
        uint32_t k = unescape_step(&p, end, piece);

        memcpy(dst + n, piece, k);
        n += k;
    }
    return n;
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p;
}

const char *amp_scan_number(const char *p, const char *end, bool *whole, struct amp_scan_err *err)
{
    const char *start;

    *whole = true;
    if (p < end && *p == '-')
        p++;
    start = p;
    p = digits(p, end);
    if (p == start || (*start == '0' && p - start > 1))
        return fail(err, AMP_E_FORMAT, "not JSON");
    if (p < end && *p == '.') {
        *whole = false;
        start = ++p;
        p = digits(p, end);
        if (p == start)
            return fail(err, AMP_E_FORMAT, "not JSON");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        *whole = false;
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        start = p;
        p = digits(p, end);
        if (p == start)
            return fail(err, AMP_E_FORMAT, "not JSON");
    }
    return p;
}

static const char *scan_scalar(const char *p, const char *end, enum amp_scan_rules rules,
                               struct amp_scan_err *err)
{
    /* clang-format off */
    static const struct amp_text words[] = {
        { "true",  4 },
        { "false", 5 },
        { "null",  4 }
    };
    /* clang-format on */
    struct amp_scan_text text;
    bool whole;

    if (*p == '"')
        return amp_scan_string(p + 1, end, rules, &text, err);
    if (*p == '-' || is_digit(*p))
        return amp_scan_number(p, end, &whole, err);
    for (size_t i = 0; i < AMP_COUNT(words); i++)
        if ((size_t)(end - p) >= words[i].len && memcmp(p, words[i].at, words[i].len) == 0)
            return p + words[i].len;
    return fail(err, AMP_E_FORMAT, "not JSON");
}

/* The containers that are open around the place where the scanner stands. */
struct nest {
    const char *start[AMP_DEPTH_MAX];
    bool many[AMP_DEPTH_MAX]; /* more than one member, so that a key may stand twice */
    int depth;
};

/* `"key":` and blanks; returns the value. */
static const char *scan_key(const char *p, const char *end, enum amp_scan_rules rules,
                            struct amp_scan_err *err)
{
    struct amp_scan_text key;

    if (p == end || *p != '"')
        return fail(err, AMP_E_FORMAT, "not JSON");
    p = amp_scan_string(p + 1, end, rules, &key, err);
    if (!p)
        return NULL;
    p = amp_scan_blanks(p, end);
    if (p == end || *p != ':')
        return fail(err, AMP_E_FORMAT, "not JSON");
    return amp_scan_blanks(p + 1, end);
}

/* Behind a value: close what closes here. Returns the next value, or the end when all is closed. */
static const char *scan_next(const char *p, const char *end, struct nest *n,
                             enum amp_scan_rules rules, struct amp_scan_err *err)
{
    while (n->depth > 0) {
        const char *start = n->start[n->depth - 1];
        char close = *start == '{' ? '}' : ']';

        p = amp_scan_blanks(p, end);
        if (p == end)
            return fail(err, AMP_E_FORMAT, "text is cut off");
        if (*p == ',') {
            n->many[n->depth - 1] = true;
            p = amp_scan_blanks(p + 1, end);
            return close == '}' ? scan_key(p, end, rules, err) : p;
        }
        if (*p != close)
            return fail(err, AMP_E_FORMAT, "not JSON");
        p++;
        n->depth--;
        if (close == '}' && n->many[n->depth] && rules == AMP_SCAN_SOUND && !amp_scan_unique(start))
            return fail(err, AMP_E_FORMAT, "a key stands twice");
    }
    return p;
}

const char *amp_scan_value(const char *p, const char *end, int depth, enum amp_scan_rules rules,
                           struct amp_scan_err *err)
{
    struct nest n;

    if (depth > AMP_DEPTH_MAX)
        depth = AMP_DEPTH_MAX;
    n.depth = 0;
    do {
        if (p == end)
            return fail(err, AMP_E_FORMAT, "text is cut off");
        if (*p == '{' || *p == '[') {
            char close = *p == '{' ? '}' : ']';

            if (n.depth == depth)
                return fail(err, AMP_E_DEPTH, "nested too deep");
            n.start[n.depth] = p;
            n.many[n.depth++] = false;
            p = amp_scan_blanks(p + 1, end);
            if (p < end && *p == close) {
                p++;
                n.depth--;
            } else {
                if (close == '}')
                    p = scan_key(p, end, rules, err);
                if (!p)
                    return NULL;
                continue;
            }
        } else {
            p = scan_scalar(p, end, rules, err);
        }
        if (p)
            p = scan_next(p, end, &n, rules, err);
    } while (p && n.depth > 0);
    return p;
}

/* Unique keys. The text is sound JSON already, so that walking it again is cheap and needs no
 * `end`. Keys are taken in blocks; each block is a small hash table against which it and all keys
 * behind it are held, so that the memory stays fixed, and the time of a hostile object of n keys is
 * n / BLOCK walks. */
#define BLOCK 256
#define SLOTS (2 * BLOCK)

struct key {
    uint32_t at;   /* of its first character, counted from the object's brace; 0: free slot */
    uint32_t hash; /* of the unescaped text */
};

static const char *walk_string(const char *p)
{
    while (*p != '"')
        p += *p == '\\' ? 2 : 1;
    return p + 1;
}

static const char *walk_blanks(const char *p)
{
    while (amp_scan_is_blank(*p))
        p++;
    return p;
}

static const char *walk_value(const char *p)
{
    int depth = 0;

    do {
        switch (*p++) {
        case '"':
            p = walk_string(p);
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            depth--;
            break;
        default:
            break;
        }
    } while (depth > 0 || (*p != ',' && *p != '}' && *p != ']' && !amp_scan_is_blank(*p)));
    return p;
}

/* The bytes of an unescaped string, one by one. */
struct bytes {
    const char *p, *end;
    char piece[4];
    uint32_t at, len;
};

/* -1 at the end. */
static int next_byte(struct bytes *b)
{
    if (b->at == b->len) {
        if (b->p == b->end)
            return -1;
        b->len = unescape_step(&b->p, b->end, b->piece);
        b->at = 0;
    }
    return (unsigned char)b->piece[b->at++];
}

static uint32_t hash_key(const char *p, const char *end)
{
    struct bytes b = { p, end, { 0 }, 0, 0 };
    uint32_t h = 0x811c9dc5u;

    for (int c; (c = next_byte(&b)) >= 0;)
        h = (h ^ (unsigned)c) * 0x01000193u;
    return h;
}

static bool same_key(const char *p, const char *q)
{
    struct bytes a = { p, walk_string(p) - 1, { 0 }, 0, 0 },
                 b = { q, walk_string(q) - 1, { 0 }, 0, 0 };
    int c;

    do {
        c = next_byte(&a);
        if (c != next_byte(&b))
            return false;
    } while (c >= 0);
    return true;
}

/* From the first character of a key to that of the next one; NULL if it was the last. */
static const char *walk_member(const char *p)
{
    p = walk_blanks(walk_string(p)) + 1;
    p = walk_blanks(walk_value(walk_blanks(p)));
    return *p == ',' ? walk_blanks(p + 1) + 1 : NULL;
}

bool amp_scan_unique(const char *object)
{
    const char *block = walk_blanks(object + 1);

    block = *block == '}' ? NULL : block + 1;
    while (block) {
        struct key table[SLOTS] = { { 0, 0 } };
        const char *p = block;

        block = NULL;
        for (unsigned n = 0; p; p = walk_member(p), n++) {
            struct key k = { (uint32_t)(p - object), hash_key(p, walk_string(p) - 1) };
            unsigned slot = k.hash % SLOTS;

            if (n == BLOCK)
                block = p;
            for (; table[slot].at; slot = (slot + 1) % SLOTS)
                if (table[slot].hash == k.hash && same_key(object + table[slot].at, p))
                    return false;
            if (n < BLOCK)
                table[slot] = k;
        }
    }
    return true;
}
