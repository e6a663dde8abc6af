/* The polls under way: their table, the lines before the workers, and how a poll ends. */
#include "poll.h"
#include "due.h"
#include "lanes.h"
#include "schedule.h"
#include "sources.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "catalog/plugin.h"
#include "conf/setup_secret.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct poll *
poll_new(struct core *c, uint32_t source)
{
	struct polls *js = c->polls;
	struct poll *j;

	while (js->slot[js->next % POLL_SLOTS] != NULL)
		js->next++;
	j = xcalloc(1, sizeof(*j));
	j->core = c;
	j->source = source;
	j->hash = c->setup->sources[source].hash;
	j->id = (js->generation++ * POLL_SLOTS % UINT32_C(0x80000000)) | (js->next % POLL_SLOTS);
	j->body = j->out = -1;
	j->outcome.retry_after = j->outcome.max_age = -1;
	buf_init(&j->page, msg_limit(MSG_COMMITTED) + 1);
	buf_init(&j->kept, msg_limit(MSG_RECALLED) + 1);
	buf_init(&j->answer, msg_limit(MSG_FETCHED) + 1);
	js->slot[js->next++ % POLL_SLOTS] = j;
	js->n++;
	lane_join(j);
	c->runs[source].poll = j;
	c->runs[source].at = &j->source;
	return j;
}

struct poll *
poll_find(struct core *c, uint32_t id)
{
	struct poll *j = c->polls->slot[id % POLL_SLOTS];

	return j != NULL && j->id == id ? j : NULL;
}

void
poll_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

void
poll_enqueue(struct poll *j)
{
	struct polls *js = j->core->polls;
	const struct run *r = &j->core->runs[j->source];

	j->state = POLL_IS_QUEUED;
	j->line = j->tries > 0 ? LINE_AGAIN : r->slow > 0 ? LINE_SLOW :
	    r->mark.ok > 0 && r->mark.failures == 0 ? LINE_GOOD : LINE_OTHER;
	lane_queue(j);
	js->nqueued++;
	js->bytes += j->bytes;
}

void
poll_dequeue(struct poll *j, enum poll_state state)
{
	struct polls *js = j->core->polls;

	lane_unqueue(j);
	js->nqueued--;
	js->bytes -= j->bytes;
	j->state = state;
}

void
poll_free(struct poll *j)
{
	struct core *c = j->core;
	struct mark *m;

	if (j->state == POLL_IS_QUEUED)
		poll_dequeue(j, POLL_IS_FETCH);
	lane_leave(j);
	c->polls->slot[j->id % POLL_SLOTS] = NULL;
	c->polls->n--;
	poll_close(&j->body);
	poll_close(&j->out);
	buf_free(&j->page);
	buf_free(&j->kept);
	buf_free(&j->answer);
	free(j->error);
	free(j->gap);
	free(j->etag);
	free(j->modified);
	free(j->validated);
	if (j->source != UINT32_MAX) {
		c->runs[j->source].poll = NULL;
		c->runs[j->source].at = NULL;
		m = &c->runs[j->source].mark;
		if (j->again)
			m->due = m->not_before > date_now() ? m->not_before : date_now();
		run_due(c, j->source);
	}
	free(j);
}

const struct source *
poll_source(const struct poll *j)
{
	return &j->core->setup->sources[j->source];
}

struct run *
poll_run(const struct poll *j)
{
	return &j->core->runs[j->source];
}

struct fetch_done
poll_answer(const struct poll *j)
{
	struct fetch_done d;
	struct wire w;

	wire_init(&w, j->answer.data, j->answer.len);
	wire_get(&w, fetch_done, &d);
	if (wire_end(&w) == -1)
		fatal("an answer of fetch is malformed");
	return d;
}

struct owed_page
poll_page(const struct poll *j)
{
	struct owed_page o = { 0 };
	struct wire w;

	if (j->page.len == 0)
		return o;
	wire_init(&w, j->page.data, j->page.len);
	wire_get(&w, owed_page, &o);
	if (wire_end(&w) == -1 || o.url == NULL)
		fatal("a page owed is malformed");
	return o;
}

int
poll_current(const struct poll *j)
{
	return j->source != UINT32_MAX && poll_source(j)->hash == j->hash;
}

void
poll_changed(struct poll *j)
{
	poll_run(j)->changed = 0;
	mark_unproven(&poll_run(j)->mark);
}

struct mark
poll_mark(struct poll *j, int64_t now)
{
	const struct source *s = poll_source(j);
	const struct schedule_rule rule = { s->every_min, s->every_max };
	struct mark m = poll_run(j)->mark;

	if (j->moved != now)		/* the same jitter for the same time */
		j->outcome.random = run_chance();
	j->moved = now;
	j->outcome.error = j->error;
	schedule_move(&m, &rule, &j->outcome, now);
	m.error = j->error;
	if (j->outcome.kind == OUTCOME_NEW || j->outcome.kind == OUTCOME_SAME) {
		m.etag = j->etag;
		m.modified = j->modified;
		m.validated = j->validated;
	}
	return m;
}

void
poll_move(struct poll *j, int64_t now)
{
	struct mark m = poll_mark(j, now);

	mark_take(&poll_run(j)->mark, &m);
	poll_run(j)->partial = (uint32_t)j->partial;
	poll_run(j)->refused = j->refused;
}

void
poll_end(struct poll *j, int kind, const char *error)
{
	struct core *c = j->core;

	if (j->source == UINT32_MAX) {
		poll_free(j);
		return;
	}
	if (!poll_current(j)) {
		kind = OUTCOME_DROPPED;
		error = NULL;
		poll_changed(j);
	}
	j->outcome.kind = kind;
	xreplace(&j->error, error);
	poll_move(j, date_now());
	if (error != NULL)
		log_warn("%s: %s", c->setup->sources[j->source].name, error);
	if (kind == OUTCOME_SAME)
		c->polls->same++;
	else if (kind != OUTCOME_DROPPED)
		c->polls->failed++;
	run_touch(c, j->source);
	poll_free(j);
	due_wake(c);			/* there is room for another poll */
}

/* ---- From step to step ---- */

void
poll_next(struct poll *j, enum poll_step step)
{
	j->core->polls->steps->begin[step](j);
}

/* Begins with the owed page, with the plugin's plan, or with the source's url. */
void
poll_go(struct poll *j)
{
	j->plan = j->page.len == 0 && (poll_source(j)->instance->plugin->does & DOES_PLAN) != 0;
	poll_next(j, j->plan ? POLL_PARSE : POLL_FETCH);
}

void
poll_page_name(const struct poll *j, struct buf *b)
{
	const struct owed_page o = poll_page(j);

	secret_shown(o.page != 0 ? o.url : poll_source(j)->url, b);
}

/* Whether the answer says that the page will never exist. */
static int
is_never(const struct poll *j)
{
	struct fetch_done d;

	if (j->answer.len == 0)
		return 0;
	d = poll_answer(j);
	return d.why == FETCH_STATUS && (d.status == 404 || d.status == 410);
}

/* Whether a failure is one of the page, and not a request to ask later. */
static int
says_of_page(int kind)
{
	return kind == OUTCOME_ERROR || kind == OUTCOME_PARKED || kind == OUTCOME_GONE;
}

int
poll_failure(const struct poll *j, int kind)
{
	const struct owed_page o = poll_page(j);

	if (!says_of_page(kind))
		return COMMIT_FAILED;
	return o.failures + 1 < PAGE_TRIES ? COMMIT_FAILED | COMMIT_COUNTS : COMMIT_NEVER;
}

void
poll_failed(struct poll *j, int kind, const char *error)
{
	const struct owed_page o = poll_page(j);
	struct buf text;

	if (o.page == 0 || j->source == UINT32_MAX || !poll_current(j) || !j->core->known) {
		poll_end(j, o.page == 0 ? kind : OUTCOME_DROPPED, error);
		return;
	}
	buf_init(&text, 4 * URL_MAX);
	poll_page_name(j, &text);
	buf_str(&text, ": ");
	buf_str(&text, error != NULL ? error : "nothing came");
	if (kind == OUTCOME_SLOW && j->outcome.retry_after >= 0)
		kind = OUTCOME_RETRY;	/* the poll goes on after Retry-After */
	if (kind == PAGE_REFUSED || is_never(j))
		j->core->polls->steps->failure(j, OUTCOME_ERROR, text.data, COMMIT_NEVER);
	else
		j->core->polls->steps->failure(j, kind, text.data, poll_failure(j, kind));
	buf_free(&text);
}
