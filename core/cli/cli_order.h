/* Commands that send one request to the daemon and print its answer. */
#ifndef CORE_CLI_ORDER_H
#define CORE_CLI_ORDER_H

int	cli_reload(int argc, char **argv);
int	cli_refresh(int argc, char **argv);
#endif
