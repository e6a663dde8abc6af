/* A short-lived worker that answers one question or several, on an event loop. */
#include "probe.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/budget.h"
#include "ipc/child.h"
#include "ipc/peer.h"
#include "ipc/worker_start.h"

#include <event2/event.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_MEMORY	(192u << 20)	/* bytes of address space */
#define PROBE_CPU	INT64_C(600000)	/* ms of CPU for several questions */
#define REAP_MS		5		/* between two checks whether the worker has ended */
#define REAP_TRIES	20

struct probe {
	TAILQ_ENTRY(probe)	 entry;
	pid_t		 pid;
	struct peer	*peer;
	struct event	*timer;		/* the answer's deadline; then the next check for the end */
	struct event	*says;
	struct child_output output;
	char		*file;
	uint16_t	 answer;
	const char	*late;
	int		(*more)(struct frame *, void *);
	struct budget	 budget;	/* of frames */
	int		 ready;		/* MSG_READY came */
	char		*why;		/* why probe_end() killed it; NULL: it was not called */
	int		 ending, looks;	/* its channel is closed; checks for its end so far */
	probe_cb	*cb;
	void		*arg;
};

static TAILQ_HEAD(, probe) running = TAILQ_HEAD_INITIALIZER(running);

static void
say(const char *line, void *arg)
{
	const struct probe *p = arg;

	log_other("worker", (int)p->pid, child_denied(line), p->file, line);
}

static void
on_says(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	(void)what;
	if (child_output_read(&p->output) == -1)
		event_del(p->says);
}

static void
probe_free(struct probe *p)
{
	TAILQ_REMOVE(&running, p, entry);
	peer_free(p->peer);
	event_free(p->timer);
	event_free(p->says);
	close(p->output.fd);
	free(p->file);
	free(p->output.crash);
	free(p->why);
	free(p);
}

/* Kills the worker if it has not ended, and waits: a killed worker ends at once. Its status. */
static int
probe_kill(struct probe *p)
{
	int status = 0;

	child_reap(p->pid, 0, &status);
	return status;
}

void
probe_stop(struct probe *p)
{
	if (p == NULL)
		return;
	(void)probe_kill(p);
	probe_free(p);
}

static void
finish(struct probe *p, struct frame *f, const char *why)
{
	child_output_end(&p->output);
	p->cb(f, why, p->arg);
	probe_free(p);
}

static void
timer_in(struct probe *p, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(p->timer, &tv);
}

/* The worker closed its channel without an answer: waits for its exit status, which is the
 * reason. */
static void
ended(struct probe *p)
{
	struct buf why;
	int status = 0;
	pid_t pid = waitpid(p->pid, &status, WNOHANG);

	if (pid == 0 && p->looks++ < REAP_TRIES) {
		timer_in(p, REAP_MS);
		return;
	}
	if (pid == 0)
		status = probe_kill(p);
	child_output_end(&p->output);
	buf_init(&why, 4096);
	buf_str(&why, "the worker that loaded it died: ");
	if (p->why != NULL)
		buf_str(&why, p->why);
	else
		child_obituary_at(&why, status, p->output.crash);
	finish(p, NULL, why.data);
	buf_free(&why);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	(void)what;
	if (p->ending) {
		ended(p);
		return;
	}
	(void)probe_kill(p);
	finish(p, NULL, p->late);
}

/* The worker reports why the plugin cannot be loaded. */
static void
refused(struct probe *p, const struct frame *f)
{
	const char *why;
	struct wire w;

	wire_init(&w, f->data, f->len);
	(void)wire_u32(&w);
	why = wire_str(&w);
	(void)probe_kill(p);
	finish(p, NULL, why != NULL ? why : "it cannot be loaded");
}

static void
bad_frame(struct probe *p, const char *what)
{
	char why[128];

	(void)probe_kill(p);
	snprintf(why, sizeof(why), "its worker sent a bad frame: %s", what);
	finish(p, NULL, why);
}

static void
on_frame(struct peer *peer, struct frame *f, int bad, void *arg)
{
	struct probe *p = arg;

	if (f == NULL && bad) {
		bad_frame(p, peer_error(peer));
	} else if (f == NULL) {
		p->ending = 1;
		event_del(p->timer);
		ended(p);
	} else if (budget_take(&p->budget) == -1) {
		(void)probe_kill(p);
		finish(p, NULL, "its worker floods core with frames");
	} else if (f->type == p->answer && p->more != NULL && p->more(f, p->arg)) {
		timer_in(p, PROBE_MS);
	} else if (f->type == p->answer) {
		(void)probe_kill(p);
		finish(p, f, NULL);
	} else if (f->type == MSG_W_ABOUT)
		refused(p, f);
	else if (f->type != MSG_READY || p->ready++)
		bad_frame(p, msg_name(f->type));
}

static int
ask(struct probe *p, const struct probe_ask *a)
{
	const struct w_start ws = { .mode = a->mode, .grants = a->grants, .memory = PROBE_MEMORY,
		.out = WORKER_OUT_PROBE, .cpu = a->more != NULL ? PROBE_CPU : PROBE_MS, .name = a->copy };
	struct buf b;
	int rc;

	worker_start_one(&b, &ws, a->copy);
	rc = peer_send(p->peer, MSG_W_START, 0, &b, a->fd, -1);
	buf_free(&b);
	return rc;
}

int
probe_send(struct probe *p, uint16_t type, uint32_t id, const struct buf *b)
{
	budget_add(&p->budget, 1);
	return peer_send(p->peer, type, id, b, -1, -1);
}

struct probe *
probe_start(struct event_base *base, const struct probe_ask *a, probe_cb *cb, void *arg)
{
	struct child child;
	struct probe *p;

	if (child_worker(&child, a->libraries) == -1)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	TAILQ_INSERT_TAIL(&running, p, entry);
	p->pid = child.pid;
	p->output = (struct child_output){ .fd = child.out, .say = say, .arg = p, .most = PROBE_LINES };
	p->file = xstrdup(a->file);
	p->answer = a->answer;
	p->late = a->late;
	p->more = a->more;
	p->cb = cb;
	p->arg = arg;
	fcntl(p->output.fd, F_SETFL, O_NONBLOCK);
	p->timer = evtimer_new(base, on_timer, p);
	p->says = event_new(base, p->output.fd, EV_READ | EV_PERSIST, on_says, p);
	if (p->timer == NULL || p->says == NULL || event_add(p->says, NULL) == -1)
		fatal("no event for a worker");
	budget_init(&p->budget);
	p->peer = peer_new(base, child.fd, on_frame, p);
	timer_in(p, PROBE_MS);
	if (ask(p, a) == -1)
		log_debug("a worker took no question");	/* its exit status gives the reason */
	return p;
}

/* ---- All of them ---- */

void
probe_each(void (*each)(struct probe *, void *), void *arg)
{
	struct probe *p;

	TAILQ_FOREACH(p, &running, entry)
		each(p, arg);
}

pid_t
probe_pid(const struct probe *p)
{
	return p->pid;
}

const char *
probe_file(const struct probe *p)
{
	return p->file;
}

int
probe_ends(const struct probe *p)
{
	return p->why != NULL || p->ending;
}

void
probe_end(struct probe *p, const char *why)
{
	if (!p->ending) {
		xreplace(&p->why, why);
		kill(p->pid, SIGKILL);
	}
}
