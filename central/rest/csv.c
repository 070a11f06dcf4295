/* central/rest/csv.c - see csv.h. */
#include "central/rest/csv.h"

void csv_put(struct amp_buf *out, bool first, struct amp_text field)
{
    bool quote = false;

    if (!first)
        amp_buf_putc(out, ',');
    for (uint32_t i = 0; i < field.len; i++)
        quote = quote || field.at[i] == ',' || field.at[i] == ';' || field.at[i] == '"' ||
                field.at[i] == '\t' || field.at[i] == '\n' || field.at[i] == '\r';
    quote = quote || (field.len && (field.at[0] == ' ' || field.at[field.len - 1] == ' '));
    if (!quote) {
        amp_buf_text_put(out, field);
        return;
    }
    amp_buf_putc(out, '"');
    for (uint32_t i = 0; i < field.len; i++) {
        if (field.at[i] == '"')
            amp_buf_putc(out, '"');
        amp_buf_putc(out, field.at[i]);
    }
    amp_buf_putc(out, '"');
}

void csv_end(struct amp_buf *out)
{
    amp_buf_puts(out, "\r\n");
}

/* What stands most often in the first row, outside of quotes; spreadsheets of half the world write
 * semicolons. */
static char separator_of(struct amp_text text)
{
    unsigned commas = 0, semicolons = 0, tabs = 0;
    bool quoted = false;

    for (uint32_t i = 0; i < text.len && (quoted || text.at[i] != '\n'); i++) {
        quoted = quoted != (text.at[i] == '"');
        commas += !quoted && text.at[i] == ',';
        semicolons += !quoted && text.at[i] == ';';
        tabs += !quoted && text.at[i] == '\t';
    }
    return semicolons > commas && semicolons >= tabs ? ';' : tabs > commas ? '\t' : ',';
}

void csv_open(struct csv *c, struct amp_text text, struct amp_arena *arena)
{
    if (text.len >= 3 && !memcmp(text.at, "\xef\xbb\xbf", 3)) {
        text.at += 3;
        text.len -= 3;
    }
    *c = (struct csv){ .rest = text, .arena = arena, .separator = separator_of(text) };
}

static void skip(struct csv *c, uint32_t n)
{
    c->rest.at += n;
    c->rest.len -= n;
}

/* A field in quotes; the rest begins behind the opening one. */
static int quoted(struct csv *c, struct amp_text *out)
{
    uint32_t doubled = 0, n = 0;
    char *copy;

    for (;; n++) {
        if (n == c->rest.len)
            return AMP_E_FORMAT;
        if (c->rest.at[n] != '"')
            continue;
        if (n + 1 == c->rest.len || c->rest.at[n + 1] != '"')
            break;
        doubled++;
        n++;
    }
    *out = (struct amp_text){ c->rest.at, n };
    skip(c, n + 1);
    if (!doubled)
        return 0;
    copy = amp_arena_alloc(c->arena, n);
    if (!copy)
        return AMP_E_FULL;
    n = 0;
    for (uint32_t i = 0; i < out->len; i++) {
        copy[n++] = out->at[i];
        i += out->at[i] == '"';
    }
    *out = (struct amp_text){ copy, n };
    return 0;
}

static int plain(struct csv *c, struct amp_text *out)
{
    uint32_t n = 0;

    while (n < c->rest.len && c->rest.at[n] != c->separator && c->rest.at[n] != '\n' &&
           c->rest.at[n] != '\r')
        n++;
    *out = amp_text_trim((struct amp_text){ c->rest.at, n });
    skip(c, n);
    return 0;
}

static bool end_of_row(struct csv *c)
{
    if (!c->rest.len)
        return true;
    if (c->rest.at[0] == '\r' && c->rest.len > 1 && c->rest.at[1] == '\n')
        skip(c, 1);
    if (c->rest.at[0] != '\n' && c->rest.at[0] != '\r')
        return false;
    skip(c, 1);
    return true;
}

static int row(struct csv *c)
{
    c->row++;
    for (c->count = 0;;) {
        struct amp_text *field = &c->fields[c->count];
        int rc;

        if (c->count == CSV_FIELDS_MAX)
            return AMP_E_COUNT;
        if (c->rest.len && c->rest.at[0] == '"') {
            skip(c, 1);
            rc = quoted(c, field);
        } else {
            rc = plain(c, field);
        }
        if (rc < 0)
            return rc;
        c->count++;
        if (end_of_row(c))
            return 1;
        if (c->rest.at[0] != c->separator)
            return AMP_E_FORMAT;
        skip(c, 1);
    }
}

int csv_next(struct csv *c)
{
    int rc;

    do {
        if (!c->rest.len)
            return 0;
        rc = row(c);
    } while (rc == 1 && c->count == 1 && !c->fields[0].len);
    return rc;
}
