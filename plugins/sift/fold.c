/* A text as it is compared with others: case, composition, white space and typography evened out,
 * and where its words begin and end. */
#include "sift.h"
#include "letters.inc"
#include "unicode.inc"

#include "shared/marks.inc"
#include "shared/plain.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define FOLD_CHAR_MAX	18		/* bytes that one character becomes, at most */
#define FOLD_MARKS	16		/* marks on one letter that are put in order */

/* Whether c lies in a sorted table of ranges; a row begins with its first and last. */
#define IN_RANGES(table, c)	in_ranges(table, COUNT(table), sizeof((table)[0]), c)

static int
in_ranges(const void *table, size_t n, size_t size, uint32_t c)
{
	uint32_t range[2];
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		memcpy(range, (const char *)table + mid * size, sizeof(range));
		if (c > range[1])
			low = mid + 1;
		else if (c < range[0])
			high = mid;
		else
			return 1;
	}
	return 0;
}

/* Scripts that put no space between words, and Korean, which ties particles to them: each character
 * counts as a word. */
static const struct { uint32_t first, last; } unspaced[] = {
	{ 0xe00, 0x109f }, { 0x1100, 0x11ff }, { 0x1780, 0x17ff }, { 0x1950, 0x19df },
	{ 0x1a20, 0x1aad }, { 0x2e80, 0x2fdf }, { 0x3005, 0x3007 }, { 0x3021, 0x318f },
	{ 0x31a0, 0x4dbf }, { 0x4e00, 0xa4cf }, { 0xa960, 0xa97f }, { 0xa9e0, 0xa9fe },
	{ 0xaa60, 0xaadf }, { 0xac00, 0xd7ff }, { 0xf900, 0xfaff }, { 0xff66, 0xffdc },
	{ 0x1b000, 0x1b2ff }, { 0x20000, 0x3ffff },
};
/* Nobody sees them: soft hyphens, joiners, marks of direction, selectors of variants. */
static const struct { uint32_t first, last; } unseen[] = {
	{ 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c }, { 0x180b, 0x180e },
	{ 0x200b, 0x200f }, { 0x202a, 0x202e }, { 0x2060, 0x206f }, { 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff }, { 0xe0000, 0xe01ef },
};
static const struct { uint32_t first, last; } spaces[] = {
	{ 0x85, 0x85 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200a },
	{ 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
};
/* Marks that accents are made of. */
static const struct { uint32_t first, last; } accent[] = {
	{ 0x300, 0x36f }, { 0x483, 0x487 }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
	{ 0x20d0, 0x20ff }, { 0xfe20, 0xfe2f },
};
/* Typography: what a keyboard has instead. */
static const struct { uint32_t first, last; char to; } plainer[] = {
	{ 0x2bc, 0x2bc, '\'' }, { 0x2010, 0x2015, '-' }, { 0x2018, 0x201b, '\'' },
	{ 0x201c, 0x201f, '"' }, { 0x2032, 0x2032, '\'' }, { 0x2033, 0x2033, '"' },
	{ 0x2212, 0x2212, '-' },
};
/* Letters that are not decomposed, and what is written where they are missing. */
static const struct { uint32_t c; char to[3]; } bare[] = {
	{ 0xe6, "ae" }, { 0xf0, "d" }, { 0xf8, "o" }, { 0xfe, "th" }, { 0x111, "d" },
	{ 0x127, "h" }, { 0x131, "i" }, { 0x142, "l" }, { 0x153, "oe" }, { 0x167, "t" },
};

enum kind { KIND_SPACE, KIND_WORD, KIND_SIGN };

struct folder {
	struct folded	*f;
	int		 accents;
	int		 gap;		/* a space is owed */
	enum kind	 before;	/* of what was written last */
	uint32_t	 mark[FOLD_MARKS];	/* that follow the letter, in order */
	size_t		 marks;
};

static void
put_char(struct folder *o, uint32_t c)
{
	size_t n = plain_put(o->f->text + o->f->len, c);

	memset(o->f->edge + o->f->len, 0, n);
	o->f->len += n;
}

static void
put_marks(struct folder *o)
{
	size_t i;

	for (i = 0; i < o->marks; i++)
		put_char(o, o->mark[i]);
	o->marks = 0;
}

/* Marks are put in the order of their code points, so that canonically equal ones are the same. */
static void
add_mark(struct folder *o, uint32_t c)
{
	size_t i;

	if (!o->accents && IN_RANGES(accent, c))
		return;
	if (o->marks == FOLD_MARKS)
		put_marks(o);
	for (i = o->marks++; i > 0 && o->mark[i - 1] > c; i--)
		o->mark[i] = o->mark[i - 1];
	o->mark[i] = c;
}

static enum kind
kind_of(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ? KIND_WORD :
		    KIND_SIGN;
	return !IN_RANGES(unspaced, c) && IN_RANGES(unicode_letters, c) ? KIND_WORD : KIND_SIGN;
}

/* One character, folded; not a mark. */
static void
put(struct folder *o, uint32_t c)
{
	enum kind kind = kind_of(c);
	uint8_t *edge;

	put_marks(o);
	if (o->gap && o->f->len > 0) {
		o->f->edge[o->f->len] = 1;
		o->f->text[o->f->len++] = ' ';
		o->before = KIND_SPACE;
	}
	o->gap = 0;
	edge = o->f->edge + o->f->len;
	put_char(o, c);
	*edge = kind != KIND_WORD || o->before != KIND_WORD;
	o->before = kind;
}

/* ---- Unicode's tables ---- */

static uint32_t
simple_case(uint32_t c)
{
	size_t low = 0, high = COUNT(fold_case), mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (c > fold_case[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == COUNT(fold_case) || c < fold_case[low].first ||
	    (c - fold_case[low].first) % (uint32_t)fold_case[low].step != 0)
		return c;
	return (uint32_t)((int32_t)c + fold_case[low].to);
}

/* A letter that is not decomposed any further. */
static void
put_letter(struct folder *o, uint32_t c)
{
	size_t i, j;

	if (c < 0x80) {
		put(o, c >= 'A' && c <= 'Z' ? c + 0x20 : c);
		return;
	}
	if (IN_RANGES(unicode_marks, c) && c != 0x345) {	/* that one folds to a letter */
		if (o->f->len > 0 && !o->gap)
			add_mark(o, c);
		return;
	}
	for (i = 0; i < COUNT(fold_full); i++)
		if (fold_full[i].from == c) {
			for (j = 0; j < 3 && fold_full[i].to[j] != 0; j++)
				put_letter(o, fold_full[i].to[j]);
			return;
		}
	c = simple_case(c);
	for (i = 0; !o->accents && i < COUNT(bare); i++)
		if (bare[i].c == c) {
			for (j = 0; bare[i].to[j] != '\0'; j++)
				put(o, (unsigned char)bare[i].to[j]);
			return;
		}
	put(o, c);
}

static void
put_parts(struct folder *o, uint32_t c)
{
	size_t low = 0, high = COUNT(fold_parts), mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (c > fold_parts[mid].from)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == COUNT(fold_parts) || fold_parts[low].from != c) {
		put_letter(o, c);
		return;
	}
	put_parts(o, fold_parts[low].base);	/* two or three deep: the table has no circles */
	if (fold_parts[low].mark != 0)
		put_letter(o, fold_parts[low].mark);
}

static void
put_wide(struct folder *o, uint32_t c)
{
	size_t i;

	if (IN_RANGES(spaces, c)) {
		o->gap = 1;
		return;
	}
	if (IN_RANGES(unseen, c))
		return;
	for (i = 0; i < COUNT(plainer); i++)
		if (c >= plainer[i].first && c <= plainer[i].last) {
			put(o, (unsigned char)plainer[i].to);
			return;
		}
	if (c >= 0xff01 && c <= 0xff5e)			/* full width */
		put_letter(o, c - 0xff01 + '!');
	else
		put_parts(o, c);
}

/* ---- A text ---- */

static int
room(struct folded *f, size_t more)
{
	size_t want = 2 * (f->len + more) + 256;
	uint8_t *edge;
	char *text;

	if (f->room - f->len > more)
		return 0;
	if ((text = realloc(f->text, want)) != NULL)
		f->text = text;
	if ((edge = realloc(f->edge, want)) != NULL)
		f->edge = edge;
	if (text == NULL || edge == NULL)
		return -1;
	f->room = want;
	return 0;
}

/* Folds until the result is longer than `stop`; gives how much of the text that took. */
static int
run(struct folded *f, const char *s, size_t len, int accents, size_t stop, size_t *used)
{
	struct folder o = { .f = f, .accents = accents, .before = KIND_SPACE };
	size_t at = 0, n = 1;

	f->len = 0;
	for (*used = 0; at < len && f->len <= stop; at += n) {
		*used = at;
		if (room(f, FOLD_CHAR_MAX + 4 * FOLD_MARKS) == -1)
			return -1;
		n = 1;
		if ((unsigned char)s[at] > 0x7f)
			put_wide(&o, plain_get(s + at, len - at, &n));
		else if (s[at] == ' ' || (s[at] >= '\t' && s[at] <= '\r'))
			o.gap = 1;
		else
			put_letter(&o, (unsigned char)s[at]);
	}
	if (room(f, 4 * FOLD_MARKS + 1) == -1)
		return -1;
	put_marks(&o);
	f->edge[f->len] = 1;
	return 0;
}

int
fold_text(struct folded *f, const char *s, size_t len, int accents)
{
	size_t used;

	return run(f, s, len, accents, SIZE_MAX, &used);
}

size_t
fold_origin(const char *s, size_t len, int accents, size_t at)
{
	struct folded f = { 0 };
	size_t used = 0;

	run(&f, s, len, accents, at, &used);
	fold_free(&f);
	return used;
}

void
fold_free(struct folded *f)
{
	free(f->text);
	free(f->edge);
	*f = (struct folded){ 0 };
}
