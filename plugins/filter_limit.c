/* filter_limit: keeps at most so many records in a stretch of time, or ever, of the route as a whole or of
 * each source, author, or whatever else is counted apart.
 *
 * Time is when a record was first seen: what is judged once more, after a crash or from the past, is
 * judged as it was. What was kept lies in the state, by a hash of whose it is, in buckets that each have
 * a maximum, so that all of them always fit. When one is full, times are taken together, by which none
 * counts for a shorter time; at last what was kept longest ago is forgotten.
 *
 *	bucket	HASH:TIME*COUNT,+*COUNT...;	hexadecimal; times after the first: ms since the one before;
 *						*COUNT only when it is not 1 */
#include "sift/sift.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS		64
#define BUCKET_MAX	1000		/* bytes of one */
#define ENTRIES		80		/* in one: they have some 25 bytes at least */
#define POINTS		64		/* times of one entry; of more, the nearest are taken together */
#define POINTS_FEW	4		/* so many at least are left to each while a bucket is full */
#define LATE		8		/* a part of the time by which records may come out of turn */
#define RATE_MAX	INT64_C(1000000000)	/* records */
#define TIME_MAX	(INT64_C(366) * 86400000)	/* ms */
#define HASH_BITS	48

/* So many were kept at a time, or since the point before it and at this time at the latest. */
struct point { int64_t when, n; };
struct entry {
	uint64_t	 hash;
	struct point	 point[POINTS + 1];
	size_t		 n;
};
struct bucket {
	char		 key[8];
	struct entry	 entry[ENTRIES + 1];
	size_t		 n;
};
struct rules {
	int64_t		 most, ms;	/* ms 0: ever */
	const char	*time;		/* as configured: "h", "30 min" */
	struct field	 field;		/* of what is counted apart */
	struct texts	 texts;
	struct bucket	 bucket;	/* of the record at hand */
};
struct limit {
	const char	*rate, *per;
	int64_t		 number;
	struct rules	*rules;		/* ours */
};

static const struct cr_option options[] = {
	CR_OPTION(struct limit, rate, STRING, "", NULL,
	    "N/TIME: how many records at most in any such time, such as 10/h or 3/30 min"),
	CR_OPTION(struct limit, number, INT, "", "0..1000000000", "how many records at most, ever"),
	CR_OPTION(struct limit, per, STRING, "", NULL,
	    "source, or another field or extra: what is counted apart"),
	CR_END
};

/* ---- Reading the options ---- */

/* A number, and what stands behind it. -1: there is none, or a larger one than max. */
static int64_t
number(const char **s, int64_t max)
{
	int64_t n = 0;
	size_t digits = strspn(*s, "0123456789");

	if (digits == 0 || digits > 12)
		return -1;
	for (; digits > 0; digits--, ++*s)
		n = n * 10 + (**s - '0');
	*s += strspn(*s, " ");
	return n <= max ? n : -1;
}

/* "h", "30 min": ms, or -1. */
static int64_t
time_read(const char *s)
{
	static const struct { const char *name; int64_t ms; } units[] = {
		{ "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
		{ "w", 604800000 },
	};
	int64_t n = *s >= '0' && *s <= '9' ? number(&s, TIME_MAX / 1000) : 1;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(s, units[i].name) == 0)
			return n > 0 && n <= TIME_MAX / units[i].ms ? n * units[i].ms : -1;
	return -1;
}

static int
rate_read(struct rules *r, const char *rate, char why[SIFT_WHY])
{
	const char *s = rate;

	r->most = number(&s, RATE_MAX);
	if (r->most >= 0 && *s == '/') {
		s++;
		r->time = s + strspn(s, " ");
		r->ms = time_read(r->time);
	}
	if (r->most > 0 && r->ms > 0)
		return 0;
	snprintf(why, SIFT_WHY, "%.100s is no rate: give a number of records, a slash and a time of "
	    "at most a year in s, min, h, d or w, such as 10/h or 3/30 min", rate);
	return -1;
}

static const char *
rules_read(void *rules, const void *opts, char why[SIFT_WHY])
{
	const struct limit *o = opts;
	struct rules *r = rules;

	if (o->rate != NULL && rate_read(r, o->rate, why) == -1)
		return "rate";
	if ((o->rate != NULL) == (o->number > 0)) {
		snprintf(why, SIFT_WHY, "give either rate or number%s", o->rate != NULL ?
		    ": for both, two filters" : "");
		return o->rate != NULL ? "number" : "rate";
	}
	if (o->number > 0)
		r->most = o->number;
	return o->per != NULL && field_read(&r->field, o->per, why) == -1 ? "per" : NULL;
}

static void
rules_clear(void *rules)
{
	struct rules *r = rules;

	texts_free(&r->texts);
}

static const struct rules_kind kind = {
	sizeof(struct rules), offsetof(struct limit, rules), rules_read, rules_clear
};
RULES_PLUGIN(kind)

/* ---- Points ---- */

static void
point_cut(struct entry *e, size_t i)
{
	e->n--;
	memmove(&e->point[i], &e->point[i + 1], (e->n - i) * sizeof(e->point[0]));
}

/* Takes the two nearest together at the later's time: none counts for a shorter time than it has to. */
static void
points_join(struct entry *e)
{
	size_t near = 1, i;

	for (i = 2; i < e->n; i++)
		if (e->point[i].when - e->point[i - 1].when <
		    e->point[near].when - e->point[near - 1].when)
			near = i;
	e->point[near].n += e->point[near - 1].n;
	point_cut(e, near - 1);
}

/* How many were kept in the time that ends with `end`, and with it. */
static int64_t
points_until(const struct entry *e, int64_t end, int64_t ms)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < e->n && e->point[i].when <= end; i++)
		if (ms == 0 || e->point[i].when > end - ms)
			n += e->point[i].n;
	return n;
}

/* The most that were kept in any stretch of time that holds `when`; records may come out of turn. */
static int64_t
points_most(const struct entry *e, int64_t when, int64_t ms)
{
	int64_t most = points_until(e, ms == 0 ? INT64_MAX : when, ms), n;
	size_t i;

	for (i = 0; i < e->n && ms > 0; i++) {
		if (e->point[i].when <= when || e->point[i].when - ms >= when)
			continue;
		n = points_until(e, e->point[i].when, ms);
		most = n > most ? n : most;
	}
	return most;
}

/* Up to when nothing counts any more for records of that time, or of a little before. */
static int64_t
past(int64_t when, int64_t ms)
{
	return ms > 0 ? when - ms - ms / LATE : -1;
}

/* One more at that time; what no longer counts goes. */
static void
points_add(struct entry *e, int64_t when, int64_t ms)
{
	size_t i = 0;

	while (e->n > 0 && e->point[0].when <= past(when, ms))
		point_cut(e, 0);
	while (i < e->n && e->point[i].when < when)
		i++;
	if (i == e->n || e->point[i].when != when) {
		memmove(&e->point[i + 1], &e->point[i], (e->n - i) * sizeof(e->point[0]));
		e->point[i] = (struct point){ when, 0 };
		e->n++;
	}
	e->point[i].n++;
	while (e->n > (ms > 0 ? POINTS : 1))
		points_join(e);
}

/* ---- Buckets ---- */

/* FNV-1a, folded to HASH_BITS. */
static uint64_t
hash(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return (h ^ h >> HASH_BITS) & ((UINT64_C(1) << HASH_BITS) - 1);
}

/* A hexadecimal number that ends with one of `ends`, which is passed over. 0; -1: it is none. */
static int
hex(const char **s, const char *ends, uint64_t *to)
{
	char *end;

	*to = strtoull(*s, &end, 16);
	if (end == *s || strchr(ends, *end) == NULL)
		return -1;
	*s = *end != '\0' ? end + 1 : end;
	return 0;
}

/* The points behind an entry's hash. -1: they are malformed. */
static int
points_read(struct entry *e, const char **s)
{
	uint64_t when = 0, part, n;
	char last;

	do {
		n = 1;
		if (e->n > POINTS || hex(s, "*,;", &part) == -1 ||
		    ((*s)[-1] == '*' && hex(s, ",;", &n) == -1))
			return -1;
		last = (*s)[-1];
		when += part;
		e->point[e->n++] = (struct point){ (int64_t)when, (int64_t)n };
	} while (last == ',');
	return 0;
}

/* What cannot be read is forgotten: it is nobody else's, and of another version at the most. */
static void
bucket_read(struct cr *cr, struct bucket *b, uint64_t hashed)
{
	const char *s;
	struct entry *e;

	b->n = 0;
	snprintf(b->key, sizeof(b->key), "%u", (unsigned)(hashed % BUCKETS));
	if ((s = cr->state_get(cr, b->key)) == NULL)
		return;
	while (*s != '\0' && b->n < ENTRIES) {
		e = &b->entry[b->n];
		e->n = 0;
		if (hex(&s, ":", &e->hash) == -1 || points_read(e, &s) == -1) {
			cr->log(cr, "bucket %s cannot be read from here on: %.60s", b->key, s);
			return;
		}
		b->n++;
	}
}

/* The entry of that hash, made if there is none. */
static struct entry *
bucket_find(struct bucket *b, uint64_t hashed)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (b->entry[i].hash == hashed)
			return &b->entry[i];
	b->entry[b->n].hash = hashed;
	b->entry[b->n].n = 0;
	return &b->entry[b->n++];
}

static size_t
entry_write(const struct entry *e, char *to, size_t room)
{
	int64_t before = 0;
	size_t i, len;

	len = (size_t)snprintf(to, room, "%" PRIx64 ":", e->hash);
	for (i = 0; i < e->n && len < room; i++) {
		len += (size_t)snprintf(to + len, room - len, "%" PRIx64,
		    (uint64_t)(e->point[i].when - before));
		if (e->point[i].n != 1 && len < room)
			len += (size_t)snprintf(to + len, room - len, "*%" PRIx64,
			    (uint64_t)e->point[i].n);
		if (len < room)
			len += (size_t)snprintf(to + len, room - len, i + 1 < e->n ? "," : ";");
		before = e->point[i].when;
	}
	return len;
}

/* -1: it has more than BUCKET_MAX bytes. */
static int
bucket_write(const struct bucket *b, char to[BUCKET_MAX + 1])
{
	size_t len = 0, i;

	for (i = 0; i < b->n && len <= BUCKET_MAX; i++)
		len += entry_write(&b->entry[i], to + len, BUCKET_MAX + 1 - len);
	return len <= BUCKET_MAX ? 0 : -1;
}

/* The entry whose last was kept longest ago, but for that of this hash; b->n: there is no other. */
static size_t
bucket_oldest(const struct bucket *b, uint64_t but)
{
	size_t oldest = b->n, i;
	int64_t at, least = INT64_MAX;

	for (i = 0; i < b->n; i++) {
		at = b->entry[i].point[b->entry[i].n - 1].when;
		if (b->entry[i].hash == but || at >= least)
			continue;
		oldest = i;
		least = at;
	}
	return oldest;
}

static void
bucket_cut(struct bucket *b, size_t i)
{
	b->n--;
	memmove(&b->entry[i], &b->entry[i + 1], (b->n - i) * sizeof(b->entry[0]));
}

/* Makes it smaller: by less exact times first, then by what was kept longest ago. */
static void
bucket_shrink(struct bucket *b, uint64_t hashed)
{
	size_t most = 0, oldest = bucket_oldest(b, hashed), i;

	for (i = 1; i < b->n; i++)
		if (b->entry[i].n > b->entry[most].n)
			most = i;
	if (b->entry[most].n > POINTS_FEW || oldest == b->n)
		points_join(&b->entry[most]);
	else
		bucket_cut(b, oldest);
}

/* Without what no longer counts by that time. -1: state_set() refused it. */
static int
bucket_keep(struct cr *cr, struct bucket *b, uint64_t hashed, int64_t before)
{
	char text[BUCKET_MAX + 1];
	size_t i;

	while ((i = bucket_oldest(b, hashed)) < b->n &&
	    b->entry[i].point[b->entry[i].n - 1].when <= before)
		bucket_cut(b, i);
	while (bucket_write(b, text) == -1)
		bucket_shrink(b, hashed);
	return cr->state_set(cr, b->key, text);
}

/* ---- Verdicts ---- */

/* "th" */
static const char *
ordinal(int64_t n)
{
	static const char *const ends[] = { "th", "st", "nd", "rd" };

	return n % 10 < 4 && (n % 100 < 11 || n % 100 > 13) ? ends[n % 10] : ends[0];
}

/* " of source X within 1 h" */
static void
words(const struct limit *o, const char *whose, char out[SIFT_WHY])
{
	const struct rules *r = o->rules;
	int one = r->time != NULL && (*r->time < '0' || *r->time > '9');
	int len = 0;

	out[0] = '\0';
	if (o->per != NULL && whose[0] != '\0')
		len = snprintf(out, SIFT_WHY, " of %.60s %.200s", o->per, whose);
	else if (o->per != NULL)
		len = snprintf(out, SIFT_WHY, " without %.60s", o->per);
	if (r->ms > 0)
		snprintf(out + len, SIFT_WHY - (size_t)len, " within %s%.40s", one ? "1 " : "",
		    r->time);
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	struct limit *o = opts;
	struct rules *r = o->rules;
	int64_t when = cr->get_time(rec, CR_SEEN), nth;
	const char *whose = NULL;
	char of[SIFT_WHY];
	uint64_t hashed;
	struct entry *e;
	size_t len;

	r->texts.cr = cr;
	r->texts.rec = rec;
	if (o->per != NULL)
		whose = texts_at(&r->texts, &r->field, 0, &len);
	whose = whose != NULL ? whose : "";
	if (when == CR_NO_TIME || when < 0)
		when = cr->now(cr);
	hashed = hash(whose);
	bucket_read(cr, &r->bucket, hashed);
	e = bucket_find(&r->bucket, hashed);
	nth = points_most(e, when, r->ms) + 1;
	words(o, whose, of);
	if (nth > r->most)
		return cr->verdict(cr, CR_DROP, "%" PRId64 "%s%s; the limit is %" PRId64, nth,
		    ordinal(nth), of, r->most);
	points_add(e, when, r->ms);
	if (bucket_keep(cr, &r->bucket, hashed, past(when, r->ms)) == -1)
		return cr->fail(cr, CR_BAD_DATA, "what was kept cannot be noted");
	return cr->verdict(cr, CR_KEEP, "%" PRId64 "%s%s; the limit is %" PRId64, nth, ordinal(nth),
	    of, r->most);
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .needs = 1, .name = "limit", .version = "1",
	.help = "keeps at most so many records in a stretch of time",
	.options = options, .options_size = sizeof(struct limit),
	.check = filter_check, .open = filter_open, .close = filter_close, .filter = filter,
};
