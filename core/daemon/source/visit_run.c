/* A visit in its worker: the job, the results on their way to store, and the answer to the
 * visitor. */
#include "visit_run.h"
#include "forged.h"
#include "intake.h"
#include "quota.h"
#include "sources.h"
#include "visit.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "conf/setup_template.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/msg.h"

#include <courant/plugin.h>

#include <string.h>
#include <unistd.h>

#define RETRY_MAX	INT64_C(86400000)	/* ms: the longest Retry-After */

static void	on_frame(struct worker *, struct frame *, void *);
static void	on_death(struct worker *, const char *, void *);
static const struct worker_use visit_use = { on_frame, on_death };

static struct visit_ask
asked(const struct visit *v)
{
	struct visit_ask va;
	struct wire w;

	wire_init(&w, v->frame.data, v->frame.len);
	wire_get(&w, visit_ask, &va);
	if (wire_end(&w) == -1)
		fatal("a visit is malformed");
	return va;
}

void
visit_give(struct visit *v, const struct source *src, uint32_t grants, struct bytes state)
{
	struct visit_job vj = { .source = src->name, .url = src->url, .hash = src->hash,
		.now = date_now(), .state = state, .strip = src->strip };
	struct visit_ask va = asked(v);
	struct buf b, options;

	va.path += strlen(v->name);
	if (*va.path == '\0')
		va.path = "/";
	buf_init(&options, 2 * OPTION_SET_MAX);
	setup_source_granted(src, grants, &options);
	vj.options = (struct bytes){ options.len > 0 ? options.data : "", options.len };
	outlet_open(&v->out);
	buf_init(&b, msg_limit(MSG_W_VISIT));
	wire_put(&b, visit_job, &vj);
	wire_put(&b, visit_ask, &va);
	worker_job(v->seat->worker, &visit_use, v, v->name, MSG_W_VISIT, &b, v->out.fd[0],
	    v->body);
	worker_send(v->seat->worker, MSG_W_STORED, NULL, v->out.fd[1]);
	if (options.data != NULL)
		explicit_bzero(options.data, options.len);
	explicit_bzero(b.data, b.len);
	buf_free(&options);
	buf_free(&b);
}

/* ---- Frames of its worker ---- */

static void
on_stored(struct core *c, const struct committed *cd, void *arg)
{
	struct visit *v = arg;
	struct worker *w = v->seat->worker;
	uint32_t place = visit_place(c, v->name, strlen(v->name));

	v->batch = 0;
	log_debug("%s: of a visit, %u new, %u revised", v->name, cd->added, cd->revised);
	if (place != UINT32_MAX && c->runs[place].id == cd->source)
		c->runs[place].kept |= cd->kept & KEPT_STATE;
	if (place != UINT32_MAX)
		quota_count(c, place, cd, v->written);
	if (cd->bad || forged_count(cd, v->records, 1)) {
		forged_whole(c, place, cd);
		worker_kill(w, "what it wrote is malformed, or not what it told");
		return;
	}
	forged_take(c, place, cd);
	worker_answer(w, MSG_W_STORED, 0, NULL, outlet_next(&v->out));
}

static void
on_batch(struct visit *v, const struct stream_batch *sb)
{
	static const struct mark none;
	struct core *c = v->core;
	struct worker *w = v->seat->worker;
	uint32_t place = visit_place(c, v->name, strlen(v->name));
	const struct commit cm = { .source = v->seat->id, .when = date_now(),
		.url = place != UINT32_MAX ? c->setup->sources[place].url : "",
		.flags = COMMIT_ASIDE };
	const char *why = v->batch != 0 ? "it sent a batch before the last one was stored" :
	    "it told of more records than a batch has";
	int fd = v->batch != 0 || sb->records > STREAM_RECORDS ? -1 :
	    outlet_take(&v->out, sb->out, STREAM_OUT, &why);

	if (fd == -1) {
		worker_kill(w, why);
		return;
	}
	v->written = sb->out;
	v->records = sb->records;
	(void)worker_hold(w);		/* store's time is not the worker's */
	v->batch = intake_put(c, &cm, &none, fd, on_stored, v);
}

/* The answers to a visitor when the plugin fails; the reason goes to the log only. */
static const struct {
	uint32_t	 failed, status;
	const char	*text;
} failures[] = {
	{ CR_BAD_DATA, 400, "the request is not of the shape that is read here" },
	{ CR_DENIED, 403, "this is not allowed" },
	{ CR_GONE, 410, "there is nothing here any more" },
	{ FAILED_RETRY, 503, "not now; try again" },
};

static void
tell_failure(const struct visit *v, const struct visit_done *d)
{
	int64_t ms = d->retry < RETRY_MAX ? d->retry : RETRY_MAX;
	int64_t retry = d->failed == FAILED_RETRY && ms >= 0 ? (ms + 999) / 1000 : -1;
	struct buf why;
	size_t i;

	buf_init(&why, 4 * REASON_MAX);
	worker_text(&why, d->error != NULL ? d->error : "the plugin failed without saying why");
	log_warn("%s: a visit failed: %s", v->name, why.data);
	buf_free(&why);
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]) && d->status == 0; i++)
		if (failures[i].failed == d->failed) {
			visit_say(v->core, v->theirs, failures[i].status, retry, failures[i].text);
			return;
		}
	visit_say(v->core, v->theirs, 500, -1, "it cannot be answered");
}

static void
tell_answer(const struct visit *v, const struct visit_done *d, int fd)
{
	const struct visit_answer a = { .status = d->status != 0 ? d->status : 204, .type = d->type,
		.retry_after = -1, .len = d->len };

	visit_tell(v->core, v->theirs, &a, d->len > 0 ? fd : -1);
}

/* Whether a media type may stand in a header: printable ASCII; NULL: there is none. */
static int
type_fits(const char *type)
{
	size_t n = 0;

	while (type != NULL && type[n] >= ' ' && type[n] <= '~')
		n++;
	return type == NULL || (n <= VISIT_TYPE_MAX && type[n] == '\0');
}

/* The job is done: the worker is free for the next visit, unless it is of an earlier setup. */
static void
visited(struct visit *v, const struct visit_done *d)
{
	struct core *c = v->core;
	struct seat *seat = v->seat;
	struct worker *w = seat->worker;
	const char *why = v->batch != 0 ? "it answered before all was stored" :
	    "its answer's status or type is none that an answer has";
	int bad = v->batch != 0 || !type_fits(d->type) || (d->failed == 0 && d->status != 0 &&
	    (d->status < 200 || d->status > 599));
	int fd = bad ? -1 : outlet_take(&v->out, d->len, VISIT_ANSWER_MAX, &why);

	if (fd == -1) {
		worker_kill(w, why);
		return;
	}
	visit_count(v, d->failed != 0);
	if (!v->told && d->failed != 0)
		tell_failure(v, d);
	else if (!v->told)
		tell_answer(v, d, fd);
	close(fd);
	worker_free_job(w);
	if (seat->old && seat->worker != NULL)
		worker_stop(seat->worker);
	visit_free(v);
	visit_wake(c);
}

static void
on_frame(struct worker *w, struct frame *f, void *arg)
{
	struct visit *v = arg;
	struct stream_batch sb;
	struct visit_done d;

	if (f->type == MSG_W_BATCH) {
		if (wire_whole(f->data, f->len, stream_batch, &sb) == 0) {
			on_batch(v, &sb);
			return;
		}
	} else if (f->type == MSG_W_VISITED) {
		if (wire_whole(f->data, f->len, visit_done, &d) == 0) {
			visited(v, &d);
			return;
		}
	}
	worker_kill(w, "it sent a bad frame");
}

static void
on_death(struct worker *w, const char *why, void *arg)
{
	struct visit *v = arg;
	struct core *c = v->core;

	(void)w;
	(void)why;
	if (v->late)
		visit_refuse(v, 504, -1, "no answer came in time");
	else if (v->tries >= WORKER_TRIES || v->told || c->stopping)
		visit_refuse(v, 502, -1, "it cannot be answered: the plugin crashed");
	else {
		log_info("%s: the visit is tried once more in a fresh worker", v->name);
		visit_leave(v);
	}
	visit_wake(c);
}
