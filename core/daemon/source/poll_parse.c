/* A poll's page, or its plan, in a worker: the lines before the workers, the job, and its
 * result. */
#include "poll_parse.h"
#include "due.h"
#include "lanes.h"
#include "poll.h"
#include "schedule.h"
#include "sources.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/plugin.h"
#include "catalog/versions.h"
#include "conf/setup_secret.h"
#include "conf/setup_template.h"
#include "daemon/supervise/disk.h"
#include "daemon/supervise/role.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TTL_MAX		INT64_C(31622400000)	/* ms: the longest ttl that a feed may ask for */

static void	parse_begin(struct poll *);
static void	on_parsed(struct worker *, struct frame *, void *);
static void	on_parse_death(struct worker *, const char *, void *);
static const struct worker_use parse_use = { on_parsed, on_parse_death };

void
poll_queue(struct poll *j)
{
	poll_enqueue(j);
	poll_parse(j->core);
}

void
poll_parse(struct core *c)
{
	struct poll *j;

	while (!disk_low(c) && (j = lane_next(c)) != NULL) {
		const struct plugin *p;

		if (!poll_current(j)) {
			poll_end(j, OUTCOME_DROPPED, NULL);
			continue;
		}
		p = c->setup->sources[j->source].instance->plugin;
		j->worker = workers_parse(c, p, j->tries > 0);
		if (j->worker == NULL)
			return;
		parse_begin(j);
	}
}

/* Makes a memfd for the job's results; that of an earlier worker is closed. */
static void
out_open(struct poll *j)
{
	poll_close(&j->out);
	j->out = memfd_new(NULL, 0);
	if (j->out == -1)
		fatal("no memory file for results: %s", strerror(errno));
}

/* Fills the job's members from the fetched page, redacted. */
static void
fill_page(const struct poll *j, struct parse_job *pj, struct buf *url, struct buf *headers)
{
	const struct instance *in = poll_source(j)->instance;
	const struct fetch_done d = poll_answer(j);
	const struct owed_page o = poll_page(j);

	secret_hide(in, d.url, strlen(d.url), url);
	secret_hide(in, d.headers, strlen(d.headers), headers);
	pj->url = url->data != NULL ? url->data : "";
	pj->headers = headers->data != NULL ? headers->data : "";
	pj->type = d.type;
	pj->charset = d.charset;
	pj->tag = o.tag != NULL ? o.tag : "";
	pj->nth = o.nth;
	pj->len = d.len;
}

static void
parse_begin(struct poll *j)
{
	const struct source *s = poll_source(j);
	struct parse_job pj = { .source = s->name, .url = "", .type = "", .charset = "",
		.headers = "", .tag = "", .now = date_now(), .hash = s->hash,
		.strip = s->strip };
	struct buf options, url, headers, b;

	poll_dequeue(j, POLL_IS_PARSE);
	lane_begin(j);
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

/* Reports a job's result to the plugin's history; a failure only if the source's last poll went
 * well. */
static void
parse_blame(const struct poll *j, int well, const char *why)
{
	struct core *c = j->core;
	const struct mark *m = &c->runs[j->source].mark;

	if (well || (m->ok > 0 && m->failures == 0))
		(void)catalog_job(c->catalog, c->setup->sources[j->source].instance->plugin,
		    well ? JOB_WELL : JOB_FAILED, why);
}

static void
on_parse_death(struct worker *w, const char *why, void *arg)
{
	struct poll *j = arg;
	struct core *c = j->core;
	const char *what = j->plan ? "plan" : "document";
	char *text;

	(void)w;
	j->worker = NULL;
	lane_finish(j);
	if (j->source == UINT32_MAX || !poll_current(j)) {
		poll_end(j, OUTCOME_DROPPED, NULL);
	} else if (j->tries < WORKER_TRIES) {
		log_info("%s: tried once more in a fresh worker", c->setup->sources[j->source].name);
		poll_enqueue(j);
	} else {
		text = xasprintf("parked: %d workers died of its %s: %s", WORKER_TRIES, what, why);
		parse_blame(j, 0, why);
		poll_failed(j, OUTCOME_PARKED, text);
		free(text);
	}
	poll_parse(c);
}

/* The outcome of a plugin's failure. */
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

/* Takes the hints of a feed, within the bounds of the host that reads them. */
static void
take_hints(struct outcome *o, const struct parse_done *pd)
{
	const uint32_t hours = (UINT32_C(1) << 24) - 1, days = (UINT32_C(1) << 7) - 1;

	o->ttl = pd->ttl > 0 && pd->ttl <= TTL_MAX ? pd->ttl : 0;
	o->skip_hours = (pd->skip_hours & hours) != hours ? pd->skip_hours & hours : 0;
	o->skip_days = (pd->skip_days & days) != days ? pd->skip_days & days : 0;
}

/* Takes the plugin's result for the document. */
static void
take_parsed(struct poll *j, const struct parse_done *pd)
{
	int first = !j->plan && poll_page(j).page == 0;
	const char *said = pd->failed != 0 ? pd->error : pd->partial;
	struct buf text;

	j->outcome.kind = failure_kind(pd->failed);
	if (first && strncmp(poll_source(j)->url, "file:", 5) != 0)	/* these spare a server */
		take_hints(&j->outcome, pd);
	if (pd->failed == FAILED_RETRY && pd->retry >= 0)
		j->outcome.retry_after = pd->retry < SCHEDULE_RETRY_MAX ? pd->retry :
		    SCHEDULE_RETRY_MAX;
	j->partial |= pd->failed == 0 && pd->partial != NULL;
	buf_init(&text, 4 * REASON_MAX);
	if (said != NULL)
		worker_text(&text, said);
	if (pd->failed != 0 && text.len == 0)
		buf_str(&text, "the plugin failed without saying why");
	if (said != NULL || !j->partial)	/* keeps the fault of an earlier page */
		xreplace(&j->error, text.len > 0 ? text.data : NULL);
	buf_free(&text);
	j->refused += pd->refused;
	j->records = pd->records;
	j->written = pd->out;
	j->found += pd->records;
	poll_run(j)->mark.found = j->found;
}

static void
on_parsed(struct worker *w, struct frame *f, void *arg)
{
	struct poll *j = arg;
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
	if (memfd_seal(j->out) == -1) {
		worker_kill(w, "it keeps its results open for writing");
		return;
	}
	j->worker = NULL;
	lane_finish(j);
	worker_free_job(w);
	if (!poll_current(j)) {
		poll_end(j, OUTCOME_DROPPED, NULL);
	} else {
		take_parsed(j, &pd);
		if (pd.failed == 0 || pd.failed == CR_BAD_DATA || pd.failed == CR_BAD_OPTION)
			parse_blame(j, pd.failed == 0, j->error);
		/* A new setup is no obstacle: store has read the setup before it reads the
		 * commit. */
		if (roles_get(c, ROLE_STORE)->ready && c->runs[j->source].id != 0)
			poll_next(j, POLL_COMMIT);
		else		/* fetched again once store is back */
			poll_end(j, OUTCOME_DROPPED, NULL);
	}
	poll_parse(c);
	due_wake(c);
}
