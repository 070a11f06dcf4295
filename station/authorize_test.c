/* station/authorize_test.c - the rules for tags that the station knows by itself (local list,
 * cache). The sources are the test's own, so that the rules are tested before and beside those
 * files. Numbers: station-1.6. */
#include "station/world_test.h"

static struct {
    const char *tag;
    struct amp_tag_info info;
    unsigned learned, cleared;
} list, cache;

static bool list_lookup(struct amp_station *st, const char *tag, struct amp_tag_info *out)
{
    (void)st;
    if (!list.tag || strcmp(list.tag, tag) != 0)
        return false;
    *out = list.info;
    return true;
}

static bool cache_lookup(struct amp_station *st, const char *tag, struct amp_tag_info *out)
{
    (void)st;
    if (!cache.tag || strcmp(cache.tag, tag) != 0)
        return false;
    *out = cache.info;
    return true;
}

static void cache_learn(struct amp_station *st, const char *tag, const struct amp_tag_info *info)
{
    (void)st;
    (void)tag;
    (void)info;
    cache.learned++;
}

static int cache_clear(struct amp_station *st)
{
    (void)st;
    cache.cleared++;
    return 0;
}

static const struct amp_tag_source list_source = { list_lookup, NULL, NULL };
static const struct amp_tag_source cache_source = { cache_lookup, cache_learn, cache_clear };
static const struct amp_tag_source *const sources[] = { &list_source, &cache_source, NULL };

static struct amp_tag_info info(enum amp_auth_status status, int64_t expiry_ms)
{
    struct amp_tag_info out = { .status = (uint8_t)status };

    out.has_expiry = expiry_ms != 0;
    out.expiry_ms = expiry_ms;
    return out;
}

static void ready(struct world *w)
{
    memset(&list, 0, sizeof(list));
    memset(&cache, 0, sizeof(cache));
    world_open(w);
    w->st->tag_sources = sources;
    world_run(w, 10);
    world_plug(w, 1, true);
    world_mark(w);
}

/* S49, S53, S54, S55: off line */
static void test_off_line(void)
{
    static const struct {
        const char *why;
        int in_list, in_cache; /* enum amp_auth_status, 0: not there */
        int expires_s;         /* from now, of the list's; 0: never */
        bool offline, unknown; /* LocalAuthorizeOffline, AllowOfflineTxForUnknownId */
        bool starts;
        /* clang-format off */
    } cases[] = {
        { "listed",                                  1, 0, 0,   true,  false, true },
        { "cached",                                  0, 1, 0,   true,  false, true },
        { "listed, but not off line",                1, 0, 0,   false, false, false },
        { "cached, but not off line",                0, 1, 0,   false, true,  false },
        { "blocked in the list beats the cache",     2, 1, 0,   true,  true,  false },
        { "expired",                                 1, 0, -10, true,  true,  false },
        { "not yet expired",                         1, 0, 10,  true,  false, true },
        { "cached as invalid is known, not unknown", 0, 4, 0,   true,  true,  false },
        { "unknown",                                 0, 0, 0,   true,  false, false },
        { "unknown, and allowed",                    0, 0, 0,   true,  true,  true },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        ready(&w);
        world_set(&w, "LocalAuthorizeOffline", cases[i].offline ? "true" : "false");
        world_set(&w, "AllowOfflineTxForUnknownId", cases[i].unknown ? "true" : "false");
        list.tag = cases[i].in_list ? "TAG1" : NULL;
        list.info =
            info((enum amp_auth_status)cases[i].in_list,
                 cases[i].expires_s ? UNIX0 + (int64_t)w.now + cases[i].expires_s * 1000 : 0);
        cache.tag = cases[i].in_cache ? "TAG1" : NULL;
        cache.info = info((enum amp_auth_status)cases[i].in_cache, 0);
        w.refuse = true;
        world_hang_up(&w);
        world_tag(&w, 1, "TAG1");
        CHECK((w.started == 1) == cases[i].starts, "%s", cases[i].why);
        world_close(&w);
    }
}

/* S51, S52, S53: on line */
static void test_on_line(void)
{
    static const struct {
        const char *why;
        int in_cache;
        bool pre;
        const char *trace;
        /* clang-format off */
    } cases[] = {
        { "known and pre-authorised",      1, true,  "Start1 S1:Charging" },
        { "known, but asked",              1, false, "Auth:TAG1 Start1 S1:Charging" },
        { "known as invalid: asked again", 4, true,  "Auth:TAG1 Start1 S1:Charging" },
        { "unknown: asked",                0, true,  "Auth:TAG1 Start1 S1:Charging" },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        ready(&w);
        world_set(&w, "LocalPreAuthorize", cases[i].pre ? "true" : "false");
        cache.tag = cases[i].in_cache ? "TAG1" : NULL;
        cache.info = info((enum amp_auth_status)cases[i].in_cache, 0);
        world_mark(&w);
        world_tag(&w, 1, "TAG1");
        CHECK(!strcmp(w.trace, cases[i].trace), "%s: %s", cases[i].why, w.trace);
        world_close(&w);
    }
}

/* S57, S59, S84: who learns, who is cleared */
static void test_learning(void)
{
    struct world w;

    ready(&w);
    world_tag(&w, 1, "TAG1");
    CHECK(cache.learned == 2, "Authorize and StartTransaction: %u", cache.learned);
    w.answer_to = "StopTransaction";
    w.answer = "{\"idTagInfo\":{\"status\":\"Blocked\"}}";
    world_tag(&w, 1, "TAG1");
    CHECK(cache.learned == 3 && w.tx[0].stops == 1, "StopTransaction: %u", cache.learned);
    CHECK(world_status(&w, 1) == AMP_FINISHING && amp_station_queued(w.st) == 0, "the stop stands");
    CHECK(!strcmp(world_call(&w, "ClearCache", "{}"), "{\"status\":\"Accepted\"}") &&
              cache.cleared == 1,
          "%s", w.reply);
    world_close(&w);
}

int main(void)
{
    RUN(test_off_line);
    RUN(test_on_line);
    RUN(test_learning);
    return check_end();
}
