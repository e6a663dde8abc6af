/* The answers to who asks for the daemon's status. */
#include "status_build.h"
#include "admin.h"
#include "status.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/disk.h"
#include "daemon/supervise/role.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/peer.h"

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASKERS		(ADMIN_PEERS * 2)	/* that wait for one answer */
#define SLICE_MS	5		/* of writing, in one turn of the loop */
#define PIECES		8		/* between two looks at the clock */
#define VISITORS_MS	1000		/* between two answers to visitors, at least, */
#define VISITORS_SHARE	20		/* and so many times what one takes to write */
#define INLINE_MAX	8192		/* bytes of an answer in the frame; more: a memfd */
#define FLUSH		(128u << 10)	/* bytes that are moved to the memfd at once */

struct asker {
	struct peer	*peer;
	uint32_t	 id;
};
struct askers {
	struct asker	 all[ASKERS];
	size_t		 n;
};

/* One for the operator, one for visitors. */
struct build {
	struct core	*core;
	int		 trusted;
	enum { IDLE, LATER, COUNTING, WRITING } state;	/* LATER: until visitors may ask again */
	struct askers	 now, next;	/* of the answer being made; of the one after it */
	uint32_t	 count;		/* id of MSG_COUNT */
	int64_t		 begun, took;	/* date_ticks(); ms of writing */
	struct event	*step;
	struct status_place place;
	struct buf	 text;		/* written, and not in fd */
	int		 fd;		/* -1: none yet */
	int		 failed;	/* no memory for fd */
};
struct status_build {
	struct build	 build[2];	/* by trusted */
	uint32_t	 counts;	/* MSG_COUNTs sent */
};

static void
step_in(struct build *b, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(b->step, &tv);
}

/* ---- Writing ---- */

static void
clear(struct build *b)
{
	buf_free(&b->text);
	buf_init(&b->text, SIZE_MAX / 4);
	if (b->fd != -1)
		close(b->fd);
	b->fd = -1;
	b->failed = 0;
	b->place = (struct status_place){ 0 };
}

static void
write_begin(struct build *b)
{
	b->state = WRITING;
	b->took = 0;
	clear(b);
	step_in(b, 0);
}

/* Moves what is written to the memfd. */
static void
flush(struct build *b)
{
	const char *at = b->text.data, *end = at + b->text.len;
	ssize_t n = 0;

	if (b->fd == -1)
		b->fd = memfd_new(NULL, 0);
	b->failed |= b->fd == -1;
	while (!b->failed && at < end) {
		n = write(b->fd, at, (size_t)(end - at));
		if (n == -1 && errno != EINTR)
			b->failed = 1;
		at += n > 0 ? n : 0;
	}
	if (b->failed)
		log_warn("the status finds no memory: %s", strerror(errno));
	buf_clear(&b->text);
}

static void
tell(struct build *b, const struct asker *to, uint32_t status, const char *text, int fd)
{
	struct buf out;

	(void)b;
	buf_init(&out, msg_limit(MSG_TOLD));
	wire_put_u32(&out, status);
	wire_put_str(&out, text);
	(void)peer_send(to->peer, MSG_TOLD, to->id, &out, fd, -1);
	buf_free(&out);
}

static void
write_end(struct build *b)
{
	const struct askers to = b->now;
	const char *text = NULL;
	uint32_t status = 0;

	if (b->fd == -1 && b->text.len <= INLINE_MAX)
		text = b->text.data;
	else {
		flush(b);
		b->failed |= b->fd == -1 || memfd_seal(b->fd) == -1;
	}
	if (b->failed) {
		status = 1;
		text = "the daemon found no memory for its answer; its log says why\n";
	}
	b->now.n = 0;
	for (size_t i = 0; i < to.n; i++)
		tell(b, &to.all[i], status, text, text == NULL ? b->fd : -1);
	clear(b);
	b->state = IDLE;
}

/* ---- The order of things ---- */

/* Begins the next answer, if somebody waits for one and it may begin. Store counts first: the
 * counts are those after the question, too. */
static void
begin(struct build *b)
{
	struct core *c = b->core;
	int64_t pause = b->took * VISITORS_SHARE, wait;

	if (b->next.n == 0 || b->state > LATER)
		return;
	pause = pause > VISITORS_MS ? pause : VISITORS_MS;
	wait = b->trusted || b->begun == 0 ? 0 : b->begun + pause - date_ticks();
	if (wait > 0) {
		b->state = LATER;
		step_in(b, wait);
		return;
	}
	b->now = b->next;
	b->next.n = 0;
	b->begun = date_ticks();
	b->state = COUNTING;
	b->count = ++c->status_build->counts;
	if (roles_get(c, ROLE_STORE)->ready && !disk_store_waits(c))
		roles_send(c, ROLE_STORE, MSG_COUNT, b->count, NULL, -1);
	else
		write_begin(b);
}

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	struct build *b = arg;
	const int64_t start = date_ticks();
	int more = 1;

	(void)fd;
	(void)what;
	while (b->state == WRITING && more && date_ticks() - start < SLICE_MS) {
		for (int i = 0; more && i < PIECES; i++)
			more = status_write(b->core, &b->text, b->trusted, &b->place);
		if (b->text.len > FLUSH)
			flush(b);
	}
	b->took += date_ticks() - start;
	if (b->state == WRITING && more)
		step_in(b, 0);
	else if (b->state == WRITING)
		write_end(b);
	if (b->state <= LATER)
		begin(b);
}

int
status_build_ask(struct core *c, struct peer *p, uint32_t id, int trusted)
{
	struct build *b = &c->status_build->build[trusted != 0];

	if (b->next.n == ASKERS)
		return -1;
	b->next.all[b->next.n++] = (struct asker){ p, id };
	if (b->state == IDLE)
		begin(b);
	return 0;
}

void
status_build_counted(struct core *c, const struct frame *f)
{
	for (struct build *b = c->status_build->build; b < c->status_build->build + 2; b++)
		if (b->state == COUNTING && b->count == f->id) {
			write_begin(b);
			on_step(-1, 0, b);	/* at once: what fits in a slice is as it was counted */
		}
}

void
status_build_uncounted(struct core *c)
{
	for (struct build *b = c->status_build->build; b < c->status_build->build + 2; b++)
		if (b->state == COUNTING)
			write_begin(b);
}

void
status_build_setup(struct core *c)
{
	if (c->status_build == NULL)
		return;
	for (struct build *b = c->status_build->build; b < c->status_build->build + 2; b++)
		if (b->state == WRITING)
			write_begin(b);
}

static void
forget(struct askers *a, const struct peer *p)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		if (a->all[i].peer != p)
			a->all[n++] = a->all[i];
	a->n = n;
}

void
status_build_forget(struct core *c, const struct peer *p)
{
	for (struct build *b = c->status_build->build; b < c->status_build->build + 2; b++) {
		forget(&b->now, p);
		forget(&b->next, p);
	}
}

void
status_build_init(struct core *c)
{
	c->status_build = xcalloc(1, sizeof(*c->status_build));
	for (int i = 0; i < 2; i++) {
		struct build *b = &c->status_build->build[i];

		*b = (struct build){ .core = c, .trusted = i, .fd = -1 };
		buf_init(&b->text, SIZE_MAX / 4);
		if ((b->step = evtimer_new(c->base, on_step, b)) == NULL)
			fatal("no timer for the status");
	}
}

void
status_build_free(struct core *c)
{
	if (c->status_build == NULL)
		return;
	for (struct build *b = c->status_build->build; b < c->status_build->build + 2; b++) {
		clear(b);
		event_free(b->step);
	}
	free(c->status_build);
	c->status_build = NULL;
}
