/* What the files of the source and the sink exec share: their options, a command and its run, its
 * lines, and the records that they are. */
#ifndef EXEC_H
#define EXEC_H
#include <courant/plugin.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EXEC_WHY	400		/* bytes of a complaint */
#define EXEC_ARGS	256		/* arguments of a command */
#define EXEC_VARS	256		/* variables of its environment */
#define EXEC_MORE	8		/* that the plugin sets itself */
#define EXEC_SHOWN	60		/* bytes of a line that a complaint shows */
#define EXEC_TAIL	10		/* last lines of standard error that are kept */
#define EXEC_ERROR	400		/* bytes of each of these */

/* Options of both; of a sink, those of what is printed and of `every` are 0. */
struct exec_opts {
	const char *const *command, *const *environment;
	const char	*secrets, *folder;
	int64_t		 every, timeout, max_line, max_output, memory;
	int		 follow;
};

/* ---- environment.c ---- */

/* 0, or -1 and what is wrong with the options, which begins with the option's name. */
int	 exec_check(const struct exec_opts *, char why[EXEC_WHY]);
/* What a command gets: the usual few, what is configured, the secrets, and `more` (to NULL, or NULL),
 * at most EXEC_MORE, which nothing overrides. Freed by the caller, as is each. NULL: no memory. */
char	**environment_new(const struct exec_opts *, const char *const *more);
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
/* input: the command's standard input, not taken over; -1: it is empty. 0, or -1 with errno. */
int	 command_start(struct command *, const struct exec_opts *, char *const environment[],
	    int input);
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

/* ---- run.c ---- */

/* The last lines of an output. */
struct tail {
	char	 line[EXEC_TAIL][EXEC_ERROR + 1];
	size_t	 n;			/* lines so far */
};
/* Secrets in the text become asterisks. */
void		 tail_add(struct tail *, const struct exec_opts *, char *text, size_t len);
const char	*tail_last(const struct tail *);	/* "": there is none */

enum phase { RUNS, TOLD, OVER };	/* told to end; over: only the pipes are read to their end */

struct run {
	/* Set by the caller; the rest is 0 before. */
	struct cr		*cr;
	const struct exec_opts	*o;
	struct lines		 out;		/* max, line, arg: of its standard output */
	int64_t			 limit;		/* ms that it may take, or, with follow, be silent;
						 * 0: any */
	int64_t			 stop_ms;	/* that it may go on when the daemon stops */
	size_t			 max_bytes;	/* of output; 0: any */
	int			 sink;		/* what it prints beyond some is of no use */
	/* Of the run. */
	const char		*name;		/* of the command, without its folder */
	struct command		 command;
	struct lines		 err;
	struct tail		 errors;
	enum phase		 phase;
	int64_t			 until;		/* ticks: when the phase ends; INT64_MAX: never */
	size_t			 bytes, error_bytes;	/* printed */
	int			 stopping;	/* the daemon wants it to */
	char			 why[EXEC_WHY];	/* why it was ended early; "": it was not */
};
int64_t		 run_ticks(void);		/* ms of a clock that only moves on */
/* Runs the command to its end; nothing of it is left. 0, or -1 with errno: no process. input: as in
 * command_start(). */
int		 run_command(struct run *, char *const environment[], int input);
/* What the command did wrong, which is no fault of the plugin's. NULL: it did well. */
const char	*run_wrong(const struct run *, char why[EXEC_WHY]);
/* Its exit status; -1: it has none, since it was not started or was killed. */
int		 run_status(const struct run *);

/* ---- record.c ---- */

/* Emits the record that a line is. 0, or -1 and why it is none. odd: set to what was left out of it
 * ("" for nothing). */
int	 line_emit(struct cr *, const char *line, size_t len, char why[EXEC_WHY],
	    char odd[EXEC_WHY]);
#endif
