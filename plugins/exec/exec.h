/* What the files of plugin exec share: its options, the command while it runs, its lines, and the
 * records that they are. */
#ifndef EXEC_H
#define EXEC_H
#include <courant/plugin.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EXEC_WHY	400		/* bytes of a complaint */
#define EXEC_ARGS	256		/* arguments of a command */
#define EXEC_VARS	256		/* variables of its environment */
#define EXEC_SHOWN	60		/* bytes of a line that a complaint shows */
#define EXEC_TAIL	10		/* last lines of standard error that are kept */
#define EXEC_ERROR	400		/* bytes of each of these */

struct exec_opts {
	const char *const *command, *const *environment;
	const char	*secrets, *folder;
	int64_t		 every, timeout, max_line, max_output, memory;
	int		 follow;
};

/* ---- environment.c ---- */

/* 0, or -1 and what is wrong with the options, which begins with the option's name. */
int	 exec_check(const struct exec_opts *, char why[EXEC_WHY]);
/* What a command gets: the usual few, what is configured, the secrets. Freed by the caller, as is
 * each. */
char	**environment_new(const struct exec_opts *);
void	 environment_free(char **);
/* Puts `*` in the place of each secret in a text. */
void	 secrets_hide(const struct exec_opts *, char *text);

/* ---- command.c: a command, its guard, and what both tell ---- */

/* The guard is a process of ours that leads the command's process group: it kills the group when
 * the worker dies, and when the command has ended, of which it tells. */
struct command {
	pid_t	 guard;			/* and process group; 0: none */
	int	 out, err, report;	/* to read from, without blocking; -1: at its end */
	int	 ready;			/* an epoll of them */
	int	 failed;		/* errno with which it could not be run; 0 */
	int	 ended, status;		/* it has; as of waitpid() */
};
/* 0, or -1 with errno. */
int	 command_start(struct command *, const struct exec_opts *, char *const environment[]);
/* Takes what the guard reports. 1: there is nothing more to come, since it is gone. */
int	 command_report(struct command *);
void	 command_signal(const struct command *, int sig);	/* to all of the group but the guard */
void	 command_shut(struct command *, int *fd);	/* one of its descriptors, at its end */
/* Kills what is left, and frees all. */
void	 command_end(struct command *);

/* ---- lines.c ---- */

/* Bytes cut into lines. */
struct lines {
	char	*text;
	size_t	 len, room, max;	/* max: bytes of a line; the rest of a longer one is left out */
	size_t	 number;		/* of the line that is being read, from 1 */
	int	 over;			/* ...and it is longer */
	/* A line without its end, ended by a NUL, that may be changed; over: it is cut. */
	void	(*line)(void *arg, char *text, size_t len, int over);
	void	*arg;
};
/* -1: out of memory. */
int	 lines_add(struct lines *, const char *text, size_t len);
void	 lines_end(struct lines *);		/* the last one may lack its end. Frees */

/* ---- record.c ---- */

/* Emits the record that a line is. 0, or -1 and why it is none. odd: set to what was left out of it
 * ("" for nothing). */
int	 line_emit(struct cr *, const char *line, size_t len, char why[EXEC_WHY],
	    char odd[EXEC_WHY]);
#endif
