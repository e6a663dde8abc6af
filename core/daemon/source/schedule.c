/* When a source is polled next. A delay that the server or the feed asked for is in `not_before`,
 * the delay by the rule in `due`: both survive a restart, and a changed rule moves only `due`. */
#include "schedule.h"
#include "base/date.h"
#include "conf/setup.h"

#define HOUR		(INT64_C(3600000))
#define DAY		(24 * HOUR)
#define PARKED_FOR	DAY		/* before a job that killed workers is tried again */
#define RETRY_FLOOR	(60 * INT64_C(1000))	/* least delay after a retry(); or the interval */
#define DROPPED_WAIT	(2 * INT64_C(1000))	/* before a dropped poll is made again */
#define FIRST_SPREAD	INT64_C(10)	/* ms for each source, to spread the first polls */
#define WEEK_HOURS	(7 * 24)

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
clamp(int64_t v, const struct schedule_rule *rule)
{
	return most(rule->every_min, least(v, most(rule->every_max, rule->every_min)));
}

/* A random part of span. */
static int64_t
part(int64_t span, uint32_t random)
{
	return span / 4096 * (random >> 20) + span % 4096 * (random >> 20) / 4096;
}

/* A random delay of up to a tenth of the wait. */
static int64_t
jitter(int64_t wait, uint32_t random)
{
	return part(wait / 10, random);
}

/* Doubles with each failure after the first; never less than the interval. */
static int64_t
backoff(int64_t interval, uint32_t failures)
{
	int64_t wait = interval;

	for (; failures > 1 && wait < SCHEDULE_BACKOFF_MAX; failures--)
		wait *= 2;
	return most(interval, least(wait, SCHEDULE_BACKOFF_MAX));
}

/* Adapts the interval: new records bring it half the way to its least, none lengthen it by half. */
static int64_t
learn(int64_t interval, const struct schedule_rule *rule, int kind)
{
	if (interval <= 0)
		return rule->every_min;
	interval = clamp(interval, rule);
	if (kind == OUTCOME_NEW)
		interval = rule->every_min + (interval - rule->every_min) / 2;
	else if (kind == OUTCOME_SAME)
		interval += interval / 2;
	return clamp(interval, rule);
}

/* The time until which server and feed ask to wait: max-age and ttl up to the rule's longest
 * interval or SCHEDULE_EVERY_MAX, Retry-After up to SCHEDULE_RETRY_MAX. 0: none. */
static int64_t
asked(const struct outcome *o, const struct schedule_rule *rule, int64_t now)
{
	int64_t hint = least(most(o->max_age, o->ttl), most(rule->every_max, SCHEDULE_EVERY_MAX));
	int64_t wait = most(hint, least(o->retry_after, SCHEDULE_RETRY_MAX));

	return wait > 0 ? now + wait : 0;
}

/* Whether the feed's skipHours or skipDays name this hour, which counts from the epoch, a
 * Thursday. */
static int
skipped(const struct outcome *o, int64_t hour)
{
	return (o->skip_hours >> (hour % 24) & 1) != 0 ||
	    (o->skip_days >> ((hour / 24 + 4) % 7) & 1) != 0;
}

/* Moves a time behind the hours and days that the feed skips; a feed that skips all skips none. */
static int64_t
skip(const struct outcome *o, int64_t due)
{
	int64_t first = due / HOUR, hour = first;

	while (hour < first + WEEK_HOURS && skipped(o, hour))
		hour++;
	if (hour == first || hour == first + WEEK_HOURS)
		return due;
	return hour * HOUR + jitter(HOUR, o->random);
}

/* The wait by the outcome alone, ms. */
static int64_t
wait_for(const struct mark *m, const struct outcome *o)
{
	switch (o->kind) {
	case OUTCOME_NEW:
	case OUTCOME_SAME:
		return m->interval;
	case OUTCOME_SLOW:
		return o->retry_after >= 0 ? m->interval : backoff(m->interval, m->failures);
	case OUTCOME_RETRY:
		if (o->retry_after >= 0)
			return most(o->retry_after, least(m->interval, RETRY_FLOOR));
		return backoff(m->interval, m->failures);
	case OUTCOME_PARKED:
		return most(m->interval, PARKED_FOR);
	case OUTCOME_DROPPED:
		return least(m->interval, DROPPED_WAIT);
	default:
		return backoff(m->interval, m->failures);
	}
}

static void
count(struct mark *m, const struct outcome *o, int64_t now)
{
	static const uint32_t states[] = {
		[OUTCOME_NEW] = MARK_OK, [OUTCOME_SAME] = MARK_OK, [OUTCOME_SLOW] = MARK_FAILING,
		[OUTCOME_ERROR] = MARK_FAILING, [OUTCOME_GONE] = MARK_GONE,
		[OUTCOME_PARKED] = MARK_PARKED, [OUTCOME_RETRY] = MARK_FAILING,
	};

	m->checked = now;
	if (o->kind == OUTCOME_DROPPED)
		return;
	m->state = states[o->kind];
	if (m->state == MARK_OK) {
		m->failures = 0;
		m->ok = now;
	} else if (m->failures < UINT32_MAX) {
		m->failures++;
	}
}

void
schedule_move(struct mark *m, const struct schedule_rule *rule, const struct outcome *o, int64_t now)
{
	int64_t wait, due;

	count(m, o, now);
	m->interval = learn(m->interval, rule, o->kind);
	m->not_before = most(asked(o, rule, now), o->kind == OUTCOME_DROPPED ? m->not_before : 0);
	if (o->kind == OUTCOME_GONE) {
		m->due = INT64_MAX;
		return;
	}
	wait = wait_for(m, o);
	due = most(now + wait, m->not_before);
	due += jitter(due - now, o->random);
	m->due = skip(o, due);
	if (m->due > due)
		m->not_before = m->due;
}

/* Moves the times of a mark whose poll lies in the future: the clock was ahead when they were set.
 * 1: they were moved. */
static int
move_back(struct mark *m, int64_t now)
{
	int64_t ahead = m->checked - now;

	if (ahead <= 0)
		return 0;
	m->checked = now;
	m->ok = least(m->ok, now);
	m->not_before = most(m->not_before - ahead, 0);
	if (m->due != INT64_MAX)
		m->due -= ahead;
	return 1;
}

/* Whether a time lies further ahead than any wait of this file or of the rule. */
static int
is_far(int64_t when, const struct schedule_rule *rule, int64_t now)
{
	int64_t step = most(rule->every_max, most(SCHEDULE_RETRY_MAX, SCHEDULE_BACKOFF_MAX));

	return date_due(when, now, step + step / 10 + WEEK_HOURS * HOUR) != when;
}

/* Clears not_before, and sets due to now, if they lie too far ahead. 1: one of them did. */
static int
come_near(struct mark *m, const struct schedule_rule *rule, int64_t now)
{
	int far = 0;

	if (is_far(m->not_before, rule, now)) {
		m->not_before = 0;
		far = 1;
	}
	if (m->due != INT64_MAX && is_far(m->due, rule, now)) {
		m->due = most(m->not_before, now);
		far = 1;
	}
	return far;
}

int
schedule_fit(struct mark *m, const struct schedule_rule *rule, int64_t now)
{
	int moved = move_back(m, now);

	return come_near(m, rule, now) || moved;
}

int64_t
schedule_first(const struct mark *known, const struct schedule_rule *rule, int64_t now, uint32_t random,
    uint32_t sources)
{
	int64_t spread = least(part(FIRST_SPREAD * sources, random), rule->every_min);
	int64_t interval, wait, due;
	struct mark m = *known;
	int far;

	(void)move_back(&m, now);
	far = come_near(&m, rule, now);
	if (m.state == MARK_GONE)
		return INT64_MAX;
	if (m.checked == 0)
		return now + spread;
	interval = learn(m.interval, rule, OUTCOME_ERROR);
	wait = m.state == MARK_PARKED ? most(interval, PARKED_FOR) : backoff(interval, m.failures);
	/* The rule may have changed since due was set. */
	due = least(m.due, most(m.checked + wait + jitter(wait, random), m.not_before));
	if (m.failures == 0 && !far)
		due = most(due, m.checked + wait);
	due = most(due, m.not_before);
	return due > now ? due : now + spread;
}
