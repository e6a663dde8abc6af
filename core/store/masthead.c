/* Mastheads: public metadata of feeds (title, link, self), for the sinks of lists. */
#include "masthead.h"
#include "book.h"
#include "ledger.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/url.h"
#include "db/db.h"
#include "record/record.h"
#include "record/result.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether a query parameter's name suggests that its value is a secret. */
static int
names_secret(const char *name, size_t len)
{
	static const char *const ends[] = { "token", "key", "auth", "secret", "password", "passwd",
		"pass", "pwd", "sig", "signature", "session", "sid", "credential", "credentials" };
	size_t i, n;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		n = strlen(ends[i]);
		if (len >= n && strncasecmp(name + len - n, ends[i], n) == 0)
			return 1;
	}
	return 0;
}

/* Whether a URL may be published: on the web, without credentials and without a parameter that
 * looks like a secret, since many private feeds are protected by nothing but their URL. */
static int
is_public(const char *url)
{
	const char *p, *end;
	struct url u;
	size_t n;

	if (url == NULL || strstr(url, "{secret:") != NULL || !url_fetchable(url) ||
	    url_split(&u, url) == -1 || u.user != NULL)
		return 0;
	end = u.query_len > 0 ? u.query + u.query_len : NULL;
	for (p = u.query; end != NULL && p < end; p += n + 1) {
		n = strcspn(p, "&;#");
		if (names_secret(p, strcspn(p, "=&;#")))
			return 0;
	}
	return 1;
}

static void
set_text(struct cr_record *r, int field, const char *s)
{
	if (s != NULL)
		record_set(r, field, s, strlen(s));
}

/* The public part of a document's metadata and address. A link that is the document's own URL is
 * left out: the feed has no page. A document without title, link and id is no feed, and its URL (an
 * API's, with parameters) is not published. */
static struct cr_record *
masthead(struct ledger *l, const struct cr_record *doc, int64_t source)
{
	const char *url = roster_url(l->roster, source), *self = record_get_extra(doc, "self");
	const char *link = record_get(doc, CR_LINK, 0), *id = record_get_extra(doc, "id");
	const char *title = record_get(doc, CR_TITLE, 0);
	struct cr_record *r = record_new();

	set_text(r, CR_SOURCE, roster_name(l->roster, source));
	set_text(r, CR_TITLE, title);
	set_text(r, CR_LANGUAGE, record_get(doc, CR_LANGUAGE, 0));
	set_text(r, CR_IMAGE, record_get(doc, CR_IMAGE, 0));
	record_set_time(r, CR_UPDATED, record_get_time(doc, CR_UPDATED));
	if (is_public(link) && strcmp(link, url) != 0 && (self == NULL || strcmp(link, self) != 0))
		set_text(r, CR_LINK, link);
	if (id != NULL && strlen(id) <= URL_MAX && (!url_fetchable(id) || is_public(id)))
		record_set_extra(r, "id", id);
	if (self == NULL || !url_fetchable(self))
		self = title != NULL || link != NULL || id != NULL ? url : NULL;
	if (is_public(self))
		record_set_extra(r, "self", self);
	return r;
}

static void
put(struct ledger *l, int64_t source, struct buf *items)
{
	struct db *db = &l->book->db;
	struct cr_record *doc = NULL, *r;
	struct bytes blob;
	size_t begun;

	db_bind(db, SQL_FEED_GET, DB_INT(source));
	if (db_step(db, SQL_FEED_GET)) {
		blob = db_blob(db, SQL_FEED_GET, 0);
		doc = record_read(blob.data, blob.len);
	}
	db_done(db, SQL_FEED_GET);
	if (doc == NULL)
		return;
	r = masthead(l, doc, source);
	begun = result_begin(items, RESULT_FEED);
	record_write(r, items);
	result_end(items, begun);
	record_free(r);
	record_free(doc);
}

static int
by_number(const void *va, const void *vb)
{
	const int64_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

void
mastheads_give(struct ledger *l, const struct cursor *g, struct buf *items)
{
	int64_t *sources = xcalloc(g->nbatch, sizeof(*sources));
	size_t begun = items->len, i;

	for (i = 0; i < g->nbatch; i++)
		sources[i] = db_get(&l->book->db, SQL_LOG_SOURCE, 0, DB_INT(g->batch[i]));
	qsort(sources, g->nbatch, sizeof(*sources), by_number);
	for (i = 0; i < g->nbatch && items->len - begun < LEDGER_MASTHEADS; i++)
		if (i == 0 || sources[i] != sources[i - 1])
			put(l, sources[i], items);
	free(sources);
}
