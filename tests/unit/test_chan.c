/* Frames over a socketpair: order, descriptors, limits, garbage. */
#include "base/buf.h"
#include "base/date.h"
#include "ipc/budget.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/wire.h"
#include "record/result.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct two {
	struct chan	*a, *b;
};

static int
setup(void **state)
{
	static struct two t;
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
	t.a = chan_new(s[0]);
	t.b = chan_new(s[1]);
	*state = &t;
	return 0;
}

static int
teardown(void **state)
{
	struct two *t = *state;

	chan_free(t->a);
	chan_free(t->b);
	return 0;
}

static void
frames_arrive_in_order_and_whole(void **state)
{
	struct two *t = *state;
	struct frame f;
	char text[5000];

	memset(text, 'x', sizeof(text));
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(chan_put(t->a, MSG_ASK, i, text, i * 50, -1, -1), 0);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_not_equal(chan_flush(t->a), -1);
		assert_int_equal(chan_recv(t->b, &f, 1000), 1);
		assert_int_equal(f.type, MSG_ASK);
		assert_int_equal(f.id, i);
		assert_int_equal(f.len, i * 50);
		assert_memory_equal(f.data, text, f.len);
	}
	assert_int_equal(chan_recv(t->b, &f, 0), 0);
}

static void
descriptors_travel_with_their_frame(void **state)
{
	struct two *t = *state;
	struct frame f;
	char c;
	int p[2];

	assert_int_equal(pipe(p), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(chan_put(t->a, MSG_ASK, (uint32_t)i, "", 0, i == 1 ? p[0] : -1,
		    i == 1 ? p[1] : -1), 0);
	assert_int_equal(chan_flush(t->a), 1);
	assert_int_equal(chan_recv(t->b, &f, 1000), 1);
	assert_int_equal(f.fd[0], -1);
	assert_int_equal(chan_recv(t->b, &f, 1000), 1);
	assert_int_not_equal(f.fd[0], -1);
	assert_int_equal(write(f.fd[1], "!", 1), 1);
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(c, '!');
	assert_int_equal(chan_recv(t->b, &f, 1000), 1);
	assert_int_equal(f.fd[0], -1);
	close(p[0]);
	close(p[1]);
}

static void
descriptors_not_taken_are_closed(void **state)
{
	struct two *t = *state;
	struct frame f;
	int fd, given;

	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(chan_send(t->a, MSG_ASK, 0, NULL, fd, -1), 0);
	assert_int_equal(chan_send(t->a, MSG_ASK, 1, NULL, -1, -1), 0);
	assert_int_equal(chan_recv(t->b, &f, 1000), 1);
	given = f.fd[0];
	assert_int_not_equal(fcntl(given, F_GETFD), -1);
	assert_int_equal(chan_recv(t->b, &f, 1000), 1);
	assert_int_equal(fcntl(given, F_GETFD), -1);
	close(fd);
}

static void
a_frame_over_its_maximum_is_not_sent(void **state)
{
	struct two *t = *state;
	char big[128] = { 0 };

	assert_int_equal(chan_put(t->a, MSG_W_PROGRESS, 0, big, sizeof(big), -1, -1), -1);
	assert_int_equal(chan_queued(t->a), 0);
}

/* Sends raw bytes and says what the receiver makes of them. */
static int
raw(struct two *t, const void *p, size_t n)
{
	struct frame f;

	assert_int_equal(send(chan_fd(t->a), p, n, 0), (ssize_t)n);
	return chan_recv(t->b, &f, 100);
}

static void
an_unknown_type_is_garbage(void **state)
{
	const uint32_t head[3] = { 0, 0xffff, 0 };

	assert_int_equal(raw(*state, head, sizeof(head)), -1);
}

static void
a_length_over_the_maximum_is_garbage(void **state)
{
	const uint32_t head[3] = { 0x7fffffff, MSG_ASK, 0 };

	assert_int_equal(raw(*state, head, sizeof(head)), -1);
}

static void
promised_descriptors_that_do_not_come_are_garbage(void **state)
{
	const uint32_t head[3] = { 0, MSG_ASK | 1u << 16, 0 };

	assert_int_equal(raw(*state, head, sizeof(head)), -1);
}

static void
half_a_frame_waits_for_the_rest(void **state)
{
	const uint32_t head[3] = { 4, MSG_ASK, 7 };

	assert_int_equal(raw(*state, head, 6), 0);
	assert_int_equal(raw(*state, (const char *)head + 6, 6), 0);
	assert_int_equal(raw(*state, "abcd", 4), 1);
}

static void
the_end_comes_after_the_last_frame(void **state)
{
	struct two *t = *state;
	struct frame f;

	assert_int_equal(chan_send(t->a, MSG_STOP, 0, NULL, -1, -1), 0);
	shutdown(chan_fd(t->a), SHUT_RDWR);
	assert_int_equal(chan_recv(t->b, &f, 1000), 1);
	assert_int_equal(chan_recv(t->b, &f, 1000), -1);
}

static void
a_payload_comes_out_as_it_went_in(void **state)
{
	const struct mark in = { .checked = 1, .due = -5, .interval = INT64_MAX, .failures = 3,
		.etag = "\"a\"", .modified = NULL, .error = "" };
	struct mark out;
	struct buf b;
	struct wire w;

	(void)state;
	buf_init(&b, 4096);
	wire_put(&b, mark, &in);
	wire_init(&w, b.data, b.len);
	wire_get(&w, mark, &out);
	assert_int_equal(wire_end(&w), 0);
	assert_int_equal(out.due, -5);
	assert_int_equal(out.interval, INT64_MAX);
	assert_string_equal(out.etag, "\"a\"");
	assert_null(out.modified);
	assert_string_equal(out.error, "");
	for (size_t cut = 0; cut < b.len; cut++) {
		wire_init(&w, b.data, cut);
		wire_get(&w, mark, &out);
		assert_int_equal(wire_end(&w), -1);
	}
	buf_free(&b);
}

static void
an_unsealed_memory_file_is_not_mapped(void **state)
{
	size_t size;
	const void *p;
	int fd = memfd_new("abc", 3);

	(void)state;
	assert_null(memfd_map(fd, 3, &size));
	assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(write(fd, "d", 1), -1);
	assert_null(memfd_map(fd, 4, &size));
	p = memfd_map(fd, SIZE_MAX, &size);
	assert_non_null(p);
	assert_int_equal(size, 3);
	assert_memory_equal(p, "abc", 3);
	memfd_unmap(p, size);
	close(fd);
}

/* One that sends a byte now and then does not hold up who waits for a frame. */
static void
a_trickle_does_not_move_the_deadline(void **state)
{
	struct two *t = *state;
	struct frame f;
	int64_t begun = date_ticks();
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		for (int i = 0; i < 11; i++) {
			(void)!write(chan_fd(t->a), &"\x01\0\0\0\0\0\0\0\0\0\0"[i], 1);
			usleep(150000);
		}
		_exit(0);
	}
	assert_int_equal(chan_recv(t->b, &f, 300), 0);
	assert_true(date_ticks() - begun < 1000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Puts "\0x" into the empty string at `at`, which says so in its length. */
static void
put_inside(struct buf *b, size_t at)
{
	uint32_t len = 2;
	size_t old = b->len;

	buf_add(b, "..", 2);
	memmove(b->data + at + 3, b->data + at + 1, old - at - 1);
	memcpy(b->data + at - sizeof(len), &len, sizeof(len));
	memcpy(b->data + at, "\0x", 3);
}

/* A string ends at its NUL for who reads it: one with a NUL inside says one thing to a check of its
 * length and another to all else. Bytes may hold any. */
static void
a_string_with_a_nul_inside_is_garbage(void **state)
{
	static const struct { const char *text; size_t len; int good; } cases[] = {
		{ "", 0, 1 }, { "a", 1, 1 }, { "a\0b", 3, 0 }, { "\0", 1, 0 }, { "a\0", 2, 0 },
		{ "http://a/\0.evil.example", 23, 0 },
	};
	const struct fetch_done empty = { .error = "" };
	struct fetch_done d;
	struct bytes bytes;
	struct wire w;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&b, 1000);
		wire_put_bytes(&b, cases[i].text, cases[i].len);
		wire_init(&w, b.data, b.len);
		bytes = wire_bytes(&w);
		assert_int_equal(bytes.len, cases[i].len);
		assert_int_equal(wire_end(&w), 0);
		wire_init(&w, b.data, b.len);
		if (cases[i].good)
			assert_string_equal(wire_str(&w), cases[i].text);
		else
			assert_null(wire_str(&w));
		assert_int_equal(wire_end(&w), cases[i].good ? 0 : -1);
		buf_free(&b);
	}
	/* nor in a message: its first string gets two letters more, a NUL and one behind it */
	buf_init(&b, 1000);
	wire_put(&b, fetch_done, &empty);
	wire_init(&w, b.data, b.len);
	wire_get(&w, fetch_done, &d);
	assert_int_equal(wire_end(&w), 0);
	assert_non_null(d.error);
	put_inside(&b, (size_t)(d.error - b.data));
	wire_init(&w, b.data, b.len);
	wire_get(&w, fetch_done, &d);
	assert_int_equal(wire_end(&w), -1);
	buf_free(&b);
}
static void
a_frame_in_crumbs_is_malformed(void **state)
{
	struct two *t = *state;
	struct frame f;
	char text[40] = { 8 };
	int n, rc = 0;

	text[4] = MSG_W_ABOUT;
	text[1] = 4;
	for (n = 0; rc == 0 && n < 200; n++) {
		assert_int_equal(write(chan_fd(t->a), &text[n < 8 ? n : 8], 1), 1);
		assert_int_equal(chan_fill(t->b), 1);
		rc = chan_next(t->b, &f);
	}
	assert_int_equal(rc, -1);
	assert_string_equal(chan_error(t->b), "too many pieces");
	assert_in_range(n, 50, 100);
}

static void
a_worker_may_send_what_is_asked_of_it_and_a_few_frames_more(void **state)
{
	struct budget b;
	int i;

	(void)state;
	budget_init(&b);
	budget_add(&b, 500);
	for (i = 0; i < 500 + BUDGET_BURST; i++)
		assert_int_equal(budget_take(&b), 0);
	b.at = date_ticks();
	assert_int_equal(budget_take(&b), -1);
	b.at -= 1000;
	for (i = 0; i < BUDGET_RATE; i++)
		assert_int_equal(budget_take(&b), 0);
	budget_add(&b, 1000000);
	for (i = 0; i < BUDGET_MAX; i++)
		assert_int_equal(budget_take(&b), 0);
	b.at = date_ticks();
	assert_int_equal(budget_take(&b), -1);
}

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_frame_in_crumbs_is_malformed),
		T(a_worker_may_send_what_is_asked_of_it_and_a_few_frames_more),
		T(frames_arrive_in_order_and_whole),
		T(descriptors_travel_with_their_frame),
		T(descriptors_not_taken_are_closed),
		T(a_frame_over_its_maximum_is_not_sent),
		T(an_unknown_type_is_garbage),
		T(a_length_over_the_maximum_is_garbage),
		T(promised_descriptors_that_do_not_come_are_garbage),
		T(half_a_frame_waits_for_the_rest),
		T(the_end_comes_after_the_last_frame),
		T(a_payload_comes_out_as_it_went_in),
		T(an_unsealed_memory_file_is_not_mapped),
		T(a_trickle_does_not_move_the_deadline),
		T(a_string_with_a_nul_inside_is_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
