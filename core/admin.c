/* The admin socket: what the operator asks of the running daemon, and what serve may ask. */
#include "core.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "result.h"

#include <event2/event.h>
#include <event2/listener.h>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define INLINE_MAX	8192		/* bytes of a text that goes in the frame itself */
#define ASKERS		(ADMIN_PEERS * 2)	/* who wait for the counts of store */

struct asker {
	struct peer	*peer;
	uint32_t	 id;
	int		 trusted;
};
/* One who waits for store to explain a record. */
struct curious {
	struct peer	*peer;		/* NULL: nobody */
	uint32_t	 id, question;	/* his, and that to store */
};

struct admin {
	struct evconnlistener	*listener;
	char			*path;
	struct peer		*peer[ADMIN_PEERS];
	struct asker		 asker[ASKERS];
	size_t			 naskers;
	struct curious		 curious[ADMIN_PEERS];
	uint32_t		 questions;	/* asked of store so far */
	struct asker		 reloader[ADMIN_PEERS];	/* who wait for a reload */
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
		fd = result_fd(s, text->len);
		if (fd == -1 || result_seal(fd) == -1) {
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

/* Answers all who wait for the status. */
void
admin_status(struct core *c)
{
	struct admin *a = c->admin;
	struct buf text[2];		/* for outsiders, for the operator */

	if (a == NULL || a->naskers == 0)
		return;
	buf_init(&text[0], SIZE_MAX / 4);
	buf_init(&text[1], SIZE_MAX / 4);
	for (size_t i = 0; i < a->naskers; i++) {
		const struct asker *asker = &a->asker[i];
		struct buf *t = &text[asker->trusted != 0];

		if (t->len == 0)
			status_json(c, t, asker->trusted);
		tell(asker->peer, asker->id, 0, t);
	}
	a->naskers = 0;
	buf_free(&text[0]);
	buf_free(&text[1]);
	malloc_trim(0);
}

void
admin_forget(struct core *c, const struct peer *p)
{
	struct admin *a = c->admin;
	size_t n = 0;

	if (a == NULL)
		return;
	for (size_t i = 0; i < a->naskers; i++)
		if (a->asker[i].peer != p)
			a->asker[n++] = a->asker[i];
	a->naskers = n;
	for (size_t i = 0; i < ADMIN_PEERS; i++)
		if (a->curious[i].peer == p)
			a->curious[i].peer = NULL;
	for (size_t i = n = 0; i < a->nreloaders; i++)
		if (a->reloader[i].peer != p)
			a->reloader[n++] = a->reloader[i];
	a->nreloaders = n;
}

static void
ask_status(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	struct admin *a = c->admin;

	(void)arg;
	if (a->naskers == ASKERS)
		admin_status(c);
	a->asker[a->naskers++] = (struct asker){ p, id, trusted };
	if (c->role[ROLE_STORE].ready)
		roles_send(c, ROLE_STORE, MSG_COUNT, 0, NULL, -1);
	else
		admin_status(c);
}

/* Answers with a line of words. */
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
ask_explain(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	struct admin *a = c->admin;
	struct buf b;
	size_t i = 0;

	(void)trusted;
	while (i < ADMIN_PEERS && a->curious[i].peer != NULL)
		i++;
	if (!c->known || i == ADMIN_PEERS) {
		tell_words(p, id, c->known ? "too many ask at once; ask again\n" :
		    "the store is not up; ask again\n");
		return;
	}
	a->curious[i] = (struct curious){ p, id, ++a->questions };
	buf_init(&b, msg_limit(MSG_EXPLAIN));
	wire_put_str(&b, arg != NULL ? arg : "");
	roles_send(c, ROLE_STORE, MSG_EXPLAIN, a->questions, &b, -1);
	buf_free(&b);
}

void
admin_explained(struct core *c, struct frame *f)
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
		q->peer = NULL;
	}
	buf_free(&b);
}

void
admin_store_gone(struct core *c)
{
	struct admin *a = c->admin;

	admin_status(c);
	for (size_t i = 0; a != NULL && i < ADMIN_PEERS; i++) {
		struct peer *p = a->curious[i].peer;

		a->curious[i].peer = NULL;
		if (p != NULL)
			tell_words(p, a->curious[i].id, "the store died of it, or meanwhile; its "
			    "log says why; ask again\n");
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

static void
ask_refresh(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	struct buf text;
	int rc;

	(void)trusted;
	buf_init(&text, 4096);
	rc = poll_now(c, arg != NULL ? arg : "", &text);
	tell(p, id, rc == 0 ? 0 : 1, &text);
	buf_free(&text);
}

static void
ask_resume(struct core *c, struct peer *p, uint32_t id, const char *arg, int trusted)
{
	struct buf text;
	int rc;

	(void)trusted;
	buf_init(&text, 1u << 20);
	rc = deliver_resume(c, arg != NULL ? arg : "", &text);
	tell(p, id, rc == 0 ? 0 : 1, &text);
	buf_free(&text);
}

static const struct {
	const char	*name;
	int		 trusted;	/* only from the operator */
	void		(*ask)(struct core *, struct peer *, uint32_t, const char *, int trusted);
} commands[] = {
	{ "status", 0, ask_status },
	{ "plugins", 1, ask_plugins },
	{ "reload", 1, ask_reload },
	{ "refresh", 1, ask_refresh },
	{ "resume", 1, ask_resume },
	{ "explain", 1, ask_explain },
};

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
				commands[i].ask(c, p, f->id, arg, trusted);
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
		poll_due(c);		/* whoever turned the clock wakes the loop this way */
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
	c->admin->peer[i] = peer_new(c->base, fd, on_peer, c);
}

void
admin_start(struct core *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;

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
	for (size_t i = 0; i < ADMIN_PEERS; i++)
		peer_free(c->admin->peer[i]);
	free(c->admin->path);
	free(c->admin);
	c->admin = NULL;
}
