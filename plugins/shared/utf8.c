/* Characters as UTF-8. */
#include "utf8.h"

size_t
plain_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

uint32_t
plain_get(const char *s, size_t n, size_t *len)
{
	unsigned char c = (unsigned char)*s;
	size_t want = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, i;
	uint32_t cp = want == 1 ? c : c & (0x7fu >> want);

	*len = want <= n ? want : n;
	for (i = 1; i < *len; i++)
		cp = cp << 6 | ((unsigned char)s[i] & 0x3f);
	return cp;
}
