/* The lanes before the parse workers, one for each plugin.
 *
 * As many jobs as there are workers may be quick ones. A job that runs for LANE_QUICK_MS is slow from
 * then on: its worker has the lowest priority and ends with the job, and another job takes its place.
 * The slow ones are counted for their plugin: so a plugin that sleeps or burns holds up itself. The
 * next jobs of a source that was slow are taken for slow from their beginning. */
#include "lanes.h"
#include "poll.h"
#include "sources.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/supervise/memory.h"
#include "daemon/supervise/workers.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#define OTHERS_TURN	4		/* one job in so many is not from LINE_GOOD, if possible */
#define WATCH_MS	50		/* between two checks of quick jobs */
#define CREDIT_MS	1000		/* of the workers' time that a plugin at rest saves up */
#define RELEASE		16		/* sources held that are let go at once */

struct lane {
	TAILQ_ENTRY(lane)	 entry;
	char			*plugin;
	struct queue		 line[LINES];
	size_t			 n, nqueued;	/* polls: under way, in the lines */
	uint64_t		 bytes;		/* of the documents in the lines */
	unsigned		 quick, slow;	/* jobs */
	int64_t			 used;		/* ms of the workers' time, by jobs that are over */
	int64_t			 began;		/* sum of the ticks when the running jobs began */
	unsigned		 turn;
	uint32_t		*held;		/* places of sources whose polls may not begin */
	size_t			 first, nheld, cap;	/* a ring */
};
struct lanes {
	TAILQ_HEAD(, lane)	 all;
	TAILQ_HEAD(, poll)	 running;	/* the oldest job first */
	unsigned		 quick, slow;
	int64_t			 time;		/* the largest use at which a job began */
	struct event		*watch;
	void			(*room)(struct core *);
};

/* ---- Lanes ---- */

static struct lane *
lane_of(struct core *c, const char *plugin)
{
	struct lane *l;

	TAILQ_FOREACH(l, &c->lanes->all, entry)
		if (strcmp(l->plugin, plugin) == 0)
			return l;
	l = xcalloc(1, sizeof(*l));
	l->plugin = xstrdup(plugin);
	for (int i = 0; i < LINES; i++)
		STAILQ_INIT(&l->line[i]);
	TAILQ_INSERT_TAIL(&c->lanes->all, l, entry);
	return l;
}

static struct lane *
source_lane(struct core *c, uint32_t source)
{
	return lane_of(c, c->setup->sources[source].instance->name);
}

void
lane_join(struct poll *j)
{
	j->lane = source_lane(j->core, j->source);
	j->lane->n++;
}

void
lane_leave(struct poll *j)
{
	j->lane->n--;
	j->lane = NULL;
}

/* The workers' time that the plugin has used so far, ms. */
static int64_t
lane_used(const struct lane *l, int64_t now)
{
	return l->used + (l->quick + l->slow) * now - l->began;
}

/* ---- Waiting ---- */

void
lane_queue(struct poll *j)
{
	struct lanes *all = j->core->lanes;
	struct lane *l = j->lane;

	if (l->nqueued == 0 && l->quick + l->slow == 0 && l->used < all->time - CREDIT_MS)
		l->used = all->time - CREDIT_MS;
	STAILQ_INSERT_TAIL(&l->line[j->line], j, queued);
	l->nqueued++;
	l->bytes += j->bytes;
	j->waits = date_ticks();
}

void
lane_unqueue(struct poll *j)
{
	STAILQ_REMOVE(&j->lane->line[j->line], j, poll, queued);
	j->lane->nqueued--;
	j->lane->bytes -= j->bytes;
}

/* The share of a plugin for the jobs of a line: sources that nothing is known of have as many more as
 * there are workers, and sources that were quick so far have these once more. */
static unsigned
share(const struct core *c, unsigned line)
{
	unsigned n = c->setup->workers;

	return LANE_SLOW + (line == LINE_GOOD ? 2 * n : line == LINE_OTHER ? n : 0);
}

static int
may_run(const struct core *c, const struct lane *l, unsigned line)
{
	unsigned n = l->quick + l->slow;

	if (STAILQ_EMPTY(&l->line[line]) || (line <= LINE_OTHER &&
	    c->lanes->quick >= c->setup->workers))
		return 0;
	return n == 0 || (n < share(c, line) && (line == LINE_GOOD || c->lanes->slow < LANES_SLOW));
}

/* The next poll of a lane; NULL: none waits, or none may run. */
static struct poll *
lane_first(const struct core *c, const struct lane *l)
{
	unsigned first = l->turn % OTHERS_TURN == OTHERS_TURN - 1 ? LINE_OTHER : LINE_GOOD;
	struct poll *j = NULL, *next;

	for (unsigned i = 0; i < 2 && j == NULL; i++)
		if (may_run(c, l, (first + i) % 2))
			j = STAILQ_FIRST(&l->line[(first + i) % 2]);
	for (unsigned line = LINE_SLOW; line < LINES; line++) {
		next = STAILQ_FIRST(&l->line[line]);
		if (may_run(c, l, line) && (j == NULL || (j->line > LINE_OTHER &&
		    next->waits < j->waits)))
			j = next;
	}
	return j;
}

struct poll *
lane_next(struct core *c)
{
	int64_t now = date_ticks(), used, least = 0;
	struct poll *j, *best = NULL;
	struct lane *l;

	TAILQ_FOREACH(l, &c->lanes->all, entry) {
		if (l->nqueued == 0 || (j = lane_first(c, l)) == NULL)
			continue;
		used = lane_used(l, now);
		if (best != NULL && (used > least || (used == least && j->waits >= best->waits)))
			continue;
		best = j;
		least = used;
	}
	if (best != NULL && least > c->lanes->time)
		c->lanes->time = least;
	return best;
}


/* ---- Running ---- */

static void
count(struct poll *j, int by)
{
	unsigned *of = j->slow ? &j->lane->slow : &j->lane->quick;
	unsigned *all = j->slow ? &j->core->lanes->slow : &j->core->lanes->quick;

	*of += (unsigned)by;
	*all += (unsigned)by;
}

static void
turn_slow(struct poll *j)
{
	count(j, -1);
	j->slow = 1;
	count(j, 1);
	worker_slow(j->worker);
}

static void
watch_in(struct lanes *all, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(all->watch, &tv);
}

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	int64_t now = date_ticks();
	unsigned before = c->lanes->quick;
	struct poll *j;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(j, &c->lanes->running, running)
		if (!j->slow && now - j->began >= LANE_QUICK_MS)
			turn_slow(j);
	if (c->lanes->quick > 0)
		watch_in(c->lanes, WATCH_MS);
	if (c->lanes->quick < before)
		c->lanes->room(c);
}

void
lane_begin(struct poll *j)
{
	struct lanes *all = j->core->lanes;

	j->lane->turn++;
	j->began = date_ticks();
	j->lane->began += j->began;
	j->slow = 0;
	count(j, 1);
	TAILQ_INSERT_TAIL(&all->running, j, running);
	if (j->line > LINE_OTHER)
		turn_slow(j);
	else if (!event_pending(all->watch, EV_TIMEOUT, NULL))
		watch_in(all, LANE_QUICK_MS);
}

void
lane_finish(struct poll *j)
{
	int64_t ms = date_ticks() - j->began;
	struct run *r;

	TAILQ_REMOVE(&j->core->lanes->running, j, running);
	count(j, -1);
	j->lane->began -= j->began;
	j->lane->used += ms > 0 ? ms : 1;
	if (j->source == UINT32_MAX)
		return;
	r = &j->core->runs[j->source];
	if (ms >= LANE_QUICK_MS)
		r->slow = LANE_PROVEN;
	else if (r->slow > 0)
		r->slow--;
}

/* ---- Polls that may not begin ---- */

static int
is_full(const struct core *c, const struct lane *l)
{
	const struct polls *js = c->polls;

	if (l->nqueued >= LANE_QUEUE || l->bytes >= LANE_BYTES || l->n >= LANE_POLLS)
		return 1;
	return (js->nqueued >= PARSE_QUEUE_MAX || js->bytes >= QUEUE_BYTES ||
	    js->bytes >= memory_documents(c)) && l->nqueued >= LANE_LEAST;
}

int
lane_full(struct core *c, uint32_t source)
{
	return is_full(c, source_lane(c, source));
}

static void
held_grow(struct lane *l)
{
	size_t cap = l->cap > 0 ? 2 * l->cap : 64;
	uint32_t *held = xcalloc(cap, sizeof(*held));

	for (size_t i = 0; i < l->nheld; i++)
		held[i] = l->held[(l->first + i) % l->cap];
	free(l->held);
	l->held = held;
	l->cap = cap;
	l->first = 0;
}

void
lane_hold(struct core *c, uint32_t source)
{
	struct lane *l = source_lane(c, source);

	if (l->nheld == l->cap)
		held_grow(l);
	l->held[(l->first + l->nheld++) % l->cap] = source;
}

void
lanes_release(struct core *c)
{
	struct lane *l;

	TAILQ_FOREACH(l, &c->lanes->all, entry) {
		if (l->nheld == 0 || is_full(c, l))
			continue;
		for (unsigned i = 0; i < RELEASE && l->nheld > 0; i++) {
			run_due(c, l->held[l->first]);
			l->first = (l->first + 1) % l->cap;
			l->nheld--;
		}
	}
}

void
lanes_forget(struct core *c)
{
	struct lane *l;

	TAILQ_FOREACH(l, &c->lanes->all, entry)
		l->nheld = 0;
}

/* ---- For people ---- */

static const char *
worker_why(const struct poll *j, struct buf *b)
{
	const struct core *c = j->core;
	const struct lane *l = j->lane;
	unsigned n = l->quick + l->slow;

	if (n >= share(c, j->line))
		buf_fmt(b, "for a worker: %u jobs of plugin %s run, its share", n, l->plugin);
	else if (n > 0 && j->line != LINE_GOOD && c->lanes->slow >= LANES_SLOW)
		buf_fmt(b, "for a worker: %u slow jobs run", c->lanes->slow);
	else
		buf_str(b, "for a worker: all are busy");
	return b->data;
}

const char *
lane_waits(const struct core *c, uint32_t source, struct buf *b)
{
	const struct run *r = &c->runs[source];
	const struct lane *l;

	if (r->poll != NULL)
		return r->poll->state == POLL_IS_QUEUED ? worker_why(r->poll, b) : NULL;
	if (r->at != NULL || r->place != UINT32_MAX || r->mark.due > date_now())
		return NULL;
	TAILQ_FOREACH(l, &c->lanes->all, entry)
		if (strcmp(l->plugin, c->setup->sources[source].instance->name) == 0 && l->nheld > 0) {
			buf_fmt(b, "for its poll: %zu polls of plugin %s are under way, %zu of "
			    "them with a document that waits for a worker", l->n, l->plugin,
			    l->nqueued);
			return b->data;
		}
	return NULL;
}

/* ---- set-up ---- */

void
lanes_init(struct core *c, void (*room)(struct core *))
{
	c->lanes = xcalloc(1, sizeof(*c->lanes));
	TAILQ_INIT(&c->lanes->all);
	TAILQ_INIT(&c->lanes->running);
	c->lanes->room = room;
	c->lanes->watch = evtimer_new(c->base, on_watch, c);
	if (c->lanes->watch == NULL)
		fatal("no timer for the jobs");
}

void
lanes_end(struct core *c)
{
	struct lane *l;

	while ((l = TAILQ_FIRST(&c->lanes->all)) != NULL) {
		TAILQ_REMOVE(&c->lanes->all, l, entry);
		free(l->plugin);
		free(l->held);
		free(l);
	}
	event_free(c->lanes->watch);
	free(c->lanes);
	c->lanes = NULL;
}
