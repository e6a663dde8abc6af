/* Frames over a socketpair: order, descriptors, limits, garbage. */
#include "buf.h"
#include "chan.h"
#include "date.h"
#include "msg.h"
#include "result.h"
#include "wire.h"

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
	int fd = result_fd("abc", 3);

	(void)state;
	assert_null(result_map(fd, 3, &size));
	assert_int_equal(result_seal(fd), 0);
	assert_int_equal(write(fd, "d", 1), -1);
	assert_null(result_map(fd, 4, &size));
	p = result_map(fd, SIZE_MAX, &size);
	assert_non_null(p);
	assert_int_equal(size, 3);
	assert_memory_equal(p, "abc", 3);
	result_unmap(p, size);
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

int
main(void)
{
#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
