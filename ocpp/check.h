/* ocpp/check.h - the test harness: CHECK, RUN, and a last line "N passed, N failed" that
 * script/test adds up. A test program is: static void test_x(void) {...}  int main(void) {
 * RUN(test_x); return check_end(); } */
#ifndef AMP_CHECK_H
#define AMP_CHECK_H

#include <stdio.h>
#include <string.h>

static int check_bad, check_passed, check_failed;

/* One condition; the message says which case of a table it was. A failed one is printed and the
 * test goes on. */
#define CHECK(cond, ...)                                               \
    do {                                                               \
        if (!(cond)) {                                                 \
            check_bad++;                                               \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond); \
            fprintf(stderr, __VA_ARGS__);                              \
            fputc('\n', stderr);                                       \
        }                                                              \
    } while (0)

#define RUN(test)                                                                \
    do {                                                                         \
        check_bad = 0;                                                           \
        test();                                                                  \
        if (check_bad)                                                           \
            fprintf(stderr, "FAIL %s (%d)\n", #test, check_bad), check_failed++; \
        else                                                                     \
            check_passed++;                                                      \
    } while (0)

static inline int check_end(void)
{
    fflush(stderr);
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed != 0;
}

#endif
