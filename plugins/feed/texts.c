/* Elements that hold a text: titles, summaries, contents, addresses, dates, numbers, categories. */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- of which kind a text is ---- */

/* Values of `type`: Atom 1.0's own (RFC 4287 3.1.1), and the media types of 0.3 and of contents. */
static const struct {
	const char	*type;
	enum gather	 gather;
} types[] = {
	{ "text", GATHER_TEXT }, { "html", GATHER_HTML }, { "xhtml", GATHER_XHTML },
	{ "plain", GATHER_TEXT }, { "escaped", GATHER_HTML }, { "text/plain", GATHER_TEXT },
	{ "text/html", GATHER_HTML }, { "application/xhtml+xml", GATHER_XHTML },
};

static enum gather
gather_of_type(struct str type, enum gather otherwise)
{
	const char *end;
	size_t i;

	if (type.p == NULL)
		return otherwise;
	if ((end = memchr(type.p, ';', type.len)) != NULL)
		type.len = (size_t)(end - type.p);
	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (str_is(type, types[i].type))
			return types[i].gather;
	if (type.len > 4 && strncasecmp(type.p + type.len - 4, "/xml", 4) == 0)
		return GATHER_XHTML;
	if (type.len > 4 && strncasecmp(type.p + type.len - 4, "+xml", 4) == 0)
		return GATHER_XHTML;
	return type.len > 5 && strncasecmp(type.p, "text/", 5) == 0 ? GATHER_TEXT : otherwise;
}

/* A media type whose content is base64 (RFC 4287 4.1.3.3). */
static int
is_binary(struct str type)
{
	return type.p != NULL && memchr(type.p, '/', type.len) != NULL &&
	    gather_of_type(type, GATHER_NONE) == GATHER_NONE;
}

/* mark: what a base64 text holds once it is decoded. */
void
open_typed(struct reader *r, struct frame *f, const struct attrs *a)
{
	enum gather gather = f->el->gather, inner;
	struct str type = attr(a, "type"), mode = attr(a, "mode");

	if (f->ns == NS_ATOM || f->ns == NS_ATOM03 || (f->ns == NS_NONE && r->atom != 0))
		gather = GATHER_TEXT;
	if (type.len > 0 && (r->atom != 0 || f->ns != NS_NONE || mode.p != NULL))
		gather = gather_of_type(type, gather);
	inner = type.len > 0 && !is_binary(type) ? gather : GATHER_SNIFF;
	if (str_is(mode, "base64") || str_is(type, "application/octet-stream") ||
	    (f->el->slot == SLOT_CONTENT && is_binary(type)))
		gather = GATHER_BASE64;
	else if (str_is(mode, "escaped") && gather == GATHER_XHTML)
		gather = GATHER_HTML;
	else if (str_is(mode, "xml") && gather == GATHER_HTML)
		gather = GATHER_XHTML;
	f->mark = inner;
	gather_begin(r, r->depth, gather, SIZE_MAX);
}

/* Atom's content may lie elsewhere. */
void
open_content(struct reader *r, struct frame *f, const struct attrs *a)
{
	uint32_t src = attr_keep(a, "src");

	if (src != 0) {
		draft_address(r->now, "content-src", src);
		draft_extra(r->now, "content-type", attr_keep(a, "type"));
		return;
	}
	open_typed(r, f, a);
}

static enum kind
kind_of(struct reader *r, const struct frame *f, uint32_t at, size_t *len)
{
	char *text = r->now->text + at;
	uint8_t gather = r->cap.gather;
	size_t n;

	if (gather == GATHER_BASE64) {
		n = text_base64(text, *len);
		if (n != SIZE_MAX) {
			text[n] = '\0';
			*len = n;
		}
		gather = (uint8_t)f->mark;
	}
	if (gather == GATHER_SNIFF)
		return text_looks_html(text, *len) ? KIND_HTML : KIND_TEXT;
	return gather == GATHER_HTML || gather == GATHER_XHTML ? KIND_HTML : KIND_TEXT;
}

/* A title is a line; and the host escapes a plain text, after which it has to fit still. */
static void
cut_text(struct reader *r, const struct frame *f, uint32_t at, size_t len, enum kind kind)
{
	size_t keep = len, grown = 0, max = (size_t)r->opts->field;
	char *text = r->now->text + at;

	if (f->el->slot == SLOT_TITLE)
		keep = text_cut(text, len, FEED_LINE_MAX);
	else if (kind == KIND_TEXT && len > max / 6)	/* `"` and an end of line: six bytes */
		for (keep = 0; keep < len && grown <= max; keep++)
			grown += strchr("&<>\"'\n\r", text[keep]) != NULL ? 6 : 1;
	if (keep == len)
		return;
	text[text_cut(text, len, keep)] = '\0';
	r->now->lost = 1;
}

/* Whether each line but the first is indented: the XML was laid out so, the text has no lines. */
static int
laid_out(const char *text)
{
	const char *s = strchr(text, '\n');

	for (; s != NULL; s = strchr(s + 1, '\n'))
		if ((s[1] != ' ' && s[1] != '\t') || s[1 + strspn(s + 1, " \t")] == '\n')
			return 0;
	return 1;
}

/* Atom lets the white space of plain text be collapsed (RFC 4287 3.1.1.1); its lines are kept where
 * there are any, since they tell of verses, lists and paragraphs. */
static void
join_lines(char *text)
{
	char *from = text, *to = text;

	if (!laid_out(text))
		return;
	for (; *from != '\0'; to++)
		if (*from == '\n') {
			*to = ' ';
			from += strspn(from, "\n \t");
		} else
			*to = *from++;
	*to = '\0';
}

void
close_text(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	enum kind kind;

	if (at == 0)
		return;
	kind = kind_of(r, f, at, &len);
	if (kind == KIND_TEXT && r->atom != 0 && f->el->ns == NS_NONE) {
		join_lines(r->now->text + at);
		len = strlen(r->now->text + at);
	}
	cut_text(r, f, at, len, kind);
	if (f->el->slot == SLOT_SUMMARY && r->now == &r->entry && f->el->rank == 4 &&
	    r->now->one[SLOT_SUMMARY].rank == 4) {	/* a second one is kept too */
		draft_set(r->now, SLOT_CONTENT, (struct value){ .at = at, .base = f->base,
		    .kind = (uint8_t)kind });
		return;
	}
	draft_set(r->now, f->el->slot, value_of(f, at, kind));
	if (f->lang != 0 && r->now == &r->entry && r->now->one[SLOT_LANGUAGE].at == 0)
		draft_set(r->now, SLOT_LANGUAGE, (struct value){ .at = draft_text(r->now,
		    r->strings[f->lang], strlen(r->strings[f->lang])) });
}

/* One line: a date, an address, a language. */
void
close_line(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)len;
	draft_set(r->now, f->el->slot, value_of(f, at, KIND_TEXT));
}

/* ---- addresses ---- */

static void
link_alternate(struct reader *r, struct frame *f, uint32_t href, struct str type)
{
	struct value v = value_of(f, href, KIND_TEXT);

	v.rank = str_is(type, "text/html") || str_is(type, "application/xhtml+xml") ||
	    type.len == 0 ? 4 : 3;
	draft_set(r->now, SLOT_LINK, v);
}

static void
link_replies(struct reader *r, struct frame *f, uint32_t href, struct str type)
{
	if (type.len == 0 || str_is(type, "text/html"))
		draft_set(r->now, SLOT_COMMENTS, value_of(f, href, KIND_TEXT));
	else
		draft_address(r->now, "replies", href);
}

static void
link_enclosure(struct reader *r, struct frame *f, uint32_t href, struct str type)
{
	add_enclosure(r, f, href, draft_text(r->now, type.p, type.len), -1, 0);
}

static void
link_self(struct reader *r, struct frame *f, uint32_t href, struct str type)
{
	struct value v = value_of(f, href, KIND_TEXT);

	(void)type;
	draft_address(r->now, "self", href);
	v.rank = 0;
	if (r->now == &r->feed)
		draft_set(r->now, SLOT_LINK, v);
}

static void
link_image(struct reader *r, struct frame *f, uint32_t href, struct str type)
{
	(void)type;
	draft_set(r->now, SLOT_IMAGE, value_of(f, href, KIND_TEXT));
}

/* What a link is, by its relation; those that are kept under a name have no function. */
static const struct relation {
	const char	*rel;
	void		(*use)(struct reader *, struct frame *, uint32_t href, struct str type);
	const char	*extra;
} relations[] = {
	{ "alternate", link_alternate, NULL },
	{ "enclosure", link_enclosure, NULL },
	{ "replies", link_replies, NULL },
	{ "self", link_self, NULL },
	{ "image", link_image, NULL },
	{ "hub", NULL, "hub" }, { "next", NULL, "next" },
	{ "previous", NULL, "previous" }, { "prev", NULL, "previous" }, { "first", NULL, "first" },
	{ "last", NULL, "last" }, { "current", NULL, "current" },
	{ "prev-archive", NULL, "prev-archive" }, { "next-archive", NULL, "next-archive" },
	{ "via", NULL, "via" }, { "related", NULL, "related" }, { "license", NULL, "license" },
	{ "edit", NULL, "edit" }, { "search", NULL, "search" },
	{ "http://www.iana.org/assignments/relation/alternate", link_alternate, NULL },
	{ "http://www.iana.org/assignments/relation/self", link_self, NULL },
};
#define RELATIONS	(sizeof(relations) / sizeof(*relations))

/* Its place in the table; RELATIONS for one that is not in it. */
static uint32_t
relation_of(struct str rel)
{
	uint32_t i = 0;

	if (rel.len > 0)
		while (i < RELATIONS && !str_is(rel, relations[i].rel))
			i++;
	return i;
}

static void
use_link(struct reader *r, struct frame *f, uint32_t href, struct str type)
{
	const struct relation *rel = &relations[f->mark];

	if (f->mark == RELATIONS || href == 0)
		return;
	if (rel->use != NULL)
		rel->use(r, f, href, type);
	else
		draft_address(r->now, rel->extra, href);
}

/* thr:count, and the size of an enclosure. */
static void
link_numbers(struct reader *r, const struct attrs *a)
{
	long long n = str_number(attr(a, "count"), -1), size = str_number(attr(a, "length"), -1);
	struct draft *d = r->now;
	struct part *p;

	if (size >= 0 && d->nparts > 0 && d->parts[d->nparts - 1].item == ITEM_ENCLOSURE)
		d->parts[d->nparts - 1].n = (double)size;
	if (n >= 0 && (p = draft_add(d, ITEM_COUNTER)) != NULL) {
		p->name = "comments";
		p->n = (double)n;
	}
}

/* With an address in an attribute it is Atom's, whatever its namespace; else RSS's, or nobody's. */
void
open_link(struct reader *r, struct frame *f, const struct attrs *a)
{
	struct str href = attr(a, "href"), type = attr(a, "type");
	uint32_t at;

	f->mark = relation_of(attr(a, "rel"));
	if (href.p == NULL) {
		draft_set(r->now, SLOT_LINK, value_of(f, attr_keep(a, "resource"), KIND_TEXT));
		gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
		return;
	}
	at = attr_keep(a, "href");
	if (at == 0 && f->base != 0)	/* href="": the base itself */
		at = draft_text(r->now, r->strings[f->base], strlen(r->strings[f->base]));
	use_link(r, f, at, type);
	if (a->n > 2)
		link_numbers(r, a);
}

void
close_link(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)len;
	use_link(r, f, at, (struct str){ NULL, 0 });
}

/* A text that is an address of the web is the link too, unless one of a higher rank is there. */
void
link_if_web(struct reader *r, const struct frame *f, uint32_t at, uint8_t rank)
{
	struct value v = value_of(f, at, KIND_TEXT);
	const char *text = r->now->text + at;

	if (at == 0 ||
	    (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0))
		return;
	v.rank = rank;
	draft_set(r->now, SLOT_LINK, v);
}

/* An element that may hold the address of the entry's page: how much its word counts is its rank. */
void
close_page(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)len;
	draft_set(r->now, f->el->slot, value_of(f, at, KIND_TEXT));
	if (f->el->extra != NULL)
		draft_extra(r->now, f->el->extra, at);
	link_if_web(r, f, at, f->el->rank);
}

void
open_guid(struct reader *r, struct frame *f, const struct attrs *a)
{
	f->mark = str_is(attr(a, "ispermalink"), "false") ? 1 : 0;
	gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
}

/* A guid is the link too, unless it says that it is not or cannot be one. */
void
close_guid(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)len;
	draft_set(r->now, SLOT_GUID, value_of(f, at, KIND_TEXT));
	if (f->mark == 0)
		link_if_web(r, f, at, 1);
}

/* An Atom id that is relative against all rules (RFC 4287 4.2.6), and looks like an address, is
 * made absolute: it would be the same in many feeds. */
static FEED_APART uint32_t
absolute_id(struct reader *r, const struct frame *f, uint32_t at, size_t len)
{
	FEED_UNSET char url[FEED_LINE_MAX];

	if (reader_absolute(r, url, f->base, r->now->text + at, len) == -1)
		return at;
	return draft_text(r->now, url, strlen(url));
}

void
close_id(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	const char *text = r->now->text + at;

	if (r->atom != 0 && memchr(text, '/', len) != NULL && memchr(text, ':', len) == NULL &&
	    memchr(text, ' ', len) == NULL)
		at = absolute_id(r, f, at, len);
	if (r->now == &r->entry) {
		draft_set(r->now, SLOT_GUID, value_of(f, at, KIND_TEXT));
		link_if_web(r, f, at, 1);
	} else
		draft_extra(r->now, "id", at);
}

/* Its address is in rdf:resource, or in href, url. */
void
open_resource(struct reader *r, struct frame *f, const struct attrs *a)
{
	static const char *const names[] = { "resource", "href", "url" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint32_t at = attr_keep(a, names[i]);

		if (at != 0 && f->el->slot != SLOT_NONE)
			draft_set(r->now, f->el->slot, value_of(f, at, KIND_TEXT));
		else if (at != 0 && f->el->extra != NULL)
			draft_extra(r->now, f->el->extra, at);
	}
	if (f->el->gather != GATHER_NONE)
		gather_begin(r, r->depth, f->el->gather, FEED_LINE_MAX);
}

/* The type may say more than its name does. */
void
open_transcript(struct reader *r, struct frame *f, const struct attrs *a)
{
	open_resource(r, f, a);
	draft_extra(r->now, "podcast:transcript-type", attr_keep(a, "type"));
}

/* ---- categories ---- */

static void
add_category(struct reader *r, uint32_t at)
{
	struct draft *d = r->now;
	struct part *p;
	size_t i;

	if (at == 0)
		return;
	for (i = d->nparts > FEED_LIST_MAX ? d->nparts - FEED_LIST_MAX : 0; i < d->nparts; i++)
		if (d->parts[i].item == ITEM_CATEGORY &&
		    strcmp(d->text + d->parts[i].at[0], d->text + at) == 0)
			return;
	if ((p = draft_add(d, ITEM_CATEGORY)) != NULL)
		p->at[0] = at;
}

void
open_category(struct reader *r, struct frame *f, const struct attrs *a)
{
	static const char *const names[] = { "term", "text", "value", "label" };
	uint32_t at = 0;
	size_t i;

	(void)f;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if ((at = attr_keep(a, names[i])) != 0)
			break;
	add_category(r, at);
	gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
}

void
close_category(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)f;
	(void)len;
	add_category(r, at);
}

void
close_keywords(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	size_t i = 0, n;
	char word[256];

	(void)f;
	for (; at != 0 && i < len; i += n + 1) {
		n = strcspn(r->now->text + at + i, ",");
		if (n == 0 || n >= sizeof(word))
			continue;
		memcpy(word, r->now->text + at + i, n);	/* the draft may move */
		add_category(r, draft_text(r->now, word, n));
	}
}

/* ---- what is kept under a name ---- */

void
close_extra(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)len;
	draft_extra(r->now, f->el->extra, at);
}

void
close_counter(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	long long n = str_number((struct str){ r->now->text + at, len }, -1);
	struct part *p;

	if (n >= 0 && (p = draft_add(r->now, ITEM_COUNTER)) != NULL) {
		p->name = f->el->extra;
		p->n = (double)n;
	}
}

void
close_number(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	char *end, *text = r->now->text + at;
	double n = strtod(text, &end);
	struct part *p;

	if (len == 0 || end == text || n != n || n > 1e300 || n < -1e300)
		return;
	if ((p = draft_add(r->now, ITEM_NUMBER)) != NULL) {
		p->name = f->el->extra;
		p->n = n;
	}
}

/* Words after one another, in a list of fixed room; more than fits is left out. */
static void
add_word(char *list, size_t size, const char *word)
{
	size_t have = strlen(list), len = strlen(word);

	if (len > 0 && have + len + 2 < size)
		snprintf(list + have, size - have, "%s%s", have > 0 ? " " : "", word);
}

void
close_hour(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	long long hour = str_number((struct str){ r->now->text + at, len }, -1);
	char word[16];

	(void)f;
	if (hour < 0 || hour > 24)
		return;
	snprintf(word, sizeof(word), "%lld", hour % 24);
	add_word(r->hours, sizeof(r->hours), word);
}

void
close_day(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)f;
	if (at != 0 && len <= 9)
		add_word(r->days, sizeof(r->days), r->now->text + at);
}

/* ---- where an entry came from (RSS source, Atom source) ---- */

void
open_source(struct reader *r, struct frame *f, const struct attrs *a)
{
	(void)f;
	draft_address(r->now, "source-url", attr_keep(a, "url"));
	gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
}

/* What an entry answers to (RFC 4685). */
void
open_reply(struct reader *r, struct frame *f, const struct attrs *a)
{
	uint32_t ref = attr_keep(a, "ref");

	draft_extra(r->now, f->el->extra, ref != 0 ? ref : attr_keep(a, "href"));
}
