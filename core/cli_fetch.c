/* courant fetch: a source polled once over the network, by the daemon's fetch role and in its sandbox;
 * prints the records, stores nothing. */
#include "cli.h"
#include "cli_job.h"
#include "chan.h"
#include "date.h"
#include "headers.h"
#include "mem.h"
#include "record.h"
#include "request.h"
#include "result.h"
#include "url.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES_MAX	10000		/* that may be asked for */
#define ANSWER_MORE	5000		/* ms beyond the fetch's own timeout */

/* A page to be fetched: the source's own (url NULL), or one that the plugin asked for. */
struct wanted {
	STAILQ_ENTRY(wanted)	 entry;
	char			*url, *method, *headers, *tag;
	char			*body;
	size_t			 len;
	uint32_t		 nth;
};
struct poll {
	struct cli_job		 job;
	const struct source	*source;
	const struct setup	*manners;	/* the configuration's, else defaults */
	struct child		 child;		/* the fetch role */
	struct chan		*fetch;
	STAILQ_HEAD(, wanted)	 wanted;
	struct wanted		*page;		/* that is read */
	size_t			 asked, pages;	/* asked for; at most */
};

/* ---- What is wanted ---- */

static void
want(struct poll *p, const struct result_request *q, uint32_t nth)
{
	struct wanted *w = xcalloc(1, sizeof(*w));

	w->nth = nth;
	w->url = q != NULL && q->url != NULL ? xstrdup(q->url) : NULL;
	w->method = q != NULL && q->method != NULL ? xstrdup(q->method) : NULL;
	w->headers = q != NULL && q->headers != NULL ? xstrdup(q->headers) : NULL;
	w->tag = xstrdup(q != NULL && q->tag != NULL ? q->tag : "");
	w->len = q != NULL ? q->body.len : 0;
	if (w->len > 0)
		w->body = memcpy(xmalloc(w->len), q->body.data, w->len);
	STAILQ_INSERT_TAIL(&p->wanted, w, entry);
}

static void
wanted_free(struct wanted *w)
{
	free(w->url);
	free(w->method);
	free(w->headers);
	free(w->tag);
	free(w->body);
	free(w);
}

/* ---- The fetch role ---- */

static void
fetch_start_role(struct poll *p)
{
	struct frame f;
	struct buf b;

	if (spawn_daemon_role(&p->child, "fetch") == -1)
		exit(1);
	p->fetch = chan_new(p->child.fd);
	buf_init(&b, msg_limit(MSG_FETCH_START));
	request_settings(p->manners, &b);
	if (chan_send(p->fetch, MSG_FETCH_START, 0, &b, -1, -1) == -1 ||
	    chan_recv(p->fetch, &f, CLI_DEADLINE) != 1 || f.type != MSG_READY) {
		fprintf(stderr, "courant: the fetch role does not start\n");
		exit(1);
	}
	buf_free(&b);
}

static void
fetch_stop_role(struct poll *p)
{
	chan_free(p->fetch);
	kill(p->child.pid, SIGKILL);
	while (waitpid(p->child.pid, NULL, 0) == -1 && errno == EINTR)
		;
}

/* What to ask for, secrets filled in. NULL, or why it cannot be asked for. */
static const char *
fill(const struct poll *p, const struct wanted *w, struct buf *url, struct buf *headers)
{
	if (w->url != NULL)
		return request_page(p->source, w->url, w->headers, url, headers);
	setup_source_request(p->source, url, headers);
	return url->len > 0 ? NULL : "the plugin names no url: say --url";
}

/* Has a page fetched: a frame with its body, and what is told of it. 0, or -1 and it is told. */
static int
fetch_page(struct poll *p, const struct wanted *w, struct frame *f, struct fetch_done *done)
{
	struct fetch_job fj = { .source = p->source->name, .max = p->manners->max_body,
		.timeout = p->manners->fetch_timeout, .body = { w->len > 0 ? w->body : "", w->len },
		.method = w->method != NULL || w->len == 0 ? w->method : "POST" };
	struct buf url, headers, b;
	struct wire wire;
	const char *why;
	int rc = -1;

	buf_init(&url, 4 * URL_MAX);
	buf_init(&headers, HEADERS_MAX);
	buf_init(&b, msg_limit(MSG_FETCH));
	why = fill(p, w, &url, &headers);
	fj.url = url.data;
	fj.headers = headers.data;
	wire_put(&b, fetch_job, &fj);
	if (why == NULL && chan_send(p->fetch, MSG_FETCH, 1, &b, -1, -1) == 0 &&
	    chan_recv(p->fetch, f, (int)(p->manners->fetch_timeout + ANSWER_MORE)) == 1 &&
	    f->type == MSG_FETCHED) {
		wire_init(&wire, f->data, f->len);
		wire_get(&wire, fetch_done, done);
		rc = wire_end(&wire);
	}
	if (rc == -1)
		fprintf(stderr, "courant: %s: %s\n", p->source->url,
		    why != NULL ? why : "the fetch role gave no answer");
	buf_free(&url);
	buf_free(&headers);
	buf_free(&b);
	return rc;
}

/* ---- What came ---- */

static void
print_record(const struct poll *p, struct wire *body)
{
	struct cr_record *r = record_read(body->at, (size_t)(body->end - body->at));
	struct buf b;

	if (r == NULL)
		return;
	record_set(r, CR_SOURCE, p->source->name, strlen(p->source->name));
	buf_init(&b, 8 * RECORD_MAX);
	record_json(r, record_about(r), &b);
	if (!b.over)
		puts(b.data);
	buf_free(&b);
	record_free(r);
}

static void
take_results(struct poll *p, int out, const struct parse_done *done, uint32_t nth)
{
	struct result_request q;
	enum result_kind kind;
	struct wire all, body;
	size_t size = 0;
	const void *m = result_seal(out) == 0 ? result_map(out, (size_t)done->out, &size) : NULL;

	wire_init(&all, m, m != NULL ? size : 0);
	while (m != NULL && result_next(&all, &kind, &body) == 1) {
		if (kind == RESULT_RECORD)
			print_record(p, &body);
		if (kind != RESULT_REQUEST)
			continue;
		wire_get(&body, result_request, &q);
		/* Nothing is known here: a following page is wanted when this one held anything. */
		if (wire_end(&body) == 0 && (!q.next || done->records > 0))
			want(p, &q, nth + (q.next != 0));
	}
	result_unmap(m, m != NULL ? size : 0);
	fflush(stdout);
}

/* Sends a job, of a page or (body -1) of plan(). 0, or 1 and what went wrong is told. */
static int
run(struct poll *p, struct parse_job *pj, int body)
{
	struct parse_done done = { 0 };
	struct buf options, b, why;
	struct frame f;
	struct wire w;
	int out = result_fd(NULL, 0), rc = 1;

	buf_init(&options, OPTION_SET_MAX);
	buf_init(&b, msg_limit(MSG_W_PARSE));
	buf_init(&why, 4096);
	setup_source_options(p->source, &options);
	pj->options = (struct bytes){ options.len > 0 ? options.data : "", options.len };
	pj->state = (struct bytes){ "", 0 };
	wire_put(&b, parse_job, pj);
	if (body == -1)
		(void)chan_send(p->job.chan, MSG_W_PLAN, 1, &b, out, -1);
	else
		(void)chan_send(p->job.chan, MSG_W_PARSE, 1, &b, body, out);
	if (cli_wait(&p->job, MSG_W_PARSED, &f, &why) == 0) {
		wire_init(&w, f.data, f.len);
		wire_get(&w, parse_done, &done);
		if (wire_end(&w) == 0)
			take_results(p, out, &done, pj->nth);
		rc = done.failed != 0;
		if (rc)
			buf_str(&why, done.error != NULL ? done.error : "failed");
		if (body != -1)
			fprintf(stderr, "courant: %s: %u records, %u refused%s%s\n", pj->url,
			    done.records, done.refused, done.partial != NULL ? ", partial: " : "",
			    done.partial != NULL ? done.partial : "");
	}
	if (why.len > 0)
		fprintf(stderr, "courant: %s: %s\n", body != -1 ? pj->url : "plan", why.data);
	close(out);
	buf_free(&options);
	buf_free(&b);
	buf_free(&why);
	return rc;
}

static struct parse_job
job_of(const struct poll *p)
{
	return (struct parse_job){ .source = p->source->name, .url = "", .type = "", .charset = "",
		.headers = "", .tag = "", .when = date_now(), .now = date_now(), .hash = 1 };
}

/* Fetches a page and reads it. 0, or 1 and what went wrong is told. */
static int
read_page(struct poll *p, const struct wanted *w)
{
	struct parse_job pj = job_of(p);
	struct fetch_done done;
	struct buf url, headers;
	struct frame f;
	int rc = 1, body;

	if (fetch_page(p, w, &f, &done) == -1)
		return 1;
	body = f.fd[0];
	buf_init(&url, msg_limit(MSG_FETCHED));
	buf_init(&headers, msg_limit(MSG_FETCHED));
	setup_conceal(p->source->instance, done.url != NULL ? done.url : "", &url);
	setup_conceal(p->source->instance, done.headers != NULL ? done.headers : "", &headers);
	pj.url = url.data != NULL ? url.data : "";
	if (done.why != FETCH_OK || body == -1) {
		fprintf(stderr, "courant: %s: %s\n", pj.url[0] != '\0' ? pj.url : p->source->url,
		    done.error != NULL ? done.error : "no document came");
	} else {
		pj.headers = headers.data != NULL ? headers.data : "";
		pj.type = done.type;
		pj.charset = done.charset;
		pj.tag = w->tag;
		pj.nth = w->nth;
		pj.len = done.len;
		rc = run(p, &pj, body);
	}
	buf_free(&url);
	buf_free(&headers);
	return rc;
}

static int
poll_once(struct poll *p)
{
	struct parse_job pj = job_of(p);
	struct wanted *w;
	int rc = 0;

	if ((p->job.plugin->does & DOES_PLAN) != 0)
		rc = run(p, &pj, -1);
	else
		want(p, NULL, 0);
	while ((w = STAILQ_FIRST(&p->wanted)) != NULL) {
		STAILQ_REMOVE_HEAD(&p->wanted, entry);
		if (rc == 0 && p->asked++ < p->pages && p->job.chan != NULL)
			rc = read_page(p, w);
		else if (rc == 0 && p->asked == p->pages + 1)
			fprintf(stderr, "courant: %zu pages were read, there are more: --pages\n",
			    p->pages);
		wanted_free(w);
	}
	return rc;
}

int
cli_fetch(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "pages", required_argument, NULL, 'n' },
		{ "plugin", required_argument, NULL, 'p' },
		{ "url", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 }
	};
	struct poll p = { .pages = SETUP_PAGES };
	const char *which = NULL, *url = NULL;
	long pages;
	int opt, rc;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "p:o:n:u:", longs, NULL)) != -1)
		switch (opt) {
		case 'n':
			pages = strtol(optarg, NULL, 10);
			if (pages < 1 || pages > PAGES_MAX)
				cli_usage();
			p.pages = (size_t)pages;
			break;
		case 'p':
			which = optarg;
			break;
		case 'u':
			url = optarg;
			break;
		case 'o':
			cli_option(&p.job, optarg);
			break;
		default:
			cli_usage();
		}
	if (which == NULL && optind < argc)
		which = argv[optind++];
	if (which == NULL || optind < argc)
		cli_usage();
	STAILQ_INIT(&p.wanted);
	cli_plugin(&p.job, "source", which);
	cli_setup(&p.job, url);
	p.source = &p.job.setup->sources[0];
	p.manners = p.job.settings != NULL ? p.job.settings : p.job.setup;
	fetch_start_role(&p);
	cli_start(&p.job, W_PARSE, (struct bytes){ "", 0 });
	rc = poll_once(&p);
	fetch_stop_role(&p);
	cli_free(&p.job);
	return rc;
}
