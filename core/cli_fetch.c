/* courant fetch: a source polled once over the network, by the daemon's fetch role and in its sandbox;
 * prints the records, stores nothing. */
#include "cli.h"
#include "cli_walk.h"
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
#include <sys/wait.h>
#include <unistd.h>

#define PAGES_MAX	10000		/* of one walk */
#define ANSWER_MORE	5000		/* ms beyond the fetch's own timeout */

struct poll {
	struct cli_job		 job;
	const struct source	*source;
	const struct setup	*manners;	/* the configuration's, else defaults */
	struct child		 child;		/* the fetch role */
	struct chan		*fetch;
	struct wanteds		 wanted;
	uint32_t		 pages;		/* next() is followed below this nth */
	int			 more;		/* it would have gone on */
};

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
	struct buf url, headers, veil, b;
	struct wire wire;
	const char *why;
	int rc = -1;

	buf_init(&url, 4 * URL_MAX);
	buf_init(&headers, HEADERS_MAX);
	buf_init(&veil, msg_limit(MSG_FETCH));
	buf_init(&b, msg_limit(MSG_FETCH));
	why = fill(p, w, &url, &headers);
	fj.url = url.data;
	fj.headers = headers.data;
	setup_veil(p->source->instance, &veil);
	fj.veil = (struct bytes){ veil.len > 0 ? veil.data : "", veil.len };
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
	if (veil.data != NULL)
		explicit_bzero(veil.data, veil.len);
	buf_free(&url);
	buf_free(&headers);
	buf_free(&veil);
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
		if (wire_end(&body) == -1 || (q.next && done->records == 0))
			continue;
		if (!q.next || nth + 1 < p->pages)
			wanted_add(&p->wanted, &q, nth + (q.next != 0));
		else
			p->more = 1;
	}
	result_unmap(m, m != NULL ? size : 0);
	fflush(stdout);
}

/* A page, or (body -1) plan(), in the worker. 0, or 1 and what went wrong is told. */
static int
run(struct poll *p, struct parse_job *pj, int body)
{
	struct parse_done done = { 0 };
	int out = result_fd(NULL, 0), rc = 1;
	struct buf why;

	buf_init(&why, 4096);
	if (p->job.chan == NULL)		/* it died of an earlier page */
		cli_start(&p->job, W_PARSE, (struct bytes){ "", 0 });
	if (walk_run(&p->job, p->source, pj, body, out, &done, &why) == 0) {
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
	buf_free(&why);
	return rc;
}

/* How the walk goes on behind a page that failed: without it, or not at all. */
enum page { PAGE_READ, PAGE_LACKS, PAGE_ENDS };

static enum page
no_page(const struct poll *p, const struct fetch_done *d, const char *url)
{
	fprintf(stderr, "courant: %s: %s\n", url[0] != '\0' ? url : p->source->url,
	    d->error != NULL ? d->error : "no document came");
	return d->why == FETCH_STATUS && (d->status == 404 || d->status == 410) ? PAGE_LACKS :
	    PAGE_ENDS;
}

/* Fetches a page and reads it, or tells what went wrong. */
static enum page
read_page(struct poll *p, const struct wanted *w)
{
	struct parse_job pj = walk_job(p->source);
	struct fetch_done done;
	struct buf url, headers;
	enum page how;
	struct frame f;
	int body;

	if (fetch_page(p, w, &f, &done) == -1)
		return PAGE_ENDS;
	body = f.fd[0];
	buf_init(&url, msg_limit(MSG_FETCHED));
	buf_init(&headers, msg_limit(MSG_FETCHED));
	if (done.url != NULL)
		setup_conceal(p->source->instance, done.url, strlen(done.url), &url);
	if (done.headers != NULL)
		setup_conceal(p->source->instance, done.headers, strlen(done.headers), &headers);
	pj.url = url.data != NULL ? url.data : "";
	if (done.why != FETCH_OK || body == -1) {
		how = no_page(p, &done, pj.url);
	} else {
		pj.headers = headers.data != NULL ? headers.data : "";
		pj.type = done.type;
		pj.charset = done.charset;
		pj.tag = w->tag;
		pj.nth = w->nth;
		pj.len = done.len;
		how = run(p, &pj, body) == 0 ? PAGE_READ : PAGE_LACKS;
	}
	buf_free(&url);
	buf_free(&headers);
	return how;
}

/* As the daemon does: a page that another page asked for and that cannot be had leaves a gap; without
 * the first there is nothing. */
static int
poll_once(struct poll *p)
{
	struct parse_job pj = walk_job(p->source);
	struct wanted *w;
	enum page how;
	size_t asked = 0;
	int rc = 0, ended = 0;

	if ((p->job.plugin->does & DOES_PLAN) != 0)
		rc = ended = run(p, &pj, -1);
	else
		wanted_add(&p->wanted, NULL, 0);
	for (; (w = wanted_take(&p->wanted)) != NULL; wanted_free(w)) {
		if (ended || asked == PAGES_MAX)
			continue;
		asked++;
		how = read_page(p, w);
		rc |= how != PAGE_READ;
		ended = how == PAGE_ENDS;
	}
	if (p->more)
		fprintf(stderr, "courant: %zu pages were read, there are more: --pages\n", asked);
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
			p.pages = (uint32_t)pages;
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
