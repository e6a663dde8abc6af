/* What a reader sees as one character: for all plugins that shorten a text. */
#ifndef SHARED_GRAPHEME_H
#define SHARED_GRAPHEME_H
#include <stddef.h>

#define GRAPHEME_MAX	128		/* bytes; more marks than that are another character */

/* Bytes of the first character of len > 0 bytes of valid UTF-8: a letter with its marks, a flag, an
 * emoji with its skin and its joined ones, a Hangul syllable (UAX 29; the rules for rare prefixes
 * are left out). */
size_t	 grapheme(const char *s, size_t len);
#endif
