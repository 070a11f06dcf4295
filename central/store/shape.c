/* central/store/shape.c - see shape.h. */
#include "central/store/shape.h"
#include "central/domain/map.h"
#include "central/store/batch.h"
#include "ocpp/sha1.h"
#include <stdlib.h>
#include <uv.h>

#define MARK      '\x1f' /* never raw in JSON text */
#define FIRST     '~'    /* no JSON begins with it */
#define KEY_CHARS 11     /* 6 bits each */
#define SEEN      1024
#define GAIN      16 /* below that a shape is not worth its key */

struct shape {
    int64_t key;
    uint64_t hash;
    uint32_t len;
    char text[];
};
struct shapes {
    uv_mutex_t lock; /* for the maps */
    struct map by_text, by_key;
    uint64_t seen[SEEN];        /* the packing thread's: hashes of texts that came once */
    struct amp_buf shape, kept; /* the packing thread's */
};

static bool grow(struct amp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 1024;

    while (cap < need)
        cap *= 2;
    b->at = store_realloc(b->at, cap);
    b->cap = cap;
    return true;
}

struct shapes *shapes_new(void)
{
    struct shapes *s = store_alloc(sizeof(*s));

    memset(s, 0, sizeof(*s));
    uv_mutex_init(&s->lock);
    s->shape = s->kept = (struct amp_buf){ NULL, 0, 0, grow, false };
    return s;
}

void shapes_free(struct shapes *s)
{
    for (size_t i = 0; s->by_key.slots && i <= s->by_key.mask; i++)
        free(s->by_key.slots[i].item);
    map_clear(&s->by_text);
    map_clear(&s->by_key);
    uv_mutex_destroy(&s->lock);
    free(s->shape.at);
    free(s->kept.at);
    free(s);
}

/* ---- the maps; under the lock ---- */

static bool same_text(const void *item, const void *key)
{
    const struct shape *shape = item;
    const struct amp_text *t = key;

    return amp_text_eq((struct amp_text){ shape->text, shape->len }, *t);
}

static bool same_key(const void *item, const void *key)
{
    return ((const struct shape *)item)->key == *(const int64_t *)key;
}

static const struct shape *add(struct shapes *s, int64_t key, struct amp_text text)
{
    struct shape *shape = store_alloc(sizeof(*shape) + text.len);

    shape->key = key;
    shape->hash = amp_text_hash(text);
    shape->len = text.len;
    memcpy(shape->text, text.at, text.len);
    map_put(&s->by_text, shape->hash, shape);
    map_put(&s->by_key, map_hash_int(key), shape);
    return shape;
}

void shapes_learn(struct shapes *s, const struct shape_fact *f)
{
    uv_mutex_lock(&s->lock);
    if (!map_get(&s->by_key, map_hash_int(f->key), same_key, &f->key))
        add(s, f->key, f->text);
    uv_mutex_unlock(&s->lock);
}

/* ---- packing ---- */

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The value of a member "value" whose name begins at `at`: from where to where, without quotes. */
static bool value_at(struct amp_text t, uint32_t at, uint32_t *from, uint32_t *to)
{
    static const char name[] = "\"value\"";
    uint32_t i = at + sizeof(name) - 1;

    if (t.len - at < sizeof(name) || memcmp(t.at + at, name, sizeof(name) - 1) != 0)
        return false;
    while (i < t.len && blank(t.at[i]))
        i++;
    if (i == t.len || t.at[i++] != ':')
        return false;
    while (i < t.len && blank(t.at[i]))
        i++;
    if (i < t.len && t.at[i] == '"') {
        *from = ++i;
        while (i < t.len && t.at[i] != '"')
            i += t.at[i] == '\\' ? 2 : 1;
        *to = i;
        return i < t.len;
    }
    *from = i; /* a number, where the schema has a text */
    while (i < t.len &&
           (strchr("+-.eE", t.at[i]) ? t.at[i] != '\0' : t.at[i] >= '0' && t.at[i] <= '9'))
        i++;
    *to = i;
    return i > *from;
}

/* Into shape and values. False: it has none, or is no JSON. */
static bool cut(struct shapes *s, struct amp_text t)
{
    uint32_t done = 0, from = 0, to = 0;

    if (memchr(t.at, MARK, t.len))
        return false;
    for (uint32_t i = 0; i < t.len; i++) {
        if (t.at[i] != '"' || !value_at(t, i, &from, &to))
            continue;
        amp_buf_put(&s->shape, t.at + done, from - done);
        amp_buf_putc(&s->shape, MARK);
        amp_buf_putc(&s->kept, MARK);
        amp_buf_put(&s->kept, t.at + from, to - from);
        done = to;
        i = to - 1;
    }
    amp_buf_put(&s->shape, t.at + done, t.len - done);
    return done > 0;
}

/* Of the content, and never below 1. */
static int64_t key_of(struct amp_text text)
{
    uint8_t digest[AMP_SHA1_LEN];
    uint64_t key = 0;

    amp_sha1(text.at, text.len, digest);
    for (int i = 0; i < 8; i++)
        key = key << 8 | digest[i];
    key &= INT64_MAX;
    return key ? (int64_t)key : 1;
}

/* NULL: not taken up. */
static const struct shape *find(struct shapes *s, struct amp_text text, struct fact *fresh)
{
    uint64_t hash = amp_text_hash(text);
    const struct shape *shape;
    int64_t key;

    uv_mutex_lock(&s->lock);
    shape = map_get(&s->by_text, hash, same_text, &text);
    if (!shape && s->seen[hash % SEEN] == hash && s->by_text.count < SHAPES_MAX) {
        key = key_of(text);
        if (!map_get(&s->by_key, map_hash_int(key), same_key, &key)) {
            shape = add(s, key, text);
            *fresh = (struct fact){ FACT_SHAPE, { .shape = { key, { shape->text, shape->len } } } };
        }
    }
    uv_mutex_unlock(&s->lock);
    s->seen[hash % SEEN] = hash;
    return shape;
}

struct amp_text shapes_pack(struct shapes *s, struct amp_text samples, struct fact *fresh)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    const struct shape *shape;
    char head[1 + KEY_CHARS] = { FIRST };

    fresh->kind = (enum fact_kind)0;
    if (!samples.len || samples.len > SHAPE_BYTES_MAX)
        return samples;
    amp_buf_reset(&s->shape);
    amp_buf_reset(&s->kept);
    amp_buf_put(&s->kept, head, sizeof(head)); /* room for the key */
    if (!cut(s, samples) || s->kept.len + GAIN > samples.len)
        return samples;
    shape = find(s, amp_buf_text(&s->shape), fresh);
    if (!shape)
        return samples;
    for (int i = 0; i < KEY_CHARS; i++)
        s->kept.at[1 + i] = digits[(uint64_t)shape->key >> (6 * i) & 63];
    return amp_buf_text(&s->kept);
}

/* ---- unpacking ---- */

bool shapes_packed(struct amp_text kept)
{
    return kept.len > KEY_CHARS && kept.at[0] == FIRST;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'Z' ? c - 'A' + 10
           : c >= 'a' && c <= 'z' ? c - 'a' + 36
           : c == '-'             ? 62
           : c == '_'             ? 63
                                  : -1;
}

int shapes_unpack(struct shapes *s, struct amp_text kept, struct amp_buf *out, int64_t *key)
{
    const struct shape *shape;
    uint64_t k = 0;
    const char *at = kept.at + 1 + KEY_CHARS, *end = kept.at + kept.len;

    if (!shapes_packed(kept)) {
        amp_buf_put(out, kept.at, kept.len);
        return 0;
    }
    for (int i = 0; i < KEY_CHARS; i++) {
        int d = digit(kept.at[1 + i]);

        if (d < 0)
            return AMP_E_CORRUPT;
        k |= (uint64_t)d << (6 * i);
    }
    *key = (int64_t)(k & INT64_MAX);
    uv_mutex_lock(&s->lock);
    shape = map_get(&s->by_key, map_hash_int(*key), same_key, key);
    uv_mutex_unlock(&s->lock); /* a shape stays as long as the store */
    if (!shape)
        return AMP_E_ABSENT;
    for (uint32_t i = 0; i < shape->len; i++) {
        const char *next;

        if (shape->text[i] != MARK) {
            amp_buf_putc(out, shape->text[i]);
            continue;
        }
        if (at == end || *at++ != MARK)
            return AMP_E_CORRUPT;
        next = memchr(at, MARK, (size_t)(end - at));
        next = next ? next : end;
        amp_buf_put(out, at, (size_t)(next - at));
        at = next;
    }
    return at == end ? 0 : AMP_E_CORRUPT;
}
