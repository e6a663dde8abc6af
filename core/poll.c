/* Which poll begins when. */
#include "job.h"
#include "catalog.h"
#include "date.h"
#include "due.h"
#include "log.h"
#include "mem.h"

#include <event2/event.h>

#include <string.h>

#define WAIT_MAX	60000		/* ms: the clock may be turned meanwhile */
#define STALLED		1000		/* ms until what found no worker, or no place, tries again */
#define TURN_MS		20		/* of polls begun at once, before others get their turn */
#define CLOCK_BACK	5000		/* ms: a wall clock put back by less is nobody's mistake */

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	poll_parse(arg);
	poll_due(arg);
}

static void
wake_in(struct core *c, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	if (ms > WAIT_MAX)
		ms = WAIT_MAX;
	tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	evtimer_add(c->jobs->wake, &tv);
}

/* A wall clock that was put back takes the times that wait with it, or all would wait as long. */
static void
follow_clock(struct core *c)
{
	int64_t ahead = date_now() - date_ticks(), back = c->jobs->ahead - ahead;

	c->jobs->ahead = ahead;
	if (back < CLOCK_BACK)
		return;
	log_warn("the clock was put back by %lld s: so are the polls", (long long)back / 1000);
	for (uint32_t i = 0; i < c->setup->nsources; i++) {
		struct mark *m = &c->runs[i].mark;

		if (m->due > back && m->due < INT64_MAX)
			m->due -= back;
		if (m->not_before > back)
			m->not_before -= back;
	}
	for (uint32_t i = 0; i < c->setup->nsources; i++)
		if (c->runs[i].place != UINT32_MAX)
			due_set(c, i);
}

/* Whether no more polls are to begin for now. */
static int
jobs_full(const struct core *c)
{
	const struct jobs *js = c->jobs;

	return js->n >= JOBS_MAX || js->nqueued >= PARSE_QUEUE_MAX || js->bytes >= QUEUE_BYTES ||
	    roles_full(c, ROLE_FETCH);
}

/* What a poll begins with, once it is known what was kept: the page owed, its plugin's plan, or the
 * source's url. */
void
poll_go(struct job *j)
{
	j->plan = j->page.len == 0 && (job_source(j)->instance->plugin->does & DOES_PLAN) != 0;
	if (j->plan)
		document_queue(j);
	else
		page_ask(j);
}

static void
begin(struct core *c, uint32_t place)
{
	struct job *j = job_new(c, place);

	if (c->runs[place].kept != 0)
		commit_recall(j);
	else
		poll_go(j);
}

/* A poll that ends at once, as that of a file may, comes back here: it is left to the loop below. */
void
poll_due(struct core *c)
{
	int64_t now, begun = date_ticks(), wait = WAIT_MAX;
	uint32_t place;

	if (!c->known || c->stopping || c->jobs->beginning)
		return;
	c->jobs->beginning = 1;
	follow_clock(c);
	now = date_now();
	while ((place = due_first(c)) != UINT32_MAX && c->runs[place].mark.due <= now) {
		if (jobs_full(c)) {	/* goes on when a poll ends, too */
			wait = STALLED;
			break;
		}
		if (date_ticks() - begun >= TURN_MS) {
			wait = 0;
			break;
		}
		due_remove(c, place);
		if (source_streams(&c->setup->sources[place]))
			stream_begin(c, place);
		else
			begin(c, place);
	}
	c->jobs->beginning = 0;
	if (place != UINT32_MAX && c->runs[place].mark.due > now)
		wait = c->runs[place].mark.due - now;
	if (c->jobs->nqueued > 0 && wait > STALLED)
		wait = STALLED;
	wake_in(c, wait);
}

int
poll_now(struct core *c, const char *source, struct buf *why)
{
	int64_t now = date_now();
	size_t i;

	for (i = 0; i < c->setup->nsources; i++)
		if (strcmp(c->setup->sources[i].name, source) == 0)
			break;
	if (i == c->setup->nsources)
		buf_fmt(why, "there is no source %s\n", source);
	else if (c->setup->sources[i].instance->waiting != NULL)
		buf_fmt(why, "%s\n", c->setup->sources[i].instance->waiting);
	else if (!c->known)
		buf_fmt(why, "the store role is away; try again\n");
	else if (c->runs[i].mark.not_before > now)
		buf_fmt(why, "%s: its server asked to wait for %lld s more\n", source,
		    (long long)(c->runs[i].mark.not_before - now) / 1000);
	else if (c->runs[i].stream != NULL) {
		buf_fmt(why, "%s is a stream, and runs\n", source);
		return 0;
	} else if (c->runs[i].job != NULL) {
		c->runs[i].job->again = 1;
		buf_fmt(why, "%s is being polled, and will be once more after that\n", source);
		return 0;
	} else {
		c->runs[i].mark.due = now;
		due_set(c, (uint32_t)i);
		poll_due(c);
		return 0;
	}
	return -1;
}

/* ---- set-up ---- */

void
poll_init(struct core *c)
{
	c->jobs = xcalloc(1, sizeof(*c->jobs));
	for (int i = 0; i < LINES; i++)
		STAILQ_INIT(&c->jobs->line[i]);
	c->jobs->wake = evtimer_new(c->base, on_due, c);
	if (c->jobs->wake == NULL)
		fatal("no timer for the polls");
}
