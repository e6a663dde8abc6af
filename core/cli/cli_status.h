/* courant status: shows the state of the daemon's roles, workers, sources and routes. */
#ifndef CORE_CLI_STATUS_H
#define CORE_CLI_STATUS_H

int	cli_status(int argc, char **argv);
#endif
