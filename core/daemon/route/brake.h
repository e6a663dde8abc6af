/* What slows a station down whose workers die: a budget of workers, a delay after records that they
 * died of, and a pause before these become a whole backlog of dead letters. */
#ifndef CORE_BRAKE_H
#define CORE_BRAKE_H
#include <stdint.h>

#define BRAKE_DEATHS	5		/* records in a row that become dead letters before the pause */
#define BRAKE_DIED	16		/* the same, not in a row, if more than... */
#define BRAKE_SHARE	5		/* ...one in so many died */
#define BRAKE_MEMORY	1000		/* records that this is told by */
#define BRAKE_MIN	INT64_C(1000)	/* ms to wait after the third in a row; doubles... */
#define BRAKE_MAX	INT64_C(60000)	/* ...up to this */
#define BRAKE_PAUSE	INT64_C(3600000)	/* ms that a pause lasts when nobody ends it */
#define BRAKE_STARTS	12		/* workers started at once... */
#define BRAKE_START_MS	2000		/* ...and one more in so many ms */

struct brake {
	unsigned	 row;		/* records that workers died of, none done between */
	uint32_t	 died, done;	/* records lately */
	int		 paused;
	int64_t		 starts, at;	/* ms of BRAKE_START_MS saved up; ticks when */
};
void	 brake_release(struct brake *);	/* forgets all deaths; so a brake begins */
void	 brake_done(struct brake *, uint32_t records);
/* Workers died of a record, which is to become a dead letter: the delay after it, ms. -1: it is none,
 * the station pauses for BRAKE_PAUSE. */
int64_t	 brake_died(struct brake *);
/* The ms until two workers may be started; 0: now. */
int64_t	 brake_wait(struct brake *);
void	 brake_start(struct brake *);	/* one is started */
#endif
