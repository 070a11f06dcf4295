/* central/domain/configuration.c - see configuration.h. */
#include "central/domain/configuration.h"
#include "central/domain/inside.h"

#define TELL_MS 3600000 /* how old the time of an unchanged key may become on disk */

/* Keys whose value is a password: what is told or set is not kept. */
static bool secret(struct amp_text name)
{
    return amp_text_eqi(name, AMP_TEXT("AuthorizationKey"));
}

static int order(struct amp_text a, struct amp_text b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;

    for (uint32_t i = 0; i < n; i++) {
        int x = (unsigned char)a.at[i], y = (unsigned char)b.at[i];

        x += x >= 'A' && x <= 'Z' ? 32 : 0;
        y += y >= 'A' && y <= 'Z' ? 32 : 0;
        if (x != y)
            return x - y;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

/* Where the key is, or would be. */
static uint32_t place(const struct charger *c, struct amp_text name, bool *found)
{
    uint32_t low = 0, high = c->config_count;

    *found = false;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int o = order(name, c->config[middle]->name);

        if (o == 0) {
            *found = true;
            return middle;
        }
        if (o < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void insert(struct charger *c, uint32_t at, const struct config_fact *f)
{
    size_t cap = c->config_cap;

    c->config = grow_list(c->config, c->config_count, &cap);
    c->config_cap = (uint32_t)cap;
    memmove(&c->config[at + 1], &c->config[at], (c->config_count - at) * sizeof *c->config);
    c->config[at] = pack(FACT_CONFIG, f);
    c->config_count++;
}

void config_apply(struct world *w, const struct config_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->charger);
    bool found;
    uint32_t at;

    if (!c)
        return;
    at = place(c, f->name, &found);
    if (!found && !f->deleted) {
        insert(c, at, f);
    } else if (found && f->deleted) {
        free(c->config[at]);
        c->config_count--;
        memmove(&c->config[at], &c->config[at + 1], (c->config_count - at) * sizeof *c->config);
    } else if (found) {
        keep(FACT_CONFIG, &c->config[at], f);
    }
}

void config_free(struct charger *c)
{
    for (uint32_t i = 0; i < c->config_count; i++)
        free(c->config[i]);
    free(c->config);
}

const struct config_fact *charger_config_at(const struct charger *c, size_t i)
{
    return i < c->config_count ? c->config[i] : NULL;
}

size_t charger_config_count(const struct charger *c)
{
    return c->config_count;
}

const struct config_fact *charger_config(const struct charger *c, struct amp_text name)
{
    bool found;
    uint32_t at = place(c, amp_text_trim(name), &found);

    return found ? c->config[at] : NULL;
}

/* ---- changes ---- */

/* The key as it is, or a new one. */
static struct config_fact base(const struct charger *c, struct amp_text name)
{
    const struct config_fact *old = charger_config(c, name);
    struct config_fact fresh = { .charger = c->fact->key, .name = amp_text_trim(name) };

    return old ? *old : fresh;
}

static void put(struct world *w, struct charger *c, const struct config_fact *f)
{
    bool found;
    uint32_t at = place(c, f->name, &found);

    if (found)
        keep(FACT_CONFIG, &c->config[at], f); /* f's texts may be those of the old one */
    else
        insert(c, at, f);
    tell(w, FACT_CONFIG, c->config[at]);
}

static bool same_value(struct amp_text a, struct amp_text b)
{
    return !a.at == !b.at && amp_text_eq(a, b);
}

void world_config_read(struct world *w, struct charger *c, struct amp_text name,
                       struct amp_text value, bool readonly, int64_t now_ms)
{
    const struct config_fact *old = charger_config(c, name);
    struct config_fact f = base(c, name);

    if (!f.name.len)
        return;
    f.value = secret(f.name) ? AMP_NO_TEXT : value;
    f.readonly = readonly;
    f.absent = false;
    f.seen_ms = now_ms;
    if (old && !old->absent && old->readonly == readonly && same_value(old->value, f.value) &&
        now_ms - old->seen_ms < TELL_MS)
        return;
    put(w, c, &f);
}

void world_config_absent(struct world *w, struct charger *c, struct amp_text name, int64_t now_ms)
{
    struct config_fact f = base(c, name);

    if (!f.name.len)
        return;
    f.value = AMP_NO_TEXT;
    f.absent = true;
    f.reboot = false;
    f.seen_ms = now_ms;
    put(w, c, &f);
}

void world_config_changed(struct world *w, struct charger *c, struct amp_text name,
                          struct amp_text value, bool reboot, int64_t now_ms)
{
    struct config_fact f = base(c, name);

    if (!f.name.len)
        return;
    f.value = secret(f.name) ? AMP_NO_TEXT : value;
    f.absent = false;
    f.reboot = reboot;
    f.changed_ms = now_ms;
    put(w, c, &f);
}

/* What waited for it holds now. */
void config_saw_boot(struct world *w, struct charger *c)
{
    for (uint32_t i = 0; i < c->config_count; i++)
        if (c->config[i]->reboot) {
            c->config[i]->reboot = false;
            tell(w, FACT_CONFIG, c->config[i]);
        }
}
