/* cli/args.c - options from the environment, a file and the command line, checked in one place. */
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 40
#define LINE_MAX_LEN 1024

/* Where a value came from, for messages. */
struct origin {
    const struct cli_usage *usage;
    const char *place; /* "--", "$" or "FILE:7: " before the name */
    const char *name;
};

static int complain(const struct origin *o, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

static int complain(const struct origin *o, const char *format, ...)
{
    va_list ap;

    fprintf(stderr, "%s: %s%s: ", o->usage->command, o->place, o->name);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\nSee '%s --help'.\n", o->usage->command);
    return CLI_USAGE;
}

int cli_usage_error(const struct cli_usage *usage, const char *option, const char *format, ...)
{
    va_list ap;

    fprintf(stderr, "%s: --%s: ", usage->command, option);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\nSee '%s --help'.\n", usage->command);
    return CLI_USAGE;
}

static const struct cli_option *find(const struct cli_usage *usage, const char *name, size_t len)
{
    for (const struct cli_option *o = usage->options; o->name; o++)
        if (strlen(o->name) == len && !memcmp(o->name, name, len))
            return o;
    return NULL;
}

/* Edit distance of two short words: the suggestion for a misspelt option is the nearest one. */
static size_t distance(const char *a, size_t alen, const char *b)
{
    size_t row[NAME_MAX_LEN + 1], blen = strlen(b);

    if (blen > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (size_t j = 0; j <= blen; j++)
        row[j] = j;
    for (size_t i = 1; i <= alen; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= blen; j++) {
            size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[blen];
}

static int unknown(const struct cli_usage *usage, const char *name, size_t len)
{
    const struct cli_option *near = NULL;
    size_t best = 4; /* farther away is another word */

    for (const struct cli_option *o = usage->options; o->name; o++) {
        size_t d = distance(name, len, o->name);

        if (d < best)
            best = d, near = o;
    }
    fprintf(stderr, "%s: --%.*s: no such option.", usage->command, (int)len, name);
    if (near)
        fprintf(stderr, " Did you mean --%s?", near->name);
    fprintf(stderr, "\nSee '%s --help'.\n", usage->command);
    return CLI_USAGE;
}

static bool whole_number(const char *s, const char *end, int64_t *out)
{
    char *stop;
    long long v;

    if (s == end || !(isdigit((unsigned char)*s) || (*s == '-' && isdigit((unsigned char)s[1]))))
        return false;
    errno = 0;
    v = strtoll(s, &stop, 10);
    *out = v;
    return stop == end && errno == 0;
}

/* "2.5" is 2500. At most three decimals: more would be a promise that is not kept. */
static bool thousandths(const char *s, int64_t *out)
{
    const char *end = s + strlen(s), *dot = strchr(s, '.');
    int64_t whole, part = 0, scale = 100;

    if (!whole_number(s, dot ? dot : end, &whole) || whole < 0 || whole > INT64_MAX / 2000)
        return false;
    for (const char *p = dot ? dot + 1 : end; p < end; p++, scale /= 10) {
        if (!isdigit((unsigned char)*p) || scale == 0)
            return false;
        part += (*p - '0') * scale;
    }
    *out = whole * 1000 + part;
    return !dot || dot[1];
}

static bool boolean(const char *s, bool *out)
{
    static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false", "no",
                                                                                   "off", "0" };

    for (size_t i = 0; i < 4; i++) {
        if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
            *out = !strcmp(s, yes[i]);
            return true;
        }
    }
    return false;
}

static int set_range(const struct origin *from, const struct cli_option *o, const char *value)
{
    int64_t *out = o->out, first, second;
    const char *dash = value[0] ? strchr(value + 1, '-') : NULL;
    const char *end = value + strlen(value);

    if (!whole_number(value, dash ? dash : end, &first))
        return complain(from, "'%s' is no range; write %s, such as 20-60", value, o->value);
    second = first;
    if (dash && !whole_number(dash + 1, end, &second))
        return complain(from, "'%s' is no range; write %s, such as 20-60", value, o->value);
    if (first > second || first < o->min || second > o->max)
        return complain(from, "'%s' must rise and stay within %" PRId64 " to %" PRId64, value,
                        o->min, o->max);
    out[0] = first;
    out[1] = second;
    return -1;
}

/* Put `value` into the option. -1, or the exit code after a message. */
static int set(const struct origin *from, const struct cli_option *o, const char *value)
{
    int64_t n;
    bool b;

    switch (o->kind) {
    case CLI_FLAG:
        if (!boolean(value, &b))
            return complain(from, "'%s' is neither true nor false", value);
        *(bool *)o->out = b;
        return -1;
    case CLI_TEXT:
        if (!value[0])
            return complain(from, "is empty; give %s", o->value);
        *(const char **)o->out = value;
        return -1;
    case CLI_NUMBER:
        if (!whole_number(value, value + strlen(value), &n))
            return complain(from, "'%s' is no whole number; give %s", value, o->value);
        if (n < o->min || n > o->max)
            return complain(from, "%s is out of range; from %" PRId64 " to %" PRId64, value, o->min,
                            o->max);
        *(int64_t *)o->out = n;
        return -1;
    case CLI_RANGE:
        return set_range(from, o, value);
    case CLI_DECIMAL:
        if (!thousandths(value, &n))
            return complain(from, "'%s' is no number with at most three decimals", value);
        if (n < o->min || n > o->max)
            return complain(from, "%s is out of range; from %g to %g", value, (double)o->min / 1000,
                            (double)o->max / 1000);
        *(int64_t *)o->out = n;
        return -1;
    }
    return -1;
}

static int from_environment(const struct cli_usage *usage)
{
    for (const struct cli_option *o = usage->options; o->name; o++) {
        const char *value = o->env ? getenv(o->env) : NULL;
        struct origin from = { usage, "$", o->env };
        int rc = value && value[0] ? set(&from, o, value) : -1;

        if (rc >= 0)
            return rc;
    }
    return -1;
}

static char *trim(char *s)
{
    char *end = s + strlen(s);

    while (isspace((unsigned char)*s))
        s++;
    while (end > s && isspace((unsigned char)end[-1]))
        *--end = 0;
    return s;
}

/* `name = value`, quotes around the value allowed. A text is copied into usage->room from *used on.
 */
static int file_line(const struct cli_usage *usage, const char *place, char *line, size_t *used)
{
    char *equals = strchr(line, '='), *name = trim(line), *value;
    struct origin from = { usage, place, name };
    const struct cli_option *o;
    size_t len;

    if (!equals)
        return complain(&from, "is no 'name = value'");
    *equals = 0;
    name = trim(line);
    from.name = name;
    for (char *p = name; *p; p++)
        if (*p == '_')
            *p = '-';
    o = find(usage, name, strlen(name));
    if (!o)
        return complain(&from, "no such option");
    value = trim(equals + 1);
    len = strlen(value);
    if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
        value[len - 1] = 0;
        value++;
    }
    if (o->kind != CLI_TEXT)
        return set(&from, o, value);
    len = strlen(value) + 1;
    if (len > usage->room_len - *used)
        return complain(&from, "the texts of this file do not fit into %zu bytes", usage->room_len);
    value = memcpy(usage->room + *used, value, len);
    *used += len;
    return set(&from, o, value);
}

static int from_file(const struct cli_usage *usage, const char *path)
{
    char line[LINE_MAX_LEN], place[LINE_MAX_LEN];
    FILE *f = fopen(path, "r");
    size_t used = 0;
    int rc = -1;

    if (!f)
        return cli_usage_error(usage, "config", "cannot open '%s': %s", path, strerror(errno));
    for (int number = 1; rc < 0 && fgets(line, sizeof line, f); number++) {
        char *text = trim(line);

        snprintf(place, sizeof place, "%.900s:%d: ", path, number);
        if (text[0] && text[0] != '#')
            rc = file_line(usage, place, text, &used);
    }
    fclose(f);
    return rc;
}

/* One "--name", "--name=value" or "--no-name" at argv[*at]; takes the value from the next word when
 * it needs one. */
static int from_word(const struct cli_usage *usage, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct cli_option *o;
    struct origin from = { usage, "--", NULL };

    if (len > NAME_MAX_LEN)
        len = NAME_MAX_LEN;
    o = find(usage, name, len);
    if (!o && len > 3 && !memcmp(name, "no-", 3) && !equals) {
        o = find(usage, name + 3, len - 3);
        if (o && o->kind == CLI_FLAG) {
            *(bool *)o->out = false;
            return -1;
        }
        o = NULL;
    }
    if (!o)
        return unknown(usage, name, len);
    from.name = o->name;
    if (o->kind == CLI_FLAG)
        return set(&from, o, equals ? equals + 1 : "true");
    if (equals)
        return set(&from, o, equals + 1);
    if (*at + 1 >= argc || !strncmp(argv[*at + 1], "--", 2))
        return complain(&from, "needs a value: --%s %s", o->name, o->value);
    return set(&from, o, argv[++*at]);
}

static int from_words(const struct cli_usage *usage, int argc, char **argv, int *operands)
{
    int kept = 0;
    bool only_operands = false;

    for (int i = 1; i < argc; i++) {
        if (!only_operands && !strcmp(argv[i], "--")) {
            only_operands = true;
        } else if (!only_operands && !strncmp(argv[i], "--", 2)) {
            int rc = from_word(usage, argc, argv, &i);

            if (rc >= 0)
                return rc;
        } else if (!operands || !usage->operands ||
                   (!only_operands && argv[i][0] == '-' && argv[i][1])) {
            fprintf(
                stderr,
                "%s: '%s' is not understood; options begin with two dashes.\nSee '%s --help'.\n",
                usage->command, argv[i], usage->command);
            return CLI_USAGE;
        } else {
            argv[++kept] = argv[i];
        }
    }
    if (operands)
        *operands = kept;
    return -1;
}

/* The value of --config in argv, before the other options are read: it must not overrule them. */
static const char *config_of(const struct cli_usage *usage, int argc, char **argv)
{
    const struct cli_option *o = find(usage, "config", 6);

    if (!o || o->kind != CLI_TEXT)
        return NULL;
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (!strcmp(argv[i], "--config") && i + 1 < argc)
            return argv[i + 1];
        if (!strncmp(argv[i], "--config=", 9))
            return argv[i] + 9;
    }
    return *(const char **)o->out;
}

int cli_parse(const struct cli_usage *usage, int argc, char **argv, int *operands)
{
    const char *file;
    int rc;

    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return cli_help(usage, stdout), CLI_OK;
        if (!strcmp(argv[i], "--version"))
            return printf("amperstand %s\n", AMP_VERSION), CLI_OK;
    }
    rc = from_environment(usage);
    file = config_of(usage, argc, argv);
    if (rc < 0 && file)
        rc = from_file(usage, file);
    if (rc < 0)
        rc = from_words(usage, argc, argv, operands);
    if (rc >= 0)
        return rc;
    for (const struct cli_option *o = usage->options; o->name; o++)
        if (o->required && !*(const char **)o->out)
            return cli_usage_error(usage, o->name, "is missing; add --%s %s", o->name, o->value);
    return -1;
}

void cli_help(const struct cli_usage *usage, FILE *to)
{
    bool environment = false;

    fprintf(to, "Usage: %s [options]%s%s\n\n%s\n", usage->command, usage->operands ? " " : "",
            usage->operands ? usage->operands : "", usage->about);
    if (usage->examples)
        fprintf(to, "\nExamples:\n%s", usage->examples);
    fprintf(to, "\nOptions:\n");
    for (const struct cli_option *o = usage->options; o->name; o++) {
        char left[NAME_MAX_LEN * 2];

        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(to, "  %-28s %s%s\n", left, o->help, o->required ? " (required)" : "");
        environment = environment || o->env;
    }
    fprintf(to, "  %-28s %s\n  %-28s %s\n", "--help", "this text", "--version",
            "version of this program");
    if (environment) {
        fprintf(to, "\nEnvironment (options win over it):\n");
        for (const struct cli_option *o = usage->options; o->name; o++)
            if (o->env)
                fprintf(to, "  %-28s --%s\n", o->env, o->name);
    }
    fprintf(to, "\nExit codes: 0 ok, 1 failed, 2 wrong usage, 3 could not connect, 4 storage "
                "cannot be used.\n");
}

void cli_print_config(const struct cli_usage *usage, FILE *to)
{
    for (const struct cli_option *o = usage->options; o->name; o++) {
        const int64_t *n = o->out;
        const char *text = o->kind == CLI_TEXT ? *(const char **)o->out : NULL;

        fprintf(to, "# %s\n", o->help);
        if (o->secret || (o->kind == CLI_TEXT && !text) || !strcmp(o->name, "config"))
            fprintf(to, "# %s =%s\n", o->name, o->secret && text ? " (set, not shown)" : "");
        else if (o->kind == CLI_TEXT)
            fprintf(to, "%s = %s\n", o->name, text);
        else if (o->kind == CLI_FLAG)
            fprintf(to, "%s = %s\n", o->name, *(const bool *)o->out ? "true" : "false");
        else if (o->kind == CLI_RANGE)
            fprintf(to, "%s = %" PRId64 "-%" PRId64 "\n", o->name, n[0], n[1]);
        else if (o->kind == CLI_DECIMAL)
            fprintf(to, "%s = %" PRId64 ".%03" PRId64 "\n", o->name, n[0] / 1000, n[0] % 1000);
        else
            fprintf(to, "%s = %" PRId64 "\n", o->name, *n);
    }
}
