/* MathML as one line of plain text, which stands in for the removed markup. */
#ifndef CORE_MATHML_H
#define CORE_MATHML_H
#include "base/buf.h"

#include <stddef.h>

#define MATH_DEPTH	64		/* nested elements; deeper ones lose their layout, not their
					 * text */

/* Adds the content of a <math> element as plain text: x^2, a_i, (a+b)/c, a root as U+221A.
 * Annotations, which repeat the formula in another notation, are left out. */
void	math_text(struct buf *, const char *s, size_t n);
#endif
