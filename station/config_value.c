/* station/config_value.c - values of configuration keys: from text and to text, by their kind. */
#include "station/config_row.h"

static const char *const rotations[] = { "Unknown", "NotApplicable", "RST", "RTS",
                                         "SRT",     "STR",           "TRS", "TSR" };

/* "0.RST,1.RST": connectors that are not named are Unknown. */
static int parse_rotation(const struct amp_station *st, struct amp_text t, uint8_t *out)
{
    memset(out, 0, AMP_CONNECTORS_MAX + 1);
    t = amp_text_trim(t);
    while (t.len) {
        uint32_t n = 0, dot = 0;
        struct amp_text item;
        int64_t c;
        unsigned word = 0;

        while (n < t.len && t.at[n] != ',')
            n++;
        item = amp_text_trim((struct amp_text){ t.at, n });
        while (dot < item.len && item.at[dot] != '.')
            dot++;
        if (dot == item.len || amp_text_int((struct amp_text){ item.at, dot }, &c) < 0 || c < 0 ||
            c > st->connectors)
            return AMP_E_VALUE;
        item = (struct amp_text){ item.at + dot + 1, item.len - dot - 1 };
        while (word < AMP_COUNT(rotations) && !amp_text_eqi(item, amp_text_of(rotations[word])))
            word++;
        if (word == AMP_COUNT(rotations))
            return AMP_E_VALUE;
        out[c] = (uint8_t)word;
        n += n < t.len;
        t.at += n;
        t.len -= n;
    }
    return 0;
}

/* Hex of 16 to 20 bytes (ocpp-facts S2). */
static int parse_key(const struct amp_config_row *r, struct amp_text t, char *out)
{
    if ((int32_t)t.len < r->min || (int32_t)t.len > r->max || t.len % 2)
        return AMP_E_VALUE;
    for (uint32_t i = 0; i < t.len; i++)
        if (!((t.at[i] >= '0' && t.at[i] <= '9') || (t.at[i] >= 'a' && t.at[i] <= 'f') ||
              (t.at[i] >= 'A' && t.at[i] <= 'F')))
            return AMP_E_VALUE;
    amp_text_copy(out, AMP_KEY_HEX_MAX + 1, t);
    return 0;
}

/* ChargingScheduleAllowedChargingRateUnit, errata 4.0: "Current" is A, "Power" is W (134). */
static const char *const units[] = { "Current", "Power", "Current,Power" };

static int parse_units(struct amp_text t, char *field)
{
    int32_t bits = 0;

    while (t.len) {
        uint32_t n = 0;
        struct amp_text item;

        while (n < t.len && t.at[n] != ',')
            n++;
        item = amp_text_trim((struct amp_text){ t.at, n });
        if (!amp_text_eqi(item, AMP_TEXT("Current")) && !amp_text_eqi(item, AMP_TEXT("Power")))
            return AMP_E_VALUE;
        bits |= amp_text_eqi(item, AMP_TEXT("Power")) ? 2 : 1;
        n += n < t.len;
        t.at += n;
        t.len -= n;
    }
    if (!bits)
        return AMP_E_VALUE;
    memcpy(field, &bits, sizeof(bits));
    return 0;
}

/* A name that can stand in a certificate: no control characters. */
static int parse_name(const struct amp_config_row *r, struct amp_text t, char *out)
{
    t = amp_text_trim(t);
    if ((int32_t)t.len > r->max)
        return AMP_E_VALUE;
    for (uint32_t i = 0; i < t.len; i++)
        if ((unsigned char)t.at[i] < ' ' || t.at[i] == 0x7F)
            return AMP_E_VALUE;
    amp_text_copy(out, AMP_CPO_NAME_MAX + 1, t);
    return 0;
}

static int parse_number(const struct amp_config_row *r, struct amp_text t, int32_t *out)
{
    int64_t v;

    t = amp_text_trim(t);
    if (r->kind == BOOL && amp_text_eqi(t, AMP_TEXT("true")))
        v = 1;
    else if (r->kind == BOOL && amp_text_eqi(t, AMP_TEXT("false")))
        v = 0;
    else if (r->kind == BOOL || amp_text_int(t, &v) < 0)
        return AMP_E_TYPE;
    if (v < r->min || v > r->max)
        return AMP_E_VALUE;
    *out = (int32_t)v;
    return 0;
}

/* Into `set`; untouched when the value is no good. */
int amp_config_parse(const struct amp_station *st, const struct amp_config_row *r,
                     struct amp_text t, struct amp_settings *set)
{
    char *field = (char *)set + r->offset;
    uint8_t rotation[AMP_CONNECTORS_MAX + 1];
    int32_t number;
    int rc;

    switch (r->kind) {
    case LIST: {
        struct amp_measurands list;

        rc = amp_measurands_parse(t, &list);
        if (rc == 0)
            memcpy(field, &list, sizeof(list));
        return rc;
    }
    case ROTATION:
        rc = parse_rotation(st, t, rotation);
        if (rc == 0)
            memcpy(field, rotation, sizeof(rotation));
        return rc;
    case KEY:
        return t.len ? parse_key(r, t, field) : AMP_E_VALUE;
    case UNITS:
        return parse_units(t, field);
    case NAME:
        return parse_name(r, t, field);
    case FIXED:
        return AMP_E_SUPPORT;
    default:
        rc = parse_number(r, t, &number);
        if (rc == 0)
            memcpy(field, &number, sizeof(number));
        return rc;
    }
}

void amp_config_write(const struct amp_station *st, const struct amp_config_row *r,
                      struct amp_buf *out)
{
    const char *field = (const char *)&st->set + r->offset;
    struct amp_measurands list;
    int32_t number;

    switch (r->kind) {
    case LIST:
        memcpy(&list, field, sizeof(list));
        amp_measurands_write(out, &list);
        break;
    case ROTATION:
        for (int c = 0; c <= st->connectors; c++) {
            if (c)
                amp_buf_putc(out, ',');
            amp_buf_int(out, c);
            amp_buf_putc(out, '.');
            amp_buf_puts(out, rotations[st->set.rotation[c]]);
        }
        break;
    case KEY:
        amp_buf_puts(out, st->set.key);
        break;
    case UNITS:
        memcpy(&number, field, sizeof(number));
        amp_buf_puts(out, units[number - 1]);
        break;
    case NAME:
        amp_buf_puts(out, st->set.cpo_name);
        break;
    case FIXED:
        r->fixed(st, out);
        break;
    default:
        memcpy(&number, field, sizeof(number));
        if (r->kind == BOOL)
            amp_buf_puts(out, number ? "true" : "false");
        else
            amp_buf_int(out, number);
    }
}
