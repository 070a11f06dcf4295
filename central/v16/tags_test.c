/* central/v16/tags_test.c - tags as stations really write them, over real sockets. The numbers are
 * those of the list of edge cases. */
#include "central/domain/quirk.h"
#include "central/v16/plant.h"

#define ROAMING "NL-TNM-C12345678-X-0123456789-ABCDEFGHIJ"

static void tag(const char *name, const char *status)
{
    world_put_tag(plant.central.world, &(struct tag_fact){ .org = ORG_DEFAULT,
                                                           .tag = amp_text_of(name),
                                                           .status = amp_text_of(status) });
}

static void says(int fd, const char *action, const char *payload, const char *part)
{
    plant_say(fd, action, payload);
    CHECK(strstr(plant.text, part), "%s %s: '%s'", action, payload, plant.text);
}

static const struct transaction_fact *session(int64_t key)
{
    return world_transaction(plant.central.world, key);
}

static void test_long_tags(void)
{
    int64_t key;
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1");
    tag(ROAMING, "Accepted");
    says(fd, "Authorize", "{\"idTag\":\"" ROAMING "\"}", "\"status\":\"Accepted\"");
    says(fd, "Authorize", "{\"idTag\":\"" ROAMING "X\"}", "\"status\":\"Invalid\"");
    says(fd, "StartTransaction",
         "{\"connectorId\":1,\"idTag\":\"" ROAMING
         "\",\"meterStart\":5,\"timestamp\":\"2024-06-01T07:59:00Z\"}",
         "\"status\":\"Accepted\"");
    key = plant_number("transactionId");
    CHECK(key > 0 && amp_text_is(session(key)->tag, ROAMING), "E32: kept to the letter");
    says(fd, "StopTransaction",
         "{\"transactionId\":1,\"idTag\":\"nl-tnm-c12345678-x-0123456789-abcdefghij\","
         "\"meterStop\":9,"
         "\"timestamp\":\"2024-06-01T07:59:30Z\"}",
         "\"status\":\"Accepted\"");
    CHECK(session(key)->stop_ms && session(key)->meter_stop_wh == 9 &&
              session(key)->stop_tag.len == 40,
          "E32: and so may stop");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/remote-start", "",
                     "{\"idTag\":\"" ROAMING "\"}") == 422 &&
              strstr(plant.text, "\"field\":\"idTag\""),
          "E32: strict out: %s", plant.text);
    close(fd);
    plant_end();
}

static void test_odd_tags(void)
{
    int fd;

    plant_begin();
    fd = plant_station("CP1", "P30", "1");
    tag("ü\"/;%", "Accepted");
    says(fd, "Authorize", "{\"idTag\":\"\\u00fc\\\"/;%\"}", "\"status\":\"Accepted\""); /* E33 */
    tag("04AB", "Accepted");
    says(fd, "Authorize", "{\"idTag\":\"04ab_0001\"}", "\"status\":\"Invalid\"");
    world_put_quirk(plant.central.world, &(struct quirk_fact){ .org = ORG_DEFAULT,
                                                               .name = AMP_TEXT("keba"),
                                                               .model = AMP_TEXT("P30"),
                                                               .flags = QUIRK_TAG_SUFFIX,
                                                               .stack_max = -1 });
    says(fd, "Authorize", "{\"idTag\":\"04ab_0001\"}", "\"status\":\"Accepted\""); /* E33 */
    says(fd, "StartTransaction",
         "{\"connectorId\":1,\"idTag\":\"04ab_0002\",\"meterStart\":5,\"timestamp\":\"2024-06-"
         "01T07:59:00Z\"}",
         "\"status\":\"Accepted\"");
    CHECK(amp_text_is(session(plant_number("transactionId"))->tag, "04ab"),
          "E33: the session is the tag's, not the suffix's");
    says(fd, "StopTransaction",
         "{\"transactionId\":1,\"idTag\":\"04AB_0003\",\"meterStop\":9,\"timestamp\":\"2024-06-"
         "01T07:59:30Z\"}",
         "\"status\":\"Accepted\"");
    close(fd);
    plant_end();
}

int main(void)
{
    RUN(test_long_tags);
    RUN(test_odd_tags);
    return check_end();
}
