/* What the parts of the listing reader share: a page as blocks, and what a block is. Nothing here
 * knows the daemon but by <courant/plugin.h>. */
#ifndef PLUGINS_PAPERS_H
#define PLUGINS_PAPERS_H
#include <courant/plugin.h>

#include <stddef.h>
#include <stdint.h>

#define PAPERS_BLOCKS	200000		/* of one page */
#define PAPERS_ABSTRACT	256		/* bytes from which a block is an abstract, whatever it says */
#define PAPERS_SENTENCE	80		/* and from which one is that ends as a sentence does */
#define PAPERS_LINE	200		/* bytes of a line that may have been wrapped, at most */
#define PAPERS_HEADER	12		/* blocks in which the end of the header is looked for */
#define PAPERS_WORDS	3		/* of a title that stands without an abstract, at least */
#define PAPERS_LINKS	16		/* told of one abstract */
#define PAPERS_URL	2000		/* bytes of one */

struct text { const char *s; size_t len; };

/* ---- blocks.c: a page as blocks: lines, or paragraphs whose lines were wrapped ---- */
enum block_kind {
	BLOCK_SHORT,			/* may be a title */
	BLOCK_LONG,			/* an abstract */
	BLOCK_DATE,
	BLOCK_MARK,			/* ends the header: "Subscribe", "by ..." */
	BLOCK_NOTICE,			/* says nothing of a paper */
};
struct block {
	struct text	 text;
	int64_t		 date;		/* BLOCK_DATE */
	int		 kind;
	unsigned	 line;		/* of the page, from 1 */
};
struct blocks {
	struct block	*v;
	size_t		 n, cap;
	char		*joined;	/* memory of paragraphs put together */
	size_t		 used;
	int		 full;		/* there were more than PAPERS_BLOCKS */
};
/* text is borrowed while the blocks are used. now: for dates without a year. -1: no memory. */
int	 blocks_read(struct blocks *, struct text, int64_t now);
void	 blocks_free(struct blocks *);
struct text text_trim(struct text);
int	 text_begins(struct text, const char *);		/* ASCII case apart */
size_t	 text_words(struct text);
/* Whether it ends as a text does that was not cut: with a sentence, or with a URL. */
int	 text_whole(struct text);

/* ---- date.c ---- */
/* A line that is a date and nothing else: "Mar 14", "14 March 2025", "Friday, Mar 14th",
 * "2025-03-14". Without a year, the last such day that is not after tomorrow. CR_NO_TIME: none. */
int64_t	 papers_date(struct text, int64_t now);

/* ---- links.c ---- */
enum link_kind { LINK_WORK, LINK_PROJECT, LINK_CODE, LINK_HUB, LINK_OTHER, LINK_KINDS };
struct links {
	char		 url[PAPERS_LINKS][PAPERS_URL];
	int		 kind[PAPERS_LINKS];		/* enum link_kind: the lowest is the best */
	size_t		 n;
};
void	 links_find(struct links *, struct text);
const char *links_best(const struct links *);	/* or NULL */
#endif
