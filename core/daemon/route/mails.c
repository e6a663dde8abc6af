/* Mail that sinks hand over by mails(). */
#include "mails.h"
#include "station.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/rfc5322.h"
#include "base/shown.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/egress.h"
#include "daemon/supervise/mailers.h"
#include "daemon/supervise/role.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define LOCAL_MAX	64		/* bytes of an address before the @ (RFC 5321 4.5.3.1.1) */

/* A message that a sink handed over. */
struct sending {
	TAILQ_ENTRY(sending)	 entry;
	struct station		*station;	/* NULL: it is no more */
	struct worker		*worker;	/* that waits for its end; NULL: none does */
	uint32_t		 theirs;	/* the worker's id of it */
	uint32_t		 id;		/* of MSG_OUTCOME; 0: not sent */
	int			 sample;	/* an operator's test: store is told nothing */
	int64_t			 n;
	char			*reader, *address, *leave;	/* leave: its key; "": a fixed reader */
	struct message		*message;	/* NULL: it was never queued */
	/* What became of it; class 0: nothing yet. */
	uint32_t		 class, code;
	int64_t			 due;
	char			*reply;
};
struct mails {
	TAILQ_HEAD(, sending)	 all;
	uint32_t		 last;		/* id */
	void			(*left)(struct core *, const struct worker *);	/* who was told before */
};

/* ---- The end of a message ---- */

/* Tells the sink, lets the connection go on, and frees it. */
static void
sending_end(struct core *c, struct sending *t)
{
	struct buf b;

	if (t->worker != NULL) {
		buf_init(&b, msg_limit(MSG_W_MAILED));
		wire_put_u32(&b, t->class == MAIL_ACCEPTED);
		worker_answer(t->worker, MSG_W_MAILED, t->theirs, &b, -1);
		buf_free(&b);
	}
	if (t->message != NULL)
		message_stored(c, t->message);
	TAILQ_REMOVE(&c->mails->all, t, entry);
	free(t->reader);
	free(t->address);
	free(t->leave);
	free(t->reply);
	free(t);
	core_idle(c);
}

/* Sends store what became of the message, once it knows the setup. */
static void
outcome_send(struct core *c, struct sending *t)
{
	struct mail_outcome o = { .n = t->n, .reader = t->reader, .class = t->class, .code = t->code, .reply = t->reply,
		.due = t->due };
	struct buf b;

	if (!c->known)
		return;			/* mails_ready() sends it */
	if (t->station == NULL) {
		sending_end(c, t);
		return;
	}
	o.route = t->station->id;
	o.sink = t->station->sink;
	t->id = ++c->mails->last;
	buf_init(&b, msg_limit(MSG_OUTCOME));
	wire_put(&b, mail_outcome, &o);
	roles_send(c, ROLE_STORE, MSG_OUTCOME, t->id, &b, -1);
	buf_free(&b);
}

/* What the person who tests the sink is shown. */
static void
sample_note(struct station *s, const struct mail_done *d)
{
	struct buf b;
	size_t len;

	buf_init(&b, 2 * msg_limit(MSG_MAILED));
	shown_fmt(&b, "%s%s", d->class == MAIL_ACCEPTED ? "" : "refused: ", d->reply);
	for (const char *at = d->dialogue; at != NULL && *at != '\0'; at += len + (at[len] != '\0')) {
		len = strcspn(at, "\n");
		shown_fmt(&b, "\n  %.*s", (int)len, at);
	}
	xreplace(&s->mailed, b.data);
	s->mailed_class = d->class;
	buf_free(&b);
}

/* Keeps the reply without the reader's address, which has no business in a log or a public status. */
static void
reply_set(struct sending *t, const char *reply)
{
	static const char instead[] = "ADDRESS";
	char wire[MAILBOX_MAX + 1], *local = xstrndup(t->address, strcspn(t->address, "@"));
	char *lower = xstrndup(t->reader, strcspn(t->reader, "@"));
	const char *const spelt[] = { wire, t->address, t->reader, local, lower };
	struct redact *redact;
	struct buf words, b;

	buf_init(&words, 10 * (MAILBOX_MAX + 1));
	buf_init(&b, 2 * msg_limit(MSG_MAILED));
	(void)mailbox_wire(wire, t->address);
	for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++) {
		buf_add(&words, spelt[i], strlen(spelt[i]) + 1);
		buf_add(&words, instead, sizeof(instead));
	}
	redact = redact_new((struct bytes){ words.data, words.len });
	(void)redact_put(redact, reply, strlen(reply), &b);
	xreplace(&t->reply, b.len > 0 ? b.data : "");
	redact_free(redact);
	buf_free(&b);
	buf_free(&words);
	free(local);
	free(lower);
}

/* Something became of the message; class 0: nothing, it is as if it had not been handed over. */
static void
sending_judge(struct core *c, struct sending *t, const struct mail_done *d)
{
	if (d->class == 0) {
		sending_end(c, t);
		return;
	}
	t->class = d->class;
	t->code = d->code;
	reply_set(t, d->reply);
	if (d->class == MAIL_SERVER)
		t->due = date_now() + mailers_wait(c);
	if (t->station != NULL && d->class != MAIL_ACCEPTED)
		log_info("route %s, %s: a message was not taken: %s", t->station->route->name,
		    station_name(t->station), t->reply);
	if (t->sample && t->station != NULL)
		sample_note(t->station, d);
	if (t->sample)
		sending_end(c, t);
	else
		outcome_send(c, t);
}

static void
on_done(struct core *c, struct message *m, const struct mail_done *d, void *arg)
{
	(void)m;
	sending_judge(c, arg, d);
}

/* Takes the message back, unless the server has it. */
static void
sending_take_back(struct core *c, struct sending *t)
{
	if (t->class != 0 || message_forget(c, t->message) == -1)
		return;
	t->message = NULL;
	sending_end(c, t);
}

/* The sink is paused: its messages that the server has not are not sent. */
static void
give_up(struct core *c, const struct station *s)
{
	struct sending *t, *next;

	for (t = TAILQ_FIRST(&c->mails->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->station != NULL && t->station->id == s->id && t->station->sink == s->sink && !t->sample)
			sending_take_back(c, t);
	}
}

void
mails_leave(struct core *c, const char *key)
{
	struct sending *t, *next;

	for (t = TAILQ_FIRST(&c->mails->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (!t->sample && strcmp(t->leave, key) == 0)
			sending_take_back(c, t);
	}
}

void
mails_stored(struct core *c, struct frame *f)
{
	const struct station *s;
	struct sending *t;
	uint32_t paused;
	struct wire w;

	wire_init(&w, f->data, f->len);
	paused = wire_u32(&w);
	if (wire_end(&w) == -1)
		fatal("store's OUTCOME_KEPT is malformed");
	TAILQ_FOREACH(t, &c->mails->all, entry)
		if (t->id != 0 && t->id == f->id)
			break;
	if (t == NULL)
		return;
	s = t->station;
	sending_end(c, t);
	if (paused && s != NULL)
		give_up(c, s);
}

/* ---- Its begin ---- */

static struct station *
station_of(struct core *c, const struct worker *w)
{
	for (size_t i = 0; i < c->deliver->n; i++) {
		struct station *s = c->deliver->station[i];

		if (s->worker == w && s->state == STATION_WORK && s->instance != NULL)
			return s;
	}
	return NULL;
}

/* Reads the batch's reader at that place. -1: there is none. */
static int
reader_at(const struct station *s, uint32_t place, struct mail_reader *mr)
{
	struct wire w;

	wire_init(&w, s->work.readers.data, s->work.readers.len);
	while (!w.bad && w.at < w.end) {
		wire_get(&w, mail_reader, mr);
		if (!w.bad && place-- == 0)
			return 0;
	}
	return -1;
}

/* Whether the message may be sent to the address; if not, *d says why. */
static int
is_sendable(int fd, uint64_t len, const char *address, struct mail_done *d, char *why, size_t room)
{
	const char *message;
	size_t size = 0;
	int rc;

	*d = (struct mail_done){ .class = MAIL_BAD, .reply = why };
	if (mailbox_check(address, why, room) == -1) {
		d->class = MAIL_NO_MAILBOX;
		return 0;
	}
	message = fd != -1 && len <= MAIL_MAX ? memfd_map(fd, (size_t)len, &size) : NULL;
	if (message == NULL) {
		snprintf(why, room, "the message is over %u bytes, or did not reach core", MAIL_MAX);
		return 0;
	}
	rc = mail_message_check(message, size, why, room);
	memfd_unmap(message, size);
	return rc == 0;
}

/* The same message, which the server has: its worker died, or did not wait for its end; NULL: there is none. */
static struct sending *
twin_of(const struct core *c, const struct sending *t)
{
	struct sending *u;

	TAILQ_FOREACH(u, &c->mails->all, entry)
		if (u != t && !u->sample && u->station != NULL && u->n == t->n &&
		    u->station->id == t->station->id && u->station->sink == t->station->sink &&
		    strcmp(u->reader, t->reader) == 0)
			return u;
	return NULL;
}

/* The envelope's sender: of a subscriber's message with the key by which bounces find it. */
static void
sender_put(char sender[MAILBOX_MAX + 1], const struct mail_conf *m, const char *key)
{
	const char *at = strchr(m->bounces, '@');
	int n = -1;

	if (key != NULL && key[0] != '\0' && at != NULL && strcmp(m->bounces, m->from) != 0 &&
	    (size_t)(at - m->bounces) + 1 + strlen(key) <= LOCAL_MAX)
		n = snprintf(sender, MAILBOX_MAX + 1, "%.*s+%s%s", (int)(at - m->bounces), m->bounces, key, at);
	if (n < 0 || n > MAILBOX_MAX)
		snprintf(sender, MAILBOX_MAX + 1, "%s", m->bounces);
}

/* Queues the message; fd: the message, taken over if *fd becomes -1. */
static void
sending_begin(struct core *c, struct sending *t, uint64_t len, const struct mail_reader *mr, int *fd)
{
	struct mail_job j = { .recipient = mr->address, .len = len, .dialogue = (uint32_t)t->sample };
	char sender[MAILBOX_MAX + 1];
	struct sending *twin = t->sample ? NULL : twin_of(c, t);
	struct mail_done d;
	char why[256];

	d = (struct mail_done){ .class = 0 };
	if (twin != NULL && twin->worker != NULL)
		sending_judge(c, t, &d);
	else if (twin != NULL) {	/* the worker is told what becomes of that one */
		twin->worker = t->worker;
		twin->theirs = t->theirs;
		TAILQ_REMOVE(&c->mails->all, t, entry);
		free(t->reader);
		free(t->address);
		free(t->leave);
		free(t);
	} else if (c->setup->mail.server == NULL) {
		d = (struct mail_done){ .class = MAIL_CONFIG, .reply = "there is no server; say mail: { server: ... }" };
		sending_judge(c, t, &d);
	} else if (!is_sendable(*fd, len, mr->address, &d, why, sizeof(why)))
		sending_judge(c, t, &d);
	else {
		sender_put(sender, &c->setup->mail, mr->leave);
		j.sender = sender;
		t->message = mailers_send(c, &j, *fd, on_done, t);
		*fd = -1;
	}
}

/* MSG_W_MAIL. */
static void
mails_ask(struct core *c, struct worker *w, struct frame *f)
{
	struct station *s = station_of(c, w);
	struct sending *t;
	struct mail_reader mr;
	struct wire wire;
	uint32_t place;
	uint64_t len;

	wire_init(&wire, f->data, f->len);
	place = wire_u32(&wire);
	len = (uint64_t)wire_i64(&wire);
	if (wire_end(&wire) == -1 || s == NULL || !egress_mail(worker_egress(w)) ||
	    worker_hold(w) > MAIL_READERS || reader_at(s, place, &mr) == -1 ||
	    (s->written & UINT32_C(1) << place) != 0) {
		worker_kill(w, "it sent mail beyond what it may");
		return;
	}
	s->written |= UINT32_C(1) << place;
	t = xcalloc(1, sizeof(*t));
	*t = (struct sending){ .station = s, .worker = w, .theirs = f->id, .n = s->work.first,
		.sample = s->work.kind == WORK_SAMPLE, .reader = xstrdup(mr.reader), .address = xstrdup(mr.address),
		.leave = xstrdup(mr.leave) };
	TAILQ_INSERT_TAIL(&c->mails->all, t, entry);
	sending_begin(c, t, len, &mr, &f->fd[0]);
}

/* ---- The end of others ---- */

/* The worker is gone. What is with the server is told of all the same; the rest is not sent. */
static void
mails_left(struct core *c, const struct worker *w)
{
	struct sending *t, *next;

	c->mails->left(c, w);
	for (t = TAILQ_FIRST(&c->mails->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->worker != w)
			continue;
		t->worker = NULL;
		sending_take_back(c, t);
	}
}

void
mails_forget(struct core *c, const struct station *s)
{
	struct sending *t;

	TAILQ_FOREACH(t, &c->mails->all, entry)
		if (t->station == s)
			t->station = NULL;
}

/* Store died: what it has not confirmed it is told again. */
void
mails_gone(struct core *c, enum role_id id)
{
	struct sending *t;

	TAILQ_FOREACH(t, &c->mails->all, entry)
		if (id == ROLE_STORE)
			t->id = 0;
}

void
mails_ready(struct core *c)
{
	struct sending *t, *next;

	for (t = TAILQ_FIRST(&c->mails->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->class != 0 && t->id == 0)
			outcome_send(c, t);
	}
}

int
mails_busy(const struct core *c)
{
	const struct sending *t;

	TAILQ_FOREACH(t, &c->mails->all, entry)
		if (t->class != 0)
			return 1;
	return 0;
}

void
mails_end(struct core *c)
{
	struct sending *t;

	while ((t = TAILQ_FIRST(&c->mails->all)) != NULL) {
		TAILQ_REMOVE(&c->mails->all, t, entry);
		free(t->reader);
		free(t->address);
		free(t->leave);
		free(t->reply);
		free(t);
	}
	free(c->mails);
	c->mails = NULL;
}

void
mails_init(struct core *c)
{
	struct workers_tell *tell = workers_tell(c);

	c->mails = xcalloc(1, sizeof(*c->mails));
	TAILQ_INIT(&c->mails->all);
	c->mails->left = tell->left;
	tell->left = mails_left;
	tell->mail = mails_ask;
}
