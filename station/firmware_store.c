/* station/firmware_store.c - what of an update survives a power cut: see firmware.c. */
#include "station/firmware_state.h"

/* What a restart goes on from. */
static unsigned stored_state(const struct amp_firmware *f)
{
    static const uint8_t stored[] = {
        [IDLE] = IDLE,        [SCHEDULED] = SCHEDULED,   [DOWNLOADING] = SCHEDULED,
        [PAUSED] = SCHEDULED, [VERIFYING] = SCHEDULED,   [READY] = READY,
        [CLOSING] = READY,    [INSTALLING] = READY,      [LEAVING] = RESTARTING,
        [OWED] = OWED,        [RESTARTING] = RESTARTING,
    };

    return stored[f->state];
}

static void pack(const struct amp_station *st, struct amp_buf *out)
{
    const struct amp_firmware *f = &st->firmware_update;

    amp_pack_u8(out, stored_state(f));
    if (f->state == IDLE)
        return;
    amp_pack_u8(out, f->is_signed);
    amp_pack_u8(out, f->owed);
    amp_pack_i64(out, f->id);
    amp_pack_i64(out, f->retrieve_ms);
    amp_pack_i64(out, f->install_ms);
    amp_pack_i32(out, f->retries);
    amp_pack_i32(out, f->retry_s);
    amp_pack_str(out, f->version);
    amp_buf_puts(out, f->location);
}

_Static_assert(AMP_RECORD_MAX >= 88 + AMP_LOCATION_MAX, "an update fits a record");

int amp_firmware_store(struct amp_station *st)
{
    uint8_t raw[AMP_RECORD_MAX];
    struct amp_buf out;
    int rc;

    amp_buf_init(&out, raw, sizeof(raw));
    pack(st, &out);
    rc = amp_journal_put(st, AMP_ENTRY_FIRMWARE, raw, out.len,
                         st->firmware_update.state != SCHEDULED);
    if (rc < 0)
        amp_log(st, AMP_LOG_ERROR, "how far the firmware update is could not be stored");
    return rc;
}

int amp_firmware_save(struct amp_station *st)
{
    uint8_t raw[AMP_RECORD_MAX];
    struct amp_buf out;

    if (st->firmware_update.state == IDLE)
        return 0;
    amp_buf_init(&out, raw, sizeof(raw));
    pack(st, &out);
    return amp_journal_copy(st, AMP_ENTRY_FIRMWARE, raw, out.len);
}

void amp_firmware_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_firmware *f = &st->firmware_update;
    struct amp_cut in = { e->data, e->len, false };

    memset(f, 0, sizeof(*f));
    f->state = (uint8_t)amp_cut_u8(&in);
    if (f->state == IDLE)
        return;
    f->is_signed = amp_cut_u8(&in) != 0;
    f->owed = (uint8_t)amp_cut_u8(&in);
    f->id = amp_cut_i64(&in);
    f->retrieve_ms = amp_cut_i64(&in);
    f->install_ms = amp_cut_i64(&in);
    f->retries = amp_cut_i32(&in);
    f->retry_s = amp_cut_i32(&in);
    amp_cut_str(&in, f->version, sizeof(f->version));
    amp_text_copy(f->location, sizeof(f->location),
                  (struct amp_text){ (const char *)in.at, (uint32_t)in.left });
    if (in.bad || f->state > OWED || f->owed > AMP_FW_SIGNATURE_VERIFIED)
        memset(f, 0, sizeof(*f)); /* written by another version of this program */
}
