/* A plugin's descriptor: checked when it is loaded, and described to who must not load it. The
 * description itself is catalog.h's plugin_about_write() and plugin_about_read(). */
#ifndef CORE_ABOUT_H
#define CORE_ABOUT_H
#include "catalog.h"

#define ABOUT_LINE_MAX	1000		/* bytes of a name, version, help */
#define ABOUT_TEXT_MAX	8192		/* of url, headers, a default source's options */
#define ABOUT_DEFAULTS	64		/* sources that a plugin may bring */

/* Copies a descriptor, no more of it than its size says, once it is fit for use. -1: it is not, and
 * why, for its author or the operator, is in the buf. */
int	plugin_about_take(struct cr_plugin *, const struct cr_plugin *found, struct buf *why);
#endif
