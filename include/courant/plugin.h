/*
 * The contract between Courant and its plugins.
 *
 * A plugin is a shared object with one exported symbol, the constant `cr_plugin_v1`. It has one
 * task: to turn fetched pages into records (parse), to produce records by its own means (stream),
 * to judge a record (filter) or to pass records on (deliver).
 *
 * Ownership  The host copies what you pass before the call returns. What the host passes or returns
 *            to you is borrowed until your callback returns: do not free it, keep no pointer to it.
 * Text       UTF-8, NUL-terminated; invalid bytes are replaced and counted. NULL means "none", and
 *            every function here accepts it and does nothing: the result of a look-up can be passed
 *            on unchecked.
 * Units      Times: milliseconds since 1970-01-01T00:00:00Z. Durations: milliseconds. Sizes: bytes.
 * Errors     A callback returns 0, or what fail() or retry() returned (-1). A setter that fails
 *            (text over the limit) marks the record, and emit() refuses a marked or NULL record:
 *            the results of setters need no check. Records emitted before a failure are stored.
 * Process    One call at a time, one thread, sandboxed: no network, files, exec or fork beyond
 *            `wants`; a denied system call fails with ENOSYS and is logged. stdout and stderr go to
 *            the log. Calls may run in different processes and may be repeated after a crash: store
 *            with state_set() what a later call needs. Constructors already run in the sandbox, and
 *            what they write to stdout and stderr is lost.
 * ABI        Within a major version structs only grow at the end, enumerators keep their numbers,
 *            and each struct begins with its size. The host reads your structs up to their `size`;
 *            you read the host's up to theirs: check with CR_HAS() a member that is newer than
 *            your `needs`.
 *
 * C++        C++17 with GNU extensions (g++, clang++) or C++20: initialise members in the order of
 *            this header, let no exception leave a callback. The request of CR_GET() exists until
 *            the end of the call that it is an argument of.
 *
 * ABI changelog: 1.0 first version. 1.1 CR_SEEN, CR_DATE, cr_batch.attempt, timeout
 * and in_turn of cr_request. 1.2 CR_REVISED, feed_of(),
 * CR_BY_TITLE; emit() refuses a record that has neither guid nor link. 1.3 wait() in deliver(), which
 * may leave records for another call; done(), done of cr_request. 1.4 tex(), wait_for(). 1.5 CR_MAIL,
 * CR_BATCH_EDITION, CR_BATCH_LETTER, CR_BATCH_ARCHIVE, sections, recipients and others of a batch, mails().
 * 1.6 search().
 */
#ifndef COURANT_PLUGIN_H
#define COURANT_PLUGIN_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CR_MINOR	6
#define CR_HAS(p, m)	((p)->size >= offsetof(__typeof__(*(p)), m) + sizeof((p)->m))
#define CR_NO_TIME	INT64_MIN
#define CR_PRINTF(f, a)	__attribute__((format(printf, f, a)))
struct cr_record;			/* opaque */

/* 1.2: pass to record() as the guid, for sources whose entries may have neither guid nor link
 * (RSS). The id of a record without a link is then made from title and date, without a title also
 * from the text. Two entries that agree in these are one record. */
#define CR_BY_TITLE	"\x01" "title"

/* Fields of a record. set() replaces a value, or appends to a (list); get() reads its nth value. */
enum cr_field {
	CR_ID		= 1,	/* read only: 26 characters, permanent, the same in all outputs */
	CR_SOURCE	= 2,	/* read only: name of the source in the configuration */
	CR_GUID		= 3,	/* read only: as given to record() */
	CR_LINK		= 4,	/* URL; a relative one is resolved against the page's */
	CR_TITLE	= 5,	/* plain text */
	CR_SUMMARY	= 6,	/* HTML; the host sanitises it */
	CR_CONTENT	= 7,	/* HTML; the host sanitises it */
	CR_TITLE_HTML	= 8,	/* write only: HTML; sets CR_TITLE with the tags removed, and if it
				 * has tags, the extra title-html, sanitised */
	CR_SUMMARY_TEXT	= 9,	/* write only: plain text; sets CR_SUMMARY, escaped, with <br/> for
				 * line ends */
	CR_CONTENT_TEXT	= 10,	/* write only: plain text; sets CR_CONTENT likewise */
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
	CR_RIGHTS_HTML	= 22,	/* write only: HTML; sets CR_RIGHTS and an extra like
				 * CR_TITLE_HTML */
	CR_DATE		= 23,	/* time; read only: the date to show for the record: published, else
				 * updated, else first seen */
	CR_REVISED	= 24,	/* 1.2: time; read only: when this version was first seen */
};

/* Why a callback failed: decides when it is tried again, and what `courant status` shows. */
enum cr_why {
	CR_BAD_DATA	= 1,	/* the page is not in the expected format: polled more slowly */
	CR_DENIED	= 2,	/* key refused, account closed: polled more slowly */
	CR_GONE		= 3,	/* for good: the source, or the route's sink, stops until an
				 * operator resumes it */
	CR_BAD_OPTION	= 4,	/* check(): begin the reason with the option's name, by which the
				 * host adds file and line */
	CR_REJECTED	= 5,	/* deliver(): this record will never be accepted: a dead letter */
};

enum cr_verdict {
	CR_DROP		= 0,
	CR_KEEP		= 1,
	CR_WAIT		= 2,	/* not yet: the filters are called again when the record, its
				 * counters or its story's heat change, until the route's `patience`
				 * (7 days) has passed; then it is dropped. Later records do not
				 * wait for it */
};

/* Rights that a plugin asks for. CR_HTTP and CR_FILES are always granted, the others only if the
 * operator allows them. */
enum cr_wants {
	CR_HTTP		= 1,	/* http(), whose requests the send role makes */
	CR_NETWORK	= 2,	/* sockets of its own, for other protocols */
	CR_FILES	= 4,	/* its own folder */
	CR_EXEC		= 8,	/* commands that the configuration names */
	CR_SECRETS	= 16,	/* the secrets (for a stream, a signature) instead of stand-ins */
	CR_MAIL		= 32,	/* 1.5, granted to plugins that come with Courant, to others if the
				 * operator allows it: mail() and mails(), to the recipients
				 * of a batch alone; excludes CR_HTTP, CR_NETWORK and CR_EXEC */
};

/* CR_GET(url), or { .size = sizeof(struct cr_request), .url = ..., ... } */
struct cr_request {
	size_t		 size;
	const char	*url;		/* http or https, absolute */
	const char	*method;	/* NULL: GET, or POST with a body */
	const char	*headers;	/* "Name: value\n" lines after the descriptor's; or NULL */
	const char	*body;
	size_t		 len;		/* of body */
	const char	*tag;		/* copied to cr_page; at most 255 bytes; or NULL */
	int64_t		 timeout;	/* 1.1: http(): ms for request and answer; 0: the host's */
	int		 in_turn;	/* 1.1: http(): send only after a 2xx answer to the request
					 * before it; otherwise do not send */
	size_t		 done;		/* 1.3: deliver: a 2xx answer means done(done); 0: nothing */
};
#ifndef __cplusplus
#define CR_GET(u)	(&(struct cr_request){ .size = sizeof(struct cr_request), .url = (u) })
#else
struct cr_get : cr_request {
	cr_get(const char *u) : cr_request() { size = sizeof(cr_request); url = u; }
	operator const cr_request *() const { return this; }
};
#define CR_GET(u)	(static_cast<const cr_request *>(cr_get(u)))
#endif

/* A fetched page: a 2xx answer. The host handles 304, errors, redirects, limits and content
 * codings. */
struct cr_page {
	size_t		 size;
	const char	*url;		/* after redirects */
	const char	*type;		/* media type, lower case, without parameters; "": none */
	const char	*charset;	/* of Content-Type, lower case; "": none */
	const char	*tag;		/* of the request; "" for none */
	const char	*body;		/* body[len] is 0 */
	size_t		 len;
	int64_t		 when;		/* time of arrival */
	int		 nth;		/* 0: by plan() or `url`; n: the nth page by next() */
};

/* An answer to http(). Borrowed until the next http(). */
struct cr_response {
	size_t		 size;		/* set by you before http(), as in a request */
	int		 status;	/* 0: no complete answer, see error */
	const char	*error;		/* one line, or NULL; with a status: the body was cut */
	const char	*headers;	/* "name: value\n" lines, names in lower case */
	const char	*body;		/* body[len] is 0 */
	size_t		 len;
	int64_t		 retry_after;	/* of Retry-After or RateLimit: ms from now; -1: none */
};

enum cr_kind {
	CR_BATCH_RECORDS = 1,	/* the next records of the route, in order */
	CR_BATCH_LIST	= 2,	/* the whole current list: a window or a ranking; n may be 0. After a
				 * start or a reload also an unchanged list, so that a missing file
				 * is written again */
	CR_BATCH_EDITION = 4,	/* 1.5: a sealed list: the same items with the same numbers, in the
				 * same order, whenever it is handed out. A sink that does not take editions gets their
				 * records, in this order */
	CR_BATCH_LETTER	= 8,	/* 1.5: no records: one letter of the host's own to one reader: title,
				 * text, and its link in self */
	CR_BATCH_ARCHIVE = 16,	/* 1.5: in `takes`, beside editions; no kind of its own: the sink writes
				 * its route's archive, below the output folder: of each edition the
				 * page edition/ROUTE/NAME.html, and there what else it has to say of
				 * it. It gets those that were left out, too. A route has one such sink */
};

/* 1.5: a part of an edition, under a title of its own. */
struct cr_section {
	size_t		 size;
	const char	*title;		/* "" if the edition has no parts */
	size_t		 first, n;	/* of the batch's items */
	int64_t		 left_out;	/* candidates that it had no room for */
};

/* 1.5: one reader of a sink with CR_MAIL. */
struct cr_recipient {
	size_t		 size;
	const char	*address;	/* for the field To: ASCII but for the local part */
	const char	*id;		/* of this delivery to this reader, for Message-ID: the same when
					 * it is repeated */
	const char	*leave;		/* https URL for List-Unsubscribe and the text; "": a fixed
					 * reader, who cannot leave */
	const char	*leave_mail;	/* mailto URL likewise; or "" */
};

/* 1.5: one message. RFC 5322: lines end with CRLF and have at most 998 bytes, 7 bit, no NUL. */
struct cr_mail {
	size_t		 size;
	size_t		 to;		/* the place of its reader in the batch's `recipients` */
	const char	*message;
	size_t		 len;		/* at most 10 MiB */
};

/* A batch for deliver(). */
struct cr_batch {
	size_t		 size;
	int		 kind;		/* enum cr_kind */
	const char	*route;		/* its name in the configuration */
	const char	*id;		/* of the delivery; the same when it is repeated */
	const char	*title;		/* of the list or edition; "" for records */
	const char	*self;		/* URL where the list is served, or "" */
	int64_t		 from, to;	/* range of an edition; CR_NO_TIME for none */
	const struct cr_record *const *items;
	size_t		 n;
	int		 attempt;	/* 1.1: failed attempts in a row with its first record */
	/* 1.5: of an edition: "2025-03-14", "2025-W11", "2025-03"; the zone of its calendar,
	 * "Europe/Paris"; the URL of its page in the archive, or "". */
	const char	*name, *zone, *archive;
	const char	*text;		/* of a letter: plain text, paragraphs divided by empty lines; "" */
	int64_t		 sealed;	/* when the edition or the letter was made, for the field Date; of
					 * records CR_REVISED says it */
	int64_t		 left_out;	/* candidates beyond `top` */
	const struct cr_section *const *sections;	/* of an edition: at least one */
	size_t		 nsections;
	/* of a sink with CR_MAIL: at most 32; the others come in other calls. Records come one at a
	 * time, since a recipient's id is of one delivery. */
	const struct cr_recipient *const *recipients;
	size_t		 nrecipients;
	/* of a sink with CR_MAIL: the sender for the field From, "Papers <papers@example.org>", and
	 * the identity of the list for List-Id, "morning.papers.example.org". */
	const char	*sender, *list_id;
	/* of an edition, for a sink with CR_BATCH_ARCHIVE: the first of its `left_out`, as they are now,
	 * and the name of the oldest edition that the archive still has: what the sink wrote of those
	 * before it is of no use any more. */
	const struct cr_record *const *others;
	size_t		 nothers;
	const char	*oldest;
};

/* A visitor's HTTP request to /x/NAME/..., for request() of the source NAME to answer. */
struct cr_visit {
	size_t		 size;
	const char	*method, *path;	/* path: after NAME, decoded, begins with '/' */
	const char	*headers;	/* as in cr_response */
	const char	*form;		/* query and form body as "name=value\n" lines, decoded; a
					 * newline in a name or value becomes a space */
	const char	*body;		/* body[len] is 0 */
	size_t		 len;
	const char	*peer;		/* address; behind a trusted proxy, the client's */
};

/* The host. A function called from another callback than those named returns -1 or NULL. */
struct cr {
	size_t	 size;
	int	 minor;

	/* All callbacks. retry(): try again, no sooner than in ms; -1: by the host's schedule. */
	void	(*log)(struct cr *, const char *fmt, ...) CR_PRINTF(2, 3);
	int	(*fail)(struct cr *, int why, const char *fmt, ...) CR_PRINTF(3, 4);
	int	(*retry)(struct cr *, int64_t ms, const char *fmt, ...) CR_PRINTF(3, 4);
	int64_t	(*now)(struct cr *);	/* use it instead of time(2): tests set this clock */
	int64_t	(*parse_time)(struct cr *, const char *);	/* CR_NO_TIME: unreadable */

	/* State of a source, filter or sink: at most 64 KiB each. state_set(): the new value counts
	 * once the whole job, with all its pages, is done and stored; until then, and if the job
	 * fails, state_get() returns the old value. A value of NULL unsets the key. In stream() and
	 * request() a value is stored with the records emitted before it, and counts after the next
	 * wait() or stored(); the results of state_get() are borrowed until then. The job of a
	 * filter is one record; that of a sink one deliver(), whose values count together with the
	 * records that are done. -1: refused, since too large or not UTF-8. */
	const char *(*state_get)(struct cr *, const char *key);
	int	(*state_set)(struct cr *, const char *key, const char *value);

	/* parse, stream, request: make a record, fill it, emit it. guid: the source's own
	 * identifier of the entry, from which the record's id is made; NULL: the id is made from
	 * the link. emit(): -1: refused and counted, as is a record with neither guid nor link,
	 * unless its guid was CR_BY_TITLE. */
	struct cr_record *(*record)(struct cr *, const char *guid);
	int	(*emit)(struct cr *, struct cr_record *);

	/* parse: feed(): a record for the properties of the document itself, which is not emitted:
	 * CR_TITLE, CR_LINK, CR_LANGUAGE..., and the extras "format", "encoding", and hints such as
	 * "ttl" and "hub". partial(): the document ended early or a part of it was lost: the
	 * records emitted count, the status of the source shows the reason, and no validators are
	 * stored, so that the document is soon read again in full. Returns 0. base(): from now on
	 * relative URLs, also those in HTML, are resolved against url (itself resolved against the
	 * page's); NULL: against the page's again (xml:base, <base>). */
	struct cr_record *(*feed)(struct cr *);
	int	(*partial)(struct cr *, const char *fmt, ...) CR_PRINTF(2, 3);
	int	(*base)(struct cr *, const char *url);

	/* All callbacks. Converts text from `charset` (an iconv name or a WHATWG label) to UTF-8;
	 * invalid sequences become U+FFFD and are counted in *bad (or NULL). The result has a NUL
	 * at [*len] and is borrowed until the next convert(). NULL: unknown charset. It exists
	 * because iconv_open() fails in the sandbox. */
	const char *(*convert)(struct cr *, const char *charset, const char *text, size_t size,
		    size_t *len, size_t *bad);

	/* parse, stream, request, filter. The changes of a filter affect its route only, and have
	 * to be the same when the filter is called again. A counter (votes, stars) that rises adds
	 * heat and makes no revision. */
	int	(*set)(struct cr_record *, int field, const char *text);
	int	(*set_time)(struct cr_record *, int field, int64_t);
	int	(*set_extra)(struct cr_record *, const char *name, const char *text);
	int	(*set_number)(struct cr_record *, const char *name, double);
	int	(*set_counter)(struct cr_record *, const char *name, int64_t);
	int	(*add_author)(struct cr_record *, const char *name, const char *mail,
		    const char *uri);
	int	(*add_enclosure)(struct cr_record *, const char *url, const char *type,
		    int64_t size);	/* -1: unknown */

	/* filter, deliver. NULL, CR_NO_TIME, 0: the record has no such value. get_number() also
	 * reads counters, and of the record's story: "sources" (how many tell it), "heat" (now),
	 * "score", "rank" (1..1000), a counter that the record itself has not, and "story.NAME": its
	 * counter in any case. set_number() and set_counter() refuse these names. */
	const char *(*get)(const struct cr_record *, int field, size_t nth);
	int64_t	(*get_time)(const struct cr_record *, int field);
	const char *(*get_extra)(const struct cr_record *, const char *name);
	int	(*get_number)(const struct cr_record *, const char *name, double *);
	const char *(*json)(const struct cr_record *);	/* the whole record, as in JSON Lines */

	/* filter: notes the reason, and returns the verdict for filter() to return */
	int	(*verdict)(struct cr *, int verdict, const char *fmt, ...) CR_PRINTF(3, 4);

	/* plan, parse: fetch() requests a page, which parse() gets in another call. next(), parse
	 * only: requests the following page, which is fetched if this one had a record that is not
	 * in the database; `pages` in the configuration limits their number. */
	int	(*fetch)(struct cr *, const struct cr_request *);
	int	(*next)(struct cr *, const char *url);
	const char *(*header)(struct cr *, const char *name);	/* parse: of the page's answer */
	const char *(*link)(struct cr *, const char *rel);	/* parse: RFC 8288; absolute */

	/* deliver, stream, request, with CR_HTTP: http() sends n requests (at most 16), waits for
	 * all answers and returns their number. A redirect is an answer and is not followed.
	 * mail(), with CR_MAIL: as mails() with one message, to the recipient whose address is `to`;
	 * `from` is the batch's sender or NULL. 0; -1. */
	int	(*http)(struct cr *, const struct cr_request *, struct cr_response *, size_t n);
	int	(*mail)(struct cr *, const char *from, const char *to, const char *message, size_t len);

	/* stream; 1.3: deliver: waits until fd (-1: none) is readable or ms have passed. 1: readable;
	 * 0: the time is up; -1: return from stream(), or soon from deliver(), whose deadline does
	 * not count meanwhile. */
	int	(*wait)(struct cr *, int fd, int64_t ms);
	/* stream, request: waits until all records emitted are on disk. 0. */
	int	(*stored)(struct cr *);
	/* request: sets the answer to the visitor, which is sent when all records and state of the
	 * call are on disk; the last call counts, without any the answer is 204. status: 200..599;
	 * type NULL: plain text; len: at most 1 MiB. -1: refused. */
	int	(*answer)(struct cr *, int status, const char *type, const char *body, size_t len);

	/* deliver, of a list; 1.2: the properties of the document that the record came from, as
	 * feed() last set them: CR_TITLE, CR_LINK (its web page), CR_LANGUAGE, CR_IMAGE,
	 * CR_UPDATED, the extras "id" and "self" (its own URL; left out when it seems to contain a
	 * secret). NULL: none. */
	const struct cr_record *(*feed_of)(const struct cr_record *);

	/* 1.3: deliver, of records: the receiver has the first n of the batch, for good, while
	 * deliver() goes on: they are shown as delivered, and are not handed out again if the worker
	 * dies. deliver() returns no less. 0, or -1: not in this callback. */
	int	(*done)(struct cr *, size_t n);

	/* All callbacks; 1.4: a title or a name as people are to read it: the TeX in it (formulas
	 * between dollars, \"o, \c{c} and the like) in Unicode, what cannot be shown as it was
	 * written. html 0: plain text; 1: HTML, escaped, with <sup>, <sub> and <code>. For pages and
	 * feeds; what programs read gets the text itself. Borrowed until the callback returns. */
	const char *(*tex)(struct cr *, const char *text, int html);

	/* 1.4: filter, before the verdict CR_WAIT: the record is asked about again when the number
	 * `name`, as get_number() reads it, is at least `value`; "rank": at most. Without it, as soon
	 * as the record or its sources change, and when counters change at most once an hour. Two
	 * different calls for a record count as none. 0, or -1: not in this callback. */
	int	(*wait_for)(struct cr *, const char *name, double value);

	/* 1.5: deliver, with CR_MAIL. Sends n messages by the server of the configuration, in one call
	 * of deliver() at most one to each reader, and waits until each has been accepted, refused or
	 * given up for now. Returns how many were accepted. The host tries the others again, or buries
	 * them, reader by reader: deliver() returns batch.n all the same. -1: a message cannot be sent
	 * (see struct cr_mail; a place without a recipient; a second one to a reader): none is; the log
	 * says why. */
	int	(*mails)(struct cr *, const struct cr_mail *, size_t n);

	/* 1.6: check, open, filter. In filter(): whether a search for the query, in the language of
	 * `courant search`, finds the record at hand by all its words: 1, or 0. It looks at the record
	 * as it was stored, without changes by filters before. In check() and open(): 0: such a
	 * filter is possible. -1: it is not; *why (or NULL) has the reason. Else *why is NULL, or says
	 * what of the query is searched as words, since it is not understood. Borrowed until the
	 * callback returns. */
	int	(*search)(struct cr *, const char *query, const char **why);
};

/* Types of options. `NAME_file: PATH` in the configuration reads any of them from a file. A secret
 * is never logged; a parse plugin gets a stand-in for it, which the host replaces by the secret in
 * the URL and headers of requests to the origin of the source's `url`, and nowhere else. */
enum cr_type {
	CR_STRING = 1, CR_INT = 2, CR_BOOL = 3, CR_NUMBER = 4, CR_DURATION = 5, CR_SIZE = 6,
	CR_URL = 7, CR_LIST = 8 /* to NULL */, CR_ENUM = 9 /* index in range */, CR_SECRET = 10,
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
	const char	*value;		/* default; NULL: required; "": NULL, 0 or empty */
	const char	*range;		/* "1..500", "0..", an enum's "any|all"; NULL: anything */
	const char	*help;		/* one line, no full stop */
};
/* An option for the member m of struct s; does not compile if m has another type than t needs. */
#ifndef __cplusplus
#define CR_IS(s, m, t)	_Generic(((s *)0)->m, CR_C_##t: 1, default: -1)
#else
extern "C++" {
template<class A, class B> struct cr_same { enum { is = -1 }; };
template<class A> struct cr_same<A, A> { enum { is = 1 }; };
}
#define CR_IS(s, m, t)	cr_same<decltype(((s *)0)->m), CR_C_##t>::is
#endif
#define CR_OPTION(s, m, t, value, range, help)	{ #m, CR_##t, offsetof(s, m) + \
	0 * sizeof(char[CR_IS(s, m, t)]), value, range, help }
#define CR_END	{ NULL, 0, 0, NULL, NULL, NULL }

struct cr_default {			/* a source that exists once the plugin is installed */
	const char	*name;		/* NULL: end of the list */
	const char	*options;	/* "name: value\n" lines: its own options, url, every */
};

struct cr_plugin {
	size_t		 size;
	int		 minor;		/* size and minor are set by CR_PLUGIN */
	int		 needs;		/* lowest minor of a host that the plugin runs with */
	const char	*name;		/* [a-z][a-z0-9_]{0,31}; its file is KIND_NAME.so */
	const char	*version, *help;	/* one line each */
	const struct cr_option *options;	/* ends with CR_END; or NULL */
	size_t		 options_size;	/* of the struct they fill; its other members are 0 */
	int		 wants;		/* enum cr_wants, or-ed */
	int		 takes;		/* deliver: enum cr_kind; 0: records. A list has as many as
					 * the sink's option `keep` (INT) says, else 50 */
	const char	*url;		/* to fetch, unless the configuration has `url` or the
					 * plugin plan(); {OPTION} becomes the option's value. Or
					 * pairs of OPTION=VALUE and the URL for that value, divided
					 * by spaces */
	const char	*headers;	/* "Name: value\n" lines for each request. {OPTION} becomes
					 * the option's value; a line with an empty one is left out;
					 * a line of one list option alone becomes that list's
					 * lines */
	const struct cr_default *defaults;

	int	(*check)(struct cr *, const void *opts);	/* when a configuration is read */
	int	(*open)(struct cr *, void *opts);		/* first in each process */
	void	(*close)(struct cr *, void *opts);
	int	(*plan)(struct cr *, void *opts);		/* a poll is due: call fetch() */
	/* Exactly one of these four. filter() returns an enum cr_verdict, or -1: a dead letter.
	 * deliver() returns how many of the batch's first records are done; if not all are, it has
	 * called fail() or retry() for the next one; 1.3: or, if at least one record is done,
	 * neither, and is called again for the others at once. */
	int	(*parse)(struct cr *, void *opts, const struct cr_page *);
	int	(*stream)(struct cr *, void *opts);
	int	(*filter)(struct cr *, void *opts, struct cr_record *);
	size_t	(*deliver)(struct cr *, void *opts, const struct cr_batch *);
	int	(*request)(struct cr *, void *opts, const struct cr_visit *);	/* sources, optional */
};
#define CR_PLUGIN	.size = sizeof(struct cr_plugin), .minor = CR_MINOR

extern const struct cr_plugin cr_plugin_v1 __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif
#endif
