/* The verdicts of a route on a stretch of the log, as one blob of the database. */
#ifndef CORE_VERDICT_H
#define CORE_VERDICT_H
#include "wire.h"

#include <courant/plugin.h>

#define VERDICT_RULES	250		/* different ones in a blob */
#define VERDICT_ROWS	100000		/* rows of a blob */
#define VERDICT_WHY_MAX	1024		/* bytes of the words to one verdict */
#define VERDICT_MAX	(64u << 20)	/* bytes of a blob */

enum { VERDICT_FAILED = 3 };		/* beside enum cr_verdict: no filter could judge it */

struct verdict {
	int64_t		 n;		/* in the log */
	int		 verdict;	/* enum cr_verdict, VERDICT_FAILED */
	const char	*rule, *why;	/* or NULL */
	struct bytes	 changes;	/* a record; of length 0: none */
	struct bytes	 trail;		/* as in struct result_verdict; of length 0: none */
};

/* A blob as it was read. */
struct verdicts {
	int64_t		 first, last;	/* of the log; 0, 0: nothing read */
	struct verdict	*row;		/* by n; strings point into data */
	size_t		 n, cap;
	char		*data;
};

/* Rows by rising n, all of them above `first` - 1. -1: over a maximum. */
int	verdicts_write(struct buf *, int64_t first, const struct verdict *, size_t n);
/* Into v, which was zeroed or read before. -1: malformed; v is then empty. */
int	verdicts_read(struct verdicts *v, int64_t first, int64_t last, struct bytes blob);
void	verdicts_free(struct verdicts *);		/* and ready for use again */
const struct verdict *verdicts_find(const struct verdicts *, int64_t n);	/* NULL: none */
#endif
