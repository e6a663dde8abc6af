/* Workers that one source has for itself, and the files in which they hand over results. */
#include "dedicated.h"
#include "filter.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "pass.h"
#include "result.h"

#include <courant/plugin.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_OUT	(UINT64_C(1) << 40)	/* bytes of a file of its own: the disk bounds it */

/* ---- The worker ---- */

/* The source's own folder; NULL: it cannot be made. */
static char *
own_folder(const struct core *c, const char *name, uint32_t id)
{
	char *all = xasprintf("%s/files", c->state);
	char *own = xasprintf("%s/source-%u", all, id);

	if ((mkdir(all, 0700) == -1 && errno != EEXIST) ||
	    (mkdir(own, 0700) == -1 && errno != EEXIST)) {
		log_warn("%s: %s: %s", name, own, strerror(errno));
		free(own);
		own = NULL;
	}
	free(all);
	return own;
}

static struct worker *
start(struct core *c, enum worker_kind kind, const struct source *src, struct w_start *ws)
{
	const struct instance *in = src->instance;
	struct worker *w;
	struct buf b;

	filter_fill(ws);
	buf_init(&b, msg_limit(MSG_W_START));
	wire_put(&b, w_start, ws);
	wire_put_u32(&b, 1);
	wire_put_str(&b, in->plugin->copy);
	wire_put_bytes(&b, "", 0);
	w = worker_start(c, kind, in->plugin->name, &b);
	if (w != NULL)
		worker_allow(w, pass_new(in, ws->grants, src->name, src->url));
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
	char *folder = NULL;
	struct worker *w;

	if ((grants & (CR_FILES | CR_EXEC)) != 0)
		ws.out = FILES_OUT;
	if ((grants & CR_FILES) != 0 && (folder = own_folder(c, src->name, id)) == NULL)
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
	int fd = result_fd(NULL, 0);

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
	else if (result_seal(fd) == -1)
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
