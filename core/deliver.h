/* Stations: what deliver.c (which of them works, and what store tells them) and station.c (a batch
 * under way) share. */
#ifndef CORE_DELIVER_H
#define CORE_DELIVER_H
#include "core.h"
#include "digest.h"
#include "msg.h"

enum station_state { STATION_IDLE, STATION_PULL, STATION_WORK, STATION_ANSWERED, STATION_SETTLE };

/* What a sink answered and store has not settled yet: if store dies meanwhile and hands out the same
 * batch again, it is answered from here and not delivered twice. */
struct held {
	char			*id;		/* of the delivery; NULL: nothing is held */
	uint32_t		 done;
	enum ack_then		 then;
	int64_t			 retry;
	char			*reason;
	int			 out;		/* memfd of what it keeps; -1: nothing */
};

/* A route's filters, or one of its sinks. It outlives a reload under the names of its route and its
 * leg: route, instance and place are then those of the new setup. */
struct station {
	struct core		*core;
	struct route		*route;		/* of the setup */
	struct instance		*instance;	/* the sink; NULL: the filters */
	uint32_t		 place;		/* of the leg, or PULL_FILTER */
	unsigned char		 means[DIGEST_SIZE];	/* of what its worker was started with */
	uint32_t		 id, leg;	/* what store calls it: of the setup that it last knew */
	enum station_state	 state;
	int			 behind;	/* store may have work for it */
	int			 paused;	/* store says: until it is resumed */
	enum { RESUME_NONE, RESUME_WANTED, RESUME_ASKED } resume;	/* with the next PULL */
	int			 changed;	/* by a reload: its worker goes after this batch */
	int64_t			 not_before;	/* ticks: pause of a list, delay of a retry */
	unsigned		 failures;	/* in a row */
	char			*reason;	/* why its filters could not judge; NULL: they did */
	struct worker		*worker;	/* NULL: none now */
	struct event		*timer;
	struct held		 held;
	unsigned		 epoch;		/* restarts of store when it gave the batch */
	/* The batch under way. */
	struct work		 work;		/* its id is owned */
	int			 batch, out;	/* memfds; -1 */
	int			 tries;
	uint32_t		 progress;	/* of a careful run */
};

/* station.c */
const char *station_name(const struct station *);	/* "filters", or its leg's */
/* Why it cannot work: a plugin is missing or refused. NULL: it can. */
const char *station_waiting(const struct station *);
void	 station_means(const struct station *, struct digest *, unsigned char out[DIGEST_SIZE]);
void	 station_state(struct station *, enum station_state);
void	 station_timer(struct station *, int64_t ticks);
/* Gives the batch to its worker; the second time one record after the other. */
void	 station_give(struct station *);
/* Tells store how far the batch came: what is held. */
void	 station_tell(struct station *);
/* Idle with work left, which it asks for again when its time has come. */
void	 station_again(struct station *);
/* The filters could not judge: they are asked again later, and status says why. asked: ms; -1. */
void	 station_pause(struct station *, int64_t asked, const char *why);
/* Takes out. */
void	 held_set(struct held *, const char *id, uint32_t done, enum ack_then, int64_t retry,
	    const char *reason, int out);

/* deliver.c */
void	 deliver_on(struct core *);		/* who can work asks for it */
#endif
