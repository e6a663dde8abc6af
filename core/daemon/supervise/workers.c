/* The workers: started, given one job at a time, watched, and buried. */
#include "workers.h"
#include "core.h"
#include "egress.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "catalog/plugin.h"
#include "ipc/budget.h"
#include "ipc/child.h"
#include "ipc/msg.h"
#include "ipc/peer.h"
#include "ipc/worker_start.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WATCH_MS	200		/* between two checks of the workers' limits */
#define REAP_MS		10		/* for a worker that closed its channel to end by itself */
#define REAP_EACH	1		/* ms between two checks whether it has */
#define WORKERS_EACH	4		/* processes for each that may be busy: some are ending */
#define WORKERS_SLOW	96		/* and so many more for slow jobs */
#define HOT_TICKS	5		/* WATCH_MS with most of a CPU used, after which it is slow */
#define NICE_SLOW	19
#define SAYS_LINES	100		/* logged lines of one job; the rest is counted */
#define SAYS_MS		60000		/* a stream may log SAYS_LINES in this time */
#define SAYS_BYTES	(64u << 10)	/* read of a worker's output in WATCH_MS; the rest waits */

struct worker {
	TAILQ_ENTRY(worker)	 entry;
	struct core		*core;
	struct worker		**ref;		/* its owner's pointer; NULL: it has no owner */
	enum worker_kind	 kind;
	char			*plugin;	/* plugin's name, or ROUTE/SINK, for people */
	char			*copy;		/* that a parse worker loaded; NULL: another kind */
	pid_t			 pid;
	struct peer		*peer;
	struct event		*says;
	size_t			 said;		/* bytes of output read since the last watch */
	struct child_output	 output;
	clockid_t		 clock;
	const struct worker_use	*use;		/* NULL: idle */
	void			*arg;
	char			*what;		/* the job, or the last one, for people */
	char			*why;		/* why core killed it; NULL: core did not */
	int64_t			 since;		/* ticks: since when it is idle, or has the job */
	int64_t			 waiting;	/* ticks: the deadline begins no sooner */
	int64_t			 cpu;		/* ms of CPU when the job began */
	unsigned		 uses;
	struct egress		*egress;		/* NULL: no requests are made for it */
	unsigned		 waits;		/* answers that it waits for */
	int64_t			 held;		/* ticks: since when it waits */
	int			 stopped;	/* was sent MSG_STOP: takes no other job */
	int64_t			 lines;		/* ticks: since when output.lines counts */
	int			 slow;		/* at the lowest priority: ends with its job */
	int64_t			 burnt;		/* ms of CPU at the last watch */
	unsigned		 hot;		/* watches in a row at which it had used most of a CPU */
	int			 ready;		/* MSG_READY came */
	struct budget		 budget;	/* of frames */
	struct event		*reap;		/* its channel is closed: looks whether it has ended */
	int64_t			 closed;	/* ticks: since when the channel is closed; 0: it is not */
};
struct workers {
	TAILQ_HEAD(, worker)	 all;
	struct event		*watch;
	unsigned		 nparse;
	struct workers_tell	 tell;
	struct obituary		 dead[OBITUARIES];	/* a ring */
	unsigned		 ndead;
};

/* The CPU time that the worker has used, ms. */
static int64_t
cpu_used(const struct worker *w)
{
	struct timespec ts;

	if (clock_gettime(w->clock, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Logs a line of output with its origin: "PLUGIN for SOURCE", or "ROUTE/SINK". */
static void
say(const char *line, void *arg)
{
	const struct worker *w = arg;
	char of[CHILD_LINE];
	int named = w->what != NULL && (w->kind == WORKER_PARSE || w->kind == WORKER_STREAM ||
	    w->kind == WORKER_VISIT);

	snprintf(of, sizeof(of), "%s%s%s", w->plugin, named ? " for " : "", named ? w->what : "");
	log_other("worker", (int)w->pid, child_denied(line), of, line);
}

static void
on_says(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	w->said += CHILD_READ;
	if (child_output_read(&w->output) == -1 || w->said >= SAYS_BYTES)
		event_del(w->says);	/* on_watch() goes on with a long output */
}

/* Takes the worker, whose process has ended or is ending, off the list: it gets no other job. */
static void
leave(struct worker *w)
{
	TAILQ_REMOVE(&w->core->workers->all, w, entry);
	worker_owner(w, NULL);
	w->core->workers->tell.left(w->core, w);
	w->use = NULL;
	if (w->kind == WORKER_PARSE)
		w->core->workers->nparse--;
}

static void
bury(struct worker *w)
{
	peer_free(w->peer);
	event_free(w->says);
	event_free(w->reap);
	close(w->output.fd);
	free(w->plugin);
	free(w->copy);
	free(w->what);
	free(w->why);
	free(w->output.crash);
	egress_free(w->egress);
	free(w);
}

void
worker_text(struct buf *out, const char *text)
{
	struct buf clean, folded;
	size_t n = strnlen(text, REASON_MAX);

	buf_init(&clean, 4 * REASON_MAX);
	(void)text_utf8(&clean, text, n);
	buf_init(&folded, 4 * REASON_MAX);
	if (clean.len > 0)
		text_fold(&folded, clean.data, clean.len);
	if (folded.len > 0)
		text_bidi(out, folded.data, folded.len);
	buf_free(&clean);
	buf_free(&folded);
}

static void
note_death(struct worker *w, const char *why)
{
	struct workers *ws = w->core->workers;
	struct obituary *o = &ws->dead[ws->ndead++ % OBITUARIES];

	xreplace(&o->plugin, w->plugin);
	xreplace(&o->job, w->what);
	xreplace(&o->text, why);
	o->pid = w->pid;
	o->when = date_now();
	log_warn("worker %d (%s) died of %s: %s", (int)w->pid, w->plugin,
	    w->what != NULL ? w->what : "no job", why);
}

/* The worker has ended: reads the last output, calls the job's death(). */
static void
worker_died(struct worker *w, int status)
{
	const struct worker_use *use = w->use;
	void *arg = w->arg;
	struct buf why;

	child_output_end(&w->output);
	buf_init(&why, 1024);
	if (w->why != NULL)
		buf_str(&why, w->why);
	else
		child_obituary_at(&why, status, w->output.crash);
	if (use != NULL || w->why != NULL || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		note_death(w, why.data);
	leave(w);
	if (use != NULL)
		use->death(w, why.data, arg);
	else if (w->kind == WORKER_PARSE)
		w->core->workers->tell.room(w->core);
	buf_free(&why);
	bury(w);
}

/* The worker's channel is closed: it has ended, or does within REAP_MS, or is killed. */
static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval each = { .tv_usec = REAP_EACH * 1000 };
	struct worker *w = arg;
	int status = 0;

	(void)fd;
	(void)what;
	if (waitpid(w->pid, &status, WNOHANG) != 0) {
		worker_died(w, status);
		return;
	}
	if (date_ticks() - w->closed >= REAP_MS)
		worker_kill(w, "it closed its channel and went on");
	evtimer_add(w->reap, &each);
}

static void
channel_closed(struct worker *w, const char *error)
{
	struct buf why;

	w->closed = date_ticks();
	if (w->use == NULL)
		worker_owner(w, NULL);	/* it gets no job any more */
	if (error != NULL && w->why == NULL) {
		buf_init(&why, REASON_MAX);
		buf_fmt(&why, "it sent a bad frame: %s", error);
		worker_kill(w, why.data);
		buf_free(&why);
	}
	on_reap(-1, 0, w);
}

/* 0; -1: the worker sends more frames than it may, and is killed. */
static int
may_send(struct worker *w, const struct frame *f)
{
	char why[128];

	if (budget_take(&w->budget) == 0)
		return 0;
	snprintf(why, sizeof(why), "it floods core with frames, the last of type %s",
	    msg_name(f->type));
	if (w->why == NULL)
		worker_kill(w, why);
	return -1;
}

static void
on_frame(struct peer *p, struct frame *f, int bad, void *arg)
{
	struct worker *w = arg;
	const char *error;
	struct wire wire;

	if (f == NULL) {
		channel_closed(w, bad ? peer_error(p) : NULL);
		return;
	}
	if (may_send(w, f) == -1 || w->why != NULL || w->stopped)
		return;			/* it was killed or stopped: its frames are dropped */
	if (f->type == MSG_READY) {
		if (w->ready++)
			worker_kill(w, "it sent a bad frame: a second READY");
		return;
	}
	if (f->type == MSG_W_ABOUT) {
		wire_init(&wire, f->data, f->len);
		(void)wire_u32(&wire);
		error = wire_str(&wire);
		worker_kill(w, error != NULL ? error : "it could not be set up");
	} else if (f->type == MSG_W_HTTP)
		w->core->workers->tell.http(w->core, w, f);
	else if (f->type == MSG_W_MAIL)
		w->core->workers->tell.mail(w->core, w, f);
	else if (w->use == NULL)
		worker_kill(w, "it sent a frame after its job was done");
	else
		w->use->frame(w, f, w->arg);
}

struct worker *
worker_start(struct core *c, enum worker_kind kind, const char *plugin, const char *libraries,
    const struct buf *start)
{
	const struct timeval every = { .tv_usec = WATCH_MS * 1000 };
	struct child child;
	struct worker *w;

	if (child_worker(&child, libraries) == -1)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->core = c;
	w->kind = kind;
	w->plugin = xstrdup(plugin);
	w->pid = child.pid;
	w->output = (struct child_output){ .fd = child.out, .say = say, .arg = w, .most = SAYS_LINES };
	w->since = date_ticks();
	if (clock_getcpuclockid(w->pid, &w->clock) != 0)
		w->clock = CLOCK_MONOTONIC;
	fcntl(w->output.fd, F_SETFL, O_NONBLOCK);
	budget_init(&w->budget);
	w->says = event_new(c->base, w->output.fd, EV_READ | EV_PERSIST, on_says, w);
	w->reap = evtimer_new(c->base, on_reap, w);
	if (w->says == NULL || w->reap == NULL || event_add(w->says, NULL) == -1)
		fatal("no event for a worker's output");
	w->peer = peer_new(c->base, child.fd, on_frame, w);
	if (TAILQ_EMPTY(&c->workers->all))
		event_add(c->workers->watch, &every);
	TAILQ_INSERT_TAIL(&c->workers->all, w, entry);
	if (kind == WORKER_PARSE)
		c->workers->nparse++;
	if (peer_send(w->peer, MSG_W_START, 0, start, -1, -1) == -1)
		worker_kill(w, "it could not be told what to do");
	c->workers->tell.began(c);
	log_debug("worker %d starts for %s", (int)w->pid, plugin);
	return w;
}

void
worker_job(struct worker *w, const struct worker_use *use, void *arg, const char *what,
    uint16_t type, const struct buf *b, int fd0, int fd1)
{
	w->use = use;
	w->arg = arg;
	xreplace(&w->what, what);
	w->since = date_ticks();
	w->cpu = cpu_used(w);
	w->output.lines = 0;
	w->uses++;
	budget_add(&w->budget, 1);
	if (peer_send(w->peer, type, 0, b, fd0, fd1) == -1)
		worker_kill(w, "its job could not be sent");
}

void
worker_free_job(struct worker *w)
{
	w->use = NULL;
	w->arg = NULL;
	w->since = date_ticks();
	if (w->uses >= WORKER_USES || (w->slow && w->kind != WORKER_ROUTE))
		worker_stop(w);
}

void
worker_stop(struct worker *w)
{
	w->use = NULL;
	worker_owner(w, NULL);
	(void)peer_send(w->peer, MSG_STOP, 0, NULL, -1, -1);
	w->stopped = 1;
	w->since = date_ticks();
}

void
worker_kill(struct worker *w, const char *why)
{
	struct buf text;

	buf_init(&text, 4 * REASON_MAX);
	worker_text(&text, why);
	if (w->why == NULL)
		w->why = xstrdup(text.len > 0 ? text.data : "it was of no use");
	buf_free(&text);
	kill(w->pid, SIGKILL);
}

void
worker_owner(struct worker *w, struct worker **ref)
{
	if (w->ref != NULL)
		*w->ref = NULL;
	w->ref = ref;
	if (ref != NULL)
		*ref = w;
}

void
worker_allow(struct worker *w, struct egress *egress)
{
	egress_free(w->egress);
	w->egress = egress;
}

const struct egress *
worker_egress(const struct worker *w)
{
	return w->egress;
}

unsigned
worker_hold(struct worker *w)
{
	if (w->waits++ == 0)
		w->held = date_ticks();
	return w->waits;
}

void
worker_answer(struct worker *w, uint16_t type, uint32_t id, const struct buf *b, int fd)
{
	if (--w->waits == 0)
		w->since += date_ticks() - w->held;
	budget_add(&w->budget, 1);
	if (peer_send(w->peer, type, id, b, fd, -1) == -1)
		worker_kill(w, "it takes no answers");
}

void
worker_expect(struct worker *w, uint32_t frames)
{
	budget_add(&w->budget, frames);
}

void
worker_send(struct worker *w, uint16_t type, const struct buf *b, int fd)
{
	budget_add(&w->budget, 1);
	if (peer_send(w->peer, type, 0, b, fd, -1) == -1)
		worker_kill(w, "it takes no frames");
}

void
worker_alive(struct worker *w)
{
	int64_t now = date_ticks();

	w->cpu = cpu_used(w);
	if (now - w->lines < SAYS_MS)
		return;
	w->lines = now;
	w->output.lines = 0;
}

void
worker_waits(struct worker *w, int64_t ms)
{
	w->waiting = date_ticks() + ms;
	w->cpu = cpu_used(w);
}

int
worker_waiting(const struct worker *w)
{
	return w->waits == 0 && w->waiting > date_ticks();
}

pid_t
worker_pid(const struct worker *w)
{
	return w->pid;
}

const char *
worker_plugin(const struct worker *w)
{
	return w->plugin;
}

int
worker_ends(const struct worker *w)
{
	return w->why != NULL;
}

void
worker_slow(struct worker *w)
{
	if (!w->slow && setpriority(PRIO_PROCESS, (id_t)w->pid, NICE_SLOW) == -1)
		log_debug("worker %d keeps its priority: %s", (int)w->pid, strerror(errno));
	w->slow = 1;			/* its own user cannot raise the priority again */
}

/* Gives a worker that burns a CPU for long the lowest priority. */
static void
watch_heat(struct worker *w)
{
	int64_t cpu = cpu_used(w);

	w->hot = w->use != NULL && cpu - w->burnt > WATCH_MS / 2 ? w->hot + 1 : 0;
	w->burnt = cpu;
	if (w->hot >= HOT_TICKS)
		worker_slow(w);
}

/* A stream has no deadline, but a limit of CPU time that it may use without waiting or emitting. */
static void
watch_stream(struct worker *w)
{
	int64_t cpu = cpu_used(w) - w->cpu;
	char why[128];

	if (w->why != NULL || cpu <= w->core->setup->job_cpu)
		return;
	snprintf(why, sizeof(why), "it used %lld ms of CPU without waiting or emitting, over its "
	    "limit of %lld", (long long)cpu, (long long)w->core->setup->job_cpu);
	worker_kill(w, why);
}

/* Kills a worker whose job passed its deadline or its CPU limit. */
static void
watch_busy(struct worker *w, int64_t now)
{
	const struct setup *s = w->core->setup;
	const int64_t begun = w->waiting > w->since ? w->waiting : w->since;
	char why[128];
	int64_t cpu = cpu_used(w) - w->cpu;

	if (w->why != NULL)
		return;
	if (w->waits == 0 && now - begun > s->job_deadline) {
		snprintf(why, sizeof(why), "its deadline of %lld s passed",
		    (long long)s->job_deadline / 1000);
		worker_kill(w, why);
	} else if (cpu > s->job_cpu) {
		snprintf(why, sizeof(why), "it used %lld ms of CPU, over its limit of %lld",
		    (long long)cpu, (long long)s->job_cpu);
		worker_kill(w, why);
	}
}

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	int64_t now = date_ticks();
	struct worker *w;

	(void)fd;
	(void)what;
	if (TAILQ_EMPTY(&c->workers->all))
		event_del(c->workers->watch);	/* until there is a worker again */
	TAILQ_FOREACH(w, &c->workers->all, entry) {
		if (w->said >= SAYS_BYTES)
			event_add(w->says, NULL);
		w->said = 0;
		watch_heat(w);
		if (w->use != NULL && w->kind == WORKER_STREAM)
			watch_stream(w);
		else if (w->use != NULL)
			watch_busy(w, now);
		else if (w->stopped && now - w->since > WORKER_IDLE)
			worker_kill(w, "it did not stop when told");
		else if (!w->stopped && (w->kind == WORKER_PARSE || w->kind == WORKER_VISIT) &&
		    now - w->since > WORKER_IDLE)
			worker_stop(w);
	}
}

void
workers_init(struct core *c)
{
	c->workers = xcalloc(1, sizeof(*c->workers));
	TAILQ_INIT(&c->workers->all);
	c->workers->watch = event_new(c->base, -1, EV_PERSIST, on_watch, c);
	if (c->workers->watch == NULL)
		fatal("no timer for the workers");
}

struct workers_tell *
workers_tell(struct core *c)
{
	return &c->workers->tell;
}

void
workers_dead(const struct core *c, void (*each)(const struct obituary *, void *), void *arg)
{
	const struct workers *ws = c->workers;

	for (unsigned i = ws->ndead > OBITUARIES ? ws->ndead - OBITUARIES : 0; i < ws->ndead; i++)
		each(&ws->dead[i % OBITUARIES], arg);
}

/* Starts a parse worker with its plugin; the options are sent with each job. */
static struct worker *
start_parse(struct core *c, const struct plugin *p)
{
	const struct w_start ws = { .mode = W_PARSE, .debug = (uint32_t)c->debug,
		.memory = c->setup->worker_memory, .out = c->setup->max_body * 4,
		.cpu = c->setup->job_cpu * WORKER_USES, .name = p->name };
	struct worker *w;
	struct buf b;

	worker_start_one(&b, &ws, p->copy);
	w = worker_start(c, WORKER_PARSE, p->name, p->libraries, &b);
	if (w != NULL)
		w->copy = xstrdup(p->copy);
	buf_free(&b);
	return w;
}

struct worker *
workers_parse(struct core *c, const struct plugin *p, int fresh)
{
	struct worker *w, *other = NULL;
	unsigned idle = 0;

	TAILQ_FOREACH(w, &c->workers->all, entry) {
		if (w->kind != WORKER_PARSE)
			continue;
		if (w->use != NULL || w->stopped || w->why != NULL || w->closed != 0)
			continue;
		if (!fresh && w->copy != NULL && strcmp(w->copy, p->copy) == 0)
			return w;
		other = w;
		idle++;
	}
	if (c->workers->nparse >= c->setup->workers * WORKERS_EACH + WORKERS_SLOW)
		return NULL;
	if (other != NULL && idle >= c->setup->workers)
		worker_stop(other);
	if (c->workers->tell.full(c))
		return NULL;
	return start_parse(c, p);
}

void
workers_each(struct core *c, void (*each)(struct worker *, void *), void *arg)
{
	struct worker *w;

	TAILQ_FOREACH(w, &c->workers->all, entry)
		each(w, arg);
}

void
workers_status(struct core *c, void (*each)(pid_t, const char *, const char *, int64_t, void *),
    void *arg)
{
	int64_t now = date_ticks();
	struct worker *w;

	TAILQ_FOREACH(w, &c->workers->all, entry)
		each(w->pid, w->plugin, w->use != NULL ? w->what : NULL, now - w->since, arg);
}

void
workers_end(struct core *c)
{
	struct worker *w;

	while ((w = TAILQ_FIRST(&c->workers->all)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): leave() took the last one out */
		child_reap(w->pid, 0, NULL);
		leave(w);
		bury(w);
	}
	for (size_t i = 0; i < OBITUARIES; i++) {
		free(c->workers->dead[i].plugin);
		free(c->workers->dead[i].job);
		free(c->workers->dead[i].text);
	}
	event_free(c->workers->watch);
	free(c->workers);
}
