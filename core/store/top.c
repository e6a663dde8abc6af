/* "Entered the first N": a record of the source courant/top for each story and N, once for ever. Its
 * guid is top/N/ID, ID being that of the story's first record. A story into which others were joined has
 * entered if one of them has. */
#include "top.h"
#include "book.h"
#include "document.h"
#include "item.h"
#include "item_name.h"
#include "roster.h"
#include "story.h"
#include "story_heat.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ipc/msg.h"
#include "record/record.h"
#include "record/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
top_take(struct book *book, struct roster *roster, const struct store_source *s, const uint32_t *id,
    size_t n)
{
	struct mark m = { .checked = date_now(), .due = INT64_MAX, .state = MARK_OK };

	book->top_source = 0;
	book->nmoved = 0;
	for (size_t i = 0; i < n && book->top > 0; i++)
		if (strcmp(s[i].name, TOP_SOURCE) == 0)
			book->top_source = id[i];
	if (book->top_source == 0)
		return;
	m.ok = m.checked;			/* it is always well: there is nothing to be polled */
	roster_mark(roster, book->top_source, &m);
}

/* The record that says so of the item; or without anything but its guid. Freed by the caller. NULL: the
 * item's record is not stored. */
static struct cr_record *
entrance(struct book *book, int64_t item, int64_t rank, int64_t when, int whole)
{
	struct cr_record *r = record_new(), *of;
	char rid[TEXT_BASE32_16], text[64];

	book_rid(book, item, rid);
	of = whole ? book_last(&book->db, item, NULL) : NULL;
	if (whole && of == NULL) {
		record_free(r);
		return NULL;
	}
	if (of != NULL) {
		record_overlay(r, of);
		record_free(of);
		record_set_time(r, CR_PUBLISHED, when);
		record_set_time(r, CR_UPDATED, CR_NO_TIME);
		record_set_extra(r, "story", rid);
		snprintf(text, sizeof(text), "%u", book->top);
		record_set_extra(r, "top", text);
		snprintf(text, sizeof(text), "%lld", (long long)rank);
		record_set_extra(r, "rank", text);
	}
	snprintf(text, sizeof(text), "top/%u/%s", book->top, rid);
	record_set(r, CR_GUID, text, strlen(text));
	return r;
}

/* Whether the story, by one of its items, has entered the first N before. */
static int
entered(struct book *book, int64_t story)
{
	int64_t *item, key;
	struct cr_record *r;
	size_t n, i;
	int is = 0;

	item = story_items(book, story, &n);
	for (i = 0; i < n && !is; i++) {
		r = entrance(book, item[i], 0, 0, 0);
		key = item_key(book->digest, r, NAME_PLAIN, 0);
		is = db_get(&book->db, SQL_KEY_FIND, 0, DB_INT(book->top_source), DB_INT(key),
		    DB_INT(1)) != 0;
		record_free(r);
	}
	free(item);
	return is;
}

/* Stores the record as one that came from the source. */
static void
entrance_store(struct book *book, struct roster *roster, const struct cr_record *r, int64_t when)
{
	struct item_source source = *roster_get(roster, book->top_source);
	struct document_counts counted;
	struct document *doc;
	struct buf b;
	size_t begun;

	buf_init(&b, 2 * RECORD_MAX);
	begun = result_begin(&b, RESULT_RECORD);
	record_write(r, &b);
	result_end(&b, begun);
	doc = b.over || record_bad(r) != NULL ? NULL : document_new(book->digest, b.data, b.len);
	if (doc == NULL || doc->refused > 0)
		log_warn("%s: no record for %s: %s", TOP_SOURCE, record_get(r, CR_GUID, 0),
		    doc != NULL ? doc->fault : "it is too long");
	else {
		source.firsts = -1;
		document_store(doc, book, &source, when, &counted);
	}
	document_free(doc);
	buf_free(&b);
}

static void
story_check(struct book *book, struct roster *roster, int64_t story, int64_t when)
{
	struct story_heat s;
	struct cr_record *r;
	int64_t rank;

	heat_get(&book->db, story, &s);
	rank = heat_rank(&book->db, s.heat, book->top);
	if (rank == 0 || story_hidden(book, story) != 0 || entered(book, story) ||
	    (r = entrance(book, story, rank, when, 1)) == NULL)
		return;
	entrance_store(book, roster, r, when);
	record_free(r);
}

void
top_check(struct book *book, struct roster *roster, int64_t when)
{
	size_t n = book->nmoved;

	book->nmoved = 0;
	for (size_t i = 0; i < n && book->top_source != 0; i++)
		story_check(book, roster, book->moved[i], when);
}
