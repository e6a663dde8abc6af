/* courant subscribers: who subscribes to a route; courant bounce: a mail that came back. */
#ifndef CORE_CLI_SUBSCRIBERS_H
#define CORE_CLI_SUBSCRIBERS_H
int	cli_subscribers(int argc, char **argv);
int	cli_bounce(int argc, char **argv);
#endif
