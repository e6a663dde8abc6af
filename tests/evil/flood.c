/* Sends one frame again and again, wherever a plugin's code runs. Tests build it once for each place:
 * -DIN_PARSE, IN_STREAM, IN_FILTER, IN_DELIVER, IN_REQUEST, IN_CHECK, IN_CONSTRUCTOR.
 * test: test_fair
 */
#include "evil.h"
#include "../../core/ipc/msg.h"

#include <stdlib.h>
#include <sys/socket.h>

#ifndef NAME
#define NAME	"flood"
#endif
#ifndef TYPE
#define TYPE	MSG_READY
#endif
#ifndef LEN
#define LEN	0
#endif

struct head { uint32_t len; uint16_t type, nfds; uint32_t id; };

#ifdef MANY_FDS
/* More descriptors in one message than a channel takes. */
static void
flood(void)
{
	union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int) * 8)]; } control = { 0 };
	struct head h = { .type = MSG_READY, .nfds = 8 };
	struct iovec iov = { &h, sizeof(h) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	int i;

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int) * 8);
	for (i = 0; i < 8; i++)
		memcpy(CMSG_DATA(cm) + (size_t)i * sizeof(int), &(int){ 3 }, sizeof(int));
	(void)!sendmsg(3, &m, 0);
	for (;;)
		pause();
}
#elif defined(CRUMBS)
/* A frame of 100 kB, a byte at a time, and again. */
static void
flood(void)
{
	struct head h = { .len = 100000, .type = MSG_W_HTTP };
	size_t i;

	for (;;) {
		for (i = 0; i < sizeof(h); i++)
			if (write(3, (char *)&h + i, 1) != 1)
				_exit(1);
		for (i = 0; i < h.len; i++)
			if (write(3, "", 1) != 1)
				_exit(1);
	}
}
#elif defined(PRINTS)
static void
flood(void)
{
	static char lines[4096];

	memset(lines, '\n', sizeof(lines));
	for (;;)
		if (write(1, lines, sizeof(lines)) == -1)
			_exit(1);
}
#else
static void
flood(void)
{
	struct { struct head h; char data[LEN + 1]; } one = { .h = { .len = LEN, .type = TYPE } };
	static char all[64 * (sizeof(one.h) + LEN)];
	size_t n = sizeof(one.h) + LEN, i, at;
	ssize_t wrote;

	for (i = 0; i < 64; i++)
		memcpy(all + i * n, &one, n);
	for (;;)
		for (at = 0; at < sizeof(all); at += (size_t)wrote)
			if ((wrote = write(3, all + at, sizeof(all) - at)) <= 0)
				_exit(1);
}
#endif

#if defined(IN_CONSTRUCTOR)
static void __attribute__((constructor))
begin(void)
{
	flood();
}
#endif
#if defined(IN_CHECK)
struct opts { int64_t n; };
static const struct cr_option options[] = {
	CR_OPTION(struct opts, n, INT, "1", NULL, "a number"), CR_END
};
static int
check(struct cr *cr, const void *opts)
{
	(void)cr, (void)opts;
	flood();
	return 0;
}
#endif
#if defined(IN_FILTER)
static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	(void)opts, (void)rec;
	flood();
	return cr->verdict(cr, CR_KEEP, "harmless");
}
#elif defined(IN_DELIVER)
static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	(void)cr, (void)opts;
	flood();
	return batch->n;
}
#elif defined(IN_STREAM)
static int
stream(struct cr *cr, void *opts)
{
	(void)cr, (void)opts;
	flood();
	return 0;
}
#else
static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)cr, (void)opts, (void)page;
#if defined(IN_PARSE)
	flood();
#endif
	return 0;
}
#endif
#if defined(IN_REQUEST)
static int
request(struct cr *cr, void *opts, const struct cr_visit *visit)
{
	(void)opts, (void)visit;
	flood();
	return cr->answer(cr, 200, NULL, "", 0);
}
#endif

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = NAME, .version = "1", .help = "floods",
#if defined(IN_CHECK)
	.options = options, .options_size = sizeof(struct opts), .check = check,
#endif
#if defined(IN_REQUEST)
	.request = request,
#endif
#if defined(IN_FILTER)
	.filter = filter,
#elif defined(IN_DELIVER)
	.deliver = deliver,
#elif defined(IN_STREAM)
	.stream = stream,
#else
	.parse = parse,
#endif
};
