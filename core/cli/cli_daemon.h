/* Requests to the running daemon, over its admin socket. */
#ifndef CORE_CLI_DAEMON_H
#define CORE_CLI_DAEMON_H
#include <jansson.h>
#include <stddef.h>

struct chan;

void	cli_daemon_conf(const char *file);	/* -c: not copied */
void	cli_daemon_state(const char *dir);	/* -s: not copied */

/* A configuration in place of that of -c, or of the default one; the daemon stays that of -c or -s,
 * if one of them was given. Not copied. */
void	cli_daemon_tried(const char *file);
/* A connection for several commands; without one, ends the program with 1. */
struct chan *cli_daemon_open(void);
/* As cli_ask(); *len (or NULL): bytes of the text, which may have NULs. */
int	cli_ask_over(struct chan *, const char *command, const char *arg, char **text, size_t *len);
/* Sends a command, with an argument or NULL. Returns the answer's status, and its text in *text,
 * allocated; without an answer, ends the program with 1. */
int	cli_ask(const char *command, const char *arg, char **text);
/* Sends a command if the daemon runs: 0, and the answer's text, allocated; -1: no daemon runs, or
 * the command failed. */
int	cli_ask_running(const char *command, char **text);

/* The path of the configuration: that of -c, else the default one if it is readable; or NULL. */
const char *cli_conf(void);
/* The path of the configuration if it exists and this user may not read it; or NULL. */
const char *cli_conf_denied(void);
/* As cli_ask(), for an answer in JSON. NULL: the daemon refused, or the answer cannot be read; why is
 * printed. */
json_t	*cli_ask_json(const char *command, const char *arg);
/* The same with a question in JSON. */
json_t	*cli_ask_about(const char *command, const json_t *question);
#endif
