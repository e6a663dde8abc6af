/* What is wrong, as records of the source SETUP_TROUBLE, which core itself makes while a route draws
 * from it. Every two seconds the daemon's state is looked through, in slices. A condition that has held
 * for its time is announced by one record, and its end by another. The state of the source says what
 * was announced and is not over; it is stored in the commit of the records, so that nothing is announced
 * twice or left open, however the daemon ends.
 *
 * A source that is well, and one whose trouble is not announced and has a known beginning, has no entry
 * here. */
#include "trouble.h"
#include "trouble_record.h"
#include "trouble_watch.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/source/intake.h"
#include "daemon/source/sources.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/disk.h"
#include "daemon/supervise/role.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <event2/event.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define ROUND_MS	2000		/* between two rounds */
#define SLICE		5000		/* sources in one turn of the loop */
#define COUNT_MS	INT64_C(60000)	/* wall clock: between two counts that store is asked for */
#define SILENT_MS	INT64_C(600000)	/* the same for the silent sources */
#define OVER_MS		INT64_C(60000)	/* that a sink, plugin or role has to be well */
/* Conditions that are announced and not over. If more hold, one record says so, of the kind
 * TROUBLE_MANY: an outage of the network neither floods the routes nor outgrows the state. */
#define OPEN_MAX	100
#define ENTRIES_MAX	1000		/* those that are not announced yet included */
#define BUCKETS		256
#define RESULTS_MAX	(8u << 20)	/* bytes of one round's records */

struct entry {
	LIST_ENTRY(entry)	 entry;
	enum trouble_kind	 kind;
	char			*name;
	int64_t			 since;		/* ms */
	int64_t			 well;		/* ms: it is not seen any more since; 0: it is */
	uint32_t		 at;		/* of a source: its place, maybe outdated */
	uint32_t		 round;		/* in which it was seen last */
	int			 open;		/* it was announced */
};
struct trouble {
	LIST_HEAD(, entry)	 bucket[BUCKETS];	/* by hash_of() */
	size_t			 n, nopen;
	struct event		*timer;
	struct trouble_watch	 watch;
	int			 loaded;	/* the state was read */
	int			 stopped;
	/* The round under way. */
	uint32_t		 round, at;	/* at: the next source */
	uint64_t		 left;		/* conditions that found no room */
	struct buf		 out;		/* results */
	/* When store was asked for its counts, and for the silent sources, ms; 0: never. */
	int64_t			 counted, listened;
};

static void
timer_in(struct trouble *t, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(t->timer, &tv);
}

/* ---- Entries ---- */

static size_t
hash_of(enum trouble_kind kind, const char *name)
{
	uint32_t h = UINT32_C(2166136261) + (uint32_t)kind;	/* FNV-1a */

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT32_C(16777619);
	return h % BUCKETS;
}

static struct entry *
entry_find(const struct trouble *t, enum trouble_kind kind, const char *name)
{
	struct entry *e;

	LIST_FOREACH(e, &t->bucket[hash_of(kind, name)], entry)
		if (e->kind == kind && strcmp(e->name, name) == 0)
			break;
	return e;
}

static struct entry *
entry_new(struct trouble *t, enum trouble_kind kind, const char *name, int64_t since)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	e->kind = kind;
	e->name = xstrdup(name);
	e->since = since;
	e->at = UINT32_MAX;
	e->round = t->round;
	LIST_INSERT_HEAD(&t->bucket[hash_of(kind, name)], e, entry);
	t->n++;
	return e;
}

static void
entry_free(struct trouble *t, struct entry *e)
{
	LIST_REMOVE(e, entry);
	t->n--;
	t->nopen -= e->open != 0;
	free(e->name);
	free(e);
}

static void
entries_free(struct trouble *t)
{
	struct entry *e, *next;

	for (size_t i = 0; i < BUCKETS; i++) {
		e = LIST_FIRST(&t->bucket[i]);
		LIST_INIT(&t->bucket[i]);
		for (; e != NULL; e = next) {
			next = LIST_NEXT(e, entry);
			free(e->name);
			free(e);
		}
	}
	t->n = t->nopen = 0;
	t->loaded = 0;
}

/* ---- A round ---- */

static void
on_seen(const struct trouble_seen *s, void *arg)
{
	struct trouble *t = arg;
	struct entry *e = entry_find(t, s->kind, s->name);
	const int64_t now = date_now();
	int64_t since;

	if (e != NULL) {
		e->round = t->round;
		e->at = s->at;
		e->well = 0;
		if (e->open)
			return;
		if (e->since > now)		/* the clock was put back */
			e->since = now;
	}
	since = s->since > 0 ? s->since : e != NULL ? e->since : now;
	if (now - since < s->hold) {
		if (e == NULL && s->since == 0 && t->n < ENTRIES_MAX)
			(void)entry_new(t, s->kind, s->name, now);
		return;
	}
	if (s->kind != TROUBLE_MANY && t->nopen >= OPEN_MAX) {
		t->left++;
		return;
	}
	if (e == NULL)
		e = entry_new(t, s->kind, s->name, since);
	e->since = since;
	e->at = s->at;
	e->open = 1;
	t->nopen++;
	trouble_begun(&t->out, s, since, now);
}

/* A condition that was not seen in this round. */
static void
on_unseen(struct core *c, struct entry *e)
{
	struct trouble *t = c->trouble;
	const int64_t now = date_now();
	const int wait = e->kind != TROUBLE_FAILING && e->kind != TROUBLE_GONE &&
	    e->kind != TROUBLE_SILENT;
	enum trouble_over over;

	if (!e->open) {
		entry_free(t, e);
		return;
	}
	over = trouble_over(c, &t->watch, e->kind, e->name, e->since, &e->at);
	if (over == OVER_NOT_YET) {
		e->well = 0;
		return;
	}
	if (e->well == 0 || e->well > now)
		e->well = now;
	if ((wait || over == OVER_REMOVED) && now - e->well < OVER_MS)
		return;
	trouble_ended(&t->out, e->kind, e->name, e->since, now, over == OVER_REMOVED);
	entry_free(t, e);
}

static void
on_stored(struct core *c, const struct committed *cd, void *arg)
{
	(void)c;
	(void)arg;
	if (cd->bad || cd->refused > 0)
		log_warn("%s: store refuses %u records: %s", SETUP_TROUBLE, cd->refused,
		    cd->fault != NULL ? cd->fault : "malformed");
}

/* Sets the source's mark, and has store commit it with the results (fd; -1: none). */
static void
round_put(struct core *c, int fd)
{
	struct run *r = &c->runs[c->setup->trouble];
	const struct commit cm = { .source = r->id, .url = "", .when = date_now(),
		.flags = COMMIT_ASIDE | COMMIT_LAST };

	r->mark.checked = r->mark.ok = cm.when;
	r->mark.due = INT64_MAX;
	r->mark.state = MARK_OK;
	(void)intake_put(c, &cm, &r->mark, fd, on_stored, NULL);
}

/* Has store commit what the round found. */
static void
round_commit(struct core *c)
{
	struct trouble *t = c->trouble;
	int fd;

	if (t->out.len == 0)
		return;
	fd = t->out.over ? -1 : memfd_new(t->out.data, t->out.len);
	if (fd == -1 || memfd_seal(fd) == -1)
		fatal("no memory file for %s: %s", SETUP_TROUBLE, strerror(errno));
	round_put(c, fd);
	buf_free(&t->out);
	buf_init(&t->out, RESULTS_MAX);
}

/* Asks store, unless it was asked less than `every` ms of the wall clock ago; the next round sees the
 * answer. */
static void
ask(struct core *c, uint16_t type, int64_t *asked, int64_t every)
{
	const int64_t now = date_now();

	if (*asked != 0 && *asked <= now && now - *asked < every)
		return;
	if (!roles_get(c, ROLE_STORE)->ready || disk_store_waits(c))
		return;
	*asked = now;
	roles_send(c, ROLE_STORE, type, 0, NULL, -1);
}

void
trouble_silences(struct core *c, const struct frame *f)
{
	struct trouble_watch *tw = &c->trouble->watch;
	struct wire w;
	uint32_t n;

	wire_init(&w, f->data, f->len);
	n = wire_u32(&w);
	if (n > SILENCES_MAX)
		fatal("store knows %u silent sources", n);
	tw->silent = xreallocarray(tw->silent, n, sizeof(*tw->silent));
	for (tw->nsilent = 0; tw->nsilent < n; tw->nsilent++)
		wire_get(&w, silence, &tw->silent[tw->nsilent]);
	if (wire_end(&w) == -1)
		fatal("store's SILENCES are malformed");
	tw->answered = 1;
}

static void
round_end(struct core *c)
{
	struct trouble *t = c->trouble;
	const struct trouble_seen many = { .kind = TROUBLE_MANY, .name = "the daemon", .count = t->left };
	struct entry *e, *next;

	trouble_rest(c, &t->watch, on_seen, t);
	if (t->left > 0)
		on_seen(&many, t);
	for (size_t i = 0; i < BUCKETS; i++)
		for (e = LIST_FIRST(&t->bucket[i]); e != NULL; e = next) {
			next = LIST_NEXT(e, entry);
			if (e->round != t->round)
				on_unseen(c, e);
		}
	round_commit(c);
	ask(c, MSG_COUNT, &t->counted, COUNT_MS);
	ask(c, MSG_SILENT, &t->listened, SILENT_MS);
	t->round++;
	t->at = 0;
	t->left = 0;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	struct trouble *t = c->trouble;

	(void)fd;
	(void)what;
	if (t->stopped || c->setup->trouble == UINT32_MAX)
		return;
	if (!t->loaded || !c->known) {
		timer_in(t, ROUND_MS);
		return;
	}
	if (trouble_sources(c, &t->watch, &t->at, SLICE, on_seen, t)) {
		timer_in(t, 0);
		return;
	}
	round_end(c);
	timer_in(t, ROUND_MS);
}

/* ---- The part ---- */

void
trouble_init(struct core *c)
{
	c->trouble = xcalloc(1, sizeof(*c->trouble));
	c->trouble->round = 1;
	buf_init(&c->trouble->out, RESULTS_MAX);
	c->trouble->timer = evtimer_new(c->base, on_timer, c);
	if (c->trouble->timer == NULL)
		fatal("no timer for %s", SETUP_TROUBLE);
}

/* A round under way begins anew with the new setup; what it has announced stays announced. */
void
trouble_setup(struct core *c, const struct setup *old)
{
	(void)old;
	c->trouble->at = 0;
	c->trouble->left = 0;
	if (c->setup->trouble == UINT32_MAX) {
		event_del(c->trouble->timer);
		entries_free(c->trouble);
		buf_clear(&c->trouble->out);
	}
}

/* Store knows the source: its state is asked for, once. */
void
trouble_ready(struct core *c)
{
	struct state_ask q = { .owner = STATE_TROUBLE };
	char instance[32];
	struct buf b;

	if (c->setup->trouble == UINT32_MAX || c->trouble->loaded)
		return;
	snprintf(instance, sizeof(instance), "source:%u", c->runs[c->setup->trouble].id);
	q.instance = instance;
	buf_init(&b, msg_limit(MSG_STATE));
	wire_put(&b, state_ask, &q);
	roles_send(c, ROLE_STORE, MSG_STATE, 0, &b, -1);
	buf_free(&b);
}

void
trouble_stated(struct core *c, struct bytes state)
{
	struct trouble *t = c->trouble;
	const char *p = state.data, *end = p + state.len, *key, *value, *name;
	enum trouble_kind kind;

	if (t->loaded || c->setup->trouble == UINT32_MAX)
		return;
	t->loaded = 1;
	while (p < end) {
		key = p;
		value = key + strnlen(key, (size_t)(end - key)) + 1;
		if (value >= end)
			break;
		p = value + strnlen(value, (size_t)(end - value)) + 1;
		kind = trouble_key_read(key, &name);
		if (kind == TROUBLE_KINDS || entry_find(t, kind, name) != NULL)
			continue;
		entry_new(t, kind, name, strtoll(value, NULL, 10))->open = 1;
		t->nopen++;
	}
	t->round++;
	round_put(c, -1);
	timer_in(t, 0);
}

void
trouble_stop(struct core *c)
{
	c->trouble->stopped = 1;
}

void
trouble_end(struct core *c)
{
	entries_free(c->trouble);
	buf_free(&c->trouble->out);
	free(c->trouble->watch.silent);
	event_free(c->trouble->timer);
	free(c->trouble);
	c->trouble = NULL;
}
