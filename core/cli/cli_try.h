/* courant try. */
#ifndef CORE_CLI_TRY_H
#define CORE_CLI_TRY_H

int	cli_try(int argc, char **argv);
#endif
