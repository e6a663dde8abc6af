/* The results that core sends for storing, in slices.
 *
 * Pages of one source are stored one after the other, in the order in which they came. Of all others,
 * those that have just come have the first turn, then one large page a slice. Between two slices the
 * transaction may be committed: entries of a page are then on disk before its mark is, as if the page had
 * been two; when the process dies there, core fetches the page again and finds them stored. */
#include "slices.h"
#include "book.h"
#include "document.h"
#include "item.h"
#include "roster.h"
#include "top.h"
#include "walk.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct page {
	TAILQ_ENTRY(page)	 entry;
	uint32_t		 id;
	struct commit		 commit;	/* their strings are in the frame, */
	struct mark		 mark;
	char			*frame;		/* or in its copy; NULL: still in the frame */
	size_t			 len;
	int			 bad;		/* the results cannot be mapped */
	const void		*results;	/* NULL: none */
	size_t			 size;
	struct document		*doc;
	struct item_source	 source;	/* as the page changes it */
	struct document_counts	 counts;
	int			 open;		/* it was begun */
	int			 doubted;	/* walk_doubt() is to be taken back */
	int			 behind;	/* another page of its source is before it */
	unsigned		 slices;
	int64_t			 durable;	/* the log's head on disk when it came */
};
struct slices {
	TAILQ_HEAD(, page)	 all;
	size_t			 n, nopen;	/* pages; of them, large ones that are begun */
	struct book		*book;
	struct roster		*roster;
	slices_done		*done;
	void			*arg;
};

/* ---- One page ---- */

static void
page_decode(struct page *p, const void *data, size_t len)
{
	struct wire w;

	wire_init(&w, data, len);
	wire_get(&w, commit, &p->commit);
	wire_get(&w, mark, &p->mark);
}

static void
page_free(struct page *p)
{
	document_free(p->doc);
	memfd_unmap(p->results, p->size);
	free(p->frame);
	free(p);
}

static void
page_open(struct slices *all, struct page *p)
{
	p->open = 1;
	p->source = *roster_get(all->roster, p->commit.source);
	if (p->results == NULL)
		return;
	all->nopen += p->size >= SLICE_LARGE;
	p->doc = document_begin(all->book->digest, p->results, p->size);
}

/* Maps the results: no descriptor stays open for a page that waits. */
static void
page_map(struct page *p, int fd)
{
	if (fd == -1)
		return;
	p->results = memfd_map(fd, SIZE_MAX, &p->size);
	p->bad = p->results == NULL;
	if (p->bad)
		log_warn("results cannot be mapped: %s", strerror(errno));
}

/* Stores some of the entries. 1: there are more; -1: they are malformed, nothing was stored. */
static int
page_store(struct slices *all, struct page *p, int64_t until)
{
	const uint32_t flags = p->commit.flags;
	int rc;

	if (p->doc == NULL)
		return 0;
	if ((rc = document_read(p->doc, until)) != 0)
		return rc;
	if (p->doc->phase == PHASE_WHOLE && (flags & COMMIT_ASIDE) != 0) {
		document_sequence(p->doc);
		if ((flags & COMMIT_LAST) == 0)
			p->source.firsts = -1;	/* such entries are never part of the first fetch */
	}
	db_begin(&all->book->db);
	rc = document_store_some(p->doc, all->book, &p->source, p->commit.when, &p->counts, until);
	/* Of a first fetch, whose entries would all have been the hottest in turn, only once it is whole. */
	if (rc == 0 || p->source.firsts == -1)
		top_check(all->book, all->roster, p->commit.when);
	if (rc == 1 && !p->doubted && (flags & COMMIT_ASIDE) == 0 && p->doc->nrequests > 0)
		p->doubted = walk_doubt(all->roster, &p->commit);
	return rc;
}

/* Results from outside of polls: of a stream, or of an HTTP request that a plugin answered. */
static void
aside_end(struct slices *all, const struct page *p, struct item_source *source)
{
	if (p->doc != NULL)
		walk_states(all->roster, p->commit.source, p->doc);
	if ((p->commit.flags & COMMIT_LAST) != 0) {
		source->firsts = -1;
		roster_mark(all->roster, p->commit.source, &p->mark);
	}
}

/* The last page of a walk ends the poll: the mark is written and the state takes effect. Whether the
 * walk goes on. */
static int
poll_end(struct slices *all, const struct page *p, struct item_source *source)
{
	const struct bytes feed = p->doc != NULL ? document_feed(p->doc) : (struct bytes){ NULL, 0 };
	const struct commit *c = &p->commit;
	enum walk walk = WALK_GOES_ON;

	source->firsts = p->source.firsts;
	if (p->doubted)
		walk_trust(all->roster, c);
	if (feed.data != NULL)
		db_run(&all->book->db, SQL_FEED_SET, DB_INT(c->source),
		    DB_BLOB(feed.data, feed.len));
	if ((c->flags & COMMIT_LAST) != 0)
		walk = walk_page(all->roster, c, &p->mark, p->doc, p->counts.added);
	if (walk == WALK_WHOLE && p->mark.ok > 0)
		source->firsts = -1;
	if (walk != WALK_GOES_ON)
		roster_mark(all->roster, c->source, &p->mark);
	return (c->flags & COMMIT_LAST) != 0 && walk == WALK_GOES_ON;
}

static void
page_end(struct slices *all, const struct page *p)
{
	struct item_source *source = roster_get(all->roster, p->commit.source), was = *source;
	int aside = (p->commit.flags & COMMIT_ASIDE) != 0, more = 0;
	struct committed out;

	db_begin(&all->book->db);
	source->unreliable = p->source.unreliable;
	if (aside)
		aside_end(all, p, source);
	else
		more = poll_end(all, p, source);
	if (p->counts.added > 0)
		roster_fresh(all->roster, p->commit.source, p->commit.when);
	if (source->firsts != was.firsts || source->unreliable != was.unreliable)
		roster_save(all->roster, source);
	out = (struct committed){ .source = p->commit.source, .seen = p->counts.seen,
		.added = p->counts.added, .revised = p->counts.revised, .head = all->book->head,
		.records = p->doc != NULL ? (uint32_t)p->doc->records : 0,
		.refused = p->doc != NULL ? (uint32_t)p->doc->refused : 0,
		.fault = p->doc != NULL && p->doc->refused > 0 ? p->doc->fault : NULL,
		.more = (uint32_t)more, .aside = (uint32_t)aside,
		.kept = *roster_stored(all->roster, p->commit.source) };
	all->done(all->arg, p->id, &out, p->counts.added + p->counts.revised);
}

static void
page_bad(struct slices *all, const struct page *p)
{
	const struct committed out = { .source = p->commit.source, .bad = 1, .head = p->durable,
		.fault = p->doc != NULL ? p->doc->fault : "they cannot be mapped",
		.aside = (p->commit.flags & COMMIT_ASIDE) != 0,
		.kept = *roster_stored(all->roster, p->commit.source) };

	all->done(all->arg, p->id, &out, 0);
}

/* A slice of the page. 1: more of it is left. */
static int
page_slice(struct slices *all, struct page *p)
{
	int rc = -1;

	if (!p->open)
		page_open(all, p);
	if (!p->bad)
		rc = page_store(all, p, date_ticks() + SLICE_MS);
	p->slices++;
	if (rc == 1)
		return 1;
	if (rc == 0)
		page_end(all, p);
	else
		page_bad(all, p);
	all->nopen -= p->doc != NULL && p->size >= SLICE_LARGE;
	return 0;
}

/* ---- All of them ---- */

static int
may_run(const struct slices *all, const struct page *p)
{
	return !p->behind && (p->open || p->size < SLICE_LARGE || all->nopen < SLICE_OPEN);
}

/* The page is stored: the next one of its source may be. */
static void
page_leave(struct slices *all, struct page *p)
{
	struct page *next;

	TAILQ_REMOVE(&all->all, p, entry);
	all->n--;
	TAILQ_FOREACH(next, &all->all, entry)
		if (next->commit.source == p->commit.source) {
			next->behind = 0;
			break;
		}
	page_free(p);
}

/* The page stays: what is in the frame is copied. */
static void
page_stay(struct slices *all, struct page *p, const struct frame *f)
{
	p->frame = xmalloc(f->len + 1);
	memcpy(p->frame, f->data, f->len);
	p->len = f->len;
	page_decode(p, p->frame, p->len);
	TAILQ_INSERT_TAIL(&all->all, p, entry);
	all->n++;
}

int
slices_take(struct slices *all, struct frame *f, int64_t durable)
{
	struct page *p = xcalloc(1, sizeof(*p)), *other;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, commit, &p->commit);
	wire_get(&w, mark, &p->mark);
	p->id = f->id;
	p->durable = durable;
	if (wire_end(&w) == -1 || roster_get(all->roster, p->commit.source) == NULL) {
		page_free(p);
		return -1;
	}
	page_map(p, f->fd[0]);
	TAILQ_FOREACH(other, &all->all, entry)
		p->behind |= other->commit.source == p->commit.source;
	if (all->n == 0 && !page_slice(all, p))
		page_free(p);
	else
		page_stay(all, p, f);
	return 0;
}

/* The first page that may run: a short one, or a large one that was not the last to have a slice. */
static struct page *
page_next(struct slices *all, int large)
{
	struct page *p;

	TAILQ_FOREACH(p, &all->all, entry)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): page_leave() took the last one out */
		if ((p->slices >= SLICE_SHORT) == large && may_run(all, p))
			return p;
	return NULL;
}

/* A slice; a large page goes behind all others, but for those of its source, which wait for it. */
static void
slices_slice(struct slices *all, struct page *p)
{
	struct page *next;

	if (!page_slice(all, p)) {
		page_leave(all, p);
		return;
	}
	TAILQ_REMOVE(&all->all, p, entry);
	TAILQ_FOREACH(next, &all->all, entry)
		if (next->commit.source == p->commit.source)
			break;
	if (next != NULL)
		TAILQ_INSERT_BEFORE(next, p, entry);
	else
		TAILQ_INSERT_TAIL(&all->all, p, entry);
}

size_t
slices_run(struct slices *all)
{
	int64_t until = date_ticks() + SLICE_TURN_MS;
	struct page *p;

	while (date_ticks() < until && (p = page_next(all, 0)) != NULL)
		slices_slice(all, p);
	if ((p = page_next(all, 1)) != NULL)
		slices_slice(all, p);
	return all->n;
}

size_t
slices_left(const struct slices *all)
{
	return all->n;
}

struct slices *
slices_new(struct book *book, struct roster *roster, slices_done *done, void *arg)
{
	struct slices *all = xcalloc(1, sizeof(*all));

	TAILQ_INIT(&all->all);
	all->book = book;
	all->roster = roster;
	all->done = done;
	all->arg = arg;
	return all;
}

void
slices_free(struct slices *all)
{
	struct page *p;

	if (all == NULL)
		return;
	while ((p = TAILQ_FIRST(&all->all)) != NULL) {
		TAILQ_REMOVE(&all->all, p, entry);
		page_free(p);
	}
	free(all);
}
