/* The folders of plugins while the daemon runs, by inotify. */
#include "watch.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"

#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING_MAX	1024		/* files with recent events; with more, all are reported */
#define FOLDER_MASK	(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | \
	IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
#define ABOVE_MASK	(IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

struct folder {
	char		*path;
	int		 wd;		/* -1: none */
	int		 there;		/* wd is the folder's own, not that of a parent */
};
struct pending {
	char		*path;
	int64_t		 due;		/* ticks */
	int		 open;		/* created, and not yet closed by its writer */
};

struct watch {
	int			 fd;
	struct event		*in, *timer;
	struct folder		*folder;
	size_t			 nfolders;
	struct pending		 pending[PENDING_MAX];
	size_t			 npending;
	int			 all;	/* call use->all() */
	const struct watch_use	*use;
	void			*arg;
};

/* ---- Files with recent events ---- */

static void
timer_set(struct watch *w)
{
	int64_t now = date_ticks(), first = w->all ? now : INT64_MAX;
	struct timeval tv;

	for (size_t i = 0; i < w->npending; i++)
		if (w->pending[i].due < first)
			first = w->pending[i].due;
	if (first == INT64_MAX)
		return;
	first = first > now ? first - now : 0;
	tv = (struct timeval){ .tv_sec = first / 1000, .tv_usec = first % 1000 * 1000 };
	evtimer_add(w->timer, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	int64_t now = date_ticks();
	size_t n = 0, had = w->npending;
	int all = w->all;

	(void)fd;
	(void)what;
	w->all = 0;
	for (size_t i = 0; i < had; i++) {
		struct pending p = w->pending[i];

		if (p.due > now && !all) {
			w->pending[n++] = p;
			continue;
		}
		if (!all)
			w->use->file(p.path, w->arg);
		free(p.path);
	}
	w->npending = n;
	if (all)
		w->use->all(w->arg);
	timer_set(w);
}

/* Whether a file is probably still being written: it was created, and is no hard link to
 * another. */
static int
being_written(const char *path, uint32_t mask)
{
	struct stat st;

	return (mask & IN_CREATE) != 0 && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_nlink == 1;
}

static void
file_event(struct watch *w, const char *folder, const struct inotify_event *ev)
{
	size_t len = strnlen(ev->name, ev->len), i;
	struct pending *p;
	char *path;

	if (len < 4 || ev->name[0] == '.' || strcmp(ev->name + len - 3, ".so") != 0)
		return;
	path = xasprintf("%s/%s", folder, ev->name);
	for (i = 0; i < w->npending && strcmp(w->pending[i].path, path) != 0; i++)
		;
	if (i == PENDING_MAX) {
		w->all = 1;
		free(path);
		return;
	}
	p = &w->pending[i];
	if (i == w->npending) {
		*p = (struct pending){ .path = path };
		w->npending++;
	} else
		free(path);
	if ((ev->mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM)) != 0)
		p->open = 0;
	p->open |= being_written(p->path, ev->mask);
	p->due = date_ticks() + (p->open ? WATCH_OPEN : WATCH_SETTLE);
}

/* ---- Folders ---- */

/* Watches the nearest existing parent of a folder that does not exist. */
static void
folder_above(struct watch *w, struct folder *f)
{
	char *path = xstrdup(f->path), *slash;

	while ((slash = strrchr(path, '/')) != NULL && f->wd == -1) {
		slash[slash == path] = '\0';
		f->wd = inotify_add_watch(w->fd, path, ABOVE_MASK | IN_ONLYDIR | IN_MASK_ADD);
		if (strcmp(path, "/") == 0)
			break;
	}
	free(path);
}

/* Watches a folder, or its nearest existing parent. Logs when the folder appears or disappears. */
static void
folder_arm(struct watch *w, struct folder *f, int first)
{
	int was = f->there;

	f->wd = inotify_add_watch(w->fd, f->path, FOLDER_MASK | IN_ONLYDIR | IN_MASK_ADD);
	f->there = f->wd != -1;
	if (!f->there) {
		if (was || first)
			log_warn("plugin folder %s: %s; it is looked into as soon as it is there",
			    f->path, strerror(errno));
		folder_above(w, f);
		return;
	}
	if (!was && !first)
		log_info("plugin folder %s is there", f->path);
}

static void
one_event(struct watch *w, const struct inotify_event *ev)
{
	const uint32_t self = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;

	if ((ev->mask & IN_Q_OVERFLOW) != 0)
		w->all = 1;
	for (size_t i = 0; i < w->nfolders; i++) {
		struct folder *f = &w->folder[i];

		if (f->wd != ev->wd)
			continue;
		if (f->there && (ev->mask & self) == 0) {
			file_event(w, f->path, ev);
			continue;
		}
		if ((ev->mask & IN_MOVE_SELF) != 0)
			(void)inotify_rm_watch(w->fd, ev->wd);
		folder_arm(w, f, 0);
		w->all = 1;
	}
}

static void
on_events(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct inotify_event) char events[16384];
	struct watch *w = arg;
	ssize_t n;

	(void)what;
	while ((n = read(fd, events, sizeof(events))) > 0)
		for (char *at = events; at < events + n;) {
			const struct inotify_event *ev = (const void *)at;

			one_event(w, ev);
			at += sizeof(*ev) + ev->len;
		}
	timer_set(w);
}

void
watch_folders(struct watch *w, const char *const *folder, size_t n)
{
	struct folder *now = xcalloc(n + 1, sizeof(*now));
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < w->nfolders && (w->folder[k].path == NULL ||
		    strcmp(w->folder[k].path, folder[i]) != 0); k++)
			;
		if (k < w->nfolders) {
			now[i] = w->folder[k];
			w->folder[k].path = NULL;
			continue;
		}
		now[i].path = xstrdup(folder[i]);
		folder_arm(w, &now[i], 1);
	}
	for (k = 0; k < w->nfolders; k++)
		free(w->folder[k].path);
	free(w->folder);
	w->folder = now;
	w->nfolders = n;
}

struct watch *
watch_new(struct event_base *base, const struct watch_use *use, void *arg)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->use = use;
	w->arg = arg;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->timer = evtimer_new(base, on_timer, w);
	if (w->timer == NULL)
		fatal("no timer for the plugin folders");
	if (w->fd == -1) {
		log_warn("plugin folders are not watched: %s; `courant reload` looks into them",
		    strerror(errno));
		return w;
	}
	w->in = event_new(base, w->fd, EV_READ | EV_PERSIST, on_events, w);
	if (w->in == NULL || event_add(w->in, NULL) == -1)
		fatal("no event for the plugin folders");
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->in != NULL)
		event_free(w->in);
	event_free(w->timer);
	if (w->fd != -1)
		close(w->fd);
	for (size_t i = 0; i < w->nfolders; i++)
		free(w->folder[i].path);
	for (size_t i = 0; i < w->npending; i++)
		free(w->pending[i].path);
	free(w->folder);
	free(w);
}
