/*
 * A host for tests: calls a plugin from its author's test program, without the daemon.
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
 * Compile it with the plugin's source: cc -std=c17 -o test test.c plugin.c. Header only; needs C17
 * and the C library. For C only, not for C++.
 *
 * Ownership	Arguments are copied. All that the fake host returns or passes to the plugin exists
 *		until cr_fake_free(), so a pointer that the plugin keeps too long is not found.
 *		Out of memory: abort().
 * The same	Phases (a call from the wrong callback returns -1 or NULL), setters that accept NULL,
 *		marked records that emit() refuses, maxima of texts and lists, 64 open records,
 *		options with their types, ranges and defaults, state that counts when a job is done,
 *		secrets as stand-ins, verdicts, the effects of failures, JSON, what a message of
 *		mails() may be.
 * Left out	The sandbox, deadlines and memory limits. Sanitising: HTML is not changed. Dates
 *		other than RFC 3339 and RFC 5322, character references other than five, encodings
 *		other than UTF-8 and Latin-1, white space beyond ASCII. NAME_file, {each}. Ids and
 *		`seen` of records, which store assigns. Test these with `courant parse`, `courant
 *		fetch` and `courant filter`: see courant-plugin(7).
 */
#ifndef COURANT_FAKEHOST_H
#define COURANT_FAKEHOST_H
#include "plugin.h"

struct cr_fake;			/* below: a job's results, and settings for the test */

/* ---- The functions for tests; each job returns 0, or -1 with f->failed and f->error ---- */

/* Makes a fake host for a plugin. options: one line `name=value` for each, or NULL. The first job,
 * or cr_fake_open(), calls the plugin's check() and open(). Never NULL. */
static inline struct cr_fake *cr_fake_new(const struct cr_plugin *, const char *options);
static inline void cr_fake_free(struct cr_fake *);		/* NULL is fine */
static inline int cr_fake_open(struct cr_fake *);

/* Jobs of sources: parse() of one page; plan(); a whole poll over the pages of cr_fake_serve();
 * stream(), whose wait() returns -1 after `waits` calls. headers: "Name: value\n" lines, or
 * NULL. */
static inline int cr_fake_parse(struct cr_fake *, const char *url, const char *headers,
    const char *body);
static inline int cr_fake_plan(struct cr_fake *);
static inline void cr_fake_serve(struct cr_fake *, const char *url, const char *headers,
    const char *body);
static inline int cr_fake_poll(struct cr_fake *);
static inline int cr_fake_stream(struct cr_fake *, int waits);

/* Makes a record for filters and sinks; guid: or NULL. fake_record.h has its setters,
 * cr_fake_set(), cr_fake_set_time(), ..., and the getters cr_fake_get(), cr_fake_get_time(),
 * cr_fake_json(). */
static inline struct cr_record *cr_fake_record(struct cr_fake *, const char *guid);
/* Returns an enum cr_verdict, its reason in f->why; or -1. */
static inline int cr_fake_filter(struct cr_fake *, struct cr_record *);
/* Returns how many of the first records are done. */
static inline size_t cr_fake_deliver(struct cr_fake *, struct cr_record *const *, size_t n);
/* The same of an edition, with the title and name of the fields below and the parts of
 * cr_fake_section(); of a plugin that does not take editions, of records. */
static inline size_t cr_fake_edition(struct cr_fake *, struct cr_record *const *, size_t n);
/* Passes a letter of the host's to deliver(). 0 or -1. */
static inline int cr_fake_letter(struct cr_fake *, const char *title, const char *text,
    const char *link);
/* Adds a part of the editions to come: the n records behind those of the part before it. */
static inline void cr_fake_section(struct cr_fake *, const char *title, size_t n, int64_t left_out);
/* Adds a reader to the batches to come, for a plugin with CR_MAIL. leave, leave_mail: or NULL. */
static inline void cr_fake_recipient(struct cr_fake *, const char *address, const char *id,
    const char *leave, const char *leave_mail);
/* Adds an answer to http(), used in order; status 0: no answer, with the error in body. */
static inline void cr_fake_answer(struct cr_fake *, int status, const char *headers,
    const char *body);

/* A visit below /x/: the answer is in f->status, f->type, f->body. path: the part after the
 * source's name, beginning with '/'. headers: as above. form: query and form as decoded
 * "name=value\n" lines, passed to request() unchanged and not derived from path or body. Each may
 * be NULL. */
static inline int cr_fake_visit(struct cr_fake *, const char *method, const char *path,
    const char *headers, const char *form, const char *body);

#include "fake_options.h"
#include "fake_record.h"
#include "fake_text.h"

#include <time.h>

#define CR_FAKE_OPEN	64		/* records not yet emitted, at most */
#define CR_FAKE_STATE	(64u << 10)	/* bytes of state */
#define CR_FAKE_RETRY	100		/* cr_fake.failed: retry() was called */
#define CR_FAKE_WAIT	1000		/* ms of real time that wait() waits for a file
					 * descriptor */
#define CR_FAKE_PAGES	10		/* default of cr_fake.pages */
#define CR_FAKE_MAIL_MAX	((size_t)10 << 20)	/* bytes of a message of mails() */
#define CR_FAKE_MAIL_LINE	998		/* of one of its lines */
#define CR_FAKE_RECIPIENTS	32		/* of a batch */

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

	/* Settings, for the test to change at any time. */
	int64_t		 now;			/* the clock: starts with the real time and does not
						 * advance; pages arrive then, and later dates of
						 * records become it */
	int		 pages;			/* of a poll, at most */
	const char	*route, *title;		/* of the batches for deliver() */
	int		 attempt;		/* of the batches for deliver() */
	const char	*id;			/* of the batches for deliver() */
	const char	*name, *zone, *archive, *oldest;	/* of editions */
	struct cr_record *const *others;	/* of them, for a plugin with CR_BATCH_ARCHIVE */
	size_t		 nothers;
	int64_t		 from, to, sealed, left_out;	/* of editions; sealed, 0: now, of letters too */
	const char	*sender, *list_id;	/* for a plugin with CR_MAIL */
	size_t		 unaccepted;		/* so many of the next messages are not accepted */
	int		 found;			/* answer of search() in filter(): 1 at first */

	/* Results of the last job. */
	int		 failed;		/* 0, enum cr_why, CR_FAKE_RETRY */
	const char	*error;			/* of fail() and retry(); or NULL */
	int64_t		 retry;			/* ms, of retry(); or -1 */
	const char	*partial;		/* by partial(); or NULL */
	const char	*why;			/* by verdict(); or NULL */
	struct cr_record **records;		/* emitted, in order */
	size_t		 nrecords, refused;	/* refused: by emit(), with the reason in log */
	struct cr_record *feed;			/* of feed(); or NULL */
	struct cr_fake_request *requests;	/* of fetch(), next() and http(), in order */
	size_t		 nrequests;
	const char	*next;			/* URL of next(), fetched or not; or NULL */
	struct cr_fake_mail *mails;
	size_t		 nmails;
	int		 status;		/* by answer(), the last one; 0: none */
	const char	*type, *body;
	struct cr_fake_text log;		/* log.data: all lines since cr_fake_new() */

	/* Private to the fake host. */
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
	size_t		 confirmed;		/* by done() */
	struct cr_section **sections;
	struct cr_recipient **recipients;
	size_t		 nsections, nrecipients;
	struct cr_fake_served *served, *answers;
	size_t		 nserved, nanswers, answered;
	struct cr_fake_state *state, *pending;
	size_t		 nstate, npending;
	const char	**known;		/* guids, links and titles of earlier records */
	size_t		 nknown;
};

#include "fake_cr.h"

/* ---- Life ---- */

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
		.feed_of = cr_fake_host_feed_of, .done = cr_fake_host_done,
		.tex = cr_fake_host_tex, .wait_for = cr_fake_host_wait_for,
		.mails = cr_fake_host_mails, .search = cr_fake_host_search,
	};
	f->mem = first;
	f->plugin = plugin;
	f->now = (int64_t)time(NULL) * 1000;
	f->pages = CR_FAKE_PAGES;
	f->route = f->title = "test";
	f->id = "delivery";
	f->name = "2025-03-14";
	f->zone = "Europe/Paris";
	f->archive = "";
	f->from = f->to = CR_NO_TIME;
	f->sender = "Test <test@example.org>";
	f->list_id = "test.example.org";
	f->arrived = CR_NO_TIME;
	f->retry = -1;
	f->found = 1;
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
	mem = f->mem;			/* f is allocated from it */
	cr_fake_release(&mem);
}

/* Fills the options and calls the plugin's check() and open(). 0; -1: f->error has the reason. */
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

/* Begins a job: clears the results of the last one. -1: the plugin cannot be opened. */
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

/* Applies the changes of state if the job went well, or drops them. */
static inline void
cr_fake_keep(struct cr_fake *f, int well)
{
	size_t i;

	for (i = 0; i < f->npending && well; i++)
		cr_fake_set_state(f, f->pending[i].key, f->pending[i].value);
	f->npending = 0;
}

/* Ends a job: its changes of state count unless it failed. 0 or -1. */
static inline int
cr_fake_end(struct cr_fake *f)
{
	cr_fake_keep(f, f->failed == 0);
	return f->failed == 0 ? 0 : -1;
}

/* Call after a callback has returned rc. */
static inline void
cr_fake_leave(struct cr_fake *f, int rc, const char *callback)
{
	if (rc != 0 || f->failed != 0)
		cr_fake_blame(f, callback);
	f->phase = CR_FAKE_NONE;
	f->nopen = 0;			/* made, but not emitted */
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

/* Runs parse() for one page, as a job. Members that page lacks are taken from the headers ("Name:
 * value\n" lines, or NULL) or are empty. Requests are in f->requests and f->next, and are not
 * fetched. 0; -1: f->failed and f->error are set; f->records has the records emitted before. */
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

/* Runs plan(); its requests are in f->requests. 0 or -1. */
static inline int
cr_fake_plan(struct cr_fake *f)
{
	if (cr_fake_begin(f) == -1 || f->plugin->plan == NULL)
		return -1;
	f->phase = CR_FAKE_PLAN;
	cr_fake_leave(f, f->plugin->plan(&f->cr, f->opts), "plan");
	return cr_fake_end(f);
}

/* Adds a page for cr_fake_poll(), with its URL. */
static inline void
cr_fake_serve(struct cr_fake *f, const char *url, const char *headers, const char *body)
{
	f->served = cr_fake_more(f, f->served, f->nserved, sizeof(*f->served));
	f->served[f->nserved++] = (struct cr_fake_served){ cr_fake_string(f, url),
		cr_fake_string(f, headers), cr_fake_string(f, body), 200 };
}

/* Calls parse() with the page of a request. */
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

/* Runs a whole poll over the pages of cr_fake_serve(): those of plan(), or the plugin's `url`, then
 * each page of fetch() and next(), of next() only while the pages have new records. f->requests:
 * all pages fetched. 0 or -1. */
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

/* Runs stream(), whose wait() returns -1 after `waits` calls; each call advances f->now. 0 or
 * -1. */
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

/* Runs filter(). Returns its enum cr_verdict, the reason in f->why; -1: f->error has the reason.
 * The filter changes the record itself, and r->changed[FIELD] is 1 for a changed field. */
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

static inline void
cr_fake_answer(struct cr_fake *f, int status, const char *headers, const char *body)
{
	f->answers = cr_fake_more(f, f->answers, f->nanswers, sizeof(*f->answers));
	f->answers[f->nanswers++] = (struct cr_fake_served){ NULL, cr_fake_string(f, headers),
		cr_fake_string(f, body), status };
}

/* Runs deliver(). Returns how many of the batch's first records are done, of a letter 1; if not all,
 * f->failed and f->error are set. */
static inline size_t
cr_fake_batch(struct cr_fake *f, struct cr_batch *batch)
{
	int letter = batch->kind == CR_BATCH_LETTER, records = batch->kind == CR_BATCH_RECORDS;
	size_t done;

	batch->size = sizeof(*batch);
	batch->route = f->route;
	batch->id = f->id;
	batch->attempt = f->attempt;
	batch->sealed = records ? 0 : f->sealed != 0 ? f->sealed : f->now;
	batch->recipients = (const struct cr_recipient *const *)f->recipients;
	batch->nrecipients = f->nrecipients;
	batch->sender = f->sender;
	batch->list_id = f->list_id;
	batch->oldest = letter || records || f->oldest == NULL ? "" : f->oldest;
	if (cr_fake_begin(f) == -1 || f->plugin->deliver == NULL)
		return 0;
	f->phase = CR_FAKE_DELIVER;
	f->confirmed = 0;
	done = f->plugin->deliver(&f->cr, f->opts, batch);
	done = done > f->confirmed ? done : f->confirmed;
	done = done < batch->n ? done : batch->n;
	if (letter)
		done = f->failed == 0;
	else if (done == batch->n)
		f->failed = 0;
	else if (f->failed == 0 && (done == 0 || !records))
		cr_fake_retry(&f->cr, -1, "deliver() left records without saying why");
	f->phase = CR_FAKE_NONE;
	cr_fake_keep(f, f->failed == 0 || (done > 0 && records));
	return done;
}

/* Passes n records to deliver(), as the kind of batch that the plugin takes (of several: single
 * records). Returns how many of the first are done; if not all, f->failed and f->error are set. */
static inline size_t
cr_fake_deliver(struct cr_fake *f, struct cr_record *const *records, size_t n)
{
	int list = f->plugin->takes != 0 && (f->plugin->takes & CR_BATCH_RECORDS) == 0;
	struct cr_batch batch = {
		.self = "", .kind = list ? CR_BATCH_LIST : CR_BATCH_RECORDS,
		.title = list ? f->title : "", .name = "", .zone = "", .archive = "", .text = "",
		.from = CR_NO_TIME, .to = CR_NO_TIME, .n = n,
		.items = (const struct cr_record *const *)records,
	};

	return cr_fake_batch(f, &batch);
}

static inline size_t
cr_fake_edition(struct cr_fake *f, struct cr_record *const *records, size_t n)
{
	struct cr_batch batch = {
		.self = "", .kind = CR_BATCH_EDITION, .title = f->title, .from = f->from,
		.to = f->to, .name = f->name, .zone = f->zone, .archive = f->archive, .text = "",
		.left_out = f->left_out, .n = n, .nsections = f->nsections,
		.sections = (const struct cr_section *const *)f->sections,
		.items = (const struct cr_record *const *)records,
	};
	const struct cr_section whole = { .size = sizeof(whole), .title = "", .n = n,
		.left_out = f->left_out };
	const struct cr_section *one = &whole;
	const int archive = (f->plugin->takes & CR_BATCH_ARCHIVE) != 0;

	if ((f->plugin->takes & CR_BATCH_EDITION) == 0)
		return cr_fake_deliver(f, records, n);
	if (archive) {
		batch.others = (const struct cr_record *const *)f->others;
		batch.nothers = f->nothers;
	}
	if (f->nsections == 0) {
		batch.sections = &one;
		batch.nsections = 1;
	}
	return cr_fake_batch(f, &batch);
}

static inline int
cr_fake_letter(struct cr_fake *f, const char *title, const char *text, const char *link)
{
	struct cr_batch batch = {
		.kind = CR_BATCH_LETTER, .title = title, .text = text, .self = link, .name = "",
		.zone = "", .archive = "", .from = CR_NO_TIME, .to = CR_NO_TIME,
	};

	return cr_fake_batch(f, &batch) == 1 ? 0 : -1;
}

static inline void
cr_fake_section(struct cr_fake *f, const char *title, size_t n, int64_t left_out)
{
	const struct cr_section *last = f->nsections > 0 ? f->sections[f->nsections - 1] : NULL;
	struct cr_section *s = cr_fake_alloc(&f->mem, sizeof(*s));

	*s = (struct cr_section){ sizeof(*s), cr_fake_string(f, title),
		last != NULL ? last->first + last->n : 0, n, left_out };
	f->sections = cr_fake_more(f, f->sections, f->nsections, sizeof(struct cr_section *));
	f->sections[f->nsections++] = s;
}

static inline void
cr_fake_recipient(struct cr_fake *f, const char *address, const char *id, const char *leave,
    const char *leave_mail)
{
	struct cr_recipient *r = cr_fake_alloc(&f->mem, sizeof(*r));

	if (f->nrecipients == CR_FAKE_RECIPIENTS)
		return;
	*r = (struct cr_recipient){ sizeof(*r), cr_fake_string(f, address), cr_fake_string(f, id),
		cr_fake_string(f, leave), cr_fake_string(f, leave_mail) };
	f->recipients = cr_fake_more(f, f->recipients, f->nrecipients,
	    sizeof(struct cr_recipient *));
	f->recipients[f->nrecipients++] = r;
}

/* Headers with names in lower case, as request() gets them; NULL: "". */
static inline const char *
cr_fake_lower_names(struct cr_fake *f, const char *headers)
{
	char *copy = cr_fake_copy(&f->mem, headers != NULL ? headers : "",
	    headers != NULL ? strlen(headers) : 0), *s;
	int name = 1;

	for (s = copy; *s != '\0'; s++) {
		name = s == copy || s[-1] == '\n' ? 1 : name && *s != ':';
		if (name && *s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
	}
	return copy;
}

static inline int
cr_fake_visit(struct cr_fake *f, const char *method, const char *path, const char *headers,
    const char *form, const char *body)
{
	struct cr_visit visit = { .size = sizeof(visit), .method = method, .path = path,
		.form = form != NULL ? form : "", .body = body != NULL ? body : "",
		.len = body != NULL ? strlen(body) : 0, .peer = "127.0.0.1" };

	if (cr_fake_begin(f) == -1 || f->plugin->request == NULL)
		return -1;
	visit.headers = cr_fake_lower_names(f, headers);
	f->phase = CR_FAKE_VISIT;
	cr_fake_leave(f, f->plugin->request(&f->cr, f->opts, &visit), "request");
	if (f->failed != 0)
		f->status = 0;
	return cr_fake_end(f);
}
#endif
