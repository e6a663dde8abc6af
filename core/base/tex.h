/* TeX in titles and names: formulas between dollars, and the accents and letters of bibliographies, as
 * Unicode. What cannot be shown stays as it was written. */
#ifndef CORE_TEX_H
#define CORE_TEX_H
#include "buf.h"

#include <stddef.h>

/* Text between two dollars is a formula if it has a command, "_", "^" or "{", or letters that are no words:
 * "$f$", "$O(n)$"; "$5 and $6" is money. Outside of formulas \"o, \'{e}, \c{c}, \ss, \emph{...} and the like
 * are replaced where they can be nothing else. Neither allocates but into the buf. s is valid UTF-8.
 *
 * As plain text: x_i^2 becomes "x\u1d62\u00b2"; a script that Unicode has no characters for stays: "L_{max}". A
 * formula with an unknown command, or with scripts nested more than once, stays with its dollars. */
void	tex_text(struct buf *, const char *s, size_t len);
/* As HTML, escaped: with <sup> and <sub>; a formula that cannot be shown becomes <code>. */
void	tex_html(struct buf *, const char *s, size_t len);
#endif
