/* courant parse: runs a source plugin in its sandboxed worker over local files, the pages of one
 * job; prints JSON. */
#include "cli_parse.h"
#include "cli_model.h"
#include "cli_print.h"
#include "cli_usage.h"
#include "cli_user.h"
#include "cli_walk.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "catalog/plugin.h"
#include "conf/setup_secret.h"
#include "ipc/memfd.h"
#include "record/record.h"
#include "record/result.h"

#include <jansson.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCUMENT_MAX	(64 << 20)	/* bytes of one */
#define HEADERS_MAX	65536
#define NOWHERE		"http://nowhere.invalid/"	/* for plugins that require a url */

struct parser {
	struct cli_job		 job;
	const struct source	*source;
	const char		*url;		/* of the first page; "": not given */
	struct buf		 headers;	/* of --header, one a line */
	struct wanteds		 wanted;	/* requested by the pages before */
	int			 batch;
	int			 failed;	/* a document failed: the exit status */
};

/* A document: its bytes, and the headers of an HTTP answer. */
struct document {
	int		 body;
	uint64_t	 len;
	struct buf	 headers;	/* "name: value\n", names in lower case */
	char		*type, *charset, *url;
};

/* ---- a document ---- */

/* Copies all of fd, a file or a pipe, into the memfd. -1 with errno. */
static int
copy_body(struct document *d, int fd)
{
	char part[65536];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0) {
		if (write(d->body, part, (size_t)n) != n)
			return -1;
		d->len += (uint64_t)n;
		if (d->len > DOCUMENT_MAX) {
			errno = EFBIG;
			return -1;
		}
	}
	return n == -1 || write(d->body, "", 1) != 1 || memfd_seal(d->body) == -1 ? -1 : 0;
}

/* "-": standard input. */
static int
read_body(struct document *d, const char *path)
{
	int in = strcmp(path, "-") == 0 ? STDIN_FILENO : cli_file(path);
	int rc = -1;

	d->body = in != -1 ? memfd_new(NULL, 0) : -1;
	if (d->body != -1)
		rc = copy_body(d, in);
	if (in > STDIN_FILENO)
		close(in);
	return rc;
}

/* Splits a Content-Type into the bare type and its charset. */
static void
take_type(struct document *d, const char *value)
{
	const char *cs = strcasestr(value, "charset");
	char *s;

	free(d->type);
	d->type = xstrndup(value, strcspn(value, "; \t"));
	for (s = d->type; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	if (cs == NULL)
		return;
	cs += strlen("charset") + strspn(cs + strlen("charset"), " \t");
	if (*cs != '=')
		return;
	cs += 1 + strspn(cs + 1, " \t\"'");
	free(d->charset);
	d->charset = xstrndup(cs, strcspn(cs, "\"'; \t"));
	for (s = d->charset; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
}

static void
take_header(struct document *d, char *line)
{
	char *value = strchr(line, ':');

	if (value == NULL)
		return;
	*value++ = '\0';
	value += strspn(value, " \t");
	value[strcspn(value, "\r\n")] = '\0';
	for (char *s = line; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	buf_fmt(&d->headers, "%s: %s\n", line, value);
	if (strcmp(line, "content-type") == 0)
		take_type(d, value);
	else if (strcmp(line, "x-feed-url") == 0)
		xreplace(&d->url, value);
}

/* Reads the headers in the file at path (or NULL), and those of --header. -1 with errno: the file
 * cannot be read. */
static int
read_headers(const struct parser *p, struct document *d, const char *path)
{
	char *line = NULL, *given, *rest, *copy = xstrdup(p->headers.len > 0 ? p->headers.data : "");
	int rc = 0, error;
	size_t cap = 0;
	FILE *f;

	buf_init(&d->headers, HEADERS_MAX);
	d->type = xstrdup("");
	d->charset = xstrdup("");
	d->url = xstrdup(p->url);
	f = path != NULL ? fopen(path, "re") : NULL;
	errno = path != NULL && f == NULL ? errno : 0;
	while (f != NULL && getline(&line, &cap, f) != -1)
		take_header(d, line);
	error = errno;
	rc = (path != NULL && f == NULL) || (f != NULL && ferror(f)) ? -1 : 0;
	for (rest = copy; (given = strsep(&rest, "\n")) != NULL;)
		take_header(d, given);
	free(line);
	free(copy);
	if (f != NULL)
		fclose(f);
	errno = error;
	return rc;
}

static void
document_free(struct document *d)
{
	if (d->body != -1)
		close(d->body);
	buf_free(&d->headers);
	free(d->type);
	free(d->charset);
	free(d->url);
}

/* ---- its results ---- */

/* Adds a request of the plugin to the JSON and to the wanted pages, and prints it for people. */
static void
put_request(struct parser *p, json_t *requests, struct wire *body, uint32_t nth)
{
	struct result_request q;
	const char *method;
	struct buf url;
	json_t *o;

	wire_get(body, result_request, &q);
	if (wire_end(body) == -1 || result_request_bad(&q) != NULL)
		return;
	wanted_add(&p->wanted, &q, nth + (q.next != 0));
	buf_init(&url, 2 * RESULT_URL_MAX);
	secret_shown(q.url, &url);
	method = q.method != NULL ? q.method : q.body.len > 0 ? "POST" : "GET";
	o = json_pack("{s:s, s:s}", "method", method, "url", url.data != NULL ? url.data : "");
	if (q.next)
		json_object_set_new(o, "next", json_true());
	model_text(o, "tag", q.tag);
	if (q.body.len > 0)
		json_object_set_new(o, "body", json_stringn(q.body.data, q.body.len));
	json_array_append_new(requests, o);
	if (!p->batch)
		print_error("request: %s %s%s%s%s\n", method, url.data, q.next ? " (next)" : "",
		    q.tag != NULL ? " tag " : "", q.tag != NULL ? q.tag : "");
	buf_free(&url);
}

/* Adds all results of a document to top. */
static void
put_results(struct parser *p, json_t *top, int out, size_t len, uint32_t nth)
{
	json_t *entries = json_array(), *requests = json_array();
	size_t size = 0, n = 0;
	int opml;
	const void *m = NULL;
	enum result_kind kind;
	struct cr_record *r;
	struct wire all, body;
	struct bytes b;
	const char *format;

	if (memfd_seal(out) == 0)
		m = memfd_map(out, len, &size);
	wire_init(&all, m, m != NULL ? size : 0);
	while (m != NULL && result_next(&all, &kind, &body) == 1) {
		if (kind == RESULT_REQUEST)
			put_request(p, requests, &body, nth);
		if (kind != RESULT_RECORD && kind != RESULT_FEED)
			continue;
		b = (struct bytes){ (const char *)body.at, (size_t)(body.end - body.at) };
		n += kind == RESULT_RECORD;
		if (!cli_verified(&p->job, b, kind == RESULT_FEED ? VERIFY_FEED : VERIFY_RECORD,
		    kind == RESULT_FEED ? nth + 1 : n) || (r = record_read(b.data, b.len)) == NULL)
			continue;
		if (kind == RESULT_FEED) {
			model_feed(top, r);
		} else
			json_array_append_new(entries, model_record(r));
		record_free(r);
	}
	memfd_unmap(m, m != NULL ? size : 0);
	format = json_string_value(json_object_get(top, "format"));
	opml = format != NULL && strncmp(format, "opml", 4) == 0;
	if (opml)
		model_outlines(entries);
	json_object_set_new(top, opml ? "outlines" : "entries", entries);
	model_list(top, "requests", requests);
}

/* ---- the job ---- */

/* Runs a page, or (d NULL) plan(), in the worker; adds the results, or the error, to top. */
static void
run(struct parser *p, json_t *top, struct parse_job *pj, const struct document *d)
{
	int out = memfd_new(NULL, 0);
	struct parse_done done = { 0 };
	struct buf why;

	buf_init(&why, 4096);
	if (p->job.chan == NULL)
		cli_start(&p->job, W_PARSE, (struct bytes){ "", 0 });
	if (walk_run(&p->job, p->source, pj, d != NULL ? d->body : -1, out, &done, &why) == 0) {
		if (done.failed != 0)
			buf_str(&why, done.error != NULL ? done.error : "failed");
		put_results(p, top, out, (size_t)done.out, pj->nth);
		model_text(top, "partial", done.partial);
	}
	if (why.len > 0)
		json_set_text(top, "error", why.data);
	close(out);
	buf_free(&why);
}

static void
document_print(struct parser *p, json_t *top, size_t flags)
{
	p->failed |= json_object_get(top, "error") != NULL;
	if (print_json(top, flags) == -1) {
		p->failed = 1;
		print_json_text("{\"error\": \"not writable as JSON\"}");
	}
	print_flush();
	json_decref(top);
}

/* w: the request that the document answers, whose URL, tag and number it gets; NULL: none. */
static void
parse_page(struct parser *p, json_t *top, struct document *d, const struct wanted *w)
{
	struct parse_job pj = walk_job(p->source);
	struct buf url;

	buf_init(&url, 2 * RESULT_URL_MAX);
	if (w != NULL) {
		secret_shown(w->url, &url);
		xreplace(&d->url, url.data != NULL ? url.data : "");
		pj.tag = w->tag;
		pj.nth = w->nth;
	}
	pj.url = d->url;
	pj.type = d->type;
	pj.charset = d->charset;
	pj.headers = d->headers.data != NULL ? d->headers.data : "";
	pj.len = d->len;
	run(p, top, &pj, d);
	buf_free(&url);
}

/* Parses a file and prints the JSON. headers: a file of them; NULL: none. w: as in parse_page(). */
static void
parse_one(struct parser *p, const char *path, const char *headers, const struct wanted *w,
    size_t flags)
{
	struct document d = { .body = -1 };
	json_t *top = json_object();
	struct buf why;

	buf_init(&why, 2 * PATH_MAX);
	if (read_headers(p, &d, headers) == -1)
		buf_fmt(&why, "%s: %s%s", headers, strerror(errno), cli_user_as());
	else if (read_body(&d, path) == -1)
		buf_fmt(&why, "%s: %s%s", path, strerror(errno), cli_user_as());
	else
		parse_page(p, top, &d, w);
	if (why.over || why.len > 0)
		json_object_set_new(top, "error",
		    json_text(why.over ? "its name is too long" : why.data));
	buf_free(&why);
	document_print(p, top, flags);
	document_free(&d);
}

static void
parse_batch(struct parser *p)
{
	char *line = NULL, *tab;
	struct wanted *w;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) != -1) {
		line[strcspn(line, "\r\n")] = '\0';
		tab = strchr(line, '\t');
		if (tab != NULL)
			*tab++ = '\0';
		parse_one(p, line, tab == NULL || strcmp(tab, "-") == 0 ? NULL : tab, NULL,
		    JSON_COMPACT);
		while ((w = wanted_take(&p->wanted)) != NULL)	/* each is a job of its own */
			wanted_free(w);
	}
	if (ferror(stdin)) {
		print_error("courant: standard input: %s\n", strerror(errno));
		p->failed = 1;
	}
	free(line);
}

/* Parses the files in turn. Each answers the oldest open request; without one, it is read as the
 * source's own page. */
static void
parse_files(struct parser *p, char **files, int plan)
{
	struct parse_job pj;
	json_t *top;
	struct wanted *w;

	if (plan) {
		top = json_object();
		pj = walk_job(p->source);
		run(p, top, &pj, NULL);
		if (json_object_get(top, "error") != NULL)
			document_print(p, top, JSON_INDENT(2));
		else
			json_decref(top);
	}
	for (; *files != NULL; files++) {
		w = wanted_take(&p->wanted);
		parse_one(p, *files, NULL, w, JSON_INDENT(2));
		wanted_free(w);
	}
}

/* ---- the command ---- */

/* The URL for the source: that of --url; NULL: the plugin's, if it has exactly one; else NOWHERE.
 * */
static const char *
url_for(const struct parser *p)
{
	const char *own = p->job.plugin->url;

	if (p->url[0] != '\0')
		return p->url;
	return own != NULL && own[0] != '\0' && strchr(own, ' ') == NULL ? NULL : NOWHERE;
}

static void
parser_setup(struct parser *p, const char *which)
{
	char *file = NULL;
	const char *url;

	if (which == NULL)
		which = file = xasprintf("%s/source_feed.so", child_plugin_dir());
	cli_plugin(&p->job, "source", which);
	url = url_for(p);
	cli_setup(&p->job, url);
	p->source = &p->job.setup->sources[0];
	if (url == NULL || url == p->url)		/* the URI that the daemon would request */
		p->url = p->source->url;
	free(file);
}

static void
parser_free(struct parser *p)
{
	struct wanted *w;

	while ((w = wanted_take(&p->wanted)) != NULL)
		wanted_free(w);
	cli_free(&p->job);
	buf_free(&p->headers);
}

int
cli_parse(int argc, char **argv)
{
	static const struct option longs[] = {
		CLI_HELP,
		{ "batch", no_argument, NULL, 'b' },
		{ "header", required_argument, NULL, 'H' },
		{ "plugin", required_argument, NULL, 'p' },
		{ "url", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 }
	};
	struct parser p = { .url = "" };
	const char *which = NULL;
	int opt, plan;

	STAILQ_INIT(&p.wanted);
	buf_init(&p.headers, HEADERS_MAX);
	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":bhp:o:H:u:", longs)) != -1)
		switch (opt) {
		case 'b':
			p.batch = 1;
			break;
		case 'H':
			buf_fmt(&p.headers, "%s\n", optarg);
			break;
		case 'p':
			which = optarg;
			break;
		case 'u':
			p.url = optarg;
			break;
		default:
			cli_option(&p.job, optarg);
			break;
		}
	if (p.batch == (optind < argc))
		cli_misused(p.batch ? "--batch reads the names of files from standard input" :
		    "no file is named");
	plan = p.url[0] == '\0';
	cli_user_files(argv + optind);
	parser_setup(&p, which);
	if (p.batch)
		parse_batch(&p);
	else
		parse_files(&p, argv + optind, plan && (p.job.plugin->does & DOES_PLAN) != 0);
	parser_free(&p);
	return p.failed || p.job.forged > 0;
}
