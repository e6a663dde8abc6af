/* Dates: every form that feeds use, what is refused, what is written. */
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

struct read {
	const char	*text, *as;	/* as RFC 3339 */
};

static void
check(const struct read *cases, size_t n)
{
	char out[DATE_MAX];
	int64_t ms;

	for (size_t i = 0; i < n; i++) {
		if (date_parse(cases[i].text, &ms) == -1)
			fail_msg("not read: %s", cases[i].text);
		if (strcmp(date_rfc3339(out, ms), cases[i].as) != 0)
			fail_msg("%s: %s, not %s", cases[i].text, out, cases[i].as);
	}
}

static void
mail_dates_are_read(void **state)
{
	static const struct read cases[] = {
		{ "Thu, 01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21Z" },
		{ "Thu, 01 Jan 04 19:48:21 GMT", "2004-01-01T19:48:21Z" },
		{ "1 Jan 2004 19:48 EST", "2004-01-02T00:48:00Z" },
		{ "Thu, 1 Jan 2004 19:48:21 +0530", "2004-01-01T14:18:21Z" },
		{ "Thu,  1  Jan   2004\t19:48:21  -0330 (a comment)", "2004-01-01T23:18:21Z" },
		{ "\n  Thu, 01 Jan 2004 19:48:21 UT \n", "2004-01-01T19:48:21Z" },
		{ "thu 01 january 2004 19:48:21 utc", "2004-01-01T19:48:21Z" },
		{ "Sat, 01 Jan 50 00:00:00 GMT", "1950-01-01T00:00:00Z" },
		{ "Sat, 01 Jan 49 00:00:00 GMT", "2049-01-01T00:00:00Z" },
		{ "Sat, 01 Jan 103 00:00:00 GMT", "2003-01-01T00:00:00Z" },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z" },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z" },
		{ "Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z" },
		{ "Sun Jan  4 16:29:06 PST 2004", "2004-01-05T00:29:06Z" },
		{ "Mon, 02 Jun 2025 10:00:00 GMT+0200", "2025-06-02T08:00:00Z" },
		{ "Mon, 02 Jun 2025 10:00:00 (PDT)", "2025-06-02T17:00:00Z" },
		{ "Mon, 02 Jun 2025 24:00:00 GMT", "2025-06-03T00:00:00Z" },
		{ "Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00Z" },
		{ "2 Jun 25", "2025-06-02T00:00:00Z" },
		{ "Mon, 02 Jun 2025 10:00:00 GMTMon, 02 Jun 2025 10:00:00 GMT",
		  "2025-06-02T10:00:00Z" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
dates_of_iso_8601_are_read(void **state)
{
	static const struct read cases[] = {
		{ "2003-12-31T10:14:55Z", "2003-12-31T10:14:55Z" },
		{ "2003-12-31t10:14:55z", "2003-12-31T10:14:55Z" },
		{ "2003-12-31T10:14:55.123456-08:00", "2003-12-31T18:14:55.123Z" },
		{ "2003-12-31T10:14:55,5+0200", "2003-12-31T08:14:55.500Z" },
		{ "2003-12-31T10:14Z", "2003-12-31T10:14:00Z" },
		{ "2003-12-31T10Z", "2003-12-31T10:00:00Z" },
		{ "2003-12-31T10:14:55+05", "2003-12-31T05:14:55Z" },
		{ "2003-12-31 10:14:55", "2003-12-31T10:14:55Z" },
		{ "2003-12-31", "2003-12-31T00:00:00Z" }, { "2003-12", "2003-12-01T00:00:00Z" },
		{ "2003", "2003-01-01T00:00:00Z" }, { "2003-1-2", "2003-01-02T00:00:00Z" },
		{ "20031231", "2003-12-31T00:00:00Z" },
		{ "20031231T101455Z", "2003-12-31T10:14:55Z" },
		{ "20031231101455", "2003-12-31T10:14:55Z" }, { "031231", "2003-12-31T00:00:00Z" },
		{ "03-12-31", "2003-12-31T00:00:00Z" }, { "2003-335", "2003-12-01T00:00:00Z" },
		{ "2003335", "2003-12-01T00:00:00Z" }, { "2004-366", "2004-12-31T00:00:00Z" },
		{ "2004-W53-6", "2005-01-01T00:00:00Z" }, { "2004W536", "2005-01-01T00:00:00Z" },
		{ "2009-W01-1", "2008-12-29T00:00:00Z" }, { "2008-W01", "2007-12-31T00:00:00Z" },
		{ "2009-W53-7T12:00Z", "2010-01-03T12:00:00Z" },
		{ "0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z" },
		{ "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z" },
		{ "2000-02-29", "2000-02-29T00:00:00Z" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
broken_and_foreign_dates_are_read(void **state)
{
	static const struct read cases[] = {
		{ "2004-j\u00falius-13T9:15-05:00", "2004-07-13T14:15:00Z" },	/* Magyar */
		{ "2004-febru\u00e1r-13T9:15-05:00", "2004-02-13T14:15:00Z" },
		{ "\u039a\u03c5\u03c1, 11 \u0399\u03bf\u03cd\u03bb 2004 12:00:00 EST",
		  "2004-07-11T17:00:00Z" },
		{ "\u0394\u03b5\u03c5, 12 \u039d\u03bf\u03ad 2004 12:00:00 EST",
		  "2004-11-12T17:00:00Z" },
		{ "2004\ub144 05\uc6d4 28\uc77c  01:31:15", "2004-05-28T01:31:15Z" },	/* Korean */
		{ "2004-05-25 \uc624\ud6c4 11:23:17", "2004-05-25T23:23:17Z" },
		{ "2004-05-25 \uc624\uc804 12:23:17", "2004-05-25T00:23:17Z" },
		{ "2004\u5e745\u670825\u65e5 11\u664223\u520617\u79d2", "2004-05-25T11:23:17Z" },
		{ "12 \u044f\u043d\u0432\u0430\u0440\u044f 2020 10:00", "2020-01-12T10:00:00Z" },
		{ "12. M\u00e4rz 2020, 14:05", "2020-03-12T14:05:00Z" },
		{ "lun., 02 juin 2025 10:00:00 +0200", "2025-06-02T08:00:00Z" },
		{ "3 d\u00e9c. 2025", "2025-12-03T00:00:00Z" },
		{ "1er ao\u00fbt 2025", "2025-08-01T00:00:00Z" },
		{ "mar, 16 nov 2022 00:38:15 +0100", "2022-11-15T23:38:15Z" },	/* martedi */
		{ "31 de diciembre de 2019 23:59", "2019-12-31T23:59:00Z" },
		{ "2004-07-08 23:56:58.0", "2004-07-08T23:56:58Z" },			/* MSSQL */
		{ "Jul  8 2004 11:56:58:123PM", "2004-07-08T23:56:58.123Z" },
		{ "Fri, 2006/09/15 08:19:53 EDT", "2006-09-15T12:19:53Z" },
		{ "Wed, Aug 10, 2011 5:30 PM PDT", "2011-08-11T00:30:00Z" },
		{ "August 10th, 2011", "2011-08-10T00:00:00Z" },
		{ "10/31/2011 5:30 a.m.", "2011-10-31T05:30:00Z" },
		{ "31/10/2011", "2011-10-31T00:00:00Z" }, { "3/4/2011", "2011-03-04T00:00:00Z" },
		{ "31.10.2011 12:00", "2011-10-31T12:00:00Z" },
		{ "31-10-2011", "2011-10-31T00:00:00Z" },
		{ "12:00 AM, June 1 2020", "2020-06-01T00:00:00Z" },
		{ "1748858400", "2025-06-02T10:00:00Z" },
		{ "1748858400123", "2025-06-02T10:00:00.123Z" },
		{ "Mon, 02 Jun 2025 10:00:00 XYZ", "2025-06-02T10:00:00Z" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
zones_are_known_by_name(void **state)
{
	static const struct {
		const char	*zone;
		int		 minutes;
	} zones[] = {
		{ "UT", 0 }, { "GMT", 0 }, { "EST", -300 }, { "EDT", -240 }, { "CST", -360 },
		{ "CDT", -300 }, { "MST", -420 }, { "MDT", -360 }, { "PST", -480 }, { "PDT", -420 },
		{ "A", -60 }, { "I", -540 }, { "K", -600 }, { "M", -720 }, { "N", 60 },
		{ "Y", 720 },
		{ "Z", 0 }, { "J", 0 }, { "CET", 60 }, { "CEST", 120 }, { "MSK", 180 },
		{ "JST", 540 },
		{ "IST", 330 }, { "AEST", 600 }, { "NZDT", 780 }, { "HST", -600 }, { "NST", -210 },
		{ "+14:00", 840 }, { "-12:00", -720 }, { "+1", 60 }, { "+130", 90 }, { "-0000", 0 },
	};
	char text[64];
	int64_t ms, noon;

	(void)state;
	assert_int_equal(date_parse("2020-06-01T12:00:00Z", &noon), 0);
	for (size_t i = 0; i < COUNT(zones); i++) {
		snprintf(text, sizeof(text), "Mon, 01 Jun 2020 12:00:00 %s", zones[i].zone);
		assert_int_equal(date_parse(text, &ms), 0);
		if (ms != noon - zones[i].minutes * INT64_C(60000))
			fail_msg("%s: %lld", zones[i].zone, (long long)(noon - ms) / 60000);
	}
}

static void
what_is_no_date_is_refused_and_nothing_is_changed(void **state)
{
	static const char *const bad[] = {
		"", " ", "not a date", "yesterday", "30 Feb 2025", "29 Feb 2023", "31/31/2011",
		"2025-13-01", "2025-00-10", "2025-06-00", "2025-06-32", "0000-00-00T00:00:00Z",
		"Mon, 02 Jun 2025 25:61:61 GMT", "2025-06-02T24:00:01Z", "2025-06-02T10:60Z",
		"Mon, 02 Jun 2025 10:00:00 +9999", "2025-06-02T10:00:00+10:99", "-1", "0", "12345",
		"99999999999999999999", "2003-366", "2003-000", "2003-W54-1", "2003-W00-1",
		  "2003-W10-8",
		"10:00", "12 Jan", "2025-06-02T10:00:99Z", "hourly", "\xff\xff", "123456789012345",
		"1/2", "--12-31", "2025-06-02T10:00:00+123456",
	};
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (date_parse(bad[i], &ms) != -1)
			fail_msg("read: %s", bad[i]);
		assert_int_equal(ms, 42);
	}
}

static void
dates_are_written_in_three_ways(void **state)
{
	char out[DATE_MAX];
	const int64_t ms = 1795252560000;

	(void)state;
	assert_string_equal(date_rfc3339(out, ms), "2026-11-21T09:16:00Z");
	assert_string_equal(date_rfc3339(out, ms + 7), "2026-11-21T09:16:00.007Z");
	assert_string_equal(date_http(out, ms), "Sat, 21 Nov 2026 09:16:00 GMT");
	assert_string_equal(date_rfc3339(out, 0), "1970-01-01T00:00:00Z");
	assert_string_equal(date_http(out, -1), "Wed, 31 Dec 1969 23:59:59 GMT");
	assert_string_equal(date_rfc3339(out, -1), "1969-12-31T23:59:59.999Z");
	assert_string_equal(date_rfc3339(out, INT64_MAX), "9999-12-31T23:59:59.999Z");
	assert_string_equal(date_rfc3339(out, INT64_MIN), "0000-01-01T00:00:00Z");
}

/* Every day of eight centuries, beside libc's calendar. */
static void
days_are_those_of_libc(void **state)
{
	char out[DATE_MAX], want[DATE_MAX];
	struct tm tm;
	int64_t ms;
	time_t t;

	(void)state;
	for (t = -12622780800; t < 12622780800; t += 86400) {	/* 1570 to 2370 */
		assert_non_null(gmtime_r(&t, &tm));
		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_string_equal(date_http(out, (int64_t)t * 1000), want);
		assert_int_equal(date_parse(want, &ms), 0);
		assert_int_equal(ms, (int64_t)t * 1000);
		strftime(want, sizeof(want), "%G-W%V-%u", &tm);
		assert_int_equal(date_parse(want, &ms), 0);
		assert_int_equal(ms, (int64_t)t * 1000);
		strftime(want, sizeof(want), "%Y-%j", &tm);
		assert_int_equal(date_parse(want, &ms), 0);
		assert_int_equal(ms, (int64_t)t * 1000);
	}
}

static void
what_is_written_is_read_back(void **state)
{
	char out[DATE_MAX];
	int64_t ms, back;

	(void)state;
	for (ms = -62167219200000; ms < 253402300800000; ms += 86399999 * INT64_C(97)) {
		assert_int_equal(date_parse(date_rfc3339(out, ms), &back), 0);
		assert_int_equal(back, ms);
		assert_int_equal(date_parse(date_http(out, ms), &back), 0);
		assert_int_equal(back, ms - ((ms % 1000) + 1000) % 1000);
	}
}

static void
clocks_go_forward(void **state)
{
	int64_t wall = date_now(), ticks = date_ticks();

	(void)state;
	assert_true(wall > 1600000000000);
	assert_true(date_ticks() >= ticks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_dates_are_read),
		cmocka_unit_test(dates_of_iso_8601_are_read),
		cmocka_unit_test(broken_and_foreign_dates_are_read),
		cmocka_unit_test(zones_are_known_by_name),
		cmocka_unit_test(what_is_no_date_is_refused_and_nothing_is_changed),
		cmocka_unit_test(dates_are_written_in_three_ways),
		cmocka_unit_test(days_are_those_of_libc),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(clocks_go_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
