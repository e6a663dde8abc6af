/* The sources in the database, and their marks. */
#include "roster.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct roster_entry {
	struct item_source	 item;		/* id 0: none */
	char			*name, *url, *plugin;
	char			*now;		/* its url in the configuration, or NULL */
	struct buf		*mark;		/* held by roster_touch(), in wire format */
	uint32_t		 kept;		/* enum stored */
	int			 gone;
	int			 listed;	/* in the configuration being taken */
};

struct roster {
	struct db	*db;
	struct roster_entry	*known;		/* by id */
	uint32_t	 n, cap;	/* n: highest id + 1 */
	uint32_t	*touched;	/* ids with a mark to write */
	size_t		 ntouched;
};

static struct roster_entry *
place(struct roster *r, int64_t id)
{
	if (id <= 0 || id >= (int64_t)UINT32_MAX)
		fatal("a source with the id %lld", (long long)id);
	if (id >= r->cap) {
		uint32_t cap = r->cap > 0 ? r->cap : 64;

		while (cap <= id)
			cap *= 2;
		r->known = xreallocarray(r->known, cap, sizeof(*r->known));
		memset(r->known + r->cap, 0, (cap - r->cap) * sizeof(*r->known));
		r->cap = cap;
	}
	if (id >= r->n)
		r->n = (uint32_t)id + 1;
	return &r->known[id];
}

static struct roster_entry *
add(struct roster *r, int64_t id, const void *key, const char *name, const char *url,
    const char *plugin)
{
	struct roster_entry *k = place(r, id);

	k->item.id = id;
	memcpy(k->item.key, key, sizeof(k->item.key));
	xreplace(&k->name, name);
	xreplace(&k->url, url);
	xreplace(&k->plugin, plugin);
	return k;
}

/* Sets the flag for the sources that the statement lists; for KEPT_BROKEN only if column 1 is not
 * 0. */
static void
stored_load(struct roster *r, enum sql sql, uint32_t flag)
{
	int64_t id;

	while (db_step(r->db, sql)) {
		id = db_int(r->db, sql, 0);
		if (id > 0 && id < r->n && (flag != KEPT_BROKEN || db_int(r->db, sql, 1) != 0))
			r->known[id].kept |= flag;
	}
}

struct roster *
roster_new(struct db *db)
{
	struct roster *r = xcalloc(1, sizeof(*r));
	struct roster_entry *k;
	struct bytes key;

	r->db = db;
	while (db_step(db, SQL_SOURCES)) {
		key = db_blob(db, SQL_SOURCES, 1);
		if (key.len != sizeof(k->item.key))
			fatal("a source's key has %zu bytes", key.len);
		k = add(r, db_int(db, SQL_SOURCES, 0), key.data, db_text(db, SQL_SOURCES, 2),
		    db_text(db, SQL_SOURCES, 3), db_text(db, SQL_SOURCES, 4));
		k->item.unreliable = db_int(db, SQL_SOURCES, 5);
		k->item.firsts = db_int(db, SQL_SOURCES, 6);
		k->gone = db_text(db, SQL_SOURCES, 7) != NULL;
	}
	stored_load(r, SQL_STATE_SOURCES, KEPT_STATE);
	stored_load(r, SQL_OWED_SOURCES, KEPT_OWED);
	stored_load(r, SQL_WALKS, KEPT_BROKEN);
	return r;
}

void
roster_free(struct roster *r)
{
	uint32_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++) {
		free(r->known[i].name);
		free(r->known[i].url);
		free(r->known[i].now);
		free(r->known[i].plugin);
		if (r->known[i].mark != NULL)
			buf_free(r->known[i].mark);
		free(r->known[i].mark);
	}
	free(r->known);
	free(r->touched);
	free(r);
}

/* ---- A configuration's sources ---- */

/* An index over the stored sources, sorted by name, or by plugin and URL. */
struct index {
	const struct roster_entry	**by;
	size_t			  n;
	int			 (*order)(const void *, const void *);
};

static int
by_name(const void *a, const void *b)
{
	const struct roster_entry *x = *(const struct roster_entry *const *)a;
	const struct roster_entry *y = *(const struct roster_entry *const *)b;

	return strcmp(x->name, y->name);
}

static int
by_url(const void *a, const void *b)
{
	const struct roster_entry *x = *(const struct roster_entry *const *)a;
	const struct roster_entry *y = *(const struct roster_entry *const *)b;
	int order = strcmp(x->plugin, y->plugin);

	return order != 0 ? order : strcmp(x->url, y->url);
}

static void
index_make(struct index *index, const struct roster *r,
    int (*order)(const void *, const void *))
{
	uint32_t i;

	index->by = xcalloc(r->n, sizeof(struct roster_entry *));
	index->n = 0;
	index->order = order;
	for (i = 0; i < r->n; i++)
		if (r->known[i].item.id != 0)
			index->by[index->n++] = &r->known[i];
	qsort(index->by, index->n, sizeof(struct roster_entry *), order);
}

/* A stored source equal to `like` that is not yet matched with the configuration; the first of
 * several. */
static struct roster_entry *
index_find(const struct roster *r, const struct index *index, const struct roster_entry *like)
{
	size_t low = 0, high = index->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (index->order(&index->by[mid], &like) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < index->n && index->order(&index->by[low], &like) == 0; low++)
		if (!index->by[low]->listed)
			return &r->known[index->by[low]->item.id];
	return NULL;
}

static struct roster_entry *
find_name(const struct roster *r, const struct index *index, const char *name)
{
	struct roster_entry like = { .name = (char *)(uintptr_t)name };

	return name != NULL ? index_find(r, index, &like) : NULL;
}

static struct roster_entry *
find_url(const struct roster *r, const struct index *index, const struct store_source *s)
{
	struct roster_entry like = { .url = (char *)(uintptr_t)s->url,
		.plugin = (char *)(uintptr_t)s->plugin };

	return s->url[0] != '\0' ? index_find(r, index, &like) : NULL;
}

/* Ways to match a configured source with a stored one, in this order: by name and URL; by the
 * earlier name (`was`), unless a stored source has the present name; by name; by URL. A stored
 * source of the present name that is gone yields to one that still has the earlier name. */
enum match { BY_BOTH, BY_WAS, BY_NAME, BY_URL, PASSES };

static struct roster_entry *
find(const struct roster *r, const struct index *names, const struct index *urls,
    const struct store_source *s, enum match match)
{
	struct roster_entry *k = match != BY_URL ? find_name(r, names, s->name) : NULL;
	struct roster_entry *was = match == BY_BOTH || match == BY_WAS ?
	    find_name(r, names, s->was) : NULL;

	if (k != NULL && k->gone && was != NULL && !was->gone)
		k = NULL;
	switch (match) {
	case BY_BOTH:
		return k != NULL && strcmp(k->url, s->url) == 0 ? k : NULL;
	case BY_WAS:
		return k == NULL ? was : NULL;
	case BY_NAME:
		return k;
	default:
		return find_url(r, urls, s);
	}
}

/* ---- Sources that are new ---- */

/* The keys in use: a hash table with open addressing. */
struct keys {
	unsigned char	(*at)[16];
	size_t		  mask;
};

/* 1: added; 0: the key is in use already. */
static int
keys_add(struct keys *keys, const unsigned char key[16])
{
	static const unsigned char none[16];
	size_t i;

	memcpy(&i, key, sizeof(i));
	for (i &= keys->mask; memcmp(keys->at[i], none, 16) != 0; i = (i + 1) & keys->mask)
		if (memcmp(keys->at[i], key, 16) == 0)
			return 0;
	memcpy(keys->at[i], key, 16);
	return 1;
}

/* The keys of all stored sources, with room for n more. */
static void
keys_make(struct keys *keys, const struct roster *r, size_t n)
{
	size_t size = 64;
	uint32_t i;

	while (size < 2 * (r->n + n))
		size *= 2;
	keys->mask = size - 1;
	keys->at = xcalloc(size, 16);
	for (i = 0; i < r->n; i++)
		if (r->known[i].item.id != 0)
			(void)keys_add(keys, r->known[i].item.key);
}

/* The key of a new source: 128 bits of a hash over its first-listed name and URL, so that its
 * records get the same ids in a new database. nth: the number of stored sources that were first
 * listed with this name and URL and have been renamed. */
static void
key_make(struct digest *d, const struct store_source *s, int64_t nth, unsigned char key[16])
{
	unsigned char out[DIGEST_SIZE];

	digest_begin(d);
	digest_str(d, "source");
	digest_str(d, s->was != NULL ? s->was : s->name);
	digest_str(d, s->url);
	if (nth > 0)
		digest_int(d, nth);
	digest_end(d, out);
	memcpy(key, out, 16);
}

static int64_t
create(struct roster *r, struct digest *d, struct keys *keys, const struct store_source *s)
{
	unsigned char key[16];
	int64_t nth = 0;

	do
		key_make(d, s, nth++, key);
	while (!keys_add(keys, key));
	db_run(r->db, SQL_SOURCE_ADD, DB_BLOB(key, sizeof(key)), DB_TEXT(s->name),
	    DB_TEXT(s->was), DB_TEXT(s->url), DB_TEXT(s->plugin), DB_INT(date_now()));
	add(r, db_last(r->db), key, s->name, s->url, s->plugin);
	return db_last(r->db);
}

/* Creates the sources whose id[] is 0, and sets id[]. */
static void
create_all(struct roster *r, const struct store_source *s, size_t n, uint32_t *id)
{
	struct digest *d = digest_new();
	struct keys keys;
	size_t i, match;

	keys_make(&keys, r, n);
	/* Sources that still have their first name precede those that were renamed. */
	for (match = 0; match < 2; match++)
		for (i = 0; i < n; i++)
			if (id[i] == 0 && (s[i].was != NULL) == (match == 1)) {
				id[i] = (uint32_t)create(r, d, &keys, &s[i]);
				r->known[id[i]].listed = 1;
			}
	free(keys.at);
	digest_free(d);
}

/* ---- Stored sources ---- */

/* Gives each source that is gone and whose name another source takes a name that no source can
 * have. */
static void
names_yield(struct roster *r, const struct index *names, const struct store_source *s, size_t n,
    const uint32_t *id)
{
	struct roster_entry *k, **yields = xcalloc(n, sizeof(struct roster_entry *));
	char *away;
	size_t i;

	for (i = 0; i < n; i++)
		if (id[i] != 0 && strcmp(r->known[id[i]].name, s[i].name) != 0)
			yields[i] = find_name(r, names, s[i].name);
	for (i = 0; i < n; i++) {
		if ((k = yields[i]) == NULL || !k->gone)
			continue;
		away = xasprintf("%s {gone %lld}", k->name, (long long)k->item.id);
		db_run(r->db, SQL_SOURCE_NAME, DB_INT(k->item.id), DB_TEXT(away));
		free(k->name);
		k->name = away;
	}
	free(yields);
}

/* Renames the matched sources. Names are unique and two sources may have exchanged theirs: so all
 * get a temporary name first. */
static void
rename_all(struct roster *r, const struct store_source *s, size_t n, const uint32_t *id)
{
	struct roster_entry *k;
	char away[32];
	size_t i, match;

	for (match = 0; match < 2; match++)
		for (i = 0; i < n; i++) {
			k = id[i] != 0 ? &r->known[id[i]] : NULL;
			if (k == NULL || (!k->gone && strcmp(k->name, s[i].name) == 0 &&
			    strcmp(k->plugin, s[i].plugin) == 0))
				continue;
			snprintf(away, sizeof(away), "\001%u", id[i]);
			db_run(r->db, SQL_SOURCE_SET, DB_INT(id[i]),
			    DB_TEXT(match == 0 ? away : s[i].name), DB_TEXT(s[i].was),
			    DB_TEXT(s[i].plugin));
			if (match == 0)
				continue;
			if (strcmp(k->name, s[i].name) != 0)
				log_info("source %s: was %s before", s[i].name, k->name);
			xreplace(&k->name, s[i].name);
			xreplace(&k->plugin, s[i].plugin);
			k->gone = 0;
		}
}

/* Marks the sources that the configuration no longer has as gone. */
static void
retire(struct roster *r)
{
	struct roster_entry *k;
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		k = &r->known[i];
		if (k->item.id == 0 || k->listed || k->gone)
			continue;
		db_run(r->db, SQL_SOURCE_GONE, DB_INT(k->item.id), DB_INT(date_now()));
		k->gone = 1;
	}
}

void
roster_take(struct roster *r, const struct store_source *s, size_t n, uint32_t *id)
{
	struct index names, urls;
	struct roster_entry *k;
	enum match match;
	size_t i;

	index_make(&names, r, by_name);
	index_make(&urls, r, by_url);
	for (i = 0; i < r->n; i++)
		r->known[i].listed = 0;
	memset(id, 0, n * sizeof(*id));
	for (match = BY_BOTH; match < PASSES; match++)
		for (i = 0; i < n; i++) {
			if (id[i] != 0 || (k = find(r, &names, &urls, &s[i], match)) == NULL)
				continue;
			k->listed = 1;
			id[i] = (uint32_t)k->item.id;
		}
	names_yield(r, &names, s, n, id);
	free(names.by);
	free(urls.by);
	rename_all(r, s, n, id);
	create_all(r, s, n, id);
	for (i = 0; i < n; i++) {
		k = &r->known[id[i]];
		xreplace(&k->now, s[i].url);
		k->item.weight = s[i].weight;
		k->item.counters = s[i].counters != 0;
		k->item.own = roster_own(r, id[i]);
	}
	retire(r);
}

/* ---- Marks ---- */

static void
mark_read(struct db *db, struct mark *m)
{
	*m = (struct mark){
		.checked = db_int(db, SQL_MARK_GET, 0), .ok = db_int(db, SQL_MARK_GET, 1),
		.due = db_int(db, SQL_MARK_GET, 2), .interval = db_int(db, SQL_MARK_GET, 3),
		.not_before = db_int(db, SQL_MARK_GET, 4),
		.failures = (uint32_t)db_int(db, SQL_MARK_GET, 5),
		.status = (uint32_t)db_int(db, SQL_MARK_GET, 6),
		.state = (uint32_t)db_int(db, SQL_MARK_GET, 7),
		.found = (uint32_t)db_int(db, SQL_MARK_GET, 8),
		.etag = db_text(db, SQL_MARK_GET, 9), .modified = db_text(db, SQL_MARK_GET, 10),
		.validated = db_text(db, SQL_MARK_GET, 11), .moved = db_text(db, SQL_MARK_GET, 12),
		.error = db_text(db, SQL_MARK_GET, 13),
	};
}

void
roster_tell(struct roster *r, const uint32_t *id, size_t n, struct buf *out)
{
	struct mark m;
	size_t i;

	roster_flush(r);
	wire_put_u32(out, (uint32_t)n);
	for (i = 0; i < n; i++) {
		wire_put_u32(out, id[i]);
		wire_put_bytes(out, r->known[id[i]].item.key, sizeof(r->known[id[i]].item.key));
		db_bind(r->db, SQL_MARK_GET, DB_INT(id[i]));
		if (!db_step(r->db, SQL_MARK_GET))
			fatal("source %u has no row", id[i]);
		mark_read(r->db, &m);
		wire_put_u32(out, r->known[id[i]].kept);
		wire_put(out, mark, &m);
		db_done(r->db, SQL_MARK_GET);
	}
}

static void
untouch(struct roster_entry *k)
{
	if (k->mark == NULL)
		return;
	buf_free(k->mark);
	free(k->mark);
	k->mark = NULL;
}

void
roster_mark(struct roster *r, uint32_t id, const struct mark *m)
{
	untouch(&r->known[id]);
	db_run(r->db, SQL_MARK_SET, DB_INT(id), DB_INT(m->checked), DB_INT(m->ok), DB_INT(m->due),
	    DB_INT(m->interval), DB_INT(m->not_before), DB_INT(m->failures), DB_INT(m->status),
	    DB_INT(m->state), DB_INT(m->found), DB_TEXT(m->etag), DB_TEXT(m->modified),
	    DB_TEXT(m->validated), DB_TEXT(m->moved), DB_TEXT(m->error));
}

void
roster_touch(struct roster *r, uint32_t id, const struct mark *m)
{
	struct roster_entry *k = &r->known[id];

	if (k->mark == NULL) {
		r->touched = xreallocarray(r->touched, r->ntouched + 1, sizeof(*r->touched));
		r->touched[r->ntouched++] = id;
		k->mark = xmalloc(sizeof(*k->mark));
		buf_init(k->mark, 1u << 20);
	}
	buf_clear(k->mark);
	wire_put(k->mark, mark, m);
}

size_t
roster_flush(struct roster *r)
{
	struct buf *kept;
	struct wire w;
	struct mark m;
	size_t i, n = 0;

	for (i = 0; i < r->ntouched; i++) {
		if ((kept = r->known[r->touched[i]].mark) == NULL)
			continue;
		r->known[r->touched[i]].mark = NULL;
		wire_init(&w, kept->data, kept->len);
		wire_get(&w, mark, &m);
		roster_mark(r, r->touched[i], &m);
		buf_free(kept);
		free(kept);
		n++;
	}
	r->ntouched = 0;
	return n;
}

size_t
roster_touched(const struct roster *r)
{
	return r->ntouched;
}

/* ---- One source ---- */

struct item_source *
roster_get(struct roster *r, uint32_t id)
{
	return id > 0 && id < r->n && r->known[id].item.id != 0 ? &r->known[id].item : NULL;
}

const char *
roster_name(const struct roster *r, int64_t id)
{
	return id > 0 && id < r->n && r->known[id].name != NULL ? r->known[id].name : "";
}

int
roster_own(const struct roster *r, int64_t id)
{
	return strncmp(roster_name(r, id), "courant/", 8) == 0;
}

const char *
roster_url(const struct roster *r, int64_t id)
{
	const struct roster_entry *k = id > 0 && id < r->n ? &r->known[id] : NULL;

	if (k == NULL || k->url == NULL)
		return "";
	return k->now != NULL ? k->now : k->url;
}

uint32_t
roster_max(const struct roster *r)
{
	return r->n;
}

void
roster_save(struct roster *r, const struct item_source *source)
{
	db_run(r->db, SQL_SOURCE_STATE, DB_INT(source->id), DB_INT(source->unreliable),
	    DB_INT(source->firsts));
}

/* ---- How long a source is usually without a new record ---- */

#define BURST_MS	(10 * INT64_C(60000))	/* between two times that tell of no rhythm */
#define SILENT_GAPS	8		/* gaps seen before a source can be silent */
#define SILENT_TIMES	4		/* of its rhythm, */
#define SILENT_MS	(2 * INT64_C(86400000))	/* and this at least, without a new record */

void
roster_fresh(struct roster *r, uint32_t id, int64_t when)
{
	db_run(r->db, SQL_SOURCE_FRESH, DB_INT(id), DB_INT(when), DB_INT(BURST_MS));
}

static int
by_source(const void *a, const void *b)
{
	const struct silence *x = a, *y = b;

	return (x->source > y->source) - (x->source < y->source);
}

void
roster_silent(struct roster *r, struct buf *out)
{
	struct silence *all = xcalloc(SILENCES_MAX, sizeof(*all));
	uint32_t n = 0;

	db_bind(r->db, SQL_SILENT, DB_INT(date_now()), DB_INT(SILENT_GAPS), DB_INT(SILENT_TIMES),
	    DB_INT(SILENT_MS), DB_INT(SILENCES_MAX));
	while (db_step(r->db, SQL_SILENT))
		all[n++] = (struct silence){ (uint32_t)db_int(r->db, SQL_SILENT, 0),
			db_int(r->db, SQL_SILENT, 1), db_int(r->db, SQL_SILENT, 2),
			db_int(r->db, SQL_SILENT, 3) };
	db_done(r->db, SQL_SILENT);
	qsort(all, n, sizeof(*all), by_source);
	wire_put_u32(out, n);
	for (uint32_t i = 0; i < n; i++)
		wire_put(out, silence, &all[i]);
	free(all);
}

uint32_t *
roster_stored(struct roster *r, uint32_t id)
{
	return &r->known[id].kept;
}

struct db *
roster_db(const struct roster *r)
{
	return r->db;
}
