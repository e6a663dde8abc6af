/* A plain-text page as blocks, and what each of them is: a title, an abstract, a date, a notice. */
#include "papers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Lines of pages that say nothing of a paper, whole. */
static const char *const notices[] = {
	"new", "daily papers", "trending papers", "papers", "sign up", "log in", "login",
	"get trending papers in your email inbox!",
	"get trending papers in your email inbox once a day!", "view all", "load more", "next",
	"previous",
};
static const char glued[] = "Subscribe";	/* a button whose text ran into the first title */

/* ---- Text ---- */

/* Length of the white space at s, which includes a no-break space and a byte order mark. */
static size_t
space_at(const char *s, size_t len)
{
	if (len > 0 && strchr(" \t\v\f", *s) != NULL && *s != '\0')
		return 1;
	if (len > 1 && memcmp(s, "\xc2\xa0", 2) == 0)
		return 2;
	return len > 2 && memcmp(s, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

struct text
text_trim(struct text t)
{
	size_t n;

	while ((n = space_at(t.s, t.len)) > 0) {
		t.s += n;
		t.len -= n;
	}
	for (;;) {
		if (t.len > 0 && space_at(t.s + t.len - 1, 1) == 1)
			t.len--;
		else if (t.len > 1 && space_at(t.s + t.len - 2, 2) == 2)
			t.len -= 2;
		else
			return t;
	}
}

int
text_begins(struct text t, const char *with)
{
	size_t n = strlen(with);

	return t.len >= n && strncasecmp(t.s, with, n) == 0;
}

size_t
text_words(struct text t)
{
	size_t words = 0, i;

	for (i = 0; i < t.len; i++)
		words += t.s[i] != ' ' && (i == 0 || t.s[i - 1] == ' ');
	return words;
}

/* Without what may close a sentence behind its full stop: quotes, brackets, markup. */
static struct text
text_unclosed(struct text t)
{
	static const char *const wide[] = { "\xe2\x80\x9d", "\xe2\x80\x99", "\xc2\xbb" };
	size_t i;

	for (i = 0; i < 3 && t.len > 0;) {
		if (strchr(")]}'\"*_$", t.s[t.len - 1]) != NULL) {
			t.len--;
			i = 0;
		} else if (t.len > 3 && memcmp(t.s + t.len - strlen(wide[i]), wide[i],
		    strlen(wide[i])) == 0) {
			t.len -= strlen(wide[i]);
			i = 0;
		} else
			i++;
	}
	return t;
}

static int
ends_sentence(struct text t)
{
	static const char *const wide[] = { "\xe2\x80\xa6", "\xe3\x80\x82" };	/* ellipsis, CJK */

	t = text_unclosed(t);
	if (t.len > 0 && strchr(".!?", t.s[t.len - 1]) != NULL)
		return 1;
	for (size_t i = 0; i < 2; i++)
		if (t.len > 3 && memcmp(t.s + t.len - 3, wide[i], 3) == 0)
			return 1;
	return 0;
}

int
text_whole(struct text t)
{
	const char *word = t.len > 0 ? memrchr(t.s, ' ', t.len) : NULL;

	word = word != NULL ? word + 1 : t.s;
	return ends_sentence(t) || memmem(word, (size_t)(t.s + t.len - word), "://", 3) != NULL;
}

/* A full stop with another sentence behind it. */
static int
has_sentences(struct text t)
{
	for (size_t i = 0; i + 2 < t.len; i++)
		if (t.s[i] == '.' && t.s[i + 1] == ' ' && t.s[i + 2] >= 'A' && t.s[i + 2] <= 'Z')
			return 1;
	return 0;
}

/* ---- What a block is ---- */

static int
is_notice(struct text t)
{
	for (size_t i = 0; i < sizeof(notices) / sizeof(notices[0]); i++)
		if (t.len == strlen(notices[i]) && text_begins(t, notices[i]))
			return 1;
	return 0;
}

/* "Subscribe" alone; "byAK and the research community", "by Ana". */
static int
is_mark(struct text t)
{
	if (t.len == sizeof(glued) - 1 && text_begins(t, glued))
		return 1;
	return t.len > 3 && t.len < PAPERS_SENTENCE && memcmp(t.s, "by", 2) == 0 &&
	    (t.s[2] == ' ' || (t.s[2] >= 'A' && t.s[2] <= 'Z')) && !ends_sentence(t);
}

static int
is_abstract(struct text t)
{
	if (t.len >= PAPERS_ABSTRACT)
		return 1;
	return t.len >= PAPERS_SENTENCE && t.s[t.len - 1] == '.' && has_sentences(t);
}

static int
block_kind(struct block *b, int64_t now)
{
	b->date = papers_date(b->text, now);
	if (b->date != CR_NO_TIME)
		return BLOCK_DATE;
	if (is_notice(b->text))
		return BLOCK_NOTICE;
	if (is_mark(b->text))
		return BLOCK_MARK;
	return is_abstract(b->text) ? BLOCK_LONG : BLOCK_SHORT;
}

/* ---- Lines ---- */

/* Room for n blocks more. -1: no memory, or full. */
static int
blocks_room(struct blocks *b, size_t n)
{
	struct block *v;

	if (b->n + n <= b->cap)
		return 0;
	if (b->n + n > PAPERS_BLOCKS) {
		b->full = 1;
		return -1;
	}
	v = realloc(b->v, (b->cap + 1024) * sizeof(*v));
	if (v == NULL)
		return -1;
	b->v = v;
	b->cap += 1024;
	return 0;
}

/* A line, which is two when a button ran into a title. */
static int
line_add(struct blocks *b, struct text t, unsigned line)
{
	size_t n = sizeof(glued) - 1;

	if (blocks_room(b, 2) == -1)
		return -1;
	if (t.len > n + 1 && memcmp(t.s, glued, n) == 0 &&
	    strchr(" ,.:!-", t.s[n]) == NULL && (t.s[n] < 'a' || t.s[n] > 'z')) {
		b->v[b->n++] = (struct block){ .text = { t.s, n }, .line = line };
		t.s += n;
		t.len -= n;
	}
	b->v[b->n++] = (struct block){ .text = t, .line = line };
	return 0;
}

/* Whether the lines from `first` on are one text that was wrapped. */
static int
is_wrapped(const struct blocks *b, size_t first)
{
	size_t total = 0, i;

	for (i = first; i < b->n; i++) {
		if (b->v[i].text.len > PAPERS_LINE || (i + 1 < b->n && b->v[i].text.len < 40))
			return 0;
		total += b->v[i].text.len + 1;
	}
	return b->n - first >= 3 && total >= PAPERS_ABSTRACT;
}

/* Makes one block of those from `first` on. */
static void
lines_join(struct blocks *b, size_t first)
{
	char *to = b->joined + b->used, *at = to;
	size_t i;

	for (i = first; i < b->n; i++) {
		if (i > first)
			*at++ = ' ';
		memcpy(at, b->v[i].text.s, b->v[i].text.len);
		at += b->v[i].text.len;
	}
	b->used += (size_t)(at - to);
	b->v[first].text = (struct text){ to, (size_t)(at - to) };
	b->n = first + 1;
}

/* A paragraph is over: its first line's place. Two short lines before a wrapped abstract were one
 * title; *two: the place of such a pair, or SIZE_MAX. */
static void
paragraph_end(struct blocks *b, size_t first, size_t *two, int64_t now)
{
	struct block last;

	if (is_wrapped(b, first)) {
		lines_join(b, first);
		if (*two == first - 2 && first >= 2) {
			last = b->v[first];
			b->n = first;
			lines_join(b, *two);
			b->v[b->n++] = last;
		}
		*two = SIZE_MAX;
		return;
	}
	*two = SIZE_MAX;
	if (b->n - first == 2 && b->v[first].text.len >= 40 &&
	    block_kind(&b->v[first], now) == BLOCK_SHORT &&
	    block_kind(&b->v[first + 1], now) == BLOCK_SHORT)
		*two = first;
}

int
blocks_read(struct blocks *b, struct text t, int64_t now)
{
	size_t first = 0, two = SIZE_MAX, n, i;
	struct text line;
	unsigned number = 0;

	*b = (struct blocks){ .joined = malloc(t.len + 1) };
	if (b->joined == NULL)
		return -1;
	while (t.len > 0 && !b->full) {
		for (n = 0; n < t.len && t.s[n] != '\n' && t.s[n] != '\r'; n++)
			;
		line = text_trim((struct text){ t.s, n });
		number++;
		if (line.len == 0 && b->n > first)
			paragraph_end(b, first, &two, now);
		if (line.len == 0)
			first = b->n;
		else if (line_add(b, line, number) == -1 && !b->full)
			return -1;
		n += n + 1 < t.len && t.s[n] == '\r' && t.s[n + 1] == '\n';
		n += n < t.len;
		t.s += n;
		t.len -= n;
	}
	if (b->n > first)
		paragraph_end(b, first, &two, now);
	for (i = 0; i < b->n; i++)
		b->v[i].kind = block_kind(&b->v[i], now);
	return 0;
}

void
blocks_free(struct blocks *b)
{
	free(b->v);
	free(b->joined);
}
