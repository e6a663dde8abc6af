/* What is wrong with the daemon's sources, sinks, plugins and roles at this moment: read from the
 * state that `courant status` shows. */
#include "trouble_watch.h"
#include "status.h"
#include "base/date.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "catalog/plugin.h"
#include "daemon/route/deliver.h"
#include "daemon/source/sources.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE		INT64_C(60000)
#define HOUR		(60 * MINUTE)
/* The least that each condition has to hold, ms. courant.conf(5) names these times. */
#define HOLD_FAILING	HOUR		/* or as many intervals: */
#define HOLD_INTERVALS	3
#define HOLD_MOVED	HOUR
#define HOLD_SINK	MINUTE
#define HOLD_BEHIND	(10 * MINUTE)
#define HOLD_PLUGIN	MINUTE
#define ROLE_WELL	(10 * MINUTE)	/* that a role has to run until its restart is over */

#define BEHIND_AGE	HOUR		/* of the oldest record that a sink has not confirmed */
#define FAILURES	3		/* in a row: fewer may be one short outage */

struct watch {
	const struct core *core;
	const struct trouble_watch *tw;
	trouble_cb	*cb;
	void		*arg;
};

/* ---- Sources ---- */

/* Whether the source cannot be read: several polls failed, or its workers died and it rests. */
static int
is_failing(const struct run *r)
{
	return r->mark.state == MARK_PARKED ||
	    (r->mark.state == MARK_FAILING && r->mark.failures >= FAILURES);
}

static int
by_source(const void *a, const void *b)
{
	const struct silence *x = a, *y = b;

	return (x->source > y->source) - (x->source < y->source);
}

static const struct silence *
silence_of(const struct trouble_watch *tw, uint32_t source)
{
	return tw->nsilent == 0 ? NULL : bsearch(&(struct silence){ .source = source }, tw->silent,
	    tw->nsilent, sizeof(*tw->silent), by_source);
}

/* A source that is read well, and that brought nothing new for too long by its own measure. */
static void
source_silent(const struct watch *w, const struct trouble_seen *source, const struct run *r)
{
	const struct silence *s = silence_of(w->tw, r->id);
	struct trouble_seen t = *source;

	if (s == NULL || r->mark.state != MARK_OK || r->mark.ok < s->after)
		return;
	t.kind = TROUBLE_SILENT;
	t.since = t.ok = s->fresh;
	t.rhythm = s->rhythm;
	w->cb(&t, w->arg);
}

static void
source_one(const struct watch *w, uint32_t i)
{
	const struct source *s = &w->core->setup->sources[i];
	const struct run *r = &w->core->runs[i];
	const struct mark *m = &r->mark;
	const int64_t rhythm = HOLD_INTERVALS * (m->interval > 0 ? m->interval : s->every_min);
	const char *moved;
	struct trouble_seen t = { .name = s->name, .at = i, .why = m->error, .url = s->url,
		.ok = m->ok, .due = m->due, .failures = m->failures, .status = m->status };

	if (s->own || s->instance->waiting != NULL)
		return;
	if (m->state == MARK_GONE) {
		t.kind = TROUBLE_GONE;
		t.since = m->checked;
		w->cb(&t, w->arg);
	} else if (is_failing(r)) {
		t.kind = TROUBLE_FAILING;
		t.since = m->ok;
		t.hold = rhythm > HOLD_FAILING ? rhythm : HOLD_FAILING;
		w->cb(&t, w->arg);
	}
	source_silent(w, &t, r);
	if (m->moved != NULL && (moved = poll_moved(r, s)) != NULL) {
		t.kind = TROUBLE_MOVED;
		t.since = 0;
		t.hold = HOLD_MOVED;
		t.why = moved;
		w->cb(&t, w->arg);
	}
}

int
trouble_sources(const struct core *c, const struct trouble_watch *tw, uint32_t *at, uint32_t n,
    trouble_cb *cb, void *arg)
{
	const struct watch w = { c, tw, cb, arg };

	for (; n > 0 && *at < c->setup->nsources; n--)
		source_one(&w, (*at)++);
	return *at < c->setup->nsources;
}

/* The source's place; UINT32_MAX: the configuration has none of that name. */
static uint32_t
source_place(const struct core *c, const char *name, uint32_t at)
{
	const struct setup *s = c->setup;

	if (at < s->nsources && strcmp(s->sources[at].name, name) == 0)
		return at;
	for (at = 0; at < s->nsources; at++)
		if (strcmp(s->sources[at].name, name) == 0)
			return at;
	return UINT32_MAX;
}

static enum trouble_over
source_over(const struct core *c, const struct trouble_watch *tw, enum trouble_kind kind,
    const char *name, int64_t since, uint32_t *at)
{
	const struct mark *m;

	if ((*at = source_place(c, name, *at)) == UINT32_MAX)
		return OVER_REMOVED;
	if (kind == TROUBLE_SILENT)
		return tw->answered && silence_of(tw, c->runs[*at].id) == NULL ? OVER_WELL :
		    OVER_NOT_YET;
	m = &c->runs[*at].mark;
	if (m->state != MARK_OK || m->checked == 0)
		return OVER_NOT_YET;
	/* A reload that changed the source clears its mark: only a poll tells whether it is well. */
	return kind == TROUBLE_MOVED || m->ok > since ? OVER_WELL : OVER_NOT_YET;
}

/* ---- Sinks ---- */

static void
station_name_of(const struct core *c, const struct deliver_seen *s, char name[TROUBLE_NAME])
{
	snprintf(name, TROUBLE_NAME, "%s/%s", c->setup->routes[s->route].name, s->name);
}

static void
station_one(const struct deliver_seen *s, void *arg)
{
	const struct watch *w = arg;
	const struct route_count *n = status_counted(w->core, s->id, s->sink);
	char name[TROUBLE_NAME];
	struct trouble_seen t = { .name = name, .why = s->reason, .hold = HOLD_SINK };

	if (w->core->setup->routes[s->route].trouble)
		return;
	station_name_of(w->core, s, name);
	if (t.why == NULL && n != NULL)
		t.why = n->reason;
	if (s->paused) {
		t.kind = TROUBLE_PAUSED;
		w->cb(&t, w->arg);
	}
	if (n != NULL && n->dead > 0) {
		t.kind = TROUBLE_DEAD;
		t.count = n->dead;
		w->cb(&t, w->arg);
	}
	/* A new sink that gets the past is given time; of a paused one nothing new is announced. */
	if (n != NULL && s->sink != PULL_FILTER && n->oldest > 0 &&
	    date_now() - n->oldest >= BEHIND_AGE) {
		t.kind = TROUBLE_BEHIND;
		t.hold = s->paused ? INT64_MAX : HOLD_BEHIND;
		t.ok = n->oldest;
		t.due = n->due;
		t.count = n->unconfirmed;
		w->cb(&t, w->arg);
	}
}

/* The search for a sink by its name. */
struct sought {
	const struct core *core;
	const char	*name;
	int		 found, counted;
};

static void
station_sought(const struct deliver_seen *s, void *arg)
{
	struct sought *to = arg;
	char name[TROUBLE_NAME];

	station_name_of(to->core, s, name);
	if (strcmp(name, to->name) != 0 || to->core->setup->routes[s->route].trouble)
		return;
	to->found = 1;
	to->counted = status_counted(to->core, s->id, s->sink) != NULL;
}

static enum trouble_over
sink_over(const struct core *c, enum trouble_kind kind, const char *name)
{
	struct sought to = { .core = c, .name = name };

	deliver_each(c, station_sought, &to);
	if (!to.found)
		return OVER_REMOVED;
	return kind == TROUBLE_PAUSED || to.counted ? OVER_WELL : OVER_NOT_YET;
}

/* ---- Plugins ---- */

static void
plugin_one(const struct watch *w, size_t i)
{
	const struct plugin *p = catalog_at(w->core->catalog, i);
	const char *why, *bad;
	const enum catalog_state state = catalog_state(w->core->catalog, i, &why, &bad);
	char name[TROUBLE_NAME];
	struct trouble_seen t = { .name = name, .why = why, .hold = HOLD_PLUGIN };

	if ((state != CATALOG_REFUSED && state != CATALOG_BACK) || p->passing)
		return;
	snprintf(name, sizeof(name), "%s_%s", *p->kind != '\0' ? p->kind : "?", p->name);
	t.kind = state == CATALOG_BACK ? TROUBLE_BACK : TROUBLE_REFUSED;
	w->cb(&t, w->arg);
}

/* ---- Roles ---- */

static void
role_one(const struct watch *w, struct trouble_watch *tw, enum role_id id)
{
	const struct role *r = roles_get(w->core, id);
	const int64_t now = date_now();
	struct trouble_seen t = { .kind = TROUBLE_RESTARTED, .name = role_name(id) };

	if (tw->role[id].restarts != r->restarts) {
		tw->role[id].restarts = r->restarts;
		tw->role[id].when = now;
	}
	if (tw->role[id].when == 0)
		return;
	if (tw->role[id].when > now)		/* the clock was put back */
		tw->role[id].when = now;
	if (r->pid != 0 && now - tw->role[id].when >= ROLE_WELL)
		return;
	t.why = r->obituary;
	t.count = r->restarts;
	w->cb(&t, w->arg);
}

/* ---- All ---- */

void
trouble_rest(const struct core *c, struct trouble_watch *tw, trouble_cb *cb, void *arg)
{
	struct watch w = { c, tw, cb, arg };

	deliver_each(c, station_one, &w);
	for (size_t i = 0; i < catalog_count(c->catalog); i++)
		plugin_one(&w, i);
	for (int i = 0; i < ROLES; i++)
		role_one(&w, tw, (enum role_id)i);
}

enum trouble_over
trouble_over(const struct core *c, const struct trouble_watch *tw, enum trouble_kind kind,
    const char *name, int64_t since, uint32_t *at)
{
	switch (kind) {
	case TROUBLE_FAILING:
	case TROUBLE_GONE:
	case TROUBLE_MOVED:
	case TROUBLE_SILENT:
		return source_over(c, tw, kind, name, since, at);
	case TROUBLE_PAUSED:
	case TROUBLE_DEAD:
	case TROUBLE_BEHIND:
		return sink_over(c, kind, name);
	default:
		return OVER_WELL;
	}
}
