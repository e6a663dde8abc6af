/* The memory of all workers together, kept below `limits: memory`: measured, not granted, since
 * workers take a small part of what each of them may. What core has in memory files for them
 * (documents, batches, results) counts as well. */
#include "memory.h"
#include "core.h"
#include "measure.h"
#include "workers.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/probe.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MIN	10		/* ms between two measures, at least */
#define TICK_MAX	200
#define TICK_IDLE	1000		/* the same while no worker runs */
#define TICK_COST	50		/* a measure of 1 ms is made every 50 ms at most */
#define FILL_RATE	UINT64_C(2000000)	/* bytes of memory that a CPU can fill in 1 ms */
#define WAIT_MS		500		/* ms that work waits for memory before a worker is ended */
#define ASKED_MS	2000		/* work that does not ask for so long waits no more */
#define FULL(limit)	((limit) / 8 * 5)	/* no worker starts above it */
#define OVER(limit)	((limit) / 16 * 11)	/* a worker is ended above it: the others may
					 * grow until its end takes effect */
#define LEAST(limit)	((limit) / 8)	/* with less in all, workers are not the cause */
#define DOCUMENTS(limit) ((limit) / 8)

/* A worker, or a process that describes a plugin or checks options. */
struct holder {
	pid_t		 pid;
	uint64_t	 bytes;
	const char	*name;		/* plugin, ROUTE/SINK, or a plugin's file; borrowed */
	struct worker	*worker;	/* NULL: a probe */
	struct probe	*probe;
	int		 ending;
	int		 hidden;	/* its memory files cannot be listed */
};
struct memory {
	struct event		*timer;
	struct holder		*v;		/* as measured last: pointers may be stale */
	size_t			 n, room;
	struct holder		*before;	/* as measured before that, for their pids and bytes */
	size_t			 nbefore, room_before;
	struct measure_files	 files, own;	/* of the workers; of core */
	uint64_t		 workers, ending;	/* bytes; those of workers that are ending */
	uint64_t		 used;		/* bytes in all */
	uint64_t		 ahead;		/* bytes that the workers may take until the end of one
					 * takes effect */
	int64_t			 waits, asked;	/* ticks: since when work waits, 0: none; last ask */
	int			 listed;	/* the files of some worker could be listed */
};

/* ---- Measuring ---- */

/* What a process held in the measure before; 0: it began since. */
static uint64_t
held_before(const struct memory *m, pid_t pid)
{
	for (const struct holder *h = m->before; h < m->before + m->nbefore; h++)
		if (h->pid == pid)
			return h->bytes;
	return 0;
}

/* What a worker takes in two measures, if it goes on as since the last one: it cannot grow beyond
 * its address space, of which `rest` is left. */
static uint64_t
grows(const struct memory *m, const struct holder *h, uint64_t rest)
{
	uint64_t was = held_before(m, h->pid), grown = h->bytes > was ? 2 * (h->bytes - was) : 0;

	return grown < rest ? grown : rest;
}

static void
add(struct core *c, const struct holder *h)
{
	struct memory *m = c->memory;
	uint64_t most = c->setup->worker_memory, files = 0, own;
	struct holder *to;

	if (m->n == m->room) {
		m->room = m->room > 0 ? 2 * m->room : 16;
		m->v = xreallocarray(m->v, m->room, sizeof(m->v[0]));
	}
	to = &m->v[m->n++];
	*to = *h;
	own = measure_own(h->pid);
	/* The files of a process that is ending cannot be listed either; it has no memory. */
	to->hidden = measure_open(h->pid, &m->files, &files) == -1 && measure_own(h->pid) > 0;
	m->listed |= !to->hidden;
	to->bytes = own + files;
	m->ahead += !h->ending && own < most ? grows(m, to, most - own) : 0;
	*(h->ending ? &m->ending : &m->workers) += to->bytes;
}

static void
add_worker(struct worker *w, void *arg)
{
	add(arg, &(struct holder){ .pid = worker_pid(w), .name = worker_plugin(w), .worker = w,
	    .ending = worker_ends(w) });
}

static void
add_probe(struct probe *p, void *arg)
{
	add(arg, &(struct holder){ .pid = probe_pid(p), .name = probe_file(p), .probe = p,
	    .ending = probe_ends(p) });
}

static void
measure(struct core *c)
{
	struct memory *m = c->memory;
	struct holder *v = m->before;
	size_t room = m->room_before;
	uint64_t all = 0;

	m->before = m->v;
	m->room_before = m->room;
	m->nbefore = m->n;
	m->v = v;
	m->room = room;
	m->n = m->files.n = m->own.n = 0;
	m->workers = m->ending = m->ahead = 0;
	workers_each(c, add_worker, c);
	probe_each(add_probe, c);
	measure_sort(&m->files);
	(void)measure_open(getpid(), &m->own, &all);
	measure_sort(&m->own);
	for (size_t i = 0; i < m->own.n; i++)
		if (measure_has(&m->files, m->own.v[i].inode) ||
		    (i > 0 && m->own.v[i].inode == m->own.v[i - 1].inode))
			all -= m->own.v[i].bytes;
	m->used = m->workers + m->ending + all;
}

/* ---- Ending workers ---- */

static uint64_t
plugin_bytes(const struct memory *m, const char *name)
{
	uint64_t all = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!m->v[i].ending && strcmp(m->v[i].name, name) == 0)
			all += m->v[i].bytes;
	return all;
}

/* The largest worker of the plugin whose workers hold the most; NULL: all are ending. */
static struct holder *
worst(struct memory *m, uint64_t *plugin)
{
	struct holder *found = NULL, *h;
	uint64_t all;

	*plugin = 0;
	for (h = m->v; h < m->v + m->n; h++) {
		if (h->ending)
			continue;
		all = plugin_bytes(m, h->name);
		if (found == NULL || all > *plugin ||
		    (strcmp(h->name, found->name) == 0 && h->bytes > found->bytes)) {
			found = h;
			*plugin = all;
		}
	}
	return found;
}

static void
holder_end(struct memory *m, struct holder *h, const char *why)
{
	if (h->worker != NULL)
		worker_kill(h->worker, why);
	else
		probe_end(h->probe, why);
	h->ending = 1;
	m->workers -= h->bytes;
	m->ending += h->bytes;
}

static void
end_worst(struct core *c, struct holder *h, uint64_t plugin)
{
	const struct memory *m = c->memory;
	struct buf why;

	buf_init(&why, REASON_MAX);
	buf_str(&why, "the workers hold ");
	text_bytes(&why, m->used);
	buf_str(&why, " of the ");
	text_bytes(&why, c->setup->all_memory);
	buf_fmt(&why, " that they may (limits: memory), those of %.200s ", h->name);
	text_bytes(&why, plugin);
	buf_str(&why, ", this one ");
	text_bytes(&why, h->bytes);
	holder_end(c->memory, h, why.data);
	buf_free(&why);
}

static void
enforce(struct core *c, int64_t now)
{
	struct memory *m = c->memory;
	const uint64_t limit = c->setup->all_memory;
	int waits = m->waits != 0 && now - m->waits >= WAIT_MS && now - m->asked <= ASKED_MS;
	uint64_t plugin;
	struct holder *h;

	if (now - m->asked > ASKED_MS)
		m->waits = 0;
	if (m->used + m->ahead - m->ending <= OVER(limit) &&
	    !(waits && m->used - m->ending > FULL(limit)))
		return;
	do {
		if (m->workers <= LEAST(limit) || (h = worst(m, &plugin)) == NULL)
			return;
		end_worst(c, h, plugin);
	} while (m->used - m->ending > FULL(limit));
	m->waits = 0;
}

/* Where the files of workers can be listed, one whose files cannot has hidden them. */
static void
end_hidden(struct memory *m)
{
	for (struct holder *h = m->v; h < m->v + m->n; h++)
		if (h->hidden && m->listed && !h->ending)
			holder_end(m, h, "it hides from core which memory files it has");
}

/* ---- The timer ---- */

/* The time in which the CPUs fill a quarter of the limit. */
static int64_t
tick_ms(const struct core *c)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t ms = (int64_t)(c->setup->all_memory / 4 / (FILL_RATE * (uint64_t)(cpus > 0 ? cpus : 1)));

	return ms < TICK_MIN ? TICK_MIN : ms < TICK_MAX ? ms : TICK_MAX;
}

static void
timer_in(struct memory *m, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(m->timer, &tv);
}

/* The CPU time of this process, microseconds. */
static int64_t
cpu_us(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	struct memory *m = c->memory;
	int64_t begun = cpu_us(), ms = tick_ms(c), cost;
	int full = m->waits != 0;

	(void)fd;
	(void)what;
	measure(c);
	end_hidden(m);
	enforce(c, date_ticks());
	if (full && m->used <= FULL(c->setup->all_memory))
		workers_tell(c)->room(c);
	cost = (cpu_us() - begun) * TICK_COST / 1000;
	timer_in(m, m->n == 0 ? TICK_IDLE : cost > ms ? cost : ms);
}

/* A worker started. */
static void
began(struct core *c)
{
	if (c->memory->n == 0)
		timer_in(c->memory, tick_ms(c));
}

int
memory_full(struct core *c)
{
	struct memory *m = c->memory;
	const uint64_t limit = c->setup->all_memory;

	if (m->used <= FULL(limit) || m->workers + m->ending <= LEAST(limit)) {
		m->waits = 0;
		return 0;
	}
	m->asked = date_ticks();
	if (m->waits == 0)
		m->waits = m->asked;
	return 1;
}

void
memory_why(const struct core *c, struct buf *b)
{
	buf_str(b, "waits for memory: the workers hold ");
	text_bytes(b, c->memory->used);
	buf_str(b, " of the ");
	text_bytes(b, c->setup->all_memory);
	buf_str(b, " that they may (limits: memory)");
}

uint64_t
memory_used(const struct core *c)
{
	return c->memory->used;
}

uint64_t
memory_of(const struct core *c, pid_t pid)
{
	for (size_t i = 0; i < c->memory->n; i++)
		if (c->memory->v[i].pid == pid)
			return c->memory->v[i].bytes;
	return 0;
}

uint64_t
memory_documents(const struct core *c)
{
	return DOCUMENTS(c->setup->all_memory);
}

void
memory_init(struct core *c)
{
	struct memory *m = c->memory = xcalloc(1, sizeof(*m));

	m->files.device = m->own.device = measure_device();
	m->timer = evtimer_new(c->base, on_tick, c);
	if (m->timer == NULL)
		fatal("no timer for the workers' memory");
	timer_in(m, TICK_IDLE);
	workers_tell(c)->began = began;
	workers_tell(c)->full = memory_full;
}

void
memory_end(struct core *c)
{
	struct memory *m = c->memory;

	event_free(m->timer);
	free(m->v);
	free(m->before);
	free(m->files.v);
	free(m->own.v);
	free(m);
	c->memory = NULL;
}
