/* A poll's exchange with store: the recall of the source's state and owed page, the commit of each
 * page, and the next page that store owes. */
#include "poll_commit.h"
#include "due.h"
#include "forged.h"
#include "intake.h"
#include "poll.h"
#include "quota.h"
#include "schedule.h"
#include "sources.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/supervise/role.h"
#include "ipc/chan.h"

#include <string.h>

/* ---- Before a poll ---- */

void
poll_recall(struct poll *j)
{
	const struct recall q = { .source = poll_run(j)->id, .hash = j->hash };
	struct buf b;

	j->state = POLL_IS_RECALL;
	buf_init(&b, msg_limit(MSG_RECALL));
	wire_put(&b, recall, &q);
	roles_send(j->core, ROLE_STORE, MSG_RECALL, j->id, &b, -1);
	buf_free(&b);
}

/* Takes the owed page that follows in a frame of store. */
static void
page_take(struct poll *j, struct wire *w)
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
	struct poll *j = poll_find(c, f->id);
	struct recalled r;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, recalled, &r);
	if (j == NULL || j->state != POLL_IS_RECALL)
		return;
	if ((r.kept & KEPT_OWED) != 0)
		page_take(j, &w);
	if (wire_end(&w) == -1)
		fatal("store's RECALLED is malformed");
	if (!poll_current(j)) {
		poll_end(j, OUTCOME_DROPPED, NULL);
		return;
	}
	poll_run(j)->kept = r.kept;
	buf_add(&j->kept, r.state.data, r.state.len);
	xreplace(&j->gap, r.gap);
	xreplace(&j->etag, r.etag);
	xreplace(&j->modified, r.modified);
	xreplace(&j->validated, r.validated);
	poll_go(j);
}

/* ---- A page ---- */

/* Sends the commit, with the mark for the case that the poll ends with it. */
static void
commit_send(struct poll *j, uint32_t flags, const char *gap)
{
	struct core *c = j->core;
	const struct source *s = poll_source(j);
	const struct owed_page o = poll_page(j);
	const struct commit cm = { .source = poll_run(j)->id, .flags = COMMIT_LAST | flags,
		.when = date_now(), .url = s->url, .page = o.page, .nth = o.nth, .pages = s->pages,
		.hash = j->hash, .gap = gap };
	struct mark m = poll_mark(j, cm.when);
	struct buf b;

	buf_init(&b, msg_limit(MSG_COMMIT));
	wire_put(&b, commit, &cm);
	wire_put(&b, mark, &m);
	j->state = POLL_IS_COMMIT;
	log_debug("%s: job %u commits", s->name, j->id);
	roles_send(c, ROLE_STORE, MSG_COMMIT, j->id, &b, j->out);
	buf_free(&b);
	buf_clear(&j->answer);
	poll_close(&j->body);
	poll_close(&j->out);
}

/* A page was given up: the poll goes on without it, but ends as failed. */
static void
take_gap(struct poll *j, const char *why)
{
	if (j->gap == NULL)
		j->gap = xasprintf("given up: %s", why);
	log_warn("%s: given up: %s", poll_source(j)->name, why);
}

/* Puts the page's URL before the error: people want to know which page failed. */
static void
name_error(struct poll *j)
{
	struct buf b;

	buf_init(&b, 1u << 16);
	poll_page_name(j, &b);
	buf_fmt(&b, ": %s", j->error != NULL ? j->error : "failed");
	xreplace(&j->error, b.data);
	buf_free(&b);
}

void
poll_commit(struct poll *j)
{
	int kind = j->outcome.kind, page = poll_page(j).page != 0;
	uint32_t flags = j->plan ? COMMIT_PLAN : 0;

	if (kind != OUTCOME_SAME)
		flags |= page ? (uint32_t)poll_failure(j, kind) : COMMIT_FAILED;
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
		log_warn("%s: %s", poll_source(j)->name, j->error);
	}
	if (j->gap != NULL && (flags & COMMIT_FAILED) == 0) {
		j->outcome.kind = OUTCOME_ERROR;
		xreplace(&j->error, j->gap);
	}
	commit_send(j, flags, j->gap);
}

void
poll_commit_failure(struct poll *j, int kind, const char *error, int flags)
{
	j->outcome.kind = kind;
	j->records = 0;
	poll_close(&j->out);
	if ((flags & COMMIT_NEVER) != 0) {
		take_gap(j, error);
		j->outcome.kind = OUTCOME_ERROR;
	} else {
		log_warn("%s: %s", poll_source(j)->name, error);
	}
	xreplace(&j->error, (flags & COMMIT_NEVER) != 0 ? j->gap : error);
	commit_send(j, (uint32_t)flags, j->gap);
}

/* ---- Store's answer ---- */

/* The poll goes on with the page that store named. */
static void
go_on(struct poll *j)
{
	if (!poll_current(j) || roles_full(j->core, ROLE_FETCH) || quota_waits(j->core, j->source))
		poll_end(j, OUTCOME_DROPPED, NULL);	/* the page stays owed */
	else
		poll_next(j, POLL_FETCH);
}

/* No page is owed any more, or the poll broke off: the run gets the mark that store has. */
static void
finish(struct poll *j)
{
	struct core *c = j->core;

	if (!poll_current(j)) {
		poll_changed(j);
		j->again = 1;
		run_touch(c, j->source);
	} else if (j->added > 0 && j->outcome.kind == OUTCOME_SAME) {
		j->outcome.kind = OUTCOME_NEW;
		poll_move(j, j->moved);
		run_touch(c, j->source);
	} else {
		c->polls->failed += j->outcome.kind != OUTCOME_SAME;
		poll_move(j, j->moved);
	}
}

/* The results are malformed, or not as many records as the plugin told. */
static void
lied(struct poll *j, const struct committed *cd)
{
	forged_whole(j->core, j->source, cd);
	j->found -= j->records;
	poll_run(j)->mark.found = j->found;
	mark_unproven(&poll_run(j)->mark);
	poll_failed(j, OUTCOME_PARKED,
	    "parked: what its plugin wrote is malformed, or not what it told");
}

/* Handles the answer for a poll whose source is still configured. 1: the poll is over. */
static int
committed_take(struct poll *j, const struct committed *cd, struct wire *next)
{
	poll_run(j)->kept = cd->kept;
	if (cd->bad || forged_count(cd, j->records, j->outcome.kind == OUTCOME_SAME)) {
		lied(j, cd);
		return 0;
	}
	forged_take(j->core, j->source, cd);
	log_debug("%s: job %u committed, %u seen, %u new, %u revised", poll_source(j)->name, j->id,
	    cd->seen, cd->added, cd->revised);
	j->added += cd->added;
	quota_count(j->core, j->source, cd, j->written);
	if (!cd->more) {
		finish(j);
		return 1;
	}
	page_take(j, next);
	go_on(j);
	return 0;
}

void
poll_committed(struct core *c, uint32_t id, const struct committed *cd, struct wire *next)
{
	struct poll *j = poll_find(c, id);

	if (j == NULL || j->state != POLL_IS_COMMIT)
		return;
	if (j->source != UINT32_MAX && !committed_take(j, cd, next))
		return;
	c->polls->done++;
	poll_free(j);
	due_wake(c);			/* there is room for another poll */
}

void
poll_gone(struct core *c, enum role_id id)
{
	for (size_t i = 0; i < POLL_SLOTS && id == ROLE_STORE; i++) {
		struct poll *j = c->polls->slot[i];

		if (j == NULL || (j->state != POLL_IS_COMMIT && j->state != POLL_IS_RECALL))
			continue;
		if (j->source != UINT32_MAX)	/* takes the database's mark once store is back */
			c->runs[j->source].mark.due = 0;
		j->again = 0;		/* store's mark is to replace this one */
		poll_free(j);
	}
	if (id == ROLE_STORE)
		due_clear(c);
}
