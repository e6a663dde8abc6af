/* source_papers: papers of a plain-text listing page: a header, then title and abstract in turn. */
#include "papers/papers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A listing, as blocks of the page. */
struct item {
	const struct block *title;
	const struct block *first;	/* of its abstract; NULL: it has none */
	size_t		 n;		/* blocks of the abstract */
	int64_t		 date;		/* CR_NO_TIME: none stands over it */
};
struct listing {
	struct item	*items;
	size_t		 n;
	int64_t		 date;		/* that counts for what follows */
	size_t		 passed;	/* blocks that belong to no paper */
	unsigned	 orphan;	/* line of the first abstract without a title; 0: none */
};

/* ---- The page's text ---- */

static int
looks_html(struct text t)
{
	static const char *const signs[] = { "<!doctype", "<html", "<head", "<body", "<?xml",
		"<script", "<div", "<rss", "<feed" };

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (text_begins(t, signs[i]))
			return 1;
	return 0;
}

/* Why this cannot be a listing. 0, or -1: fail() was called. */
static int
refuse(struct cr *cr, const struct cr_page *page, struct text t)
{
	if (t.len == 0)
		return cr->fail(cr, CR_BAD_DATA, "the page is empty");
	if (memchr(t.s, '\0', t.len) != NULL)
		return cr->fail(cr, CR_BAD_DATA, "no text: there are zero bytes in it (%s)",
		    page->type[0] != '\0' ? page->type : "no type told");
	if (looks_html(t))
		return cr->fail(cr, CR_BAD_DATA, "markup, no plain text: it begins \"%.*s\"; is a "
		    "login or another page in the way?", (int)strcspn(t.s, "\r\n") < 60 ?
		    (int)strcspn(t.s, "\r\n") : 60, t.s);
	if (t.s[0] == '{' || t.s[0] == '[')
		return cr->fail(cr, CR_BAD_DATA,
		    "JSON, no plain-text listing: plugin json reads such pages");
	return 0;
}

/* In UTF-8, without its mark. */
static struct text
page_text(struct cr *cr, const struct cr_page *page)
{
	struct text t = { page->body, page->len };
	const char *name = page->charset, *s;
	size_t bad = 0;

	if (t.len >= 2 && memcmp(t.s, "\xff\xfe", 2) == 0)
		name = "utf-16le";
	else if (t.len >= 2 && memcmp(t.s, "\xfe\xff", 2) == 0)
		name = "utf-16be";
	else if (t.len >= 3 && memcmp(t.s, "\xef\xbb\xbf", 3) == 0)
		name = "utf-8";
	if (name[0] != '\0' && strcasecmp(name, "utf-8") != 0 &&
	    (s = cr->convert(cr, name, t.s, t.len, &t.len, &bad)) != NULL)
		t.s = s;
	if (bad > 0)
		cr->partial(cr, "%zu bytes are no %s and were replaced", bad, name);
	while (t.len > 0 && strchr("\r\n", t.s[0]) != NULL && t.s[0] != '\0') {
		t.s++;
		t.len--;
	}
	return text_trim(t);
}

/* ---- Which block is whose ---- */

/* The first block behind the header: after its last "Subscribe" or "by ...". */
static size_t
header_end(const struct blocks *b)
{
	size_t at = 0, i;

	for (i = 0; i < b->n && i < PAPERS_HEADER; i++) {
		if (b->v[i].kind == BLOCK_MARK)
			at = i + 1;
		else if (at > 0 && b->v[i].kind != BLOCK_NOTICE && b->v[i].kind != BLOCK_DATE)
			break;
	}
	return at;
}

/* A line that follows a title, when neither can be an abstract: whether the title stands alone. */
static int
stands_alone(const struct listing *l, const struct block *title)
{
	return l->n > 0 && text_words(title->text) >= PAPERS_WORDS;
}

static void
item_add(struct listing *l, const struct block *title, const struct block *first, int64_t date)
{
	l->items[l->n++] = (struct item){ .title = title, .first = first,
		.n = first != NULL, .date = date };
}

/* An abstract: of the title before it, or more of the one before. */
static void
long_block(struct listing *l, const struct block *b, const struct block **title, int64_t date)
{
	struct item *last = l->n > 0 ? &l->items[l->n - 1] : NULL;

	if (*title != NULL) {
		item_add(l, *title, b, date != CR_NO_TIME ? date : l->date);
		*title = NULL;
	} else if (last != NULL && last->first != NULL && last->first + last->n == b) {
		last->n++;
	} else {
		l->passed++;
		l->orphan = l->orphan != 0 ? l->orphan : b->line;
	}
}

/* Divides the blocks from `begin` on into listings. */
static void
divide(struct listing *l, const struct blocks *b, size_t begin)
{
	const struct block *title = NULL, *at;
	int64_t own = CR_NO_TIME;	/* a date between a title and its abstract */

	for (at = b->v + begin; at < b->v + b->n; at++) {
		if (at->kind == BLOCK_LONG) {
			long_block(l, at, &title, own);
			own = CR_NO_TIME;
		} else if (at->kind == BLOCK_DATE && title != NULL && at + 1 < b->v + b->n &&
		    at[1].kind == BLOCK_LONG) {
			own = at->date;
		} else if (at->kind == BLOCK_SHORT || at->kind == BLOCK_DATE) {
			if (title != NULL && stands_alone(l, title))
				item_add(l, title, NULL, l->date);
			else
				l->passed += title != NULL;
			title = at->kind == BLOCK_SHORT ? at : NULL;
			l->date = at->kind == BLOCK_DATE ? at->date : l->date;
		} else
			l->passed++;
	}
	if (title != NULL && l->n > 0)
		item_add(l, title, NULL, l->date);
	else
		l->passed += title != NULL;
}

/* What follows the last abstract: nothing; a title; a title and the beginning of its abstract; or
 * a footer, which goes. Returns why the page seems to be cut, or NULL. */
static const char *
mend_end(struct listing *l)
{
	struct item *end;
	struct text t;
	size_t n = 0;

	while (n < l->n && l->items[l->n - 1 - n].first == NULL)
		n++;
	end = &l->items[l->n - n];
	if (n == 2 && text_words(end[0].title->text) >= PAPERS_WORDS &&
	    end[1].title->text.len > end[0].title->text.len / 2) {
		end[0].first = end[1].title;
		end[0].n = 1;
		l->n--;
		return "in its last abstract";
	}
	if (n == 1 && text_words(end[0].title->text) >= PAPERS_WORDS)
		return "behind its last title";
	l->n -= n;
	l->passed += n;
	if (n > 0 || l->n == 0)
		return NULL;
	end--;
	t = end->first[end->n - 1].text;
	return text_whole(t) ? NULL : "in its last abstract";
}

/* ---- Records ---- */

/* A capital of Latin-1, Greek or Cyrillic: what follows its first byte; 0: it is none. */
static unsigned char
lower_wide(const unsigned char *s, unsigned char *lead)
{
	*lead = s[0];
	if (s[0] == 0xc3 && s[1] >= 0x80 && s[1] <= 0x9e && s[1] != 0x97)
		return (unsigned char)(s[1] + 0x20);
	if ((s[0] == 0xce && s[1] >= 0x91 && s[1] <= 0x9f) ||
	    (s[0] == 0xd0 && s[1] >= 0x90 && s[1] <= 0x9f))
		return (unsigned char)(s[1] + 0x20);
	if ((s[0] == 0xce && s[1] >= 0xa0 && s[1] <= 0xa9) ||
	    (s[0] == 0xd0 && s[1] >= 0xa0 && s[1] <= 0xaf)) {
		*lead = (unsigned char)(s[0] + 1);
		return (unsigned char)(s[1] - 0x20);
	}
	return 0;
}

/* The title in lower case, one space for any run of other characters than letters and digits. It
 * is the guid: records hang on it, it never changes. Freed by the caller; NULL: no memory. */
static char *
title_key(struct text t)
{
	unsigned char *key = malloc(t.len + 1), *to = key, lead, low;
	const unsigned char *s = (const unsigned char *)t.s, *end = s + t.len;

	if (key == NULL)
		return NULL;
	for (; s < end; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9')) {
			*to++ = *s;
		} else if (*s >= 'A' && *s <= 'Z') {
			*to++ = (unsigned char)(*s + 0x20);
		} else if (end - s > 1 && (low = lower_wide(s, &lead)) != 0) {
			*to++ = lead;
			*to++ = low;
			s++;
		} else if (*s >= 0x80 && !(end - s > 2 && s[0] == 0xe2 && s[1] == 0x80)) {
			*to++ = *s;
		} else {
			s += *s >= 0x80 ? 2 : 0;	/* U+2000 to U+203F: signs and spaces */
			if (to > key && to[-1] != ' ')
				*to++ = ' ';
		}
	}
	to -= to > key && to[-1] == ' ';
	*to = '\0';
	return (char *)key;
}

/* The blocks of an abstract, a blank line between them. Freed by the caller. */
static char *
abstract_text(const struct item *it)
{
	size_t len = 1, i;
	char *s, *to;

	for (i = 0; i < it->n; i++)
		len += it->first[i].text.len + 2;
	if ((s = to = malloc(len)) == NULL)
		return NULL;
	for (i = 0; i < it->n; i++) {
		if (i > 0)
			to = stpcpy(to, "\n\n");
		memcpy(to, it->first[i].text.s, it->first[i].text.len);
		to += it->first[i].text.len;
	}
	*to = '\0';
	return s;
}

/* Its best link; all of them when there are several. */
static void
set_links(struct cr *cr, struct cr_record *rec, const struct links *l)
{
	static char all[PAPERS_LINKS * (PAPERS_URL + 1)];
	char *to = all;

	cr->set(rec, CR_LINK, links_best(l));
	for (size_t i = 0; l->n > 1 && i < l->n; i++) {
		if (i > 0)
			*to++ = ' ';
		to = stpcpy(to, l->url[i]);
	}
	*to = '\0';
	cr->set_extra(rec, "links", l->n > 1 ? all : NULL);
}

/* 0, or -1: no memory. */
static int
item_emit(struct cr *cr, const struct item *it, struct links *links)
{
	char *title = strndup(it->title->text.s, it->title->text.len);
	char *key = title_key(it->title->text), *text = abstract_text(it);
	struct cr_record *rec;
	int rc = title != NULL && key != NULL && text != NULL ? 0 : -1;

	if (rc == 0) {
		rec = cr->record(cr, *key != '\0' ? key : title);
		cr->set(rec, CR_TITLE, title);
		if (it->n > 0)
			cr->set(rec, CR_SUMMARY_TEXT, text);
		if (it->date != CR_NO_TIME)
			cr->set_time(rec, CR_PUBLISHED, it->date);
		links_find(links, (struct text){ text, strlen(text) });
		set_links(cr, rec, links);
		cr->emit(cr, rec);
	}
	free(title);
	free(key);
	free(text);
	return rc;
}

/* ---- The page ---- */

static int
listing_emit(struct cr *cr, struct listing *l, const struct blocks *b)
{
	static struct links links;
	const char *cut;

	divide(l, b, header_end(b));
	if (l->n == 0)
		return cr->fail(cr, CR_BAD_DATA, "no listing of papers: no title with an abstract "
		    "behind it; it begins \"%.*s\"", b->n == 0 ? 0 : b->v[0].text.len < 60 ?
		    (int)b->v[0].text.len : 60, b->n == 0 ? "" : b->v[0].text.s);
	cut = mend_end(l);
	if (cut != NULL)
		cr->partial(cr, "the page ends %s", cut);
	if (l->orphan != 0)
		cr->partial(cr, "the abstract at line %u has no title", l->orphan);
	if (b->full)
		cr->partial(cr, "more than %d lines: the rest is left out", PAPERS_BLOCKS);
	for (size_t i = 0; i < l->n; i++)
		if (item_emit(cr, &l->items[i], &links) == -1)
			return cr->fail(cr, CR_BAD_DATA, "out of memory");
	cr->set_extra(cr->feed(cr), "format", "papers");
	return 0;
}

static int
papers_parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct text t = page_text(cr, page);
	struct listing l = { .date = CR_NO_TIME };
	struct blocks b;
	int rc;

	(void)opts;
	if (refuse(cr, page, t) == -1)
		return -1;
	rc = blocks_read(&b, t, page->when);
	if (rc == 0)
		l.items = calloc(b.n + 1, sizeof(*l.items));
	if (l.items == NULL)
		rc = cr->fail(cr, CR_BAD_DATA, "out of memory");
	else
		rc = listing_emit(cr, &l, &b);
	free(l.items);
	blocks_free(&b);
	return rc;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "papers", .version = "1",
	.help = "papers of a plain-text listing: titles and abstracts in turn",
	.headers = "Accept: text/plain, */*;q=0.1\n",
	.parse = papers_parse,
};
