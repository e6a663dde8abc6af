/* Which stories a record belongs to.
 *
 * The record's keys lead to the items that have them, too: first the ids of works (arXiv, DOI,
 * OpenReview, YouTube), which decide by themselves; then the title and the near keys, whose items are
 * compared with the record; then the link, which decides unless the titles count different things.
 * Texts come before the link, since several works may link to one project.
 *
 * Each story found is joined unless a guard forbids it: a story has one item of a source, an
 * operator's split parts two items for ever, and two works of one scheme are never joined by
 * anything but an id. Guards look at all items that the joined story would have, so that no third
 * record brings together what a guard keeps apart. */
#include "story_match.h"
#include "book.h"
#include "base/mem.h"
#include "db/db.h"
#include "record/near.h"
#include "record/record.h"
#include "record/story_key.h"
#include "record/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_MAX	(2 + WORK_IDS)	/* keys of one record that are no evidence by themselves */
#define CANDIDATES	(MATCH_ITEMS * (NEAR_KEYS + 1 + LINKS_MAX))

/* What leads to other items. */
enum evidence { BY_ID, BY_TEXT, BY_LINK };

/* An item of a story that is about to be joined. */
struct member {
	int64_t		 item, source;
	struct work_ids	*ids;		/* owned; NULL: not read yet */
};
struct candidate {
	int64_t		 item, story, source;
	unsigned	 shares;		/* keys; the first words of the text count for two */
	unsigned	 bodies;		/* of them, keys of the text below the title */
};
struct link_key { int64_t key; const char *id; };		/* id NULL: of the link itself */

struct matcher {
	struct near_text	*near, *other;
	struct story_keys	 keys;
	struct link_key		 link[LINKS_MAX];
	size_t			 nlink;
	int64_t			 text[NEAR_KEYS];
	size_t			 ntext;
	struct candidate	*candidate;			/* of one look-up */
	size_t			 n;
	struct member		*member;			/* the joined story so far */
	size_t			 members, room;
	int64_t			 refused[MATCH_STORIES];
	size_t			 nrefused;
	struct match		*found;
	size_t			 nfound;
};

struct matcher *
matcher_new(void)
{
	struct matcher *m = xcalloc(1, sizeof(*m));

	m->near = near_new();
	m->other = near_new();
	m->candidate = xcalloc(CANDIDATES, sizeof(*m->candidate));
	return m;
}

static void
members_free(struct matcher *m)
{
	while (m->members > 0)
		free(m->member[--m->members].ids);
}

void
matcher_free(struct matcher *m)
{
	if (m == NULL)
		return;
	members_free(m);
	near_free(m->near);
	near_free(m->other);
	free(m->candidate);
	free(m->member);
	free(m);
}

/* ---- The record's keys ---- */

/* Whether an id names one work: pages of repositories and discussions are links like any other. */
static int
decides(const char *id)
{
	static const char *const schemes[] = { "arxiv:", "doi:", "openreview:", "youtube:" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(id, schemes[i], strlen(schemes[i])) == 0)
			return 1;
	return 0;
}

/* Adds a key that is no evidence by itself where titles count different things. */
static void
link_add(struct matcher *m, int64_t key, const char *id)
{
	for (size_t i = 0; i < m->nlink; i++)
		if (m->link[i].key == key)
			return;
	if (key != 0 && m->nlink < LINKS_MAX)
		m->link[m->nlink++] = (struct link_key){ key, id };
}

void
matcher_read(struct matcher *m, struct digest *d, const struct cr_record *r)
{
	m->nlink = 0;
	story_keys(d, r, &m->keys);
	link_add(m, m->keys.link, NULL);
	link_add(m, m->keys.was, NULL);
	for (size_t i = 0; i < m->keys.ids.n; i++)
		if (!decides(m->keys.ids.id[i]))
			link_add(m, m->keys.id[i], m->keys.ids.id[i]);
	near_read(m->near, r);
	m->ntext = near_keys(m->near, m->text);
}

void
matcher_save(const struct matcher *m, struct db *db, int64_t item)
{
	size_t i;

	for (i = 0; i < m->keys.ids.n; i++)
		db_run(db, SQL_NEAR_ADD, DB_INT(m->keys.id[i]), DB_INT(item));
	for (i = 0; i < m->nlink; i++)
		db_run(db, SQL_NEAR_ADD, DB_INT(m->link[i].key), DB_INT(item));
	for (i = 0; i < m->ntext; i++)
		db_run(db, SQL_NEAR_ADD, DB_INT(m->text[i]), DB_INT(item));
}

/* ---- Guards ---- */

static void
member_add(struct matcher *m, int64_t item, int64_t source)
{
	if (m->members == m->room) {
		m->room = 2 * m->room + 16;
		m->member = xreallocarray(m->member, m->room, sizeof(*m->member));
	}
	m->member[m->members++] = (struct member){ .item = item, .source = source };
}

/* The items of a story, behind the members so far. */
static void
members_add(struct matcher *m, struct db *db, int64_t story, int64_t except)
{
	db_bind(db, SQL_STORY_MEMBERS, DB_INT(story));
	while (db_step(db, SQL_STORY_MEMBERS))
		if (db_int(db, SQL_STORY_MEMBERS, 0) != except)
			member_add(m, db_int(db, SQL_STORY_MEMBERS, 0),
			    db_int(db, SQL_STORY_MEMBERS, 1));
}

static const struct work_ids *
ids_of(const struct matcher *m, struct db *db, size_t of)
{
	struct member *who = &m->member[of];
	struct cr_record *r;

	if (of == 0)
		return &m->keys.ids;
	if (who->ids == NULL) {
		who->ids = xcalloc(1, sizeof(*who->ids));
		if ((r = book_last(db, who->item, NULL)) != NULL)
			work_ids(who->ids, r);
		record_free(r);
	}
	return who->ids;
}

/* Whether a member before `from` and one behind are two works by their ids. */
static int
works_clash(const struct matcher *m, struct db *db, size_t from)
{
	size_t old = from < MATCH_GUARDED ? from : MATCH_GUARDED;
	size_t end = m->members - from < MATCH_GUARDED ? m->members : from + MATCH_GUARDED;
	size_t i, k;

	for (i = 0; i < old; i++)
		for (k = from; ids_of(m, db, i)->n > 0 && k < end; k++)
			if (work_ids_clash(ids_of(m, db, i), ids_of(m, db, k)) != NULL)
				return 1;
	return 0;
}

/* Whether the members so far (before `from`) and those of the story behind may be one story. */
static int
allowed(const struct matcher *m, struct db *db, size_t from, int64_t story, enum evidence by)
{
	size_t i, k;

	for (i = 0; i < from; i++)
		for (k = from; k < m->members; k++)
			if (m->member[i].source == m->member[k].source)
				return 0;
	for (i = 0; i < from; i++)
		if (db_get(db, SQL_RULED_APART, 0, DB_INT(m->member[i].item), DB_INT(story)) != 0)
			return 0;
	return by == BY_ID || !works_clash(m, db, from);
}

/* Whether the story is one of those found, or refused for good. */
static int
is_settled(const struct matcher *m, int64_t story)
{
	size_t i;

	for (i = 0; i < m->nfound; i++)
		if (m->found[i].story == story)
			return 1;
	for (i = 0; i < m->nrefused; i++)
		if (m->refused[i] == story)
			return 1;
	return m->nfound == MATCH_STORIES;
}

static void
join(struct matcher *m, struct db *db, const struct candidate *c, enum evidence by, const char *why)
{
	size_t from = m->members;
	struct match *f;

	members_add(m, db, c->story, 0);
	if (allowed(m, db, from, c->story, by)) {
		f = &m->found[m->nfound++];
		*f = (struct match){ .story = c->story, .item = c->item };
		snprintf(f->why, sizeof(f->why), "%s", why);
		return;
	}
	while (m->members > from)
		free(m->member[--m->members].ids);
	if (m->nrefused < MATCH_STORIES)
		m->refused[m->nrefused++] = c->story;
}

/* ---- The look-up ---- */

static void
candidate_add(struct matcher *m, const struct candidate *c)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->candidate[i].item == c->item) {
			m->candidate[i].shares += c->shares;
			m->candidate[i].bodies += c->bodies;
			return;
		}
	if (m->n < CANDIDATES)
		m->candidate[m->n++] = *c;
}

/* Adds the items that the statement of a key finds. */
static void
candidates_read(struct matcher *m, struct db *db, enum sql sql, struct candidate c)
{
	while (db_step(db, sql)) {
		c.item = db_int(db, sql, 0);
		c.story = db_int(db, sql, 1);
		c.source = db_int(db, sql, 2);
		candidate_add(m, &c);
	}
}

/* Adds the items that have the key of a text; body: of that below the title. */
static void
candidates_near(struct matcher *m, struct db *db, int64_t key, unsigned shares, int body)
{
	db_bind(db, SQL_NEAR_FIND, DB_INT(key), DB_INT(MATCH_ITEMS));
	candidates_read(m, db, SQL_NEAR_FIND,
	    (struct candidate){ .shares = shares, .bodies = body ? shares : 0 });
}

/* Adds the items that have an exact key, also the one that a database before version 9 knows. */
static void
candidates_add(struct matcher *m, struct db *db, int64_t key, unsigned shares)
{
	candidates_near(m, db, key, shares, 0);
	db_bind(db, SQL_STORY_KEY_FIND, DB_INT(key));
	candidates_read(m, db, SQL_STORY_KEY_FIND, (struct candidate){ .shares = shares });
}

static void
same_id(char why[SAME_WHY], const char *id)
{
	snprintf(why, SAME_WHY, id != NULL ? "the same id %.140s" : "the same link", id);
}

/* The items with an id of the same work, the oldest first. */
static void
find_by_id(struct matcher *m, struct db *db)
{
	char why[SAME_WHY];
	size_t i, k;

	for (i = 0; i < m->keys.ids.n; i++) {
		if (!decides(m->keys.ids.id[i]))
			continue;
		m->n = 0;
		candidates_add(m, db, m->keys.id[i], 1);
		same_id(why, m->keys.ids.id[i]);
		for (k = m->n; k > 0; k--)
			if (!is_settled(m, m->candidate[k - 1].story))
				join(m, db, &m->candidate[k - 1], BY_ID, why);
	}
}

static int
candidate_order(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->shares != y->shares)
		return x->shares > y->shares ? -1 : 1;
	return x->item > y->item ? -1 : x->item < y->item;
}

static int
has_source(const struct matcher *m, int64_t source)
{
	for (size_t i = 0; i < m->members; i++)
		if (m->member[i].source == source)
			return 1;
	return 0;
}

/* Whether it is worth while to compare the two texts: under titles that have little in common only
 * texts are one story that are nearly equal, which share two keys. */
static int
may_be_same(const struct near_text *a, const struct near_text *b, const struct candidate *c)
{
	size_t least = a->words < b->words ? a->words : b->words, common = 0, i, k;

	if (c->bodies >= 2)
		return 1;
	for (i = 0; i < a->words; i++)
		for (k = 0; k < b->words; k++)
			common += a->word[i] == b->word[k];
	return common > 0 && (common == least || 3 * common >= a->words + b->words);
}

/* The items that share keys with the record's texts, those first that share the most. */
static void
candidates_of_text(struct matcher *m, struct db *db)
{
	size_t first = m->near->prefix != 0, bodies = first, i;

	if (m->near->shingles.n >= NEAR_SHINGLES)
		bodies += NEAR_BODIES;
	m->n = 0;
	candidates_add(m, db, m->keys.title, 2);
	for (i = 0; i < m->nlink; i++)
		candidates_add(m, db, m->link[i].key, 2);
	for (i = 0; i < m->ntext; i++)
		candidates_near(m, db, m->text[i], first && i == m->ntext - 1 ? 2 : 1,
		    i + bodies >= m->ntext);
	qsort(m->candidate, m->n, sizeof(*m->candidate), candidate_order);
}

/* The items whose texts are alike. */
static void
find_by_text(struct matcher *m, struct db *db)
{
	size_t compared = 0, i;
	struct cr_record *r;
	char why[SAME_WHY];

	candidates_of_text(m, db);
	for (i = 0; i < m->n && compared < MATCH_COMPARED; i++) {
		const struct candidate *c = &m->candidate[i];

		if (is_settled(m, c->story) || has_source(m, c->source) ||
		    (r = book_last(db, c->item, NULL)) == NULL)
			continue;
		compared++;
		near_read(m->other, r);
		if (may_be_same(m->near, m->other, c) && same_story(m->near, m->other, 0, why))
			join(m, db, c, BY_TEXT, why);
		record_free(r);
	}
}

/* Whether each title has a number, or a name of a day or part, that the other has not. */
static int
titles_count(const struct serial *a, const struct serial *b)
{
	size_t i, k, common = 0;

	for (i = 0; i < a->numbers && i < SERIAL_NUMBERS; i++)
		for (k = 0; k < b->numbers && k < SERIAL_NUMBERS; k++)
			if (a->number[i] == b->number[k]) {
				common++;
				break;
			}
	return common < a->numbers && common < b->numbers;
}

/* The items with the same link, the oldest first. */
static void
find_by_link(struct matcher *m, struct db *db)
{
	struct cr_record *r;
	char why[SAME_WHY];
	size_t i, k;

	for (i = 0; i < m->nlink; i++) {
		same_id(why, m->link[i].id);
		m->n = 0;
		candidates_add(m, db, m->link[i].key, 1);
		for (k = m->n; k > 0; k--) {
			const struct candidate *c = &m->candidate[k - 1];

			if (is_settled(m, c->story) || has_source(m, c->source) ||
			    (r = book_last(db, c->item, NULL)) == NULL)
				continue;
			near_read(m->other, r);
			if (!titles_count(&m->near->serial, &m->other->serial))
				join(m, db, c, BY_LINK, why);
			record_free(r);
		}
	}
}

size_t
matcher_find(struct matcher *m, struct db *db, int64_t item, int64_t source, int64_t story,
    struct match found[MATCH_STORIES])
{
	m->found = found;
	m->nfound = m->nrefused = 0;
	members_free(m);
	member_add(m, item, source);
	if (story != 0)
		members_add(m, db, story, item);
	m->refused[m->nrefused++] = story;	/* its own */
	find_by_id(m, db);
	find_by_text(m, db);
	find_by_link(m, db);
	return m->nfound;
}
