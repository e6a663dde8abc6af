/* All that `courant` prints, on standard output and standard error. Texts that others wrote cannot
 * steer the terminal, and make no lines (base/shown.h). No other file of this room writes to a
 * stream: contrib/layers checks it. */
#ifndef CORE_CLI_PRINT_H
#define CORE_CLI_PRINT_H
#include <jansson.h>

#include <stdarg.h>
#include <stddef.h>

/* As shown_print(): line ends of the format alone are printed. */
void	print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	print_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	print_verror(const char *fmt, va_list) __attribute__((format(printf, 1, 0)));
/* A text of several lines, which this program or the daemon made; error: on standard error. */
void	print_lines(const char *text, int error);
/* A text in JSON, with a line end behind it. The same from a tree, with flags of json_dumps(); -1: it cannot be
 * written. */
void	print_json_text(const char *);
int	print_json(const json_t *, size_t flags);
/* Writes what is buffered. On an error of standard output ends the program with 1. */
void	print_flush(void);
#endif
