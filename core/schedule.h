/* When a source is polled next: a pure function of what is known, what happened, and now. */
#ifndef CORE_SCHEDULE_H
#define CORE_SCHEDULE_H
#include "msg.h"

#define SCHEDULE_EVERY_MIN	(30 * INT64_C(60000))	/* without `every:`: learnt in between */
#define SCHEDULE_EVERY_MAX	(24 * INT64_C(3600000))
#define SCHEDULE_BACKOFF_MAX	(24 * INT64_C(3600000))
#define SCHEDULE_RETRY_MAX	(7 * INT64_C(86400000))	/* of a Retry-After or max-age that we obey */

struct schedule_rule {
	int64_t	 every_min, every_max;		/* ms; the same: fixed */
};
enum outcome_kind {
	OUTCOME_NEW,		/* read; something was new */
	OUTCOME_SAME,		/* read, nothing new; or 304 */
	OUTCOME_SLOW,		/* 429, 503: asked to slow down */
	OUTCOME_ERROR,		/* could not be read: network, status, bad data */
	OUTCOME_GONE,		/* 410, or the plugin said so */
	OUTCOME_PARKED,		/* killed two workers */
	OUTCOME_RETRY,		/* the plugin asked for a time */
	OUTCOME_DROPPED,	/* the configuration changed under it: again at once, politely */
};
struct outcome {
	int		 kind;		/* enum outcome_kind */
	int64_t		 retry_after;	/* ms from now; -1 */
	int64_t		 max_age;	/* ms; -1 */
	int64_t		 ttl;		/* of the feed, ms; 0 */
	uint32_t	 skip_hours, skip_days;
	uint32_t	 random;	/* any; the jitter, later only */
	const char	*error;
};
/* Moves due, interval, not_before, failures, state, checked, ok; error is the caller's to set. */
void	schedule_move(struct mark *, const struct schedule_rule *, const struct outcome *,
	    int64_t now);
/* The first due time of a source that was never polled: soon, spread by random. And of one after an
 * unclean stop or a longer pause: never at once for all (DESIGN law 9). */
int64_t	schedule_first(const struct mark *, const struct schedule_rule *, int64_t now,
	    uint32_t random, uint32_t sources);
#endif
