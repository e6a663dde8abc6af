/* source_reach: a stream that tries what its grants are for, and tells what it could: built once for
 * each of them, REACH_WANTS, under the name REACH_NAME. */
#include <courant/plugin.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef REACH_NAME
#define REACH_NAME	"reach_nothing"
#define REACH_WANTS	0
#endif

struct reach {
	int64_t		 port;
	const char	*outside;
};

static const struct cr_option options[] = {
	CR_OPTION(struct reach, port, INT, NULL, "1..65535", "where somebody listens on loopback"),
	CR_OPTION(struct reach, outside, STRING, NULL, NULL, "a file that is none of its own"),
	CR_END
};

static int
tcp(const struct reach *o)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = -1;

	if (fd != -1) {
		rc = connect(fd, (struct sockaddr *)&to, sizeof(to));
		close(fd);
	}
	return rc;
}

/* As a program writes what must not be half-written. */
static int
own(const struct reach *o)
{
	int fd = open("news", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc = -1;

	(void)o;
	if (fd != -1) {
		rc = write(fd, "x", 1) == 1 && fsync(fd) == 0 && rename("news", "kept") == 0 ? 0 : -1;
		close(fd);
	}
	return rc;
}

static int
outside(const struct reach *o)
{
	int fd = open(o->outside, O_RDONLY | O_CLOEXEC);

	return fd != -1 ? close(fd) : -1;
}

static int
names(const struct reach *o)
{
	const struct reach etc = { .outside = "/etc/hosts" };

	(void)o;
	return outside(&etc);
}

static int
users(const struct reach *o)
{
	const struct reach etc = { .outside = "/etc/passwd" };

	(void)o;
	return outside(&etc);
}

static int
command(const struct reach *o)
{
	char *argv[] = { (char []){ "true" }, NULL };
	pid_t pid = fork();
	int status = 0;

	(void)o;
	if (pid == 0) {
		execv("/bin/true", argv);
		_exit(127);
	}
	return pid != -1 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int
others(const struct reach *o)
{
	(void)o;
	return kill(getppid(), 0);
}

static int
stream(struct cr *cr, void *opts)
{
	static const struct { const char *name; int (*try)(const struct reach *); } tries[] = {
		{ "tcp", tcp }, { "own", own }, { "outside", outside }, { "names", names },
		{ "users", users }, { "command", command }, { "others", others },
	};
	struct cr_record *rec;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		rec = cr->record(cr, tries[i].name);
		cr->set(rec, CR_TITLE, tries[i].try(opts) == 0 ? "done" : strerror(errno));
		cr->emit(cr, rec);
	}
	cr->stored(cr);
	while (cr->wait(cr, -1, -1) != -1)
		;
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = REACH_NAME, .version = "1", .help = "what it may reach",
	.options = options, .options_size = sizeof(struct reach), .wants = REACH_WANTS,
	.stream = stream,
};
