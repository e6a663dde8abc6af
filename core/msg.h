/* The messages between processes: their types, maxima and payloads. A payload is the struct named
 * beside its type, by the table of the same name (wire_put, wire_get), then what is said there. */
#ifndef CORE_MSG_H
#define CORE_MSG_H
#include "wire.h"

enum msg_type {
	MSG_READY = 1,		/* role -> core: set up. No payload */
	MSG_STOP,		/* core -> role, worker: finish what is under way and exit 0 */

	/* core <-> fetch, send. id: the job's */
	MSG_FETCH_START,	/* struct fetch_start, then u32 n, n * struct fetch_host */
	MSG_FETCH,		/* struct fetch_job; fd: the body to be sent, if long. Several direct ones:
				 * each made once the one before was answered by 2xx, of ids in a row */
	MSG_FORGET,		/* u32 n: of the n ids from this one, what is not yet begun is not made */
	MSG_FETCHED,		/* struct fetch_done; fd: the body (a sealed memfd) with 2xx */

	/* core <-> store */
	MSG_STORE_START,	/* str: path of the database. Answer MSG_READY or the process exits */
	MSG_STORE_CONF,		/* fd: u32 n, n * struct store_source; u32 m, m * (struct store_route,
				 * u32 nfrom, nfrom * u32 place of a source,
				 * u32 nroutes, nroutes * u32 place of a route before this one,
				 * u32 nlegs, nlegs * struct store_leg) */
	MSG_STORE_KNOWN,	/* fd: u32 n, n * (u32 id, bytes key[16], u32 enum kept, struct mark), as
				 * the sources stood in MSG_STORE_CONF; u32 m, m * u32 id of the routes;
				 * i64 head */
	MSG_RECALL,		/* struct recall: before a poll of a source with enum kept */
	MSG_RECALLED,		/* struct recalled, and with KEPT_OWED struct owed_page */
	MSG_COMMIT,		/* struct commit, struct mark; fd: results (result.h) or none */
	MSG_COMMITTED,		/* struct committed, and with `more` struct owed_page */
	MSG_STATE,		/* str instance: what its plugin keeps */
	MSG_STATED,		/* str instance, bytes KEY\0VALUE\0...: as it is on disk */
	MSG_TOUCH,		/* u32 source, struct mark: written within 60 s, no answer */
	MSG_PULL,		/* struct pull */
	MSG_WORK,		/* struct work; fd: batch (result.h) unless WORK_NONE */
	MSG_JUDGED,		/* struct judged; fd: verdicts (result.h) */
	MSG_ACK,		/* struct ack; fd: what the sink keeps (result.h), or none */
	MSG_SETTLED,		/* struct settled: answers JUDGED and ACK */
	MSG_COUNT,		/* no payload */
	MSG_COUNTS,		/* struct counts, then u32 m, m * struct route_count */
	MSG_HEAD,		/* i64: the log's last n, which grew by itself: what waited is asked about */
	MSG_EXPLAIN,		/* str what (explain.h). id: comes back */
	MSG_EXPLAINED,		/* as MSG_TOLD */

	/* core (or courant) <-> worker */
	MSG_W_START,		/* struct w_start, u32 n, n * (str path, bytes options); W_FILTER: then
				 * n * str rule, by which the groups are told (setup.h) */
	MSG_W_ABOUT,		/* u32 0, str why not; or u32 1, a description (catalog.h) */
	MSG_W_CHECK,		/* bytes options: whether the plugin's check() takes them */
	MSG_W_CHECKED,		/* str: why not; or NULL. id: the question's */
	MSG_W_PARSE,		/* struct parse_job; fds: body, out */
	MSG_W_PLAN,		/* struct parse_job, of it what belongs to no page; fd: out */
	MSG_W_PARSED,		/* struct parse_done: answers both */
	MSG_W_FILTER,		/* struct batch_job; fds: batch, out */
	MSG_W_FILTERED,		/* struct batch_done */
	MSG_W_DELIVER,		/* struct batch_job; fds: batch, out */
	MSG_W_DELIVERED,	/* struct batch_done */
	MSG_W_PROGRESS,		/* u32: so many of the batch are done (batch_job.careful) */
	MSG_W_HTTP,		/* struct http_ask; fd: the body, if long. id: the worker's own. Several:
				 * to be made in turn, as those of MSG_FETCH */
	MSG_W_ANSWERED,		/* struct http_answer; fd: the body, if long. id: the same */

	MSG_W_STREAM,		/* struct stream_job; fds: two for results, filled in turn */
	MSG_W_BATCH,		/* struct stream_batch: what is in the first of the two */
	MSG_W_STORED,		/* it is on disk; fd: another one for results */
	MSG_W_ALIVE,		/* the plugin waits; at most one a second. No payload */
	MSG_W_STREAMED,		/* struct batch_done: the stream is over */

	MSG_W_VISIT,		/* struct visit_job, struct visit_ask; fds: one for results, of the two
				 * of a stream, the body, if long. MSG_W_STORED brings the other */
	MSG_W_VISITED,		/* struct visit_done: all is on disk, and the answer's body in the first
				 * of the two */

	/* core <-> serve, core <-> courant (admin socket) */
	MSG_SERVE_START,	/* struct serve_start; fd: listening socket */
	MSG_VISIT,		/* struct visit_ask; fd: the body, if long. id: serve's own */
	MSG_VISITED,		/* struct visit_answer; fd: the body, if any. id: the same */
	MSG_ASK,		/* str command, str argument or NULL (admin.h) */
	MSG_TOLD,		/* u32 exit status, str text; fd: instead of text, if long */
	MSG_MAX
};

/* Name, for the log, and the most bytes that a payload of this type may have. */
const char	*msg_name(unsigned type);
size_t		 msg_limit(unsigned type);
int		 msg_known(unsigned type);

/* ---- What is known of a source between polls; kept by store, moved by schedule ---- */
struct mark {
	int64_t		 checked;	/* when the last poll ended, ms; 0: never */
	int64_t		 ok;		/* when one last went well, ms; 0: never */
	int64_t		 due;		/* next poll, ms */
	int64_t		 interval;	/* what it now waits between polls, ms */
	int64_t		 not_before;	/* Retry-After, max-age: no poll before, ms; 0: none */
	uint32_t	 failures;	/* polls in a row that went wrong */
	uint32_t	 status;	/* of the last HTTP answer; 0: none */
	uint32_t	 state;		/* enum mark_state */
	uint32_t	 found;		/* entries in the last document */
	const char	*etag;		/* validators, byte for byte (RFC 9110 8.8); NULL: none */
	const char	*modified;
	const char	*validated;	/* the URL they came from; not sent to another */
	const char	*moved;		/* where a 301 or 308 led; NULL: nowhere */
	const char	*error;		/* why the last poll went wrong; NULL: it went well */
};
enum mark_state { MARK_OK, MARK_FAILING, MARK_GONE, MARK_PARKED };
extern const struct wire_field mark[];

/* ---- fetch ---- */
struct fetch_start {
	const char	*agent;		/* User-Agent */
	uint32_t	 at_once;	/* connections to one host */
	uint32_t	 total;		/* connections in all */
	int64_t		 spacing;	/* ms between two requests to one host */
	uint32_t	 private_ok;	/* 1: loopback and private addresses are allowed */
	const char	*ca;		/* CA bundle, or NULL: the system's */
};
struct fetch_host {
	const char	*host;
	uint32_t	 at_once;
	int64_t		 spacing;
};
struct fetch_job {
	const char	*source;	/* its name, for the log */
	const char	*url;
	const char	*headers;	/* "Name: value\n" lines or NULL */
	const char	*etag, *modified;	/* sent when url is `validated` */
	const char	*validated;
	const char	*method;	/* NULL: GET */
	struct bytes	 body;
	uint64_t	 len;		/* of a body that came as a sealed memfd; 0: it did not */
	uint64_t	 max;		/* decoded bytes, at most */
	int64_t		 timeout;	/* ms for all hops together */
	uint32_t	 direct;	/* 1: one hop, and its answer whatever the status, cut at max */
	struct bytes	 veil;		/* SECRET\0INSTEAD\0...: the document is told without them,
					 * and no redirect takes one elsewhere */
};
enum fetch_why {
	FETCH_OK = 0,		/* 2xx with a body, or 304 */
	FETCH_STATUS,		/* another status */
	FETCH_DNS, FETCH_CONNECT, FETCH_TLS, FETCH_TIMEOUT, FETCH_BROKEN,
	FETCH_TOO_LARGE, FETCH_REDIRECTS, FETCH_URL, FETCH_DENIED /* by address policy */
};
struct fetch_done {
	uint32_t	 why;		/* enum fetch_why */
	uint32_t	 status;	/* HTTP; 0: none came */
	const char	*error;		/* one line for people, or NULL */
	const char	*url;		/* of the answer, after redirects */
	const char	*moved;		/* after 301 and 308 only: the permanent URL; or NULL */
	const char	*type;		/* media type, lower case, bare; "" */
	const char	*charset;	/* lower case; "" */
	const char	*headers;	/* of the answer: "name: value\n", names in lower case */
	const char	*etag, *modified;	/* as they came, or NULL */
	int64_t		 retry_after;	/* ms from now; -1: not told */
	int64_t		 max_age;	/* Cache-Control, Expires: ms; -1: not told */
	uint64_t	 len;		/* of the body; the memfd holds a NUL behind it */
	struct bytes	 body;		/* direct: a short one, and no memfd */
	uint32_t	 requests;	/* hops made */
};
extern const struct wire_field fetch_start[], fetch_host[], fetch_job[], fetch_done[];

/* ---- store ---- */
enum backlog { BACKLOG_ALL, BACKLOG_NONE, BACKLOG_COUNT, BACKLOG_AGE };
struct store_source {
	const char	*name;		/* GROUP/ENTRY or NAME */
	const char	*was;		/* its earlier name, or NULL */
	const char	*url;		/* first listed */
	const char	*plugin;
};
struct store_route {
	const char	*name, *title;
	uint32_t	 all;		/* from: ["*"]: every source */
	uint32_t	 filters;	/* how many; 0: store keeps all by itself */
	struct bytes	 rules;		/* of each: RULE\0... */
	uint32_t	 once_record;	/* 1: `once: record`: stories are not joined */
	uint32_t	 updates;	/* 1: a revision is delivered too */
	int64_t		 patience;	/* ms that a record may wait for a filter's word */
};
struct store_leg {
	const char	*name;		/* plugin, and "#2" for its second in the route */
	uint32_t	 takes;		/* enum cr_kind */
	uint32_t	 keep;		/* records of a list */
	uint32_t	 backlog;	/* enum backlog: what of the past a new leg takes */
	int64_t		 backlog_n;	/* records or ms */
};
/* What store keeps for a source between its jobs; a source without is polled without being asked. */
enum kept {
	KEPT_STATE	= 1,		/* what its plugin has set */
	KEPT_OWED	= 2,		/* pages of a walk that is not over */
	KEPT_BROKEN	= 4,		/* its last walk was broken off: the next goes on past what is
					 * known, and has its first page whole */
};
struct recall {
	uint32_t	 source;	/* store's id */
	uint64_t	 hash;		/* of its configuration: what is owed under another is dropped */
};
struct recalled {
	uint32_t	 source, kept;
	struct bytes	 state;		/* KEY\0VALUE\0... */
	const char	*etag, *modified, *validated;	/* of the first page of the walk owed */
	const char	*gap;		/* why a page of it was given up; NULL: none was */
};
/* A page still to be fetched. url and headers: a secret stands there as setup_keep() puts it. */
struct owed_page {
	int64_t		 page;		/* store's id; 0: none */
	const char	*url, *method, *headers, *tag;	/* as in struct cr_request */
	struct bytes	 body;
	uint32_t	 nth;		/* after so many times next() */
	uint32_t	 failures;	/* in a row */
};
enum commit_flag {
	COMMIT_LAST	= 1,		/* the job is over, unless store says that pages are owed */
	COMMIT_FAILED	= 2,		/* the page failed: it stays owed; what it brought counts */
	COMMIT_NEVER	= 4,		/* it cannot be had: it is given up, the rest of the walk is not */
	COMMIT_COUNTS	= 8,		/* with FAILED: one of the failures after which it is given up */
	COMMIT_PLAN	= 16,		/* of plan(): no page */
	COMMIT_ASIDE	= 64,		/* of no poll: its state counts at once; its mark with LAST */
};
struct commit {
	uint32_t	 source;	/* store's id */
	uint32_t	 flags;		/* enum commit_flag */
	int64_t		 when;		/* it arrived, ms: first-seen of what is new */
	const char	*url;		/* of the page */
	int64_t		 page;		/* struct owed_page's; 0: the first of a walk */
	uint32_t	 nth;
	uint32_t	 pages;		/* next() is followed below this nth */
	uint64_t	 hash;		/* of the source's configuration */
	const char	*gap;		/* COMMIT_NEVER: why, for people */
};
struct committed {
	uint32_t	 source;
	uint32_t	 bad;		/* 1: the results were malformed; nothing was stored */
	uint32_t	 seen, added, revised;
	int64_t		 head;		/* the log's last n */
	uint32_t	 more;		/* 1: the walk goes on with the page told; the mark is not stored */
	uint32_t	 kept;		/* enum kept */
};
#define PULL_FILTER	UINT32_MAX
struct pull {
	uint32_t	 route;		/* store's id */
	uint32_t	 leg;		/* place, or PULL_FILTER */
	uint32_t	 max;		/* records, at most */
	uint32_t	 resume;	/* 1: an operator did: no pause, no delay of a retry */
};
enum work_kind { WORK_NONE, WORK_FILTER, WORK_RECORDS, WORK_LIST };
struct work {
	uint32_t	 route, leg;
	uint32_t	 kind;		/* enum work_kind */
	uint32_t	 count;		/* records in the batch */
	int64_t		 first, last;	/* range of the log that it settles; WORK_NONE for filters: up
					 * to last all was settled without them; 0: nothing was */
	int64_t		 due;		/* WORK_NONE: there is some, but not before; 0: none */
	int64_t		 head;		/* WORK_NONE: the log's last n that was looked at */
	const char	*id;		/* of the delivery, the same when repeated */
	uint32_t	 attempt;	/* times in a row that its first record failed before */
	uint32_t	 paused;	/* WORK_NONE: until it is resumed */
};
struct judged {
	uint32_t	 route;
	uint32_t	 guilty;	/* place of the record that two workers died of; UINT32_MAX */
	int64_t		 first, last;
	const char	*reason;	/* of guilty */
};
enum ack_then {
	ACK_ALL, ACK_RETRY, ACK_DEAD /* the one after done: a dead letter */, ACK_PARK,
	ACK_GONE			/* nobody is there: paused until an operator resumes it */
};
struct ack {
	uint32_t	 route, leg;
	uint32_t	 done;		/* so many of the batch's first are delivered */
	uint32_t	 then;		/* enum ack_then */
	int64_t		 first, last;
	int64_t		 due;		/* ACK_RETRY: not before, ms */
	const char	*reason;
};
struct settled {
	uint32_t	 route, leg;	/* leg: PULL_FILTER after JUDGED */
	uint32_t	 bad;		/* enum settled_bad: nothing was stored */
};
enum settled_bad {
	SETTLED_MALFORMED = 1,		/* the verdicts cannot be read */
	SETTLED_OTHER,			/* nobody asked this: a new setup came in between */
};
struct counts {
	uint64_t	 records, revisions, stories, bytes;	/* bytes: of the database */
	int64_t		 head, oldest;
};
struct route_count {
	uint32_t	 route, leg;
	int64_t		 filtered, delivered;
	uint64_t	 kept, dropped, pending, dead;
	uint64_t	 expired;	/* of dropped: they waited longer than the route's patience */
	const char	*reason;	/* of the last failure, or NULL */
};
extern const struct wire_field store_source[], store_route[], store_leg[], recall[], recalled[],
    owed_page[], commit[], committed[],
    pull[], work[], judged[], ack[], settled[], counts[], route_count[];

/* ---- worker ---- */
enum w_mode { W_DESCRIBE, W_CHECK, W_PARSE, W_FILTER, W_DELIVER, W_STREAM, W_VISIT };
struct w_start {
	uint32_t	 mode;		/* enum w_mode */
	uint32_t	 grants;	/* enum cr_wants that the operator allows */
	uint32_t	 debug;
	uint64_t	 memory;	/* bytes of address space, at most */
	uint64_t	 out;		/* bytes of results, at most */
	int64_t		 cpu;		/* ms of CPU that a job may use: RLIMIT_CPU is a backstop */
	const char	*folder;	/* with CR_FILES: its own; becomes the working directory */
	const char	*name;		/* for the log */
	struct bytes	 filter_enter;	/* by filter_fill(): struct sock_filter, many of them */
	struct bytes	 filter_seal;	/* none: the worker stays as it is when all is loaded */
	struct bytes	 calls;		/* names of the system calls from 0 on, each with its NUL */
};
struct parse_job {
	const char	*source, *url;	/* url: after redirects */
	const char	*type, *charset, *headers, *tag;
	int64_t		 when;
	int64_t		 now;		/* wall clock, ms */
	uint64_t	 len;		/* of the body; the byte behind it is 0 */
	uint32_t	 nth;
	uint64_t	 hash;		/* of the options: another one means close, open */
	struct bytes	 options;	/* NAME\0VALUE\0... */
	struct bytes	 state;		/* KEY\0VALUE\0... */
	uint32_t	 strip;		/* 1: beacons are taken out of HTML */
};
struct parse_done {
	uint32_t	 failed;	/* 0, or enum cr_why, or FAILED_* below */
	const char	*error;		/* one line, or NULL */
	const char	*partial;	/* the document was mended or cut: why; or NULL */
	int64_t		 retry;		/* ms from now; -1: the host's schedule */
	uint32_t	 records;	/* in out */
	uint32_t	 refused;	/* by emit() */
	uint64_t	 out;		/* bytes written to out */
	int64_t		 ttl;		/* hints of the feed, ms; 0: none */
	uint32_t	 skip_hours;	/* bit h: not between h:00 and h:59 UTC */
	uint32_t	 skip_days;	/* bit 0: Sunday */
};
enum { FAILED_RETRY = 100 };		/* retry() rather than fail() */
struct batch_job {
	const char	*route, *id, *title, *self;
	uint32_t	 kind;		/* enum cr_kind; FILTER: 0 */
	uint32_t	 careful;	/* 1: one record at a time, MSG_W_PROGRESS after each */
	uint32_t	 count;
	uint64_t	 len;		/* bytes of the batch */
	int64_t		 now;
	uint32_t	 attempt;	/* as in struct work */
};
struct batch_done {
	uint32_t	 done;		/* records judged or delivered, of the first */
	uint32_t	 failed;	/* 0, enum cr_why or FAILED_RETRY, for the one after done */
	int64_t		 retry;		/* ms from now; -1: the host's schedule */
	uint64_t	 out;		/* bytes written to out */
	const char	*error;
};
struct stream_job {
	const char	*source, *url;
	uint64_t	 hash;		/* of the options */
	struct bytes	 options;	/* NAME\0VALUE\0... */
	struct bytes	 state;		/* KEY\0VALUE\0... */
	uint32_t	 strip;		/* as in struct parse_job */
};
#define STREAM_RECORDS	1000		/* of a batch: then it goes out */
#define STREAM_BYTES	(1u << 20)	/* the same */
#define STREAM_OUT	(16u << 20)	/* bytes of a batch, at most: one large record more, and state */
struct stream_batch {
	uint32_t	 records, refused;
	uint64_t	 out;		/* bytes written */
};
extern const struct wire_field stream_job[], stream_batch[];
extern const struct wire_field w_start[], parse_job[], parse_done[], batch_job[], batch_done[];

/* What http() asks for, and what came of it. */
struct http_ask {
	const char	*url, *method, *headers;
	struct bytes	 body;		/* a short one */
	uint64_t	 len;		/* of one that came as a sealed memfd; 0: it did not */
	int64_t		 timeout;	/* ms; 0: `limits: timeout` */
};
struct http_answer {
	uint32_t	 status;	/* 0: none came */
	const char	*error;		/* one line, or NULL */
	const char	*headers;	/* "name: value\n", names in lower case */
	struct bytes	 body;		/* a short one */
	uint64_t	 len;		/* of one that came as a sealed memfd, a NUL behind it */
	int64_t		 retry_after;	/* ms from now; -1: not told */
};
#define HTTP_AT_ONCE	16		/* requests of one http() */
#define HTTP_SHORT	(16u << 10)	/* bytes of a body that travels in its frame */
#define HTTP_TURN	(64u << 10)	/* bytes of requests that travel in one frame, in turn */
#define HTTP_ANSWER_MAX	(1u << 20)	/* bytes of an answer's body; the rest is cut off */
#define HTTP_BODY_MAX	(64u << 20)	/* bytes of a request's */
extern const struct wire_field http_ask[], http_answer[];

/* ---- visits: requests below /x/, which plugins answer ---- */
struct visit_ask {
	const char	*method;
	const char	*path;		/* decoded: behind /x/; to the worker, behind the name, from '/' on */
	const char	*query;		/* as it came, or NULL */
	const char	*headers;	/* "name: value\n", names in lower case */
	const char	*peer;		/* address */
	struct bytes	 body;		/* a short one */
	uint64_t	 len;		/* of one that came as a sealed memfd, a NUL behind it */
};
struct visit_answer {
	uint32_t	 status;	/* HTTP */
	const char	*type;		/* of the body */
	const char	*error;		/* a line for people instead of a body; or NULL */
	int64_t		 retry_after;	/* s; -1: not told */
	uint64_t	 len;		/* of the body, in the memfd; 0: there is none */
};
struct visit_job {
	const char	*source, *url;
	uint64_t	 hash;		/* of the options */
	int64_t		 now;		/* wall clock, ms */
	struct bytes	 options;	/* NAME\0VALUE\0... */
	struct bytes	 state;		/* KEY\0VALUE\0... */
	uint32_t	 strip;		/* as in struct parse_job */
};
struct visit_done {
	uint32_t	 status;	/* by answer(); 0: it was not called; with failed: 500 or 0 */
	const char	*type;
	uint64_t	 len;		/* of the body */
	uint32_t	 failed;	/* 0, enum cr_why or FAILED_RETRY: then there is no answer */
	int64_t		 retry;		/* ms from now; -1: not told */
	const char	*error;
};
#define VISIT_BODY_MAX	(1u << 20)	/* bytes of a request's body */
#define VISIT_SHORT	(16u << 10)	/* bytes of one that travels in its frame */
#define VISIT_ANSWER_MAX (1u << 20)	/* bytes of an answer's body */
#define VISIT_TYPE_MAX	255		/* bytes of its type */
extern const struct wire_field visit_ask[], visit_answer[], visit_job[], visit_done[];

/* ---- serve ---- */
struct serve_start {
	const char	*database;	/* opened read-only after store is ready */
	const char	*out;		/* folder of the output files */
	const char	*base;		/* public address of it all ("https://feeds.example.org"), or "" */
	uint32_t	 connections;	/* at most */
	uint32_t	 per_address;	/* at most */
	const char	*proxies;	/* addresses of those that are believed, a space between; or "" */
};
extern const struct wire_field serve_start[];
#endif
