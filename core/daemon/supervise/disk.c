/* The room on the disk of `state`, looked at each second, and before each batch of records. */
#include "disk.h"
#include "core.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ipc/chan.h"
#include "ipc/wire.h"

#include <event2/event.h>

#include <stdlib.h>
#include <sys/statvfs.h>

#define LOOK_MS		1000		/* between two looks, at most */
#define FRESH_MS	20		/* a look is good for so long */
#define LOW_MS		2000		/* room counts once it has lasted so long */
#define LEAST		(UINT64_C(1) << 20)	/* bytes that are to be free in any case */

struct disk {
	struct event	*timer;
	void		(*back)(struct core *);
	uint64_t	 left;		/* bytes */
	int64_t		 looked;	/* ticks */
	int64_t		 scarce;	/* ticks of the last look that found too little */
	int		 low;
	int		 store;		/* store waits for room */
};

uint64_t
disk_left(const struct core *c)
{
	return c->disk->left;
}

uint64_t
disk_wanted(const struct core *c)
{
	return c->setup->disk_free > LEAST ? c->setup->disk_free : LEAST;
}

void
disk_why(const struct core *c, struct buf *b)
{
	buf_str(b, "no room on the disk for new records: ");
	text_bytes(b, c->disk->left);
	buf_str(b, " free, ");
	text_bytes(b, disk_wanted(c));
	buf_str(b, " wanted (limits: disk_free)");
}

static void
tell(const struct core *c)
{
	struct buf b;

	buf_init(&b, 1024);
	if (c->disk->low) {
		disk_why(c, &b);
		log_warn("%s: %s: fetching and streams wait, delivery goes on", c->state, b.data);
	} else {
		text_bytes(&b, c->disk->left);
		log_info("%s: %s free on the disk: fetching and streams go on", c->state, b.data);
	}
	buf_free(&b);
}

static void
free_measure(struct core *c)
{
	struct disk *d = c->disk;
	struct statvfs fs;
	int was = d->low;

	d->looked = date_ticks();
	if (statvfs(c->state, &fs) == -1)
		return;			/* store says what is wrong with the folder */
	d->left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (d->left < disk_wanted(c) || d->store) {
		d->scarce = d->looked;
		d->low = 1;
	} else if (d->looked - d->scarce >= LOW_MS)
		d->low = 0;
	if (d->low != was)
		tell(c);
	if (was && !d->low && d->back != NULL)
		d->back(c);
}

int
disk_low(struct core *c)
{
	if (date_ticks() - c->disk->looked >= FRESH_MS)
		free_measure(c);
	return c->disk->low;
}

void
disk_store(struct core *c, const struct frame *f)
{
	struct wire w;

	wire_init(&w, f->data, f->len);
	c->disk->store = wire_u32(&w) != 0;
	if (wire_end(&w) == -1)
		fatal("store's ROOM is malformed");
	free_measure(c);
}

int
disk_store_waits(const struct core *c)
{
	return c->disk->store;
}

void
disk_gone(struct core *c, enum role_id id)
{
	if (id == ROLE_STORE)
		c->disk->store = 0;
}

void
disk_tell(struct core *c, void (*back)(struct core *))
{
	c->disk->back = back;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;

	(void)fd;
	(void)what;
	free_measure(c);
}

void
disk_init(struct core *c)
{
	const struct timeval every = { .tv_sec = LOOK_MS / 1000 };

	c->disk = xcalloc(1, sizeof(*c->disk));
	c->disk->scarce = -LOW_MS;
	c->disk->timer = event_new(c->base, -1, EV_PERSIST, on_timer, c);
	if (c->disk->timer == NULL || event_add(c->disk->timer, &every) == -1)
		fatal("no timer for the room on the disk");
}

void
disk_end(struct core *c)
{
	event_free(c->disk->timer);
	free(c->disk);
	c->disk = NULL;
}
