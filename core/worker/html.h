/* Sanitiser of HTML fragments: an allow-list of elements, attributes, URL schemes and CSS
 * properties; one pass in linear time, without a tree. */
#ifndef CORE_HTML_H
#define CORE_HTML_H
#include "base/buf.h"

enum { HTML_STRIP_TRACKERS = 1 };

/* Adds html as a safe fragment that is nested as browsers nest it (nest.h). URLs are resolved against base (may be NULL); scripts,
 * styles and the like are removed with their content, unknown elements are replaced by their
 * content. */
void	html_sanitise(struct buf *, const char *html, size_t len, const char *base, int flags);
#endif
