/* The admin socket: the operator's commands to the running daemon, and those that serve may
 * give. */
#include "admin.h"
#include "abandoned.h"
#include "plugins_status.h"
#include "reload.h"
#include "status_build.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/route/deliver.h"
#include "daemon/route/editions.h"
#include "daemon/source/due.h"
#include "daemon/source/poll.h"
#include "daemon/source/poll_begin.h"
#include "daemon/source/refresh.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/disk.h"
#include "daemon/supervise/role.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/peer.h"

#include <event2/event.h>
#include <event2/listener.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define INLINE_MAX	8192		/* bytes of an answer in the frame; more: a memfd */

struct asker {
	struct peer	*peer;
	uint32_t	 id;
	int		 trusted;
};
/* A peer that waits for an answer of store or index, for a sink that is tested, or until store has read the
 * setup. */
struct curious {
	struct peer	*peer;		/* NULL: a free slot */
	uint32_t	 id, question;	/* of the peer's frame; of that to store, or of the test */
	enum { OF_STORE, OF_INDEX, OF_SINK, OF_SETUP } of;
	size_t		 command;	/* OF_SETUP: its place in commands, */
	char		*arg;		/* and its argument, owned; or NULL */
};

struct admin {
	struct evconnlistener	*listener;
	char			*path;
	struct peer		*peer[ADMIN_PEERS];
	uid_t			 user[ADMIN_PEERS];	/* of that peer */
	struct curious		 curious[ADMIN_PEERS];
	uint32_t		 questions;	/* sent to store and index so far */
	struct asker		 reloader[ADMIN_PEERS];	/* that wait for a reload */
	size_t			 nreloaders;
};

static void
tell(struct peer *p, uint32_t id, uint32_t status, const struct buf *text)
{
	const char *s = text->data != NULL ? text->data : "";
	struct buf b;
	int fd = -1;

	buf_init(&b, msg_limit(MSG_TOLD));
	if (text->len > INLINE_MAX) {
		fd = memfd_new(s, text->len);
		if (fd == -1 || memfd_seal(fd) == -1) {
			log_warn("an answer of %zu bytes: %s", text->len, strerror(errno));
			status = 1;
			s = "the daemon found no memory for its answer; its log says why\n";
		} else
			s = NULL;
	}
	wire_put_u32(&b, status);
	wire_put_str(&b, s);
	(void)peer_send(p, MSG_TOLD, id, &b, s == NULL ? fd : -1, -1);
	if (fd != -1)
		close(fd);
	buf_free(&b);
}

/* A free slot; NULL: there is none. */
static struct curious *
curious_new(struct admin *a)
{
	for (size_t i = 0; i < ADMIN_PEERS; i++)
		if (a->curious[i].peer == NULL)
			return &a->curious[i];
	return NULL;
}

static void
curious_end(struct curious *q)
{
	free(q->arg);
	*q = (struct curious){ 0 };
}

void
admin_forget(struct core *c, const struct peer *p)
{
	struct admin *a = c->admin;
	size_t n;

	if (a == NULL)
		return;
	status_build_forget(c, p);
	for (size_t i = 0; i < ADMIN_PEERS; i++)
		if (a->curious[i].peer == p)
			curious_end(&a->curious[i]);
	for (size_t i = n = 0; i < a->nreloaders; i++)
		if (a->reloader[i].peer != p)
			a->reloader[n++] = a->reloader[i];
	a->nreloaders = n;
}

/* Answers with an error text. */
static void
tell_words(struct peer *p, uint32_t id, const char *words)
{
	struct buf text;

	buf_init(&text, 256);
	buf_str(&text, words);
	tell(p, id, 1, &text);
	buf_free(&text);
}

static void
ask_status(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	(void)arg;
	if (status_build_ask(c, p, id, trusted) == -1)
		tell_words(p, id, "too many ask for the status at once; ask again\n");
}

/* The peer's user, as the store keeps on record who gave an order. */
static void
put_user(struct buf *b, const struct admin *a, const struct peer *p)
{
	char who[32] = "?";

	for (size_t i = 0; i < ADMIN_PEERS; i++)
		if (a->peer[i] == p)
			snprintf(who, sizeof(who), a->user[i] == 0 ? "root" : "user %u",
			    (unsigned)a->user[i]);
	wire_put_str(b, who);
}

/* Passes a question on to index. */
static void
ask_index(struct core *c, struct peer *p, uint32_t id, const char *command, const char *arg)
{
	struct curious *q = roles_get(c, ROLE_INDEX)->ready ? curious_new(c->admin) : NULL;
	struct buf b;

	if (q == NULL) {
		tell_words(p, id, roles_get(c, ROLE_INDEX)->ready ? "too many ask at once; ask again\n" :
		    "the index is not up; ask again\n");
		return;
	}
	*q = (struct curious){ .peer = p, .id = id, .question = ++c->admin->questions,
		.of = OF_INDEX };
	buf_init(&b, msg_limit(MSG_QUESTION));
	wire_put_str(&b, command);
	wire_put_str(&b, arg != NULL ? arg : "");
	roles_send(c, ROLE_INDEX, MSG_QUESTION, q->question, &b, -1);
	buf_free(&b);
}

/* Passes a question on to store. */
static void
ask_store(struct core *c, struct peer *p, uint32_t id, const char *command, const char *arg)
{
	struct curious *q = c->known ? curious_new(c->admin) : NULL;
	struct buf b;

	if (q == NULL) {
		tell_words(p, id, c->known ? "too many ask at once; ask again\n" :
		    "the store is not up; ask again\n");
		return;
	}
	*q = (struct curious){ .peer = p, .id = id, .question = ++c->admin->questions,
		.of = OF_STORE };
	buf_init(&b, msg_limit(MSG_QUESTION));
	wire_put_str(&b, command);
	wire_put_str(&b, arg != NULL ? arg : "");
	put_user(&b, c->admin, p);
	roles_send(c, ROLE_STORE, MSG_QUESTION, q->question, &b, -1);
	buf_free(&b);
}

void
admin_answered(struct core *c, struct frame *f)
{
	struct admin *a = c->admin;
	struct buf b;

	buf_init(&b, msg_limit(MSG_TOLD));
	buf_add(&b, f->data, f->len);
	for (size_t i = 0; a != NULL && i < ADMIN_PEERS; i++) {
		struct curious *q = &a->curious[i];

		if (q->peer == NULL || q->question != f->id)
			continue;
		(void)peer_send(q->peer, MSG_TOLD, q->id, &b, f->fd[0], -1);
		curious_end(q);
	}
	buf_free(&b);
}

void
admin_store_gone(struct core *c)
{
	struct admin *a = c->admin;

	status_build_uncounted(c);
	for (size_t i = 0; a != NULL && i < ADMIN_PEERS; i++) {
		struct curious q = a->curious[i];

		if (q.peer == NULL || q.of == OF_SINK || q.of == OF_INDEX)
			continue;
		curious_end(&a->curious[i]);
		tell_words(q.peer, q.id, "the store died of it, or meanwhile; its log says why; ask "
		    "again\n");
	}
}

void
admin_index_gone(struct core *c)
{
	struct admin *a = c->admin;
	struct curious q;

	for (size_t i = 0; a != NULL && i < ADMIN_PEERS; i++) {
		q = a->curious[i];
		if (q.peer == NULL || q.of != OF_INDEX)
			continue;
		curious_end(&a->curious[i]);
		tell_words(q.peer, q.id, "the index died of it, or meanwhile; its log says why; ask "
		    "again\n");
	}
}

static void
ask_reload(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	struct admin *a = c->admin;
	struct buf text;

	(void)arg;
	if (a->nreloaders == ADMIN_PEERS) {
		buf_init(&text, 128);
		buf_str(&text, "too many reloads are asked for at once\n");
		tell(p, id, 1, &text);
		buf_free(&text);
		return;
	}
	a->reloader[a->nreloaders++] = (struct asker){ p, id, trusted };
	core_reload(c);
}

void
admin_reloaded(struct core *c, int status, const struct buf *said)
{
	struct admin *a = c->admin;

	for (size_t i = 0; a != NULL && i < a->nreloaders; i++)
		tell(a->reloader[i].peer, a->reloader[i].id, (uint32_t)status, said);
	if (a != NULL)
		a->nreloaders = 0;
}

static void
ask_plugins(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	struct buf text;

	(void)arg;
	(void)trusted;
	buf_init(&text, SIZE_MAX / 4);
	plugins_json(c, &text);
	tell(p, id, 0, &text);
	buf_free(&text);
}

/* A sink took the sample, or did not. */
static void
on_tested(struct core *c, uint32_t question, int status, const char *text)
{
	struct admin *a = c->admin;
	struct buf said;

	buf_init(&said, 64u << 10);
	buf_str(&said, text);
	for (size_t i = 0; a != NULL && i < ADMIN_PEERS; i++)
		if (a->curious[i].peer != NULL && a->curious[i].question == question) {
			tell(a->curious[i].peer, a->curious[i].id, (uint32_t)status, &said);
			curious_end(&a->curious[i]);
		}
	buf_free(&said);
}

static void
ask_test(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	struct curious *q = curious_new(c->admin);
	char *name = xstrdup(arg != NULL ? arg : ""), *to = strchr(name, ' ');
	struct buf said;

	(void)trusted;
	buf_init(&said, 64u << 10);
	if (to != NULL)
		*to++ = '\0';
	if (q == NULL)
		buf_str(&said, "too many ask at once; ask again\n");
	else {
		*q = (struct curious){ .peer = p, .id = id, .question = ++c->admin->questions,
			.of = OF_SINK };
		if (deliver_test(c, name, to, q->question, on_tested, &said) == -1)
			curious_end(q);
	}
	if (said.len > 0)
		tell(p, id, 1, &said);
	buf_free(&said);
	free(name);
}

static void
ask_editions(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	struct buf b;

	(void)trusted;
	buf_init(&b, 64u << 10);
	if (editions_question(c, arg != NULL ? arg : "", &b) == 0)
		ask_store(c, p, id, "editions", b.data);
	else
		tell(p, id, 1, &b);
	buf_free(&b);
}

static const struct {
	const char	*name;
	int		 trusted;	/* for the operator only */
	int		 setup;		/* waits until store has read the setup, if that is under way */
	void		(*ask)(struct core *, struct peer *, uint32_t, const char *, int trusted);
	/* Instead of ask: done at once. 0 or -1, and what the operator is told. */
	int		(*order)(struct core *, const char *arg, struct buf *said);
	/* Neither: store answers (store/question.h), or index (index/search.h). */
	int		index;
} commands[] = {
	{ "status", 0, 0, ask_status, NULL, 0 },
	{ "plugins", 1, 0, ask_plugins, NULL, 0 },
	{ "reload", 1, 0, ask_reload, NULL, 0 },
	{ "editions", 1, 1, ask_editions, NULL, 0 },
	{ "explain", 1, 1, NULL, NULL, 0 },
	{ "dead", 1, 1, NULL, NULL, 0 },
	{ "replay", 1, 1, NULL, NULL, 0 },
	{ "drop", 1, 1, NULL, NULL, 0 },
	{ "skip", 1, 1, NULL, NULL, 0 },
	{ "test", 1, 1, ask_test, NULL, 0 },
	{ "past", 1, 1, NULL, NULL, 0 },
	{ "past page", 1, 1, NULL, NULL, 0 },
	{ "refilter", 1, 1, NULL, NULL, 0 },
	{ "refiltered", 1, 1, NULL, NULL, 0 },
	{ "refresh", 1, 1, NULL, refresh_now, 0 },
	{ "split", 1, 1, NULL, NULL, 0 },
	{ "join", 1, 1, NULL, NULL, 0 },
	{ "hide", 1, 1, NULL, NULL, 0 },
	{ "unhide", 1, 1, NULL, NULL, 0 },
	{ "resume", 1, 1, NULL, deliver_resume, 0 },
	{ "subscribers", 1, 1, NULL, NULL, 0 },
	{ "bounce", 1, 1, NULL, NULL, 0 },
	{ "drop output", 1, 0, NULL, abandoned_drop, 0 },
	{ "search", 0, 0, NULL, NULL, 1 },
	{ "similar", 0, 0, NULL, NULL, 1 },
	{ "complete", 0, 0, NULL, NULL, 1 },
};

static void
give_order(struct core *c, struct peer *p, uint32_t id, size_t command, const char *arg)
{
	struct buf said;
	int rc;

	buf_init(&said, 1u << 20);
	rc = commands[command].order(c, arg != NULL ? arg : "", &said);
	tell(p, id, rc == 0 ? 0 : 1, &said);
	buf_free(&said);
}

static void
obey(struct core *c, struct peer *p, uint32_t id, size_t command, const char *arg, int trusted)
{
	editions_wake(c);		/* the clock may have been set */
	if (commands[command].order != NULL)
		give_order(c, p, id, command, arg);
	else if (commands[command].ask != NULL)
		commands[command].ask(c, p, id, arg, trusted);
	else if (commands[command].index)
		ask_index(c, p, id, commands[command].name, arg);
	else
		ask_store(c, p, id, commands[command].name, arg);
}

void
admin_store_ready(struct core *c)
{
	struct admin *a = c->admin;
	struct curious q;

	for (size_t i = 0; a != NULL && i < ADMIN_PEERS; i++) {
		q = a->curious[i];
		if (q.peer == NULL || q.of != OF_SETUP)
			continue;
		a->curious[i] = (struct curious){ 0 };
		obey(c, q.peer, q.id, q.command, q.arg, 1);
		free(q.arg);
	}
}

/* Has the command wait until store has read the setup. 0; -1: it need not wait, or cannot. */
static int
wait_for_setup(struct core *c, struct peer *p, uint32_t id, size_t command, const char *arg)
{
	struct curious *q = curious_new(c->admin);

	if (!commands[command].setup || c->known || !roles_get(c, ROLE_STORE)->ready || q == NULL)
		return -1;
	*q = (struct curious){ .peer = p, .id = id, .of = OF_SETUP, .command = command,
		.arg = arg != NULL ? xstrdup(arg) : NULL };
	return 0;
}

void
admin_ask(struct core *c, struct peer *p, struct frame *f, int trusted)
{
	const char *command, *arg;
	struct wire w;

	wire_init(&w, f->data, f->len);
	command = wire_str(&w);
	arg = wire_str(&w);
	if (f->type == MSG_ASK && wire_end(&w) == 0 && command != NULL)
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			if (strcmp(commands[i].name, command) == 0 &&
			    (trusted || !commands[i].trusted)) {
				if (wait_for_setup(c, p, f->id, i, arg) == -1)
					obey(c, p, f->id, i, arg, trusted);
				return;
			}
	tell_words(p, f->id, "the daemon does not know this command\n");
}

static void
on_peer(struct peer *p, struct frame *f, int bad, void *arg)
{
	struct core *c = arg;

	if (f != NULL) {
		admin_ask(c, p, f, 1);
		due_wake(c);		/* so that a wall clock that was set counts at once */
		return;
	}
	if (bad)
		log_warn("a bad frame on the admin socket");
	admin_forget(c, p);
	for (size_t i = 0; i < ADMIN_PEERS; i++)
		if (c->admin->peer[i] == p)
			c->admin->peer[i] = NULL;
	peer_free(p);
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct core *c = arg;
	struct ucred who = { 0 };
	socklen_t n = sizeof(who);
	size_t i = 0;

	(void)l;
	(void)sa;
	(void)len;
	while (i < ADMIN_PEERS && c->admin->peer[i] != NULL)
		i++;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == -1 || i == ADMIN_PEERS ||
	    (who.uid != 0 && who.uid != geteuid())) {
		log_warn("admin socket: user %u is refused%s", (unsigned)who.uid,
		    i == ADMIN_PEERS ? ": too many connections" : "");
		close(fd);
		return;
	}
	c->admin->user[i] = who.uid;
	c->admin->peer[i] = peer_new(c->base, fd, on_peer, c);
}

void
admin_start(struct core *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;

	status_build_init(c);
	c->admin = xcalloc(1, sizeof(*c->admin));
	c->admin->path = xasprintf("%s/admin.sock", c->state);
	if (strlen(c->admin->path) >= sizeof(sun.sun_path)) {
		log_warn("%s: too long for a socket; `courant` cannot reach this daemon: choose a "
		    "shorter state folder", c->admin->path);
		return;
	}
	memcpy(sun.sun_path, c->admin->path, strlen(c->admin->path));
	unlink(c->admin->path);
	mask = umask(0177);
	c->admin->listener = evconnlistener_new_bind(c->base, on_accept, c,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 8, (struct sockaddr *)&sun,
	    sizeof(sun));
	umask(mask);
	if (c->admin->listener == NULL)
		log_warn("%s: %s", c->admin->path, strerror(errno));
}

void
admin_stop(struct core *c)
{
	if (c->admin == NULL)
		return;
	if (c->admin->listener != NULL) {
		evconnlistener_free(c->admin->listener);
		unlink(c->admin->path);
	}
	for (size_t i = 0; i < ADMIN_PEERS; i++) {
		peer_free(c->admin->peer[i]);
		curious_end(&c->admin->curious[i]);
	}
	free(c->admin->path);
	free(c->admin);
	c->admin = NULL;
	status_build_free(c);
}
