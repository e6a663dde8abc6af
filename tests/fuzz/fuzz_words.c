/* Words of anything: they are valid UTF-8, within their maximum, without spaces and what SQLite's tokenizer
 * parts at; and read again, a word is itself, but for pairs. */
#include "base/buf.h"
#include "base/utf8.h"
#include "record/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(int holds)
{
	if (!holds)
		abort();
}

struct once { const char *word; size_t len, n; };

static void
again(void *arg, const char *word, size_t len, enum word_kind kind)
{
	struct once *o = arg;

	(void)kind;
	o->n++;
	need(len == o->len && memcmp(word, o->word, len) == 0);
}

static void
check(void *arg, const char *word, size_t len, enum word_kind kind)
{
	struct once o = { word, len, 0 };

	(void)arg;
	need(len > 0 && len <= WORD_MAX && text_valid(word, len) == len);
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)word[i];

		need(c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'));
	}
	if (kind == WORD_LETTERS && memmem(word, len, "\uff0b", 3) == NULL &&
	    memmem(word, len, "\uff03", 3) == NULL) {
		words_read(word, len, again, &o);
		need(o.n == 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct word_list l = { 0 };
	struct buf in;

	buf_init(&in, 4 * size + 64);
	buf_str(&in, "");
	text_utf8(&in, (const char *)data, size);
	words_read(in.data, in.len, check, NULL);
	words_add(&l, in.data, in.len, SIZE_MAX);
	words_add(&l, (const char *)data, size, SIZE_MAX);
	words_free(&l);
	buf_free(&in);
	return 0;
}
