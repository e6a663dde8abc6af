/* What a source may bring within an hour. The hour begins with the first record that is stored after
 * the last hour's end. Nothing is lost: a poll is not begun, the next page stays owed, and a stream
 * gets no answer to its last batch, for which it waits. */
#include "quota.h"
#include "due.h"
#include "sources.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/disk.h"
#include "ipc/msg.h"

#include <event2/event.h>

#include <stdlib.h>

#define HOUR		INT64_C(3600000)

struct quotas {
	struct event	*timer;		/* the first end of a held source's hour */
	int64_t		 next;		/* ticks of it; INT64_MAX: none is held */
	void		(*back)(struct core *);
};

static const struct quota *
quota_of(const struct core *c, uint32_t place)
{
	return &c->runs[place].quota;
}

int
quota_held(const struct core *c, uint32_t place)
{
	return quota_of(c, place)->until > date_ticks();
}

int64_t
quota_until(const struct core *c, uint32_t place)
{
	return date_now() + quota_of(c, place)->until - date_ticks();
}

int
quota_waits(struct core *c, uint32_t place)
{
	return disk_low(c) || quota_held(c, place);
}

/* ---- The timer ---- */

static void
timer_at(struct quotas *qs, int64_t ticks)
{
	int64_t ms = ticks > date_ticks() ? ticks - date_ticks() : 0;
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	qs->next = ticks;
	evtimer_add(qs->timer, &tv);
}

/* Sources that were held may go on. */
static void
go_on(struct core *c)
{
	if (c->quotas->back != NULL)
		c->quotas->back(c);
	due_wake(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	int64_t now = date_ticks(), next = INT64_MAX;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < c->setup->nsources; i++) {
		struct quota *q = &c->runs[i].quota;

		if (q->until != 0 && q->until <= now) {
			log_info("%s: goes on, its hour is over", c->setup->sources[i].name);
			*q = (struct quota){ 0 };
		} else if (q->until > now && q->until < next)
			next = q->until;
	}
	c->quotas->next = next;
	if (next != INT64_MAX)
		timer_at(c->quotas, next);
	go_on(c);
}

/* ---- Counting ---- */

void
quota_why(const struct core *c, uint32_t place, struct buf *b)
{
	const struct source *s = &c->setup->sources[place];
	const struct quota *q = quota_of(c, place);

	if (q->records > s->hour_records) {
		buf_fmt(b, "it brought %llu records within an hour, over its maximum of %llu "
		    "(hour_records)", (unsigned long long)q->records,
		    (unsigned long long)s->hour_records);
	} else {
		buf_str(b, "it brought ");
		text_bytes(b, q->bytes);
		buf_str(b, " within an hour, over its maximum of ");
		text_bytes(b, s->hour_bytes);
		buf_str(b, " (hour_bytes)");
	}
	buf_fmt(b, ": it goes on in %lld min", (long long)(q->until - date_ticks() + 59999) / 60000);
}

static int
is_over(const struct quota *q, const struct source *s)
{
	return q->records > s->hour_records || q->bytes > s->hour_bytes;
}

static void
quota_hold(struct core *c, uint32_t place)
{
	struct quota *q = &c->runs[place].quota;
	struct buf why;

	q->until = q->begun + HOUR;
	buf_init(&why, 512);
	quota_why(c, place, &why);
	log_warn("%s: held: %s", c->setup->sources[place].name, why.data);
	buf_free(&why);
	if (q->until < c->quotas->next)
		timer_at(c->quotas, q->until);
}

void
quota_count(struct core *c, uint32_t place, const struct committed *cd, uint64_t bytes)
{
	const struct source *s = &c->setup->sources[place];
	struct quota *q = &c->runs[place].quota;
	uint64_t n = (uint64_t)cd->added + cd->revised;

	if (n == 0 || cd->seen == 0)
		return;
	if (q->begun == 0 || date_ticks() - q->begun >= HOUR)
		*q = (struct quota){ .begun = date_ticks() };
	q->records += n;
	q->bytes += n < cd->seen ? bytes / cd->seen * n : bytes;
	if (q->until == 0 && is_over(q, s))
		quota_hold(c, place);
}

/* ---- The part ---- */

/* A source that is held goes on once its maximum is raised. */
void
quota_setup(struct core *c, const struct setup *old)
{
	(void)old;
	for (uint32_t i = 0; i < c->setup->nsources; i++)
		if (!is_over(&c->runs[i].quota, &c->setup->sources[i]))
			c->runs[i].quota.until = 0;
	go_on(c);
}

void
quota_tell(struct core *c, void (*back)(struct core *))
{
	c->quotas->back = back;
}

void
quota_init(struct core *c)
{
	c->quotas = xcalloc(1, sizeof(*c->quotas));
	c->quotas->next = INT64_MAX;
	c->quotas->timer = evtimer_new(c->base, on_timer, c);
	if (c->quotas->timer == NULL)
		fatal("no timer for sources that are held");
	disk_tell(c, go_on);
}

void
quota_end(struct core *c)
{
	event_free(c->quotas->timer);
	free(c->quotas);
	c->quotas = NULL;
}
