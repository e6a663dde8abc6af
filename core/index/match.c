/* A query as a MATCH of SQLite's full text search. */
#include "match.h"
#include "rarity.h"
#include "record/searched.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX	(256u << 10)
#define LOOSE_MAX	100		/* words of which any is to be found */
#define EVERYTHING	"\"" TAG_ALL "\""

void
match_init(struct match *m)
{
	m->n = 0;
	buf_init(&m->text, TEXT_MAX);
}

void
match_free(struct match *m)
{
	buf_free(&m->text);
}

static void
weight_add(struct match *m, double weight)
{
	if (m->n < MATCH_WEIGHTS)
		m->weight[m->n++] = weight;
}

static void
everything(struct match *m)
{
	buf_str(&m->text, EVERYTHING);
	weight_add(m, 0);
}

void
match_word(struct buf *b, const char *word, size_t len)
{
	buf_char(b, '"');
	buf_add(b, word, len);
	buf_char(b, '"');
}

/* What a phrase is worth: its rarest word, and a little for the others. */
static double
phrase_weight(const struct query *q, const struct query_node *node, const struct rarity *r, int64_t docs)
{
	double most = 0, sum = 0, one;
	const struct word *w;

	for (uint32_t i = 0; i < node->n; i++) {
		w = &q->words.word[node->first + i];
		one = rarity_weight(rarity_get(r, rarity_hash(q->words.text + w->at, w->len)), docs);
		sum += one;
		most = one > most ? one : most;
	}
	return most + (sum - most) / 2;
}

static void
phrase(struct match *m, const struct query *q, const struct query_node *node)
{
	const struct word *first = &q->words.word[node->first], *last = first + node->n - 1;

	if (node->title && node->kind == NODE_WORDS)
		buf_str(&m->text, "title : ");
	/* The words of a node stand one behind the other, a space between. */
	match_word(&m->text, q->words.text + first->at, last->at + last->len - first->at);
	if (node->prefix)
		buf_str(&m->text, " *");
}

/* Writes a node. Those that are not asked for, but excluded, count for nothing. */
static void
put(struct match *m, const struct query *q, uint32_t at, const struct rarity *r, int64_t docs)
{
	const struct query_node *node = &q->node[at];

	if (node->kind == NODE_NOT) {
		buf_char(&m->text, '(');
		everything(m);
		buf_str(&m->text, " NOT ");
		put(m, q, node->child, NULL, docs);
		buf_char(&m->text, ')');
		return;
	}
	if (node->kind == NODE_WORDS || node->kind == NODE_TAGS) {
		phrase(m, q, node);
		weight_add(m, r == NULL || node->kind == NODE_TAGS ? 0 : phrase_weight(q, node, r, docs));
		return;
	}
	buf_char(&m->text, '(');
	for (uint32_t i = node->child; i != 0; i = q->node[i].next) {
		if (i != node->child)
			buf_str(&m->text, node->kind == NODE_AND ? " AND " : " OR ");
		put(m, q, i, r, docs);
	}
	buf_char(&m->text, ')');
}

void
match_all(struct match *m, const struct query *q, const struct rarity *r, int64_t docs)
{
	buf_clear(&m->text);
	m->n = 0;
	if (q->root == 0)
		everything(m);
	else
		put(m, q, q->root, r, docs);
}

/* ---- Any word ---- */

struct loose { const struct word *word; uint32_t has; };
struct loosened {
	struct loose	 v[LOOSE_MAX];
	size_t		 n;
};

/* Collects the words that a node asks for. */
static void
collect(const struct query *q, uint32_t at, const struct rarity *r, struct loosened *l)
{
	const struct query_node *node = &q->node[at];
	const struct word *w;

	for (uint32_t i = 0; node->kind == NODE_WORDS && i < node->n && l->n < LOOSE_MAX; i++) {
		w = &q->words.word[node->first + i];
		l->v[l->n++] = (struct loose){ w, rarity_get(r, rarity_hash(q->words.text + w->at, w->len)) };
	}
	if (node->kind == NODE_AND || node->kind == NODE_OR)
		for (uint32_t i = node->child; i != 0; i = q->node[i].next)
			collect(q, i, r, l);
}

static int
rarest_first(const void *a, const void *b)
{
	const struct loose *x = a, *y = b;

	return (x->has > y->has) - (x->has < y->has);
}

static void
words_put(struct match *m, const struct query *q, const struct loosened *l, size_t n, int worth,
    int64_t docs)
{
	buf_char(&m->text, '(');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_str(&m->text, " OR ");
		match_word(&m->text, q->words.text + l->v[i].word->at, l->v[i].word->len);
		weight_add(m, worth ? rarity_weight(l->v[i].has, docs) : 0);
	}
	buf_char(&m->text, ')');
}

/* Adds what the query's top excludes, and its tags. */
static void
conditions(struct match *m, const struct query *q, int64_t docs)
{
	const struct query_node *root = &q->node[q->root];
	uint32_t at = root->kind == NODE_AND ? root->child : 0;

	for (; at != 0; at = q->node[at].next)
		if (q->node[at].kind == NODE_NOT || q->node[at].kind == NODE_TAGS) {
			buf_str(&m->text, " AND ");
			put(m, q, at, NULL, docs);
		}
}

int
match_any(struct match *m, const struct query *q, const struct rarity *r, int64_t docs, int64_t most)
{
	struct loosened l = { .n = 0 };
	int64_t sum = 0;
	size_t some = 0;

	buf_clear(&m->text);
	m->n = 0;
	if (q->root != 0)
		collect(q, q->root, r, &l);
	if (l.n == 0)
		return -1;
	qsort(l.v, l.n, sizeof(l.v[0]), rarest_first);
	while (some < l.n && (sum == 0 || sum + l.v[some].has <= most))
		sum += l.v[some++].has;
	if (some < l.n) {
		words_put(m, q, &l, some, 0, docs);
		buf_str(&m->text, " AND ");
	}
	words_put(m, q, &l, l.n, 1, docs);
	conditions(m, q, docs);
	return 0;
}
