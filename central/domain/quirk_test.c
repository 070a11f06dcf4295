/* central/domain/quirk_test.c - what is declared for chargers, and what follows for tags. The
 * numbers are those of the list of edge cases. */
#include "central/domain/quirk.h"
#include "central/domain/scene.h"

static struct scene s;

static void boot(struct charger *c, const char *vendor, const char *model)
{
    int32_t interval_s;

    world_boot(s.w, c,
               &(struct boot_info){ .vendor = amp_text_of(vendor), .model = amp_text_of(model) },
               &interval_s, T0);
}

static void test_closest_wins(void)
{
    struct traits t;

    scene_open(&s, NULL);
    boot(s.c, "KEBA AG", "KC-P30-x");
    boot(s.other, "Other", "KC-P30-x");
    world_put_quirk(s.w, &(struct quirk_fact){ .org = ORG_DEFAULT,
                                               .name = AMP_TEXT("one"),
                                               .charger = 1,
                                               .phases = 1,
                                               .stack_max = 0 });
    world_put_quirk(s.w, &(struct quirk_fact){ .org = ORG_DEFAULT,
                                               .name = AMP_TEXT("model"),
                                               .vendor = AMP_TEXT("keba"),
                                               .model = AMP_TEXT("kc-p30"),
                                               .flags = QUIRK_TAG_SUFFIX,
                                               .phases = 3,
                                               .voltage_v = 230,
                                               .stack_max = -1 });
    world_put_quirk(s.w, &(struct quirk_fact){ .org = ORG_DEFAULT,
                                               .name = AMP_TEXT("vendor"),
                                               .vendor = AMP_TEXT("KEBA"),
                                               .flags = QUIRK_HEX_TAGS,
                                               .voltage_v = 400,
                                               .stack_max = 7,
                                               .list_max = 9 });
    world_put_quirk(s.w,
                    &(struct quirk_fact){
                        .org = 7, .name = AMP_TEXT("theirs"), .list_max = 99, .stack_max = 5 });
    charger_traits(s.w, s.c, &t);
    CHECK(t.flags == (QUIRK_TAG_SUFFIX | QUIRK_HEX_TAGS) && t.phases == 1 && t.voltage_v == 230 &&
              t.stack_max == 0 && t.list_max == 9,
          "%u %d %d %d %d", (unsigned)t.flags, t.phases, t.voltage_v, t.stack_max, t.list_max);
    charger_traits(s.w, s.other, &t);
    CHECK(!t.flags && !t.phases && t.stack_max == -1 && !t.list_max, "of another vendor");
    CHECK(scene_count(&s, FACT_QUIRK) == 4, "told");
    world_put_quirk(s.w, &(struct quirk_fact){
                             .org = ORG_DEFAULT, .name = AMP_TEXT("VENDOR"), .deleted = true });
    CHECK(!world_quirk(s.w, ORG_DEFAULT, AMP_TEXT("vendor")) && world_quirk_at(s.w, 2) &&
              !world_quirk_at(s.w, 3),
          "deleted");
    charger_traits(s.w, s.c, &t);
    CHECK(t.flags == QUIRK_TAG_SUFFIX && !t.list_max, "and without effect");
    scene_close(&s);
}

/* What charger_tag makes of it. */
static bool meant(const char *sent, const char *tag)
{
    return amp_text_is(charger_tag(s.w, s.c, amp_text_of(sent)), tag);
}

static void test_suffix(void)
{
    scene_open(&s, NULL);
    CHECK(meant("GOOD_01", "GOOD_01"), "E33: no quirk, no cutting");
    world_put_quirk(s.w, &(struct quirk_fact){ .org = ORG_DEFAULT,
                                               .name = AMP_TEXT("q"),
                                               .charger = 1,
                                               .flags = QUIRK_TAG_SUFFIX,
                                               .stack_max = -1 });
    scene_tag(&s, "TWO_PARTS", "Accepted", NULL);
    CHECK(meant("good_01", "good") && meant("STRANGER_01", "STRANGER"), "E33: KEBA's suffix");
    CHECK(meant("TWO_PARTS", "TWO_PARTS") && meant("TWO_PARTS_5", "TWO_PARTS"),
          "E33: a tag that we know is meant as it is");
    CHECK(meant("_x", "_x") && meant("GOOD", "GOOD") && meant("", ""), "E33: nothing to cut");
    CHECK(amp_text_is(charger_tag(s.w, s.other, AMP_TEXT("GOOD_01")), "GOOD_01"),
          "E33: another charger has no such habit");
    scene_close(&s);
}

static void test_what_may_be_sent(void)
{
    scene_open(&s, NULL);
    CHECK(!charger_tag_fault(s.w, s.c, AMP_TEXT("Ünicode 12345678901")), "20 characters");
    CHECK(charger_tag_fault(s.w, s.c, AMP_TEXT("123456789012345678901")), "E32: strict out");
    world_put_quirk(s.w, &(struct quirk_fact){ .org = ORG_DEFAULT,
                                               .name = AMP_TEXT("q"),
                                               .flags = QUIRK_HEX_TAGS,
                                               .stack_max = -1 });
    CHECK(charger_tag_fault(s.w, s.c, AMP_TEXT("GOOD")) &&
              charger_tag_fault(s.w, s.c, AMP_TEXT("04 AB")),
          "E34: hexadecimal only");
    CHECK(!charger_tag_fault(s.w, s.c, AMP_TEXT("04aBcDeF19")), "E34: a card's number");
    scene_close(&s);
}

int main(void)
{
    RUN(test_closest_wins);
    RUN(test_suffix);
    RUN(test_what_may_be_sent);
    return check_end();
}
