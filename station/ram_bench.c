/* station/ram_bench.c - one line of the RAM bill: what a station takes when built with the limits
 * of this compilation. CMakeLists.txt builds it once per configuration. */
#include "station/impl.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    printf("RAM of a station, %-8s %6zu bytes (connectors %d, receive %d, send %d, profiles %d, "
           "list %d)\n",
           argc > 1 ? argv[1] : "", sizeof(struct amp_station), AMP_CONNECTORS_MAX, AMP_RX_MAX,
           AMP_TX_MAX, AMP_PROFILES_MAX, AMP_LIST_MAX);
    return 0;
}
