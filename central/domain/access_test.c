/* central/domain/access_test.c - who may come in: rules of the boot, decisions that outlive a
 * restart, a charger that is deleted. */
#include "central/domain/access.h"
#include "ocpp/check.h"

#include <stdlib.h>

static struct fact *told[256];
static size_t count;

static void emit(void *ctx, const struct fact *f)
{
    (void)ctx;
    if (count < AMP_COUNT(told))
        told[count++] = fact_copy(f);
}

static void forget(void)
{
    while (count)
        free(told[--count]);
}

static struct world *begin(bool accept)
{
    return world_new(&(struct world_config){ .heartbeat_s = 300,
                                             .stale_after_s = 90,
                                             .accept_unknown = accept },
                     emit, NULL);
}

static void test_patterns(void)
{
    static const struct {
        const char *pattern, *text;
        bool fits;
    } cases[] = {
        { NULL, "x", true },        { "", "", true },         { "", "x", false },
        { "*", "", true },          { "ACME", "acme", true }, { "AC?E", "acme", true },
        { "AC?E", "ace", false },   { "*-22", "x-22", true }, { "a*b*c", "aXbYbZc", true },
        { "a*b*c", "aXbY", false }, { "**a", "bba", true },   { "a*", "ba", false },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++)
        CHECK(access_fits(amp_text_of(cases[i].pattern), amp_text_of(cases[i].text)) ==
                  cases[i].fits,
              "%s of %s", cases[i].pattern ? cases[i].pattern : "-", cases[i].text);
}

static void rule(struct world *w, const char *name, int place, int registration, const char *vendor,
                 const char *serial, bool known)
{
    world_put_boot_rule(w, &(struct boot_rule_fact){ .org = ORG_DEFAULT,
                                                     .name = amp_text_of(name),
                                                     .place = place,
                                                     .registration = registration,
                                                     .vendor = amp_text_of(vendor),
                                                     .serial = amp_text_of(serial),
                                                     .known = known });
}

static int boot(struct world *w, struct charger *c, const char *vendor, const char *serial,
                int32_t *interval_s)
{
    int32_t s;

    return world_boot(w, c,
                      &(struct boot_info){ .vendor = amp_text_of(vendor),
                                           .model = AMP_TEXT("M"),
                                           .serial = amp_text_of(serial) },
                      interval_s ? interval_s : &s, 1000);
}

/* E61: accepted, pending, rejected by vendor and serial number; the first that fits; nobody
 * overrules a person but a rule that says so. */
static void test_boot_rules(void)
{
    struct world *w = begin(false);
    struct charger *a = world_charger_meet(w, AMP_TEXT("A"), 1);

    CHECK(boot(w, a, "acme", "1", NULL) == REGISTRATION_PENDING, "nobody decided: it waits");
    rule(w, "ours", 20, REGISTRATION_ACCEPTED, "ACME", NULL, false);
    rule(w, "stolen", 10, REGISTRATION_REJECTED, NULL, "666*", true);
    CHECK(boot(w, a, "acme", "1", NULL) == REGISTRATION_ACCEPTED, "the vendor is ours");
    CHECK(boot(w, a, "acme", "666-1", NULL) == REGISTRATION_REJECTED, "the first rule that fits");
    CHECK(boot(w, a, "other", "1", NULL) == REGISTRATION_REJECTED, "no rule: as it was");
    CHECK(world_adopt(w, a, REGISTRATION_PENDING, 2) == 0, "a person decides");
    CHECK(boot(w, a, "acme", "1", NULL) == REGISTRATION_PENDING, "which a rule does not overrule");
    CHECK(boot(w, a, "acme", "666", NULL) == REGISTRATION_REJECTED, "but one for known ones does");
    world_put_boot_rule(w, &(struct boot_rule_fact){
                               .org = ORG_DEFAULT, .name = AMP_TEXT("stolen"), .deleted = true });
    CHECK(world_boot_rule_count(w) == 1 && amp_text_is(world_boot_rule_at(w, 0)->name, "ours"),
          "one is left");
    world_free(w);
    forget();
}

/* Everything decided is there again in a world that is rebuilt from the facts, also live and
 * twice. */
static void test_rebuilt(void)
{
    struct world *w = begin(true), *again = begin(true);
    struct charger *a = world_charger_meet(w, AMP_TEXT("A"), 1), *b;
    int32_t interval_s = 0;
    size_t n;

    world_put_access(w, a,
                     &(struct access_fact){
                         .password = AMP_TEXT("old"), .next = AMP_TEXT("new"), .heartbeat_s = 45 });
    world_reached(w, a, 2);
    world_reached(w, a, 1);
    world_password_used(w, a, 77);
    rule(w, "r", 1, REGISTRATION_ACCEPTED, "V", NULL, false);
    n = count;
    for (size_t i = 0; i < 2 * n; i++)
        world_apply(again, told[i % n]);
    CHECK(count == n, "applying tells nothing");
    b = world_charger(again, AMP_TEXT("a"));
    CHECK(b && charger_access(b)->profile == 2, "E43: the profile stays: %d",
          charger_access(b)->profile);
    CHECK(amp_text_is(charger_access(b)->password, "new") && !charger_access(b)->next.len &&
              charger_access(b)->password_ms == 77,
          "the password that was used is the only one");
    CHECK(world_boot_rule_count(again) == 1, "a rule is there once");
    boot(again, b, "V", "1", &interval_s);
    CHECK(interval_s == 45, "its own heartbeat: %d", (int)interval_s);
    world_free(w), world_free(again);
    forget();
}

/* E64: what is deleted is gone from every list, its key is still a name, its identity is a
 * stranger's, and it cannot go while it charges. */
static void test_delete(void)
{
    struct world *w = begin(true), *again = begin(true);
    struct charger *a = world_charger_meet(w, AMP_TEXT("A"), 1), *b;
    int64_t key = charger_fact(a)->key, tx;
    struct tag_answer who;
    int session;

    world_connected(w, a, &session, AMP_TEXT("ocpp1.6"), AMP_TEXT("x"), 1);
    world_put_access(w, a, &(struct access_fact){ .password = AMP_TEXT("hash") });
    tx = world_start(w, a, &(struct start_info){ .connector = 1, .tag = AMP_TEXT("T"), .at_ms = 5 },
                     5, &who);
    CHECK(world_delete_charger(w, a, 9) == AMP_E_STATE, "not while it charges");
    world_stop(w, a, &(struct stop_info){ .transaction = tx, .at_ms = 8 }, 8, &who);
    CHECK(world_delete_charger(w, a, 9) == 0, "deleted");
    CHECK(!world_charger(w, AMP_TEXT("A")) && world_charger_count(w) == 0, "nobody finds it");
    CHECK(world_charger_by_key(w, key) == a && charger_fact(a)->deleted_ms == 9, "its key does");
    CHECK(!charger_session(a) && !charger_access(a)->password.len, "no session, no secret");
    b = world_charger_meet(w, AMP_TEXT("A"), 10);
    CHECK(b != a && charger_fact(b)->key != key, "a stranger under its name");
    for (size_t i = 0; i < count; i++)
        world_apply(again, told[i]);
    CHECK(world_charger_count(again) == 1 &&
              charger_fact(world_charger(again, AMP_TEXT("A")))->key == charger_fact(b)->key,
          "the same after a restart");
    CHECK(world_transaction(again, tx) != NULL, "its history stays");
    world_free(w), world_free(again);
    forget();
}

int main(void)
{
    RUN(test_patterns);
    RUN(test_boot_rules);
    RUN(test_rebuilt);
    RUN(test_delete);
    return check_end();
}
