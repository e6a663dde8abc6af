/* The plugins there are: found, checked, copied, and described by a short-lived worker. */
#include "catalog.h"
#include "chan.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "child.h"
#include "filter.h"

#include <openssl/evp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIBE_MS	5000		/* for a worker to describe a plugin */
#define ABOUT_MEMORY	(256u << 20)
#define COPY_MODE	0500

/* A file as it was when it was looked at. */
struct entry {
	struct plugin	 plugin;
	struct timespec	 mtime, ctime;
	ino_t		 inode;
	off_t		 size;
};
struct catalog {
	struct entry	*v[CATALOG_MAX];
	size_t		 n;
	struct entry	**old;		/* of files that changed: in use perhaps */
	size_t		 nold;
};

struct catalog *
catalog_new(void)
{
	return xcalloc(1, sizeof(struct catalog));
}

static void
plugin_clear(struct plugin *p)
{
	char **texts[] = { &p->name, &p->kind, &p->file, &p->copy, &p->version, &p->help, &p->url,
		&p->headers, &p->error };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(*texts[i]);
	for (size_t i = 0; i < p->noptions; i++) {
		free((char *)(uintptr_t)p->options[i].name);
		free((char *)(uintptr_t)p->options[i].value);
		free((char *)(uintptr_t)p->options[i].range);
		free((char *)(uintptr_t)p->options[i].help);
	}
	free(p->options);
	for (size_t i = 0; i < p->ndefaults; i++) {
		free(p->defaults[i].name);
		free(p->defaults[i].options);
	}
	free(p->defaults);
	memset(p, 0, sizeof(*p));
}

static void
entry_free(struct entry *e)
{
	plugin_clear(&e->plugin);
	free(e);
}

static int
unused(const struct plugin *p, void *arg)
{
	(void)p;
	(void)arg;
	return 0;
}

void
catalog_free(struct catalog *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		entry_free(c->v[i]);
	catalog_sweep(c, unused, NULL);
	free(c->old);
	free(c);
}

void
catalog_sweep(struct catalog *c, int (*used)(const struct plugin *, void *), void *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nold; i++)
		if (used(&c->old[i]->plugin, arg))
			c->old[n++] = c->old[i];
		else
			entry_free(c->old[i]);
	c->nold = n;
}

/* A place for a file that is new, or changed since the last look. NULL: all are taken. */
static struct entry *
entry_new(struct catalog *c, const char *file)
{
	struct entry *e = NULL;
	size_t i;

	for (i = 0; i < c->n && strcmp(c->v[i]->plugin.file, file) != 0; i++)
		;
	if (i == CATALOG_MAX)
		return NULL;
	if (i < c->n) {
		c->old = xreallocarray(c->old, c->nold + 1, sizeof(c->old[0]));
		c->old[c->nold++] = c->v[i];
	} else
		c->n++;
	e = c->v[i] = xcalloc(1, sizeof(*e));
	e->plugin.file = xstrdup(file);
	return e;
}

/* Refuses the plugin: its name becomes the file's stem ("source_feed"). */
static void __attribute__((format(printf, 2, 3)))
refuse(struct plugin *p, const char *fmt, ...)
{
	const char *base = strrchr(p->file, '/');
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	xreplace(&p->error, line);
	base = base != NULL ? base + 1 : p->file;
	free(p->name);
	p->name = xstrndup(base, strcspn(base, "."));
	xreplace(&p->kind, "");
}

/* Reads a file whole, hashing it. NULL: p->error says why. */
static char *
read_whole(struct plugin *p, int fd, size_t size)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n, i;
	char *data = xmalloc(size);
	size_t at = 0;
	ssize_t r;

	while (at < size && (r = read(fd, data + at, size - at)) > 0)
		at += (size_t)r;
	if (at < size || EVP_Digest(data, size, digest, &n, EVP_sha256(), NULL) != 1) {
		refuse(p, "cannot be read whole; is it still being copied?");
		free(data);
		return NULL;
	}
	for (i = 0; i < n && 2 * i + 2 < sizeof(p->hash); i++)
		snprintf(p->hash + 2 * i, 3, "%02x", digest[i]);
	return data;
}

/* Writes the copy under its hash: a temporary name, synced, renamed. */
static int
write_copy(struct plugin *p, const char *data, size_t size, const char *copies)
{
	char *path = xasprintf("%s/%s.so", copies, p->hash), *tmp = xasprintf("%s.new", path);
	int fd = -1, rc = 0;

	if (access(path, R_OK) == -1) {
		unlink(tmp);
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, COPY_MODE);
		if (fd == -1 || write(fd, data, size) != (ssize_t)size || fsync(fd) == -1 ||
		    rename(tmp, path) == -1) {
			refuse(p, "cannot be copied to %s: %s", path, strerror(errno));
			unlink(tmp);
			rc = -1;
		}
	}
	if (fd != -1)
		close(fd);
	free(tmp);
	free(p->copy);
	p->copy = path;
	return rc;
}

/* Owner and mode: what is loaded must be the daemon's or root's alone to change. */
static int
check_file(struct plugin *p, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		refuse(p, "is no regular file");
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		refuse(p, "belongs to user %u; only root's or the daemon's own (%u) is loaded: "
		    "chown root it", (unsigned)st->st_uid, (unsigned)geteuid());
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		refuse(p, "can be written by others (mode %04o): chmod go-w it",
		    (unsigned)(st->st_mode & 07777));
	else if (st->st_size == 0 || st->st_size > (off_t)CATALOG_FILE_MAX)
		refuse(p, "has %lld bytes, which no plugin has", (long long)st->st_size);
	else
		return 0;
	return -1;
}

static void
start_describe(struct chan *c, const char *copy)
{
	struct w_start ws = { .mode = W_DESCRIBE, .memory = ABOUT_MEMORY, .cpu = DESCRIBE_MS,
		.name = copy };
	struct buf b;

	filter_fill(&ws);
	buf_init(&b, msg_limit(MSG_W_START));
	wire_put(&b, w_start, &ws);
	wire_put_u32(&b, 1);
	wire_put_str(&b, copy);
	wire_put_bytes(&b, "", 0);
	(void)chan_send(c, MSG_W_START, 0, &b, -1, -1);
	buf_free(&b);
}

/* Takes the description, or the reason why there is none. */
static void
read_about(struct plugin *p, const struct frame *f)
{
	const char *why;
	struct wire w;

	wire_init(&w, f->data, f->len);
	if (wire_u32(&w) == 1) {
		if (plugin_about_read(&w, p) == -1 && p->error == NULL)
			refuse(p, "its description cannot be read");
		return;
	}
	why = wire_str(&w);
	refuse(p, "%s", why != NULL ? why : "it cannot be described");
}

/* Has a worker load the copy and tell what it is. */
static void
describe(struct plugin *p)
{
	struct child child;
	struct chan *c;
	struct frame f;
	struct buf why;
	int64_t until = date_ticks() + DESCRIBE_MS;
	int rc, status = 0;

	if (spawn_worker(&child, 0) == -1) {
		refuse(p, "no worker to describe it");
		return;
	}
	c = chan_new(child.fd);
	start_describe(c, p->copy);
	do
		rc = until > date_ticks() ? chan_recv(c, &f, (int)(until - date_ticks())) : 0;
	while (rc == 1 && f.type != MSG_W_ABOUT);
	if (rc == 1)
		read_about(p, &f);
	kill(child.pid, SIGKILL);
	while (waitpid(child.pid, &status, 0) == -1 && errno == EINTR)
		;
	if (rc == 0)
		refuse(p, "it did not describe itself within %d s: does a constructor hang?",
		    DESCRIBE_MS / 1000);
	else if (rc == -1) {
		buf_init(&why, 256);
		spawn_obituary(&why, status);
		refuse(p, "the worker that loaded it died: %s", why.data);
		buf_free(&why);
	}
	chan_free(c);
}

/* Fills e for the file that is open in fd. */
static void
look(struct entry *e, int fd, const struct stat *st, const char *copies)
{
	struct plugin *p = &e->plugin;
	char *data;

	e->mtime = st->st_mtim;
	e->ctime = st->st_ctim;
	e->inode = st->st_ino;
	e->size = st->st_size;
	if (check_file(p, st) == -1 || (data = read_whole(p, fd, (size_t)st->st_size)) == NULL)
		return;
	if (copies != NULL)
		(void)write_copy(p, data, (size_t)st->st_size, copies);
	else
		p->copy = realpath(p->file, NULL);
	free(data);
	if (p->error == NULL && p->copy != NULL)
		describe(p);
	if (p->error != NULL)
		log_warn("%s: %s", p->file, p->error);
	else
		log_debug("%s: %s %s %s", p->file, p->kind, p->name, p->version);
}

static struct entry *
find_file(const struct catalog *c, const char *file)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i]->plugin.file, file) == 0)
			return c->v[i];
	return NULL;
}

static int
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Looks at one file again if it changed. Returns its entry; *changed counts. */
static struct entry *
file_scan(struct catalog *c, const char *file, const char *copies, int *changed)
{
	struct entry *e = find_file(c, file);
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (e != NULL && fd != -1 && fstat(fd, &st) == 0 && st.st_ino == e->inode &&
	    st.st_size == e->size && same_time(&st.st_mtim, &e->mtime) &&
	    same_time(&st.st_ctim, &e->ctime)) {
		close(fd);
		return e;
	}
	e = entry_new(c, file);
	if (e == NULL) {
		log_warn("%s: not loaded: %d plugins at most", file, CATALOG_MAX);
		if (fd != -1)
			close(fd);
		return NULL;
	}
	(*changed)++;
	if (fd == -1 || fstat(fd, &st) == -1)
		refuse(&e->plugin, "cannot be opened: %s", strerror(errno));
	else
		look(e, fd, &st, copies);
	if (fd != -1)
		close(fd);
	return e;
}

int
catalog_scan(struct catalog *c, const char *folder, const char *copies, struct buf *err)
{
	DIR *dir = opendir(folder);
	struct dirent *de;
	size_t len;
	char *path;
	int changed = 0;

	if (dir == NULL) {
		buf_fmt(err, "%s: %s", folder, strerror(errno));
		return -1;
	}
	while ((de = readdir(dir)) != NULL) {
		len = strlen(de->d_name);
		if (de->d_name[0] == '.' || len < 4 || strcmp(de->d_name + len - 3, ".so") != 0)
			continue;
		path = xasprintf("%s/%s", folder, de->d_name);
		(void)file_scan(c, path, copies, &changed);
		free(path);
	}
	closedir(dir);
	return changed;
}

const struct plugin *
catalog_file(struct catalog *c, const char *file, const char *copies)
{
	int changed = 0;
	struct entry *e = file_scan(c, file, copies, &changed);

	if (e == NULL)
		fatal("more than %d plugins", CATALOG_MAX);
	return &e->plugin;
}

const struct plugin *
catalog_find(const struct catalog *c, const char *kind, const char *name)
{
	const struct plugin *p, *refused = NULL;

	for (size_t i = 0; i < c->n; i++) {
		p = &c->v[i]->plugin;
		if (p->error == NULL && strcmp(p->kind, kind) == 0 && strcmp(p->name, name) == 0)
			return p;
		if (p->error != NULL && p->name != NULL && strncmp(p->name, kind, strlen(kind)) == 0 &&
		    p->name[strlen(kind)] == '_' && strcmp(p->name + strlen(kind) + 1, name) == 0)
			refused = p;
	}
	return refused;
}

size_t
catalog_count(const struct catalog *c)
{
	return c->n;
}

const struct plugin *
catalog_at(const struct catalog *c, size_t i)
{
	return i < c->n ? &c->v[i]->plugin : NULL;
}
