/* courant fetch: polls a source once, with the daemon's fetch role and sandboxed worker; prints the
 * records, stores nothing. */
#include "cli_fetch.h"
#include "cli_print.h"
#include "cli_usage.h"
#include "cli_walk.h"
#include "base/buf.h"
#include "base/headers.h"
#include "base/url.h"
#include "catalog/plugin.h"
#include "conf/file_url.h"
#include "conf/request.h"
#include "conf/setup_secret.h"
#include "conf/setup_template.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "record/record.h"
#include "record/record_json.h"
#include "record/result.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGES_MAX	10000		/* of one poll */
#define FILE_TEXTS	8192		/* bytes of an answer's strings, for a file: URL */
#define ANSWER_MORE	5000		/* ms to wait for an answer beyond the fetch's timeout */

struct poll {
	struct cli_job		 job;
	const struct source	*source;
	const struct setup	*manners;	/* has the HTTP settings */
	struct child		 child;		/* the fetch role */
	struct chan		*fetch;
	struct wanteds		 wanted;
	uint32_t		 pages;		/* next() is followed below this nth */
	int			 more;		/* a page beyond `pages` was requested */
	struct buf		 texts;		/* strings of the last answer to a file: URL */
	int			 file[CHAN_FDS];	/* its body; -1 */
};

/* ---- The fetch role ---- */

static void
fetch_start_role(struct poll *p)
{
	struct frame f;
	struct buf b;

	if (child_daemon_role(&p->child, "fetch") == -1)
		exit(1);
	p->fetch = chan_new(p->child.fd);
	buf_init(&b, msg_limit(MSG_FETCH_START));
	request_settings(p->manners, &b);
	if (chan_send(p->fetch, MSG_FETCH_START, 0, &b, -1, -1) == -1 ||
	    chan_recv(p->fetch, &f, CLI_DEADLINE) != 1 || f.type != MSG_READY) {
		print_error("courant: the fetch role does not start\n");
		exit(1);
	}
	buf_free(&b);
}

static void
fetch_stop_role(struct poll *p)
{
	chan_free(p->fetch);
	child_reap(p->child.pid, 0, NULL);
}

/* Fills in the URL and headers of a page, with secrets. NULL, or why it cannot be requested. */
static const char *
fill(const struct poll *p, const struct wanted *w, struct buf *url, struct buf *headers)
{
	if (w->url != NULL)
		return request_page(p->source, w->url, w->headers, url, headers);
	setup_source_request(p->source, url, headers);
	return url->len > 0 ? NULL : "the plugin names no url: say --url";
}

/* Answers a file: URL, below the folders that the configuration allows, as the daemon does. */
static void
fetch_file(struct poll *p, const struct wanted *w, const struct fetch_job *fj, struct frame *f,
    struct fetch_done *done)
{
	if (p->file[0] != -1)
		close(p->file[0]);
	buf_free(&p->texts);
	buf_init(&p->texts, FILE_TEXTS);
	p->file[0] = local_fetch(p->manners, fj, done, &p->texts);
	done->url = w->url != NULL ? w->url : p->source->url;
	*f = (struct frame){ .fd = p->file };
}

/* Fetches a page: a frame with its body, and the rest of the answer in *done. 0; or -1, and why is
 * printed. */
static int
fetch_page(struct poll *p, const struct wanted *w, struct frame *f, struct fetch_done *done)
{
	struct fetch_job fj = { .source = p->source->name, .max = p->manners->max_body,
		.timeout = p->manners->fetch_timeout, .body = { w->len > 0 ? w->body : "", w->len },
		.method = w->method != NULL || w->len == 0 ? w->method : "POST" };
	struct buf url, headers, redact, b;
	struct wire wire;
	const char *why;
	int rc = -1;

	buf_init(&url, 4 * URL_MAX);
	buf_init(&headers, HEADERS_MAX);
	buf_init(&redact, msg_limit(MSG_FETCH));
	buf_init(&b, msg_limit(MSG_FETCH));
	why = fill(p, w, &url, &headers);
	fj.url = url.data;
	fj.headers = headers.data;
	secret_redact(p->source->instance, &redact);
	fj.redact = (struct bytes){ redact.len > 0 ? redact.data : "", redact.len };
	wire_put(&b, fetch_job, &fj);
	if (why == NULL && strncmp(fj.url, "file:", 5) == 0) {
		fetch_file(p, w, &fj, f, done);
		rc = 0;
	} else if (why == NULL && chan_send(p->fetch, MSG_FETCH, 1, &b, -1, -1) == 0 &&
	    chan_recv(p->fetch, f, (int)(p->manners->fetch_timeout + ANSWER_MORE)) == 1 &&
	    f->type == MSG_FETCHED) {
		wire_init(&wire, f->data, f->len);
		wire_get(&wire, fetch_done, done);
		rc = wire_end(&wire);
	}
	if (rc == -1)
		print_error("courant: %s: %s\n", p->source->url,
		    why != NULL ? why : "the fetch role gave no answer");
	if (redact.data != NULL)
		explicit_bzero(redact.data, redact.len);
	buf_free(&url);
	buf_free(&headers);
	buf_free(&redact);
	buf_free(&b);
	return rc;
}

/* ---- Results ---- */

/* n: its place in the page. */
static void
print_record(struct poll *p, struct bytes bytes, size_t n)
{
	struct cr_record *r;
	struct buf b;

	if (!cli_verified(&p->job, bytes, VERIFY_RECORD, n) ||
	    (r = record_read(bytes.data, bytes.len)) == NULL)
		return;
	record_set(r, CR_SOURCE, p->source->name, strlen(p->source->name));
	buf_init(&b, 8 * RECORD_MAX);
	record_json(r, record_about(r), &b);
	if (!b.over)
		print_json_text(b.data);
	buf_free(&b);
	record_free(r);
}

static void
take_results(struct poll *p, int out, const struct parse_done *done, uint32_t nth)
{
	struct result_request q;
	enum result_kind kind;
	struct wire all, body;
	size_t size = 0, n = 0;
	const void *m = memfd_seal(out) == 0 ? memfd_map(out, (size_t)done->out, &size) : NULL;

	wire_init(&all, m, m != NULL ? size : 0);
	while (m != NULL && result_next(&all, &kind, &body) == 1) {
		if (kind == RESULT_RECORD)
			print_record(p, (struct bytes){ (const char *)body.at,
			    (size_t)(body.end - body.at) }, ++n);
		if (kind != RESULT_REQUEST)
			continue;
		wire_get(&body, result_request, &q);
		/* All records are new here: go on to the next page if this one had a record. */
		if (wire_end(&body) == -1 || result_request_bad(&q) != NULL ||
		    (q.next && done->records == 0))
			continue;
		if (!q.next || nth + 1 < p->pages)
			wanted_add(&p->wanted, &q, nth + (q.next != 0));
		else
			p->more = 1;
	}
	memfd_unmap(m, m != NULL ? size : 0);
	print_flush();
}

/* Runs a page, or (body -1) plan(), in the worker. 0; or 1, and why it failed is printed. */
static int
run(struct poll *p, struct parse_job *pj, int body)
{
	struct parse_done done = { 0 };
	int out = memfd_new(NULL, 0), rc = 1;
	struct buf why;

	buf_init(&why, 4096);
	if (p->job.chan == NULL)		/* the worker died of an earlier page */
		cli_start(&p->job, W_PARSE, (struct bytes){ "", 0 });
	if (walk_run(&p->job, p->source, pj, body, out, &done, &why) == 0) {
		take_results(p, out, &done, pj->nth);
		rc = done.failed != 0 || p->job.forged > 0;
		if (done.failed != 0)
			buf_str(&why, done.error != NULL ? done.error : "failed");
		if (body != -1)
			print_error("courant: %s: %u records, %u refused%s%s\n", pj->url,
			    done.records, done.refused, done.partial != NULL ? ", partial: " : "",
			    done.partial != NULL ? done.partial : "");
	}
	if (why.len > 0)
		print_error("courant: %s: %s\n", body != -1 ? pj->url : "plan", why.data);
	close(out);
	buf_free(&why);
	return rc;
}

/* The result of a page: read; missing, and the poll goes on without it; failed, and the poll ends.
 * */
enum page { PAGE_READ, PAGE_LACKS, PAGE_ENDS };

static enum page
no_page(const struct poll *p, const struct fetch_done *d, const char *url)
{
	print_error("courant: %s: %s\n", url[0] != '\0' ? url : p->source->url,
	    d->error != NULL ? d->error : "no document came");
	return d->why == FETCH_STATUS && (d->status == 404 || d->status == 410) ? PAGE_LACKS :
	    PAGE_ENDS;
}

/* Fetches a page and parses it; prints why if that fails. */
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
		secret_hide(p->source->instance, done.url, strlen(done.url), &url);
	if (done.headers != NULL)
		secret_hide(p->source->instance, done.headers, strlen(done.headers), &headers);
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

/* Polls as the daemon does: a requested page that does not exist or cannot be parsed is left out;
 * when one cannot be fetched otherwise, the poll ends. */
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
		print_error("courant: %zu pages were read, there are more: --pages\n", asked);
	return rc;
}

/* Finds the source of that name in the configuration; else the plugin, with the options given. */
static void
choose(struct poll *p, const char *name, const char *plugin, const char *url)
{
	p->source = name != NULL ? cli_source(&p->job, name) : NULL;
	if (p->source != NULL && (url != NULL || p->job.given.n > 0))
		cli_misused("%s is a source of the configuration, with options and a url of its own; "
		    "--plugin %s takes these", name, p->job.plugin->name);
	if (p->source == NULL) {
		cli_plugin(&p->job, "source", name != NULL ? name : plugin);
		cli_setup(&p->job, url);
		p->source = &p->job.setup->sources[0];
	}
	if (p->pages == 0)
		p->pages = p->source->pages;
	if ((p->job.plugin->does & DOES_PARSE) != 0)
		return;
	print_error("courant: %s brings records by its own means: there is nothing to fetch\n",
	    p->source->name);
	exit(1);
}

int
cli_fetch(int argc, char **argv)
{
	static const struct option longs[] = {
		CLI_HELP,
		{ "pages", required_argument, NULL, 'n' },
		{ "plugin", required_argument, NULL, 'p' },
		{ "url", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 }
	};
	struct poll p = { .pages = 0, .file = { -1, -1 } };
	const char *name = NULL, *plugin = NULL, *url = NULL;
	long pages;
	int opt, rc;

	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":hp:o:n:u:", longs)) != -1)
		switch (opt) {
		case 'n':
			pages = strtol(optarg, NULL, 10);
			if (pages < 1 || pages > PAGES_MAX)
				cli_misused("--pages %s: a number from 1 to %d is wanted", optarg,
				    PAGES_MAX);
			p.pages = (uint32_t)pages;
			break;
		case 'p':
			plugin = optarg;
			break;
		case 'u':
			url = optarg;
			break;
		default:
			cli_option(&p.job, optarg);
			break;
		}
	if (plugin == NULL && optind < argc)
		name = argv[optind++];
	if ((name == NULL && plugin == NULL) || optind < argc)
		cli_misused(optind < argc ? "one source or plugin is fetched at a time" :
		    "no source or plugin is named");
	STAILQ_INIT(&p.wanted);
	choose(&p, name, plugin, url);
	p.manners = p.job.settings != NULL ? p.job.settings : p.job.setup;
	fetch_start_role(&p);
	cli_start(&p.job, W_PARSE, (struct bytes){ "", 0 });
	rc = poll_once(&p);
	fetch_stop_role(&p);
	buf_free(&p.texts);
	cli_free(&p.job);
	return rc;
}
