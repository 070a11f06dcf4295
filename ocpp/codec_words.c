/* ocpp/codec_words.c - names of messages and enum values, and back. */
#include "ocpp/codec_inner.h"

const struct amp_message *amp_message_find(const struct amp_protocol *p, struct amp_text name)
{
    unsigned slot = (unsigned)amp_text_hash(name) & p->slot_mask;

    /* at most half of the slots are taken, so there is an end */
    for (; p->slots[slot]; slot = (slot + 1) & p->slot_mask) {
        const struct amp_message *m = &p->messages[p->slots[slot] - 1];

        if (amp_text_is(name, m->name))
            return m;
    }
    return NULL;
}

const char *amp_enum_name(const struct amp_enum *e, int value)
{
    if (value < 1 || value > e->count[1])
        return "";
    return e->names + e->words[value - 1].name;
}

int amp_enum_find(const struct amp_enum *e, struct amp_text name)
{
    return name.len ? (int)amp_word_find(e, name.at, name.len, name.at + name.len) : 0;
}

#define WORDS_SHOWN 120 /* characters of a list that is shown */

void amp_fault_why(struct amp_buf *out, const struct amp_fault *fault, int rc)
{
    size_t len = 0;

    amp_buf_puts(out, fault && fault->why ? fault->why : amp_err_text(rc));
    if (!fault || !fault->words)
        return;
    for (unsigned i = 1; i <= fault->count; i++)
        len += strlen(amp_enum_name(fault->words, (int)i)) + 2;
    if (len > WORDS_SHOWN)
        return;
    for (unsigned i = 1; i <= fault->count; i++) {
        amp_buf_puts(out, i == 1 ? ": " : ", ");
        amp_buf_puts(out, amp_enum_name(fault->words, (int)i));
    }
}

const char *amp_repair_name(enum amp_repair kind)
{
    static const char *const names[AMP_REPAIRS] = { "empty", "number", "text", "bool",  "time",
                                                    "word",  "length", "list", "object" };

    return (unsigned)kind < AMP_REPAIRS ? names[kind] : "";
}
