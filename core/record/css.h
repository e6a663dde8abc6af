/* Sanitising of style attributes: an allow-list of CSS properties and of the form of their
 * values. */
#ifndef CORE_CSS_H
#define CORE_CSS_H
#include "base/buf.h"

#include <stddef.h>

#define CSS_MAX		2048		/* bytes of a style that are read */

/* Adds the allowed declarations of a style as "name: value; name: value;", free of < > & and double
 * quotes. None of them loads a resource, runs code, covers the page or hides other elements. */
void	css_sanitise(struct buf *, const char *, size_t);
/* Whether a text is what css_sanitise() adds for some style: not empty. */
int	css_sanitised(const char *, size_t);
#endif
