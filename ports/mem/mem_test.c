/* ports/mem/mem_test.c - the platform made of memory passes the suite, and fails where it is told
 * to. */
#include "ocpp/check.h"
#include "ports/mem/mem.h"
#include "ports/test/suite.h"

struct bench {
    struct mem_port mem;
    struct port_suite suite;
};

static int reopen(void *ctx)
{
    struct bench *b = ctx;

    mem_restart(&b->mem);
    return 0;
}

/* The loop of a platform without one: connects, echoes. */
static void wait_a_moment(void *ctx)
{
    struct bench *b = ctx;
    static uint8_t bytes[MEM_WIRE];
    size_t n;

    if (b->mem.opening) {
        b->mem.opening = false;
        b->mem.open = b->mem.endpoint.port == 7;
        b->suite.seen.connected += b->mem.open;
        b->suite.seen.closed += !b->mem.open;
    }
    n = mem_take(&b->mem, bytes, sizeof(bytes));
    for (size_t i = 0; i < n; i++)
        b->suite.seen.sum = b->suite.seen.sum * 31 + bytes[i];
    b->suite.seen.received += n;
    b->suite.seen.writable += n > 0;
}

static void test_suite(void)
{
    static struct bench b;

    mem_init(&b.mem, 1);
    b.suite = (struct port_suite){ .port = &b.mem.port,
                                   .ctx = &b,
                                   .reopen = reopen,
                                   .wait = wait_a_moment,
                                   .echo = { .host = AMP_TEXT("echo"), .port = 7 },
                                   .dead = { .host = AMP_TEXT("dead"), .port = 9 } };
    CHECK(port_suite_run(&b.suite) == 0, "the suite");
    CHECK(b.mem.bad_writes == 2, "the two that the suite tries on purpose: %u", b.mem.bad_writes);
}

static void test_failures(void)
{
    static struct mem_port m;
    uint8_t unit[MEM_UNIT * 2] = { 1, 2, 3 };

    mem_init(&m, 1);
    mem_arm(&m, 2, MEM_FAIL, 0);
    CHECK(m.port.block_write(&m, 0, unit, 8) == 0, "first");
    CHECK(m.port.block_write(&m, 8, unit, 8) == AMP_E_IO && m.flash[8] == 0xFF, "second fails");
    CHECK(m.port.block_write(&m, 8, unit, 8) == 0, "once");
    mem_arm(&m, 1, MEM_BROKEN, 0);
    for (int i = 0; i < 3; i++)
        CHECK(m.port.block_write(&m, 24, unit, 8) == AMP_E_IO, "for good");
    mem_arm(&m, 1, MEM_CUT, 3);
    CHECK(m.port.block_write(&m, 16, unit, 16) == AMP_E_IO, "cut");
    CHECK(m.flash[18] == 3 && m.flash[19] == 0xFF, "torn after three bytes");
    CHECK(m.port.block_read(&m, 0, unit, 8) == AMP_E_IO && m.port.net_send(&m, unit, 1) < 0,
          "dark");
    mem_restart(&m);
    CHECK(m.port.block_read(&m, 0, unit, 8) == 0 && m.bad_writes == 0, "light");
    CHECK(m.port.block_write(&m, 0, unit, 8) == 0 && m.bad_writes == 8, "not erased: counted");
    CHECK(m.port.block_write(&m, 20, unit, 8) == AMP_E_IO, "off the unit");
}

int main(void)
{
    RUN(test_suite);
    RUN(test_failures);
    return check_end();
}
