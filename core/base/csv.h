/* Tables as text with commas between (RFC 4180). */
#ifndef CORE_CSV_H
#define CORE_CSV_H
#include "buf.h"

#include <stddef.h>

#define CSV_FIELDS	32		/* of a row; those beyond are left out */

struct csv {
	const char	*at, *end;
	size_t		 line;		/* of the row that was read last, from 1 */
	size_t		 ends;		/* line ends so far */
	struct buf	 text;		/* the fields, each with its NUL */
	size_t		 n;
	size_t		 field[CSV_FIELDS];	/* places in text */
};

void		 csv_begin(struct csv *, const char *, size_t);	/* borrows the bytes */
void		 csv_free(struct csv *);
int		 csv_next(struct csv *);	/* reads a row that is not empty; 0: there are no more */
const char	*csv_field(const struct csv *, size_t i);	/* "": the row has no such field */
/* Appends a field, in quotes where it needs them. */
void		 csv_put(struct buf *, const char *);
#endif
