/* The lanes before the parse workers, one for each plugin: its polls that wait for a worker, its jobs
 * that run, and its share of both. What a plugin's slow jobs hold is taken from nobody else. */
#ifndef CORE_LANES_H
#define CORE_LANES_H
#include <stdint.h>

struct buf;
struct core;
struct poll;

#define LANE_QUICK_MS	200		/* a job that runs longer is slow */
#define LANE_SLOW	8		/* slow jobs of one plugin at once */
#define LANES_SLOW	32		/* slow jobs of all plugins, but for the only one of a plugin */
#define LANE_PROVEN	8		/* quick jobs in a row, until a source that was slow is not */
#define LANE_QUEUE	192		/* documents of one plugin that wait: no more of its polls begin */
#define LANE_BYTES	(96u << 20)	/* of the documents of one plugin that wait: likewise */
#define LANE_POLLS	3072		/* polls of one plugin under way: likewise */
#define LANE_LEAST	4		/* documents that a plugin may let wait when all others fill up */

void		 lanes_init(struct core *, void (*room)(struct core *));
void		 lanes_end(struct core *);

void		 lane_join(struct poll *);	/* a poll begins */
void		 lane_leave(struct poll *);	/* it ends; it neither waits nor runs */
void		 lane_queue(struct poll *);	/* it waits for a worker, in its line */
void		 lane_unqueue(struct poll *);
void		 lane_begin(struct poll *);	/* it has a worker */
void		 lane_finish(struct poll *);	/* its job is over, or its worker died */
/* The poll whose turn it is; NULL: none waits, or none may run. The plugin that has used the workers
 * least comes first. */
struct poll	*lane_next(struct core *);
/* What a due source waits for, for people, in the buffer; NULL: for nothing here. */
const char	*lane_waits(const struct core *, uint32_t source, struct buf *);

/* Whether no more polls of the source's plugin are to begin for now. The source can be held until
 * there is room: lanes_release() puts such sources back into the heap of due times. */
int		 lane_full(struct core *, uint32_t source);
void		 lane_hold(struct core *, uint32_t source);
void		 lanes_release(struct core *);
void		 lanes_forget(struct core *);	/* a new setup: the sources held have other places */
#endif
