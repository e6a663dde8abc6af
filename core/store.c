/* The store role: the database's only writer. Answers core's frames, and commits in groups: what a
 * reply acknowledges is on disk before the reply leaves. */
#include "date.h"
#include "explain.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "peer.h"
#include "result.h"
#include "roles.h"
#include "state.h"
#include "walk.h"

#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORE_FD	3		/* of the channel */
#define GROUP_MS	20		/* between two commits, at least */
#define GROUP_LOAD_MS	100		/* the same, while records pour in... */
#define GROUP_LULL_MS	5		/* ...without a pause as long as this */
#define GROUP_LOAD	100		/* records in a group that say so */
#define GROUP_MAX	1000		/* records of a group: committed at once */
#define LOST_MS		60000		/* between two warnings that the file is not there */
#define TOUCH_MS	60000		/* a mark alone is on disk after this, at the latest */
#define WAKE_MS		3600000		/* between two looks at what waits, at most */
#define KNOWN_MAX	(256u << 20)	/* bytes of MSG_STORE_KNOWN */
#define ITEMS_MAX	(64u << 20)	/* bytes of a batch */
#define EXPLAIN_MAX	(64u << 20)	/* bytes of what is told of a record */

/* A reply that waits for its group's commit. */
struct reply {
	struct reply	*next;
	uint16_t	 type;
	uint32_t	 id;
	struct buf	 data;
	int		 fd;		/* -1: none */
};

struct store {
	struct event_base *base;
	struct peer	*peer;
	struct event	*commit, *touch, *wake;
	struct book	 book;
	struct roster	*roster;
	struct ledger	*ledger;
	struct reply	*replies, **end;
	int64_t		 committed;	/* date_ticks() of the last commit */
	int64_t		 warned;	/* and of the last warning that the file is not there */
	int64_t		 records, revisions, stories;	/* as they are on disk */
	size_t		 group;		/* records in it */
	uint64_t	 frames, lull;	/* that came; as many as that when the group was last looked at */
	int		 hurry;		/* somebody's next step waits for it */
	int		 verdicts;	/* some are in it: batches made of them wait for it */
	int		 status;	/* to exit with */
};

/* ---- Replies ---- */

static void
send_now(struct store *s, uint16_t type, uint32_t id, const struct buf *data, int fd)
{
	if (peer_send(s->peer, type, id, data, fd, -1) == -1)
		fatal("a %s cannot be sent", msg_name(type));
}

/* Takes what data holds, and fd; sends them once what they speak of is on disk. */
static void
send_later(struct store *s, uint16_t type, uint32_t id, struct buf *data, int fd)
{
	struct reply *r = xcalloc(1, sizeof(*r));

	*r = (struct reply){ .type = type, .id = id, .data = *data, .fd = fd };
	buf_init(data, data->max);
	*s->end = r;
	s->end = &r->next;
}

static void
replies_send(struct store *s)
{
	struct reply *r, *next;

	r = s->replies;
	s->replies = NULL;
	s->end = &s->replies;
	for (; r != NULL; r = next) {
		next = r->next;
		send_now(s, r->type, r->id, &r->data, r->fd);
		if (r->fd != -1)
			close(r->fd);
		buf_free(&r->data);
		free(r);
	}
}

/* ---- Groups ---- */

static void
total_save(struct store *s, const char *name, int64_t *saved, int64_t value)
{
	if (*saved != value)
		db_run(&s->book.db, SQL_META_SET, DB_TEXT(name), DB_INT(value));
	*saved = value;
}

static void
totals_save(struct store *s)
{
	total_save(s, "records", &s->records, s->book.records);
	total_save(s, "revisions", &s->revisions, s->book.revisions);
	total_save(s, "stories", &s->stories, s->book.stories);
}

/* Somebody moved the file away or put another in its place: what is stored goes to the old one. */
static void
lost_warn(struct store *s)
{
	if (!db_lost(&s->book.db) || (s->warned != 0 && s->committed - s->warned < LOST_MS))
		return;
	s->warned = s->committed;
	log_warn("%s: another file or none has this name: what is stored now will be gone at the"
	    " next start; stop, put the file back, start", s->book.db.path);
}

/* The log grew by what waited. */
static void
head_tell(struct store *s)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_HEAD));
	wire_put_i64(&b, s->book.head);
	send_now(s, MSG_HEAD, 0, &b, -1);
	buf_free(&b);
}

/* Sets the timer for what waits. It is looked at again within the hour, as the clock may be set. */
static void
wake_plan(struct store *s)
{
	int64_t ms = s->ledger->taken ? ledger_wakes(s->ledger) : INT64_MAX;
	struct timeval tv;

	if (ms == INT64_MAX) {
		event_del(s->wake);
		return;
	}
	ms -= date_now();
	ms = ms < 0 ? 0 : ms > WAKE_MS ? WAKE_MS : ms;
	tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	event_add(s->wake, &tv);
}

static void
group_commit(struct store *s)
{
	struct db *db = &s->book.db;
	unsigned long long n = db->commits + 1;
	size_t woken;

	event_del(s->commit);
	woken = db->open ? ledger_wake(s->ledger) : 0;
	if (db->open) {
		if (roster_flush(s->roster) > 0)
			event_del(s->touch);
		ledger_save(s->ledger, LEDGER_BEHIND);
		totals_save(s);
		log_debug("commit begin %llu", n);
		db_commit(db);
		log_debug("commit done %llu, %zu records", n, s->group);
		s->committed = date_ticks();
		s->ledger->durable = s->book.head;
		lost_warn(s);
	}
	s->group = 0;
	s->hurry = 0;
	s->verdicts = 0;
	replies_send(s);
	if (woken > 0)
		head_tell(s);
	wake_plan(s);
	db_checkpoint(db);
}

static void
group_at(struct store *s, int64_t ticks)
{
	int64_t ms = ticks - date_ticks();
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	event_add(s->commit, &tv);
}

/* After a frame: when its group is committed. */
static void
group_plan(struct store *s)
{
	if (!s->book.db.open && s->replies == NULL)
		return;
	if (s->group >= GROUP_MAX)
		group_commit(s);
	else if (!event_pending(s->commit, EV_TIMEOUT, NULL))
		group_at(s, s->committed + GROUP_MS);
}

static void
on_commit(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	(void)what;
	if (s->group >= GROUP_LOAD && !s->hurry && s->frames != s->lull &&
	    date_ticks() - s->committed < GROUP_LOAD_MS) {
		s->lull = s->frames;
		group_at(s, date_ticks() + GROUP_LULL_MS);
	} else
		group_commit(s);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	(void)what;
	if (ledger_wakes(s->ledger) <= date_now())
		db_begin(&s->book.db);
	group_commit(s);
}

static void
on_touch(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	(void)what;
	db_begin(&s->book.db);
	group_commit(s);
}

/* ---- Setting up ---- */

static void
book_open(struct store *s, const char *path)
{
	struct book *book = &s->book;
	struct db *db = &book->db;

	s->status = db_open(db, path);
	if (s->status != 0) {
		event_base_loopbreak(s->base);
		return;
	}
	book->digest = digest_new();
	book->seed = db_get(db, SQL_META_GET, 0, DB_TEXT("seed"));
	book->head = db_first(db, SQL_HEAD, 0);
	s->records = book->records = db_get(db, SQL_META_GET, 0, DB_TEXT("records"));
	s->revisions = book->revisions = db_get(db, SQL_META_GET, 0, DB_TEXT("revisions"));
	s->stories = book->stories = db_get(db, SQL_META_GET, 0, DB_TEXT("stories"));
	s->roster = roster_new(db);
	s->ledger = ledger_new(book, s->roster);
	log_info("database %s: %lld records, log up to %lld", path, (long long)book->records,
	    (long long)book->head);
	send_now(s, MSG_READY, 0, NULL, -1);
}

static void
on_start(struct store *s, struct frame *f, struct wire *w)
{
	const char *path = wire_str(w);

	(void)f;
	if (wire_end(w) == -1 || path == NULL || s->ledger != NULL)
		fatal("core's STORE_START is malformed");
	book_open(s, path);
}

static struct store_source *
sources_read(struct wire *w, uint32_t *n)
{
	struct store_source *sources = NULL;
	uint32_t i;

	*n = wire_u32(w);
	if (!w->bad && *n < (size_t)(w->end - w->at))
		sources = xcalloc(*n, sizeof(*sources));
	for (i = 0; sources != NULL && i < *n; i++) {
		wire_get(w, store_source, &sources[i]);
		if (w->bad || sources[i].name == NULL || sources[i].url == NULL ||
		    sources[i].plugin == NULL)
			fatal("core's STORE_CONF: source %u is malformed", i);
	}
	return sources;
}

static void
conf_take(struct store *s, uint32_t id, struct wire *w)
{
	uint32_t n, *ids;
	struct store_source *sources = sources_read(w, &n);
	struct buf known;
	int fd;

	if (sources == NULL && n > 0)
		fatal("core's STORE_CONF is malformed");
	ids = xcalloc(n, sizeof(*ids));
	buf_init(&known, KNOWN_MAX);
	db_begin(&s->book.db);
	roster_take(s->roster, sources, n, ids);
	roster_known(s->roster, ids, n, &known);
	if (ledger_take(s->ledger, w, ids, n, &known) == -1)
		fatal("core's STORE_CONF: its routes are malformed");
	group_commit(s);
	wire_put_i64(&known, s->book.head);
	fd = result_fd(known.data, known.len);
	if (known.over || fd == -1 || result_seal(fd) == -1)
		fatal("what is known cannot be told: %s", strerror(errno));
	send_now(s, MSG_STORE_KNOWN, id, NULL, fd);
	close(fd);
	buf_free(&known);
	free(ids);
	free(sources);
}

static void
on_conf(struct store *s, struct frame *f, struct wire *w)
{
	struct wire all;
	const void *p;
	size_t size;

	(void)w;
	p = result_map(f->fd[0], SIZE_MAX, &size);
	if (p == NULL)
		fatal("core's STORE_CONF cannot be mapped: %s", strerror(errno));
	wire_init(&all, p, size);
	conf_take(s, f->id, &all);
	result_unmap(p, size);
}

/* ---- What comes in ---- */

/* Stores a page; the last one of a walk ends the job: mark and state count. */
static void
page_store(struct store *s, const struct commit *c, const struct mark *m, struct document *doc,
    struct committed *out)
{
	struct item_source *source = roster_get(s->roster, c->source), was = *source;
	struct document_counts n = { 0, 0, 0 };
	struct bytes feed = { NULL, 0 };
	enum walk walk = WALK_GOES_ON;

	db_begin(&s->book.db);
	if (doc != NULL) {
		document_store(doc, &s->book, source, c->when, &n);
		feed = document_feed(doc);
	}
	if (feed.data != NULL)
		db_run(&s->book.db, SQL_FEED_SET, DB_INT(c->source),
		    DB_BLOB(feed.data, feed.len));
	if ((c->flags & COMMIT_LAST) != 0)
		walk = walk_page(s->roster, c, m, doc, n.added);
	if (walk == WALK_WHOLE && m->ok > 0)
		source->firsts = -1;
	if (walk != WALK_GOES_ON)
		roster_mark(s->roster, c->source, m);
	if (source->firsts != was.firsts || source->unreliable != was.unreliable)
		roster_save(s->roster, source);
	s->group += n.added + n.revised;
	*out = (struct committed){ .source = c->source, .seen = n.seen,
		.added = n.added, .revised = n.revised, .head = s->book.head,
		.more = (c->flags & COMMIT_LAST) != 0 && walk == WALK_GOES_ON,
		.kept = *roster_kept(s->roster, c->source) };
}

/* Stores what came outside of polls: of a stream, or of a request that a plugin answered. */
static void
aside_store(struct store *s, const struct commit *c, const struct mark *m, struct document *doc,
    struct committed *out)
{
	struct item_source *source = roster_get(s->roster, c->source), was = *source;
	struct document_counts n = { 0, 0, 0 };

	db_begin(&s->book.db);
	if ((c->flags & COMMIT_LAST) == 0)
		source->firsts = -1;	/* news, also before the first fetch */
	if (doc != NULL) {
		document_sequence(doc);
		document_store(doc, &s->book, source, c->when, &n);
		walk_states(s->roster, c->source, doc);
	}
	source->firsts = was.firsts;
	if ((c->flags & COMMIT_LAST) != 0) {
		source->firsts = -1;
		roster_mark(s->roster, c->source, m);
	}
	if (source->firsts != was.firsts || source->unreliable != was.unreliable)
		roster_save(s->roster, source);
	s->group += n.added + n.revised;
	*out = (struct committed){ .source = c->source, .seen = n.seen,
		.added = n.added, .revised = n.revised, .head = s->book.head,
		.kept = *roster_kept(s->roster, c->source) };
}

static void
on_page(struct store *s, struct frame *f, struct wire *w)
{
	struct committed out = { 0 };
	struct document *doc = NULL;
	const void *results = NULL;
	struct commit c;
	struct mark m;
	struct buf b;
	size_t size = 0;

	wire_get(w, commit, &c);
	wire_get(w, mark, &m);
	if (wire_end(w) == -1 || roster_get(s->roster, c.source) == NULL)
		fatal("core's COMMIT is malformed");
	if (f->fd[0] != -1) {
		results = result_map(f->fd[0], SIZE_MAX, &size);
		if (results != NULL)
			doc = document_new(s->book.digest, results, size);
		else
			log_warn("results cannot be mapped: %s", strerror(errno));
		out = (struct committed){ .source = c.source, .bad = doc == NULL,
			.head = s->ledger->durable, .kept = *roster_kept(s->roster, c.source) };
	}
	if (!out.bad && (c.flags & COMMIT_ASIDE) != 0) {
		aside_store(s, &c, &m, doc, &out);
		s->hurry = 1;		/* a plugin may wait for it */
	} else if (!out.bad)
		page_store(s, &c, &m, doc, &out);
	document_free(doc);
	result_unmap(results, size);
	buf_init(&b, msg_limit(MSG_COMMITTED));
	wire_put(&b, committed, &out);
	if (out.more) {
		s->hurry = 1;
		if (walk_next(s->roster, c.source, &b) == -1)
			fatal("source %s owes pages and there are none",
			    roster_name(s->roster, c.source));
	}
	send_later(s, MSG_COMMITTED, f->id, &b, -1);
}

/* What an instance keeps, told once it is on disk. */
static void
on_state(struct store *s, struct frame *f, struct wire *w)
{
	const char *instance = wire_str(w);
	struct buf b, pairs;

	if (wire_end(w) == -1 || instance == NULL)
		fatal("core's STATE is malformed");
	buf_init(&b, msg_limit(MSG_STATED));
	buf_init(&pairs, msg_limit(MSG_STATED) / 2);
	state_read(&s->book.db, instance, &pairs);
	if (pairs.over)
		fatal("%s keeps more than %zu bytes", instance, pairs.max);
	wire_put_str(&b, instance);
	wire_put_bytes(&b, pairs.len > 0 ? pairs.data : "", pairs.len);
	send_later(s, MSG_STATED, f->id, &b, -1);
	buf_free(&pairs);
}

static void
on_recall(struct store *s, struct frame *f, struct wire *w)
{
	struct recall q;
	struct buf b;

	wire_get(w, recall, &q);
	if (wire_end(w) == -1 || roster_get(s->roster, q.source) == NULL)
		fatal("core's RECALL is malformed");
	buf_init(&b, msg_limit(MSG_RECALLED));
	walk_recall(s->roster, &q, &b);
	send_now(s, MSG_RECALLED, f->id, &b, -1);
	buf_free(&b);
}

static void
on_mark(struct store *s, struct frame *f, struct wire *w)
{
	const struct timeval tv = { .tv_sec = TOUCH_MS / 1000 };
	uint32_t source = wire_u32(w);
	struct mark m;

	(void)f;
	wire_get(w, mark, &m);
	if (wire_end(w) == -1 || roster_get(s->roster, source) == NULL)
		fatal("core's TOUCH is malformed");
	roster_touch(s->roster, source, &m);
	if (m.failures > 0 && m.not_before > m.checked)	/* its server asked to be left alone */
		db_begin(&s->book.db);
	if (!event_pending(s->touch, EV_TIMEOUT, NULL))
		event_add(s->touch, &tv);
}

/* ---- What goes out ---- */

static void
on_pull(struct store *s, struct frame *f, struct wire *w)
{
	uint64_t wrote = s->ledger->wrote;
	struct buf b, items;
	struct work out;
	struct pull p;
	int fd = -1;

	wire_get(w, pull, &p);
	if (wire_end(w) == -1)
		fatal("core's PULL is malformed");
	buf_init(&items, ITEMS_MAX);
	ledger_pull(s->ledger, &p, &out, &items);
	if (out.kind != WORK_NONE) {
		fd = result_fd(items.data, items.len);
		if (items.over || fd == -1 || result_seal(fd) == -1)
			fatal("a batch of %zu bytes: %s", items.len, strerror(errno));
	}
	buf_init(&b, msg_limit(MSG_WORK));
	wire_put(&b, work, &out);
	if (s->ledger->wrote != wrote)
		s->verdicts = s->hurry = 1;
	if (s->verdicts) {
		send_later(s, MSG_WORK, f->id, &b, fd);
		fd = -1;
	} else
		send_now(s, MSG_WORK, f->id, &b, fd);
	if (fd != -1)
		close(fd);
	buf_free(&b);
	buf_free(&items);
}

static void
settled_later(struct store *s, uint32_t id, uint32_t route, uint32_t leg, uint32_t bad)
{
	const struct settled out = { .route = route, .leg = leg, .bad = bad };
	struct buf b;

	buf_init(&b, msg_limit(MSG_SETTLED));
	wire_put(&b, settled, &out);
	send_later(s, MSG_SETTLED, id, &b, -1);
	s->hurry = 1;
}

static void
on_judged(struct store *s, struct frame *f, struct wire *w)
{
	const void *verdicts = NULL;
	struct judged j;
	size_t size = 0;
	uint32_t bad = SETTLED_MALFORMED;

	wire_get(w, judged, &j);
	if (wire_end(w) == -1)
		fatal("core's JUDGED is malformed");
	if (f->fd[0] != -1)
		verdicts = result_map(f->fd[0], SIZE_MAX, &size);
	if (f->fd[0] == -1 || verdicts != NULL)
		bad = ledger_judged(s->ledger, &j, verdicts, size);
	else
		log_warn("verdicts cannot be mapped: %s", strerror(errno));
	result_unmap(verdicts, size);
	s->verdicts = 1;
	settled_later(s, f->id, j.route, PULL_FILTER, bad);
}

static void
on_ack(struct store *s, struct frame *f, struct wire *w)
{
	const void *kept = NULL;
	size_t size = 0;
	struct ack a;

	wire_get(w, ack, &a);
	if (wire_end(w) == -1)
		fatal("core's ACK is malformed");
	if (f->fd[0] != -1 && (kept = result_map(f->fd[0], SIZE_MAX, &size)) == NULL)
		fatal("what a sink keeps cannot be mapped: %s", strerror(errno));
	ledger_ack(s->ledger, &a, kept, size);
	result_unmap(kept, size);
	settled_later(s, f->id, a.route, a.leg, 0);
}

/* They count what is under way as well: they are told once it is on disk. */
static void
on_count(struct store *s, struct frame *f, struct wire *w)
{
	struct buf b;

	(void)w;
	buf_init(&b, msg_limit(MSG_COUNTS));
	ledger_counts(s->ledger, &b);
	send_later(s, MSG_COUNTS, f->id, &b, -1);
}

/* What became of a record; the text of the answer is a memfd's. */
static void
on_explain(struct store *s, struct frame *f, struct wire *w)
{
	const char *what = wire_str(w);
	uint32_t status;
	struct buf b, text;
	int fd;

	if (wire_end(w) == -1 || what == NULL)
		fatal("core's EXPLAIN is malformed");
	buf_init(&b, msg_limit(MSG_EXPLAINED));
	buf_init(&text, EXPLAIN_MAX);
	status = (uint32_t)explain(s->ledger, what, &text);
	if (text.over) {
		buf_clear(&text);
		text.over = 0;
		buf_fmt(&text, "the answer is over %u bytes\n", EXPLAIN_MAX);
		status = 1;
	}
	fd = result_fd(text.data, text.len);
	if (fd == -1 || result_seal(fd) == -1)
		fatal("an answer of %zu bytes: %s", text.len, strerror(errno));
	wire_put_u32(&b, status);
	wire_put_str(&b, NULL);
	send_later(s, MSG_EXPLAINED, f->id, &b, fd);	/* what it tells of is on disk by then */
	buf_free(&text);
}

static void
on_stop(struct store *s, struct frame *f, struct wire *w)
{
	(void)f;
	(void)w;
	if (s->ledger != NULL) {
		if (roster_touched(s->roster) > 0)
			db_begin(&s->book.db);
		ledger_save(s->ledger, 1);
		group_commit(s);
	}
	peer_flush(s->peer);
	event_base_loopbreak(s->base);
}

/* ---- The role ---- */

static const struct {
	uint16_t	 type;
	int		 early;		/* may come before MSG_STORE_START was answered */
	void		(*handle)(struct store *, struct frame *, struct wire *);
} handlers[] = {
	{ MSG_STORE_START, 1, on_start },
	{ MSG_STORE_CONF, 0, on_conf },
	{ MSG_COMMIT, 0, on_page },
	{ MSG_RECALL, 0, on_recall },
	{ MSG_STATE, 0, on_state },
	{ MSG_TOUCH, 0, on_mark },
	{ MSG_PULL, 0, on_pull },
	{ MSG_JUDGED, 0, on_judged },
	{ MSG_ACK, 0, on_ack },
	{ MSG_COUNT, 0, on_count },
	{ MSG_EXPLAIN, 0, on_explain },
	{ MSG_STOP, 1, on_stop },
};

static void
on_frame(struct peer *peer, struct frame *f, int bad, void *arg)
{
	struct store *s = arg;
	struct wire w;
	size_t i;

	(void)peer;
	if (f == NULL) {		/* core is gone: what it sent counts as far as it came */
		if (bad)
			log_warn("core sent garbage");
		if (s->ledger != NULL && s->book.db.open) {
			totals_save(s);
			db_commit(&s->book.db);
		}
		event_base_loopbreak(s->base);
		return;
	}
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].type == f->type)
			break;
	if (i == sizeof(handlers) / sizeof(handlers[0]) ||
	    (!handlers[i].early && s->ledger == NULL))
		fatal("core sent a %s, which is not for store now", msg_name(f->type));
	s->frames++;
	wire_init(&w, f->data, f->len);
	/* cppcheck-suppress arrayIndexOutOfBounds ; fatal() does not return */
	handlers[i].handle(s, f, &w);
	if (s->ledger != NULL)
		group_plan(s);
}

static void
store_close(struct store *s)
{
	struct reply *r;

	while ((r = s->replies) != NULL) {
		s->replies = r->next;
		if (r->fd != -1)
			close(r->fd);
		buf_free(&r->data);
		free(r);
	}
	ledger_free(s->ledger);
	roster_free(s->roster);
	digest_free(s->book.digest);
	if (s->book.db.handle != NULL)
		db_close(&s->book.db);
	peer_free(s->peer);
	event_free(s->commit);
	event_free(s->touch);
	event_free(s->wake);
	event_base_free(s->base);
}

int
store_main(int debug)
{
	struct store s = { .end = &s.replies };

	log_open("store", debug);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);	/* of the terminal: core says when to stop */
	if ((s.base = event_base_new()) == NULL)
		fatal("no event loop");
	s.commit = evtimer_new(s.base, on_commit, &s);
	s.touch = evtimer_new(s.base, on_touch, &s);
	s.wake = evtimer_new(s.base, on_wake, &s);
	if (s.commit == NULL || s.touch == NULL || s.wake == NULL)
		fatal("no timers");
	s.peer = peer_new(s.base, STORE_FD, on_frame, &s);
	event_base_dispatch(s.base);
	store_close(&s);
	return s.status;
}
