/* A route's way from the log to its sinks: each station (a route's filters, or one of its sinks)
 * pulls a batch from store, has its worker do it, and settles it with store. A new setup is taken at
 * once: a station that stays goes on with its batch, also when its options changed, for then the
 * next batch is done by them. */
#include "date.h"
#include "deliver.h"
#include "log.h"
#include "mem.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- asking ---- */

/* Whether its sink sends things away, one at a time and slowly. */
static int
station_pushes(const struct station *s)
{
	return s->instance != NULL && s->instance->plugin != NULL &&
	    (s->instance->plugin->wants & (CR_HTTP | CR_NETWORK | CR_EXEC)) != 0;
}

/* Asks store for work if there may be some and the time has come. */
static void
station_pull(struct station *s)
{
	struct core *c = s->core;
	const struct pull p = { .route = s->id, .leg = s->leg,
		.max = station_pushes(s) ? BATCH_PUSH : BATCH_MAX,
		.resume = s->resume != RESUME_NONE };
	struct buf b;

	if (s->state != STATION_IDLE || !s->behind || !c->known || c->stopping ||
	    station_waiting(s) != NULL || c->busy_stations >= STATIONS_BUSY)
		return;
	if (s->resume != RESUME_NONE) {
		s->not_before = 0;
		s->failures = 0;
	} else if (s->paused)
		return;
	if (s->not_before > date_ticks()) {
		if (s->worker != NULL && s->not_before > date_ticks() + WORKER_IDLE)
			worker_stop(s->worker);
		station_timer(s, s->not_before);
		return;
	}
	s->behind = 0;
	if (s->resume == RESUME_WANTED)
		s->resume = RESUME_ASKED;
	station_state(s, STATION_PULL);
	buf_init(&b, msg_limit(MSG_PULL));
	wire_put(&b, pull, &p);
	roles_send(c, ROLE_STORE, MSG_PULL, 0, &b, -1);
	buf_free(&b);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct station *s = arg;

	(void)fd;
	(void)what;
	if (s->state != STATION_IDLE)
		return;
	station_pull(s);
	if (s->state == STATION_IDLE && s->worker != NULL && !s->behind)
		worker_stop(s->worker);
}

static struct station *
station_find(struct core *c, uint32_t route, uint32_t leg)
{
	for (size_t i = 0; i < c->nstations; i++)
		if (c->stations[i]->id == route && c->stations[i]->leg == leg)
			return c->stations[i];
	return NULL;
}

/* The log has more for this route, and for those that draw from it, however far: a route stands
 * behind all that it draws from. */
static void
route_wake(struct core *c, const struct route *r)
{
	char woken[SETUP_ROUTES] = { 0 };
	size_t place;

	for (size_t i = 0; i < c->setup->nroutes; i++) {
		const struct route *next = &c->setup->routes[i];

		woken[i] = next == r;
		for (size_t k = 0; k < next->nroutes; k++)
			woken[i] |= woken[next->routes[k]];
	}
	for (size_t i = 0; i < c->nstations; i++) {
		place = (size_t)(c->stations[i]->route - c->setup->routes);
		if (woken[place])
			c->stations[i]->behind = 1;
	}
	deliver_on(c);
}

/* ---- what store says ---- */

void
deliver_work(struct core *c, struct frame *f)
{
	struct station *s;
	struct work w;
	struct wire wire;

	wire_init(&wire, f->data, f->len);
	wire_get(&wire, work, &w);
	if (wire_end(&wire) == -1)
		fatal("store's WORK is malformed");
	s = station_find(c, w.route, w.leg);
	if (s == NULL || s->state != STATION_PULL)
		return;
	if (s->resume == RESUME_ASKED)
		s->resume = RESUME_NONE;
	s->paused = w.paused != 0;
	if (w.kind == WORK_NONE) {
		s->behind |= w.head < c->head;
		station_state(s, STATION_IDLE);
		if (s->place == PULL_FILTER && w.last > 0)
			route_wake(c, s->route);
		if (w.due > 0) {
			s->behind = 1;
			s->not_before = date_ticks() + (w.due - date_now());
		}
		deliver_on(c);
		core_idle(c);
		return;
	}
	s->work = w;
	s->work.id = xstrdup(w.id != NULL ? w.id : "");
	s->batch = f->fd[0];
	f->fd[0] = -1;
	s->epoch = c->role[ROLE_STORE].restarts;
	if (s->batch == -1)
		fatal("store's WORK has no batch");
	if (s->held.id != NULL && strcmp(s->held.id, s->work.id) == 0)
		station_tell(s);
	else
		station_give(s);
}

void
deliver_settled(struct core *c, struct frame *f)
{
	struct station *s;
	struct settled st;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, settled, &st);
	if (wire_end(&w) == -1)
		fatal("store's SETTLED is malformed");
	s = station_find(c, st.route, st.leg);
	if (s == NULL || s->state != STATION_SETTLE)
		return;
	if (st.bad == SETTLED_OTHER) {
		station_again(s);	/* a reload made another question of it */
		return;
	}
	if (st.bad) {
		if (s->worker != NULL)
			worker_stop(s->worker);
		station_pause(s, -1, "its verdicts are malformed");
		return;
	}
	if (s->place == PULL_FILTER) {
		s->failures = 0;
		xreplace(&s->reason, NULL);
	}
	s->paused = s->held.then == ACK_GONE;
	held_set(&s->held, NULL, 0, ACK_ALL, 0, NULL, -1);
	s->behind = 1;
	station_state(s, STATION_IDLE);
	route_wake(c, s->route);
	core_idle(c);
}

void
deliver_head(struct core *c, int64_t head)
{
	c->head = head;
	for (size_t i = 0; i < c->nstations; i++)
		c->stations[i]->behind = 1;
	deliver_on(c);
}

/* Each turn begins with another station, so that none waits for ever when all have work. */
void
deliver_on(struct core *c)
{
	size_t first = c->turn++;

	for (size_t i = 0; i < c->nstations; i++)
		station_pull(c->stations[(first + i) % c->nstations]);
}

/* What was pulled is pulled again once store is back. A sink at work goes on: its answer is held until
 * store hands out the same batch again. */
void
deliver_store_gone(struct core *c)
{
	for (size_t i = 0; i < c->nstations; i++) {
		struct station *s = c->stations[i];

		if (s->state == STATION_IDLE ||
		    (s->state == STATION_WORK && s->place != PULL_FILTER))
			continue;
		if (s->state == STATION_WORK && s->worker != NULL)
			worker_stop(s->worker);
		s->behind = 1;
		station_state(s, STATION_IDLE);
	}
	core_idle(c);
}

/* ---- resuming ---- */

/* Its pause is over, and what it waited to try again is due now. */
static void
station_resume(struct station *s)
{
	s->behind = 1;
	s->failures = 0;
	s->not_before = 0;
	s->resume = RESUME_WANTED;
	xreplace(&s->reason, NULL);
}

/* What there is instead of a name that is wrong: the routes, or the sinks of one. */
static int
resume_refuse(const struct core *c, const char *what, const struct route *r, struct buf *said)
{
	size_t n = r != NULL ? r->nlegs : c->setup->nroutes;

	if (r != NULL)
		buf_fmt(said, "route %s has no sink %s", r->name, what);
	else
		buf_fmt(said, "there is no route %s", what);
	for (size_t i = 0; i < n; i++)
		buf_fmt(said, "%s%s", i > 0 ? ", " : r != NULL ? "; it has " : "; there are: ",
		    r != NULL ? r->legs[i].name : c->setup->routes[i].name);
	buf_str(said, n == 0 ? "; there are none\n" : "\n");
	return -1;
}

static const struct route *
route_named(const struct core *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->setup->nroutes; i++)
		if (strlen(c->setup->routes[i].name) == len &&
		    strncmp(c->setup->routes[i].name, name, len) == 0)
			return &c->setup->routes[i];
	return NULL;
}

int
deliver_resume(struct core *c, const char *name, struct buf *said)
{
	const struct route *r = route_named(c, name, strlen(name));
	const char *leg = NULL, *slash = strrchr(name, '/');
	size_t n = 0;

	if (r == NULL && slash != NULL && slash > name) {
		r = route_named(c, name, (size_t)(slash - name));
		leg = slash + 1;
	}
	if (r == NULL)
		return resume_refuse(c, name, NULL, said);
	for (size_t i = 0; i < c->nstations; i++) {
		struct station *s = c->stations[i];

		if (s->route != r || (leg != NULL && strcmp(station_name(s), leg) != 0))
			continue;
		n++;
		buf_fmt(said, "%s/%s %s\n", r->name, station_name(s), s->paused ? "is resumed" :
		    s->state == STATION_WORK ? "is at work" :
		    s->failures > 0 ? "tries again now" : "was not paused");
		if (s->state != STATION_WORK)
			station_resume(s);
	}
	if (n == 0 && leg != NULL)
		return resume_refuse(c, leg, r, said);
	deliver_on(c);
	return 0;
}

/* ---- set-up ---- */

static struct station *
station_new(struct core *c)
{
	struct station *s = xcalloc(1, sizeof(*s));

	*s = (struct station){ .core = c, .batch = -1, .out = -1, .behind = 1,
		.held = { .out = -1 } };
	s->timer = evtimer_new(c->base, on_timer, s);
	if (s->timer == NULL)
		fatal("no timer for a route");
	return s;
}

/* Its worker ends with the job that it has; what comes of that, nobody asks. */
static void
station_free(struct station *s)
{
	station_state(s, STATION_IDLE);
	if (s->worker != NULL)
		worker_stop(s->worker);
	event_free(s->timer);
	held_set(&s->held, NULL, 0, ACK_ALL, 0, NULL, -1);
	free(s->reason);
	free(s);
}

/* The station that had this route and leg (NULL: its filters); it is taken out of the old ones. */
static struct station *
station_before(struct station **old, size_t n, const struct route *r, const char *name)
{
	struct station *s;

	for (size_t i = 0; i < n; i++) {
		s = old[i];
		if (s == NULL || strcmp(s->route->name, r->name) != 0 ||
		    (s->place == PULL_FILTER) != (name == NULL) ||
		    (name != NULL && strcmp(station_name(s), name) != 0))
			continue;
		old[i] = NULL;
		return s;
	}
	return NULL;
}

/* Its worker was started with what no longer holds: verdicts are asked for anew, a delivery goes to
 * its end. What failed or paused is tried again soon: that may be why it was changed. */
static void
station_change(struct station *s)
{
	s->changed = s->state == STATION_WORK && s->place != PULL_FILTER;
	if (!s->changed && s->worker != NULL)
		worker_stop(s->worker);
	if (s->state == STATION_WORK && s->place == PULL_FILTER)
		station_state(s, STATION_IDLE);
	station_resume(s);
}

/* leg: place, or PULL_FILTER. */
static void
station_take(struct core *c, struct digest *d, struct station **old, size_t n, struct route *r,
    uint32_t leg)
{
	const char *name = leg == PULL_FILTER ? NULL : r->legs[leg].name;
	struct station *s = station_before(old, n, r, name);
	unsigned char means[DIGEST_SIZE];
	int known = s != NULL;

	if (s == NULL)
		s = station_new(c);
	s->route = r;
	s->place = leg;
	s->instance = leg == PULL_FILTER ? NULL : r->legs[leg].instance;
	station_means(s, d, means);
	if (known && memcmp(means, s->means, sizeof(means)) != 0)
		station_change(s);
	memcpy(s->means, means, sizeof(means));
	c->stations[c->nstations++] = s;
}

void
deliver_setup(struct core *c)
{
	struct station **old = c->stations;
	size_t nold = c->nstations, n = 0;
	struct digest *d = digest_new();

	for (size_t i = 0; i < c->setup->nroutes; i++)
		n += c->setup->routes[i].nlegs + (c->setup->routes[i].nfilters > 0);
	c->stations = xcalloc(n, sizeof(struct station *));
	c->nstations = 0;
	for (size_t i = 0; i < c->setup->nroutes; i++) {
		struct route *r = &c->setup->routes[i];

		if (r->nfilters > 0)
			station_take(c, d, old, nold, r, PULL_FILTER);
		for (uint32_t k = 0; k < r->nlegs; k++)
			station_take(c, d, old, nold, r, k);
	}
	for (size_t i = 0; i < nold; i++)
		if (old[i] != NULL)
			station_free(old[i]);
	free(old);
	digest_free(d);
}

/* From here on store goes by the new setup: also what a sink answered meanwhile. */
void
deliver_known(struct core *c, struct wire *w)
{
	uint32_t n = wire_u32(w), id;

	if (n != c->setup->nroutes)
		fatal("store knows %u routes of %zu", n, c->setup->nroutes);
	for (uint32_t i = 0; i < n; i++) {
		id = wire_u32(w);
		for (size_t k = 0; k < c->nstations; k++)
			if (c->stations[k]->route == &c->setup->routes[i]) {
				c->stations[k]->id = id;
				c->stations[k]->leg = c->stations[k]->place;
				c->stations[k]->paused = 0;	/* until store says so */
			}
	}
	for (size_t k = 0; k < c->nstations; k++)
		if (c->stations[k]->state == STATION_ANSWERED)
			station_tell(c->stations[k]);
	deliver_head(c, wire_i64(w));
}

uint32_t
deliver_route_id(const struct core *c, size_t route)
{
	for (size_t i = 0; i < c->nstations; i++)
		if (c->stations[i]->route == &c->setup->routes[route])
			return c->stations[i]->id;
	return 0;
}

const char *
deliver_reason(const struct core *c, size_t route, uint32_t leg)
{
	for (size_t i = 0; i < c->nstations; i++)
		if (c->stations[i]->route == &c->setup->routes[route] && c->stations[i]->place == leg)
			return c->stations[i]->reason;
	return NULL;
}

const char *
deliver_state(const struct core *c, size_t route, uint32_t leg, pid_t *pid)
{
	static const char *const names[] = { "idle", "asking", "working", "settling", "settling" };

	for (size_t i = 0; i < c->nstations; i++) {
		const struct station *s = c->stations[i];

		if (s->route != &c->setup->routes[route] || s->place != leg)
			continue;
		*pid = s->worker != NULL ? worker_pid(s->worker) : 0;
		if (station_waiting(s) != NULL)
			return station_waiting(s);
		if (s->paused)
			return "paused";
		return s->not_before > date_ticks() && s->failures > 0 ? "retrying" :
		    names[s->state];
	}
	*pid = 0;
	return "idle";
}
