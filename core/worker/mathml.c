/* MathML (https://www.w3.org/TR/MathML3/) as plain text, in one pass: an element's text is made
 * from the texts of its arguments, which are in order at the end of the buffer. */
#include "mathml.h"
#include "base/entity.h"
#include "base/text.h"
#include "base/utf8.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define MATH_ARGS	3		/* arguments of an element; further ones belong to the
					 * last */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

enum math_kind { M_GROUP, M_LEAF, M_WORD, M_DROP, M_SPACE, M_SUP, M_SUB, M_BOTH, M_OVER, M_FRACTION,
	M_ROOT, M_INDEX, M_FENCE, M_ROW, M_CELL };

/* Sorted. Other elements are groups. */
static const struct math_element {
	char	 name[16];
	int	 kind;
} math_elements[] = {
	{ "annotation", M_DROP }, { "annotation-xml", M_DROP }, { "mfenced", M_FENCE },
	{ "mfrac", M_FRACTION }, { "mi", M_WORD }, { "mmultiscripts", M_BOTH }, { "mn", M_LEAF },
	{ "mo", M_LEAF }, { "mover", M_OVER }, { "mphantom", M_DROP }, { "mroot", M_INDEX },
	{ "ms", M_LEAF }, { "mspace", M_SPACE }, { "msqrt", M_ROOT }, { "msub", M_SUB },
	{ "msubsup", M_BOTH }, { "msup", M_SUP }, { "mtd", M_CELL }, { "mtext", M_LEAF },
	{ "mtr", M_ROW }, { "munder", M_SUB }, { "munderover", M_BOTH }, { "script", M_DROP },
	{ "style", M_DROP },
};

/* Texts over one character that are accents, and the combining mark of each. */
static const struct {
	const char	*over, *mark;
} math_accents[] = {
	{ "^", "\u0302" }, { "\u02c6", "\u0302" }, { "\u00af", "\u0304" }, { "\u203e", "\u0304" },
	{ "_", "\u0304" }, { "-", "\u0304" }, { "\u2212", "\u0304" }, { "\u2192", "\u20d7" },
	{ "\u20d7", "\u20d7" }, { "~", "\u0303" }, { "\u02dc", "\u0303" }, { ".", "\u0307" },
	{ "\u02d9", "\u0307" }, { "..", "\u0308" }, { "\u00a8", "\u0308" }, { "\u02c7", "\u030c" },
};

struct math {
	const char	*at, *end;
	struct buf	*out;
	int		 no_gt, no_comment;	/* 1: no '>' or end of a comment follows */
	int		 depth;
	struct math_tag {
		const char	*name, *attrs;	/* name without prefix; text after the name */
		size_t		 n, nattrs;
		int		 close, empty, kind;
	} open[MATH_DEPTH];
};

static int	math_content(struct math *);

/* Reads the tag at m->at ('<') and moves past it. 1: a tag; 2: a comment or declaration; 0: none of
 * these, and m->at stays. */
static int
math_read(struct math *m, struct math_tag *t)
{
	const char *s = m->at + 1, *gt, *colon;
	size_t i;

	if (m->no_gt || (gt = memchr(s, '>', (size_t)(m->end - s))) == NULL) {
		m->no_gt = 1;
		return 0;
	}
	if (*s == '!' || *s == '?') {
		colon = NULL;
		if (gt - s > 3 && memcmp(s, "!--", 3) == 0 && !m->no_comment) {
			colon = memmem(s + 3, (size_t)(m->end - s) - 3, "-->", 3);
			m->no_comment = colon == NULL;
		}
		m->at = colon != NULL ? colon + 3 : gt + 1;
		return 2;
	}
	t->close = *s == '/';
	s += t->close;
	if (!isalpha((unsigned char)*s))
		return 0;
	for (t->name = s; s < gt && !text_space(*s) && *s != '/'; s++)
		;
	if ((colon = memchr(t->name, ':', (size_t)(s - t->name))) != NULL)
		t->name = colon + 1;
	t->n = (size_t)(s - t->name);
	t->attrs = s;
	t->nattrs = (size_t)(gt - s);
	t->empty = gt[-1] == '/';
	t->kind = M_GROUP;
	for (i = 0; i < COUNT(math_elements); i++)
		if (text_is(t->name, t->n, math_elements[i].name))
			t->kind = math_elements[i].kind;
	m->at = gt + 1;
	return 1;
}

static void
math_insert(struct buf *b, size_t at, const char *s)
{
	size_t n = strlen(s), tail = b->len - at;

	buf_str(b, s);
	if (b->over)
		return;
	memmove(b->data + at + n, b->data + at, tail);
	memcpy(b->data + at, s, n);
}

/* Whether one pair of brackets encloses the text from `from` to `to`. */
static int
math_fenced(const struct buf *b, size_t from, size_t to)
{
	int depth = 0;
	size_t i;

	if (to - from < 2 || b->data[from] != '(' || b->data[to - 1] != ')')
		return 0;
	for (i = from; i + 1 < to; i++) {
		depth += b->data[i] == '(' ? 1 : b->data[i] == ')' ? -1 : 0;
		if (depth == 0)
			return 0;
	}
	return 1;
}

/* Inserts `before` in front of the text from `from` to `to`, and brackets around the text if it has
 * several parts. */
static void
math_argument(struct buf *b, const char *before, size_t from, size_t to, int parts)
{
	int brackets = parts > 1 && !b->over && !math_fenced(b, from, to);

	if (brackets)
		math_insert(b, to, ")");
	if (brackets)
		math_insert(b, from, "(");
	math_insert(b, from, before);
}

/* Turns an accent over one character into a combining mark. 0: it is no accent. */
static int
math_accent(struct buf *b, size_t base, size_t over)
{
	size_t i, n = b->len - over, first = over - base;

	if (b->over || n == 0 || first == 0 || (first > 1 && (b->data[base] & 0x80) == 0))
		return 0;
	for (i = 0; i < COUNT(math_accents); i++)
		if (strlen(math_accents[i].over) == n &&
		    memcmp(b->data + over, math_accents[i].over, n) == 0) {
			b->len = over;
			buf_str(b, math_accents[i].mark);
			return 1;
		}
	return 0;
}

/* Whether the text is a prime, which needs no "^" since it is raised already. */
static int
math_prime(const struct buf *b, size_t at)
{
	return b->data[at] == '\'' || strncmp(b->data + at, "\u2032", 3) == 0 ||
	    strncmp(b->data + at, "\u2033", 3) == 0;
}

/* The sign before the second or third argument. */
static const char *
math_sign(int kind, int nth)
{
	if (kind == M_FRACTION)
		return "/";
	return kind == M_SUB || (kind == M_BOTH && nth == 1) ? "_" : "^";
}

/* Joins the n arguments of an element, which begin at start[] and have parts[] parts. Returns the
 * number of parts of the result. */
static int
math_join(struct buf *b, int kind, const size_t start[MATH_ARGS + 1], const int parts[MATH_ARGS],
    int n)
{
	int i;

	if (b->over || n == 0)
		return 0;
	if (kind == M_ROOT) {
		math_argument(b, "\u221a", start[0], b->len, n > 1 ? 2 : parts[0]);
		return 2;
	}
	if (n < 2 || (kind == M_OVER && math_accent(b, start[0], start[1])))
		return parts[0];
	if (kind == M_INDEX) {
		buf_char(b, ')');
		math_argument(b, "^(1/", start[1], b->len - 1, parts[1]);
	} else {
		for (i = n - 1; i > 0; i--)
			if (start[i + 1] > start[i] && !math_prime(b, start[i]))
				math_argument(b, math_sign(kind, i), start[i], start[i + 1], parts[i]);
	}
	math_argument(b, "", start[0], start[1], parts[0]);
	return kind == M_SUB ? 1 : 2;
}

/* Adds the text of a token, with references decoded and without control characters. */
static int
math_leaf(struct buf *b, const char *s, const char *end)
{
	struct text_char c;
	size_t used;

	for (; s < end; s += used) {
		used = *s == '&' ? text_reference(&c, s, (size_t)(end - s), 0) : 0;
		if (used > 0)
			buf_add(b, c.bytes, c.len);
		else if ((unsigned char)*s > ' ' && *s != 0x7f)
			buf_char(b, *s);
		else if (b->len > 0 && !b->over && b->data[b->len - 1] != ' ')
			buf_char(b, ' ');
		used += used == 0;
	}
	return 1;
}

/* Adds the value of an attribute, or else `otherwise`. */
static void
math_add_attr(struct buf *b, const struct math_tag *t, const char *name, const char *otherwise)
{
	const char *s = memmem(t->attrs, t->nattrs, name, strlen(name)), *close;
	const char *end = t->attrs + t->nattrs;

	if (s == NULL || (s += strlen(name)) + 1 >= end || *s != '=' ||
	    (s[1] != '"' && s[1] != '\'') ||
	    (close = memchr(s + 2, s[1], (size_t)(end - s - 2))) == NULL)
		buf_str(b, otherwise);
	else
		math_leaf(b, s + 2, close);
}

/* Skips the content of the element whose start tag was read last, and its end tag. */
static void
math_skip(struct math *m, const struct math_tag *of)
{
	struct math_tag t;
	int depth = 1;

	while (depth > 0 && (m->at = memchr(m->at, '<', (size_t)(m->end - m->at))) != NULL)
		switch (math_read(m, &t)) {
		case 0:
			m->at++;
			break;
		case 1:
			if (t.n == of->n && strncasecmp(t.name, of->name, t.n) == 0)
				depth += t.close ? -1 : !t.empty;
		}
	if (m->at == NULL)
		m->at = m->end;
}

/* Adds an element with its content. Returns the number of parts of its text. */
static int
math_element(struct math *m, const struct math_tag *t)
{
	struct buf *b = m->out;
	int parts;

	if (t->kind == M_SPACE)
		buf_char(b, ' ');
	if (t->kind == M_DROP && !t->empty)
		math_skip(m, t);
	if (t->empty || t->kind == M_DROP || m->depth == MATH_DEPTH)
		return 0;
	m->open[m->depth++] = *t;
	if (t->kind == M_FENCE)
		math_add_attr(b, t, "open", "(");
	parts = math_content(m);
	if (t->kind == M_FENCE)
		math_add_attr(b, t, "close", ")");
	m->depth--;
	return t->kind == M_FENCE ? 2 : parts;
}

/* Whether an end tag closes the current element (*own 1) or an element around it (*own 0), which
 * then reads the tag again. */
static int
math_ends(const struct math *m, const struct math_tag *t, int *own)
{
	int i;

	for (i = m->depth; i > 0; i--)
		if (m->open[i - 1].n == t->n && strncasecmp(m->open[i - 1].name, t->name, t->n) == 0)
			break;
	*own = i == m->depth;
	return i > 0;
}

/* The separator before an argument t of the element `of`. */
static const char *
math_between(const struct math_tag *of, const struct math_tag *t)
{
	if (of->kind == M_FENCE)
		return ",";
	return t->kind == M_CELL ? ", " : t->kind == M_ROW ? "; " : "";
}

/* Inserts a space before or after a name of several letters, such as "sin". */
static void
math_apart(struct buf *b, size_t at, int word)
{
	if (word && at > 0 && at < b->len && !b->over && isalnum((unsigned char)b->data[at - 1]) &&
	    isalnum((unsigned char)b->data[at]))
		math_insert(b, at, " ");
}

/* Adds the content of the current element, up to its end tag. Returns the number of parts of its
 * text. */
static int
math_content(struct math *m)
{
	const struct math_tag *of = &m->open[m->depth - 1];
	size_t start[MATH_ARGS + 1] = { 0 }, first = m->out->len;
	int parts[MATH_ARGS] = { 0 }, n = 0, all = 0, own, told, kind, word = 0, last;
	int joined = of->kind >= M_SUP && of->kind <= M_INDEX;
	size_t at;
	const char *s, *end, *was;
	struct math_tag t;

	while (m->at < m->end) {
		for (s = m->at; s < m->end && text_space(*s); s++)
			;
		if ((end = memchr(s, '<', (size_t)(m->end - s))) == NULL)
			end = m->end;
		for (m->at = end; end > s && text_space(end[-1]); end--)
			;
		if (end > s)
			all += math_leaf(m->out, s, end);
		if ((was = m->at) == m->end)
			break;
		if ((kind = math_read(m, &t)) == 0) {
			buf_char(m->out, *m->at++);
			continue;
		}
		if (kind == 2)
			continue;
		if (t.close) {
			if (!math_ends(m, &t, &own))
				continue;
			m->at = own ? m->at : was;
			break;
		}
		if (t.kind == M_DROP) {
			math_element(m, &t);
			continue;
		}
		if (n > 0 && m->out->len > first)
			buf_str(m->out, math_between(of, &t));
		if (n < MATH_ARGS)
			start[n++] = m->out->len;
		at = m->out->len;
		told = math_element(m, &t);
		last = word;
		word = t.kind == M_WORD && m->out->len > at + 1 && !m->out->over;
		if (!joined)
			math_apart(m->out, at, at > first && (word || last));
		parts[n - 1] += told;
		all += told;
		start[n] = m->out->len;
	}
	return joined ? math_join(m->out, of->kind, start, parts, n) : all;
}

void
math_text(struct buf *b, const char *s, size_t n)
{
	struct math m = { .at = s, .end = s + n, .out = b, .depth = 1 };

	m.open[0] = (struct math_tag){ .name = "math", .n = 4, .kind = M_GROUP };
	while (m.at < m.end)
		math_content(&m);
}
