/* Results that arrive outside of polls, from streams and visits: sent to store, and held until they
 * are on disk, over the deaths of store. */
#include "intake.h"
#include "base/mem.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/msg.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

struct entry {
	TAILQ_ENTRY(entry)	 entry;
	uint32_t		 id;
	int			 sent;		/* to the running store */
	struct buf		 frame;		/* MSG_COMMIT */
	int			 fd;		/* results; -1: none */
	intake_cb		*done;		/* NULL: nobody waits */
	void			*arg;
};
struct intake {
	TAILQ_HEAD(, entry)	 all;		/* in order of arrival */
	uint32_t		 last;
};

void
intake_init(struct core *c)
{
	c->intake = xcalloc(1, sizeof(*c->intake));
	TAILQ_INIT(&c->intake->all);
}

static void
entry_send(struct core *c, struct entry *e)
{
	e->sent = 1;
	roles_send(c, ROLE_STORE, MSG_COMMIT, e->id, &e->frame, e->fd);
}

/* Ids are never 0. */
static uint32_t
next_id(struct intake *in)
{
	if (++in->last == 0)
		in->last = 1;
	return in->last;
}

uint32_t
intake_put(struct core *c, const struct commit *cm, const struct mark *m, int fd, intake_cb *done,
    void *arg)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	e->id = next_id(c->intake);
	e->fd = fd;
	e->done = done;
	e->arg = arg;
	buf_init(&e->frame, msg_limit(MSG_COMMIT));
	wire_put(&e->frame, commit, cm);
	wire_put(&e->frame, mark, m);
	TAILQ_INSERT_TAIL(&c->intake->all, e, entry);
	if (c->known)
		entry_send(c, e);
	return e->id;
}

static struct entry *
entry_find(const struct core *c, uint32_t id)
{
	struct entry *e;

	TAILQ_FOREACH(e, &c->intake->all, entry)
		if (e->id == id)
			break;
	return e;
}

void
intake_forget(struct core *c, uint32_t id)
{
	struct entry *e = entry_find(c, id);

	if (e != NULL)
		e->done = NULL;
}

void
intake_committed(struct core *c, uint32_t id, const struct committed *cd)
{
	struct entry *e = entry_find(c, id);

	if (e == NULL)
		return;			/* sent to two store processes, committed by both */
	TAILQ_REMOVE(&c->intake->all, e, entry);
	if (e->done != NULL)
		e->done(c, cd, e->arg);
	if (e->fd != -1)
		close(e->fd);
	buf_free(&e->frame);
	free(e);
	core_idle(c);
}

void
intake_gone(struct core *c, enum role_id id)
{
	struct entry *e;

	TAILQ_FOREACH(e, &c->intake->all, entry)
		e->sent &= id != ROLE_STORE;
}

void
intake_ready(struct core *c)
{
	struct entry *e;

	TAILQ_FOREACH(e, &c->intake->all, entry)
		if (!e->sent)
			entry_send(c, e);
}

int
intake_busy(const struct core *c)
{
	return !TAILQ_EMPTY(&c->intake->all);
}
