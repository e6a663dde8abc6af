/* What store makes of a poll: what it kept for the source, the commit of each page, the next one owed.
 */
#include "job.h"
#include "date.h"
#include "due.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- Before a poll ---- */

void
commit_recall(struct job *j)
{
	const struct recall q = { .source = job_run(j)->id, .hash = j->hash };
	struct buf b;

	j->state = JOB_RECALL;
	buf_init(&b, msg_limit(MSG_RECALL));
	wire_put(&b, recall, &q);
	roles_send(j->core, ROLE_STORE, MSG_RECALL, j->id, &b, -1);
	buf_free(&b);
}

/* The page owed that a frame of store's goes on with. */
static void
page_take(struct job *j, struct wire *w)
{
	struct owed_page o;

	wire_get(w, owed_page, &o);
	buf_clear(&j->page);
	wire_put(&j->page, owed_page, &o);
	j->plan = 0;
	j->tries = 0;
}

void
poll_recalled(struct core *c, struct frame *f)
{
	struct job *j = job_find(c, f->id);
	struct recalled r;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, recalled, &r);
	if (j == NULL || j->state != JOB_RECALL)
		return;
	if ((r.kept & KEPT_OWED) != 0)
		page_take(j, &w);
	if (wire_end(&w) == -1)
		fatal("store's RECALLED is malformed");
	if (!job_current(j)) {
		job_end(j, OUTCOME_DROPPED, NULL);
		return;
	}
	job_run(j)->kept = r.kept;
	buf_add(&j->kept, r.state.data, r.state.len);
	xreplace(&j->gap, r.gap);
	xreplace(&j->etag, r.etag);
	xreplace(&j->modified, r.modified);
	xreplace(&j->validated, r.validated);
	poll_go(j);
}

/* ---- A page ---- */

/* Sends the commit, with the mark as it stands if the poll ends with it. */
static void
commit_send(struct job *j, uint32_t flags, const char *gap)
{
	struct core *c = j->core;
	const struct source *s = job_source(j);
	const struct owed_page o = job_page(j);
	const struct commit cm = { .source = job_run(j)->id, .flags = COMMIT_LAST | flags,
		.when = date_now(), .url = s->url, .page = o.page, .nth = o.nth, .pages = s->pages,
		.hash = j->hash, .gap = gap };
	struct mark m = job_mark(j, cm.when);
	struct buf b;

	buf_init(&b, msg_limit(MSG_COMMIT));
	wire_put(&b, commit, &cm);
	wire_put(&b, mark, &m);
	j->state = JOB_COMMIT;
	log_debug("%s: job %u commits", s->name, j->id);
	roles_send(c, ROLE_STORE, MSG_COMMIT, j->id, &b, j->out);
	buf_free(&b);
	buf_clear(&j->answer);
	job_close(&j->body);
	job_close(&j->out);
}

/* A page was given up: the poll goes on without it, and has failed in the end. */
static void
take_gap(struct job *j, const char *why)
{
	if (j->gap == NULL)
		j->gap = xasprintf("given up: %s", why);
	log_warn("%s: given up: %s", job_source(j)->name, why);
}

/* Of a page that was asked for, people want to know which one failed. */
static void
name_error(struct job *j)
{
	struct buf b;

	buf_init(&b, 1u << 16);
	page_name(j, &b);
	buf_fmt(&b, ": %s", j->error != NULL ? j->error : "failed");
	xreplace(&j->error, b.data);
	buf_free(&b);
}

void
commit_page(struct job *j)
{
	int kind = j->outcome.kind, page = job_page(j).page != 0;
	uint32_t flags = j->plan ? COMMIT_PLAN : 0;

	if (kind != OUTCOME_SAME)
		flags |= page ? (uint32_t)page_failure(j, kind) : COMMIT_FAILED;
	if (kind != OUTCOME_SAME && page)
		name_error(j);
	if (j->partial) {
		xreplace(&j->etag, NULL);
		xreplace(&j->modified, NULL);
		xreplace(&j->validated, NULL);
	}
	if ((flags & COMMIT_NEVER) != 0) {
		take_gap(j, j->error);
		j->outcome.kind = OUTCOME_ERROR;
	} else if (j->error != NULL) {
		log_warn("%s: %s", job_source(j)->name, j->error);
	}
	if (j->gap != NULL && (flags & COMMIT_FAILED) == 0) {
		j->outcome.kind = OUTCOME_ERROR;
		xreplace(&j->error, j->gap);
	}
	commit_send(j, flags, j->gap);
}

void
commit_failure(struct job *j, int kind, const char *error, int flags)
{
	j->outcome.kind = kind;
	j->records = 0;
	job_close(&j->out);
	if ((flags & COMMIT_NEVER) != 0) {
		take_gap(j, error);
		j->outcome.kind = OUTCOME_ERROR;
	} else {
		log_warn("%s: %s", job_source(j)->name, error);
	}
	xreplace(&j->error, (flags & COMMIT_NEVER) != 0 ? j->gap : error);
	commit_send(j, (uint32_t)flags, j->gap);
}

/* ---- Its answer ---- */

/* The poll goes on with the page that store told. */
static void
go_on(struct job *j)
{
	if (!job_current(j) || roles_full(j->core, ROLE_FETCH))
		job_end(j, OUTCOME_DROPPED, NULL);	/* what is owed stays so */
	else
		page_ask(j);
}

/* The walk is over, or broke off: the mark moves as store has it. */
static void
finish(struct job *j)
{
	struct core *c = j->core;

	if (!job_current(j)) {
		job_changed(j);
		j->again = 1;
		run_touch(c, j->source);
	} else if (j->added > 0 && j->outcome.kind == OUTCOME_SAME) {
		j->outcome.kind = OUTCOME_NEW;
		job_move(j, j->moved);
		run_touch(c, j->source);
	} else {
		c->failed += j->outcome.kind != OUTCOME_SAME;
		job_move(j, j->moved);
	}
}

static void
lied(struct job *j)
{
	mark_unproven(&job_run(j)->mark);
	page_failed(j, OUTCOME_PARKED,
	    "parked: what its plugin wrote is malformed, or not what it told");
}

/* Takes the answer for a job whose source is there. 1: the poll is over. */
static int
committed_take(struct job *j, const struct committed *cd, struct wire *next)
{
	job_run(j)->kept = cd->kept;
	if (cd->bad || (cd->seen == 0 && j->records > 0)) {
		lied(j);
		return 0;
	}
	log_debug("%s: job %u committed, %u seen, %u new, %u revised", job_source(j)->name, j->id,
	    cd->seen, cd->added, cd->revised);
	j->added += cd->added;
	if (!cd->more) {
		finish(j);
		return 1;
	}
	page_take(j, next);
	go_on(j);
	return 0;
}

void
poll_committed(struct core *c, struct frame *f)
{
	struct job *j = job_find(c, f->id);
	struct committed cd;
	struct wire w, next;
	struct owed_page o;

	wire_init(&w, f->data, f->len);
	wire_get(&w, committed, &cd);
	next = w;
	if (cd.more)
		wire_get(&w, owed_page, &o);
	if (wire_end(&w) == -1)
		fatal("store's COMMITTED is malformed");
	if (cd.head > c->head)
		deliver_head(c, cd.head);
	if ((f->id & INTAKE_ID) != 0) {
		intake_committed(c, f->id, &cd);
		return;
	}
	if (j == NULL || j->state != JOB_COMMIT)
		return;
	if (j->source != UINT32_MAX && !committed_take(j, &cd, &next))
		return;
	c->polls++;
	job_free(j);
	poll_due(c);
}

void
poll_store_gone(struct core *c)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct job *j = c->jobs->slot[i];

		if (j == NULL || (j->state != JOB_COMMIT && j->state != JOB_RECALL))
			continue;
		if (j->source != UINT32_MAX)	/* as the database has it, once it is back */
			c->runs[j->source].mark.due = 0;
		j->again = 0;		/* it is due by itself: the mark here is not to be kept */
		job_free(j);
	}
	due_clear(c);
}
