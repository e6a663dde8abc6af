/* Lines of chats: what a record says in one, in the markup of its service, with nothing in its
 * texts that the service would take for markup or for a call to somebody. */
#include "webhook.h"
#include "shared/grapheme.h"
#include "shared/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS	"\xe2\x80\xa6"
#define ZERO_WIDTH	"\xe2\x80\x8b"	/* U+200B: parts an @ from the name behind it, unseen */
#define BEGINNING	200		/* seen characters of a text that stand for a title */
#define TITLE_LEAST	16		/* units of a title that are worth a line */

/* ---- Counting and cutting ---- */

size_t
text_units(const char *s, size_t len, enum units units)
{
	size_t n = 0, at, one;

	if (units == UNITS_BYTES)
		return len;
	for (at = 0; at < len; at += one, n++)
		if (units == UNITS_SEEN)
			one = grapheme(s + at, len - at);
		else
			n += plain_get(s + at, len - at, &one) > 0xffff && units == UNITS_UTF16;
	return n;
}

static size_t
ellipsis_units(enum units units)
{
	return units == UNITS_BYTES ? strlen(ELLIPSIS) : 1;
}

void
text_cut(struct text *t, size_t max, enum units units)
{
	size_t at, one, used = 0, fits = 0;

	for (at = 0; at < t->len; at += one) {
		one = grapheme(t->data + at, t->len - at);
		used += text_units(t->data + at, one, units);
		if (used > max)
			break;
		if (used + ellipsis_units(units) <= max)
			fits = at + one;
	}
	if (at == t->len)
		return;
	while (fits > 0 && t->data[fits - 1] == ' ')
		fits--;
	t->len = fits;
	text_str(t, ELLIPSIS);
}

/* ---- What a text may hold ---- */

static const struct {
	const char	*escaped;	/* characters that a backslash takes the meaning of */
	const char	*referred;	/* that are written as references */
	const char	*in_link;	/* that would end a link, written as %XX */
} chats[] = {
	[CHAT_MARKDOWN] = { "\\`*_[]~|#<>", "", "()<>\\\"`" },
	[CHAT_MRKDWN] = { "", "&<>", "|<>\"" },
	[CHAT_HTML] = { "", "&<>\"", "<>\"" },
	[CHAT_PLAIN] = { "", "", "" },
};

static void
refer(struct text *t, char c)
{
	text_str(t, c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&quot;");
}

/* One seen character. What begins with @ calls a person, a channel or all of it: with a zero width
 * space behind the @ it calls nobody, whatever the service. */
static void
safe_put(struct text *t, const char *s, size_t len, enum chat chat)
{
	if ((unsigned char)*s < ' ') {		/* a line's end begins another line */
		text_str(t, " ");
		return;
	}
	if (strchr(chats[chat].referred, *s) != NULL) {
		refer(t, *s);
		s++, len--;
	} else if (strchr(chats[chat].escaped, *s) != NULL) {
		text_str(t, "\\");
	} else if (*s == '@') {
		text_str(t, "@" ZERO_WIDTH);
		s++, len--;
	}
	text_add(t, s, len);
}

/* A text of at most max units as they are written. */
static void
safe(struct text *t, const char *s, enum chat chat, size_t max, enum units units)
{
	size_t begun = t->len, fits = begun, left = strlen(s), used = 0, before, one;

	for (; left > 0 && !t->bad; s += one, left -= one) {
		one = grapheme(s, left);
		before = t->len;
		safe_put(t, s, one, chat);
		used += text_units(t->data + before, t->len - before, units);
		if (used > max)
			break;
		if (used + ellipsis_units(units) <= max)
			fits = t->len;
	}
	if (left == 0 || t->bad)
		return;
	while (fits > begun && t->data[fits - 1] == ' ')
		fits--;
	t->len = fits;
	text_str(t, ELLIPSIS);
}

static void
safe_link(struct text *t, const char *link, enum chat chat)
{
	char code[4];

	for (; *link != '\0'; link++)
		if ((unsigned char)*link <= ' ' || strchr(chats[chat].in_link, *link) != NULL) {
			snprintf(code, sizeof(code), "%%%02X", (unsigned char)*link);
			text_str(t, code);
		} else if (strchr(chats[chat].referred, *link) != NULL)
			refer(t, *link);
		else
			text_add(t, link, 1);
}

/* ---- What a record says ---- */

void
plain_put_html(struct text *t, const char *html)
{
	size_t len = html != NULL ? strlen(html) : 0;
	char *out = malloc(len + 1);

	if (out == NULL)
		t->bad = 1;
	else
		text_add(t, out, plain_text(out, len, html != NULL ? html : "", len));
	free(out);
}

/* The value of a field, unless it is empty. */
static const char *
field(struct cr *cr, const struct cr_record *r, int which)
{
	const char *s = cr->get(r, which, 0);

	return s != NULL && *s != '\0' ? s : NULL;
}

void
title_put(struct text *t, struct cr *cr, const struct cr_record *r)
{
	static const int texts[] = { CR_SUMMARY, CR_CONTENT };
	const char *title = field(cr, r, CR_TITLE), *html;
	struct text beginning = { NULL, 0, 0, 0 };

	for (size_t i = 0; title == NULL && i < 2 && beginning.len == 0; i++)
		if ((html = field(cr, r, texts[i])) != NULL)
			plain_put_html(&beginning, html);
	text_cut(&beginning, BEGINNING, UNITS_SEEN);
	if (title == NULL && beginning.len > 0)
		title = beginning.data;
	if (title == NULL && (title = field(cr, r, CR_LINK)) == NULL)
		title = field(cr, r, CR_ID);
	text_str(t, title);
	t->bad |= beginning.bad;
	text_free(&beginning);
}

/* What a line is made of, each as its service writes it. */
struct line {
	struct text	 title, link, source;
	int		 web;		/* the link is one that a browser follows */
};

static void
join(struct text *t, const char *before, const struct text *part, const char *behind)
{
	text_str(t, before);
	text_add(t, part->data, part->len);
	text_str(t, behind);
}

/* A link of another scheme, as tg://user?id=1, can call somebody: it is no more than text. */
static void
line_write(struct text *t, const struct line *l, enum chat chat)
{
	int linked = l->link.len > 0 && l->web;

	if (linked && chat == CHAT_MRKDWN) {
		join(t, "<", &l->link, "|");
		join(t, "", &l->title, ">");
	} else if (linked && chat == CHAT_MARKDOWN) {
		join(t, "[", &l->title, "](");
		join(t, "", &l->link, ")");
	} else if (linked && chat == CHAT_HTML) {
		join(t, "<a href=\"", &l->link, "\">");
		join(t, "", &l->title, "</a>");
	} else {
		join(t, "", &l->title, "");
	}
	if (l->link.len > 0 && !l->web)
		join(t, " ", &l->link, "");
	if (l->source.len > 0)
		join(t, " \xc2\xb7 ", &l->source, "");
	if (linked && chat == CHAT_PLAIN)
		join(t, "\n", &l->link, "");
}

/* Units of the line as it is now. */
static size_t
line_units(const struct line *l, enum chat chat, enum units units)
{
	struct text t = { NULL, 0, 0, 0 };
	size_t n;

	line_write(&t, l, chat);
	n = text_units(t.data, t.len, units);
	text_free(&t);
	return n;
}

static void
line_fill(struct line *l, struct cr *cr, const struct cr_record *r, enum chat chat)
{
	const char *link = field(cr, r, CR_LINK), *source = field(cr, r, CR_SOURCE);

	l->web = link != NULL && (strncmp(link, "https://", 8) == 0 ||
	    strncmp(link, "http://", 7) == 0);
	if (link != NULL && l->web)
		safe_link(&l->link, link, chat);
	else if (link != NULL)
		safe(&l->link, link, chat, NO_LIMIT, UNITS_BYTES);
	if (source != NULL)
		safe(&l->source, source, chat, NO_LIMIT, UNITS_BYTES);
}

int
chat_line(struct text *t, struct cr *cr, const struct cr_record *r, enum chat chat,
    const struct limit *limit)
{
	struct text title = { NULL, 0, 0, 0 };
	struct line l = { .web = 0 };
	size_t need, least, other;
	int rc = -1;

	line_fill(&l, cr, r, chat);
	title_put(&title, cr, r);
	safe(&l.title, title.len > 0 ? title.data : "", chat, limit->title, limit->units);
	need = text_units(l.title.data, l.title.len, limit->units);
	least = need < TITLE_LEAST ? need : TITLE_LEAST;
	other = line_units(&l, chat, limit->units) - need;
	if (other + least > limit->max) {
		text_clear(&l.source);
		other = line_units(&l, chat, limit->units) - need;
	}
	if (other + least > limit->max)
		goto out;
	if (other + need > limit->max) {
		text_clear(&l.title);
		safe(&l.title, title.data, chat, limit->max - other, limit->units);
	}
	line_write(t, &l, chat);
	rc = 0;
out:
	t->bad |= title.bad | l.title.bad | l.link.bad | l.source.bad;
	text_free(&title);
	text_free(&l.title);
	text_free(&l.link);
	text_free(&l.source);
	return rc;
}
