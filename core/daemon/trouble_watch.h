/* What is wrong with the daemon's sources, sinks, plugins and roles at this moment. */
#ifndef CORE_TROUBLE_WATCH_H
#define CORE_TROUBLE_WATCH_H
#include "ipc/roles.h"

#include <stddef.h>
#include <stdint.h>

struct core;

enum trouble_kind {
	TROUBLE_FAILING, TROUBLE_GONE, TROUBLE_MOVED, TROUBLE_SILENT,	/* of a source */
	TROUBLE_PAUSED, TROUBLE_DEAD, TROUBLE_BEHIND,		/* of a sink, or a route's filters */
	TROUBLE_REFUSED, TROUBLE_BACK,				/* of a plugin */
	TROUBLE_RESTARTED,					/* of a role */
	TROUBLE_MANY,						/* of the daemon: see trouble.c */
	TROUBLE_KINDS
};
#define TROUBLE_NAME	512		/* bytes of a name, with its NUL */

/* A condition that holds now. All strings are borrowed. */
struct trouble_seen {
	enum trouble_kind kind;
	const char	*name;		/* source, ROUTE/SINK, KIND_NAME of a plugin, or role */
	int64_t		 since;		/* ms; 0: unknown */
	int64_t		 hold;		/* ms that it has to hold before it is announced */
	uint32_t	 at;		/* of a source: its place in the setup */
	const char	*why;		/* or NULL */
	const char	*url;		/* of a source, as status shows it; or NULL */
	/* ms; 0, INT64_MAX: none. Of a source: the last good poll, and the next one. Of a sink: when
	 * its oldest unconfirmed record was stored, and the next try. Of a silent source: when its
	 * last new record was stored */
	int64_t		 ok, due;
	uint32_t	 failures, status;	/* of a source, as in its mark */
	int64_t		 rhythm;	/* of a silent source, ms; else 0 */
	uint64_t	 count;		/* of dead letters, of records that wait; else 0 */
};
typedef void	trouble_cb(const struct trouble_seen *, void *arg);

/* What is remembered between two rounds. Zeroed at first. */
struct trouble_watch {
	/* When roles were started again, ms; 0: not since core began. */
	struct { unsigned restarts; int64_t when; } role[ROLES];
	struct silence	*silent;	/* of store's last answer, by source; owned */
	size_t		 nsilent;
	int		 answered;	/* store has answered */
};

/* Calls back for each condition of up to n sources from *at on; moves *at. Whether there are more. */
int	trouble_sources(const struct core *, const struct trouble_watch *, uint32_t *at, uint32_t n,
	    trouble_cb *, void *arg);
/* Calls back for each condition of sinks, plugins and roles. A route that delivers records of trouble
 * is left out, with its sinks. */
void	trouble_rest(const struct core *, struct trouble_watch *, trouble_cb *, void *arg);

/* Whether a condition that began at `since` and is not seen any more is over. What is not known yet
 * after a start is not over. at: the source's place when it was last seen, corrected. */
enum trouble_over { OVER_NOT_YET, OVER_WELL, OVER_REMOVED /* from the configuration */ };
enum trouble_over trouble_over(const struct core *, const struct trouble_watch *, enum trouble_kind,
    const char *name, int64_t since, uint32_t *at);
#endif
