/* A feed of editions and its archive (RFC 5005 section 4).
 *
 * Each edition has a document of its own in each format, with the edition as its only entry, and a page. A document
 * is linked to the one before as it is written, and to the next one once that is there: but for this one link, it
 * never changes. The feed has the entries of the last editions, cut out of their documents. The sink's state has the
 * names of the editions in the order in which they came. */
#include "feed_out.h"
#include "mail/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER		"edition"	/* of all archives, below the folder of outputs */
#define PAGE		".html"
#define STATE		"editions"	/* key of the names */
#define NAMES_MAX	2000		/* editions whose order is known: the others stay as they are */
#define NAME_BYTES	32		/* of an edition, with its NUL */
#define DOCUMENT_MAX	(64u << 20)	/* bytes of a document that is read again */

struct archive {
	struct list	*list;
	const struct format *const *formats;	/* NULL ends them */
	archive_address	*address;
	struct out	*out;
	char		 folder[FILES_PATH_MAX + 1];	/* edition/ROUTE/ */
	char		(*name)[NAME_BYTES];	/* the oldest first */
	size_t		 n, at;			/* at: the batch's own */
};

/* ---- the names ---- */

static void
name_add(struct archive *a, const char *name, size_t len)
{
	if (len == 0 || len >= NAME_BYTES)
		return;
	if (a->n == NAMES_MAX)
		memmove(a->name, a->name + 1, --a->n * sizeof(*a->name));
	memcpy(a->name[a->n], name, len);
	a->name[a->n++][len] = '\0';
}

/* The place of the name; a->n: there is none. */
static size_t
name_find(const struct archive *a, const char *name)
{
	size_t i = 0;

	while (i < a->n && strcmp(a->name[i], name) != 0)
		i++;
	return i;
}

static void
names_read(struct archive *a)
{
	const struct cr_batch *b = a->list->batch;
	const char *s = a->list->cr->state_get(a->list->cr, STATE);
	size_t len;

	for (; s != NULL && *s != '\0'; s += len + (s[len] != '\0')) {
		len = strcspn(s, "\n");
		name_add(a, s, len);
	}
	a->at = name_find(a, b->name);
	if (a->at == a->n) {
		name_add(a, b->name, strlen(b->name));
		a->at = a->n - 1;
	}
}

/* -1 with errno. */
static int
names_write(const struct archive *a)
{
	struct text t = { .data = NULL };
	int rc = -1;

	for (size_t i = 0; i < a->n; i++) {
		text_str(&t, a->name[i]);
		text_str(&t, "\n");
	}
	if (!t.bad)
		rc = a->list->cr->state_set(a->list->cr, STATE, t.data);
	text_free(&t);
	errno = ENOMEM;
	return rc;
}

/* ---- files ---- */

/* The path of a file of the edition, without its suffix. */
static void
file_path(char out[FILES_PATH_MAX + 1], const struct archive *a, const char *name)
{
	snprintf(out, FILES_PATH_MAX + 1, "%s%s", a->folder, name);
}

/* Adds the whole file. -1 with errno. */
static int
file_read(struct text *t, const char *path, const char *suffix)
{
	char name[FILES_PATH_MAX + 8], block[8192];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -1;
	while ((n = read(fd, block, sizeof(block))) > 0 && t->len < DOCUMENT_MAX)
		text_add(t, block, (size_t)n);
	close(fd);
	if (n > 0)
		errno = EFBIG;
	else if (t->bad)
		errno = ENOMEM;
	return n != 0 || t->bad ? -1 : 0;
}

static void
file_delete(const struct archive *a, const char *name, const char *suffix)
{
	char path[FILES_PATH_MAX + 1], whole[FILES_PATH_MAX + 8];

	file_path(path, a, name);
	snprintf(whole, sizeof(whole), "%s%s", path, suffix);
	unlink(whole);
}

/* ---- links ---- */

static void
link_put(struct text *t, const struct format *f, const char *rel, const char *url)
{
	text_str(t, f == &format_rss ? "<atom:link rel=\"" : "<link rel=\"");
	text_str(t, rel);
	text_str(t, "\" href=\"");
	html_escaped(t, url, strlen(url));
	text_str(t, "\"/>\n");
}

/* The address of a document of the edition; "": it is not known. */
static void
document_address(char out[SELF_MAX], const struct archive *a, const struct format *f, const char *name)
{
	const struct cr_batch *b = a->list->batch;
	size_t len = strlen(b->archive), own = strlen(b->name);

	if (!is_page(b->archive) || len <= own || snprintf(out, SELF_MAX, "%.*s%s%s", (int)(len - own), b->archive,
	    name, f->suffix) >= SELF_MAX)
		out[0] = '\0';
}

static void
neighbour_put(struct text *t, const struct archive *a, const struct format *f, const char *rel, const char *name)
{
	char url[SELF_MAX];

	document_address(url, a, f, name);
	if (url[0] != '\0')
		link_put(t, f, rel, url);
}

/* JSON Feed knows the older page alone, behind its items. */
static void
foot_put(const struct archive *a, const struct format *f, const char *older)
{
	char url[SELF_MAX] = "";

	if (f == &format_json && older != NULL)
		document_address(url, a, f, older);
	if (url[0] == '\0') {
		f->foot(a->out);
		return;
	}
	out_str(a->out, "\n],\n\"next_url\": ");
	out_json_uri(a->out, url);
	out_str(a->out, "}\n");
}

/* ---- an edition's own documents ---- */

static const char *
before(const struct archive *a)
{
	return a->at > 0 ? a->name[a->at - 1] : NULL;
}

static const char *
behind(const struct archive *a)
{
	return a->at + 1 < a->n ? a->name[a->at + 1] : NULL;
}

/* Behind the head of a document. */
static void
links_put(const struct archive *a, const struct format *f)
{
	struct text t = { .data = NULL };
	char url[SELF_MAX];

	if (f == &format_json)
		return;
	text_str(&t, "<fh:archive xmlns:fh=\"http://purl.org/syndication/history/1.0\"/>\n");
	a->address(url, a->list, a->list->o->path, f->suffix);
	if (url[0] != '\0')
		link_put(&t, f, "current", url);
	if (before(a) != NULL)
		neighbour_put(&t, a, f, "prev-archive", before(a));
	if (behind(a) != NULL)
		neighbour_put(&t, a, f, "next-archive", behind(a));
	else
		text_str(&t, PAGE_NEXT "\n");
	if (t.bad)
		a->out->error = ENOMEM;
	out_bytes(a->out, t.data, t.len);
	text_free(&t);
}

/* -1 with errno. */
static int
document_write(const struct archive *a, const struct format *f, const char *content)
{
	char path[FILES_PATH_MAX + 1];

	file_path(path, a, a->list->batch->name);
	if (document_open(a->out, path, f->suffix) == -1)
		return -1;
	document_address(a->out->self, a, f, a->list->batch->name);
	f->head(a->out, a->list);
	links_put(a, f);
	entry_put(a->out, a->list, f, content);
	foot_put(a, f, before(a));
	return document_finish(a->out);
}

/* Writes bytes under the name. -1 with errno. */
static int
bytes_write(const struct archive *a, const char *path, const char *suffix, const struct text *t)
{
	if (t->bad) {
		errno = ENOMEM;
		return -1;
	}
	if (document_open(a->out, path, suffix) == -1)
		return -1;
	out_bytes(a->out, t->data, t->len);
	return document_finish(a->out);
}

/* Writes in `next` where PAGE_NEXT stands in the text. */
static void
next_put(struct text *to, const struct text *from, const struct text *next)
{
	const char *at = from->data != NULL ? strstr(from->data, PAGE_NEXT) : NULL;

	if (at == NULL) {
		text_add(to, from->data, from->len);
		return;
	}
	text_add(to, from->data, (size_t)(at - from->data));
	text_add(to, next->data, next->len);
	at += strlen(PAGE_NEXT);
	text_str(to, at);
}

static int
page_write(const struct archive *a)
{
	const struct letter_options given = { .intro = a->list->o->intro, .summary = a->list->o->summary };
	struct text page = { .data = NULL }, next = { .data = NULL }, whole = { .data = NULL };
	char path[FILES_PATH_MAX + 1];
	int rc;

	page_make(&page, a->list->cr, &given, a->list->batch, before(a));
	if (behind(a) != NULL)
		page_next(&next, behind(a));
	else
		text_str(&next, PAGE_NEXT);
	next_put(&whole, &page, &next);
	whole.bad |= page.bad | next.bad;
	file_path(path, a, a->list->batch->name);
	rc = bytes_write(a, path, PAGE, &whole);
	text_free(&page);
	text_free(&next);
	text_free(&whole);
	return rc;
}

/* ---- the edition before: its link to this one ---- */

/* f: NULL: its page. A file that is not there stays away. -1 with errno. */
static int
successor_put(const struct archive *a, const struct format *f)
{
	struct text was = { .data = NULL }, next = { .data = NULL }, whole = { .data = NULL };
	const char *suffix = f != NULL ? f->suffix : PAGE;
	char path[FILES_PATH_MAX + 1];
	int rc;

	file_path(path, a, before(a));
	rc = file_read(&was, path, suffix);
	if (rc == -1 && errno == ENOENT)
		rc = 0;
	else if (rc == 0) {
		if (f != NULL)
			neighbour_put(&next, a, f, "next-archive", a->list->batch->name);
		else
			page_next(&next, a->list->batch->name);
		next_put(&whole, &was, &next);
		whole.bad |= next.bad;
		rc = bytes_write(a, path, suffix, &whole);
	}
	text_free(&was);
	text_free(&next);
	text_free(&whole);
	return rc;
}

/* ---- the feed ---- */

static void
feed_links_put(const struct archive *a, const struct format *f)
{
	struct text t = { .data = NULL };

	if (f != &format_json)
		neighbour_put(&t, a, f, "prev-archive", a->name[a->n - 1]);
	if (t.bad)
		a->out->error = ENOMEM;
	out_bytes(a->out, t.data, t.len);
	text_free(&t);
}

/* The entry of an edition, out of its document; nothing, if there is none. Whether it was written. */
static int
feed_entry(const struct archive *a, const struct format *f, const char *name, int more)
{
	struct text t = { .data = NULL };
	char path[FILES_PATH_MAX + 1];
	const char *entry = NULL;
	size_t len = 0;

	file_path(path, a, name);
	if (file_read(&t, path, f->suffix) == 0 && t.data != NULL)
		entry = entry_find(f, t.data, &len);
	if (entry != NULL && f == &format_json)
		out_str(a->out, more ? ",\n" : "\n");
	if (entry != NULL)
		out_bytes(a->out, entry, len);
	text_free(&t);
	return entry != NULL;
}

/* -1 with errno. */
static int
feed_write(const struct archive *a, const struct format *f)
{
	size_t keep = a->list->o->keep > 0 ? (size_t)a->list->o->keep : 1, left = a->n;
	int more = 0;

	if (document_open(a->out, a->list->o->path, f->suffix) == -1)
		return -1;
	a->address(a->out->self, a->list, a->list->o->path, f->suffix);
	f->head(a->out, a->list);
	feed_links_put(a, f);
	for (; left > 0 && keep > 0; keep--)
		more |= feed_entry(a, f, a->name[--left], more);
	foot_put(a, f, left > 0 ? a->name[left - 1] : NULL);
	return document_finish(a->out);
}

/* ---- all of it ---- */

/* Deletes what there is of editions that are pruned. */
static void
pruned_delete(struct archive *a)
{
	size_t gone = name_find(a, a->list->batch->oldest);

	if (gone == a->n || gone > a->at)
		return;
	for (size_t i = 0; i < gone; i++) {
		for (const struct format *const *f = a->formats; *f != NULL; f++)
			file_delete(a, a->name[i], (*f)->suffix);
		file_delete(a, a->name[i], PAGE);
	}
	memmove(a->name, a->name + gone, (a->n - gone) * sizeof(*a->name));
	a->n -= gone;
	a->at -= gone;
}

/* -1 with errno. */
static int
edition_write(const struct archive *a)
{
	struct text content = { .data = NULL };
	int rc = 0;

	entry_content(&content, a->list->cr, a->list->batch);
	if (content.bad) {
		errno = ENOMEM;
		rc = -1;
	}
	for (const struct format *const *f = a->formats; *f != NULL && rc == 0; f++)
		rc = document_write(a, *f, content.data != NULL ? content.data : "");
	text_free(&content);
	if (rc == 0)
		rc = page_write(a);
	for (const struct format *const *f = a->formats; before(a) != NULL && *f != NULL && rc == 0; f++)
		if (*f != &format_json)
			rc = successor_put(a, *f);
	if (before(a) != NULL && rc == 0)
		rc = successor_put(a, NULL);
	return rc == 0 ? files_sync_folder(a->folder) : -1;
}

int
archive_write(struct list *l, const struct format *const *formats, archive_address *address)
{
	struct archive a = { .list = l, .formats = formats, .address = address };
	int rc = -1;

	a.name = calloc(NAMES_MAX, sizeof(*a.name));
	a.out = calloc(1, sizeof(*a.out));
	if (a.name != NULL && a.out != NULL) {
		a.out->fd = -1;
		snprintf(a.folder, sizeof(a.folder), FOLDER "/%s/", l->batch->route);
		names_read(&a);
		if (files_make_folders(a.folder) == 0 && files_make_folders(l->o->path) == 0)
			rc = edition_write(&a);
		pruned_delete(&a);
		for (const struct format *const *f = formats; *f != NULL && rc == 0; f++)
			rc = feed_write(&a, *f);
		if (rc == 0)
			rc = files_sync_folder(l->o->path) == 0 ? names_write(&a) : -1;
		document_drop(a.out);
	}
	free(a.name);
	free(a.out);
	return rc;
}
