/* courant search, similar: what the daemon has found. */
#ifndef CORE_CLI_SEARCH_H
#define CORE_CLI_SEARCH_H

int	cli_search(int argc, char **argv);
int	cli_similar(int argc, char **argv);
#endif
