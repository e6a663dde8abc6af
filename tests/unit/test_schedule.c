/* The schedule: a pure function, so each rule is a line of arithmetic. */
#include "conf/setup.h"
#include "daemon/source/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND	INT64_C(1000)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)
#define NOW	(INT64_C(1795254000) * SECOND)	/* Saturday, 2026-11-21 09:40:00 UTC */

static const struct schedule_rule learnt = { SCHEDULE_EVERY_MIN, SCHEDULE_EVERY_MAX };
static const struct schedule_rule second = { SECOND, SECOND };

static struct outcome
outcome(int kind)
{
	return (struct outcome){ .kind = kind, .retry_after = -1, .max_age = -1 };
}

/* What it waits after that outcome, without jitter. */
static int64_t
waits(struct mark *m, const struct schedule_rule *rule, const struct outcome *o)
{
	schedule_move(m, rule, o, NOW);
	assert_true(m->checked == NOW);
	return m->due - NOW;
}

static int64_t
waits_kind(struct mark *m, const struct schedule_rule *rule, int kind)
{
	const struct outcome o = outcome(kind);

	return waits(m, rule, &o);
}

static void
silence_lengthens_and_news_shorten_between_the_bounds(void **state)
{
	struct mark m = { 0 };
	int64_t last, wait;

	(void)state;
	assert_int_equal(waits_kind(&m, &learnt, OUTCOME_NEW), SCHEDULE_EVERY_MIN);
	assert_int_equal(waits_kind(&m, &learnt, OUTCOME_SAME), 45 * MINUTE);
	for (int i = 0; i < 20; i++)
		last = waits_kind(&m, &learnt, OUTCOME_SAME);
	assert_int_equal(last, SCHEDULE_EVERY_MAX);
	for (int i = 0; i < 40; i++) {
		wait = waits_kind(&m, &learnt, OUTCOME_NEW);
		assert_true(wait <= last && wait >= SCHEDULE_EVERY_MIN);
		last = wait;
	}
	assert_in_range(last, SCHEDULE_EVERY_MIN, SCHEDULE_EVERY_MIN + SECOND);
	assert_int_equal(m.state, MARK_OK);
	assert_true(m.ok == NOW);
}

static void
a_fixed_interval_stays(void **state)
{
	struct mark m = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(waits_kind(&m, &second, OUTCOME_SAME), SECOND);
		assert_int_equal(waits_kind(&m, &second, OUTCOME_NEW), SECOND);
	}
}

static void
jitter_is_later_only_and_a_tenth_at_most(void **state)
{
	struct mark m = { 0 };
	struct outcome o = outcome(OUTCOME_NEW);
	int64_t wait;

	(void)state;
	for (uint64_t r = 0; r <= UINT32_MAX; r += 99999989) {
		o.random = (uint32_t)r;
		wait = waits(&m, &second, &o);
		assert_in_range(wait, SECOND, SECOND + SECOND / 10);
		m.interval = 0;
		wait = waits(&m, &learnt, &o);
		assert_in_range(wait, SCHEDULE_EVERY_MIN, SCHEDULE_EVERY_MIN * 11 / 10);
	}
	o.random = UINT32_MAX;
	assert_true(waits(&m, &second, &o) > SECOND + 95);
}

static void
errors_back_off_doubling_and_never_poll_faster(void **state)
{
	struct mark m = { 0 };
	int64_t want = SCHEDULE_EVERY_MIN;

	(void)state;
	for (int i = 0; i < 70; i++) {
		assert_int_equal(waits_kind(&m, &learnt, OUTCOME_ERROR), want);
		want = want * 2 < SCHEDULE_BACKOFF_MAX ? want * 2 : SCHEDULE_BACKOFF_MAX;
	}
	assert_int_equal(m.failures, 70);
	assert_int_equal(m.state, MARK_FAILING);
	assert_int_equal(m.ok, 0);
	assert_int_equal(waits_kind(&m, &learnt, OUTCOME_SAME), 45 * MINUTE);
	assert_int_equal(m.failures, 0);
	assert_int_equal(m.state, MARK_OK);
}

static void
a_week_between_polls_is_not_shortened_by_an_error(void **state)
{
	const struct schedule_rule week = { 7 * DAY, 7 * DAY };
	struct mark m = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(waits_kind(&m, &week, OUTCOME_ERROR), 7 * DAY);
}

static void
retry_after_is_obeyed_up_to_its_maximum(void **state)
{
	struct mark m = { 0 };
	struct outcome o = outcome(OUTCOME_SLOW);

	(void)state;
	o.retry_after = 3 * HOUR;
	assert_int_equal(waits(&m, &second, &o), 3 * HOUR);
	assert_true(m.not_before == NOW + 3 * HOUR);
	o.retry_after = 30 * DAY;
	assert_int_equal(waits(&m, &second, &o), SCHEDULE_RETRY_MAX);
	m = (struct mark){ 0 };
	o.retry_after = SECOND;
	assert_int_equal(waits(&m, &learnt, &o), SCHEDULE_EVERY_MIN);
	o.kind = OUTCOME_ERROR;
	o.retry_after = 5 * HOUR;
	assert_int_equal(waits(&m, &learnt, &o), 5 * HOUR);
}

static void
a_429_without_a_time_backs_off(void **state)
{
	struct mark m = { 0 };

	(void)state;
	assert_int_equal(waits_kind(&m, &second, OUTCOME_SLOW), SECOND);
	assert_int_equal(waits_kind(&m, &second, OUTCOME_SLOW), 2 * SECOND);
	assert_int_equal(waits_kind(&m, &second, OUTCOME_SLOW), 4 * SECOND);
}

static void
max_age_is_obeyed_each_time_up_to_a_day(void **state)
{
	struct mark m = { 0 };
	struct outcome o = outcome(OUTCOME_SAME);

	(void)state;
	o.max_age = 2 * HOUR;
	for (int i = 0; i < 3; i++)
		assert_int_equal(waits(&m, &second, &o), 2 * HOUR);
	o.max_age = 365 * DAY;
	assert_int_equal(waits(&m, &second, &o), DAY);
	assert_int_equal(waits_kind(&m, &second, OUTCOME_SAME), SECOND);
	assert_int_equal(m.not_before, 0);
	o.max_age = 0;
	assert_int_equal(waits(&m, &second, &o), SECOND);
}

static void
ttl_raises_the_wait_and_not_the_interval(void **state)
{
	struct mark m = { 0 };
	struct outcome o = outcome(OUTCOME_NEW);

	(void)state;
	o.ttl = HOUR;
	assert_int_equal(waits(&m, &learnt, &o), HOUR);
	assert_int_equal(m.interval, SCHEDULE_EVERY_MIN);
	o.ttl = MINUTE;
	assert_int_equal(waits(&m, &learnt, &o), SCHEDULE_EVERY_MIN);
}

static void
skipped_hours_and_days_are_slept_through(void **state)
{
	const struct schedule_rule hour = { HOUR, HOUR };
	struct mark m = { 0 };
	struct outcome o = outcome(OUTCOME_NEW);

	(void)state;
	o.skip_hours = 1u << 10 | 1u << 11;
	assert_int_equal(waits(&m, &hour, &o), 2 * HOUR + 20 * MINUTE);
	assert_true(m.not_before == m.due);
	o.skip_hours = 0;
	o.skip_days = 1u << 6;				/* Saturday */
	assert_int_equal(waits(&m, &hour, &o), 14 * HOUR + 20 * MINUTE);
	o.skip_days = 1u << 6 | 1u << 0;		/* and Sunday */
	assert_int_equal(waits(&m, &hour, &o), 38 * HOUR + 20 * MINUTE);
	o.skip_days = 0x7f;
	assert_int_equal(waits(&m, &hour, &o), HOUR);
	o.skip_days = 0;
	o.skip_hours = 0xffffff;
	assert_int_equal(waits(&m, &hour, &o), HOUR);
	o.skip_hours = 1u << 10;
	o.random = UINT32_MAX;		/* not all at the stroke of eleven */
	assert_in_range(waits(&m, &hour, &o), HOUR + 25 * MINUTE, HOUR + 26 * MINUTE);
}

static void
gone_is_for_good_and_parked_for_a_day(void **state)
{
	struct mark m = { 0 };

	(void)state;
	waits_kind(&m, &second, OUTCOME_PARKED);
	assert_true(m.due == NOW + DAY);
	assert_int_equal(m.state, MARK_PARKED);
	waits_kind(&m, &second, OUTCOME_GONE);
	assert_true(m.due == INT64_MAX);
	assert_int_equal(m.state, MARK_GONE);
	assert_true(schedule_first(&m, &second, NOW + 100 * DAY, 0, 1) == INT64_MAX);
}

static void
a_plugins_own_time_is_taken(void **state)
{
	struct mark m = { 0 };
	struct outcome o = outcome(OUTCOME_RETRY);

	(void)state;
	o.retry_after = 5 * MINUTE;
	assert_int_equal(waits(&m, &learnt, &o), 5 * MINUTE);
	o.retry_after = 0;
	assert_int_equal(waits(&m, &learnt, &o), MINUTE);
	assert_int_equal(waits(&m, &second, &o), SECOND);
}

static void
a_dropped_result_is_fetched_again_but_not_before_its_time(void **state)
{
	struct mark m = { 0 };
	struct outcome o = outcome(OUTCOME_DROPPED);

	(void)state;
	assert_int_equal(waits(&m, &learnt, &o), 2 * SECOND);
	assert_int_equal(m.failures, 0);
	m.not_before = NOW + HOUR;
	assert_int_equal(waits(&m, &learnt, &o), HOUR);
	o.retry_after = 2 * HOUR;
	assert_int_equal(waits(&m, &learnt, &o), 2 * HOUR);
}

static void
what_is_new_begins_soon_and_spread(void **state)
{
	const struct mark m = { 0 };

	(void)state;
	assert_true(schedule_first(&m, &learnt, NOW, 0, 10000) == NOW);
	assert_in_range(schedule_first(&m, &learnt, NOW, UINT32_MAX, 1) - NOW, 0, 10);
	assert_in_range(schedule_first(&m, &learnt, NOW, UINT32_MAX, 10000) - NOW, 99 * SECOND,
	    100 * SECOND);
	assert_in_range(schedule_first(&m, &second, NOW, UINT32_MAX, 10000) - NOW, 0, SECOND);
}

static void
a_restart_polls_nothing_early(void **state)
{
	struct outcome o = outcome(OUTCOME_SAME);
	struct mark m = { 0 };
	int64_t due;

	(void)state;
	for (uint64_t r = 0; r <= UINT32_MAX; r += 99999989) {
		o.random = (uint32_t)r;
		o.max_age = r % 2 ? 5 * HOUR : -1;
		o.skip_hours = r % 3 ? 0 : 1u << 10;
		o.kind = r % 5 ? OUTCOME_SAME : OUTCOME_ERROR;
		schedule_move(&m, &learnt, &o, NOW);
		due = schedule_first(&m, &learnt, NOW + MINUTE, (uint32_t)(r * 7), 100);
		assert_true(due <= m.due && due >= NOW + m.interval && due >= m.not_before);
	}
}

static void
what_is_overdue_begins_spread(void **state)
{
	struct mark m = { .checked = NOW - DAY, .interval = HOUR, .due = NOW - 23 * HOUR };

	(void)state;
	assert_true(schedule_first(&m, &learnt, NOW, 0, 10000) == NOW);
	assert_true(schedule_first(&m, &learnt, NOW, UINT32_MAX, 10000) > NOW + 99 * SECOND);
}

static void
another_rule_moves_the_due_time(void **state)
{
	struct mark m = { .checked = NOW, .interval = DAY, .due = NOW + DAY };

	(void)state;
	assert_true(schedule_first(&m, &second, NOW, 0, 1) == NOW + SECOND);
	m = (struct mark){ .checked = NOW, .interval = SECOND, .due = NOW + SECOND };
	assert_true(schedule_first(&m, &learnt, NOW, 0, 1) == NOW + SCHEDULE_EVERY_MIN);
	m.not_before = NOW + 3 * HOUR;
	assert_true(schedule_first(&m, &second, NOW, 0, 1) == NOW + 3 * HOUR);
}

static void
a_clock_that_was_years_ahead_does_not_stop_a_source(void **state)
{
	struct mark m = { .checked = NOW + 3650 * DAY, .interval = HOUR,
		.due = NOW + 3650 * DAY + HOUR, .not_before = NOW + 3650 * DAY + HOUR };

	(void)state;
	assert_in_range(schedule_first(&m, &learnt, NOW, 0, 1), NOW + HOUR, NOW + 2 * HOUR);
}

static void
what_lies_further_ahead_than_any_step_is_now(void **state)
{
	const struct mark well = { .checked = NOW - MINUTE, .ok = NOW - MINUTE, .interval = HOUR };
	struct mark m = well;

	(void)state;
	m.due = NOW + 16 * DAY;
	assert_true(schedule_first(&m, &learnt, NOW, 0, 1) == NOW);
	m = well;
	m.not_before = m.due = NOW + 16 * DAY;
	assert_true(schedule_first(&m, &learnt, NOW, 0, 1) == NOW);
	m.failures = 3;
	assert_true(schedule_first(&m, &learnt, NOW, 0, 1) == NOW);
	m = well;
	m.not_before = m.due = NOW + 6 * DAY;		/* a Retry-After that is obeyed */
	assert_true(schedule_first(&m, &learnt, NOW, 0, 1) == NOW + 6 * DAY);
	m = well;
	m.due = INT64_MAX;
	m.state = MARK_GONE;
	assert_true(schedule_first(&m, &learnt, NOW, 0, 1) == INT64_MAX);
}

static void
a_mark_of_a_wrong_clock_is_taken_back(void **state)
{
	const struct mark good = { .checked = NOW - MINUTE, .ok = NOW - MINUTE, .interval = HOUR,
		.due = NOW + HOUR, .not_before = NOW + HOUR };
	struct mark m = good;

	(void)state;
	assert_int_equal(schedule_fit(&m, &learnt, NOW), 0);
	assert_memory_equal(&m, &good, sizeof(m));
	m.checked = m.ok = NOW + 2 * HOUR;
	m.due = m.not_before = NOW + 3 * HOUR;
	assert_int_equal(schedule_fit(&m, &learnt, NOW), 1);
	assert_true(m.checked == NOW && m.ok == NOW && m.due == NOW + HOUR);
	assert_true(m.not_before == NOW + HOUR);
	m.not_before = m.due = NOW + 16 * DAY;
	assert_int_equal(schedule_fit(&m, &learnt, NOW), 1);
	assert_true(m.not_before == 0 && m.due == NOW);
	m.checked = NOW + DAY;
	m.due = INT64_MAX;
	assert_int_equal(schedule_fit(&m, &learnt, NOW), 1);
	assert_true(m.due == INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_lengthens_and_news_shorten_between_the_bounds),
		cmocka_unit_test(a_fixed_interval_stays),
		cmocka_unit_test(jitter_is_later_only_and_a_tenth_at_most),
		cmocka_unit_test(errors_back_off_doubling_and_never_poll_faster),
		cmocka_unit_test(a_week_between_polls_is_not_shortened_by_an_error),
		cmocka_unit_test(retry_after_is_obeyed_up_to_its_maximum),
		cmocka_unit_test(a_429_without_a_time_backs_off),
		cmocka_unit_test(max_age_is_obeyed_each_time_up_to_a_day),
		cmocka_unit_test(ttl_raises_the_wait_and_not_the_interval),
		cmocka_unit_test(skipped_hours_and_days_are_slept_through),
		cmocka_unit_test(gone_is_for_good_and_parked_for_a_day),
		cmocka_unit_test(a_plugins_own_time_is_taken),
		cmocka_unit_test(a_dropped_result_is_fetched_again_but_not_before_its_time),
		cmocka_unit_test(what_is_new_begins_soon_and_spread),
		cmocka_unit_test(a_restart_polls_nothing_early),
		cmocka_unit_test(what_is_overdue_begins_spread),
		cmocka_unit_test(another_rule_moves_the_due_time),
		cmocka_unit_test(a_clock_that_was_years_ahead_does_not_stop_a_source),
		cmocka_unit_test(what_lies_further_ahead_than_any_step_is_now),
		cmocka_unit_test(a_mark_of_a_wrong_clock_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
