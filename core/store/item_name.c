/* Names of items, which make up their identity, and the hashes of names by which items are
 * found. */
#include "item_name.h"
#include "base/text.h"
#include "base/url.h"

#include <string.h>

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

/* Adds the text, for entries that have no better field to tell them apart. */
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
add_date(struct buf *b, int64_t when)
{
	if (when != CR_NO_TIME)
		buf_fmt(b, "%lld", (long long)when);
}

/* when: the record's date, or CR_NO_TIME. */
static void
name_by_title(struct buf *b, const struct cr_record *r, int64_t when)
{
	buf_str(b, "title");
	buf_char(b, '\0');
	add_title(b, r);
	buf_char(b, '\0');
	add_date(b, when);
	if (record_get(r, CR_TITLE, 0) == NULL)
		add_body(b, r);
}

/* shared: other entries have the same link. Entries with neither title nor date then differ by
 * their text. */
static void
name_by_link(struct buf *b, const struct cr_record *r, int shared)
{
	int64_t when = record_date(r, CR_NO_TIME);

	buf_str(b, shared ? "link*" : "link");
	buf_char(b, '\0');
	add_canonical(b, record_get(r, CR_LINK, 0));
	if (!shared)
		return;
	buf_char(b, '\0');
	add_title(b, r);
	buf_char(b, '\0');
	add_date(b, when);
	if (when == CR_NO_TIME && record_get(r, CR_TITLE, 0) == NULL)
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
item_name(struct buf *b, const struct cr_record *r, enum naming naming, int shared)
{
	const char *guid = record_get(r, CR_GUID, 0), *link = record_get(r, CR_LINK, 0);

	if (guid != NULL)
		name_by_guid(b, r, guid, link, naming);
	else if (link != NULL)
		name_by_link(b, r, shared);
	else
		name_by_title(b, r, record_date(r, CR_NO_TIME));
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

int64_t
item_key(struct digest *d, const struct cr_record *r, enum naming naming, int shared)
{
	struct buf b;
	int64_t key;

	buf_init(&b, ITEM_NAME_MAX);
	item_name(&b, r, naming, shared);
	key = hash(d, &b);
	buf_free(&b);
	return key;
}

int64_t
item_key_folded(struct digest *d, const struct cr_record *r, int64_t key)
{
	const char *guid = record_get(r, CR_GUID, 0);
	struct buf b;

	if (guid == NULL || strpbrk(guid, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL)
		return key;
	buf_init(&b, ITEM_NAME_MAX);
	buf_str(&b, "guid");
	buf_char(&b, '\0');
	add_lower(&b, guid);
	key = hash(d, &b);
	buf_free(&b);
	return key;
}

int64_t
item_key_link(struct digest *d, const struct cr_record *r)
{
	struct buf b;
	int64_t key;

	if (record_get(r, CR_LINK, 0) == NULL)
		return 0;
	buf_init(&b, ITEM_NAME_MAX);
	name_by_link(&b, r, 0);
	key = hash(d, &b);
	buf_free(&b);
	return key;
}

int64_t
item_key_undated(struct digest *d, const struct cr_record *r)
{
	struct buf b;
	int64_t key;

	if (record_get(r, CR_GUID, 0) != NULL || record_get(r, CR_LINK, 0) != NULL ||
	    record_get_time(r, CR_PUBLISHED) != CR_NO_TIME ||
	    record_get_time(r, CR_UPDATED) == CR_NO_TIME)
		return 0;
	buf_init(&b, ITEM_NAME_MAX);
	name_by_title(&b, r, CR_NO_TIME);
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
	key[0] = item_key(d, guid, NAME_PLAIN, 0);
	key[1] = item_key_link(d, link);
	key[2] = key[1] ^ KEY_LINKED;
	record_free(guid);
	record_free(link);
}

void
item_features(struct digest *d, const struct cr_record *r, struct features *f)
{
	const char *url = record_get(r, CR_LINK, 0);
	struct buf b;

	buf_init(&b, ITEM_NAME_MAX);
	add_canonical(&b, url);
	f->link = url != NULL ? hash(d, &b) : 0;
	buf_clear(&b);
	add_title(&b, r);
	f->title = b.len > 0 ? hash(d, &b) : 0;
	f->date = record_date(r, CR_NO_TIME);
	f->guid = record_get(r, CR_GUID, 0) != NULL;
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
