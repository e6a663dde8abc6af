/* Encodings to UTF-8, opened before the sandbox closes, since iconv_open() fails after. */
#ifndef CORE_CONVERT_H
#define CORE_CONVERT_H
#include "buf.h"

#include <stddef.h>

/* Opens all encodings of the table; call once, before sealing. */
void	convert_open(void);
/* Adds text in the named charset (WHATWG labels and iconv names, any case) as UTF-8, U+FFFD for what
 * cannot be read, *bad counts these. -1: no such encoding. NULs and controls stay: text_utf8(). */
int	convert(struct buf *, const char *charset, const char *text, size_t len, size_t *bad);
/* Whether convert() would know it: its canonical name in lower case ("windows-1252"), or NULL. */
const char *convert_name(const char *charset);
#endif
