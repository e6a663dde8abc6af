/* When polls begin: as due times, the wall clock and the limits allow. */
#include "poll_begin.h"
#include "due.h"
#include "lanes.h"
#include "poll.h"
#include "poll_commit.h"
#include "poll_fetch.h"
#include "poll_parse.h"
#include "quota.h"
#include "sources.h"
#include "stream.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "daemon/supervise/disk.h"
#include "daemon/supervise/role.h"
#include "daemon/supervise/workers.h"

#include <string.h>

#define STALLED		1000		/* ms until polls without a worker or room try again */
#define TURN_MS		20		/* of beginning polls, before other events get a turn */

/* When the wall clock was put back, moves all marks back with it; else all polls would wait longer
 * by as much. */
static void
follow_clock(struct core *c)
{
	int64_t ahead = date_now() - date_ticks(), back = c->polls->ahead - ahead;

	c->polls->ahead = ahead;
	if (back < CLOCK_BACK)
		return;
	log_warn("the clock was put back by %lld s: so are the polls", (long long)back / 1000);
	for (uint32_t i = 0; i < c->setup->nsources; i++) {
		struct mark *m = &c->runs[i].mark;

		if (m->due > back && m->due < INT64_MAX)
			m->due -= back;
		if (m->not_before > back)
			m->not_before -= back;
		if (m->checked > back)
			m->checked -= back;
		if (m->ok > back)
			m->ok -= back;
	}
	for (uint32_t i = 0; i < c->setup->nsources; i++)
		if (c->runs[i].place != UINT32_MAX)
			due_set(c, i);
}

/* Whether no more polls are to begin for now. */
static int
polls_full(const struct core *c)
{
	return c->polls->n >= POLLS_MAX || roles_full(c, ROLE_FETCH);
}

static void
begin(struct core *c, uint32_t place)
{
	struct poll *j = poll_new(c, place);

	if (c->runs[place].kept != 0)
		poll_next(j, POLL_RECALL);
	else
		poll_go(j);
}

/* Begins the polls and streams that are due. Returns the ms after which it is to be called
 * again. */
static int64_t
begin_due(struct core *c)
{
	int64_t now, begun = date_ticks(), wait = DUE_WAIT_MAX;
	uint32_t place;

	poll_parse(c);
	if (!c->known || c->stopping)
		return DUE_WAIT_MAX;
	if (disk_low(c))
		return STALLED;
	follow_clock(c);
	lanes_release(c);
	now = date_now();
	while ((place = due_first(c)) != UINT32_MAX && c->runs[place].mark.due <= now) {
		if (polls_full(c)) {	/* continued when a poll ends, too */
			wait = STALLED;
			break;
		}
		if (date_ticks() - begun >= TURN_MS)
			return 0;
		due_remove(c, place);
		if (quota_held(c, place)) {
			c->runs[place].mark.due = quota_until(c, place);
			run_due(c, place);
		} else if (source_streams(&c->setup->sources[place]))
			stream_begin(c, place);
		else if (lane_full(c, place))
			lane_hold(c, place);
		else
			begin(c, place);
	}
	if (place != UINT32_MAX && c->runs[place].mark.due > now &&
	    c->runs[place].mark.due - now < wait)
		wait = c->runs[place].mark.due - now;
	return c->polls->nqueued > 0 && wait > STALLED ? STALLED : wait;
}

/* ---- set-up ---- */

void
poll_begin_init(struct core *c)
{
	static const struct poll_steps steps = {
		.begin = { [POLL_RECALL] = poll_recall, [POLL_FETCH] = poll_fetch,
			[POLL_PARSE] = poll_queue, [POLL_COMMIT] = poll_commit },
		.failure = poll_commit_failure,
	};

	c->polls = xcalloc(1, sizeof(*c->polls));
	c->polls->steps = &steps;
	lanes_init(c, poll_parse);
	workers_tell(c)->room = poll_parse;
	due_init(c, begin_due);
}

void
poll_begin_setup(struct core *c, const struct setup *old)
{
	lanes_forget(c);
	sources_setup(c, old);
}

void
poll_begin_end(struct core *c)
{
	due_free(c);
	lanes_end(c);
}
