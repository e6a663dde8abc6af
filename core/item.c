/* Items: the identity of entries, and what of a document is new.
 *
 * An entry is found again by its name: the guid, or the link, or title and date. Once a guid came
 * twice in one document with different links or titles, nothing of that source is called by its
 * guid alone any more: then every item of it gets a second name, made of its last version, so that
 * the old ones are found under the new rule. All names ever used stay, as hashes in item_key; the
 * record's id was made of the first one and does not change. Of an item with a guid the link is kept
 * there as well, set apart: a feed that begins to give guids, or ends to, repeats nothing.
 *
 * A document is logged oldest entry first: from its end to its beginning, unless its dates say that
 * it is the other way round. Pages that follow are logged as they come. */
#include "item.h"
#include "log.h"
#include "mem.h"
#include "result.h"
#include "story.h"
#include "text.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES	(8u * RECORD_LINE_MAX)
#define GUID_REPEATS	100		/* of one guid in a document, as different entries */
#define FOLDED		INT64_C(0x466f6c6465642121)	/* sets apart keys of guids folded in case */
#define LINKED		INT64_C(0x4c696e6b65642121)	/* and keys of the links of items with a guid */
#define LIKE_MAX	64		/* items under one key that are looked at */

struct entry {
	const char	*bytes;		/* in the results */
	size_t		 len;
	struct cr_record *record;	/* NULL: read again when needed */
	int64_t		 key;		/* of its plain name */
	int64_t		 folded;	/* the same, folded; key: nothing to fold */
	int64_t		 link, title;	/* hashes, when `compared`; 0: has none */
	int64_t		 linked;	/* link_key(), once it was looked for; 0: has none */
	int64_t		 item;		/* 0: not yet known */
	int		 compared;
	int		 repeated;	/* its name came more than once in this document */
	int		 same;		/* as an entry before it: left out */
};

struct document {
	struct digest		*digest;
	struct entry		*entries;
	size_t			 n, cap;
	size_t			 parsed;	/* bytes of those held as records */
	struct bytes		 feed;
	struct result_state	*states;
	size_t			 nstates;
	struct result_request	*requests;
	size_t			 nrequests;
	enum naming		 naming;	/* that it needs */
	int			 sequence;	/* in the order in which its entries came to be */
};

/* ---- Names ---- */

static void
add_canonical(struct buf *b, const char *link)
{
	size_t was = b->len;

	if (link == NULL || url_canonical(b, link) == 0)
		return;
	b->len = was;
	buf_str(b, link);
}

static void
add_title(struct buf *b, const struct cr_record *r)
{
	const char *title = record_get(r, CR_TITLE, 0);

	if (title != NULL)
		text_title_key(b, title, strlen(title));
}

static void
add_lower(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		buf_char(b, *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s);
}

/* The text, for an entry that has neither guid, link nor title. */
static void
add_body(struct buf *b, const struct cr_record *r)
{
	const char *text = record_get(r, CR_CONTENT, 0);

	if (text == NULL)
		text = record_get(r, CR_SUMMARY, 0);
	if (text != NULL)
		buf_add(b, text, strnlen(text, RECORD_LINE_MAX));
}

static void
name_by_title(struct buf *b, const struct cr_record *r)
{
	int64_t when = record_get_time(r, CR_PUBLISHED);

	buf_str(b, "title");
	buf_char(b, '\0');
	add_title(b, r);
	buf_char(b, '\0');
	if (when != CR_NO_TIME)
		buf_fmt(b, "%lld", (long long)when);
	if (record_get(r, CR_TITLE, 0) == NULL)
		add_body(b, r);
}

static void
name_by_guid(struct buf *b, const struct cr_record *r, const char *guid, const char *link,
    enum naming naming)
{
	static const char *const kind[] = { "guid", "guid+", "guid*" };

	buf_str(b, kind[naming]);
	buf_char(b, '\0');
	if (naming == NAME_PLAIN) {
		buf_str(b, guid);
		return;
	}
	add_lower(b, guid);
	buf_char(b, '\0');
	if (link != NULL)
		add_canonical(b, link);
	if (link == NULL || naming == NAME_FULL) {
		buf_char(b, '\0');
		add_title(b, r);
	}
}

void
item_name(struct buf *b, const struct cr_record *r, enum naming naming)
{
	const char *guid = record_get(r, CR_GUID, 0), *link = record_get(r, CR_LINK, 0);

	if (guid != NULL) {
		name_by_guid(b, r, guid, link, naming);
	} else if (link != NULL) {
		buf_str(b, naming == NAME_PLAIN ? "link" : "link+");
		buf_char(b, '\0');
		add_canonical(b, link);
		if (naming != NAME_PLAIN) {
			buf_char(b, '\0');
			add_title(b, r);
		}
	} else
		name_by_title(b, r);
}

void
item_rid(struct digest *d, const unsigned char source[16], const struct buf *name,
    unsigned char rid[16])
{
	unsigned char out[DIGEST_SIZE];

	digest_begin(d);
	digest_add(d, source, 16);
	digest_add(d, name->data, name->len);
	digest_end(d, out);
	memcpy(rid, out, 16);
}

static int64_t
hash(struct digest *d, const struct buf *b)
{
	digest_begin(d);
	digest_add(d, b->data != NULL ? b->data : "", b->len);
	return digest_end64(d);
}

static int64_t
name_key(struct digest *d, const struct cr_record *r, enum naming naming)
{
	struct buf b;
	int64_t key;

	buf_init(&b, NAME_MAX_BYTES);
	item_name(&b, r, naming);
	key = hash(d, &b);
	buf_free(&b);
	return key;
}

/* The key of its guid in lower case; `key` when that is the same or there is none. */
static int64_t
folded_key(struct digest *d, const struct cr_record *r, int64_t key)
{
	const char *guid = record_get(r, CR_GUID, 0);
	struct buf b;

	if (guid == NULL || strpbrk(guid, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL)
		return key;
	buf_init(&b, NAME_MAX_BYTES);
	buf_str(&b, "guid");
	buf_char(&b, '\0');
	add_lower(&b, guid);
	key = hash(d, &b);
	buf_free(&b);
	return key;
}

/* Hashes of what two entries of one name are compared by. 0: has none. */
static void
features(struct digest *d, const struct cr_record *r, int64_t *link, int64_t *title)
{
	const char *url = record_get(r, CR_LINK, 0);
	struct buf b;

	buf_init(&b, NAME_MAX_BYTES);
	add_canonical(&b, url);
	*link = url != NULL ? hash(d, &b) : 0;
	buf_clear(&b);
	add_title(&b, r);
	*title = b.len > 0 ? hash(d, &b) : 0;
	buf_free(&b);
}

static void
add_html(struct digest *d, struct buf *b, const char *html)
{
	buf_clear(b);
	if (html != NULL)
		text_of_html(b, html, strlen(html));
	digest_add(d, b->data != NULL ? b->data : "", b->len);
}

int64_t
item_text(struct digest *d, const struct cr_record *r)
{
	const char *title = record_get(r, CR_TITLE, 0);
	struct buf b;

	digest_begin(d);
	buf_init(&b, RECORD_MAX);
	if (title != NULL)
		text_fold(&b, title, strlen(title));
	digest_add(d, b.data != NULL ? b.data : "", b.len);
	buf_clear(&b);
	add_canonical(&b, record_get(r, CR_LINK, 0));
	digest_add(d, b.data != NULL ? b.data : "", b.len);
	add_html(d, &b, record_get(r, CR_SUMMARY, 0));
	add_html(d, &b, record_get(r, CR_CONTENT, 0));
	buf_free(&b);
	return digest_end64(d);
}

/* ---- Reading a document ---- */

static struct cr_record *
entry_record(struct entry *e)
{
	if (e->record == NULL && (e->record = record_read(e->bytes, e->len)) == NULL)
		fatal("a record that was read once cannot be read again");
	return e->record;
}

static void
entry_compare(struct document *doc, struct entry *e)
{
	if (!e->compared)
		features(doc->digest, entry_record(e), &e->link, &e->title);
	e->compared = 1;
}

/* Frees its record when the document is a large one. */
static void
entry_rest(struct document *doc, struct entry *e)
{
	if (doc->parsed <= DOCUMENT_PARSED)
		return;
	record_free(e->record);
	e->record = NULL;
}

static int
entry_add(struct document *doc, const struct wire *body)
{
	struct entry *e;

	if (doc->n == DOCUMENT_RECORDS)
		return -1;
	if (doc->n == doc->cap) {
		doc->cap = doc->cap > 0 ? doc->cap * 2 : 64;
		doc->entries = xreallocarray(doc->entries, doc->cap, sizeof(*doc->entries));
	}
	e = &doc->entries[doc->n];
	*e = (struct entry){ .bytes = (const char *)body->at,
		.len = (size_t)(body->end - body->at) };
	e->record = record_read(e->bytes, e->len);
	if (e->record == NULL)
		return -1;
	doc->n++;
	if (record_get(e->record, CR_ID, 0) != NULL || record_get(e->record, CR_SOURCE, 0) != NULL)
		return -1;
	e->key = name_key(doc->digest, e->record, NAME_PLAIN);
	e->folded = folded_key(doc->digest, e->record, e->key);
	doc->parsed += e->len;
	entry_rest(doc, e);
	return 0;
}

static int
feed_set(struct document *doc, const struct wire *body)
{
	struct cr_record *r;

	doc->feed.data = (const char *)body->at;
	doc->feed.len = (size_t)(body->end - body->at);
	r = record_read(doc->feed.data, doc->feed.len);
	record_free(r);
	return r != NULL ? 0 : -1;
}

static int
state_add(struct document *doc, struct wire *body)
{
	struct result_state s;

	if (result_state_read(body, &s) == -1 || doc->nstates == DOCUMENT_STATES)
		return -1;
	doc->states = xreallocarray(doc->states, doc->nstates + 1, sizeof(s));
	doc->states[doc->nstates++] = s;
	return 0;
}

static int
request_add(struct document *doc, struct wire *body)
{
	struct result_request q;

	wire_get(body, result_request, &q);
	if (wire_end(body) == -1 || doc->nrequests == RESULT_REQUESTS ||
	    result_request_bad(&q) != NULL)
		return -1;
	doc->requests = xreallocarray(doc->requests, doc->nrequests + 1, sizeof(q));
	doc->requests[doc->nrequests++] = q;
	return 0;
}

static int
document_add(struct document *doc, enum result_kind kind, struct wire *body)
{
	switch (kind) {
	case RESULT_RECORD:
		return entry_add(doc, body);
	case RESULT_FEED:
		return feed_set(doc, body);
	case RESULT_STATE:
		return state_add(doc, body);
	case RESULT_REQUEST:
		return request_add(doc, body);
	default:
		return -1;
	}
}

/* Two entries with one name, not told apart by case: the same, or a name that is not enough. */
static void
entry_pair(struct document *doc, struct entry *a, struct entry *b)
{
	enum naming needs = NAME_PLAIN;
	int link, title;

	entry_compare(doc, a);
	entry_compare(doc, b);
	link = a->link == b->link;
	title = a->title == b->title;
	if (a->key != b->key) {
		b->same |= (link && a->link != 0) || (title && a->title != 0);
		return;
	}
	if (link && title)
		b->same = 1;
	else
		needs = link && a->link != 0 && record_get(entry_record(a), CR_GUID, 0) != NULL ?
		    NAME_FULL : NAME_JOINED;
	if (needs != NAME_PLAIN)
		a->repeated = b->repeated = 1;
	if (needs > doc->naming)
		doc->naming = needs;
}

static int
by_folded(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	if (x->folded != y->folded)
		return x->folded < y->folded ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* A guid that a document repeats without end tells nothing apart: the entries are versions of one, of
 * which the first counts. Returns how many entries have the first one's key. */
static size_t
guid_flood(struct entry **sorted, size_t left)
{
	size_t n = 1, i;

	while (n < left && sorted[n]->key == sorted[0]->key)
		n++;
	if (n > GUID_REPEATS && record_get(entry_record(sorted[0]), CR_GUID, 0) != NULL)
		for (i = 1; i < n; i++)
			sorted[i]->same = 1;
	return n;
}

/* Finds names that came twice. Of many with one name each is compared with those before it until
 * one is the same, and with no more than a few: that shows what naming they need. */
static void
document_repeats(struct document *doc)
{
	enum { NEAR = 32 };
	struct entry **sorted = xcalloc(doc->n, sizeof(struct entry *));
	size_t i, j;

	for (i = 0; i < doc->n; i++)
		sorted[i] = &doc->entries[i];
	qsort(sorted, doc->n, sizeof(struct entry *), by_folded);
	for (i = 0; i < doc->n;)
		i += guid_flood(sorted + i, doc->n - i);
	for (i = 1; i < doc->n; i++)
		for (j = i; j-- > 0 && i - j <= NEAR && !sorted[i]->same &&
		    sorted[j]->folded == sorted[i]->folded;)
			if (!sorted[j]->same)
				entry_pair(doc, sorted[j], sorted[i]);
	for (i = 0; i < doc->n; i++)
		entry_rest(doc, &doc->entries[i]);
	free(sorted);
}

struct document *
document_new(struct digest *digest, const void *results, size_t len)
{
	struct document *doc = xcalloc(1, sizeof(*doc));
	struct wire all, body;
	enum result_kind kind;
	int more;

	doc->digest = digest;
	wire_init(&all, results, len);
	while ((more = result_next(&all, &kind, &body)) == 1)
		if (document_add(doc, kind, &body) == -1) {
			log_warn("results refused: item %zu, of kind %d, is malformed", doc->n,
			    (int)kind);
			document_free(doc);
			return NULL;
		}
	if (more == -1) {
		log_warn("results refused: cut off behind record %zu", doc->n);
		document_free(doc);
		return NULL;
	}
	document_repeats(doc);
	return doc;
}

void
document_sequence(struct document *doc)
{
	size_t i;

	doc->sequence = 1;
	doc->naming = NAME_PLAIN;
	for (i = 0; i < doc->n; i++)
		doc->entries[i].same = doc->entries[i].repeated = 0;
}

void
document_free(struct document *doc)
{
	size_t i;

	if (doc == NULL)
		return;
	for (i = 0; i < doc->n; i++)
		record_free(doc->entries[i].record);
	free(doc->entries);
	free(doc->states);
	free(doc->requests);
	free(doc);
}

struct bytes
document_feed(const struct document *doc)
{
	return doc->feed;
}

const struct result_state *
document_states(const struct document *doc, size_t *n)
{
	*n = doc->nstates;
	return doc->states;
}

const struct result_request *
document_requests(const struct document *doc, size_t *n)
{
	*n = doc->nrequests;
	return doc->requests;
}

/* ---- Finding what is known ---- */

/* Gives every item of the source a name by the new rule, made of its last version. */
static void
source_rename(struct book *book, struct item_source *source, enum naming naming)
{
	struct { int64_t item, key; } *added = NULL;
	struct cr_record *r;
	struct bytes blob;
	size_t n = 0, i;

	db_bind(&book->db, SQL_ITEMS_OF, DB_INT(source->id));
	while (db_step(&book->db, SQL_ITEMS_OF)) {
		blob = db_blob(&book->db, SQL_ITEMS_OF, 1);
		if ((r = record_read(blob.data, blob.len)) == NULL)
			continue;
		added = xreallocarray(added, n + 1, sizeof(*added));
		added[n].item = db_int(&book->db, SQL_ITEMS_OF, 0);
		added[n++].key = name_key(book->digest, r, naming);
		record_free(r);
	}
	for (i = 0; i < n; i++)
		db_run(&book->db, SQL_KEY_ADD, DB_INT(source->id), DB_INT(added[i].key),
		    DB_INT(added[i].item));
	free(added);
	source->unreliable = naming;
	log_info("source %lld: guids are not unique: from now on joined with %s",
	    (long long)source->id, naming == NAME_FULL ? "link and title" : "link or title");
}

/* Features of an item's last version. 1: it has a guid; 0: none; -1: it has no version to show. */
static int
item_features(struct book *book, int64_t item, int64_t *link, int64_t *title)
{
	int guid;

	struct cr_record *r = NULL;
	struct bytes blob;
	int64_t last = 0;

	db_bind(&book->db, SQL_ITEM_GET, DB_INT(item));
	if (db_step(&book->db, SQL_ITEM_GET))
		last = db_int(&book->db, SQL_ITEM_GET, 1);
	db_done(&book->db, SQL_ITEM_GET);
	db_bind(&book->db, SQL_RECORD_GET, DB_INT(last));
	if (db_step(&book->db, SQL_RECORD_GET)) {
		blob = db_blob(&book->db, SQL_RECORD_GET, 0);
		r = record_read(blob.data, blob.len);
	}
	db_done(&book->db, SQL_RECORD_GET);
	if (r == NULL)
		return -1;
	features(book->digest, r, link, title);
	guid = record_get(r, CR_GUID, 0) != NULL;
	record_free(r);
	return guid;
}

/* Whether another entry of this document is that item already. */
static int
taken(const struct document *doc, int64_t item)
{
	size_t i;

	for (i = 0; i < doc->n; i++)
		if (doc->entries[i].item == item)
			return 1;
	return 0;
}

/* Items under a key: the first, and in *n how many there are. */
static int64_t
key_find(struct book *book, const struct item_source *source, int64_t key, size_t *n)
{
	int64_t item = 0;

	*n = 0;
	db_bind(&book->db, SQL_KEY_FIND, DB_INT(source->id), DB_INT(key));
	while (db_step(&book->db, SQL_KEY_FIND) && ++*n < 64)
		if (*n == 1)
			item = db_int(&book->db, SQL_KEY_FIND, 0);
	db_done(&book->db, SQL_KEY_FIND);
	return item;
}

/* An item whose guid differs only in case, with the same link or title. */
static int64_t
find_folded(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t found[64], key[2] = { e->folded ^ FOLDED, e->folded }, link, title;
	size_t n = 0, i;
	int k;

	for (k = 0; k < (e->folded != e->key ? 2 : 1); k++) {
		db_bind(&book->db, SQL_KEY_FIND, DB_INT(source->id), DB_INT(key[k]));
		while (n < 64 && db_step(&book->db, SQL_KEY_FIND))
			found[n++] = db_int(&book->db, SQL_KEY_FIND, 0);
		db_done(&book->db, SQL_KEY_FIND);
	}
	if (n > 0)
		entry_compare(doc, e);
	for (i = 0; i < n; i++)
		if (item_features(book, found[i], &link, &title) != -1 &&
		    ((link != 0 && link == e->link) || (title != 0 && title == e->title)) &&
		    !taken(doc, found[i]))
			return found[i];
	return 0;
}

/* In an unreliable source, an item that moved: the only one with this guid, under the same title. */
static int64_t
find_moved(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t item, link, title;
	size_t n;

	if (e->repeated)
		return 0;
	item = key_find(book, source, e->key, &n);
	if (n != 1)
		return 0;
	entry_compare(doc, e);
	if (e->title == 0 || item_features(book, item, &link, &title) == -1 ||
	    title != e->title || taken(doc, item))
		return 0;
	return item;
}

/* The key under which an entry without a guid is found by its link; 0: it has none. */
static int64_t
link_key(struct digest *d, const struct cr_record *r)
{
	const char *link = record_get(r, CR_LINK, 0);
	struct buf b;
	int64_t key;

	if (link == NULL)
		return 0;
	buf_init(&b, NAME_MAX_BYTES);
	buf_str(&b, "link");
	buf_char(&b, '\0');
	add_canonical(&b, link);
	key = hash(d, &b);
	buf_free(&b);
	return key;
}

void
item_keys(struct digest *d, const char *text, int64_t key[ITEM_KEYS])
{
	struct cr_record *guid = record_new(), *link = record_new();

	record_set(guid, CR_GUID, text, strlen(text));
	record_set(link, CR_LINK, text, strlen(text));
	key[0] = name_key(d, guid, NAME_PLAIN);
	key[1] = link_key(d, link);
	key[2] = key[1] ^ LINKED;
	record_free(guid);
	record_free(link);
}

/* Whether another entry of the document goes by that key. */
static int
named(const struct document *doc, const struct entry *e, int64_t key)
{
	size_t i;

	for (i = 0; i < doc->n; i++)
		if (&doc->entries[i] != e && doc->entries[i].key == key)
			return 1;
	return 0;
}

/* The same entry from before its feed began to give guids, or ended to: with this link and title,
 * and a guid where this one has none, or none where it has one. The newest of several. */
static int64_t
find_linked(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	const struct cr_record *r = entry_record(e);
	int guid = record_get(r, CR_GUID, 0) != NULL;
	int64_t key = e->linked = link_key(book->digest, r), found[LIKE_MAX], link, title;
	size_t n = 0;

	if (key == 0)
		return 0;
	db_bind(&book->db, SQL_KEY_FIND, DB_INT(source->id), DB_INT(guid ? key : key ^ LINKED));
	while (n < LIKE_MAX && db_step(&book->db, SQL_KEY_FIND))
		found[n++] = db_int(&book->db, SQL_KEY_FIND, 0);
	db_done(&book->db, SQL_KEY_FIND);
	if (n == 0 || (guid && named(doc, e, key)))
		return 0;
	entry_compare(doc, e);
	while (n-- > 0)
		if (item_features(book, found[n], &link, &title) == !guid && link == e->link &&
		    title == e->title && !taken(doc, found[n]))
			return found[n];
	return 0;
}

static void
key_add(struct book *book, const struct item_source *source, int64_t key, int64_t item)
{
	db_run(&book->db, SQL_KEY_ADD, DB_INT(source->id), DB_INT(key), DB_INT(item));
}

/* Its item, or 0. A new name of a known item is kept. */
static int64_t
entry_find(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t key = e->key, item;
	size_t n;

	if (source->unreliable != NAME_PLAIN)
		key = name_key(book->digest, entry_record(e), (enum naming)source->unreliable);
	item = key_find(book, source, key, &n);
	if (item != 0)
		return item;
	item = source->unreliable != NAME_PLAIN ? find_moved(doc, book, source, e) :
	    find_folded(doc, book, source, e);
	if (item == 0)
		item = find_linked(doc, book, source, e);
	if (item != 0)
		key_add(book, source, key, item);
	return item;
}

/* ---- Storing ---- */

static void
names_add(struct book *book, const struct item_source *source, const struct entry *e,
    int64_t item)
{
	key_add(book, source, e->key, item);
	if (e->linked != 0 && record_get(e->record, CR_GUID, 0) != NULL)
		key_add(book, source, e->linked ^ LINKED, item);
	if (e->folded != e->key)
		key_add(book, source, e->folded ^ FOLDED, item);
	if (source->unreliable != NAME_PLAIN)
		key_add(book, source,
		    name_key(book->digest, e->record, (enum naming)source->unreliable), item);
}

/* flags of its log row: in a first fetch, with its place from the newest. */
static int64_t
log_flags(const struct item_source *source, size_t newer)
{
	int64_t rank;

	if (source->firsts < 0)
		return 0;
	rank = source->firsts + (int64_t)newer;
	return LOG_FIRST | (rank < LOG_RANK_MAX ? rank : LOG_RANK_MAX) << LOG_RANK_SHIFT;
}

static void
item_create(struct book *book, const struct item_source *source, struct entry *e, int64_t raw,
    int64_t flags, int64_t when)
{
	const struct cr_record *r = entry_record(e);
	unsigned char rid[16];
	int64_t n = ++book->head, story, items;
	struct buf name;

	buf_init(&name, NAME_MAX_BYTES);
	item_name(&name, r, (enum naming)source->unreliable);
	item_rid(book->digest, source->key, &name, rid);
	buf_free(&name);
	story = story_of(&book->db, book->digest, r, n, source->id, &items);
	db_run(&book->db, SQL_ITEM_ADD, DB_INT(n), DB_BLOB(rid, sizeof(rid)), DB_INT(source->id),
	    DB_INT(raw), DB_INT(item_text(book->digest, r)), DB_INT(when), DB_INT(story));
	db_run(&book->db, SQL_LOG_ADD, DB_INT(n), DB_INT(n), DB_INT(0), DB_INT(source->id),
	    DB_INT(flags), DB_INT(when));
	db_run(&book->db, SQL_RECORD_ADD, DB_INT(n), DB_BLOB(e->bytes, e->len));
	names_add(book, source, e, n);
	e->item = n;
	book->records++;
	book->stories += items == 1;
}

static void
item_revise(struct book *book, const struct item_source *source, const struct entry *e,
    int64_t raw, int64_t text, int64_t revision, int64_t when)
{
	int64_t n = ++book->head, old = 0;

	db_run(&book->db, SQL_LOG_ADD, DB_INT(n), DB_INT(e->item), DB_INT(revision),
	    DB_INT(source->id), DB_INT(0), DB_INT(when));
	db_run(&book->db, SQL_RECORD_ADD, DB_INT(n), DB_BLOB(e->bytes, e->len));
	db_run(&book->db, SQL_ITEM_REVISE, DB_INT(e->item), DB_INT(revision), DB_INT(n),
	    DB_INT(raw), DB_INT(text));
	if (revision == ITEM_REVISIONS)
		old = e->item;
	else if (revision > ITEM_REVISIONS)
		old = db_get(&book->db, SQL_LOG_ITEM, 0, DB_INT(e->item),
		    DB_INT(revision - ITEM_REVISIONS));
	if (old != 0)
		db_run(&book->db, SQL_RECORD_DEL, DB_INT(old));
	book->revisions++;
}

/* A known one: unchanged, changed in what makes no revision, or revised. 1: revised. */
static int
item_meet(struct book *book, const struct item_source *source, struct entry *e, int64_t raw,
    int64_t when)
{
	int64_t revision, last, old_raw, old_text, text;

	db_bind(&book->db, SQL_ITEM_GET, DB_INT(e->item));
	if (!db_step(&book->db, SQL_ITEM_GET))
		fatal("item %lld is named and missing", (long long)e->item);
	revision = db_int(&book->db, SQL_ITEM_GET, 0);
	last = db_int(&book->db, SQL_ITEM_GET, 1);
	old_raw = db_int(&book->db, SQL_ITEM_GET, 2);
	old_text = db_int(&book->db, SQL_ITEM_GET, 3);
	db_done(&book->db, SQL_ITEM_GET);
	if (old_raw == raw)
		return 0;
	db_run(&book->db, SQL_WAIT_ITEM, DB_INT(e->item));
	text = item_text(book->digest, entry_record(e));
	if (text != old_text) {
		item_revise(book, source, e, raw, text, revision + 1, when);
		return 1;
	}
	db_run(&book->db, SQL_RECORD_SET, DB_INT(last), DB_BLOB(e->bytes, e->len));
	db_run(&book->db, SQL_ITEM_TOUCH, DB_INT(e->item), DB_INT(raw));
	return 0;
}

static void
entry_store(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e, size_t newer, int64_t when, struct document_counts *counts)
{
	int64_t raw;

	digest_begin(book->digest);
	digest_add(book->digest, e->bytes, e->len);
	raw = digest_end64(book->digest);
	counts->seen++;
	e->item = entry_find(doc, book, source, e);
	if (e->item == 0) {
		item_create(book, source, e, raw, log_flags(source, newer), when);
		counts->added++;
	} else if (item_meet(book, source, e, raw, when))
		counts->revised++;
	entry_rest(doc, e);
}

/* The first entry's date lies before the last one's: it is written oldest first. */
static int
oldest_first(struct document *doc)
{
	int64_t first = CR_NO_TIME, last = CR_NO_TIME, when;
	size_t i;

	for (i = 0; i < doc->n && first == CR_NO_TIME; i++) {
		first = record_get_time(entry_record(&doc->entries[i]), CR_PUBLISHED);
		entry_rest(doc, &doc->entries[i]);
	}
	for (i = doc->n; i-- > 0 && last == CR_NO_TIME;) {
		when = record_get_time(entry_record(&doc->entries[i]), CR_PUBLISHED);
		entry_rest(doc, &doc->entries[i]);
		last = when;
	}
	return first != CR_NO_TIME && first < last;
}

void
document_store(struct document *doc, struct book *book, struct item_source *source,
    int64_t when, struct document_counts *counts)
{
	int forward = doc->sequence || oldest_first(doc);
	size_t i, at;

	*counts = (struct document_counts){ 0, 0, 0 };
	if ((int64_t)doc->naming > source->unreliable)
		source_rename(book, source, doc->naming);
	for (i = 0; i < doc->n; i++) {
		at = forward ? i : doc->n - 1 - i;
		if (!doc->entries[at].same)
			entry_store(doc, book, source, &doc->entries[at], doc->n - 1 - i, when,
			    counts);
	}
	if (source->firsts >= 0)
		source->firsts += (int64_t)doc->n;
}
