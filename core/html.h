/* Sanitising of HTML fragments: an allow-list of elements, attributes, URL schemes and CSS
 * properties; one pass, linear, no tree. */
#ifndef CORE_HTML_H
#define CORE_HTML_H
#include "buf.h"

#define HTML_DEPTH	256		/* open elements, at most; deeper tags are dropped */

enum { HTML_STRIP_TRACKERS = 1 };

/* Adds html as a safe, balanced fragment: URLs resolved against base (may be NULL), scripts, styles
 * and the like removed with what is in them, unknown tags removed but for what is in them. */
void	html_sanitise(struct buf *, const char *html, size_t len, const char *base, int flags);
#endif
