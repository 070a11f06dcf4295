/* ocpp/codec.c - from JSON text to struct in one pass. This file is the fast path: it takes what
 * well-behaved peers send, in the order of the definition, and hands every other value to
 * codec_odd.c. See ocpp/codec.h. */
#include "ocpp/codec_inner.h"
#include "ocpp/time.h"

#if defined(__GNUC__)
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

static const char *read_record(struct amp_reader *d, const char *p, const struct amp_record *r,
                               unsigned char *out);

const char *amp_read_fail(struct amp_reader *d, int rc, const char *why)
{
    d->fault->rc = rc;
    d->fault->path[0] = '\0';
    d->fault->why = why;
    d->fault->words = NULL;
    return NULL;
}

const char *amp_read_no_word(struct amp_reader *d, const struct amp_enum *e)
{
    (void)amp_read_fail(d, AMP_E_VALUE, "not one of the allowed values");
    d->fault->words = e;
    d->fault->count = e->count[d->set];
    return NULL;
}

void amp_fault_prepend(struct amp_fault *fault, const char *name, int64_t index)
{
    char old[AMP_PATH_MAX];
    struct amp_buf b;

    memcpy(old, fault->path, sizeof old);
    amp_buf_init(&b, fault->path, sizeof fault->path - 1);
    amp_buf_puts(&b, name);
    if (index >= 0) {
        amp_buf_putc(&b, '[');
        amp_buf_int(&b, index);
        amp_buf_putc(&b, ']');
    }
    if (old[0] && old[0] != '[' && b.len)
        amp_buf_putc(&b, '.');
    for (const char *p = old; *p; p++)
        amp_buf_putc(&b, *p); /* one by one: what does not fit is cut */
    fault->path[b.len] = '\0';
}

/* The key of `len` characters at `p`, closing quote included, is `name` of the tables, padded with
 * NUL. */
static inline bool key_is(const char *p, const char *end, const char *name, uint32_t len)
{
    uint32_t i = 0;

    if ((size_t)(end - p) < len + 8)
        return (size_t)(end - p) > len && memcmp(p, name, len) == 0 && p[len] == '"';
    for (; len - i >= 8; i += 8)
        if (amp_load8(p + i) != amp_load8(name + i))
            return false;
    if (len - i && (amp_load8(p + i) ^ amp_load8(name + i)) << (8 * (8 - (len - i))))
        return false;
    return p[len] == '"';
}

/* Where there are none most of the time. */
static inline const char *skip_blanks(const char *p, const char *end)
{
    return p < end && *p <= ' ' ? amp_scan_blanks(p, end) : p;
}

/* Up to 8 bytes, padded with 0. */
static inline uint64_t load_short(const char *p, uint32_t len, const char *end)
{
    uint64_t w = 0;

    if (end - p >= 8)
        return len == 0 ? 0 : amp_load8(p) & (~(uint64_t)0 >> (8 * (8 - len)));
    for (uint32_t i = 0; i < len; i++)
        w |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return w;
}

unsigned amp_word_find(const struct amp_enum *e, const char *at, uint32_t len, const char *end)
{
    uint64_t first, middle = 0, last;
    const struct amp_word *w;
    const char *name;
    unsigned value;

    if (len >= 8) {
        first = amp_load8(at);
        last = amp_load8(at + len - 8);
        if (len >= 16)
            middle = amp_load8(at + len - 16);
    } else {
        first = last = load_short(at, len, end);
    }
    value = e->slots[amp_word_slot(e, first, middle, last, len)];
    if (value == 0)
        return 0;
    w = &e->words[value - 1];
    if (w->len != len)
        return 0;
    name = e->names + w->name;
    if (amp_load8(name) != first)
        return 0;
    if (len <= 8)
        return value;
    if (amp_load8(name + len - 8) != last)
        return 0;
    return len <= 16 || memcmp(name + 8, at + 8, len - 16) == 0 ? value : 0;
}

static inline const char *read_text(const char *p, const char *end, const struct amp_field *f,
                                    void *slot)
{
    const char *q = amp_scan_plain(p + 1, end);
    size_t len = (size_t)(q - p - 1);

    if (q == end || *q != '"' || len - 1 >= (uint32_t)f->high ||
        f->flags & (AMP_F_ID | AMP_F_WORDS))
        return NULL;
    amp_store_text(slot, p + 1, (uint32_t)len);
    return q + 1;
}

static inline const char *read_enum(struct amp_reader *d, const char *p, const struct amp_field *f,
                                    const struct amp_enum *e, void *slot)
{
    const char *q = amp_scan_plain(p + 1, d->end);
    unsigned value;

    if (q == d->end || *q != '"')
        return NULL;
    value = amp_word_find(e, p + 1, (uint32_t)(q - p - 1), d->end);
    if (value == 0 || value > e->count[d->set])
        return NULL;
    amp_store_enum(slot, f->size, value);
    return q + 1;
}

/* Digits only, at most 18 of them; *value stays below 10^18. */
static inline const char *read_digits(const char *p, const char *end, uint64_t *value)
{
    const char *start = p;
    uint64_t v = 0;

    for (; p < end && (unsigned char)(*p - '0') <= 9 && p - start < 18; p++)
        v = v * 10 + (unsigned)(*p - '0');
    *value = v;
    return p;
}

static inline bool in_bounds(const struct amp_field *f, int64_t v)
{
    return !(f->flags & AMP_F_LOW && v < f->low) && !(f->flags & AMP_F_HIGH && v > f->high);
}

static inline bool ends_number(const char *p, const char *end)
{
    return p < end && (*p == ',' || *p == '}' || *p == ']');
}

static inline const char *read_int(const char *p, const char *end, const struct amp_field *f,
                                   void *slot)
{
    bool minus = *p == '-';
    const char *start = p + minus, *q;
    uint64_t u;
    int64_t v;

    q = read_digits(start, end, &u);
    if (q == start || (*start == '0' && q - start > 1) || !ends_number(q, end))
        return NULL;
    v = minus ? -(int64_t)u : (int64_t)u;
    if (!in_bounds(f, v))
        return NULL;
    memcpy(slot, &v, sizeof v);
    return q;
}

static inline const char *read_dec(const char *p, const char *end, const struct amp_field *f,
                                   void *slot)
{
    bool minus = *p == '-';
    const char *start = p + minus, *q, *point;
    uint64_t whole, part;
    struct amp_dec v;

    if (f->flags & (AMP_F_WHOLE | AMP_F_TENTHS | AMP_F_LOW | AMP_F_HIGH))
        return NULL;
    q = read_digits(start, end, &whole);
    if (q == start || q - start > 9 || (*start == '0' && q - start > 1))
        return NULL;
    v = (struct amp_dec){ (int64_t)whole, 0 };
    if (q < end && *q == '.') {
        static const int64_t ten[] = { 1,      10,      100,      1000,      10000,
                                       100000, 1000000, 10000000, 100000000, 1000000000 };

        point = ++q;
        q = read_digits(point, end, &part);
        if (q == point || q - point > 9)
            return NULL;
        v.digits = v.digits * ten[q - point] + (int64_t)part;
        v.exp = (int8_t)(point - q);
    }
    if (!ends_number(q, end))
        return NULL;
    if (minus)
        v.digits = -v.digits;
    memcpy(slot, &v, sizeof v);
    return q;
}

static inline const char *read_time(const char *p, const char *end, void *slot)
{
    const char *q = amp_scan_plain(p + 1, end);
    int64_t ms;

    if (q == end || *q != '"' ||
        amp_time_parse((struct amp_text){ p + 1, (uint32_t)(q - p - 1) }, false, &ms) < 0)
        return NULL;
    if (ms < -62104060800000)
        return NULL; /* before year 2: the zero time of some runtimes, see codec_odd.c */
    memcpy(slot, &ms, sizeof ms);
    return q + 1;
}

static inline const char *read_bool(const char *p, const char *end, void *slot)
{
    bool v = *p == 't';
    size_t len = v ? 4 : 5;

    if ((size_t)(end - p) < len || memcmp(p, v ? "true" : "false", len) != 0)
        return NULL;
    memcpy(slot, &v, sizeof v);
    return p + len;
}

static const char *read_inner(struct amp_reader *d, const char *p, const struct amp_field *f,
                              const struct amp_home *home, void *slot, bool in_list)
{
    const struct amp_record *r = home->records[f->ref];

    if (f->flags & AMP_F_POINTER && !in_list) {
        void *record = amp_arena_alloc(d->arena, r->size);

        if (!record)
            return amp_read_fail(d, AMP_E_FULL, "no room");
        memcpy(slot, &record, sizeof record);
        slot = record;
    }
    return read_record(d, p, r, slot);
}

/* One value that is no list. */
static ALWAYS_INLINE const char *read_value(struct amp_reader *d, const char *p,
                                            const struct amp_field *f, const struct amp_home *home,
                                            void *slot, bool in_list, bool *absent)
{
    const char *q = NULL;

    *absent = false;
    switch (f->kind) {
    case AMP_K_TEXT:
        if (*p == '"')
            q = read_text(p, d->end, f, slot);
        break;
    case AMP_K_ENUM:
        if (*p == '"')
            q = read_enum(d, p, f, home->enums[f->ref], slot);
        break;
    case AMP_K_INT:
        q = read_int(p, d->end, f, slot);
        break;
    case AMP_K_DEC:
        q = read_dec(p, d->end, f, slot);
        break;
    case AMP_K_TIME:
        if (*p == '"')
            q = read_time(p, d->end, slot);
        break;
    case AMP_K_BOOL:
        q = read_bool(p, d->end, slot);
        break;
    case AMP_K_RECORD:
        if (*p == '{')
            return read_inner(d, p, f, home, slot, in_list);
        break;
    default:
        break;
    }
    return q ? q : amp_read_odd(d, p, f, home, slot, in_list, absent);
}

/* Room for one more element. Elements are added at the end of the arena in place; only when
 * something else was put behind them in the meantime (lists of records with lists inside) they
 * move. */
static bool grow(struct amp_reader *d, struct amp_list *l, uint32_t *cap, uint32_t size)
{
    struct amp_arena *a = d->arena;
    uint32_t more = *cap ? *cap : 4;

    if (*cap && (unsigned char *)l->at + (size_t)*cap * size == a->at + a->used) {
        size_t n = (size_t)more * size;

        if (n > a->cap - a->used) {
            more = (uint32_t)((a->cap - a->used) / size);
            n = (size_t)more * size;
        }
        if (more == 0)
            return false;
        memset(a->at + a->used, 0, n);
        a->used += n;
    } else {
        void *at;

        if (more > (UINT32_MAX - *cap) / size)
            return false;
        at = amp_arena_alloc(a, (size_t)(*cap + more) * size);
        if (!at && *cap + more > l->len + 1) {
            more = l->len + 1 - *cap;
            at = amp_arena_alloc(a, (size_t)(*cap + more) * size);
        }
        if (!at)
            return false;
        if (l->len)
            memcpy(at, l->at, (size_t)l->len * size);
        l->at = at;
    }
    *cap += more;
    if (a->used > a->peak)
        a->peak = a->used;
    return true;
}

/* Give back what grow() took too much, if it is still at the end. */
static void shrink(struct amp_reader *d, const struct amp_list *l, uint32_t cap, uint32_t size)
{
    struct amp_arena *a = d->arena;

    if (cap > l->len && (unsigned char *)l->at + (size_t)cap * size == a->at + a->used)
        a->used -= (size_t)(cap - l->len) * size;
}

static const char *read_elements(struct amp_reader *d, const char *p, const struct amp_field *f,
                                 const struct amp_home *home, struct amp_list *l)
{
    const char *end = d->end;
    uint32_t cap = 0;
    bool absent;

    for (;;) {
        p = amp_scan_blanks(p, end);
        if (p == end)
            return amp_read_fail(d, AMP_E_FORMAT, "text is cut off");
        if (f->list_max && l->len == f->list_max)
            return amp_read_fail(d, AMP_E_COUNT, "too many elements");
        if (l->len == cap && !grow(d, l, &cap, f->size))
            return amp_read_fail(d, AMP_E_FULL, "no room");
        p = read_value(d, p, f, home, (unsigned char *)l->at + (size_t)l->len * f->size, true,
                       &absent);
        if (!p) {
            amp_fault_prepend(d->fault, "", l->len);
            return NULL;
        }
        l->len++;
        p = amp_scan_blanks(p, end);
        if (p == end)
            return amp_read_fail(d, AMP_E_FORMAT, "text is cut off");
        if (*p == ']')
            break;
        if (*p++ != ',')
            return amp_read_fail(d, AMP_E_FORMAT, "not JSON");
    }
    shrink(d, l, cap, f->size);
    return p + 1;
}

static const char *read_list(struct amp_reader *d, const char *p, const struct amp_field *f,
                             const struct amp_home *home, void *slot, bool *absent)
{
    struct amp_list l = { NULL, 0 };

    *absent = false;
    if (*p == '{' && f->kind == AMP_K_RECORD && d->lax) {
        l.at = amp_arena_alloc(d->arena, f->size);
        if (!l.at)
            return amp_read_fail(d, AMP_E_FULL, "no room");
        l.len = 1;
        amp_repaired(d, AMP_REPAIR_LIST);
        d->depth++; /* what is accepted without its list must not be too deep with it */
        p = read_record(d, p, home->records[f->ref], l.at);
        d->depth--;
        if (!p)
            amp_fault_prepend(d->fault, "", 0);
    } else if (*p == '[') {
        if (++d->depth > AMP_DEPTH_MAX)
            return amp_read_fail(d, AMP_E_DEPTH, "nested too deep");
        p = amp_scan_blanks(p + 1, d->end);
        if (p < d->end && *p == ']')
            p++;
        else
            p = read_elements(d, p, f, home, &l);
        d->depth--;
    } else {
        return amp_read_odd(d, p, f, home, slot, false, absent);
    }
    if (p && l.len < f->list_min) {
        bool fine =
            d->lax && (l.len == 0 && (!(f->flags & AMP_F_REQUIRED) || f->flags & AMP_F_LAX));

        if (!fine)
            return amp_read_fail(d, AMP_E_COUNT, "too few elements");
        amp_repaired(d, AMP_REPAIR_LIST);
    }
    memcpy(slot, &l, sizeof l);
    return p;
}

/* The number of the field named by the `len` bytes at `key`, all up to `end` readable; the number
 * of fields if there is none. Most keys stand soon behind the one before, so the search begins at
 * `next`. */
static unsigned field_of(const struct amp_record *r, unsigned set, const char *key, uint32_t len,
                         const char *end, unsigned next)
{
    const struct amp_field *fields = r->fields[set];
    const char *names = r->home->names;
    unsigned count = r->count[set];
    uint64_t first = load_short(key, len < 8 ? len : 8, end);

    for (unsigned i = 0, k = next; i < count; i++, k++) {
        const char *name;

        if (k >= count)
            k = 0;
        name = names + fields[k].name;
        if (fields[k].name_len == len && amp_load8(name) == first &&
            (len <= 8 || memcmp(name + 8, key + 8, len - 8) == 0))
            return k;
    }
    return count;
}

/* Find the field of a key that is not the expected one; `p` is behind the opening quote. Returns
 * the byte behind the closing one. */
static const char *find_key(struct amp_reader *d, const char *p, const struct amp_record *r,
                            unsigned next, unsigned *index)
{
    const char *q = amp_scan_plain(p, d->end);
    struct amp_scan_err err;
    struct amp_scan_text t;
    char plain[80]; /* longer than any name of a field */

    if (q < d->end && *q == '"') {
        *index = field_of(r, d->set, p, (uint32_t)(q - p), d->end, next);
        return q + 1;
    }
    q = amp_scan_string(p, d->end, AMP_SCAN_SOUND, &t, &err);
    if (!q)
        return amp_read_fail(d, err.rc, err.why);
    *index = r->count[d->set];
    if (t.escaped && t.raw.len <= sizeof plain)
        *index =
            field_of(r, d->set, plain, amp_scan_unescape(t.raw, plain), plain + sizeof plain, next);
    return q;
}

/* A member that the record does not know: it must be sound all the same. */
static const char *skip_unknown(struct amp_reader *d, const char *p)
{
    struct amp_scan_err err;

    if (!d->lax)
        return amp_read_fail(d, AMP_E_FORMAT, "unknown field");
    d->report.unknown_fields++;
    p = amp_scan_value(p, d->end, AMP_DEPTH_MAX - d->depth, AMP_SCAN_SOUND, &err);
    return p ? p : amp_read_fail(d, err.rc, err.why);
}

static const char *fail_missing(struct amp_reader *d, const struct amp_record *r, uint64_t missing)
{
    unsigned i = 0;

    while (!(missing >> i & 1))
        i++;
    amp_read_fail(d, AMP_E_MISSING, "required");
    amp_fault_prepend(d->fault, r->home->names + r->fields[d->set][i].name, -1);
    return NULL;
}

static const char *fail_twice(struct amp_reader *d, const struct amp_record *r, unsigned i)
{
    amp_read_fail(d, AMP_E_FORMAT, "a key stands twice");
    amp_fault_prepend(d->fault, r->home->names + r->fields[d->set][i].name, -1);
    return NULL;
}

static const char *close_record(struct amp_reader *d, const char *p, const struct amp_record *r,
                                const void *out, uint64_t seen)
{
    uint64_t missing = r->required[d->set] & ~seen;

    if (missing)
        return fail_missing(d, r, missing);
    if (r->check && r->check(out, d->fault) < 0)
        return NULL;
    d->depth--;
    return p + 1;
}

static inline void mark_present(unsigned char *out, const struct amp_field *f)
{
    uint32_t bits;
    unsigned char *at = out + f->has / 32 * sizeof bits;

    memcpy(&bits, at, sizeof bits);
    bits |= (uint32_t)1 << (f->has & 31);
    memcpy(at, &bits, sizeof bits);
}

/* From the start of a member to its value. *index is the number of its field, or the number of
 * fields for an unknown one; `next` is the field that is expected here. */
static inline const char *read_key(struct amp_reader *d, const char *p, const struct amp_record *r,
                                   unsigned next, unsigned *index)
{
    const struct amp_field *fields = r->fields[d->set];
    const char *names = r->home->names, *end = d->end;
    unsigned count = r->count[d->set], i = next;

    if (p == end || *p++ != '"')
        return amp_read_fail(d, AMP_E_FORMAT, "not JSON");
    if (i < count && key_is(p, end, names + fields[i].name, fields[i].name_len))
        p += fields[i].name_len + 1;
    else if (i + 1 < count && key_is(p, end, names + fields[i + 1].name, fields[i + 1].name_len))
        p += fields[++i].name_len + 1; /* one optional field was left out */
    else if (!(p = find_key(d, p, r, next, &i)))
        return NULL;
    *index = i;
    p = skip_blanks(p, end);
    if (p == end || *p++ != ':')
        return amp_read_fail(d, AMP_E_FORMAT, "not JSON");
    p = skip_blanks(p, end);
    return p < end ? p : amp_read_fail(d, AMP_E_FORMAT, "text is cut off");
}

static inline const char *read_field(struct amp_reader *d, const char *p,
                                     const struct amp_record *r, const struct amp_field *f,
                                     unsigned char *out)
{
    bool absent;

    if (f->flags & AMP_F_LIST)
        p = read_list(d, p, f, r->home, out + f->offset, &absent);
    else
        p = read_value(d, p, f, r->home, out + f->offset, false, &absent);
    if (!p)
        amp_fault_prepend(d->fault, r->home->names + f->name, -1);
    else if (f->flags & AMP_F_HAS && !absent)
        mark_present(out, f);
    return p;
}

/* `p` is at the opening brace, `out` is zeroed. */
static const char *read_record(struct amp_reader *d, const char *p, const struct amp_record *r,
                               unsigned char *out)
{
    unsigned count = r->count[d->set], next = 0, i = 0, unknown = 0;
    const char *start = p, *end = d->end;
    uint64_t seen = 0;

    if (++d->depth > AMP_DEPTH_MAX)
        return amp_read_fail(d, AMP_E_DEPTH, "nested too deep");
    p = amp_scan_blanks(p + 1, end);
    if (p < end && *p == '}')
        return close_record(d, p, r, out, seen);
    for (;;) {
        p = read_key(d, p, r, next, &i);
        if (!p)
            return NULL;
        if (i == count) {
            p = skip_unknown(d, p);
            unknown++;
        } else if (seen >> i & 1) {
            return fail_twice(d, r, i);
        } else {
            seen |= (uint64_t)1 << i;
            p = read_field(d, p, r, &r->fields[d->set][i], out);
            next = i + 1;
        }
        if (!p)
            return NULL;
        p = skip_blanks(p, end);
        if (p == end)
            return amp_read_fail(d, AMP_E_FORMAT, "text is cut off");
        if (*p == '}')
            break;
        if (*p++ != ',')
            return amp_read_fail(d, AMP_E_FORMAT, "not JSON");
        p = skip_blanks(p, end);
    }
    if (unknown > 1 && !amp_scan_unique(start))
        return amp_read_fail(d, AMP_E_FORMAT, "a key stands twice");
    return close_record(d, p, r, out, seen);
}

/* null or [] in place of {}: some encoders know no empty object. */
static const char *read_nothing(struct amp_reader *d, const char *p, const struct amp_record *r,
                                const void *out)
{
    const char *q;

    if (d->lax && d->end - p >= 4 && memcmp(p, "null", 4) == 0)
        q = p + 3;
    else if (d->lax && p < d->end && *p == '[' && (q = amp_scan_blanks(p + 1, d->end)) < d->end &&
             *q == ']')
        amp_repaired(d, AMP_REPAIR_OBJECT);
    else
        return amp_read_fail(d, AMP_E_FORMAT, p == d->end ? "text is cut off" : "not an object");
    d->depth++;
    return close_record(d, q, r, out, 0);
}

int amp_decode_prefix(const struct amp_record *r, enum amp_version v, enum amp_codec_mode mode,
                      struct amp_text *json, void *out, struct amp_arena *arena,
                      struct amp_fault *fault, struct amp_decode *report)
{
    struct amp_fault unused;
    struct amp_reader d = { .end = json->len ? json->at + json->len : json->at,
                            .arena = arena,
                            .fault = fault ? fault : &unused,
                            .set = v == AMP_OCPP21,
                            .lax = mode != AMP_STRICT };
    const char *p = amp_scan_blanks(json->at, d.end);

    memset(out, 0, r->size);
    d.fault->rc = 0;
    if (p < d.end && *p == '{')
        p = read_record(&d, p, r, out);
    else
        p = read_nothing(&d, p, r, out);
    if (report)
        *report = d.report;
    if (!p)
        return d.fault->rc;
    *json = (struct amp_text){ p, (uint32_t)(d.end - p) };
    return 0;
}

int amp_decode(const struct amp_record *r, enum amp_version v, enum amp_codec_mode mode,
               struct amp_text json, void *out, struct amp_arena *arena, struct amp_fault *fault,
               struct amp_decode *report)
{
    int rc = amp_decode_prefix(r, v, mode, &json, out, arena, fault, report);

    if (rc < 0 || amp_scan_blanks(json.at, json.at + json.len) == json.at + json.len)
        return rc;
    if (fault)
        *fault = (struct amp_fault){ .rc = AMP_E_FORMAT, .path = "", .why = "text behind the end" };
    return AMP_E_FORMAT;
}
