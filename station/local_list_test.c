/* station/local_list_test.c - the local list: SendLocalList, what it decides, and the power going
 * at every write of an update. station-1.6 48, 49, 142-146. */
#include "station/world_test.h"

#define ACCEPTED  "{\"status\":\"Accepted\"}"
#define FAILED    "{\"status\":\"Failed\"}"
#define MISMATCH  "{\"status\":\"VersionMismatch\"}"
#define OK_INFO   ",\"idTagInfo\":{\"status\":\"Accepted\"}"
#define FULL      "Full"
#define CHANGES   "Differential"
#define NO_LIST   NULL
#define TAG(name) "{\"idTag\":\"" name "\"" OK_INFO "}"
#define GONE(tag) "{\"idTag\":\"" tag "\"}"

/* SendLocalList, as long as it gets. */
static const char *send_list(struct world *w, int version, const char *type, const char *entries)
{
    static char frame[16384];
    int n = snprintf(frame, sizeof(frame),
                     "[2,\"l%u\",\"SendLocalList\",{\"listVersion\":%d,\"updateType\":\"%s\"",
                     ++w->call_no, version, type);

    if (entries)
        n += snprintf(frame + n, sizeof(frame) - (size_t)n, ",\"localAuthorizationList\":[%s]",
                      entries);
    snprintf(frame + n, sizeof(frame) - (size_t)n, "}]");
    w->asked = amp_message_find(&ocpp16, AMP_TEXT("SendLocalList"));
    w->reply[0] = 0;
    if (w->up)
        world_say(w, frame);
    world_settle(w);
    w->asked = NULL;
    return w->reply;
}

static int64_t version(struct world *w)
{
    return world_int(world_call(w, "GetLocalListVersion", "{}"), "listVersion");
}

static bool listed(struct world *w, const char *tag)
{
    return amp_list_has(w->st, amp_text_of(tag));
}

static unsigned count(struct world *w)
{
    return w->st->list.tags.count;
}

static void ready(struct world *w)
{
    world_open(w);
    world_run(w, 10);
}

/* `n` entries from number `from`, at their longest if `longest`. */
static const char *entries(int from, int n, bool longest)
{
    static char text[16384];
    size_t len = 0;

    text[0] = 0;
    for (int i = from; i < from + n; i++)
        len += (size_t)snprintf(
            text + len, sizeof(text) - len,
            longest ? "%s{\"idTag\":\"0123456789ABCDEF%04d\",\"idTagInfo\":{\"expiryDate\":"
                      "\"2031-06-15T15:08:41.010Z\",\"parentIdTag\":\"FEDCBA98765432100000\","
                      "\"status\":\"ConcurrentTx\"}}"
                    : "%s{\"idTag\":\"CARD%04d\"" OK_INFO "}",
            len ? "," : "", i);
    return text;
}

/* S142 */
static void test_version(void)
{
    struct world w;

    ready(&w);
    CHECK(version(&w) == 0, "empty: %s", w.reply);
    CHECK(!strcmp(send_list(&w, 0, FULL, TAG("A")), FAILED), "0: %s", w.reply);
    CHECK(!strcmp(send_list(&w, -1, FULL, TAG("A")), FAILED), "-1: %s", w.reply);
    CHECK(version(&w) == 0 && count(&w) == 0, "still empty: %s", w.reply);
    CHECK(!strcmp(send_list(&w, 7, FULL, TAG("A")), ACCEPTED), "%s", w.reply);
    CHECK(version(&w) == 7, "%s", w.reply);
    CHECK(!strcmp(send_list(&w, 3, FULL, TAG("B")), ACCEPTED), "back, but whole: %s", w.reply);
    CHECK(version(&w) == 3, "%s", w.reply);
    send_list(&w, 9, FULL, "");
    CHECK(version(&w) == 0, "empty again: %s", w.reply);
    send_list(&w, 10, FULL, TAG("B"));
    world_set(&w, "LocalAuthListEnabled", "false");
    CHECK(version(&w) == -1, "not in use: %s", w.reply);
    CHECK(!strcmp(send_list(&w, 11, FULL, ""), "{\"status\":\"NotSupported\"}"), "S145: %s",
          w.reply);
    world_set(&w, "LocalAuthListEnabled", "true");
    CHECK(version(&w) == 10 && listed(&w, "B"), "as it was: %s", w.reply);
    world_close(&w);
}

/* S143, S144, S145: each step on what the one before left; a refused one changes nothing */
static void test_updates(void)
{
    static const struct {
        const char *why;
        int version;
        const char *type, *entries, *answer;
        const char *tags; /* afterwards, in their order */
        int then;
    } steps[] = {
        { "a whole list", 5, FULL, TAG("A") "," TAG("B"), ACCEPTED, "A B", 5 },
        { "replaced", 6, FULL, TAG("C") "," TAG("D") "," TAG("E"), ACCEPTED, "C D E", 6 },
        { "added", 7, CHANGES, TAG("F"), ACCEPTED, "C D E F", 7 },
        { "changed and deleted", 9, CHANGES, TAG("D") "," GONE("c"), ACCEPTED, "E F D", 9 },
        { "deleting nobody", 10, CHANGES, GONE("Z"), ACCEPTED, "E F D", 10 },
        { "the same version", 10, CHANGES, TAG("G"), MISMATCH, "E F D", 10 },
        { "an older version", 2, CHANGES, TAG("G"), MISMATCH, "E F D", 10 },
        { "twice the same tag", 11, CHANGES, TAG("G") "," TAG("g"), FAILED, "E F D", 10 },
        { "twice, whole", 11, FULL, TAG("G") "," TAG("H") "," TAG("G"), FAILED, "E F D", 10 },
        { "added and deleted", 11, CHANGES, TAG("G") "," GONE("G"), FAILED, "E F D", 10 },
        { "whole, without info", 11, FULL, TAG("G") "," GONE("H"), FAILED, "E F D", 10 },
        { "no list: only the version", 12, CHANGES, NO_LIST, ACCEPTED, "E F D", 12 },
        { "an empty list the same", 13, CHANGES, "", ACCEPTED, "E F D", 13 },
        { "no list, whole: nobody", 14, FULL, NO_LIST, ACCEPTED, "", 0 },
        { "changes to nothing", 1, CHANGES, TAG("A"), ACCEPTED, "A", 1 },
    };
    struct world w;

    ready(&w);
    for (unsigned i = 0; i < AMP_COUNT(steps); i++) {
        for (int again = 0; again < 2; again++) { /* and after a restart */
            char tags[200] = "";
            unsigned at = 0;

            if (again) {
                world_power(&w);
                world_run(&w, 1000);
            } else {
                send_list(&w, steps[i].version, steps[i].type, steps[i].entries);
                CHECK(!strcmp(w.reply, steps[i].answer), "%s: %s", steps[i].why, w.reply);
            }
            while (at < w.st->list.tags.used) {
                const uint8_t *e = w.st->list.bytes + at;
                size_t n = strlen(tags);

                snprintf(tags + n, sizeof(tags) - n, "%s%.*s", n ? " " : "",
                         AMP_FMT(amp_tag_name(e)));
                at += (unsigned)amp_tag_size(e, w.st->list.tags.used - at);
            }
            CHECK(!strcmp(tags, steps[i].tags), "%s (%d): %s", steps[i].why, again, tags);
            CHECK(version(&w) == steps[i].then, "%s (%d): %s", steps[i].why, again, w.reply);
        }
    }
    world_close(&w);
}

/* S146: what the keys promise holds for the longest entries, and not one more */
static void test_limits(void)
{
    struct world w;
    int sent, most;

    ready(&w);
    world_call(&w, "GetConfiguration",
               "{\"key\":[\"SendLocalListMaxLength\",\"LocalAuthListMaxLength\"]}");
    CHECK(strstr(w.reply, "\"value\":\"32\"") && strstr(w.reply, "\"value\":\"44\""), "%s",
          w.reply);
    sent = AMP_LIST_SEND_MAX;
    most = (int)amp_list_max(w.st);
    CHECK(!strcmp(send_list(&w, 1, FULL, entries(0, sent, true)), ACCEPTED), "all at once: %s",
          w.reply);
    CHECK(count(&w) == (unsigned)sent, "%u", count(&w));
    CHECK(!strcmp(send_list(&w, 2, FULL, entries(0, sent + 1, false)), FAILED), "one more: %s",
          w.reply);
    CHECK(!strcmp(send_list(&w, 2, CHANGES, entries(sent, most - sent, true)), ACCEPTED),
          "the rest: %s", w.reply);
    CHECK(count(&w) == (unsigned)most, "%u", count(&w));
    CHECK(!strcmp(send_list(&w, 3, CHANGES, entries(most, 1, false)), FAILED), "one more: %s",
          w.reply);
    CHECK(!strcmp(send_list(&w, 3, CHANGES, entries(0, 1, true)), ACCEPTED), "in place: %s",
          w.reply);
    CHECK(count(&w) == (unsigned)most && version(&w) == 3, "%u, %s", count(&w), w.reply);
    world_power(&w);
    world_run(&w, 1000);
    CHECK(count(&w) == (unsigned)most && version(&w) == 3, "stored: %u, %s", count(&w), w.reply);
    world_close(&w);
}

/* S145: a tag or a group that is too long for a station is not cut to another one */
static void test_long_tags(void)
{
    struct world w;

    ready(&w);
    /* 11 characters, 22 bytes */
    CHECK(!strcmp(send_list(&w, 1, FULL,
                            TAG("éééééééééé"
                                "é")),
                  FAILED),
          "%s", w.reply);
    CHECK(!strcmp(send_list(&w, 1, FULL,
                            "{\"idTag\":\"A\",\"idTagInfo\":{\"status\":\"Accepted\","
                            "\"parentIdTag\":\"éééééééééé"
                            "é\"}}"),
                  FAILED),
          "%s", w.reply);
    CHECK(!strcmp(send_list(&w, 1, FULL, TAG("éééééééééé")), ACCEPTED), "20 bytes: %s", w.reply);
    CHECK(count(&w) == 1 && listed(&w, "éééééééééé"), "opaque (61)");
    world_close(&w);
}

/* S49, S54, S55: off line the list decides, before the cache; expiry by the clock */
static void test_decides(void)
{
    static const struct {
        const char *why, *info;
        bool starts;
    } cases[] = {
        { "accepted", "\"status\":\"Accepted\"", true },
        { "blocked", "\"status\":\"Blocked\"", false },
        { "expired by status", "\"status\":\"Expired\"", false },
        { "invalid", "\"status\":\"Invalid\"", false },
        { "long ago", "\"status\":\"Accepted\",\"expiryDate\":\"2025-06-15T15:06:00Z\"", false },
        { "not yet", "\"status\":\"Accepted\",\"expiryDate\":\"2025-06-15T15:08:00Z\"", true },
    };

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;
        char entry[200];

        ready(&w);
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1"); /* the cache knows it as good */
        world_tag(&w, 1, "TAG1");
        world_plug(&w, 1, false);
        CHECK(w.st->cache.tags.count == 1, "%u cached", w.st->cache.tags.count);
        world_set(&w, "AllowOfflineTxForUnknownId", "true");
        snprintf(entry, sizeof(entry), "{\"idTag\":\"tag1\",\"idTagInfo\":{%s}}", cases[i].info);
        CHECK(!strcmp(send_list(&w, 1, FULL, entry), ACCEPTED), "%s", w.reply);
        CHECK(w.st->cache.tags.count == 0, "S57: listed, so not cached");
        w.refuse = true;
        world_hang_up(&w);
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
        CHECK((w.started == 2) == cases[i].starts, "%s: %u", cases[i].why, w.started);
        world_close(&w);
    }
}

/* S51, S52: on line */
static void test_pre_authorize(void)
{
    struct world w;

    ready(&w);
    send_list(&w, 1, FULL, TAG("TAG1"));
    world_plug(&w, 1, true);
    world_mark(&w);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "Auth:TAG1 Start1 S1:Charging");
    world_tag(&w, 1, "TAG1");
    world_plug(&w, 1, false);
    world_set(&w, "LocalPreAuthorize", "true");
    world_plug(&w, 1, true);
    world_mark(&w);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "Start1 S1:Charging");
    world_close(&w);
}

/* S48, S145: an answer contradicts the list: told once on connector 0, the list stays; over when
 * the list was seen to */
static void test_conflict(void)
{
    struct world w;

    ready(&w);
    send_list(&w, 4, FULL, TAG("TAG1") "," TAG("TAG2"));
    w.tag_status = "ConcurrentTx";
    world_plug(&w, 1, true);
    world_mark(&w);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "Auth:TAG1"); /* busy is no contradiction */
    w.tag_status = "Blocked";
    world_mark(&w);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "Auth:TAG1 S0:Available");
    CHECK(strstr(w.last, "\"errorCode\":\"LocalListConflict\"") && strstr(w.last, "TAG1"), "%s",
          w.last);
    CHECK(version(&w) == 4 && count(&w) == 2 && listed(&w, "TAG1"), "the list stays: %s", w.reply);
    w.tag_status = NULL;
    world_mark(&w);
    world_tag(&w, 1, "TAG2");
    CHECK_TRACE(&w, "Auth:TAG2 Start1 S1:Charging");
    world_mark(&w);
    CHECK(!strcmp(send_list(&w, 5, CHANGES, GONE("TAG1")), ACCEPTED), "%s", w.reply);
    CHECK_TRACE(&w, "ok:SendLocalList S0:Available");
    CHECK(strstr(w.last, "\"errorCode\":\"NoError\"") != NULL, "%s", w.last);
    /* the answer to a start says it too */
    world_tag(&w, 1, "TAG2");
    world_plug(&w, 1, false);
    world_plug(&w, 1, true);
    w.start_status = "Invalid";
    world_mark(&w);
    world_tag(&w, 1, "TAG2");
    CHECK(strstr(w.trace, "Start1") && strstr(w.trace, "S0:Available"), "%s", w.trace);
    world_close(&w);
}

/* S60: a card of the same group, known from the list, stops without being asked for */
static void test_group(void)
{
    static const char group[] =
        "{\"idTag\":\"A\",\"idTagInfo\":{\"status\":\"Accepted\",\"parentIdTag\":\"FAM\"}},"
        "{\"idTag\":\"B\",\"idTagInfo\":{\"status\":\"Accepted\",\"parentIdTag\":\"fam\"}},"
        "{\"idTag\":\"C\",\"idTagInfo\":{\"status\":\"Accepted\",\"parentIdTag\":\"OTHER\"}}";
    struct world w;

    ready(&w);
    send_list(&w, 1, FULL, group);
    w.refuse = true;
    world_hang_up(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "A");
    CHECK(w.started == 1, "off line");
    world_tag(&w, 1, "C");
    CHECK(world_status(&w, 1) == AMP_CHARGING, "somebody else");
    world_tag(&w, 1, "B");
    CHECK(world_status(&w, 1) == AMP_FINISHING, "the same group");
    world_close(&w);
}

/* ---- power cuts ---- */

/* The list before: CARD0000 to CARD0029, version 1. The whole one after: 32 longest entries. */
static void prepare(struct world *w, bool full)
{
    world_defaults(w);
    CHECK(world_boot(w) == 0, "start");
    world_run(w, 10);
    CHECK(!strcmp(send_list(w, 1, FULL, entries(0, 30, false)), ACCEPTED), "%s", w->reply);
    /* so that the update meets a compaction on its way */
    while (full && w->st->journal.end + 2200 < w->st->journal.area_size)
        (void)amp_config_change(w->st, AMP_TEXT("ResetRetries"), AMP_TEXT("2"));
}

static const char *update(struct world *w, bool whole)
{
    return whole ? send_list(w, 2, FULL, entries(100, 32, true))
                 : send_list(w, 2, CHANGES,
                             GONE("CARD0000") "," GONE("CARD0029") "," TAG("NEW1") "," TAG("NEW2"));
}

/* Old or new, and nothing in between. 1: new; 0: old. */
static int which(struct world *w, bool whole, const char *what, unsigned n, size_t torn)
{
    int64_t v = version(w);
    bool old = v == 1 && count(w) == 30 && listed(w, "CARD0000") && listed(w, "CARD0029") &&
               !listed(w, "NEW1") && !listed(w, "0123456789ABCDEF0100");
    bool fresh = whole ? v == 2 && count(w) == 32 && !listed(w, "CARD0001") &&
                             listed(w, "0123456789ABCDEF0100") && listed(w, "0123456789ABCDEF0131")
                       : v == 2 && count(w) == 30 && !listed(w, "CARD0000") &&
                             listed(w, "CARD0001") && listed(w, "NEW1") && listed(w, "NEW2");

    CHECK(old || fresh, "%s %u/%zu: version %lld with %u entries", what, n, torn, (long long)v,
          count(w));
    return fresh;
}

static unsigned writes_of(bool whole, bool full)
{
    struct world w;
    unsigned n;

    prepare(&w, full);
    mem_arm(&w.mem, 0, MEM_FINE, 0);
    CHECK(!strcmp(update(&w, whole), ACCEPTED), "%s", w.reply);
    n = w.mem.writes;
    CHECK((w.st->journal.compactions > 0) == (full && whole), "%u", w.st->journal.compactions);
    CHECK(which(&w, whole, "uncut", 0, 0) == 1, "new");
    world_close(&w);
    return n;
}

/* S144, S146: never half a list */
static void test_power_cut_at_every_write(void)
{
    static const char *const whats[] = { "changes", "whole", "changes, full journal",
                                         "whole, full journal" };
    unsigned cuts = 0, fresh = 0;

    for (int v = 0; v < 4; v++) {
        bool whole = v & 1, full = v & 2;
        unsigned writes = writes_of(whole, full);

        CHECK(writes >= (whole ? 2u : 1u), "%s: %u writes", whats[v], writes);
        for (unsigned n = 1; n <= writes; n++)
            for (size_t torn = 0; torn <= 900; torn += 60) {
                struct world w;

                prepare(&w, full);
                mem_arm(&w.mem, n, MEM_CUT, torn);
                (void)update(&w, whole);
                CHECK(w.mem.cut, "write %u of %u is reached", n, writes);
                world_power(&w);
                world_run(&w, 400000);
                cuts++;
                fresh += (unsigned)which(&w, whole, whats[v], n, torn);
                /* what is left takes the next update */
                CHECK(!strcmp(send_list(&w, 3, CHANGES, TAG("LAST")), ACCEPTED), "%s %u/%zu: %s",
                      whats[v], n, torn, w.reply);
                world_power(&w);
                world_run(&w, 400000);
                CHECK(listed(&w, "LAST") && version(&w) == 3, "%s %u/%zu: %s", whats[v], n, torn,
                      w.reply);
                world_close(&w);
            }
    }
    CHECK(cuts >= 100 && fresh > 0, "%u cuts, %u with the new list", cuts, fresh);
    printf("  %u cuts, %u of them after the update was true\n", cuts, fresh);
}

/* S144: a write that fails: Failed and the list before, or Accepted and the new one */
static void test_failing_write(void)
{
    for (int v = 0; v < 4; v++) {
        bool whole = v & 1, full = v & 2;
        unsigned writes = writes_of(whole, full), failed = 0;

        for (unsigned n = 1; n <= writes; n++) {
            struct world w;
            bool accepted;

            prepare(&w, full);
            mem_arm(&w.mem, n, MEM_FAIL, 0);
            accepted = !strcmp(update(&w, whole), ACCEPTED);
            CHECK(accepted || !strcmp(w.reply, FAILED), "%s", w.reply);
            failed += !accepted;
            CHECK(which(&w, whole, "failed write", n, 0) == accepted, "write %u: %s", n, w.reply);
            CHECK(!strcmp(update(&w, whole), whole || !accepted ? ACCEPTED : MISMATCH), "again: %s",
                  w.reply);
            world_power(&w);
            world_run(&w, 400000);
            CHECK(which(&w, whole, "after a restart", n, 0) == 1, "write %u", n);
            world_close(&w);
        }
        CHECK(failed > 0, "%u of %u", failed, writes);
    }
}

int main(void)
{
    RUN(test_version);
    RUN(test_updates);
    RUN(test_limits);
    RUN(test_long_tags);
    RUN(test_decides);
    RUN(test_pre_authorize);
    RUN(test_conflict);
    RUN(test_group);
    RUN(test_power_cut_at_every_write);
    RUN(test_failing_write);
    return check_end();
}
