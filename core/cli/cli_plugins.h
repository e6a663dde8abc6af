/* courant plugins: lists and describes plugins. */
#ifndef CORE_CLI_PLUGINS_H
#define CORE_CLI_PLUGINS_H

int	cli_plugins(int argc, char **argv);
#endif
