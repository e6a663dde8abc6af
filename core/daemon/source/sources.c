/* The sources while the daemon runs: their marks, from store and over a reload, and their due
 * times. */
#include "sources.h"
#include "due.h"
#include "intake.h"
#include "poll.h"
#include "schedule.h"
#include "stream.h"
#include "visit.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/msg.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

uint32_t
run_chance(void)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
		log_debug("no random numbers yet");
	return r;
}

void
run_touch(struct core *c, uint32_t source)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_TOUCH));
	wire_put_u32(&b, c->runs[source].id);
	wire_put(&b, mark, &c->runs[source].mark);
	roles_send(c, ROLE_STORE, MSG_TOUCH, 0, &b, -1);
	buf_free(&b);
}

void
run_due(struct core *c, uint32_t source)
{
	if (c->setup->sources[source].instance->waiting == NULL)
		due_set(c, source);
}

void
mark_unproven(struct mark *m)
{
	const char **texts[] = { &m->etag, &m->modified, &m->validated };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		xreplace((char **)(uintptr_t)texts[i], NULL);
}

/* ---- Marks from store, and a new setup ---- */

static void
mark_free(struct mark *m)
{
	const char **texts[] = { &m->etag, &m->modified, &m->validated, &m->moved, &m->error };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free((char *)(uintptr_t)*texts[i]);
	*m = (struct mark){ 0 };
}

/* The strings of `from` lie in a frame, or some of them are those of m. */
void
mark_take(struct mark *m, const struct mark *from)
{
	const char **texts[] = { &m->etag, &m->modified, &m->validated, &m->moved, &m->error };
	struct mark old = *m;

	*m = *from;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (*texts[i] != NULL)
			*texts[i] = xstrdup(*texts[i]);
	mark_free(&old);
}

/* The first due time of a stream: at once, unless its plugin called retry(), it died lately, or it
 * ended well and `every` has not passed. */
static void
first_stream(struct run *r, const struct source *s, int64_t now)
{
	struct mark *m = &r->mark;
	int rests = m->state == MARK_OK && m->due > now && m->due <= now + s->every_min;

	if (m->state == MARK_GONE)
		m->due = INT64_MAX;
	else if (m->not_before > now)
		m->due = m->not_before;
	else if ((r->deaths == 0 && !rests) || m->due == INT64_MAX)
		m->due = now;
}

/* The first due time of a source, by its mark; at once if a reload changed the source. */
static void
first_due(struct core *c, uint32_t i, int64_t now, uint32_t sources)
{
	const struct source *s = &c->setup->sources[i];
	const struct schedule_rule rule = { s->every_min, s->every_max };
	struct run *r = &c->runs[i];
	int64_t again = r->tried != 0 ? r->tried + s->every_min - date_ticks() : 0;
	int64_t due = schedule_first(&r->mark, &rule, now, run_chance(), sources);

	if (schedule_fit(&r->mark, &rule, now))
		run_touch(c, i);
	if (!r->changed && source_streams(s)) {
		first_stream(r, s, now);
	} else if (r->changed) {
		r->changed = r->deaths = 0;
		mark_unproven(&r->mark);
		r->mark.failures = 0;
		r->mark.state = MARK_OK;
		r->mark.due = r->mark.not_before > now ? r->mark.not_before : now;
		run_touch(c, i);
	} else {
		r->mark.due = due;
		if (r->mark.due < now + again)	/* its last results were lost with store */
			r->mark.due = now + again;
	}
	run_due(c, i);
}

void
sources_ready(struct core *c, struct wire *w)
{
	uint32_t n = wire_u32(w);
	int64_t now = date_now();
	struct mark m;

	if (n != c->setup->nsources)
		fatal("store knows %u sources of %zu", n, c->setup->nsources);
	for (uint32_t i = 0; i < n; i++) {
		c->runs[i].id = wire_u32(w);
		(void)wire_bytes(w);
		c->runs[i].kept = wire_u32(w);
		wire_get(w, mark, &m);
		if (w->bad)
			fatal("what store knows of the sources is malformed");
		if (c->runs[i].at != NULL)
			continue;
		if (c->runs[i].mark.checked < m.checked || c->runs[i].mark.due == 0)
			mark_take(&c->runs[i].mark, &m);
		if (!c->setup->sources[i].own)
			first_due(c, i, now, n);
	}
}

/* Moves a source's run, with its poll or stream, to the source's place in the new setup. */
static void
take_over(struct run *r, uint32_t place, struct run *old)
{
	*r = *old;
	r->place = UINT32_MAX;
	*old = (struct run){ .place = UINT32_MAX };
	if (r->at != NULL)
		*r->at = place;
}

static int
by_name(const void *a, const void *b)
{
	const struct source *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

void
sources_setup(struct core *c, const struct setup *old)
{
	struct run *runs = xcalloc(c->setup->nsources, sizeof(*runs));
	size_t n = old != NULL ? old->nsources : 0;
	const struct source **names = xcalloc(n, sizeof(const struct source *)), **hit;

	for (size_t i = 0; i < n; i++)
		names[i] = &old->sources[i];
	qsort(names, n, sizeof(names[0]), by_name);
	for (uint32_t i = 0; i < c->setup->nsources; i++) {
		const struct source *key = &c->setup->sources[i];

		runs[i].place = UINT32_MAX;
		hit = n > 0 ? bsearch(&key, names, n, sizeof(names[0]), by_name) : NULL;
		if (hit == NULL)
			continue;
		take_over(&runs[i], i, &c->runs[*hit - old->sources]);
		runs[i].changed |= (*hit)->hash != key->hash;
	}
	for (size_t i = 0; i < n; i++) {
		if (c->runs[i].at != NULL)
			*c->runs[i].at = UINT32_MAX;
		mark_free(&c->runs[i].mark);
	}
	free(names);
	free(c->runs);
	c->runs = runs;
	due_clear(c);
}

/* mark.moved is "CONFIGURED MOVED": the second URL holds while the first is the configured one. */
const char *
poll_moved(const struct run *r, const struct source *s)
{
	size_t n = strlen(s->url);
	const char *m = r->mark.moved;

	return m != NULL && strncmp(m, s->url, n) == 0 && m[n] == ' ' ? m + n + 1 : NULL;
}
