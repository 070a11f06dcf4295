/* bench/tls_bench.c - what a connection costs: memory while it is idle, and the handshake, plain,
 * by TLS, by a ticket, with a client's certificate. Clients are a process of their own. */
#include "central/net/tls_stage.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define CONNECTIONS 1500

static struct ca_cert root, ecdsa, rsa, client;
static char dir[] = "/tmp/amp-tls-bench-XXXXXX", cert_path[64], rsa_path[64], root_path[64];

static void on_request(void *ctx, const struct net_request *r)
{
    (void)ctx;
    net_upgrade(r->conn, r->head, AMP_NO_TEXT);
}
static void on_message(void *ctx, struct net_conn *c, enum amp_ws_opcode op, struct amp_text data)
{
    (void)ctx;
    net_send(c, op, data.at, data.len);
}
static void on_closed(void *ctx, struct net_conn *c, int code, const char *why)
{
    (void)ctx, (void)c, (void)code, (void)why;
}

static const struct net_handler handler = { .on_request = on_request,
                                            .on_message = on_message,
                                            .on_closed = on_closed };

static long rss_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long total, resident = 0;

    if (f && fscanf(f, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * sysconf(_SC_PAGESIZE);
}

static double cpu_us(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

struct variant {
    const char *name;
    bool tls, ticket, client, rsa;
    int version;
};

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "tls_bench: %s\n", what);
        _exit(1);
    }
}

/* The clients: connect all, one after the other, say one message each, and wait. */
static void be_clients(const struct variant *v, const char *address, int tell, int hold)
{
    struct tls_wish w = { .trust = &root,
                          .own = v->client ? &client : NULL,
                          .version = v->version };
    struct sockaddr_in a = { .sin_family = AF_INET };
    uint8_t frame[64];
    size_t n = peer_frame(frame, 0x81, "hello", 5);
    char text[1024], c;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)tls_port(address));
    for (int i = 0; i < CONNECTIONS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        SSL *ssl; /* kept, with its socket */

        must(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
        if (v->tls) {
            ssl = tls_client(&w);
            SSL_set_fd(ssl, fd);
            must(SSL_connect(ssl) == 1, "handshake");
            must(SSL_write(ssl, UPGRADE, (int)strlen(UPGRADE)) > 0, "write");
            must(SSL_read(ssl, text, sizeof text) > 0, "upgrade");
            must(SSL_write(ssl, frame, (int)n) > 0 && SSL_read(ssl, text, sizeof text) > 0, "echo");
            if (v->ticket && !w.resume)
                w.resume = SSL_get1_session(ssl);
        } else {
            must(send(fd, UPGRADE, strlen(UPGRADE), 0) > 0, "write");
            must(recv(fd, text, sizeof text, 0) > 0, "upgrade");
            must(send(fd, frame, n, 0) > 0 && recv(fd, text, sizeof text, 0) > 0, "echo");
        }
    }
    must(write(tell, "x", 1) == 1 && read(hold, &c, 1) >= 0, "told");
    _exit(0);
}

static void measure(const struct variant *v)
{
    struct net_config config = { .max_connections = 2 * CONNECTIONS,
                                 .ping_s = 0,
                                 .tls_listen = "127.0.0.1:0",
                                 .tls = { .cert = { v->rsa ? rsa_path : cert_path },
                                          .client_ca = { root_path } } };
    struct stage s;
    struct net_stats stats;
    int up[2], down[2];
    long before;
    double cpu;
    pid_t child;
    char c;

    stage_open(&s, &config, &handler);
    must(pipe(up) == 0 && pipe(down) == 0, "pipe");
    child = fork();
    if (child == 0)
        be_clients(v, v->tls ? net_tls_address(s.net) : net_address(s.net), up[1], down[0]);
    fcntl(up[0], F_SETFL, O_NONBLOCK);
    before = rss_bytes();
    cpu = cpu_us();
    while (read(up[0], &c, 1) != 1)
        uv_run(&s.loop, UV_RUN_ONCE);
    cpu = cpu_us() - cpu;
    net_stats(s.net, &stats);
    printf("%-28s %6.1f KB a connection, %7.1f us of CPU a connection, %d by ticket\n", v->name,
           (double)(rss_bytes() - before) / CONNECTIONS / 1024, cpu / CONNECTIONS,
           (int)stats.tls_resumed);
    fflush(stdout);
    must(write(down[1], "x", 1) == 1, "end");
    waitpid(child, NULL, 0);
    _exit(0); /* each variant in a process of its own: memory of one is not that of the next */
}

int main(void)
{
    static const struct variant variants[] = {
        { "plain", .tls = false },
        { "TLS 1.3, ECDSA", .tls = true },
        { "TLS 1.2, ECDSA", .tls = true, .version = TLS1_2_VERSION },
        { "TLS 1.3, RSA", .tls = true, .rsa = true },
        { "TLS 1.3, client certificate", .tls = true, .client = true },
        { "TLS 1.3, ticket", .tls = true, .ticket = true },
        { "TLS 1.3, client, ticket", .tls = true, .ticket = true, .client = true },
        { "TLS 1.2, ticket", .tls = true, .ticket = true, .version = TLS1_2_VERSION },
    };
    struct rlimit r;

    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    must(mkdtemp(dir) != NULL, "folder");
    snprintf(cert_path, sizeof cert_path, "%s/cert.pem", dir);
    snprintf(rsa_path, sizeof rsa_path, "%s/rsa.pem", dir);
    snprintf(root_path, sizeof root_path, "%s/root.pem", dir);
    root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });
    ecdsa = ca_make(&(struct ca_wish){ .name = "server", .by = &root });
    rsa = ca_make(&(struct ca_wish){ .name = "server", .by = &root, .rsa_bits = 2048 });
    client = ca_make(&(struct ca_wish){ .name = "CP001", .by = &root });
    tls_write_pair(cert_path, &ecdsa);
    tls_write_pair(rsa_path, &rsa);
    ca_write(root_path, &root, false);
    for (size_t i = 0; i < AMP_COUNT(variants); i++) {
        pid_t pid = fork();

        if (pid == 0)
            measure(&variants[i]);
        waitpid(pid, NULL, 0);
    }
    unlink(cert_path), unlink(rsa_path), unlink(root_path), rmdir(dir);
    return 0;
}
