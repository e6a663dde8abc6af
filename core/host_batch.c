/* The host's batch jobs: records to the filters of a route, or to its sink. */
#include "host.h"
#include "mem.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A batch as it lies in its memfd. */
struct reader {
	const struct host_batch *hb;
	const void	*map;
	size_t		 size;
	struct wire	 all;
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

/* ---- Reading a batch ---- */

static int
reader_open(struct reader *rd, const struct host_batch *hb, const struct batch_job *job)
{
	*rd = (struct reader){ .hb = hb };
	if (job->count <= HOST_BATCH && job->len <= SIZE_MAX)
		rd->map = result_map(hb->batch, (size_t)job->len, &rd->size);
	if (rd->map == NULL) {
		host.failed = CR_BAD_DATA;
		snprintf(host.error, sizeof(host.error), "the batch did not reach the worker");
		return -1;
	}
	wire_init(&rd->all, rd->map, rd->size);
	host_keep_begin(hb->slots, hb->n);
	return 0;
}

static void
reader_close(struct reader *rd)
{
	result_unmap(rd->map, rd->size);
}

/* Lays the changes of the route's filters over a record. */
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

/* The next item; the state before it is given to its plugin. 0; -1: there is none. */
static int
reader_item(struct reader *rd, struct wire *body)
{
	struct result_state st;
	enum result_kind kind;

	while (result_next(&rd->all, &kind, body) == 1) {
		if (kind == RESULT_ITEM)
			return 0;
		if (kind != RESULT_STATE || result_state_read(body, &st) == -1)
			return -1;
		host_keep_given(rd->hb->slots, rd->hb->n, &st);
	}
	return -1;
}

/* The next record, with its id, its source and what its route changed. NULL: host.error says why. */
static struct cr_record *
reader_next(struct reader *rd)
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
	if (r == NULL || overlay(r, item.changes) == -1) {
		record_free(r);
		host.failed = CR_BAD_DATA;
		snprintf(host.error, sizeof(host.error), "a record of the batch is malformed");
		return NULL;
	}
	if (item.id != NULL)
		record_set(r, CR_ID, item.id, strlen(item.id));
	if (item.source != NULL)
		record_set(r, CR_SOURCE, item.source, strlen(item.source));
	*record_about(r) = (struct record_json){ item.delivery, item.revision, item.seen };
	record_story(r)->sources = item.sources;
	return r;
}

/* ---- Filters ---- */

/* What one filter says of the record: enum cr_verdict, or -1 with host.failed set. */
static int
ask(struct slot *s, struct cr_record *r)
{
	const char *link = record_get(r, CR_LINK, 0);
	int verdict;

	buf_clear(&host.base);
	buf_str(&host.base, link);
	host.why[0] = '\0';
	host_keep_enter(s);
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
		host_keep_counts(s);
	host_leave();
	return host.failed != 0 ? -1 : verdict;
}

/* ---- Groups of filters ---- */

enum group { GROUP_ALL, GROUP_ANY, GROUP_NONE };

/* What a filter or a group says, by which rule, and why. */
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

/* The bytes of a rule up to the end of the group that stands at `prefix`; 0: it is a filter's. */
static size_t
group_len(const char *rule, size_t prefix)
{
	const char *slash = strchr(rule + prefix, '/');

	return slash != NULL ? (size_t)(slash - rule) + 1 : 0;
}

/* What the group is whose part of a rule ends before `end`. */
static enum group
group_kind(const char *rule, size_t end)
{
	const char *name = rule + end;

	while (name > rule && name[-1] != '/')
		name--;
	return strncmp(name, "any#", 4) == 0 ? GROUP_ANY : strncmp(name, "none#", 5) == 0 ?
	    GROUP_NONE : GROUP_ALL;
}

/* Notes what a filter said, if there is room for it. */
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

/* The trail without the last one's words, when it was he who decided: those stand in the verdict. */
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

/* Asks the filter or the group that stands at *i, and moves behind it. -1: host.failed. */
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

/* When none of its members decided: of `any` none keeps the record, of `none` neither. */
static void
undecided(enum group how, const char *rule, size_t len, size_t members, struct opinion *o)
{
	MEM_UNSET struct opinion last;

	last = *o;
	opinion_set(o, how == GROUP_ANY ? CR_DROP : CR_KEEP, rule, len, "");
	if (members == 1)
		snprintf(o->why, sizeof(o->why), "%s", last.why);
	else
		snprintf(o->why, sizeof(o->why), "none of %zu keeps it, the last since: %.900s",
		    members, last.why);
}

/* The members from first on, all of one group (or the route itself): `all` is decided by the first
 * that does not keep the record, `any` and `none` by the first that does; else by one that waits. */
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

/* The verdict on one record. -1: the job ends here, a filter asked to be tried again, or the
 * verdicts are over their maximum. */
static int
judge(const struct host_batch *hb, struct cr_record *r)
{
	MEM_UNSET struct opinion o;

	opinion_set(&o, CR_KEEP, "", 0, "");
	buf_clear(&host.trail);
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

/* Whether so much is in the results that the rest of the batch is better asked about again. */
static int
enough(void)
{
	return host.out.at + host.out.b.len > HOST_KEPT;
}

/* As many as there is room for the verdicts of. -1: host.failed, or they cannot be written. */
static int
filter_all(const struct host_batch *hb, const struct batch_job *job, struct reader *rd,
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
			host_keep_write(hb->slots, hb->n);
			if (out_flush() == -1)
				return -1;
			hb->progress(*done, hb->arg);
		}
	}
	host_keep_write(hb->slots, hb->n);
	return 0;
}

void
host_filter(const struct host_batch *hb, const struct batch_job *job, struct batch_done *done)
{
	struct reader rd;

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

/* Hands n records over; returns how many of the first are done. */
static uint32_t
hand_over(struct slot *s, const struct batch_job *job, const char *id, uint32_t attempt,
    const struct cr_record *const *items, uint32_t n)
{
	const struct cr_batch batch = {
		.size = sizeof(batch), .kind = (int)job->kind,
		.route = job->route != NULL ? job->route : "", .id = id != NULL ? id : "",
		.title = job->title != NULL ? job->title : "",
		.self = job->self != NULL ? job->self : "",
		.from = CR_NO_TIME, .to = CR_NO_TIME, .items = items, .n = n,
		.attempt = attempt <= INT_MAX ? (int)attempt : INT_MAX,
	};
	size_t done;

	host_keep_enter(s);
	host_enter(s, PHASE_DELIVER);
	done = s->plugin.deliver(&host.cr, s->opts, &batch);
	if (done > n)
		done = n;
	if (done < n && host.failed == 0) {
		host.failed = FAILED_RETRY;	/* as if it had said retry(-1) */
		host_blame("deliver");
	}
	if (done > 0)
		host_keep_counts(s);
	host_leave();
	host.done += (uint32_t)done;
	host_keep_write(s, 1);
	return (uint32_t)done;
}

/* One record at a time, so that core knows of which one a worker died. */
static uint32_t
deliver_each(const struct host_batch *hb, const struct batch_job *job,
    const struct cr_record *const *items)
{
	uint32_t i;

	for (i = 0; i < job->count && !enough(); i++) {
		if (hand_over(hb->slots, job, record_about(items[i])->delivery,
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

/* All records of the batch; NULL: one is malformed. */
static struct cr_record **
read_all(struct reader *rd, uint32_t count)
{
	struct cr_record **items = xcalloc(count, sizeof(*items));
	uint32_t i;

	for (i = 0; i < count; i++)
		if ((items[i] = reader_next(rd)) == NULL)
			break;
	if (i == count)
		return items;
	while (i > 0)
		record_free(items[--i]);
	free(items);
	return NULL;
}

/* How many of the batch are done. */
static uint32_t
deliver_all(const struct host_batch *hb, const struct batch_job *job, struct reader *rd)
{
	struct cr_record **items = read_all(rd, job->count);
	const struct cr_record *const *given = (const struct cr_record *const *)items;
	uint32_t done, i;

	if (items == NULL)
		return 0;
	if (job->careful && job->kind == CR_BATCH_RECORDS)
		done = deliver_each(hb, job, given);
	else
		done = hand_over(hb->slots, job, job->id, job->attempt, given, job->count);
	if (done == job->count && done > 0)
		host.failed = 0;	/* all is done, whatever was said on the way */
	for (i = 0; i < job->count; i++)
		record_free(items[i]);
	free(items);
	return done;
}

void
host_deliver(const struct host_batch *hb, const struct batch_job *job, struct batch_done *done)
{
	struct reader rd;

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
}
