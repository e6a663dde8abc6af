/* The polls under way: the table of them, the lines before the workers, and how one ends. */
#include "job.h"
#include "date.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job *
job_new(struct core *c, uint32_t source)
{
	struct jobs *js = c->jobs;
	struct job *j;

	while (js->slot[js->next % SLOTS] != NULL)
		js->next++;
	j = xcalloc(1, sizeof(*j));
	j->core = c;
	j->source = source;
	j->hash = c->setup->sources[source].hash;
	j->id = (js->generation++ * SLOTS % UINT32_C(0x80000000)) | (js->next % SLOTS);
	j->body = j->out = -1;
	j->outcome.retry_after = j->outcome.max_age = -1;
	buf_init(&j->page, msg_limit(MSG_COMMITTED) + 1);
	buf_init(&j->kept, msg_limit(MSG_RECALLED) + 1);
	buf_init(&j->answer, msg_limit(MSG_FETCHED) + 1);
	js->slot[js->next++ % SLOTS] = j;
	js->n++;
	c->runs[source].job = j;
	return j;
}

struct job *
job_find(struct core *c, uint32_t id)
{
	struct job *j = c->jobs->slot[id % SLOTS];

	return j != NULL && j->id == id ? j : NULL;
}

void
job_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

void
job_queue(struct job *j)
{
	struct jobs *js = j->core->jobs;
	const struct mark *m = &j->core->runs[j->source].mark;

	j->state = JOB_QUEUED;
	j->line = j->tries > 0 ? LINE_AGAIN : m->ok > 0 && m->failures == 0 ? LINE_GOOD :
	    LINE_OTHER;
	STAILQ_INSERT_TAIL(&js->line[j->line], j, queued);
	js->nqueued++;
	js->bytes += j->bytes;
}

void
job_unqueue(struct job *j, enum job_state state)
{
	struct jobs *js = j->core->jobs;

	STAILQ_REMOVE(&js->line[j->line], j, job, queued);
	js->nqueued--;
	js->bytes -= j->bytes;
	j->state = state;
}

void
job_free(struct job *j)
{
	struct core *c = j->core;
	struct mark *m;

	if (j->state == JOB_QUEUED)
		job_unqueue(j, JOB_FETCH);
	if (j->source != UINT32_MAX)
		c->runs[j->source].job = NULL;
	c->jobs->slot[j->id % SLOTS] = NULL;
	c->jobs->n--;
	job_close(&j->body);
	job_close(&j->out);
	buf_free(&j->page);
	buf_free(&j->kept);
	buf_free(&j->answer);
	free(j->error);
	free(j->gap);
	free(j->etag);
	free(j->modified);
	free(j->validated);
	if (j->source != UINT32_MAX) {
		m = &c->runs[j->source].mark;
		if (j->again)
			m->due = m->not_before > date_now() ? m->not_before : date_now();
		run_due(c, j->source);
	}
	free(j);
}

void
job_place(struct job *j, uint32_t place)
{
	j->source = place;
}

const struct source *
job_source(const struct job *j)
{
	return &j->core->setup->sources[j->source];
}

struct run *
job_run(const struct job *j)
{
	return &j->core->runs[j->source];
}

struct fetch_done
job_answer(const struct job *j)
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
job_page(const struct job *j)
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

/* DESIGN law 10. */
int
job_current(const struct job *j)
{
	return j->source != UINT32_MAX && job_source(j)->hash == j->hash;
}

void
job_changed(struct job *j)
{
	job_run(j)->changed = 0;
	mark_unproven(&job_run(j)->mark);
}

struct mark
job_mark(struct job *j, int64_t now)
{
	const struct source *s = job_source(j);
	const struct schedule_rule rule = { s->every_min, s->every_max };
	struct mark m = job_run(j)->mark;

	if (j->moved != now)		/* the same again for the same time */
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
job_move(struct job *j, int64_t now)
{
	struct mark m = job_mark(j, now);

	mark_take(&job_run(j)->mark, &m);
	job_run(j)->partial = (uint32_t)j->partial;
	job_run(j)->refused = j->refused;
}

void
job_end(struct job *j, int kind, const char *error)
{
	struct core *c = j->core;

	if (j->source == UINT32_MAX) {
		job_free(j);
		return;
	}
	if (!job_current(j)) {
		kind = OUTCOME_DROPPED;
		error = NULL;
		job_changed(j);
	}
	j->outcome.kind = kind;
	xreplace(&j->error, error);
	job_move(j, date_now());
	if (error != NULL)
		log_warn("%s: %s", c->setup->sources[j->source].name, error);
	if (kind == OUTCOME_SAME)
		c->same++;
	else if (kind != OUTCOME_DROPPED)
		c->failed++;
	run_touch(c, j->source);
	job_free(j);
	poll_due(c);
}
