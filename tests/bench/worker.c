/* What a source plugin takes in its worker: gives a real courant-worker the documents as core does,
 * and reads the CPU time that it used.
 *
 *	bench-worker PLUGIN ROUNDS FILE...	prints "BYTES SECONDS RECORDS" for all rounds */
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/user.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/child.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/worker_start.h"
#include "record/result.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEMORY		(UINT64_C(1) << 30)	/* of the worker */
#define OUT		(UINT64_C(256) << 20)
#define ANSWER_MS	60000

struct bench {
	struct child	 child;
	struct chan	*chan;
	clockid_t	 clock;			/* of the worker's CPU time */
};

static double
cpu(const struct bench *b)
{
	struct timespec t;

	if (clock_gettime(b->clock, &t) == -1)
		fatal("the worker is gone");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
start(struct bench *b, const char *plugin)
{
	struct w_start ws = { .mode = W_PARSE, .memory = MEMORY, .out = OUT,
		.cpu = INT64_C(3600000), .name = "bench" };
	const struct passwd *pw;
	struct frame f;
	struct buf m;

	buf_init(&m, 1024);
	if (user_is_root() && ((pw = user_find("nobody", &m)) == NULL || user_become(pw, &m) == -1))
		fatal("%s", m.data);
	buf_free(&m);
	if (child_worker(&b->child, NULL) == -1)
		fatal("no worker");
	b->chan = chan_new(b->child.fd);
	worker_start_one(&m, &ws, plugin);
	if (chan_send(b->chan, MSG_W_START, 0, &m, -1, -1) == -1 ||
	    clock_getcpuclockid(b->child.pid, &b->clock) != 0)
		fatal("the worker does not start");
	buf_free(&m);
	if (chan_recv(b->chan, &f, ANSWER_MS) == 1 && f.type != MSG_READY)
		fatal("the worker answers %s", msg_name(f.type));
}

/* One document: how many records it gave. */
static uint32_t
parse(struct bench *b, int body, size_t len)
{
	struct parse_job pj = { .source = "bench", .url = "https://example.org/feed", .type = "",
		.charset = "", .headers = "", .tag = "", .when = date_now(), .now = date_now(),
		.len = len, .options = { "", 0 }, .state = { "", 0 } };
	int out = memfd_new(NULL, 0);
	struct parse_done done;
	struct frame f;
	struct wire w;
	struct buf m;

	buf_init(&m, msg_limit(MSG_W_PARSE));
	wire_put(&m, parse_job, &pj);
	if (chan_send(b->chan, MSG_W_PARSE, 1, &m, body, out) == -1 ||
	    chan_recv(b->chan, &f, ANSWER_MS) != 1 || f.type != MSG_W_PARSED)
		fatal("the worker does not answer");
	wire_init(&w, f.data, f.len);
	wire_get(&w, parse_done, &done);
	if (wire_end(&w) == -1)
		fatal("the worker's answer is malformed");
	buf_free(&m);
	close(out);
	return done.records;
}

static int
load(const char *file, size_t *len)
{
	int fd = open(file, O_RDONLY), body;
	struct stat st;
	char *data;

	if (fd == -1 || fstat(fd, &st) == -1 || (data = malloc((size_t)st.st_size + 1)) == NULL ||
	    read(fd, data, (size_t)st.st_size) != st.st_size)
		fatal("%s cannot be read", file);
	close(fd);
	data[st.st_size] = '\0';
	*len = (size_t)st.st_size;
	body = memfd_new(data, *len + 1);
	if (body == -1 || memfd_seal(body) == -1)
		fatal("no memory file");
	free(data);
	return body;
}

int
main(int argc, char **argv)
{
	long rounds = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
	double seconds = 0, bytes = 0, begun;
	struct { int fd; size_t len; } *docs;
	unsigned long records = 0;
	struct bench b;

	log_open("bench", 0);
	if (rounds <= 0) {
		fprintf(stderr, "usage: bench-worker PLUGIN ROUNDS FILE...\n");
		return 2;
	}
	docs = xcalloc((size_t)argc, sizeof(*docs));
	for (int i = 3; i < argc; i++)		/* before start() may give up root */
		docs[i].fd = load(argv[i], &docs[i].len);
	start(&b, argv[1]);
	for (int i = 3; i < argc; i++) {
		size_t len = docs[i].len;
		int body = docs[i].fd;

		parse(&b, body, len);
		begun = cpu(&b);
		for (long k = 0; k < rounds; k++)
			records += parse(&b, body, len);
		seconds += cpu(&b) - begun;
		bytes += (double)len * (double)rounds;
		close(body);
	}
	printf("%.0f %.6f %lu\n", bytes, seconds, records);
	chan_send(b.chan, MSG_STOP, 0, NULL, -1, -1);
	waitpid(b.child.pid, NULL, 0);
	chan_free(b.chan);
	free(docs);
	return 0;
}
