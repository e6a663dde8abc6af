/* The filter limit: never more in any stretch of time than it says, as many as it says, within its state. */
#include <courant/fakehost.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define START	INT64_C(1767225600000)	/* 2026-01-01T00:00:00Z */
#define HOUR	INT64_C(3600000)
#define MANY	4000

static struct cr_fake *
limit(const char *text)
{
	struct cr_fake *f = cr_fake_new(&cr_plugin_v1, text);

	assert_int_equal(cr_fake_open(f), 0);
	return f;
}

/* Whether a record of that source, first seen then, is kept. */
static int
kept(struct cr_fake *f, const char *source, int64_t when)
{
	struct cr_record *r = cr_fake_record(f, "x");
	int verdict;

	cr_fake_set_text(r, CR_SOURCE, source);
	cr_fake_set_time(r, CR_SEEN, when);
	verdict = cr_fake_filter(f, r);
	assert_true(verdict == CR_KEEP || verdict == CR_DROP);
	return verdict == CR_KEEP;
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* ---- What is configured ---- */

static void
refused(const char *text, const char *why)
{
	struct cr_fake *f = cr_fake_new(&cr_plugin_v1, text);

	assert_int_equal(cr_fake_open(f), -1);
	assert_int_equal(f->failed, CR_BAD_OPTION);
	if (strstr(f->error, why) == NULL)
		fail_msg("%s: %s", text, f->error);
	cr_fake_free(f);
}

static void
test_rates_are_read_as_people_write_them(void **state)
{
	static const char *const good[] = { "10/h", "10/1 h", "10 / 30 min", "3/90s", "1000000/52w",
		"1/d" };
	static const char *const bad[] = { "10", "10/", "/h", "0/h", "10/0 h", "10/year", "10/53 w",
		"10/h h", "-1/h", "ten/h", "9999999999/h", "10/5", "1.5/h" };
	char text[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "rate=%s\n", good[i]);
		cr_fake_free(limit(text));
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "rate=%s\n", bad[i]);
		refused(text, "rate: ");
		refused(text, "is no rate: give a number of records, a slash and a time");
	}
	refused(NULL, "rate: give either rate or number");
	refused("rate=1/h\nnumber=3\n", "number: give either rate or number: for both, two filters");
	refused("rate=1/h\nper=autor\n", "did you mean `author`");
}

static void
test_the_reason_tells_whose_and_which_it_is(void **state)
{
	struct cr_fake *f = limit("rate=2/h\nper=source\n");

	(void)state;
	assert_true(kept(f, "X", START));
	assert_string_equal(f->why, "1st of source X within 1 h; the limit is 2");
	kept(f, "X", START);
	assert_false(kept(f, "X", START + HOUR - 1));
	assert_string_equal(f->why, "3rd of source X within 1 h; the limit is 2");
	assert_true(kept(f, "Y", START));
	assert_true(kept(f, "", START));
	assert_string_equal(f->why, "1st without source within 1 h; the limit is 2");
	assert_true(kept(f, "X", START + HOUR));
	cr_fake_free(f);
	f = limit("rate=11/30 min\n");
	for (int i = 0; i < 11; i++)
		assert_true(kept(f, "X", START));
	assert_string_equal(f->why, "11th within 30 min; the limit is 11");
	assert_false(kept(f, "Y", START));
	assert_string_equal(f->why, "12th within 30 min; the limit is 11");
	cr_fake_free(f);
	f = limit("number=1\nper=source\n");
	assert_true(kept(f, "X", START));
	assert_false(kept(f, "X", START + 1000 * 24 * HOUR));
	assert_string_equal(f->why, "2nd of source X; the limit is 1");
	assert_false(kept(f, "X", START - HOUR));
	cr_fake_free(f);
}

/* ---- What it keeps ---- */

/* How many of the times lie in the hour that ends with `end`. */
static int
within(const int64_t *times, size_t n, int64_t end)
{
	int count = 0;

	while (n-- > 0)
		count += times[n] <= end && times[n] > end - HOUR;
	return count;
}

static void
test_in_turn_each_record_is_kept_that_the_limit_has_room_for(void **state)
{
	static const char *const names[] = { "a", "b", "c" };
	struct cr_fake *f = limit("rate=7/h\nper=source\n");
	static int64_t times[3][MANY];
	size_t n[3] = { 0 };
	int64_t now = START;
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		int who = (int)(next(&seed) % 3), room;

		now += next(&seed) % 8 == 0 ? 2000000 : next(&seed) % 100000;
		room = within(times[who], n[who], now) < 7;
		assert_int_equal(kept(f, names[who], now), room);
		if (room)
			times[who][n[who]++] = now;
	}
	cr_fake_free(f);
}

static void
test_out_of_turn_no_hour_has_more_than_the_limit(void **state)
{
	struct cr_fake *f = limit("rate=7/h\n");
	static int64_t times[MANY];
	uint32_t seed = 2;
	size_t n = 0, i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		int64_t when = START + (int64_t)i * 60000 + next(&seed) % (HOUR / 8);

		if (kept(f, "", when))
			times[n++] = when;
	}
	for (i = 0; i < n; i++)
		assert_in_range(within(times, n, times[i]), 1, 7);
	assert_true(n > MANY / 60 * 7 * 9 / 10);
	cr_fake_free(f);
}

static void
test_the_past_is_judged_by_its_own_time(void **state)
{
	struct cr_fake *f = limit("rate=5/h\n");
	int i, n = 0;

	(void)state;
	for (i = 0; i < 10; i++)
		kept(f, "", START + 100 * HOUR);
	for (i = 0; i < 600; i++)		/* ten hours of it, one a minute */
		n += kept(f, "", START + i * 60000);
	assert_int_equal(n, 50);
	assert_false(kept(f, "", START + 100 * HOUR));
	cr_fake_free(f);
}

static void
test_a_large_rate_takes_little_state_and_is_nearly_exact(void **state)
{
	struct cr_fake *f = limit("rate=1000/h\n");
	static int64_t times[4 * MANY];
	size_t n = 0, i;

	(void)state;
	for (i = 0; i < 4 * MANY; i++)		/* four times as many as are let through */
		if (kept(f, "", START + (int64_t)i * 900))
			times[n++] = START + (int64_t)i * 900;
	for (i = 0; i < n; i += 7)
		assert_true(within(times, n, times[i]) <= 1000);
	assert_in_range(n, 3900, 4000);
	for (i = 0; i < f->nstate; i += 100)
		assert_true(strlen(f->state[i].value) <= 1000);
	cr_fake_free(f);
}

static void
test_of_very_many_the_ones_longest_unseen_are_forgotten(void **state)
{
	struct cr_fake *f = limit("rate=1/7 d\nper=source\n");
	char name[32];
	size_t sum = 0;
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "source-%d", i);
		assert_true(kept(f, name, START + i * 1000));
	}
	for (i = 4000; i < 5000; i++) {
		snprintf(name, sizeof(name), "source-%d", i);
		assert_false(kept(f, name, START + 6 * 24 * HOUR));
	}
	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_non_null(cr_fake_state(f, name));
		sum += strlen(cr_fake_state(f, name)) + strlen(name) + 2;
	}
	assert_true(sum < 64 << 10);
	cr_fake_free(f);
}

static void
test_state_that_cannot_be_read_is_forgotten(void **state)
{
	static const char *const bad[] = { "x", "1:", "1:zz;", "1:5*;", ":::", "1:5,", "1:5*3" };
	struct cr_fake *f = limit("rate=1/h\n");
	char key[8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (int k = 0; k < 64; k++) {
			snprintf(key, sizeof(key), "%d", k);
			cr_fake_set_state(f, key, bad[i]);
		}
		assert_true(kept(f, "", START));
		assert_false(kept(f, "", START));
	}
	cr_fake_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates_are_read_as_people_write_them),
		cmocka_unit_test(test_the_reason_tells_whose_and_which_it_is),
		cmocka_unit_test(test_in_turn_each_record_is_kept_that_the_limit_has_room_for),
		cmocka_unit_test(test_out_of_turn_no_hour_has_more_than_the_limit),
		cmocka_unit_test(test_the_past_is_judged_by_its_own_time),
		cmocka_unit_test(test_a_large_rate_takes_little_state_and_is_nearly_exact),
		cmocka_unit_test(test_of_very_many_the_ones_longest_unseen_are_forgotten),
		cmocka_unit_test(test_state_that_cannot_be_read_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
