/* The messages between processes: their types, maxima and payloads. A payload is the struct named
 * beside the type, written and read by the table of the same name (wire_put(), wire_get()), then
 * the fields listed there. */
#ifndef CORE_MSG_H
#define CORE_MSG_H
#include "wire.h"

enum msg_type {
	MSG_READY = 1,		/* role -> core: the role is set up. No payload */
	MSG_STOP,		/* core -> role, worker: finish the current jobs and exit 0 */

	/* core <-> fetch, send. id: the job's */
	MSG_FETCH_START,	/* struct fetch_start, then u32 n, n * struct fetch_host */
	MSG_FETCH,		/* struct fetch_job; fd: the request's body, if long. A frame may
				 * hold several direct jobs, with consecutive ids: each request is
				 * made after a 2xx answer to the one before */
	MSG_FORGET,		/* u32 n: of the n jobs from this id on, drop those not begun */
	MSG_FETCHED,		/* struct fetch_done; fd: with 2xx the body (a sealed memfd) */

	/* core (or courant) <-> mail */
	MSG_MAIL_START,		/* struct mail_start: the server; sent before anything else */
	MSG_MAIL,		/* struct mail_job; fd: the message (a sealed memfd). One at a time: the
				 * next is sent after the answer */
	MSG_MAILED,		/* struct mail_done: the answer to MSG_MAIL */
	MSG_MAIL_TRY,		/* no payload: connect and log in, send nothing */
	MSG_MAIL_TRIED,		/* struct mail_tried: the answer to MSG_MAIL_TRY */

	/* core <-> store */
	MSG_STORE_START,	/* str: path of the database. Store answers MSG_READY or exits */
	MSG_STORE_CONF,		/* fd: struct store_heat; u32 n, n * struct store_source; u32 m, m * (
				 * struct store_route, u32 nfrom, nfrom * u32 index of a source,
				 * u32 nroutes, nroutes * u32 index of a route before this one,
				 * u32 nsinks, nsinks * struct store_sink) */
	MSG_STORE_KNOWN,	/* fd: u32 n, n * (u32 id, bytes key[16], u32 enum stored,
				 * struct mark), the sources in the order of MSG_STORE_CONF; u32 m,
				 * m * u32 id of a route; i64 head */
	MSG_RECALL,		/* struct recall: before a poll when enum stored is not 0 */
	MSG_RECALLED,		/* struct recalled, and with KEPT_OWED struct owed_page */
	MSG_COMMIT,		/* struct commit, struct mark; fd: results (result.h) or none */
	MSG_COMMITTED,		/* struct committed, and with `more` struct owed_page */
	MSG_STATE,		/* struct state_ask: asks for a plugin's state */
	MSG_STATED,		/* struct stated: the state that is on disk */
	MSG_TOUCH,		/* u32 source, struct mark: written within 60 s. No answer */
	MSG_PULL,		/* struct pull */
	MSG_WORK,		/* struct work; fd: batch (result.h) unless WORK_NONE */
	MSG_JUDGED,		/* struct judged; fd: verdicts (result.h) */
	MSG_ACK,		/* struct ack; fd: the sink's state (result.h), or none */
	MSG_SETTLED,		/* struct settled: answers MSG_JUDGED and MSG_ACK, but ACK_SO_FAR */
	MSG_OUTCOME,		/* struct mail_outcome: what became of a message to one reader */
	MSG_OUTCOME_KEPT,	/* u32: 1: the sink is paused. It is on disk; the id is repeated */
	MSG_COUNT,		/* no payload */
	MSG_COUNTS,		/* struct counts, then u32 m, m * struct route_count */
	MSG_SILENT,		/* no payload: which sources are silent? */
	MSG_SILENCES,		/* u32 n, n * struct silence, by source; sources that have none are
				 * not silent */
	MSG_HEAD,		/* i64 the log's last n, u32 1: for each sink, paused or not, as an
				 * operator's command gave it work; sent after late rows were
				 * appended, too: core pulls */
	MSG_SEAL,		/* struct seal_ask: an edition is due */
	MSG_SEALED,		/* struct seal_told, once it is on disk */
	MSG_ROOM,		/* u32: 1: store waits for room on the disk, and answers nothing;
				 * 0: it goes on */
	MSG_QUESTION,		/* str command, str argument, str operator (store/question.h). The answer
				 * repeats id */
	MSG_ANSWER,		/* as MSG_TOLD */

	/* serve -> core -> store, and back: what a visitor does about a subscription */
	MSG_CONSENT,		/* struct consent. id: serve's own */
	MSG_CONSENTED,		/* u32 enum consented, once it is on disk. id: that of MSG_CONSENT */
	/* core <-> index. To it besides: MSG_HEAD, after each commit; MSG_QUESTION, answered by
	 * MSG_ANSWER (index/search.h) */
	MSG_INDEX_START,	/* struct index_start */
	MSG_INDEXED,		/* struct indexed, when it has changed */

	/* core (or courant) <-> worker */
	MSG_W_START,		/* struct w_start, u32 n, n * (str path, bytes options); W_FILTER:
				 * then n * str rule, which names each filter's groups (setup.h);
				 * fd: what is loaded in place of the one path's file; or none */
	MSG_W_COPY,		/* fd: what is loaded in place of the next plugin's path */
	MSG_W_ABOUT,		/* u32 0, str why the plugin cannot be used; or u32 1, its
				 * description (descriptor.h) */
	MSG_W_CHECK,		/* bytes options: does the plugin's check() accept them? */
	MSG_W_CHECKED,		/* str why check() refused; NULL: accepted. id: the question's */
	MSG_W_PARSE,		/* struct parse_job; fds: body, out */
	MSG_W_PLAN,		/* struct parse_job, without the members of a page; fd: out */
	MSG_W_PARSED,		/* struct parse_done: answers MSG_W_PARSE and MSG_W_PLAN */
	MSG_W_FILTER,		/* struct batch_job; fds: batch, out */
	MSG_W_FILTERED,		/* struct batch_done */
	MSG_W_DELIVER,		/* struct batch_job; fds: batch, out */
	MSG_W_DELIVERED,	/* struct batch_done */
	MSG_W_PROGRESS,		/* u32 records of the batch that are done (batch_job.careful, done()) */
	MSG_W_WAIT,		/* i64 ms that deliver() may wait: its deadline begins after them */
	MSG_W_HTTP,		/* struct http_ask; fd: the body, if long. id: the worker's own.
				 * Several in one frame: made in turn, as with MSG_FETCH */
	MSG_W_ANSWERED,		/* struct http_answer; fd: the body, if long. id: the request's */
	MSG_W_MAIL,		/* u32 place of the reader in the batch, i64 bytes; fd: the message. id:
				 * the worker's own */
	MSG_W_MAILED,		/* u32: 1: it was accepted. id: the message's */

	MSG_W_STREAM,		/* struct stream_job; fds: two memfds for results, filled in turn */
	MSG_W_BATCH,		/* struct stream_batch: results are in the older of the memfds */
	MSG_W_STORED,		/* that batch is on disk; fd: another memfd for results */
	MSG_W_ALIVE,		/* the plugin waits; at most one a second. No payload */
	MSG_W_STREAMED,		/* struct batch_done: the stream has ended */

	MSG_W_VISIT,		/* struct visit_job, struct visit_ask; fds: the first of two memfds
				 * for results (MSG_W_STORED brings the second), the request's
				 * body, if long */
	MSG_W_VISITED,		/* struct visit_done: all results are on disk, and the answer's
				 * body is in the older of the two memfds */

	/* core <-> serve, core <-> courant (admin socket) */
	MSG_SERVE_START,	/* struct serve_start; fd: listening socket */
	MSG_SERVE_FILES,	/* fd: u32 n, n * (str file, str route, u32 active) (written.h) */
	MSG_VISIT,		/* struct visit_ask; fd: the body, if long. id: serve's own */
	MSG_VISITED,		/* struct visit_answer; fd: the body, if any. id: the visit's */
	MSG_ASK,		/* str command, str argument or NULL (admin.h) */
	MSG_TOLD,		/* u32 exit status, str text; fd: the text, if long */
	MSG_MAX
};

/* A type's name for the log, the largest payload in bytes, and whether the type exists. */
const char	*msg_name(unsigned type);
size_t		 msg_limit(unsigned type);
int		 msg_valid(unsigned type);

/* ---- A source's state between polls: stored by store, set by daemon/source/schedule.c ---- */
#define MARK_FIELDS(F, s) \
	F(s, I64, checked)		/* when the last poll ended, ms; 0: never */ \
	F(s, I64, ok)			/* when the last successful poll ended, ms; 0: never */ \
	F(s, I64, due)			/* next poll, ms */ \
	F(s, I64, interval)		/* current interval between polls, ms */ \
	F(s, I64, not_before)		/* Retry-After, max-age: no poll before, ms; 0: none */ \
	F(s, U32, failures)		/* polls in a row that failed */ \
	F(s, U32, status)		/* of the last HTTP answer; 0: none */ \
	F(s, U32, state)		/* enum mark_state */ \
	F(s, U32, found)		/* entries in the last document */ \
	F(s, STR, etag)			/* validators, byte for byte (RFC 9110 8.8); NULL: none */ \
	F(s, STR, modified) \
	F(s, STR, validated)		/* the URL of the validators; sent to no other */ \
	F(s, STR, moved)		/* the target of a 301 or 308; NULL: none */ \
	F(s, STR, error)		/* why the last poll failed; NULL: it succeeded */
WIRE_STRUCT(mark, MARK_FIELDS);
enum mark_state { MARK_OK, MARK_FAILING, MARK_GONE, MARK_PARKED };

/* ---- fetch ---- */
#define FETCH_START_FIELDS(F, s) \
	F(s, STR, agent)		/* User-Agent */ \
	F(s, U32, at_once)		/* connections to one host */ \
	F(s, U32, total)		/* connections in all */ \
	F(s, I64, spacing)		/* ms between two requests to one host */ \
	F(s, U32, private_ok)		/* 1: loopback and private addresses are allowed */ \
	F(s, STR, ca)			/* CA bundle, or NULL: the system's */
WIRE_STRUCT(fetch_start, FETCH_START_FIELDS);
#define FETCH_HOST_FIELDS(F, s) \
	F(s, STR, host) \
	F(s, U32, at_once) \
	F(s, I64, spacing)
WIRE_STRUCT(fetch_host, FETCH_HOST_FIELDS);
#define FETCH_JOB_FIELDS(F, s) \
	F(s, STR, source)		/* its name, for the log */ \
	F(s, STR, url) \
	F(s, STR, headers)		/* "Name: value\n" lines or NULL */ \
	F(s, STR, etag) F(s, STR, modified) /* sent when url is `validated` */ \
	F(s, STR, validated) \
	F(s, STR, method)		/* NULL: GET */ \
	F(s, BYTES, body) \
	F(s, U64, len)			/* of a body in a sealed memfd; 0: no memfd */ \
	F(s, U64, max)			/* decoded bytes, at most */ \
	F(s, I64, timeout)		/* ms for all hops together */ \
	/* 1: no redirects; the answer is reported whatever its status, cut at max */ \
	F(s, U32, direct) \
	/* SECRET\0INSTEAD\0...: each SECRET in the document is replaced by INSTEAD; a redirect to \
	 * another origin with one in its URL is refused */ \
	F(s, BYTES, redact)
WIRE_STRUCT(fetch_job, FETCH_JOB_FIELDS);
enum fetch_why {
	FETCH_OK = 0,		/* 2xx with a body, or 304 */
	FETCH_STATUS,		/* another status */
	FETCH_DNS, FETCH_CONNECT, FETCH_TLS, FETCH_TIMEOUT, FETCH_BROKEN,
	FETCH_TOO_LARGE, FETCH_REDIRECTS, FETCH_URL, FETCH_DENIED /* by address policy */
};
#define FETCH_DONE_FIELDS(F, s) \
	F(s, U32, why)			/* enum fetch_why */ \
	F(s, U32, status)		/* HTTP; 0: no answer */ \
	F(s, STR, error)		/* one line for people, or NULL */ \
	F(s, STR, url)			/* of the answer, after redirects */ \
	F(s, STR, moved)		/* after 301 and 308 only: the permanent URL; or NULL */ \
	F(s, STR, type)			/* media type, lower case, bare; "" */ \
	F(s, STR, charset)		/* lower case; "" */ \
	F(s, STR, headers)		/* of the answer: "name: value\n", names in lower case */ \
	F(s, STR, etag) F(s, STR, modified) /* byte for byte, or NULL */ \
	F(s, I64, retry_after)		/* ms from now; -1: no such header */ \
	F(s, I64, max_age)		/* Cache-Control, Expires: ms; -1: no such header */ \
	F(s, U64, len)			/* of the body; the memfd holds a NUL behind it */ \
	F(s, BYTES, body)		/* direct: a short body, without a memfd */ \
	F(s, U32, requests)		/* hops made */
WIRE_STRUCT(fetch_done, FETCH_DONE_FIELDS);

/* ---- mail: SMTP submission (RFC 6409, RFC 5321) ---- */
#define MAIL_START_FIELDS(F, s) \
	F(s, STR, url)			/* smtp://HOST:PORT or smtps://HOST:PORT */ \
	F(s, STR, user)			/* NULL: no login */ \
	F(s, STR, password)		/* or the token; NULL */ \
	F(s, U32, token)		/* 1: password is an OAuth 2 token (XOAUTH2, OAUTHBEARER) */ \
	F(s, STR, hello)		/* the name in EHLO */ \
	F(s, STR, ca)			/* CA bundle, or NULL: the system's */ \
	F(s, U32, plain)		/* 1: STARTTLS is not demanded: the server is loopback */ \
	F(s, U32, per_connection)	/* messages of one connection, at most */
WIRE_STRUCT(mail_start, MAIL_START_FIELDS);
#define MAIL_JOB_FIELDS(F, s) \
	F(s, STR, sender)		/* of the envelope (MAIL FROM) */ \
	F(s, STR, recipient)		/* of the envelope (RCPT TO): one */ \
	F(s, U64, len)			/* of the message, in the memfd */ \
	F(s, U32, dialogue)		/* 1: mail_done tells the dialogue */
WIRE_STRUCT(mail_job, MAIL_JOB_FIELDS);
/* What the server's replies mean for a message: by the class table of the specification, in mail/reply.c. */
enum mail_class {
	MAIL_ACCEPTED = 1,		/* 250 after the final dot, and nothing less */
	MAIL_AGAIN,			/* 4xx for this recipient or message: again later */
	MAIL_PERHAPS,			/* lost after the final dot was begun: may have arrived; again later */
	MAIL_SERVER,			/* no server, no connection, 4xx before RCPT: nobody's attempt counts */
	MAIL_CONFIG,			/* login refused or not offered, no STARTTLS: the sink pauses */
	MAIL_SENDER,			/* greeting 554, MAIL 5xx: we are refused: the sink pauses */
	MAIL_NO_MAILBOX,		/* RCPT 550 5.1.x, 551, 553: dead, the address is wrong */
	MAIL_REFUSED,			/* RCPT other 5xx: dead, a soft bounce */
	MAIL_POLICY,			/* 5.7.x at RCPT or the dot, 5.6.x or 554 at the dot: dead, says nothing
					 * of the recipient */
	MAIL_BAD,			/* DATA or the dot 5xx: dead, the message is at fault */
	MAIL_TOO_LARGE,			/* 552 5.3.4, or over the server's SIZE: dead, for all recipients */
	MAIL_CLASSES
};
#define MAIL_DONE_FIELDS(F, s) \
	F(s, U32, class)		/* enum mail_class */ \
	F(s, U32, code)			/* of the last reply; 0: none */ \
	F(s, STR, reply)		/* one line for people: the last reply, or why there was none */ \
	F(s, STR, dialogue)		/* lines "> ..." and "< ...", without secrets and the message; or NULL */
WIRE_STRUCT(mail_done, MAIL_DONE_FIELDS);
#define MAIL_TRIED_FIELDS(F, s) \
	F(s, U32, class)		/* MAIL_ACCEPTED: the server takes mail of ours */ \
	F(s, STR, reply)		/* as in struct mail_done */ \
	F(s, STR, offers)		/* the EHLO keywords with their parameters, a line each; or NULL */ \
	F(s, STR, tls)			/* its version and cipher, for people; NULL: there is none */ \
	F(s, STR, dialogue)		/* as in struct mail_done */
WIRE_STRUCT(mail_tried, MAIL_TRIED_FIELDS);
#define MAIL_MAX	(10u << 20)	/* bytes of a message */

/* ---- store ---- */
enum backlog { BACKLOG_ALL, BACKLOG_NONE, BACKLOG_COUNT, BACKLOG_AGE };
#define STORE_HEAT_FIELDS(F, s) \
	F(s, I64, half_life)		/* ms */ \
	F(s, F64, votes) F(s, F64, comments) /* the weight of a doubling */ \
	F(s, I64, cap)			/* of a counter */ \
	F(s, U32, top)			/* entering the first so many is told; at most 1000 */
WIRE_STRUCT(store_heat, STORE_HEAT_FIELDS);
#define STORE_SOURCE_FIELDS(F, s) \
	F(s, STR, name)			/* GROUP/ENTRY or NAME */ \
	F(s, STR, was)			/* its earlier name, or NULL */ \
	F(s, STR, url)			/* first listed */ \
	F(s, STR, plugin) \
	F(s, F64, weight)		/* of its mentions; 0: they add no heat */ \
	F(s, U32, counters)		/* 1: its counters are believed */
WIRE_STRUCT(store_source, STORE_SOURCE_FIELDS);
#define STORE_ROUTE_FIELDS(F, s) \
	F(s, STR, name) F(s, STR, title) \
	F(s, U32, all)			/* from: ["*"]: every source */ \
	F(s, U32, filters)		/* how many; 0: store itself gives the verdict keep */ \
	F(s, BYTES, rules)		/* of each: RULE\0... */ \
	F(s, U32, once_record)		/* 1: `once: record`: stories are not joined */ \
	F(s, U32, updates)		/* 1: a revision is delivered too */ \
	F(s, I64, patience)		/* ms that a record may wait for a verdict */ \
	/* u32 indexes of sources, whose fields a story's face takes first; or NULL */ \
	F(s, BYTES, prefer) \
	/* 1: the route draws from one other, its candidates, and seals editions of what that one keeps */ \
	F(s, U32, edition) \
	F(s, STR, rule)			/* the calendar: when it changes, nothing becomes due */ \
	F(s, U32, order)		/* enum list_order */ \
	F(s, STR, number)		/* of ORDER_NUMBER; else NULL */ \
	F(s, U32, top)			/* records of an edition; 0: all */ \
	F(s, U32, group)		/* enum edition_group */ \
	F(s, I64, among)		/* ms: younger candidates that no edition had are looked at again */ \
	F(s, U32, send_empty)		/* 1: an edition without a record is sealed, too */ \
	F(s, U32, archive)		/* editions that are kept; 0: all */ \
	F(s, U32, subscribe)		/* 1: readers can subscribe to one of its sinks */
WIRE_STRUCT(store_route, STORE_ROUTE_FIELDS);
/* Into which sections the records of an edition are put. */
enum edition_group { SECTION_NONE, SECTION_SOURCE, SECTION_ROUTE };
/* By what the records of a list are ordered and chosen, the latest first: `order`. */
enum list_order {
	ORDER_PUBLISHED,		/* record_date() */
	ORDER_SEEN,			/* when it was first seen */
	/* Of its story: as that changes, so does the list. */
	ORDER_HEAT, ORDER_SCORE,
	ORDER_NUMBER			/* the highest value that one of its records has brought */
};
#define STORE_SINK_FIELDS(F, s) \
	F(s, STR, name)			/* plugin, with "#2" for its second sink in the route */ \
	F(s, U32, takes)		/* enum cr_kind */ \
	F(s, U32, archive)		/* 1: of an edition it gets those that were left out, too */ \
	F(s, U32, keep)			/* records of a list */ \
	F(s, U32, order)		/* enum list_order */ \
	F(s, STR, number)		/* of ORDER_NUMBER; else NULL */ \
	F(s, I64, every)		/* ms from one ranking of a list by its stories to the next */ \
	F(s, U32, unordered)		/* 1: `ordered: no` */ \
	F(s, U32, mail)			/* 1: it writes mail to readers */ \
	/* its fixed readers: KEY\0ADDRESS\0..., KEY by mailbox_key() */ \
	F(s, BYTES, readers) \
	F(s, I64, expiry)		/* ms for which mail is tried */ \
	F(s, U32, subscribe)		/* 1: the route's subscribers are its readers, too */ \
	F(s, U32, backlog)		/* enum backlog: earlier records that a new sink gets */ \
	F(s, I64, backlog_n)		/* records or ms */
WIRE_STRUCT(store_sink, STORE_SINK_FIELDS);
#define SEAL_ASK_FIELDS(F, s) \
	F(s, STR, route) F(s, STR, name) F(s, STR, zone) \
	F(s, I64, from)			/* when the edition before was due, ms */ \
	F(s, I64, due)			/* ms */ \
	F(s, U32, early)		/* 1: by an operator, before it is due */ \
	F(s, U32, missed)		/* 1: it was due longer ago than `late`: it is not to be sealed any more */
WIRE_STRUCT(seal_ask, SEAL_ASK_FIELDS);
/* What became of an edition: edition.state. */
enum edition_state { EDITION_SEALED = 1, EDITION_SKIPPED = 2, EDITION_PRUNED = 3 };
#define SEAL_TOLD_FIELDS(F, s) \
	F(s, STR, route) \
	F(s, I64, due)			/* as asked: it is sealed, skipped, or not to be */
WIRE_STRUCT(seal_told, SEAL_TOLD_FIELDS);
/* What store holds for a source between its jobs; 0: core polls the source without a MSG_RECALL. */
enum stored {
	KEPT_STATE	= 1,		/* state that its plugin has set */
	KEPT_OWED	= 2,		/* pages still to be fetched of an unfinished walk */
	KEPT_BROKEN	= 4,		/* its last walk was incomplete: the next does not stop at
					 * stored records, and sends no validators */
};
#define RECALL_FIELDS(F, s) \
	F(s, U32, source)		/* store's id */ \
	/* of the source's configuration: pages owed under another hash are dropped */ \
	F(s, U64, hash)
WIRE_STRUCT(recall, RECALL_FIELDS);
#define RECALLED_FIELDS(F, s) \
	F(s, U32, source) F(s, U32, kept) \
	F(s, BYTES, state)		/* KEY\0VALUE\0... */ \
	/* validators of the first page of the unfinished walk */ \
	F(s, STR, etag) F(s, STR, modified) F(s, STR, validated) \
	F(s, STR, gap)			/* why a page of that walk was given up; NULL: none was */
WIRE_STRUCT(recalled, RECALLED_FIELDS);
/* A page still to be fetched. In place of a secret, url and headers hold its mark
 * (secret_mark()). */
#define OWED_PAGE_FIELDS(F, s) \
	F(s, I64, page)			/* store's id; 0: none */ \
	/* as in struct cr_request */ \
	F(s, STR, url) F(s, STR, method) F(s, STR, headers) F(s, STR, tag) \
	F(s, BYTES, body) \
	F(s, U32, nth)			/* calls of next() that led to this page */ \
	F(s, U32, failures)		/* in a row */
WIRE_STRUCT(owed_page, OWED_PAGE_FIELDS);
enum commit_flag {
	COMMIT_LAST	= 1,		/* the job is over, unless store says that pages are owed */
	COMMIT_FAILED	= 2,		/* the page failed: it stays owed; its records are stored */
	COMMIT_NEVER	= 4,		/* the page is given up, the rest of the walk is not */
	COMMIT_COUNTS	= 8,		/* with FAILED: counts towards giving the page up */
	COMMIT_PLAN	= 16,		/* results of plan(): no page */
	COMMIT_ASIDE	= 64,		/* of a stream or visit: its state is stored at once, its
					 * mark with COMMIT_LAST */
};
#define COMMIT_FIELDS(F, s) \
	F(s, U32, source)		/* store's id */ \
	F(s, U32, flags)		/* enum commit_flag */ \
	F(s, I64, when)			/* arrival, ms: when new records were first seen */ \
	F(s, STR, url)			/* of the page */ \
	F(s, I64, page)			/* owed_page.page; 0: the first of a walk */ \
	F(s, U32, nth)			/* as in struct owed_page */ \
	F(s, U32, pages)		/* next() is followed below this nth */ \
	F(s, U64, hash)			/* of the source's configuration */ \
	F(s, STR, gap)			/* COMMIT_NEVER: why, for people */
WIRE_STRUCT(commit, COMMIT_FIELDS);
#define COMMITTED_FIELDS(F, s) \
	F(s, U32, source) \
	F(s, U32, bad)			/* 1: the results were malformed; nothing was stored */ \
	F(s, U32, records)		/* in the results, those refused included */ \
	/* records, and what a document says of itself, that no host in a worker writes */ \
	F(s, U32, refused) \
	F(s, STR, fault)		/* of the first of these, or why `bad`; or NULL */ \
	F(s, U32, seen) F(s, U32, added) F(s, U32, revised) \
	F(s, I64, head)			/* the log's last n */ \
	/* 1: the walk goes on with the owed_page that follows; the mark is not stored */ \
	F(s, U32, more) \
	F(s, U32, kept)			/* enum stored */ \
	F(s, U32, aside)		/* 1: answers a COMMIT_ASIDE */
WIRE_STRUCT(committed, COMMITTED_FIELDS);
enum state_owner { STATE_STREAM, STATE_VISIT, STATE_TROUBLE };
#define STATE_ASK_FIELDS(F, s) \
	F(s, U32, owner)		/* enum state_owner: the part of core that asks */ \
	F(s, STR, instance)		/* the instance whose state it is */
WIRE_STRUCT(state_ask, STATE_ASK_FIELDS);
#define STATED_FIELDS(F, s) \
	F(s, U32, owner)		/* as in the question */ \
	F(s, BYTES, state)		/* KEY\0VALUE\0... */
WIRE_STRUCT(stated, STATED_FIELDS);
#define PULL_FILTER	UINT32_MAX
#define SINK_LANES	4		/* records that an unordered sink has under way at once */
#define PULL_FIELDS(F, s) \
	F(s, U32, route)		/* store's id */ \
	F(s, U32, sink)			/* index in the route, or PULL_FILTER */ \
	F(s, U32, lane)			/* of an unordered sink, below SINK_LANES; else 0 */ \
	F(s, U32, max)			/* records, at most */ \
	/* 1: an operator resumes the sink: the pause and the delay of a retry end */ \
	F(s, U32, resume) \
	/* 1: deliver the list even when it is empty or has no new record */ \
	F(s, U32, anew) \
	/* 1: replays alone, and further tries of an unordered sink: it is paused, waits for a retry, \
	 * or has no new records */ \
	F(s, U32, replay) \
	F(s, U32, sample)		/* 1: a sample, with which an operator tests the sink */ \
	F(s, STR, to)			/* the reader of a sample that is mail; or NULL */
WIRE_STRUCT(pull, PULL_FIELDS);
/* WORK_EDITION: of one edition, as a whole: ack.done counts editions. WORK_LETTER: a letter of the daemon's own,
 * likewise; first and last are its negative id. */
enum work_kind { WORK_NONE, WORK_FILTER, WORK_RECORDS, WORK_LIST, WORK_REPLAY, WORK_SAMPLE, WORK_EDITION,
	WORK_LETTER };
/* What a letter of the daemon's own to a subscriber says. */
enum letter_kind { LETTER_CONFIRM = 1 /* press the button */, LETTER_ALREADY /* you have it already */ };
#define WORK_FIELDS(F, s) \
	F(s, U32, route) F(s, U32, sink) F(s, U32, lane) \
	F(s, U32, kind)			/* enum work_kind */ \
	F(s, U32, count)		/* records in the batch */ \
	/* range of the log that the batch covers; WORK_NONE for filters: the log up to last got \
	 * its verdicts without them; 0: none of it did */ \
	F(s, I64, first) F(s, I64, last) \
	F(s, I64, due)			/* WORK_NONE: when work is due, ms; 0: there is none */ \
	F(s, I64, head)			/* WORK_NONE: the log's last n that store examined */ \
	F(s, STR, id)			/* of the delivery, the same when repeated */ \
	F(s, U32, attempt)		/* failures in a row of the batch's first record */ \
	F(s, U32, paused)		/* WORK_NONE, 1: until an operator resumes the sink */ \
	/* when the next replay is due, or the next try of an unordered sink's record, ms; 0 */ \
	F(s, I64, replay) \
	/* of a sink that writes mail: struct mail_reader, one after the other, at most MAIL_READERS */ \
	F(s, BYTES, readers) \
	/* WORK_LETTER: enum letter_kind; the token of the page that it links to, or NULL; when it was made, ms */ \
	F(s, U32, letter) F(s, STR, token) F(s, I64, made)
WIRE_STRUCT(work, WORK_FIELDS);
#define MAIL_READER_FIELDS(F, s) \
	F(s, STR, reader)		/* store's name of it: mailbox_key() */ \
	F(s, STR, address) \
	F(s, STR, id)			/* of the delivery to it, the same when repeated */ \
	F(s, STR, leave)		/* the key by which it leaves; "": a fixed reader */
WIRE_STRUCT(mail_reader, MAIL_READER_FIELDS);
#define MAIL_READERS	32
#define JUDGED_FIELDS(F, s) \
	F(s, U32, route) \
	/* index of the record on which two workers died; UINT32_MAX: none */ \
	F(s, U32, guilty) \
	F(s, I64, first) F(s, I64, last) \
	F(s, STR, reason)		/* why that record failed */
WIRE_STRUCT(judged, JUDGED_FIELDS);
enum ack_then {
	ACK_ALL, ACK_RETRY, ACK_DEAD /* the record after `done`: a dead letter */, ACK_PARK,
	ACK_GONE,			/* the receiver is gone: paused until `courant resume` */
	ACK_PART,			/* no failure: the records after `done` come in another batch */
	ACK_SO_FAR			/* the batch goes on; not answered by MSG_SETTLED */
};
#define WAIT_MAX	INT64_C(3600000)	/* ms of one MSG_W_WAIT, at most */
#define ACK_DUE_MAX	INT64_C(86400000)	/* ms: the longest that a sink may ask to wait */
#define ACK_FIELDS(F, s) \
	F(s, U32, route) F(s, U32, sink) F(s, U32, lane) \
	F(s, U32, done)			/* records delivered, from the batch's first */ \
	F(s, U32, then)			/* enum ack_then */ \
	F(s, I64, first) F(s, I64, last) \
	F(s, I64, due)			/* ACK_RETRY: not before, ms */ \
	F(s, STR, reason)
WIRE_STRUCT(ack, ACK_FIELDS);
#define SETTLED_FIELDS(F, s) \
	F(s, U32, route) F(s, U32, sink) F(s, U32, lane) /* sink: PULL_FILTER after JUDGED */ \
	F(s, U32, bad)			/* enum settled_bad: nothing was stored */
WIRE_STRUCT(settled, SETTLED_FIELDS);
enum settled_bad {
	SETTLED_MALFORMED = 1,		/* the verdicts cannot be read */
	SETTLED_OTHER,			/* the batch is no longer out: a new setup came between */
};
/* The sink is paused for MAIL_CONFIG and MAIL_SENDER; MAIL_TOO_LARGE is of all readers. */
#define MAIL_OUTCOME_FIELDS(F, s) \
	F(s, U32, route) F(s, U32, sink) \
	F(s, I64, n)			/* first row of the record or edition (struct work) */ \
	F(s, STR, reader)		/* as in struct mail_reader */ \
	F(s, U32, class)		/* enum mail_class */ \
	F(s, U32, code)			/* of the reply; 0: none */ \
	F(s, STR, reply) \
	F(s, I64, due)			/* MAIL_SERVER: not before, ms; else 0 */
WIRE_STRUCT(mail_outcome, MAIL_OUTCOME_FIELDS);
#define COUNTS_FIELDS(F, s) \
	/* bytes: of the database */ \
	F(s, U64, records) F(s, U64, revisions) F(s, U64, stories) F(s, U64, bytes) \
	F(s, I64, head) F(s, I64, oldest)
WIRE_STRUCT(counts, COUNTS_FIELDS);
/* A source that has been without a new record for much longer than it ever was lately. */
#define SILENCES_MAX	1000		/* in MSG_SILENCES: the longest ones */
#define SILENCE_FIELDS(F, s) \
	F(s, U32, source)		/* store's id */ \
	F(s, I64, fresh)		/* when its last new record was stored, ms */ \
	F(s, I64, rhythm)		/* the longest gap that is usual, ms */ \
	F(s, I64, after)		/* when it became silent, ms */
WIRE_STRUCT(silence, SILENCE_FIELDS);
#define ROUTE_COUNT_FIELDS(F, s) \
	F(s, U32, route) F(s, U32, sink) \
	/* the log's row up to which the filters have judged, or the sink is done */ \
	F(s, I64, place) \
	F(s, U64, kept) F(s, U64, dropped) \
	F(s, U64, waiting)		/* filters: records for which they said wait */ \
	F(s, U64, dead)			/* dead letters */ \
	/* sinks: records that the sink confirmed, those of a list once; kept ones that it has not */ \
	F(s, U64, delivered) F(s, U64, unconfirmed) \
	F(s, I64, oldest)		/* when the oldest unconfirmed record was stored, ms; 0 */ \
	F(s, U64, retry) F(s, U64, replay)	/* those that failed; those an operator replays */ \
	F(s, I64, due)			/* the next try of what failed, ms; 0: none */ \
	F(s, U32, paused)		/* 1: until an operator resumes it */ \
	/* those of `dropped` that waited longer than the route's patience */ \
	F(s, U64, expired) \
	/* filters: records whose changes were refused since no host writes such; since the start */ \
	F(s, U64, forged) \
	/* filters: subscribers of the route by their state, when it has such */ \
	F(s, U32, subscribe) \
	F(s, U64, pending) F(s, U64, active) F(s, U64, left) F(s, U64, bounced) F(s, U64, blocked) \
	F(s, STR, reason)		/* of the last failure, or NULL */
WIRE_STRUCT(route_count, ROUTE_COUNT_FIELDS);

/* ---- worker ---- */
enum w_mode { W_DESCRIBE, W_CHECK, W_PARSE, W_FILTER, W_DELIVER, W_STREAM, W_VISIT };
#define W_START_FIELDS(F, s) \
	F(s, U32, mode)			/* enum w_mode */ \
	F(s, U32, grants)		/* enum cr_wants that the operator allows */ \
	F(s, U32, debug) \
	F(s, U64, memory)		/* bytes of address space, at most */ \
	F(s, U64, out)			/* bytes of results, at most */ \
	/* ms of CPU that a job may use: RLIMIT_CPU is a backstop */ \
	F(s, I64, cpu) \
	/* with CR_FILES: the plugin's own folder; becomes the working directory */ \
	F(s, STR, folder) \
	F(s, STR, name)			/* for the log */ \
	/* frames MSG_W_COPY that follow, one for each plugin; 0: the paths are loaded */ \
	F(s, U32, copies) \
	F(s, U32, landlock)		/* version of Landlock's ABI; 0: there is no Landlock */ \
	/* seccomp filters by seccomp_fill(), arrays of struct sock_filter: installed before, and \
	 * after the plugins are loaded; empty: none */ \
	F(s, BYTES, filter_enter) \
	F(s, BYTES, filter_seal) \
	/* names of the system calls from number 0 on, each with its NUL */ \
	F(s, BYTES, calls)
WIRE_STRUCT(w_start, W_START_FIELDS);
#define PARSE_JOB_FIELDS(F, s) \
	F(s, STR, source) F(s, STR, url) /* url: after redirects */ \
	F(s, STR, type) F(s, STR, charset) F(s, STR, headers) F(s, STR, tag) \
	F(s, I64, when) \
	F(s, I64, now)			/* wall clock, ms */ \
	F(s, U64, len)			/* of the body; the byte behind it is 0 */ \
	F(s, U32, nth) \
	F(s, U64, hash)			/* of the options: if another, close(), open() */ \
	F(s, BYTES, options)		/* NAME\0VALUE\0... */ \
	F(s, BYTES, state)		/* KEY\0VALUE\0... */ \
	F(s, U32, strip)		/* 1: tracking pixels and beacons are removed from HTML */
WIRE_STRUCT(parse_job, PARSE_JOB_FIELDS);
#define PARSE_DONE_FIELDS(F, s) \
	F(s, U32, failed)		/* 0, or enum cr_why, or FAILED_* below */ \
	F(s, STR, error)		/* one line, or NULL */ \
	F(s, STR, partial)		/* why the document was repaired or cut; or NULL */ \
	F(s, I64, retry)		/* ms from now; -1: by the host's schedule */ \
	F(s, U32, records)		/* written to out */ \
	F(s, U32, refused)		/* records refused by emit() */ \
	F(s, U64, out)			/* bytes written to out */ \
	F(s, I64, ttl)			/* the feed's ttl, ms; 0: none */ \
	F(s, U32, skip_hours)		/* bit h: no poll between h:00 and h:59 UTC */ \
	F(s, U32, skip_days)		/* bit 0: Sunday */
WIRE_STRUCT(parse_done, PARSE_DONE_FIELDS);
enum { FAILED_RETRY = 100 };		/* the plugin called retry(), not fail() */
#define BATCH_JOB_FIELDS(F, s) \
	F(s, STR, route) F(s, STR, id) F(s, STR, title) F(s, STR, self) \
	F(s, STR, archive)		/* URL of the pages of its route's editions; NULL: there are none */ \
	F(s, U32, kind)			/* enum cr_kind; FILTER: 0 */ \
	F(s, U32, careful)		/* 1: one record at a time, MSG_W_PROGRESS after each */ \
	F(s, U32, count) \
	F(s, U64, len)			/* bytes of the batch */ \
	F(s, I64, now) \
	F(s, U32, attempt)		/* as in struct work */ \
	F(s, STR, sender) F(s, STR, list_id)	/* as in struct cr_batch; NULL: the sink writes no mail */ \
	F(s, BYTES, readers)		/* as in struct work */ \
	/* the page at which a reader leaves, without the key behind it; the mailbox that takes such wishes, \
	 * or NULL */ \
	F(s, STR, leave) F(s, STR, leave_mail) \
	F(s, STR, text) F(s, I64, made)	/* of a letter: what it says; when it was made, ms */
WIRE_STRUCT(batch_job, BATCH_JOB_FIELDS);
#define BATCH_DONE_FIELDS(F, s) \
	F(s, U32, done)			/* records filtered or delivered, from the first */ \
	/* 0, enum cr_why or FAILED_RETRY, for the record after `done` */ \
	F(s, U32, failed) \
	F(s, I64, retry)		/* ms from now; -1: the host's schedule */ \
	F(s, U64, out)			/* bytes written to out */ \
	F(s, STR, error)
WIRE_STRUCT(batch_done, BATCH_DONE_FIELDS);
#define STREAM_JOB_FIELDS(F, s) \
	F(s, STR, source) F(s, STR, url) \
	F(s, U64, hash)			/* of the options */ \
	F(s, BYTES, options)		/* NAME\0VALUE\0... */ \
	F(s, BYTES, state)		/* KEY\0VALUE\0... */ \
	F(s, U32, strip)		/* as in struct parse_job */
WIRE_STRUCT(stream_job, STREAM_JOB_FIELDS);
#define STREAM_RECORDS	1000		/* a batch of so many records is sent */
#define STREAM_BYTES	(1u << 20)	/* a batch of so many bytes is sent */
#define STREAM_OUT	(16u << 20)	/* bytes of a batch, with a last large record and state */
#define STREAM_BATCH_FIELDS(F, s) \
	F(s, U32, records) F(s, U32, refused) \
	F(s, U64, out)			/* bytes written */
WIRE_STRUCT(stream_batch, STREAM_BATCH_FIELDS);

/* A request by http() of a plugin, and the answer to it. */
#define HTTP_ASK_FIELDS(F, s) \
	F(s, STR, url) F(s, STR, method) F(s, STR, headers) \
	F(s, BYTES, body)		/* a short body */ \
	F(s, U64, len)			/* of a body in a sealed memfd; 0: no memfd */ \
	F(s, I64, timeout)		/* ms; 0: `limits: timeout` */
WIRE_STRUCT(http_ask, HTTP_ASK_FIELDS);
#define HTTP_ANSWER_FIELDS(F, s) \
	F(s, U32, status)		/* 0: no answer */ \
	F(s, STR, error)		/* one line, or NULL */ \
	F(s, STR, headers)		/* "name: value\n", names in lower case */ \
	F(s, BYTES, body)		/* a short body */ \
	F(s, U64, len)			/* of a body in a sealed memfd, with a NUL behind it */ \
	F(s, I64, retry_after)		/* ms from now; -1: no such header */
WIRE_STRUCT(http_answer, HTTP_ANSWER_FIELDS);
#define HTTP_AT_ONCE	16		/* requests of one http() */
#define HTTP_SHORT	(16u << 10)	/* bytes of a body that is sent inside its frame */
#define HTTP_TURN	(64u << 10)	/* bytes of the requests that one frame holds */
#define HTTP_ANSWER_MAX	(1u << 20)	/* bytes of an answer's body; the rest is cut off */
#define HTTP_BODY_MAX	(64u << 20)	/* bytes of a request's body */

/* ---- visits: requests below /x/, which plugins answer ---- */
#define VISIT_ASK_FIELDS(F, s) \
	F(s, STR, method) \
	/* decoded: the part behind /x/; to the worker, the part behind the name, from '/' on */ \
	F(s, STR, path) \
	F(s, STR, query)		/* not decoded, or NULL */ \
	F(s, STR, headers)		/* "name: value\n", names in lower case */ \
	F(s, STR, peer)			/* the client's address */ \
	F(s, BYTES, body)		/* a short body */ \
	F(s, U64, len)			/* of a body in a sealed memfd, with a NUL behind it */
WIRE_STRUCT(visit_ask, VISIT_ASK_FIELDS);
#define VISIT_ANSWER_FIELDS(F, s) \
	F(s, U32, status)		/* HTTP */ \
	F(s, STR, type)			/* of the body */ \
	F(s, STR, error)		/* a line for people instead of a body; or NULL */ \
	F(s, I64, retry_after)		/* s; -1: no such header */ \
	F(s, U64, len)			/* of the body, in the memfd; 0: no body */
WIRE_STRUCT(visit_answer, VISIT_ANSWER_FIELDS);
#define VISIT_JOB_FIELDS(F, s) \
	F(s, STR, source) F(s, STR, url) \
	F(s, U64, hash)			/* of the options */ \
	F(s, I64, now)			/* wall clock, ms */ \
	F(s, BYTES, options)		/* NAME\0VALUE\0... */ \
	F(s, BYTES, state)		/* KEY\0VALUE\0... */ \
	F(s, U32, strip)		/* as in struct parse_job */
WIRE_STRUCT(visit_job, VISIT_JOB_FIELDS);
#define VISIT_DONE_FIELDS(F, s) \
	/* set by answer(); 0: answer() was not called; with failed: 500 or 0 */ \
	F(s, U32, status) \
	F(s, STR, type) \
	F(s, U64, len)			/* of the body */ \
	/* 0, enum cr_why or FAILED_RETRY: then there is no answer */ \
	F(s, U32, failed) \
	F(s, I64, retry)		/* ms from now; -1: none given */ \
	F(s, STR, error)
WIRE_STRUCT(visit_done, VISIT_DONE_FIELDS);
#define VISIT_BODY_MAX	(1u << 20)	/* bytes of a request's body */
#define VISIT_SHORT	(16u << 10)	/* bytes of a body that is sent inside its frame */
#define VISIT_ANSWER_MAX (1u << 20)	/* bytes of an answer's body */
#define VISIT_TYPE_MAX	255		/* bytes of an answer's media type */

/* ---- subscriptions ---- */
enum consent_act { CONSENT_NOTHING, CONSENT_ASK, CONSENT_CONFIRM, CONSENT_LEAVE };
#define CONSENT_FIELDS(F, s) \
	F(s, U32, act)			/* enum consent_act; NOTHING: takes as long as the others */ \
	F(s, STR, route)		/* ASK: its name */ \
	F(s, STR, address)		/* ASK: as typed */ \
	F(s, BYTES, token)		/* CONFIRM, LEAVE: 16 bytes */ \
	F(s, STR, network)		/* of the visitor, "192.0.2.0/24" */
WIRE_STRUCT(consent, CONSENT_FIELDS);
enum consented {
	CONSENTED_DONE = 1,		/* or there was nothing to do: ASK tells nothing */
	CONSENTED_UNKNOWN,		/* CONFIRM: no such token, or not any more; ASK: no such route */
	CONSENTED_AWAY,			/* core: store cannot be asked now */
};
#define NETWORK_MAX	64		/* bytes of consent.network */

/* ---- serve ---- */
#define PROXIES_MAX	64		/* addresses in serve_start.proxies */
#define PROXY_ADDRESS	46		/* bytes of an address as text, with its NUL */
#define INDEX_START_FIELDS(F, s) \
	F(s, STR, database)		/* opened read-only after store is ready */ \
	F(s, STR, folder)		/* of index.db */
WIRE_STRUCT(index_start, INDEX_START_FIELDS);
#define INDEXED_FIELDS(F, s) \
	F(s, I64, n)			/* all rows of the log up to this one can be found */ \
	F(s, I64, docs)			/* versions of records in the index */ \
	F(s, U32, building)		/* 1: it is built anew */ \
	F(s, U32, waits)		/* 1: for room on the disk, or for the database */ \
	F(s, STR, why)			/* it is built anew, or waits; or NULL */
WIRE_STRUCT(indexed, INDEXED_FIELDS);
#define SERVE_START_FIELDS(F, s) \
	F(s, STR, database)		/* opened read-only after store is ready */ \
	F(s, STR, out)			/* folder of the output files */ \
	/* the server's public URL ("https://feeds.example.org"), or "" */ \
	F(s, STR, base) \
	F(s, STR, title) F(s, STR, zone)	/* of the pages; as in zone.h */ \
	F(s, U32, connections)		/* at most */ \
	F(s, U32, per_address)		/* at most */ \
	/* addresses of trusted proxies, a space between; or "" */ \
	F(s, STR, proxies)
WIRE_STRUCT(serve_start, SERVE_START_FIELDS);
#endif
