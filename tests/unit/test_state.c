/* What a plugin keeps: state_get() gives what is stored, state_set() goes into the results, within
 * its maxima. */
#include "base/buf.h"
#include "base/mem.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "worker/convert.h"
#include "worker/host.h"
#include "worker/host_state.h"
#include "worker/host_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct cr *const cr = &host.cr;
static struct slot slot = { .plugin = { CR_PLUGIN, .name = "test" } };

/* A job begins with this state: KEY\0VALUE\0..., with its last NUL that of the literal. */
#define BEGIN(text)	begin(text, sizeof(text))

static void
begin(const char *known, size_t len)
{
	host_state_begin((struct bytes){ known, len > 1 ? len : 0 });
	host_enter(&slot, PHASE_STREAM);
}

/* What the results hold: KEY=VALUE, or KEY alone, unset, with blanks between. */
static const char *
written(void)
{
	static char text[1024];
	int fd = memfd_new(NULL, 0);
	struct result_state st;
	enum result_kind kind;
	struct wire all, body;
	const void *p;
	size_t size;
	int rc;

	host_leave();
	out_open(fd, 1u << 20);
	host_state_write();
	assert_int_equal(out_flush(), 0);
	assert_int_equal(memfd_seal(fd), 0);
	p = memfd_map(fd, SIZE_MAX, &size);
	wire_init(&all, p, size);
	text[0] = '\0';
	while ((rc = result_next(&all, &kind, &body)) == 1) {
		assert_int_equal(kind, RESULT_STATE);
		wire_get(&body, result_state, &st);
		assert_int_equal(wire_end(&body), 0);
		snprintf(text + strlen(text), 300, st.value != NULL ? "%s=%s " : "%s ", st.key,
		    st.value);
	}
	assert_int_equal(rc, 0);
	memfd_unmap(p, size);
	close(fd);
	return text;
}

/* n bytes of text. */
static const char *
text_of(size_t n)
{
	static char text[HOST_STATE + 2];

	assert_true(n < sizeof(text));
	memset(text, 'v', n);
	text[n] = '\0';
	return text;
}

static void
get_gives_what_is_stored_and_set_goes_into_the_results(void **state)
{
	(void)state;
	BEGIN("a\0one\0b\0\0c\0three");
	assert_string_equal(cr->state_get(cr, "a"), "one");
	assert_string_equal(cr->state_get(cr, "b"), "");
	assert_string_equal(cr->state_get(cr, "c"), "three");
	assert_null(cr->state_get(cr, "one"));
	assert_null(cr->state_get(cr, NULL));
	assert_int_equal(cr->state_set(cr, "a", "two"), 0);
	assert_int_equal(cr->state_set(cr, "d", "four"), 0);
	assert_int_equal(cr->state_set(cr, "c", NULL), 0);
	assert_int_equal(cr->state_set(cr, "a", "2"), 0);
	assert_string_equal(cr->state_get(cr, "a"), "one");
	assert_string_equal(cr->state_get(cr, "c"), "three");
	assert_null(cr->state_get(cr, "d"));
	assert_string_equal(written(), "d=four c a=2 ");
	BEGIN("");
	assert_null(cr->state_get(cr, "a"));
	assert_string_equal(written(), "");
}

static void
keys_and_values_are_text_of_a_length(void **state)
{
	(void)state;
	BEGIN("");
	assert_int_equal(cr->state_set(cr, NULL, "x"), -1);
	assert_int_equal(cr->state_set(cr, "", "x"), -1);
	assert_int_equal(cr->state_set(cr, text_of(RESULT_KEY_MAX + 1), "x"), -1);
	assert_int_equal(cr->state_set(cr, "\xff", "x"), -1);
	assert_int_equal(cr->state_set(cr, "k", "\xc3"), -1);
	assert_string_equal(written(), "");
	BEGIN("");
	assert_int_equal(cr->state_set(cr, text_of(RESULT_KEY_MAX), ""), 0);
	assert_int_equal(strlen(written()), RESULT_KEY_MAX + 2);
}

/* With both NULs of the key "k". */
#define MOST	(HOST_STATE - 3)

static void
all_that_is_kept_stays_within_its_maximum(void **state)
{
	(void)state;
	BEGIN("");
	assert_int_equal(cr->state_set(cr, "k", text_of(MOST + 1)), -1);
	assert_int_equal(cr->state_set(cr, "k", text_of(MOST)), 0);
	assert_int_equal(cr->state_set(cr, "l", ""), -1);
	assert_int_equal(cr->state_set(cr, "k", text_of(MOST - 3)), 0);
	assert_int_equal(cr->state_set(cr, "l", ""), 0);
	assert_int_equal(cr->state_set(cr, "k", NULL), 0);
	assert_int_equal(cr->state_set(cr, "m", text_of(MOST - 3)), 0);
	host_leave();
	BEGIN("old\0value");
	assert_int_equal(cr->state_set(cr, "k", text_of(MOST - 9)), -1);
	assert_int_equal(cr->state_set(cr, "k", text_of(MOST - 10)), 0);
	assert_int_equal(cr->state_set(cr, "old", NULL), 0);
	assert_int_equal(cr->state_set(cr, "k", text_of(MOST)), 0);
	host_leave();
}

static void
a_key_set_over_and_over_takes_the_room_of_one(void **state)
{
	char value[32];
	int i;

	(void)state;
	BEGIN("");
	for (i = 0; i < 100000; i++) {
		snprintf(value, sizeof(value), "%d", i);
		assert_int_equal(cr->state_set(cr, i % 2 ? "odd" : "even", value), 0);
		assert_int_equal(cr->state_set(cr, "gone", i % 2 ? NULL : value), 0);
	}
	assert_string_equal(written(), "even=99998 odd=99999 gone ");
}

static void
only_callbacks_that_keep_state_may(void **state)
{
	static const enum phase may[] = { PHASE_PARSE, PHASE_PLAN, PHASE_STREAM, PHASE_REQUEST,
		PHASE_FILTER, PHASE_DELIVER };
	static const enum phase may_not[] = { PHASE_NONE, PHASE_OPEN, PHASE_CLOSE };
	size_t i;

	(void)state;
	host_state_begin((struct bytes){ "a\0one", 6 });
	for (i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		host_enter(&slot, may[i]);
		assert_string_equal(cr->state_get(cr, "a"), "one");
		assert_int_equal(cr->state_set(cr, "b", "two"), 0);
		host_leave();
	}
	for (i = 0; i < sizeof(may_not) / sizeof(may_not[0]); i++) {
		host_enter(&slot, may_not[i]);
		assert_null(cr->state_get(cr, "a"));
		assert_int_equal(cr->state_set(cr, "b", "two"), -1);
		host_leave();
	}
}

static int
set_up(void **state)
{
	const struct w_start start = { .out = 1u << 20 };

	(void)state;
	host_init(&start);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_gives_what_is_stored_and_set_goes_into_the_results),
		cmocka_unit_test(keys_and_values_are_text_of_a_length),
		cmocka_unit_test(all_that_is_kept_stays_within_its_maximum),
		cmocka_unit_test(a_key_set_over_and_over_takes_the_room_of_one),
		cmocka_unit_test(only_callbacks_that_keep_state_may),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
