/* The roles store, fetch, send and serve: started, and started again when they die. */
#include "role.h"
#include "core.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/child.h"
#include "ipc/msg.h"
#include "ipc/peer.h"

#include <event2/event.h>

#include <signal.h>
#include <string.h>

#define STOP_MS			5000	/* for the roles to end when the daemon stops */
#define REAP_MS		40		/* for a role that closed its channel to end by itself */

#define ROLE_DELAY_MIN	100		/* ms before a role that died at once starts again */
#define ROLE_DELAY_MAX	60000
#define ROLE_STEADY	10000		/* ms alive after which a death is not "at once" */

struct roles {
	struct role		 role[ROLES];
	const struct role_use	*use;
};

const char *
role_name(enum role_id id)
{
#define ROLE_NAME(id, name, late)	#name,
	static const char *const names[ROLES] = { ROLES_EACH(ROLE_NAME) };

	return names[id];
}

const struct role *
roles_get(const struct core *c, enum role_id id)
{
	return &c->roles->role[id];
}

static const struct role_use *
use_of(const struct role *r)
{
	return &r->core->roles->use[r->id];
}

static void
timer_in(struct event *ev, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(ev, &tv);
}

/* Restarts the role after a delay, which doubles while the role dies at once. */
static void
role_again(struct role *r)
{
	if (date_ticks() - r->started >= ROLE_STEADY || r->delay == 0)
		r->delay = ROLE_DELAY_MIN;
	else
		r->delay = r->delay * 2 < ROLE_DELAY_MAX ? r->delay * 2 : ROLE_DELAY_MAX;
	r->restarts++;
	log_info("%s starts again in %lld ms", role_name(r->id), (long long)r->delay);
	timer_in(r->timer, r->delay);
}

/* The role closed its channel: reaps the process, and times its restart. */
static void
role_died(struct role *r)
{
	const struct core *c = r->core;
	struct peer *lost = r->peer;
	struct buf why;
	int status = 0;

	r->peer = NULL;
	/* A role that ends by itself closes its channel first; its exit status, which says why,
	 * follows soon. */
	child_reap(r->pid, c->stopping ? STOP_MS : REAP_MS, &status);
	r->pid = 0;
	r->ready = 0;
	if (!c->stopping) {
		buf_init(&why, 256);
		child_obituary(&why, status);
		xreplace(&r->obituary, why.data);
		log_warn("%s died: %s", role_name(r->id), why.data);
		buf_free(&why);
	}
	use_of(r)->gone(r, lost, status);
	peer_free(lost);
	if (!c->stopping)
		role_again(r);
}

static void
on_role(struct peer *p, struct frame *f, int bad, void *arg)
{
	struct role *r = arg;

	(void)p;
	if (f == NULL) {
		if (bad) {
			log_warn("%s sent a bad frame", role_name(r->id));
			kill(r->pid, SIGKILL);
		}
		role_died(r);
		return;
	}
	if (f->type == MSG_READY) {
		r->ready = r->was_ready = 1;
		log_debug("%s is ready", role_name(r->id));
	}
	use_of(r)->frame(r, f);
}

static void
start(struct role *r)
{
	struct child child;

	if (r->pid != 0)
		return;
	if (child_role(&child, role_name(r->id), r->core->debug) == -1) {
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
	log_info("%s starts as pid %d", role_name(r->id), (int)r->pid);
	use_of(r)->setup(r);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start(arg);
}

void
role_start(struct core *c, enum role_id id)
{
	if (!evtimer_pending(c->roles->role[id].timer, NULL))
		start(&c->roles->role[id]);
}

void
roles_start(struct core *c, const struct role_use use[ROLES])
{
	c->roles = xcalloc(1, sizeof(*c->roles));
	c->roles->use = use;
	for (int i = 0; i < ROLES; i++) {
		struct role *r = &c->roles->role[i];

		r->id = (enum role_id)i;
		r->core = c;
		r->timer = evtimer_new(c->base, on_timer, r);
		if (r->timer == NULL)
			fatal("no timer for a role");
	}
	for (int i = 0; i < ROLES; i++)
		if (!use[i].late)
			role_start(c, (enum role_id)i);
}

/* Stops one role after the other, the last first. */
void
roles_stop(struct core *c)
{
	int64_t until = date_ticks() + STOP_MS;

	for (int i = ROLES - 1; i >= 0; i--) {
		struct role *r = &c->roles->role[i];

		event_del(r->timer);
		if (r->pid == 0)
			continue;
		peer_send(r->peer, MSG_STOP, 0, NULL, -1, -1);
		peer_flush(r->peer);
		if (child_reap(r->pid, until - date_ticks(), NULL))
			log_warn("%s does not stop: killed", role_name(r->id));
		r->pid = 0;
		peer_free(r->peer);
		r->peer = NULL;
	}
}

void
roles_send(struct core *c, enum role_id id, uint16_t type, uint32_t job, const struct buf *b, int fd)
{
	struct role *r = &c->roles->role[id];

	if (r->peer == NULL)
		log_debug("%s is away: a %s is dropped", role_name(id), msg_name(type));
	else if (peer_send(r->peer, type, job, b, fd, -1) == -1) {
		log_warn("%s takes no %s: killed", role_name(id), msg_name(type));
		kill(r->pid, SIGKILL);
	}
}

int
roles_full(const struct core *c, enum role_id id)
{
	const struct peer *p = c->roles->role[id].peer;

	return p != NULL && peer_queued(p) > CHAN_QUEUE / 2;
}
