/* ocpp/codec_write.c - from struct to JSON text. Strict: what breaks a limit is never sent, so that
 * a mistake of ours shows in our tests and not at the peer. */
#include "ocpp/codec_inner.h"
#include "ocpp/json.h"
#include "ocpp/time.h"

#define YEAR0_MS    (-62167219200000) /* 0000-01-01T00:00:00Z */
#define YEAR9999_MS 253402300799999   /* 9999-12-31T23:59:59.999Z */

struct writer {
    struct amp_buf *out;
    struct amp_fault *fault; /* never NULL */
    uint8_t set;             /* which field list of a record: 1 for OCPP 2.1 */
    bool strict;
    bool hide; /* secrets */
};

static int write_record(struct writer *w, const struct amp_record *r, const unsigned char *in);

static int fail(struct writer *w, int rc, const char *why)
{
    *w->fault = (struct amp_fault){ .rc = rc, .path = "", .why = why };
    return rc;
}

static bool in_bounds(const struct amp_field *f, struct amp_dec v)
{
    return !(f->flags & AMP_F_LOW && amp_dec_cmp(v, (struct amp_dec){ f->low, 0 }) < 0) &&
           !(f->flags & AMP_F_HIGH && amp_dec_cmp(v, (struct amp_dec){ f->high, 0 }) > 0);
}

static int write_int(struct writer *w, const struct amp_field *f, const void *slot)
{
    int64_t v;

    memcpy(&v, slot, sizeof v);
    if (w->strict && (!in_bounds(f, (struct amp_dec){ v, 0 }) ||
                      (!(f->flags & AMP_F_WIDE) && (v < INT32_MIN || v > INT32_MAX))))
        return fail(w, AMP_E_VALUE, "out of range");
    amp_buf_int(w->out, v);
    return 0;
}

static int write_dec(struct writer *w, const struct amp_field *f, const void *slot)
{
    int places = f->flags & AMP_F_WHOLE ? 0 : 1;
    struct amp_dec v;
    int64_t cut;

    memcpy(&v, slot, sizeof v);
    if (w->strict) {
        if (!in_bounds(f, v))
            return fail(w, AMP_E_VALUE, "out of range");
        if (f->flags & (AMP_F_WHOLE | AMP_F_TENTHS) &&
            (amp_dec_scale(v, places, &cut) < 0 || amp_dec_cmp(v, amp_dec_of(cut, places)) != 0))
            return fail(w, AMP_E_VALUE, "too many decimals");
    }
    amp_dec_write(w->out, v);
    return 0;
}

static int write_time(struct writer *w, const void *slot)
{
    char text[AMP_TIME_TEXT_MAX];
    int64_t ms;

    memcpy(&ms, slot, sizeof ms);
    if (w->strict && (ms < YEAR0_MS || ms > YEAR9999_MS))
        return fail(w, AMP_E_VALUE, "out of range");
    amp_buf_putc(w->out, '"');
    amp_buf_puts(w->out, amp_time_text(ms, text));
    amp_buf_putc(w->out, '"');
    return 0;
}

static int check_text(struct writer *w, const struct amp_field *f, const struct amp_home *home,
                      struct amp_text t)
{
    const struct amp_enum *e = f->flags & AMP_F_WORDS ? home->enums[f->ref] : NULL;

    if (t.len > (uint32_t)f->high && amp_text_chars(t) > (uint32_t)f->high)
        return fail(w, AMP_E_VALUE, "too long");
    if (f->flags & AMP_F_ID && !amp_is_id(t))
        return fail(w, AMP_E_VALUE, "a character that is not allowed");
    if (e && (amp_enum_find(e, t) == 0 || amp_enum_find(e, t) > e->count[w->set]))
        return fail(w, AMP_E_VALUE, "not one of the allowed values");
    if (!amp_text_utf8(t))
        return fail(w, AMP_E_VALUE, "not UTF-8");
    if (t.len && memchr(t.at, '\0', t.len))
        return fail(w, AMP_E_VALUE, "NUL in a text");
    return 0;
}

static int write_text(struct writer *w, const struct amp_field *f, const struct amp_home *home,
                      const void *slot)
{
    struct amp_text t;
    int rc;

    memcpy(&t, slot, sizeof t);
    if (w->strict && !t.at) /* an element of a list: fields without text are left out before */
        return fail(w, AMP_E_MISSING, "no text");
    if (w->strict && (rc = check_text(w, f, home, t)) < 0)
        return rc;
    if (w->hide && f->flags & AMP_F_SECRET)
        t = AMP_TEXT("***");
    amp_json_quote(w->out, t);
    return 0;
}

/* Text that is JSON already. */
static int write_json(struct writer *w, const struct amp_field *f, const void *slot)
{
    struct amp_text t;
    int rc;

    memcpy(&t, slot, sizeof t);
    rc = amp_json_check(t, w->fault);
    if (rc == 0 && f->kind == AMP_K_CUSTOM)
        rc = *amp_text_trim(t).at == '{' ? amp_check_custom(t, w->fault)
                                         : fail(w, AMP_E_VALUE, "not an object");
    if (w->strict && rc < 0)
        return fail(w, AMP_E_VALUE, w->fault->why);
    if (rc < 0 && amp_json_check(t, NULL) < 0)
        amp_json_quote(w->out, t);
    else
        amp_buf_text_put(w->out, t);
    return 0;
}

static int write_enum(struct writer *w, const struct amp_field *f, const struct amp_home *home,
                      const void *slot)
{
    const struct amp_enum *e = home->enums[f->ref];
    unsigned value = amp_load_enum(slot, f->size);

    if (w->strict && (value == 0 || value > e->count[w->set]))
        return fail(w, AMP_E_VALUE, "not one of the allowed values");
    amp_buf_putc(w->out, '"');
    amp_buf_puts(w->out, value >= 1 && value <= e->count[1] ? amp_enum_name(e, (int)value) : "?");
    amp_buf_putc(w->out, '"');
    return 0;
}

static int write_value(struct writer *w, const struct amp_field *f, const struct amp_home *home,
                       const unsigned char *slot, bool in_list)
{
    const void *record;
    bool b;

    switch (f->kind) {
    case AMP_K_INT:
        return write_int(w, f, slot);
    case AMP_K_DEC:
        return write_dec(w, f, slot);
    case AMP_K_BOOL:
        memcpy(&b, slot, sizeof b);
        amp_buf_puts(w->out, b ? "true" : "false");
        return 0;
    case AMP_K_TIME:
        return write_time(w, slot);
    case AMP_K_TEXT:
        return write_text(w, f, home, slot);
    case AMP_K_ENUM:
        return write_enum(w, f, home, slot);
    case AMP_K_RECORD:
        record = slot;
        if (f->flags & AMP_F_POINTER && !in_list)
            memcpy(&record, slot, sizeof record);
        return write_record(w, home->records[f->ref], record);
    default:
        return write_json(w, f, slot);
    }
}

static int write_list(struct writer *w, const struct amp_field *f, const struct amp_home *home,
                      const unsigned char *slot)
{
    struct amp_list l;
    int rc;

    memcpy(&l, slot, sizeof l);
    if (w->strict && (l.len < f->list_min || (f->list_max && l.len > f->list_max)))
        return fail(w, AMP_E_COUNT, l.len < f->list_min ? "too few elements" : "too many elements");
    amp_buf_putc(w->out, '[');
    for (uint32_t i = 0; i < l.len; i++) {
        if (i)
            amp_buf_putc(w->out, ',');
        rc = write_value(w, f, home, (const unsigned char *)l.at + (size_t)i * f->size, true);
        if (rc < 0) {
            amp_fault_prepend(w->fault, "", i);
            return rc;
        }
    }
    amp_buf_putc(w->out, ']');
    return 0;
}

/* Is there something to write? See codec.h for how a struct says that a field is absent. */
static bool present(const struct amp_field *f, const unsigned char *in)
{
    const unsigned char *slot = in + f->offset;
    struct amp_list list;
    struct amp_text text;
    uint32_t bits;
    void *record;

    if (f->flags & AMP_F_LIST) {
        memcpy(&list, slot, sizeof list);
        return list.len > 0 || f->flags & AMP_F_REQUIRED;
    }
    if (f->flags & AMP_F_HAS) {
        memcpy(&bits, in + f->has / 32 * sizeof bits, sizeof bits);
        return bits >> (f->has & 31) & 1;
    }
    switch (f->kind) {
    case AMP_K_TEXT:
    case AMP_K_ANY:
    case AMP_K_CUSTOM:
        memcpy(&text, slot, sizeof text);
        return text.at != NULL;
    case AMP_K_ENUM:
        return amp_load_enum(slot, f->size) != 0;
    case AMP_K_RECORD:
        if (!(f->flags & AMP_F_POINTER))
            return true;
        memcpy(&record, slot, sizeof record);
        return record != NULL;
    default:
        return true;
    }
}

static void write_key(struct amp_buf *out, const char *name, uint32_t len, bool comma)
{
    char *p = amp_buf_room(out, len + 4);

    if (!p)
        return;
    *p = ',';
    p += comma;
    *p++ = '"';
    memcpy(p, name, len);
    p[len] = '"';
    p[len + 1] = ':';
    out->len += len + 3u + comma;
}

static int write_field(struct writer *w, const struct amp_record *r, const struct amp_field *f,
                       const unsigned char *in)
{
    const char *name = r->home->names + f->name;
    int rc;

    if (f->flags & AMP_F_LIST)
        rc = write_list(w, f, r->home, in + f->offset);
    else
        rc = write_value(w, f, r->home, in + f->offset, false);
    if (rc < 0)
        amp_fault_prepend(w->fault, name, -1);
    return rc;
}

static int write_record(struct writer *w, const struct amp_record *r, const unsigned char *in)
{
    bool comma = false;
    int rc;

    if (w->strict && r->check && (rc = r->check(in, w->fault)) < 0)
        return rc;
    amp_buf_putc(w->out, '{');
    for (unsigned i = 0; i < r->count[w->set]; i++) {
        const struct amp_field *f = &r->fields[w->set][i];

        if (present(f, in)) {
            write_key(w->out, r->home->names + f->name, f->name_len, comma);
            comma = true;
            rc = write_field(w, r, f, in);
            if (rc < 0)
                return rc;
        } else if (w->strict && f->flags & AMP_F_REQUIRED) {
            fail(w, AMP_E_MISSING, "required");
            amp_fault_prepend(w->fault, r->home->names + f->name, -1);
            return AMP_E_MISSING;
        }
    }
    amp_buf_putc(w->out, '}');
    return 0;
}

int amp_encode_mode(const struct amp_record *r, enum amp_version v, enum amp_codec_mode mode,
                    const void *in, struct amp_buf *out, struct amp_fault *fault)
{
    struct amp_fault unused;
    struct writer w = { out, fault ? fault : &unused, v == AMP_OCPP21, mode == AMP_STRICT, false };
    int rc;

    w.fault->rc = 0;
    rc = write_record(&w, r, in);
    if (rc == 0 && out->full)
        rc = fail(&w, AMP_E_FULL, "no room");
    return rc;
}

int amp_encode(const struct amp_record *r, enum amp_version v, const void *in, struct amp_buf *out,
               struct amp_fault *fault)
{
    return amp_encode_mode(r, v, AMP_STRICT, in, out, fault);
}

void amp_describe(const struct amp_record *r, enum amp_version v, const void *in,
                  struct amp_buf *out)
{
    struct amp_fault unused;
    struct writer w = { out, &unused, v == AMP_OCPP21, false, true };
    int rc = write_record(&w, r, in);

    (void)rc; /* without limits nothing can be wrong */
}
