/* Recogniser of the HTML that the sanitiser in a worker (worker/html.h) writes: one pass in linear
 * time, without memory of its own. */
#ifndef CORE_MARKUP_H
#define CORE_MARKUP_H
#include <stddef.h>

#define NEST_DEPTH	256		/* nested elements, at most; deeper tags are dropped */
#define NEST_TABLES	64		/* nested: a browser adds a tbody, a tr to each, and ends at 512 */
#define NEST_TABLE_DEPTH	4	/* a table needs room for its group, row and cell */

/* Whether a text that is valid UTF-8 without control characters is sanitised HTML: elements and
 * attributes of the sanitiser's tables, each written, escaped and nested as it does, values of
 * their kinds. NULL: it is; else why not, and *at the byte where the recogniser stopped. */
const char *markup_wrong(const char *, size_t, size_t *at);
#endif
