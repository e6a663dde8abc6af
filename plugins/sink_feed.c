/* sink_feed: writes a list of records, or a feed of editions with their archive, as RSS 2.0, Atom and JSON Feed
 * files, each whole or not at all, and leaves a file alone when nothing in it changes. */
#include "feed_out/feed_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX_LEN	5		/* bytes of ".atom" */
#define FORMATS		(sizeof(formats) / sizeof(formats[0]) - 1)

static const struct format *const formats[] = { &format_rss, &format_atom, &format_json, NULL };

static const struct cr_option options[] = {
	CR_OPTION(struct feed, path, STRING, NULL, NULL,
	    "files to write, below the output folder, without .rss and the like"),
	CR_OPTION(struct feed, formats, LIST, "", "rss|atom|json", "files to write; all unless told"),
	CR_OPTION(struct feed, keep, INT, "50", "1..1000", "records, or editions, in the list"),
	CR_OPTION(struct feed, title, STRING, "", NULL, "title of the feed; else the route's"),
	CR_OPTION(struct feed, description, STRING, "", NULL, "what the feed is about"),
	CR_OPTION(struct feed, link, URL, "", NULL,
	    "page that the feed belongs to; else that of its only source, or the daemon's"),
	CR_OPTION(struct feed, language, STRING, "", NULL,
	    "language of the feed, such as en-GB; else that of all its records"),
	CR_OPTION(struct feed, icon, URL, "", NULL,
	    "picture of the feed; else that of its only source"),
	CR_OPTION(struct feed, intro, STRING, "", NULL, "a paragraph at the beginning of an edition's page"),
	CR_OPTION(struct feed, summary, INT, "300", "0..5000",
	    "characters of a record's text on an edition's page; 0: none"),
	CR_END
};

static int
format_wanted(const struct feed *o, const char *name)
{
	const char *const *f;

	if (o->formats == NULL || o->formats[0] == NULL)
		return 1;
	for (f = o->formats; *f != NULL; f++)
		if (strcmp(*f, name) == 0)
			return 1;
	return 0;
}

/* A well-formed tag (RFC 5646 2.1): en_gb is taken for en-gb. NULL: it is none. */
static const char *
language_tag(char tag[LANGUAGE_MAX + 1], const char *said)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = said != NULL ? strlen(said) : 0, part, at;

	if (len < 2 || len > LANGUAGE_MAX)
		return NULL;
	memcpy(tag, said, len + 1);
	for (at = 0;; at += part + 1) {
		if (at > 0)
			tag[at - 1] = '-';
		part = strspn(tag + at, letters);
		if (part == 0 || part > 8 || (at == 0 && strcspn(tag, "0123456789") < part))
			return NULL;
		if (tag[at + part] == '\0')
			return tag;
		if (tag[at + part] != '-' && tag[at + part] != '_')
			return NULL;
	}
}

static int
check(struct cr *cr, const void *opts)
{
	const struct feed *o = opts;
	const char *why = files_wrong(o->path, SUFFIX_LEN + DOCUMENT_SPARE);
	char tag[LANGUAGE_MAX + 1];
	const char *const *f;
	size_t i;

	if (why != NULL)
		return cr->fail(cr, CR_BAD_OPTION, "path: %s", why);
	if (o->language != NULL && o->language[0] != '\0' && language_tag(tag, o->language) == NULL)
		return cr->fail(cr, CR_BAD_OPTION,
		    "language: \"%s\" is no tag such as en or pt-BR", o->language);
	for (f = o->formats; f != NULL && *f != NULL; f++) {
		for (i = 0; i < FORMATS && strcmp(*f, formats[i]->name) != 0; i++)
			;
		if (i == FORMATS)
			return cr->fail(cr, CR_BAD_OPTION,
			    "formats: there is no \"%s\"; say rss, atom or json", *f);
	}
	return 0;
}

/* ---- what the records say ---- */

static const char *
text(struct cr *cr, const struct cr_record *rec, int field)
{
	const char *s = cr->get(rec, field, 0);

	return s != NULL && s[0] != '\0' ? s : NULL;
}

/* HTML that shows something; NULL: tags around nothing. */
static const char *
html(struct cr *cr, const struct cr_record *rec, int field)
{
	static const char *const shows[] = { "<img", "<video", "<audio", "<picture", "<svg" };
	char word[PLAIN_SPARE + 2];
	const char *s = text(cr, rec, field);
	size_t i;

	if (s == NULL || plain(word, 1, s)[0] != '\0')
		return s;
	for (i = 0; i < sizeof(shows) / sizeof(shows[0]); i++)
		if (strstr(s, shows[i]) != NULL)
			return s;
	return NULL;
}

static const struct cr_record *
feed_of(struct cr *cr, const struct cr_record *rec)
{
	return CR_HAS(cr, feed_of) ? cr->feed_of(rec) : NULL;
}

/* A version after the first is no older than when it came. */
static int64_t
item_updated(struct cr *cr, const struct cr_record *rec)
{
	int64_t when = cr->get_time(rec, CR_UPDATED), seen = cr->get_time(rec, CR_SEEN);
	int64_t revised = cr->get_time(rec, CR_REVISED);

	if (when == CR_NO_TIME)
		when = cr->get_time(rec, CR_DATE);
	return revised > when && revised > seen ? revised : when;
}

static const char *
item_language(struct cr *cr, const struct cr_record *rec, char tag[LANGUAGE_MAX + 1])
{
	const struct cr_record *feed = feed_of(cr, rec);
	const char *own = language_tag(tag, text(cr, rec, CR_LANGUAGE));

	return own != NULL || feed == NULL ? own : language_tag(tag, text(cr, feed, CR_LANGUAGE));
}

static const char *
item_title(struct item *it, const char *title)
{
	const char *from = it->summary != NULL ? it->summary : it->content;

	if (title != NULL && CR_HAS(it->cr, tex)) {
		it->title_html = it->cr->tex(it->cr, title, 1);
		if (it->title_html != NULL && strchr(it->title_html, '<') == NULL)
			it->title_html = NULL;
	}
	if (title != NULL)
		return readable(it->cr, title);
	if (from != NULL && plain(it->made, TITLE_MAX, from)[0] != '\0')
		return it->made;
	return it->link != NULL ? it->link : it->id;
}

/* Whether the entry says itself that it was taken over from another feed (RFC 4287 4.2.11). */
static int
taken_over(const struct item *it)
{
	return it->cr->get_extra(it->rec, "source-id") != NULL ||
	    it->cr->get_extra(it->rec, "source-url") != NULL;
}

static void
item_fill(struct item *it, const struct list *l, size_t nth)
{
	struct cr *cr = l->cr;
	const struct cr_record *rec = l->batch->items[nth];
	const char *json = cr->json(rec);

	*it = (struct item){ .rec = rec, .cr = cr };
	it->feed = taken_over(it) ? NULL : feed_of(cr, rec);
	it->id = text(cr, rec, CR_ID);
	it->source = text(cr, rec, CR_SOURCE);
	it->link = text(cr, rec, CR_LINK);
	it->summary = html(cr, rec, CR_SUMMARY);
	it->content = html(cr, rec, CR_CONTENT);
	it->image = text(cr, rec, CR_IMAGE);
	it->comments = text(cr, rec, CR_COMMENTS);
	it->language = item_language(cr, rec, it->tag);
	it->published = cr->get_time(rec, CR_PUBLISHED);
	it->shown = cr->get_time(rec, CR_DATE);
	if (it->shown == CR_NO_TIME)
		it->shown = 0;
	it->updated = l->when[nth] != CR_NO_TIME ? l->when[nth] : 0;
	if (json != NULL) {
		it->authors = json_member(json, "authors");
		it->contributors = json_member(json, "contributors");
		it->enclosures = json_member(json, "enclosures");
		it->story = json_member(json, "story");
	}
	it->title = item_title(it, text(cr, rec, CR_TITLE));
}

/* ---- addresses ---- */

/* Bytes of the folder's address, without a slash at its end, in batch->self, which is that of the
 * folder, of the path, or of one of the formats. */
static size_t
self_folder(const char *self, const char *path)
{
	size_t len = strlen(self), n = strlen(path), i, suffix;

	for (i = 0; i < FORMATS; i++) {
		suffix = strlen(formats[i]->suffix);
		if (len > suffix && strcmp(self + len - suffix, formats[i]->suffix) == 0) {
			len -= suffix;
			break;
		}
	}
	if (len > n && self[len - n - 1] == '/' && memcmp(self + len - n, path, n) == 0)
		len -= n;
	else
		len = strlen(self);
	while (len > 0 && self[len - 1] == '/')
		len--;
	return len;
}

/* The address of a file below the folder of outputs, "" for the folder itself; out is "" when it is
 * not known. */
static void
self_address(char out[SELF_MAX], const struct list *l, const char *path, const char *suffix)
{
	const char *self = l->batch->self != NULL ? l->batch->self : "";
	char escaped[3 * FILES_PATH_MAX + 1];
	size_t len, plainly;

	path_escaped(escaped, sizeof(escaped), l->o->path);
	len = self_folder(self, escaped);
	plainly = self_folder(self, l->o->path);
	if (plainly < len)
		len = plainly;
	if (len == 0 || snprintf(out, SELF_MAX, "%.*s/%s%s", (int)len, self,
	    path[0] != '\0' ? escaped : "", suffix) >= SELF_MAX)
		out[0] = '\0';
}

/* ---- a delivery ---- */

static const char *
first_text(const char *a, const char *b, const char *c)
{
	if (a != NULL && a[0] != '\0')
		return a;
	return b != NULL && b[0] != '\0' ? b : c;
}

/* The feed that all records came from; NULL: there are several, or none is known. */
static const struct cr_record *
only_feed(const struct list *l)
{
	const struct cr_record *feed = l->batch->n > 0 ? feed_of(l->cr, l->batch->items[0]) : NULL;
	size_t i;

	for (i = 1; feed != NULL && i < l->batch->n; i++)
		if (feed_of(l->cr, l->batch->items[i]) != feed)
			feed = NULL;
	return feed;
}

/* Of all records; NULL: they differ, or one has none. */
static const char *
list_language(struct list *l)
{
	char tag[LANGUAGE_MAX + 1] = "";
	const char *s;
	size_t i;

	if (l->o->language != NULL && l->o->language[0] != '\0')
		return language_tag(l->tag, l->o->language);
	for (i = 0; i < l->batch->n; i++) {
		s = item_language(l->cr, l->batch->items[i], i == 0 ? l->tag : tag);
		if (s == NULL || strcasecmp(s, l->tag) != 0)
			return NULL;
	}
	return i > 0 ? l->tag : NULL;
}

/* Its page: as told; that of its only source; the one that the daemon serves beside the file. */
static void
list_home(struct list *l, const struct cr_record *only)
{
	const struct cr_record *feed;
	const char *page;
	size_t i;

	page = first_text(l->o->link, only != NULL ? text(l->cr, only, CR_LINK) : NULL, NULL);
	self_address(l->ours, l, "", "");
	l->home = is_page(page) ? page : is_page(l->ours) ? l->ours : NULL;
	for (i = 0; l->any_page == NULL && i < l->batch->n; i++) {
		feed = feed_of(l->cr, l->batch->items[i]);
		page = feed != NULL ? text(l->cr, feed, CR_LINK) : NULL;
		if (!is_page(page))
			page = text(l->cr, l->batch->items[i], CR_LINK);
		l->any_page = is_page(page) ? page : NULL;
	}
}

/* -1: out of memory. */
static int
list_begin(struct list *l, struct cr *cr, const struct feed *o, const struct cr_batch *batch)
{
	const struct cr_record *only;
	size_t i;

	*l = (struct list){ .cr = cr, .o = o, .batch = batch, .updated = CR_NO_TIME };
	l->title = first_text(o->title, batch->title, batch->route);
	l->description = first_text(o->description, l->title, "");
	if ((l->when = calloc(batch->n + 1, sizeof(*l->when))) == NULL)
		return -1;
	for (i = 0; i < batch->n; i++) {
		l->when[i] = item_updated(cr, batch->items[i]);
		if (l->when[i] > l->updated)	/* CR_NO_TIME is less than any */
			l->updated = l->when[i];
	}
	only = only_feed(l);
	l->icon = first_text(o->icon, only != NULL ? text(cr, only, CR_IMAGE) : NULL, NULL);
	l->language = list_language(l);
	list_home(l, only);
	return 0;
}

/* Opens the files of the formats that are wanted; the others stay at -1. -1 with errno. */
static int
list_open(const struct list *l, struct out *outs)
{
	size_t i;

	if (files_make_folders(l->o->path) == -1)
		return -1;
	for (i = 0; i < FORMATS; i++) {
		if (!format_wanted(l->o, formats[i]->name))
			continue;
		if (document_open(&outs[i], l->o->path, formats[i]->suffix) == -1)
			return -1;
		self_address(outs[i].self, l, l->o->path, formats[i]->suffix);
	}
	return 0;
}

/* All formats in one pass over the records. */
static void
list_write(const struct list *l, struct out *outs)
{
	struct item it;
	size_t i, n;

	for (i = 0; i < FORMATS; i++)
		if (outs[i].fd != -1)
			formats[i]->head(&outs[i], l);
	for (n = 0; n < l->batch->n; n++) {
		item_fill(&it, l, n);
		for (i = 0; i < FORMATS; i++)
			if (outs[i].fd != -1)
				formats[i]->item(&outs[i], l, &it, n);
	}
	for (i = 0; i < FORMATS; i++)
		if (outs[i].fd != -1)
			formats[i]->foot(&outs[i]);
}

/* The folder is synced also when no file changed: the names may be of a delivery that failed or
 * died before it was. -1 with errno. */
static int
list_finish(const struct list *l, struct out *outs)
{
	size_t i;

	for (i = 0; i < FORMATS; i++)
		if (outs[i].fd != -1 && document_finish(&outs[i]) == -1)
			return -1;
	return files_sync_folder(l->o->path);
}

/* An edition: its documents, and the feed of the last ones. -1 with errno. */
static int
edition_write(struct cr *cr, const struct feed *o, const struct cr_batch *batch)
{
	const struct format *wanted[FORMATS + 1] = { NULL };
	struct list l = { .when = NULL };
	size_t n = 0, i;
	int rc = -1;

	for (i = 0; i < FORMATS; i++)
		if (format_wanted(o, formats[i]->name))
			wanted[n++] = formats[i];
	if (list_begin(&l, cr, o, batch) == 0) {
		l.updated = batch->sealed;
		rc = archive_write(&l, wanted, self_address);
	}
	free(l.when);
	return rc;
}

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	const struct feed *o = opts;
	struct out *outs = calloc(FORMATS, sizeof(*outs));
	struct list l = { .when = NULL };
	size_t i;
	int rc = -1;

	for (i = 0; outs != NULL && i < FORMATS; i++)
		outs[i].fd = -1;
	if (batch->kind == CR_BATCH_EDITION)
		rc = edition_write(cr, o, batch);
	else if (outs != NULL && list_begin(&l, cr, o, batch) == 0 && list_open(&l, outs) == 0) {
		list_write(&l, outs);
		rc = list_finish(&l, outs);
	}
	if (rc == -1)
		cr->retry(cr, -1, "%s: %s", o->path, strerror(errno));
	for (i = 0; outs != NULL && i < FORMATS; i++)
		document_drop(&outs[i]);
	free(l.when);
	free(outs);
	return rc == -1 ? 0 : batch->n;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "feed", .version = "1", .help = "a list, or editions, as RSS, Atom and JSON Feed", .needs = 5,
	.options = options, .options_size = sizeof(struct feed),
	.wants = CR_FILES, .takes = CR_BATCH_LIST | CR_BATCH_EDITION | CR_BATCH_ARCHIVE,
	.check = check, .deliver = deliver,
};
