/* Conversion of character encodings to UTF-8. All converters are opened before the sandbox is
 * sealed, since iconv_open() fails afterwards. */
#ifndef CORE_CONVERT_H
#define CORE_CONVERT_H
#include "base/buf.h"

#include <stddef.h>

/* Opens a converter for each encoding of the table. Call once, before sandbox_seal(). */
void	convert_open(void);
/* Adds text in the named charset (a WHATWG label or iconv name, any case) as UTF-8, with U+FFFD for
 * each invalid sequence; *bad is their number. -1: unknown charset. NULs and control characters
 * stay; text_utf8() removes them. */
int	convert(struct buf *, const char *charset, const char *text, size_t len, size_t *bad);
#endif
