/* When a source is polled next: a pure function of its mark, the outcome of its poll, and the
 * time. */
#ifndef CORE_SCHEDULE_H
#define CORE_SCHEDULE_H
#include "ipc/msg.h"

#define SCHEDULE_BACKOFF_MAX	(24 * INT64_C(3600000))
#define SCHEDULE_RETRY_MAX	(7 * INT64_C(86400000))	/* the longest Retry-After that is obeyed */

struct schedule_rule {
	int64_t	 every_min, every_max;		/* ms; equal: a fixed interval */
};
enum outcome_kind {
	OUTCOME_NEW,		/* read, with new records */
	OUTCOME_SAME,		/* read, without new records; or 304 */
	OUTCOME_SLOW,		/* 429, 503: asked to slow down */
	OUTCOME_ERROR,		/* could not be read: network, status, bad data */
	OUTCOME_GONE,		/* 410, or the plugin failed with CR_GONE */
	OUTCOME_PARKED,		/* two workers died of it, or its results were malformed */
	OUTCOME_RETRY,		/* the plugin called retry() */
	OUTCOME_DROPPED,	/* the source changed, or a role was away or full: again soon */
};
struct outcome {
	int		 kind;		/* enum outcome_kind */
	int64_t		 retry_after;	/* ms from now; -1 */
	int64_t		 max_age;	/* ms; -1 */
	int64_t		 ttl;		/* of the feed, ms; 0 */
	uint32_t	 skip_hours, skip_days;
	uint32_t	 random;	/* any; for the jitter, which only delays */
	const char	*error;
};
/* Sets due, interval, not_before, failures, state, checked and ok; the caller sets error. */
void	schedule_move(struct mark *, const struct schedule_rule *, const struct outcome *,
	    int64_t now);
/* Corrects times that a wrong clock wrote into a mark: past events that lie in the future, and
 * times further ahead than the longest wait. 1: the mark changed. */
int	schedule_fit(struct mark *, const struct schedule_rule *, int64_t now);
/* The due time of a source when the daemon starts. A source that was never polled is due soon;
 * times are spread by random, so that after an unclean stop or a longer pause all are not due at
 * once. */
int64_t	schedule_first(const struct mark *, const struct schedule_rule *, int64_t now,
	    uint32_t random, uint32_t sources);
#endif
