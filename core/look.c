/* One look at a plugin's file: checked, hashed, copied, described; in steps that do not block. */
#include "look.h"
#include "chan.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "probe.h"
#include "sync.h"

#include <event2/event.h>
#include <openssl/evp.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_MODE	0500

enum step { STEP_OPEN, STEP_HASH, STEP_COPY, STEP_WAIT };

struct look {
	struct event_base	*base;
	const struct look_use	*use;
	void			*arg;
	struct event		*turn;
	enum step		 step;
	int			 fd, to;	/* the file; its copy while it is written; -1 */
	char			*copies;	/* folder; NULL */
	EVP_MD_CTX		*digest;
	struct stamp		 stamp;
	off_t			 at;
	int			 whole;		/* what ELF's header promises is there */
	struct plugin		*plugin;
	struct sync		*sync;
	struct probe		*probe;
};

/* ---- Stamps ---- */

static void
stamp_fill(struct stamp *s, const struct stat *st)
{
	*s = (struct stamp){ st->st_mtim, st->st_ctim, st->st_ino, st->st_size };
}

int
stamp_take(const char *file, struct stamp *s)
{
	struct stat st;

	if (stat(file, &st) == -1)
		return -1;
	stamp_fill(s, &st);
	return 0;
}

static int
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int
stamp_same(const struct stamp *a, const struct stamp *b)
{
	return a->inode == b->inode && a->size == b->size && same_time(&a->mtime, &b->mtime) &&
	    same_time(&a->ctime, &b->ctime);
}

/* ---- Its end ---- */

static char *
copy_name(const struct look *l, const char *end)
{
	return xasprintf("%s/%s.so%s", l->copies, l->plugin->hash, end);
}

static void
copy_drop(struct look *l)
{
	char *tmp;

	if (l->to == -1)
		return;
	tmp = copy_name(l, ".new");
	close(l->to);
	unlink(tmp);
	free(tmp);
	l->to = -1;
}

static void
look_free(struct look *l)
{
	if (l->fd != -1)
		close(l->fd);
	copy_drop(l);
	sync_stop(l->sync);
	probe_stop(l->probe);
	event_free(l->turn);
	EVP_MD_CTX_free(l->digest);
	plugin_free(l->plugin);
	free(l->copies);
	free(l);
}

void
look_stop(struct look *l)
{
	if (l != NULL)
		look_free(l);
}

static void
finish(struct look *l, enum look_end how)
{
	const struct look_use *use = l->use;
	struct plugin *p = l->plugin;
	struct stamp stamp = l->stamp;
	void *arg = l->arg;

	copy_drop(l);		/* by the plugin's hash */
	l->plugin = NULL;
	if (how != LOOK_SEEN) {
		plugin_free(p);
		p = NULL;
	}
	look_free(l);
	use->done(how, p, &stamp, arg);
}

/* ---- The description ---- */

static void
on_about(struct frame *f, const char *why, void *arg)
{
	struct look *l = arg;
	struct plugin *p = l->plugin;
	struct wire w;

	l->probe = NULL;
	if (f != NULL) {
		wire_init(&w, f->data, f->len);
		if (wire_u32(&w) == 1) {
			if (plugin_about_read(&w, p) == -1 && p->error == NULL)
				plugin_refuse(p, "its description cannot be read");
		} else {
			why = wire_str(&w);
			plugin_refuse(p, "%s", why != NULL ? why : "it cannot be described");
		}
	} else
		plugin_refuse(p, "%s", why);
	finish(l, LOOK_SEEN);
}

/* Has a worker load it and tell what it is. -1: go on. */
static int
describe(struct look *l)
{
	static const char late[] = "it did not describe itself within 5 s: does a constructor hang?";
	const struct probe_ask ask = { .mode = W_DESCRIBE, .copy = l->plugin->copy,
		.answer = MSG_W_ABOUT, .late = late };

	_Static_assert(PROBE_MS == 5000, "what `late` says");
	l->step = STEP_WAIT;
	l->probe = probe_start(l->base, &ask, on_about, l);
	if (l->probe != NULL)
		return -1;
	plugin_refuse(l->plugin, "no worker can be started to describe it");
	l->plugin->passing = 1;
	return LOOK_SEEN;
}

/* ---- The file ---- */

/* Owner and mode: what is loaded must be the daemon's or root's alone to change. */
static int
check_file(struct plugin *p, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		plugin_refuse(p, "is no regular file");
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		plugin_refuse(p, "belongs to user %u; only root's or the daemon's own (%u) is loaded: "
		    "chown root it", (unsigned)st->st_uid, (unsigned)geteuid());
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		plugin_refuse(p, "can be written by others (mode %04o): chmod go-w it",
		    (unsigned)(st->st_mode & 07777));
	else if (st->st_size == 0 || st->st_size > (off_t)CATALOG_FILE_MAX)
		plugin_refuse(p, "has %lld bytes, which no plugin has: is it still being copied?",
		    (long long)st->st_size);
	else
		return 0;
	p->unsafe = S_ISREG(st->st_mode) && ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (st->st_uid != 0 && st->st_uid != geteuid()));
	return -1;
}

static int
open_file(struct look *l)
{
	struct stat st;

	l->fd = open(l->plugin->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (l->fd == -1 && errno == ENOENT)
		return LOOK_GONE;
	if (l->fd == -1 || fstat(l->fd, &st) == -1) {
		plugin_refuse(l->plugin, "cannot be opened: %s", strerror(errno));
		(void)stamp_take(l->plugin->file, &l->stamp);
		return LOOK_SEEN;
	}
	stamp_fill(&l->stamp, &st);
	if (check_file(l->plugin, &st) == -1)
		return LOOK_SEEN;
	EVP_DigestInit_ex(l->digest, EVP_sha256(), NULL);
	l->step = STEP_HASH;
	return -1;
}

/* The table of sections lies at the end of a shared object: whether the file reaches that far. */
static int
elf_whole(const char *head, size_t n, off_t size)
{
	Elf64_Ehdr h;

	if (n < sizeof(h) || memcmp(head, ELFMAG, SELFMAG) != 0 || head[EI_CLASS] != ELFCLASS64)
		return 1;		/* whatever it is, dlopen() says so */
	memcpy(&h, head, sizeof(h));
	return h.e_shoff <= (uint64_t)size &&
	    (uint64_t)h.e_shnum * h.e_shentsize <= (uint64_t)size - h.e_shoff;
}

/* What the file is cannot be told: the daemon lacks something, for now. */
static void
copy_refuse(struct look *l, int error)
{
	plugin_refuse(l->plugin, "cannot be copied to %s: %s", l->copies, strerror(error));
	l->plugin->passing = 1;
}

/* A disk that fills up takes a part, and says why with the next. -1 with errno. */
static int
write_all(int fd, const char *data, size_t n)
{
	ssize_t done;

	for (; n > 0; data += done, n -= (size_t)done) {
		done = write(fd, data, n);
		if (done == -1 && errno != EINTR)
			return -1;
		if (done == -1)
			done = 0;
	}
	return 0;
}

/* One step of reading, to the digest and the copy. 1: there is more, 0: all is read, -1: refused. */
static int
read_step(struct look *l)
{
	MEM_UNSET char part[LOOK_STEP];
	ssize_t n = pread(l->fd, part, sizeof(part), l->at);

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n == -1) {
		plugin_refuse(l->plugin, "cannot be read: %s", strerror(errno));
		return -1;
	}
	if (n == 0)
		return 0;
	if (l->at == 0)
		l->whole = elf_whole(part, (size_t)n, l->stamp.size);
	l->at += n;
	if (EVP_DigestUpdate(l->digest, part, (size_t)n) != 1)
		fatal("no digest");
	if (l->to == -1 || write_all(l->to, part, (size_t)n) == 0)
		return 1;
	copy_refuse(l, errno);
	return -1;
}

static void
digest_text(struct look *l, char hash[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n;

	if (EVP_DigestFinal_ex(l->digest, digest, &n) != 1 || n != 32)
		fatal("no digest");
	for (unsigned i = 0; i < n; i++)
		snprintf(hash + 2 * i, 3, "%02x", digest[i]);
}

/* Whether the file is still what was opened, and as long as it was. */
static int
moved(const struct look *l)
{
	struct stat st;
	struct stamp now;

	if (fstat(l->fd, &st) == -1)
		return 1;
	stamp_fill(&now, &st);
	return l->at != l->stamp.size || !stamp_same(&now, &l->stamp);
}

static void
on_copied(int error, void *arg)
{
	struct look *l = arg;

	l->sync = NULL;
	if (error == 0 && describe(l) == -1)
		return;
	if (error != 0)
		copy_refuse(l, error);
	finish(l, LOOK_SEEN);
}

/* The copy is written: it has to be what was hashed. -1: go on. */
static int
copied(struct look *l)
{
	char hash[65], *tmp;

	digest_text(l, hash);
	if (strcmp(hash, l->plugin->hash) != 0)
		return LOOK_MOVING;
	tmp = copy_name(l, ".new");
	l->step = STEP_WAIT;
	l->sync = sync_file(l->base, l->to, tmp, l->plugin->copy, on_copied, l);
	l->to = -1;
	free(tmp);
	return -1;
}

static int
copy_begin(struct look *l)
{
	char *tmp = copy_name(l, ".new");

	unlink(tmp);
	l->to = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, COPY_MODE);
	if (l->to == -1)
		copy_refuse(l, errno);
	free(tmp);
	l->at = 0;
	EVP_DigestInit_ex(l->digest, EVP_sha256(), NULL);
	l->step = STEP_COPY;
	return l->to == -1 ? LOOK_SEEN : -1;
}

/* The file is read once: it is known, or copied, or what it is comes to light where it lies. */
static int
hashed(struct look *l)
{
	struct plugin *p = l->plugin;
	struct stat st;

	digest_text(l, p->hash);
	if (l->use->known != NULL && l->use->known(p->hash, l->arg))
		return LOOK_SAME;
	if (!l->whole) {
		plugin_refuse(p, "is cut off after %lld bytes: is it still being copied?",
		    (long long)l->stamp.size);
		return LOOK_SEEN;
	}
	p->copy = l->copies != NULL ? copy_name(l, "") : realpath(p->file, NULL);
	if (p->copy == NULL) {
		plugin_refuse(p, "cannot be opened: %s", strerror(errno));
		return LOOK_SEEN;
	}
	if (l->copies != NULL && (stat(p->copy, &st) == -1 || st.st_size != l->stamp.size))
		return copy_begin(l);
	return describe(l);
}

static int
read_on(struct look *l)
{
	int rc = read_step(l);

	if (rc == -1)
		return LOOK_SEEN;
	if (rc == 1 && l->at <= (off_t)CATALOG_FILE_MAX)
		return -1;
	if (moved(l))
		return LOOK_MOVING;
	return l->step == STEP_HASH ? hashed(l) : copied(l);
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval now = { 0 };
	struct look *l = arg;
	int how;

	(void)fd;
	(void)what;
	if (l->plugin->copy != NULL && l->fd == -1)	/* look_again() */
		how = describe(l);
	else
		how = l->step == STEP_OPEN ? open_file(l) : read_on(l);
	if (how != -1)
		finish(l, (enum look_end)how);
	else if (l->step != STEP_WAIT)
		evtimer_add(l->turn, &now);
}

static struct look *
look_new(struct event_base *base, const char *file, const char *copies, const struct look_use *use,
    void *arg)
{
	const struct timeval now = { 0 };
	struct look *l = xcalloc(1, sizeof(*l));

	l->base = base;
	l->use = use;
	l->arg = arg;
	l->fd = l->to = -1;
	l->copies = copies != NULL ? xstrdup(copies) : NULL;
	l->plugin = plugin_new(file);
	l->digest = EVP_MD_CTX_new();
	l->turn = evtimer_new(base, on_turn, l);
	if (l->digest == NULL || l->turn == NULL || evtimer_add(l->turn, &now) == -1)
		fatal("no memory to look at a plugin");
	return l;
}

struct look *
look_start(struct event_base *base, const char *file, const char *copies,
    const struct look_use *use, void *arg)
{
	return look_new(base, file, copies, use, arg);
}

struct look *
look_again(struct event_base *base, const char *file, const char *copies, const char *hash,
    const struct look_use *use, void *arg)
{
	struct look *l = look_new(base, file, copies, use, arg);

	snprintf(l->plugin->hash, sizeof(l->plugin->hash), "%s", hash);
	l->plugin->copy = copy_name(l, "");
	return l;
}
