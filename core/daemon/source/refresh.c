/* Polls that an operator asks for: of a source, a group, or all sources whose names have a
 * prefix. */
#include "refresh.h"
#include "due.h"
#include "poll.h"
#include "quota.h"
#include "sources.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/shown.h"
#include "catalog/option.h"
#include "daemon/supervise/disk.h"

#include <stdlib.h>
#include <string.h>

#define TOLD_MAX	10		/* sources that are named in the answer */
#define NEAR_MAX	5000		/* names compared with an unknown one: 20 ms */

/* Why a source is not polled; NULL: it is. note: the remark for a source that runs already. */
static const char *
refuse(struct core *c, size_t i, struct buf *why, const char **note)
{
	const struct run *r = &c->runs[i];
	int64_t wait = r->mark.not_before - date_now();

	if (c->setup->sources[i].own)
		return "the daemon itself makes its records: it is not polled";
	if (c->setup->sources[i].instance->waiting != NULL)
		return c->setup->sources[i].instance->waiting;
	if (quota_held(c, (uint32_t)i)) {
		buf_str(why, "held: ");
		quota_why(c, (uint32_t)i, why);
		return why->data;
	}
	if (disk_low(c)) {
		disk_why(c, why);
		return why->data;
	}
	if (!c->known)
		return "the store role is away; try again";
	if (r->stream != NULL)
		*note = "is a stream, and runs";
	else if (wait > 0) {
		buf_fmt(why, "its server asked to wait for %lld s more", (long long)wait / 1000);
		return why->data;
	} else if (r->poll != NULL) {
		r->poll->again = 1;
		*note = "is being polled, and will be once more after that";
	}
	return NULL;
}

/* -1: the source is not polled. told: sources named so far, counted up. */
static int
poll_one(struct core *c, size_t i, int alone, size_t *told, struct buf *said)
{
	const char *name = c->setup->sources[i].name, *note = NULL, *why;
	struct buf text;

	buf_init(&text, 256);
	why = refuse(c, i, &text, &note);
	if (why == NULL && note == NULL) {
		c->runs[i].mark.due = date_now();
		due_set(c, (uint32_t)i);
	}
	if (why != NULL && (*told)++ < TOLD_MAX)
		shown_fmt(said, "%s: %s\n", name, why);
	else if (note != NULL && alone)
		shown_fmt(said, "%s %s\n", name, note);
	buf_free(&text);
	return why != NULL ? -1 : 0;
}

static void
tell_unknown(const struct core *c, const char *which, struct buf *said)
{
	size_t n = c->setup->nsources < NEAR_MAX ? c->setup->nsources : NEAR_MAX, i, names = 0;
	const char **name = xcalloc(2 * n + 1, sizeof(*name)), *near;
	char **group = xcalloc(n + 1, sizeof(*group)), *slash;

	for (i = 0; i < n; i++) {
		name[names++] = c->setup->sources[i].name;
		group[i] = xstrdup(c->setup->sources[i].name);
		slash = strchr(group[i], '/');
		if (slash != NULL) {
			*slash = '\0';
			name[names++] = group[i];
		}
	}
	near = option_nearest(which, name, names);
	shown_fmt(said, "there is no source or group %s%s%s%s\n", which,
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
	for (i = 0; i < n; i++)
		free(group[i]);
	free(group);
	free(name);
}

/* Whether `which` names the source: exactly, or else as its group or as a prefix before a last
 * *. */
static int
is_meant(const char *name, const char *which, int exact)
{
	size_t len = strlen(which);

	if (exact)
		return strcmp(name, which) == 0;
	if (len > 0 && which[len - 1] == '*')
		return strncmp(name, which, len - 1) == 0;
	return strncmp(name, which, len) == 0 && name[len] == '/';
}

/* Polls all sources that `which` names, and returns their number. failed: counts those not
 * polled. */
static size_t
poll_all(struct core *c, const char *which, int exact, size_t *failed, struct buf *said)
{
	size_t n = 0, told = 0;

	for (size_t i = 0; i < c->setup->nsources; i++)
		if ((exact || !c->setup->sources[i].own) &&
		    is_meant(c->setup->sources[i].name, which, exact)) {
			n++;
			*failed += poll_one(c, i, exact, &told, said) == -1;
		}
	return n;
}

int
refresh_now(struct core *c, const char *which, struct buf *said)
{
	size_t failed = 0, n = poll_all(c, which, 1, &failed, said);

	if (n == 0 && (n = poll_all(c, which, 0, &failed, said)) > 0) {
		if (failed > TOLD_MAX)
			shown_fmt(said, "and %zu more\n", failed - TOLD_MAX);
		shown_fmt(said, "%zu of %zu sources are polled\n", n - failed, n);
	}
	if (n == 0)
		tell_unknown(c, which, said);
	return n == 0 || failed > 0 ? -1 : 0;
}
