/* search(): whether a search for a query finds the record that a filter judges. The record is read as
 * it is stored, since the index has it so, too. */
#include "host_search.h"
#include "host.h"
#include "base/mem.h"
#include "record/query.h"
#include "record/record.h"
#include "record/searched.h"

#include <stdlib.h>
#include <string.h>

#define QUERIES_MAX	64		/* that are read but once: as many as a route has filters */

static struct { char *text; struct query *query; } queries[QUERIES_MAX];
static size_t nqueries;
static struct searched searched;	/* the words of the record at hand: host.searched */

/* A query by its text; the first of them goes if there is no room. */
static const struct query *
query_of(const char *text)
{
	size_t i;

	for (i = 0; i < nqueries; i++)
		if (strcmp(queries[i].text, text) == 0)
			return queries[i].query;
	if (i == QUERIES_MAX) {
		i = 0;
		free(queries[i].text);
		query_free(queries[i].query);
	} else {
		nqueries++;
	}
	queries[i].text = xstrdup(text);
	queries[i].query = query_read(text, strlen(text));
	return queries[i].query;
}

/* Why a query is none for filters; NULL: it is one. */
static const char *
unfit(const struct query *q)
{
	if (q->like != NULL)
		return "like: is of searches alone: a record is not compared with others";
	if (q->sorted)
		return "sort: is of searches alone: records come in the order of the log";
	if (q->root == 0 && !q->dated)
		return "the query has no word that could be found";
	return NULL;
}

/* Reads the words of the record at hand, once. -1: it is malformed. */
static int
record_words(void)
{
	struct cr_record *r;

	if (host.searched)
		return 0;
	if ((r = record_read(host.stored.data, host.stored.len)) == NULL)
		return -1;
	if (host.stored_source != NULL)
		record_set(r, CR_SOURCE, host.stored_source, strlen(host.stored_source));
	if (searched.plain.max == 0)
		searched_init(&searched);
	searched_read(&searched, r);
	record_free(r);
	host.searched = 1;
	return 0;
}

static void
reason(const char **why, const char *text, size_t len)
{
	if (why != NULL)
		*why = text != NULL && len > 0 ? host_lend_text(text, len) : NULL;
}

static int
cr_search(struct cr *cr, const char *text, const char **why)
{
	const struct query *q;
	const char *wrong;

	(void)cr;
	if ((host.phase & (PHASE_OPEN | PHASE_FILTER)) == 0 || text == NULL) {
		reason(why, NULL, 0);
		return -1;
	}
	q = query_of(text);
	if ((wrong = unfit(q)) != NULL) {
		reason(why, wrong, strlen(wrong));
		return -1;
	}
	if (host.phase == PHASE_OPEN) {
		reason(why, q->notes.data, q->notes.len);
		return 0;
	}
	reason(why, NULL, 0);
	if (record_words() == -1)
		return -1;
	return query_matches(q, &searched, host.stored_seen);
}

void
host_search_table(struct cr *cr)
{
	cr->search = cr_search;
}
