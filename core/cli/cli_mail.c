/* courant mail: connects to the mail server as the daemon does, with its role mail, logs in, and prints what
 * the server offers. Sends nothing. */
#include "cli_mail.h"
#include "cli_daemon.h"
#include "cli_job.h"
#include "cli_print.h"
#include "cli_usage.h"
#include "base/json.h"
#include "base/mem.h"
#include "conf/request.h"
#include "ipc/chan.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define ANSWER_MS	90000		/* for the answer, look-up and time-outs of the role included */

/* What a class means for the daemon. */
static const char *
meaning(uint32_t class)
{
	switch (class) {
	case MAIL_ACCEPTED:
		return "the server takes mail";
	case MAIL_CONFIG:
		return "encryption or login do not fit the server: change `mail` in the configuration; sinks "
		    "that mail pause";
	case MAIL_SENDER:
		return "the server refuses this machine or the name in `hello`; sinks that mail pause";
	default:
		return "the server cannot be reached, or does not work now; the daemon tries again";
	}
}

/* The role, confined and with its settings. Ends the program when it does not start. */
static struct chan *
role_start(struct child *child, const struct setup *s)
{
	struct chan *chan;
	struct frame f;
	struct buf b;

	if (child_daemon_role(child, "mail") == -1)
		exit(1);
	chan = chan_new(child->fd);
	buf_init(&b, msg_limit(MSG_MAIL_START));
	request_mail(s, &b);
	if (chan_send(chan, MSG_MAIL_START, 0, &b, -1, -1) == -1 ||
	    chan_recv(chan, &f, CLI_DEADLINE) != 1 || f.type != MSG_READY) {
		print_error("courant: the role mail does not start\n");
		exit(1);
	}
	buf_forget(&b);
	return chan;
}

/* Whether mails have headers that a mailbox trusts only if the server signs them. */
static int
has_subscribers(const struct setup *s)
{
	for (size_t i = 0; i < s->nroutes; i++)
		if (setup_subscribed(&s->routes[i]))
			return 1;
	return 0;
}

/* Lines, as an array. */
static json_t *
lines(const char *text)
{
	json_t *list = json_array();
	char *copy = xstrdup(text != NULL ? text : ""), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			json_array_append_new(list, json_text(line));
	free(copy);
	return list;
}

static void
print_as_json(const struct setup *s, const struct mail_tried *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "ok", json_boolean(t->class == MAIL_ACCEPTED));
	json_set_text(o, "server", s->mail.server);
	json_set_text(o, "user", s->mail.user);
	json_set_text(o, "from", s->mail.from);
	json_set_text(o, "bounces", s->mail.bounces);
	json_set_text(o, "tls", t->tls);
	json_set_text(o, "reply", t->reply);
	json_set_text(o, "meaning", meaning(t->class));
	json_object_set_new(o, "offers", lines(t->offers));
	json_object_set_new(o, "dialogue", lines(t->dialogue));
	(void)print_json(o, JSON_INDENT(2));
	json_decref(o);
}

static void
print_rows(const struct setup *s, const struct mail_tried *t)
{
	json_t *offers = lines(t->offers), *one;
	size_t i;

	print("server   %s, EHLO %s\n", s->mail.server, s->mail.hello);
	print("TLS      %s\n", t->tls != NULL ? t->tls : s->mail.plain ? "none: the server is this machine" :
	    "none yet");
	print("login    %s\n", s->mail.user != NULL ? s->mail.user : "none");
	print("from     %s, bounces to %s\n", s->mail.from, s->mail.bounces);
	json_array_foreach(offers, i, one)
		print("%-8s %s\n", i == 0 ? "offers" : "", json_string_value(one));
	json_decref(offers);
}

/* 0 or 1: the exit status. */
static int
report(const struct setup *s, const struct mail_tried *t, int json, int verbose)
{
	const int good = t->class == MAIL_ACCEPTED;

	if (json) {
		print_as_json(s, t);
		return !good;
	}
	print_rows(s, t);
	if (verbose && t->dialogue != NULL)
		print_lines(t->dialogue, 0);
	if (!good) {
		print_flush();
		print_error("courant: mail: %s\ncourant: %s\n", t->reply != NULL ? t->reply : "",
		    meaning(t->class));
		return 1;
	}
	print("%s\n", meaning(t->class));
	if (has_subscribers(s))
		print("hint: have the server's DKIM signature cover List-Unsubscribe and List-Unsubscribe-Post "
		    "(h=), or mailboxes show no button to leave\n");
	return 0;
}

int
cli_mail(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 } };
	struct cli_job job = { 0 };
	const struct setup *s;
	struct mail_tried tried;
	struct child child;
	struct chan *chan;
	struct frame f;
	int opt, json = 0, verbose = 0, rc = 1;

	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":hv", longs)) != -1) {
		json |= opt == 'j';
		verbose |= opt == 'v';
	}
	if (optind < argc)
		cli_misused("it takes no argument");
	s = cli_configuration(&job);
	if (s->mail.server == NULL) {
		print_error("courant: %s: there is no server; say mail: { server: smtp://HOST:PORT }\n", s->file);
		return 1;
	}
	chan = role_start(&child, s);
	if (chan_send(chan, MSG_MAIL_TRY, 1, NULL, -1, -1) == 0 &&
	    chan_recv(chan, &f, ANSWER_MS) == 1 && f.type == MSG_MAIL_TRIED &&
	    wire_whole(f.data, f.len, mail_tried, &tried) == 0)
		rc = report(s, &tried, json, verbose);
	else
		print_error("courant: the role mail gave no answer\n");
	chan_free(chan);
	child_reap(child.pid, 0, NULL);
	cli_free(&job);
	return rc;
}
