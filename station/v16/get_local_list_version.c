/* station/v16/get_local_list_version.c - GetLocalListVersion. OCPP 1.6 §5.10; station-1.6 142. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    struct ocpp16_get_local_list_version_reply *out = reply;

    (void)request;
    out->list_version = amp_list_version(st);
    return 0;
}

const struct amp_station_op station16_get_local_list_version = { .id =
                                                                     OCPP16_GET_LOCAL_LIST_VERSION,
                                                                 .on_call = on_call };
