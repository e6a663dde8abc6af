/* courant parse: runs a source plugin on files. */
#ifndef CORE_CLI_PARSE_H
#define CORE_CLI_PARSE_H

int	cli_parse(int argc, char **argv);
#endif
