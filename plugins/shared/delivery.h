/* What sinks share that hand records on one message after the other: a message's id, the delays before
 * it is tried again, and the search for the record that its receiver refuses. */
#ifndef SHARED_DELIVERY_H
#define SHARED_DELIVERY_H
#include <courant/plugin.h>

#include <stddef.h>
#include <stdint.h>

#define DELIVERY_ID	128		/* bytes of a message's id, with its NUL */
#define RETRIES_MAX	32		/* entries of the option `retry` */
#define RETRIES_USUAL	"5 s|5 min|30 min|2 h|5 h|10 h|14 h|20 h|24 h"

/* The id of a message: the delivery's of its record; of several records, of the first and how many, so
 * that a message under the same id is the same message. n is at least 1. */
void	 delivery_id(struct cr *, const struct cr_record *const *, size_t n, char id[DELIVERY_ID]);

/* Whether the records from `at` on are to go now, in messages of at most `most`. A last few do not fill
 * one: they begin the next call's first message, so that where messages begin depends on the first
 * record that is not delivered, not on how many the host hands out. */
int	 delivery_now(const struct cr_batch *, size_t at, size_t most);

/* ---- Retries ---- */

struct retries {
	int64_t	 delay[RETRIES_MAX];	/* ms before the first further try, the second, ... */
	size_t	 n;
};
/* check(): 0, or what fail() returned, of the option `retry`: a list of durations, or NULL. */
int	 retries_check(struct cr *, const char *const *list);
/* Of a list that was checked. */
void	 retries_read(struct retries *, const char *const *list);
/* A delay with up to a tenth more, other for each id, so that not all come back at once. */
int64_t	 retries_spread(const char *id, int64_t ms);

/* ---- Which record is refused ---- */

/* A message of several records was refused for one or more of them: it is sent again in halves, until a
 * record stands alone. Zeroed: nothing was refused. */
struct culprit {
	size_t	 among;			/* the culprit is one of so many... */
	char	 first[DELIVERY_ID];	/* ...from the record with this id on */
};
/* Whether the culprit is one of the records from this one on. */
int	 culprit_near(const struct culprit *, const char *id);
/* How many of at most `most` records the next message may have; id: of the first of them. */
size_t	 culprit_most(const struct culprit *, const char *id, size_t most);
/* A message of n records, the first with this id, was refused. One that is refused alone is sent alone
 * again. */
void	 culprit_refused(struct culprit *, const char *id, size_t n);
/* Messages of n records, the first with this id, were taken. next: id of the record behind them; NULL:
 * not known. */
void	 culprit_taken(struct culprit *, const char *id, size_t n, const char *next);
#endif
