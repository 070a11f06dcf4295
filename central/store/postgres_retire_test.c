/* Rows that are kept no longer, in PostgreSQL: see retire_test.c. */
#define STORE_TEST_POSTGRES
#include "central/store/retire_test.c"
