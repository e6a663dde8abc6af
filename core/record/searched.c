/* What of a record is searched. */
#include "searched.h"
#include "near.h"
#include "record.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG_LEN		3		/* bytes of the first character of a tag */

/* What `has:` knows besides extras. */
static const struct { const char *name; int field; } fields[] = {
	{ "author", CR_AUTHOR }, { "category", CR_CATEGORY }, { "comments", CR_COMMENTS },
	{ "content", CR_CONTENT }, { "enclosure", CR_ENCLOSURE }, { "image", CR_IMAGE },
	{ "link", CR_LINK }, { "summary", CR_SUMMARY },
};

void
searched_init(struct searched *s)
{
	*s = (struct searched){ .title = { 0 } };
	buf_init(&s->plain, 4 * SEARCHED_HTML);
}

void
searched_free(struct searched *s)
{
	words_free(&s->title);
	words_free(&s->text);
	words_free(&s->tags);
	words_free(&s->words);
	buf_free(&s->plain);
}

/* Adds a word as it is, behind the tag's first character. */
static void
tag_add(struct word_list *l, const char *tag, const char *word, size_t len, enum word_kind kind,
    size_t max)
{
	if (l->n == max)
		return;
	if (l->n == l->room) {
		l->room = l->room > 0 ? 2 * l->room : 64;
		l->word = xreallocarray(l->word, l->room, sizeof(*l->word));
	}
	if (l->cap - l->len < TAG_LEN + len + 2) {
		l->cap = 2 * l->cap + len + 256;
		l->text = xreallocarray(l->text, l->cap, 1);
	}
	l->word[l->n++] = (struct word){ (uint32_t)l->len, (uint32_t)(TAG_LEN + len), kind };
	memcpy(l->text + l->len, tag, TAG_LEN);
	memcpy(l->text + l->len + TAG_LEN, word, len);
	l->len += TAG_LEN + len;
	l->text[l->len++] = ' ';
	l->text[l->len] = '\0';
}

static void
tag_hash(struct word_list *l, const char *tag, const char *name, size_t len, size_t max)
{
	char hex[17];

	snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)near_hash(name, len));
	tag_add(l, tag, hex, 16, WORD_LETTERS, max);
}

void
searched_tag(struct word_list *tags, struct word_list *room, const char *tag, const char *name,
    size_t len, size_t max)
{
	char lower[RECORD_NAME_MAX + 1];
	size_t n = len < RECORD_NAME_MAX ? len : RECORD_NAME_MAX;

	words_clear(room);
	if (strcmp(tag, TAG_AUTHOR) == 0 || strcmp(tag, TAG_CATEGORY) == 0)
		words_add(room, name, len, SEARCHED_TAGS);
	if (strcmp(tag, TAG_AUTHOR) == 0) {
		for (size_t i = 0; i < room->n; i++)
			tag_add(tags, tag, room->text + room->word[i].at, room->word[i].len,
			    room->word[i].kind, max);
	} else if (strcmp(tag, TAG_CATEGORY) == 0) {
		if (room->n > 0)
			tag_hash(tags, tag, room->text, room->len, max);
	} else {
		for (size_t i = 0; i < n; i++)
			lower[i] = (char)text_lower((unsigned char)name[i]);
		tag_hash(tags, tag, lower, n, max);
	}
}

static void
tag(struct searched *s, const char *kind, const char *name, size_t len)
{
	searched_tag(&s->tags, &s->words, kind, name, len, SEARCHED_TAGS);
}

/* The tags of the source's name, and of each group that it is in. */
static void
source_tags(struct searched *s, const char *name)
{
	const char *slash = name;

	if (name == NULL)
		return;
	while ((slash = strchr(slash, '/')) != NULL) {
		tag(s, TAG_SOURCE, name, (size_t)(slash - name));
		slash++;
	}
	tag(s, TAG_SOURCE, name, strlen(name));
}

static void
has_tags(struct searched *s, const struct cr_record *r)
{
	const char *name, *text;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (record_get(r, fields[i].field, 0) != NULL)
			tag(s, TAG_HAS, fields[i].name, strlen(fields[i].name));
	for (size_t i = 0; record_extra_at(r, i, &name, &text); i++)
		tag(s, TAG_HAS, name, strlen(name));
}

static void
html_words(struct searched *s, const char *html)
{
	size_t len = html != NULL ? strlen(html) : 0;

	if (len > SEARCHED_HTML)
		len = text_valid(html, SEARCHED_HTML);
	buf_clear(&s->plain);
	if (len > 0)
		text_of_html(&s->plain, html, len);
	if (s->plain.len > 0)
		words_add(&s->text, s->plain.data, s->plain.len, SEARCHED_WORDS);
}

void
searched_read(struct searched *s, const struct cr_record *r)
{
	const char *title = record_get(r, CR_TITLE, 0), *summary = record_get(r, CR_SUMMARY, 0);
	const char *content = record_get(r, CR_CONTENT, 0), *name;

	words_clear(&s->title);
	words_clear(&s->text);
	words_clear(&s->tags);
	if (title != NULL)
		words_add(&s->title, title, strlen(title), SEARCHED_WORDS);
	html_words(s, summary);
	if (content != NULL && (summary == NULL || strcmp(content, summary) != 0))
		html_words(s, content);
	tag_add(&s->tags, TAG_ALL, "", 0, WORD_LETTERS, SEARCHED_TAGS);
	source_tags(s, record_get(r, CR_SOURCE, 0));
	has_tags(s, r);
	for (size_t i = 0; (name = record_get(r, CR_CATEGORY, i)) != NULL; i++)
		tag(s, TAG_CATEGORY, name, strlen(name));
	for (size_t i = 0; (name = record_get(r, CR_AUTHOR, i)) != NULL; i++) {
		tag_add(&s->tags, TAG_AUTHOR, "", 0, WORD_LETTERS, SEARCHED_TAGS);
		tag(s, TAG_AUTHOR, name, strlen(name));
	}
}
