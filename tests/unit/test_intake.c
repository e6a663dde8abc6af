/* What comes in outside of polls: kept until store has it on disk, over its deaths, told once. */
#include "base/mem.h"
#include "daemon/source/intake.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/result.h"
#include "serve/status_wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- The core around it ---- */

static struct core core;
static struct {
	uint32_t	 id[64];		/* of the commits that were sent, in order */
	size_t		 n;
	struct commit	 last;
	char		 url[64], error[64];
	int		 fd;			/* of the last; -1 */
} sent;
static unsigned idle;

void
roles_send(struct core *c, enum role_id to, uint16_t type, uint32_t id, const struct buf *b, int fd)
{
	struct mark m;
	struct wire w;

	assert_ptr_equal(c, &core);
	assert_int_equal(to, ROLE_STORE);
	assert_int_equal(type, MSG_COMMIT);
	wire_init(&w, b->data, b->len);
	wire_get(&w, commit, &sent.last);
	wire_get(&w, mark, &m);
	assert_int_equal(wire_end(&w), 0);
	snprintf(sent.url, sizeof(sent.url), "%s", sent.last.url);
	snprintf(sent.error, sizeof(sent.error), "%s", m.error);
	sent.id[sent.n++] = id;
	sent.fd = fd;
}

void
core_idle(struct core *c)
{
	assert_ptr_equal(c, &core);
	idle++;
}

/* ---- Whoever waits ---- */

static char told[256];

static void
on_done(struct core *c, const struct committed *cd, void *arg)
{
	assert_ptr_equal(c, &core);
	snprintf(told + strlen(told), 32, "%s:%u ", (const char *)arg, cd->added);
}

static uint32_t
put(const char *name, int fd)
{
	const struct commit cm = { .source = 7, .flags = COMMIT_ASIDE, .url = name };
	const struct mark m = { .error = "E" };

	return intake_put(&core, &cm, &m, fd, on_done, (char *)(uintptr_t)name);
}

static void
committed_as(uint32_t id, uint32_t added)
{
	const struct committed cd = { .source = 7, .added = added };

	intake_committed(&core, id, &cd);
}

static int
setup(void **state)
{
	(void)state;
	memset(&sent, 0, sizeof(sent));
	told[0] = '\0';
	idle = 0;
	core.known = 1;
	intake_init(&core);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_false(intake_busy(&core));
	free(core.intake);
	return 0;
}

/* ---- The tests ---- */

static void
a_commit_is_sent_at_once_and_told_once(void **state)
{
	int fd = memfd_new("x", 1);
	uint32_t id = put("a", fd);

	(void)state;
	assert_true(id != 0);
	assert_int_equal(sent.n, 1);
	assert_int_equal(sent.id[0], id);
	assert_int_equal(sent.last.source, 7);
	assert_int_equal(sent.last.flags, COMMIT_ASIDE);
	assert_string_equal(sent.url, "a");
	assert_string_equal(sent.error, "E");
	assert_int_equal(sent.fd, fd);
	assert_true(intake_busy(&core));
	committed_as(id, 3);
	assert_string_equal(told, "a:3 ");
	assert_int_equal(idle, 1);
	assert_int_equal(lseek(fd, 0, SEEK_END), -1);		/* closed: it took the file */
	committed_as(id, 3);
	assert_string_equal(told, "a:3 ");
}

static void
without_store_all_waits_and_goes_in_order_once_it_is_back(void **state)
{
	uint32_t a, b;

	(void)state;
	core.known = 0;
	a = put("a", -1);
	b = put("b", -1);
	assert_int_not_equal(a, b);
	assert_int_equal(sent.n, 0);
	core.known = 1;
	intake_ready(&core);
	intake_ready(&core);		/* a new setup was read: nothing goes twice */
	assert_int_equal(sent.n, 2);
	assert_int_equal(sent.id[0], a);
	assert_int_equal(sent.id[1], b);
	assert_int_equal(sent.fd, -1);
	committed_as(b, 2);
	committed_as(a, 1);
	assert_string_equal(told, "b:2 a:1 ");
}

static void
what_died_with_store_is_sent_again_under_its_id(void **state)
{
	int fd = memfd_new("x", 1);
	uint32_t a = put("a", fd), b = put("b", -1);

	(void)state;
	committed_as(b, 1);
	core.known = 0;
	intake_gone(&core, ROLE_STORE);
	assert_int_equal(sent.n, 2);
	core.known = 1;
	intake_ready(&core);
	assert_int_equal(sent.n, 3);
	assert_int_equal(sent.id[2], a);
	assert_int_equal(sent.fd, fd);
	committed_as(a, 0);
	assert_string_equal(told, "b:1 a:0 ");
}

static void
what_nobody_waits_for_any_more_is_stored_all_the_same(void **state)
{
	uint32_t a = put("a", -1);

	(void)state;
	intake_forget(&core, a);
	intake_forget(&core, 0);
	assert_true(intake_busy(&core));
	intake_gone(&core, ROLE_STORE);
	intake_ready(&core);
	assert_int_equal(sent.n, 2);
	committed_as(a, 1);
	assert_string_equal(told, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_commit_is_sent_at_once_and_told_once, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    without_store_all_waits_and_goes_in_order_once_it_is_back, setup, teardown),
		cmocka_unit_test_setup_teardown(what_died_with_store_is_sent_again_under_its_id,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_nobody_waits_for_any_more_is_stored_all_the_same, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
