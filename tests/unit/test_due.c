/* The heap of due times against sorting. */
#include "core.h"
#include "due.h"
#include "mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define N	500

static struct core core;
static struct setup conf = { .nsources = N };

static int
setup(void **state)
{
	(void)state;
	core.setup = &conf;
	core.runs = xcalloc(N, sizeof(core.runs[0]));
	for (size_t i = 0; i < N; i++)
		core.runs[i].place = UINT32_MAX;
	due_clear(&core);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(core.runs);
	free(core.heap);
	core.heap = NULL;
	return 0;
}

static void
expect_in_order(unsigned n)
{
	int64_t last = INT64_MIN;
	uint32_t place;

	while ((place = due_first(&core)) != UINT32_MAX) {
		assert_true(core.runs[place].mark.due >= last);
		last = core.runs[place].mark.due;
		due_remove(&core, place);
		assert_int_equal(core.runs[place].place, UINT32_MAX);
		n--;
	}
	assert_int_equal(n, 0);
}

static void
sources_come_out_by_their_due_time(void **state)
{
	(void)state;
	srandom(1);
	for (uint32_t i = 0; i < N; i++) {
		core.runs[i].mark.due = random() % 300;
		due_set(&core, i);
	}
	expect_in_order(N);
}

static void
a_due_time_may_move_both_ways(void **state)
{
	(void)state;
	srandom(2);
	for (uint32_t i = 0; i < N; i++) {
		core.runs[i].mark.due = i;
		due_set(&core, i);
	}
	for (uint32_t k = 0; k < 5000; k++) {
		uint32_t i = (uint32_t)random() % N;

		core.runs[i].mark.due = random() % 1000;
		due_set(&core, i);
	}
	expect_in_order(N);
}

static void
what_is_never_due_or_under_way_is_left_out(void **state)
{
	static char job;

	(void)state;
	core.runs[0].mark.due = INT64_MAX;
	due_set(&core, 0);
	core.runs[1].job = (void *)&job;
	due_set(&core, 1);
	core.runs[2].mark.due = 5;
	due_set(&core, 2);
	due_remove(&core, 3);
	expect_in_order(1);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(sources_come_out_by_their_due_time),
		T(a_due_time_may_move_both_ways),
		T(what_is_never_due_or_under_way_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
