/* courant parse: a source plugin in its sandboxed worker over local files; prints JSON. */
#include "cli.h"
#include "catalog.h"
#include "chan.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "option.h"
#include "record.h"
#include "result.h"
#include "child.h"
#include "filter.h"

#include <jansson.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS	30000		/* for one document */
#define DOCUMENT_MAX	(64 << 20)	/* bytes of one */
#define HEADERS_MAX	65536
#define WORKER_MEMORY	(512u << 20)
#define OUT_MAX		(256u << 20)

/* The worker that parses, started again when it dies. */
struct parser {
	const struct plugin	*plugin;
	struct options		 options;
	struct child		 child;
	struct chan		*chan;		/* NULL: none runs */
};

/* One document: its bytes and what HTTP would have told. */
struct document {
	int		 body;
	uint64_t	 len;
	struct buf	 headers;	/* "name: value\n", names in lower case */
	char		*type, *charset, *url;
};

/* ---- the worker ---- */

static void
parser_start(struct parser *p)
{
	struct w_start ws = { .mode = W_PARSE, .memory = WORKER_MEMORY, .out = OUT_MAX,
		.cpu = INT64_C(3600000), .name = p->plugin->name };
	struct buf b;

	if (spawn_worker(&p->child, 0) == -1)
		exit(1);
	p->chan = chan_new(p->child.fd);
	filter_fill(&ws);
	buf_init(&b, msg_limit(MSG_W_START));
	wire_put(&b, w_start, &ws);
	wire_put_u32(&b, 1);
	wire_put_str(&b, p->plugin->copy);
	wire_put_bytes(&b, "", 0);
	(void)chan_send(p->chan, MSG_W_START, 0, &b, -1, -1);
	buf_free(&b);
}

/* Ends the worker and says in why how it ended. */
static void
parser_stop(struct parser *p, struct buf *why)
{
	int status = 0;

	if (p->chan == NULL)
		return;
	chan_free(p->chan);
	p->chan = NULL;
	usleep(1000);
	kill(p->child.pid, SIGKILL);
	while (waitpid(p->child.pid, &status, 0) == -1 && errno == EINTR)
		;
	if (why != NULL)
		spawn_obituary(why, status);
}

static void
send_job(struct parser *p, const struct document *d, int out)
{
	struct parse_job pj = { .source = p->plugin->name, .url = d->url, .type = d->type,
		.charset = d->charset, .headers = d->headers.data, .tag = "",
		.when = date_now(), .now = date_now(), .len = d->len, .hash = 1 };
	struct buf options, b;

	buf_init(&options, OPTION_SET_MAX);
	options_write(&p->options, &options);
	pj.options = (struct bytes){ options.len > 0 ? options.data : "", options.len };
	pj.state = (struct bytes){ "", 0 };
	if (pj.headers == NULL)
		pj.headers = "";
	buf_init(&b, msg_limit(MSG_W_PARSE));
	wire_put(&b, parse_job, &pj);
	(void)chan_send(p->chan, MSG_W_PARSE, 0, &b, d->body, out);
	buf_free(&options);
	buf_free(&b);
}

/* Waits for the answer. 0, or -1 and why. The strings of pd are borrowed from the channel. */
static int
receive(struct parser *p, struct parse_done *pd, struct buf *why)
{
	struct frame f;
	struct wire w;
	const char *s;
	int rc;

	while ((rc = chan_recv(p->chan, &f, DEADLINE_MS)) == 1 && f.type == MSG_READY)
		;
	if (rc == 1 && f.type == MSG_W_PARSED) {
		wire_init(&w, f.data, f.len);
		wire_get(&w, parse_done, pd);
		if (wire_end(&w) == 0)
			return 0;
		buf_str(why, "the worker sent a bad frame: ");
	} else if (rc == 1 && f.type == MSG_W_ABOUT) {
		wire_init(&w, f.data, f.len);
		(void)wire_u32(&w);
		s = wire_str(&w);
		buf_fmt(why, "%s: ", s != NULL ? s : "the worker could not be set up");
	} else if (rc == 0)
		buf_fmt(why, "the deadline of %d s passed: ", DEADLINE_MS / 1000);
	else
		buf_str(why, "the worker died: ");
	parser_stop(p, why);
	return -1;
}

/* ---- a document ---- */

/* Copies what fd gives, a file or a pipe, into the memory file. -1 with errno. */
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
	return n == -1 || write(d->body, "", 1) != 1 || result_seal(d->body) == -1 ? -1 : 0;
}

/* "-": standard input. */
static int
read_body(struct document *d, const char *path)
{
	int in = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int rc = -1;

	d->body = in != -1 ? result_fd(NULL, 0) : -1;
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

static void
read_headers(struct document *d, const char *path)
{
	char *line = NULL;
	size_t cap = 0;
	FILE *f;

	buf_init(&d->headers, HEADERS_MAX);
	d->type = xstrdup("");
	d->charset = xstrdup("");
	d->url = xstrdup("");
	f = path != NULL ? fopen(path, "re") : NULL;
	while (f != NULL && getline(&line, &cap, f) != -1)
		take_header(d, line);
	free(line);
	if (f != NULL)
		fclose(f);
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

/* ---- JSON in the record model ---- */

static const struct {
	const char	*name;
	int		 field;
} lines[] = {
	{ "id", CR_GUID }, { "title", CR_TITLE }, { "link", CR_LINK }, { "summary", CR_SUMMARY },
	{ "content", CR_CONTENT }, { "language", CR_LANGUAGE }, { "rights", CR_RIGHTS },
	{ "comments", CR_COMMENTS }, { "image", CR_IMAGE },
};
static const struct {
	const char	*name;
	int		 field;
} times[] = { { "published", CR_PUBLISHED }, { "updated", CR_UPDATED } },
  people[] = { { "authors", CR_AUTHOR }, { "contributors", CR_CONTRIBUTOR } };

static void
set_text(json_t *o, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(o, name, json_string(text));
}

static json_t *
people_json(const struct cr_record *r, int field)
{
	json_t *list = json_array(), *o;
	struct record_author a;

	for (size_t i = 0; record_author(r, field, i, &a); i++) {
		o = json_object();
		set_text(o, "name", a.name);
		set_text(o, "email", a.mail);
		set_text(o, "uri", a.uri);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
enclosures_json(const struct cr_record *r)
{
	json_t *list = json_array(), *o;
	struct record_enclosure e;

	for (size_t i = 0; record_enclosure(r, i, &e); i++) {
		o = json_object();
		set_text(o, "url", e.url);
		set_text(o, "type", e.type);
		if (e.size >= 0)
			json_object_set_new(o, "length", json_integer(e.size));
		json_array_append_new(list, o);
	}
	return list;
}

/* Sets a list unless it is empty. */
static void
set_list(json_t *o, const char *name, json_t *list)
{
	if (json_array_size(list) > 0)
		json_object_set_new(o, name, list);
	else
		json_decref(list);
}

static json_t *
extras_json(const struct cr_record *r)
{
	json_t *list = json_array(), *o = json_object();
	const char *name, *text;
	int64_t count;
	double value;
	size_t i;

	for (i = 0; record_extra_at(r, i, &name, &text); i++)
		set_text(o, name, text);
	for (i = 0; record_number_at(r, i, &name, &value); i++)
		json_object_set_new(o, name, json_real(value));
	for (i = 0; record_counter_at(r, i, &name, &count); i++)
		json_object_set_new(o, name, json_integer(count));
	if (json_object_size(o) > 0)
		json_array_append(list, o);
	json_decref(o);
	return list;
}

static json_t *
record_model(const struct cr_record *r)
{
	json_t *o = json_object(), *list = json_array();
	char date[DATE_MAX];
	const char *s;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		set_text(o, lines[i].name, record_get(r, lines[i].field, 0));
	for (i = 0; i < 2; i++)
		if (record_get_time(r, times[i].field) != CR_NO_TIME)
			set_text(o, times[i].name,
			    date_rfc3339(date, record_get_time(r, times[i].field)));
	for (i = 0; i < 2; i++)
		set_list(o, people[i].name, people_json(r, people[i].field));
	for (i = 0; (s = record_get(r, CR_CATEGORY, i)) != NULL; i++)
		json_array_append_new(list, json_string(s));
	set_list(o, "categories", list);
	set_list(o, "enclosures", enclosures_json(r));
	set_list(o, "extras", extras_json(r));
	return o;
}

/* The document's own record: format, encoding and well-formedness stand at the top. */
static void
put_feed(json_t *top, const struct cr_record *r)
{
	const char *flawed = record_get_extra(r, "wellformed");
	json_t *feed = record_model(r);
	const char *s;

	set_text(top, "format", record_get_extra(r, "format"));
	set_text(top, "encoding", record_get_extra(r, "encoding"));
	if (flawed != NULL)
		json_object_set_new(top, "wellformed", json_boolean(strcmp(flawed, "no") != 0));
	s = record_get(r, CR_SUMMARY, 0);
	set_text(feed, "description", s != NULL ? s : record_get(r, CR_CONTENT, 0));
	json_object_del(feed, "summary");
	set_text(feed, "id", record_get_extra(r, "id"));
	set_text(feed, "generator", record_get_extra(r, "generator"));
	json_object_set_new(top, "feed", feed);
}

/* An entry of a list of feeds says `url` where others say `link`. */
static void
make_outlines(json_t *entries)
{
	json_t *o;
	size_t i;

	json_array_foreach(entries, i, o) {
		if (json_object_get(o, "link") != NULL)
			json_object_set(o, "url", json_object_get(o, "link"));
		if (json_object_get(o, "categories") == NULL)
			json_object_set_new(o, "categories", json_array());
	}
}

/* All results of a document, in the record model. */
static void
put_results(json_t *top, int out, size_t len)
{
	json_t *entries = json_array();
	size_t size = 0;
	int opml;
	const void *p = NULL;
	enum result_kind kind;
	struct cr_record *r;
	struct wire all, body;
	const char *format;

	if (result_seal(out) == 0)
		p = result_map(out, len, &size);
	wire_init(&all, p, p != NULL ? size : 0);
	while (p != NULL && result_next(&all, &kind, &body) == 1) {
		if (kind != RESULT_RECORD && kind != RESULT_FEED)
			continue;
		r = record_read(body.at, (size_t)(body.end - body.at));
		if (r == NULL)
			continue;
		if (kind == RESULT_FEED) {
			put_feed(top, r);
		} else
			json_array_append_new(entries, record_model(r));
		record_free(r);
	}
	result_unmap(p, p != NULL ? size : 0);
	format = json_string_value(json_object_get(top, "format"));
	opml = format != NULL && strncmp(format, "opml", 4) == 0;
	if (opml)
		make_outlines(entries);
	json_object_set_new(top, opml ? "outlines" : "entries", entries);
}

/* ---- the command ---- */

static void
parse_one(struct parser *p, const char *path, const char *headers, size_t flags)
{
	json_t *top = json_object();
	struct parse_done pd;
	struct document d = { .body = -1 };
	struct buf why;
	int out = result_fd(NULL, 0);
	char *text;

	buf_init(&why, 4096);
	read_headers(&d, headers);
	if (p->chan == NULL)
		parser_start(p);
	if (read_body(&d, path) == -1) {
		buf_fmt(&why, "%s: %s", path, strerror(errno));
	} else {
		send_job(p, &d, out);
		if (receive(p, &pd, &why) == 0) {
			if (pd.failed != 0)
				buf_str(&why, pd.error != NULL ? pd.error : "failed");
			put_results(top, out, (size_t)pd.out);
			set_text(top, "partial", pd.partial);
		}
	}
	if (why.len > 0)
		set_text(top, "error", why.data);
	text = json_dumps(top, flags);
	puts(text != NULL ? text : "{\"error\": \"not writable as JSON\"}");
	fflush(stdout);
	free(text);
	json_decref(top);
	document_free(&d);
	close(out);
	buf_free(&why);
}

static void
parse_batch(struct parser *p)
{
	char *line = NULL, *tab;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) != -1) {
		line[strcspn(line, "\r\n")] = '\0';
		tab = strchr(line, '\t');
		if (tab != NULL)
			*tab++ = '\0';
		parse_one(p, line, tab == NULL || strcmp(tab, "-") == 0 ? NULL : tab, JSON_COMPACT);
	}
	free(line);
}

static void
take_option(struct options *o, char *text)
{
	char *value = strchr(text, '=');

	if (value == NULL)
		cli_usage();
	/* cppcheck-suppress [nullPointerRedundantCheck,nullPointerArithmeticRedundantCheck] ; it exits */
	*value++ = '\0';
	options_add(o, text, value);
}

int
cli_parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "batch", no_argument, NULL, 'b' },
		{ "plugin", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 }
	};
	struct parser p = { .plugin = NULL };
	struct catalog *c = catalog_new();
	char *file = NULL;
	int opt, batch = 0;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "+bp:o:", longs, NULL)) != -1)
		switch (opt) {
		case 'b':
			batch = 1;
			break;
		case 'p':
			xreplace(&file, optarg);
			break;
		case 'o':
			take_option(&p.options, optarg);
			break;
		default:
			cli_usage();
		}
	if (batch == (optind < argc))
		cli_usage();
	if (file == NULL)
		file = xasprintf("%s/source_feed.so", spawn_plugin_dir());
	p.plugin = catalog_file(c, file, NULL);
	if (p.plugin->error != NULL) {
		fprintf(stderr, "courant: %s: %s\n", file, p.plugin->error);
		return 1;
	}
	if (batch)
		parse_batch(&p);
	for (; optind < argc; optind++)
		parse_one(&p, argv[optind], NULL, JSON_INDENT(2));
	parser_stop(&p, NULL);
	options_free(&p.options);
	catalog_free(c);
	free(file);
	return 0;
}
