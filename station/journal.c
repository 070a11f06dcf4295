/* station/journal.c - see journal.h.
 *
 * On the medium, little end first:
 *   area    "AMPJ" u32 generation u32 crc, padded; then records, each padded to the write unit
 *   record  u16 len, u8 type, u8 MARK, u32 crc of (len, type, MARK, generation, payload), payload
 */
#include "station/impl.h"

#define MARK      0x5A
#define HEAD      8  /* of a record */
#define AREA_HEAD 12 /* of an area, before padding */

static const uint8_t magic[4] = { 'A', 'M', 'P', 'J' };

uint32_t amp_crc32(uint32_t crc, const void *data, size_t len)
{
    static const uint32_t half[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *p = data;

    crc = ~crc;
    while (len--) {
        crc = half[(crc ^ *p) & 15] ^ (crc >> 4);
        crc = half[(crc ^ (uint32_t)(*p++ >> 4)) & 15] ^ (crc >> 4);
    }
    return ~crc;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void set32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* `n` rounded up to whole write units. */
static uint32_t padded(const struct amp_station *st, size_t n)
{
    uint32_t unit = st->port->write_size;

    return ((uint32_t)n + unit - 1) / unit * unit;
}

static uint32_t first(const struct amp_station *st)
{
    return padded(st, AREA_HEAD);
}

/* Room that only the end of something may use: stops and acknowledgements of every connector. */
static uint32_t spare_room(const struct amp_station *st)
{
    uint32_t want = 320 * (uint32_t)(st->connectors + 1), quarter = st->journal.area_size / 4;

    return want < quarter ? want : quarter;
}

static int read_at(struct amp_station *st, uint32_t offset, void *out, size_t len)
{
    return st->port->block_read(st->port->ctx, offset, out, len) < 0 ? AMP_E_IO : 0;
}

static uint32_t record_crc(const uint8_t head[HEAD], const uint8_t *payload, size_t len,
                           uint32_t generation)
{
    uint8_t salt[4];

    set32(salt, generation);
    return amp_crc32(amp_crc32(amp_crc32(0, head, 4), salt, 4), payload, len);
}

/* Write the record whose payload stands at buf + HEAD to `offset` of the device. */
static int write_record(struct amp_station *st, uint32_t offset, unsigned type, size_t len,
                        uint32_t generation)
{
    struct amp_journal *j = &st->journal;
    uint32_t size = padded(st, HEAD + len);

    j->buf[0] = (uint8_t)len;
    j->buf[1] = (uint8_t)(len >> 8);
    j->buf[2] = (uint8_t)type;
    j->buf[3] = MARK;
    set32(j->buf + 4, record_crc(j->buf, j->buf + HEAD, len, generation));
    memset(j->buf + HEAD + len, 0xFF, size - HEAD - len);
    return st->port->block_write(st->port->ctx, offset, j->buf, size) < 0 ? AMP_E_IO : 0;
}

/* Read the record at `at` of the active area into buf. 1; 0: none, or not one of ours; AMP_E_IO. */
static int read_record(struct amp_station *st, uint32_t at, struct amp_entry *e)
{
    struct amp_journal *j = &st->journal;
    size_t len;

    if (at + HEAD > j->area_size)
        return 0;
    if (read_at(st, j->base + at, j->buf, HEAD) < 0)
        return AMP_E_IO;
    len = (size_t)(j->buf[0] | j->buf[1] << 8);
    if (j->buf[3] != MARK || len > AMP_RECORD_MAX || at + HEAD + len > j->area_size)
        return 0;
    if (len && read_at(st, j->base + at + HEAD, j->buf + HEAD, len) < 0)
        return AMP_E_IO;
    if (get32(j->buf + 4) != record_crc(j->buf, j->buf + HEAD, len, j->generation))
        return 0;
    *e = (struct amp_entry){ j->buf[2], (uint16_t)len, at, j->buf + HEAD };
    return 1;
}

bool amp_journal_next(struct amp_station *st, uint32_t *at, struct amp_entry *e)
{
    if (*at < first(st))
        *at = first(st);
    if (*at >= st->journal.end || read_record(st, *at, e) != 1)
        return false;
    *at += padded(st, HEAD + e->len);
    return true;
}

static const struct amp_owner *owner_of(unsigned type)
{
    for (unsigned i = 0; i < amp_owner_count; i++)
        if (amp_owners[i].type == type)
            return &amp_owners[i];
    return NULL;
}

/* Does the device read as erased from `offset` for `len` bytes? */
static int blank(struct amp_station *st, uint32_t offset, uint32_t len)
{
    uint8_t part[64];

    while (len) {
        uint32_t n = len < sizeof(part) ? len : (uint32_t)sizeof(part);

        if (read_at(st, offset, part, n) < 0)
            return AMP_E_IO;
        for (uint32_t i = 0; i < n; i++)
            if (part[i] != 0xFF)
                return 0;
        offset += n;
        len -= n;
    }
    return 1;
}

/* ---- compaction ---- */

int amp_journal_copy(struct amp_station *st, enum amp_entry_type type, const void *data, size_t len)
{
    struct amp_journal *j = &st->journal;
    uint32_t size = padded(st, HEAD + len);

    if (len > AMP_RECORD_MAX)
        return AMP_E_SIZE;
    if (!j->counting) {
        if (j->target_end + size > j->area_size)
            return AMP_E_FULL;
        if (data != j->buf + HEAD)
            memcpy(j->buf + HEAD, data, len);
        if (write_record(st, j->target + j->target_end, type, len, j->generation + 1) < 0)
            return AMP_E_IO;
    }
    j->target_end += size;
    return 0;
}

/* Everything that still counts, to the target area or only added up. */
static int save_all(struct amp_station *st, int thin)
{
    struct amp_entry e;
    uint32_t at = 0;
    int rc = 0;

    st->journal.target_end = first(st);
    for (unsigned i = 0; rc == 0 && i < amp_owner_count; i++)
        if (amp_owners[i].save)
            rc = amp_owners[i].save(st);
    while (rc == 0 && amp_journal_next(st, &at, &e)) {
        const struct amp_owner *o = owner_of(e.type);

        if (o && o->keep && o->keep(st, &e, thin))
            rc = amp_journal_copy(st, e.type, e.data, e.len);
    }
    return rc;
}

/* The mildest thinning that leaves room to work in; failing that, the mildest that leaves `need`.
 */
static int choose_thin(struct amp_station *st, uint32_t need)
{
    struct amp_journal *j = &st->journal;
    int fits = AMP_E_FULL;

    for (int thin = 0; thin <= AMP_THIN_MAX; thin++) {
        int rc;

        j->counting = true;
        rc = save_all(st, thin);
        j->counting = false;
        if (rc < 0)
            return rc;
        if (j->target_end + need + spare_room(st) <= j->area_size / 4 * 3)
            return thin;
        if (fits < 0 && j->target_end + need <= j->area_size)
            fits = thin;
    }
    return fits;
}

static int write_area_head(struct amp_station *st, uint32_t base, uint32_t generation)
{
    uint8_t head[AMP_WRITE_SIZE_MAX + AREA_HEAD];
    uint32_t size = first(st);

    memset(head, 0xFF, sizeof(head));
    memcpy(head, magic, 4);
    set32(head + 4, generation);
    set32(head + 8, amp_crc32(0, head, 8));
    return st->port->block_write(st->port->ctx, base, head, size) < 0 ? AMP_E_IO : 0;
}

static int erase_area(struct amp_station *st, uint32_t base)
{
    uint32_t size = st->port->block_size;

    for (uint32_t b = base / size; b < (base + st->journal.area_size) / size; b++)
        if (st->port->block_erase(st->port->ctx, b) < 0)
            return AMP_E_IO;
    return 0;
}

static int compact(struct amp_station *st, uint32_t need)
{
    struct amp_journal *j = &st->journal;
    int thin = choose_thin(st, need), rc = thin;

    if (thin < 0)
        return rc;
    st->events.memory_short |= thin > 0;
    if (thin > 0)
        amp_log(st, AMP_LOG_WARN, "storage is scarce: meter values are thinned out");
    j->target = j->base ? 0 : j->area_size;
    if ((rc = erase_area(st, j->target)) < 0 || (rc = save_all(st, thin)) < 0)
        return rc;
    if (write_area_head(st, j->target, j->generation + 1) < 0)
        return AMP_E_IO;
    j->base = j->target;
    j->end = j->target_end;
    j->generation++;
    j->dirty = false;
    j->compactions++;
    for (unsigned i = 0; i < amp_owner_count; i++)
        if (amp_owners[i].moved)
            amp_owners[i].moved(st);
    return 0;
}

int amp_journal_put(struct amp_station *st, enum amp_entry_type type, const void *data, size_t len,
                    bool spare)
{
    struct amp_journal *j = &st->journal;
    uint32_t size = padded(st, HEAD + len);
    uint32_t limit = j->area_size - (spare ? 0 : spare_room(st));

    if (len > AMP_RECORD_MAX)
        return AMP_E_SIZE;
    if (j->dirty || j->end + size > limit) {
        int rc = compact(st, size);

        if (rc < 0)
            return rc;
        if (j->end + size > limit)
            return AMP_E_FULL;
    }
    memcpy(j->buf + HEAD, data, len);
    if (write_record(st, j->base + j->end, type, len, j->generation) < 0) {
        j->dirty = true;
        return AMP_E_IO;
    }
    j->end += size;
    return 0;
}

/* ---- start ---- */

/* Generation of the area at `base`; 0: no valid head; AMP_E_IO. */
static int64_t generation_at(struct amp_station *st, uint32_t base)
{
    uint8_t head[AREA_HEAD];

    if (read_at(st, base, head, sizeof(head)) < 0)
        return AMP_E_IO;
    if (memcmp(head, magic, 4) != 0 || get32(head + 8) != amp_crc32(0, head, 8))
        return 0;
    return get32(head + 4);
}

/* A device without a valid head is new, if nothing stands behind the heads: then a cut in the first
 * format is all that happened. */
static int format(struct amp_station *st)
{
    struct amp_journal *j = &st->journal;

    for (uint32_t base = 0; base <= j->area_size; base += j->area_size) {
        int rc = blank(st, base + first(st), j->area_size - first(st));

        if (rc < 0)
            return rc;
        if (rc == 0)
            return AMP_E_CORRUPT;
    }
    if (erase_area(st, 0) < 0 || write_area_head(st, 0, 1) < 0)
        return AMP_E_IO;
    j->generation = 1;
    return 0;
}

static int check_geometry(struct amp_station *st)
{
    const struct amp_port *p = st->port;

    if (!p->block_read || !p->block_write || !p->block_erase || p->block_count < 2)
        return AMP_E_RANGE;
    if (p->write_size < 1 || p->write_size > AMP_WRITE_SIZE_MAX || p->block_size % p->write_size)
        return AMP_E_RANGE;
    st->journal.area_size = p->block_count / 2 * p->block_size;
    return st->journal.area_size < 2048 ? AMP_E_RANGE : 0;
}

int amp_journal_open(struct amp_station *st)
{
    struct amp_journal *j = &st->journal;
    struct amp_entry e;
    int64_t a, b;
    int rc = check_geometry(st);

    if (rc < 0)
        return rc;
    a = generation_at(st, 0);
    b = generation_at(st, j->area_size);
    if (a < 0 || b < 0)
        return AMP_E_IO;
    if (a == 0 && b == 0 && (rc = format(st)) < 0)
        return rc;
    if (a || b) {
        j->base = b > a ? j->area_size : 0;
        j->generation = (uint32_t)(b > a ? b : a);
    }
    j->end = first(st);
    while ((rc = read_record(st, j->end, &e)) == 1) {
        const struct amp_owner *o = owner_of(e.type);

        j->end += padded(st, HEAD + e.len);
        if (o && o->load)
            o->load(st, &e);
    }
    if (rc < 0)
        return rc;
    /* what a cut left behind the last whole record must not be written over */
    rc = blank(st, j->base + j->end,
               j->area_size - j->end < sizeof(j->buf) ? j->area_size - j->end
                                                      : (uint32_t)sizeof(j->buf));
    j->dirty = rc == 0;
    for (unsigned i = 0; i < amp_owner_count; i++)
        if (amp_owners[i].moved)
            amp_owners[i].moved(st);
    return rc < 0 ? rc : 0;
}
