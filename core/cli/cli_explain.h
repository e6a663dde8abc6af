/* courant explain: where a record came from, and what each route did with it. */
#ifndef CORE_CLI_EXPLAIN_H
#define CORE_CLI_EXPLAIN_H

int	cli_explain(int argc, char **argv);
#endif
