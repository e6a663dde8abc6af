/* The query language of searches. */
#include "query.h"
#include "searched.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define NOTES_MAX	4096
#define NAME_MAX_SHOWN	40		/* bytes of an unknown operator in a note */
#define DAY		INT64_C(86400000)

/* A query that is being read. */
struct reading {
	struct query	*q;
	const char	*s, *end;
	int		 depth;
	const char	*tag;		/* of the operator whose value is read; or NULL */
	struct word_list room;
};

static uint32_t	either(struct reading *);
static uint32_t	one(struct reading *);

/* ---- The tree ---- */

static void
note(struct query *q, const char *text)
{
	if (q->notes.len == 0 || strstr(q->notes.data, text) == NULL)
		buf_fmt(&q->notes, "%s\n", text);
}

static void
note_of(struct query *q, const char *s, size_t n, const char *text)
{
	size_t shown = n < NAME_MAX_SHOWN ? n : NAME_MAX_SHOWN;
	char *line = xasprintf("`%.*s` %s", (int)text_valid(s, shown), s, text);

	note(q, line);
	free(line);
}

/* 0: no room. */
static uint32_t
node_new(struct query *q, enum query_kind kind)
{
	if (q->n == QUERY_NODES)
		return 0;
	q->node[q->n] = (struct query_node){ .kind = kind };
	return q->n++;
}

/* A node of that kind above a list; the one node of a list by itself. */
static uint32_t
node_above(struct query *q, enum query_kind kind, uint32_t list)
{
	uint32_t at;

	if (list == 0 || (kind != NODE_NOT && q->node[list].next == 0))
		return list;
	at = node_new(q, kind);
	if (at != 0)
		q->node[at].child = list;
	return at;
}

/* ---- Words ---- */

/* Adds a term of the words from `first` on, which were just added; 0: there are none. */
static uint32_t
term(struct reading *r, uint32_t first, enum query_kind kind)
{
	struct query *q = r->q;
	uint32_t at, n = (uint32_t)q->words.n - first;
	enum word_kind last;

	if (q->words.n == QUERY_WORDS)
		note(q, "more than 512 words: the rest is left out");
	if (n == 0)
		return 0;
	if (q->terms == QUERY_TERMS || (at = node_new(q, kind)) == 0) {
		note(q, "more than 64 words: the rest is left out");
		return 0;
	}
	q->terms++;
	q->node[at].first = first;
	last = q->words.word[first + n - 1].kind;
	if (n > 1 && last == WORD_LAST)
		n--;			/* a run's pairs find it, wherever it ends */
	q->node[at].n = n;
	q->node[at].prefix = last == WORD_SIGN;
	return at;
}

/* The words of a text, in the tag that is being read. */
static uint32_t
text_term(struct reading *r, const char *s, size_t n)
{
	uint32_t first = (uint32_t)r->q->words.n;

	if (r->tag == NULL) {
		words_add(&r->q->words, s, n, QUERY_WORDS);
		return term(r, first, NODE_WORDS);
	}
	if (strcmp(r->tag, TAG_SOURCE) == 0 && n > 2 && memcmp(s + n - 2, "/*", 2) == 0)
		n -= 2;
	searched_tag(&r->q->words, &r->room, r->tag, s, n, QUERY_WORDS);
	return term(r, first, NODE_TAGS);
}

/* ---- Operators ---- */

static int
digits(const char **s, const char *end, int n)
{
	int value = 0;

	for (; n > 0; n--, ++*s) {
		if (*s == end || **s < '0' || **s > '9')
			return -1;
		value = 10 * value + **s - '0';
	}
	return value;
}

/* Reads YEAR, YEAR-MONTH or YEAR-MONTH-DAY as the beginning of it, UTC. -1: it is no such date. */
static int
date_read(const char *s, size_t n, int64_t *ms)
{
	const char *end = s + n;
	int year = digits(&s, end, 4), month = 1, day = 1;

	if (s < end && *s == '-' && (s++, (month = digits(&s, end, 2)) >= 1) && s < end && *s == '-') {
		s++;
		day = digits(&s, end, 2);
	}
	if (year < 1 || month < 1 || month > 12 || day < 1 || s != end ||
	    date_days(year, month, day) >= date_days(month < 12 ? year : year + 1,
	    month < 12 ? month + 1 : 1, 1))
		return -1;
	*ms = date_days(year, month, day) * DAY;
	return 0;
}

int
query_sort_read(const char *s, size_t n, enum query_sort *sort)
{
	static const char *const names[] = { [SORT_MATCH] = "match", [SORT_NEW] = "new",
		[SORT_HEAT] = "heat" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_is(s, n, names[i])) {
			*sort = (enum query_sort)i;
			return 0;
		}
	return -1;
}

static int
limit_after(struct query *q, int64_t ms)
{
	if (ms > q->after)
		q->after = ms;
	return q->dated = 1;
}

static int
limit_before(struct query *q, int64_t ms)
{
	if (ms < q->before)
		q->before = ms;
	return q->dated = 1;
}

enum operator { OP_NONE, OP_TAG, OP_AFTER, OP_BEFORE, OP_IN, OP_LIKE, OP_SORT };
static const struct {
	const char	*name, *tag;
	enum operator	 op;
} operators[] = {
	{ "source", TAG_SOURCE, OP_TAG }, { "author", TAG_AUTHOR, OP_TAG },
	{ "category", TAG_CATEGORY, OP_TAG }, { "has", TAG_HAS, OP_TAG },
	{ "after", NULL, OP_AFTER }, { "before", NULL, OP_BEFORE }, { "in", NULL, OP_IN },
	{ "like", NULL, OP_LIKE }, { "sort", NULL, OP_SORT },
};

/* ---- Where words end ---- */

/* The length of a blank at s, or 0. */
static size_t
blank(const char *s, const char *end)
{
	if (s == end)
		return 0;
	if (text_space((unsigned char)*s) || *s == '\0')
		return 1;
	return end - s >= 3 && memcmp(s, "\u3000", 3) == 0 ? 3 : 0;
}

/* The length of a quotation mark at s, or 0. */
static size_t
quote(const char *s, const char *end)
{
	static const char *const marks[] = { "\u201c", "\u201d", "\u201e" };

	if (s < end && *s == '"')
		return 1;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (end - s >= 3 && memcmp(s, marks[i], 3) == 0)
			return 3;
	return 0;
}

static void
blanks_skip(struct reading *r)
{
	size_t n;

	while ((n = blank(r->s, r->end)) > 0)
		r->s += n;
}

/* The length of the word at r->s: to a blank, a quotation mark, or a parenthesis that closes a group. */
static size_t
word_len(const struct reading *r)
{
	const char *s = r->s;
	int inner = 0;

	for (; s < r->end && blank(s, r->end) == 0 && quote(s, r->end) == 0; s++) {
		inner += *s == '(';
		if (*s == ')' && inner-- == 0 && r->depth > 0)
			break;
	}
	return (size_t)(s - r->s);
}

/* The value of an operator that takes a text: a phrase, or the word up to its end. */
static const char *
value(struct reading *r, size_t *n)
{
	size_t mark = quote(r->s, r->end);
	const char *s;

	r->s += mark;
	s = r->s;
	if (mark == 0) {
		*n = word_len(r);
		r->s += *n;
		return s;
	}
	while (r->s < r->end && quote(r->s, r->end) == 0)
		r->s++;
	*n = (size_t)(r->s - s);
	r->s += quote(r->s, r->end);
	return s;
}

/* ---- Terms ---- */

static uint32_t
phrase(struct reading *r)
{
	size_t n;
	const char *s = value(r, &n);

	return text_term(r, s, n);
}

static uint32_t
group(struct reading *r)
{
	uint32_t at;

	r->s++;
	if (r->depth == QUERY_DEPTH) {
		note(r->q, "more than 16 parentheses within each other: the inner ones are ignored");
		return 0;
	}
	r->depth++;
	at = either(r);
	r->depth--;
	if (r->s < r->end && *r->s == ')')
		r->s++;
	else
		note(r->q, "a parenthesis is not closed");
	return at;
}

/* Applies an operator with a text. 1: done; 0: it is not understood. */
static int
apply(struct reading *r, enum operator op, const char *s, size_t n, int negated)
{
	struct query *q = r->q;
	int64_t ms;

	if (op == OP_LIKE && n > 0 && !negated) {
		free(q->like);
		q->like = xstrndup(s, n);
		return 1;
	}
	if (op == OP_SORT && !negated && query_sort_read(s, n, &q->sort) == 0)
		return q->sorted = 1;
	if ((op == OP_AFTER || op == OP_BEFORE) && date_read(s, n, &ms) == 0)
		return (op == OP_AFTER) != negated ? limit_after(q, ms) : limit_before(q, ms);
	return 0;
}

/* The operator whose name and colon begin at r->s; *len: of both. */
static enum operator
operator_at(const struct reading *r, size_t *len, const char **tag)
{
	size_t n = 0;

	while (r->s + n < r->end && ((r->s[n] | 0x20) >= 'a' && (r->s[n] | 0x20) <= 'z'))
		n++;
	*len = n + 1;
	if (n == 0 || r->s + n + 1 >= r->end || r->s[n] != ':' || blank(r->s + n + 1, r->end) > 0)
		return OP_NONE;
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (text_is(r->s, n, operators[i].name)) {
			*tag = operators[i].tag;
			return operators[i].op;
		}
	if (r->s[n + 1] != '/')
		note_of(r->q, r->s, n + 1, "is no operator: it is searched as a word");
	return OP_NONE;
}

/* A word that is no operator, or an operator that is not understood. */
static uint32_t
word(struct reading *r)
{
	const char *s = r->s;
	size_t n = word_len(r);

	if (n == 0) {			/* a parenthesis */
		r->s++;
		return 0;
	}
	r->s += n;
	return text_term(r, s, n);
}

static uint32_t
tagged(struct reading *r, const char *tag, size_t len)
{
	uint32_t at;

	r->tag = tag;
	r->s += len;
	at = one(r);
	r->tag = NULL;
	return at;
}

/* One term: a group, a phrase, an operator, a word. 0: it says nothing. */
static uint32_t
one(struct reading *r)
{
	if (quote(r->s, r->end) > 0)
		return phrase(r);
	if (*r->s == '(')
		return group(r);
	return word(r);
}

/* An operator at r->s, if there is one: 1, and what it makes in *at. */
static int
operate(struct reading *r, uint32_t *at, int negated, int *title)
{
	const char *begun = r->s, *tag = NULL, *s;
	enum operator op;
	size_t len, n;

	*at = 0;
	if (r->tag != NULL || (op = operator_at(r, &len, &tag)) == OP_NONE)
		return 0;
	if (op == OP_TAG) {
		*at = tagged(r, tag, len);
		return 1;
	}
	r->s += len;
	s = value(r, &n);
	if (op == OP_IN && !negated && text_is(s, n, "title"))
		return *title = 1;
	if (apply(r, op, s, n, negated))
		return 1;
	note_of(r->q, begun, (size_t)(s + n - begun), "is not understood: it is searched as words");
	r->s = begun;
	*at = word(r);
	return 1;
}

/* Whether the word at r->s is that one, in capitals; then passes over it. */
static int
says(struct reading *r, const char *name)
{
	size_t n = word_len(r);

	if (n != strlen(name) || memcmp(r->s, name, n) != 0)
		return 0;
	r->s += n;
	return 1;
}

/* Has the words of a list looked for in titles alone. */
static void
in_titles(struct query *q, uint32_t at)
{
	for (; at != 0; at = q->node[at].next) {
		q->node[at].title = 1;
		in_titles(q, q->node[at].child);
	}
}

/* A term with what negates it. */
static uint32_t
signed_one(struct reading *r, int *title)
{
	int negated = 0;
	uint32_t at;

	if (says(r, "NOT")) {
		negated = 1;
		blanks_skip(r);
	} else if (*r->s == '-' && r->s + 1 < r->end && blank(r->s + 1, r->end) == 0) {
		negated = 1;
		r->s++;
	}
	if (r->s == r->end)
		return 0;
	if (!operate(r, &at, negated, title))
		at = one(r);
	return negated ? node_above(r->q, NODE_NOT, at) : at;
}

/* The terms up to OR, a closing parenthesis, or the end: all of them. */
static uint32_t
both(struct reading *r)
{
	uint32_t first = 0, last = 0, at;
	int title = 0;

	for (;;) {
		blanks_skip(r);
		if (r->s == r->end || (*r->s == ')' && r->depth > 0))
			break;
		if (says(r, "AND"))
			continue;
		if (word_len(r) == 2 && memcmp(r->s, "OR", 2) == 0)
			break;
		at = signed_one(r, &title);
		if (at == 0)
			continue;
		if (last != 0)
			r->q->node[last].next = at;
		else
			first = at;
		last = at;
	}
	if (title)
		in_titles(r->q, first);
	return node_above(r->q, NODE_AND, first);
}

static uint32_t
either(struct reading *r)
{
	uint32_t first = 0, last = 0, at;

	do {
		at = both(r);
		if (at != 0 && last != 0)
			r->q->node[last].next = at;
		else if (at != 0)
			first = at;
		last = at != 0 ? at : last;
	} while (says(r, "OR"));
	return node_above(r->q, NODE_OR, first);
}

struct query *
query_read(const char *s, size_t n)
{
	struct query *q = xcalloc(1, sizeof(*q));
	struct reading r = { .q = q, .s = s, .end = s + n };

	q->n = 1;
	q->after = INT64_MIN;
	q->before = INT64_MAX;
	buf_init(&q->notes, NOTES_MAX);
	if (n > QUERY_MAX) {
		r.end = s + text_valid(s, QUERY_MAX);
		note(q, "longer than 4096 bytes: the rest is left out");
	}
	q->root = either(&r);
	words_free(&r.room);
	return q;
}

void
query_free(struct query *q)
{
	if (q == NULL)
		return;
	words_free(&q->words);
	buf_free(&q->notes);
	free(q->like);
	free(q);
}

/* ---- A record ---- */

/* Whether the node's phrase begins at the word i of a list. */
static int
begins(const struct query *q, const struct query_node *node, const struct word_list *l, size_t i)
{
	const struct word *want = q->words.word + node->first, *have = l->word + i;

	for (uint32_t k = 0; k < node->n; k++) {
		const int part = node->prefix && k + 1 == node->n;

		if (part ? have[k].len < want[k].len : have[k].len != want[k].len)
			return 0;
		if (memcmp(l->text + have[k].at, q->words.text + want[k].at, want[k].len) != 0)
			return 0;
	}
	return 1;
}

static int
has_phrase(const struct query *q, const struct query_node *node, const struct word_list *l)
{
	for (size_t i = 0; i + node->n <= l->n; i++)
		if (begins(q, node, l, i))
			return 1;
	return 0;
}

/* Recursion is bounded by QUERY_DEPTH: each depth has at most three nodes. */
static int
node_matches(const struct query *q, uint32_t at, const struct searched *s)
{
	const struct query_node *node = &q->node[at];
	uint32_t i;

	switch (node->kind) {
	case NODE_AND:
		for (i = node->child; i != 0 && node_matches(q, i, s); i = q->node[i].next)
			;
		return i == 0;
	case NODE_OR:
		for (i = node->child; i != 0 && !node_matches(q, i, s); i = q->node[i].next)
			;
		return i != 0;
	case NODE_NOT:
		return !node_matches(q, node->child, s);
	case NODE_WORDS:
		return has_phrase(q, node, &s->title) ||
		    (!node->title && has_phrase(q, node, &s->text));
	case NODE_TAGS:
		return has_phrase(q, node, &s->tags);
	case NODE_NONE:
		break;
	}
	return 0;
}

int
query_matches(const struct query *q, const struct searched *s, int64_t seen)
{
	if (q->dated && (seen < q->after || seen >= q->before))
		return 0;
	return q->root != 0 ? node_matches(q, q->root, s) : q->dated;
}
