/* What sinks share that hand records on one message after the other. */
#include "delivery.h"
#include "feed_out/feed_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY	INT64_C(86400000)	/* ms */

void
delivery_id(struct cr *cr, const struct cr_record *const *items, size_t n, char id[DELIVERY_ID])
{
	const char *value = json_member(cr->json(items[0]), "id");
	int len = value != NULL && *value == '"' ? (int)strcspn(value + 1, "\"") : 0;

	if (n == 1)
		snprintf(id, DELIVERY_ID, "%.*s", len, len > 0 ? value + 1 : "");
	else
		snprintf(id, DELIVERY_ID, "%.*s-b%zu", len, len > 0 ? value + 1 : "", n);
}

int
delivery_now(const struct cr_batch *batch, size_t at, size_t most)
{
	return at == 0 ? batch->n > 0 : batch->n - at >= most;
}

/* ---- Retries ---- */

/* "5 s", "30 min", "2 h" in ms; -1: not one of these, or over a day. */
static int64_t
duration(const char *s)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", DAY },
	};
	char *end;
	long n = strtol(s, &end, 10);
	size_t i;

	if (*s < '0' || *s > '9' || n < 0 || n > DAY)
		return -1;
	end += strspn(end, " ");
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0 && n <= DAY / units[i].ms)
			return n * units[i].ms;
	return n == 0 && *end == '\0' ? 0 : -1;
}

int
retries_check(struct cr *cr, const char *const *list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
		if (i == RETRIES_MAX)
			return cr->fail(cr, CR_BAD_OPTION, "retry: more than %d delays",
			    RETRIES_MAX);
		if (duration(list[i]) == -1)
			return cr->fail(cr, CR_BAD_OPTION, "retry: \"%s\" is no delay of up to a "
			    "day, such as 5 s, 30 min, 2 h", list[i]);
	}
	return 0;
}

void
retries_read(struct retries *r, const char *const *list)
{
	r->n = 0;
	for (; list != NULL && *list != NULL && r->n < RETRIES_MAX; list++)
		r->delay[r->n++] = duration(*list);
}

int64_t
retries_spread(const char *id, int64_t ms)
{
	uint32_t h = 2166136261u;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return ms + ms / 10 * (h % 100) / 100;
}

/* ---- Which record is refused ---- */

int
culprit_near(const struct culprit *c, const char *id)
{
	return c->among > 0 && strcmp(c->first, id) == 0;
}

size_t
culprit_most(const struct culprit *c, const char *id, size_t most)
{
	size_t half = c->among > 1 ? c->among / 2 : 1;

	if (!culprit_near(c, id))
		return most;
	return half < most ? half : most;
}

void
culprit_refused(struct culprit *c, const char *id, size_t n)
{
	c->among = n;
	snprintf(c->first, sizeof(c->first), "%s", id);
}

void
culprit_taken(struct culprit *c, const char *id, size_t n, const char *next)
{
	c->among = culprit_near(c, id) && c->among > n && next != NULL ? c->among - n : 0;
	snprintf(c->first, sizeof(c->first), "%s", c->among > 0 ? next : "");
}
