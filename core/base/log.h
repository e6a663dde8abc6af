/* The log: one line a message on standard error, `TIME ROLE[PID]: LEVEL: text`. What would steer a
 * terminal, and invalid UTF-8, is written as \xNN or \uNNNN (shown.h), and a line is cut after LOG_LINE
 * bytes. */
#ifndef CORE_LOG_H
#define CORE_LOG_H
#define LOG_LINE	2048		/* bytes of one line, at most */
#define LOG_PATIENCE	20		/* ms that a line waits for a full pipe; then it is lost */

/* who: the process's name in its lines, not copied. debug: log_debug() writes, too. */
void	log_open(const char *who, int debug);

/* Where the lines go: standard error, unless set. */
void	log_to(int fd);
int	log_fd(void);

void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For an error that ends the process, or the reason why a request is refused. */
void	log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Logs each line of a text, by one of the functions above. text NULL: nothing. */
void	log_lines(void (*)(const char *fmt, ...), const char *text);

/* Logs a line that another process wrote for the log; name and pid: of that process; of: the plugin
 * and its source, route or file. warn: as log_warn() does. */
void	log_other(const char *name, int pid, int warn, const char *of, const char *text);

/* An impossible state: logs, then ends the process with status 70. */
_Noreturn void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#endif
