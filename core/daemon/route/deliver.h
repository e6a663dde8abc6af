/* Delivery: a route's records from the log, through its filters, to its sinks. */
#ifndef CORE_DELIVER_H
#define CORE_DELIVER_H
#include "ipc/roles.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct core;
struct frame;
struct setup;
struct wire;

#define STATIONS_BUSY	32		/* route workers at once, besides those that only wait */
#define BATCH_MAX	500		/* records of a batch */
/* For a sink that uses the network or programs: of so many a kill may repeat some. Twice as many while
 * a whole batch is settled in less than BATCH_FAST ms. */
#define BATCH_PUSH	32
#define BATCH_PUSH_MAX	128
#define BATCH_FAST	100

/* Is told what became of the test with that question: status 0, or 1; a text for people. */
typedef void (*deliver_tested)(struct core *, uint32_t question, int status, const char *text);

void	 deliver_init(struct core *);
void	 deliver_setup(struct core *, const struct setup *old);	/* those that stay go on */
void	 deliver_ready(struct core *, struct wire *);	/* store's ids of the routes; begins */
void	 deliver_head(struct core *, int64_t head);	/* the log has grown */
void	 deliver_asked(struct core *);	/* an operator gave sinks work, also those that are paused */
void	 deliver_work(struct core *, struct frame *);
void	 deliver_settled(struct core *, struct frame *);
void	 deliver_gone(struct core *, enum role_id);
void	 deliver_stop(struct core *);		/* sinks that only wait are told to return */
int	 deliver_busy(const struct core *);
/* An operator resumes ROUTE or ROUTE/SINK; "": all. 0; -1: no such route or sink. said gets what
 * was done, or the error. */
int	 deliver_resume(struct core *, const char *name, struct buf *said);

/* Gives ROUTE/SINK a sample. to: the reader of one that is mail, or NULL. 0: `tested` will be called; -1: said has the error. */
int	 deliver_test(struct core *, const char *name, const char *to, uint32_t question, deliver_tested tested,
	    struct buf *said);

uint32_t deliver_route_id(const struct core *, size_t route);	/* store's; 0: not yet sent */
/* The state of the station of a sink's place (or PULL_FILTER), for people; pid: its worker's, or
 * 0. */
const char *deliver_state(const struct core *, size_t route, uint32_t sink, pid_t *);
/* A sink, or a route's filters, as it is now. Strings are borrowed. */
struct deliver_seen {
	size_t		 route;		/* place in the setup */
	uint32_t	 id, sink;	/* store's; sink: place, or PULL_FILTER */
	const char	*name;		/* "filters", or the sink's name */
	int		 paused;	/* by store until it is resumed, or since its workers die */
	const char	*reason;	/* why its filters failed, or NULL */
};
void	 deliver_each(const struct core *, void (*)(const struct deliver_seen *, void *), void *arg);
/* Why a route's filters failed; NULL: they did not, or it is a sink. */
const char *deliver_reason(const struct core *, size_t route, uint32_t sink);
#endif
