/* UTF-8: read, written, made fit for XML and JSON. No allocation but into the caller's buf. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H
#include <stddef.h>
#include <stdint.h>

struct buf;

/* One character as UTF-8, or the two characters of some references. */
struct text_char {
	size_t	 len;
	char	 bytes[8];		/* with a NUL */
};

/* Length of the plain ASCII (no controls but tab, LF, CR) at the start. */
size_t	text_ascii(const char *, size_t);
/* Length of the prefix that needs no escaping in HTML, ASCII or not: no controls but tab, LF, CR;
 * none of " & < >. */
size_t	text_plain(const char *, size_t);
/* Whether the text is plain ASCII that text_utf8() and text_fold() would not change. */
int	text_folded(const char *, size_t);
/* Length of the prefix that text_utf8() would not change. */
size_t	text_clean(const char *, size_t);
/* Length of the valid UTF-8 prefix. */
size_t	text_valid(const char *, size_t);
/* Adds s as UTF-8 fit for XML and JSON: invalid sequences, surrogates and non-characters become
 * U+FFFD; C1 controls become the characters that text_c1() gives, or are removed; DEL and C0
 * controls but tab, LF, CR are removed. Returns the number of these changes. */
size_t	text_utf8(struct buf *, const char *, size_t);
/* Reads the sequence at the start of s (n > 0): its length in bytes, or 0 when it is invalid; then
 * *bad is the number of bytes to replace by one U+FFFD (WHATWG Encoding). */
size_t	text_get_char(uint32_t *codepoint, size_t *bad, const char *s, size_t n);
/* Writes one code point (at most U+10FFFF, no surrogate) to out[4]; returns its length. */
size_t	text_encode(char *out, uint32_t codepoint);
void	text_char(struct text_char *, uint32_t codepoint);	/* not fit for XML: U+FFFD */
void	text_put_char(struct buf *, uint32_t codepoint);	/* the same */
/* The character that a control from 0x80 to 0x9f means where windows-1252 was taken for ISO 8859-1
 * (HTML 13.2.5.80); 0xfffd: none. */
uint32_t text_c1(uint32_t cp);
#endif
