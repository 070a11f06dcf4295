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
#ifndef AMP_ERRORS_MAX /* errors of one connector at a time; of more, the oldest is forgotten */
#define AMP_ERRORS_MAX 4
#endif
#ifndef AMP_DATA_MAX /* what a vendor's DataTransfer is answered with */
#define AMP_DATA_MAX 512
#endif
#ifndef AMP_PROFILES_MAX /* charging profiles at a time: MaxChargingProfilesInstalled */
#define AMP_PROFILES_MAX 20
#endif
#ifndef AMP_PERIODS_MAX /* periods of one charging schedule: ChargingScheduleMaxPeriods */
#define AMP_PERIODS_MAX 96
#endif
#ifndef AMP_PERIOD_POOL /* periods of all profiles together; a profile that finds no room is rejected */
#define AMP_PERIOD_POOL 256
#endif
#ifndef AMP_SLICES_MAX /* periods of one composite schedule; it ends earlier when there are more */
#define AMP_SLICES_MAX 96
#endif
#ifndef AMP_LIST_MAX /* entries of the local list: LocalAuthListMaxLength, unless the journal is too small for so many */
#define AMP_LIST_MAX 64
#endif
#ifndef AMP_LIST_SEND_MAX /* entries of one SendLocalList: as many as fit AMP_RX_MAX and AMP_ARENA_MAX at their longest */
#define AMP_LIST_SEND_MAX 32
#endif
#define AMP_TAG_PACKED_MAX 46 /* longest entry of station/tags.h */
#define AMP_LIST_BYTES     (AMP_LIST_MAX * AMP_TAG_PACKED_MAX)
#ifndef AMP_CACHE_BYTES /* tags that the central system spoke of, packed: 100 cards of 8 characters, 22 entries at their longest */
#define AMP_CACHE_BYTES 1024
#endif
#ifndef AMP_LOCATION_MAX /* URL of a firmware image or of the place for logs */
#define AMP_LOCATION_MAX 512
#endif
#ifndef AMP_RECORD_MAX /* payload of the longest journal record */
#define AMP_RECORD_MAX 832
#endif
#ifndef AMP_CHAIN_MAX /* certificates in one message: CertificateSignedMaxChainSize */
#define AMP_CHAIN_MAX 5500
#endif
#ifndef AMP_CSR_MAX /* certificate signing request */
#define AMP_CSR_MAX 2048
#endif
#ifndef AMP_EVENT_QUEUE_MAX /* security events that wait to be delivered, beside those */
#define AMP_EVENT_QUEUE_MAX 32
#endif

#endif
