/* Text: UTF-8, folding, escaping, base32. No allocation but into the caller's buf. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H
#include "buf.h"

#include <stddef.h>
#include <stdint.h>

/* Length of the valid UTF-8 prefix. */
size_t	text_valid(const char *, size_t);
/* Adds s as UTF-8 fit for XML and JSON: invalid sequences, surrogates, non-characters and controls
 * (but tab, LF, CR) become U+FFFD or vanish; returns how many. */
size_t	text_utf8(struct buf *, const char *, size_t);
void	text_put_char(struct buf *, uint32_t codepoint);	/* as UTF-8; invalid: U+FFFD */
/* Runs of white space (Unicode's too) become one space, ends are trimmed. */
void	text_fold(struct buf *, const char *, size_t);
/* What two titles share that are the same to a reader: folded case (Unicode simple folding for
 * Latin, Greek, Cyrillic), letters and digits only, one space between words. Identity of items and
 * stories hangs on it: it never changes. */
void	text_title_key(struct buf *, const char *, size_t);

void	text_xml(struct buf *, const char *, size_t);	/* escapes & < > " ' */
void	text_json(struct buf *, const char *, size_t);	/* a quoted JSON string */
/* HTML to text: tags removed (script, style with what is in them), entities decoded, folded. */
void	text_of_html(struct buf *, const char *, size_t);
/* Decodes character references ("&amp;", "&#38;", all of HTML 5); leaves what is none. */
void	text_decode(struct buf *, const char *, size_t);
/* What the named reference (without & and ;) stands for: UTF-8, or NULL. Case counts. */
const char *text_entity(const char *name, size_t len);

#define TEXT_BASE32_16	27		/* 16 bytes as 26 characters and a NUL */
/* RFC 4648 base32, lower case, no padding. out has room for (n * 8 + 4) / 5 + 1. */
void	text_base32(char *out, const void *, size_t n);
int	text_space(int c);		/* ASCII white space */
#endif
