/* central/rest/transactions_test.c - sessions by charger, by tag, open or closed, newest first. */
#include "central/rest/stage.h"
#include "central/rest/stage_shapes.h"

static void session(struct charger *ch, int connector, const char *tag, int64_t at_ms, bool ends)
{
    struct tag_answer a;
    int64_t key = world_start(stage.c.world, ch,
                              &(struct start_info){ .connector = connector,
                                                    .tag = amp_text_of(tag),
                                                    .meter_wh = 100,
                                                    .at_ms = at_ms },
                              stage_now_ms, &a);

    if (ends)
        world_stop(stage.c.world, ch,
                   &(struct stop_info){
                       .transaction = key, .meter_wh = 200, .at_ms = at_ms + 1000 },
                   stage_now_ms, &a);
}

static int rows(const char *query, const char *first)
{
    char target[128];
    const struct net_conn *c;
    const char *at;
    int n = 0;

    snprintf(target, sizeof target, "/api/v1/transactions?%s", query);
    c = stage_admin("GET", target, NULL);
    check_list(query, API_LIST_TRANSACTIONS, c->body);
    at = strstr(c->body, "\"idTag\":");
    CHECK(!first || (at && !strncmp(at + 8, first, strlen(first))), "%s: %s", query, c->body);
    for (; at; at = strstr(at + 1, "\"idTag\":"))
        n++;
    return n;
}

static void test_filters(void)
{
    struct charger *one, *two;

    stage_open();
    one = stage_charger("CP1");
    two = stage_charger("CP2");
    session(one, 1, "Ann", stage_now_ms - 50000, true);
    session(one, 1, "BOB", stage_now_ms - 40000, true);
    session(two, 1, "ann", stage_now_ms - 30000, true);
    session(two, 1, "Cy", stage_now_ms - 20000, false);
    stage_settle();
    CHECK(rows("", "\"Cy\"") == 4, "all, newest first");
    CHECK(rows("tag=ANN", "\"ann\"") == 2, "E31: of a tag in any case, as each was sent");
    CHECK(rows("tag=ann&charger=CP1", "\"Ann\"") == 1, "there");
    CHECK(rows("tag=ann&open=true", NULL) == 0 && rows("open=true", "\"Cy\"") == 1, "that run");
    CHECK(rows("open=false&charger=CP1&limit=1", "\"BOB\"") == 1, "the newest that ended");
    stage_close();
}

int main(void)
{
    RUN(test_filters);
    return check_end();
}
