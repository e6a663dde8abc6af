/* The record that a query names. */
#include "named.h"
#include "found.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "db/reader.h"
#include "record/record.h"
#include "record/story_key.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_MAX	(WORK_IDS + 1)
#define ITEMS_MAX	20		/* records of one key */

/* Adds the items of a statement that has begun. -1: the database failed. */
static int
items_add(struct reader *r, struct found *found)
{
	int rc;

	while ((rc = reader_step(r)) == 1) {
		found_add(found, 0, 0);
		found->row[found->n - 1].item = reader_int(r, 0);
		found->row[found->n - 1].story = reader_int(r, 1);
	}
	reader_done(r);
	if (rc == -1)
		found->why = reader_why(r);
	return rc;
}

/* The keys of a text that is a URL, or an id of a work. Returns their number. */
static size_t
keys_of(const char *text, int64_t key[KEYS_MAX])
{
	struct cr_record *r = record_new();
	struct digest *d = digest_new();
	struct story_keys k;
	size_t n = 0;

	if (strstr(text, "://") != NULL)
		record_set(r, CR_LINK, text, strlen(text));
	else
		record_set_extra(r, strncmp(text, "10.", 3) == 0 ? "doi" : text[0] >= '0' &&
		    text[0] <= '9' ? "arxiv" : "identifier", text);
	story_keys(d, r, &k);
	for (; n < k.ids.n; n++)
		key[n] = k.id[n];
	if (k.link != 0)
		key[n++] = k.link;
	digest_free(d);
	record_free(r);
	return n;
}

int
named(struct reader *r, const char *s, size_t len, struct found *found)
{
	int64_t key[KEYS_MAX];
	unsigned char rid[16];
	char *text;
	size_t n;
	int rc = 0;

	while (len > 0 && text_space((unsigned char)*s))
		s++, len--;
	while (len > 0 && text_space((unsigned char)s[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == '"')
			return 0;
	if (len == 0 || len > RECORD_LINE_MAX || text_valid(s, len) != len)
		return 0;
	if (text_base32_read(rid, s, len) == 0) {
		if (reader_ask(r, LOOK_ITEM_OF, DB_BLOB(rid, sizeof(rid))) == -1) {
			found->why = reader_why(r);
			return -1;
		}
		rc = items_add(r, found);
		return rc == -1 ? -1 : (int)found->n;
	}
	text = xstrndup(s, len);
	n = keys_of(text, key);
	free(text);
	for (size_t i = 0; i < n && rc != -1; i++) {
		rc = reader_ask(r, LOOK_KEY, DB_INT(key[i]), DB_INT(ITEMS_MAX));
		if (rc == -1)
			found->why = reader_why(r);
		else
			rc = items_add(r, found);
	}
	return rc == -1 ? -1 : (int)found->n;
}
