/* When editions are due.
 *
 * The wall clock may be set at any time: what is due is counted anew from the calendar at each wake, at
 * least every WAKE_MS. Store seals an edition of one name once, so that a question asked twice, as after a
 * restart, does no harm. After a jump ahead of JUMP_MS nothing is sealed for HOLD_MS: a clock that is wrong
 * is often put right soon. */
#include "editions.h"
#include "base/buf.h"
#include "base/calendar.h"
#include "base/date.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shown.h"
#include "conf/setup.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/chan.h"
#include "ipc/msg.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#define WAKE_MS		INT64_C(30000)
#define JUMP_MS		INT64_C(10800000)	/* as cron: 3 h */
#define HOLD_MS		INT64_C(300000)

/* An edition route of the setup. */
struct clock {
	char	*name;
	int64_t	 asked;			/* due time of the edition that store was told of; 0: none */
	int64_t	 done;			/* of the last one that store has answered */
	int64_t	 next;			/* the first due time after the last check; 0: not known */
};
struct editions {
	struct clock	*clock;
	size_t		 n;
	struct event	*timer;
	int64_t		 wall, ticks;	/* at the last check; ticks 0: none */
	int64_t		 hold;		/* wall clock: nothing is sealed before; 0 */
	int64_t		 begun;		/* wall clock: when the daemon began */
};

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	editions_wake(arg);
}

void
editions_init(struct core *c)
{
	struct editions *e = c->editions = xcalloc(1, sizeof(*e));

	e->timer = evtimer_new(c->base, on_timer, c);
	if (e->timer == NULL)
		fatal("no timer for editions");
	e->begun = date_now();
}

static void
clocks_free(struct editions *e)
{
	while (e->n > 0)
		free(e->clock[--e->n].name);
	free(e->clock);
	e->clock = NULL;
}

void
editions_end(struct core *c)
{
	struct editions *e = c->editions;

	clocks_free(e);
	event_free(e->timer);
	free(e);
	c->editions = NULL;
}

/* A new setup: every edition that is due is asked about again, and store knows what it sealed. */
void
editions_setup(struct core *c, const struct setup *old)
{
	struct editions *e = c->editions;
	const struct setup *s = c->setup;

	(void)old;
	event_del(e->timer);
	clocks_free(e);
	e->clock = xcalloc(s->nroutes + 1, sizeof(*e->clock));
	for (size_t i = 0; i < s->nroutes; i++)
		if (s->routes[i].edition != NULL)
			e->clock[e->n++].name = xstrdup(s->routes[i].name);
}

void
editions_ready(struct core *c)
{
	struct editions *e = c->editions;

	for (size_t i = 0; i < e->n; i++)
		e->clock[i].asked = e->clock[i].done;	/* the old store may have died with the question */
	editions_wake(c);
}

static const struct route *
route_of(const struct core *c, const char *name)
{
	const struct setup *s = c->setup;

	for (size_t i = 0; i < s->nroutes; i++)
		if (s->routes[i].edition != NULL && strcmp(s->routes[i].name, name) == 0)
			return &s->routes[i];
	return NULL;
}

static void
ask(struct core *c, const struct route *r, int64_t due, int64_t now)
{
	const struct calendar *when = &r->edition->calendar;
	char name[CALENDAR_NAME];
	const struct seal_ask s = { .route = r->name, .name = calendar_name(when, due, name),
		.zone = when->zone, .from = calendar_last(when, due - 1), .due = due,
		.missed = now - due > r->edition->late };
	struct buf b;

	buf_init(&b, msg_limit(MSG_SEAL));
	wire_put(&b, seal_ask, &s);
	roles_send(c, ROLE_STORE, MSG_SEAL, 0, &b, -1);
	buf_free(&b);
}

/* Looks at one route. Returns the first due time after now. */
static int64_t
due_check(struct core *c, struct clock *k, int64_t now)
{
	const struct route *r = route_of(c, k->name);
	int64_t due;

	if (r == NULL)
		return INT64_MAX;
	if (now < k->next && k->asked == k->done)
		return k->next;
	due = calendar_last(&r->edition->calendar, now);
	k->next = calendar_next(&r->edition->calendar, now);
	if (due != -1 && due != k->asked && due != k->done) {
		ask(c, r, due, now);
		k->asked = due;
	}
	return k->next != -1 ? k->next : INT64_MAX;
}

/* Whether the clock jumped ahead a moment ago. When it was set at all, all is counted anew. */
static int
held(struct editions *e, int64_t now, int64_t ticks)
{
	int64_t ahead = e->ticks != 0 ? (now - e->wall) - (ticks - e->ticks) : 0;

	e->wall = now;
	e->ticks = ticks;
	for (size_t i = 0; i < e->n && (ahead > CLOCK_BACK || ahead < -CLOCK_BACK); i++)
		e->clock[i].next = 0;
	if (ahead >= JUMP_MS) {
		log_warn("the clock went %lld h ahead: no edition is sealed for %d minutes",
		    (long long)(ahead / 3600000), (int)(HOLD_MS / 60000));
		e->hold = now + HOLD_MS;
	} else if (ahead < -CLOCK_BACK)
		e->hold = 0;
	if (now >= e->hold)
		e->hold = 0;
	return e->hold != 0;
}

void
editions_wake(struct core *c)
{
	struct editions *e = c->editions;
	int64_t now = date_now(), first = INT64_MAX, one, ms = WAKE_MS;
	struct timeval tv;

	if (e == NULL || e->n == 0 || !c->known || c->stopping)
		return;
	if (!held(e, now, date_ticks()))
		for (size_t i = 0; i < e->n; i++) {
			one = due_check(c, &e->clock[i], now);
			first = one < first ? one : first;
		}
	if (first != INT64_MAX && first - now < ms)
		ms = first - now;
	tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	event_add(e->timer, &tv);
}

void
editions_sealed(struct core *c, const struct frame *f)
{
	struct editions *e = c->editions;
	struct seal_told s;

	if (wire_whole(f->data, f->len, seal_told, &s) == -1 || s.route == NULL)
		fatal("store's SEALED is malformed");
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->clock[i].name, s.route) == 0)
			e->clock[i].done = s.due;
}

int64_t
editions_overdue(const struct core *c, const struct route *r, char name[CALENDAR_NAME])
{
	const struct editions *e = c->editions;
	int64_t now = date_now(), due = calendar_last(&r->edition->calendar, now);
	int64_t since = due > e->begun ? due : e->begun;

	if (due == -1 || now - since < EDITIONS_OVERDUE || e->hold != 0)
		return 0;
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->clock[i].name, r->name) == 0 && e->clock[i].done != due) {
			calendar_name(&r->edition->calendar, due, name);
			return due;
		}
	return 0;
}

/* What a mail of the route is made with: the options of its first sink that makes one. */
static json_t *
mail_json(const struct core *c, const struct route *r)
{
	static const char *const names[] = { "intro", "summary", "images" };
	json_t *o = json_object(), *options = json_object();
	const struct instance *in = NULL;

	for (size_t i = 0; i < r->nsinks && in == NULL; i++)
		if (option_find(plugin_options(r->sinks[i].instance), "intro") != NULL)
			in = r->sinks[i].instance;
	for (size_t i = 0; in != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (option_find(plugin_options(in), names[i]) != NULL)
			json_set_text(options, names[i], options_get(&in->options, names[i]));
	json_object_set_new(o, "options", options);
	json_set_text(o, "title", r->title != NULL ? r->title : r->name);
	if (setup_archives(r) && c->setup->base[0] != '\0') {
		char *archive = xasprintf("%s/" ARCHIVE_FOLDER "/%s", c->setup->base, r->name);

		json_set_text(o, "archive", archive);
		free(archive);
	}
	return o;
}

int
editions_question(struct core *c, const char *arg, struct buf *out)
{
	json_t *asked = json_loads(arg, 0, NULL);
	const char *route = json_get_text(asked, "route"), *what = json_get_text(asked, "what");
	const struct route *r = route_of(c, route);
	const struct calendar *when;
	char name[CALENDAR_NAME];
	int64_t now = date_now(), due;

	if (r == NULL) {
		shown_fmt(out, "there is no route %s that makes editions\n", route);
		json_decref(asked);
		return -1;
	}
	when = &r->edition->calendar;
	due = strcmp(what, "seal") == 0 ? now : calendar_next(when, now);
	json_set_text(asked, "name", calendar_name(when, due, name));
	json_set_text(asked, "zone", when->zone);
	json_set_number(asked, "from", calendar_last(when, due - 1));
	json_set_number(asked, "due", due);
	if (json_is_true(json_object_get(asked, "html")))
		json_object_set_new(asked, "mail", mail_json(c, r));
	json_put(out, asked);
	return 0;
}
