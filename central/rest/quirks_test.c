/* central/rest/quirks_test.c - declaring what chargers do not tell. */
#include "central/domain/configuration.h"
#include "central/domain/quirk.h"
#include "central/rest/stage.h"
#include "central/rest/stage_shapes.h"

static void test_life(void)
{
    const struct net_conn *c;

    stage_open();
    stage_charger("CP1");
    c = stage_admin("PUT", "/api/v1/quirks/keba",
                    "{\"vendor\":\"KEBA\",\"stripTagSuffix\":true,\"note\":\"n\"}");
    CHECK(c->status == 200, "%s", c->body);
    check_shape("a quirk", "quirk", c->body);
    c = stage_admin(
        "PUT", "/api/v1/quirks/one",
        "{\"charger\":\"cp1\",\"hexTags\":true,\"phases\":1,\"voltageV\":230,\"rateUnits\":[\"W\"],"
        "\"maxStackLevel\":0,\"localListMax\":10}");
    check_shape("all of it", "quirk", c->body);
    CHECK(stage_has(c->body, "\"charger\":\"CP1\""), "%s", c->body);
    check_list("two", API_LIST_QUIRKS, stage_admin("GET", "/api/v1/quirks", NULL)->body);
    c = stage_admin("GET", "/api/v1/chargers/CP1/quirks", NULL);
    check_shape("the sum", "traits", c->body);
    CHECK(stage_has(c->body,
                    "{\"hexTags\":true,\"phases\":1,\"voltageV\":230,\"rateUnits\":[\"W\"],"
                    "\"maxStackLevel\":0,\"localListMax\":10}"),
          "not KEBA: %s", c->body);
    c = stage_admin("PUT", "/api/v1/quirks/ONE", "{\"charger\":\"CP1\"}");
    CHECK(stage_has(c->body, "\"name\":\"one\"") && !stage_has(c->body, "phases"), "replaced: %s",
          c->body);
    world_config_read(stage.c.world, world_charger(stage.c.world, AMP_TEXT("CP1")),
                      AMP_TEXT("LocalAuthListMaxLength"), AMP_TEXT("64"), true, stage_now_ms);
    world_config_read(stage.c.world, world_charger(stage.c.world, AMP_TEXT("CP1")),
                      AMP_TEXT("ChargingScheduleMaxPeriods"), AMP_TEXT(" 24 "), true, stage_now_ms);
    c = stage_admin("GET", "/api/v1/chargers/CP1/quirks", NULL);
    check_shape("what it tells itself", "traits", c->body);
    CHECK(stage_has(c->body, "\"localListTotal\":64,\"maxPeriods\":24"), "%s", c->body);
    CHECK(stage_admin("DELETE", "/api/v1/quirks/one", NULL)->status == 204, "deleted");
    CHECK(stage_admin("GET", "/api/v1/quirks/one", NULL)->status == 404, "gone");
    CHECK(stage_admin("DELETE", "/api/v1/quirks/one", NULL)->status == 404, "gone");
    CHECK(stage_admin("PUT", "/api/v1/quirks/x", "{\"charger\":\"NONE\"}")->status == 404,
          "no such charger");
    CHECK(stage_admin("PUT", "/api/v1/quirks/x", "{\"phases\":4}")->status == 422,
          "no such wiring");
    stage_close();
}

int main(void)
{
    RUN(test_life);
    return check_end();
}
