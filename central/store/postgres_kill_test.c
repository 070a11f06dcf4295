/* kill -9 of our process, and of the server: see kill_test.c. */
#define STORE_TEST_POSTGRES
#include "central/store/kill_test.c"
