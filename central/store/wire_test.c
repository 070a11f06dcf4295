/* Facts as bytes and back: every kind, every column, and bytes that are none. */
#include "central/store/table.h"
#include "central/store/wire.h"
#include "ocpp/check.h"
#include <stdlib.h>

/* A value of its own in each column; every third text is absent, every fourth empty. */
static void fill(struct fact *f, enum fact_kind kind, int64_t seed)
{
    static const char words[] = "abcdefghijklmnopqrstuvwxyz\0\xc3\xa4 0123456789";
    const struct table *t = table_of(kind);

    memset(f, 0, sizeof(*f));
    f->kind = kind;
    for (size_t i = 0; i < t->count; i++) {
        void *at = (char *)f + t->columns[i].at;
        int64_t v = (seed + (int64_t)i) % 7 ? (seed + (int64_t)i) * INT64_C(0x123456789abcdef) : 0;

        switch ((enum column_type)t->columns[i].type) {
        case COLUMN_INT64:
            *(int64_t *)at = v;
            break;
        case COLUMN_INT32:
            *(int32_t *)at = (int32_t)v;
            break;
        case COLUMN_UINT32:
            *(uint32_t *)at = (uint32_t)v;
            break;
        case COLUMN_BOOL:
            *(bool *)at = i % 2;
            break;
        case COLUMN_TEXT:
            if (i % 3)
                *(struct amp_text *)at = (struct amp_text){ words, i % 4 ? (uint32_t)i % 30 : 0 };
            break;
        }
    }
}

static bool same(const struct fact *a, const struct fact *b)
{
    const struct table *t = table_of(a->kind);
    struct fact x = *a, y = *b;
    const uint16_t *at;
    size_t n = fact_texts(a->kind, &at);

    (void)t;
    for (size_t i = 0; i < n; i++) {
        struct amp_text *p = (struct amp_text *)(void *)((char *)&x + at[i]);
        struct amp_text *q = (struct amp_text *)(void *)((char *)&y + at[i]);

        if (!p->at != !q->at || !amp_text_eq(*p, *q))
            return false;
        *p = *q = AMP_NO_TEXT;
    }
    return !memcmp(&x, &y, sizeof(x));
}

static void test_round(void)
{
    static char block[65536];
    struct amp_buf out;
    struct amp_text in;
    struct fact f, g;

    amp_buf_init(&out, block, sizeof(block));
    for (int64_t seed = 0; seed < 5; seed++)
        for (int kind = 1; kind < FACT_KINDS; kind++) {
            fill(&f, (enum fact_kind)kind, seed - 2);
            wire_put(&out, &f);
        }
    CHECK(!out.full, "fits");
    in = amp_buf_text(&out);
    for (int64_t seed = 0; seed < 5; seed++)
        for (int kind = 1; kind < FACT_KINDS; kind++) {
            fill(&f, (enum fact_kind)kind, seed - 2);
            CHECK(wire_get(&in, &g) && same(&f, &g), "kind %d, seed %lld", kind, (long long)seed);
        }
    CHECK(in.len == 0 && !wire_get(&in, &g), "and nothing behind it");
}

static void test_broken(void)
{
    char block[4096];
    struct amp_buf out;
    struct fact f, g;

    for (int kind = 1; kind < FACT_KINDS; kind++) {
        amp_buf_init(&out, block, sizeof(block));
        fill(&f, (enum fact_kind)kind, 3);
        wire_put(&out, &f);
        for (size_t cut = 0; cut < out.len; cut++) {
            char *copy = malloc(cut + 1); /* so that the sanitizer sees a step too far */
            struct amp_text in = { memcpy(copy, block, cut), (uint32_t)cut };

            CHECK(!wire_get(&in, &g), "kind %d cut at %zu", kind, cut);
            free(copy);
        }
    }
}

static void test_keys(void)
{
    struct fact a = { FACT_TAG, { .tag = { .org = 1, .tag = AMP_TEXT("Abc") } } };
    struct fact b = { FACT_TAG, { .tag = { .org = 1, .tag = AMP_TEXT("aBC") } } };
    struct fact c = { FACT_TAG, { .tag = { .org = 2, .tag = AMP_TEXT("Abc") } } };
    struct fact k = { FACT_COMMAND, { .command = { .key = 7, .charger = 3 } } };
    struct fact m = { FACT_MESSAGE, { .message = { .charger = 3 } } };

    CHECK(wire_key(&a) == wire_key(&b) && wire_key(&a) != wire_key(&c), "without case, by org");
    CHECK(wire_key(&k) && !wire_key(&m), "a history has none");
    CHECK(wire_station(&k) == 3 && wire_station(&m) == 3 && wire_station(&a) == 0, "whose it is");
}

int main(void)
{
    RUN(test_round);
    RUN(test_broken);
    RUN(test_keys);
    return check_end();
}
