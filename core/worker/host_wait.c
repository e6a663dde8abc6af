/* wait() of a sink: deliver() waits for a command that it runs, or until it may send again. Core is
 * told how long that may be, since the deadline of the job does not count meanwhile. */
#include "host_wait.h"
#include "host.h"
#include "host_done.h"
#include "base/buf.h"
#include "base/date.h"
#include "ipc/chan.h"
#include "ipc/msg.h"

#include <poll.h>
#include <unistd.h>

#define ASK_MIN	INT64_C(10000)		/* ms that core is asked for at least: short waits share one
					 * frame */

/* Has core put off the deadline until then, as far as it has not. */
static void
ask(int64_t now, int64_t until)
{
	static int64_t granted;		/* ticks */
	struct buf b;
	int64_t ms;

	if (until <= granted)
		return;
	ms = until - now > ASK_MIN ? until - now : ASK_MIN;
	granted = now + ms;
	buf_init(&b, msg_limit(MSG_W_WAIT));
	wire_put_i64(&b, ms);
	if (chan_send(host.chan, MSG_W_WAIT, 0, &b, -1, -1) == -1)
		_exit(1);		/* core is gone */
	buf_free(&b);
}

/* Takes the frames that have arrived; of them, only the one that stops the worker counts: answers
 * are late ones to an earlier http(). */
static void
take_frames(void)
{
	struct frame f;
	int rc;

	while ((rc = chan_recv(host.chan, &f, 0)) == 1)
		host.stop |= f.type == MSG_STOP;
	if (rc == -1)
		_exit(1);
}

/* Polls once, for an hour at most. 1: fd is readable. */
static int
poll_once(int fd, int64_t now, int64_t until)
{
	struct pollfd p[2] = { { .fd = chan_fd(host.chan), .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	int64_t ms = until - now < WAIT_MAX ? until - now : WAIT_MAX;
	int due = host_done_due();

	ask(now, now + ms);
	if (poll(p, 2, due != -1 && due < ms ? due : (int)ms) <= 0) {
		host_done_tell();
		return 0;
	}
	if (p[0].revents != 0)
		take_frames();
	return p[1].revents != 0;
}

int
host_wait(int fd, int64_t ms)
{
	int64_t now = date_ticks(), until = ms < 0 || ms > INT64_MAX - now ? INT64_MAX : now + ms;
	int ready = 0;

	take_frames();			/* the channel may have read one that poll() cannot see */
	do {
		ready = !host.stop && poll_once(fd, now, until);
		now = date_ticks();
	} while (!host.stop && !ready && now < until);
	host.now = date_now();
	host.since = now;
	return host.stop ? -1 : ready;
}

int
host_answer_next(struct frame *f, uint16_t type, uint32_t first, size_t n)
{
	int rc;

	while (!host.stop) {
		if ((rc = chan_recv(host.chan, f, host_done_due())) == -1)
			_exit(1);
		if (rc == 0)
			host_done_tell();
		else if (f->type == MSG_STOP)
			host.stop = 1;
		else if (f->type == type && f->id - first < n)
			return 1;
		else if (host.other != NULL)	/* may be a late answer to an earlier request */
			host.other(f);
	}
	return 0;
}
