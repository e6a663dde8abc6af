/* Writes of the database that find no room on the disk: they wait until there is. SQLite's own
 * error, SQLITE_FULL, would roll the transaction back, after which what this process knows is ahead
 * of the database. */
#include "room.h"
#include "base/date.h"
#include "base/log.h"

#include <sqlite3.h>

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

#define AGAIN_MS	200		/* until a write is tried again */

static struct {
	void	(*told)(int, void *);
	void	*arg;
} room;

static int
is_full(ssize_t n)
{
	return n == -1 && (errno == ENOSPC || errno == EDQUOT);
}

/* at -1: where the file stands. */
static ssize_t
try_write(int fd, const void *p, size_t n, off64_t at)
{
	return at == -1 ? write(fd, p, n) : pwrite64(fd, p, n, at);
}

static ssize_t
write_waiting(int fd, const void *p, size_t n, off64_t at)
{
	ssize_t done = try_write(fd, p, n, at);
	int64_t begun;

	if (!is_full(done))
		return done;
	begun = date_ticks();
	log_warn("no room on the disk of the database: store waits until there is; nothing is lost");
	room.told(1, room.arg);
	while (is_full(done)) {
		(void)poll(NULL, 0, AGAIN_MS);
		done = try_write(fd, p, n, at);
	}
	log_info("there is room on the disk of the database again, after %lld s",
	    (long long)(date_ticks() - begun) / 1000);
	room.told(0, room.arg);
	return done;
}

static ssize_t
room_write(int fd, const void *p, size_t n)
{
	return write_waiting(fd, p, n, -1);
}

static ssize_t
room_pwrite(int fd, const void *p, size_t n, off64_t at)
{
	return write_waiting(fd, p, n, at);
}

/* The file's writes are replaced where SQLite calls them, whichever it was built to use. */
void
room_init(void (*told)(int, void *), void *arg)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	static const struct {
		const char		*name;
		sqlite3_syscall_ptr	 call;
	} calls[] = {
		{ "write", (sqlite3_syscall_ptr)room_write },
		{ "pwrite", (sqlite3_syscall_ptr)room_pwrite },
		{ "pwrite64", (sqlite3_syscall_ptr)room_pwrite },
	};

	room.told = told;
	room.arg = arg;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (vfs == NULL || vfs->iVersion < 3 ||
		    vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call) != SQLITE_OK)
			log_warn("SQLite's %s cannot wait for room on the disk", calls[i].name);
}
