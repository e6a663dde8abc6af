/* The host's jobs of a poll: parse() of a page, whose records and feed properties go into the
 * results, and plan(), which requests the first pages. */
#include "host_parse.h"
#include "host.h"
#include "host_ask.h"
#include "host_record.h"
#include "host_slot.h"
#include "host_state.h"
#include "html.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/url.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/field.h"
#include "record/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MINUTE		INT64_C(60000)
#define TTL_MAX		(366 * 24 * 60 * MINUTE)

static int
parsing(void)
{
	return host.phase == PHASE_PARSE;
}

/* ---- Properties of the document ---- */

static struct cr_record *
cr_feed(struct cr *cr)
{
	(void)cr;
	if (!parsing())
		return NULL;
	if (host.feed == NULL)
		host.feed = record_new();
	return host.feed;
}

static int CR_PRINTF(2, 3)
cr_partial(struct cr *cr, const char *fmt, ...)
{
	va_list ap;

	(void)cr;
	if (!parsing())
		return -1;
	if (host.partial[0] != '\0')
		return 0;
	va_start(ap, fmt);
	host_reason(host.partial, fmt, ap);
	va_end(ap);
	if (host.partial[0] == '\0')
		strcpy(host.partial, "incomplete");
	return 0;
}

static int
cr_base(struct cr *cr, const char *url)
{
	struct buf made;

	(void)cr;
	if (!parsing())
		return -1;
	buf_init(&made, URL_MAX);
	if (url != NULL && url_resolve(&made, host.page->url, url) == -1) {
		buf_free(&made);
		return -1;
	}
	buf_clear(&host.base);
	buf_str(&host.base, url != NULL ? made.data : host.page->url);
	buf_free(&made);
	return 0;
}

/* ---- Pages and their headers ---- */

/* The value, *len bytes, of the nth header with the name, in "name: value\n" lines; NULL: none. */
static const char *
header_nth(const char *lines, const char *name, size_t nth, size_t *len)
{
	size_t n = strlen(name);
	const char *end;

	for (; lines != NULL && *lines != '\0'; lines = *end != '\0' ? end + 1 : end) {
		end = strchrnul(lines, '\n');
		if (strncasecmp(lines, name, n) != 0 || lines[n] != ':' || nth-- > 0)
			continue;
		lines += n + 1;
		while (lines < end && (*lines == ' ' || *lines == '\t'))
			lines++;
		while (end > lines && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
			end--;
		*len = (size_t)(end - lines);
		return lines;
	}
	return NULL;
}

static const char *
cr_header(struct cr *cr, const char *name)
{
	const char *value;
	size_t len;

	(void)cr;
	if (!parsing() || name == NULL || name[0] == '\0')
		return NULL;
	value = header_nth(host.page->headers, name, 0, &len);
	return value != NULL ? host_lend_text(value, len) : NULL;
}

/* Whether the list of relation types from s to end has rel (RFC 8288 3.3). */
static int
has_rel(const char *s, const char *end, const char *rel)
{
	size_t n = strlen(rel), len;

	while (s < end) {
		while (s < end && (text_space((unsigned char)*s) || *s == '"'))
			s++;
		for (len = 0; s + len < end && !text_space((unsigned char)s[len]) &&
		    s[len] != '"'; len++)
			;
		if (len == n && strncasecmp(s, rel, n) == 0)
			return 1;
		s += len;
	}
	return 0;
}

/* The end of a parameter's value: at ';' or ',' outside of quotes. */
static const char *
value_end(const char *s, const char *end)
{
	int quoted = 0;

	for (; s < end; s++)
		if (*s == '"')
			quoted = !quoted;
		else if (quoted && *s == '\\' && s + 1 < end)
			s++;
		else if (!quoted && (*s == ';' || *s == ','))
			break;
	return s;
}

/* Reads a link-value, "<target>; name=value; ...", and moves *s past it and its comma. Returns
 * whether its first rel parameter has rel (RFC 8288 3.3: later ones are ignored). */
static int
link_value(const char **s, const char *end, const char *rel, const char **target, size_t *len)
{
	const char *at = memchr(*s, '<', (size_t)(end - *s)), *stop;
	int seen = 0, found = 0;

	*s = end;
	if (at == NULL || (stop = memchr(at, '>', (size_t)(end - at))) == NULL)
		return 0;
	*target = at + 1;
	*len = (size_t)(stop - at - 1);
	for (at = stop + 1; at < end && *at != ','; at = stop) {
		while (at < end && (*at == ';' || text_space((unsigned char)*at)))
			at++;
		stop = value_end(at, end);
		if (!seen && stop - at > 4 && strncasecmp(at, "rel", 3) == 0 &&
		    (at[3] == '=' || text_space((unsigned char)at[3]))) {
			seen = 1;
			at = memchr(at, '=', (size_t)(stop - at));
			found = at != NULL && has_rel(at + 1, stop, rel);
		}
	}
	*s = at < end ? at + 1 : end;
	return found;
}

static const char *
cr_link(struct cr *cr, const char *rel)
{
	const char *s, *end, *target, *ref;
	size_t nth, len, n;

	(void)cr;
	if (!parsing() || rel == NULL || rel[0] == '\0')
		return NULL;
	for (nth = 0; (s = header_nth(host.page->headers, "link", nth, &len)) != NULL; nth++)
		for (end = s + len; s < end;) {
			if (!link_value(&s, end, rel, &target, &n))
				continue;
			ref = host_lend_text(target, n);
			buf_clear(&host.made);
			if (url_resolve(&host.made, host.page->url, ref) == 0)
				return host_lend_text(host.made.data, host.made.len);
		}
	return NULL;
}

/* ---- Hints of the feed: how often to poll, and when not to ---- */

/* Bit n for each hour n in a text such as "0 1 13"; 24 is hour 0. */
static uint32_t
hours_of(const char *s)
{
	uint32_t bits = 0;
	char *end;
	long n;

	while (s != NULL && *s != '\0') {
		n = strtol(s, &end, 10);
		if (end == s) {
			s++;
			continue;
		}
		if (n >= 0 && n <= 24)	/* RSS 0.92 counted from 1 to 24 */
			bits |= UINT32_C(1) << n % 24;
		s = end;
	}
	return bits;
}

static uint32_t
days_of(const char *s)
{
	static const char *const days[7] = { "sunday", "monday", "tuesday", "wednesday",
		"thursday", "friday", "saturday" };
	uint32_t bits = 0;
	unsigned i;

	for (i = 0; s != NULL && i < 7; i++)
		if (strcasestr(s, days[i]) != NULL)
			bits |= UINT32_C(1) << i;
	return bits;
}

/* ttl (RSS: minutes), else the period and frequency of the syndication module. */
static int64_t
ttl_of(const struct cr_record *feed)
{
	static const struct { const char *name; int64_t ms; } periods[] = {
		{ "hourly", 60 * MINUTE }, { "daily", 24 * 60 * MINUTE },
		{ "weekly", 7 * 24 * 60 * MINUTE }, { "monthly", 30 * 24 * 60 * MINUTE },
		{ "yearly", 365 * 24 * 60 * MINUTE },
	};
	const char *ttl = record_get_extra(feed, "ttl");
	const char *period = record_get_extra(feed, "updatePeriod");
	const char *frequency = record_get_extra(feed, "updateFrequency");
	long long n = ttl != NULL ? strtoll(ttl, NULL, 10) : 0;
	size_t i;

	if (n > 0)
		return n < TTL_MAX / MINUTE ? n * MINUTE : TTL_MAX;
	n = frequency != NULL ? strtoll(frequency, NULL, 10) : 1;
	for (i = 0; period != NULL && n > 0 && i < sizeof(periods) / sizeof(periods[0]); i++)
		if (strcasecmp(period, periods[i].name) == 0)
			return periods[i].ms / n;
	return 0;
}

static void
hints(const struct cr_record *feed, struct parse_done *done)
{
	done->ttl = ttl_of(feed);
	done->skip_hours = hours_of(record_get_extra(feed, "skipHours"));
	done->skip_days = days_of(record_get_extra(feed, "skipDays"));
	if (done->skip_hours == (UINT32_C(1) << 24) - 1)
		done->skip_hours = 0;	/* a feed that forbids every hour is ignored */
	if (done->skip_days == (UINT32_C(1) << 7) - 1)
		done->skip_days = 0;
}

/* ---- The job ---- */

static void
page_begin(const struct parse_job *job)
{
	host.page = job;
	host.latest = job->when < INT64_MAX - FIELD_AHEAD ? job->when + FIELD_AHEAD : INT64_MAX;
	host.records = host.refused = host.requests = 0;
	host.html = job->strip != 0 ? HTML_STRIP_TRACKERS : 0;
	record_free(host.feed);
	host.feed = NULL;
	host_state_begin(job->state);
	buf_clear(&host.asked);
	buf_clear(&host.base);
	buf_str(&host.base, job->url);
}

static void
plan(struct slot *s)
{
	host_enter(s, PHASE_PLAN);
	if (s->plugin.plan(&host.cr, s->opts) != 0 || host.failed != 0)
		host_blame("plan");
	host_leave();
}

static void
page_parse(struct slot *s, const struct parse_job *job, const char *body)
{
	const struct cr_page page = {
		.size = sizeof(page), .url = job->url != NULL ? job->url : "",
		.type = job->type != NULL ? job->type : "",
		.charset = job->charset != NULL ? job->charset : "",
		.tag = job->tag != NULL ? job->tag : "",
		.body = body, .len = (size_t)job->len, .when = job->when, .nth = (int)job->nth,
	};
	int rc;

	host_enter(s, PHASE_PARSE);
	rc = s->plugin.parse(&host.cr, s->opts, &page);
	if (rc != 0 || host.failed != 0)
		host_blame("parse");
	host_leave();
	while (host.nopen > 0)		/* made, but not emitted */
		host_record_drop(host.open[0]);
}

/* Completes the results: feed record, state and requests behind the records. */
static void
page_end(struct parse_done *done)
{
	size_t begun;

	if (host.feed != NULL) {
		hints(host.feed, done);
		if (record_bad(host.feed) != NULL)
			host_say("what the document says of itself: %s", record_bad(host.feed));
		begun = out_begin(RESULT_FEED);
		record_write(host.feed, &host.out.b);
		out_end(begun);
	}
	if (host.failed == 0) {
		host_state_write();
		host_ask_write();
	}
	if (out_flush() == -1 && host.failed == 0) {
		host.failed = CR_BAD_DATA;
		snprintf(host.error, sizeof(host.error), host.out.full ?
		    "the page gives more than %llu bytes of records" :
		    "the records could not be written (at most %llu bytes)",
		    (unsigned long long)host.out.max);
	}
	if (host.replaced > 0)
		host_say("%llu invalid bytes or control characters replaced",
		    (unsigned long long)host.replaced);
}

static void
done_fill(struct parse_done *done)
{
	if (host.error[0] != '\0' && host.failed == 0)
		host.failed = CR_BAD_DATA;
	page_end(done);
	done->failed = host.failed;
	done->error = host.failed != 0 ? host.error : NULL;
	done->partial = host.partial[0] != '\0' ? host.partial : NULL;
	done->retry = host.retry;
	done->records = host.records;
	done->refused = host.refused;
	done->out = host.out.at;
	host.page = NULL;
}

void
host_parse(struct slot *s, const struct parse_job *job, int body, int out, struct parse_done *done)
{
	const char *text;
	size_t size = 0;

	*done = (struct parse_done){ .retry = -1 };
	page_begin(job);
	out_open(out, host.out.max);
	text = job->len < SIZE_MAX ? memfd_map(body, (size_t)job->len + 1, &size) : NULL;
	if (text == NULL || text[job->len] != '\0')
		snprintf(host.error, sizeof(host.error), "the page did not reach the worker whole");
	else if (slot_ready(s, job->options, job->hash) == 0)
		page_parse(s, job, text);
	done_fill(done);
	memfd_unmap(text, size);
}

void
host_plan(struct slot *s, const struct parse_job *job, int out, struct parse_done *done)
{
	*done = (struct parse_done){ .retry = -1 };
	page_begin(job);
	out_open(out, host.out.max);
	if (slot_ready(s, job->options, job->hash) == 0)
		plan(s);
	done_fill(done);
}

void
host_parse_table(struct cr *cr)
{
	cr->feed = cr_feed;
	cr->partial = cr_partial;
	cr->base = cr_base;
	cr->header = cr_header;
	cr->link = cr_link;
}
