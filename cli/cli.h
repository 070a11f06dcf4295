/* cli/cli.h - what the subcommands of `amperstand` share: the table entry, exit codes, and one way
 * to read options. Every option can come from the command line, a file or the environment, in that
 * order of precedence. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What the shell learns. Scripts depend on these: numbers are never given a new meaning. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,     /* it ran, and what was asked for did not happen */
    CLI_USAGE = 2,      /* the command line, a file or the environment is wrong; nothing was done */
    CLI_NO_CONNECT = 3, /* the other side could not be reached, or refused us */
    CLI_STORAGE = 4     /* the data directory or database cannot be used */
};

/* One subcommand: a file of this folder exports one, main.c lists it. argv[0] is the subcommand's
 * own name. */
struct cli_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
};

extern const struct cli_command cli_station, cli_fleet, cli_serve, cli_admin;

/* What an option's value is, and so the type that `out` points to. */
enum cli_kind {
    CLI_FLAG, /* bool; takes no value on the command line, true or false elsewhere. --no-NAME clears
                 it */
    CLI_TEXT, /* const char * */
    CLI_NUMBER, /* int64_t within min..max */
    CLI_RANGE,  /* int64_t[2]: "20-60" or "20"; both within min..max, first <= second */
    CLI_DECIMAL /* int64_t in thousandths ("2.5" is 2500); min..max are thousandths too */
};

struct cli_option {
    const char *name; /* without the dashes; in files `name = value`, `-` or `_` alike */
    enum cli_kind kind;
    const char *value; /* placeholder for the help: "HOST:PORT"; NULL for a flag */
    void *out;         /* holds the default before cli_parse */
    const char *help;  /* one line, says the unit and the default */
    int64_t min, max;  /* numbers */
    bool required;
    const char *env; /* name of the environment variable, or NULL */
    bool secret;     /* never printed */
};

/* How one subcommand is used. `options` ends with a NULL name. */
struct cli_usage {
    const char *command;  /* "amperstand station" */
    const char *operands; /* "FILE..." for the help, or NULL: none are taken */
    const char *about;    /* what it does and why, some lines */
    const char *examples; /* lines as they are typed, each with its reason */
    const struct cli_option *options;
    char *
        room; /* texts read from the --config file are kept here, as long as the options are used */
    size_t room_len;
};

/* Read environment, then the file named by `--config` (when there is such an option, of kind TEXT),
 * then the command line into the options. argv[0] is skipped; operands are moved to argv[1..] and
 * counted in *operands (may be NULL when none are taken). Texts point into argv, the environment or
 * usage->room. Returns -1: go on; otherwise the exit code to end with at once: CLI_OK after --help
 * or --version, CLI_USAGE after a message on stderr that names the option and the cure. */
int cli_parse(const struct cli_usage *usage, int argc, char **argv, int *operands);

void cli_help(const struct cli_usage *usage, FILE *to);

/* Every option with its value as `name = value`, readable by --config; secrets only as a comment.
 */
void cli_print_config(const struct cli_usage *usage, FILE *to);

/* "amperstand station: --url: ..." on stderr. Returns CLI_USAGE. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int cli_usage_error(const struct cli_usage *usage, const char *option, const char *format, ...);

#endif
