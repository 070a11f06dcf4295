/* ocpp/codec_odd.c - values that are not as they should be: what is safe to accept is repaired and
 * counted, the rest is refused. The rules are listed in messages/README.md, "Receiving". Strict
 * mode repairs nothing. */
#include "ocpp/codec_inner.h"
#include "ocpp/time.h"

#define YEAR2_MS (-62104060800000) /* 0002-01-01T00:00:00Z */

/* One value on its way: where it stands and what it is for. */
struct odd {
    struct amp_reader *d;
    const char *start;
    const struct amp_field *f;
    const struct amp_home *home;
    void *slot;
    bool *absent;
    bool in_list;
};

/* Of the wrong type, if it is a value at all. */
static const char *type_fail(struct odd *o)
{
    struct amp_scan_err err;
    static const char *const why[] = {
        [AMP_K_INT] = "not an integer",
        [AMP_K_DEC] = "not a number",
        [AMP_K_BOOL] = "neither true nor false",
        [AMP_K_TIME] = "not a time",
        [AMP_K_TEXT] = "not a text",
        [AMP_K_ENUM] = "not a text",
        [AMP_K_RECORD] = "not an object",
        [AMP_K_ANY] = "not JSON",
        [AMP_K_CUSTOM] = "not an object",
    };

    if (!amp_scan_value(o->start, o->d->end, AMP_DEPTH_MAX - o->d->depth, AMP_SCAN_SYNTAX, &err))
        return amp_read_fail(o->d, err.rc, err.why);
    if (o->f->flags & AMP_F_LIST && !o->in_list)
        return amp_read_fail(o->d, AMP_E_TYPE, "not a list");
    return amp_read_fail(o->d, AMP_E_TYPE, why[o->f->kind]);
}

/* The value says nothing. Fine for what is optional. */
static const char *nothing(struct odd *o, const char *p)
{
    amp_repaired(o->d, AMP_REPAIR_EMPTY);
    *o->absent = true;
    return p;
}

static bool optional(const struct odd *o)
{
    return o->d->lax && !o->in_list && !(o->f->flags & AMP_F_REQUIRED);
}

static const char *read_null(struct odd *o, const char *p)
{
    if (optional(o))
        return nothing(o, p + 4);
    if (!o->in_list && o->f->flags & AMP_F_REQUIRED)
        return amp_read_fail(o->d, AMP_E_MISSING, "required, but null");
    return type_fail(o);
}

static bool is_word(const char *p, const char *end, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(end - p) >= len && memcmp(p, word, len) == 0;
}

/* The string at `p` with its escapes resolved. */
static const char *read_string(struct odd *o, const char *p, struct amp_scan_text *t)
{
    struct amp_scan_err err;

    p = amp_scan_string(p + 1, o->d->end, AMP_SCAN_SOUND, t, &err);
    if (!p)
        return amp_read_fail(o->d, err.rc, err.why);
    if (t->escaped) {
        char *plain = amp_arena_alloc(o->d->arena, t->raw.len);

        if (!plain)
            return amp_read_fail(o->d, AMP_E_FULL, "no room");
        t->raw = (struct amp_text){ plain, amp_scan_unescape(t->raw, plain) };
    }
    return p;
}

bool amp_is_id(struct amp_text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        char c = t.at[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c && strchr("*-_=:+|@.", c))))
            return false;
    }
    return true;
}

/* The limits of a text field. */
static const char *store_text(struct odd *o, const char *p, const struct amp_scan_text *t)
{
    const struct amp_field *f = o->f;

    if (t->raw.len == 0 && optional(o) && f->flags & (AMP_F_NAME | AMP_F_DEFAULT | AMP_F_WORDS))
        return nothing(o, p);
    if (t->chars > (uint32_t)f->high) {
        if (!(o->d->lax && f->flags & AMP_F_LAX))
            return amp_read_fail(o->d, AMP_E_VALUE, "too long");
        amp_repaired(o->d, AMP_REPAIR_LENGTH);
    }
    if (f->flags & AMP_F_ID && !amp_is_id(t->raw))
        return amp_read_fail(o->d, AMP_E_VALUE, "a character that is not allowed");
    if (f->flags & AMP_F_WORDS) {
        const struct amp_enum *e = o->home->enums[f->ref];
        unsigned value = amp_word_find(e, t->raw.at, t->raw.len, t->raw.at + t->raw.len);

        if (value == 0 || value > e->count[o->d->set])
            return amp_read_no_word(o->d, e);
    }
    amp_store_text(o->slot, t->raw.at, t->raw.len);
    return p;
}

/* A number where a text belongs is taken as its digits. */
static const char *read_digits_as_text(struct odd *o, const char *p)
{
    struct amp_scan_err err;
    struct amp_scan_text t;
    bool whole;
    const char *q = amp_scan_number(p, o->d->end, &whole, &err);

    if (!q)
        return amp_read_fail(o->d, err.rc, err.why);
    if (!o->d->lax)
        return type_fail(o);
    amp_repaired(o->d, AMP_REPAIR_TEXT);
    t = (struct amp_scan_text){ { p, (uint32_t)(q - p) }, (uint32_t)(q - p), false };
    return store_text(o, q, &t);
}

static const char *store_enum(struct odd *o, const char *p, struct amp_text t)
{
    const struct amp_enum *e = o->home->enums[o->f->ref];
    bool open = e->open && o->d->lax;
    uint32_t len = t.len;
    unsigned value;

    if (t.len == 0 && optional(o))
        return nothing(o, p);
    if (open)
        t = amp_text_trim(t);
    value = amp_word_find(e, t.at, t.len, t.at + t.len);
    if (value > e->count[o->d->set])
        value = 0;
    if (value == 0 && !open)
        return amp_read_no_word(o->d, e);
    if (value == 0 || t.len < len)
        amp_repaired(o->d, AMP_REPAIR_WORD);
    amp_store_enum(o->slot, o->f->size, value ? value : e->count[1] + 1u);
    return p;
}

/* The number, also one that stands in a text, as the text of a decimal. */
static const char *number_text(struct odd *o, const char *p, struct amp_text *t)
{
    struct amp_scan_err err;
    struct amp_scan_text s;
    bool whole;
    const char *q;

    if (*p == '"') {
        q = read_string(o, p, &s);
        if (!q)
            return NULL;
        *t = amp_text_trim(s.raw);
        if (!o->d->lax)
            return type_fail(o);
        amp_repaired(o->d, AMP_REPAIR_NUMBER);
        return q;
    }
    q = amp_scan_number(p, o->d->end, &whole, &err);
    if (!q)
        return amp_read_fail(o->d, err.rc, err.why);
    *t = (struct amp_text){ p, (uint32_t)(q - p) };
    return q;
}

static const char *bound_fail(struct odd *o)
{
    return amp_read_fail(o->d, AMP_E_VALUE, "out of range");
}

static const char *store_int(struct odd *o, const char *p, struct amp_dec dec)
{
    const struct amp_field *f = o->f;
    int64_t v;

    if (amp_dec_scale(dec, 0, &v) < 0)
        return bound_fail(o);
    if (amp_dec_cmp(dec, (struct amp_dec){ v, 0 }) != 0)
        return type_fail(o);
    if ((f->flags & AMP_F_LOW && v < f->low) || (f->flags & AMP_F_HIGH && v > f->high))
        return bound_fail(o);
    memcpy(o->slot, &v, sizeof v);
    return p;
}

static const char *store_dec(struct odd *o, const char *p, struct amp_dec dec)
{
    const struct amp_field *f = o->f;
    int64_t v;

    if ((f->flags & AMP_F_LOW && amp_dec_cmp(dec, (struct amp_dec){ f->low, 0 }) < 0) ||
        (f->flags & AMP_F_HIGH && amp_dec_cmp(dec, (struct amp_dec){ f->high, 0 }) > 0))
        return bound_fail(o);
    if (f->flags & AMP_F_WHOLE &&
        (amp_dec_scale(dec, 0, &v) < 0 || amp_dec_cmp(dec, (struct amp_dec){ v, 0 }) != 0))
        return type_fail(o);
    if (f->flags & AMP_F_TENTHS &&
        (amp_dec_scale(dec, 1, &v) < 0 || amp_dec_cmp(dec, (struct amp_dec){ v, -1 }) != 0))
        return amp_read_fail(o->d, AMP_E_VALUE, "too many decimals");
    memcpy(o->slot, &dec, sizeof dec);
    return p;
}

/* Integers of up to 19 digits, which have no room in a decimal; false if it is none. */
static bool long_int(struct odd *o, struct amp_text t, int *rc, struct amp_dec *dec)
{
    int64_t v;

    if (o->f->kind != AMP_K_INT || t.len == 0 || (t.at[0] == '0' && t.len > 1))
        return false;
    *rc = amp_text_int(t, &v);
    *dec = (struct amp_dec){ v, 0 };
    return *rc != AMP_E_TYPE;
}

static const char *read_number(struct odd *o, const char *p)
{
    bool quoted = *p == '"';
    struct amp_dec dec;
    struct amp_text t;
    int rc;

    p = number_text(o, p, &t);
    if (!p)
        return NULL;
    if (quoted && t.len == 0 && optional(o))
        return nothing(o, p);
    if (!long_int(o, t, &rc, &dec))
        rc = amp_dec_parse_round(t, quoted, &dec);
    if (rc == AMP_E_TYPE)
        return type_fail(o);
    if (rc < 0)
        return bound_fail(o);
    if (o->f->kind == AMP_K_DEC)
        return store_dec(o, p, dec);
    if (!o->d->lax &&
        (memchr(t.at, '.', t.len) || memchr(t.at, 'e', t.len) || memchr(t.at, 'E', t.len)))
        return type_fail(o);
    return store_int(o, p, dec);
}

static const char *read_bool(struct odd *o, const char *p)
{
    struct amp_scan_text t;
    bool v;

    if (*p != '"')
        return type_fail(o);
    p = read_string(o, p, &t);
    if (!p)
        return NULL;
    t.raw = amp_text_trim(t.raw);
    if (t.raw.len == 0 && optional(o))
        return nothing(o, p);
    v = amp_text_is(t.raw, "true");
    if (!o->d->lax || (!v && !amp_text_is(t.raw, "false")))
        return type_fail(o);
    amp_repaired(o->d, AMP_REPAIR_BOOL);
    memcpy(o->slot, &v, sizeof v);
    return p;
}

static const char *read_time(struct odd *o, const char *p)
{
    struct amp_scan_text t;
    int64_t ms;

    p = read_string(o, p, &t);
    if (!p)
        return NULL;
    if (amp_text_trim(t.raw).len == 0 && optional(o))
        return nothing(o, p);
    if (amp_time_parse(t.raw, o->d->lax, &ms) < 0)
        return type_fail(o);
    if (ms < YEAR2_MS && optional(o))
        return nothing(o, p); /* the zero time of some runtimes */
    if (ms >= YEAR2_MS)
        amp_repaired(o->d, AMP_REPAIR_TIME);
    memcpy(o->slot, &ms, sizeof ms);
    return p;
}

/* Any value: checked, and handed over as it stands. */
static const char *read_any(struct odd *o, const char *p)
{
    struct amp_scan_err err;
    const char *q = amp_scan_value(p, o->d->end, AMP_DEPTH_MAX - o->d->depth, AMP_SCAN_SOUND, &err);

    if (!q)
        return amp_read_fail(o->d, err.rc, err.why);
    amp_store_text(o->slot, p, (uint32_t)(q - p));
    return q;
}

/* customData of 2.x: an object that says whose it is. The rest of it is not ours to judge. */
struct custom {
    struct amp_text vendor_id; /* source text */
};

int amp_check_custom(struct amp_text json, struct amp_fault *fault)
{
    static const struct {
        char vendor_id[16];
    } words = { "vendorId" };
    static const struct amp_home home = { words.vendor_id, NULL, NULL };
    static const struct amp_field fields[] = { { 0, offsetof(struct custom, vendor_id),
                                                 sizeof(struct amp_text), AMP_F_REQUIRED, 0, 0, 0,
                                                 0, 0, AMP_K_ANY, 8, 0 } };
    static const struct amp_record record = { &home,    { fields, fields },    { 1, 1 },
                                              { 1, 1 }, sizeof(struct custom), NULL };
    struct amp_scan_err err;
    struct amp_scan_text t;
    struct custom c;
    /* lenient in both modes: unknown fields are what customData is made of. Nothing in it needs an
     * arena. */
    int rc = amp_decode(&record, AMP_OCPP201, AMP_LENIENT, json, &c, NULL, fault, NULL);

    if (rc < 0)
        return rc;
    *fault = (struct amp_fault){ .rc = 0, .path = "vendorId", .why = NULL };
    if (amp_text_is(c.vendor_id, "null"))
        fault->rc = AMP_E_MISSING, fault->why = "required, but null";
    else if (c.vendor_id.at[0] != '"')
        fault->rc = AMP_E_TYPE, fault->why = "not a text";
    else if (amp_scan_string(c.vendor_id.at + 1, json.at + json.len, AMP_SCAN_SOUND, &t, &err) &&
             t.chars > 255)
        fault->rc = AMP_E_VALUE, fault->why = "too long";
    return fault->rc;
}

static const char *read_custom(struct odd *o, const char *p)
{
    const char *q = read_any(o, p);

    if (!q)
        return NULL;
    if (*p != '{')
        return type_fail(o);
    return amp_check_custom((struct amp_text){ p, (uint32_t)(q - p) }, o->d->fault) < 0 ? NULL : q;
}

static const char *read_by_kind(struct odd *o, const char *p)
{
    struct amp_scan_text t;
    bool number = *p == '-' || (*p >= '0' && *p <= '9');

    switch (o->f->kind) {
    case AMP_K_INT:
    case AMP_K_DEC:
        return number || *p == '"' ? read_number(o, p) : type_fail(o);
    case AMP_K_BOOL:
        return read_bool(o, p);
    case AMP_K_TIME:
        return *p == '"' ? read_time(o, p) : type_fail(o);
    case AMP_K_TEXT:
        if (number)
            return read_digits_as_text(o, p);
        if (*p != '"')
            return type_fail(o);
        p = read_string(o, p, &t);
        return p ? store_text(o, p, &t) : NULL;
    case AMP_K_ENUM:
        if (*p != '"')
            return type_fail(o);
        p = read_string(o, p, &t);
        return p ? store_enum(o, p, t.raw) : NULL;
    case AMP_K_CUSTOM:
        return read_custom(o, p);
    case AMP_K_ANY:
        return read_any(o, p);
    default:
        return type_fail(o);
    }
}

const char *amp_read_odd(struct amp_reader *d, const char *p, const struct amp_field *f,
                         const struct amp_home *home, void *slot, bool in_list, bool *absent)
{
    struct odd o = { d, p, f, home, slot, absent, in_list };

    if (f->kind != AMP_K_ANY && is_word(p, d->end, "null"))
        return read_null(&o, p); /* null is any value, but no value of a type */
    if (f->flags & AMP_F_LIST && !in_list)
        return type_fail(&o);
    return read_by_kind(&o, p);
}
