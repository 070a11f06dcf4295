/* station/auth_cache_test.c - the cache of tags: who is remembered, who has to go, what it costs
 * the flash. station-1.6 49, 53-55, 57-60. */
#include "station/world_test.h"

#define ACCEPTED "{\"status\":\"Accepted\"}"
#define REJECTED "{\"status\":\"Rejected\"}"

static void ready(struct world *w)
{
    world_open(w);
    world_run(w, 10);
}

static bool cached(struct world *w, const char *tag, struct amp_tag_info *info)
{
    memset(info, 0, sizeof(*info));
    return amp_cache_source.lookup(w->st, tag, info);
}

static bool known(struct world *w, const char *tag)
{
    struct amp_tag_info info;

    return cached(w, tag, &info);
}

static void learn(struct world *w, const char *tag, enum amp_auth_status status, int64_t expiry_ms)
{
    struct amp_tag_info info = { .status = (uint8_t)status };

    info.has_expiry = expiry_ms != 0;
    info.expiry_ms = expiry_ms;
    amp_auth_learn(w->st, tag, &info);
}

/* Cache records in the journal. */
static unsigned records(struct world *w)
{
    struct amp_entry e;
    uint32_t at = 0;
    unsigned n = 0;

    while (amp_journal_next(w->st, &at, &e))
        n += e.type == AMP_ENTRY_CACHE;
    return n;
}

static void session(struct world *w, const char *tag)
{
    world_plug(w, 1, true);
    world_tag(w, 1, tag);
    world_run(w, 5000);
    world_tag(w, 1, tag);
    world_plug(w, 1, false);
}

/* S57: the three answers, valid or not; a regular guest costs no write */
static void test_learns(void)
{
    struct amp_tag_info info;
    struct world w;

    ready(&w);
    w.parent = "FAM";
    session(&w, "TAG1");
    CHECK(cached(&w, "tag1", &info) && info.status == AMP_AUTH_ACCEPTED, "by Authorize");
    CHECK(!strcmp(info.parent, "FAM") && !info.has_expiry, "%s", info.parent);
    for (int i = 0; i < 20; i++)
        session(&w, "TAG1");
    CHECK(records(&w) == 1, "%u records for 21 visits", records(&w));
    CHECK(w.st->cache.tags.count == 1, "%u", w.st->cache.tags.count);
    w.tag_status = "Invalid";
    world_tag(&w, 1, "TAG2");
    CHECK(cached(&w, "TAG2", &info) && info.status == AMP_AUTH_INVALID, "what is not valid too");
    w.tag_status = NULL;
    w.start_status = "ConcurrentTx";
    world_set(&w, "StopTransactionOnInvalidId", "false");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(cached(&w, "TAG1", &info) && info.status == AMP_AUTH_CONCURRENT, "by StartTransaction");
    w.answer_to = "StopTransaction";
    w.answer = "{\"idTagInfo\":{\"status\":\"Expired\",\"expiryDate\":\"2025-06-15T15:00:00Z\"}}";
    world_tag(&w, 1, "TAG1");
    CHECK(cached(&w, "TAG1", &info) && info.status == AMP_AUTH_EXPIRED && info.has_expiry,
          "by StopTransaction: %d", info.status);
    world_close(&w);
}

/* S58: not valid first, oldest first; then the oldest valid */
static void test_full(void)
{
    struct amp_tag_info info;
    struct world w;
    char tag[24];
    int64_t now;
    int n = 0, most;

    ready(&w);
    now = UNIX0 + (int64_t)w.now;
    for (unsigned used = 0; used <= w.st->cache.tags.used; n++) {
        used = w.st->cache.tags.used + 1u;
        snprintf(tag, sizeof(tag), "CARD%04d", n);
        learn(&w, tag, AMP_AUTH_ACCEPTED, 0);
    }
    most = w.st->cache.tags.count;
    CHECK(most == 1024 / 10 && n == most + 1, "%d cards, %d shown", most, n);
    CHECK(!known(&w, "CARD0000") && known(&w, "CARD0001"), "the oldest went");
    learn(&w, "CARD0001", AMP_AUTH_ACCEPTED, 0); /* not the oldest any more */
    learn(&w, "CARD0050", AMP_AUTH_BLOCKED, 0);
    learn(&w, "CARD0060", AMP_AUTH_BLOCKED, 0);
    learn(&w, "NEW00001", AMP_AUTH_ACCEPTED, 0);
    CHECK(!known(&w, "CARD0050") && known(&w, "CARD0060") && known(&w, "CARD0002"),
          "the older of two that are not valid");
    learn(&w, "NEW00002", AMP_AUTH_INVALID, 0);
    learn(&w, "NEW00003", AMP_AUTH_INVALID, 0);
    learn(&w, "NEW00004", AMP_AUTH_INVALID, 0);
    CHECK(!known(&w, "CARD0060") && !known(&w, "NEW00002") && !known(&w, "NEW00003") &&
              known(&w, "NEW00004") && known(&w, "CARD0002"),
          "strangers do not drive out guests");
    learn(&w, "EXPIRES0", AMP_AUTH_ACCEPTED, now + 60000);
    CHECK(cached(&w, "EXPIRES0", &info) && info.status == AMP_AUTH_ACCEPTED, "in time");
    w.now += 61000;
    world_settle(&w);
    CHECK(cached(&w, "EXPIRES0", &info) && info.status == AMP_AUTH_EXPIRED, "over time");
    learn(&w, "NEW00005", AMP_AUTH_ACCEPTED, 0);
    CHECK(!known(&w, "EXPIRES0"), "expired is not valid");
    learn(&w, "NEW00006", AMP_AUTH_ACCEPTED, 0);
    CHECK(known(&w, "CARD0001") && !known(&w, "CARD0002") && known(&w, "CARD0003"),
          "all valid: the oldest");
    world_power(&w);
    world_run(&w, 1000);
    CHECK(known(&w, "NEW00006") && known(&w, "NEW00005") && known(&w, "CARD0100"), "persists");
    CHECK(w.st->cache.tags.used <= 1024, "%u", w.st->cache.tags.used);
    world_close(&w);
}

/* S58: a year of guests: the journal is compacted, nothing else suffers, the cache stays right */
static void test_many_guests(void)
{
    struct world w;
    char tag[24];

    ready(&w);
    for (int i = 0; i < 5000; i++) {
        snprintf(tag, sizeof(tag), "GUEST%05d", i);
        learn(&w, tag, i % 3 ? AMP_AUTH_ACCEPTED : AMP_AUTH_INVALID, 0);
    }
    CHECK(w.st->journal.compactions > 5 && w.st->journal.compactions < 60, "%u compactions",
          w.st->journal.compactions);
    CHECK(known(&w, "GUEST04999") && !known(&w, "GUEST00001"), "the last ones");
    session(&w, "TAG1");
    CHECK(w.tx_count == 1 && w.tx[0].stops == 1 && w.tx[0].meters == 0, "charging goes on");
    world_power(&w);
    world_run(&w, 1000);
    CHECK(known(&w, "GUEST04999") && known(&w, "TAG1"), "persists");
    world_close(&w);
}

/* S53, S55: what is known as not valid is asked again on line, and refused off line */
static void test_not_valid(void)
{
    struct world w;

    ready(&w);
    world_set(&w, "LocalPreAuthorize", "true");
    world_set(&w, "AllowOfflineTxForUnknownId", "true");
    w.tag_status = "Blocked";
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    w.refuse = true;
    world_hang_up(&w);
    world_tag(&w, 1, "TAG1");
    CHECK(w.started == 0, "known as blocked");
    world_tag(&w, 1, "TAG2");
    CHECK(w.started == 1, "unknown, and that is allowed");
    world_tag(&w, 1, "TAG2");
    world_plug(&w, 1, false);
    w.refuse = false;
    w.tag_status = NULL;
    world_run(&w, 400000);
    world_plug(&w, 1, true);
    world_mark(&w);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "Auth:TAG1 Start1 S1:Charging");
    world_close(&w);
}

/* S59 */
static void test_clear(void)
{
    struct world w;

    ready(&w);
    session(&w, "TAG2");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(w.st->cache.tags.count == 2, "%u", w.st->cache.tags.count);
    CHECK(!strcmp(world_call(&w, "ClearCache", "{}"), ACCEPTED), "%s", w.reply);
    CHECK(w.st->cache.tags.count == 0, "empty");
    CHECK(world_status(&w, 1) == AMP_CHARGING, "the transaction goes on");
    CHECK(!strcmp(world_call(&w, "ClearCache", "{}"), ACCEPTED), "empty: %s", w.reply);
    world_power(&w);
    world_run(&w, 1000);
    CHECK(!known(&w, "TAG2"), "empty after a restart");
    CHECK(w.tx_count == 2 && w.tx[1].stops == 1, "and nothing of a transaction was lost");
    session(&w, "TAG2");
    CHECK(known(&w, "TAG2"), "learns again");
    world_set(&w, "AuthorizationCacheEnabled", "false");
    CHECK(!strcmp(world_call(&w, "ClearCache", "{}"), REJECTED), "%s", w.reply);
    session(&w, "TAG1");
    world_set(&w, "AuthorizationCacheEnabled", "true");
    CHECK(!known(&w, "TAG1") && !known(&w, "TAG2"), "what was not kept up to date is forgotten");
    world_power(&w);
    world_run(&w, 1000);
    CHECK(!known(&w, "TAG1") && !known(&w, "TAG2"), "for good");
    world_close(&w);
}

/* A cache that cannot be stored still works; one that cannot be cleared for good is not cleared. */
static void test_storage_fails(void)
{
    struct world w;

    ready(&w);
    mem_arm(&w.mem, 1, MEM_FAIL, 0);
    learn(&w, "TAG1", AMP_AUTH_ACCEPTED, 0);
    CHECK(known(&w, "TAG1"), "in RAM");
    mem_arm(&w.mem, 1, MEM_FAIL, 0);
    CHECK(!strcmp(world_call(&w, "ClearCache", "{}"), REJECTED), "%s", w.reply);
    CHECK(known(&w, "TAG1"), "not cleared");
    world_close(&w);
}

/* S54, S60: off line, the group from the cache */
static void test_group(void)
{
    struct world w;

    ready(&w);
    w.parent = "FAM";
    session(&w, "A");
    session(&w, "B");
    w.parent = NULL;
    session(&w, "C");
    w.refuse = true;
    world_hang_up(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "A");
    CHECK(world_status(&w, 1) == AMP_CHARGING, "off line by the cache");
    world_tag(&w, 1, "C");
    CHECK(world_status(&w, 1) == AMP_CHARGING, "of no group");
    world_tag(&w, 1, "B");
    CHECK(world_status(&w, 1) == AMP_FINISHING, "of the same group");
    world_close(&w);
}

static const char *send_list(struct world *w, int version, const char *type, const char *entry)
{
    char payload[300];

    snprintf(payload, sizeof(payload),
             "{\"listVersion\":%d,\"updateType\":\"%s\",\"localAuthorizationList\":[%s]}", version,
             type, entry);
    return world_call(w, "SendLocalList", payload);
}

#define LISTED "{\"idTag\":\"TAG1\",\"idTagInfo\":{\"status\":\"Blocked\"}}"

/* S57: what the list names leaves the cache, and does not come back when the list drops it */
static void test_listed(void)
{
    for (int restart = 0; restart < 2; restart++) {
        struct world w;

        ready(&w);
        session(&w, "TAG1");
        session(&w, "TAG2");
        send_list(&w, 1, "Full", LISTED);
        CHECK(!known(&w, "TAG1") && known(&w, "TAG2"), "%s", w.reply);
        session(&w, "TAG1"); /* accepted by the central system */
        CHECK(!known(&w, "TAG1"), "listed: not learnt");
        if (restart) {
            world_power(&w);
            world_run(&w, 1000);
        }
        CHECK(!known(&w, "TAG1") && known(&w, "TAG2"), "%s", restart ? "restarted" : "running");
        CHECK(!strcmp(send_list(&w, 2, "Differential", "{\"idTag\":\"TAG1\"}"), ACCEPTED), "%s",
              w.reply);
        CHECK(!known(&w, "TAG1"), "nothing old comes back");
        session(&w, "TAG1");
        CHECK(known(&w, "TAG1"), "learns again");
        /* a list that is not in use keeps nobody out of the cache */
        send_list(&w, 3, "Full", LISTED);
        world_set(&w, "LocalAuthListEnabled", "false");
        session(&w, "TAG1");
        CHECK(known(&w, "TAG1"), "list off");
        world_set(&w, "LocalAuthListEnabled", "true");
        CHECK(!known(&w, "TAG1") && known(&w, "TAG2"), "list on");
        world_close(&w);
    }
}

int main(void)
{
    RUN(test_listed);
    RUN(test_learns);
    RUN(test_full);
    RUN(test_many_guests);
    RUN(test_not_valid);
    RUN(test_clear);
    RUN(test_storage_fails);
    RUN(test_group);
    return check_end();
}
