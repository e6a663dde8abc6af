/* Requests for the daemon's status: they wait for core's answer (JSON), and share it for a while. */
#include "status_wait.h"
#include "reply.h"
#include "serve.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/msg.h"
#include "ipc/peer.h"

#include <event2/event.h>
#include <event2/http.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAITING_MAX	256		/* requests that wait at once */
#define ASK_MS		5000		/* for core to answer */
#define SHARE_MS	1000		/* for which an answer is good */

/* Core is asked once for all requests that arrive before its answer, and not again while that is
 * good. */
struct waiting {
	struct serve		*serve;
	struct evhttp_request	*req[WAITING_MAX];
	size_t			 n;
	uint32_t		 id;		/* of the last MSG_ASK */
	struct event		*timer;
	struct shared		*last;		/* NULL: core has to be asked */
	struct event		*stale;		/* drops last */
};

/* Removes and returns all waiting requests, so that none is answered twice. */
static size_t
waiting_take(struct waiting *w, struct evhttp_request *req[WAITING_MAX])
{
	size_t n = w->n, i;

	for (i = 0; i < n; i++)
		req[i] = w->req[i];
	w->n = 0;
	evtimer_del(w->timer);
	return n;
}

static void
on_no_status(evutil_socket_t fd, short what, void *arg)
{
	struct waiting *w = arg;
	struct evhttp_request *req[WAITING_MAX];
	size_t n = waiting_take(w, req), i;

	(void)fd;
	(void)what;
	for (i = 0; i < n; i++)
		reply_error(w->serve, req[i], 504, "the daemon does not tell its status");
}

static void
on_stale(evutil_socket_t fd, short what, void *arg)
{
	struct waiting *w = arg;

	(void)fd;
	(void)what;
	shared_free(w->last);
	w->last = NULL;
}

void
status_wait_open(struct serve *s)
{
	struct waiting *w = s->waiting = xcalloc(1, sizeof(*w));

	w->serve = s;
	w->timer = evtimer_new(s->base, on_no_status, w);
	w->stale = evtimer_new(s->base, on_stale, w);
	if (w->timer == NULL || w->stale == NULL)
		fatal("no timer");
}

void
status_wait_close(struct serve *s)
{
	event_free(s->waiting->timer);
	event_free(s->waiting->stale);
	shared_free(s->waiting->last);
	free(s->waiting);
}

/* Asks core for the status and starts the timer. -1: the message cannot be sent. */
static int
ask(struct serve *s)
{
	const struct timeval patience = { .tv_sec = ASK_MS / 1000 };
	struct buf b;
	int rc;

	buf_init(&b, msg_limit(MSG_ASK));
	wire_put_str(&b, "status");
	wire_put_str(&b, NULL);
	rc = peer_send(s->peer, MSG_ASK, ++s->waiting->id, &b, -1, -1);
	buf_free(&b);
	evtimer_add(s->waiting->timer, &patience);
	return rc;
}

static void
answer(struct evhttp_request *req, struct shared *status)
{
	reply_common(req);
	reply_header(req, "Content-Type", "application/json");
	reply_header(req, "Cache-Control", "no-cache");
	reply_shared(req, status);
}

void
status_wait_answer(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct waiting *w = s->waiting;

	(void)path;
	if (w->last != NULL) {
		answer(req, w->last);
		return;
	}
	if (w->n == WAITING_MAX) {
		reply_error(s, req, 503, "too many are asking; try again");
		return;
	}
	if (w->n == 0 && ask(s) == -1) {
		evtimer_del(w->timer);
		reply_error(s, req, 504, "the daemon cannot be asked for its status");
		return;
	}
	w->req[w->n++] = req;
}

/* Reads a file descriptor's bytes into b. -1 with errno. */
static int
read_fd(int fd, struct buf *b)
{
	struct stat st;
	char *room;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -1;
	while (b->len < (size_t)st.st_size) {
		if ((room = buf_room(b, (size_t)st.st_size - b->len)) == NULL) {
			errno = EFBIG;
			return -1;
		}
		n = pread(fd, room, (size_t)st.st_size - b->len, (off_t)b->len);
		if (n <= 0)
			return -1;
		b->len += (size_t)n;
	}
	return 0;
}

/* Reads core's answer into b. -1: malformed, unreadable, or an error of core. */
static int
status_read(const struct frame *f, struct buf *b)
{
	struct wire w;
	const char *text;
	uint32_t status;

	wire_init(&w, f->data, f->len);
	status = wire_u32(&w);
	text = wire_str(&w);
	if (wire_end(&w) == -1) {
		log_warn("core told something malformed");
		return -1;
	}
	if (f->fd[0] != -1) {
		if (read_fd(f->fd[0], b) == -1) {
			log_warn("the status cannot be read: %s", strerror(errno));
			return -1;
		}
	} else
		buf_str(b, text);
	return status == 0 ? 0 : -1;
}

void
status_wait_answered(struct serve *s, const struct frame *f)
{
	static const struct timeval good = { SHARE_MS / 1000, SHARE_MS % 1000 * 1000 };
	struct waiting *w = s->waiting;
	struct evhttp_request *req[WAITING_MAX];
	struct buf b;
	size_t n, i;
	int rc;

	if (f->id != w->id || w->n == 0)
		return;		/* the answer to an earlier question, too late */
	buf_init(&b, SERVE_ANSWER_MAX);
	rc = status_read(f, &b);
	n = waiting_take(w, req);
	if (rc == 0) {
		on_stale(-1, 0, w);
		w->last = shared_new(s, &b);
		evtimer_add(w->stale, &good);
	}
	for (i = 0; i < n; i++)
		if (rc == 0)
			answer(req[i], w->last);
		else
			reply_error(s, req[i], 503, "the daemon does not tell its status");
	buf_free(&b);
}
