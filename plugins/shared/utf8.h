/* Characters as UTF-8: for all plugins that make or read texts character by character. */
#ifndef SHARED_UTF8_H
#define SHARED_UTF8_H
#include <stddef.h>
#include <stdint.h>

/* A code point (at most U+10FFFF) into out[4]; how many bytes. */
size_t	 plain_put(char *out, uint32_t);
/* The code point at s of n > 0 bytes of valid UTF-8; its length in *len. */
uint32_t plain_get(const char *s, size_t n, size_t *len);
#endif
