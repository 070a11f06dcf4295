/* central/store/wire.c - see wire.h. */
#include "central/store/wire.h"
#include "central/store/migrate.h"
#include "central/store/table.h"

int wire_version(void)
{
    return migrate_count();
}

/* Seven bits a byte, the lowest first; the sign in the lowest bit, so that small ones stay short.
 */
static void put_number(struct amp_buf *out, int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);

    for (; u > 127; u >>= 7)
        amp_buf_putc(out, (char)(unsigned char)(u | 128));
    amp_buf_putc(out, (char)(unsigned char)u);
}

static bool get_number(struct amp_text *in, int64_t *v)
{
    uint64_t u = 0;

    for (unsigned shift = 0; in->len && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*in->at;

        in->at++, in->len--;
        u |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *v = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
            return true;
        }
    }
    return false;
}

static int64_t number_in(const struct column *c, const struct fact *f)
{
    const void *at = column_in(c, f);

    switch ((enum column_type)c->type) {
    case COLUMN_INT64:
        return *(const int64_t *)at;
    case COLUMN_INT32:
        return *(const int32_t *)at;
    case COLUMN_UINT32:
        return *(const uint32_t *)at;
    case COLUMN_BOOL:
        return *(const bool *)at;
    case COLUMN_TEXT:
        break;
    }
    return 0;
}

void wire_put(struct amp_buf *out, const struct fact *f)
{
    const struct table *t = table_of(f->kind);

    put_number(out, (int64_t)f->kind);
    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];

        if (c->type == COLUMN_TEXT) {
            const struct amp_text *text = column_in(c, f);

            put_number(out, text->at ? (int64_t)text->len : -1);
            if (text->len)
                amp_buf_put(out, text->at, text->len);
        } else {
            put_number(out, number_in(c, f));
        }
    }
}

static bool get_column(struct amp_text *in, const struct column *c, struct fact *f)
{
    void *field = (char *)f + c->at;
    int64_t v;

    if (!get_number(in, &v))
        return false;
    switch ((enum column_type)c->type) {
    case COLUMN_INT64:
        *(int64_t *)field = v;
        return true;
    case COLUMN_INT32:
        *(int32_t *)field = (int32_t)v;
        return true;
    case COLUMN_UINT32:
        *(uint32_t *)field = (uint32_t)v;
        return true;
    case COLUMN_BOOL:
        *(bool *)field = v != 0;
        return true;
    case COLUMN_TEXT:
        if (v < 0)
            return true;
        if (v > (int64_t)in->len)
            return false;
        *(struct amp_text *)field = (struct amp_text){ in->at, (uint32_t)v };
        in->at += v;
        in->len -= (uint32_t)v;
        return true;
    }
    return false;
}

bool wire_get(struct amp_text *in, struct fact *f)
{
    const struct table *t;
    int64_t kind;

    memset(f, 0, sizeof(*f));
    if (!get_number(in, &kind) || kind < 1 || kind >= FACT_KINDS)
        return false;
    f->kind = (enum fact_kind)kind;
    t = table_of(f->kind);
    for (size_t i = 0; t && i < t->count; i++)
        if (!get_column(in, &t->columns[i], f))
            return false;
    return t != NULL;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

uint64_t wire_key(const struct fact *f)
{
    const struct table *t = table_of(f->kind);
    uint64_t h = (uint64_t)f->kind;

    if (t->by || t->summed)
        return 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];
        bool folded = t->folded && !strcmp(t->folded, c->name);

        if (c->use != COLUMN_KEY && !folded)
            continue;
        if (c->type == COLUMN_TEXT)
            h = mix(h, folded ? amp_text_hashi(*(const struct amp_text *)column_in(c, f))
                              : amp_text_hash(*(const struct amp_text *)column_in(c, f)));
        else
            h = mix(h, (uint64_t)number_in(c, f));
    }
    return h ? h : 1;
}

int64_t wire_station(const struct fact *f)
{
    switch (f->kind) {
    case FACT_CHARGER:
        return f->u.charger.key;
    case FACT_CONNECTOR:
        return f->u.connector.charger;
    case FACT_STATUS:
        return f->u.status.charger;
    case FACT_TRANSACTION:
        return f->u.transaction.charger;
    case FACT_READING:
        return f->u.reading.charger;
    case FACT_MESSAGE:
        return f->u.message.charger;
    case FACT_COMMAND:
        return f->u.command.charger;
    case FACT_CONNECTION:
        return f->u.connection.charger;
    case FACT_POWER: /* also in the sum of all: what is refused flows nowhere */
        return f->u.power.of;
    default:
        return 0;
    }
}
