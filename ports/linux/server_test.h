/* ports/linux/server_test.h - a Modbus server of ours in a process of its own, TCP on loopback or
 * RTU on a pseudo terminal. Its registers lie in memory that the test shares, where it reads what
 * was written, says what is measured, and makes the device silent or stubborn. The process is this
 * program again: main calls server_main first. */
#ifndef WALLBOX_SERVER_TEST_H
#define WALLBOX_SERVER_TEST_H

#include "ocpp/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define SERVER_CELLS 256

struct server_cells {
    uint8_t coils[SERVER_CELLS], discretes[SERVER_CELLS];
    uint16_t holdings[SERVER_CELLS], inputs[SERVER_CELLS];
    _Atomic unsigned requests, writes;
    _Atomic int silent;  /* answers nothing */
    _Atomic int refuses; /* answers writes with an exception; 2: those that switch a coil on */
};

struct server {
    struct server_cells *cells;
    int memory_fd, listen_fd;
    pid_t pid, wire_pid;
    int port;
    char client_tty[64], server_tty[64];
};

/* ---- the process ---- */

static inline bool server_writes(const uint8_t *query, int header)
{
    int function = query[header];

    return function == MODBUS_FC_WRITE_SINGLE_COIL || function == MODBUS_FC_WRITE_SINGLE_REGISTER;
}

static inline void server_talk(modbus_t *m, modbus_mapping_t *map, struct server_cells *cells)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int header = modbus_get_header_length(m);

    for (;;) {
        int n = modbus_receive(m, query);

        if (n < 0)
            return;
        if (n == 0 || cells->silent) /* 0: for another unit */
            continue;
        cells->requests++;
        if (server_writes(query, header) &&
            (cells->refuses == 1 || (cells->refuses == 2 && query[header + 3] == 0xFF))) {
            modbus_reply_exception(m, query, MODBUS_EXCEPTION_SLAVE_OR_SERVER_FAILURE);
            continue;
        }
        cells->writes += server_writes(query, header);
        modbus_reply(m, query, n, map);
    }
}

/* argv: program serve MEMORY_FD LISTEN_FD | TTY */
static inline int server_main(int argc, char **argv)
{
    struct server_cells *cells;
    modbus_mapping_t map = { .nb_bits = SERVER_CELLS,
                             .nb_input_bits = SERVER_CELLS,
                             .nb_input_registers = SERVER_CELLS,
                             .nb_registers = SERVER_CELLS };
    bool rtu = argc == 4 && argv[3][0] == '/';
    modbus_t *m;
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cells = mmap(NULL, sizeof *cells, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[2]), 0);
    if (cells == MAP_FAILED)
        return 1;
    map.tab_bits = cells->coils;
    map.tab_input_bits = cells->discretes;
    map.tab_registers = cells->holdings;
    map.tab_input_registers = cells->inputs;
    m = rtu ? modbus_new_rtu(argv[3], 115200, 'N', 8, 1) : modbus_new_tcp("127.0.0.1", 0);
    if (!m || modbus_set_slave(m, rtu ? 7 : MODBUS_TCP_SLAVE) < 0)
        return 1;
    if (rtu && modbus_connect(m) < 0)
        return 1;
    for (fd = rtu ? -1 : atoi(argv[3]);;)
        if (rtu || modbus_tcp_accept(m, &fd) >= 0)
            server_talk(m, &map, cells);
}

/* ---- the test's side ---- */

static inline void server_spawn(struct server *s)
{
    char memory[16], listener[16];

    snprintf(memory, sizeof memory, "%d", s->memory_fd);
    snprintf(listener, sizeof listener, "%d", s->listen_fd);
    s->pid = fork();
    if (s->pid == 0) {
        execl("/proc/self/exe", "server", "serve", memory,
              s->server_tty[0] ? s->server_tty : listener, (char *)NULL);
        _exit(127);
    }
}

static inline void server_kill(struct server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}

static inline void server_memory(struct server *s)
{
    *s = (struct server){ .memory_fd = memfd_create("cells", 0), .listen_fd = -1 };
    CHECK(s->memory_fd >= 0 && ftruncate(s->memory_fd, sizeof *s->cells) == 0, "memory");
    s->cells = mmap(NULL, sizeof *s->cells, PROT_READ | PROT_WRITE, MAP_SHARED, s->memory_fd, 0);
}

/* The socket that listens is ours, so that the port is known and stays while the server is dead. */
static inline void server_tcp(struct server *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    server_memory(s);
    s->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(s->listen_fd, (struct sockaddr *)&at, sizeof at) == 0 &&
              listen(s->listen_fd, 4) == 0 &&
              getsockname(s->listen_fd, (struct sockaddr *)&at, &len) == 0,
          "listen");
    s->port = ntohs(at.sin_port);
    server_spawn(s);
}

/* Two pseudo terminals, and a process that is the wire between them. */
static inline void server_wire(int a, int b)
{
    struct pollfd fds[2] = { { a, POLLIN, 0 }, { b, POLLIN, 0 } };
    char bytes[512];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        poll(fds, 2, -1);
        for (int i = 0; i < 2; i++)
            if (fds[i].revents & POLLIN) {
                ssize_t n = read(fds[i].fd, bytes, sizeof bytes);

                if (n > 0 && write(fds[1 - i].fd, bytes, (size_t)n) != n)
                    _exit(1);
            }
    }
}

static inline void server_rtu(struct server *s)
{
    int master[2], slave[2];

    server_memory(s);
    for (int i = 0; i < 2; i++) {
        struct termios t;

        CHECK(openpty(&master[i], &slave[i], i ? s->server_tty : s->client_tty, NULL, NULL) == 0,
              "pty");
        tcgetattr(slave[i], &t);
        cfmakeraw(&t);
        tcsetattr(slave[i], TCSANOW, &t);
    }
    s->wire_pid = fork();
    if (s->wire_pid == 0)
        server_wire(master[0], master[1]);
    close(master[0]);
    close(master[1]);
    server_spawn(s);
}

static inline void server_close(struct server *s)
{
    server_kill(s);
    if (s->wire_pid) {
        kill(s->wire_pid, SIGKILL);
        waitpid(s->wire_pid, NULL, 0);
    }
    munmap(s->cells, sizeof *s->cells);
    close(s->memory_fd);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
}

static inline void server_float(struct server *s, int address, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    s->cells->inputs[address] = (uint16_t)(bits >> 16);
    s->cells->inputs[address + 1] = (uint16_t)bits;
}

#endif
