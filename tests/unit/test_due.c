/* The heap of due times against sorting, and the timer of the first. */
#include "base/date.h"
#include "base/mem.h"
#include "daemon/source/due.h"
#include "daemon/source/sources.h"
#include "daemon/supervise/core.h"

#include <event2/event.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define N	500

static struct core core;
static struct setup conf = { .nsources = N };
static unsigned begun;

/* Begins nothing: what is due is taken out, as a poll of it would be. */
static int64_t
begin(struct core *c)
{
	uint32_t place;

	begun++;
	while ((place = due_first(c)) != UINT32_MAX && c->runs[place].mark.due <= date_now())
		due_remove(c, place);
	return DUE_WAIT_MAX;
}

static int
setup(void **state)
{
	(void)state;
	core.setup = &conf;
	core.base = event_base_new();
	assert_non_null(core.base);
	due_init(&core, begin);
	begun = 0;
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
	due_free(&core);
	event_base_free(core.base);
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
	static uint32_t at;

	(void)state;
	core.runs[0].mark.due = INT64_MAX;
	due_set(&core, 0);
	core.runs[1].at = &at;
	due_set(&core, 1);
	core.runs[2].mark.due = 5;
	due_set(&core, 2);
	due_remove(&core, 3);
	expect_in_order(1);
}

static void
one_that_comes_to_be_the_first_wakes_the_loop(void **state)
{
	const struct timeval most = { .tv_sec = 20 };
	int64_t now = date_now();

	(void)state;
	core.runs[0].mark.due = now + 3600000;
	due_set(&core, 0);
	core.runs[1].mark.due = now + 20;
	due_set(&core, 1);
	event_base_loopexit(core.base, &most);
	while (begun == 0 && !event_base_got_exit(core.base))
		event_base_loop(core.base, EVLOOP_ONCE);
	/* libevent's clock is coarse, by 10 ms at most: who begins polls looks at the time anyway. */
	assert_true(date_now() >= now + 10);
	expect_in_order(1);
}

static void
woken_often_it_begins_once(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		due_wake(&core);
	event_base_loop(core.base, EVLOOP_NONBLOCK);
	assert_int_equal(begun, 1);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(sources_come_out_by_their_due_time),
		T(a_due_time_may_move_both_ways),
		T(what_is_never_due_or_under_way_is_left_out),
		T(one_that_comes_to_be_the_first_wakes_the_loop),
		T(woken_often_it_begins_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
