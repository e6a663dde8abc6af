/* The running core: its loop, the setups that it takes, and how it stops. */
#include "run.h"
#include "admin.h"
#include "change.h"
#include "dispatch.h"
#include "parts.h"
#include "reload.h"
#include "status_build.h"
#include "base/log.h"
#include "conf/difference.h"
#include "daemon/source/sources.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/landlock.h"

#include <event2/event.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

/* Takes the new setup, and passes it to all parts. */
static void
take_setup(struct core *c, struct setup *next)
{
	struct setup *old = c->setup;
	struct buf what;

	buf_init(&what, 1u << 16);
	if (old != NULL)
		setup_difference(old, next, &what);
	c->setup = next;
	c->next = NULL;
	parts_setup(c, old);
	dispatch_setup(c);
	status_build_setup(c);
	if (old != NULL)
		log_info("configuration taken: %zu sources, %zu routes; %s", next->nsources,
		    next->nroutes, what.data);
	buf_free(&what);
	setup_free(old);
	change_setup(c);
}

/* Takes a new setup, or ends the loop. In a turn of its own: callers may hold pointers that a new
 * setup frees. */
static void
on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;

	(void)fd;
	(void)what;
	if (!c->stopping) {
		if (c->next != NULL)
			take_setup(c, c->next);
		return;
	}
	parts_stop(c);
	if (!parts_busy(c))
		event_base_loopexit(c->base, NULL);
}

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	log_info("stops: signal %d", (int)sig);
	core_exit(arg, 0);
}

static void
on_hangup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	core_reload(arg);
}

static void
on_signal(struct core *c, int sig, event_callback_fn cb)
{
	struct event *ev = evsignal_new(c->base, sig, cb, c);

	if (ev == NULL || event_add(ev, NULL) == -1)
		fatal("no event for signal %d", sig);
}

int
core_run(struct core *c, struct setup *s)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	c->base = event_base_new();
	if (c->base == NULL)
		fatal("no event loop");
	on_signal(c, SIGTERM, on_stop);
	on_signal(c, SIGINT, on_stop);
	on_signal(c, SIGHUP, on_hangup);
	c->idle = evtimer_new(c->base, on_idle, c);
	if (c->idle == NULL)
		fatal("no event for a new setup");
	parts_init(c);
	dispatch_init(c);
	change_init(c);
	reload_init(c, s, admin_reloaded);
	take_setup(c, s);
	catalog_inspect(c->catalog, 0, NULL, NULL);	/* changes before the watch began */
	dispatch_start(c);
	admin_start(c);
	log_info("courantd %s: %zu sources, %zu routes%s%s", PACKAGE_VERSION, s->nsources,
	    s->nroutes, c->listener != -1 ? ", http://" : "", c->listen);
	if (landlock_abi() == 0)
		log_warn("this kernel has no Landlock: plugins are held by the filters of system calls "
		    "alone; see Sandbox in courantd(8)");
	event_base_dispatch(c->base);
	c->stopping = 1;
	admin_stop(c);
	reload_end(c);
	change_end(c);
	parts_end(c);
	roles_stop(c);
	log_info("stopped");
	return c->status;
}
