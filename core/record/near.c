/* Near-duplicate texts: words, shingles (Broder), min-hashes. */
#include "near.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define TITLE_HASHES	6		/* min-hashes over a title, 3 to a key */
#define TITLE_LEAST	3		/* words of a title that makes keys */

/* Odd constants: the golden ratio's, and those of the square roots of 2 and 3, in 64 bits. */
#define PHI		UINT64_C(0x9e3779b97f4a7c15)
#define ROOT2		UINT64_C(0x6a09e667f3bcc909)
#define ROOT3		UINT64_C(0xbb67ae8584caa73b)

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 32;
	x *= PHI;
	x ^= x >> 29;
	x *= ROOT3;
	return x ^ x >> 32;
}

/* FNV-1a with 64 bits, mixed; the last two bits by the word's length. */
uint64_t
near_hash(const char *s, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	h = mix(h) & ~(uint64_t)3;
	return h | (n >= NEAR_LONG ? NEAR_IS_LONG : 2);
}

static void
set_begin(struct near_set *set, size_t most)
{
	size_t slots = 16;

	while (slots < 2 * most && slots < COUNT(set->slot))
		slots *= 2;
	set->n = 0;
	set->mask = slots - 1;
	memset(set->slot, 0, slots * sizeof(set->slot[0]));
}

static void
set_add(struct near_set *set, uint64_t h)
{
	size_t i = h >> 2 & set->mask;

	while (set->slot[i] != 0 && set->slot[i] != h)
		i = (i + 1) & set->mask;
	set->n += set->slot[i] == 0;
	set->slot[i] = h;
}

int
near_has(const struct near_set *set, uint64_t h)
{
	size_t i = h >> 2 & set->mask;

	while (set->slot[i] != 0 && set->slot[i] != h)
		i = (i + 1) & set->mask;
	return set->slot[i] == h;
}

size_t
near_common(const struct near_set *a, const struct near_set *b)
{
	size_t n = 0;

	if (a->n > b->n)
		return near_common(b, a);
	for (size_t i = 0; i <= a->mask; i++)
		n += a->slot[i] != 0 && near_has(b, a->slot[i]);
	return n;
}

/* Whether the sequence at s is a Han or Kana sign (U+3000 to U+9FFF), a word by itself. */
static int
is_sign(const char *s, size_t n)
{
	return n >= 3 && (unsigned char)s[0] >= 0xe3 && (unsigned char)s[0] <= 0xe9;
}

/* The length of the word at s in a folded text. */
static size_t
word_len(const char *s, size_t n)
{
	size_t len = 0;

	if (is_sign(s, n))
		return 3;
	while (len < n && s[len] != ' ' && !is_sign(s + len, n - len))
		len++;
	return len;
}

struct near_text *
near_new(void)
{
	struct near_text *t = xcalloc(1, sizeof(*t));

	buf_init(&t->title, RECORD_LINE_MAX * 4);
	buf_init(&t->plain, RECORD_MAX);
	buf_init(&t->folded, RECORD_MAX);
	return t;
}

void
near_free(struct near_text *t)
{
	if (t == NULL)
		return;
	buf_free(&t->title);
	buf_free(&t->plain);
	buf_free(&t->folded);
	free(t);
}

/* Words that titles of columns and series are made of, and those between them; sorted by bytes. */
static const char *const shared_words[] = {
	"a", "about", "all", "am", "an", "and", "are", "article", "as", "at", "au", "auf", "best",
	"blog", "brief", "briefing", "by", "catch", "column", "comment", "comments", "crossword",
	"das", "day", "de", "del", "der", "des", "die", "digest", "du", "edition", "editor",
	"editorial", "el", "en", "episode", "et", "for", "from", "für", "headlines", "here",
	"horoscope", "how", "im", "in", "is", "issue", "it", "la", "las", "latest", "le", "les",
	"letter", "letters", "links", "list", "live", "los", "meeting", "minutes", "month",
	"most", "my", "new", "news", "newsletter", "notes", "obituaries", "of", "on", "open",
	"our", "part", "pictures", "podcast", "post", "question", "quiz", "readers", "reading",
	"recap", "report", "review", "round", "roundup", "schedule", "sport", "sports", "stories",
	"summary", "the", "these", "this", "thread", "to", "today", "tomorrow", "tonight", "top",
	"un", "und", "up", "update", "updates", "view", "was", "watching", "we", "weather",
	"week", "weekend", "what", "with", "world", "year", "yesterday", "you", "your", "zum",
	"zur",
};

static int
word_order(const void *word, const void *row)
{
	return strcmp(word, *(const char *const *)row);
}

/* Whether a word says what this title alone is about. */
static int
is_own(const char *s, size_t n)
{
	char word[16];

	if (n < sizeof(word)) {
		memcpy(word, s, n);
		word[n] = '\0';
		if (bsearch(word, shared_words, COUNT(shared_words), sizeof(shared_words[0]),
		    word_order) != NULL)
			return 0;
	}
	return !serial_word(s, n);
}

static void
title_word(struct near_text *t, const char *s, size_t n)
{
	uint64_t h = near_hash(s, n);
	int sign = is_sign(s, n);

	t->halves += sign ? 1 : 2;
	for (size_t i = 0; i < t->words; i++)
		if (t->word[i] == h)
			return;
	if (t->words == NEAR_TITLE)
		return;
	t->word[t->words++] = h;
	if (sign || is_own(s, n))
		t->own_word[t->own++] = h;
}

/* Whether the title was cut short, maybe inside its last word: it ends with dots. */
static int
is_cut(const char *title)
{
	size_t n = strlen(title);

	while (n > 0 && (title[n - 1] == ' ' || title[n - 1] == ']' || title[n - 1] == ')'))
		n--;
	return (n >= 3 && memcmp(title + n - 3, "...", 3) == 0) ||
	    (n >= 3 && memcmp(title + n - 3, "\xe2\x80\xa6", 3) == 0);
}

void
near_read(struct near_text *t, const struct cr_record *r)
{
	const char *title = record_get(r, CR_TITLE, 0), *s;
	size_t n, len;

	t->record = r;
	t->read = 0;
	t->words = t->own = 0;
	t->halves = 0;
	buf_clear(&t->title);
	if (title != NULL)
		text_title_key(&t->title, title, strlen(title));
	s = t->title.data;
	n = s != NULL ? t->title.len : 0;
	if (n > 0 && title != NULL && is_cut(title))
		for (len = n; len > 0; len--)
			if (s[len - 1] == ' ') {
				n = len - 1;
				break;
			}
	serial_read(&t->serial, s, n);
	for (; n > 0; s += len, n -= len) {
		if ((len = word_len(s, n)) > 0)
			title_word(t, s, len);
		else
			len = 1;
	}
}

/* The hashes of the text's words; returns their number. */
static size_t
body_words(struct near_text *t, uint64_t word[NEAR_BODY])
{
	const char *s = t->folded.data;
	size_t n = s != NULL ? t->folded.len : 0, len, words = 0;

	for (; n > 0 && words < NEAR_BODY; s += len, n -= len) {
		if ((len = word_len(s, n)) == 0) {
			len = 1;
			continue;
		}
		word[words] = near_hash(s, len);
		if (len >= 3)
			set_add(&t->vocabulary, word[words]);
		words++;
	}
	return words;
}

void
near_read_body(struct near_text *t)
{
	MEM_UNSET uint64_t word[NEAR_BODY];
	const char *text;
	uint64_t h;
	size_t n;

	if (t->read)
		return;
	t->read = 1;
	if ((text = record_get(t->record, CR_CONTENT, 0)) == NULL)
		text = record_get(t->record, CR_SUMMARY, 0);
	buf_clear(&t->plain);
	buf_clear(&t->folded);
	if (text != NULL)
		text_of_html(&t->plain, text, strnlen(text, NEAR_HTML));
	if (t->plain.data != NULL)
		text_title_key(&t->folded, t->plain.data, t->plain.len);
	n = t->folded.len / 2 + 1;
	set_begin(&t->vocabulary, n < NEAR_BODY ? n : NEAR_BODY);
	n = body_words(t, word);
	t->body_words = n;
	set_begin(&t->shingles, n);
	t->body = t->prefix = 0;
	for (size_t i = 0; i < n; i++) {
		t->body = mix(t->body + word[i]);
		if (i + 1 == NEAR_PREFIX)
			t->prefix = t->body;
		if (i >= 2) {
			h = mix(word[i - 2] * PHI + word[i - 1] * ROOT2 + word[i]);
			set_add(&t->shingles, h != 0 ? h : 1);
		}
	}
}

static int64_t
to_key(uint64_t h)
{
	return h != 0 ? (int64_t)h : 1;
}

/* The least of the i-th function over the hashes. */
static uint64_t
least(const uint64_t *hash, size_t n, uint64_t i)
{
	uint64_t min = UINT64_MAX, h;

	for (size_t k = 0; k < n; k++)
		if (hash[k] != 0 && (h = mix(hash[k] ^ (i + 1) * ROOT2)) < min)
			min = h;
	return min;
}

size_t
near_keys(struct near_text *t, int64_t key[NEAR_KEYS])
{
	uint64_t min[TITLE_HASHES];
	size_t n = 0;

	near_read_body(t);
	for (uint64_t i = 0; t->words >= TITLE_LEAST && i < TITLE_HASHES; i++) {
		min[i] = least(t->word, t->words, i);
		if (i % 3 == 2)
			key[n++] = to_key(mix(min[i - 2] * PHI + min[i - 1] * ROOT2 + min[i] + i));
	}
	for (uint64_t i = 0; t->shingles.n >= NEAR_SHINGLES && i < NEAR_BODIES; i++)
		key[n++] = to_key(mix(least(t->shingles.slot, t->shingles.mask + 1, 16 + i) + i));
	if (t->prefix != 0)
		key[n++] = to_key(mix(t->prefix + 32));
	return n;
}
