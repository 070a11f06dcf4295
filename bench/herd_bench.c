/* bench/herd_bench.c - a herd comes back: so many stations of our own fleet, connected, booted and
 * idle. The server is killed with -9 and started again, and all of them reconnect at once (without
 * a boot: they did not restart). Then the power fails for all stations, and all of them come and
 * boot at once. Says how long until all are back, CPU and memory of the server, and what an idle
 * station costs. usage: herd_bench [STATIONS [NODES]] (20,000; without NODES both forms, one after
 * the other). The fleet is two processes.
 * NODES 1: one server on SQLite. A process may have 20,000 files open here, so it takes 19,700.
 * NODES 2: two nodes on one PostgreSQL, each with half of the stations; both are killed at once. */
#include "central/store/postgres_server.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define KEY "herd-bench-key-0123456789"
enum { FLEETS = 2, LEFT_OVER = 300 }; /* descriptors that the server needs for itself */

struct node {
    uint16_t port;
    pid_t pid;
    FILE *out;
};
/* What the nodes say of themselves, together; of the answers that of the slower node. */
struct view {
    double stations, boots, cpu_s, resident, buffers, p99_s;
};

static struct node nodes[FLEETS]; /* as each fleet has its node */
static int node_count;
static struct server postgres;
static pid_t fleets[FLEETS];
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

    if (pipe2(ends, O_CLOEXEC) < 0)
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

/* One that is known before the start: a node tells the others what --listen says. */
static uint16_t free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        die("a port");
    close(fd);
    return ntohs(at.sin_port);
}

static void start_node(struct node *n)
{
    char listen_at[40], data[64], id[16], url[128];
    const char *args[16] = { "amperstand",        "serve", "--listen",    listen_at, "--data", data,
                             "--max-connections", "19990", "--log-level", "error" };

    snprintf(listen_at, sizeof listen_at, "127.0.0.1:%u", n->port);
    snprintf(id, sizeof id, "n%d", (int)(n - nodes) + 1);
    snprintf(data, sizeof data, "%s/%s", folder, id);
    if (node_count > 1) {
        server_url(&postgres, "amp", "test", url);
        args[10] = "--node-id", args[11] = id;
        args[12] = "--database", args[13] = url;
    }
    n->pid = run(args, &n->out);
}

/* All of them, until they listen. Seconds. */
static double start_nodes(void)
{
    double began = now_s();
    char line[512];

    for (int i = 0; i < node_count; i++)
        start_node(&nodes[i]);
    for (int i = 0; i < node_count; i++) {
        bool ready = false;

        while (!ready && nodes[i].out && fgets(line, sizeof line, nodes[i].out))
            ready = strstr(line, "http://127.0.0.1:") != NULL;
        if (!ready)
            die("the server did not start");
        fclose(nodes[i].out);
    }
    return now_s() - began;
}

static void stop_nodes(int sig)
{
    for (int i = 0; i < node_count; i++)
        kill(nodes[i].pid, sig);
    for (int i = 0; i < node_count; i++)
        waitpid(nodes[i].pid, NULL, 0);
}

static void start_fleet(int i, unsigned count, unsigned a_second)
{
    char url[64], n[16], seed[16], prefix[16], rate[16];
    const char *const args[] = { "amperstand", "fleet", "--url",    url,           "--count", n,
                                 "--seed",     seed,    "--prefix", prefix,        "--rate",  rate,
                                 "--interval", "86400", "--idle",   "86000-86400", "--retry", "1-3",
                                 NULL };

    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp", nodes[i % node_count].port);
    snprintf(n, sizeof n, "%u", count);
    snprintf(seed, sizeof seed, "%d", i + 1);
    snprintf(prefix, sizeof prefix, "H%d-", i);
    snprintf(rate, sizeof rate, "%u", a_second);
    fleets[i] = run(args, NULL);
}

/* Half of the stations each. */
static void start_fleets(unsigned count, unsigned a_second)
{
    for (int i = 0; i < FLEETS; i++)
        start_fleet(i, count / FLEETS + (i ? 0 : count % FLEETS), a_second);
}

static void cut_fleets(void)
{
    for (int i = 0; i < FLEETS; i++)
        kill(fleets[i], SIGKILL);
    for (int i = 0; i < FLEETS; i++)
        waitpid(fleets[i], NULL, 0);
}

/* ---- what the servers say of themselves ---- */

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

        if (value && all > 0 && strtod(value + 1, NULL) >= all * share)
            return strtod(at, NULL);
    }
    return -1;
}

/* GET /metrics; false when it does not answer. */
static bool fetch(uint16_t port)
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

/* All nodes; false when one of them does not answer. */
static bool look(struct view *v)
{
    *v = (struct view){ 0 };
    for (int i = 0; i < node_count; i++) {
        double boots, p99;

        if (!fetch(nodes[i].port))
            return false;
        boots = metric("amperstand_messages_total{action=\"BootNotification\",direction=\"sent\","
                       "type=\"result\"}");
        p99 = quantile("amperstand_answer_seconds", 0.99);
        v->stations += metric("amperstand_stations_open");
        v->boots += boots > 0 ? boots : 0; /* absent before the first */
        v->cpu_s += metric("process_cpu_seconds_total");
        v->resident += metric("process_resident_memory_bytes");
        v->buffers += metric("amperstand_network_buffer_bytes");
        v->p99_s = p99 > v->p99_s ? p99 : v->p99_s;
    }
    return true;
}

static struct view must_look(void)
{
    struct view v;

    if (!look(&v))
        die("/metrics");
    return v;
}

/* Until so many are in, and so many boots were answered since the start of the server. Seconds;
 * prints the way there. */
static double until_all(unsigned count, double boots_wanted)
{
    double began = now_s(), told = 0;

    for (;;) {
        double took = now_s() - began;
        struct view v;

        if (took > 600)
            die("they do not come back");
        usleep(100000);
        if (!look(&v))
            continue;
        if (took > told + 2) {
            told = took;
            printf("   %5.1f s: %.0f connected, %.0f boots\n", took, v.stations, v.boots);
            fflush(stdout);
        }
        if (v.stations >= count && v.boots >= boots_wanted)
            return now_s() - began;
    }
}

static void tell_costs(double cpu_before)
{
    struct view v = must_look();

    printf("   CPU of the server meanwhile %.1f s, resident %.1f MB", v.cpu_s - cpu_before,
           v.resident / 1e6);
    if (v.p99_s > 0) /* it was asked something since its start */
        printf("; 99 of 100 answers so far within %.0f ms", v.p99_s * 1e3);
    printf("\n");
    fflush(stdout);
}

/* ---- what happens to the herd ---- */

static void idle(unsigned count, double empty)
{
    struct view before, after;

    sleep(3);
    before = must_look();
    printf("idle: %.0f bytes resident a station (%.1f MB in all), of them buffers %.1f MB\n",
           (before.resident - empty) / count, before.resident / 1e6, before.buffers / 1e6);
    sleep(5);
    after = must_look();
    printf("idle: CPU %.1f %% of one core\n", (after.cpu_s - before.cpu_s) * 100 / 5);
}

static void servers_killed(unsigned count)
{
    double start, took;

    stop_nodes(SIGKILL);
    sleep(4); /* all of them have noticed, and try again each 1 to 3 s */
    start = start_nodes();
    took = until_all(count, 0);
    printf("killed with -9 and started again, which took %.1f s: all %u back %.1f s later\n", start,
           count, took);
    tell_costs(0);
}

static void power_cut(unsigned count)
{
    struct view before = must_look();
    double took;

    cut_fleets();
    sleep(2); /* the server has noticed */
    start_fleets(count, 100000);
    took = until_all(count, before.boots + count);
    printf("power cut of all stations: all %u back and booted after %.1f s\n", count, took);
    tell_costs(before.cpu_s);
}

static void herd(unsigned count, int how_many)
{
    unsigned most;
    struct rlimit files;
    char command[100];
    double empty, took;

    node_count = how_many;
    getrlimit(RLIMIT_NOFILE, &files);
    most = files.rlim_max > 1000000 ? 1000000 : (unsigned)files.rlim_max - LEFT_OVER;
    most *= (unsigned)node_count;
    printf("-- %s\n", node_count > 1 ? "two nodes on one PostgreSQL; figures are sums of both"
                                     : "one server on SQLite");
    if (count > most) {
        printf("a process may open %u files here: %u stations instead of %u\n",
               (unsigned)files.rlim_max, most, count);
        count = most;
    }
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    if (!mkdtemp(folder))
        die(folder);
    for (int i = 0; i < node_count; i++)
        nodes[i].port = free_port();
    start_nodes();
    empty = must_look().resident;
    start_fleets(count, 2000);
    took = until_all(count, count);
    printf("%u stations, 4,000 a second let go: connected and booted after %.1f s\n", count, took);
    idle(count, empty);
    servers_killed(count);
    power_cut(count);
    cut_fleets();
    stop_nodes(SIGTERM);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        die(command);
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 20000;
    int form = argc > 2 ? atoi(argv[2]) : 0;
    const char *slash = strrchr(argv[0], '/');
    struct rlimit files;

    snprintf(program, sizeof program, "%.*s/../amperstand", slash ? (int)(slash - argv[0]) : 1,
             slash ? argv[0] : ".");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (form != 2)
        herd(count, 1);
    if (form == 1)
        return 0;
    if (!server_there()) {
        printf("two nodes: left out, as they need PostgreSQL 15\n");
        return 0;
    }
    if (!server_start(&postgres))
        die("PostgreSQL");
    herd(count, 2);
    server_stop(&postgres);
    return 0;
}
