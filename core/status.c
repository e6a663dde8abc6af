/* The daemon's state as JSON: for `courant status` and /api/v1/status. */
#include "core.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "told.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What store counted last. */
struct tally {
	struct counts		 counts;
	struct route_count	*routes;	/* reasons are owned */
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

void
status_counts(struct core *c, struct frame *f)
{
	struct tally *t = xcalloc(1, sizeof(*t));
	struct wire w;
	uint32_t n;

	wire_init(&w, f->data, f->len);
	wire_get(&w, counts, &t->counts);
	n = wire_u32(&w);
	if (n > SETUP_ROUTES * (SETUP_LEGS + 1))
		fatal("store counts %u legs", n);
	t->routes = xcalloc(n, sizeof(t->routes[0]));
	for (t->nroutes = 0; t->nroutes < n; t->nroutes++) {
		wire_get(&w, route_count, &t->routes[t->nroutes]);
		if (t->routes[t->nroutes].reason != NULL)
			t->routes[t->nroutes].reason = xstrdup(t->routes[t->nroutes].reason);
	}
	if (wire_end(&w) == -1)
		fatal("store's COUNTS are malformed");
	tally_free(c->tally);
	c->tally = t;
	admin_status(c);
}

static json_t *
roles_json(const struct core *c)
{
	json_t *list = json_array(), *o = json_object();

	set_text(o, "name", "core");
	set_number(o, "pid", getpid());
	set_text(o, "state", c->stopping ? "stopping" : "running");
	json_array_append_new(list, o);
	for (int i = 0; i < ROLES; i++) {
		const struct role *r = &c->role[i];

		o = json_object();
		set_text(o, "name", role_name((enum role_id)i));
		set_number(o, "pid", r->pid);
		set_text(o, "state", r->ready ? "running" : r->pid != 0 ? "starting" : "down");
		set_number(o, "restarts", r->restarts);
		if (r->pid == 0 && r->restarts > 0)
			set_number(o, "delay_ms", r->delay);
		set_text(o, "obituary", r->obituary);
		json_array_append_new(list, o);
	}
	return list;
}

static void
worker_json(pid_t pid, const char *plugin, const char *job, int64_t age, void *arg)
{
	json_t *o = json_object();

	set_number(o, "pid", pid);
	set_text(o, "plugin", plugin);
	set_text(o, "job", job);
	set_number(o, "since_ms", age);
	json_array_append_new(arg, o);
}

static json_t *
obituaries_json(const struct core *c)
{
	json_t *list = json_array();
	unsigned first = c->ndead > OBITUARIES ? c->ndead - OBITUARIES : 0;

	for (unsigned i = first; i < c->ndead; i++) {
		const struct obituary *d = &c->dead[i % OBITUARIES];
		json_t *o = json_object();

		set_time(o, "when", d->when);
		set_number(o, "pid", d->pid);
		set_text(o, "plugin", d->plugin);
		set_text(o, "job", d->job);
		set_text(o, "text", d->text);
		json_array_append_new(list, o);
	}
	return list;
}

static const char *
source_state(const struct core *c, size_t i)
{
	static const char *const names[] = { "ok", "failing", "gone", "parked" };
	const struct run *r = &c->runs[i];

	if (c->setup->sources[i].instance->waiting != NULL)
		return "waiting";
	if (r->mark.checked == 0)
		return "new";
	if (r->partial)
		return "partial";
	return names[r->mark.state <= MARK_PARKED ? r->mark.state : MARK_FAILING];
}

static json_t *
source_json(const struct core *c, size_t i)
{
	const struct source *s = &c->setup->sources[i];
	const struct run *r = &c->runs[i];
	const char *moved;
	json_t *o = json_object();

	set_text(o, "name", s->name);
	set_text(o, "plugin", s->instance->name);
	set_text(o, "url", s->url);
	set_text(o, "state", source_state(c, i));
	set_text(o, "error", s->instance->waiting != NULL ? s->instance->waiting : r->mark.error);
	moved = r->mark.moved != NULL ? strchr(r->mark.moved, ' ') : NULL;
	set_text(o, "moved", moved != NULL ? moved + 1 : NULL);
	set_time(o, "checked", r->mark.checked);
	set_time(o, "ok", r->mark.ok);
	set_time(o, "due", r->mark.due);
	set_number(o, "interval_ms", r->mark.interval);
	set_number(o, "failures", r->mark.failures);
	set_number(o, "status", r->mark.status);
	set_number(o, "found", r->mark.found);
	if (r->refused > 0)
		set_number(o, "refused", r->refused);
	if (r->visits > 0) {
		set_number(o, "visits", (int64_t)r->visits);
		set_number(o, "visits_failed", (int64_t)r->visits_failed);
	}
	if (r->job != NULL)
		json_object_set_new(o, "polling", json_true());
	if (r->stream != NULL)
		json_object_set_new(o, "streaming", json_true());
	if (r->stream != NULL && stream_pid(r->stream) != 0)
		set_number(o, "pid", stream_pid(r->stream));
	return o;
}

static json_t *
leg_json(const struct core *c, size_t route, uint32_t leg, const char *name, uint32_t id)
{
	json_t *o = json_object();
	pid_t pid;

	set_text(o, "name", name);
	set_text(o, "state", deliver_state(c, route, leg, &pid));
	set_text(o, "reason", deliver_reason(c, route, leg));
	if (pid != 0)
		set_number(o, "pid", pid);
	for (uint32_t i = 0; c->tally != NULL && i < c->tally->nroutes; i++) {
		const struct route_count *n = &c->tally->routes[i];

		if (n->route != id || n->leg != leg)
			continue;
		set_number(o, "filtered", n->filtered);
		set_number(o, "delivered", n->delivered);
		set_number(o, "kept", (int64_t)n->kept);
		set_number(o, "dropped", (int64_t)n->dropped);
		set_number(o, "pending", (int64_t)n->pending);
		set_number(o, "dead", (int64_t)n->dead);
		if (leg == PULL_FILTER)
			set_number(o, "expired", (int64_t)n->expired);
		if (json_object_get(o, "reason") == NULL)
			set_text(o, "reason", n->reason);
	}
	return o;
}

static json_t *
route_json(const struct core *c, size_t i)
{
	const struct route *r = &c->setup->routes[i];
	uint32_t id = deliver_route_id(c, i);
	json_t *o = json_object(), *legs = json_array();

	set_text(o, "name", r->name);
	set_text(o, "title", r->title);
	if (r->nfilters > 0)
		json_object_set_new(o, "filters", leg_json(c, i, PULL_FILTER, "filters", id));
	for (uint32_t k = 0; k < r->nlegs; k++)
		json_array_append_new(legs, leg_json(c, i, k, r->legs[k].name, id));
	json_object_set_new(o, "legs", legs);
	return o;
}

static json_t *
plugin_json(const struct core *c, size_t i)
{
	const struct plugin *p = catalog_at(c->catalog, i);
	json_t *o = json_object();

	set_text(o, "name", p->name);
	set_text(o, "kind", p->kind);
	set_text(o, "version", p->version);
	set_text(o, "file", p->file);
	set_text(o, "hash", p->hash);
	set_text(o, "error", p->error);
	return o;
}

static json_t *
counts_json(const struct core *c)
{
	const struct counts none = { 0 }, *n = c->tally != NULL ? &c->tally->counts : &none;
	json_t *o = json_object();

	set_number(o, "records", (int64_t)n->records);
	set_number(o, "revisions", (int64_t)n->revisions);
	set_number(o, "stories", (int64_t)n->stories);
	set_number(o, "bytes", (int64_t)n->bytes);
	set_number(o, "head", n->head);
	set_number(o, "polls", (int64_t)c->polls);
	set_number(o, "fetched", (int64_t)c->fetched);
	set_number(o, "not_modified", (int64_t)c->same);
	set_number(o, "failed", (int64_t)c->failed);
	return o;
}

/* Adds `"name":VALUE` and drops the value: the whole is never one tree, for it may be long. */
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

/* Takes away what is for the operator alone: addresses, which may hold a key, and local paths. */
static json_t *
published(json_t *o)
{
	static const char *const hidden[] = { "url", "moved", "file", "hash" };
	const char *state = json_string_value(json_object_get(o, "state"));

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		json_object_del(o, hidden[i]);
	/* Why a plugin is missing or refused speaks of files. */
	if (state == NULL || strcmp(state, "waiting") == 0)
		json_object_del(o, "error");
	return o;
}

static void
put_list(struct core *c, struct buf *out, const char *name, size_t n,
    json_t *(*each)(const struct core *, size_t), int trusted)
{
	buf_fmt(out, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_char(out, ',');
		put(out, NULL, trusted ? each(c, i) : published(each(c, i)));
	}
	buf_char(out, ']');
}

void
status_json(struct core *c, struct buf *out, int trusted)
{
	json_t *workers = json_array();

	buf_str(out, "{\"version\":\"" PACKAGE_VERSION "\"");
	put(out, "uptime", json_integer((date_ticks() - c->started) / 1000));
	if (trusted) {
		put(out, "configuration", text_of(c->setup->file));
		put(out, "state", text_of(c->state));
	}
	put(out, "listen", json_string(c->listen));
	put(out, "counts", counts_json(c));
	put(out, "roles", roles_json(c));
	pool_status(c, worker_json, workers);
	put(out, "workers", workers);
	put(out, "obituaries", obituaries_json(c));
	put_list(c, out, "sources", c->setup->nsources, source_json, trusted);
	put_list(c, out, "routes", c->setup->nroutes, route_json, trusted);
	put_list(c, out, "plugins", catalog_count(c->catalog), plugin_json, trusted);
	buf_str(out, "}\n");
}
