/* The role store: the only writer of the database. Answers core's messages and commits in groups:
 * what a reply acknowledges is on disk before the reply is sent. */
#include "book.h"
#include "edition.h"
#include "edition_prune.h"
#include "heat_anew.h"
#include "ledger.h"
#include "ledger_conf.h"
#include "ledger_judge.h"
#include "ledger_wait.h"
#include "ledger_work.h"
#include "question.h"
#include "letters.h"
#include "readers.h"
#include "slices.h"
#include "state.h"
#include "subscribers.h"
#include "story_match.h"
#include "top.h"
#include "walk.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"
#include "db/room.h"
#include "ipc/confine.h"
#include "ipc/landlock.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/peer.h"
#include "ipc/roles.h"

#include <event2/event.h>

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORE_FD	3		/* the channel to core */
#define GROUP_MS	20		/* between two commits, at least */
#define GROUP_LOAD_MS	100		/* between two commits under load, at most */
#define GROUP_LAZY_MS	200		/* between two commits of one large page, if nobody waits */
#define GROUP_LULL_MS	5		/* a pause without frames that ends the load */
#define GROUP_LOAD	100		/* records in a group that make a load */
#define GROUP_MAX	1000		/* records in a group after which it is committed at once */
#define LOST_MS		60000		/* between two warnings that the file is lost */
#define TOUCH_MS	60000		/* until a mark from MSG_TOUCH is on disk, at most */
#define STOP_MS		2000		/* for pages under way when core stops */
#define WAKE_MS		3600000		/* between two checks for due waiting records, at most */
#define TIDY_S		3600		/* between two removals of old subscriptions, unless one is asked for */
#define STORE_KNOWN_MAX	(256u << 20)	/* bytes of MSG_STORE_KNOWN */
#define ITEMS_MAX	(64u << 20)	/* bytes of a batch */

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
	struct event	*commit, *touch, *wake, *work, *tidy;
	struct book	 book;
	struct roster	*roster;
	struct ledger	*ledger;
	struct slices	*slices;
	struct reply	*replies, **end;
	int64_t		 committed;	/* date_ticks() of the last commit */
	int64_t		 warned;	/* the same of the last warning that the file is lost */
	int64_t		 records, revisions, stories;	/* totals on disk */
	size_t		 group;		/* records in the open group */
	uint64_t	 frames, lull;	/* frames received; the same at the last commit timer */
	int		 lazy;		/* the commit timer waits for more of a large page */
	int		 hurry;		/* core or a plugin waits for the group's commit */
	int		 asked;		/* an operator's command gave routes work: core pulls after
					 * the commit */
	int		 verdicts;	/* the group has verdicts or cursors: hold MSG_WORK back */
	int		 status;	/* exit status */
};

/* ---- Replies ---- */

static void
send_now(struct store *s, uint16_t type, uint32_t id, const struct buf *data, int fd)
{
	if (peer_send(s->peer, type, id, data, fd, -1) == -1)
		fatal("a %s cannot be sent", msg_name(type));
}

/* Takes ownership of the bytes of data and of fd; sends them after the group's commit. */
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

/* Warns if the database's file was moved or replaced: writes still go to the old file. */
static void
lost_warn(struct store *s)
{
	if (!db_lost(&s->book.db) || (s->warned != 0 && s->committed - s->warned < LOST_MS))
		return;
	s->warned = s->committed;
	log_warn("%s: another file or none has this name: what is stored now will be gone at the"
	    " next start; stop, put the file back, start", s->book.db.path);
}

/* Tells core that late rows were appended to the log, or that an operator gave routes work. */
static void
head_tell(struct store *s)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_HEAD));
	wire_put_i64(&b, s->book.head);
	wire_put_u32(&b, (uint32_t)s->asked);
	send_now(s, MSG_HEAD, 0, &b, -1);
	buf_free(&b);
}

/* Sets the timer for waiting records: to the first due time, but at most WAKE_MS, since the clock
 * may be set meanwhile. */
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
	if (woken > 0 || s->asked)
		head_tell(s);
	s->asked = 0;
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

/* After a frame: commits the group, or sets the commit timer. */
static void
group_plan(struct store *s)
{
	if (!s->book.db.open && s->replies == NULL)
		return;
	if (s->group >= GROUP_MAX)
		group_commit(s);
	else if (s->lazy && s->replies != NULL) {
		s->lazy = 0;
		group_at(s, s->committed + GROUP_MS);
	} else if (!event_pending(s->commit, EV_TIMEOUT, NULL))
		group_at(s, s->committed + GROUP_MS);
}

static void
on_commit(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	(void)what;
	s->lazy = 0;
	if (s->replies == NULL && slices_left(s->slices) > 0 &&
	    date_ticks() - s->committed < GROUP_LAZY_MS) {
		s->lazy = 1;
		group_at(s, s->committed + GROUP_LAZY_MS);
	} else if (s->group >= GROUP_LOAD && !s->hurry && s->frames != s->lull &&
	    date_ticks() - s->committed < GROUP_LOAD_MS) {
		s->lull = s->frames;
		group_at(s, date_ticks() + GROUP_LULL_MS);
	} else
		group_commit(s);
}

/* Writes due waiting records and marks, which no frame causes. */
static void
on_touch(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	(void)what;
	db_begin(&s->book.db);
	group_commit(s);
}

/* ---- Pages ---- */

/* Goes on with what slices_take() left, once other frames had their turn. */
static void
work_plan(struct store *s)
{
	const struct timeval now = { 0, 0 };

	if (slices_left(s->slices) > 0 || heat_anew_left(&s->book))
		event_add(s->work, &now);
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	(void)what;
	if (slices_left(s->slices) > 0)
		(void)slices_run(s->slices);
	else if (heat_anew_left(&s->book)) {
		db_begin(&s->book.db);
		heat_anew_some(&s->book, s->roster, date_ticks() + SLICE_MS);
	}
	group_plan(s);
	work_plan(s);
}

/* A page is stored: the answer is sent once it is on disk. */
static void
page_stored(void *arg, uint32_t id, const struct committed *out, size_t stored)
{
	struct store *s = arg;
	struct buf b;

	s->group += stored;
	s->hurry |= out->aside || out->more;	/* a plugin may wait for the commit; core does */
	buf_init(&b, msg_limit(MSG_COMMITTED));
	wire_put(&b, committed, out);
	if (out->more && walk_next(s->roster, out->source, &b) == -1)
		fatal("source %s owes pages and there are none",
		    roster_name(s->roster, out->source));
	send_later(s, MSG_COMMITTED, id, &b, -1);
}

/* ---- Setting up ---- */

/* The database is open and was read, so that its WAL and index are open too: they stay so. At the
 * end SQLite removes them, and syncs the folder. */
static void
store_confine(const char *path)
{
	char *folder = xstrdup(path);
	const struct confine_path end = { dirname(folder),
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_READ_DIR };

	confine(ROLE_STORE, &end, 1);
	free(folder);
}

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
	s->slices = slices_new(book, s->roster, page_stored, s);
	store_confine(path);
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
	struct store_source *sources;
	struct store_heat heat;
	struct buf known;
	int fd;

	wire_get(w, store_heat, &heat);
	sources = sources_read(w, &n);
	if (w->bad || heat.half_life <= 0 || (sources == NULL && n > 0))
		fatal("core's STORE_CONF is malformed");
	ids = xcalloc(n, sizeof(*ids));
	buf_init(&known, STORE_KNOWN_MAX);
	db_begin(&s->book.db);
	heat_take(&s->book, &heat);
	roster_take(s->roster, sources, n, ids);
	top_take(&s->book, s->roster, sources, ids, n);
	roster_tell(s->roster, ids, n, &known);
	if (ledger_take(s->ledger, w, ids, n, &known) == -1)
		fatal("core's STORE_CONF: its routes are malformed");
	group_commit(s);
	wire_put_i64(&known, s->book.head);
	fd = memfd_new(known.data, known.len);
	if (known.over || fd == -1 || memfd_seal(fd) == -1)
		fatal("what is known cannot be told: %s", strerror(errno));
	send_now(s, MSG_STORE_KNOWN, id, NULL, fd);
	close(fd);
	buf_free(&known);
	free(ids);
	free(sources);
	work_plan(s);
}

static void
on_conf(struct store *s, struct frame *f, struct wire *w)
{
	struct wire all;
	const void *p;
	size_t size;

	(void)w;
	p = memfd_map(f->fd[0], SIZE_MAX, &size);
	if (p == NULL)
		fatal("core's STORE_CONF cannot be mapped: %s", strerror(errno));
	wire_init(&all, p, size);
	conf_take(s, f->id, &all);
	memfd_unmap(p, size);
}

/* ---- Pages, states and marks ---- */

static void
on_page(struct store *s, struct frame *f, struct wire *w)
{
	(void)w;
	if (slices_take(s->slices, f, s->ledger->durable) == -1)
		fatal("core's COMMIT is malformed");
	work_plan(s);
}

/* Sends an instance's state once the state is on disk. */
static void
on_state(struct store *s, struct frame *f, struct wire *w)
{
	struct buf b, pairs;
	struct state_ask q;
	struct stated st;

	wire_get(w, state_ask, &q);
	if (wire_end(w) == -1 || q.instance == NULL)
		fatal("core's STATE is malformed");
	buf_init(&b, msg_limit(MSG_STATED));
	buf_init(&pairs, msg_limit(MSG_STATED) / 2);
	state_read(&s->book.db, q.instance, &pairs);
	if (pairs.over)
		fatal("%s keeps more than %zu bytes", q.instance, pairs.max);
	st = (struct stated){ q.owner, { pairs.len > 0 ? pairs.data : "", pairs.len } };
	wire_put(&b, stated, &st);
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
	if (m.failures > 0 && m.not_before > m.checked)	/* the server asked for a pause */
		db_begin(&s->book.db);
	if (!event_pending(s->touch, EV_TIMEOUT, NULL))
		event_add(s->touch, &tv);
}

/* ---- Batches, verdicts, acknowledgements ---- */

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
		fd = memfd_new(items.data, items.len);
		if (items.over || fd == -1 || memfd_seal(fd) == -1)
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
settled_later(struct store *s, uint32_t id, const struct settled *out)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_SETTLED));
	wire_put(&b, settled, out);
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
		verdicts = memfd_map(f->fd[0], SIZE_MAX, &size);
	if (f->fd[0] == -1 || verdicts != NULL)
		bad = ledger_judged(s->ledger, &j, verdicts, size);
	else
		log_warn("verdicts cannot be mapped: %s", strerror(errno));
	memfd_unmap(verdicts, size);
	s->verdicts = 1;
	settled_later(s, f->id, &(struct settled){ .route = j.route, .sink = PULL_FILTER, .bad = bad });
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
	if (f->fd[0] != -1 && (kept = memfd_map(f->fd[0], SIZE_MAX, &size)) == NULL)
		fatal("what a sink keeps cannot be mapped: %s", strerror(errno));
	ledger_ack(s->ledger, &a, kept, size);
	memfd_unmap(kept, size);
	if (a.then != ACK_SO_FAR)
		settled_later(s, f->id,
		    &(struct settled){ .route = a.route, .sink = a.sink, .lane = a.lane });
}

/* What became of a message to a reader. Its connection waits for the answer, so that at most one message of each
 * connection can be sent twice. */
static void
on_outcome(struct store *s, struct frame *f, struct wire *w)
{
	struct mail_outcome o;
	struct buf b;

	wire_get(w, mail_outcome, &o);
	if (wire_end(w) == -1 || o.reader == NULL)
		fatal("core's OUTCOME is malformed");
	if (o.reply == NULL)
		o.reply = "";
	buf_init(&b, msg_limit(MSG_OUTCOME_KEPT));
	wire_put_u32(&b, (uint32_t)(o.n < 0 ? letters_outcome(s->ledger, &o) : readers_outcome(s->ledger, &o)));
	send_later(s, MSG_OUTCOME_KEPT, f->id, &b, -1);
	s->hurry = 1;
}

/* The counts include the open transaction, so they are sent after its commit. */
static void
on_count(struct store *s, struct frame *f, struct wire *w)
{
	uint64_t wrote = s->ledger->wrote;
	struct buf b;

	(void)w;
	buf_init(&b, msg_limit(MSG_COUNTS));
	ledger_counts(s->ledger, &b);
	if (s->ledger->wrote != wrote)
		s->verdicts = s->hurry = 1;
	send_later(s, MSG_COUNTS, f->id, &b, -1);
}

static void
on_silent(struct store *s, struct frame *f, struct wire *w)
{
	struct buf b;

	(void)w;
	buf_init(&b, msg_limit(MSG_SILENCES));
	roster_silent(s->roster, &b);
	send_later(s, MSG_SILENCES, f->id, &b, -1);
}

/* Answers a command of `courant`; the text of the answer is in a memfd. */
static void
on_question(struct store *s, struct frame *f, struct wire *w)
{
	const char *command = wire_str(w), *arg = wire_str(w), *who = wire_str(w);
	uint64_t wrote = s->ledger->wrote;
	uint32_t status;
	struct buf b, text;
	int fd;

	if (wire_end(w) == -1 || command == NULL || arg == NULL || who == NULL)
		fatal("core's QUESTION is malformed");
	buf_init(&b, msg_limit(MSG_ANSWER));
	buf_init(&text, QUESTION_MAX);
	status = (uint32_t)question(s->ledger, command, arg, who, &text);
	if (text.over) {
		buf_clear(&text);
		text.over = 0;
		buf_fmt(&text, "the answer is over %u bytes\n", QUESTION_MAX);
		status = 1;
	}
	fd = memfd_new(text.data, text.len);
	if (fd == -1 || memfd_seal(fd) == -1)
		fatal("an answer of %zu bytes: %s", text.len, strerror(errno));
	wire_put_u32(&b, status);
	wire_put_str(&b, NULL);
	send_later(s, MSG_ANSWER, f->id, &b, fd);	/* it may describe the open transaction */
	if (s->ledger->wrote != wrote)
		s->verdicts = s->hurry = s->asked = 1;
	buf_free(&text);
}

static void
on_stop(struct store *s, struct frame *f, struct wire *w)
{
	int64_t until = date_ticks() + STOP_MS;

	(void)f;
	(void)w;
	if (s->ledger != NULL) {
		while (slices_run(s->slices) > 0 && date_ticks() < until)
			;		/* the rest is fetched again */
		if (roster_touched(s->roster) > 0)
			db_begin(&s->book.db);
		ledger_save(s->ledger, 1);
		group_commit(s);
	}
	peer_flush(s->peer);
	event_base_loopbreak(s->base);
}

static void
on_seal(struct store *s, struct frame *f, struct wire *w)
{
	struct seal_told told;
	struct seal_ask ask;
	struct buf b;

	wire_get(w, seal_ask, &ask);
	if (wire_end(w) == -1 || ask.route == NULL || ask.name == NULL || ask.zone == NULL)
		fatal("core's SEAL is malformed");
	edition_seal(s->ledger, &ask);
	edition_prune(s->ledger, ask.route);
	told = (struct seal_told){ .route = ask.route, .due = ask.due };
	buf_init(&b, msg_limit(MSG_SEALED));
	wire_put(&b, seal_told, &told);
	send_later(s, MSG_SEALED, f->id, &b, -1);
	s->hurry = s->asked = 1;
}

/* ---- Subscriptions ---- */

static void
on_consent(struct store *s, struct frame *f, struct wire *w)
{
	const struct ledger_route *r = NULL;
	struct consent c;
	struct buf b;

	wire_get(w, consent, &c);
	if (wire_end(w) == -1 || c.network == NULL || strlen(c.network) >= NETWORK_MAX ||
	    (c.act == CONSENT_ASK && (c.route == NULL || c.address == NULL)) ||
	    ((c.act == CONSENT_CONFIRM || c.act == CONSENT_LEAVE) &&
	    c.token.len != SUBSCRIBER_TOKEN))
		fatal("core's CONSENT is malformed");
	if (c.act == CONSENT_ASK)
		r = ledger_route_named(s->ledger, c.route);
	buf_init(&b, msg_limit(MSG_CONSENTED));
	wire_put_u32(&b, subscribers_consent(&s->book, r != NULL && r->rule.subscribe ? r->id : 0, &c,
	    date_now()));
	send_later(s, MSG_CONSENTED, f->id, &b, -1);
	s->hurry = 1;
}

static void
on_tidy(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	(void)what;
	if (s->ledger == NULL)
		return;
	subscribers_tidy(&s->book, date_now());
	group_plan(s);
}

/* ---- The role ---- */

/* A write waits for room on the disk, or is done: core is told at once, since this process answers
 * nothing meanwhile. */
static void
on_room(int waits, void *arg)
{
	struct store *s = arg;
	struct buf b;

	buf_init(&b, msg_limit(MSG_ROOM));
	wire_put_u32(&b, (uint32_t)waits);
	send_now(s, MSG_ROOM, 0, &b, -1);
	peer_flush(s->peer);
	buf_free(&b);
}

static const struct {
	uint16_t	 type;
	int		 early;		/* allowed before MSG_STORE_START was handled */
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
	{ MSG_OUTCOME, 0, on_outcome },
	{ MSG_COUNT, 0, on_count },
	{ MSG_SILENT, 0, on_silent },
	{ MSG_QUESTION, 0, on_question },
	{ MSG_SEAL, 0, on_seal },
	{ MSG_CONSENT, 0, on_consent },
	{ MSG_STOP, 1, on_stop },
};

static void
on_frame(struct peer *peer, struct frame *f, int bad, void *arg)
{
	struct store *s = arg;
	struct wire w;
	size_t i;

	(void)peer;
	if (f == NULL) {		/* core is gone: the frames received so far take effect */
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
	if (s->ledger != NULL)
		db_read(&s->book.db);
	/* cppcheck-suppress arrayIndexOutOfBounds ; fatal() does not return */
	handlers[i].handle(s, f, &w);
	db_read_end(&s->book.db);
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
	slices_free(s->slices);
	ledger_free(s->ledger);
	roster_free(s->roster);
	matcher_free(s->book.matcher);
	digest_free(s->book.digest);
	free(s->book.moved);
	if (s->book.db.handle != NULL)
		db_close(&s->book.db);
	peer_free(s->peer);
	event_free(s->commit);
	event_free(s->touch);
	event_free(s->wake);
	event_free(s->work);
	event_free(s->tidy);
	event_base_free(s->base);
}

int
store_main(int debug)
{
	const struct timeval hour = { .tv_sec = TIDY_S };
	struct store s = { .end = &s.replies };

	log_open("store", debug);
	signal(SIGPIPE, SIG_IGN);
	if ((s.base = event_base_new()) == NULL)
		fatal("no event loop");
	s.commit = evtimer_new(s.base, on_commit, &s);
	s.touch = evtimer_new(s.base, on_touch, &s);
	s.wake = evtimer_new(s.base, on_touch, &s);
	s.work = evtimer_new(s.base, on_work, &s);
	s.tidy = event_new(s.base, -1, EV_PERSIST, on_tidy, &s);
	if (s.commit == NULL || s.touch == NULL || s.wake == NULL || s.work == NULL ||
	    s.tidy == NULL || event_add(s.tidy, &hour) == -1)
		fatal("no timers");
	s.peer = peer_new(s.base, STORE_FD, on_frame, &s);
	room_init(on_room, &s);
	event_base_dispatch(s.base);
	store_close(&s);
	return s.status;
}
