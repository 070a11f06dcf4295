/* station/tags_test.c - packed tags. */
#include "ocpp/check.h"
#include "station/tags.h"
#include <stdio.h>

static size_t pack(uint8_t *out, const char *tag, int status, const char *parent, int64_t expiry_ms)
{
    struct amp_tag_info info = { .status = (uint8_t)status };

    amp_text_copy(info.parent, sizeof(info.parent), amp_text_of(parent));
    info.has_expiry = expiry_ms != INT64_MIN;
    info.expiry_ms = expiry_ms;
    return amp_tag_pack(out, amp_text_of(tag), &info);
}

static void test_there_and_back(void)
{
    static const struct {
        const char *why, *tag, *parent;
        int status;
        int64_t expiry_ms, back_ms;
        size_t size;
    } cases[] = {
        { "a card of four bytes", "04A1B2C3", "", 1, INT64_MIN, 0, 10 },
        { "with a group", "04A1B2C3", "FAMILY", 2, INT64_MIN, 0, 16 },
        { "with an expiry", "04A1B2C3", "", 5, 1750000000999, 1750000000000, 14 },
        { "at its longest", "0123456789ABCDEF0123", "FEDCBA98765432100000", 5, 1, 0, 46 },
        { "before 1970", "A", "", 1, -5000, 0, 7 },
        { "after 2106", "A", "", 1, INT64_MAX, 4294967295000, 7 },
        { "to be deleted", "A", "", 0, INT64_MIN, 0, 3 },
        { "no tag", "", "", 1, INT64_MIN, 0, 0 },
        { "too long", "0123456789ABCDEF01234", "", 1, INT64_MIN, 0, 0 },
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t raw[AMP_TAG_PACKED_MAX];
        size_t n = pack(raw, cases[i].tag, cases[i].status, cases[i].parent, cases[i].expiry_ms);
        struct amp_tag_info info;

        CHECK(n == cases[i].size, "%s: %zu bytes", cases[i].why, n);
        if (!n)
            continue;
        CHECK(amp_tag_size(raw, n) == n && amp_tag_size(raw, sizeof(raw)) == n, "%s", cases[i].why);
        for (size_t cut = 0; cut < n; cut++)
            CHECK(amp_tag_size(raw, cut) == 0, "%s cut to %zu", cases[i].why, cut);
        amp_tag_unpack(raw, &info);
        CHECK(amp_text_is(amp_tag_name(raw), cases[i].tag), "%s", cases[i].why);
        CHECK(info.status == cases[i].status && !strcmp(info.parent, cases[i].parent), "%s: %d %s",
              cases[i].why, info.status, info.parent);
        CHECK(info.has_expiry == (cases[i].expiry_ms != INT64_MIN) &&
                  info.expiry_ms == cases[i].back_ms,
              "%s: %lld", cases[i].why, (long long)info.expiry_ms);
    }
}

/* Bytes that are no entry. */
static void test_damaged(void)
{
    static const uint8_t no_tag[50] = { 0 }, long_tag[50] = { 21 << 3 },
                         long_parent[50] = { 1 << 3, 21 };

    CHECK(amp_tag_size(no_tag, 50) == 0, "no tag");
    CHECK(amp_tag_size(long_tag, 50) == 0, "tag");
    CHECK(amp_tag_size(long_parent, 50) == 0, "parent");
}

static void test_many(void)
{
    uint8_t bytes[30], raw[AMP_TAG_PACKED_MAX];
    struct amp_tags t = { bytes, sizeof(bytes), 0, 0 };

    CHECK(amp_tags_add(&t, raw, pack(raw, "Abc", 1, "", INT64_MIN)) == 0, "add");
    CHECK(amp_tags_add(&t, raw, pack(raw, "B", 2, "PAR", INT64_MIN)) == 0, "add");
    CHECK(amp_tags_add(&t, raw, pack(raw, "CD", 3, "", 5000)) == 0, "add");
    CHECK(t.used == 5 + 6 + 8 && t.count == 3, "%u bytes", t.used);
    CHECK(amp_tags_add(&t, raw, pack(raw, "0123456789", 1, "", INT64_MIN)) == AMP_E_FULL, "full");
    CHECK(t.used == 19 && t.count == 3, "untouched");
    CHECK(amp_tags_find(&t, AMP_TEXT("aBC")) == 0, "without case");
    CHECK(amp_tags_find(&t, AMP_TEXT("B")) == 5 && amp_tags_find(&t, AMP_TEXT("cd")) == 11, "find");
    CHECK(amp_tags_find(&t, AMP_TEXT("Ab")) == -1, "a part is another tag");
    amp_tags_remove(&t, 5);
    CHECK(t.used == 13 && t.count == 2 && amp_tags_find(&t, AMP_TEXT("CD")) == 5, "remove");
    amp_tags_remove(&t, 5);
    amp_tags_remove(&t, 0);
    CHECK(t.used == 0 && t.count == 0 && amp_tags_find(&t, AMP_TEXT("CD")) == -1, "none");
}

int main(void)
{
    RUN(test_there_and_back);
    RUN(test_damaged);
    RUN(test_many);
    return check_end();
}
