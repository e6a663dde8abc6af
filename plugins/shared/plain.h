/* HTML as the text that a reader sees: for all plugins that look into the texts of records. It is what the host made of it: sanitised, every `<` of a text escaped. */
#ifndef SHARED_PLAIN_H
#define SHARED_PLAIN_H
#include "utf8.h"

/* The reference at s, which is '&': its length and its character; 0: it is none. */
size_t	 plain_reference(const char *s, const char *end, uint32_t *c);

/* An HTML text on its way: tags removed, those of blocks part words; references decoded; a run of
 * white space is one space, none at the ends. */
struct plain {
	const char	*at, *end;
	int		 begun, gap;	/* something came; a space is owed */
};
void	 plain_init(struct plain *, const char *html, size_t len);
/* The next character into out[4]: its length; 0: there is no more. */
size_t	 plain_next(struct plain *, char *out);
/* All of it, or so much that it has at most max bytes; out has room for them. Its length. Never
 * longer than the HTML. */
size_t	 plain_text(char *out, size_t max, const char *html, size_t len);
#endif
