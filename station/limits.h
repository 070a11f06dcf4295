/* station/limits.h - every size of the core in one place. Override with -D; the RAM of a station follows from these. */
#ifndef AMP_LIMITS_H
#define AMP_LIMITS_H

#ifndef AMP_CONNECTORS_MAX
#define AMP_CONNECTORS_MAX 4
#endif
#ifndef AMP_RX_MAX /* largest frame that is received, joined */
#define AMP_RX_MAX 8192
#endif
#ifndef AMP_TX_MAX /* largest frame that is sent, header included */
#define AMP_TX_MAX 6144
#endif
#ifndef AMP_ARENA_MAX /* decoding of one message */
#define AMP_ARENA_MAX 6144
#endif
#ifndef AMP_URL_MAX
#define AMP_URL_MAX 256
#endif
#ifndef AMP_IDENTITY_MAX
#define AMP_IDENTITY_MAX 48
#endif
#ifndef AMP_MEASURANDS_MAX /* entries of one list of measurands */
#define AMP_MEASURANDS_MAX 16
#endif
#ifndef AMP_STOP_SAMPLES_MAX /* samples that one StopTransaction carries: StopTransactionMaxMeterValues */
#define AMP_STOP_SAMPLES_MAX 20
#endif
#ifndef AMP_REPORTS_MAX /* status reports of one connector that wait to be sent while the link is up */
#define AMP_REPORTS_MAX 4
#endif
#ifndef AMP_RECORD_MAX /* payload of the longest journal record */
#define AMP_RECORD_MAX 640
#endif

#endif
