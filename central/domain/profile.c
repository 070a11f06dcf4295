/* central/domain/profile.c - charging-profile templates by name. What is installed of them is in
 * installed.c. */
#include "central/domain/profile.h"
#include "central/domain/inside.h"

static struct profile_fact **slot(const struct world *w, int64_t org, struct amp_text name)
{
    for (size_t i = 0; i < w->profile_count; i++)
        if (w->profiles[i]->org == org && amp_text_eqi(w->profiles[i]->name, name))
            return &w->profiles[i];
    return NULL;
}

void profile_apply(struct world *w, const struct profile_fact *f)
{
    struct profile_fact **at = slot(w, f->org, f->name);

    if (f->deleted && at) {
        free(*at);
        w->profile_count--;
        memmove(at, at + 1, (size_t)(&w->profiles[w->profile_count] - at) * sizeof(void *));
    } else if (at) {
        keep(FACT_PROFILE, at, f);
    } else if (!f->deleted) {
        w->profiles = grow_list(w->profiles, w->profile_count, &w->profile_cap);
        w->profiles[w->profile_count++] = pack(FACT_PROFILE, f);
    }
}

void world_put_profile(struct world *w, const struct profile_fact *p)
{
    struct fact f = { .kind = FACT_PROFILE, .u.profile = *p };
    struct fact *copy = fact_copy(&f); /* texts of `p` may be those of the one that is replaced */

    profile_apply(w, &copy->u.profile);
    tell(w, FACT_PROFILE, &copy->u.profile);
    free(copy);
}

const struct profile_fact *world_profile(const struct world *w, int64_t org, struct amp_text name)
{
    struct profile_fact **at = slot(w, org, name);

    return at ? *at : NULL;
}

const struct profile_fact *world_profile_at(const struct world *w, size_t i)
{
    return i < w->profile_count ? w->profiles[i] : NULL;
}
