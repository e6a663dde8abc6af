/* The processes of the role mail, and the queue of messages for them. */
#include "mailers.h"
#include "core.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "conf/request.h"
#include "conf/setup_mail.h"
#include "ipc/child.h"
#include "ipc/msg.h"
#include "ipc/peer.h"

#include <event2/event.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define IDLE_MS		10000		/* after which an idle process ends its connection */
#define STOP_MS		5000		/* for a process to end when the daemon stops */
#define REAP_MS		200
#define REPLY_MAX	1000		/* bytes of a reply that are kept */
#define START_MS	1000		/* until a process is started that could not be */
#define BACKOFF_MIN	INT64_C(60000)	/* until a server that failed is tried again; doubles */
#define BACKOFF_MAX	INT64_C(1800000)

struct message {
	TAILQ_ENTRY(message)	 entry;
	struct buf		 frame;		/* a MSG_MAIL */
	int			 fd;
	struct mailer		*mailer;	/* that has it; NULL: it waits, or its process is gone */
	int			 begun, told;	/* done was called */
	message_done		 done;
	void			*arg;
};

struct mailer {
	TAILQ_ENTRY(mailer)	 entry;
	struct core		*core;
	pid_t			 pid;
	struct peer		*peer;
	struct message		*message;	/* with it, or waiting for message_stored(); NULL: idle */
	int64_t			 idle;		/* date_ticks() since when */
	int			 ready;		/* it is set up */
	int			 outdated;	/* `mail:` has changed since it began, or it is to end */
};

struct mailers {
	TAILQ_HEAD(, mailer)	 all;
	size_t			 n;
	TAILQ_HEAD(, message)	 queue;		/* that no process has had */
	struct event		*timer, *wake;
	int64_t			 next;		/* date_ticks(): by the rate, no message before */
	int64_t			 until, wait;	/* date_ticks() until which the server is left alone; the last
						 * time for that, ms */
	int			 stopping;
};

static void	queue_give_up(struct core *, uint32_t class);

/* ---- Messages ---- */

static void
message_free(struct message *m)
{
	buf_free(&m->frame);
	if (m->fd != -1)
		close(m->fd);
	free(m);
}

/* The server could not be reached, or can be again. */
static void
server_judge(struct mailers *ms, enum mail_class class)
{
	if (class != MAIL_SERVER) {
		ms->until = ms->wait = 0;
		return;
	}
	if (ms->until > date_ticks())
		return;			/* of another connection, at the same time */
	ms->wait = ms->wait == 0 ? BACKOFF_MIN : ms->wait * 2 < BACKOFF_MAX ? ms->wait * 2 : BACKOFF_MAX;
	ms->until = date_ticks() + ms->wait;
}

static void
message_tell(struct core *c, struct message *m, const struct mail_done *d)
{
	m->told = 1;
	m->done(c, m, d, m->arg);
}

/* ---- A process ---- */

static void
timer_in(struct event *ev, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms > 0 ? ms / 1000 : 0, .tv_usec = ms > 0 ? ms % 1000 * 1000 : 0 };

	evtimer_add(ev, &tv);
}

/* Its channel is closed, or to be closed. */
static void
mailer_free(struct mailer *m, int64_t ms)
{
	struct mailers *all = m->core->mailers;

	TAILQ_REMOVE(&all->all, m, entry);
	all->n--;
	if (child_reap(m->pid, ms, NULL))
		log_warn("mail %d does not end: killed", (int)m->pid);
	peer_free(m->peer);
	free(m);
}

/* It died. What it was sending may have arrived. */
static void
mailer_died(struct mailer *m)
{
	static const struct mail_done lost = { .class = MAIL_PERHAPS,
		.reply = "the role mail died with the message: it may have arrived or not" },
		unbegun = { .class = MAIL_SERVER, .reply = "the role mail died at its start" };
	const struct mail_done *what = m->ready ? &lost : &unbegun;
	struct core *c = m->core;
	struct message *msg = m->message;

	if (!m->outdated || msg != NULL)
		log_warn("mail %d died", (int)m->pid);
	mailer_free(m, REAP_MS);
	if (what == &unbegun)
		server_judge(c->mailers, MAIL_SERVER);
	if (msg != NULL) {
		msg->mailer = NULL;
		if (!msg->told)
			message_tell(c, msg, what);
	}
	event_active(c->mailers->wake, EV_TIMEOUT, 0);
}

static void
on_mailer(struct peer *p, struct frame *f, int bad, void *arg)
{
	struct mailer *m = arg;
	char reply[REPLY_MAX];
	struct mail_done d;

	(void)p;
	if (f == NULL) {
		if (bad)
			kill(m->pid, SIGKILL);
		mailer_died(m);
		return;
	}
	if (f->type == MSG_READY) {
		m->ready = 1;
		return;
	}
	if (f->type != MSG_MAILED || m->message == NULL || m->message->told ||
	    wire_whole(f->data, f->len, mail_done, &d) == -1 || d.class == 0 || d.class >= MAIL_CLASSES) {
		log_warn("mail %d sent a bad frame", (int)m->pid);
		kill(m->pid, SIGKILL);
		return;
	}
	snprintf(reply, sizeof(reply), "%.*s", d.reply != NULL ? (int)text_valid(d.reply, strnlen(d.reply,
	    sizeof(reply) - 1)) : 0, d.reply != NULL ? d.reply : "");
	d.reply = reply;
	/* Of a server, or a login, that is no longer the configuration's. */
	if (m->outdated && (d.class == MAIL_SERVER || d.class == MAIL_CONFIG || d.class == MAIL_SENDER))
		d.class = 0;
	if (d.class != 0)
		server_judge(m->core->mailers, (enum mail_class)d.class);
	message_tell(m->core, m->message, &d);
	if (d.class == MAIL_CONFIG || d.class == MAIL_SENDER)
		queue_give_up(m->core, 0);	/* it would be refused in the same way */
}

static struct mailer *
mailer_start(struct core *c)
{
	struct mailer *m;
	struct child child;
	struct buf b;

	if (child_role(&child, "mail", c->debug) == -1)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->core = c;
	m->pid = child.pid;
	m->peer = peer_new(c->base, child.fd, on_mailer, m);
	TAILQ_INSERT_TAIL(&c->mailers->all, m, entry);
	c->mailers->n++;
	log_debug("mail starts as pid %d", (int)m->pid);
	buf_init(&b, msg_limit(MSG_MAIL_START));
	request_mail(c->setup, &b);
	if (peer_send(m->peer, MSG_MAIL_START, 0, &b, -1, -1) == -1)
		kill(m->pid, SIGKILL);
	buf_forget(&b);
	return m;
}

/* An idle process, or a new one; NULL: all are at work. */
static struct mailer *
mailer_get(struct core *c)
{
	struct mailer *m;

	TAILQ_FOREACH(m, &c->mailers->all, entry)
		if (m->message == NULL && !m->outdated)
			return m;
	return c->mailers->n < c->setup->mail.at_once ? mailer_start(c) : NULL;
}

static void
mailer_end(struct mailer *m)
{
	m->outdated = 1;
	if (peer_send(m->peer, MSG_STOP, 0, NULL, -1, -1) == -1)
		kill(m->pid, SIGKILL);
}

/* ---- The queue ---- */

/* ms from one message to the next, by the rate. */
static int64_t
interval(const struct core *c)
{
	const struct mail_conf *m = &c->setup->mail;

	return m->rate > 0 ? (m->rate_ms + m->rate - 1) / m->rate : 0;
}

/* Gives up all messages that wait. class 0: as if they had not been handed over. */
static void
queue_give_up(struct core *c, uint32_t class)
{
	const struct mail_done later = { .class = class,
		.reply = "not sent: the server failed a moment ago, and is tried again later" };
	struct message *m;

	while ((m = TAILQ_FIRST(&c->mailers->queue)) != NULL) {
		TAILQ_REMOVE(&c->mailers->queue, m, entry);
		m->begun = 1;
		message_tell(c, m, &later);
	}
}

static void
mailers_pump(struct core *c)
{
	struct mailers *ms = c->mailers;
	struct message *msg;
	struct mailer *m;
	int64_t now;

	if (ms->stopping)
		queue_give_up(c, 0);
	while ((msg = TAILQ_FIRST(&ms->queue)) != NULL) {
		now = date_ticks();
		if (ms->until > now) {
			queue_give_up(c, MAIL_SERVER);
			return;
		}
		if (ms->next > now) {
			timer_in(ms->timer, ms->next - now);
			return;
		}
		if ((m = mailer_get(c)) == NULL) {
			if (ms->n == 0)		/* no process could be started */
				timer_in(ms->timer, START_MS);
			return;
		}
		TAILQ_REMOVE(&ms->queue, msg, entry);
		msg->begun = 1;
		msg->mailer = m;
		m->message = msg;
		ms->next = now + interval(c);
		if (peer_send(m->peer, MSG_MAIL, 0, &msg->frame, msg->fd, -1) == -1)
			kill(m->pid, SIGKILL);
	}
}

/* Ends processes that have been idle for long, and goes on with the queue. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	int64_t now = date_ticks(), next = 0;
	struct mailer *m;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(m, &c->mailers->all, entry) {
		if (m->message != NULL || m->outdated)
			continue;
		if (now - m->idle >= IDLE_MS)
			mailer_end(m);
		else if (next == 0 || m->idle + IDLE_MS < next)
			next = m->idle + IDLE_MS;
	}
	if (next != 0)
		timer_in(c->mailers->timer, next - now);
	mailers_pump(c);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	mailers_pump(arg);
}

struct message *
mailers_send(struct core *c, const struct mail_job *j, int fd, message_done done, void *arg)
{
	struct message *m = xcalloc(1, sizeof(*m));

	*m = (struct message){ .fd = fd, .done = done, .arg = arg };
	buf_init(&m->frame, msg_limit(MSG_MAIL));
	wire_put(&m->frame, mail_job, j);
	TAILQ_INSERT_TAIL(&c->mailers->queue, m, entry);
	event_active(c->mailers->wake, EV_TIMEOUT, 0);
	return m;
}

void
message_stored(struct core *c, struct message *msg)
{
	struct mailer *m = msg->mailer;

	message_free(msg);
	if (m == NULL)
		return;
	m->message = NULL;
	m->idle = date_ticks();
	if (m->outdated)
		mailer_end(m);
	else if (!evtimer_pending(c->mailers->timer, NULL))
		timer_in(c->mailers->timer, IDLE_MS);
	event_active(c->mailers->wake, EV_TIMEOUT, 0);
}

int
message_forget(struct core *c, struct message *m)
{
	if (m->begun)
		return -1;
	TAILQ_REMOVE(&c->mailers->queue, m, entry);
	message_free(m);
	return 0;
}

int64_t
mailers_wait(const struct core *c)
{
	int64_t ms = c->mailers->until - date_ticks();

	return ms > 0 ? ms : 0;
}

void
mailers_each(const struct core *c, void (*each)(pid_t, int, void *), void *arg)
{
	const struct mailer *m;

	TAILQ_FOREACH(m, &c->mailers->all, entry)
		each(m->pid, m->message != NULL, arg);
}

void
mailers_resume(struct core *c)
{
	c->mailers->until = c->mailers->wait = 0;
}

/* ---- Setup, stop ---- */

void
mailers_setup(struct core *c, const struct setup *old)
{
	struct mailers *ms = c->mailers;
	struct mailer *m;

	if (old == NULL)		/* the last message before a restart may have been just now */
		ms->next = date_ticks() + interval(c);
	if (old == NULL || mail_conf_same(&old->mail, &c->setup->mail))
		return;
	ms->until = ms->wait = 0;
	if (ms->next > date_ticks() + interval(c))
		ms->next = date_ticks() + interval(c);
	TAILQ_FOREACH(m, &ms->all, entry) {
		if (m->message == NULL && !m->outdated)
			mailer_end(m);
		m->outdated = 1;
	}
	event_active(ms->wake, EV_TIMEOUT, 0);
}

void
mailers_stop(struct core *c)
{
	c->mailers->stopping = 1;
	queue_give_up(c, 0);
}

int
mailers_busy(const struct core *c)
{
	const struct mailer *m;

	TAILQ_FOREACH(m, &c->mailers->all, entry)
		if (m->message != NULL)
			return 1;
	return 0;
}

void
mailers_end(struct core *c)
{
	struct mailers *ms = c->mailers;
	int64_t until = date_ticks() + STOP_MS;
	struct message *msg;
	struct mailer *m;

	TAILQ_FOREACH(m, &ms->all, entry) {
		peer_send(m->peer, MSG_STOP, 0, NULL, -1, -1);
		peer_flush(m->peer);
	}
	while ((m = TAILQ_FIRST(&ms->all)) != NULL) {
		/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it is taken out first */
		if (m->message != NULL)
			message_free(m->message);
		mailer_free(m, until - date_ticks());
		/* NOLINTEND(clang-analyzer-unix.Malloc) */
	}
	while ((msg = TAILQ_FIRST(&ms->queue)) != NULL) {
		TAILQ_REMOVE(&ms->queue, msg, entry);
		message_free(msg);
	}
	event_free(ms->timer);
	event_free(ms->wake);
	free(ms);
	c->mailers = NULL;
}

void
mailers_init(struct core *c)
{
	struct mailers *ms = xcalloc(1, sizeof(*ms));

	c->mailers = ms;
	TAILQ_INIT(&ms->all);
	TAILQ_INIT(&ms->queue);
	ms->timer = evtimer_new(c->base, on_timer, c);
	ms->wake = evtimer_new(c->base, on_wake, c);
	if (ms->timer == NULL || ms->wake == NULL)
		fatal("no event for mail");
}
