/* The sources that store knows. */
#include "roster.h"
#include "date.h"
#include "log.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct known {
	struct item_source	 item;		/* id 0: none */
	char			*name, *url, *plugin;
	struct buf		*mark;		/* touched: a struct mark as it goes over the wire */
	uint32_t		 kept;		/* enum kept */
	int			 gone;
	int			 listed;	/* in the configuration being taken */
};

struct roster {
	struct db	*db;
	struct known	*known;		/* by id */
	uint32_t	 n, cap;	/* n: highest id + 1 */
	uint32_t	*touched;	/* ids with a mark to write */
	size_t		 ntouched;
};

static struct known *
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

static struct known *
add(struct roster *r, int64_t id, const void *key, const char *name, const char *url,
    const char *plugin)
{
	struct known *k = place(r, id);

	k->item.id = id;
	memcpy(k->item.key, key, sizeof(k->item.key));
	xreplace(&k->name, name);
	xreplace(&k->url, url);
	xreplace(&k->plugin, plugin);
	return k;
}

/* Sources of which something is kept: their ids, and a number that says whether it is so. */
static void
kept_load(struct roster *r, enum sql sql, uint32_t flag)
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
	struct known *k;
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
	kept_load(r, SQL_STATE_SOURCES, KEPT_STATE);
	kept_load(r, SQL_OWED_SOURCES, KEPT_OWED);
	kept_load(r, SQL_WALKS, KEPT_BROKEN);
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

/* An index over the known sources: places sorted by name, or by plugin and URL. */
struct index {
	const struct known	**by;
	size_t			  n;
	int			 (*order)(const void *, const void *);
};

static int
by_name(const void *a, const void *b)
{
	const struct known *x = *(const struct known *const *)a;
	const struct known *y = *(const struct known *const *)b;

	return strcmp(x->name, y->name);
}

static int
by_url(const void *a, const void *b)
{
	const struct known *x = *(const struct known *const *)a;
	const struct known *y = *(const struct known *const *)b;
	int order = strcmp(x->plugin, y->plugin);

	return order != 0 ? order : strcmp(x->url, y->url);
}

static void
index_make(struct index *index, const struct roster *r,
    int (*order)(const void *, const void *))
{
	uint32_t i;

	index->by = xcalloc(r->n, sizeof(struct known *));
	index->n = 0;
	index->order = order;
	for (i = 0; i < r->n; i++)
		if (r->known[i].item.id != 0)
			index->by[index->n++] = &r->known[i];
	qsort(index->by, index->n, sizeof(struct known *), order);
}

/* One that is like this and in no configuration yet; the first of several. */
static struct known *
index_find(const struct roster *r, const struct index *index, const struct known *like)
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

static struct known *
find_name(const struct roster *r, const struct index *index, const char *name)
{
	struct known like = { .name = (char *)(uintptr_t)name };

	return name != NULL ? index_find(r, index, &like) : NULL;
}

static struct known *
find_url(const struct roster *r, const struct index *index, const struct store_source *s)
{
	struct known like = { .url = (char *)(uintptr_t)s->url,
		.plugin = (char *)(uintptr_t)s->plugin };

	return s->url[0] != '\0' ? index_find(r, index, &like) : NULL;
}

/* In this order: what has the name and the URL; what had the name given by `was`, unless there is
 * one of the present name; what has the name; what has the URL. */
enum pass { BY_BOTH, BY_WAS, BY_NAME, BY_URL, PASSES };

static struct known *
find(const struct roster *r, const struct index *names, const struct index *urls,
    const struct store_source *s, enum pass pass)
{
	struct known *k = pass != BY_URL ? find_name(r, names, s->name) : NULL;

	switch (pass) {
	case BY_BOTH:
		return k != NULL && strcmp(k->url, s->url) == 0 ? k : NULL;
	case BY_WAS:
		return k == NULL ? find_name(r, names, s->was) : NULL;
	case BY_NAME:
		return k;
	default:
		return find_url(r, urls, s);
	}
}

static int64_t
create(struct roster *r, const struct store_source *s)
{
	unsigned char key[16];

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		fatal("no random bytes for a source's key");
	db_run(r->db, SQL_SOURCE_ADD, DB_BLOB(key, sizeof(key)), DB_TEXT(s->name),
	    DB_TEXT(s->was), DB_TEXT(s->url), DB_TEXT(s->plugin), DB_INT(date_now()));
	add(r, db_last(r->db), key, s->name, s->url, s->plugin);
	return db_last(r->db);
}

/* Those found that are no longer called what they were. Names are unique: all of them first give
 * theirs away, since two may have changed places. */
static void
rename_all(struct roster *r, const struct store_source *s, size_t n, const uint32_t *id)
{
	struct known *k;
	char away[32];
	size_t i, pass;

	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < n; i++) {
			k = id[i] != 0 ? &r->known[id[i]] : NULL;
			if (k == NULL || (!k->gone && strcmp(k->name, s[i].name) == 0 &&
			    strcmp(k->plugin, s[i].plugin) == 0))
				continue;
			snprintf(away, sizeof(away), "\001%u", id[i]);
			db_run(r->db, SQL_SOURCE_SET, DB_INT(id[i]),
			    DB_TEXT(pass == 0 ? away : s[i].name), DB_TEXT(s[i].was),
			    DB_TEXT(s[i].plugin));
			if (pass == 0)
				continue;
			if (strcmp(k->name, s[i].name) != 0)
				log_info("source %s: was %s before", s[i].name, k->name);
			xreplace(&k->name, s[i].name);
			xreplace(&k->plugin, s[i].plugin);
			k->gone = 0;
		}
}

/* Sources that are in no configuration any more. */
static void
retire(struct roster *r)
{
	struct known *k;
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
	struct known *k;
	enum pass pass;
	size_t i;

	index_make(&names, r, by_name);
	index_make(&urls, r, by_url);
	for (i = 0; i < r->n; i++)
		r->known[i].listed = 0;
	memset(id, 0, n * sizeof(*id));
	for (pass = BY_BOTH; pass < PASSES; pass++)
		for (i = 0; i < n; i++) {
			if (id[i] != 0 || (k = find(r, &names, &urls, &s[i], pass)) == NULL)
				continue;
			k->listed = 1;
			id[i] = (uint32_t)k->item.id;
		}
	free(names.by);
	free(urls.by);
	rename_all(r, s, n, id);
	for (i = 0; i < n; i++)
		if (id[i] == 0) {
			id[i] = (uint32_t)create(r, &s[i]);
			r->known[id[i]].listed = 1;
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
roster_known(struct roster *r, const uint32_t *id, size_t n, struct buf *out)
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
untouch(struct known *k)
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
	struct known *k = &r->known[id];

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

uint32_t *
roster_kept(struct roster *r, uint32_t id)
{
	return &r->known[id].kept;
}

struct db *
roster_db(const struct roster *r)
{
	return r->db;
}
