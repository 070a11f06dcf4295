/* central/domain/pack.c - keeping records: one block each, the struct with its texts behind it. */
#include "central/domain/follow.h"

static const size_t sizes[FACT_KINDS] = {
    [FACT_CHARGER] = sizeof(struct charger_fact),
    [FACT_CONNECTOR] = sizeof(struct connector_fact),
    [FACT_STATUS] = sizeof(struct status_fact),
    [FACT_TRANSACTION] = sizeof(struct transaction_fact),
    [FACT_READING] = sizeof(struct reading_fact),
    [FACT_COMMAND] = sizeof(struct command_fact),
    [FACT_CONNECTION] = sizeof(struct connection_fact),
    [FACT_TAG] = sizeof(struct tag_fact),
    [FACT_QUIRK] = sizeof(struct quirk_fact),
    [FACT_RESERVATION] = sizeof(struct reservation_fact),
    [FACT_LIST] = sizeof(struct list_fact),
    [FACT_LIST_ENTRY] = sizeof(struct list_entry_fact),
    [FACT_CHARGER_LIST] = sizeof(struct charger_list_fact),
    [FACT_PROFILE] = sizeof(struct profile_fact),
    [FACT_INSTALLED] = sizeof(struct installed_fact),
    [FACT_ACCESS] = sizeof(struct access_fact),
    [FACT_BOOT_RULE] = sizeof(struct boot_rule_fact),
    [FACT_CERTIFICATE] = sizeof(struct certificate_fact),
    [FACT_CONFIG] = sizeof(struct config_fact),
    [FACT_FILE] = sizeof(struct file_fact),
    [FACT_BATCH] = sizeof(struct batch_fact),
    [FACT_LOAD_GROUP] = sizeof(struct load_group_fact),
    [FACT_LOAD_MEMBER] = sizeof(struct load_member_fact),
    [FACT_POWER] = sizeof(struct power_fact),
};

/* Offsets of fact_texts count from the start of struct fact, ours from the start of its body. */
static struct amp_text *text_at(void *body, uint16_t offset)
{
    return (struct amp_text *)(void *)((char *)body + offset - offsetof(struct fact, u));
}

void *pack(enum fact_kind kind, const void *body)
{
    const uint16_t *offsets;
    size_t n = fact_texts(kind, &offsets), size = sizes[kind];
    char *block, *at;

    for (size_t i = 0; i < n; i++) {
        struct amp_text t;

        memcpy(&t, (const char *)body + offsets[i] - offsetof(struct fact, u), sizeof t);
        size += t.len;
    }
    block = must(malloc(size));
    memcpy(block, body, sizes[kind]);
    at = block + sizes[kind];
    for (size_t i = 0; i < n; i++) {
        struct amp_text *t = text_at(block, offsets[i]);

        if (!t->at)
            continue;
        if (t->len)
            memcpy(at, t->at, t->len);
        t->at = at;
        at += t->len;
    }
    return block;
}

void keep(enum fact_kind kind, void *kept, const void *body)
{
    void *fresh = pack(kind, body), *old;

    memcpy(&old, kept, sizeof old);
    memcpy(kept, &fresh, sizeof fresh);
    free(old);
}

void tell(struct world *w, enum fact_kind kind, const void *body)
{
    struct fact f;

    f.kind = kind;
    memcpy(&f.u, body, sizes[kind]);
    w->emit(w->ctx, &f);
    follow(w, kind, body);
}

void *grow_list(void *list, size_t count, size_t *cap)
{
    if (count < *cap)
        return list;
    *cap = *cap ? *cap * 2 : 16;
    return must(realloc(list, *cap * sizeof(void *)));
}
