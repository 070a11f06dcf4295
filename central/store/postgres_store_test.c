/* What every driver must do, with PostgreSQL: see store_test.c. */
#define STORE_TEST_POSTGRES
#include "central/store/store_test.c"
