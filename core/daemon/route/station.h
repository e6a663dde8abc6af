/* A station: a route's filters, or one of its sinks, and the batch that they have under way. */
#ifndef CORE_STATION_H
#define CORE_STATION_H
#include "brake.h"
#include "deliver.h"
#include "base/digest.h"
#include "conf/setup.h"
#include "ipc/msg.h"

#include <stdint.h>

struct core;
struct event;
struct worker;

#define LIST_SPACING	1000		/* ms between two writings of one list */

enum station_state { STATION_IDLE, STATION_PULL, STATION_WORK, STATION_ANSWERED, STATION_SETTLE };

/* A sink's answer that store has not settled yet. If store dies meanwhile and hands out the same
 * batch again, the station acknowledges it from here, and the batch is not delivered twice. */
struct held {
	char			*id;		/* of the delivery; NULL: no answer is held */
	uint32_t		 done;
	enum ack_then		 then;
	int64_t			 retry;
	char			*reason;
	int			 out;		/* memfd: its plugin's new state; -1: none */
};

/* A station outlives a reload if the new setup has a route and a sink of the same names: route,
 * instance and place then belong to the new setup. */
struct station {
	struct core		*core;
	struct route		*route;		/* of the setup */
	struct instance		*instance;	/* the sink; NULL: the filters */
	uint32_t		 place;		/* of the sink in its route, or PULL_FILTER */
	unsigned char		 means[DIGEST_SIZE];	/* digest of its worker's start */
	uint32_t		 lane;		/* of an unordered sink, which has SINK_LANES; else 0 */
	struct station		*before;	/* the lane before this one; NULL: it is the first */
	uint32_t		 id, sink;	/* store's, by the setup that store read last */
	enum station_state	 state;
	int			 behind;	/* store may have work for this station */
	int			 paused;	/* by store, until an operator resumes it */
	enum { RESUME_NONE, RESUME_WANTED, RESUME_ASKED } resume;	/* by the next PULL */
	int			 changed;	/* by a reload: its worker stops after this batch */
	int			 broken_off;	/* the daemon stops: its worker was told to end the job */
	int			 waits;		/* its sink waits for something outside, in this job */
	int			 anew;		/* start or reload: list wanted, even unchanged */
	int			 asked_anew;	/* the batch under way was pulled with anew */
	int64_t			 not_before;	/* ticks: end of a list's pause, a retry's delay */
	int64_t			 replay;	/* ticks: store may have replays from then on; 0: none */
	unsigned		 failures;	/* in a row */
	uint32_t		 sample;	/* the question of who tests the sink; 0: nobody */
	int			 asked_sample;	/* PULL asked for a sample */
	char			*sample_to;	/* its reader, if it is mail; or NULL */
	char			*mailed;	/* what became of that mail, for people; NULL: nothing yet */
	uint32_t		 mailed_class;	/* enum mail_class */
	uint32_t		 written;	/* readers of the batch who have got a message, a bit each */
	struct brake		 brake;
	char			*reason;	/* why its filters failed; NULL: they did not */
	struct worker		*worker;	/* NULL: none */
	struct event		*timer;
	struct held		 held;
	unsigned		 epoch;		/* restarts of store when it sent the batch */
	uint32_t		 most;		/* records of the next batch of a sink that pushes */
	int64_t			 begun;		/* ticks: when the batch was given to the worker */
	/* The batch under way. */
	struct work		 work;		/* work.id is owned */
	int			 batch, out;	/* memfds; -1 */
	int			 tries;		/* workers that were given the batch */
	uint32_t		 progress;	/* records done, in a careful run or by done() */
	int64_t			 heard;		/* ticks: when store last heard of progress */
};

/* All stations of the daemon. */
struct deliver {
	struct station	**station;	/* one for each sink, one for each route's filters */
	size_t		 n, busy, turn;
	size_t		 waiting;	/* of the busy ones, those that wait and cost little */
	struct event	*wake;		/* pulls for all that can work */
	deliver_tested	 tested;	/* is called with a sample's outcome */
};

const char *station_name(const struct station *);	/* "filters", or the sink's name */
/* Whether the sink takes the whole list each time: its output can be written again. */
int	 station_lists(const struct station *);
/* Whether the sink writes mail to readers. */
int	 station_mails(const struct station *);
/* Whether the sink takes records in any order (`ordered: no`). */
int	 station_unordered(const struct station *);
/* Why the station cannot work: a plugin is missing or refused. NULL: it can. */
const char *station_waiting(const struct station *);
/* The digest of what the station's worker is to be started with: plugins, options, grants,
 * limits. */
void	 station_means(const struct station *, struct digest *, unsigned char out[DIGEST_SIZE]);
void	 station_state(struct station *, enum station_state);
void	 station_timer(struct station *, int64_t ticks);
/* Gives the batch to the station's worker; on the second try one record after the other. */
void	 station_give(struct station *);
/* Sends store the held answer: how much of the batch was delivered. */
void	 station_tell(struct station *);
/* Ends an operator's test of the sink, if one is under way; status 0: the sink took the sample. */
void	 station_tested(struct station *, int status, const char *said);
/* Makes the station idle with work left, which it pulls again once not_before has passed. */
void	 station_again(struct station *);
/* The filters gave no verdicts: they are tried again after asked ms (-1: the backoff); status says
 * why. */
void	 station_pause(struct station *, int64_t asked, const char *why);
/* Replaces the held answer; id NULL: none is held. Takes ownership of out. */
void	 held_set(struct held *, const char *id, uint32_t done, enum ack_then, int64_t retry,
	    const char *reason, int out);
#endif
