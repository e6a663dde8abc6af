/* The roles store, fetch, send and serve: started, configured, and started again when they die. */
#include "core.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "request.h"
#include "result.h"
#include "child.h"

#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVE_CONNECTIONS	256
#define SERVE_PER_ADDRESS	64
#define STOP_MS			5000	/* for the roles to finish when the daemon stops */
#define REAP_MS		40		/* for a role that closed its channel to end by itself */

static void	role_start(struct role *);

/* What each role is sent first, and what is done with its frames. */
static void	store_setup(struct role *);
static void	store_frame(struct role *, struct frame *);
static void	fetch_setup(struct role *);
static void	fetch_frame(struct role *, struct frame *);
static void	send_frame(struct role *, struct frame *);
static void	serve_setup(struct role *);
static void	serve_frame(struct role *, struct frame *);

static const struct {
	const char	*name;
	void		(*setup)(struct role *);
	void		(*frame)(struct role *, struct frame *);
} table[ROLES] = {
	[ROLE_STORE] = { "store", store_setup, store_frame },
	[ROLE_FETCH] = { "fetch", fetch_setup, fetch_frame },
	[ROLE_SEND] = { "send", fetch_setup, send_frame },
	[ROLE_SERVE] = { "serve", serve_setup, serve_frame },
};

const char *
role_name(enum role_id id)
{
	return table[id].name;
}

static void
timer_in(struct event *ev, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(ev, &tv);
}

/* A memfd of what b holds, sent and closed. */
static void
send_fd(struct core *c, enum role_id id, uint16_t type, const struct buf *b)
{
	int fd = b->over ? -1 : result_fd(b->data, b->len);

	if (fd == -1 || result_seal(fd) == -1)
		fatal("no memory file for %s: %s", msg_name(type), strerror(errno));
	roles_send(c, id, type, c->conf, NULL, fd);
	close(fd);
}

static void
put_route(struct buf *b, const struct route *r)
{
	struct store_route sr = { .name = r->name, .title = r->title, .all = (uint32_t)r->all,
		.filters = (uint32_t)r->nfilters, .once_record = (uint32_t)r->once_record,
		.updates = (uint32_t)r->updates, .patience = r->patience };
	struct buf rules;

	buf_init(&rules, SIZE_MAX / 4);
	for (size_t i = 0; i < r->nfilters; i++)
		buf_add(&rules, r->filters[i].rule, strlen(r->filters[i].rule) + 1);
	sr.rules = (struct bytes){ rules.data, rules.len };
	wire_put(b, store_route, &sr);
	buf_free(&rules);
	wire_put_u32(b, (uint32_t)r->nfrom);
	for (size_t i = 0; i < r->nfrom; i++)
		wire_put_u32(b, r->from[i]);
	wire_put_u32(b, (uint32_t)r->nroutes);
	for (size_t i = 0; i < r->nroutes; i++)
		wire_put_u32(b, r->routes[i]);
	wire_put_u32(b, (uint32_t)r->nlegs);
	for (size_t i = 0; i < r->nlegs; i++) {
		const struct leg *l = &r->legs[i];
		const struct plugin *p = l->instance->plugin;
		const struct store_leg sl = { .name = l->name,
			.takes = p != NULL && p->takes == CR_BATCH_LIST ? CR_BATCH_LIST :
			    CR_BATCH_RECORDS,
			.keep = l->keep, .backlog = l->backlog, .backlog_n = l->backlog_n };

		wire_put(b, store_leg, &sl);
	}
}

static void
send_setup(struct core *c)
{
	const struct setup *s = c->setup;
	struct buf b;

	c->conf++;
	buf_init(&b, SIZE_MAX / 4);
	wire_put_u32(&b, (uint32_t)s->nsources);
	for (size_t i = 0; i < s->nsources; i++) {
		const struct source *src = &s->sources[i];
		const struct store_source ss = { .name = src->name, .was = src->was,
			.url = src->url, .plugin = src->instance->name };

		wire_put(&b, store_source, &ss);
	}
	wire_put_u32(&b, (uint32_t)s->nroutes);
	for (size_t i = 0; i < s->nroutes; i++)
		put_route(&b, &s->routes[i]);
	send_fd(c, ROLE_STORE, MSG_STORE_CONF, &b);
	buf_free(&b);
}

static void
store_setup(struct role *r)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_STORE_START));
	wire_put_str(&b, r->core->database);
	roles_send(r->core, r->id, MSG_STORE_START, 0, &b, -1);
	buf_free(&b);
}

/* Store told which sources and routes it knows: the daemon can work. */
static void
store_known(struct core *c, struct frame *f)
{
	size_t size;
	const void *p;
	struct wire w;

	if (f->id != c->conf)
		return;			/* of a setup before this one; the other answer follows */
	p = result_map(f->fd[0], SIZE_MAX, &size);
	if (p == NULL)
		fatal("what store knows cannot be read: %s", strerror(errno));
	wire_init(&w, p, size);
	poll_known(c, &w);
	deliver_known(c, &w);
	if (wire_end(&w) == -1)
		fatal("what store knows is malformed");
	result_unmap(p, size);
	if (!evtimer_pending(c->role[ROLE_SERVE].timer, NULL) && c->listener != -1)
		role_start(&c->role[ROLE_SERVE]);
}

static void
store_grew(struct core *c, struct frame *f)
{
	int64_t head;
	struct wire w;

	wire_init(&w, f->data, f->len);
	head = wire_i64(&w);
	if (wire_end(&w) == -1)
		fatal("store's HEAD is malformed");
	deliver_head(c, head);
}

static void
store_frame(struct role *r, struct frame *f)
{
	struct core *c = r->core;

	switch (f->type) {
	case MSG_READY:
		send_setup(c);
		break;
	case MSG_STORE_KNOWN:
		store_known(c, f);
		break;
	case MSG_RECALLED:
		poll_recalled(c, f);
		break;
	case MSG_COMMITTED:
		poll_committed(c, f);
		break;
	case MSG_STATED:
		if ((f->id & VISIT_ID) != 0)
			visit_stated(c, f);
		else
			stream_stated(c, f);
		break;
	case MSG_WORK:
		deliver_work(c, f);
		break;
	case MSG_HEAD:
		store_grew(c, f);
		break;
	case MSG_SETTLED:
		deliver_settled(c, f);
		break;
	case MSG_COUNTS:
		status_counts(c, f);
		break;
	case MSG_EXPLAINED:
		admin_explained(c, f);
		break;
	default:
		fatal("store sent a %s", msg_name(f->type));
	}
}

static void
fetch_setup(struct role *r)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_FETCH_START));
	request_settings(r->core->setup, &b);
	roles_send(r->core, r->id, MSG_FETCH_START, 0, &b, -1);
	buf_free(&b);
}

static void
fetch_frame(struct role *r, struct frame *f)
{
	switch (f->type) {
	case MSG_READY:
		poll_fetch_back(r->core);
		break;
	case MSG_FETCHED:
		poll_fetched(r->core, f);
		break;
	default:
		fatal("fetch sent a %s", msg_name(f->type));
	}
}

static void
send_frame(struct role *r, struct frame *f)
{
	switch (f->type) {
	case MSG_READY:
		errand_send_back(r->core);
		break;
	case MSG_FETCHED:
		errand_answered(r->core, f);
		break;
	default:
		fatal("send sent a %s", msg_name(f->type));
	}
}

static void
serve_setup(struct role *r)
{
	const struct core *c = r->core;
	const struct serve_start ss = { .database = c->database, .out = c->out,
		.base = c->setup->base, .connections = SERVE_CONNECTIONS,
		.per_address = SERVE_PER_ADDRESS, .proxies = c->setup->proxies };
	struct buf b;

	buf_init(&b, msg_limit(MSG_SERVE_START));
	wire_put(&b, serve_start, &ss);
	roles_send(r->core, r->id, MSG_SERVE_START, 0, &b, c->listener);
	buf_free(&b);
}

static void
serve_frame(struct role *r, struct frame *f)
{
	switch (f->type) {
	case MSG_READY:
		break;
	case MSG_ASK:
		admin_ask(r->core, r->peer, f, 0);
		break;
	case MSG_VISIT:
		if (visit_came(r->core, f) == 0)
			break;
		log_warn("serve sent a bad frame");
		kill(r->pid, SIGKILL);
		break;
	default:
		log_warn("serve sent a %s, which it may not", msg_name(f->type));
	}
}

/* One that ends by itself closes its channel first, and tells why by its status: it gets a moment. */
static void
role_reap(const struct role *r, int *status)
{
	int64_t until = date_ticks() + REAP_MS;
	pid_t pid;

	while ((pid = waitpid(r->pid, status, WNOHANG)) == 0 && date_ticks() < until)
		usleep(1000);
	if (pid != 0)
		return;
	if (!r->core->stopping)
		kill(r->pid, SIGKILL);
	while (waitpid(r->pid, status, 0) == -1 && errno == EINTR)
		;
}

/* The other side of a role's channel is closed: waits for its death, and plans its return. */
static void
role_died(struct role *r)
{
	struct core *c = r->core;
	struct buf why;
	int status = 0;

	admin_forget(c, r->peer);
	peer_free(r->peer);
	r->peer = NULL;
	role_reap(r, &status);
	buf_init(&why, 256);
	spawn_obituary(&why, status);
	r->pid = 0;
	r->ready = 0;
	if (c->stopping) {
		buf_free(&why);
		return;
	}
	xreplace(&r->obituary, why.data);
	log_warn("%s died: %s", table[r->id].name, why.data);
	buf_free(&why);
	if (r->id == ROLE_SEND)
		errand_send_gone(c);
	if (r->id == ROLE_SERVE)
		visit_serve_gone(c);
	if (r->id == ROLE_STORE) {
		c->known = 0;
		admin_store_gone(c);
		poll_store_gone(c);
		intake_store_gone(c);
		stream_store_gone(c);
		visit_store_gone(c);
		deliver_store_gone(c);
		if (!r->was_ready && WIFEXITED(status) && WEXITSTATUS(status) != 0) {
			core_exit(c, WEXITSTATUS(status));
			return;
		}
	}
	if (date_ticks() - r->started >= ROLE_STEADY || r->delay == 0)
		r->delay = ROLE_DELAY_MIN;
	else
		r->delay = r->delay * 2 < ROLE_DELAY_MAX ? r->delay * 2 : ROLE_DELAY_MAX;
	r->restarts++;
	log_info("%s starts again in %lld ms", table[r->id].name, (long long)r->delay);
	timer_in(r->timer, r->delay);
}

static void
on_role(struct peer *p, struct frame *f, int bad, void *arg)
{
	struct role *r = arg;

	(void)p;
	if (f == NULL) {
		if (bad) {
			log_warn("%s sent a bad frame", table[r->id].name);
			kill(r->pid, SIGKILL);
		}
		role_died(r);
		return;
	}
	if (f->type == MSG_READY) {
		r->ready = r->was_ready = 1;
		log_debug("%s is ready", table[r->id].name);
	}
	table[r->id].frame(r, f);
}

static void
role_start(struct role *r)
{
	struct child child;

	if (r->pid != 0)
		return;
	if (spawn_role(&child, table[r->id].name, r->core->debug) == -1) {
		r->delay = r->delay == 0 ? ROLE_DELAY_MIN : r->delay * 2;
		if (r->delay > ROLE_DELAY_MAX)
			r->delay = ROLE_DELAY_MAX;
		timer_in(r->timer, r->delay);
		return;
	}
	r->pid = child.pid;
	r->started = date_ticks();
	r->ready = 0;
	r->peer = peer_new(r->core->base, child.fd, on_role, r);
	log_info("%s starts as pid %d", table[r->id].name, (int)r->pid);
	table[r->id].setup(r);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	role_start(arg);
}

void
roles_start(struct core *c)
{
	for (int i = 0; i < ROLES; i++) {
		c->role[i].id = (enum role_id)i;
		c->role[i].core = c;
		c->role[i].timer = evtimer_new(c->base, on_timer, &c->role[i]);
		if (c->role[i].timer == NULL)
			fatal("no timer for a role");
	}
	role_start(&c->role[ROLE_STORE]);	/* serve follows once the database is up */
	role_start(&c->role[ROLE_FETCH]);
	role_start(&c->role[ROLE_SEND]);
}

/* Asks all to stop, store last, so that it has the last word. */
void
roles_stop(struct core *c)
{
	static const enum role_id order[ROLES] = { ROLE_SERVE, ROLE_FETCH, ROLE_SEND, ROLE_STORE };
	int64_t until = date_ticks() + STOP_MS;

	for (int i = 0; i < ROLES; i++) {
		struct role *r = &c->role[order[i]];
		int status;
		pid_t pid = 0;

		event_del(r->timer);
		if (r->pid == 0)
			continue;
		peer_send(r->peer, MSG_STOP, 0, NULL, -1, -1);
		peer_flush(r->peer);
		while ((pid = waitpid(r->pid, &status, WNOHANG)) == 0 && date_ticks() < until)
			usleep(2000);
		if (pid == 0) {
			log_warn("%s does not stop: killed", table[r->id].name);
			kill(r->pid, SIGKILL);
			waitpid(r->pid, &status, 0);
		}
		r->pid = 0;
		peer_free(r->peer);
		r->peer = NULL;
	}
}

void
roles_send(struct core *c, enum role_id id, uint16_t type, uint32_t job, const struct buf *b, int fd)
{
	struct role *r = &c->role[id];

	if (r->peer == NULL)
		log_debug("%s is away: a %s is dropped", table[id].name, msg_name(type));
	else if (peer_send(r->peer, type, job, b, fd, -1) == -1) {
		log_warn("%s takes no %s: killed", table[id].name, msg_name(type));
		kill(r->pid, SIGKILL);
	}
}

int
roles_full(const struct core *c, enum role_id id)
{
	return c->role[id].peer != NULL && peer_queued(c->role[id].peer) > CHAN_QUEUE / 2;
}

void
roles_configure(struct core *c)
{
	c->known = 0;
	if (c->role[ROLE_STORE].ready)
		send_setup(c);
	if (c->role[ROLE_FETCH].peer != NULL)
		fetch_setup(&c->role[ROLE_FETCH]);
	if (c->role[ROLE_SEND].peer != NULL)
		fetch_setup(&c->role[ROLE_SEND]);
}
