/* The answers to searches. */
#ifndef CORE_SEARCH_H
#define CORE_SEARCH_H

struct buf;
struct indexer;

/* Answers a question. arg: JSON:
 *	search		{"q", "sort": "match" | "new" | "heat", "limit"}
 *	similar		{"id" or "text", "sort", "limit"}
 *	complete	{"q"}
 * 0: JSON in out; 1: a line of text that says why not. Of a search and of similar:
 *	{"q", "step", "did_you_mean", "notes": [line], "indexed": {"n", "of"}, "more", "stories": [..]}
 * step: "id" (the query names a record, whose story comes first), "like", "all" words, "spelling" (all
 * words of did_you_mean), "any" word, "none". indexed: while not all of the log is. Of complete:
 *	{"words": [{"word", "records"}], "indexed"} */
int	search_answer(struct indexer *, const char *command, const char *arg, struct buf *out);
#endif
