/* The query language of searches: read into a tree, and asked about a record. */
#ifndef CORE_QUERY_H
#define CORE_QUERY_H
#include "base/buf.h"
#include "words.h"

#include <stdint.h>

struct searched;

#define QUERY_MAX	4096		/* bytes of a query; what follows them is left out */
#define QUERY_DEPTH	16		/* parentheses within each other */
#define QUERY_TERMS	64		/* words, phrases and operators */
#define QUERY_NODES	(4 * QUERY_TERMS)
#define QUERY_WORDS	512		/* words and tags of all terms */

/* The language (courant.1 has it for people):
 *	a b		both; `a OR b` either, which binds less; -a, NOT a: not; ( )
 *	"a b"		the words next to each other; so do c-d and other signs within a word
 *	source: author: category: has:	tags; the value may be a phrase or be in parentheses
 *	after: before:	first seen on or after, before a day (YEAR[-MONTH[-DAY]], UTC): hold for the
 *			whole query
 *	in:title	the words that it stands beside are to be in the title
 *	like: sort:	of a search alone: a filter refuses them
 * Nothing is an error: what is not understood is searched as words, and told. */
enum query_kind { NODE_NONE, NODE_AND, NODE_OR, NODE_NOT, NODE_WORDS, NODE_TAGS };
struct query_node {
	enum query_kind	 kind;
	uint32_t	 child, next;		/* places in struct query; 0: none */
	uint32_t	 first, n;		/* NODE_WORDS, NODE_TAGS: of query.words: a phrase */
	int		 prefix;		/* its last word is the beginning of one */
	int		 title;			/* in titles alone */
};
enum query_sort { SORT_MATCH, SORT_NEW, SORT_HEAT };
struct query {
	struct query_node	 node[QUERY_NODES];	/* node[0] is none */
	uint32_t		 n, root;		/* root 0: nothing is searched for */
	struct word_list	 words;
	int64_t			 after, before;	/* ms; INT64_MIN, INT64_MAX: any */
	char			*like;		/* of like:, or NULL */
	int			 sorted;	/* sort: was given */
	enum query_sort		 sort;
	struct buf		 notes;		/* what was not understood, a line each */
	size_t			 terms;
	int			 dated;		/* after: or before: was given */
};

/* Reads a query, of any bytes. The caller frees it. */
struct query	*query_read(const char *, size_t);
void		 query_free(struct query *);	/* NULL is fine */
/* Whether the record, first seen at that time (ms), is what the query looks for. */
int		 query_matches(const struct query *, const struct searched *, int64_t seen);
/* Reads a name of enum query_sort. 0, or -1. */
int		 query_sort_read(const char *, size_t, enum query_sort *);
#endif
