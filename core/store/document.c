/* Reads the entries of a document, finds repeated ones, and puts them into chronological order.
 *
 * Entries are logged oldest first, by their dates; an entry without a date is placed beside the
 * older of its neighbours. Where dates do not decide, the end of the document counts as older than
 * its beginning, unless most of the dated entries are in the opposite order. The further pages of a
 * walk are logged in the order in which they arrive. */
#include "document.h"
#include "item_name.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "record/result.h"
#include "record/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUID_REPEATS	100		/* different entries with one guid in a document */

struct cr_record *
entry_record(struct entry *e)
{
	if (e->record == NULL && (e->record = record_read(e->bytes, e->len)) == NULL)
		fatal("a record that was read once cannot be read again");
	return e->record;
}

const struct features *
entry_features(struct document *doc, struct entry *e)
{
	if (!e->compared)
		item_features(doc->digest, entry_record(e), &e->features);
	e->compared = 1;
	return &e->features;
}

double
document_per_day(struct document *doc)
{
	int64_t first = INT64_MAX, last = INT64_MIN, date;
	double dated = 0, days;

	for (size_t i = 0; doc->per_day <= 0 && i < doc->n; i++) {
		if (doc->entries[i].date == CR_NO_TIME)
			continue;
		date = doc->entries[i].date < doc->now ? doc->entries[i].date : doc->now;
		first = date < first ? date : first;
		last = date > last ? date : last;
		dated++;
	}
	if (doc->per_day <= 0) {
		days = dated > 0 ? ((double)last - (double)first) / 86400e3 : 0;
		doc->per_day = dated > (days < 1 ? 1 : days) ? dated / (days < 1 ? 1 : days) : 1;
	}
	return doc->per_day;
}

void
entry_rest(struct document *doc, struct entry *e)
{
	if (doc->parsed <= DOCUMENT_PARSED)
		return;
	record_free(e->record);
	e->record = NULL;
}

/* Whether the verifier takes a record of the results; if not, it is counted. */
static int
verified(struct document *doc, struct bytes b, enum verify_as as)
{
	char why[VERIFY_WHY];

	if (verify_record(b, as, doc->now, why) == 0)
		return 1;
	if (doc->refused++ == 0 && as == VERIFY_FEED)
		snprintf(doc->fault, sizeof(doc->fault), "what it says of itself: %s", why);
	else if (doc->refused == 1)
		snprintf(doc->fault, sizeof(doc->fault), "record %zu: %s", doc->records, why);
	return 0;
}

static int
entry_add(struct document *doc, const struct wire *body)
{
	struct entry *e;

	if (doc->records++ == DOCUMENT_RECORDS)
		return -1;
	if (doc->n == doc->cap) {
		doc->cap = doc->cap > 0 ? doc->cap * 2 : 64;
		doc->entries = xreallocarray(doc->entries, doc->cap, sizeof(*doc->entries));
	}
	e = &doc->entries[doc->n];
	*e = (struct entry){ .bytes = (const char *)body->at,
		.len = (size_t)(body->end - body->at) };
	if (!verified(doc, (struct bytes){ e->bytes, e->len }, VERIFY_RECORD))
		return 0;
	e->record = record_read(e->bytes, e->len);
	if (e->record == NULL)
		return -1;
	doc->n++;
	e->key = item_key(doc->digest, e->record, NAME_PLAIN, 0);
	e->folded = item_key_folded(doc->digest, e->record, e->key);
	e->date = record_date(e->record, CR_NO_TIME);
	e->guid = record_get(e->record, CR_GUID, 0) != NULL;
	doc->guids += (size_t)e->guid;
	e->by_link = !e->guid && record_get(e->record, CR_LINK, 0) != NULL;
	doc->parsed += e->len;
	entry_rest(doc, e);
	return 0;
}

/* Takes what the document says of itself, which it says once. */
static int
feed_set(struct document *doc, const struct wire *body)
{
	const struct bytes b = { (const char *)body->at, (size_t)(body->end - body->at) };

	if (doc->feeds++ > 0)
		return -1;
	if (verified(doc, b, VERIFY_FEED))
		doc->feed = b;
	return 0;
}

static int
state_add(struct document *doc, struct wire *body)
{
	struct result_state s;

	if (result_state_read(body, &s) == -1 || s.rule != NULL || doc->nstates == DOCUMENT_STATES)
		return -1;
	doc->states = xreallocarray(doc->states, doc->nstates + 1, sizeof(s));
	doc->states[doc->nstates++] = s;
	return 0;
}

static int
request_add(struct document *doc, struct wire *body)
{
	struct result_request q;

	wire_get(body, result_request, &q);
	if (wire_end(body) == -1 || doc->nrequests == RESULT_REQUESTS ||
	    result_request_bad(&q) != NULL)
		return -1;
	doc->requests = xreallocarray(doc->requests, doc->nrequests + 1, sizeof(q));
	doc->requests[doc->nrequests++] = q;
	return 0;
}

static int
document_add(struct document *doc, enum result_kind kind, struct wire *body)
{
	switch (kind) {
	case RESULT_RECORD:
		return entry_add(doc, body);
	case RESULT_FEED:
		return feed_set(doc, body);
	case RESULT_STATE:
		return state_add(doc, body);
	case RESULT_REQUEST:
		return request_add(doc, body);
	default:
		return -1;
	}
}

/* Compares two entries whose names are equal apart from case: b is a duplicate of a, or the
 * document needs names with more fields. */
static void
entry_pair(struct document *doc, struct entry *a, struct entry *b)
{
	const struct features *x = entry_features(doc, a), *y = entry_features(doc, b);
	int link = x->link == y->link, title = x->title == y->title;
	enum naming needs = NAME_PLAIN;

	if (a->key != b->key) {
		b->same |= (link && x->link != 0) || (title && x->title != 0);
		return;
	}
	if (!a->guid || (link && title))
		b->same = 1;
	else
		needs = link && x->link != 0 ? NAME_FULL : NAME_JOINED;
	if (needs != NAME_PLAIN)
		a->repeated = b->repeated = 1;
	if (needs > doc->naming)
		doc->naming = needs;
}

static int
by_folded(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	if (x->folded != y->folded)
		return x->folded < y->folded ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int
by_full(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	if (x->full != y->full)
		return x->full < y->full ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Entries without a guid that share a link: those that differ in title or date are named by link,
 * title and date; the others are duplicates. */
static void
link_shared(struct entry **sorted, size_t n)
{
	size_t i, differ = 0;

	qsort(sorted, n, sizeof(struct entry *), by_full);
	for (i = 1; i < n; i++) {
		sorted[i]->same = sorted[i]->full == sorted[i - 1]->full;
		differ += !sorted[i]->same;
	}
	for (i = 0; i < n && differ == 0; i++)
		sorted[i]->full = 0;
}

/* A guid repeated more than GUID_REPEATS times identifies nothing: the entries count as versions of
 * one, of which the first is stored. */
static void
guid_flood(struct entry **sorted, size_t n)
{
	size_t i;

	for (i = 1; n > GUID_REPEATS && i < n; i++)
		sorted[i]->same = 1;
}

/* Handles the entries at the front of `sorted` that have one name; returns their number. */
static size_t
entries_alike(struct entry **sorted, size_t left)
{
	size_t n = 1;

	while (n < left && sorted[n]->key == sorted[0]->key)
		n++;
	if (n == 1)
		return n;
	if (sorted[0]->guid)
		guid_flood(sorted, n);
	else if (sorted[0]->by_link)
		link_shared(sorted, n);
	return n;
}

/* The place of the first entry without a guid that has this link; doc->n: none. */
static size_t
link_place(const struct document *doc, struct entry *const *sorted, int64_t link)
{
	size_t low = 0, high = doc->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (sorted[mid]->folded < link)
			low = mid + 1;
		else
			high = mid;
	}
	return low < doc->n && sorted[low]->key == link ? low : doc->n;
}

/* The phases: each call does a part, at doc->at. 1: the phase is over; -1: malformed. */

static int
phase_read(struct document *doc)
{
	enum result_kind kind;
	struct wire body;
	int more = result_next(&doc->rest, &kind, &body);

	if (more == 1 && document_add(doc, kind, &body) == 0) {
		doc->at++;
		return 0;
	}
	if (more == 1)
		snprintf(doc->fault, sizeof(doc->fault), "item %zu, of kind %d, is malformed",
		    doc->at + 1, (int)kind);
	if (more == -1)
		snprintf(doc->fault, sizeof(doc->fault), "cut off behind item %zu", doc->at);
	return more == 0 ? 1 : -1;
}

static int
phase_sort(struct document *doc)
{
	doc->sorted = xcalloc(doc->n, sizeof(struct entry *));
	for (size_t i = 0; i < doc->n; i++)
		doc->sorted[i] = &doc->entries[i];
	qsort(doc->sorted, doc->n, sizeof(struct entry *), by_folded);
	return 1;
}

/* The full name of an entry without a guid whose link is another's as well. */
static int
phase_shared(struct document *doc)
{
	size_t i = doc->at++;
	struct entry *e;

	if (i >= doc->n)
		return 1;
	e = doc->sorted[i];
	if (e->by_link && ((i > 0 && doc->sorted[i - 1]->key == e->key) ||
	    (i + 1 < doc->n && doc->sorted[i + 1]->key == e->key))) {
		e->full = item_key(doc->digest, entry_record(e), NAME_PLAIN, 1);
		entry_rest(doc, e);
	}
	return 0;
}

static int
phase_alike(struct document *doc)
{
	if (doc->at >= doc->n)
		return 1;
	doc->at += entries_alike(doc->sorted + doc->at, doc->n - doc->at);
	return 0;
}

/* Finds names that occur more than once. An entry is compared with the entries of the same name
 * before it, until one is a duplicate, and with NEAR of them at most: that suffices to find the
 * naming that the document needs. */
static int
phase_pairs(struct document *doc)
{
	enum { NEAR = 32 };
	struct entry **sorted = doc->sorted;
	size_t i = doc->at++, j;

	if (i >= doc->n)
		return 1;
	for (j = i; j-- > 0 && i - j <= NEAR && !sorted[i]->same &&
	    sorted[j]->folded == sorted[i]->folded && sorted[i]->full == 0;)
		if (!sorted[j]->same) {
			entry_pair(doc, sorted[j], sorted[i]);
			entry_rest(doc, sorted[j]);
		}
	entry_rest(doc, sorted[i]);
	return 0;
}

/* Finds links shared between entries with a guid and entries without one: the latter are then named
 * by link, title and date. */
static int
phase_across(struct document *doc)
{
	struct entry *e, **sorted = doc->sorted;
	size_t k;

	if (doc->at >= doc->n || doc->guids == 0 || doc->guids == doc->n)
		return 1;
	e = &doc->entries[doc->at++];
	if (!e->guid || e->same || (e->linked = item_key_link(doc->digest, entry_record(e))) == 0)
		return 0;
	entry_rest(doc, e);
	k = link_place(doc, sorted, e->linked);
	e->linked_too = k < doc->n;
	for (; k < doc->n && sorted[k]->key == e->linked && sorted[k]->full == 0; k++) {
		if (sorted[k]->same)
			continue;	/* it is never stored */
		sorted[k]->full = item_key(doc->digest, entry_record(sorted[k]), NAME_PLAIN, 1);
		entry_rest(doc, sorted[k]);
	}
	return 0;
}

int
document_read(struct document *doc, int64_t until)
{
	static int (*const phases[])(struct document *) = {
		[PHASE_READ] = phase_read, [PHASE_SORT] = phase_sort, [PHASE_SHARED] = phase_shared,
		[PHASE_ALIKE] = phase_alike, [PHASE_PAIRS] = phase_pairs,
		[PHASE_ACROSS] = phase_across,
	};
	int rc;

	while (doc->phase < PHASE_WHOLE) {
		if ((rc = phases[doc->phase](doc)) == -1)
			return -1;
		if (rc == 1) {
			doc->phase++;
			doc->at = 0;
		}
		if (date_ticks() >= until)
			break;
	}
	return doc->phase < PHASE_WHOLE;
}

struct document *
document_begin(struct digest *digest, const void *results, size_t len)
{
	struct document *doc = xcalloc(1, sizeof(*doc));

	doc->digest = digest;
	doc->now = date_now();
	wire_init(&doc->rest, results, len);
	return doc;
}

struct document *
document_new(struct digest *digest, const void *results, size_t len)
{
	struct document *doc = document_begin(digest, results, len);

	if (document_read(doc, INT64_MAX) == 0)
		return doc;
	document_free(doc);
	return NULL;
}

void
document_sequence(struct document *doc)
{
	size_t i;

	doc->sequence = 1;
	doc->naming = NAME_PLAIN;
	for (i = 0; i < doc->n; i++) {
		doc->entries[i].same = doc->entries[i].repeated = doc->entries[i].linked_too = 0;
		doc->entries[i].full = 0;
	}
}

void
document_free(struct document *doc)
{
	size_t i;

	if (doc == NULL)
		return;
	for (i = 0; i < doc->n; i++)
		record_free(doc->entries[i].record);
	free(doc->entries);
	free(doc->sorted);
	free(doc->order);
	free(doc->seen);
	free(doc->sharing);
	free(doc->claims);
	free(doc->states);
	free(doc->requests);
	free(doc);
}

struct bytes
document_feed(const struct document *doc)
{
	return doc->feed;
}

const struct result_state *
document_states(const struct document *doc, size_t *n)
{
	*n = doc->nstates;
	return doc->states;
}

const struct result_request *
document_requests(const struct document *doc, size_t *n)
{
	*n = doc->nrequests;
	return doc->requests;
}

/* ---- The order of the entries ---- */

/* An entry's sort key: its date, or one by its neighbours, then its position. */
struct place { int64_t date; size_t at; struct entry *e; };

static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Counts the pairs of dates[n] in which the later one in the array is older, sorting the array. spare has
 * room for n. */
static uint64_t
count_down(int64_t *dates, int64_t *spare, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;
	uint64_t down;

	if (n < 2)
		return 0;
	down = count_down(dates, spare, half) + count_down(dates + half, spare, n - half);
	while (k < n) {
		if (j == n || (i < half && dates[i] <= dates[j])) {
			spare[k++] = dates[i++];
		} else {
			down += half - i;
			spare[k++] = dates[j++];
		}
	}
	memcpy(dates, spare, n * sizeof(*dates));
	return down;
}

/* Pairs of equal dates in sorted dates[n]. */
static uint64_t
count_equal(const int64_t *dates, size_t n)
{
	uint64_t equal = 0, run = 0;

	for (size_t i = 1; i < n; i++) {
		run = dates[i] == dates[i - 1] ? run + 1 : 0;
		equal += run;
	}
	return equal;
}

/* Whether the entries are in ascending order, by all pairs of dated entries: some wrong dates, also at
 * the ends, and days that are ordered by themselves turn nothing round. If as many pairs ascend as
 * descend, the dates of neighbours decide. */
static int
oldest_first(const struct document *doc)
{
	int64_t *dates = xcalloc(2 * doc->n, sizeof(*dates));
	uint64_t up, down, steps_up = 0, steps_down = 0;
	size_t n = 0, i;

	for (i = 0; i < doc->n; i++) {
		if (doc->entries[i].date == CR_NO_TIME)
			continue;
		steps_up += n > 0 && doc->entries[i].date > dates[n - 1];
		steps_down += n > 0 && doc->entries[i].date < dates[n - 1];
		dates[n++] = doc->entries[i].date;
	}
	down = count_down(dates, dates + doc->n, n);
	up = n == 0 ? 0 : (uint64_t)n * (n - 1) / 2 - down - count_equal(dates, n);
	free(dates);
	return up != down ? up > down : steps_up > steps_down;
}

/* The date that an entry without one is sorted by: that of the dated entry before, unless this is out of
 * order with its dated neighbours, of which it is then the middle one. CR_NO_TIME: none is before. */
static int64_t
date_between(int64_t older, int64_t before, int64_t next)
{
	int64_t low = older < next ? older : next, high = older < next ? next : older;

	if (before == CR_NO_TIME)
		return CR_NO_TIME;
	return before < low ? low : before > high ? high : before;
}

struct entry **
document_order(struct document *doc)
{
	struct entry **order = xcalloc(doc->n, sizeof(struct entry *));
	struct place *place = xcalloc(doc->n, sizeof(*place));
	int forward = doc->sequence || oldest_first(doc);
	int64_t older = CR_NO_TIME, before = CR_NO_TIME, next = INT64_MAX, date;
	size_t i;

	for (i = 0; i < doc->n; i++)
		place[i] = (struct place){ CR_NO_TIME, i, &doc->entries[forward ? i : doc->n - 1 - i] };
	/* from the end: where an entry has no date, that of the next dated one */
	for (i = doc->n; i-- > 0 && !doc->sequence;) {
		if (place[i].e->date != CR_NO_TIME)
			next = place[i].e->date;
		place[i].date = next;
	}
	for (i = 0; i < doc->n && !doc->sequence; i++) {
		if ((date = place[i].e->date) != CR_NO_TIME) {
			older = before;
			before = date;
		} else
			place[i].date = date_between(older, before, place[i].date);
	}
	qsort(place, doc->n, sizeof(*place), by_place);
	for (i = 0; i < doc->n; i++)
		order[i] = place[i].e;
	free(place);
	return order;
}
