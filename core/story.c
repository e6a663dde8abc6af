/* Stories: exact identity of what several sources speak of. */
#include "story.h"
#include "text.h"
#include "url.h"

#include <string.h>

#define TITLE_MIN	16		/* bytes of a folded title that says enough */
#define TITLE_SPACES	2		/* and spaces in it; text without spaces: TITLE_DENSE */
#define TITLE_DENSE	24		/* bytes */

/* Whether a canonical key names a page or a work, and not a whole site: "host/path", "arxiv:ID". */
static int
names_page(const char *key)
{
	const char *colon = strchr(key, ':');

	if (strpbrk(key, "/?") != NULL)
		return 1;
	return colon != NULL && colon > key &&
	    strspn(colon + 1, "0123456789") != strlen(colon + 1);
}

/* Whether a word of the folded title is a number by itself: it counts issues, days, parts. */
static int
serial(const char *title)
{
	const char *word = title;
	size_t len, digits;

	for (; *word != '\0'; word += len + strspn(word + len, " ")) {
		len = strcspn(word, " ");
		digits = strspn(word, "0123456789");
		if (digits > 0 && digits == len)
			return 1;
	}
	return 0;
}

static int
says_enough(const char *title, size_t len)
{
	size_t spaces = 0, i;

	for (i = 0; i < len; i++)
		spaces += title[i] == ' ';
	return len >= TITLE_MIN && (spaces >= TITLE_SPACES || (spaces == 0 && len >= TITLE_DENSE));
}

static void
add_text(struct digest *d, const struct cr_record *r)
{
	const char *text = record_get(r, CR_CONTENT, 0);
	struct buf b;

	if (text == NULL)
		text = record_get(r, CR_SUMMARY, 0);
	buf_init(&b, RECORD_MAX);
	if (text != NULL)
		text_of_html(&b, text, strlen(text));
	digest_add(d, b.data != NULL ? b.data : "", b.len);
	buf_free(&b);
}

size_t
story_keys(struct digest *d, const struct cr_record *r, int64_t key[STORY_KEYS])
{
	const char *link = record_get(r, CR_LINK, 0), *title = record_get(r, CR_TITLE, 0);
	size_t n = 0;
	struct buf b;

	buf_init(&b, RECORD_LINE_MAX * 4);
	if (link != NULL && url_canonical(&b, link) == 0 && !b.over && names_page(b.data)) {
		digest_begin(d);
		digest_str(d, "link");
		digest_add(d, b.data, b.len);
		key[n++] = digest_end64(d);
	}
	buf_clear(&b);
	if (title != NULL)
		text_title_key(&b, title, strlen(title));
	if (b.data != NULL && !b.over && says_enough(b.data, b.len)) {
		digest_begin(d);
		digest_str(d, "title");
		digest_add(d, b.data, b.len);
		if (serial(b.data))
			add_text(d, r);
		key[n++] = digest_end64(d);
	}
	buf_free(&b);
	return n;
}

/* Whether the story has an item of this source already; first: the source of its first item. */
static int
has_source(struct db *db, int64_t story, int64_t first, int64_t source)
{
	int has = first == source;

	if (has)
		return 1;
	db_bind(db, SQL_MENTIONS, DB_INT(story));
	while (!has && db_step(db, SQL_MENTIONS))
		has = db_int(db, SQL_MENTIONS, 1) == source;
	db_done(db, SQL_MENTIONS);
	return has;
}

/* The story that a key leads to, or 0. */
static int64_t
story_find(struct db *db, int64_t key, int64_t source)
{
	int64_t story = 0, first = 0;

	db_bind(db, SQL_STORY_KEY_FIND, DB_INT(key));
	if (db_step(db, SQL_STORY_KEY_FIND)) {
		story = db_int(db, SQL_STORY_KEY_FIND, 0);
		first = db_int(db, SQL_STORY_KEY_FIND, 1);
	}
	db_done(db, SQL_STORY_KEY_FIND);
	return story != 0 && !has_source(db, story, first, source) ? story : 0;
}

int64_t
story_of(struct db *db, struct digest *d, const struct cr_record *r, int64_t item,
    int64_t source, int64_t *items)
{
	int64_t key[STORY_KEYS], story = 0;
	size_t n = story_keys(d, r, key), i;

	/* The title, which comes last, first: a link to code or to a project stands in several works,
	 * and would join one to another that is told apart by its title. */
	for (i = n; i > 0 && story == 0; i--)
		story = story_find(db, key[i - 1], source);
	if (story != 0) {
		db_run(db, SQL_STORY_MORE, DB_INT(story));
		db_run(db, SQL_MENTION_ADD, DB_INT(story), DB_INT(item), DB_INT(source));
		db_run(db, SQL_WAIT_STORY, DB_INT(story));
		*items = db_get(db, SQL_STORY_COUNT, 1, DB_INT(story));
	} else {
		story = item;
		db_run(db, SQL_STORY_ADD, DB_INT(story));
		*items = 1;
	}
	for (i = 0; i < n; i++)
		db_run(db, SQL_STORY_KEY_ADD, DB_INT(key[i]), DB_INT(story));
	return story;
}
