/* courant refilter. */
#ifndef CORE_CLI_REFILTER_H
#define CORE_CLI_REFILTER_H

/* What of the past a command is about: "all", a number of records or an age, as people write it. The
 * same for the daemon; valid until the next call. Otherwise ends the program with 2. */
const char	*cli_past(const char *text);
int		 cli_refilter(int argc, char **argv);
#endif
