/* station/bare_test.c - the library needs no operating system: every name it wants from outside is
 * one of its own, of the protocol library, or one of the few that a C compiler for bare metal
 * brings along. */

#include "ocpp/check.h"
#include <stdbool.h>

static const char *const allowed[] = {
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "memchr",
    "strlen",
    "strcmp",
    "strchr",
    /* compilers add these, sanitizers and hardening more */
    "_GLOBAL_OFFSET_TABLE_",
    "__stack_chk_fail",
    "bcmp",
};
static const char *const prefixes[] = { "amp_",     "station16_", "ocpp16",  "__asan_",
                                        "__ubsan_", "__tsan_",    "__gcov_", "__sanitizer_",
                                        "__llvm_",  "__sancov_",  "llvm_" };

static bool known(const char *name)
{
    for (unsigned i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        if (!strcmp(name, allowed[i]))
            return true;
    for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
            return true;
    return false;
}

static void test_names_wanted(void)
{
    FILE *nm = popen("nm -u '" AMP_BINARY_DIR "/station/libamp_station.a' 2>&1", "r");
    char line[256], name[200];
    unsigned n = 0;

    CHECK(nm != NULL, "nm");
    while (nm && fgets(line, sizeof(line), nm))
        if (sscanf(line, " U %199s", name) == 1) {
            n++;
            CHECK(known(name), "%s", name);
        }
    CHECK(nm && pclose(nm) == 0, "nm");
    CHECK(n > 50, "%u names", n);
}

/* Nothing that can change lives outside struct amp_station. Constant tables with pointers in them
 * are not seen here. */
static void test_no_zeroed_globals(void)
{
    FILE *nm = popen("nm '" AMP_BINARY_DIR "/station/libamp_station.a' 2>&1", "r");
    char line[256], type, name[200];

    CHECK(nm != NULL, "nm");
    while (nm && fgets(line, sizeof(line), nm))
        if (sscanf(line, "%*x %c %199s", &type, name) == 2 && strncmp(name, "__", 2) != 0)
            CHECK(!strchr("bBC", type), "%s is a variable", name);
    CHECK(nm && pclose(nm) == 0, "nm");
}

int main(void)
{
    RUN(test_names_wanted);
    RUN(test_no_zeroed_globals);
    return check_end();
}
