/* A worker that lives for one question or a few, on an event loop. */
#include "probe.h"
#include "child.h"
#include "date.h"
#include "filter.h"
#include "log.h"
#include "mem.h"
#include "peer.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_MEMORY	(256u << 20)
#define PROBE_CPU	INT64_C(600000)	/* ms of CPU, when there are many questions */
#define REAP_MS		5		/* between two looks whether it has ended by itself */
#define REAP_TRIES	20
#define SAYS_MAX	500		/* bytes of one line of its output */

struct probe {
	pid_t		 pid;
	struct peer	*peer;
	struct event	*timer;		/* its deadline; then the next look whether it has ended */
	struct event	*says;		/* its stdout and stderr */
	int		 out;
	char		 line[SAYS_MAX + 1];
	size_t		 nline, nlines;
	uint16_t	 answer;
	const char	*late;
	int		(*more)(struct frame *, void *);
	int		 ending, looks;	/* its channel is closed; looked whether it has ended */
	probe_cb	*cb;
	void		*arg;
};

static void
say(struct probe *p, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '\n' && p->nline < SAYS_MAX) {
			p->line[p->nline++] = text[i];
			continue;
		}
		p->line[p->nline] = '\0';
		if (p->nline > 0 && p->nlines++ < PROBE_LINES)
			log_other("worker", (int)p->pid, p->line);
		p->nline = 0;
	}
}

static void
on_says(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;
	char text[4096];
	ssize_t n = read(fd, text, sizeof(text));

	(void)what;
	if (n > 0)
		say(p, text, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		event_del(p->says);
}

static void
probe_free(struct probe *p)
{
	peer_free(p->peer);
	event_free(p->timer);
	event_free(p->says);
	close(p->out);
	free(p);
}

/* Kills it, if it has not ended; it is gone at once, having nothing to hold it up. */
static int
probe_kill(struct probe *p)
{
	int status = 0;

	kill(p->pid, SIGKILL);
	while (waitpid(p->pid, &status, 0) == -1 && errno == EINTR)
		;
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
	on_says(p->out, 0, p);
	say(p, "\n", 1);
	p->cb(f, why, p->arg);
	probe_free(p);
}

static void
look_in(struct probe *p, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(p->timer, &tv);
}

/* It closed its channel without an answer: it ends, and its status tells why. */
static void
ended(struct probe *p)
{
	struct buf why;
	int status = 0;
	pid_t pid = waitpid(p->pid, &status, WNOHANG);

	if (pid == 0 && p->looks++ < REAP_TRIES) {
		look_in(p, REAP_MS);
		return;
	}
	if (pid == 0)
		status = probe_kill(p);
	buf_init(&why, 256);
	buf_str(&why, "the worker that loaded it died: ");
	spawn_obituary(&why, status);
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

/* It could not be loaded: the reason that it gives. */
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
on_frame(struct peer *peer, struct frame *f, int bad, void *arg)
{
	struct probe *p = arg;

	(void)peer;
	if (f == NULL && bad) {
		(void)probe_kill(p);
		finish(p, NULL, "its worker sent a bad frame");
	} else if (f == NULL) {
		p->ending = 1;
		event_del(p->timer);
		ended(p);
	} else if (f->type == p->answer && p->more != NULL && p->more(f, p->arg)) {
		look_in(p, PROBE_MS);
	} else if (f->type == p->answer) {
		(void)probe_kill(p);
		finish(p, f, NULL);
	} else if (f->type == MSG_W_ABOUT)
		refused(p, f);
}

static int
ask(struct probe *p, const struct probe_ask *a)
{
	struct w_start ws = { .mode = a->mode, .grants = a->grants, .memory = PROBE_MEMORY,
		.cpu = a->more != NULL ? PROBE_CPU : PROBE_MS, .name = a->copy };
	struct buf b;
	int rc;

	filter_fill(&ws);
	buf_init(&b, msg_limit(MSG_W_START));
	wire_put(&b, w_start, &ws);
	wire_put_u32(&b, 1);
	wire_put_str(&b, a->copy);
	wire_put_bytes(&b, "", 0);
	rc = peer_send(p->peer, MSG_W_START, 0, &b, -1, -1);
	buf_free(&b);
	return rc;
}

int
probe_send(struct probe *p, uint16_t type, uint32_t id, const struct buf *b)
{
	return peer_send(p->peer, type, id, b, -1, -1);
}

struct probe *
probe_start(struct event_base *base, const struct probe_ask *a, probe_cb *cb, void *arg)
{
	struct child child;
	struct probe *p;

	if (spawn_worker(&child, 1) == -1)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->pid = child.pid;
	p->out = child.out;
	p->answer = a->answer;
	p->late = a->late;
	p->more = a->more;
	p->cb = cb;
	p->arg = arg;
	fcntl(p->out, F_SETFL, O_NONBLOCK);
	p->timer = evtimer_new(base, on_timer, p);
	p->says = event_new(base, p->out, EV_READ | EV_PERSIST, on_says, p);
	if (p->timer == NULL || p->says == NULL || event_add(p->says, NULL) == -1)
		fatal("no event for a worker");
	p->peer = peer_new(base, child.fd, on_frame, p);
	look_in(p, PROBE_MS);
	if (ask(p, a) == -1)
		log_debug("a worker took no question");	/* its end says why */
	return p;
}
