/* The role mail: hands messages to the mail server, over one connection, and tells core what became of
 * each. */
#include "session.h"
#include "base/buf.h"
#include "base/idn.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/rfc5322.h"
#include "ipc/chan.h"
#include "ipc/lookup.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/roles.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CHANNEL		3		/* file descriptor of the channel to core */
#define WHY		256		/* bytes of a reason */

struct mail {
	struct chan	*chan;
	struct session	*session;	/* NULL: MSG_MAIL_START did not come yet */
	char		*ca;
	int		 stopping;
};

static void
answer(struct mail *m, uint16_t type, uint32_t id, const struct buf *b)
{
	if (chan_send(m->chan, type, id, b, -1, -1) == -1)
		exit(1);		/* core is gone */
}

/* ---- Frames from core ---- */

static void
confine_to_lookups(const struct mail *m)
{
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
	const int knows = curl->age >= CURLVERSION_SEVENTH;

	idn_open();
	lookup_confine(ROLE_MAIL, m->ca, knows ? curl->cainfo : NULL, knows ? curl->capath : NULL);
}

static void
take_start(struct mail *m, const struct frame *f)
{
	struct mail_start start;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, mail_start, &start);
	if (wire_end(&w) == -1 || m->session != NULL)
		fatal("core sent a malformed MAIL_START");
	m->session = session_new(&start);
	m->ca = start.ca != NULL ? xstrdup(start.ca) : NULL;
	explicit_bzero((void *)(uintptr_t)f->data, f->len);
	confine_to_lookups(m);
	answer(m, MSG_READY, f->id, NULL);
}

/* Checks and converts the envelope and maps the message. 0; or -1, the class and why. */
static int
letter_read(struct letter *l, const struct mail_job *job, int fd, char wire[2][MAILBOX_MAX + 1],
    enum mail_class *class, char why[WHY])
{
	*class = MAIL_CONFIG;
	if (job->sender != NULL && job->sender[0] != '\0' &&
	    mailbox_check(job->sender, why, WHY) == -1)
		return -1;
	*class = MAIL_NO_MAILBOX;
	if (mailbox_check(job->recipient != NULL ? job->recipient : "", why, WHY) == -1)
		return -1;
	wire[0][0] = '\0';
	if (job->sender != NULL)
		mailbox_wire(wire[0], job->sender);
	mailbox_wire(wire[1], job->recipient);
	*class = MAIL_BAD;
	snprintf(why, WHY, "the message is larger than %u MB", MAIL_MAX >> 20);
	if (job->len > MAIL_MAX)
		return -1;
	snprintf(why, WHY, "the message cannot be read");
	l->text = memfd_map(fd, (size_t)job->len, &l->len);
	if (l->text == NULL)
		return -1;
	l->sender = wire[0];
	l->recipient = wire[1];
	l->wide = mailbox_wide(wire[1]) || mailbox_wide(wire[0]);
	return mail_message_check(l->text, l->len, why, WHY);
}

static void
tell(struct mail *m, uint32_t id, const struct outcome *o, int dialogue)
{
	const struct mail_done done = { .class = o->class, .code = o->code,
		.reply = o->reply.len > 0 ? o->reply.data : "",
		.dialogue = dialogue && o->dialogue.len > 0 ? o->dialogue.data : NULL };
	struct buf b;

	buf_init(&b, msg_limit(MSG_MAILED));
	wire_put(&b, mail_done, &done);
	answer(m, MSG_MAILED, id, &b);
	buf_free(&b);
}

/* A connection fails, and a file that it needs is another than before: core starts a role anew, which
 * is confined to that one. */
static void
begin_anew(struct mail *m)
{
	const char *path = lookup_replaced(m->ca);

	if (path == NULL)
		return;
	log_info("%s is another file than before: this role ends, for another to be confined to it",
	    path);
	m->stopping = 1;
}

static void
take_mail(struct mail *m, const struct frame *f)
{
	char wire[2][MAILBOX_MAX + 1], why[WHY];
	struct letter letter = { 0 };
	struct mail_job job;
	struct outcome o;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, mail_job, &job);
	if (wire_end(&w) == -1 || m->session == NULL)
		fatal("core sent a malformed MAIL");
	outcome_init(&o);
	if (letter_read(&letter, &job, f->fd[0], wire, &o.class, why) == -1)
		buf_str(&o.reply, why);
	else
		session_send(m->session, &letter, &o);
	if (letter.text != NULL)
		memfd_unmap(letter.text, letter.len);
	tell(m, f->id, &o, job.dialogue != 0);
	session_rest(m->session);
	if (o.class == MAIL_SERVER)
		begin_anew(m);
	outcome_free(&o);
}

static void
take_try(struct mail *m, const struct frame *f)
{
	struct mail_tried tried;
	struct outcome o;
	struct buf b;

	if (m->session == NULL)
		fatal("core sent a MAIL_TRY before MAIL_START");
	outcome_init(&o);
	session_try(m->session, &o);
	tried = (struct mail_tried){ .class = o.class,
		.reply = o.reply.len > 0 ? o.reply.data : "",
		.offers = o.offers.len > 0 ? o.offers.data : NULL,
		.tls = o.tls.len > 0 ? o.tls.data : NULL,
		.dialogue = o.dialogue.len > 0 ? o.dialogue.data : NULL };
	buf_init(&b, msg_limit(MSG_MAIL_TRIED));
	wire_put(&b, mail_tried, &tried);
	answer(m, MSG_MAIL_TRIED, f->id, &b);
	buf_free(&b);
	outcome_free(&o);
}

static void
take_frame(struct mail *m, const struct frame *f)
{
	switch (f->type) {
	case MSG_MAIL_START:
		take_start(m, f);
		break;
	case MSG_MAIL:
		take_mail(m, f);
		break;
	case MSG_MAIL_TRY:
		take_try(m, f);
		break;
	case MSG_STOP:
		m->stopping = 1;
		break;
	default:
		fatal("core sent a %s", msg_name(f->type));
	}
}

/* ---- The process ---- */

int
mail_main(int debug)
{
	const struct rlimit none = { 0, 0 };
	struct mail m = { 0 };
	struct frame f;
	int rc = 1;

	log_open("mail", debug);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);	/* a core file would hold the password */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("curl does not start");
	m.chan = chan_new(CHANNEL);
	while (!m.stopping && (rc = chan_recv(m.chan, &f, -1)) == 1)
		take_frame(&m, &f);
	if (rc != 1 && chan_error(m.chan) != NULL)
		log_error("core sent what is no frame: %s", chan_error(m.chan));
	session_free(m.session);
	chan_free(m.chan);
	free(m.ca);
	curl_global_cleanup();
	return m.stopping ? 0 : 1;
}
