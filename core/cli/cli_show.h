/* Prints text for people: tables and paragraphs that fit the terminal, whatever text they hold. If
 * the output is no terminal, nothing is cut or wrapped, and times are printed in RFC 3339. */
#ifndef CORE_CLI_SHOW_H
#define CORE_CLI_SHOW_H
#include "base/buf.h"

#include <stddef.h>

#define SHOW_COLUMNS	8		/* of a table */

/* Finds out whether the output is a terminal, and its width; to be called first. */
void	show_open(void);

/* Appends an RFC 3339 time relative to now, "in 4 min", "3 h ago"; beyond 60 days, the date. */
void	show_time(struct buf *, const char *rfc3339);

/* Prints head and, behind it, the text, wrapped and indented to the width of head. */
void	show_text(const char *head, const char *text);

struct show_column {
	const char	*title;
	int		 right;		/* 1: aligned right */
	size_t		 least;		/* width to which it may be cut; 0: never cut */
};
struct show_table;			/* opaque */
struct show_table *show_table_new(const struct show_column *, size_t n);
void	show_table_row(struct show_table *, const char *const *cells);	/* n cells, copied */
/* Adds a line below the last row, wrapped; "" adds none. Copied. */
void	show_table_note(struct show_table *, const char *);
void	show_table_end(struct show_table *);	/* prints and frees the table */
#endif
