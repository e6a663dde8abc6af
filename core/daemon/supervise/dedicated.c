/* Workers dedicated to one source, and the memfds in which they hand over results. */
#include "dedicated.h"
#include "egress.h"
#include "workers.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/plugin.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/worker_start.h"

#include <courant/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The worker ---- */

char *
dedicated_folder(const struct core *c, const char *of, const char *name)
{
	char *all = xasprintf("%s/files", c->state);
	char *own = xasprintf("%s/%s", all, name);

	if ((mkdir(all, 0700) == -1 && errno != EEXIST) ||
	    (mkdir(own, 0700) == -1 && errno != EEXIST)) {
		log_warn("%s: %s: %s", of, own, strerror(errno));
		free(own);
		own = NULL;
	}
	free(all);
	return own;
}

static struct worker *
start(struct core *c, enum worker_kind kind, const struct source *src, const struct w_start *ws)
{
	const struct instance *in = src->instance;
	struct worker *w;
	struct buf b;

	worker_start_one(&b, ws, in->plugin->copy);
	w = worker_start(c, kind, in->plugin->name, in->plugin->libraries, &b);
	if (w != NULL)
		worker_allow(w, egress_new(in, ws->grants, src->name, src->url));
	buf_free(&b);
	return w;
}

struct worker *
dedicated_start(struct core *c, enum worker_kind kind, const struct source *src, uint32_t id,
    uint32_t grants)
{
	struct w_start ws = { .mode = kind == WORKER_VISIT ? W_VISIT : W_STREAM, .grants = grants,
		.debug = (uint32_t)c->debug, .memory = c->setup->worker_memory,
		.out = STREAM_OUT, .name = src->name };
	char *folder = NULL, name[32];
	struct worker *w;

	if ((grants & (CR_FILES | CR_EXEC)) != 0)
		ws.out = WORKER_OUT_FILES;
	snprintf(name, sizeof(name), "source-%u", id);
	if ((grants & CR_FILES) != 0 &&
	    (folder = dedicated_folder(c, src->name, name)) == NULL)
		return NULL;
	ws.folder = folder;
	w = start(c, kind, src, &ws);
	free(folder);
	return w;
}

/* ---- Its results ---- */

static int
new_file(void)
{
	int fd = memfd_new(NULL, 0);

	if (fd == -1)
		fatal("no memory file for results: %s", strerror(errno));
	return fd;
}

void
outlet_open(struct outlet *o)
{
	outlet_close(o);
	o->fd[0] = new_file();
	o->fd[1] = new_file();
}

void
outlet_close(struct outlet *o)
{
	for (int i = 0; i < 2; i++) {
		if (o->fd[i] != -1)
			close(o->fd[i]);
		o->fd[i] = -1;
	}
}

int
outlet_take(struct outlet *o, uint64_t bytes, uint64_t max, const char **why)
{
	int fd = o->fd[0];

	if (fd == -1)
		*why = "it sent a batch before the last one was stored";
	else if (bytes > max || lseek(fd, 0, SEEK_END) != (off_t)bytes)
		*why = "it told of other results than it wrote";
	else if (memfd_seal(fd) == -1)
		*why = "it keeps its results open for writing";
	else {
		o->fd[0] = o->fd[1];
		o->fd[1] = -1;
		return fd;
	}
	return -1;
}

int
outlet_next(struct outlet *o)
{
	if (o->fd[1] == -1)
		o->fd[1] = new_file();
	return o->fd[1];
}
