/* bench/calls_bench.c - how many calls a second the server answers behind their commit: MeterValues
 * of many stations, each sends the next when it has its answer. Decoded, logged in both directions,
 * stored and answered after a full sync. Client and server share this machine. usage: calls_bench
 * [STATIONS [SECONDS]] */
#include "bench/wire.h"
#include <sys/resource.h>

enum { SAMPLES = 4 << 20 };
static uint32_t samples[SAMPLES];

/* CPU of the server so far, seconds. */
static double server_cpu(void)
{
    char path[64], text[1024];
    unsigned long user = 0, system_ = 0;
    const char *at;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)server);
    f = fopen(path, "r");
    if (f && fgets(text, sizeof text, f) && (at = strrchr(text, ')')))
        sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system_);
    if (f)
        fclose(f);
    return (double)(user + system_) / (double)sysconf(_SC_CLK_TCK);
}

static void measure(unsigned count, unsigned seconds)
{
    struct station *all = calloc(count, sizeof *all);
    struct pollfd *polls = calloc(count, sizeof *polls);
    uint64_t began, end;
    double cpu, took;
    size_t n = 0;

    for (unsigned i = 0; i < count; i++)
        boot(&all[i], i);
    for (unsigned i = 0; i < count; i++) {
        next_message(&all[i]);
        polls[i] = (struct pollfd){ all[i].fd, POLLIN, 0 };
    }
    began = now_us();
    end = began + seconds * 1000000ull;
    cpu = server_cpu();
    while (now_us() < end) {
        poll(polls, count, 10);
        for (unsigned i = 0; i < count; i++) {
            if (!polls[i].revents || !answered(&all[i]))
                continue;
            if (n < SAMPLES)
                samples[n++] = (uint32_t)(now_us() - all[i].sent_us);
            next_message(&all[i]);
        }
    }
    took = (double)(now_us() - began) / 1e6;
    cpu = server_cpu() - cpu;
    qsort(samples, n, sizeof *samples, by_value);
    printf("%5u stations: %6.0f calls/s, p50 %.1f ms, p99 %.1f ms, max %.1f ms; server %.2f cores, "
           "%.0f us of CPU a call\n",
           count, (double)n / took, samples[n / 2] / 1e3, samples[n * 99 / 100] / 1e3,
           samples[n - 1] / 1e3, cpu / took, cpu * 1e6 / (double)n);
    fflush(stdout);
    for (unsigned i = 0; i < count; i++)
        close(all[i].fd);
    free(all);
    free(polls);
}

int main(int argc, char **argv)
{
    static const unsigned counts[] = { 1, 50, 200, 1000 };
    unsigned seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 6;

    start_server(argv[0], "0");
    if (argc > 1)
        measure((unsigned)atoi(argv[1]), seconds);
    else
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            measure(counts[i], seconds);
    end_server();
    return 0;
}
