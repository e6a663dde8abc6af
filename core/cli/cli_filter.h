/* courant filter: runs a filter on records. */
#ifndef CORE_CLI_FILTER_H
#define CORE_CLI_FILTER_H

int	cli_filter(int argc, char **argv);
#endif
