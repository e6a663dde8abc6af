/* The sources ordered by due time: a binary heap, and the timer of the first. */
#include "due.h"
#include "sources.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/supervise/core.h"

#include <event2/event.h>

#include <stdlib.h>

struct due {
	uint32_t	*heap;		/* of places in runs, by mark.due */
	uint32_t	 n;
	struct event	*timer;
	int64_t		(*begin)(struct core *);
	int		 beginning;	/* within begin(), which returns the timer's next wait */
};

static int64_t
due_at(const struct core *c, uint32_t i)
{
	return c->runs[c->due->heap[i]].mark.due;
}

static void
put(struct core *c, uint32_t i, uint32_t place)
{
	c->due->heap[i] = place;
	c->runs[place].place = i;
}

static void
rise(struct core *c, uint32_t i)
{
	uint32_t place = c->due->heap[i];

	for (; i > 0 && due_at(c, (i - 1) / 2) > c->runs[place].mark.due; i = (i - 1) / 2)
		put(c, i, c->due->heap[(i - 1) / 2]);
	put(c, i, place);
}

static void
sink(struct core *c, uint32_t i)
{
	uint32_t place = c->due->heap[i], next;

	for (; (next = 2 * i + 1) < c->due->n; i = next) {
		if (next + 1 < c->due->n && due_at(c, next + 1) < due_at(c, next))
			next++;
		if (due_at(c, next) >= c->runs[place].mark.due)
			break;
		put(c, i, c->due->heap[next]);
	}
	put(c, i, place);
}

/* ---- the timer ---- */

static void
timer_in(struct due *d, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(d->timer, &tv);
}

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;

	(void)fd;
	(void)what;
	c->due->beginning = 1;
	timer_in(c->due, c->due->begin(c));
	c->due->beginning = 0;
}

/* Sets the timer after another source became the first, or the first's due time changed. */
static void
first_changed(struct core *c)
{
	int64_t ms = due_at(c, 0) - date_now();

	if (!c->due->beginning)
		timer_in(c->due, ms < 0 ? 0 : ms < DUE_WAIT_MAX ? ms : DUE_WAIT_MAX);
}

void
due_wake(struct core *c)
{
	event_active(c->due->timer, EV_TIMEOUT, 0);
}

void
due_init(struct core *c, int64_t (*begin)(struct core *))
{
	c->due = xcalloc(1, sizeof(*c->due));
	c->due->begin = begin;
	c->due->timer = evtimer_new(c->base, on_due, c);
	if (c->due->timer == NULL)
		fatal("no timer for the polls");
}

void
due_free(struct core *c)
{
	event_free(c->due->timer);
	free(c->due->heap);
	free(c->due);
	c->due = NULL;
}

/* ---- the heap ---- */

void
due_clear(struct core *c)
{
	c->due->heap = xreallocarray(c->due->heap, c->setup->nsources, sizeof(c->due->heap[0]));
	c->due->n = 0;
	for (size_t i = 0; i < c->setup->nsources; i++)
		c->runs[i].place = UINT32_MAX;
}

void
due_remove(struct core *c, uint32_t place)
{
	uint32_t i = c->runs[place].place, last;

	if (i == UINT32_MAX)
		return;
	c->runs[place].place = UINT32_MAX;
	last = c->due->heap[--c->due->n];
	if (last == place)
		return;
	put(c, i, last);
	rise(c, i);
	sink(c, c->runs[last].place);
}

void
due_set(struct core *c, uint32_t place)
{
	due_remove(c, place);
	if (c->runs[place].mark.due == INT64_MAX || c->runs[place].at != NULL)
		return;
	put(c, c->due->n++, place);
	rise(c, c->due->n - 1);
	if (c->due->heap[0] == place)
		first_changed(c);
}

uint32_t
due_first(const struct core *c)
{
	return c->due->n > 0 ? c->due->heap[0] : UINT32_MAX;
}
