/* A wall clock that a test sets: preloaded, it adds what a file says ("+3d", "+5h", "-90s") to the
 * time. The file is opened once, when the program starts: a role that has confined itself opens no
 * file, but reads one that is open. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FD	1000		/* above the descriptors that a starting process closes */
#define EXPORT	__attribute__((visibility("default")))	/* hidden, it would stand in for nothing */

static int (*real)(clockid_t, struct timespec *);
static int file = -1;

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("TEST_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY) : -1;

	real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	if (fd == -1)
		return;
	file = fcntl(fd, F_DUPFD_CLOEXEC, FD);
	if (file == -1)
		file = fd;
	else
		close(fd);
}

/* Seconds. While the file is being written, it is what it was. */
static time_t
offset(void)
{
	static time_t last;
	char text[32], *unit;
	ssize_t n = file != -1 ? pread(file, text, sizeof(text) - 1, 0) : 0;
	long value;

	if (n <= 0 || text[n - 1] != '\n')
		return last;
	text[n] = '\0';
	value = strtol(text, &unit, 10);
	last = value * (*unit == 'd' ? 86400 : *unit == 'h' ? 3600 : 1);
	return last;
}

EXPORT int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc;

	if (real == NULL)
		begin();
	rc = real(id, ts);
	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += offset();
	return rc;
}

EXPORT int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return -1;
	*tv = (struct timeval){ ts.tv_sec, ts.tv_nsec / 1000 };
	return 0;
}

EXPORT time_t
time(time_t *t)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return -1;
	if (t != NULL)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
