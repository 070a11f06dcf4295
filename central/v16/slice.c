/* central/v16/slice.c - where values of a sound JSON text begin and end. */
#include "central/v16/slice.h"

static uint32_t skip_blank(struct amp_text t, uint32_t at)
{
    while (at < t.len &&
           (t.at[at] == ' ' || t.at[at] == '\t' || t.at[at] == '\n' || t.at[at] == '\r'))
        at++;
    return at;
}

static uint32_t skip_string(struct amp_text t, uint32_t at)
{
    for (at++; at < t.len && t.at[at] != '"'; at++)
        if (t.at[at] == '\\')
            at++;
    return at < t.len ? at + 1 : t.len;
}

/* The first character behind the value that begins at `at`. */
static uint32_t skip_value(struct amp_text t, uint32_t at)
{
    int depth = 0;

    while (at < t.len) {
        char c = t.at[at];

        if (c == '"') {
            at = skip_string(t, at);
        } else if (depth == 0 && (c == ',' || c == '}' || c == ']' || c == ':')) {
            return at;
        } else {
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
            at++;
        }
        if (depth == 0 && (c == '"' || c == '}' || c == ']'))
            return at;
    }
    return t.len;
}

static struct amp_text cut(struct amp_text t, uint32_t from, uint32_t to)
{
    return amp_text_trim((struct amp_text){ t.at + from, to - from });
}

bool v16_slice_next(struct amp_text object, uint32_t *at, struct amp_text *key,
                    struct amp_text *value)
{
    uint32_t from = skip_blank(object, *at), to;

    if (*at == 0) {
        if (from >= object.len || object.at[from] != '{')
            return false;
        from = skip_blank(object, from + 1);
    }
    if (from >= object.len || object.at[from] != '"')
        return false;
    to = skip_string(object, from);
    *key = (struct amp_text){ object.at + from + 1, to - from - 2 };
    from = skip_blank(object, to);
    if (from >= object.len || object.at[from] != ':')
        return false;
    from = skip_blank(object, from + 1);
    to = skip_value(object, from);
    *value = cut(object, from, to);
    to = skip_blank(object, to);
    *at = to < object.len && object.at[to] == ',' ? to + 1 : object.len;
    return true;
}

struct amp_text v16_slice_member(struct amp_text object, const char *key)
{
    struct amp_text name, value;
    uint32_t at = 0;

    while (v16_slice_next(object, &at, &name, &value))
        if (amp_text_is(name, key))
            return value;
    return AMP_NO_TEXT;
}

bool v16_slice_item(struct amp_text list, uint32_t *at, struct amp_text *item)
{
    uint32_t from = skip_blank(list, *at), to;

    if (from >= list.len)
        return false;
    if (*at == 0) {
        if (list.at[from] != '[') {
            *item = amp_text_trim(list);
            *at = list.len;
            return true;
        }
        from = skip_blank(list, from + 1);
    }
    if (from >= list.len || list.at[from] == ']')
        return false;
    to = skip_value(list, from);
    *item = cut(list, from, to);
    to = skip_blank(list, to);
    *at = to < list.len && list.at[to] == ',' ? to + 1 : list.len;
    return true;
}
