/* The workers: started, given one job at a time, watched, and buried. */
#include "core.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "child.h"
#include "filter.h"
#include "pass.h"
#include "text.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WATCH_MS	200		/* between two looks at clocks */
#define REAP_MS		10		/* for one that closed its channel to end by itself */
#define WORKERS_EACH	4		/* processes for one that may be busy: some are ending */
#define SAYS_MAX	500		/* bytes of one line of a worker's output */
#define SAYS_LINES	100		/* of one job; the rest is counted */
#define SAYS_MS		60000		/* of a stream: so many lines in this time */

struct worker {
	TAILQ_ENTRY(worker)	 entry;
	struct core		*core;
	struct worker		**ref;		/* its owner's pointer; NULL once it is gone */
	enum worker_kind	 kind;
	char			*plugin;	/* its name or its route's, for people */
	char			*copy;		/* what it loaded, to find an idle one; NULL: a route */
	pid_t			 pid;
	struct peer		*peer;
	struct event		*says;		/* its stdout and stderr */
	int			 out;
	char			 line[SAYS_MAX + 1];
	size_t			 nline, nlines;
	clockid_t		 clock;
	const struct worker_use	*use;		/* NULL: idle */
	void			*arg;
	char			*what;		/* the job, or the last one, for people */
	char			*why;		/* why we killed it; NULL: we did not */
	int64_t			 since;		/* ticks: idle, or with the job */
	int64_t			 cpu;		/* ms of CPU when the job began */
	unsigned		 uses;
	struct pass		*pass;		/* NULL: it may have nothing sent */
	unsigned		 waits;		/* for answers of send */
	int64_t			 held;		/* ticks since when it waits */
	int			 stopped;	/* told to; takes no other job */
	int64_t			 lines;		/* ticks since when nlines counts */
};
TAILQ_HEAD(workers, worker);

struct pool {
	struct workers	 all;
	struct event	*watch;
	unsigned	 nparse;
};

/* The CPU time that the worker has used, by its own clock, ms. */
static int64_t
cpu_used(const struct worker *w)
{
	struct timespec ts;

	if (clock_gettime(w->clock, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Logs what the worker printed, line by line. */
static void
say(struct worker *w, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '\n' && w->nline < SAYS_MAX) {
			w->line[w->nline++] = text[i];
			continue;
		}
		w->line[w->nline] = '\0';
		if (w->nline > 0 && w->nlines++ < SAYS_LINES)
			log_other("worker", (int)w->pid, w->line);
		w->nline = 0;
	}
}

static void
on_says(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	char text[4096];
	ssize_t n = read(fd, text, sizeof(text));

	(void)what;
	if (n > 0)
		say(w, text, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		event_del(w->says);
}

/* Takes the worker out of the pool; its process is gone or going: it gets no other job. */
static void
leave(struct worker *w)
{
	TAILQ_REMOVE(&w->core->pool->all, w, entry);
	worker_owner(w, NULL);
	errand_worker_gone(w->core, w);
	w->use = NULL;
	if (w->kind == WORKER_PARSE)
		w->core->pool->nparse--;
}

static void
bury(struct worker *w)
{
	peer_free(w->peer);
	event_free(w->says);
	close(w->out);
	free(w->plugin);
	free(w->copy);
	free(w->what);
	free(w->why);
	pass_free(w->pass);
	free(w);
}

void
worker_text(struct buf *out, const char *text)
{
	struct buf clean;
	size_t n = strnlen(text, REASON_MAX);

	buf_init(&clean, 4 * REASON_MAX);
	(void)text_utf8(&clean, text, n);
	if (clean.len > 0)
		text_fold(out, clean.data, clean.len);
	buf_free(&clean);
}

static void
note_death(struct worker *w, const char *why)
{
	struct core *c = w->core;
	struct obituary *o = &c->dead[c->ndead++ % OBITUARIES];

	xreplace(&o->plugin, w->plugin);
	xreplace(&o->job, w->what);
	xreplace(&o->text, why);
	o->pid = w->pid;
	o->when = date_now();
	log_warn("worker %d (%s) died of %s: %s", (int)w->pid, w->plugin,
	    w->what != NULL ? w->what : "no job", why);
}

/* One that ends by itself closes its channel first, and tells why by its status: it gets a moment. */
static void
reap(const struct worker *w, int *status)
{
	int64_t until = date_ticks() + REAP_MS;
	pid_t pid;

	while ((pid = waitpid(w->pid, status, WNOHANG)) == 0 && date_ticks() < until)
		usleep(500);
	if (pid != 0)
		return;
	kill(w->pid, SIGKILL);
	while (waitpid(w->pid, status, 0) == -1 && errno == EINTR)
		;
}

/* Its channel is closed: reads the last it said, reaps it, tells whose job it had. */
static void
worker_died(struct worker *w)
{
	const struct worker_use *use = w->use;
	void *arg = w->arg;
	struct buf why;
	int status = 0;

	reap(w, &status);
	for (int i = 0; i < 16; i++)
		on_says(w->out, 0, w);
	say(w, "\n", 1);
	buf_init(&why, 1024);
	if (w->why != NULL)
		buf_str(&why, w->why);
	else
		spawn_obituary(&why, status);
	if (use != NULL || w->why != NULL || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		note_death(w, why.data);
	leave(w);
	if (use != NULL)
		use->death(w, why.data, arg);
	else if (w->kind == WORKER_PARSE)
		poll_parse(w->core);	/* there may be room for another one now */
	buf_free(&why);
	bury(w);
}

static void
on_frame(struct peer *p, struct frame *f, int bad, void *arg)
{
	struct worker *w = arg;
	const char *error;
	struct wire wire;

	(void)p;
	if (f != NULL && (w->why != NULL || w->stopped))
		return;			/* condemned, or nobody waits for it */
	if (f == NULL) {
		if (bad)
			worker_kill(w, "it sent a bad frame");
		worker_died(w);
		return;
	}
	if (f->type == MSG_READY)
		return;
	if (f->type == MSG_W_ABOUT) {
		wire_init(&wire, f->data, f->len);
		(void)wire_u32(&wire);
		error = wire_str(&wire);
		worker_kill(w, error != NULL ? error : "it could not be set up");
	} else if (f->type == MSG_W_HTTP)
		errand_ask(w->core, w, f);
	else if (w->use == NULL)
		worker_kill(w, "it sent a frame after its job was done");
	else
		w->use->frame(w, f, w->arg);
}

struct worker *
worker_start(struct core *c, enum worker_kind kind, const char *plugin, const struct buf *start)
{
	const struct timeval every = { .tv_usec = WATCH_MS * 1000 };
	struct child child;
	struct worker *w;

	if (spawn_worker(&child, 1) == -1)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->core = c;
	w->kind = kind;
	w->plugin = xstrdup(plugin);
	w->pid = child.pid;
	w->out = child.out;
	w->since = date_ticks();
	if (clock_getcpuclockid(w->pid, &w->clock) != 0)
		w->clock = CLOCK_MONOTONIC;
	fcntl(w->out, F_SETFL, O_NONBLOCK);
	w->says = event_new(c->base, w->out, EV_READ | EV_PERSIST, on_says, w);
	if (w->says == NULL || event_add(w->says, NULL) == -1)
		fatal("no event for a worker's output");
	w->peer = peer_new(c->base, child.fd, on_frame, w);
	if (TAILQ_EMPTY(&c->pool->all))
		event_add(c->pool->watch, &every);
	TAILQ_INSERT_TAIL(&c->pool->all, w, entry);
	if (kind == WORKER_PARSE)
		c->pool->nparse++;
	if (peer_send(w->peer, MSG_W_START, 0, start, -1, -1) == -1)
		worker_kill(w, "it could not be told what to do");
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
	w->nlines = 0;
	w->uses++;
	if (peer_send(w->peer, type, 0, b, fd0, fd1) == -1)
		worker_kill(w, "its job could not be sent");
}

void
worker_free_job(struct worker *w)
{
	w->use = NULL;
	w->arg = NULL;
	w->since = date_ticks();
	if (w->uses >= WORKER_USES)
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
worker_allow(struct worker *w, struct pass *pass)
{
	pass_free(w->pass);
	w->pass = pass;
}

const struct pass *
worker_pass(const struct worker *w)
{
	return w->pass;
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
	if (peer_send(w->peer, type, id, b, fd, -1) == -1)
		worker_kill(w, "it takes no answers");
}

void
worker_send(struct worker *w, uint16_t type, const struct buf *b, int fd)
{
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
	w->nlines = 0;
}

pid_t
worker_pid(const struct worker *w)
{
	return w->pid;
}

/* A stream has no deadline. What it may not do is use CPU without ever waiting or emitting. */
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

/* Looks at the clocks of a worker with a job. */
static void
watch_busy(struct worker *w, int64_t now)
{
	const struct setup *s = w->core->setup;
	char why[128];
	int64_t cpu = cpu_used(w) - w->cpu;

	if (w->why != NULL)
		return;
	if (w->waits == 0 && now - w->since > s->job_deadline) {
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
	if (TAILQ_EMPTY(&c->pool->all))
		event_del(c->pool->watch);	/* until there is a worker again */
	TAILQ_FOREACH(w, &c->pool->all, entry) {
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
pool_init(struct core *c)
{
	c->pool = xcalloc(1, sizeof(*c->pool));
	TAILQ_INIT(&c->pool->all);
	c->pool->watch = event_new(c->base, -1, EV_PERSIST, on_watch, c);
	if (c->pool->watch == NULL)
		fatal("no timer for the workers");
}

/* What a parse worker is told first: its plugin; options come with each job. */
static struct worker *
start_parse(struct core *c, const struct plugin *p)
{
	struct w_start ws = { .mode = W_PARSE, .debug = (uint32_t)c->debug,
		.memory = c->setup->worker_memory, .out = c->setup->max_body * 4,
		.cpu = c->setup->job_cpu * WORKER_USES, .name = p->name };
	struct worker *w;
	struct buf b;

	filter_fill(&ws);
	buf_init(&b, msg_limit(MSG_W_START));
	wire_put(&b, w_start, &ws);
	wire_put_u32(&b, 1);
	wire_put_str(&b, p->copy);
	wire_put_bytes(&b, "", 0);
	w = worker_start(c, WORKER_PARSE, p->name, &b);
	if (w != NULL)
		w->copy = xstrdup(p->copy);
	buf_free(&b);
	return w;
}

struct worker *
pool_parse(struct core *c, const struct plugin *p, int fresh)
{
	struct worker *w, *other = NULL;
	unsigned busy = 0;

	TAILQ_FOREACH(w, &c->pool->all, entry) {
		if (w->kind != WORKER_PARSE)
			continue;
		if (w->use != NULL)
			busy++;
		else if (!w->stopped && w->why == NULL) {
			if (!fresh && w->copy != NULL && strcmp(w->copy, p->copy) == 0)
				return w;
			other = w;
		}
	}
	if (busy >= c->setup->workers || c->pool->nparse >= c->setup->workers * WORKERS_EACH)
		return NULL;
	if (other != NULL && c->pool->nparse >= 2 * c->setup->workers)
		worker_stop(other);
	return start_parse(c, p);
}

void
pool_status(struct core *c, void (*each)(pid_t, const char *, const char *, int64_t, void *),
    void *arg)
{
	int64_t now = date_ticks();
	struct worker *w;

	TAILQ_FOREACH(w, &c->pool->all, entry)
		each(w->pid, w->plugin, w->use != NULL ? w->what : NULL, now - w->since, arg);
}

void
pool_stop(struct core *c)
{
	struct worker *w;

	while ((w = TAILQ_FIRST(&c->pool->all)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): leave() took the last one out */
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
		leave(w);
		bury(w);
	}
	event_free(c->pool->watch);
	free(c->pool);
}
