/* The role index: keeps index.db behind the log of the database, which it reads alone, and answers what
 * is searched for. */
#include "indexer.h"
#include "search.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/confine.h"
#include "ipc/landlock.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/peer.h"
#include "ipc/roles.h"

#include <event2/event.h>

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNEL		3
#define HEAD_MS		5		/* after a new head, for more of it to come */
#define WAIT_MS		1000		/* between two tries while the disk is full */
#define LOOK_MS		60000		/* between two looks whether the file is still there */
#define INLINE_MAX	8192		/* bytes of an answer in the frame; more: a memfd */
#define ANSWER_MAX	(64u << 20)

struct index {
	struct event_base	*base;
	struct peer		*peer;
	struct event		*step;
	struct indexer		*indexer;
	char			*folder;	/* of index.db */
	struct indexed		 told;		/* to core, last */
	char			*why;		/* of it */
};

static void
step_in(struct index *x, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(x->step, &tv);
}

/* Tells core how far the index is, where that has changed. */
static void
indexed_tell(struct index *x)
{
	const struct indexer *i = x->indexer;
	struct indexer_at at;
	struct indexed now = { 0 };
	struct buf b;

	(void)indexer_file(x->indexer, &at);
	now.n = at.n;
	now.docs = at.docs;
	now.building = i->next != NULL || i->now == NULL;
	now.waits = (uint32_t)i->waits;
	now.why = i->why[0] != '\0' ? i->why : NULL;
	if (now.n == x->told.n && now.docs == x->told.docs && now.building == x->told.building &&
	    now.waits == x->told.waits && strcmp(i->why, x->why != NULL ? x->why : "") == 0)
		return;
	xreplace(&x->why, i->why);
	x->told = now;
	buf_init(&b, msg_limit(MSG_INDEXED));
	wire_put(&b, indexed, &now);
	(void)peer_send(x->peer, MSG_INDEXED, 0, &b, -1, -1);
	buf_free(&b);
}

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	struct index *x = arg;
	const enum indexer_step step = indexer_step(x->indexer);

	(void)fd;
	(void)what;
	indexed_tell(x);
	if (step == INDEXER_WAIT && access(x->folder, F_OK) == -1 && errno == ENOENT) {
		log_warn("%s: its folder is gone: this role starts again, which makes it", x->folder);
		event_base_loopbreak(x->base);
	}
	step_in(x, step == INDEXER_MORE ? 0 : step == INDEXER_WAIT ? WAIT_MS : LOOK_MS);
}

/* ---- Messages ---- */

/* The database is read in its folder; the index has one of its own, which alone can be written. */
static void
index_confine(const struct index_start *start)
{
	char *folder = xstrdup(start->database);
	const struct confine_path paths[] = { { dirname(folder), LAND_READ }, { start->folder, LAND_OWN } };

	confine(ROLE_INDEX, paths, sizeof(paths) / sizeof(paths[0]));
	free(folder);
}

static void
on_start(struct index *x, const struct frame *f)
{
	struct index_start start;

	if (wire_whole(f->data, f->len, index_start, &start) == -1 || start.database == NULL ||
	    start.folder == NULL || x->indexer != NULL)
		fatal("core's %s is malformed", msg_name(f->type));
	x->indexer = indexer_new(start.folder, start.database);
	x->folder = xstrdup(start.folder);
	index_confine(&start);
	(void)peer_send(x->peer, MSG_READY, 0, NULL, -1, -1);
	step_in(x, 0);
}

static void
answer_send(struct index *x, uint32_t id, int status, const struct buf *text)
{
	const char *s = text->data != NULL ? text->data : "";
	struct buf b;
	int fd = -1;

	if (text->over || (text->len > INLINE_MAX && ((fd = memfd_new(s, text->len)) == -1 ||
	    memfd_seal(fd) == -1))) {
		log_warn("an answer of %zu bytes: %s", text->len, strerror(errno));
		status = 1;
		s = "the index found no memory for its answer\n";
	}
	buf_init(&b, msg_limit(MSG_ANSWER));
	wire_put_u32(&b, (uint32_t)status);
	wire_put_str(&b, status == 0 && fd != -1 ? NULL : s);
	(void)peer_send(x->peer, MSG_ANSWER, id, &b, status == 0 ? fd : -1, -1);
	if (fd != -1)
		close(fd);
	buf_free(&b);
}

static void
on_question(struct index *x, const struct frame *f)
{
	const char *command, *arg;
	struct buf out;
	struct wire w;
	int status;

	wire_init(&w, f->data, f->len);
	command = wire_str(&w);
	arg = wire_str(&w);
	if (wire_end(&w) == -1 || command == NULL || arg == NULL || x->indexer == NULL)
		fatal("core's %s is malformed", msg_name(f->type));
	buf_init(&out, ANSWER_MAX);
	status = search_answer(x->indexer, command, arg, &out);
	answer_send(x, f->id, status, &out);
	buf_free(&out);
	if (x->indexer->now == NULL && x->indexer->next == NULL)
		step_in(x, 0);			/* the file was damaged, or is gone */
}

static void
on_frame(struct peer *p, struct frame *f, int bad, void *arg)
{
	struct index *x = arg;

	(void)p;
	if (f == NULL) {
		if (bad)
			log_warn("core sent a bad frame");
		event_base_loopbreak(x->base);
	} else if (f->type == MSG_INDEX_START)
		on_start(x, f);
	else if (f->type == MSG_HEAD && x->indexer != NULL) {
		if (!x->indexer->waits)
			step_in(x, HEAD_MS);
	} else if (f->type == MSG_QUESTION)
		on_question(x, f);
	else if (f->type == MSG_STOP)
		event_base_loopbreak(x->base);
	else
		log_warn("core sent a %s, which is not for index", msg_name(f->type));
}

int
index_main(int debug)
{
	struct index x = { .base = event_base_new(), .told = { .n = -1 } };

	log_open("index", debug);
	signal(SIGPIPE, SIG_IGN);
	if (x.base == NULL || (x.step = evtimer_new(x.base, on_step, &x)) == NULL)
		fatal("no event loop");
	x.peer = peer_new(x.base, CHANNEL, on_frame, &x);
	if (event_base_dispatch(x.base) == -1)
		fatal("the event loop failed");
	indexer_free(x.indexer);
	free(x.why);
	free(x.folder);
	peer_free(x.peer);
	event_free(x.step);
	event_base_free(x.base);
	return 0;
}
