/* The host's stream job: a source plugin that produces records by its own means, as long as its
 * source exists. Its records and state go to core in batches over the channel, as those of a visit
 * do. Two memfds for results are filled in turn; while core has both, the plugin waits. */
#include "host_stream.h"
#include "host.h"
#include "host_record.h"
#include "host_slot.h"
#include "host_state.h"
#include "host_wait.h"
#include "html.h"
#include "base/buf.h"
#include "base/date.h"
#include "ipc/chan.h"
#include "ipc/msg.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define STREAM_FLUSH_MS	300		/* ms until wait() sends a batch that is not full */
#define STREAM_ALIVE_MS	1000		/* ms between two MSG_W_ALIVE, at least */
#define STREAM_LINES_MS	60000		/* ms in which the plugin may log HOST_LINES */

struct stream {
	int		 spare;			/* the other memfd for results; -1: core has it */
	int64_t		 first;			/* ticks of the oldest result not sent; 0: none */
	int64_t		 alive, lines;		/* ticks of the last MSG_W_ALIVE; when the count of
						 * log lines began */
	int		 told;			/* MSG_W_ALIVE was sent at least once */
	struct buf	 known;			/* state, as state_get() returns it */
	struct buf	 flying, stored;	/* state after the last batch sent; state on disk */
	int		 news;			/* stored is newer than known */
};
static struct stream st = { .spare = -1 };

static void
tell(uint16_t type, const struct buf *b)
{
	if (chan_send(host.chan, type, 0, b, -1, -1) == -1)
		_exit(1);		/* core is gone */
}

static void
copy(struct buf *to, const struct buf *from)
{
	buf_clear(to);
	buf_add(to, from->data, from->len);
}

/* The only place where the state of state_get() changes: its earlier results are borrowed until
 * now. */
static void
state_stored(void)
{
	if (st.news)
		copy(&st.known, &st.stored);
	st.news = 0;
	host.known = (struct bytes){ st.known.data, st.known.len };
}

/* host.other: takes a frame that is no answer to http(). */
static void
on_frame(struct frame *f)
{
	if (f->type == MSG_STOP)
		host.stop = 1;
	if (f->type != MSG_W_STORED || st.spare != -1)
		return;
	st.spare = f->fd[0];
	f->fd[0] = -1;
	copy(&st.stored, &st.flying);
	st.news = 1;
}

static void
receive(void)
{
	struct frame f;

	if (chan_recv(host.chan, &f, -1) != 1)
		_exit(1);
	on_frame(&f);
}

static int
something(void)
{
	return host.records > 0 || host.state.len > 0;
}

/* Sends the records and state so far as a batch, after the batch before it is on disk. */
static void
send_batch(void)
{
	struct stream_batch sb;
	struct buf b;

	if (!something())
		return;
	while (st.spare == -1)
		receive();
	host_state_write();
	if (out_flush() == -1)
		_exit(74);
	sb = (struct stream_batch){ .records = host.records, .refused = host.refused,
		.out = host.out.at };
	buf_init(&b, msg_limit(MSG_W_BATCH));
	wire_put(&b, stream_batch, &sb);
	tell(MSG_W_BATCH, &b);
	buf_free(&b);
	close(host.out.fd);
	out_open(st.spare, STREAM_OUT);
	st.spare = -1;
	copy(&st.flying, &host.ahead);
	buf_clear(&host.state);
	host.records = host.refused = 0;
	st.first = 0;
	if (host.replaced > 0)
		host_say("%llu invalid bytes or control characters replaced",
		    (unsigned long long)host.replaced);
	host.replaced = 0;
}

/* host.emitted: sends the batch when it is large enough. */
static void
on_emitted(void)
{
	host_unlend(NULL);
	if (st.first == 0)
		st.first = date_ticks();
	if (host.records >= STREAM_RECORDS || host.out.at + host.out.b.len >= STREAM_BYTES)
		send_batch();
}

/* ---- wait(), stored() ---- */

/* After a wait: sends MSG_W_ALIVE and restarts the count of log lines, when they are due. */
static void
slept(int64_t now)
{
	if (now - st.alive >= STREAM_ALIVE_MS) {
		tell(MSG_W_ALIVE, NULL);
		st.alive = now;
		st.told = 1;
	}
	if (now - st.lines >= STREAM_LINES_MS) {
		host.lines = 0;
		st.lines = now;
	}
}

/* How long to wait at most, ms; -1: without limit. */
static int
patience(int64_t now, int64_t until)
{
	int64_t ms = until == INT64_MAX ? INT64_MAX : until > now ? until - now : 0;

	if (st.first != 0 && st.spare != -1 && st.first + STREAM_FLUSH_MS - now < ms)
		ms = st.first + STREAM_FLUSH_MS > now ? st.first + STREAM_FLUSH_MS - now : 0;
	if (!st.told && ms > STREAM_ALIVE_MS)
		ms = STREAM_ALIVE_MS;
	return ms == INT64_MAX ? -1 : ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* Takes the frames that have arrived, without waiting. */
static void
take_frames(void)
{
	struct frame f;
	int rc;

	while ((rc = chan_recv(host.chan, &f, 0)) == 1)
		on_frame(&f);
	if (rc == -1)
		_exit(1);
}

/* Polls the channel and the plugin's file descriptor once. 1: the plugin's is readable. */
static int
poll_both(int fd, int64_t until)
{
	struct pollfd p[2] = { { .fd = chan_fd(host.chan), .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	int64_t before = date_ticks(), now;
	int rc;

	take_frames();			/* the channel may have read one that poll() cannot see */
	if (host.stop)
		return 0;
	rc = poll(p, 2, patience(before, until));
	now = date_ticks();
	if (now > before)
		slept(now);
	if (rc > 0 && p[0].revents != 0)
		take_frames();
	return rc > 0 && p[1].revents != 0;
}

static int
cr_wait(struct cr *cr, int fd, int64_t ms)
{
	int64_t now = date_ticks(), until = ms < 0 || ms > INT64_MAX - now ? INT64_MAX : now + ms;
	int ready;

	(void)cr;
	if (host.phase == PHASE_DELIVER)
		return host_wait(fd, ms);
	if (host.phase != PHASE_STREAM)
		return -1;
	host_unlend(NULL);
	if (host.state.len > 0 && st.first == 0)
		st.first = now;
	do {
		ready = !host.stop && poll_both(fd, until);
		now = date_ticks();
		if (st.first != 0 && st.spare != -1 && now - st.first >= STREAM_FLUSH_MS)
			send_batch();
	} while (!host.stop && !ready && now < until);
	state_stored();
	host.now = date_now();
	host.since = now;
	return host.stop ? -1 : ready;
}

void
host_stream_settle(void)
{
	while (st.spare == -1)
		receive();
}

static int
cr_stored(struct cr *cr)
{
	(void)cr;
	if ((host.phase & IN_BATCHES) == 0)
		return -1;
	send_batch();
	host_stream_settle();
	state_stored();
	return 0;
}

/* ---- The job ---- */

static void
state_init(struct buf *b, struct bytes state)
{
	buf_free(b);
	buf_init(b, 4 * HOST_STATE);
	buf_add(b, state.data, state.len);
}

void
host_stream_begin(struct bytes state, const char *url, int out, int spare)
{
	if (st.spare != -1)
		close(st.spare);
	st = (struct stream){ .spare = spare, .known = st.known, .flying = st.flying,
		.stored = st.stored, .alive = date_ticks(), .lines = date_ticks() };
	state_init(&st.known, state);
	state_init(&st.flying, state);	/* the same until a batch is sent */
	state_init(&st.stored, state);
	host_state_begin((struct bytes){ st.known.data, st.known.len });
	host.emitted = on_emitted;
	host.other = on_frame;
	host.records = host.refused = 0;
	buf_clear(&host.base);
	buf_str(&host.base, url);
	out_open(out, STREAM_OUT);
}

void
host_stream_end(void)
{
	while (host.nopen > 0)		/* made, but not emitted */
		host_record_drop(host.open[0]);
	host.emitted = NULL;
	host.other = NULL;
	send_batch();
}

void
host_stream(struct slot *s, const struct stream_job *job, int out, int spare,
    struct batch_done *done)
{
	int rc;

	*done = (struct batch_done){ .retry = -1 };
	host.html = job->strip != 0 ? HTML_STRIP_TRACKERS : 0;
	host_stream_begin(job->state, job->url, out, spare);
	if (slot_ready(s, job->options, job->hash) == 0) {
		host_enter(s, PHASE_STREAM);
		rc = s->plugin.stream(&host.cr, s->opts);
		if ((rc != 0 || host.failed != 0) && !host.stop)
			host_blame("stream");
		host_leave();
	}
	host_stream_end();
	done->failed = host.failed;
	done->error = host.failed != 0 ? host.error : NULL;
	done->retry = host.retry;
}

void
host_stream_table(struct cr *cr)
{
	cr->wait = cr_wait;
	cr->stored = cr_stored;
}
