/* Two records from anywhere, of four lines each: title, text, link, id. Their comparison has one answer
 * in both orders; a record is as a copy of it; keys repeat; an id is an id in its own words. */
#include "base/buf.h"
#include "base/utf8.h"
#include "record/same.h"
#include "record/work.h"

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

/* Sets the record's fields to the lines at s; returns what follows them. */
static const char *
fill(struct cr_record *r, const char *s)
{
	static const int fields[] = { CR_TITLE, CR_CONTENT, CR_LINK, CR_GUID };
	size_t n;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		n = strcspn(s, "\n");
		record_set(r, fields[i], s, n);
		s += n + (s[n] == '\n');
	}
	if (record_get(r, CR_GUID, 0) != NULL)
		record_set_extra(r, "doi", record_get(r, CR_GUID, 0));
	return s;
}

static void
keys_repeat(struct near_text *t, const struct cr_record *r)
{
	int64_t key[NEAR_KEYS], again[NEAR_KEYS];
	size_t n = near_keys(t, key);

	near_read(t, r);
	need(n <= NEAR_KEYS && near_keys(t, again) == n);
	need(n == 0 || memcmp(key, again, n * sizeof(key[0])) == 0);
	for (size_t i = 0; i < n; i++)
		need(key[i] != 0);
}

static void
ids_hold(const struct cr_record *r)
{
	struct work_ids ids;

	work_ids(&ids, r);
	need(ids.n <= WORK_IDS && work_ids_clash(&ids, &ids) == NULL);
	for (size_t i = 0; i < ids.n; i++) {
		need(strchr(ids.id[i], ':') != NULL && strlen(ids.id[i]) <= WORK_ID_MAX);
		for (const char *s = ids.id[i]; *s != '\0'; s++)
			need((unsigned char)*s > ' ' && *s != 0x7f);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cr_record *a = record_new(), *b = record_new();
	struct near_text *x = near_new(), *y = near_new();
	char why[SAME_WHY], other[SAME_WHY];
	struct buf clean;
	int same;

	buf_init(&clean, 4 * size + 64);
	buf_str(&clean, "");
	text_utf8(&clean, (const char *)data, size);
	fill(b, fill(a, clean.data));
	near_read(x, a);
	near_read(y, b);
	same = same_story(x, y, 0, why);
	need(same_story(y, x, 0, other) == same && strcmp(why, other) == 0);
	need(!same_story(x, y, 1, why) || same);
	keys_repeat(x, a);
	keys_repeat(y, b);
	ids_hold(a);
	ids_hold(b);
	near_read(x, a);
	near_read(y, a);
	same_story(x, y, 0, why);
	need(x->words == 0 || x->body_words == 0 || same_story(x, y, 1, why));
	near_free(x);
	near_free(y);
	record_free(a);
	record_free(b);
	buf_free(&clean);
	return 0;
}
