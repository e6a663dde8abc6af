/* Commands about what sinks have not confirmed: dead letters, replay, drop, resume. */
#ifndef CORE_CLI_OUTBOX_H
#define CORE_CLI_OUTBOX_H

int	cli_dead(int argc, char **argv);
int	cli_replay(int argc, char **argv);
int	cli_drop(int argc, char **argv);
int	cli_resume(int argc, char **argv);
int	cli_test(int argc, char **argv);
#endif
