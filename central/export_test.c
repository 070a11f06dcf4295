/* central/export_test.c - a long history to a reader that does not read, over a real socket: the
 * server's memory stays bounded, and all of it comes, in order, once the reader goes on. */
#include "central/plant.h"

enum { ROWS = 30000 };

static void fill(struct plant *p)
{
    static char payload[400];
    char id[16];

    memset(payload, 'x', sizeof payload - 1);
    payload[0] = payload[sizeof payload - 2] = '"';
    for (int i = 0; i < ROWS; i++) {
        struct fact f = { FACT_MESSAGE,
                          { .message = { .at_ms = 1000 + i,
                                         .charger = 1,
                                         .direction = MESSAGE_RECEIVED,
                                         .type = 2,
                                         .action = AMP_TEXT("DataTransfer"),
                                         .payload = amp_text_of(payload),
                                         .latency_ms = -1 } } };

        snprintf(id, sizeof id, "%d", i);
        f.u.message.correlation = amp_text_of(id);
        store_put(p->central.store, &f);
    }
}

static void on_settled(void *ctx, int rc)
{
    CHECK(rc == 0, "%d", rc);
    *(bool *)ctx = true;
}

static void settle(struct plant *p)
{
    bool done = false;

    store_after(p->central.store, on_settled, &done);
    UNTIL(&p->stage, done);
}

static void test_slow_reader(void)
{
    static char text[65536], line[65536];
    struct plant p;
    struct net_stats net;
    size_t held = 0, most = 0, bytes = 0;
    long next = 0;
    bool end = false;
    char key[] = "export-test-key-0123456789";
    int fd, room = 16384;

    plant_settings(&p);
    free(p.settings.admin_key);
    p.settings.admin_key = strdup(key);
    plant_start(&p);
    fill(&p);
    settle(&p);
    net_stats(p.central.net, &net);
    fd = peer_open(&p.stage);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    peer_say(&p.stage, fd,
             "GET /api/v1/export/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
             "export-test-key-0123456789\r\n\r\n");
    for (int calm = 0; calm < 20; calm++) { /* until the kernel takes no more */
        uint64_t before = net.buffers;

        settle(&p);
        net_stats(p.central.net, &net);
        if (net.buffers != before || net.buffers < 100000)
            calm = 0;
    }
    CHECK(net.buffers > 100000 && net.buffers < 2 << 20, "%llu bytes wait in memory",
          (unsigned long long)net.buffers);
    while (!end) {
        ssize_t got = recv(fd, text, sizeof text, MSG_DONTWAIT);

        if (got < 0) {
            stage_run(&p.stage);
            continue;
        }
        CHECK(got > 0, "it ends with its last chunk");
        if (got <= 0)
            break;
        net_stats(p.central.net, &net);
        most = net.buffers > most ? net.buffers : most;
        bytes += (size_t)got;
        for (ssize_t i = 0; i < got; i++) {
            const char *id;

            if (text[i] != '\n') {
                line[held++] = text[i];
                CHECK(held < sizeof line, "a line that does not end");
                continue;
            }
            line[held] = '\0';
            held = 0;
            end = end || !strcmp(line, "0\r");
            id = strstr(line, "\"messageId\":\"");
            if (id) {
                CHECK(atol(id + 13) == next, "row %s, not %ld", id, next);
                next++;
            }
        }
    }
    CHECK(next == ROWS, "%ld rows", next);
    CHECK(bytes > (size_t)ROWS * 400, "%zu bytes", bytes);
    CHECK(most < 2 << 20, "%zu bytes waited in memory", most);
    close(fd);
    plant_stop(&p);
    plant_end(&p);
}

int main(void)
{
    RUN(test_slow_reader);
    return check_end();
}
