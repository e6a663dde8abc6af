/* Abandoned outputs: files of routes, sinks and formats that the configuration no longer has. The
 * files stay, named in the log and the status, until an operator drops them. */
#include "abandoned.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/sync.h"
#include "conf/setup_sink.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/written.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ABANDONED_MAX	200		/* files in the log and the status */

struct abandoned {
	struct written	 all;
	char		*path;		/* of the list on disk */
	struct sync	*sync;		/* NULL: the list is not being written */
	int		 again;		/* to be written once more after that */
};

/* ---- The list on disk ---- */

static void
load(struct abandoned *a)
{
	const char *file;
	json_error_t why;
	json_t *tree = json_load_file(a->path, 0, &why), *route;

	if (tree == NULL && access(a->path, F_OK) == 0)
		log_warn("%s: line %d: %s: what routes wrote before is forgotten", a->path,
		    why.line, why.text);
	json_object_foreach(tree, file, route)
		if (json_is_string(route))
			written_put(&a->all, file, json_string_value(route), 0);
	json_decref(tree);
}

static void	save(struct core *);

static void
on_saved(int error, void *arg)
{
	struct core *c = arg;
	struct abandoned *a = c->abandoned;

	a->sync = NULL;
	if (error != 0)
		log_warn("%s: %s", a->path, strerror(error));
	if (a->again)
		save(c);
}

/* Writes the list. A file whose name is not UTF-8 is left out: a restart forgets it. */
static void
save(struct core *c)
{
	struct abandoned *a = c->abandoned;
	char *tmp;
	json_t *tree;
	int fd;

	a->again = a->sync != NULL;
	if (a->again)
		return;
	tmp = xasprintf("%s.new", a->path);
	tree = json_object();
	for (size_t i = 0; i < a->all.n; i++)
		(void)json_object_set_new(tree, a->all.v[i].file, json_string(a->all.v[i].route));
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || json_dumpfd(tree, fd, JSON_INDENT(1)) == -1) {
		log_warn("%s: %s", tmp, strerror(errno));
		if (fd != -1)
			close(fd);
		unlink(tmp);
	} else
		a->sync = sync_file(c->base, fd, tmp, a->path, on_saved, c);
	json_decref(tree);
	free(tmp);
}

/* ---- The files ---- */

/* Opens the folder of a file below the folder of outputs, following no symbolic links; *name is the
 * file's name in it. -1: there is none. */
static int
folder_of(const struct core *c, const char *file, const char **name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(c->out, flags), next;
	const char *slash;
	char *part;

	for (*name = file; fd != -1 && (slash = strchr(*name, '/')) != NULL; *name = slash + 1) {
		part = xstrndup(*name, (size_t)(slash - *name));
		next = strcmp(part, "..") != 0 ? openat(fd, part, flags) : -1;
		free(part);
		close(fd);
		fd = next;
	}
	return fd;
}

typedef int file_cb(const char *file, const char *route, void *arg);

/* Whether a name in the folder of an abandoned file is that file, or a rotated part. */
static int
is_part(const struct abandoned *a, const struct written_file *f, const char *file, int fd,
    const char *name)
{
	struct stat st;

	return name[0] != '.' && written_find(&a->all, file) == f &&
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Calls each for every existing file of an abandoned output, until a call returns -1. Returns the
 * number of calls. */
static size_t
each_part(const struct core *c, const struct written_file *f, file_cb *each, void *arg)
{
	const char *base;
	int fd = folder_of(c, f->file, &base), more = 0;
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	size_t n = 0;
	char *file;

	if (dir == NULL && fd != -1)
		close(fd);
	while (dir != NULL && more == 0 && (e = readdir(dir)) != NULL) {
		file = xasprintf("%.*s%s", (int)(base - f->file), f->file, e->d_name);
		if (is_part(c->abandoned, f, file, fd, e->d_name)) {
			n++;
			more = each(file, f->route, arg);
		}
		free(file);
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

static int
none(const char *file, const char *route, void *arg)
{
	(void)file, (void)route, (void)arg;
	return 0;
}

/* Calls each for the files of all abandoned outputs, ABANDONED_MAX at most. */
static void
each_file(const struct core *c, file_cb *each, void *arg)
{
	const struct written *all = &c->abandoned->all;
	size_t n = 0;

	for (size_t i = 0; i < all->n && n < ABANDONED_MAX; i++)
		if (!all->v[i].active)
			n += each_part(c, &all->v[i], each, arg);
}

/* Drops abandoned outputs without a file from the list. */
static void
forget(struct core *c)
{
	struct written *all = &c->abandoned->all;

	for (size_t i = all->n; i-- > 0;)
		if (!all->v[i].active && each_part(c, &all->v[i], none, NULL) == 0)
			written_drop(all, all->v[i].file);
}

/* ---- A new setup ---- */

/* Adds the files that a sink writes. If its plugin is missing, all files of its route count as
 * written. */
static void
take_sink(struct abandoned *a, const struct route *r, const struct sink *l)
{
	struct output_files files;

	setup_outputs(l->instance, &files);
	for (size_t i = 0; i < files.n; i++)
		written_put(&a->all, files.name[i], r->name, 1);
	output_files_free(&files);
	for (size_t i = 0; l->instance->plugin == NULL && i < a->all.n; i++)
		if (strcmp(a->all.v[i].route, r->name) == 0)
			a->all.v[i].active = 1;
}

static int
log_one(const char *file, const char *route, void *arg)
{
	(void)arg;
	log_warn("output %s is written by nobody any more, since route %s does not; serve answers 410; "
	    "`courant drop --output %s` deletes it", file, route, file);
	return 0;
}

void
abandoned_tell(struct core *c)
{
	struct buf b;
	int fd;

	if (c->roles == NULL)
		return;			/* serve is sent the list as it starts */
	buf_init(&b, SIZE_MAX / 4);
	written_write(&c->abandoned->all, &b);
	fd = memfd_new(b.data, b.len);
	if (b.over || fd == -1 || memfd_seal(fd) == -1)
		fatal("no memory file for the list of outputs: %s", strerror(errno));
	roles_send(c, ROLE_SERVE, MSG_SERVE_FILES, 0, NULL, fd);
	close(fd);
	buf_free(&b);
}

void
abandoned_setup(struct core *c, const struct setup *old)
{
	const struct setup *s = c->setup;
	struct abandoned *a = c->abandoned;
	struct buf before, now;

	(void)old;
	if (a == NULL) {
		a = c->abandoned = xcalloc(1, sizeof(*a));
		a->path = xasprintf("%s/outputs.json", c->state);
		load(a);
	}
	buf_init(&before, SIZE_MAX / 4);
	buf_init(&now, SIZE_MAX / 4);
	written_write(&a->all, &before);
	for (size_t i = 0; i < a->all.n; i++)
		a->all.v[i].active = 0;
	for (size_t i = 0; i < s->nroutes; i++)
		for (size_t k = 0; k < s->routes[i].nsinks; k++)
			take_sink(a, &s->routes[i], &s->routes[i].sinks[k]);
	forget(c);
	written_write(&a->all, &now);
	if (before.len != now.len || memcmp(before.data, now.data, now.len) != 0) {
		each_file(c, log_one, NULL);
		save(c);
		abandoned_tell(c);
	}
	buf_free(&before);
	buf_free(&now);
}

void
abandoned_end(struct core *c)
{
	struct abandoned *a = c->abandoned;

	if (a == NULL)
		return;
	sync_stop(a->sync);
	written_free(&a->all);
	free(a->path);
	free(a);
	c->abandoned = NULL;
}

/* ---- The operator ---- */

static int
json_one(const char *file, const char *route, void *arg)
{
	json_t *o = json_object();

	json_set_text(o, "file", file);
	json_set_text(o, "route", route);
	json_array_append_new(arg, o);
	return 0;
}

json_t *
abandoned_json(const struct core *c)
{
	json_t *list = json_array();

	each_file(c, json_one, list);
	return list;
}

/* The name that the operator gave, and whether it is an abandoned file's. */
struct wish { const char *file; int found; };

static int
is_wished(const char *file, const char *route, void *arg)
{
	struct wish *w = arg;

	(void)route;
	w->found |= strcmp(file, w->file) == 0;
	return w->found ? -1 : 0;
}

int
abandoned_drop(struct core *c, const char *file, struct buf *said)
{
	const struct written_file *f = written_find(&c->abandoned->all, file);
	struct wish wish = { .file = file };
	const char *name;
	int folder, rc;

	if (f != NULL && f->active) {
		shown_fmt(said, "%s is an output of route %s, and written by it\n", file, f->route);
		return -1;
	}
	if (f != NULL)
		each_part(c, f, is_wished, &wish);
	if (!wish.found) {
		shown_fmt(said, "%s is no abandoned output; `courant status` names those that there are\n",
		    file);
		return -1;
	}
	folder = folder_of(c, file, &name);
	rc = folder != -1 ? unlinkat(folder, name, 0) : -1;
	if (rc == -1)
		shown_fmt(said, "%s: %s\n", file, strerror(errno));
	else {
		log_info("output %s of route %s is deleted: an operator asked", file, f->route);
		shown_fmt(said, "%s is deleted\n", file);
	}
	if (folder != -1)
		close(folder);
	forget(c);
	save(c);
	abandoned_tell(c);
	return rc;
}
