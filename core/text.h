/* Text: UTF-8, folding, escaping, base32. No allocation but into the caller's buf. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H
#include "buf.h"

#include <stddef.h>
#include <stdint.h>

/* One character, or the two that a reference may stand for, as UTF-8. */
struct text_char {
	size_t	 len;
	char	 bytes[8];		/* with a NUL */
};

/* Length of the plain ASCII (no controls but tab, LF, CR) at the start. */
size_t	text_ascii(const char *, size_t);
/* Length of the beginning that stands for itself in HTML, of ASCII or not: no controls but tab, LF,
 * CR; none of " & < >. */
size_t	text_plain(const char *, size_t);
/* Whether text_utf8() and text_fold() would leave it alone, and it is plain ASCII. */
int	text_folded(const char *, size_t);
/* Length of the beginning that text_utf8() leaves alone. */
size_t	text_clean(const char *, size_t);
/* Length of the valid UTF-8 prefix. */
size_t	text_valid(const char *, size_t);
/* Adds s as UTF-8 fit for XML and JSON: invalid sequences, surrogates and non-characters become
 * U+FFFD, controls (C0 but tab, LF, CR; DEL; C1) vanish; returns how many did. */
size_t	text_utf8(struct buf *, const char *, size_t);
/* Reads the sequence at the start of s (n > 0): its length in bytes, or 0 when it is no valid one;
 * then *bad is how many bytes stand for one U+FFFD (WHATWG Encoding). */
size_t	text_get_char(uint32_t *codepoint, size_t *bad, const char *s, size_t n);
/* One code point (at most U+10FFFF, and no surrogate) into out, of 4 bytes; how many it took. */
size_t	text_encode(char *out, uint32_t codepoint);
void	text_char(struct text_char *, uint32_t codepoint);	/* what is not fit for XML: U+FFFD */
void	text_put_char(struct buf *, uint32_t codepoint);	/* the same */
/* Its simple case folding, for Latin, Greek and Cyrillic. */
uint32_t text_fold_char(uint32_t codepoint);
/* Runs of white space (Unicode's too) become one space, ends are trimmed. */
void	text_fold(struct buf *, const char *, size_t);
/* What two titles share that are the same to a reader: folded case (Unicode simple folding for
 * Latin, Greek, Cyrillic), letters, marks and digits only, one space between words; apostrophes and
 * what has no width join, other signs part. Empty when there is no letter. Identity of items and
 * stories hangs on it: it never changes. */
void	text_title_key(struct buf *, const char *, size_t);
/* Adds s with bidirectional embeddings and isolates balanced in each line: what closes nothing is
 * dropped, what is open at its end is closed (UAX 9; at most 125 deep). */
void	text_bidi(struct buf *, const char *, size_t);

void	text_xml(struct buf *, const char *, size_t);	/* escapes & < > " ' */
void	text_json(struct buf *, const char *, size_t);	/* a quoted JSON string, of valid UTF-8 */
/* HTML to text: tags removed (script, style with what is in them), entities decoded, folded; tags of
 * blocks part words. */
void	text_of_html(struct buf *, const char *, size_t);
/* Decodes character references ("&amp;", "&#38;", all of HTML 5); leaves what is none. */
void	text_decode(struct buf *, const char *, size_t);
/* What the named reference (without & and ;) stands for: UTF-8, or NULL. Case counts. */
const char *text_entity(const char *name, size_t len);
/* What a control from 0x80 to 0x9f is where windows-1252 was taken for ISO 8859-1 (HTML 13.2.5.80);
 * 0xfffd: nothing. */
uint32_t text_c1(uint32_t cp);
/* Decodes the reference at the start of s, which is '&': how many bytes it has, 0: it is none.
 * attribute: as in a value, where "&copy" before a letter or digit is none. */
size_t	text_reference(struct text_char *, const char *s, size_t n, int attribute);

#define TEXT_BASE32_16	27		/* 16 bytes as 26 characters and a NUL */
/* RFC 4648 base32, lower case, no padding. out has room for (n * 8 + 4) / 5 + 1. */
void	text_base32(char *out, const void *, size_t n);
/* And back: the first n bytes of s, as many as 16 bytes take. -1: they are none. */
int	text_base32_read(unsigned char out[16], const char *s, size_t n);
int	text_space(int c);		/* ASCII white space */
int	text_lower(int c);		/* ASCII */
/* Whether s of n bytes is word, ASCII case apart. */
int	text_is(const char *s, size_t n, const char *word);
#endif
