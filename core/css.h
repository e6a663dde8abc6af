/* Style attributes: an allow-list of CSS properties and of the shapes that their values may have. */
#ifndef CORE_CSS_H
#define CORE_CSS_H
#include "buf.h"

#include <stddef.h>

#define CSS_MAX		2048		/* bytes of a style that we read */

/* Adds those declarations of the style that harm nothing, as "name: value; name: value;", free of
 * < > & and double quotes. Nothing that loads, runs, covers the page or hides its neighbours. */
void	css_sanitise(struct buf *, const char *, size_t);
#endif
