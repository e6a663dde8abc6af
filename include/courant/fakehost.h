/*
 * A host for tests: drives a plugin from its author's own test program, without the daemon.
 *
 *	#include <courant/fakehost.h>
 *	#include <assert.h>
 *
 *	int
 *	main(void)
 *	{
 *		struct cr_fake *f = cr_fake_new(&cr_plugin_v1, "topic=birds\nlimit=20\n");
 *
 *		assert(cr_fake_parse(f, "https://example.org/list", "Content-Type: text/plain",
 *		    "a line\n") == 0);
 *		assert(f->nrecords == 1);
 *		assert(strcmp(cr_fake_get(f->records[0], CR_TITLE, 0), "a line") == 0);
 *		cr_fake_free(f);
 *		return 0;
 *	}
 *
 * Compile it with the plugin's own source: cc -std=c17 -o test test.c plugin.c. Header
 * only, C17, nothing but the C library. For C: it does not try to be C++.
 *
 * Ownership	What is passed is copied. All that the fake host gives is its own and stays until
 *		cr_fake_free(); what the plugin is handed goes on living too, so a pointer that it
 *		keeps too long is not found out here. Out of memory: abort().
 * The same	Phases (a call from the wrong callback gives -1 or NULL), setters that take NULL,
 *		marked records that emit() refuses, maxima of texts and lists, 64 open records,
 *		options with their types, ranges and defaults, state that counts when a job is done,
 *		secrets as stand-ins, verdicts, what a failure does, JSON.
 * Left out	The sandbox, deadlines and memory limits. Sanitising of HTML: it is kept as it is.
 *		Dates but for RFC 3339 and RFC 5322; character references but for five; encodings
 *		but for UTF-8 and Latin-1; white space beyond ASCII. NAME_file, {each}. Ids and
 *		`seen` of records, which store gives. Try those with `courant parse`, `courant
 *		fetch`, `courant filter`: see courant-plugin(7).
 */
#ifndef COURANT_FAKEHOST_H
#define COURANT_FAKEHOST_H
#include "plugin.h"
#include "fake_options.h"
#include "fake_record.h"
#include "fake_text.h"

#include <time.h>

#define CR_FAKE_OPEN	64		/* records made and not yet emitted */
#define CR_FAKE_STATE	(64u << 10)	/* bytes of state */
#define CR_FAKE_RETRY	100		/* cr_fake.failed: retry() was called */
#define CR_FAKE_PAGES	10		/* of a poll, unless cr_fake.pages says otherwise */

enum cr_fake_phase { CR_FAKE_NONE = 0, CR_FAKE_CHECK = 1, CR_FAKE_CLOSE = 2, CR_FAKE_PLAN = 4,
	CR_FAKE_PARSE = 8, CR_FAKE_STREAM = 16, CR_FAKE_FILTER = 32, CR_FAKE_DELIVER = 64,
	CR_FAKE_VISIT = 128 };

struct cr_fake_request {		/* of fetch(), next() and http(); "" rather than NULL */
	const char	*url, *method, *headers, *body, *tag;
	size_t		 len;		/* of body */
	int		 nth;
};
struct cr_fake_served {			/* a page, or an answer to http() */
	const char	*url, *headers, *body;
	int		 status;
};
struct cr_fake_mail { const char *from, *to, *message; };
struct cr_fake_state { const char *key, *value; };	/* value NULL: unset */

struct cr_fake {
	struct cr	 cr;			/* first: callbacks get a pointer to it */

	/* Yours to set, at any time. */
	int64_t		 now;			/* the clock: begins as the real one, and stands; a
						 * page arrives then, and no later date is believed */
	int		 pages;			/* of a poll, at most */
	const char	*route, *title;		/* of the batches that deliver() gets */
	int		 attempt;		/* the same */

	/* What the last job left. */
	int		 failed;		/* 0, enum cr_why, CR_FAKE_RETRY */
	const char	*error;			/* of fail() and retry(); or NULL */
	int64_t		 retry;			/* ms, by retry(); -1 */
	const char	*partial;		/* by partial(); or NULL */
	const char	*why;			/* by verdict(); or NULL */
	struct cr_record **records;		/* emitted, in order */
	size_t		 nrecords, refused;	/* refused: by emit(), the log says why */
	struct cr_record *feed;			/* of feed(); or NULL */
	struct cr_fake_request *requests;	/* all that was asked for, in order */
	size_t		 nrequests;
	const char	*next;			/* by next(), followed or not; or NULL */
	struct cr_fake_mail *mails;
	size_t		 nmails;
	int		 status;		/* by answer(), the last one; 0: none */
	const char	*type, *body;
	struct cr_fake_text log;		/* log.data: all lines since cr_fake_new() */

	/* The fake host's own. */
	struct cr_fake_mem mem;
	const struct cr_plugin *plugin;
	struct cr_fake_given *given;
	void		*opts;
	int		 opened;
	enum cr_fake_phase phase;
	const struct cr_page *page;
	const char	*headers, *base;	/* of the page */
	int64_t		 arrived;		/* CR_NO_TIME: parse() does not run */
	int		 nopen, fresh, waits;
	struct cr_fake_served *served, *answers;
	size_t		 nserved, nanswers, answered;
	struct cr_fake_state *state, *pending;
	size_t		 nstate, npending;
	const char	**known;		/* guids and links of records seen before */
	size_t		 nknown;
};

#include "fake_cr.h"

/* ---- Life ---- */

/* A fake host with the plugin in it, and its options: a line `name=value` each, or NULL. The plugin
 * is checked and opened with the first job, or by cr_fake_open(). Never NULL. */
static inline struct cr_fake *
cr_fake_new(const struct cr_plugin *plugin, const char *options)
{
	struct cr_fake_mem first = { NULL };
	struct cr_fake *f = cr_fake_alloc(&first, sizeof(*f));

	f->cr = (struct cr){
		.size = sizeof(f->cr), .minor = CR_MINOR, .log = cr_fake_log, .fail = cr_fake_fail,
		.retry = cr_fake_retry, .now = cr_fake_host_now, .parse_time = cr_fake_host_time,
		.state_get = cr_fake_host_state_get, .state_set = cr_fake_host_state_set,
		.record = cr_fake_host_record, .emit = cr_fake_emit, .feed = cr_fake_host_feed,
		.partial = cr_fake_host_partial, .base = cr_fake_host_base,
		.convert = cr_fake_host_convert, .set = cr_fake_host_set,
		.set_time = cr_fake_host_set_time, .set_extra = cr_fake_host_set_extra,
		.set_number = cr_fake_host_set_number, .set_counter = cr_fake_host_set_counter,
		.add_author = cr_fake_host_add_author, .add_enclosure = cr_fake_host_add_enclosure,
		.get = cr_fake_host_get, .get_time = cr_fake_host_get_time,
		.get_extra = cr_fake_host_get_extra, .get_number = cr_fake_host_get_number,
		.json = cr_fake_host_json, .verdict = cr_fake_host_verdict,
		.fetch = cr_fake_host_fetch, .next = cr_fake_host_next,
		.header = cr_fake_host_header, .link = cr_fake_host_link,
		.http = cr_fake_host_http, .mail = cr_fake_host_mail, .wait = cr_fake_host_wait,
		.stored = cr_fake_host_stored, .answer = cr_fake_host_answer,
	};
	f->mem = first;
	f->plugin = plugin;
	f->now = (int64_t)time(NULL) * 1000;
	f->pages = CR_FAKE_PAGES;
	f->route = f->title = "test";
	f->arrived = CR_NO_TIME;
	f->retry = -1;
	f->log.mem = &f->mem;
	cr_fake_str(&f->log, "");
	f->given = cr_fake_given(&f->mem, options != NULL ? options : "");
	return f;
}

static inline void
cr_fake_free(struct cr_fake *f)
{
	struct cr_fake_mem mem;

	if (f == NULL)
		return;
	if (f->opened && f->plugin->close != NULL) {
		f->phase = CR_FAKE_CLOSE;
		f->plugin->close(&f->cr, f->opts);
	}
	mem = f->mem;			/* f lies in it */
	cr_fake_release(&mem);
}

/* Fills the options, has the plugin check and open them. 0; -1: f->error says why. */
static inline int
cr_fake_open(struct cr_fake *f)
{
	struct cr_fake_text err = { .mem = &f->mem };

	if (f->opened)
		return 0;
	f->failed = 0;
	f->error = NULL;
	if (f->given == NULL)
		return cr_fake_fail(&f->cr, CR_BAD_OPTION, "options are lines of name=value");
	f->opts = cr_fake_fill(&f->mem, f->plugin, f->given, (f->plugin->wants & CR_SECRETS) == 0 &&
	    f->plugin->parse != NULL, &err);
	if (f->opts == NULL)
		return cr_fake_fail(&f->cr, CR_BAD_OPTION, "%s", err.data);
	f->phase = CR_FAKE_CHECK;
	if (f->plugin->check != NULL && (f->plugin->check(&f->cr, f->opts) != 0 || f->failed != 0))
		cr_fake_blame(f, "check");
	else if (f->plugin->open != NULL && (f->plugin->open(&f->cr, f->opts) != 0 || f->failed != 0))
		cr_fake_blame(f, "open");
	f->phase = CR_FAKE_NONE;
	f->opened = f->failed == 0;
	return f->opened ? 0 : -1;
}

/* A job begins: what the last one left is gone. -1: the plugin cannot be opened. */
static inline int
cr_fake_begin(struct cr_fake *f)
{
	f->failed = f->status = 0;
	f->error = f->partial = f->why = f->next = f->type = f->body = NULL;
	f->retry = -1;
	f->records = NULL;
	f->requests = NULL;
	f->mails = NULL;
	f->nrecords = f->refused = f->nrequests = f->nmails = f->npending = 0;
	f->feed = NULL;
	return cr_fake_open(f);
}

/* What was set as state counts, or does not. */
static inline void
cr_fake_keep(struct cr_fake *f, int well)
{
	size_t i;

	for (i = 0; i < f->npending && well; i++)
		cr_fake_set_state(f, f->pending[i].key, f->pending[i].value);
	f->npending = 0;
}

/* It ends: what was set as state counts, unless it failed. 0 or -1. */
static inline int
cr_fake_end(struct cr_fake *f)
{
	cr_fake_keep(f, f->failed == 0);
	return f->failed == 0 ? 0 : -1;
}

/* A callback has returned. */
static inline void
cr_fake_leave(struct cr_fake *f, int rc, const char *callback)
{
	if (rc != 0 || f->failed != 0)
		cr_fake_blame(f, callback);
	f->phase = CR_FAKE_NONE;
	f->nopen = 0;			/* made, and never emitted */
}

/* ---- Sources ---- */

static inline void
cr_fake_run_page(struct cr_fake *f, const struct cr_page *given, const char *headers)
{
	struct cr_fake_text t = { .mem = &f->mem };
	struct cr_page page = *given;
	const char *type = cr_fake_header(f, headers, "content-type", 0), *at;

	type = type != NULL ? type : "";
	at = strstr(type, "charset=");
	page.size = sizeof(page);
	page.url = page.url != NULL ? page.url : "http://localhost/";
	page.type = page.type != NULL ? page.type :
	    cr_fake_copy(&f->mem, type, strcspn(type, "; "));
	at = at != NULL ? at + 8 + strspn(at + 8, "\"") : "";
	page.charset = page.charset != NULL ? page.charset :
	    cr_fake_copy(&f->mem, at, strcspn(at, "\"; "));
	page.tag = page.tag != NULL ? page.tag : "";
	cr_fake_add(&t, page.body != NULL ? page.body : "", page.body != NULL ? page.len : 0);
	page.body = t.data;
	page.when = page.when != 0 ? page.when : f->now;
	f->page = &page;
	f->headers = headers;
	f->base = page.url;
	f->arrived = page.when;
	f->phase = CR_FAKE_PARSE;
	cr_fake_leave(f, f->plugin->parse(&f->cr, f->opts, &page), "parse");
	f->arrived = CR_NO_TIME;
	f->page = NULL;
	f->base = NULL;
}

/* One page to parse(), as a job of its own. Of page, members left out are found in the headers
 * ("Name: value\n" lines, or NULL) or empty. What it asks for is in f->requests and f->next, and not
 * fetched. 0, or -1: f->failed, f->error; what was emitted before is there. */
static inline int
cr_fake_page(struct cr_fake *f, const struct cr_page *page, const char *headers)
{
	if (cr_fake_begin(f) == -1 || f->plugin->parse == NULL)
		return -1;
	cr_fake_run_page(f, page, headers);
	return cr_fake_end(f);
}

static inline int
cr_fake_parse(struct cr_fake *f, const char *url, const char *headers, const char *body)
{
	const struct cr_page page = { .size = sizeof(page), .url = url, .body = body,
		.len = strlen(body) };

	return cr_fake_page(f, &page, headers);
}

/* What a plugin plans when a poll is due: f->requests. 0 or -1. */
static inline int
cr_fake_plan(struct cr_fake *f)
{
	if (cr_fake_begin(f) == -1 || f->plugin->plan == NULL)
		return -1;
	f->phase = CR_FAKE_PLAN;
	cr_fake_leave(f, f->plugin->plan(&f->cr, f->opts), "plan");
	return cr_fake_end(f);
}

/* From here on, cr_fake_poll() finds this page under the URL. */
static inline void
cr_fake_serve(struct cr_fake *f, const char *url, const char *headers, const char *body)
{
	f->served = cr_fake_more(f, f->served, f->nserved, sizeof(*f->served));
	f->served[f->nserved++] = (struct cr_fake_served){ cr_fake_string(f, url),
		cr_fake_string(f, headers), cr_fake_string(f, body), 200 };
}

/* Gives parse() the page that was asked for. */
static inline void
cr_fake_answer_page(struct cr_fake *f, const struct cr_fake_request *rq)
{
	const struct cr_fake_served *found = NULL;
	size_t i;

	for (i = 0; i < f->nserved; i++)
		if (strcmp(f->served[i].url, rq->url) == 0)
			found = &f->served[i];
	if (found == NULL) {
		cr_fake_retry(&f->cr, -1, "%s: nothing is served there", rq->url);
		return;
	}
	f->next = NULL;
	f->fresh = 0;
	cr_fake_run_page(f, &(struct cr_page){ .url = found->url, .body = found->body,
		.len = strlen(found->body), .tag = rq->tag, .nth = rq->nth }, found->headers);
	if (f->next != NULL && f->fresh > 0)
		cr_fake_ask(f, CR_GET(f->next), rq->nth + 1);
}

/* A whole poll over what is served: plan(), else the plugin's `url`; then each page that fetch() and
 * next() ask for, next() only while pages hold a record not known before. f->requests: all pages
 * that were fetched. 0 or -1. */
static inline int
cr_fake_poll(struct cr_fake *f)
{
	struct cr_fake_text url = { .mem = &f->mem }, headers = { .mem = &f->mem };
	struct cr_fake_request rq;
	size_t i;

	if (cr_fake_begin(f) == -1 || f->plugin->parse == NULL)
		return -1;
	if (f->plugin->plan != NULL) {
		f->phase = CR_FAKE_PLAN;
		cr_fake_leave(f, f->plugin->plan(&f->cr, f->opts), "plan");
	} else {
		cr_fake_template(&url, f->plugin, f->given, f->plugin->url != NULL ?
		    f->plugin->url : "http://localhost/", 1);
		cr_fake_template(&headers, f->plugin, f->given, f->plugin->headers != NULL ?
		    f->plugin->headers : "", 0);
		cr_fake_ask(f, &(struct cr_request){ .url = url.data, .headers = headers.data }, 0);
	}
	for (i = 0; i < f->nrequests && f->failed == 0; i++) {
		rq = f->requests[i];
		if (rq.nth < f->pages)
			cr_fake_answer_page(f, &rq);
	}
	return cr_fake_end(f);
}

/* stream(), whose wait() says `stop` after so many waits, each of which moves f->now on. 0 or -1. */
static inline int
cr_fake_stream(struct cr_fake *f, int waits)
{
	if (cr_fake_begin(f) == -1 || f->plugin->stream == NULL)
		return -1;
	f->waits = waits;
	f->phase = CR_FAKE_STREAM;
	cr_fake_leave(f, f->plugin->stream(&f->cr, f->opts), "stream");
	return cr_fake_end(f);
}

/* ---- Filters, sinks, visits ---- */

/* What the filter says: enum cr_verdict, f->why; -1: f->error. Its changes are made in the record,
 * and r->changed[FIELD] tells of which. */
static inline int
cr_fake_filter(struct cr_fake *f, struct cr_record *r)
{
	size_t i;
	int verdict;

	if (cr_fake_begin(f) == -1 || f->plugin->filter == NULL)
		return -1;
	memset(r->changed, 0, sizeof(r->changed));
	for (i = 0; i < r->n; i++)
		r->values[i].changed = 0;
	f->base = r->text[CR_LINK];
	f->phase = CR_FAKE_FILTER;
	verdict = f->plugin->filter(&f->cr, f->opts, r);
	if (verdict != -1 && (verdict < CR_DROP || verdict > CR_WAIT))
		cr_fake_fail(&f->cr, CR_BAD_DATA, "filter() returned %d, which is no verdict", verdict);
	if (f->failed == 0 && r->bad != NULL)
		cr_fake_fail(&f->cr, CR_REJECTED, "changed to what no record may be: %s", r->bad);
	cr_fake_leave(f, verdict == -1 ? -1 : 0, "filter");
	f->base = NULL;
	return cr_fake_end(f) == 0 ? verdict : -1;
}

/* The next answer to http(), in order; status 0: none comes, for the reason in body. */
static inline void
cr_fake_answer(struct cr_fake *f, int status, const char *headers, const char *body)
{
	f->answers = cr_fake_more(f, f->answers, f->nanswers, sizeof(*f->answers));
	f->answers[f->nanswers++] = (struct cr_fake_served){ NULL, cr_fake_string(f, headers),
		cr_fake_string(f, body), status };
}

/* Hands n records to deliver(), as what the plugin takes (of both: single records). How many of the
 * first are done; if not all, f->failed and f->error say why. */
static inline size_t
cr_fake_deliver(struct cr_fake *f, struct cr_record *const *records, size_t n)
{
	struct cr_batch batch = {
		.size = sizeof(batch), .id = "delivery", .route = f->route, .self = "",
		.kind = f->plugin->takes == CR_BATCH_LIST ? CR_BATCH_LIST : CR_BATCH_RECORDS,
		.title = f->plugin->takes == CR_BATCH_LIST ? f->title : "",
		.from = CR_NO_TIME, .to = CR_NO_TIME, .n = n, .attempt = f->attempt,
		.items = (const struct cr_record *const *)records,
	};
	size_t done;

	if (cr_fake_begin(f) == -1 || f->plugin->deliver == NULL)
		return 0;
	f->phase = CR_FAKE_DELIVER;
	done = f->plugin->deliver(&f->cr, f->opts, &batch);
	done = done < n ? done : n;
	if (done == n)
		f->failed = 0;
	else if (f->failed == 0)
		cr_fake_retry(&f->cr, -1, "deliver() left records without saying why");
	f->phase = CR_FAKE_NONE;
	cr_fake_keep(f, done == n || (done > 0 && batch.kind == CR_BATCH_RECORDS));
	return done;
}

/* A visit under /x/: the answer is in f->status, f->type, f->body. form: "name=value\n" lines, or
 * NULL. 0 or -1. */
static inline int
cr_fake_visit(struct cr_fake *f, const char *method, const char *path, const char *form)
{
	const struct cr_visit visit = { .size = sizeof(visit), .method = method, .path = path,
		.headers = "", .form = form != NULL ? form : "", .body = "", .peer = "127.0.0.1" };

	if (cr_fake_begin(f) == -1 || f->plugin->request == NULL)
		return -1;
	f->phase = CR_FAKE_VISIT;
	cr_fake_leave(f, f->plugin->request(&f->cr, f->opts, &visit), "request");
	if (f->failed != 0)
		f->status = 0;
	return cr_fake_end(f);
}
#endif
