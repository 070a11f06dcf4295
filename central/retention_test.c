/* central/retention_test.c - histories are kept as long as the settings say: nothing by default;
 * what is older goes, and to an archive before when that is asked for. The clock is turned. */
#include "central/counts.h"
#include "central/plant.h"
#include "central/retention.h"
#include <dirent.h>
#include <zlib.h>

enum { DAYS = 40, A_DAY = 100 };
static const int64_t day_ms = 86400000;
static int64_t clock_ms;

static int64_t turned(void)
{
    return clock_ms;
}

static void on_settled(void *ctx, int rc)
{
    CHECK(rc == 0, "rc %d", rc);
    *(bool *)ctx = true;
}

static void settle(struct plant *p)
{
    bool done = false;

    store_after(p->central.store, on_settled, &done);
    UNTIL(&p->stage, done);
}

/* A message, a status, a connection and a command every 15 minutes, for 40 days. */
static void fill(struct plant *p)
{
    char id[16];

    for (int i = 0; i < DAYS * A_DAY; i++) {
        int64_t at = clock_ms - DAYS * day_ms + i * (day_ms / A_DAY) + day_ms / A_DAY / 2;
        struct fact m = { FACT_MESSAGE,
                          { .message = { .at_ms = at,
                                         .charger = 1,
                                         .direction = MESSAGE_RECEIVED,
                                         .type = 2,
                                         .action = AMP_TEXT("Heartbeat"),
                                         .payload = AMP_TEXT("{}"),
                                         .latency_ms = -1 } } };
        struct fact s = { FACT_STATUS,
                          { .status = { .charger = 1, .connector = 1, .seen_ms = at } } };
        struct fact k = { FACT_COMMAND,
                          { .command = { .key = i + 1,
                                         .org = 1,
                                         .charger = 1,
                                         .connector = -1,
                                         .created_ms = at,
                                         .state = COMMAND_REJECTED } } };

        snprintf(id, sizeof id, "%d", i);
        m.u.message.correlation = amp_text_of(id);
        store_put(p->central.store, &m);
        store_put(p->central.store, &s);
        store_put(p->central.store, &k);
    }
    settle(p);
}

struct listing {
    bool done;
    size_t count;
    int64_t next, oldest_ms;
};

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    struct listing *l = ctx;

    (void)ids;
    CHECK(rc == 0, "rc %d", rc);
    for (size_t i = 0; i < count; i++) {
        int64_t at = rows[i].kind == FACT_MESSAGE  ? rows[i].u.message.at_ms
                     : rows[i].kind == FACT_STATUS ? rows[i].u.status.seen_ms
                                                   : rows[i].u.command.created_ms;

        if (!l->count++)
            l->oldest_ms = at;
    }
    l->next = next;
    l->done = true;
}

static struct listing look(struct plant *p, enum store_question what)
{
    struct store_ask ask = {
        .what = what, .connector = -1, .open = -1, .forward = true, .limit = 1000
    };
    struct listing l = { 0 };

    do {
        ask.before = l.next;
        l.done = false;
        store_ask(p->central.store, &ask, on_rows, &l);
        UNTIL(&p->stage, l.done);
    } while (l.next);
    return l;
}

/* Passes until one finds nothing to do. */
static void put_away(struct plant *p)
{
    uint64_t before;

    do {
        before = p->central.counts->retention[FACT_MESSAGE].deleted +
                 p->central.counts->retention[FACT_STATUS].deleted +
                 p->central.counts->retention[FACT_COMMAND].deleted;
        clock_ms += 61000;
        retention_tick(p->central.retention);
        UNTIL(&p->stage, !retention_busy(p->central.retention));
    } while (before != p->central.counts->retention[FACT_MESSAGE].deleted +
                           p->central.counts->retention[FACT_STATUS].deleted +
                           p->central.counts->retention[FACT_COMMAND].deleted);
}

static void begin(struct plant *p, const char *keep, const char *archive)
{
    char *why = NULL;

    clock_ms = INT64_C(1767225600000);
    plant_settings(p);
    p->now_ms = turned;
    if (keep) {
        CHECK(settings_set(&p->settings, "keep-messages", keep, "test", &why) == 0, "%s", why);
        CHECK(settings_set(&p->settings, "keep-commands", "20", "test", &why) == 0, "%s", why);
        CHECK(settings_set(&p->settings, "archive", archive, "test", &why) == 0, "%s", why);
    }
    plant_start(p);
    fill(p);
}

static void test_for_ever(void)
{
    struct plant p;

    begin(&p, NULL, NULL);
    put_away(&p);
    CHECK(look(&p, ASK_MESSAGES).count == DAYS * A_DAY, "all messages");
    CHECK(look(&p, ASK_COMMANDS).count == DAYS * A_DAY, "all commands");
    plant_stop(&p);
    plant_end(&p);
}

static void test_deleted(void)
{
    struct plant p;
    struct listing l;
    char path[128];

    begin(&p, "30", "false");
    put_away(&p);
    l = look(&p, ASK_MESSAGES);
    CHECK(l.count == 30 * A_DAY && l.oldest_ms >= clock_ms - 30 * day_ms - 200000, "%zu messages",
          l.count);
    l = look(&p, ASK_COMMANDS);
    CHECK(l.count >= 20 * A_DAY - 1 && l.count <= 20 * A_DAY, "%zu commands", l.count);
    CHECK(look(&p, ASK_STATUS).count == DAYS * A_DAY, "what is not named is kept for ever");
    CHECK(p.central.counts->retention[FACT_MESSAGE].deleted == 10 * A_DAY, "counted");
    CHECK(strstr(log_text(&p), "retention old rows deleted history=messages rows=1000 days=30"),
          "and told");
    snprintf(path, sizeof path, "%s/archive", p.dir);
    CHECK(access(path, F_OK) < 0, "no archive");

    clock_ms +=
        2 * day_ms; /* a tenth of the time is not yet over: whole partitions may go at once */
    put_away(&p);
    CHECK(look(&p, ASK_MESSAGES).count == 30 * A_DAY, "nothing yet");
    clock_ms += 2 * day_ms;
    put_away(&p);
    CHECK(look(&p, ASK_MESSAGES).count == 26 * A_DAY, "now");
    plant_stop(&p);
    plant_end(&p);
}

/* Rows of all archives of a name, in the order of the files; -1: one cannot be read. */
static int archived(struct plant *p, const char *name, int next)
{
    char path[384], line[512];
    struct dirent **list;
    int n, rows = 0;

    snprintf(path, sizeof path, "%s/archive", p->dir);
    n = scandir(path, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        gzFile gz;

        if (strncmp(list[i]->d_name, name, strlen(name)) != 0) {
            free(list[i]);
            continue;
        }
        CHECK(strstr(list[i]->d_name, ".ndjson.gz"), "complete: %s", list[i]->d_name);
        snprintf(path, sizeof path, "%s/archive/%s", p->dir, list[i]->d_name);
        gz = gzopen(path, "rb");
        while (gz && gzgets(gz, line, sizeof line)) {
            char want[64];

            snprintf(want, sizeof want, "\"messageId\":\"%d\"", next + rows);
            CHECK(!strncmp(line, "{\"org\":1,\"row\":{", 16), "%s", line);
            if (next >= 0)
                CHECK(strstr(line, want), "in order: %s", line);
            rows++;
        }
        CHECK(gz && gzclose(gz) == Z_OK, "whole: %s", path);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return rows;
}

static void test_archived(void)
{
    struct plant p;
    char path[160];

    begin(&p, "10", "true");
    put_away(&p);
    CHECK(look(&p, ASK_MESSAGES).count == 10 * A_DAY, "ten days");
    CHECK(archived(&p, "messages", 0) == 30 * A_DAY, "and thirty in the archive");
    CHECK(archived(&p, "commands", -1) >= 20 * A_DAY, "commands, too");
    CHECK(p.central.counts->retention[FACT_MESSAGE].archived == 30 * A_DAY, "counted");
    clock_ms += 5 * day_ms;
    put_away(&p);
    CHECK(look(&p, ASK_MESSAGES).count == 5 * A_DAY, "five days later");
    CHECK(archived(&p, "messages", 0) == 35 * A_DAY, "a second file goes on where the first ended");
    snprintf(path, sizeof path, "%s/archive", p.dir);
    plant_stop(&p);
    plant_end(&p);
}

/* No archive, no deletion: a file stands where the folder should be. And afterwards a complete
 * archive whose rows were not deleted any more, as after a crash, is not written twice. */
static void test_trouble(void)
{
    struct plant p;
    char path[160], other[256];
    FILE *f;

    begin(&p, "10", "true");
    snprintf(path, sizeof path, "%s/archive", p.dir);
    f = fopen(path, "w");
    CHECK(f && fclose(f) == 0, "a file");
    put_away(&p);
    CHECK(look(&p, ASK_MESSAGES).count == DAYS * A_DAY, "nothing is deleted");
    CHECK(p.central.counts->retention[FACT_MESSAGE].failures > 0, "counted");
    CHECK(strstr(log_text(&p), "old rows could not be put away"), "and told");
    unlink(path);
    mkdir(path, 0700);
    snprintf(other, sizeof other, "%s/messages-%012d-%012d.ndjson.gz", path, 1, 500);
    f = fopen(other, "w");
    CHECK(f && fclose(f) == 0, "a complete one");
    clock_ms += 61000;
    retention_tick(p.central.retention);
    UNTIL(&p.stage, !retention_busy(p.central.retention));
    CHECK(p.central.counts->retention[FACT_MESSAGE].deleted >= 500, "its rows go");
    put_away(&p);
    CHECK(look(&p, ASK_MESSAGES).count == 10 * A_DAY, "and the rest");
    plant_stop(&p);
    plant_end(&p);
}

/* The end comes in the middle of a pass. */
static void test_stop(void)
{
    struct plant p;

    begin(&p, "10", "true");
    clock_ms += 61000;
    retention_tick(p.central.retention);
    for (int i = 0; i < 20; i++)
        stage_run(&p.stage);
    plant_stop(&p);
    plant_start(&p);
    put_away(&p);
    CHECK(look(&p, ASK_MESSAGES).count == 10 * A_DAY, "the next process ends it");
    CHECK(archived(&p, "messages", 0) == 30 * A_DAY, "nothing twice, nothing lost");
    plant_stop(&p);
    plant_end(&p);
}

int main(void)
{
    RUN(test_for_ever);
    RUN(test_deleted);
    RUN(test_archived);
    RUN(test_trouble);
    RUN(test_stop);
    return check_end();
}
