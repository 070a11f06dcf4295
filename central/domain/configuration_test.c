/* central/domain/configuration_test.c - what is known of a station's configuration. */
#include "central/domain/configuration.h"
#include "central/domain/scene.h"

static struct scene s;

static bool has(const char *name, const char *value)
{
    const struct config_fact *f = charger_config(s.c, amp_text_of(name));

    return f && (value ? f->value.at && amp_text_is(f->value, value) : !f->value.at);
}

static void told(const char *name, const char *value, int64_t now_ms)
{
    world_config_read(s.w, s.c, amp_text_of(name), amp_text_of(value), false, now_ms);
}

static void test_names(void) /* E78 */
{
    scene_open(&s, NULL);
    told("heartbeatinterval", "300", T0);
    told(" MeterValueSampleInterval ", " 60", T0);
    told("", "x", T0);
    CHECK(charger_config_count(s.c) == 2, "E78: no key without a name");
    CHECK(has("HeartbeatInterval", "300") && has("HEARTBEATINTERVAL ", "300"), "E78: lower case");
    CHECK(has("MeterValueSampleInterval", " 60"),
          "E78: blanks around the name are none of it, the value stays");
    told("HeartbeatInterval", "600", T0 + 1);
    CHECK(charger_config_count(s.c) == 2 && has("heartbeatInterval", "600"), "the same key");
    CHECK(amp_text_is(charger_config_at(s.c, 0)->name, "heartbeatinterval"),
          "as the station spelled it");
    told("Empty", "", T0);
    told("NoValue", NULL, T0);
    CHECK(has("Empty", "") && has("NoValue", NULL), "E80: an empty value is a value");
    scene_close(&s);
}

static void test_changes(void) /* E80 */
{
    scene_open(&s, NULL);
    told("A", "1", T0);
    world_config_changed(s.w, s.c, AMP_TEXT("a"), AMP_TEXT(""), false, T0 + 1);
    CHECK(has("A", "") && !charger_config(s.c, AMP_TEXT("A"))->reboot, "E80: set to nothing");
    world_config_changed(s.w, s.c, AMP_TEXT("A"), AMP_TEXT("2"), true, T0 + 2);
    CHECK(has("A", "2") && charger_config(s.c, AMP_TEXT("A"))->reboot,
          "E80: RebootRequired is a success that waits");
    told("A", "1", T0 + 3);
    CHECK(charger_config(s.c, AMP_TEXT("A"))->reboot, "still waits");
    scene_forget(&s);
    world_boot(s.w, s.c, &(struct boot_info){ 0 }, &(int32_t){ 0 }, T0 + 4);
    CHECK(!charger_config(s.c, AMP_TEXT("A"))->reboot && scene_count(&s, FACT_CONFIG) == 1,
          "the boot came, and it is told");
    world_config_absent(s.w, s.c, AMP_TEXT("A"), T0 + 5);
    CHECK(charger_config(s.c, AMP_TEXT("A"))->absent && has("A", NULL), "it is gone");
    world_config_changed(s.w, s.c, AMP_TEXT("AuthorizationKey"), AMP_TEXT("0011"), false, T0);
    told("authorizationkey", "0011", T0);
    CHECK(has("AuthorizationKey", NULL), "a password is not kept");
    scene_close(&s);
}

/* Hourly readings of what never changes are no writes. */
static void test_quiet(void)
{
    scene_open(&s, NULL);
    told("A", "1", T0);
    scene_forget(&s);
    told("A", "1", T0 + 3599999);
    CHECK(s.count == 0, "nothing new");
    told("A", "1", T0 + 3600000);
    CHECK(s.count == 1 && charger_config(s.c, AMP_TEXT("A"))->seen_ms == T0 + 3600000,
          "its time, once an hour");
    told("A", "2", T0 + 3600001);
    CHECK(s.count == 2, "a new value at once");
    scene_close(&s);
}

static void test_replay(void)
{
    struct scene twin;

    scene_open(&s, NULL);
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof name, "Key%d", i * 7 % 40);
        told(name, "x", T0);
    }
    scene_open(&twin, NULL);
    for (size_t i = 0; i < s.count; i++)
        world_apply(twin.w, s.facts[i]);
    for (size_t i = 0; i < s.count; i++)
        world_apply(twin.w, s.facts[i]);
    CHECK(charger_config_count(s.c) == 40 && charger_config_count(twin.c) == 40, "all, and once");
    for (size_t i = 0; i < 40; i++)
        CHECK(amp_text_eq(charger_config_at(s.c, i)->name, charger_config_at(twin.c, i)->name),
              "in the same order");
    world_apply(twin.w, &(struct fact){ .kind = FACT_CONFIG,
                                        .u.config = { .charger = charger_fact(twin.c)->key,
                                                      .name = AMP_TEXT("KEY7"),
                                                      .deleted = true } });
    CHECK(charger_config_count(twin.c) == 39 && !charger_config(twin.c, AMP_TEXT("Key7")),
          "deleted");
    scene_close(&twin);
    scene_close(&s);
}

int main(void)
{
    RUN(test_names);
    RUN(test_changes);
    RUN(test_quiet);
    RUN(test_replay);
    return check_end();
}
