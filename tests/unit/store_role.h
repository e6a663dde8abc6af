/* The store role in a child, spoken to over its channel as core does. */
#ifndef TESTS_STORE_ROLE_H
#define TESTS_STORE_ROLE_H
#include "book.h"
#include "base/buf.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/roles.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct role_child {
	struct shelf	 shelf;		/* for its folder and path */
	pid_t		 pid;
	struct chan	*chan;
	int		 log;		/* what it says; a file without a name */
	uint32_t	 source[64];	/* ids, once it was configured */
	uint32_t	 nsource;
	uint32_t	 route;		/* id of the only one */
	int64_t		 head;
};

__attribute__((unused)) static void
role_start(struct role_child *r)
{
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	if (r->log <= 0)
		r->log = memfd_create("log", 0);
	if ((r->pid = fork()) == 0) {
		dup2(r->log, STDERR_FILENO);
		dup2(s[1], 3);
		for (int fd = 4; fd < 64; fd++)
			close(fd);
		exit(store_main(1));
	}
	close(s[1]);
	r->chan = chan_new(s[0]);
}

/* Its exit status; -1: a signal. */
__attribute__((unused)) static int
role_wait(struct role_child *r)
{
	int status;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	chan_free(r->chan);
	r->chan = NULL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

__attribute__((unused)) static void
role_send(struct role_child *r, uint16_t type, uint32_t id, const struct buf *b, int fd)
{
	assert_int_equal(chan_send(r->chan, type, id, b, fd, -1), 0);
}

/* The next frame, which has to be of this type. */
__attribute__((unused)) static void
role_expect(struct role_child *r, uint16_t type, struct frame *f)
{
	assert_int_equal(chan_recv(r->chan, f, 20000), 1);
	assert_int_equal(f->type, type);
}

__attribute__((unused)) static void
role_path(struct role_child *r)
{
	struct buf b;

	buf_init(&b, 4096);
	wire_put_str(&b, r->shelf.path);
	role_send(r, MSG_STORE_START, 0, &b, -1);
	buf_free(&b);
}

/* n sources and one route over all of them with one sink for records. */
__attribute__((unused)) static void
role_configure(struct role_child *r, uint32_t n, uint32_t filters)
{
	const struct store_route route = { .name = "r", .title = "R", .all = 1,
		.filters = filters, .once_record = 1 };
	const struct store_heat heat = { .half_life = 86400000, .votes = .25, .comments = .125,
		.cap = 1000000 };
	const struct store_sink sink = { .name = "jsonl", .takes = CR_BATCH_RECORDS };
	struct bytes key;
	struct frame f;
	struct mark m;
	struct wire w;
	struct buf b;
	char name[32];
	const void *p;
	size_t size;
	uint32_t i;
	int fd;

	buf_init(&b, 1u << 26);
	wire_put(&b, store_heat, &heat);
	wire_put_u32(&b, n);
	for (i = 0; i < n; i++) {
		const struct store_source s = { name, NULL, name, "feed", 1, 0 };

		snprintf(name, sizeof(name), "s%u", i);
		wire_put(&b, store_source, &s);
	}
	wire_put_u32(&b, 1);
	wire_put(&b, store_route, &route);
	wire_put_u32(&b, 0);
	wire_put_u32(&b, 0);
	wire_put_u32(&b, 1);
	wire_put(&b, store_sink, &sink);
	fd = memfd_new(b.data, b.len);
	assert_int_equal(memfd_seal(fd), 0);
	role_send(r, MSG_STORE_CONF, 7, NULL, fd);
	close(fd);
	buf_free(&b);
	role_expect(r, MSG_STORE_KNOWN, &f);
	assert_int_equal(f.id, 7);
	p = memfd_map(f.fd[0], SIZE_MAX, &size);
	assert_non_null(p);
	wire_init(&w, p, size);
	assert_int_equal(wire_u32(&w), n);
	for (i = 0; i < n; i++) {
		if (i < 64)
			r->source[i] = wire_u32(&w);
		else
			(void)wire_u32(&w);
		key = wire_bytes(&w);
		assert_int_equal(key.len, 16);
		(void)wire_u32(&w);
		wire_get(&w, mark, &m);
	}
	assert_int_equal(wire_u32(&w), 1);
	r->route = wire_u32(&w);
	r->head = wire_i64(&w);
	assert_int_equal(wire_end(&w), 0);
	memfd_unmap(p, size);
}

/* Starts it on its database and configures it. */
__attribute__((unused)) static void
role_up(struct role_child *r, uint32_t n, uint32_t filters)
{
	struct frame f;

	role_start(r);
	role_path(r);
	role_expect(r, MSG_READY, &f);
	role_configure(r, n, filters);
}

__attribute__((unused)) static int
role_down(struct role_child *r)
{
	role_send(r, MSG_STOP, 0, NULL, -1);
	return role_wait(r);
}

/* Sends results as a sealed memfd. */
__attribute__((unused)) static void
role_commit_as(struct role_child *r, uint32_t id, uint32_t source, uint32_t flags,
    const struct buf *results)
{
	const struct commit c = { .source = source, .flags = flags, .when = BOOK_WHEN,
		.url = "https://x.example/" };
	const struct mark m = { .checked = BOOK_WHEN, .ok = BOOK_WHEN, .etag = "\"e\"" };
	int fd = memfd_new(results->data, results->len);
	struct buf b;

	assert_int_equal(memfd_seal(fd), 0);
	buf_init(&b, 1u << 16);
	wire_put(&b, commit, &c);
	wire_put(&b, mark, &m);
	role_send(r, MSG_COMMIT, id, &b, fd);
	close(fd);
	buf_free(&b);
}

/* The only page of a job. */
__attribute__((unused)) static void
role_commit(struct role_child *r, uint32_t id, uint32_t source, const struct buf *results)
{
	role_commit_as(r, id, source, COMMIT_LAST, results);
}

__attribute__((unused)) static void
role_committed(struct role_child *r, struct committed *c)
{
	struct frame f;
	struct wire w;

	role_expect(r, MSG_COMMITTED, &f);
	wire_init(&w, f.data, f.len);
	wire_get(&w, committed, c);
	assert_int_equal(wire_end(&w), 0);
}

/* Asks for work and waits for it: what the batch holds is copied into items. */
__attribute__((unused)) static void
role_pull(struct role_child *r, uint32_t sink, uint32_t max, struct work *out, char id[64],
    struct buf *items)
{
	const struct pull p = { .route = r->route, .sink = sink, .max = max };
	struct frame f;
	struct wire w;
	struct buf b;
	const void *map;
	size_t size;

	buf_init(&b, 64);
	wire_put(&b, pull, &p);
	role_send(r, MSG_PULL, 1, &b, -1);
	buf_free(&b);
	role_expect(r, MSG_WORK, &f);
	wire_init(&w, f.data, f.len);
	wire_get(&w, work, out);
	assert_int_equal(wire_end(&w), 0);
	snprintf(id, 64, "%s", out->id != NULL ? out->id : "");
	out->id = id;
	buf_clear(items);
	if (out->kind == WORK_NONE)
		return;
	map = memfd_map(f.fd[0], SIZE_MAX, &size);
	assert_non_null(map);
	buf_add(items, map, size);
	memfd_unmap(map, size);
}

__attribute__((unused)) static void
role_settled(struct role_child *r)
{
	struct settled st;
	struct frame f;
	struct wire w;

	role_expect(r, MSG_SETTLED, &f);
	wire_init(&w, f.data, f.len);
	wire_get(&w, settled, &st);
	assert_int_equal(wire_end(&w), 0);
	assert_int_equal(st.bad, 0);
}

__attribute__((unused)) static void
role_ack(struct role_child *r, const struct work *k, uint32_t done)
{
	const struct ack a = { .route = r->route, .sink = k->sink, .done = done, .first = k->first,
		.last = k->last, .then = done == k->count ? ACK_ALL : ACK_RETRY };
	struct buf b;

	buf_init(&b, 4096);
	wire_put(&b, ack, &a);
	role_send(r, MSG_ACK, 2, &b, -1);
	buf_free(&b);
}

/* How often a text stands in its log. */
__attribute__((unused)) static size_t
role_said(const struct role_child *r, const char *text)
{
	size_t n = 0, size = (size_t)lseek(r->log, 0, SEEK_CUR);
	char *all = xcalloc(1, size + 1);
	const char *at = all;

	assert_int_equal(pread(r->log, all, size, 0), (ssize_t)size);
	while ((at = strstr(at, text)) != NULL) {
		n++;
		at++;
	}
	free(all);
	return n;
}
#endif
