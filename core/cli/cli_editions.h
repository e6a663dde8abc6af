/* courant editions. */
#ifndef CORE_CLI_EDITIONS_H
#define CORE_CLI_EDITIONS_H

int	cli_editions(int argc, char **argv);
#endif
