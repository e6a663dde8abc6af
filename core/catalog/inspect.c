/* The inspection of a plugin's file: check, hash, copy, description; in steps that do not block. */
#include "inspect.h"
#include "copy_check.h"
#include "descriptor.h"
#include "library.h"
#include "plugin.h"
#include "probe.h"
#include "trust.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sync.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

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
#define FOLDER_MODE	0700		/* of the folder of own libraries */

enum step { STEP_OPEN, STEP_HASH, STEP_CHECK, STEP_COPY, STEP_WAIT };

struct inspect {
	struct event_base	*base;
	const struct inspect_use	*use;
	void			*arg;
	struct event		*turn;
	enum step		 step;
	int			 fd, to;	/* the file; the copy being written, or -1 */
	char			*copies;	/* folder; or NULL */
	EVP_MD_CTX		*digest;
	struct stamp		 stamp;
	struct libraries	 own;
	size_t			 nth;		/* read now: 0: the file; else its nth library */
	unsigned char		 sum[LIBRARY_MAX + 1][COPY_DIGEST];
	off_t			 at;
	int			 again;		/* by inspect_again() */
	int			 whole;		/* the file is as long as its ELF header says */
	struct plugin		*plugin;
	struct copy_check	*check;
	struct sync		*sync;
	struct probe		*probe;
};

/* ---- Stamps ---- */

static void
stamp_fill(struct stamp *s, const struct stat *st)
{
	*s = (struct stamp){ st->st_mtim, st->st_ctim, st->st_ino, st->st_size };
}

static void
stamp_add(struct stamp *s, const struct stat *st)
{
	s->mtime.tv_sec += st->st_mtim.tv_sec;
	s->mtime.tv_nsec += st->st_mtim.tv_nsec;
	s->ctime.tv_sec += st->st_ctim.tv_sec;
	s->ctime.tv_nsec += st->st_ctim.tv_nsec;
	s->inode += st->st_ino;
	s->size += st->st_size;
}

int
stamp_take(const char *file, const char *own, struct stamp *s)
{
	struct stat st;
	char *files, *rest, *one;

	if (stat(file, &st) == -1)
		return -1;
	stamp_fill(s, &st);
	files = rest = xstrdup(own != NULL ? own : "");
	while ((one = strsep(&rest, "\n")) != NULL)
		if (*one != '\0' && stat(one, &st) == 0)
			stamp_add(s, &st);
	free(files);
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

/* ---- The inspection's end ---- */

static char *
copy_name(const struct inspect *l, const char *end)
{
	return xasprintf("%s/%s.so%s", l->copies, l->plugin->hash, end);
}

/* The folder for the copies of its own libraries. */
static char *
library_folder(const struct inspect *l)
{
	return xasprintf("%s/%s.lib", l->copies, l->plugin->hash);
}

/* The copy's path of the file or library being read. */
static char *
part_name(const struct inspect *l, const char *end)
{
	char *folder, *name;

	if (l->nth == 0)
		return copy_name(l, end);
	folder = library_folder(l);
	name = xasprintf("%s/%s%s", folder, l->own.v[l->nth - 1].name, end);
	free(folder);
	return name;
}

static int
part_fd(const struct inspect *l)
{
	return l->nth == 0 ? l->fd : l->own.v[l->nth - 1].fd;
}

static void
copy_drop(struct inspect *l)
{
	char *tmp;

	if (l->to == -1)
		return;
	close(l->to);
	l->to = -1;
	if (l->copies == NULL)
		return;			/* it was in memory */
	tmp = part_name(l, ".new");
	unlink(tmp);
	free(tmp);
}

static void
inspect_free(struct inspect *l)
{
	if (l->fd != -1)
		close(l->fd);
	copy_drop(l);
	libraries_close(&l->own);
	copy_check_free(l->check);
	sync_stop(l->sync);
	probe_stop(l->probe);
	event_free(l->turn);
	EVP_MD_CTX_free(l->digest);
	plugin_free(l->plugin);
	free(l->copies);
	free(l);
}

void
inspect_stop(struct inspect *l)
{
	if (l != NULL)
		inspect_free(l);
}

static void
finish(struct inspect *l, enum inspect_end how)
{
	const struct inspect_use *use = l->use;
	struct plugin *p = l->plugin;
	struct stamp stamp = l->stamp;
	void *arg = l->arg;

	copy_drop(l);		/* needs l->plugin, which has the hash */
	for (size_t i = 0; i < l->own.n; i++)
		stamp_add(&stamp, &l->own.v[i].st);
	l->plugin = NULL;
	if (how != LOOK_SEEN) {
		plugin_free(p);
		p = NULL;
	}
	inspect_free(l);
	use->done(how, p, &stamp, arg);
}

/* ---- The description ---- */

/* Reads the description; kind and name stay those of the file. A plugin that calls itself otherwise is
 * refused: what is given to a name is given to the file that an operator called so. */
static void
described(struct plugin *p, struct wire *w)
{
	char *kind = xstrdup(p->kind), *name = xstrdup(p->name);

	if (descriptor_read(w, p) == -1 && p->error == NULL)
		plugin_refuse(p, "its description cannot be read");
	if (p->error == NULL && (strcmp(p->kind, kind) != 0 || strcmp(p->name, name) != 0))
		plugin_refuse(p, "it calls itself %s_%s: a plugin has the name of its file, and such "
		    "a one lies in %s_%s.so", p->kind, p->name, p->kind, p->name);
	xreplace(&p->kind, kind);
	xreplace(&p->name, name);
	free(kind);
	free(name);
}

static void
on_described(struct frame *f, const char *why, void *arg)
{
	struct inspect *l = arg;
	struct plugin *p = l->plugin;
	struct wire w;

	l->probe = NULL;
	if (f != NULL) {
		wire_init(&w, f->data, f->len);
		if (wire_u32(&w) == 1) {
			described(p, &w);
		} else {
			why = wire_str(&w);
			plugin_refuse(p, "%s", why != NULL ? why : "it cannot be described");
		}
	} else
		plugin_refuse(p, "%s", why);
	finish(l, LOOK_SEEN);
}

/* Starts a worker that loads and describes the plugin. -1: go on. */
static int
describe(struct inspect *l)
{
	static const char late[] = "it did not describe itself within 5 s: does a constructor hang?";
	const struct probe_ask ask = { .mode = W_DESCRIBE, .copy = l->plugin->copy,
		.fd = l->plugin->fd, .file = l->plugin->file,
		.libraries = l->plugin->libraries, .answer = MSG_W_ABOUT, .late = late };

	_Static_assert(PROBE_MS == 5000, "what `late` says");
	l->step = STEP_WAIT;
	l->probe = probe_start(l->base, &ask, on_described, l);
	if (l->probe != NULL)
		return -1;
	plugin_refuse(l->plugin, "no worker can be started to describe it");
	l->plugin->passing = 1;
	return LOOK_SEEN;
}

/* ---- The file ---- */

/* Checks owner and mode: only the daemon's user or root may be able to change a loaded file.
 * library: the path of an own library; NULL: st is of the plugin's file. */
static int
check_file(struct plugin *p, const char *library, const struct stat *st)
{
	const char *its = library != NULL ? "its library " : "", *space = library != NULL ? " " : "";

	library = library != NULL ? library : "";
	if (!S_ISREG(st->st_mode))
		plugin_refuse(p, "%s%s%sis no regular file", its, library, space);
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		plugin_refuse(p, "%s%s%sbelongs to user %u; only root's or the daemon's own (%u) is "
		    "loaded: chown root it", its, library, space, (unsigned)st->st_uid,
		    (unsigned)geteuid());
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		plugin_refuse(p, "%s%s%scan be written by others (mode %04o): chmod go-w it", its,
		    library, space, (unsigned)(st->st_mode & 07777));
	else if (st->st_size == 0 || st->st_size > (off_t)CATALOG_FILE_MAX)
		plugin_refuse(p, "%s%s%shas %lld bytes, which no plugin has: is it still being "
		    "copied?", its, library, space, (long long)st->st_size);
	else if (p->kind[0] == '\0')
		plugin_refuse(p, "is no name of a plugin's file: it is called source_NAME.so, "
		    "filter_NAME.so or sink_NAME.so, with a NAME of a to z, 0 to 9 and _");
	else
		return 0;
	p->unsafe = S_ISREG(st->st_mode) && ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (st->st_uid != 0 && st->st_uid != geteuid()));
	return -1;
}

/* Refuses the plugin for now: the daemon cannot write the copy. */
static void
copy_refuse(struct inspect *l, int error)
{
	plugin_refuse(l->plugin, "cannot be copied to %s: %s",
	    l->copies != NULL ? l->copies : "memory", strerror(error));
	l->plugin->passing = 1;
}

/* Refuses a file that cannot be opened. untrusted: since others can change what lies there. Its
 * folders, unlike the file, are not watched: they are looked at again later. */
static void
file_refuse(struct inspect *l, int error, const char *untrusted)
{
	struct plugin *p = l->plugin;

	if (untrusted != NULL)
		plugin_refuse(p, "%s", untrusted);
	else
		plugin_refuse(p, "cannot be opened: %s", strerror(error));
	p->unsafe = p->passing = untrusted != NULL;
	(void)stamp_take(p->file, NULL, &l->stamp);
}

static int
open_file(struct inspect *l)
{
	struct buf why;
	struct stat st;
	int error;

	buf_init(&why, TRUST_WHY);
	if (l->fd == -1)
		l->fd = trust_open(l->plugin->file, geteuid(), &why);
	error = errno;
	if (l->fd == -1 && access(l->plugin->file, F_OK) == -1 && errno == ENOENT) {
		buf_free(&why);
		return LOOK_GONE;
	}
	if (l->fd == -1 || fstat(l->fd, &st) == -1) {
		file_refuse(l, error, why.len > 0 ? why.data : NULL);
		buf_free(&why);
		return LOOK_SEEN;
	}
	buf_free(&why);
	stamp_fill(&l->stamp, &st);
	if (check_file(l->plugin, NULL, &st) == -1)
		return LOOK_SEEN;
	if (l->copies == NULL && (l->to = memfd_new(NULL, 0)) == -1) {
		copy_refuse(l, errno);
		return LOOK_SEEN;
	}
	EVP_DigestInit_ex(l->digest, EVP_sha256(), NULL);
	l->step = STEP_HASH;
	return -1;
}

/* Finds and checks the plugin's own libraries. -1: the plugin is refused. */
static int
find_own(struct inspect *l)
{
	struct plugin *p = l->plugin;
	struct buf why, folders;
	struct library *one;
	char *all;
	int rc;

	buf_init(&why, 8192);
	rc = libraries_find(&l->own, p->file, l->fd, &why);
	if (rc == -1)
		plugin_refuse(p, "%s", why.data);
	buf_free(&why);
	for (one = l->own.v; one < l->own.v + l->own.n && rc == 0; one++) {
		rc = check_file(p, one->file, &one->st);
		all = xasprintf("%s%s\n", p->own != NULL ? p->own : "", one->file);
		free(p->own);
		p->own = all;
	}
	if (l->own.n > 0 && l->copies == NULL) {
		buf_init(&folders, SIZE_MAX / 4);
		libraries_folders(&l->own, &folders);
		xreplace(&p->libraries, folders.data);
		buf_free(&folders);
	}
	return rc;
}

/* Whether the file is whole: the section table lies at the end of a shared object. */
static int
elf_whole(const char *head, size_t n, off_t size)
{
	Elf64_Ehdr h;

	if (n < sizeof(h) || memcmp(head, ELFMAG, SELFMAG) != 0 || head[EI_CLASS] != ELFCLASS64)
		return 1;		/* no 64-bit ELF file: dlopen() reports that */
	memcpy(&h, head, sizeof(h));
	return h.e_shoff <= (uint64_t)size &&
	    (uint64_t)h.e_shnum * h.e_shentsize <= (uint64_t)size - h.e_shoff;
}

/* Writes n bytes; a full disk writes a part first and fails at the next call. -1 with errno. */
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

/* Reads one step into the digest and the copy. 1: go on, 0: end of file, -1: the plugin is
 * refused. */
static int
read_step(struct inspect *l)
{
	MEM_UNSET char part[LOOK_STEP];
	ssize_t n = pread(part_fd(l), part, sizeof(part), l->at);

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n == -1) {
		plugin_refuse(l->plugin, "cannot be read: %s", strerror(errno));
		return -1;
	}
	if (n == 0)
		return 0;
	if (l->at == 0 && l->nth == 0)
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
digest_take(EVP_MD_CTX *digest, unsigned char to[COPY_DIGEST])
{
	unsigned n;

	if (EVP_DigestFinal_ex(digest, to, &n) != 1 || n != COPY_DIGEST)
		fatal("no digest");
}

/* Whether the file changed since it was opened, or was not read to its full length. */
static int
moved(const struct inspect *l)
{
	struct stat st;
	struct stamp now, then = l->stamp;

	if (fstat(part_fd(l), &st) == -1)
		return 1;
	stamp_fill(&now, &st);
	if (l->nth > 0)
		stamp_fill(&then, &l->own.v[l->nth - 1].st);
	return l->at != then.size || !stamp_same(&now, &then);
}

static int	 copy_part(struct inspect *);

static void
on_copied(int error, void *arg)
{
	const struct timeval now = { 0 };
	struct inspect *l = arg;
	int how = LOOK_SEEN;

	l->sync = NULL;
	if (error != 0)
		copy_refuse(l, error);
	else if (l->nth == 0)
		how = describe(l);
	else {
		l->nth--;		/* the file itself is last: its copy implies all others */
		how = copy_part(l);
		if (how == -1)
			evtimer_add(l->turn, &now);
	}
	if (how != -1)
		finish(l, (enum inspect_end)how);
}

/* Ends a copy, whose hash must be that of the first reading. -1: go on. */
static int
copied(struct inspect *l)
{
	unsigned char sum[COPY_DIGEST];
	char *tmp, *name;

	digest_take(l->digest, sum);
	if (memcmp(sum, l->sum[l->nth], COPY_DIGEST) != 0)
		return LOOK_MOVING;
	tmp = part_name(l, ".new");
	name = part_name(l, "");
	l->step = STEP_WAIT;
	l->sync = sync_file(l->base, l->to, tmp, name, on_copied, l);
	l->to = -1;
	free(tmp);
	free(name);
	return -1;
}

static int
copy_part(struct inspect *l)
{
	char *tmp = part_name(l, ".new");

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

/* Copies the own libraries, the last one first, then the file itself. */
static int
copy_begin(struct inspect *l)
{
	l->nth = l->own.n;
	if (l->nth > 0 && mkdir(l->plugin->libraries, FOLDER_MODE) == -1 && errno != EEXIST) {
		copy_refuse(l, errno);
		return LOOK_SEEN;
	}
	return copy_part(l);
}

/* Begins to compare the copies with their hash. */
static void
check_begin(struct inspect *l)
{
	char *folder = library_folder(l);

	l->check = copy_check_new(l->plugin->copy, folder, l->plugin->hash);
	l->step = STEP_CHECK;
	free(folder);
}

/* The copies are not what was copied: they are thrown away. The file, if there is one, is copied
 * anew. */
static int
check_failed(struct inspect *l, const char *why)
{
	char *folder = library_folder(l);

	log_warn("%s: is not what was copied from %s: %s; it is thrown away", l->plugin->copy,
	    l->plugin->file, why);
	(void)copy_remove(l->plugin->copy);
	(void)copy_remove(folder);
	free(folder);
	if (!l->again)
		return copy_begin(l);
	plugin_refuse(l->plugin, "its copy was changed: %s", why);
	return LOOK_SEEN;
}

/* Reads on in the copies. Returns as the other steps. */
static int
check_on(struct inspect *l)
{
	struct buf why;
	int rc;

	buf_init(&why, TRUST_WHY);
	rc = copy_check_step(l->check, &why);
	if (rc == 0 && l->again && copy_check_libraries(l->check))
		l->plugin->libraries = library_folder(l);
	if (rc != 1) {
		copy_check_free(l->check);
		l->check = NULL;
		rc = rc == 0 ? describe(l) : check_failed(l, why.data);
	} else
		rc = -1;
	buf_free(&why);
	return rc;
}

/* After the first reading: ends if the hash needs no description, else copies and describes it. */
static int
hashed(struct inspect *l)
{
	struct plugin *p = l->plugin;

	copy_hash(p->hash, l->digest, l->sum, &l->own);
	if (l->use->history_entry != NULL && l->use->history_entry(p->hash, l->arg))
		return LOOK_SAME;
	if (!l->whole) {
		plugin_refuse(p, "is cut off after %lld bytes: is it still being copied?",
		    (long long)l->stamp.size);
		return LOOK_SEEN;
	}
	p->copy = l->copies != NULL ? copy_name(l, "") : xstrdup(p->file);
	if (l->copies != NULL && l->own.n > 0)
		p->libraries = library_folder(l);
	if (l->copies == NULL)
		return describe(l);
	if (access(p->copy, F_OK) == -1)
		return copy_begin(l);
	check_begin(l);
	return -1;
}

/* The copy in memory is whole: nobody can change it from here on. */
static int
memory_take(struct inspect *l)
{
	if (memfd_seal(l->to) == -1) {
		copy_refuse(l, errno);
		return -1;
	}
	l->plugin->fd = l->to;
	l->to = -1;
	return 0;
}

static int
read_on(struct inspect *l)
{
	int rc = read_step(l);

	if (rc == -1)
		return LOOK_SEEN;
	if (rc == 1 && l->at <= (off_t)CATALOG_FILE_MAX)
		return -1;
	if (moved(l))
		return LOOK_MOVING;
	if (l->step == STEP_COPY)
		return copied(l);
	digest_take(l->digest, l->sum[l->nth]);
	if (l->to != -1 && memory_take(l) == -1)
		return LOOK_SEEN;
	if (l->nth == 0 && find_own(l) == -1)
		return LOOK_SEEN;
	if (l->nth == l->own.n)
		return hashed(l);
	l->nth++;
	l->at = 0;
	EVP_DigestInit_ex(l->digest, EVP_sha256(), NULL);
	return -1;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval now = { 0 };
	struct inspect *l = arg;
	int how;

	(void)fd;
	(void)what;
	if (l->step == STEP_CHECK)
		how = check_on(l);
	else
		how = l->step == STEP_OPEN ? open_file(l) : read_on(l);
	if (how != -1)
		finish(l, (enum inspect_end)how);
	else if (l->step != STEP_WAIT)
		evtimer_add(l->turn, &now);
}

static struct inspect *
inspect_new(struct event_base *base, const char *file, const char *copies, const struct inspect_use *use,
    void *arg)
{
	const struct timeval now = { 0 };
	struct inspect *l = xcalloc(1, sizeof(*l));

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

struct inspect *
inspect_start(struct event_base *base, const char *file, int fd, const char *copies,
    const struct inspect_use *use, void *arg)
{
	struct inspect *l = inspect_new(base, file, copies, use, arg);

	l->fd = fd;
	return l;
}

struct inspect *
inspect_again(struct event_base *base, const char *file, const char *copies, const char *hash,
    const struct inspect_use *use, void *arg)
{
	struct inspect *l = inspect_new(base, file, copies, use, arg);

	snprintf(l->plugin->hash, sizeof(l->plugin->hash), "%s", hash);
	l->again = 1;
	l->plugin->copy = copy_name(l, "");
	check_begin(l);
	return l;
}
