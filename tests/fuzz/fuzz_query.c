/* Queries of anything, asked about records of anything: bounds hold, and a query's words are a record's. */
#include "base/buf.h"
#include "base/utf8.h"
#include "record/query.h"
#include "record/record.h"
#include "record/searched.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(int holds)
{
	if (!holds)
		abort();
}

static void
check(const struct query *q)
{
	need(q->terms <= QUERY_TERMS && q->n <= QUERY_NODES && q->words.n <= QUERY_WORDS && q->root < q->n);
	for (uint32_t i = 1; i < q->n; i++) {
		const struct query_node *n = &q->node[i];

		need(n->child < q->n && n->next < q->n);
		if (n->kind == NODE_WORDS || n->kind == NODE_TAGS)
			need(n->n > 0 && n->first + n->n <= q->words.n);
		else
			need(n->child != 0);
	}
	need(q->notes.len == 0 || text_valid(q->notes.data, q->notes.len) == q->notes.len);
}

/* The first line is the query, the rest the title of a record. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	const size_t len = end != NULL ? (size_t)(end - data) : size;
	struct query *q = query_read((const char *)data, len);
	struct cr_record *r = record_new();
	struct searched s;
	struct buf title;

	check(q);
	buf_init(&title, 4 * size + 64);
	if (end != NULL)
		text_utf8(&title, (const char *)end + 1, size - len - 1);
	if (title.len > 0)
		record_set(r, CR_TITLE, title.data, title.len);
	record_set(r, CR_SOURCE, "a", 1);
	searched_init(&s);
	searched_read(&s, r);
	(void)query_matches(q, &s, 0);
	searched_free(&s);
	record_free(r);
	query_free(q);
	buf_free(&title);
	return 0;
}
