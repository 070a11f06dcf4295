/* fleet/view_test.c - plain text where nobody watches, colours on a terminal, none when the user
 * says so. */
#include "fleet/view.h"
#include "ocpp/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static const struct view_status status = { .connector = 1,
                                           .state = "Charging",
                                           .power_w = 22004,
                                           .current_ma = 95652,
                                           .energy_wh = 66,
                                           .soc_permille = 237,
                                           .temperature_mc = 29600,
                                           .seconds = 4 };
static const struct view_session session = { .connector = 1,
                                             .tag = "DemoTag01",
                                             .reason = "Local",
                                             .transaction = 7,
                                             .energy_wh = 1320,
                                             .seconds = 60,
                                             .soc_permille = 950,
                                             .average_w = 22000 };

static void show(const struct view *v)
{
    view_event(v, 10000, VIEW_GOOD, "authorised", "connector %d, %s", 1, "DemoTag01");
    view_status(v, 15000, &status);
    view_session(v, 71500, &session);
    fflush(v->out);
}

static void test_plain(void)
{
    static const char expected[] =
        "T+ 10 s  authorised  connector 1, DemoTag01\n"
        "T+ 15 s  connector 1 Charging       22.0 kW  95.7 A     66 Wh  24 %  30 C    4 s\n"
        "T+ 71 s  connector 1 session over: 1320 Wh in 60 s, battery 95 %, 22.0 kW on average "
        "(tag DemoTag01, transaction 7, ended by Local)\n";
    char got[1024];
    FILE *f = tmpfile();
    struct view v;
    size_t n;

    view_open(&v, f);
    CHECK(!v.rich, "a file is no terminal");
    show(&v);
    rewind(f);
    n = fread(got, 1, sizeof got - 1, f);
    got[n] = 0;
    CHECK(!strcmp(got, expected), "%s", got);
    fclose(f);
}

/* A pseudo-terminal stands in for the user's. */
static void on_terminal(const char *term, const char *no_colour, bool rich)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    char got[2048];
    struct view v;
    ssize_t n;
    FILE *f;

    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "pseudo-terminal");
    f = fopen(ptsname(master), "r+");
    CHECK(f != NULL, "its other end");
    if (!f)
        return;
    setenv("TERM", term, 1);
    setenv("NO_COLOR", no_colour, 1);
    view_open(&v, f);
    CHECK(v.rich == rich, "TERM=%s NO_COLOR=%s", term, no_colour);
    show(&v);
    n = read(master, got, sizeof got - 1);
    got[n > 0 ? n : 0] = 0;
    CHECK((strchr(got, '\033') != NULL) == rich, "escapes: %s", got);
    CHECK(strstr(got, "DemoTag01"), "the words are there: %s", got);
    fclose(f);
    close(master);
}

static void test_terminal(void)
{
    on_terminal("xterm", "", true);
    on_terminal("xterm", "1", false);
    on_terminal("dumb", "", false);
}

int main(void)
{
    RUN(test_plain);
    RUN(test_terminal);
    return check_end();
}
