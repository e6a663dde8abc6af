/* The verdicts of a route for a range of the log, as one blob of the database. */
#ifndef CORE_VERDICT_H
#define CORE_VERDICT_H
#include "ipc/wire.h"

#include <courant/plugin.h>

#define VERDICT_RULES	250		/* different rules in a blob */
#define VERDICT_ROWS	100000		/* rows of a blob */
#define VERDICT_WHY_MAX	1024		/* bytes of the reason of one verdict */
#define VERDICT_MAX	(64u << 20)	/* bytes of a blob */

enum { VERDICT_FAILED = 3 };		/* beside enum cr_verdict: a filter failed on the record */

struct verdict {
	int64_t		 n;		/* in the log */
	int		 verdict;	/* enum cr_verdict, VERDICT_FAILED */
	const char	*rule, *why;	/* or NULL */
	struct bytes	 changes;	/* a record; of length 0: none */
	struct bytes	 trail;		/* as in struct result_verdict; of length 0: none */
	const char	*number;	/* of CR_WAIT, as in struct result_verdict; in no blob */
	double		 least;
	int		 apart;		/* 1: CR_KEEP: kept when the sinks that push had passed the
					 * record, which did not get it; otherwise: they got the
					 * record, which was kept before */
	int		 sent;		/* 1: CR_KEEP: the sinks that push got the record by another
					 * row of the log */
};

/* A blob that was read. */
struct verdicts {
	int64_t		 first, last;	/* of the log; 0, 0: nothing read */
	struct verdict	*row;		/* by n; strings point into data */
	size_t		 n, cap;
	char		*data;
};

/* Writes rows in the order of n, none below `first`. -1: over a maximum. */
int	verdicts_write(struct buf *, int64_t first, const struct verdict *, size_t n);
/* Reads into v, which is zeroed or was read before. -1: malformed; v is then empty. */
int	verdicts_read(struct verdicts *v, int64_t first, int64_t last, struct bytes blob);
void	verdicts_free(struct verdicts *);		/* leaves it empty, ready for use */
const struct verdict *verdicts_find(const struct verdicts *, int64_t n);	/* NULL: none */
#endif
