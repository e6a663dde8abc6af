/* Characters as UTF-8, and HTML as the text that a reader sees: for all plugins that look into the
 * texts of records. The HTML is what the host made of it: sanitised, every `<` of a text escaped. */
#ifndef PLAIN_PLAIN_H
#define PLAIN_PLAIN_H
#include <stddef.h>
#include <stdint.h>

/* A code point (at most U+10FFFF) into out[4]; how many bytes. */
size_t	 plain_put(char *out, uint32_t);
/* The code point at s of n > 0 bytes of valid UTF-8; its length in *len. */
uint32_t plain_get(const char *s, size_t n, size_t *len);

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
