/* The exact keys by which records of several sources are joined to one story. */
#include "story_key.h"
#include "base/text.h"
#include "base/url.h"
#include "work.h"

#include <string.h>

/* A folded title is specific enough to be a key with TITLE_MIN bytes and TITLE_SPACES spaces, or
 * without spaces with TITLE_DENSE bytes. */
#define TITLE_MIN	16
#define TITLE_SPACES	2
#define TITLE_DENSE	24

/* Whether the key of a URL names a page ("host/path"), not a whole site. */
static int
names_page(const char *key)
{
	return strpbrk(key, "/?") != NULL;
}

/* Whether the folded title has a number as a word: then it counts issues, days or parts. */
static int
serial(const char *title)
{
	const char *word = title;
	size_t len, digits;

	for (; *word != '\0'; word += len + strspn(word + len, " ")) {
		len = strcspn(word, " ");
		digits = strspn(word, "0123456789");
		if (digits > 0 && digits == len)
			return 1;
	}
	return 0;
}

static int
says_enough(const char *title, size_t len)
{
	size_t spaces = 0, i;

	for (i = 0; i < len; i++)
		spaces += title[i] == ' ';
	return len >= TITLE_MIN && (spaces >= TITLE_SPACES || (spaces == 0 && len >= TITLE_DENSE));
}

static void
add_text(struct digest *d, const struct cr_record *r)
{
	const char *text = record_get(r, CR_CONTENT, 0);
	struct buf b;

	if (text == NULL)
		text = record_get(r, CR_SUMMARY, 0);
	buf_init(&b, RECORD_MAX);
	if (text != NULL)
		text_of_html(&b, text, strlen(text));
	digest_add(d, b.data != NULL ? b.data : "", b.len);
	buf_free(&b);
}

static int64_t
key_of(struct digest *d, const char *kind, const char *s, size_t n)
{
	digest_begin(d);
	digest_str(d, kind);
	digest_add(d, s, n);
	return digest_end64(d);
}

int64_t
story_id_key(struct digest *d, const char *id)
{
	return key_of(d, "link", id, strlen(id));
}

static void
link_keys(struct digest *d, const char *link, struct story_keys *keys)
{
	struct buf b;

	buf_init(&b, 4 * URL_MAX);
	if (work_key(&b, link) == 0 && !b.over && names_page(b.data))
		keys->link = key_of(d, "link", b.data, b.len);
	buf_clear(&b);
	if (url_canonical(&b, link) == 0 && !b.over && names_page(b.data))
		keys->was = key_of(d, "link", b.data, b.len);
	buf_free(&b);
}

static void
title_key(struct digest *d, const struct cr_record *r, struct story_keys *keys)
{
	const char *title = record_get(r, CR_TITLE, 0);
	struct buf b;

	buf_init(&b, RECORD_LINE_MAX * 4);
	if (title != NULL)
		text_title_key(&b, title, strlen(title));
	if (b.data != NULL && !b.over && says_enough(b.data, b.len)) {
		digest_begin(d);
		digest_str(d, "title");
		digest_add(d, b.data, b.len);
		if (serial(b.data))
			add_text(d, r);
		keys->title = digest_end64(d);
	}
	buf_free(&b);
}

void
story_keys(struct digest *d, const struct cr_record *r, struct story_keys *keys)
{
	const char *link = record_get(r, CR_LINK, 0);
	size_t i;

	keys->link = keys->was = keys->title = 0;
	work_ids(&keys->ids, r);
	for (i = 0; i < keys->ids.n; i++)
		keys->id[i] = story_id_key(d, keys->ids.id[i]);
	if (link != NULL)
		link_keys(d, link, keys);
	title_key(d, r, keys);
}
