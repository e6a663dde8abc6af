/* What of a record is searched: the words of its title and its text, and tags for what operators of the
 * query language ask. The index stores it, the filter `search` looks into it. */
#ifndef CORE_SEARCHED_H
#define CORE_SEARCHED_H
#include "base/buf.h"
#include "words.h"

#include <stdint.h>

struct cr_record;

#define SEARCHED_WORDS	20000		/* of a text; what follows them is not searched */
#define SEARCHED_HTML	(256u << 10)	/* bytes of HTML that are read for them, of each field */
#define SEARCHED_TAGS	2000

/* Characters of private use, with which a tag begins; no word has them. */
#define TAG_ALL		"\uE000"	/* of every record */
#define TAG_SOURCE	"\uE001"	/* and the hash of the source's name, or of a group's */
#define TAG_AUTHOR	"\uE002"	/* and a word of an author's name; alone between two authors */
#define TAG_CATEGORY	"\uE003"	/* and the hash of a category's words */
#define TAG_HAS		"\uE004"	/* and the hash of the name of an extra or field that is set */

struct searched {
	struct word_list title, text, tags;
	struct buf	 plain;		/* room for the text of HTML */
	struct word_list words;		/* room for those of names */
};

void	searched_init(struct searched *);
void	searched_free(struct searched *);
/* Reads a record in place of the one before. */
void	searched_read(struct searched *, const struct cr_record *);
/* Adds the tags by which a query finds a name: an author's is a tag for each word of it. room: of
 * names; max: tags in all. */
void	searched_tag(struct word_list *tags, struct word_list *room, const char *tag, const char *name,
	    size_t, size_t max);
#endif
