/* A file of core's gets its name once it is on disk, and not before; with a disk made here. */
#include "base/mem.h"
#include "base/sync.h"
#include "serve/status_wait.h"

#include <event2/event.h>

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the disk, in place of libc's ---- */

static struct {
	int	threads;		/* aio_fsync() can be asked */
	int	looks;			/* that it is still busy */
	int	error;			/* what syncing gives in the end */
	int	asked, synced, renamed;	/* renamed: once it was synced; -1: before */
} disk;

int
aio_fsync(int how, struct aiocb *aio)
{
	struct stat st;

	assert_int_equal(how, O_SYNC);
	assert_int_equal(fstat(aio->aio_fildes, &st), 0);
	disk.asked = disk.threads;
	errno = EAGAIN;
	return disk.threads ? 0 : -1;
}

int
aio_error(const struct aiocb *aio)
{
	(void)aio;
	if (disk.looks-- > 0)
		return EINPROGRESS;
	disk.synced = disk.error == 0;
	return disk.error;
}

ssize_t
aio_return(struct aiocb *aio)
{
	(void)aio;
	return disk.error == 0 ? 0 : -1;
}

int
aio_suspend(const struct aiocb *const list[], int n, const struct timespec *timeout)
{
	(void)list;
	(void)n;
	(void)timeout;
	return 0;
}

int
fsync(int fd)
{
	(void)fd;
	disk.synced = disk.error == 0;
	errno = disk.error;
	return disk.error == 0 ? 0 : -1;
}

int
rename(const char *from, const char *to)
{
	disk.renamed = disk.synced ? 1 : -1;
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* ---- a file ---- */

static char folder[] = "/tmp/test_sync.XXXXXX";
static struct event_base *base;
static int told;			/* the callback's error; -1: not called */

static int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	return mkdtemp(folder) == NULL || chdir(folder) == -1 ? -1 : 0;
}

static int
finish(void **state)
{
	(void)state;
	event_base_free(base);
	unlink("new");
	unlink("name");
	return chdir("/") == -1 || rmdir(folder) == -1 ? -1 : 0;
}

static void
on_done(int error, void *arg)
{
	(void)arg;
	told = error;
}

static struct sync *
begin(int threads, int looks, int error)
{
	int fd = open("new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	unlink("name");
	memset(&disk, 0, sizeof(disk));
	disk.threads = threads;
	disk.looks = looks;
	disk.error = error;
	told = -1;
	assert_true(fd != -1);
	return sync_file(base, fd, "new", "name", on_done, NULL);
}

static void
a_file_has_its_name_once_it_is_on_disk(void **state)
{
	(void)state;
	for (int threads = 0; threads < 2; threads++) {
		begin(threads, 2 * threads, 0);
		assert_int_equal(access("name", F_OK), -1);
		event_base_dispatch(base);
		assert_int_equal(told, 0);
		assert_int_equal(disk.asked, threads);
		assert_int_equal(disk.renamed, 1);
		assert_int_equal(access("name", F_OK), 0);
		assert_int_equal(access("new", F_OK), -1);
	}
}

static void
a_file_that_does_not_reach_the_disk_has_no_name(void **state)
{
	(void)state;
	for (int threads = 0; threads < 2; threads++) {
		begin(threads, threads, EIO);
		event_base_dispatch(base);
		assert_int_equal(told, EIO);
		assert_int_equal(disk.renamed, 0);
		assert_int_equal(access("name", F_OK), -1);
		assert_int_equal(access("new", F_OK), -1);
	}
}

static void
what_is_stopped_is_not_told_and_has_no_name(void **state)
{
	(void)state;
	sync_stop(begin(1, 3, 0));
	event_base_dispatch(base);
	assert_int_equal(told, -1);
	assert_true(disk.looks < 0);		/* it was waited for: the descriptor was in use */
	assert_int_equal(disk.renamed, 0);
	assert_int_equal(access("new", F_OK), -1);
	sync_stop(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_its_name_once_it_is_on_disk),
		cmocka_unit_test(a_file_that_does_not_reach_the_disk_has_no_name),
		cmocka_unit_test(what_is_stopped_is_not_told_and_has_no_name),
	};

	return cmocka_run_group_tests(tests, setup, finish);
}
