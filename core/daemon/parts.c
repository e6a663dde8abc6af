/* The parts of the running daemon, one row each: a new part is a row here and its own file. */
#include "parts.h"
#include "abandoned.h"
#include "trouble.h"
#include "daemon/route/deliver.h"
#include "daemon/route/editions.h"
#include "daemon/route/mails.h"
#include "daemon/source/intake.h"
#include "daemon/source/due.h"
#include "daemon/source/poll_begin.h"
#include "daemon/source/poll_commit.h"
#include "daemon/source/quota.h"
#include "daemon/source/stream.h"
#include "daemon/source/visit_queue.h"
#include "daemon/supervise/disk.h"
#include "daemon/supervise/mailers.h"
#include "daemon/supervise/memory.h"
#include "daemon/supervise/outbound.h"
#include "daemon/supervise/workers.h"

#include <stddef.h>

/* The calls to a part; NULL: the part needs none. */
struct part {
	void	(*init)(struct core *);		/* once, before the first setup */
	void	(*setup)(struct core *, const struct setup *old);	/* new setup; old or NULL */
	void	(*ready)(struct core *);	/* store has read the setup: work may go on */
	void	(*gone)(struct core *, enum role_id);	/* a role died with its work */
	void	(*stop)(struct core *);		/* nothing new begins; may be repeated */
	int	(*busy)(const struct core *);	/* work is under way that is to be finished */
	void	(*end)(struct core *);		/* the loop is over */
};

/* A setup is taken in this order: streams and visits need the runs of sources.c. */
static const struct part parts[] = {
	{ workers_init, NULL, NULL, NULL, NULL, NULL, workers_end },
	{ memory_init, NULL, NULL, NULL, NULL, NULL, memory_end },
	{ disk_init, NULL, NULL, disk_gone, NULL, NULL, disk_end },
	{ outbound_init, NULL, NULL, outbound_gone, NULL, NULL, outbound_end },
	{ mailers_init, mailers_setup, NULL, NULL, mailers_stop, mailers_busy, mailers_end },
	{ poll_begin_init, poll_begin_setup, due_wake, poll_gone, NULL, NULL, poll_begin_end },
	{ quota_init, quota_setup, NULL, NULL, NULL, NULL, quota_end },
	{ intake_init, NULL, intake_ready, intake_gone, NULL, intake_busy, NULL },
	{ stream_init, stream_setup, NULL, stream_gone, stream_stop, stream_busy, NULL },
	{ visit_init, visit_setup, visit_ready, visit_gone, visit_stop, visit_busy, NULL },
	{ mails_init, NULL, NULL, mails_gone, NULL, mails_busy, mails_end },
	{ deliver_init, deliver_setup, NULL, deliver_gone, deliver_stop, deliver_busy, NULL },
	{ editions_init, editions_setup, editions_ready, NULL, NULL, NULL, editions_end },
	{ trouble_init, trouble_setup, trouble_ready, NULL, trouble_stop, NULL, trouble_end },
	{ NULL, abandoned_setup, NULL, NULL, NULL, NULL, abandoned_end },
};
#define PARTS	(sizeof(parts) / sizeof(parts[0]))

void
parts_init(struct core *c)
{
	for (size_t i = 0; i < PARTS; i++)
		if (parts[i].init != NULL)
			parts[i].init(c);
}

void
parts_setup(struct core *c, const struct setup *old)
{
	for (size_t i = 0; i < PARTS; i++)
		if (parts[i].setup != NULL)
			parts[i].setup(c, old);
}

void
parts_ready(struct core *c)
{
	for (size_t i = 0; i < PARTS; i++)
		if (parts[i].ready != NULL)
			parts[i].ready(c);
}

void
parts_gone(struct core *c, enum role_id id)
{
	for (size_t i = 0; i < PARTS; i++)
		if (parts[i].gone != NULL)
			parts[i].gone(c, id);
}

void
parts_stop(struct core *c)
{
	for (size_t i = 0; i < PARTS; i++)
		if (parts[i].stop != NULL)
			parts[i].stop(c);
}

int
parts_busy(const struct core *c)
{
	for (size_t i = 0; i < PARTS; i++)
		if (parts[i].busy != NULL && parts[i].busy(c))
			return 1;
	return 0;
}

void
parts_end(struct core *c)
{
	for (size_t i = 0; i < PARTS; i++)
		if (parts[i].end != NULL)
			parts[i].end(c);
}
