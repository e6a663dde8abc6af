/* courant fetch: polls a source once. */
#ifndef CORE_CLI_FETCH_H
#define CORE_CLI_FETCH_H

int	cli_fetch(int argc, char **argv);
#endif
