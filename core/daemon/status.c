/* The daemon's state as JSON: for `courant status` and /api/v1/status. */
#include "status.h"
#include "abandoned.h"
#include "indexing.h"
#include "base/date.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/plugin.h"
#include "daemon/route/deliver.h"
#include "daemon/route/editions.h"
#include "daemon/source/lanes.h"
#include "daemon/source/poll.h"
#include "daemon/source/quota.h"
#include "daemon/source/sources.h"
#include "daemon/source/stream.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/disk.h"
#include "daemon/supervise/mailers.h"
#include "daemon/supervise/memory.h"
#include "daemon/supervise/role.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/landlock.h"
#include "ipc/msg.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAITS_MAX	1024		/* bytes of what a source waits for */

/* Store's last counts. */
struct tally {
	struct counts		 counts;
	struct route_count	*routes;	/* their reasons are owned */
	uint32_t		 nroutes;
};

static void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	for (uint32_t i = 0; i < t->nroutes; i++)
		free((char *)(uintptr_t)t->routes[i].reason);
	free(t->routes);
	free(t);
}

static int
by_sink(const void *a, const void *b)
{
	const struct route_count *x = a, *y = b;

	if (x->route != y->route)
		return x->route < y->route ? -1 : 1;
	return (x->sink > y->sink) - (x->sink < y->sink);
}

void
status_counts(struct core *c, struct frame *f)
{
	struct tally *t = xcalloc(1, sizeof(*t));
	struct wire w;
	uint32_t n;

	wire_init(&w, f->data, f->len);
	wire_get(&w, counts, &t->counts);
	n = wire_u32(&w);
	if (n > SETUP_ROUTES * (SETUP_SINKS + 1))
		fatal("store counts %u sinks", n);
	t->routes = xcalloc(n, sizeof(t->routes[0]));
	for (t->nroutes = 0; t->nroutes < n; t->nroutes++) {
		wire_get(&w, route_count, &t->routes[t->nroutes]);
		if (t->routes[t->nroutes].reason != NULL)
			t->routes[t->nroutes].reason = xstrdup(t->routes[t->nroutes].reason);
	}
	if (wire_end(&w) == -1)
		fatal("store's COUNTS are malformed");
	qsort(t->routes, t->nroutes, sizeof(t->routes[0]), by_sink);
	tally_free(c->tally);
	c->tally = t;
}

const struct route_count *
status_counted(const struct core *c, uint32_t route, uint32_t sink)
{
	const struct route_count key = { .route = route, .sink = sink };

	return c->tally == NULL || c->tally->nroutes == 0 ? NULL : bsearch(&key, c->tally->routes,
	    c->tally->nroutes, sizeof(key), by_sink);
}

static void
mailer_json(pid_t pid, int busy, void *arg)
{
	json_t *o = json_object();

	json_set_text(o, "name", "mail");
	json_set_number(o, "pid", pid);
	json_set_text(o, "state", busy ? "running" : "idle");
	json_array_append_new(arg, o);
}

static json_t *
roles_json(const struct core *c)
{
	json_t *list = json_array(), *o = json_object();

	json_set_text(o, "name", "core");
	json_set_number(o, "pid", getpid());
	json_set_text(o, "state", c->stopping ? "stopping" : "running");
	json_array_append_new(list, o);
	for (int i = 0; i < ROLES; i++) {
		const struct role *r = roles_get(c, (enum role_id)i);

		o = json_object();
		json_set_text(o, "name", role_name((enum role_id)i));
		json_set_number(o, "pid", r->pid);
		json_set_text(o, "state", r->ready ? "running" : r->pid != 0 ? "starting" : "down");
		json_set_number(o, "restarts", r->restarts);
		if (r->pid == 0 && r->restarts > 0)
			json_set_number(o, "delay_ms", r->delay);
		json_set_text(o, "obituary", r->obituary);
		json_array_append_new(list, o);
	}
	mailers_each(c, mailer_json, list);
	return list;
}

struct worker_list { const struct core *core; json_t *list; };

static void
worker_json(pid_t pid, const char *plugin, const char *job, int64_t age, void *arg)
{
	const struct worker_list *to = arg;
	json_t *o = json_object();

	json_set_number(o, "pid", pid);
	json_set_text(o, "plugin", plugin);
	json_set_text(o, "job", job);
	json_set_number(o, "since_ms", age);
	json_set_number(o, "memory", (int64_t)memory_of(to->core, pid));
	json_array_append_new(to->list, o);
}

static void
obituary_json(const struct obituary *d, void *arg)
{
	json_t *o = json_object();

	json_set_time(o, "when", d->when);
	json_set_number(o, "pid", d->pid);
	json_set_text(o, "plugin", d->plugin);
	json_set_text(o, "job", d->job);
	json_set_text(o, "text", d->text);
	json_array_append_new(arg, o);
}

static json_t *
obituaries_json(const struct core *c)
{
	json_t *list = json_array();

	workers_dead(c, obituary_json, list);
	return list;
}

static const char *
source_state(const struct core *c, size_t i)
{
	static const char *const names[] = { "ok", "failing", "gone", "parked" };
	const struct run *r = &c->runs[i];

	if (c->setup->sources[i].instance->waiting != NULL)
		return "waiting";
	if (quota_held(c, (uint32_t)i))
		return "held";
	if (r->mark.checked == 0)
		return "new";
	if (r->partial)
		return "partial";
	return names[r->mark.state <= MARK_PARKED ? r->mark.state : MARK_FAILING];
}

/* Sets why the source waits or is held, or its last error. */
static void
source_error(const struct core *c, size_t i, json_t *o)
{
	struct buf why;

	if (c->setup->sources[i].instance->waiting != NULL)
		json_set_text(o, "error", c->setup->sources[i].instance->waiting);
	else if (quota_held(c, (uint32_t)i)) {
		buf_init(&why, 512);
		quota_why(c, (uint32_t)i, &why);
		json_set_text(o, "error", why.data);
		json_set_time(o, "held_until", quota_until(c, (uint32_t)i));
		buf_free(&why);
	} else
		json_set_text(o, "error", c->runs[i].mark.error);
}

static json_t *
source_json(const struct core *c, size_t i)
{
	const struct source *s = &c->setup->sources[i];
	const struct run *r = &c->runs[i];
	json_t *o = json_object();
	struct buf waits;

	json_set_text(o, "name", s->name);
	json_set_text(o, "plugin", s->instance->name);
	json_set_text(o, "url", s->url);
	json_set_text(o, "state", source_state(c, i));
	source_error(c, i, o);
	json_set_text(o, "moved", poll_moved(r, s));
	json_set_time(o, "checked", r->mark.checked);
	json_set_time(o, "ok", r->mark.ok);
	json_set_time(o, "due", r->mark.due);
	json_set_number(o, "interval_ms", r->mark.interval);
	json_set_number(o, "failures", r->mark.failures);
	json_set_number(o, "status", r->mark.status);
	json_set_number(o, "found", r->mark.found);
	if (r->refused > 0)
		json_set_number(o, "refused", r->refused);
	if (r->forged > 0)
		json_set_number(o, "forged", (int64_t)r->forged);
	if (r->visits > 0) {
		json_set_number(o, "visits", (int64_t)r->visits);
		json_set_number(o, "visits_failed", (int64_t)r->visits_failed);
	}
	if (r->poll != NULL)
		json_object_set_new(o, "polling", json_true());
	buf_init(&waits, WAITS_MAX);
	json_set_text(o, "waits", lane_waits(c, (uint32_t)i, &waits));
	buf_free(&waits);
	if (r->stream != NULL)
		json_object_set_new(o, "streaming", json_true());
	if (r->stream != NULL && stream_pid(r->stream) != 0)
		json_set_number(o, "pid", stream_pid(r->stream));
	return o;
}

/* What filters and sinks have in common. */
static json_t *
station_json(const struct core *c, size_t route, uint32_t sink, const char *name,
    const struct route_count *n)
{
	json_t *o = json_object();
	pid_t pid;

	json_set_text(o, "name", name);
	json_set_text(o, "state", deliver_state(c, route, sink, &pid));
	json_set_text(o, "reason", deliver_reason(c, route, sink));
	if (pid != 0)
		json_set_number(o, "pid", pid);
	if (n == NULL)
		return o;
	if (json_object_get(o, "reason") == NULL)
		json_set_text(o, "reason", n->reason);
	json_set_number(o, "place", n->place);
	json_set_number(o, "dead", (int64_t)n->dead);
	return o;
}

static json_t *
filters_json(const struct core *c, size_t route, const struct route_count *n)
{
	json_t *o = station_json(c, route, PULL_FILTER, "filters", n);

	if (n == NULL)
		return o;
	json_set_number(o, "waiting", (int64_t)n->waiting);
	json_set_number(o, "expired", (int64_t)n->expired);
	if (n->forged > 0)
		json_set_number(o, "forged", (int64_t)n->forged);
	return o;
}

static json_t *
sink_json(const struct core *c, size_t route, uint32_t sink, const struct route_count *n)
{
	json_t *o = station_json(c, route, sink, c->setup->routes[route].sinks[sink].name, n);

	if (c->setup->routes[route].sinks[sink].mail)
		json_object_set_new(o, "mail", json_true());
	if (n == NULL)
		return o;
	json_set_number(o, "delivered", (int64_t)n->delivered);
	json_set_number(o, "unconfirmed", (int64_t)n->unconfirmed);
	json_set_time(o, "oldest", n->oldest);
	json_set_number(o, "retry", (int64_t)n->retry);
	json_set_number(o, "replay", (int64_t)n->replay);
	json_set_time(o, "next", n->due);
	json_object_set_new(o, "paused", json_boolean(n->paused));
	return o;
}

/* Of a route with editions: the one that is overdue. */
static void
overdue_put(const struct core *c, const struct route *r, json_t *o)
{
	char name[CALENDAR_NAME];
	int64_t due = r->edition != NULL ? editions_overdue(c, r, name) : 0;
	json_t *edition;

	if (due == 0)
		return;
	edition = json_object();
	json_set_text(edition, "name", name);
	json_set_time(edition, "due", due);
	json_object_set_new(o, "overdue", edition);
}

static json_t *
route_json(const struct core *c, size_t i)
{
	const struct route *r = &c->setup->routes[i];
	uint32_t id = deliver_route_id(c, i);
	const struct route_count *n = status_counted(c, id, PULL_FILTER);
	json_t *o = json_object(), *sinks = json_array();

	json_set_text(o, "name", r->name);
	json_set_text(o, "title", r->title);
	if (n != NULL) {
		json_set_number(o, "place", n->place);
		json_set_number(o, "kept", (int64_t)n->kept);
		json_set_number(o, "dropped", (int64_t)n->dropped);
	}
	if (r->nfilters > 0)
		json_object_set_new(o, "filters", filters_json(c, i, n));
	for (uint32_t k = 0; k < r->nsinks; k++)
		json_array_append_new(sinks, sink_json(c, i, k, status_counted(c, id, k)));
	json_object_set_new(o, "sinks", sinks);
	overdue_put(c, r, o);
	if (n != NULL && n->subscribe)
		json_object_set_new(o, "subscribers", json_pack("{s:I,s:I,s:I,s:I,s:I}",
		    "pending", (json_int_t)n->pending, "active", (json_int_t)n->active,
		    "left", (json_int_t)n->left, "bounced", (json_int_t)n->bounced,
		    "blocked", (json_int_t)n->blocked));
	return o;
}

/* The records of all sources of the plugin that were refused since it forged them. */
static uint64_t
plugin_forged(const struct core *c, const struct plugin *p)
{
	uint64_t n = 0;

	for (size_t i = 0; c->forged > 0 && i < c->setup->nsources; i++)
		if (c->runs[i].forged > 0 && c->setup->sources[i].instance->plugin == p)
			n += c->runs[i].forged;
	return n;
}

static json_t *
plugin_json(const struct core *c, size_t i)
{
	const struct plugin *p = catalog_at(c->catalog, i);
	uint64_t forged = plugin_forged(c, p);
	json_t *o = json_object();

	json_set_text(o, "name", p->name);
	json_set_text(o, "kind", p->kind);
	if (forged > 0)
		json_set_number(o, "forged", (int64_t)forged);
	json_set_text(o, "version", p->version);
	json_set_text(o, "file", p->file);
	json_set_text(o, "hash", p->hash);
	json_set_text(o, "error", p->error);
	return o;
}

static json_t *
counts_json(const struct core *c)
{
	const struct counts none = { 0 }, *n = c->tally != NULL ? &c->tally->counts : &none;
	json_t *o = json_object();

	json_set_number(o, "records", (int64_t)n->records);
	json_set_number(o, "revisions", (int64_t)n->revisions);
	json_set_number(o, "stories", (int64_t)n->stories);
	json_set_number(o, "bytes", (int64_t)n->bytes);
	json_set_number(o, "head", n->head);
	json_set_number(o, "polls", (int64_t)c->polls->done);
	json_set_number(o, "fetched", (int64_t)c->polls->fetched);
	json_set_number(o, "not_modified", (int64_t)c->polls->same);
	json_set_number(o, "failed", (int64_t)c->polls->failed);
	return o;
}

static json_t *
memory_json(const struct core *c)
{
	json_t *o = json_object();

	json_set_number(o, "used", (int64_t)memory_used(c));
	json_set_number(o, "limit", (int64_t)c->setup->all_memory);
	return o;
}

static json_t *
disk_json(struct core *c)
{
	json_t *o = json_object();
	struct buf why;

	json_set_number(o, "free", (int64_t)disk_left(c));
	json_set_number(o, "wanted", (int64_t)disk_wanted(c));
	if (disk_low(c)) {
		buf_init(&why, 512);
		disk_why(c, &why);
		json_set_text(o, "held", why.data);
		buf_free(&why);
	}
	return o;
}

/* Appends `"name":VALUE` and frees the value: the status may be too long to be one tree. */
static void
put(struct buf *out, const char *name, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		fatal("the status cannot be written as JSON");
	if (name != NULL)
		buf_fmt(out, ",\"%s\":", name);
	buf_str(out, text);
	free(text);
	json_decref(value);
}

/* Removes what is for the operator alone: URLs, which may hold a key, local paths, how many subscribe. */
static json_t *
published(json_t *o)
{
	static const char *const hidden[] = { "url", "moved", "file", "hash", "subscribers" };
	const char *state = json_string_value(json_object_get(o, "state"));

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		json_object_del(o, hidden[i]);
	/* The reason why a plugin is missing or refused names files. */
	if (state == NULL || strcmp(state, "waiting") == 0)
		json_object_del(o, "error");
	return o;
}

/* The lists, which may be long: each piece is one member of one. */
static size_t
count_sources(const struct core *c)
{
	return c->setup->nsources;
}

static size_t
count_routes(const struct core *c)
{
	return c->setup->nroutes;
}

static size_t
count_plugins(const struct core *c)
{
	return catalog_count(c->catalog);
}

static const struct list {
	const char	*name;
	size_t		(*count)(const struct core *);
	json_t		*(*each)(const struct core *, size_t);
} lists[] = {
	{ "sources", count_sources, source_json },
	{ "routes", count_routes, route_json },
	{ "plugins", count_plugins, plugin_json },
};
#define LISTS	(sizeof(lists) / sizeof(lists[0]))

static void
put_head(struct core *c, struct buf *out, int trusted)
{
	struct worker_list workers = { c, json_array() };

	buf_str(out, "{\"version\":\"" PACKAGE_VERSION "\"");
	put(out, "uptime", json_integer((date_ticks() - c->started) / 1000));
	if (trusted) {
		put(out, "configuration", json_text(c->setup->file));
		put(out, "state", json_text(c->state));
		put(out, "landlock", json_integer(landlock_abi()));
	}
	put(out, "listen", json_string(c->listen));
	put(out, "counts", counts_json(c));
	if (trusted) {
		put(out, "memory", memory_json(c));
		put(out, "disk", disk_json(c));
	}
	put(out, "index", indexing_json(c));
	put(out, "roles", roles_json(c));
	workers_status(c, worker_json, &workers);
	put(out, "workers", workers.list);
	put(out, "obituaries", obituaries_json(c));
	if (trusted)
		put(out, "abandoned", abandoned_json(c));
}

int
status_write(struct core *c, struct buf *out, int trusted, struct status_place *at)
{
	const struct list *l = &lists[at->list];
	json_t *o;

	if (!at->begun) {
		put_head(c, out, trusted);
		buf_fmt(out, ",\"%s\":[", l->name);
		at->begun = 1;
		return 1;
	}
	if (at->i < l->count(c)) {
		if (at->i > 0)
			buf_char(out, ',');
		o = l->each(c, at->i++);
		put(out, NULL, trusted ? o : published(o));
		return 1;
	}
	at->i = 0;
	if (++at->list < LISTS) {
		buf_fmt(out, "],\"%s\":[", lists[at->list].name);
		return 1;
	}
	buf_str(out, "]}\n");
	return 0;
}
