/* Syncs a file to disk, then renames it, without blocking for the disk. */
#include "sync.h"
#include "log.h"
#include "mem.h"

#include <event2/event.h>

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_MS		5		/* between two checks whether the disk is done */

struct sync {
	struct aiocb	 aio;
	int		 asked;		/* aio runs; else the result is in error */
	int		 error;
	char		*tmp, *path;
	struct event	*timer;
	sync_cb		*cb;
	void		*arg;
};

static void
sync_free(struct sync *s)
{
	close(s->aio.aio_fildes);
	event_free(s->timer);
	free(s->tmp);
	free(s->path);
	free(s);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = { .tv_usec = LOOK_MS * 1000 };
	struct sync *s = arg;
	sync_cb *cb = s->cb;
	void *cb_arg = s->arg;
	int error = s->asked ? aio_error(&s->aio) : s->error;

	(void)fd;
	(void)what;
	if (error == EINPROGRESS) {
		evtimer_add(s->timer, &soon);
		return;
	}
	if (s->asked)
		(void)aio_return(&s->aio);
	if (error == 0 && rename(s->tmp, s->path) == -1)
		error = errno;
	if (error != 0)
		unlink(s->tmp);
	sync_free(s);
	cb(error, cb_arg);
}

struct sync *
sync_file(struct event_base *base, int fd, const char *tmp, const char *path, sync_cb *cb, void *arg)
{
	const struct timeval now = { 0 };
	struct sync *s = xcalloc(1, sizeof(*s));

	s->tmp = xstrdup(tmp);
	s->path = xstrdup(path);
	s->cb = cb;
	s->arg = arg;
	s->timer = evtimer_new(base, on_turn, s);
	if (s->timer == NULL || evtimer_add(s->timer, &now) == -1)
		fatal("no timer for a file");
	s->aio.aio_fildes = fd;
	s->aio.aio_sigevent.sigev_notify = SIGEV_NONE;
	s->asked = aio_fsync(O_SYNC, &s->aio) == 0;
	if (!s->asked)			/* no thread for aio: block */
		s->error = fsync(fd) == -1 ? errno : 0;
	return s;
}

void
sync_stop(struct sync *s)
{
	const struct aiocb *list[1];

	if (s == NULL)
		return;
	list[0] = &s->aio;
	while (s->asked && aio_error(&s->aio) == EINPROGRESS)
		(void)aio_suspend(list, 1, NULL);
	unlink(s->tmp);
	sync_free(s);
}
