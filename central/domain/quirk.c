/* central/domain/quirk.c - see quirk.h. */
#include "central/domain/quirk.h"
#include "central/domain/configuration.h"
#include "central/domain/inside.h"

#define TAG_WIRE_MAX 20 /* ci20 of OCPP 1.6 */

static struct quirk_fact **slot(const struct world *w, int64_t org, struct amp_text name)
{
    for (size_t i = 0; i < w->quirk_count; i++)
        if (w->quirks[i]->org == org && amp_text_eqi(w->quirks[i]->name, name))
            return &w->quirks[i];
    return NULL;
}

void quirk_apply(struct world *w, const struct quirk_fact *f)
{
    struct quirk_fact **at = slot(w, f->org, f->name);

    if (f->deleted && at) {
        free(*at);
        w->quirk_count--;
        memmove(at, at + 1, (size_t)(&w->quirks[w->quirk_count] - at) * sizeof(void *));
    } else if (at) {
        keep(FACT_QUIRK, at, f);
    } else if (!f->deleted) {
        w->quirks = grow_list(w->quirks, w->quirk_count, &w->quirk_cap);
        w->quirks[w->quirk_count++] = pack(FACT_QUIRK, f);
    }
}

void world_put_quirk(struct world *w, const struct quirk_fact *q)
{
    struct fact f = { .kind = FACT_QUIRK, .u.quirk = *q };
    struct fact *copy = fact_copy(&f); /* texts of `q` may be those of the one that is replaced */

    quirk_apply(w, &copy->u.quirk);
    tell(w, FACT_QUIRK, &copy->u.quirk);
    free(copy);
}

const struct quirk_fact *world_quirk(const struct world *w, int64_t org, struct amp_text name)
{
    struct quirk_fact **at = slot(w, org, name);

    return at ? *at : NULL;
}

const struct quirk_fact *world_quirk_at(const struct world *w, size_t i)
{
    return i < w->quirk_count ? w->quirks[i] : NULL;
}

/* ---- what holds for a charger ---- */

static bool begins(struct amp_text t, struct amp_text with)
{
    return t.len >= with.len && amp_text_eqi((struct amp_text){ t.at, with.len }, with);
}

/* 0: does not hold; else how close it is. */
static int closeness(const struct quirk_fact *q, const struct charger_fact *c)
{
    if (q->org != c->org || (q->charger && q->charger != c->key) || !begins(c->vendor, q->vendor) ||
        !begins(c->model, q->model))
        return 0;
    return q->charger ? 4 : q->model.len ? 3 : q->vendor.len ? 2 : 1;
}

static void number(const struct charger *c, const char *key, int32_t *out)
{
    const struct config_fact *f = charger_config(c, amp_text_of(key));
    int64_t n;

    if (f && !f->absent && amp_text_int(amp_text_trim(f->value), &n) == 0 && n >= 0 &&
        n <= INT32_MAX)
        *out = (int32_t)n;
}

static bool has_word(struct amp_text list, const char *word)
{
    struct amp_text w = amp_text_of(word);

    for (uint32_t i = 0; i + w.len <= list.len; i++)
        if (amp_text_eqi((struct amp_text){ list.at + i, w.len }, w))
            return true;
    return false;
}

/* What its configuration says, as it was read last. A person knows better. */
static void told(const struct charger *c, struct traits *out)
{
    const struct config_fact *units =
        charger_config(c, AMP_TEXT("ChargingScheduleAllowedChargingRateUnit"));
    const struct config_fact *zero = charger_config(c, AMP_TEXT("ReserveConnectorZeroSupported"));

    *out = (struct traits){ .stack_max = -1 };
    number(c, "ChargeProfileMaxStackLevel", &out->stack_max);
    number(c, "ChargingScheduleMaxPeriods", &out->periods_max);
    number(c, "SendLocalListMaxLength", &out->list_max);
    number(c, "LocalAuthListMaxLength", &out->list_total);
    if (units && !units->absent)
        out->rate_units = (has_word(units->value, "Current") ? RATE_A : 0) |
                          (has_word(units->value, "Power") ? RATE_W : 0);
    out->no_zero =
        zero && !zero->absent && amp_text_eqi(amp_text_trim(zero->value), AMP_TEXT("false"));
}

void charger_traits(const struct world *w, const struct charger *c, struct traits *out)
{
    told(c, out);
    for (int close = 1; close <= 4; close++)
        for (size_t i = 0; i < w->quirk_count; i++) {
            const struct quirk_fact *q = w->quirks[i];

            if (closeness(q, c->fact) != close)
                continue;
            out->flags |= q->flags;
            out->phases = q->phases ? q->phases : out->phases;
            out->voltage_v = q->voltage_v ? q->voltage_v : out->voltage_v;
            out->rate_units = q->rate_units ? q->rate_units : out->rate_units;
            out->stack_max = q->stack_max >= 0 ? q->stack_max : out->stack_max;
            out->list_max = q->list_max ? q->list_max : out->list_max;
            out->url_max = q->url_max ? q->url_max : out->url_max;
        }
}

struct amp_text charger_tag(const struct world *w, const struct charger *c, struct amp_text sent)
{
    struct amp_text cut = sent;
    struct traits t;

    if (!w->quirk_count || world_tag(w, c->fact->org, sent))
        return sent;
    charger_traits(w, c, &t);
    while (cut.len && cut.at[cut.len - 1] != '_')
        cut.len--;
    if (cut.len < 2 || !(t.flags & QUIRK_TAG_SUFFIX))
        return sent;
    cut.len--;
    return cut;
}

static bool hexadecimal(struct amp_text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        char c = (char)(t.at[i] | 32);

        if (!(t.at[i] >= '0' && t.at[i] <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return t.len > 0;
}

const char *charger_tag_fault(const struct world *w, const struct charger *c, struct amp_text tag)
{
    struct traits t;

    if (amp_text_chars(tag) > TAG_WIRE_MAX)
        return "is longer than the 20 characters that OCPP 1.6 can send; give another tag of the "
               "same person";
    charger_traits(w, c, &t);
    if (t.flags & QUIRK_HEX_TAGS && !hexadecimal(tag))
        return "this charger takes hexadecimal tags only, such as a card's number";
    return NULL;
}
