/* Text that others wrote, made fit to be shown to people: in the log, on a terminal, in JSON that is
 * printed. It can neither steer a terminal nor begin a line of its own. */
#ifndef CORE_SHOWN_H
#define CORE_SHOWN_H
#include "buf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Whether a character steers a terminal or changes how its neighbours are shown: C0 and C1 controls,
 * DEL, line and paragraph separators, characters that change the direction of writing (UAX 9),
 * invisible format characters other than joiners. */
int	shown_steers(uint32_t codepoint);

#define SHOWN_CHAR	8		/* bytes of one character, escaped, with a NUL */
/* Writes the character at the start of s (n > 0) to out: as it is; as \xNN if it is no valid UTF-8
 * or an ASCII control; as \uNNNN if it steers otherwise. Returns how many bytes of s that were. */
size_t	shown_char(char out[SHOWN_CHAR], const char *s, size_t n);

/* Adds s, written so. lines: line ends and tabs stay. */
void	shown_add(struct buf *, const char *, size_t, int lines);
/* Adds a text in JSON: characters that steer become \uNNNN, which they can be in strings alone. */
void	shown_json(struct buf *, const char *, size_t);

/* buf_fmt() and printf() for people: the text of %s and %c is written as by shown_char(), so that the format alone
 * can print line ends. A width counts the bytes written. Knows s, c, d, i, u, x with the flag -, a
 * width, a precision, l, ll and z; another format ends the program. */
void	shown_fmt(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	shown_print(FILE *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	shown_vprint(FILE *, const char *fmt, va_list) __attribute__((format(printf, 2, 0)));
/* Prints a text of several lines, each of which is made by this program. NULL prints nothing. */
void	shown_lines(FILE *, const char *text);
#endif
