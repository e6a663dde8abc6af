/*
 * The contract between Courant and its plugins.
 *
 * A plugin is a shared object with one exported symbol, the constant `cr_plugin_v1`. It does one
 * thing: turns fetched bytes into records (parse), brings records by its own means (stream), judges
 * a record (filter) or passes records on (deliver).
 *
 * Ownership  What you pass is copied before the call returns. What you are handed is borrowed until
 *            your callback returns. Free nothing that the host gave; keep no pointer to it.
 * Text       UTF-8, NUL-terminated; other bytes are replaced and counted. NULL is "none" and does
 *            nothing, in every function here: a look-up's result can be passed on as it is.
 * Units      Times: milliseconds since 1970-01-01T00:00:00Z. Durations: milliseconds. Sizes: bytes.
 * Errors     A callback returns 0, or what fail() or retry() returned (-1). A setter that cannot do
 *            what is asked (NULL record, text over the limit) marks the record, and emit() refuses
 *            it: setters need no checking. Records emitted before a failure are kept.
 * Process    One call at a time, one thread, sandboxed: no network, files, exec or fork beyond
 *            `wants`; a denied call fails with ENOSYS and is logged. stdout and stderr are the log.
 *            Calls may run in different processes and may be repeated after a crash: what has to
 *            last goes into state_set(). Constructors already run inside part of the sandbox.
 * ABI        Within a major version structs only grow at the end, enumerators keep their numbers,
 *            each struct begins with its size. The host reads no further than your `size`; you read
 *            no further than the host's: CR_HAS() before using what is newer than your `needs`.
 *
 * ABI changelog: 1.0 first version. 1.1 CR_SEEN, cr_batch.attempt, cr_request.timeout.
 */
#ifndef COURANT_PLUGIN_H
#define COURANT_PLUGIN_H
#include <stddef.h>
#include <stdint.h>

#define CR_MINOR	1
#define CR_HAS(p, m)	((p)->size >= offsetof(__typeof__(*(p)), m) + sizeof((p)->m))
#define CR_NO_TIME	INT64_MIN
#define CR_PRINTF(f, a)	__attribute__((format(printf, f, a)))
struct cr_record;			/* opaque */

/* Fields of a record. set() replaces the value; of a (list) it appends, and get() takes the nth. */
enum cr_field {
	CR_ID		= 1,	/* read only: 26 characters, the same for ever in every output */
	CR_SOURCE	= 2,	/* read only: name of the source in the configuration */
	CR_GUID		= 3,	/* read only: as given to record() */
	CR_LINK		= 4,	/* URL; a relative one is resolved against the page's */
	CR_TITLE	= 5,	/* plain text */
	CR_SUMMARY	= 6,	/* HTML; the host sanitises it */
	CR_CONTENT	= 7,	/* HTML; the host sanitises it */
	CR_TITLE_HTML	= 8,	/* write only: CR_TITLE, tags removed; with any, sanitised, as the
				 * extra title-html */
	CR_SUMMARY_TEXT	= 9,	/* write only: CR_SUMMARY, escaped */
	CR_CONTENT_TEXT	= 10,	/* write only: CR_CONTENT, escaped */
	CR_PUBLISHED	= 11,	/* time: any date form that the host reads, or set_time() */
	CR_UPDATED	= 12,	/* time */
	CR_LANGUAGE	= 13,	/* BCP 47 */
	CR_IMAGE	= 14,	/* URL */
	CR_COMMENTS	= 15,	/* URL of the discussion */
	CR_CATEGORY	= 16,	/* (list) */
	CR_AUTHOR	= 17,	/* (list) a name, or `Name <mail>`; add_author() for the parts */
	CR_ENCLOSURE	= 18,	/* (list) URL; add_enclosure() for type and size */
	CR_CONTRIBUTOR	= 19,	/* (list) as CR_AUTHOR */
	CR_RIGHTS	= 20,	/* plain text */
	CR_SEEN		= 21,	/* time; read only: when it was first seen */
	CR_RIGHTS_HTML	= 22,	/* write only: CR_RIGHTS, tags removed; extra as with the title */
};

/* Why something failed: decides when it is tried again, and what status shows. */
enum cr_why {
	CR_BAD_DATA	= 1,	/* not of the shape that I read: polled more slowly */
	CR_DENIED	= 2,	/* key refused, account closed: polled more slowly */
	CR_GONE		= 3,	/* for good: the source, or the route's sink, stops until an operator
				 * resumes it */
	CR_BAD_OPTION	= 4,	/* check(): the text begins with the option's name: file:line */
	CR_REJECTED	= 5,	/* deliver(): this record will never be taken: a dead letter */
};

enum cr_verdict {
	CR_DROP		= 0,
	CR_KEEP		= 1,
	CR_WAIT		= 2,	/* not yet: asked again when the record, its counters or its story's
				 * heat change, for the route's `patience` (7 days), then dropped;
				 * nothing behind it waits */
};

/* What a plugin may ask for beyond its own memory; the operator sees it and may refuse. */
enum cr_wants {
	CR_HTTP		= 1,	/* http() and mail(), done for it by the send role */
	CR_NETWORK	= 2,	/* sockets of its own, for other protocols */
	CR_FILES	= 4,	/* its own folder */
	CR_EXEC		= 8,	/* commands that the configuration names */
	CR_SECRETS	= 16,	/* the secrets themselves (a stream, a signature), not stand-ins */
};

/* CR_GET(url), or { .size = sizeof(struct cr_request), .url = ..., ... } */
struct cr_request {
	size_t		 size;
	const char	*url;		/* http or https, absolute */
	const char	*method;	/* NULL: GET, or POST with a body */
	const char	*headers;	/* "Name: value\n" lines after the descriptor's; or NULL */
	const char	*body;
	size_t		 len;		/* of body */
	const char	*tag;		/* comes back in cr_page; at most 255 bytes; or NULL */
	int64_t		 timeout;	/* 1.1: http(): ms for the whole of it; 0: the host's */
};
#define CR_GET(u)	(&(struct cr_request){ .size = sizeof(struct cr_request), .url = (u) })

/* What came. Only 2xx gets here; 304, errors, redirects, limits and encodings are the host's. */
struct cr_page {
	size_t		 size;
	const char	*url;		/* after redirects */
	const char	*type;		/* media type, lower case, bare; "" when not told */
	const char	*charset;	/* as HTTP told it, lower case; "" when not told */
	const char	*tag;		/* of the request; "" for none */
	const char	*body;		/* body[len] is 0 */
	size_t		 len;
	int64_t		 when;		/* it arrived */
	int		 nth;		/* 0: by plan() or `url`; n: after n times next() */
};

/* An answer to http(). Borrowed until the next http(). */
struct cr_response {
	size_t		 size;		/* set it before, as a request's */
	int		 status;	/* 0: none came whole, see error */
	const char	*error;		/* one line, or NULL; with a status: the body was cut */
	const char	*headers;	/* "name: value\n" lines, names in lower case */
	const char	*body;		/* body[len] is 0 */
	size_t		 len;
	int64_t		 retry_after;	/* Retry-After, RateLimit: ms from now; -1: not told */
};

enum cr_kind {
	CR_BATCH_RECORDS = 1,	/* the next records of the route, in order */
	CR_BATCH_LIST	= 2,	/* the whole list as it now stands: a window, a ranking, an edition */
};

/* What deliver() is handed. */
struct cr_batch {
	size_t		 size;
	int		 kind;		/* enum cr_kind */
	const char	*route;		/* its name in the configuration */
	const char	*id;		/* of the delivery: the same again when it is repeated */
	const char	*title;		/* of the list or edition; "" for records */
	const char	*self;		/* where the list is served, or "" */
	int64_t		 from, to;	/* range of an edition; CR_NO_TIME for none */
	const struct cr_record *const *items;
	size_t		 n;
	int		 attempt;	/* 1.1: times in a row that its first record was tried before */
};

/* A visitor's HTTP request to /x/INSTANCE/..., for request() to answer. */
struct cr_visit {
	size_t		 size;
	const char	*method, *path;	/* path: after INSTANCE, decoded, begins with '/' */
	const char	*headers;	/* as in cr_response */
	const char	*form;		/* query and form body as "name=value\n" lines, decoded */
	const char	*body;		/* body[len] is 0 */
	size_t		 len;
	const char	*peer;		/* address; behind a trusted proxy, the client's */
};

/* The host. Called from another callback than those named, a function gives -1 or NULL. */
struct cr {
	size_t	 size;
	int	 minor;

	/* All callbacks. retry(): not before ms from now; -1: the host's schedule. */
	void	(*log)(struct cr *, const char *fmt, ...) CR_PRINTF(2, 3);
	int	(*fail)(struct cr *, int why, const char *fmt, ...) CR_PRINTF(3, 4);
	int	(*retry)(struct cr *, int64_t ms, const char *fmt, ...) CR_PRINTF(3, 4);
	int64_t	(*now)(struct cr *);	/* rather than time(2): tests turn this clock */
	int64_t	(*parse_time)(struct cr *, const char *);	/* CR_NO_TIME: unreadable */

	/* State: 64 KiB an instance. What is set counts once the whole job, all its pages, is done
	 * and stored; until then, and if it fails, state_get() gives the old value. NULL unsets. */
	const char *(*state_get)(struct cr *, const char *key);
	int	(*state_set)(struct cr *, const char *key, const char *value);

	/* parse, stream, request: make a record (guid: the source's own name for it, of which the
	 * id is made; NULL: the link is), fill it, emit it. emit(): -1: refused, and counted. */
	struct cr_record *(*record)(struct cr *, const char *guid);
	int	(*emit)(struct cr *, struct cr_record *);

	/* parse: the document as a whole, as a record that is not emitted: CR_TITLE, CR_LINK,
	 * CR_LANGUAGE..., and as extras what it says of itself: "format", "encoding", hints such as
	 * "ttl", "hub". partial(): it ended early or was mended: what was emitted counts, the source
	 * shows the reason, validators are not kept so that it is soon read again whole. 0.
	 * base(): relative URLs, also those inside HTML, are resolved against this one (itself
	 * resolved against the page's) from here on; NULL: the page's again (xml:base, <base>). */
	struct cr_record *(*feed)(struct cr *);
	int	(*partial)(struct cr *, const char *fmt, ...) CR_PRINTF(2, 3);
	int	(*base)(struct cr *, const char *url);

	/* All callbacks. Bytes in `charset` (any name iconv or the web knows) as UTF-8, what cannot be
	 * read replaced by U+FFFD and counted in *bad (or NULL). out[*len] is 0. Borrowed until the
	 * next convert(). NULL: no such encoding. Open this way, since iconv_open() fails in the
	 * sandbox. */
	const char *(*convert)(struct cr *, const char *charset, const char *text, size_t size,
		    size_t *len, size_t *bad);

	/* The same, and filter: there a change is seen by its route alone, and has to come out the
	 * same when repeated. A counter (votes, stars) that rises adds heat and is no revision. */
	int	(*set)(struct cr_record *, int field, const char *text);
	int	(*set_time)(struct cr_record *, int field, int64_t);
	int	(*set_extra)(struct cr_record *, const char *name, const char *text);
	int	(*set_number)(struct cr_record *, const char *name, double);
	int	(*set_counter)(struct cr_record *, const char *name, int64_t);
	int	(*add_author)(struct cr_record *, const char *name, const char *mail,
		    const char *uri);
	int	(*add_enclosure)(struct cr_record *, const char *url, const char *type,
		    int64_t size);	/* -1: unknown */

	/* filter, deliver. NULL, CR_NO_TIME, 0: has none. Numbers: also counters, and "heat". */
	const char *(*get)(const struct cr_record *, int field, size_t nth);
	int64_t	(*get_time)(const struct cr_record *, int field);
	const char *(*get_extra)(const struct cr_record *, const char *name);
	int	(*get_number)(const struct cr_record *, const char *name, double *);
	const char *(*json)(const struct cr_record *);	/* all of it, as in JSON Lines */

	/* filter: notes why, and returns the verdict */
	int	(*verdict)(struct cr *, int verdict, const char *fmt, ...) CR_PRINTF(3, 4);

	/* plan, parse: have a page fetched; it comes to parse() in a call of its own.
	 * next(), parse only: the following page, fetched when this one held a record not known
	 * before; `pages` in the configuration limits it. */
	int	(*fetch)(struct cr *, const struct cr_request *);
	int	(*next)(struct cr *, const char *url);
	const char *(*header)(struct cr *, const char *name);	/* parse: of the page */
	const char *(*link)(struct cr *, const char *rel);	/* parse: RFC 8288, absolute */

	/* With CR_HTTP: sends n requests, waits for all; returns how many were answered. A redirect
	 * is an answer, and not followed. mail(): one message (RFC 5322, CRLF) to one recipient by
	 * the configured server; 0, or retry()/fail()d. */
	int	(*http)(struct cr *, const struct cr_request *, struct cr_response *, size_t n);
	int	(*mail)(struct cr *, const char *from, const char *to, const char *message, size_t len);

	/* stream: waits for fd (-1: none) or ms. 1: readable, 0: time is up, -1: stop, return. */
	int	(*wait)(struct cr *, int fd, int64_t ms);
	int	(*stored)(struct cr *);	/* stream, request: 0 when all emitted is on disk */
	int	(*answer)(struct cr *, int status, const char *type, const char *body, size_t len);
};

/* Types of options. `NAME_file: PATH` in the configuration reads any of them from a file. A secret
 * is never logged; a parse plugin gets a stand-in for it, which the host replaces in the URL and
 * headers of requests to the host named by the source's `url`, and nowhere else. */
enum cr_type {
	CR_STRING = 1, CR_INT = 2, CR_BOOL = 3, CR_NUMBER = 4, CR_DURATION = 5, CR_SIZE = 6,
	CR_URL = 7, CR_LIST = 8 /* to NULL */, CR_ENUM = 9 /* place in range */, CR_SECRET = 10,
};
#define CR_C_STRING	const char *
#define CR_C_INT	int64_t
#define CR_C_BOOL	int
#define CR_C_NUMBER	double
#define CR_C_DURATION	int64_t
#define CR_C_SIZE	int64_t
#define CR_C_URL	const char *
#define CR_C_LIST	const char *const *
#define CR_C_ENUM	int
#define CR_C_SECRET	const char *

struct cr_option {
	const char	*name;
	int		 type;
	size_t		 offset;	/* in the struct that the callbacks get as opts */
	const char	*value;		/* default; NULL: has to be given; "": NULL, 0 or empty */
	const char	*range;		/* "1..500", "0..", an enum's "any|all"; NULL: anything */
	const char	*help;		/* one line, no full stop */
};
/* For the member m of struct s; does not compile when its type is not the option's. */
#define CR_OPTION(s, m, t, value, range, help)	{ #m, CR_##t, offsetof(s, m) + \
	0 * sizeof(char[_Generic(((s *)0)->m, CR_C_##t: 1, default: -1)]), value, range, help }
#define CR_END	{ NULL, 0, 0, NULL, NULL, NULL }

struct cr_default {			/* a source that starts when the plugin is dropped in */
	const char	*name;		/* NULL: end of the list */
	const char	*options;	/* "name: value\n" lines */
};

struct cr_plugin {
	size_t		 size;
	int		 minor;		/* both by CR_PLUGIN */
	int		 needs;		/* lowest minor of the host that will do */
	const char	*name;		/* [a-z][a-z0-9_]{0,31}, one of a kind */
	const char	*version, *help;	/* one line each */
	const struct cr_option *options;	/* to CR_END, or NULL */
	size_t		 options_size;	/* of the struct they fill; members of your own are 0 */
	int		 wants;		/* enum cr_wants, or-ed */
	int		 takes;		/* deliver: enum cr_kind; 0: records. A list holds as many as the
					 * sink's option `keep` (INT) says, else 50 */
	const char	*url;		/* to fetch, unless configured or planned; {OPTION}; or in turn
					 * OPTION=VALUE and the URL for it, divided by spaces */
	const char	*headers;	/* "Name: value\n" lines for each request; {OPTION}: a line in
					 * which one is empty is left out; a list alone: its own lines */
	const struct cr_default *defaults;

	int	(*check)(struct cr *, const void *opts);	/* reading a configuration */
	int	(*open)(struct cr *, void *opts);		/* first in each process */
	void	(*close)(struct cr *, void *opts);
	int	(*plan)(struct cr *, void *opts);		/* a poll is due: call fetch() */
	/* One of these four; filter returns enum cr_verdict, or -1: a dead letter; deliver how many
	 * of the first are done, having called fail() or retry() for the next if not all are. */
	int	(*parse)(struct cr *, void *opts, const struct cr_page *);
	int	(*stream)(struct cr *, void *opts);
	int	(*filter)(struct cr *, void *opts, struct cr_record *);
	size_t	(*deliver)(struct cr *, void *opts, const struct cr_batch *);
	int	(*request)(struct cr *, void *opts, const struct cr_visit *);	/* besides */
};
#define CR_PLUGIN	.size = sizeof(struct cr_plugin), .minor = CR_MINOR

extern const struct cr_plugin cr_plugin_v1 __attribute__((visibility("default")));
#endif
