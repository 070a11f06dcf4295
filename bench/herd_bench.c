/* bench/herd_bench.c - a herd comes back: so many stations of our own fleet, connected, booted and
 * idle. The server is killed with -9 and started again, and all of them reconnect at once (without
 * a boot: they did not restart). Then the power fails for all stations, and all of them come and
 * boot at once. Says how long until all are back, CPU and memory of the server, and what an idle
 * station costs. usage: herd_bench [STATIONS] (20,000; one process may have 20,000 files open, so
 * the server takes 19,500 and the fleet is two processes). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEY "herd-bench-key-0123456789"
enum { FLEETS = 2, LEFT_OVER = 300 }; /* descriptors that the server needs for itself */

static uint16_t port;
static pid_t server, fleets[FLEETS];
static char folder[] = "/tmp/herd-bench-XXXXXX", program[4096];
static char answer[1 << 18];

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1); /* the children end with us */
}

/* ---- the programs ---- */

/* argv behind the name; its standard output in *out when it is wanted. */
static pid_t run(const char *const *args, FILE **out)
{
    int ends[2];
    pid_t child;

    if (pipe(ends) < 0)
        die("pipe");
    child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out ? ends[1] : null, 1);
        dup2(null, 2);
        setenv("AMPERSTAND_ADMIN_KEY", KEY, 1);
        execv(program, (char *const *)(const void *)args);
        _exit(127);
    }
    close(ends[1]);
    if (out)
        *out = fdopen(ends[0], "r");
    else
        close(ends[0]);
    return child;
}

static void start_server(void)
{
    char listen_at[40], line[512];
    const char *const args[] = {
        "amperstand",        "serve", "--listen",    listen_at, "--data", folder,
        "--max-connections", "19990", "--log-level", "error",   NULL
    };
    FILE *out;
    uint16_t was = port;

    snprintf(listen_at, sizeof listen_at, "127.0.0.1:%u", was);
    port = 0;
    server = run(args, &out);
    while (!port && out && fgets(line, sizeof line, out)) {
        const char *at = strstr(line, "http://127.0.0.1:");

        if (at)
            port = (uint16_t)atoi(at + 17);
    }
    if (!port)
        die("the server did not start");
    fclose(out);
}

static void start_fleet(int i, unsigned count, unsigned a_second)
{
    char url[64], n[16], seed[16], prefix[16], rate[16];
    const char *const args[] = { "amperstand", "fleet", "--url",    url,           "--count", n,
                                 "--seed",     seed,    "--prefix", prefix,        "--rate",  rate,
                                 "--interval", "86400", "--idle",   "86000-86400", "--retry", "1-3",
                                 NULL };

    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp", port);
    snprintf(n, sizeof n, "%u", count);
    snprintf(seed, sizeof seed, "%d", i + 1);
    snprintf(prefix, sizeof prefix, "H%d-", i);
    snprintf(rate, sizeof rate, "%u", a_second);
    fleets[i] = run(args, NULL);
}

/* ---- what the server says of itself ---- */

static double metric(const char *name)
{
    const char *at = answer;
    size_t n = strlen(name);

    while ((at = strstr(at, name)) != NULL) {
        if (at[-1] == '\n' && at[n] == ' ')
            return strtod(at + n, NULL);
        at++;
    }
    return -1;
}

/* The bound of the bucket that holds this share of a histogram. */
static double quantile(const char *name, double share)
{
    char total[100], bucket[100];
    const char *at = answer;
    double all;

    snprintf(total, sizeof total, "%s_count", name);
    snprintf(bucket, sizeof bucket, "\n%s_bucket{le=\"", name);
    all = metric(total);
    while ((at = strstr(at, bucket)) != NULL) {
        const char *value = strchr(at += strlen(bucket), '}');

        if (value && strtod(value + 1, NULL) >= all * share)
            return strtod(at, NULL);
    }
    return -1;
}

/* GET /metrics; false when it does not answer. */
static bool look(void)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                  "Authorization: Bearer " KEY "\r\n\r\n";
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t len = 0;
    ssize_t got;

    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ||
        write(fd, request, sizeof request - 1) < 0) {
        close(fd);
        return false;
    }
    while ((got = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0)
        len += (size_t)got;
    answer[len] = '\0';
    close(fd);
    return strstr(answer, "HTTP/1.1 200") != NULL;
}

static double boots(void)
{
    double n = metric("amperstand_messages_total{action=\"BootNotification\",direction=\"sent\","
                      "type=\"result\"}");

    return n > 0 ? n : 0;
}

/* Until so many are in, and so many boots were answered since the start of the server. Seconds;
 * prints the way there. */
static double until_all(unsigned count, double boots_wanted)
{
    double began = now_s(), told = 0;

    for (;;) {
        double in, booted, took = now_s() - began;

        usleep(100000);
        if (!look())
            continue;
        in = metric("amperstand_stations_open");
        booted = boots();
        if (took > told + 2) {
            told = took;
            printf("   %5.1f s: %.0f connected, %.0f boots\n", took, in, booted);
            fflush(stdout);
        }
        if (in >= count && booted >= boots_wanted)
            return now_s() - began;
        if (took > 600)
            die("they do not come back");
    }
}

static void tell_costs(double cpu_before)
{
    look();
    printf(
        "   CPU of the server meanwhile %.1f s, resident %.1f MB; 99 of 100 answers so far within "
        "%.0f ms\n",
        metric("process_cpu_seconds_total") - cpu_before,
        metric("process_resident_memory_bytes") / 1e6,
        quantile("amperstand_answer_seconds", 0.99) * 1e3);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 20000, most;
    const char *slash = strrchr(argv[0], '/');
    double empty, took, cpu, before;
    struct rlimit files;
    char command[100];

    snprintf(program, sizeof program, "%.*s/../amperstand", slash ? (int)(slash - argv[0]) : 1,
             slash ? argv[0] : ".");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    most = files.rlim_max > 1000000 ? 1000000 : (unsigned)files.rlim_max - LEFT_OVER;
    if (count > most) {
        printf("a process may open %u files here: %u stations instead of %u\n",
               (unsigned)files.rlim_max, most, count);
        count = most;
    }
    if (!mkdtemp(folder))
        die(folder);
    start_server();
    if (!look())
        die("/metrics");
    empty = metric("process_resident_memory_bytes");
    for (int i = 0; i < FLEETS; i++)
        start_fleet(i, count / FLEETS + (i ? 0 : count % FLEETS), 2000);
    took = until_all(count, count);
    printf("%u stations, 4,000 a second let go: connected and booted after %.1f s\n", count, took);
    sleep(3); /* idle */
    look();
    printf("idle: %.0f bytes resident a station (%.1f MB in all), of them buffers %.1f MB\n",
           (metric("process_resident_memory_bytes") - empty) / count,
           metric("process_resident_memory_bytes") / 1e6,
           metric("amperstand_network_buffer_bytes") / 1e6);
    cpu = metric("process_cpu_seconds_total");
    sleep(5);
    look();
    printf("idle: CPU %.1f %% of one core\n",
           (metric("process_cpu_seconds_total") - cpu) * 100 / 5);

    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    sleep(4); /* all of them have noticed, and try again each 1 to 3 s */
    start_server();
    took = until_all(count, 0);
    printf("killed with -9 and started again: all %u back after %.1f s\n", count, took);
    tell_costs(0);

    before = boots();
    cpu = metric("process_cpu_seconds_total");
    for (int i = 0; i < FLEETS; i++)
        kill(fleets[i], SIGKILL), waitpid(fleets[i], NULL, 0);
    sleep(2); /* the server has noticed */
    for (int i = 0; i < FLEETS; i++)
        start_fleet(i, count / FLEETS + (i ? 0 : count % FLEETS), 100000);
    took = until_all(count, before + count);
    printf("power cut of all stations: all %u back and booted after %.1f s\n", count, took);
    tell_costs(cpu);
    for (int i = 0; i < FLEETS; i++)
        kill(fleets[i], SIGKILL), waitpid(fleets[i], NULL, 0);
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0;
}
