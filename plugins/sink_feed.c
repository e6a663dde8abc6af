/* sink_feed: writes a list of records as RSS 2.0, Atom and JSON Feed files, each whole or not at
 * all, and leaves a file alone when nothing in it changes. */
#include "out/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LANGUAGE_MAX	35		/* bytes of a language tag (RFC 5646 4.4.1) */
#define SUFFIX_LEN	5		/* bytes of ".atom" */
#define TEMPORARY_LEN	(sizeof("..tmp") - 1)
#define FORMATS		(sizeof(formats) / sizeof(formats[0]))

static const struct format *const formats[] = { &format_rss, &format_atom, &format_json };

static const struct cr_option options[] = {
	CR_OPTION(struct feed, path, STRING, NULL, NULL,
	    "files to write, below the output folder, without .rss and the like"),
	CR_OPTION(struct feed, formats, LIST, "", NULL, "of rss, atom, json; all unless told"),
	CR_OPTION(struct feed, keep, INT, "50", "1..1000", "records in the list"),
	CR_OPTION(struct feed, title, STRING, "", NULL, "title of the feed; else the route's"),
	CR_OPTION(struct feed, description, STRING, "", NULL, "what the feed is about"),
	CR_OPTION(struct feed, link, URL, "", NULL, "page that the feed belongs to"),
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

static int
check(struct cr *cr, const void *opts)
{
	const struct feed *o = opts;
	const char *why = files_wrong(o->path, SUFFIX_LEN + TEMPORARY_LEN);
	const char *const *f;
	size_t i;

	if (why != NULL)
		return cr->fail(cr, CR_BAD_OPTION, "path: %s", why);
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

/* A record without a date is as old as our knowledge of it. */
static int64_t
item_when(struct cr *cr, const struct cr_record *rec)
{
	int64_t when = cr->get_time(rec, CR_UPDATED);
	char date[64];
	const char *seen, *json;
	size_t len;

	if (when == CR_NO_TIME)
		when = cr->get_time(rec, CR_PUBLISHED);
	if (when != CR_NO_TIME || (json = cr->json(rec)) == NULL)
		return when;
	if ((seen = json_member(json, "seen")) == NULL || *seen != '"')
		return CR_NO_TIME;
	len = strcspn(++seen, "\"");
	if (len >= sizeof(date))
		return CR_NO_TIME;
	memcpy(date, seen, len);
	date[len] = '\0';
	return cr->parse_time(cr, date);
}

static const char *
item_language(const char *tag)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t len = tag != NULL ? strlen(tag) : 0;

	if (len < 2 || len > LANGUAGE_MAX || strspn(tag, fit) != len)
		return NULL;
	return tag[0] != '-' && tag[len - 1] != '-' ? tag : NULL;
}

static const char *
item_title(struct item *it, const char *title)
{
	const char *html = it->summary != NULL ? it->summary : it->content;

	if (title != NULL)
		return title;
	if (html != NULL && plain(it->made, TITLE_MAX, html)[0] != '\0')
		return it->made;
	return it->link != NULL ? it->link : it->id;
}

static void
item_fill(struct item *it, const struct list *l, size_t nth)
{
	struct cr *cr = l->cr;
	const struct cr_record *rec = l->batch->items[nth];
	const char *json = cr->json(rec);

	*it = (struct item){ .rec = rec, .cr = cr };
	it->id = text(cr, rec, CR_ID);
	it->source = text(cr, rec, CR_SOURCE);
	it->link = text(cr, rec, CR_LINK);
	it->summary = text(cr, rec, CR_SUMMARY);
	it->content = text(cr, rec, CR_CONTENT);
	it->image = text(cr, rec, CR_IMAGE);
	it->comments = text(cr, rec, CR_COMMENTS);
	it->language = item_language(text(cr, rec, CR_LANGUAGE));
	it->published = cr->get_time(rec, CR_PUBLISHED);
	it->updated = l->when[nth] != CR_NO_TIME ? l->when[nth] : 0;
	if (json != NULL) {
		it->authors = json_member(json, "authors");
		it->contributors = json_member(json, "contributors");
		it->enclosures = json_member(json, "enclosures");
	}
	it->title = item_title(it, text(cr, rec, CR_TITLE));
}

void
out_home(struct out *o, const struct list *l)
{
	if (l->o->link != NULL && l->o->link[0] != '\0')
		out_xml(o, l->o->link);
	else if (o->self[0] != '\0')
		out_xml(o, o->self);
	else {
		out_str(o, "urn:courant:feed:");
		out_urn_part(o, l->o->path);
	}
}

/* ---- files: whole or not at all ---- */

/* The file's address: batch->self is that of the folder, of the path, or of one of the formats. */
static void
self_address(struct out *o, const char *self, const char *path, const char *suffix)
{
	size_t len = strlen(self), path_len = strlen(path), i, n;
	int named = 0;

	o->self[0] = '\0';
	if (len == 0)
		return;
	for (i = 0; i < FORMATS; i++) {
		n = strlen(formats[i]->suffix);
		if (len > n && strcmp(self + len - n, formats[i]->suffix) == 0) {
			len -= n;
			break;
		}
	}
	if (len > path_len && self[len - path_len - 1] == '/' &&
	    memcmp(self + len - path_len, path, path_len) == 0)
		named = 1;
	else
		for (len = strlen(self); len > 0 && self[len - 1] == '/'; len--)
			;
	if (snprintf(o->self, sizeof(o->self), "%.*s%s%s%s", (int)len, self, named ? "" : "/",
	    named ? "" : path, suffix) >= (int)sizeof(o->self))
		o->self[0] = '\0';
}

/* -1 with errno. */
static int
out_open(struct out *o, const struct list *l, const struct format *f)
{
	const char *path = l->o->path, *slash = strrchr(path, '/');
	size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;

	o->error = 0;
	o->len = 0;
	snprintf(o->name, sizeof(o->name), "%s%s", path, f->suffix);
	snprintf(o->temporary, sizeof(o->temporary), "%.*s.%s%s.tmp", (int)folder, path,
	    path + folder, f->suffix);
	self_address(o, l->batch->self != NULL ? l->batch->self : "", path, f->suffix);
	o->fd = open(o->temporary,
	    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	return o->fd == -1 ? -1 : 0;
}

/* Whether both files hold the same bytes. */
static int
same_bytes(int a, int b)
{
	char p[4096], q[4096];
	struct stat sa, sb;
	off_t at;
	ssize_t n;

	if (fstat(a, &sa) == -1 || fstat(b, &sb) == -1 || sa.st_size != sb.st_size)
		return 0;
	for (at = 0; at < sa.st_size; at += n) {
		if ((n = pread(a, p, sizeof(p), at)) <= 0 || pread(b, q, sizeof(q), at) != n ||
		    memcmp(p, q, (size_t)n) != 0)
			return 0;
	}
	return 1;
}

static int
out_unchanged(const struct out *o)
{
	int fd = open(o->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), same;

	if (fd == -1)
		return 0;
	same = same_bytes(o->fd, fd);
	close(fd);
	return same;
}

static void
out_drop(struct out *o)
{
	if (o->fd == -1)
		return;
	close(o->fd);
	o->fd = -1;
	unlink(o->temporary);
}

/* Under its name, if it says something new: 1; 0: the old one stays; -1 with errno. */
static int
out_finish(struct out *o)
{
	int saved;

	out_flush(o);
	errno = o->error;
	if (o->error == 0 && out_unchanged(o)) {
		out_drop(o);
		return 0;
	}
	if (o->error == 0 && fsync(o->fd) == 0 && rename(o->temporary, o->name) == 0) {
		close(o->fd);
		o->fd = -1;
		return 1;
	}
	saved = errno;
	out_drop(o);
	errno = saved;
	return -1;
}

/* ---- a delivery ---- */

static const char *
first_text(const char *a, const char *b, const char *c)
{
	if (a != NULL && a[0] != '\0')
		return a;
	return b != NULL && b[0] != '\0' ? b : c;
}

/* -1: out of memory. */
static int
list_begin(struct list *l, struct cr *cr, const struct feed *o, const struct cr_batch *batch)
{
	size_t i;

	*l = (struct list){ .cr = cr, .o = o, .batch = batch, .updated = CR_NO_TIME };
	l->title = first_text(o->title, batch->title, batch->route);
	l->description = first_text(o->description, l->title, "");
	if ((l->when = calloc(batch->n + 1, sizeof(*l->when))) == NULL)
		return -1;
	for (i = 0; i < batch->n; i++) {
		l->when[i] = item_when(cr, batch->items[i]);
		if (l->when[i] > l->updated)	/* CR_NO_TIME is less than any */
			l->updated = l->when[i];
	}
	return 0;
}

/* Opens the files of the formats that are wanted; the others stay at -1. -1 with errno. */
static int
list_open(const struct list *l, struct out *outs)
{
	size_t i;

	if (files_make_folders(l->o->path) == -1)
		return -1;
	for (i = 0; i < FORMATS; i++)
		if (format_wanted(l->o, formats[i]->name) &&
		    out_open(&outs[i], l, formats[i]) == -1)
			return -1;
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

/* -1 with errno. */
static int
list_finish(const struct list *l, struct out *outs)
{
	int changed = 0, rc;
	size_t i;

	for (i = 0; i < FORMATS; i++) {
		if (outs[i].fd == -1)
			continue;
		if ((rc = out_finish(&outs[i])) == -1)
			return -1;
		changed |= rc;
	}
	return changed ? files_sync_folder(l->o->path) : 0;
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
	if (outs != NULL && list_begin(&l, cr, o, batch) == 0 && list_open(&l, outs) == 0) {
		list_write(&l, outs);
		rc = list_finish(&l, outs);
	}
	if (rc == -1)
		cr->retry(cr, -1, "%s: %s", o->path, strerror(errno));
	for (i = 0; outs != NULL && i < FORMATS; i++)
		out_drop(&outs[i]);
	free(l.when);
	free(outs);
	return rc == -1 ? 0 : batch->n;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "feed", .version = "1", .help = "a list as RSS, Atom and JSON Feed",
	.options = options, .options_size = sizeof(struct feed),
	.wants = CR_FILES, .takes = CR_BATCH_LIST,
	.check = check, .deliver = deliver,
};
