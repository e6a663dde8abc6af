/* Where one seen character ends and the next begins. */
#include "grapheme.h"
#include "utf8.h"
#include "marks.inc"

#define ZWJ		0x200d
#define IN(c, a, b)	((c) >= (a) && (c) <= (b))

static int
mark(uint32_t c)
{
	size_t low = 0, high = sizeof(unicode_marks) / sizeof(unicode_marks[0]), mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (c > unicode_marks[mid].last)
			low = mid + 1;
		else if (c < unicode_marks[mid].first)
			high = mid;
		else
			return 1;
	}
	return 0;
}

/* Belongs to what stands before it: marks, joiners, skins, tags of flags, vowels and finals of
 * Hangul. */
static int
extends(uint32_t c)
{
	return c >= 0x300 && (mark(c) || IN(c, 0x200c, ZWJ) || IN(c, 0x1160, 0x11ff) ||
	    IN(c, 0xd7b0, 0xd7fb) || IN(c, 0xff9e, 0xff9f) || IN(c, 0x1f3fb, 0x1f3ff) ||
	    IN(c, 0xe0020, 0xe007f));
}

static int
hangul_lead(uint32_t c)
{
	return IN(c, 0x1100, 0x115f) || IN(c, 0xa960, 0xa97c);
}

static int
regional(uint32_t c)
{
	return IN(c, 0x1f1e6, 0x1f1ff);
}

/* Whether no boundary lies between two; first: nothing but the former came so far. */
static int
joined(uint32_t before, uint32_t c, int first)
{
	return (before == '\r' && c == '\n') || (before >= ' ' && extends(c)) || before == ZWJ ||
	    (hangul_lead(before) && (hangul_lead(c) || IN(c, 0xac00, 0xd7a3))) ||
	    (first && regional(before) && regional(c));
}

size_t
grapheme(const char *s, size_t len)
{
	size_t at, n;
	uint32_t before = plain_get(s, len, &at), c;

	for (int first = 1; at < len; first = 0, before = c, at += n) {
		c = plain_get(s + at, len - at, &n);
		if (!joined(before, c, first) || at + n > GRAPHEME_MAX)
			break;
	}
	return at;
}
