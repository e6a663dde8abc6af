/* A page, or a plan, in a worker: the lines before the workers, the job, and what came of it. */
#include "job.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OTHERS_TURN	4		/* of so many one is not of the good ones, if any is there */

static void	document_parse(struct job *);
static void	on_parsed(struct worker *, struct frame *, void *);
static void	on_parse_death(struct worker *, const char *, void *);
static const struct worker_use parse_use = { on_parsed, on_parse_death };

void
document_queue(struct job *j)
{
	job_queue(j);
	poll_parse(j->core);
}

/* Whose turn it is; NULL: nobody's. */
static struct job *
line_next(struct core *c)
{
	struct jobs *js = c->jobs;
	unsigned first = js->turn % OTHERS_TURN == 0 ? LINE_OTHER : LINE_GOOD;

	for (unsigned i = 0; i < LINES; i++) {
		unsigned line = (first + i) % LINES;

		if (line == LINE_AGAIN && js->suspects > 0 &&
		    js->suspects >= c->setup->workers / 2)
			continue;
		if (!STAILQ_EMPTY(&js->line[line]))
			return STAILQ_FIRST(&js->line[line]);
	}
	return NULL;
}

/* Gives waiting documents to workers while there are any. */
void
poll_parse(struct core *c)
{
	struct job *j;

	while ((j = line_next(c)) != NULL) {
		const struct plugin *p;

		if (!job_current(j)) {
			job_end(j, OUTCOME_DROPPED, NULL);
			continue;
		}
		p = c->setup->sources[j->source].instance->plugin;
		j->worker = pool_parse(c, p, j->tries > 0);
		if (j->worker == NULL)
			return;
		document_parse(j);
	}
}

/* A results file for the job: an earlier worker's goes. */
static void
out_open(struct job *j)
{
	job_close(&j->out);
	j->out = result_fd(NULL, 0);
	if (j->out == -1)
		fatal("no memory file for results: %s", strerror(errno));
}

/* What is told of a page: as it came, without the secrets. */
static void
fill_page(const struct job *j, struct parse_job *pj, struct buf *url, struct buf *headers)
{
	const struct instance *in = job_source(j)->instance;
	const struct fetch_done d = job_answer(j);
	const struct owed_page o = job_page(j);

	setup_conceal(in, d.url, strlen(d.url), url);
	setup_conceal(in, d.headers, strlen(d.headers), headers);
	pj->url = url->data != NULL ? url->data : "";
	pj->headers = headers->data != NULL ? headers->data : "";
	pj->type = d.type;
	pj->charset = d.charset;
	pj->tag = o.tag != NULL ? o.tag : "";
	pj->nth = o.nth;
	pj->len = d.len;
}

static void
document_parse(struct job *j)
{
	struct core *c = j->core;
	const struct source *s = job_source(j);
	struct parse_job pj = { .source = s->name, .url = "", .type = "", .charset = "",
		.headers = "", .tag = "", .now = date_now(), .hash = s->hash,
		.strip = s->strip };
	struct buf options, url, headers, b;

	job_unqueue(j, JOB_PARSE);
	c->jobs->turn++;
	c->jobs->suspects += j->line == LINE_AGAIN;
	j->tries++;
	out_open(j);
	pj.when = pj.now;
	buf_init(&options, OPTION_SET_MAX);
	buf_init(&url, msg_limit(MSG_FETCHED));
	buf_init(&headers, msg_limit(MSG_FETCHED));
	buf_init(&b, msg_limit(MSG_W_PARSE));
	setup_source_options(s, &options);
	pj.options = (struct bytes){ options.len > 0 ? options.data : "", options.len };
	pj.state = (struct bytes){ j->kept.len > 0 ? j->kept.data : "", j->kept.len };
	if (!j->plan)
		fill_page(j, &pj, &url, &headers);
	wire_put(&b, parse_job, &pj);
	if (j->plan)
		worker_job(j->worker, &parse_use, j, s->name, MSG_W_PLAN, &b, j->out, -1);
	else
		worker_job(j->worker, &parse_use, j, s->name, MSG_W_PARSE, &b, j->body, j->out);
	buf_free(&options);
	buf_free(&url);
	buf_free(&headers);
	buf_free(&b);
}

/* Tells how its plugin did; a failure only where it did well before. */
static void
document_blame(const struct job *j, int well, const char *why)
{
	struct core *c = j->core;
	const struct mark *m = &c->runs[j->source].mark;

	if (well || (m->ok > 0 && m->failures == 0))
		(void)plugin_job(c, c->setup->sources[j->source].instance->plugin, well, why);
}

static void
on_parse_death(struct worker *w, const char *why, void *arg)
{
	struct job *j = arg;
	struct core *c = j->core;
	const char *what = j->plan ? "plan" : "document";
	char *text;

	(void)w;
	j->worker = NULL;
	c->jobs->suspects -= j->line == LINE_AGAIN;
	if (j->source == UINT32_MAX || !job_current(j)) {
		job_end(j, OUTCOME_DROPPED, NULL);
	} else if (j->tries < WORKER_TRIES) {
		log_info("%s: tried once more in a fresh worker", c->setup->sources[j->source].name);
		job_queue(j);
	} else {
		text = xasprintf("parked: %d workers died of its %s: %s", WORKER_TRIES, what, why);
		document_blame(j, 0, why);
		page_failed(j, OUTCOME_PARKED, text);
		free(text);
	}
	poll_parse(c);
}

/* What a plugin's failure means for the schedule. */
static int
failure_kind(uint32_t failed)
{
	switch (failed) {
	case 0:
		return OUTCOME_SAME;
	case FAILED_RETRY:
		return OUTCOME_RETRY;
	case CR_GONE:
		return OUTCOME_GONE;
	default:
		return OUTCOME_ERROR;
	}
}

/* Takes what the plugin said of the document. */
static void
take_parsed(struct job *j, const struct parse_done *pd)
{
	int first = !j->plan && job_page(j).page == 0;
	const char *said = pd->failed != 0 ? pd->error : pd->partial;
	struct buf text;

	j->outcome.kind = failure_kind(pd->failed);
	if (first && strncmp(job_source(j)->url, "file:", 5) != 0) {	/* a file is nobody's burden */
		j->outcome.ttl = pd->ttl;
		j->outcome.skip_hours = pd->skip_hours;
		j->outcome.skip_days = pd->skip_days;
	}
	if (pd->failed == FAILED_RETRY && pd->retry >= 0)
		j->outcome.retry_after = pd->retry < SCHEDULE_RETRY_MAX ? pd->retry :
		    SCHEDULE_RETRY_MAX;
	j->partial |= pd->failed == 0 && pd->partial != NULL;
	buf_init(&text, 4 * REASON_MAX);
	if (said != NULL)
		worker_text(&text, said);
	if (pd->failed != 0 && text.len == 0)
		buf_str(&text, "the plugin failed without saying why");
	if (said != NULL || !j->partial)	/* what an earlier page was said to lack stays told */
		xreplace(&j->error, text.len > 0 ? text.data : NULL);
	buf_free(&text);
	j->refused += pd->refused;
	j->records = pd->records;
	j->found += pd->records;
	job_run(j)->mark.found = j->found;
}

static void
on_parsed(struct worker *w, struct frame *f, void *arg)
{
	struct job *j = arg;
	struct core *c = j->core;
	struct parse_done pd;
	struct wire wire;

	wire_init(&wire, f->data, f->len);
	wire_get(&wire, parse_done, &pd);
	if (f->type != MSG_W_PARSED || wire_end(&wire) == -1) {
		worker_kill(w, "it sent a bad frame");
		return;
	}
	if (lseek(j->out, 0, SEEK_END) != (off_t)pd.out) {
		worker_kill(w, "it told of other results than it wrote");
		return;
	}
	if (result_seal(j->out) == -1) {
		worker_kill(w, "it keeps its results open for writing");
		return;
	}
	j->worker = NULL;
	c->jobs->suspects -= j->line == LINE_AGAIN;
	worker_free_job(w);
	if (!job_current(j)) {
		job_end(j, OUTCOME_DROPPED, NULL);
	} else {
		take_parsed(j, &pd);
		if (pd.failed == 0 || pd.failed == CR_BAD_DATA || pd.failed == CR_BAD_OPTION)
			document_blame(j, pd.failed == 0, j->error);
		/* A new setup is no reason: store goes by it before it comes to this. */
		if (c->role[ROLE_STORE].ready && c->runs[j->source].id != 0)
			commit_page(j);
		else		/* store is away: fetched again once it is back */
			job_end(j, OUTCOME_DROPPED, NULL);
	}
	poll_parse(c);
	poll_due(c);
}
