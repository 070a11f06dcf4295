/* bench/hostile_bench.c - what one bad station does to the others. 200 good ones send a MeterValues
 * or a Heartbeat each half second and measure how long the answer takes, behind its commit; beside
 * them one station in a process of its own does nothing, sends garbage, floods, or floods and never
 * reads. Ratios to the quiet phase around it, all within one run.
 * The limits of a station's messages are off, so that it is the loop's turns that protect the
 * others, not the end of its connection; the last rounds are with the limits as they are by
 * default. usage: hostile_bench [SECONDS of a phase] */
#include "bench/wire.h"

enum { GOOD = 200, PERIOD_MS = 500, RATE = 10000, SAMPLES = 1 << 20 };

/* ---- the bad one ---- */

enum evil { NOTHING, GARBAGE, FLOOD, DEAF_FLOOD, EVILS };
static const char *const names[EVILS] = { "quiet", "garbage", "10,000 msg/s",
                                          "10,000 msg/s, deaf" };

/* Connected again when it is thrown out, and let in. */
static void evil_main(enum evil e)
{
    unsigned char out[400];
    char text[300], sink[65536];
    uint64_t began, sent = 0;
    unsigned seed = 1;
    int fd = -1;

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    began = now_us();
    for (;;) {
        uint64_t want = (now_us() - began) * RATE / 1000000;

        if (fd < 0) {
            fd = dial("EVIL");
            if (fd < 0) {
                usleep(100000);
                continue;
            }
            fcntl(fd, F_SETFL, O_NONBLOCK);
        }
        for (int burst = 0; sent < want && burst < 200; burst++, sent++) {
            size_t n;

            if (e == GARBAGE) {
                for (n = 0; n < 200; n++)
                    text[n] = (char)(' ' + (seed = seed * 1664525 + 1013904223) / 65536 % 90);
                text[n] = '\0';
            } else {
                snprintf(text, sizeof text, "[2,\"%llu\",\"Heartbeat\",{}]",
                         (unsigned long long)sent);
            }
            n = frame(out, text, strlen(text));
            if (send(fd, out, n, 0) != (ssize_t)n) {
                if (errno == EAGAIN)
                    break;
                close(fd);
                fd = -1;
                break;
            }
        }
        while (fd >= 0 && e != DEAF_FLOOD && recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0)
            ;
        usleep(1000);
    }
}

/* ---- a phase ---- */

static uint32_t samples[SAMPLES];

static uint32_t phase(struct station *all, enum evil e, unsigned seconds)
{
    static struct pollfd polls[GOOD];
    uint64_t end = now_us() + seconds * 1000000ull;
    size_t count = 0;
    pid_t evil = 0;
    int status;

    if (e != NOTHING && (evil = fork()) == 0)
        evil_main(e);
    for (unsigned i = 0; i < GOOD; i++)
        all[i].due_us = now_us() + i * PERIOD_MS * 1000ull / GOOD;
    while (now_us() < end) {
        for (unsigned i = 0; i < GOOD; i++) {
            if (!all[i].sent_us && now_us() >= all[i].due_us) {
                next_message(&all[i]);
                all[i].due_us += PERIOD_MS * 1000ull;
            }
            polls[i] = (struct pollfd){ all[i].fd, POLLIN, 0 };
        }
        poll(polls, GOOD, 1);
        for (unsigned i = 0; i < GOOD; i++) {
            if (!polls[i].revents || !answered(&all[i]))
                continue;
            if (count < SAMPLES)
                samples[count++] = (uint32_t)(now_us() - all[i].sent_us);
            all[i].sent_us = 0;
        }
    }
    if (evil) {
        kill(evil, SIGKILL);
        waitpid(evil, &status, 0);
    }
    for (unsigned i = 0; i < GOOD; i++) /* what is under way counts, too */
        if (all[i].sent_us && count < SAMPLES)
            samples[count++] = (uint32_t)(now_us() - all[i].sent_us);
    qsort(samples, count, sizeof *samples, by_value);
    printf("%-20s %7zu answers   p50 %6.2f ms   p99 %6.2f ms   max %7.2f ms\n", names[e], count,
           samples[count / 2] / 1e3, samples[count * 99 / 100] / 1e3, samples[count - 1] / 1e3);
    fflush(stdout);
    return samples[count * 99 / 100];
}

static void rounds(const char *self, const char *limit, unsigned seconds)
{
    static struct station all[GOOD];
    uint32_t before, during, after;

    port = 0;
    strcpy(folder, "/tmp/wire-bench-XXXXXX");
    start_server(self, limit);
    memset(all, 0, sizeof all);
    for (unsigned i = 0; i < GOOD; i++)
        boot(&all[i], i);
    phase(all, NOTHING, 2); /* warm */
    before = phase(all, NOTHING, seconds);
    for (enum evil e = GARBAGE; e < EVILS; e++) {
        during = phase(all, e, seconds);
        phase(all, NOTHING, 2); /* what it left behind */
        after = phase(all, NOTHING, seconds);
        printf("    %s: p99 of the others %.2f x quiet\n", names[e],
               2.0 * during / ((double)before + after));
        before = after;
    }
    for (unsigned i = 0; i < GOOD; i++)
        close(all[i].fd);
    end_server();
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 6;

    printf("no limit of messages:\n");
    rounds(argv[0], "0", seconds);
    printf("limits as they are by default:\n");
    rounds(argv[0], "30000", seconds);
    return 0;
}
