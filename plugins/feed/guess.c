/* Guesses the encoding of text that is not UTF-8 and does not say what it is, from how often the
 * letters of a script would come in it. */
#include "feed.h"

#include <string.h>

#define GUESS_BYTES	(256u << 10)	/* of the document that are looked at */
#define GUESS_PAIRS	4		/* two-byte characters below which nothing is guessed */

/* Encodings with two bytes a character: where the lead and the trail lie, and the leads of the
 * characters that running text has most of. A byte of no pair counts against them. */
static const struct twin {
	const char	*name;
	unsigned char	 lead[2][2], trail[2][2], often[2][2];
	unsigned char	 single[2];	/* one-byte letters (half-width katakana); 0: none */
	int		 share;		/* per cent of pairs that have to be the frequent ones */
} twins[] = {
	{ "shift_jis", { { 0x81, 0x9f }, { 0xe0, 0xef } }, { { 0x40, 0x7e }, { 0x80, 0xfc } },
	    { { 0x82, 0x83 }, { 0x81, 0x81 } }, { 0xa1, 0xdf }, 40 },
	{ "euc-jp", { { 0xa1, 0xa8 }, { 0xb0, 0xf4 } }, { { 0xa1, 0xfe }, { 0xa1, 0xfe } },
	    { { 0xa4, 0xa5 }, { 0xa1, 0xa1 } }, { 0, 0 }, 40 },
	{ "euc-kr", { { 0xa1, 0xac }, { 0xb0, 0xfd } }, { { 0xa1, 0xfe }, { 0xa1, 0xfe } },
	    { { 0xb0, 0xc8 }, { 0xb0, 0xc8 } }, { 0, 0 }, 90 },
	{ "big5", { { 0xa1, 0xa3 }, { 0xa4, 0xf9 } }, { { 0x40, 0x7e }, { 0xa1, 0xfe } },
	    { { 0xa4, 0xc6 }, { 0xa1, 0xa1 } }, { 0, 0 }, 80 },
	{ "gb18030", { { 0x81, 0xfe }, { 0x81, 0xfe } }, { { 0x40, 0x7e }, { 0x80, 0xfe } },
	    { { 0xb0, 0xd7 }, { 0xa1, 0xa3 } }, { 0, 0 }, 70 },
};

/* Encodings of an alphabet: its small letters and its capitals. */
static const struct alphabet {
	const char	*name;
	unsigned char	 small[2], capital[2];
} alphabets[] = {
	{ "windows-1255", { 0xe0, 0xfa }, { 0xe0, 0xfa } },
	{ "windows-1251", { 0xe0, 0xff }, { 0xc0, 0xdf } },
	{ "koi8-r", { 0xc0, 0xdf }, { 0xe0, 0xff } },
	{ "iso-8859-5", { 0xd0, 0xef }, { 0xb0, 0xcf } },
	{ "windows-1253", { 0xdc, 0xfe }, { 0xc1, 0xdb } },
};

static int
in(unsigned char c, const unsigned char range[2])
{
	return c >= range[0] && c <= range[1];
}

static int
in_either(unsigned char c, const unsigned char ranges[2][2])
{
	return in(c, ranges[0]) || in(c, ranges[1]);
}

/* Per cent of the pairs that are frequent; -1: it is not this encoding. */
static int
weigh_twin(const struct twin *t, const unsigned char *s, const unsigned char *end)
{
	size_t pairs = 0, often = 0, wrong = 0;

	while (s < end) {
		if (*s < 0x80 || (t->single[0] != 0 && in(*s, t->single))) {
			s++;
			continue;
		}
		if (s + 1 == end)
			break;
		if (in_either(*s, t->lead) && in_either(s[1], t->trail)) {
			pairs++;
			often += (size_t)in_either(*s, t->often);
			s += 2;
		} else {
			wrong++;
			s++;
		}
	}
	if (pairs < GUESS_PAIRS || wrong * 50 > pairs || (int)(100 * often / pairs) < t->share)
		return -1;
	return (int)(100 * often / pairs);
}

/* Pairs of neighbouring letters as they come in words: small after small or capital. Words of a
 * few high letters among many low ones are Latin, and no guess is made. */
static int
weigh_alphabet(const struct alphabet *a, const unsigned char *s, const unsigned char *end)
{
	size_t high = 0, small = 0, capital = 0, pairs = 0, odd = 0;

	for (; s < end; s++) {
		if (*s < 0x80)
			continue;
		high++;
		small += (size_t)in(*s, a->small);
		capital += (size_t)(in(*s, a->capital) && !in(*s, a->small));
		if (s + 1 == end || s[1] < 0x80)
			continue;
		pairs++;
		odd += (size_t)(!in(s[1], a->small));	/* within a word */
	}
	if (high < 8 || pairs * 2 < high || (small + capital) * 100 < high * 97)
		return -1;
	return (int)(100 * small / high) - (int)(100 * odd / pairs);
}

/* How many bytes are part of a UTF-8 character, and how many are not. */
static void
count_utf8(const unsigned char *s, const unsigned char *end, size_t *good, size_t *bad)
{
	size_t n, i;

	*good = *bad = 0;
	while (s < end) {
		n = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
		if (*s < 0x80) {
			s++;
			continue;
		}
		for (i = 1; i < n && s + i < end && (s[i] & 0xc0) == 0x80; i++)
			;
		if (i == n && *s >= 0xc2 && *s <= 0xf4) {
			*good += n;
			s += n;
		} else {
			(*bad)++;
			s++;
		}
	}
}

/* For a text that is not valid UTF-8: what it may be. Never NULL. */
const char *
guess_encoding(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text, *end;
	const char *name = NULL;
	size_t i, good, bad;
	int best = 0, weight;

	end = s + (len < GUESS_BYTES ? len : GUESS_BYTES);
	count_utf8(s, end, &good, &bad);
	if (good > 2 * bad)
		return "utf-8";		/* with some mistakes */
	for (i = 0; i < sizeof(alphabets) / sizeof(*alphabets); i++)
		if ((weight = weigh_alphabet(&alphabets[i], s, end)) > best) {
			best = weight;
			name = alphabets[i].name;
		}
	if (name != NULL && best > 80)
		return name;
	for (i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		if (weigh_twin(&twins[i], s, end) >= 0)
			return twins[i].name;
	return name != NULL && best > 50 ? name : "windows-1252";
}
