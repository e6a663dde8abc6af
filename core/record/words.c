/* The words of a text, as they are searched. */
#include "words.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include "word_fold.inc"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define PLUS		"\xef\xbc\x8b"	/* U+FF0B */
#define SHARP		"\xef\xbc\x83"	/* U+FF03 */
#define COMMAND_MAX	16		/* letters of a TeX command that is looked up */

/* A text that is being read, and its word in the making. */
struct wording {
	const char	*s, *end;
	words_cb	*cb;
	void		*arg;
	char		 word[WORD_MAX];
	size_t		 len;
	int		 full;		/* the rest of the word is left out */
	int		 digits;	/* the word has a digit */
	char		 sign[4];	/* the last sign of a run */
	size_t		 sign_len;	/* 0: there is no run */
	int		 run;		/* the run has more than one sign */
	int		 braces;	/* open ones that part no word */
};

/* ---- Words in the making ---- */

static const char *const greek[] = {		/* from U+03B1 on */
	"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
	"lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi",
	"chi", "psi", "omega",
};

/* The name of a Greek letter that is the whole word; NULL: it is none. */
static const char *
greek_name(const char *word, size_t len)
{
	const unsigned char *p = (const unsigned char *)word;
	uint32_t c;

	if (len != 2 || (p[0] != 0xce && p[0] != 0xcf))
		return NULL;
	c = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	return c >= 0x3b1 && c < 0x3b1 + COUNT(greek) ? greek[c - 0x3b1] : NULL;
}

static void
run_end(struct wording *w)
{
	if (w->sign_len > 0)
		w->cb(w->arg, w->sign, w->sign_len, w->run ? WORD_LAST : WORD_SIGN);
	w->sign_len = 0;
}

static void
word_end(struct wording *w)
{
	const char *name;

	run_end(w);
	if (w->len == 0)
		return;
	name = greek_name(w->word, w->len);
	w->cb(w->arg, name != NULL ? name : w->word, name != NULL ? strlen(name) : w->len,
	    WORD_LETTERS);
	w->len = 0;
	w->full = w->digits = 0;
}

static void
word_add(struct wording *w, const char *s, size_t n)
{
	run_end(w);
	if (w->full || n > sizeof(w->word) - w->len) {
		w->full = 1;
		return;
	}
	memcpy(w->word + w->len, s, n);
	w->len += n;
}

static void
sign_add(struct wording *w, const char *s, size_t n)
{
	char pair[8];

	if (w->sign_len == 0)
		word_end(w);
	w->run = w->sign_len > 0;
	if (w->run) {
		memcpy(pair, w->sign, w->sign_len);
		memcpy(pair + w->sign_len, s, n);
		w->cb(w->arg, pair, w->sign_len + n, WORD_PAIR);
	}
	memcpy(w->sign, s, n);
	w->sign_len = n;
}

/* ---- Characters ---- */

/* Whether a character is of a script that puts no space between words, or of Hangul. */
static int
is_sign(uint32_t c)
{
	return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x3041 && c <= 0x30ff && c != 0x30a0 &&
	    c != 0x30fb) || (c >= 0xac00 && c <= 0xd7a3) || c == 0x3005 || c == 0x3007 ||
	    (c >= 0x31f0 && c <= 0x31ff) || (c >= 0x3105 && c <= 0x312f) ||
	    (c >= 0x20000 && c <= 0x323af) || (c >= 0xe00 && c <= 0xeff) ||
	    (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff);
}

/* Marks that are left out: those of Latin, Greek, Cyrillic, Hebrew and Arabic letters. */
static int
is_mark(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x483 && c <= 0x487) ||
	    (c >= 0x591 && c <= 0x5c7 && c != 0x5be && c != 0x5c0 && c != 0x5c3 && c != 0x5c6) ||
	    (c >= 0x610 && c <= 0x61a) || c == 0x640 || (c >= 0x64b && c <= 0x65f) || c == 0x670 ||
	    (c >= 0x6d6 && c <= 0x6dc) || (c >= 0x6df && c <= 0x6e4) ||
	    (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x1dc0 && c <= 0x1dff) ||
	    (c >= 0x20d0 && c <= 0x20ff) || c == 0x3099 || c == 0x309a ||
	    (c >= 0xfe20 && c <= 0xfe2f);
}

/* What a character becomes: several, in *more; or the one returned. */
static uint32_t
fold(uint32_t c, const char **more)
{
	size_t low = 0, high = COUNT(fold_one), mid;

	*more = NULL;
	while (low < high) {
		mid = (low + high) / 2;
		if (c > fold_one[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < COUNT(fold_one) && c >= fold_one[low].first)
		return (uint32_t)((int32_t)c + fold_one[low].delta);
	for (low = 0, high = COUNT(fold_more); low < high;) {
		mid = (low + high) / 2;
		if (c > fold_more[mid].c)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < COUNT(fold_more) && c == fold_more[low].c)
		*more = fold_more[low].to;
	return text_fold_char(c);
}

static void
folded_add(struct wording *w, uint32_t c, const char *s, size_t n)
{
	if (is_sign(c))
		sign_add(w, s, n);
	else
		word_add(w, s, n);
	w->digits |= n == 1 && c >= '0' && c <= '9';
}

/* Reads a character from U+0080 on. */
static void
char_read(struct wording *w)
{
	size_t bad, n, len;
	const char *more;
	uint32_t c;
	char utf8[4];

	n = text_get_char(&c, &bad, w->s, (size_t)(w->end - w->s));
	w->s += n > 0 ? n : bad > 0 ? bad : 1;
	if (n == 0) {
		word_end(w);
		return;
	}
	if (text_joins(c) || is_mark(c))
		return;
	if (!text_is_word(c)) {
		word_end(w);
		w->braces = 0;
		return;
	}
	c = fold(c, &more);
	if (more == NULL)
		folded_add(w, c, utf8, text_encode(utf8, c));
	for (; more != NULL && *more != '\0'; more += len) {
		len = text_get_char(&c, &bad, more, strlen(more));
		folded_add(w, c, more, len);
	}
}

/* ---- TeX ---- */

static int
is_letter(int c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static int
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int
next_is(const struct wording *w, size_t n, char c)
{
	return (size_t)(w->end - w->s) > n && w->s[n] == c;
}

/* Commands that say nothing of the text; sorted. */
static const char *const silent[] = {
	"bar", "big", "bigg", "bm", "boldsymbol", "cal", "displaystyle", "em", "emph", "frac", "hat",
	"hspace", "it", "left", "mathbb", "mathbf", "mathcal", "mathfrak", "mathit", "mathrm",
	"mathsf", "mathtt", "operatorname", "overline", "qquad", "quad", "right", "rm", "sf",
	"sqrt", "text", "textbf", "textit", "textrm", "textsc", "textsf", "texttt", "tilde",
	"underline", "vec", "widehat", "widetilde",
};
/* Letters that are commands. */
static const struct { const char *name, *is; } letters[] = {
	{ "aa", "a" }, { "AA", "a" }, { "ae", "ae" }, { "AE", "ae" }, { "i", "i" }, { "j", "j" },
	{ "l", "l" }, { "L", "l" }, { "o", "o" }, { "O", "o" }, { "oe", "oe" }, { "OE", "oe" },
	{ "ss", "ss" },
};

static int
silent_order(const void *name, const void *row)
{
	return strcmp(name, *(const char *const *)row);
}

/* The word that a command is, of n letters at s. */
static void
command_word(struct wording *w, const char *s, size_t n)
{
	char name[COMMAND_MAX + 1] = "", c;
	const char *const *found = NULL;

	if (n <= COMMAND_MAX) {
		memcpy(name, s, n);
		found = bsearch(name, silent, COUNT(silent), sizeof(silent[0]), silent_order);
	}
	word_end(w);
	if (found != NULL)
		return;
	if (n > 5 && strncmp(s, "var", 3) == 0) {	/* \varepsilon */
		s += 3;
		n -= 3;
	}
	for (; n > 0; n--, s++) {
		c = (char)text_lower((unsigned char)*s);
		word_add(w, &c, 1);
	}
	word_end(w);
}

/* A command of n letters behind the backslash. */
static void
command_read(struct wording *w, size_t n)
{
	const char *s = w->s + 1;

	w->s += 1 + n;
	if (n == 1 && strchr("cHvudbkrt", *s) != NULL && next_is(w, 0, '{')) {
		w->s++;
		w->braces++;
		return;
	}
	for (size_t i = 0; i < COUNT(letters); i++)
		if (strlen(letters[i].name) == n && memcmp(letters[i].name, s, n) == 0) {
			word_add(w, letters[i].is, strlen(letters[i].is));
			if (next_is(w, 0, '{') && next_is(w, 1, '}'))
				w->s += 2;
			return;
		}
	command_word(w, s, n);
}

static void
backslash_read(struct wording *w)
{
	size_t n = 0;

	while (w->s + 1 + n < w->end && is_letter((unsigned char)w->s[1 + n]))
		n++;
	if (n > 0) {
		command_read(w, n);
		return;
	}
	w->s++;
	if (w->s == w->end || strchr("'`^\"~=.-", *w->s) == NULL || *w->s == '\0') {
		word_end(w);
		return;
	}
	w->s++;
	if (next_is(w, 0, '{')) {
		w->s++;
		w->braces++;
	}
}

/* ---- Signs ---- */

/* A character of ASCII that is neither letter nor digit. */
static void
ascii_read(struct wording *w)
{
	const char c = *w->s;

	if (c == '\\') {
		backslash_read(w);
		return;
	}
	w->s++;
	if (c == '\'' || c == '`')
		return;
	if (c == '{' && next_is(w, 0, '\\')) {
		w->braces++;
	} else if (c == '}' && w->braces > 0) {
		w->braces--;
	} else if (c == '-' && w->len > 0 && !w->digits && w->s < w->end &&
	    is_digit((unsigned char)*w->s)) {
		/* gpt-4 */
	} else if (c == '+' && w->len > 0 && !w->digits && next_is(w, 0, '+') &&
	    !next_is(w, 1, '+')) {
		word_add(w, PLUS PLUS, 6);
		w->s++;
		word_end(w);
	} else if (c == '#' && w->len == 1 && is_letter((unsigned char)w->word[0])) {
		word_add(w, SHARP, 3);
		word_end(w);
	} else {
		word_end(w);
		w->braces = 0;
	}
}

void
words_read(const char *s, size_t n, words_cb *cb, void *arg)
{
	struct wording w = { .s = s, .end = s + n, .cb = cb, .arg = arg };
	char c;

	while (w.s < w.end) {
		c = *w.s;
		if (is_letter((unsigned char)c)) {
			c = (char)(c | 0x20);
			word_add(&w, &c, 1);
			w.s++;
		} else if (is_digit((unsigned char)c)) {
			word_add(&w, &c, 1);
			w.digits = 1;
			w.s++;
		} else if ((unsigned char)c < 0x80) {
			ascii_read(&w);
		} else {
			char_read(&w);
		}
	}
	word_end(&w);
}

/* ---- Lists ---- */

struct adding { struct word_list *list; size_t max; };

static void
list_add(void *arg, const char *word, size_t len, enum word_kind kind)
{
	const struct adding *a = arg;
	struct word_list *l = a->list;

	if (l->n == a->max)
		return;
	if (l->n == l->room) {
		l->room = l->room > 0 ? 2 * l->room : 64;
		l->word = xreallocarray(l->word, l->room, sizeof(*l->word));
	}
	if (l->cap - l->len < len + 2) {
		l->cap = 2 * l->cap + len + 256;
		l->text = xreallocarray(l->text, l->cap, 1);
	}
	l->word[l->n++] = (struct word){ (uint32_t)l->len, (uint32_t)len, kind };
	memcpy(l->text + l->len, word, len);
	l->len += len;
	l->text[l->len++] = ' ';
	l->text[l->len] = '\0';
}

void
words_add(struct word_list *l, const char *s, size_t n, size_t max)
{
	struct adding a = { l, max };

	words_read(s, n, list_add, &a);
}

void
words_clear(struct word_list *l)
{
	l->len = l->n = 0;
}

void
words_free(struct word_list *l)
{
	free(l->text);
	free(l->word);
	*l = (struct word_list){ 0 };
}
