/* Redaction: finds secrets in foreign text, in the written forms named below, and replaces them. */
#ifndef CORE_REDACT_H
#define CORE_REDACT_H
#include "buf.h"

#include <stddef.h>

#define REDACT_MIN	4		/* bytes; shorter secrets occur by chance: ignored */
#define REDACT_WORDS	64		/* secrets of one redaction; each line of a secret counts */

struct redact;				/* opaque */

/* words: SECRET\0INSTEAD\0..., borrowed until redact_free(). NULL: no secret to search for. */
struct redact	*redact_new(struct bytes words);
void		 redact_free(struct redact *);	/* NULL is fine */

/* Finds the first secret of a text: literal; wholly or partly escaped as in URLs (%2f, %252f), JSON and
 * JavaScript (\/, \u002f, \x2f), XML and HTML (&amp;, &#47;, &#x2f, &sol;, &amp;#47;); as hexadecimal
 * digits; in UTF-16; of 8 bytes or more, within unbroken base64. Returns its length in the text, 0:
 * none; *at: its offset, *instead: its replacement. A NULL redact finds nothing. */
size_t		 redact_find(const struct redact *, const char *text, size_t len, size_t *at,
		    const char **instead);
/* Adds the text with each secret replaced. Returns their number. */
size_t		 redact_put(const struct redact *, const char *text, size_t len, struct buf *);
#endif
