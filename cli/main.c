/* cli/main.c - the `amperstand` command: one table of subcommands. */
#include "cli/cli.h"

#include <string.h>

static const struct cli_command *const commands[] = {
#ifdef AMP_HAVE_SERVE
    &cli_serve,
#endif
    &cli_station,
    &cli_fleet,
#ifdef AMP_HAVE_ADMIN
    &cli_admin,
#endif
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void list(FILE *to)
{
    fprintf(to, "Amperstand: electric-vehicle charging over OCPP, both ends of the wire.\n\n"
                "Usage: amperstand COMMAND [options]\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "\n'amperstand COMMAND --help' explains a command and shows examples.\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    if (!name) {
        list(stderr);
        return CLI_USAGE;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        return list(stdout), CLI_OK;
    if (!strcmp(name, "--version") || !strcmp(name, "version"))
        return printf("amperstand %s\n", AMP_VERSION), CLI_OK;
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i]->run(argc - 1, argv + 1);
    fprintf(stderr, "amperstand: '%s' is no command.\n\n", name);
    list(stderr);
    return CLI_USAGE;
}
