/* What the commands of `courant` share. */
#ifndef CORE_CLI_H
#define CORE_CLI_H

/* Each takes its own arguments, argv[0] being its name, and returns an exit status. */
int	cli_parse(int argc, char **argv);

_Noreturn void cli_usage(void);
#endif
