#include "central/domain/fact.h"
#include "ocpp/check.h"
#include <stdlib.h>

static struct amp_text *text_at(struct fact *f, uint16_t offset)
{
    return (struct amp_text *)(void *)((char *)f + offset);
}

/* Fill every text of every kind with a word of its own, copy, spoil the original: the copy must
 * have kept all of it. */
static void test_copy(void)
{
    for (int kind = FACT_CHARGER; kind < FACT_KINDS; kind++) {
        struct fact f = { .kind = (enum fact_kind)kind }, *copy;
        const uint16_t *at;
        size_t count = fact_texts(f.kind, &at);
        char words[16][32];

        CHECK((count > 0 || kind == FACT_LOAD_POINT || kind == FACT_POWER) && count <= 16,
              "kind %d has %zu texts", kind, count);
        for (size_t i = 0; i < count; i++) {
            snprintf(words[i], sizeof(words[i]), "text%zu", i);
            *text_at(&f, at[i]) = amp_text_of(words[i]);
            for (size_t k = 0; k < i; k++)
                CHECK(at[k] != at[i], "kind %d: offset %u twice", kind, at[i]);
        }
        copy = fact_copy(&f);
        memset(words, '#', sizeof(words));
        memset(&f, 0xff, sizeof(f));
        CHECK((int)copy->kind == kind, "kind %d", (int)copy->kind);
        for (size_t i = 0; i < count; i++) {
            char want[32];

            snprintf(want, sizeof(want), "text%zu", i);
            CHECK(amp_text_is(*text_at(copy, at[i]), want), "kind %d text %zu: %.*s", kind, i,
                  AMP_FMT(*text_at(copy, at[i])));
        }
        free(copy);
    }
}

/* Absent and empty are two things on the wire, and stay two. */
static void test_copy_absent(void)
{
    struct fact f = { .kind = FACT_TAG,
                      .u.tag = { .org = 7, .tag = AMP_TEXT("AB"), .expiry_ms = -5 } };
    struct fact *copy;

    f.u.tag.note = AMP_TEXT("");
    copy = fact_copy(&f);
    CHECK(copy->u.tag.org == 7 && copy->u.tag.expiry_ms == -5, "numbers");
    CHECK(amp_text_is(copy->u.tag.tag, "AB"), "the text");
    CHECK(copy->u.tag.note.at && copy->u.tag.note.len == 0, "empty stays present");
    CHECK(!copy->u.tag.parent.at && !copy->u.tag.status.at, "absent stays absent");
    free(copy);
}

/* A text that fact_texts forgets is a dangling pointer in the store: counted here by hand, from the
 * header. */
static void test_all_texts_listed(void)
{
    static const struct {
        enum fact_kind kind;
        size_t texts;
    } want[] = {
        { FACT_CHARGER, 12 },    { FACT_CONNECTOR, 5 },   { FACT_STATUS, 3 },
        { FACT_TRANSACTION, 5 }, { FACT_READING, 1 },     { FACT_MESSAGE, 4 },
        { FACT_COMMAND, 9 },     { FACT_TAG, 4 },         { FACT_USER, 3 },
        { FACT_LOGIN, 1 },       { FACT_API_KEY, 2 },     { FACT_CONNECTION, 3 },
        { FACT_AUDIT, 7 },       { FACT_LOAD_GROUP, 3 },  { FACT_LOAD_MEMBER, 1 },
        { FACT_LOAD_POINT, 0 },  { FACT_QUIRK, 4 },       { FACT_RESERVATION, 4 },
        { FACT_LIST, 2 },        { FACT_LIST_ENTRY, 2 },  { FACT_CHARGER_LIST, 2 },
        { FACT_PROFILE, 3 },     { FACT_INSTALLED, 5 },   { FACT_ACCESS, 3 },
        { FACT_BOOT_RULE, 6 },   { FACT_CERTIFICATE, 7 }, { FACT_REFUSAL, 5 },
        { FACT_CONFIG, 2 },      { FACT_FILE, 6 },        { FACT_BATCH, 6 },
        { FACT_POWER, 0 },       { FACT_SHAPE, 1 },
    };
    const uint16_t *at;

    CHECK(AMP_COUNT(want) == FACT_KINDS - 1, "a kind is missing here");
    for (size_t i = 0; i < AMP_COUNT(want); i++)
        CHECK(fact_texts(want[i].kind, &at) == want[i].texts, "kind %d", (int)want[i].kind);
    CHECK(fact_texts((enum fact_kind)0, &at) == 0 && !at, "no kind 0");
    CHECK(fact_texts(FACT_KINDS, &at) == 0 && !at, "none behind the last");
}

static void test_names(void)
{
    static const struct {
        const char *(*name)(int);
        int value;
        const char *want;
    } cases[] = {
        { transaction_state_name, TX_PENDING_START, "PENDING_START" },
        { transaction_state_name, TX_RUNNING, "RUNNING" },
        { transaction_state_name, TX_FAILED, "FAILED" },
        { transaction_state_name, 0, "" },
        { transaction_state_name, TX_FAILED + 1, "" },
        { command_state_name, COMMAND_QUEUED, "queued" },
        { command_state_name, COMMAND_TIMED_OUT, "timed out" },
        { command_state_name, COMMAND_NO_EFFECT, "no effect" },
        { command_state_name, -1, "" },
        { connection_state_name, CONNECTION_NEVER, "never" },
        { connection_state_name, CONNECTION_DISCONNECTED, "disconnected" },
        { connection_state_name, 99, "" },
        { registration_name, REGISTRATION_PENDING, "pending" },
        { registration_name, REGISTRATION_REJECTED, "rejected" },
        { registration_name, 0, "" },
        { role_name, ROLE_USER, "USER" },
        { role_name, ROLE_ADMIN, "ADMIN" },
        { role_name, 4, "" },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++)
        CHECK(!strcmp(cases[i].name(cases[i].value), cases[i].want), "%d: %s", cases[i].value,
              cases[i].name(cases[i].value));
}

int main(void)
{
    RUN(test_copy);
    RUN(test_copy_absent);
    RUN(test_all_texts_listed);
    RUN(test_names);
    return check_end();
}
