/* central/rest/csv_test.c - spreadsheets in and out. */
#include "central/rest/csv.h"
#include "ocpp/check.h"

static char block[4096];

/* Rows parted by '/', fields by '|'. */
static void read_all(const char *why, const char *text, int end, const char *expected)
{
    char got[512] = "";
    struct amp_arena arena;
    struct csv c;
    int rc;

    amp_arena_init(&arena, block, sizeof block);
    csv_open(&c, amp_text_of(text), &arena);
    while ((rc = csv_next(&c)) == 1)
        for (unsigned i = 0; i < c.count; i++) {
            size_t used = strlen(got);

            snprintf(got + used, sizeof got - used, "%.*s%c", AMP_FMT(c.fields[i]),
                     i + 1 < c.count ? '|' : '/');
        }
    CHECK(rc == end, "%s: rc %d", why, rc);
    CHECK(!strcmp(got, expected), "%s: '%s'", why, got);
}

static void test_read(void)
{
    read_all("plain", "a,b\nc,d\n", 0, "a|b/c|d/");
    read_all("Windows, no end of the last line", "a,b\r\nc,d", 0, "a|b/c|d/");
    read_all("blank lines and blanks", "a, b \n\n\r\n c,d\n", 0, "a|b/c|d/");
    read_all("semicolons, a comma in a field", "a;b;c\n1;2,5;3\n", 0, "a|b|c/1|2,5|3/");
    read_all("tabs", "a\tb\n1\t2,5\n", 0, "a|b/1|2,5/");
    read_all("byte order mark",
             "\xef\xbb\xbf"
             "a,b\n",
             0, "a|b/");
    read_all("quotes", "\"a,1\",\"say \"\"hi\"\"\"\n\"x\ny\",\"\"\n", 0, "a,1|say \"hi\"/x\ny|/");
    read_all("empty fields", ",\na,,\n", 0, "|/a||/");
    read_all("nothing", "", 0, "");
    read_all("an open quote", "a\n\"b", AMP_E_FORMAT, "a/");
    read_all("text behind a quote", "\"a\"b\n", AMP_E_FORMAT, "");
    read_all("too many", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n", AMP_E_COUNT, "");
}

static void test_full(void)
{
    struct amp_arena arena;
    struct csv c;

    amp_arena_init(&arena, block, 2);
    csv_open(&c, AMP_TEXT("\"a \"\"quoted\"\" thing\"\n"), &arena);
    CHECK(csv_next(&c) == AMP_E_FULL, "an arena that is full is said");
}

static void test_write(void)
{
    struct amp_buf out;
    char text[128];

    amp_buf_init(&out, text, sizeof text);
    csv_put(&out, true, AMP_TEXT("plain"));
    csv_put(&out, false, AMP_NO_TEXT);
    csv_put(&out, false, AMP_TEXT("a,b"));
    csv_put(&out, false, AMP_TEXT("say \"hi\""));
    csv_put(&out, false, AMP_TEXT(" blank"));
    csv_end(&out);
    CHECK(amp_text_is(amp_buf_text(&out), "plain,,\"a,b\",\"say \"\"hi\"\"\",\" blank\"\r\n"),
          "'%.*s'", AMP_FMT(amp_buf_text(&out)));
}

int main(void)
{
    RUN(test_read);
    RUN(test_full);
    RUN(test_write);
    return check_end();
}
