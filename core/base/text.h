/* Text: folding, escaping, HTML to text, base32. No allocation but into the caller's buf. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H
#include "buf.h"

#include <stddef.h>
#include <stdint.h>

/* The simple case folding of a code point, for Latin, Greek and Cyrillic. */
uint32_t text_fold_char(uint32_t codepoint);
int	text_is_word(uint32_t codepoint);	/* a letter, mark or number */
/* Whether a character parts no word: apostrophes, soft hyphen, joiners, direction marks. */
int	text_joins(uint32_t codepoint);
/* Adds text with each run of white space (Unicode's, too) replaced by one space, and none at the
 * ends. */
void	text_fold(struct buf *, const char *, size_t);
/* Adds a key that is equal for titles that readers take for the same: folded case (Unicode simple
 * folding for Latin, Greek, Cyrillic), letters, marks and digits only, one space between words;
 * apostrophes and zero-width characters join words, other characters part them. Empty when there is
 * no letter. Records and stories are identified by it: it must never change. */
void	text_title_key(struct buf *, const char *, size_t);
/* Adds s with bidirectional embeddings and isolates balanced in each line: a closing character
 * without an open one is dropped, those open at the line's end are closed (UAX 9; at most 125
 * deep). */
void	text_bidi(struct buf *, const char *, size_t);
int	text_balanced(const char *, size_t);	/* whether text_bidi() would change nothing */

void	text_bytes(struct buf *, uint64_t bytes);	/* "412 B", "1.5 MB", "371 MB" */
void	text_xml(struct buf *, const char *, size_t);	/* escapes & < > " ' */
void	text_json(struct buf *, const char *, size_t);	/* a quoted JSON string, of valid UTF-8 */
/* Adds the text of HTML: without tags (script, style: without their contents, too), entities
 * decoded, white space folded; tags of blocks part words. */
void	text_of_html(struct buf *, const char *, size_t);

#define TEXT_BASE32_16	27		/* 16 bytes as 26 characters and a NUL */
/* RFC 4648 base32, lower case, no padding. out has room for (n * 8 + 4) / 5 + 1. */
void	text_base32(char *out, const void *, size_t n);
/* Decodes the first n bytes of s to 16 bytes. -1: they are no base32 of 16 bytes. */
int	text_base32_read(unsigned char out[16], const char *s, size_t n);
int	text_space(int c);		/* ASCII white space */
int	text_lower(int c);		/* ASCII */
/* Whether s of n bytes equals word, ignoring ASCII case. */
int	text_is(const char *s, size_t n, const char *word);
#endif
