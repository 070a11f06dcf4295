/* central/settings_test.c - the settings table: defaults, each kind of value, order of precedence,
 * clear complaints. */
#include "central/settings.h"
#include "ocpp/check.h"

#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *name, *value;
    int rc;
    const char *says; /* part of the complaint */
} cases[] = {
    { "listen", "0.0.0.0:80", 0, NULL },
    { "heartbeat", "60", 0, NULL },
    { "accept_unknown", "no", 0, NULL },
    { "log-level", "debug", 0, NULL },
    { "heartbeat", "soon", AMP_E_VALUE, "'soon' is no whole number" },
    { "heartbeat", "0", AMP_E_VALUE, "give 1 to 86400" },
    { "heartbeat", "1e3", AMP_E_VALUE, "no whole number; give SECONDS" },
    { "accept-unknown", "maybe", AMP_E_VALUE, "neither true nor false" },
    { "log-level", "chatty", AMP_E_VALUE, "error, warn, info or debug" },
    { "log-format", "tex", AMP_E_VALUE, "text or json" },
    { "hartbeat", "1", AMP_E_ABSENT, "no such setting" },
    { "admin-key", "secret", AMP_E_VALUE, "AMPERSTAND_ADMIN_KEY" },
};

static void test_set(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct settings s;
        char *why = NULL, origin[64];
        int rc;

        settings_default(&s);
        snprintf(origin, sizeof origin, "--%s", cases[i].name);
        rc = settings_set(&s, cases[i].name, cases[i].value, origin, &why);
        CHECK(rc == cases[i].rc, "%s=%s: got %d", cases[i].name, cases[i].value, rc);
        CHECK((why == NULL) == (rc == 0), "%s: complaint '%s'", cases[i].name, why ? why : "");
        if (why) {
            CHECK(!strncmp(why, origin, strlen(origin)), "names its origin: '%s'", why);
            CHECK(strstr(why, cases[i].says), "'%s' lacks '%s'", why, cases[i].says);
        }
        free(why);
        settings_free(&s);
    }
}

static void test_table(void)
{
    unsigned count;
    const struct setting *t = settings_table(&count);
    struct settings s, copy;

    settings_default(&s);
    settings_copy(&copy, &s);
    for (unsigned i = 0; i < count; i++) {
        char a[200], b[200];

        settings_value(&s, i, a, sizeof a);
        settings_value(&copy, i, b, sizeof b);
        CHECK(!strcmp(a, t[i].fallback), "%s: default '%s', table '%s'", t[i].name, a,
              t[i].fallback);
        CHECK(!strcmp(a, b), "%s: copy '%s'", t[i].name, b);
        for (unsigned j = 0; j < i; j++)
            CHECK(strcmp(t[i].name, t[j].name), "%s stands twice", t[i].name);
    }
    settings_free(&copy);
    settings_free(&s);
}

/* A file of `text`, its path in `path`. */
static void file_of(char path[64], const char *text)
{
    int fd;
    ssize_t n;

    strcpy(path, "/tmp/amp-settings-XXXXXX");
    fd = mkstemp(path);
    n = write(fd, text, strlen(text));
    CHECK(fd >= 0 && n == (ssize_t)strlen(text), "temporary file");
    close(fd);
}

static void test_precedence(void)
{
    struct settings s;
    char path[64], *why = NULL;

    file_of(path, "# one\n\n heartbeat = 11\nstale_after=\"12\"\r\nping = 13\nlisten = '[::]:1'\n");
    settings_default(&s);
    setenv("AMPERSTAND_STALE_AFTER", "22", 1);
    setenv("AMPERSTAND_PING", "23", 1);
    setenv("AMPERSTAND_ADMIN_KEY", "k", 1);
    CHECK(settings_environment(&s, &why) == 0, "%s", why ? why : "");
    CHECK(settings_file(&s, path, &why) == 0, "%s", why ? why : "");
    CHECK(settings_set(&s, "ping", "33", "--ping", &why) == 0, "%s", why ? why : "");
    CHECK(s.heartbeat_s == 11 && s.stale_after_s == 12 && s.ping_s == 33, "%d %d %d",
          (int)s.heartbeat_s, (int)s.stale_after_s, (int)s.ping_s);
    CHECK(!strcmp(s.listen, "[::]:1") && !strcmp(s.admin_key, "k"), "'%s' '%s'", s.listen,
          s.admin_key);
    setenv("AMPERSTAND_PING", "often", 1);
    CHECK(settings_environment(&s, &why) == AMP_E_VALUE && strstr(why, "AMPERSTAND_PING: 'often'"),
          "'%s'", why ? why : "");
    free(why);
    unsetenv("AMPERSTAND_STALE_AFTER");
    unsetenv("AMPERSTAND_PING");
    unsetenv("AMPERSTAND_ADMIN_KEY");
    unlink(path);
    settings_free(&s);
}

static const struct {
    const char *text;
    int rc;
    const char *says;
} files[] = {
    { "ping = 1\nheartbeat 3\n", AMP_E_FORMAT, ":2: 'heartbeat 3' is no 'name = value'" },
    { "\n\nheartbeat = x\n", AMP_E_VALUE, ":3: heartbeat: 'x' is no whole number" },
    { "colour = red\n", AMP_E_ABSENT, ":1: colour: no such setting" },
};

static void test_bad_files(void)
{
    struct settings s;
    char *why = NULL;

    settings_default(&s);
    for (size_t i = 0; i < AMP_COUNT(files); i++) {
        char path[64];
        int rc;

        file_of(path, files[i].text);
        rc = settings_file(&s, path, &why);
        CHECK(rc == files[i].rc && why && strstr(why, files[i].says), "%d '%s'", rc,
              why ? why : "");
        free(why);
        why = NULL;
        unlink(path);
    }
    CHECK(settings_file(&s, "/nowhere/at/all", &why) == AMP_E_IO &&
              strstr(why, "'/nowhere/at/all'"),
          "'%s'", why ? why : "");
    free(why);
    settings_free(&s);
}

int main(void)
{
    RUN(test_set);
    RUN(test_table);
    RUN(test_precedence);
    RUN(test_bad_files);
    return check_end();
}
