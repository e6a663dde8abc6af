/* The host's batch jobs: passes records to the filters of a route, or to its sink. */
#include "host_batch.h"
#include "host.h"
#include "host_done.h"
#include "host_edition.h"
#include "host_mail.h"
#include "host_state.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/record.h"
#include "record/record_json.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a batch from its memfd. */
struct batch_reader {
	const struct host_batch *hb;
	const void	*map;
	size_t		 size;
	struct wire	 all;
	uint32_t	 count;
	struct host_edition edition;
};

/* ---- verdict() ---- */

static int CR_PRINTF(3, 4)
cr_verdict(struct cr *cr, int verdict, const char *fmt, ...)
{
	va_list ap;

	(void)cr;
	if (host.phase != PHASE_FILTER)
		return -1;
	va_start(ap, fmt);
	host_reason(host.why, fmt, ap);
	va_end(ap);
	return verdict;
}

/* A number that the record has not itself is its story's. */
static int
cr_wait_for(struct cr *cr, const char *name, double value)
{
	double own;

	(void)cr;
	if (host.phase != PHASE_FILTER || name == NULL || strlen(name) > RECORD_NAME_MAX ||
	    !isfinite(value) || text_valid(name, strlen(name)) != strlen(name))
		return -1;
	snprintf(host.asked_number, sizeof(host.asked_number), "%s%s",
	    record_number_reserved(name) || record_get_number(host.judged, name, &own) ? "" :
	    "story.", name);
	host.asked_least = value;
	return 0;
}

/* A filter waits. Of several, only one number can be watched. */
static void
waits(void)
{
	int first = host.number[0] == '\0' && !host.ambiguous;

	if (host.asked_number[0] == '\0' || (!first && (strcmp(host.number, host.asked_number) != 0 ||
	    host.least < host.asked_least || host.least > host.asked_least)))
		host.ambiguous = 1;
	memcpy(host.number, host.asked_number, sizeof(host.number));
	host.least = host.asked_least;
}

/* ---- Reading a batch ---- */

static int
reader_open(struct batch_reader *rd, const struct host_batch *hb, const struct batch_job *job)
{
	*rd = (struct batch_reader){ .hb = hb, .count = job->count };
	if (job->count <= HOST_BATCH && job->len <= SIZE_MAX && host_mail_read(job) == 0)
		rd->map = memfd_map(hb->batch, (size_t)job->len, &rd->size);
	if (rd->map == NULL) {
		host.failed = CR_BAD_DATA;
		snprintf(host.error, sizeof(host.error), "the batch did not reach the worker");
		return -1;
	}
	wire_init(&rd->all, rd->map, rd->size);
	host_batch_state_begin(hb->slots, hb->n);
	return 0;
}

static void
reader_close(struct batch_reader *rd)
{
	host_edition_free(&rd->edition);
	memfd_unmap(rd->map, rd->size);
}

/* Applies the changes of the route's filters to a record. */
static int
overlay(struct cr_record *r, struct bytes changes)
{
	struct cr_record *over;

	if (changes.data == NULL)
		return 0;
	if ((over = record_read(changes.data, changes.len)) == NULL)
		return -1;
	record_overlay(r, over);
	record_free(over);
	return 0;
}

/* Reads the next item; state items before it are given to their slots. 0; -1: none, or
 * malformed. */
static int
reader_item(struct batch_reader *rd, struct wire *body)
{
	struct result_state st;
	enum result_kind kind;

	while (result_next(&rd->all, &kind, body) == 1) {
		if (kind == RESULT_ITEM)
			return 0;
		if (kind == RESULT_EDITION) {
			if (host_edition_read(&rd->edition, body, rd->count) == -1)
				return -1;
			continue;
		}
		if (kind != RESULT_STATE || result_state_read(body, &st) == -1)
			return -1;
		host_batch_state_given(rd->hb->slots, rd->hb->n, &st);
	}
	return -1;
}

/* Reads the next record, with its id, source and the changes of its route. NULL: host.error has the
 * reason. */
static struct cr_record *
reader_next(struct batch_reader *rd)
{
	struct result_item item;
	struct cr_record *r = NULL;
	struct wire body;

	if (reader_item(rd, &body) == 0) {
		wire_get(&body, result_item, &item);
		if (wire_end(&body) == 0 && item.record.data != NULL)
			r = record_read(item.record.data, item.record.len);
	}
	/* cppcheck-suppress uninitStructMember ; wire_get() sets all of it, or r is NULL */
	if (r == NULL || overlay(r, item.face) == -1 || overlay(r, item.changes) == -1) {
		record_free(r);
		host.failed = CR_BAD_DATA;
		snprintf(host.error, sizeof(host.error), "a record of the batch is malformed");
		return NULL;
	}
	host.stored = item.record;
	host.stored_source = item.source;
	host.stored_seen = item.seen;
	host.searched = 0;
	if (item.id != NULL)
		record_set(r, CR_ID, item.id, strlen(item.id));
	if (item.source != NULL)
		record_set(r, CR_SOURCE, item.source, strlen(item.source));
	*record_about(r) = (struct record_json){ item.delivery, item.revision, item.seen };
	*record_story(r) = (struct record_story){ .sources = item.sources, .revised = item.revised,
		.heat = item.heat, .score = item.score, .rank = item.rank,
		.numbers = item.numbers.data != NULL ?
		    record_read(item.numbers.data, item.numbers.len) : NULL };
	return r;
}

/* ---- Filters ---- */

/* Calls a filter. Returns its enum cr_verdict, or -1 with host.failed set. */
static int
ask(struct slot *s, struct cr_record *r)
{
	const char *link = record_get(r, CR_LINK, 0);
	int verdict;

	buf_clear(&host.base);
	buf_str(&host.base, link);
	host.why[0] = host.asked_number[0] = '\0';
	host.judged = r;
	host_batch_state_enter(s);
	host_enter(s, PHASE_FILTER);
	verdict = s->plugin.filter(&host.cr, s->opts, r);
	if (verdict < CR_DROP || verdict > CR_WAIT) {
		if (verdict != -1)
			host_say("%s: filter() returned %d, which is no verdict", s->plugin.name,
			    verdict);
		verdict = -1;
	}
	if (verdict == -1 || host.failed != 0)
		host_blame("filter");
	else
		host_batch_state_counts(s);
	if (verdict == CR_WAIT && host.failed == 0)
		waits();
	host_leave();
	return host.failed != 0 ? -1 : verdict;
}

/* ---- Groups of filters ---- */

enum group { GROUP_ALL, GROUP_ANY, GROUP_NONE };

/* The verdict of a filter or group, the rule that decided, and the reason. */
struct opinion {
	int	 verdict;
	char	 rule[HOST_RULE], why[HOST_ERROR];
};

static void
opinion_set(struct opinion *o, int verdict, const char *rule, size_t len, const char *why)
{
	o->verdict = verdict;
	memcpy(o->rule, rule, len);
	o->rule[len] = '\0';
	snprintf(o->why, sizeof(o->why), "%s", why);
}

/* The length of a rule up to the end of the group at `prefix`; 0: a filter is at `prefix`. */
static size_t
group_len(const char *rule, size_t prefix)
{
	const char *slash = strchr(rule + prefix, '/');

	return slash != NULL ? (size_t)(slash - rule) + 1 : 0;
}

/* The kind of the group whose name in the rule ends at `end`. */
static enum group
group_kind(const char *rule, size_t end)
{
	const char *name = rule + end;

	while (name > rule && name[-1] != '/')
		name--;
	return strncmp(name, "any#", 4) == 0 ? GROUP_ANY : strncmp(name, "none#", 5) == 0 ?
	    GROUP_NONE : GROUP_ALL;
}

/* Adds a filter's verdict to the trail, if there is room. */
static void
trail_add(const struct opinion *o)
{
	const struct result_said said = { .verdict = (uint32_t)o->verdict, .rule = o->rule,
		.why = o->why[0] != '\0' ? o->why : NULL };
	const size_t heads = 3 * sizeof(uint32_t) + 2;

	if (heads + strlen(o->rule) + strlen(o->why) > HOST_TRAIL - host.trail.len)
		return;
	host.trail_last = host.trail.len;
	wire_put(&host.trail, result_said, &said);
}

/* The trail without its last entry if that filter decided, since the verdict has its reason. */
static struct bytes
trail_end(const char *rule)
{
	struct result_said said;
	size_t len = host.trail.len;
	struct wire w;

	if (len == 0)
		return (struct bytes){ NULL, 0 };
	wire_init(&w, host.trail.data + host.trail_last, len - host.trail_last);
	wire_get(&w, result_said, &said);
	if (said.rule != NULL && strcmp(said.rule, rule) == 0)
		len = host.trail_last;
	return (struct bytes){ len > 0 ? host.trail.data : NULL, len };
}

static int	weigh(const struct host_batch *, struct cr_record *, size_t, size_t, size_t,
		    struct opinion *);

/* The opinion of the filter or group at *i; moves *i past it. -1: host.failed is set. */
static int
member(const struct host_batch *hb, struct cr_record *r, size_t *i, size_t end, size_t prefix,
    struct opinion *o)
{
	struct slot *s = &hb->slots[*i];
	size_t first = *i, len = group_len(s->rule, prefix);
	int verdict;

	if (len > 0) {
		while (*i < end && strncmp(hb->slots[*i].rule, s->rule, len) == 0)
			++*i;
		return weigh(hb, r, first, *i, len, o);
	}
	++*i;
	verdict = ask(s, r);
	opinion_set(o, verdict, s->rule, strlen(s->rule),
	    host.failed != 0 ? host.error : host.why);
	if (verdict == -1)
		return -1;
	trail_add(o);
	return 0;
}

/* The opinion of a group `any` or `none` of which no member keeps the record. */
static void
undecided(enum group how, const char *rule, size_t len, size_t members, struct opinion *o)
{
	MEM_UNSET struct opinion last;

	last = *o;
	opinion_set(o, how == GROUP_ANY ? CR_DROP : CR_KEEP, rule, len, "");
	if (members == 1)
		snprintf(o->why, sizeof(o->why), "%s", last.why);
	else
		snprintf(o->why, sizeof(o->why), "none of %zu keeps it, the last since: %.*s", members,
		    (int)text_valid(last.why, strnlen(last.why, 900)), last.why);
}

/* The opinion of one group, or of the route, with the slots from first to end. `all` is decided by
 * the first member that does not keep the record, `any` and `none` by the first that keeps it;
 * otherwise by the last member that waits. -1: host.failed is set. */
static int
weigh(const struct host_batch *hb, struct cr_record *r, size_t first, size_t end, size_t prefix,
    struct opinion *o)
{
	MEM_UNSET struct opinion waits;
	const char *rule = hb->slots[first].rule;
	enum group how = prefix > 0 ? group_kind(rule, prefix - 1) : GROUP_ALL;
	size_t i, members = 0;

	waits.verdict = CR_DROP;
	for (i = first; i < end; members++) {
		if (member(hb, r, &i, end, prefix, o) == -1)
			return -1;
		if (how == GROUP_ALL ? o->verdict != CR_KEEP : o->verdict == CR_KEEP) {
			o->verdict = how == GROUP_NONE ? CR_DROP : o->verdict;
			return 0;
		}
		if (o->verdict == CR_WAIT)
			waits = *o;
	}
	if (waits.verdict == CR_WAIT)
		*o = waits;
	else if (how != GROUP_ALL)
		undecided(how, rule, prefix - 1, members, o);
	return 0;
}

static int
put_verdict(const struct cr_record *r, uint32_t verdict, const char *rule, const char *why)
{
	struct result_verdict v = { .verdict = verdict, .rule = rule,
		.why = why[0] != '\0' ? why : NULL, .trail = trail_end(rule) };
	struct cr_record *changed = record_new();
	struct buf b;
	size_t begun;

	if (verdict == CR_WAIT && !host.ambiguous && host.number[0] != '\0') {
		v.number = host.number;
		v.least = host.least;
	}
	buf_init(&b, RECORD_MAX);
	if (record_changes(r, changed)) {
		record_write(changed, &b);
		v.changes = (struct bytes){ b.data, b.len };
	}
	begun = out_begin(RESULT_VERDICT);
	wire_put(&host.out.b, result_verdict, &v);
	buf_free(&b);
	record_free(changed);
	return out_end(begun);
}

/* Writes the verdict on one record. -1: the job ends here: a filter called retry(), or the verdicts
 * are over their maximum. */
static int
judge(const struct host_batch *hb, struct cr_record *r)
{
	MEM_UNSET struct opinion o;

	opinion_set(&o, CR_KEEP, "", 0, "");
	buf_clear(&host.trail);
	host.number[0] = '\0';
	host.ambiguous = 0;
	record_watch(r);
	weigh(hb, r, 0, hb->n, 0, &o);
	if (host.failed == FAILED_RETRY)
		return -1;
	if (record_bad(r) != NULL && host.failed == 0) {
		host.failed = CR_REJECTED;
		snprintf(host.error, sizeof(host.error), "changed to what no record may be: %s",
		    record_bad(r));
	}
	if (put_verdict(r, host.failed != 0 ? UINT32_MAX : (uint32_t)o.verdict, o.rule,
	    host.failed != 0 ? host.error : o.why) == -1) {
		host.failed = CR_BAD_DATA;
		snprintf(host.error, sizeof(host.error), "the verdicts are over their maximum");
		return -1;
	}
	host.failed = 0;
	host.error[0] = '\0';
	return 0;
}

/* Whether the results are so large that the batch should end here; core sends the rest again. */
static int
enough(void)
{
	return host.out.at + host.out.b.len > HOST_KEPT;
}

/* Filters records until the batch ends or the results are large enough. -1: host.failed is set, or
 * the results cannot be written. */
static int
filter_all(const struct host_batch *hb, const struct batch_job *job, struct batch_reader *rd,
    uint32_t *done)
{
	struct cr_record *r;
	int rc;

	while (*done < job->count && !enough()) {
		if ((r = reader_next(rd)) == NULL)
			return -1;
		rc = judge(hb, r);
		record_free(r);
		if (rc == -1)
			return -1;
		host.done = ++*done;
		if (job->careful) {
			host_batch_state_write(hb->slots, hb->n);
			if (out_flush() == -1)
				return -1;
			hb->progress(*done, hb->arg);
		}
	}
	host_batch_state_write(hb->slots, hb->n);
	return 0;
}

void
host_filter(const struct host_batch *hb, const struct batch_job *job, struct batch_done *done)
{
	struct batch_reader rd;

	*done = (struct batch_done){ .retry = -1 };
	out_open(hb->out, host.out.max);
	if (reader_open(&rd, hb, job) == 0) {
		filter_all(hb, job, &rd, &done->done);
		reader_close(&rd);
	}
	if (out_flush() == -1 && host.failed == 0) {
		host.failed = CR_BAD_DATA;
		snprintf(host.error, sizeof(host.error), "the verdicts could not be written");
		done->done = 0;
	}
	done->failed = host.failed;
	done->error = host.failed != 0 ? host.error : NULL;
	done->retry = host.retry;
	done->out = host.out.at;
}

/* ---- A sink ---- */

/* Passes n records to deliver(), and what else there is behind them of an edition. Returns how many of the first
 * are done. */
static uint32_t
hand_over(const struct host_batch *hb, const struct batch_job *job, const struct host_edition *edition,
    const char *id, uint32_t attempt, const struct cr_record *const *items, uint32_t n)
{
	struct cr_batch batch = {
		.size = sizeof(batch), .kind = (int)job->kind,
		.route = job->route != NULL ? job->route : "", .id = id != NULL ? id : "",
		.title = job->title != NULL ? job->title : "",
		.self = job->self != NULL ? job->self : "",
		.from = CR_NO_TIME, .to = CR_NO_TIME, .items = items, .n = n,
		.attempt = attempt <= INT_MAX ? (int)attempt : INT_MAX,
	};
	struct slot *s = hb->slots;
	uint32_t told;
	size_t done;

	host_edition_put(edition, &batch);
	if (edition->of.others > 0) {
		batch.others = items + n;
		batch.nothers = edition->of.others;
	}
	host_mail_put(job, &batch);
	host_batch_state_enter(s);
	host_enter(s, PHASE_DELIVER);
	host_done_begin(job->careful || job->kind != CR_BATCH_RECORDS ? NULL : hb, n);
	done = s->plugin.deliver(&host.cr, s->opts, &batch);
	told = host_done_end();
	if (done > n)
		done = n;
	if (done < told)
		done = told;
	if (done < n && host.failed == 0 && (done == 0 || job->kind != CR_BATCH_RECORDS)) {
		host.failed = FAILED_RETRY;	/* as by retry(-1) */
		host_blame("deliver");
	}
	if (done > 0 || (n == 0 && host.failed == 0))
		host_batch_state_counts(s);
	host_leave();
	host.done += (uint32_t)done;
	host_batch_state_write(s, 1);
	return (uint32_t)done;
}

/* One record at a time, so that core knows at which one a worker died. */
static uint32_t
deliver_each(const struct host_batch *hb, const struct batch_job *job,
    const struct cr_record *const *items)
{
	const struct host_edition none = { .n = 0 };
	uint32_t i;

	for (i = 0; i < job->count && !enough(); i++) {
		if (hand_over(hb, job, &none, record_about(items[i])->delivery,
		    i == 0 ? job->attempt : 0, &items[i], 1) == 0 || out_flush() == -1)
			return i;
		host.failed = 0;
		host.error[0] = '\0';
		hb->progress(i + 1, hb->arg);
	}
	if (i < job->count) {
		host.failed = FAILED_RETRY;
		host.retry = 0;
		snprintf(host.error, sizeof(host.error), "keeps so much that the rest of the batch "
		    "goes by itself");
	}
	return i;
}

/* Reads the feed records behind the items of a list, and links each to the items of its source.
 * feeds has room for one per item. Returns their number. */
static uint32_t
read_feeds(struct batch_reader *rd, struct cr_record *const *items, uint32_t count,
    struct cr_record **feeds)
{
	enum result_kind kind;
	const char *of, *source;
	struct wire body;
	uint32_t n = 0, i;

	while (n < count && result_next(&rd->all, &kind, &body) == 1 && kind == RESULT_FEED) {
		feeds[n] = record_read(body.at, (size_t)(body.end - body.at));
		if (feeds[n] == NULL || (of = record_get(feeds[n], CR_SOURCE, 0)) == NULL) {
			record_free(feeds[n]);
			break;
		}
		for (i = 0; i < count; i++) {
			source = record_get(items[i], CR_SOURCE, 0);
			if (source != NULL && strcmp(source, of) == 0)
				record_story(items[i])->feed = feeds[n];
		}
		n++;
	}
	return n;
}

static void
free_all(struct cr_record **records, uint32_t n)
{
	while (n > 0)
		record_free(records[--n]);
	free(records);
}

/* Reads all records of the batch; in front of none may be an edition. NULL: one is malformed. */
static struct cr_record **
read_all(struct batch_reader *rd, uint32_t count)
{
	struct cr_record **items = xcalloc(count, sizeof(*items));
	struct wire none;
	uint32_t i;

	if (count == 0)
		(void)reader_item(rd, &none);
	for (i = 0; i < count; i++)
		if ((items[i] = reader_next(rd)) == NULL)
			break;
	if (i == count)
		return items;
	free_all(items, i);
	return NULL;
}

/* Delivers the batch. Returns how many of its first records are done. */
static uint32_t
deliver_all(const struct host_batch *hb, const struct batch_job *job, struct batch_reader *rd)
{
	struct cr_record **items = read_all(rd, job->count), **feeds;
	const struct cr_record *const *given = (const struct cr_record *const *)items;
	uint32_t done, nfeeds, n;

	if (items == NULL)
		return 0;
	feeds = xcalloc(job->count, sizeof(*feeds));
	nfeeds = read_feeds(rd, items, job->count, feeds);
	n = job->count - rd->edition.of.others;
	host_edition_page(&rd->edition, job->archive);
	if (job->careful && job->kind == CR_BATCH_RECORDS)
		done = deliver_each(hb, job, given);
	else
		done = hand_over(hb, job, &rd->edition, job->id, job->attempt, given, n);
	if (done == n && done > 0)
		host.failed = 0;	/* all done: a fail() or retry() does not count */
	free_all(items, job->count);
	free_all(feeds, nfeeds);
	return done;
}

void
host_deliver(const struct host_batch *hb, const struct batch_job *job, struct batch_done *done)
{
	struct batch_reader rd;

	*done = (struct batch_done){ .retry = -1 };
	out_open(hb->out, host.out.max);
	if (reader_open(&rd, hb, job) == 0) {
		done->done = deliver_all(hb, job, &rd);
		reader_close(&rd);
	}
	if (out_flush() == -1) {
		host.failed = CR_BAD_DATA;
		snprintf(host.error, sizeof(host.error), "what the sink keeps could not be written");
		done->done = 0;
	}
	done->out = host.out.at;
	done->failed = host.failed;
	done->error = host.failed != 0 ? host.error : NULL;
	done->retry = host.retry;
}

void
host_batch_table(struct cr *cr)
{
	cr->verdict = cr_verdict;
	cr->wait_for = cr_wait_for;
}
