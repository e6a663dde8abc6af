/* The log: one line a message on standard error, `TIME ROLE[PID]: LEVEL: text`. Control characters
 * and invalid UTF-8 in what is logged come out as \xNN, and a line ends after LOG_LINE bytes. */
#ifndef CORE_LOG_H
#define CORE_LOG_H
#define LOG_LINE	2048		/* bytes of one line, at most */
#define LOG_PATIENCE	20		/* ms that a line waits for whoever reads the log, or is lost */

/* Names the process in its lines. Not copied. debug: log_debug() writes too. */
void	log_open(const char *who, int debug);

void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What another process said on its standard error; name and pid are the process's. */
void	log_other(const char *name, int pid, const char *text);

/* An impossible state: logs, then ends the process with status 70. */
_Noreturn void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#endif
