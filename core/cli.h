/* What the commands of `courant` share. */
#ifndef CORE_CLI_H
#define CORE_CLI_H

/* Each takes its own arguments, argv[0] being its name, and returns an exit status. */
int	cli_parse(int argc, char **argv);
int	cli_fetch(int argc, char **argv);
int	cli_filter(int argc, char **argv);
int	cli_explain(int argc, char **argv);
int	cli_plugins(int argc, char **argv);

/* Asks the daemon; *text is allocated. Returns the status that it gave; without an answer, ends the
 * program. */
int	cli_ask(const char *command, const char *arg, char **text);
/* Asks the daemon, if one runs: 0 and its answer, allocated; -1: none does. */
int	cli_try(const char *command, char **text);

/* The configuration to take settings from: that of -c, else the daemon's when there is one; or NULL. */
const char *cli_conf(void);

_Noreturn void cli_usage(void);
#endif
