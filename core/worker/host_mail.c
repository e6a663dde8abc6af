/* mails() and mail(): passes a sink's messages to core, and waits for what becomes of them. */
#include "host_mail.h"
#include "host.h"
#include "host_wait.h"
#include "base/mem.h"
#include "base/rfc5322.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAIL_FIRST	sizeof(struct cr_mail)	/* size of the struct in 1.5 */

/* The readers of the batch under way; their texts are the batch's. */
static struct {
	struct cr_recipient	 of[MAIL_READERS];
	const struct cr_recipient *list[MAIL_READERS];
	char			*leave[MAIL_READERS], *leave_mail[MAIL_READERS];	/* owned */
	size_t			 n;
	uint32_t		 written;	/* those who got a message, a bit each */
} readers;
static uint32_t last;			/* id of the last message */

/* The ways for the next reader to leave, by its key; "": there is none. */
static void
leave_put(const struct batch_job *job, const char *key)
{
	const size_t n = readers.n;

	free(readers.leave[n]);
	free(readers.leave_mail[n]);
	readers.leave[n] = key[0] == '\0' || job->leave == NULL ? xstrdup("") : xasprintf("%s%s", job->leave, key);
	readers.leave_mail[n] = key[0] == '\0' || job->leave_mail == NULL ? xstrdup("") :
	    xasprintf("mailto:%s?subject=leave%%20%s", job->leave_mail, key);
}

int
host_mail_read(const struct batch_job *job)
{
	struct mail_reader mr;
	struct wire w;

	readers.n = 0;
	readers.written = 0;
	wire_init(&w, job->readers.data != NULL ? job->readers.data : "", job->readers.len);
	while (w.at < w.end) {
		wire_get(&w, mail_reader, &mr);
		if (w.bad || readers.n == MAIL_READERS || mr.address == NULL || mr.id == NULL || mr.leave == NULL)
			return -1;
		leave_put(job, mr.leave);
		readers.of[readers.n] = (struct cr_recipient){ .size = sizeof(readers.of[0]), .address = mr.address,
			.id = mr.id, .leave = readers.leave[readers.n], .leave_mail = readers.leave_mail[readers.n] };
		readers.list[readers.n] = &readers.of[readers.n];
		readers.n++;
	}
	return 0;
}

void
host_mail_put(const struct batch_job *job, struct cr_batch *b)
{
	b->sender = job->sender != NULL ? job->sender : "";
	b->list_id = job->list_id != NULL ? job->list_id : "";
	b->recipients = readers.list;
	b->nrecipients = readers.n;
	if (job->kind == CR_BATCH_LETTER) {
		b->text = job->text != NULL ? job->text : "";
		b->sealed = job->made;
	}
}

/* The nth of the plugin's array, whose elements have the size of the plugin's header. */
static const struct cr_mail *
mail_at(const struct cr_mail *m, size_t nth)
{
	return (const void *)((const char *)m + nth * m->size);
}

/* Why the messages cannot be sent; NULL: they can. */
static const char *
wrong(const struct cr_mail *m, size_t n, char *why, size_t room)
{
	uint32_t written = readers.written;

	if (host.phase != PHASE_DELIVER)
		return "is not for this callback";
	if ((host.grants & CR_MAIL) == 0)
		return "is not granted: it has to be in `wants`";
	if (n > MAIL_READERS || (n > 0 && (m == NULL || m->size < MAIL_FIRST)))
		return "takes one message for each reader of the batch";
	for (size_t i = 0; i < n; i++) {
		const struct cr_mail *one = mail_at(m, i);

		if (one->to >= readers.n || one->message == NULL)
			return "was given a message without a reader of the batch, or without a text";
		if ((written & UINT32_C(1) << one->to) != 0)
			return "was given a second message for a reader";
		written |= UINT32_C(1) << one->to;
		if (mail_message_check(one->message, one->len, why, room) == -1)
			return why;
	}
	return NULL;
}

/* Sends a message to core. -1: there is no memory file for it. */
static int
message_send(const struct cr_mail *m, uint32_t id)
{
	int fd = memfd_new(m->message, m->len), rc = -1;
	struct buf b;

	if (fd != -1 && memfd_seal(fd) == 0) {
		buf_init(&b, msg_limit(MSG_W_MAIL));
		wire_put_u32(&b, (uint32_t)m->to);
		wire_put_i64(&b, (int64_t)m->len);
		rc = chan_send(host.chan, MSG_W_MAIL, id, &b, fd, -1);
		if (rc == -1)
			_exit(1);	/* core is gone */
		buf_free(&b);
	} else
		host_say("mails(): no memory file for a message of %zu bytes", m->len);
	if (fd != -1)
		close(fd);
	return rc;
}

/* Waits for `sent` answers to the n messages with ids from `first` on. Returns how many were accepted. */
static int
await(uint32_t first, size_t n, size_t sent)
{
	int accepted = 0;
	struct frame f;
	struct wire w;

	for (; sent > 0 && host_answer_next(&f, MSG_W_MAILED, first, n); sent--) {
		wire_init(&w, f.data, f.len);
		accepted += wire_u32(&w) == 1;
	}
	return accepted;
}

static int
cr_mails(struct cr *cr, const struct cr_mail *m, size_t n)
{
	uint32_t first = last + 1;
	char buf[200];
	const char *why = wrong(m, n, buf, sizeof(buf));
	size_t sent = 0;

	(void)cr;
	if (why != NULL) {
		host_say("mails() %s", why);
		return -1;
	}
	last += (uint32_t)n;
	for (size_t i = 0; i < n && !host.stop; i++) {
		readers.written |= UINT32_C(1) << mail_at(m, i)->to;
		sent += message_send(mail_at(m, i), first + (uint32_t)i) == 0;
	}
	return await(first, n, sent);
}

static int
cr_mail_one(struct cr *cr, const char *from, const char *to, const char *message, size_t len)
{
	struct cr_mail one = { .size = sizeof(one), .message = message, .len = len };

	(void)from;			/* the sender is the configuration's */
	while (to != NULL && one.to < readers.n && strcmp(readers.of[one.to].address, to) != 0)
		one.to++;
	if (to == NULL)
		one.to = readers.n;
	return cr_mails(cr, &one, 1) == 1 ? 0 : -1;
}

void
host_mail_table(struct cr *cr)
{
	cr->mail = cr_mail_one;
	cr->mails = cr_mails;
}
