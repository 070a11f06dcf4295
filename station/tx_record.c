/* station/tx_record.c - the journal's records of a transaction, read back. queue.c writes them. */
#include "station/impl.h"

bool amp_tx_record(const struct amp_station *st, const struct amp_entry *e,
                   struct amp_message_fact *f, uint32_t *index)
{
    struct amp_cut in = { e->data, e->len, false };

    memset(f, 0, sizeof(*f));
    if (e->type < AMP_ENTRY_START || e->type > AMP_ENTRY_SAMPLE)
        return false;
    f->type = e->type;
    f->seq = amp_cut_u32(&in);
    f->local = amp_cut_u32(&in);
    f->connector = (uint8_t)amp_cut_u8(&in);
    if (e->type == AMP_ENTRY_METER || e->type == AMP_ENTRY_SAMPLE) {
        *index = amp_cut_u32(&in);
        amp_sample_cut(&in, &f->sample);
        f->when = f->sample.when;
    } else if (e->type == AMP_ENTRY_START) {
        f->when = amp_cut_when(&in);
        amp_cut_str(&in, f->tag, sizeof(f->tag));
        amp_cut_str(&in, f->parent, sizeof(f->parent));
        amp_reading_cut(&in, &f->sample.reading);
        f->reserved = in.left && amp_cut_u8(&in) != 0; /* older records end here */
        f->reservation = f->reserved ? amp_cut_i64(&in) : 0;
    } else {
        f->when = amp_cut_when(&in);
        f->reason = (uint8_t)amp_cut_u8(&in);
        f->kept = amp_cut_u32(&in);
        amp_cut_str(&in, f->tag, sizeof(f->tag));
        f->stop_list.count = (uint8_t)amp_cut_u8(&in);
        in.bad |= f->stop_list.count > AMP_MEASURANDS_MAX;
        for (unsigned i = 0; !in.bad && i < f->stop_list.count; i++)
            f->stop_list.item[i] = (uint8_t)amp_cut_u8(&in);
        amp_reading_cut(&in, &f->sample.reading);
    }
    f->wh = f->sample.reading.energy_wh;
    return !in.bad && amp_is_connector(st, f->connector);
}
