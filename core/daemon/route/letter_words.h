/* What the letters of the daemon's own say. */
#ifndef CORE_LETTER_WORDS_H
#define CORE_LETTER_WORDS_H

struct route;
struct work;

/* title: its subject. text: paragraphs with an empty line between. link: to the page that it speaks of, or "". */
struct letter_words { char *title, *text, *link; };	/* owned */

/* base: `serve: base`. */
void	letter_words(struct letter_words *, const struct route *, const char *base, const struct work *);
void	letter_words_free(struct letter_words *);
#endif
