/* The words of a text, as they are searched: the same for the records in the index, for queries, and for
 * the filter `search`. */
#ifndef CORE_WORDS_H
#define CORE_WORDS_H
#include <stddef.h>
#include <stdint.h>

/* Counts up with each change of what a word is: an index of another version is built anew. */
#define WORDS_VERSION	1
#define WORD_MAX	64		/* bytes of a word; what is longer is cut */

enum word_kind {
	WORD_LETTERS,
	WORD_PAIR,		/* two neighbours in a run of Han, Kana, Hangul, Thai ... */
	WORD_LAST,		/* the last sign of such a run of two or more */
	WORD_SIGN		/* a run of one sign */
};
typedef void	words_cb(void *arg, const char *word, size_t len, enum word_kind);

/* Calls back with each word of a valid UTF-8 text, in order. Words are letters, marks and digits in
 * folded case, letters without marks, compatibility characters as the plain ones; apostrophes and
 * invisible characters part nothing. Besides:
 *	c++ c#		keep their signs, as U+FF0B and U+FF03, which part no words in SQLite
 *	gpt-4		a hyphen between letters and a digit joins: gpt4
 *	\alpha \"o	TeX: a command is its name, an accent nothing; braces around accented letters
 *			join; commands of fonts and spaces, dollars and scripts only part words
 *	alpha (U+03B1)	a Greek letter by itself is its name, as in TeX
 * Scripts without spaces, and Hangul: each two neighbours are a word, and the last sign of a run is
 * one, so that a query of one sign finds those that begin with it, and a longer one its pairs. */
void	words_read(const char *, size_t, words_cb *, void *arg);

/* A word of a sequence; text and position in struct word_list. */
struct word { uint32_t at, len; enum word_kind kind; };
struct word_list {
	char		*text;		/* the words, a space behind each; NUL-terminated */
	size_t		 len, cap;
	struct word	*word;
	size_t		 n, room;
};
/* An empty list is { 0 }. words_add() appends the words of a text; at most max words in all. */
void	words_add(struct word_list *, const char *, size_t, size_t max);
void	words_clear(struct word_list *);	/* keeps the memory */
void	words_free(struct word_list *);
#endif
