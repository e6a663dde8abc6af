/* The brake: stations whose workers die of their records wait, and pause. */
#include "base/date.h"
#include "daemon/route/brake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
deaths_in_a_row_double_the_delay_and_end_in_a_pause(void **state)
{
	static const int64_t delays[] = { 0, 0, 1000, 2000, 4000, -1, -1 };
	struct brake b;

	(void)state;
	brake_release(&b);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		assert_int_equal(b.paused, 0);
		assert_int_equal(brake_died(&b), delays[i]);
		assert_int_equal(b.paused, delays[i] == -1);
		b.paused = 0;			/* the pause is over */
	}
	brake_done(&b, 1);			/* one is done: it begins anew */
	assert_int_equal(brake_died(&b), 0);
	brake_release(&b);
	assert_int_equal(brake_died(&b), 0);
}

static void
many_deaths_among_few_records_end_in_a_pause_too(void **state)
{
	struct brake b;
	unsigned i;

	(void)state;
	brake_release(&b);
	for (i = 0; i < BRAKE_DIED; i++) {
		assert_int_equal(brake_died(&b), 0);
		brake_done(&b, 1);
	}
	assert_int_equal(brake_died(&b), -1);

	/* One in a hundred is no reason. */
	brake_release(&b);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(brake_died(&b), 0);
		brake_done(&b, 99);
	}
}

static void
workers_are_started_by_a_budget(void **state)
{
	struct brake b;
	int i;

	(void)state;
	brake_release(&b);
	for (i = 0; i < BRAKE_STARTS - 1; i++) {
		assert_int_equal(brake_wait(&b), 0);
		brake_start(&b);
	}
	assert_in_range(brake_wait(&b), 1, BRAKE_START_MS);
	brake_start(&b);
	assert_in_range(brake_wait(&b), BRAKE_START_MS + 1, 2 * BRAKE_START_MS);
	b.at -= INT64_C(1000000);
	assert_int_equal(brake_wait(&b), 0);
	for (i = 0; i < BRAKE_STARTS - 1; i++)
		brake_start(&b);
	assert_in_range(brake_wait(&b), 1, BRAKE_START_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deaths_in_a_row_double_the_delay_and_end_in_a_pause),
		cmocka_unit_test(many_deaths_among_few_records_end_in_a_pause_too),
		cmocka_unit_test(workers_are_started_by_a_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
