/* station/owners.c - whose each journal record is. The one place to name a new kind of stored
 * thing. */
#include "station/impl.h"

const struct amp_owner amp_owners[] = {
    /* type              load                save                keep              moved */
    { AMP_ENTRY_BOOT, amp_boot_load, amp_boot_save, NULL, NULL },
    { AMP_ENTRY_CONFIG, amp_config_load, amp_config_save, NULL, NULL },
    { AMP_ENTRY_AVAIL, amp_connector_load, amp_connector_save, NULL, NULL },
    { AMP_ENTRY_STATE, amp_queue_load, amp_queue_save, NULL, amp_queue_seek },
    { AMP_ENTRY_CLOCK, NULL, NULL, amp_clock_keep, NULL },
    { AMP_ENTRY_START, amp_queue_load, NULL, amp_queue_wants, NULL },
    { AMP_ENTRY_METER, amp_queue_load, NULL, amp_queue_wants, NULL },
    { AMP_ENTRY_STOP, amp_queue_load, NULL, amp_queue_wants, NULL },
    { AMP_ENTRY_SAMPLE, amp_queue_load, NULL, amp_queue_wants, NULL },
    { AMP_ENTRY_DONE, amp_queue_load, NULL, NULL, NULL },
    { AMP_ENTRY_LIST, amp_list_load, amp_list_save, amp_list_keep, NULL },
    { AMP_ENTRY_CACHE, amp_cache_load, amp_cache_save, NULL, NULL },
    { AMP_ENTRY_RESERVATION, amp_reservation_load, amp_reservation_save, NULL, NULL },
    { AMP_ENTRY_PROFILE, amp_profiles_load, amp_profiles_save, NULL, NULL },
    { AMP_ENTRY_PROFILE_GONE, amp_profiles_load, NULL, NULL, NULL },
    { AMP_ENTRY_FIRMWARE, amp_firmware_load, amp_firmware_save, NULL, NULL },
    { AMP_ENTRY_UPLOAD, amp_upload_load, amp_upload_save, NULL, NULL },
    { AMP_ENTRY_SECURITY, amp_security_load, amp_security_save, NULL, NULL },
    { AMP_ENTRY_EVENT, amp_events_load, NULL, amp_events_keep, NULL },
    { AMP_ENTRY_TOLD, amp_events_load, amp_events_save, NULL, NULL },
};
const unsigned amp_owner_count = AMP_COUNT(amp_owners);
