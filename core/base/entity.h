/* The named and numeric character references of HTML 5, decoded as browsers do. */
#ifndef CORE_ENTITY_H
#define CORE_ENTITY_H
#include <stddef.h>

struct text_char;

/* Decodes the reference at s, which begins with '&'. Returns its length; 0: no reference.
 * attribute: s is in an attribute's value, where "&copy" before a letter or digit is no
 * reference. */
size_t	text_reference(struct text_char *, const char *s, size_t n, int attribute);
#endif
